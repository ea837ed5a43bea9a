//! Cases of features that few public labs use: each usage and field of a profile, names of every kind, requests of OpenSSL,
//! and the commands beside `gencert`.

mod inputs;

use serde_json::{Map, Value, json};

use self::inputs::{config, csr};
use super::cases::{Case, flags, issuer};
use super::random::Random;

impl Case {
    pub(super) fn rare(random: &mut Random) -> Self {
        match random.below(100) {
            0..10 => ca(random),
            10..14 => renewed(random),
            14..20 => self_signed(random),
            20..55 => signed(random),
            _ => leaf(random),
        }
    }
}

/// The keys that OpenSSL made before the first case, as `NAME.key`.
pub(super) const KEYS: &[(&str, &str)] = &[
    ("rsa2048", "rsa:2048"),
    ("rsa3072", "rsa:3072"),
    ("rsa4096", "rsa:4096"),
    ("p256", "ec -pkeyopt ec_paramgen_curve:P-256"),
    ("p384", "ec -pkeyopt ec_paramgen_curve:P-384"),
    ("p521", "ec -pkeyopt ec_paramgen_curve:P-521"),
];

const HOSTNAMES: &[&str] = &[
    "a.example.com,10.0.0.1,::1",
    "A.Example.Com",
    "user@example.com,etcd1",
    "'a, b'",
    "''",
    "a,,b",
    ",",
    "10.0.0.1,10.0.0.1",
    "2001:db8::1,*.example.com",
    "a_b",
];

fn signing_flags(random: &mut Random, issuer: &str) -> String {
    let (certificate, key) = (format!("{issuer}.pem"), format!("{issuer}-key.pem"));
    let mut given = vec![("ca", certificate.as_str()), ("ca-key", key.as_str())];
    if !random.percent(8) {
        given.push(("config", "config.json"));
        if !random.percent(25) {
            given.push(("profile", "used"));
        }
    }
    if random.percent(30) {
        given.push(("hostname", random.one_of(HOSTNAMES)));
    }
    if random.percent(8) {
        given.push(("loglevel", random.one_of(&["0", "1", "2", "3", "4", "5", "9"])));
    }
    if random.percent(4) {
        given.push(("label", "x"));
    }
    if random.percent(3) {
        given.push(("nosuch", "x"));
    }
    flags(random, &given)
}

fn text(csr: Map<String, Value>) -> String {
    Value::Object(csr).to_string()
}

fn leaf(random: &mut Random) -> Case {
    let issuer = issuer(random);
    let mut flags = signing_flags(random, issuer);
    if random.percent(15) {
        flags += random.one_of(&[" -cn other.example.com", " -cn=''", " --cn 'A B'"]);
    }
    let command = match random.below(6) {
        0 => format!("cfssl gencert {flags} - < csr.json"),
        1 => format!("cat csr.json | cfssl gencert {flags} -"),
        _ => format!("cfssl gencert {flags} csr.json"),
    };
    let files = vec![("csr.json", text(csr(random))), ("config.json", config(random))];
    Case { files, command, issuer: Some(issuer) }
}

/// A request that OpenSSL made, perhaps with another subject.
fn signed(random: &mut Random) -> Case {
    let issuer = issuer(random);
    let flags = signing_flags(random, issuer);
    let (key, _) = random.one_of(KEYS);
    let subject = random.one_of(&[
        "/CN=etcd1",
        "/C=DE/O=Lab/OU=a/OU=b/CN=etcd1",
        "/O=a/O=b/CN=x",
        "/CN=etcd1/O=Lab/C=US",
        "/C=DE/ST=Hessen/L=Köln/O=Ä/CN=x",
        "/CN=x/serialNumber=12",
        "/O=Lab",
        "/CN=x/street=Main/postalCode=1",
    ]);
    let extension = random.one_of(&[
        "",
        " -addext subjectAltName=DNS:etcd1,IP:10.0.0.1",
        " -addext subjectAltName=IP:10.0.0.1,DNS:b.example.com,IP:::1,DNS:a.example.com",
        " -addext subjectAltName=email:a@example.com,DNS:x",
        " -addext subjectAltName=DNS:UPPER.example.com,DNS:a,DNS:a",
        " -addext subjectAltName=DNS:etcd1 -addext keyUsage=critical,keyCertSign",
        " -addext extendedKeyUsage=codeSigning -addext subjectAltName=DNS:etcd1",
        " -addext basicConstraints=CA:FALSE -addext subjectAltName=DNS:etcd1",
        " -addext basicConstraints=critical,CA:TRUE,pathlen:0",
    ]);
    let digest = if random.percent(20) { " -sha384" } else { "" };
    let make = format!(
        "openssl req -new -utf8 -key {key}.key -subj '{subject}' -config req.cnf{extension}{digest} -out made.csr"
    );
    let mut files = vec![("config.json", config(random))];
    let override_file = if random.percent(20) {
        let other = json!({"CN": "other", "hosts": ["ignored"], "names": [{"O": random.one_of(&["Other", ""]), "C": "US"}]});
        files.push(("subject.json", other.to_string()));
        " subject.json"
    } else {
        ""
    };
    let request = random.one_of(&["made.csr", "-csr made.csr", "-csr=made.csr"]);
    let input = if request == "made.csr" && override_file.is_empty() && random.percent(15) {
        "- < made.csr"
    } else {
        request
    };
    let command = format!("{make}; cfssl sign {flags} {input}{override_file}");
    Case { files, command, issuer: Some(issuer) }
}

fn ca(random: &mut Random) -> Case {
    let mut csr = csr(random);
    if random.percent(50) {
        let sections = [
            json!({}),
            json!({"expiry": "8760h"}),
            json!({"expiry": ""}),
            json!({"expiry": "1h30m"}),
            json!({"expiry": "0h"}),
            json!({"expiry": "262800h"}),
            json!({"expiry": "876000h"}),
            json!({"pathlen": 0}),
            json!({"pathlen": 1}),
            json!({"pathlen": -1}),
            json!({"pathlenzero": true}),
            json!({"pathlen": 2, "pathlenzero": true}),
        ];
        csr.insert("ca".to_owned(), random.one_of(&sections));
    }
    let command = random.one_of(&[
        "cfssl gencert -initca csr.json",
        "cfssl gencert -initca -cn 'Other CA' csr.json",
        "cfssl gencert -initca -hostname x csr.json",
        "cfssl gencert -initca=true -loglevel 5 csr.json",
        "cfssl genkey -initca - < csr.json",
        "cfssl gencert -initca -ca-key rsa-key.pem csr.json",
        "cfssl gencert -initca -ca-key p384.key csr.json",
    ]);
    let files = vec![("csr.json", text(csr)), ("config.json", config(random))];
    Case { files, command: command.to_owned(), issuer: None }
}

fn renewed(random: &mut Random) -> Case {
    let issuer = issuer(random);
    let command = format!("cfssl gencert -renewca -ca {issuer}.pem -ca-key {issuer}-key.pem");
    Case { files: Vec::new(), command, issuer: None }
}

fn self_signed(random: &mut Random) -> Case {
    let mut csr = csr(random);
    let host = random.one_of(&["etcd1", "10.0.0.1"]);
    csr.insert("hosts".to_owned(), json!([host]));
    let flags = random.one_of(&["", "-config config.json -profile used ", "-config config.json "]);
    let command = format!("cfssl selfsign {flags}{host} csr.json");
    // A lifetime of 0 is that of `selfsign` itself in cfssl, and here that of the default profile.
    let config = config(random).replace("\"0\"", "\"90h\"").replace("\"0h\"", "\"90h\"");
    Case { files: vec![("csr.json", text(csr)), ("config.json", config)], command, issuer: None }
}
