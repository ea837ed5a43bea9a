//! Three verifiers for one chain: this crate, OpenSSL, and Python's cryptography.
#![expect(clippy::disallowed_methods, reason = "starts other programs, which read files")]

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};

use pki_core::{Certificate, Policy, Purpose, Severity, Verifier, VerifyOptions};
use serde_json::{Value, json};

use super::chains::Chain;
use crate::lab::NOW;

/// The host to verify for.
pub(super) const HOST: &str = "host.example.com";

/// Why a verifier rejects the chain; empty if it accepts.
pub(super) type Refusal = Option<String>;

/// The result of pki-core: the ids of the violated rules.
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
    let verifier = Verifier::builder(anchors)
        .intermediates(read(&chain.between))
        .policy(Policy::Rfc5280)
        .build()
        .unwrap();
    let mut options = VerifyOptions::at(NOW);
    options.purpose = Purpose::Server;
    options.hosts = vec![HOST.try_into().unwrap()];
    let report = verifier.check(&leaf, &[], &options);
    if report.is_ok() {
        return None;
    }
    let unread = chain.between.iter().any(|der| Certificate::from_der(der).is_err());
    let errors = report.findings().filter(|found| found.severity == Severity::Error);
    let mut ids: Vec<&str> = errors.map(|finding| finding.rule.id).collect();
    if unread {
        // Whatever other findings there are, the chain is incomplete.
        ids.insert(0, "unreadable");
    }
    Some(ids.join(" "))
}

/// `openssl verify -x509_strict`, with one process for each chain, because it accepts only one set of CAs.
pub(super) fn openssl(folder: &Path, chain: &Chain) -> Refusal {
    let strict = ["-x509_strict", "-purpose", "sslserver", "-verify_hostname", HOST];
    openssl_verify(folder, chain, |command| {
        command.args(strict);
    })
}

/// `openssl verify` with more arguments.
pub(super) fn openssl_verify(
    folder: &Path,
    chain: &Chain,
    arguments: impl FnOnce(&mut Command),
) -> Refusal {
    let certificates = |name, ders: &[Vec<u8>]| write_pem(folder, name, "CERTIFICATE", ders);
    let anchors = certificates("anchors.pem", &chain.anchors);
    let leaf = certificates("leaf.pem", std::slice::from_ref(&chain.leaf));
    let mut command = Command::new("openssl");
    command.args(["verify", "-no-CApath", "-no-CAstore", "-partial_chain"]);
    command.args(["-attime", &NOW.unix_timestamp().to_string()]);
    command.arg("-CAfile").arg(&anchors);
    arguments(&mut command);
    if !chain.between.is_empty() {
        command.arg("-untrusted").arg(certificates("between.pem", &chain.between));
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

/// Python's cryptography, with one process for all chains.
pub(super) fn python(chains: &[Chain]) -> Vec<Refusal> {
    let chains: Vec<Value> = chains.iter().map(to_json).collect();
    ask("verify.py", &json!({ "at": NOW.unix_timestamp(), "host": HOST, "chains": chains }))
}

pub(super) fn to_json(chain: &Chain) -> Value {
    json!({
        "anchors": to_base64(&chain.anchors),
        "between": to_base64(&chain.between),
        "leaf": base64(&chain.leaf),
    })
}

/// The output of a script in this folder.
pub(super) fn ask(script: &str, options: &Value) -> Vec<Refusal> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let interpreter = root.join("target/peers/bin/python3");
    assert!(
        interpreter.is_file(),
        "{} is missing; install the peers with: tests/install-peers",
        interpreter.display()
    );
    let mut child = Command::new(interpreter)
        .arg(root.join("tests/core/differential").join(script))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(options.to_string().as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{script}: {}", output.status);
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Runs on two threads, because each case is a separate process. Each thread has its own folder.
pub(super) fn on_two_threads<T: Sync>(
    cases: &[T],
    judge: impl Fn(&Path, &T) -> Refusal + Sync,
) -> Vec<Refusal> {
    let next = AtomicUsize::new(0);
    let worker = || {
        let folder = tempfile::tempdir().unwrap();
        let mut answers = Vec::new();
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            match cases.get(index) {
                Some(case) => answers.push((index, judge(folder.path(), case))),
                None => return answers,
            }
        }
    };
    let mut answers = std::thread::scope(|scope| {
        let other = scope.spawn(worker);
        let mut answers = worker();
        answers.extend(other.join().unwrap());
        answers
    });
    answers.sort_by_key(|(index, _)| *index);
    answers.into_iter().map(|(_, answer)| answer).collect()
}

pub(super) fn write_pem(folder: &Path, name: &str, label: &str, ders: &[Vec<u8>]) -> PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, to_pem(label, ders)).unwrap();
    path
}

pub(super) fn to_pem(label: &str, ders: &[Vec<u8>]) -> String {
    let mut pem = String::new();
    for der in ders {
        let _ = writeln!(pem, "-----BEGIN {label}-----");
        for line in base64(der).as_bytes().chunks(64) {
            let _ = writeln!(pem, "{}", String::from_utf8_lossy(line));
        }
        let _ = writeln!(pem, "-----END {label}-----");
    }
    pem
}

pub(super) fn to_base64(ders: &[Vec<u8>]) -> Vec<String> {
    ders.iter().map(|der| base64(der)).collect()
}

const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// What is written in base64 with padding.
pub(crate) fn from_base64(text: &str) -> Vec<u8> {
    let digit = |octet: u8| DIGITS.iter().position(|digit| *digit == octet).unwrap_or(0);
    let mut octets = Vec::with_capacity(text.len() / 4 * 3);
    for group in text.as_bytes().chunks(4) {
        let bits = group.iter().fold(0, |bits, octet| bits << 6 | digit(*octet));
        let padding = group.iter().rev().take_while(|octet| **octet == b'=').count();
        octets.extend_from_slice(&bits.to_be_bytes()[5..8 - padding]);
    }
    octets
}

pub(crate) fn base64(octets: &[u8]) -> String {
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
