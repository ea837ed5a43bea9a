//! `certinfo` about certificates and requests that OpenSSL made, compared with the real cfssl.

use serde_json::Value;

use super::sides::{Side, Sides};

const CONFIG: &str = "[req]
distinguished_name = name
prompt = no
[name]
C = DE
O = Example
OU = one
CN = etcdone
[none]
[names]
subjectAltName = DNS:etcdone,IP:10.0.0.1,email:a@example.com
[ca]
subjectAltName = DNS:etcdone
basicConstraints = critical,CA:true
";

const KEYS: [&str; 5] = [
    "rsa:2048",
    "ec -pkeyopt ec_paramgen_curve:P-256",
    "ec -pkeyopt ec_paramgen_curve:P-384",
    "ec -pkeyopt ec_paramgen_curve:P-521",
    "ed25519",
];

fn answers(sides: &Sides, command: &str) -> [Value; 2] {
    [Side::Ours, Side::Theirs].map(|side| {
        let run = sides.run(side, command);
        assert_eq!(run.code, 0, "{side:?} {command}: {run:?}");
        // The numbers of keys are compared as text, because serde_json would round them.
        let quoted = |line: &str| match line.split_once(": ") {
            Some((key, value)) if value.bytes().all(|byte| b"0123456789,".contains(&byte)) => {
                let (digits, comma) =
                    value.strip_suffix(',').map_or((value, ""), |digits| (digits, ","));
                format!("{key}: \"{digits}\"{comma}")
            }
            _ => line.to_owned(),
        };
        let lines: Vec<String> = run.stdout.lines().map(quoted).collect();
        serde_json::from_str(&lines.concat()).unwrap()
    })
}

/// What both programs print about a file that the real cfssl made.
pub(super) fn of_theirs(sides: &Sides, flag: &str, name: &str) -> [Value; 2] {
    std::fs::write(sides.folder(Side::Ours).join("made"), sides.read(Side::Theirs, name)).unwrap();
    std::fs::write(sides.folder(Side::Theirs).join("made"), sides.read(Side::Theirs, name))
        .unwrap();
    let mut both = answers(sides, &format!("cfssl certinfo {flag} made"));
    both.iter_mut().for_each(pad_key_ids);
    both
}

/// 1.2 writes the octets of key identifiers without leading zeros.
fn pad_key_ids(information: &mut Value) {
    for id in ["subject_key_id", "authority_key_id"] {
        if let Some(octets) = information[id].as_str().filter(|octets| !octets.is_empty()) {
            let octets: Vec<String> =
                octets.split(':').map(|octet| format!("{octet:0>2}")).collect();
            information[id] = Value::from(octets.join(":"));
        }
    }
}

/// The names of the fields in the order in which they are printed.
fn names_in_order(printed: &str) -> Vec<String> {
    let name = |line: &str| line.split_once(':').map(|(name, _)| name.trim().to_owned());
    printed.lines().filter_map(name).collect()
}

#[test]
fn a_request_is_printed_as_by_cfssl() {
    let sides = Sides::new();
    sides.write("req.cnf", CONFIG);
    for key in KEYS {
        for section in ["none", "names", "ca"] {
            let script = format!(
                "openssl req -new -newkey {key} -nodes -keyout key.pem -config req.cnf \
                 -reqexts {section} -out made.csr; cp made.csr ../theirs"
            );
            assert_eq!(sides.run(Side::Ours, &script).code, 0, "{script}");
            let command = "cfssl certinfo -csr made.csr";
            let [mut ours, mut theirs] = answers(&sides, command);
            let lines = [Side::Ours, Side::Theirs]
                .map(|side| names_in_order(&sides.run(side, command).stdout));
            if key == "ed25519" {
                // The numbers of Go before Ed25519.
                for side in [&mut ours, &mut theirs] {
                    side.as_object_mut().unwrap().retain(|name, _| !name.contains("Algorithm"));
                }
            }
            assert_eq!(ours, theirs, "{key} {section}");
            assert_eq!(lines[0], lines[1], "{key} {section}: another order of the fields");
        }
    }
}

#[test]
fn a_certificate_is_printed_as_by_cfssl() {
    let sides = Sides::new();
    sides.write("req.cnf", CONFIG);
    for key in &KEYS[..4] {
        let script = format!(
            "openssl req -x509 -newkey {key} -nodes -keyout key.pem -config req.cnf \
             -extensions names -out made.pem; cp made.pem ../theirs"
        );
        assert_eq!(sides.run(Side::Ours, &script).code, 0, "{script}");
        let [mut ours, mut theirs] = answers(&sides, "cfssl certinfo -cert made.pem");
        [&mut ours, &mut theirs].into_iter().for_each(pad_key_ids);
        assert_eq!(ours, theirs, "{key}");
    }
}

#[test]
fn the_uris_of_a_request_are_printed_as_by_cfssl() {
    let sides = Sides::new();
    let uris = [
        "spiffe://td/ns/etcd",
        "https://user:pw@example.com:2379/a%2Fb/c%20d?x=1#part",
        "HTTPS://example.com",
        "urn:uuid:1",
        "file:/etc/hosts",
        "https://example.com/?",
        "https://example.com/a!b",
    ];
    let names: Vec<String> = uris.iter().map(|uri| format!("URI:{uri}")).collect();
    let request = format!(
        "openssl req -new -newkey rsa:2048 -nodes -keyout k.pem -subj /CN=a \
         -addext 'subjectAltName={}' -out made.csr; cp made.csr ../theirs",
        names.join(",")
    );
    let made = sides.run(Side::Ours, &request);
    assert_eq!(made.code, 0, "{made:?}");
    let [ours, theirs] =
        [Side::Ours, Side::Theirs].map(|side| sides.run(side, "cfssl certinfo -csr made.csr"));
    assert_eq!((ours.code, &ours.stdout), (0, &theirs.stdout), "{ours:?} {theirs:?}");
    assert!(ours.stdout.contains("\"Scheme\": \"spiffe\""), "{ours:?}");
}
