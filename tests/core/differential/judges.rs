//! Three judges of one chain: this crate, OpenSSL, and Python's cryptography.
#![expect(clippy::disallowed_methods, reason = "other programs read files and are started")]

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use pki_core::{Certificate, Policy, Purpose, Question, Severity, Verifier};
use serde_json::{Value, json};

use super::chains::Chain;
use crate::lab::NOW;

/// The host that is dialled.
pub(super) const HOST: &str = "host.example.com";

/// Why a judge refuses; nothing when it accepts.
pub(super) type Refusal = Option<String>;

/// What we say: the ids of the rules that are broken.
pub(super) fn ours(chain: &Chain) -> Refusal {
    let read = |ders: &[Vec<u8>]| -> Vec<Certificate> {
        ders.iter().filter_map(|der| Certificate::from_der(der).ok()).collect()
    };
    let Ok(leaf) = Certificate::from_der(&chain.leaf) else {
        return Some("unreadable".to_owned());
    };
    let anchors = read(&chain.anchors);
    if anchors.is_empty() {
        return Some("unreadable".to_owned());
    }
    let mut verifier = Verifier::new(anchors).unwrap();
    verifier.intermediates = read(&chain.between);
    verifier.policy = Policy::Rfc5280;
    let mut question = Question::at(NOW);
    question.purpose = Purpose::Server;
    question.hosts = vec![HOST.try_into().unwrap()];
    let report = verifier.check(&leaf, &[], &question);
    if report.is_ok() {
        return None;
    }
    let unread = chain.between.iter().any(|der| Certificate::from_der(der).is_err());
    let errors = report.findings.iter().filter(|found| found.severity == Severity::Error);
    let mut ids: Vec<&str> = errors.map(|finding| finding.rule.id).collect();
    if unread {
        // Whatever else is said, the chain has a hole.
        ids.insert(0, "unreadable");
    }
    Some(ids.join(" "))
}

/// `openssl verify -x509_strict`, one process a chain: it takes one set of CAs alone.
pub(super) fn openssl(folder: &Path, chain: &Chain) -> Refusal {
    let pem = |ders: &[Vec<u8>]| ders.iter().map(|der| to_pem(der)).collect::<String>();
    let write = |name: &str, text: String| {
        let path = folder.join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    let anchors = write("anchors.pem", pem(&chain.anchors));
    let leaf = write("leaf.pem", to_pem(&chain.leaf));
    let mut command = Command::new("openssl");
    command.args(["verify", "-x509_strict", "-no-CApath", "-no-CAstore", "-partial_chain"]);
    command.args(["-purpose", "sslserver", "-verify_hostname", HOST]);
    command.args(["-attime", &NOW.unix_timestamp().to_string()]);
    command.arg("-CAfile").arg(&anchors);
    if !chain.between.is_empty() {
        command.arg("-untrusted").arg(write("between.pem", pem(&chain.between)));
    }
    let output = command.arg(leaf).output().unwrap_or_else(|error| {
        panic!("openssl cannot be run ({error}); install it: apt-get install openssl")
    });
    if output.status.success() {
        return None;
    }
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    // `error 20 at 0 depth lookup: unable to get local issuer certificate`
    let reason = said.lines().find_map(|line| line.split_once(" lookup: ").map(|(_, why)| why));
    Some(reason.map_or_else(|| "unreadable".to_owned(), str::to_owned))
}

/// Python's cryptography, one process for all chains.
pub(super) fn python(chains: &[Chain]) -> Vec<Refusal> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let interpreter = root.join("target/peers/bin/python3");
    assert!(
        interpreter.is_file(),
        "{} is missing; install the peers with: tests/install-peers",
        interpreter.display()
    );
    let all = |ders: &[Vec<u8>]| ders.iter().map(|der| base64(der)).collect::<Vec<_>>();
    let chains: Vec<Value> = chains
        .iter()
        .map(|chain| {
            json!({
                "anchors": all(&chain.anchors),
                "between": all(&chain.between),
                "leaf": base64(&chain.leaf),
            })
        })
        .collect();
    let input = json!({ "at": NOW.unix_timestamp(), "host": HOST, "chains": chains }).to_string();
    let mut child = Command::new(interpreter)
        .arg(root.join("tests/core/differential/verify.py"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "verify.py: {}", output.status);
    serde_json::from_slice(&output.stdout).unwrap()
}

fn to_pem(der: &[u8]) -> String {
    let text = base64(der);
    let mut pem = "-----BEGIN CERTIFICATE-----\n".to_owned();
    for line in text.as_bytes().chunks(64) {
        let _ = writeln!(pem, "{}", String::from_utf8_lossy(line));
    }
    pem + "-----END CERTIFICATE-----\n"
}

fn base64(octets: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(octets.len().div_ceil(3) * 4);
    for group in octets.chunks(3) {
        let bits = group.iter().fold(0, |bits, octet| bits << 8 | u32::from(*octet))
            << (8 * (3 - group.len()));
        for place in 0..4 {
            let digit = DIGITS[(bits >> (18 - 6 * place) & 0x3f) as usize];
            text.push(if place <= group.len() { char::from(digit) } else { '=' });
        }
    }
    text
}
