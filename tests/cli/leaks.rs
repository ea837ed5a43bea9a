//! If a private key is passed instead of another file, it never appears in a message, in any format.

use std::collections::BTreeSet;
use std::fs;

use pki_core::{KeyAlgorithm, KeyFormat, PrivateKey};

use crate::lab::{Lab, Run};

const MANIFEST: &str = "cluster: lab\netcd:\n  - { name: etcdone, ip: 192.168.29.61 }\n";

/// The number of consecutive characters of a key that count as a leak.
const WINDOW: usize = 16;

/// A new key, and every 16 characters of it.
struct Secret {
    pem: String,
    base64: String,
    der: Vec<u8>,
    windows: BTreeSet<String>,
}

impl Secret {
    fn new(algorithm: KeyAlgorithm, format: KeyFormat) -> Self {
        let pem = PrivateKey::generate(algorithm).unwrap().to_pem(format).unwrap().to_string();
        let base64: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
        let der = decoded(&base64);
        let hex = pki_core::KeyId(der.clone()).to_string();
        let windows = [base64.as_bytes(), hex.as_bytes(), hex.to_uppercase().as_bytes()]
            .iter()
            .flat_map(|text| text.windows(WINDOW))
            .map(|window| String::from_utf8(window.to_vec()).unwrap())
            .collect();
        Self { pem, base64, der, windows }
    }

    /// The key in its correct format, and in the formats that scripts and CI variables turn it into.
    fn forms(&self) -> Vec<(&'static str, Vec<u8>)> {
        let Self { pem, base64, der, .. } = self;
        let lines = pem.replace('\n', "\n    ");
        let text = |text: String| text.into_bytes();
        vec![
            ("pem", text(pem.clone())),
            ("der", der.clone()),
            ("base64", text(base64.clone())),
            ("one line", text(pem.replace('\n', ""))),
            ("blanks for line ends", text(pem.replace('\n', " "))),
            ("\\n for line ends", text(pem.replace('\n', "\\n"))),
            ("cut", text(pem[..pem.len() * 2 / 3].to_owned())),
            ("without its first line", text(pem.split_once('\n').unwrap().1.to_owned())),
            ("yaml field", text(format!("cluster: {base64}\netcd: {base64}\n"))),
            ("yaml block", text(format!("cluster: |\n    {lines}\netcd: []\n"))),
            ("unknown yaml field", text(format!("{MANIFEST}caKey: |\n    {lines}\n"))),
            ("yaml key", text(format!("{MANIFEST}{base64}: 1\n"))),
            ("yaml in a list", text(MANIFEST.replace("192.168.29.61", base64))),
            ("yaml name", text(MANIFEST.replace("etcdone", base64))),
            ("yaml quoted", text(format!("cluster: \"{}\"\n", pem.replace('\n', "\\n")))),
            ("yaml not closed", text(format!("cluster: [ \"{base64}\n"))),
            ("yaml anchor", text(format!("cluster: *{base64}\n"))),
            ("yaml tag", text(format!("cluster: !{base64} x\n"))),
            ("json field", text(format!("{{\"CN\": \"{base64}\", \"hosts\": [\"{base64}\"]}}"))),
            ("json key", text(format!("{{\"{base64}\": 1, \"key\": {{\"algo\": \"{base64}\"}}}}"))),
            (
                "json profile",
                text(format!(
                    "{{\"signing\": {{\"default\": {{\"expiry\": \"{base64}\", \"usages\": [\"{base64}\"]}}}}}}"
                )),
            ),
            ("json not closed", text(format!("{{\"CN\": \"{base64}"))),
            (
                "certificate label",
                text(pem.replace("EC PRIVATE", "PRIVATE").replace("PRIVATE KEY", "CERTIFICATE")),
            ),
            (
                "label of nobody",
                text(format!("-----BEGIN {base64}-----\n-----END {base64}-----\n")),
            ),
            ("wrong end", text(format!("-----BEGIN CERTIFICATE-----\n-----{base64}\n"))),
        ]
    }

    fn is_in(&self, text: &str) -> Option<&String> {
        let packed: String = text.split_whitespace().collect();
        self.windows.iter().find(|window| text.contains(*window) || packed.contains(*window))
    }
}

/// Decodes base64.
fn decoded(base64: &str) -> Vec<u8> {
    let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let (mut bits, mut count, mut bytes) = (0_u32, 0, Vec::new());
    for digit in base64.chars().filter_map(|c| alphabet.find(c)) {
        bits = (bits << 6) | u32::try_from(digit).unwrap();
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push(u8::try_from((bits >> count) & 0xff).unwrap());
        }
    }
    bytes
}

/// Every option and argument that takes a file, each with the file `given`.
const OPTIONS: &[(&str, &str, &[&str])] = &[
    ("apply", "--file", &["apply", "--file", "given"]),
    ("certdb", "FILE", &["certdb", "import", "given"]),
    ("crl", "--out", &["crl", "--out", "given"]),
    ("crl", "--out", &["crl", "--check", "--out", "given"]),
    ("crl", "--signature-in", &["crl", "--signature-in", "given"]),
    ("export", "--file", &["export", "etcdone", "--file", "given", "--out", "out"]),
    (
        "export",
        "--password-file",
        &["export", "etcdone", "--as", "pkcs12", "--password-file", "given", "--out", "out"],
    ),
    ("import-ca", "--cert", &["import-ca", "--dir", "new", "--cert", "given"]),
    (
        "import-ca",
        "--key",
        &["import-ca", "--dir", "new", "--cert", "pki/ca.pem", "--key", "given"],
    ),
    (
        "import-ca",
        "PASSPHRASE",
        &["import-ca", "--dir", "new", "--cert", "given", "--ca-passphrase", "file:given"],
    ),
    ("init-ca", "--csr-json", &["init-ca", "--dir", "new", "--csr-json", "given"]),
    (
        "init-ca",
        "--public-key",
        &["init-ca", "--dir", "new", "--signer-cmd", "cat", "--public-key", "given"],
    ),
    (
        "init-ca",
        "--signature-in",
        &[
            "init-ca",
            "--dir",
            "below",
            "--intermediate",
            "--root-dir",
            "root",
            "--signature-in",
            "given",
        ],
    ),
    ("inspect", "FILE", &["inspect", "given"]),
    ("issue", "--config", &["issue", "--profile", "www", "new", "--config", "given"]),
    ("issue", "--csr", &["issue", "--profile", "client", "new", "--csr", "given"]),
    ("issue", "--csr-json", &["issue", "--profile", "client", "new", "--csr-json", "given"]),
    (
        "passwd",
        "PASSPHRASE",
        &["passwd", "--dir", "locked", "--ca-passphrase", "file:given", "--remove"],
    ),
    (
        "issue",
        "--signature-in",
        &["issue", "--profile", "client", "waiting", "--signature-in", "given"],
    ),
    ("plan", "--file", &["plan", "--file", "given"]),
    ("renew", "FILE", &["renew", "given"]),
    ("renew", "--file", &["renew", "--all", "--file", "given"]),
    ("rotate-ca", "--file", &["rotate-ca", "status", "--file", "given"]),
    (
        "rotate-ca",
        "--public-key",
        &[
            "rotate-ca",
            "begin",
            "-f",
            "cluster.yaml",
            "--signer-cmd",
            "cat",
            "--public-key",
            "given",
        ],
    ),
    ("revoke", "FILE|SERIAL", &["revoke", "given"]),
    ("backup", "--file", &["backup", "--file", "given", "copy.db"]),
    ("check", "--file", &["check", "--file", "given"]),
    ("crl", "--file", &["crl", "--file", "given"]),
    ("import-ca", "--file", &["import-ca", "--cert", "ca.pem", "--file", "given"]),
    ("list", "--file", &["list", "--file", "given"]),
    ("passwd", "--file", &["passwd", "--file", "given", "--remove"]),
    ("revoke", "--file", &["revoke", "01", "--file", "given"]),
    ("show", "--file", &["show", "01", "--file", "given"]),
    ("status", "--file", &["status", "--file", "given"]),
    ("verify", "LEAF", &["verify", "given"]),
    ("verify", "--ca", &["verify", "api.pem", "--ca", "given"]),
    (
        "verify",
        "--cert",
        &["verify", "--connect", "127.0.0.1:1", "--cert", "given", "--cert-key", "api-key.pem"],
    ),
    (
        "verify",
        "--cert-key",
        &["verify", "--connect", "127.0.0.1:1", "--cert", "api.pem", "--cert-key", "given"],
    ),
    ("verify", "--crl", &["verify", "api.pem", "--crl", "given"]),
    ("verify", "--file", &["verify", "--file", "given"]),
    ("verify", "--intermediates", &["verify", "api.pem", "--intermediates", "given"]),
    ("verify", "--key", &["verify", "api.pem", "--key", "given"]),
];

/// Files that commands read without being told, and the commands that read them.
const PLACES: &[(&str, &[&str])] = &[
    ("pki/ca.pem", &["verify", "api.pem"]),
    ("pki/ca.pem", &["plan", "--file", "cluster.yaml"]),
    ("pki/ca.pem", &["issue", "--profile", "client", "new"]),
    ("pki/ca-key.pem", &["issue", "--profile", "client", "new"]),
    ("waiting.pending", &["issue", "--profile", "client", "waiting", "--signature-in", "tbs"]),
    ("pki/crl.pending", &["crl", "--signature-in", "tbs"]),
    (
        "below/ca.pending",
        &[
            "init-ca",
            "--dir",
            "below",
            "--intermediate",
            "--root-dir",
            "root",
            "--signature-in",
            "tbs",
        ],
    ),
    ("pki/inventory.db", &["issue", "--profile", "client", "new"]),
    ("pki/inventory.db", &["list"]),
    ("pki/inventory.db", &["check"]),
    ("pki/hosts/etcdone/ca.pem", &["verify", "--file", "cluster.yaml"]),
    ("pki/hosts/etcdone/ca.pem", &["export", "etcdone", "--out", "new"]),
    ("pki/hosts/etcdone/etcd.conf.yaml", &["verify", "--file", "cluster.yaml"]),
    ("pki/hosts/etcdone/etcd.conf.yaml", &["status", "--file", "cluster.yaml"]),
    ("pki/hosts/etcdone/etcd.service", &["verify", "--file", "cluster.yaml"]),
    ("pki/hosts/etcdone/server.pem", &["plan", "--file", "cluster.yaml"]),
    ("pki/hosts/etcdone/server.pem", &["verify", "--file", "cluster.yaml"]),
    ("pki/hosts/etcdone/server.pem", &["export", "etcdone", "--out", "new"]),
    ("pki/hosts/etcdone/server-key.pem", &["verify", "--file", "cluster.yaml"]),
    ("pki/hosts/etcdone/server-key.pem", &["export", "etcdone", "--out", "new"]),
];

fn lab() -> Lab {
    let lab = Lab::new();
    lab.write("cluster.yaml", MANIFEST);
    lab.ok(&["apply", "-f", "cluster.yaml"]);
    lab.ok(&["issue", "--profile", "client", "api"]);
    lab.ok(&["issue", "--profile", "client", "waiting", "--tbs-out", "tbs"]);
    lab.ok(&["crl", "--tbs-out", "crl.tbs"]);
    lab.ok(&["--dir", "root", "init-ca", "--cn", "root", "--path-len", "1"]);
    let below = ["init-ca", "--dir", "below", "--intermediate", "--root-dir", "root"];
    lab.ok(&[&below[..], &["--tbs-out", "ca.tbs"]].concat());
    lab.write("passphrase", "nobody guesses this");
    set_secret(&lab, "passphrase");
    lab.ok(&["--dir", "locked", "init-ca", "--ca-passphrase", "file:passphrase"]);
    lab
}

/// The formats of the key to test.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Formats {
    All,
    Text,
}

/// The output formats of a command.
fn formats(formats: Formats, command: &str) -> &'static [&'static str] {
    if formats == Formats::Text {
        &["text"]
    } else if command == "verify" {
        &["text", "json", "sarif", "junit", "github"]
    } else {
        &["text", "json"]
    }
}

/// Runs the command in every format, and returns where the secret occurs in its output.
fn leaks(lab: &Lab, secret: &Secret, form: &str, args: &[&str], tried: Formats) -> Vec<String> {
    let mut leaks = Vec::new();
    for format in formats(tried, args[0]) {
        let run: Run = lab.run(&[args, &["--format", format]].concat());
        assert_ne!(run.code, 70, "{form}: {args:?}: {run:?}");
        for text in [&run.stdout, &run.stderr] {
            if let Some(window) = secret.is_in(text) {
                leaks.push(format!("{form}, {format}, {args:?}: {window} is in {text}"));
            }
            // SARIF contains all rules, which are 100 kB.
            assert!(text.len() < 150_000, "{form}, {format}, {args:?}: {} bytes", text.len());
        }
    }
    leaks
}

/// Passes every format of the key instead of every file.
fn check(secret: &Secret, tried: Formats) {
    let lab = lab();
    let mut found = Vec::new();
    for (form, contents) in secret.forms() {
        for (_, _, args) in OPTIONS {
            lab.write("given", &contents);
            set_secret(&lab, "given");
            found.extend(leaks(&lab, secret, form, args, tried));
            let _ = fs::remove_dir_all(lab.path("out"));
        }
        for (place, args) in PLACES {
            let before = lab.read(place);
            lab.write(place, &contents);
            found.extend(leaks(&lab, secret, form, args, tried));
            lab.write(place, before);
            for new in ["new", "new.pem", "new-key.pem"] {
                let _ = fs::remove_file(lab.path(new));
            }
        }
    }
    assert!(found.is_empty(), "{} leaks:\n{}", found.len(), found.join("\n"));
}

fn set_secret(lab: &Lab, name: &str) {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(lab.path(name), fs::Permissions::from_mode(0o600)).unwrap();
}

#[test]
fn a_key_in_the_place_of_another_file_is_in_no_message() {
    check(&Secret::new(KeyAlgorithm::EcdsaP256, KeyFormat::Pkcs8), Formats::All);
}

#[test]
fn an_ed25519_key_in_the_place_of_another_file_is_in_no_message() {
    check(&Secret::new(KeyAlgorithm::Ed25519, KeyFormat::Pkcs8), Formats::Text);
}

#[test]
fn an_rsa_key_in_the_place_of_another_file_is_in_no_message() {
    check(&Secret::new(KeyAlgorithm::Rsa(2048), KeyFormat::Traditional), Formats::Text);
}

/// A new option that takes a file must be listed in [`OPTIONS`].
#[test]
fn every_option_that_takes_a_file_is_tried() {
    let lab = Lab::new();
    let commands = lab.ok(&["--help"]);
    let commands = commands.split("Commands:\n").nth(1).unwrap().split("\n\n").next().unwrap();
    // The help of a command may continue on the next line, with more indentation.
    let commands = commands.lines().filter_map(|line| line.strip_prefix("  "));
    let commands = commands.filter_map(|line| line.split(' ').next());
    let mut wanted = BTreeSet::new();
    for command in commands.filter(|command| !["", "help"].contains(command)) {
        let help = lab.ok(&[command, "--help"]);
        for line in help.lines().map(str::trim_start).filter(|line| line.starts_with('-')) {
            if line.contains("<FILE>") || line.contains("<MANIFEST>") {
                let option = line.split([' ', ',']).find(|word| word.starts_with("--")).unwrap();
                wanted.insert((command.to_owned(), option.to_owned()));
            }
        }
    }
    let tried = OPTIONS.iter().filter(|(_, option, _)| option.starts_with('-'));
    let tried: BTreeSet<(String, String)> =
        tried.map(|(command, option, _)| ((*command).to_owned(), (*option).to_owned())).collect();
    assert_eq!(wanted, tried);
}

#[test]
fn a_value_of_a_megabyte_is_not_repeated() {
    let lab = lab();
    let long = "x".repeat(1 << 20);
    for contents in [
        format!("cluster: {long}\n"),
        format!("{MANIFEST}{long}: 1\n"),
        MANIFEST.replace("etcdone", &long),
        format!("{{\"CN\": \"{long}\"}}"),
        format!("{{\"{long}\": 1}}"),
        format!("-----BEGIN {long}-----\n-----END {long}-----\n"),
    ] {
        lab.write("given", contents);
        for args in [
            &["plan", "-f", "given"][..],
            &["issue", "--profile", "client", "new", "--csr-json", "given"],
            &["inspect", "given"],
            &["verify", "given"],
        ] {
            let run = lab.run(args);
            assert!(run.stdout.len() + run.stderr.len() < 20_000, "{args:?}: {}", run.stderr.len());
        }
    }
}

#[test]
fn a_key_on_the_command_line_is_not_repeated_by_the_message_about_it() {
    let lab = lab();
    let secret = Secret::new(KeyAlgorithm::EcdsaP256, KeyFormat::Pkcs8);
    for value in [&secret.base64, &secret.pem, &secret.pem.replace('\n', " ")] {
        for args in [
            &["issue", "--profile", value, "new"][..],
            &["issue", "--profile", "client", value],
            &["issue", "--profile", "client", "new", "--san", value],
            &["issue", "--profile", "client", "new", "--cn", value],
            &["issue", "--profile", "client", "new", "--key", value],
            &["issue", "--profile", "client", "new", "--expiry", value],
            &["issue", "--profile", "client", "new", value],
            &["issue", "--profile", "client", "new", "--format", value],
            &["verify", "api.pem", "--ignore", value],
            &["verify", "api.pem", "--host", value],
            &["export", value],
            &["plan", "-f", "cluster.yaml", "--only", value],
            &["inspect", value],
            &["explain", value],
            &["list", "--host", value],
            &["list", "--serial", value],
            &["show", value],
            &["revoke", value],
            &["revoke", "--host", value],
            &["revoke", "api.pem", "--reason", value],
            &[value],
        ] {
            // A common name may look like a key, and then the requested certificate contains it.
            let run = lab.run(args);
            if run.code != 0 {
                assert_eq!(
                    secret.is_in(&format!("{}{}", run.stdout, run.stderr)),
                    None,
                    "{args:?}"
                );
            }
            let _ = fs::remove_file(lab.path("new.pem"));
            let _ = fs::remove_file(lab.path("new-key.pem"));
        }
    }
}
