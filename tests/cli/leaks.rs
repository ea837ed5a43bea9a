//! If a private key is passed instead of another file, it never appears in a message, in any format.

mod arguments;
mod given;

use std::collections::BTreeSet;
use std::fs;
use std::io::Write as _;
use std::process::{Command, Stdio};

use pki_core::{KeyAlgorithm, KeyFormat, PrivateKey};

use self::given::{CFSSL, OPTIONS, PLACES, STDIN, VARIABLES};
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
    fs::create_dir(lab.path("copied")).unwrap();
    for file in
        ["ca.pem", "etcd.conf.yaml", "peer.pem", "peer-key.pem", "server.pem", "server-key.pem"]
    {
        lab.write(format!("copied/{file}"), lab.read(format!("pki/hosts/etcdone/{file}")));
    }
    lab.write("csr.json", "{\"CN\": \"new\", \"hosts\": [\"new\"]}");
    lab.write("serials", "");
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
    if formats == Formats::Text || command.starts_with("cfssl") {
        &["text"]
    } else if command == "verify" {
        &["text", "json", "sarif", "junit", "github"]
    } else {
        &["text", "json"]
    }
}

/// Runs the command in every format, as `run` runs it, and returns where the secret occurs in its output.
fn leaks(
    lab: &Lab,
    secret: &Secret,
    form: &str,
    args: &[&str],
    tried: Formats,
    run: impl Fn(&mut Command) -> Run,
) -> Vec<String> {
    let mut leaks = Vec::new();
    for format in formats(tried, args[0]) {
        let format_option: &[&str] =
            if args[0].starts_with("cfssl") { &[] } else { &["--format", format] };
        let mut command = lab.command(&[args, format_option].concat());
        let run = run(&mut command);
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
            found.extend(leaks(&lab, secret, form, args, tried, plain));
            let _ = fs::remove_dir_all(lab.path("out"));
        }
        // The same code reads every kind of key, so one kind is enough here.
        for args in CFSSL.iter().filter(|_| tried == Formats::All) {
            lab.write("given", &contents);
            found.extend(leaks(&lab, secret, form, args, tried, plain));
            remove_new(&lab);
        }
        for (place, args) in PLACES {
            let before = lab.read(place);
            lab.write(place, &contents);
            found.extend(leaks(&lab, secret, form, args, tried, plain));
            lab.write(place, before);
            remove_new(&lab);
        }
    }
    assert!(found.is_empty(), "{} leaks:\n{}", found.len(), found.join("\n"));
}

fn plain(command: &mut Command) -> Run {
    command.output().unwrap().into()
}

/// Removes what a command created.
fn remove_new(lab: &Lab) {
    let files = ["new", "new.pem", "new-key.pem", "out.pem", "out-key.pem", "out.csr"];
    for file in files {
        let _ = fs::remove_file(lab.path(file));
    }
    let _ = fs::remove_dir_all(lab.path("new"));
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
fn a_key_on_standard_input_is_in_no_message() {
    let lab = lab();
    let secret = Secret::new(KeyAlgorithm::EcdsaP256, KeyFormat::Pkcs8);
    let mut found = Vec::new();
    for (form, contents) in secret.forms() {
        for args in STDIN {
            let fed = |command: &mut Command| {
                command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
                let mut child = command.spawn().unwrap();
                // A command that reads nothing closes it.
                let _ = child.stdin.take().unwrap().write_all(&contents);
                Run::from(child.wait_with_output().unwrap())
            };
            found.extend(leaks(&lab, &secret, form, args, Formats::Text, fed));
            remove_new(&lab);
        }
    }
    assert!(found.is_empty(), "{} leaks:\n{}", found.len(), found.join("\n"));
}

#[test]
fn a_key_in_the_environment_is_in_no_message() {
    let lab = lab();
    let secret = Secret::new(KeyAlgorithm::EcdsaP256, KeyFormat::Pkcs8);
    let mut found = Vec::new();
    for value in [&secret.base64, &secret.pem, &secret.pem.replace('\n', " ")] {
        for (variable, args) in VARIABLES {
            let told = |command: &mut Command| plain(command.env(variable, value));
            found.extend(leaks(&lab, &secret, variable, args, Formats::All, told));
            remove_new(&lab);
        }
    }
    assert!(found.is_empty(), "{} leaks:\n{}", found.len(), found.join("\n"));
}

/// A new variable must be listed in [`VARIABLES`].
#[test]
fn every_variable_of_the_environment_is_tried() {
    let lab = Lab::new();
    let mut wanted = BTreeSet::new();
    for command in ["issue", "init-ca", "verify"] {
        let help = lab.ok(&[command, "--help"]);
        // The name may be on the next line.
        let help: String = help.split_whitespace().collect();
        let variables = help.split("[env:").skip(1);
        wanted.extend(variables.map(|rest| rest.split([']', '=']).next().unwrap().to_owned()));
    }
    let tried = VARIABLES.iter().map(|(variable, _)| (*variable).to_owned());
    let tried: BTreeSet<String> = tried.filter(|name| name.starts_with("ETCDPKI_")).collect();
    assert_eq!(wanted, tried);
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
