//! The text of PEM files, changed by code: what Go cannot load, we do not accept.

use std::fmt::Write as _;

use pki_core::{
    Authority, Certificate, CertificateFile, Crl, CrlRequest, ExtendedKeyUsage, KeyFormat,
    PrivateKey, Signer, Verifier, VerifyOptions, crl_damage, pem_damage,
};
use serde_json::{Value, json};
use time::Duration;

use super::chains::Pool;
use super::judge;
use crate::differential::judges::base64;
use crate::differential::random::Random;
use crate::foreign::{ca_params, extended_key_usages, params, self_signed, signed};
use crate::lab::NOW;

const FILES: usize = 3000;

/// A change to the text of a file.
type Change = fn(&str, &mut Random) -> String;

const CHANGES: &[(&str, Change)] = &[
    ("nothing", |text, _| text.to_owned()),
    ("all lines indented", |text, random| {
        let indent = random.one_of(&["  ", "\t", " ", "    "]);
        each(text, |line| format!("{indent}{line}"))
    }),
    ("BEGIN indented", |text, _| each(text, |line| indent_if(line, line.contains("BEGIN")))),
    ("END indented", |text, _| each(text, |line| indent_if(line, line.contains("END")))),
    ("body indented", |text, _| each(text, |line| indent_if(line, !line.starts_with('-')))),
    ("one line indented", |text, random| one(text, random, |line| format!("  {line}"))),
    ("blanks behind a line", |text, random| {
        let blanks = random.one_of(&[" ", "\t", "  \t ", "\r", "\u{c}", "\u{b}", "\u{a0}"]);
        one(text, random, |line| format!("{line}{blanks}"))
    }),
    ("text behind a line", |text, random| one(text, random, |line| format!("{line}x"))),
    ("text before a line", |text, random| {
        let before = random.one_of(&["x", "> ", "# ", "\u{feff}", "\0", "\"", "-"]);
        one(text, random, |line| format!("{before}{line}"))
    }),
    ("an empty line", |text, random| one(text, random, |line| format!("\n{line}"))),
    ("a header", |text, random| {
        let header = random.one_of(&["Key: value", "Proc-Type: 4,X", "a:b\nc", ":", "x:y\n"]);
        one(text, random, |line| format!("{line}\n{header}"))
    }),
    ("a line gone", |text, random| one(text, random, |_| String::new())),
    ("a line twice", |text, random| one(text, random, |line| format!("{line}\n{line}"))),
    ("CRLF", |text, _| text.replace('\n', "\r\n")),
    ("CR", |text, _| text.replace('\n', "\r")),
    ("LFCR", |text, _| text.replace('\n', "\n\r")),
    ("no line ends", |text, _| text.replace('\n', "")),
    ("blanks for line ends", |text, _| text.replace('\n', " ")),
    ("written line ends", |text, _| text.replace('\n', "\\n")),
    ("no last line end", |text, _| text.trim_end().to_owned()),
    ("no padding", |text, _| text.replace('=', "")),
    ("more padding", |text, random| one(text, random, |line| format!("{line}="))),
    ("one long line", |text, _| {
        let is_end = |line: &str| line.starts_with('-');
        let lines: Vec<&str> = text.lines().collect();
        let joined = lines
            .iter()
            .map(|line| if is_end(line) { format!("\n{line}\n") } else { (*line).to_owned() });
        joined.collect::<String>()
    }),
    ("other dashes", |text, random| {
        let (from, to) = random.one_of(&[
            ("-----BEGIN", "----BEGIN"),
            ("-----BEGIN", "------BEGIN"),
            ("-----END", "----END"),
            ("-----END", "------END"),
            ("E-----", "E----"),
            ("Y-----", "Y------"),
            ("-----BEGIN ", "-----BEGIN  "),
            ("-----END ", "-----END"),
            ("-----", "\u{2014}\u{2014}"),
            ("BEGIN", "Begin"),
        ]);
        text.replace(from, to)
    }),
    ("another label", |text, random| {
        let (from, to) = random.one_of(&[
            ("BEGIN CERTIFICATE", "BEGIN TRUSTED CERTIFICATE"),
            ("CERTIFICATE", "X509 CERTIFICATE"),
            ("CERTIFICATE", "certificate"),
            ("END CERTIFICATE", "END X509 CRL"),
            ("BEGIN PRIVATE", "BEGIN EC PRIVATE"),
            ("PRIVATE KEY", "EC PRIVATE KEY"),
            ("PRIVATE KEY", "ANY PRIVATE KEY"),
            ("PRIVATE KEY", "RSA PRIVATE KEY"),
            ("PRIVATE KEY", "KEY"),
            ("CERTIFICATE", ""),
        ]);
        text.replace(from, to)
    }),
    ("glued", |text, _| text.replace("-----\n-----", "----------")),
    ("text between", |text, _| text.replace("-----\n-----BEGIN", "-----\ntext: x\n\n-----BEGIN")),
    ("another octet", |text, random| {
        let at = random.below(text.len());
        let octet = random.one_of(&["!", "=", " ", "\n", "-", "\0", "\t"]);
        format!("{}{octet}{}", &text[..at], &text[at + 1..])
    }),
    ("cut", |text, random| text[..random.below(text.len())].to_owned()),
    ("another block before it", |text, random| format!("{}{text}", other_block(random))),
    ("another block behind it", |text, random| {
        format!("{}\n{}", text.trim_end(), other_block(random))
    }),
    ("another block between", |text, random| {
        text.replacen("-----\n-----BEGIN", &format!("-----\n{}-----BEGIN", other_block(random)), 1)
    }),
    ("a mark before it", |text, _| format!("\u{feff}{text}")),
    ("text before it", |text, random| {
        format!(
            "{}{text}",
            random.one_of(&["Certificate:\n  x\n", "x", " ", "\n", "-----BEGIN \n"])
        )
    }),
    ("text behind it", |text, random| {
        format!(
            "{text}{}",
            random.one_of(&["x", "\n\n", "-----END X-----\n", "-----BEGIN X-----\n"])
        )
    }),
];

/// A block that is not a certificate, or only resembles one.
fn other_block(random: &mut Random) -> String {
    let label = random.one_of(&[
        "X509 CRL",
        "EC PARAMETERS",
        "DH PARAMETERS",
        "PUBLIC KEY",
        "TRUSTED CERTIFICATE",
        "PRIVATE KEY",
        "",
    ]);
    let body = random.one_of(&[
        "",
        "AAAA\n",
        "MAA=\n",
        "BggqhkjOPQMBBw==\n",
        "MAA\n",
        "!\n",
        "K: v\n\nMAA=\n",
    ]);
    format!("-----BEGIN {label}-----\n{body}-----END {label}-----\n")
}

fn each(text: &str, change: impl Fn(&str) -> String) -> String {
    text.lines().map(|line| change(line) + "\n").collect()
}

fn one(text: &str, random: &mut Random, change: impl Fn(&str) -> String) -> String {
    let at = random.below(text.lines().count().max(1));
    let lines = text.lines().enumerate();
    lines
        .map(|(index, line)| if index == at { change(line) } else { line.to_owned() } + "\n")
        .collect()
}

fn indent_if(line: &str, indent: bool) -> String {
    format!("{}{line}", if indent { "  " } else { "" })
}

/// A leaf under an intermediate, their files, and a CRL.
struct Files {
    chain: String,
    keys: Vec<String>,
    trusted: String,
    list: String,
}

fn files(pool: &Pool) -> Files {
    let [root_key, ca_key, key] = [0, 1, 2].map(|at| &pool.usual[at]);
    let root = self_signed(&ca_params("root", root_key), root_key);
    let ca = signed(&ca_params("ca", ca_key), ca_key, &root, root_key);
    let mut leaf = params("host", key);
    leaf.extended_key_usages = extended_key_usages(&[ExtendedKeyUsage::client_auth()]);
    let leaf = signed(&leaf, key, &ca, ca_key);
    let pem = |certificate: &Certificate| certificate.to_pem().unwrap();
    Files {
        chain: pem(&leaf) + &pem(&ca),
        keys: [KeyFormat::Pkcs8, KeyFormat::Traditional]
            .map(|format| key.to_pem(format).unwrap().to_string())
            .into(),
        trusted: pem(&root) + &pem(&ca),
        list: list(&root, root_key),
    }
}

fn list(root: &Certificate, key: &PrivateKey) -> String {
    let request = CrlRequest {
        number: 1,
        this_update: NOW,
        next_update: NOW + Duration::DAY,
        revoked: Vec::new(),
    };
    let draft = Authority::new(root.clone()).draft_crl(&request, NOW).unwrap();
    draft.sign(key).unwrap().to_pem().unwrap()
}

fn changed(text: &str, random: &mut Random, story: &mut String) -> String {
    let mut text = text.to_owned();
    for _ in 0..=random.below(2) {
        let (name, change) = random.one_of(CHANGES);
        // Nothing is left to change.
        if !text.is_ascii() || text.is_empty() {
            break;
        }
        text = change(&text, random);
        let _ = write!(story, "{name}; ");
    }
    text
}

/// What we say of a pair: nothing is wrong with either file, and they belong together.
fn accepts_pair(chain: &[u8], key: &[u8]) -> bool {
    let certificates = Certificate::from_pem_or_der(chain);
    let own = PrivateKey::from_pem(key);
    let damaged = pem_damage("chain", chain).or(pem_damage("key", key)).is_some();
    let is_pair = |all: Vec<Certificate>| {
        own.is_ok_and(|own| all[0].public_key == *own.public_key()) && is_readable(&all[0])
    };
    certificates.is_ok_and(is_pair) && !damaged
}

/// What we say of a file of CAs: it holds this number of certificates, and etcd can read all of it.
fn accepts_trust(file: &[u8], count: usize) -> bool {
    CertificateFile::from_bytes(file).is_ok_and(|file| {
        file.certificates.len() == count
            && file.damage_of_trust("ca").is_empty()
            && file.certificates.iter().all(is_readable)
    })
}

/// False for a certificate that a rule about Go rejects, as one with a key that an octet of the base64 moved off its curve.
fn is_readable(certificate: &Certificate) -> bool {
    let verifier = Verifier::builder([certificate.clone()]).build().unwrap();
    let report = verifier.check(certificate, &[], &VerifyOptions::at(NOW));
    let about_paths = ["go-path", "go-handshake", "go-unused"];
    let mut ids = report.findings().map(|finding| finding.rule.id);
    !ids.any(|id| id.starts_with("go-") && !about_paths.contains(&id))
}

/// What we say of a CRL: it can be read, here and by etcd before 3.6.
fn accepts_list(file: &[u8]) -> bool {
    Crl::from_pem_or_der(file).is_ok() && crl_damage("crl", file).is_none()
}

#[test]
#[expect(clippy::disallowed_macros, reason = "the counts are shown with --nocapture")]
fn a_file_that_go_cannot_load_is_not_accepted() {
    let pool = Pool::shared();
    let files = files(pool);
    let mut random = Random(5);
    let (mut requests, mut ours): (Vec<Value>, Vec<(bool, String)>) = (Vec::new(), Vec::new());
    for number in 0..FILES {
        let mut story = String::new();
        let (request, accepts) = match number % 4 {
            3 => {
                let file = changed(&files.list, &mut random, &mut story);
                let list = json!({"list": {"file": base64(file.as_bytes())}});
                (list, accepts_list(file.as_bytes()))
            }
            0 | 1 => {
                let (mut chain, mut key) = (files.chain.clone(), random.one_of(&files.keys));
                let changes = if number % 4 == 0 { &mut chain } else { &mut key };
                *changes = changed(changes, &mut random, &mut story);
                let pair = json!({"pair": {"certificate": base64(chain.as_bytes()), "key": base64(key.as_bytes())}});
                (pair, accepts_pair(chain.as_bytes(), key.as_bytes()))
            }
            _ => {
                let file = changed(&files.trusted, &mut random, &mut story);
                let trust = json!({"trust": {"file": base64(file.as_bytes()), "count": 2}});
                (trust, accepts_trust(file.as_bytes(), 2))
            }
        };
        requests.push(request);
        ours.push((accepts, story));
    }
    let mut wrong = String::new();
    let mut counts = [0; 4];
    let mut stricter = std::collections::BTreeMap::<String, usize>::new();
    for ((accepts, story), go) in ours.iter().zip(judge::ask(&requests)) {
        counts[usize::from(*accepts) * 2 + usize::from(go.accepts)] += 1;
        if *accepts && !go.accepts {
            let _ = writeln!(wrong, "{}: {story}", go.error);
        }
        if !accepts && go.accepts {
            *stricter.entry(story.clone()).or_default() += 1;
        }
    }
    println!("rejected by both, Go accepts, we accept, accepted by both: {counts:?}");
    println!("Go accepts and we do not: {stricter:#?}");
    assert!(wrong.is_empty(), "Go cannot load, and we accept:\n{wrong}");
    assert!(counts[0] > FILES / 10 && counts[3] > FILES / 10, "{counts:?}");
}
