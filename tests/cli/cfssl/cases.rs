//! Cases for both programs. How often a feature occurs follows 94 public `ca-config.json`, 251 CSR files and the
//! scripts of 82 repositories.

use serde_json::{Map, Value, json};

use super::random::Random;

/// What to run: files, then a script whose output goes through `cfssljson -bare out`.
#[derive(Clone, Debug)]
pub(super) struct Case {
    pub(super) files: Vec<(&'static str, String)>,
    /// The command of cfssl.
    pub(super) command: String,
    /// The CA that issues: `ecdsa` or `rsa`. A CA that signs itself has none.
    pub(super) issuer: Option<&'static str>,
}

impl Case {
    pub(super) fn new(random: &mut Random) -> Self {
        match random.below(100) {
            0..12 => ca(random),
            12..18 => key_only(random),
            18..27 => sign(random),
            _ => leaf(random),
        }
    }
}

pub(super) fn issuer(random: &mut Random) -> &'static str {
    random.weighted(&[(3, "rsa"), (2, "ecdsa")])
}

fn key(random: &mut Random) -> Option<Value> {
    random.weighted(&[
        (50, Some(json!({"algo": "rsa", "size": 2048}))),
        (25, Some(json!({"algo": "ecdsa", "size": 256}))),
        (4, Some(json!({"algo": "ecdsa", "size": 384}))),
        (2, Some(json!({"algo": "ecdsa", "size": 521}))),
        (1, Some(json!({"algo": "rsa", "size": 1024}))),
        (1, Some(json!({"algo": "RSA", "size": 2048}))),
        (8, None),
    ])
}

fn names(random: &mut Random) -> Value {
    let mut name = Map::new();
    let mut put = |key: &str, value: &str| {
        name.insert(key.to_owned(), json!(value));
    };
    put("C", random.weighted(&[(60, "US"), (20, "CN"), (4, "USA"), (3, "China"), (5, "")]));
    put("ST", random.weighted(&[(5, "Oregon"), (3, "BeiJing"), (2, "Île-de-France"), (1, "")]));
    put("L", random.one_of(&["Portland", "XS", "San Francisco", ""]));
    put(
        "O",
        random.weighted(&[
            (30, "Kubernetes"),
            (20, "system:masters"),
            (20, "etcd"),
            (5, "A & B, Inc."),
            (3, "k8s "),
        ]),
    );
    if random.percent(60) {
        put("OU", random.one_of(&["CA", "System", "Kubernetes The Hard Way", "etcd_security"]));
    }
    if random.percent(3) {
        put("_comment", "who we are");
    }
    let first = Value::Object(name);
    match random.below(100) {
        0..8 => json!([first, {"O": "system:nodes", "OU": "b"}]),
        8..10 => json!([first, {"O": "etcd", "OU": "CA"}]),
        10..16 => json!([{}]),
        _ => json!([first]),
    }
}

fn hosts(random: &mut Random) -> Option<Value> {
    const LISTS: &[&[&str]] = &[
        &["127.0.0.1", "10.0.0.1"],
        &["etcd1", "etcd1.example.com", "10.0.0.11", "127.0.0.1", "localhost"],
        &["192.168.29.61", "etcdone", "::1", "2001:DB8::1"],
        &["kubernetes", "kubernetes.default.svc.cluster.local", "10.32.0.1", "*.example.com"],
        &["Member1.Example.COM", "user@example.com", "10.1.2.3"],
        &["my_host", "10.1.2.4"],
        &["a.example.com", "a.example.com", "b.example.com"],
        &["::ffff:10.0.0.1", "a"],
    ];
    const MISTAKES: &[&[&str]] =
        &[&["10.0.0.1:2379"], &["10.0.0.0/24"], &["a.example.com, b"], &["https://10.0.0.1:2379"]];
    match random.below(100) {
        0..22 => None,
        22..32 => Some(json!([])),
        32..41 => Some(json!([""])),
        41..43 => Some(json!(random.one_of(MISTAKES))),
        43..45 => Some(json!("localhost")),
        _ => Some(json!(random.one_of(LISTS))),
    }
}

fn csr(random: &mut Random) -> Map<String, Value> {
    let mut csr = Map::new();
    if !random.percent(7) {
        let cn = random.weighted(&[
            (20, "etcd"),
            (10, "server"),
            (10, "system:kube-proxy"),
            (10, "admin"),
            (10, "system:node:worker-0"),
            (3, "etcd_client"),
            (3, "münchen"),
            (1, ""),
        ]);
        csr.insert("CN".to_owned(), json!(cn));
    }
    csr.extend(hosts(random).map(|hosts| ("hosts".to_owned(), hosts)));
    csr.extend(key(random).map(|key| ("key".to_owned(), key)));
    if random.percent(75) {
        csr.insert("names".to_owned(), names(random));
    }
    match random.below(100) {
        0..4 => csr.extend([("_".to_owned(), json!("a comment"))]),
        4..6 => csr.extend([("expiry".to_owned(), json!("24h"))]),
        6..8 => csr.extend([("serialnumber".to_owned(), json!("0042"))]),
        8..10 => csr.extend([("ca".to_owned(), json!({"expiry": "1h"}))]),
        10..11 => csr.extend([("names".to_owned(), Value::Null)]),
        _ => {}
    }
    csr
}

fn profile(random: &mut Random) -> Value {
    let mut profile = Map::new();
    let mut put = |key: &str, value: Value| {
        profile.insert(key.to_owned(), value);
    };
    put(
        "expiry",
        json!(random.weighted(&[
            (47, "8760h"),
            (25, "43800h"),
            (21, "720h"),
            (18, "87600h"),
            (6, "876000h"),
            (1, "-1h"),
            (1, "365d"),
            (1, "1h30m"),
        ])),
    );
    let server = ["signing", "key encipherment", "server auth"];
    let client = ["signing", "key encipherment", "client auth"];
    put(
        "usages",
        random.weighted(&[
            (37, json!(["signing", "key encipherment", "server auth", "client auth"])),
            (31, json!(server)),
            (31, json!(client)),
            (
                16,
                json!([
                    "cert sign",
                    "crl sign",
                    "signing",
                    "key encipherment",
                    "server auth",
                    "client auth"
                ]),
            ),
            (
                4,
                json!([
                    "digital signature",
                    "content commitment",
                    "key agreement",
                    "client auth",
                    "code signing"
                ]),
            ),
            (2, json!(["signing", "server auth", "server auth"])),
            (1, json!(["server auth", "signing", "decipher only"])),
            (1, json!([])),
        ]),
    );
    if random.percent(10) {
        let limit = random.one_of(&[
            json!({}),
            json!({"max_path_len": 1}),
            json!({"max_path_len": 0, "max_path_len_zero": true}),
        ]);
        let mut constraint = limit.as_object().unwrap().clone();
        constraint.insert("is_ca".to_owned(), json!(true));
        put("ca_constraint", Value::Object(constraint));
        put("usages", json!(["cert sign", "crl sign", "signing"]));
    }
    if random.percent(12) {
        put("auth_key", json!("key1"));
    }
    if random.percent(4) {
        put("crl_url", json!("http://crl.example.com/ca.crl"));
        put("ocsp_url", json!("http://ocsp.example.com"));
        put("issuer_urls", json!(["http://crl.example.com/ca.pem"]));
    }
    if random.percent(4) {
        put("backdate", json!(random.one_of(&["1h", "30s", "0s"])));
    }
    if random.percent(3) {
        put("_comment", json!("for members"));
    }
    Value::Object(profile)
}

/// A configuration with the profile `used`.
pub(super) fn config_of(default: Option<&Map<String, Value>>, used: &Map<String, Value>) -> String {
    let mut signing = json!({"profiles": {"used": used}});
    if let Some(default) = default {
        signing["default"] = json!(default);
    }
    json!({"signing": signing}).to_string()
}

fn config(random: &mut Random) -> String {
    let mut signing = Map::new();
    if !random.percent(6) {
        let mut default = json!({"expiry": random.one_of(&["8760h", "43800h", "168h"])});
        if random.percent(35) {
            default["usages"] =
                json!(["signing", "key encipherment", "server auth", "client auth"]);
        }
        signing.insert("default".to_owned(), default);
    }
    let mut profiles = json!({"used": profile(random)});
    if random.percent(50) {
        profiles["other"] = json!({"expiry": "8760h", "usages": ["signing", "client auth"]});
    }
    signing.insert("profiles".to_owned(), profiles);
    let mut config = json!({"signing": signing});
    if config.to_string().contains("key1") || random.percent(15) {
        config["auth_keys"] =
            json!({"key1": {"type": "standard", "key": "0123456789ABCDEF0123456789ABCDEF"}});
    }
    if random.percent(10) {
        config["remotes"] = json!({"caserver": "localhost:8888"});
    }
    config.to_string()
}

/// Flags in the forms that scripts use.
pub(super) fn flags(random: &mut Random, flags: &[(&str, &str)]) -> String {
    let form = random.below(3);
    let one = |(name, value): &(&str, &str)| match form {
        0 => format!("-{name}={value}"),
        1 => format!("--{name} {value}"),
        _ => format!("-{name} {value}"),
    };
    flags.iter().map(one).collect::<Vec<_>>().join(" ")
}

fn signing_flags(random: &mut Random, issuer: &str) -> String {
    let (certificate, key) = (format!("{issuer}.pem"), format!("{issuer}-key.pem"));
    let mut given = vec![("ca", certificate.as_str()), ("ca-key", key.as_str())];
    if !random.percent(14) {
        given.push(("config", "config.json"));
        if !random.percent(12) {
            given.push(("profile", "used"));
        }
    }
    if random.percent(28) {
        given.push((
            "hostname",
            random.one_of(&["10.0.0.5,127.0.0.1", "etcd2,etcd2.example.com,10.0.0.2", "localhost"]),
        ));
    }
    if random.percent(4) {
        given.push(("loglevel", "3"));
    }
    flags(random, &given)
}

fn leaf(random: &mut Random) -> Case {
    let issuer = issuer(random);
    let flags = signing_flags(random, issuer);
    let command = match random.below(5) {
        0 => format!("cfssl gencert {flags} - < csr.json"),
        _ => format!("cfssl gencert {flags} csr.json"),
    };
    let files =
        vec![("csr.json", Value::Object(csr(random)).to_string()), ("config.json", config(random))];
    Case { files, command, issuer: Some(issuer) }
}

fn key_only(random: &mut Random) -> Case {
    let files = vec![("csr.json", Value::Object(csr(random)).to_string())];
    Case { files, command: "cfssl genkey csr.json".to_owned(), issuer: None }
}

/// A request of both programs' `genkey`, which the other command signs.
fn sign(random: &mut Random) -> Case {
    let issuer = issuer(random);
    let flags = signing_flags(random, issuer);
    let initca = if random.percent(40) { "-initca " } else { "" };
    let command = format!(
        "cfssl genkey {initca}csr.json | cfssljson -bare out && cfssl sign {flags} {}",
        random.one_of(&["out.csr", "-csr out.csr", "-csr=out.csr"]),
    );
    let files =
        vec![("csr.json", Value::Object(csr(random)).to_string()), ("config.json", config(random))];
    Case { files, command, issuer: Some(issuer) }
}

fn ca(random: &mut Random) -> Case {
    let mut csr = csr(random);
    csr.remove("ca");
    match random.below(100) {
        0..25 => csr.extend([(
            "ca".to_owned(),
            json!({"expiry": random.one_of(&["87600h", "8760h", "1h"])}),
        )]),
        25..35 => csr.extend([(
            "ca".to_owned(),
            random.one_of(&[
                json!({"pathlen": 1}),
                json!({"pathlen": 0, "pathlenzero": true}),
                json!({"expiry": "10y"}),
            ]),
        )]),
        35..45 => csr.extend([(
            "ca".to_owned(),
            json!({"expiry": "8760h", "backdate": random.one_of(&["1h", "30s", "0s"])}),
        )]),
        _ => {}
    }
    if random.percent(15) {
        csr.insert("crl_url".to_owned(), json!("http://crl.example.com/ca.crl"));
    }
    let command = match random.below(10) {
        0 => "cfssl gencert -initca=true -config config.json -profile used csr.json",
        1 => "cfssl genkey -initca csr.json",
        2 => "cfssl gencert --initca - < csr.json",
        3 => "cfssl gencert -initca -ca-key ecdsa-key.pem csr.json",
        _ => "cfssl gencert -initca csr.json",
    };
    let files = vec![("csr.json", Value::Object(csr).to_string()), ("config.json", config(random))];
    Case { files, command: command.to_owned(), issuer: None }
}
