//! What `verify` found, in every form that it is printed in, thing by thing as it comes.
//!
//! A worker renders each [`Outcome`] by itself; the one who prints only joins what was rendered.
//! Nothing is held that grows with the number of files.

mod github;
mod json;
mod junit;
mod sarif;
mod text;

use std::fmt;
use std::fs::File;
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use pki_core::{CertificationPath, Finding, Severity, Trust};
use serde::Serialize;

use super::Format;
use super::facts::moment;
use crate::failure::{Failure, Kind};
use crate::host;

/// Something that was looked at, and what came of it.
pub(crate) struct Outcome {
    /// What people call it: the file as it was named, `HOST:PORT`.
    pub(crate) name: String,
    pub(crate) place: Place,
    pub(crate) result: Result<Judged, Failure>,
}

/// Where a finding is shown.
pub(crate) enum Place {
    File(PathBuf),
    /// Standard input, a live endpoint: no file that an editor could open.
    Elsewhere,
}

/// A judged certificate, or another file of a host.
pub(crate) struct Judged {
    /// The path of the certificate and whether it is trusted; nothing of a file that should hold none, and
    /// of an endpoint that served none.
    pub(crate) path: Option<CertificationPath>,
    /// How a live endpoint behaved.
    pub(crate) endpoint: Option<EndpointFacts>,
    /// What was found beside the path, worst first.
    pub(crate) found: Vec<Found>,
}

/// How a live endpoint behaved, under stable names.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct EndpointFacts {
    /// The address that answered.
    pub(crate) address: String,
    pub(crate) server_name: String,
    /// `TLSv1.2`, `TLSv1.3`; none where no session came about.
    pub(crate) tls_version: Option<&'static str>,
    /// `not-asked`, `optional`, `required`, `accepted`, `refused` or `unknown`.
    pub(crate) client_certificate: &'static str,
}

/// A finding, and why it does not count, if it does not.
pub(crate) struct Found {
    pub(crate) finding: Finding,
    pub(crate) ignored: Option<String>,
}

impl Judged {
    /// Trust counts whatever is ignored. An endpoint that served no certificate proves nothing.
    pub(crate) fn is_ok(&self) -> bool {
        let trusted = match &self.path {
            Some(path) => path.is_trusted(),
            None => self.endpoint.is_none(),
        };
        trusted && self.count(Severity::Error) == 0
    }

    /// What became of trust, in a word and in a sentence; nothing of a file that should hold no certificate.
    fn trust(&self) -> Option<(&'static str, String)> {
        let path = self.path.as_ref()?;
        Some(match path.trust() {
            Trust::Accepted => (
                "accepted",
                match path.anchor() {
                    Some(anchor) => format!("accepted by {}", anchor.subject),
                    None => "accepted".to_owned(),
                },
            ),
            Trust::Refused(why) => {
                ("refused", format!("refused: {}: {}", why.subject, why.evidence))
            }
        })
    }

    /// When the certificate ends.
    fn not_after(&self) -> Option<String> {
        let leaf = self.path.as_ref().and_then(CertificationPath::leaf);
        leaf.map(|leaf| moment(leaf.not_after))
    }

    fn count(&self, severity: Severity) -> usize {
        self.counting().filter(|finding| finding.severity == severity).count()
    }

    /// The findings that count: why the path is not trusted, and those that are not ignored.
    fn counting(&self) -> impl Iterator<Item = &Finding> {
        self.all().filter(|(_, ignored)| ignored.is_none()).map(|(finding, _)| finding)
    }

    fn ignored(&self) -> impl Iterator<Item = (&Finding, &str)> {
        self.all().filter_map(|(finding, ignored)| Some((finding, ignored?)))
    }

    /// Every finding, and why it does not count if it does not. Why the path is not trusted comes first,
    /// unless a finding that counts explains it.
    fn all(&self) -> impl Iterator<Item = (&Finding, Option<&str>)> {
        let explained = |refusal: &&Finding| {
            let mut counting = self.found.iter().filter(|found| found.ignored.is_none());
            counting.any(|found| found.finding.explains(refusal))
        };
        let refusal = self.path.as_ref().and_then(CertificationPath::refusal);
        let refusal = refusal.filter(|refusal| !explained(refusal));
        let found = self.found.iter().map(|found| (&found.finding, found.ignored.as_deref()));
        refusal.map(|finding| (finding, None)).into_iter().chain(found)
    }
}

/// What a file in a folder is when it is no certificate to judge.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum PassedOver {
    Key,
    Request,
    Crl,
    /// CAs alone: what is trusted, not what is judged.
    TrustFile,
}

impl fmt::Display for PassedOver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Key => "a private key",
            Self::Request => "a certification request",
            Self::Crl => "a CRL",
            Self::TrustFile => "CAs alone",
        })
    }
}

/// What was counted.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(crate) struct Totals {
    /// Things that were looked at.
    pub(crate) files: usize,
    pub(crate) ok: usize,
    /// Certificates whose path leads to a trusted CA.
    pub(crate) trusted: usize,
    pub(crate) errors: usize,
    pub(crate) warnings: usize,
    pub(crate) ignored: usize,
    /// Things that could not be judged.
    pub(crate) failed: usize,
    #[serde(skip)]
    with_errors: usize,
    #[serde(skip)]
    passed_over: PassedOverCounts,
    #[serde(skip)]
    code: u8,
}

#[derive(Clone, Copy, Debug, Default, Serialize)]
struct PassedOverCounts {
    keys: usize,
    requests: usize,
    crls: usize,
    trust_files: usize,
}

impl Totals {
    fn add(&mut self, result: &Result<Judged, Failure>) {
        self.files += 1;
        match result {
            Ok(judged) => {
                let ok = judged.is_ok();
                self.ok += usize::from(ok);
                let trusted = judged.path.as_ref().is_some_and(CertificationPath::is_trusted);
                self.trusted += usize::from(trusted);
                self.with_errors += usize::from(!ok);
                self.errors += judged.count(Severity::Error);
                self.warnings += judged.count(Severity::Warning);
                self.ignored += judged.ignored().count();
                self.code = self.code.max(if ok { 0 } else { Kind::Refused.exit_code() });
            }
            Err(failure) => {
                self.failed += 1;
                // Not having looked is worse than a no: 3 before 2 before 1.
                self.code = self.code.max(failure.kind.exit_code());
            }
        }
    }

    fn pass_over(&mut self, what: PassedOver) {
        let counts = &mut self.passed_over;
        *match what {
            PassedOver::Key => &mut counts.keys,
            PassedOver::Request => &mut counts.requests,
            PassedOver::Crl => &mut counts.crls,
            PassedOver::TrustFile => &mut counts.trust_files,
        } += 1;
    }

    const fn is_ok(&self) -> bool {
        self.code == 0
    }
}

/// What came of one input, ready to be printed.
pub(crate) enum Rendered {
    PassedOver(PassedOver),
    Judged {
        /// For standard output.
        data: String,
        /// For standard error.
        words: String,
        totals: Box<Totals>,
    },
}

/// How outcomes are shown.
pub(crate) struct View {
    pub(crate) format: Format,
    /// What was asked, in words: `as server, for etcdone, at 2027-01-01T00:00:00Z`.
    pub(crate) asked: String,
    /// One thing was named, and needs no totals.
    pub(crate) alone: bool,
}

impl View {
    /// One outcome in the form of this view. Workers call it.
    pub(crate) fn render(&self, outcome: &Outcome) -> Rendered {
        let mut totals = Totals::default();
        totals.add(&outcome.result);
        let data = match self.format {
            Format::Text => text::outcome(outcome, self),
            Format::Json => json::outcome(outcome),
            Format::Sarif => sarif::outcome(outcome),
            Format::Junit => junit::outcome(outcome),
            Format::Github => github::outcome(outcome),
        };
        let words = outcome.result.as_ref().err().map(super::text::failure).unwrap_or_default();
        Rendered::Judged { data, words, totals: Box::new(totals) }
    }
}

/// The verdict on its way to standard output. It begins with the first outcome, so that a run that
/// fails before has printed nothing.
pub(crate) struct Verdict<'a> {
    view: &'a View,
    totals: Totals,
    begun: bool,
    /// Whether something stands before, from which the next is to be separated.
    separate: bool,
    /// JUnit has its counts in front, so the cases wait in a file without a name.
    spool: Option<File>,
}

impl<'a> Verdict<'a> {
    pub(crate) fn new(view: &'a View) -> Self {
        Self { view, totals: Totals::default(), begun: false, separate: false, spool: None }
    }

    /// Prints these outcomes, which follow those before.
    pub(crate) fn add(&mut self, all: Vec<Rendered>) -> Result<(), Failure> {
        let mut text = String::new();
        for rendered in all {
            match rendered {
                Rendered::PassedOver(what) => self.totals.pass_over(what),
                Rendered::Judged { data, words, totals } => {
                    self.count(&totals);
                    if self.separate && !data.is_empty() {
                        text.push_str(self.separator());
                    }
                    self.separate |= !data.is_empty();
                    text.push_str(&data);
                    if !words.is_empty() {
                        self.print(&std::mem::take(&mut text))?;
                        host::say(&words);
                    }
                }
            }
        }
        self.print(&text)
    }

    /// Ends the document; the exit code is that of the worst outcome.
    pub(crate) fn finish(mut self) -> Result<ExitCode, Failure> {
        if self.totals.files == 0 {
            return Err(Failure::usage("there is no certificate to judge")
                .hinted("a folder is searched for *.pem, *.crt, *.cer and *.der; keys, requests, CRLs and CAs in it are passed over"));
        }
        let end = match self.view.format {
            Format::Text => text::end(&self.totals, self.view),
            Format::Json => json::end(&self.totals),
            Format::Sarif => sarif::end(&self.totals),
            Format::Junit => junit::END.to_owned(),
            Format::Github => github::end(&self.totals, self.view),
        };
        if let Some(mut spool) = self.spool.take() {
            host::print(&junit::begin(&self.totals))?;
            let failed = |error| Failure::file("reading", Path::new("a temporary file"), &error);
            spool.rewind().map_err(failed)?;
            let mut buffer = vec![0; 1 << 16];
            let mut pending = Vec::new();
            loop {
                let read = spool.read(&mut buffer).map_err(failed)?;
                pending.extend_from_slice(&buffer[..read]);
                // A character may lie across two reads.
                let whole = match std::str::from_utf8(&pending) {
                    Ok(text) => text.len(),
                    Err(error) => error.valid_up_to(),
                };
                let rest = pending.split_off(whole);
                host::print(&String::from_utf8_lossy(&pending))?;
                pending = rest;
                if read == 0 {
                    break;
                }
            }
            host::print(&end)?;
        } else {
            self.print(&end)?;
        }
        Ok(ExitCode::from(self.totals.code))
    }

    fn count(&mut self, one: &Totals) {
        let all = &mut self.totals;
        all.files += one.files;
        all.ok += one.ok;
        all.trusted += one.trusted;
        all.with_errors += one.with_errors;
        all.errors += one.errors;
        all.warnings += one.warnings;
        all.ignored += one.ignored;
        all.failed += one.failed;
        all.code = all.code.max(one.code);
    }

    fn separator(&self) -> &'static str {
        match self.view.format {
            Format::Json | Format::Sarif => ",\n",
            Format::Text | Format::Junit | Format::Github => "",
        }
    }

    fn print(&mut self, text: &str) -> Result<(), Failure> {
        let failed = |error| Failure::file("writing", Path::new("a temporary file"), &error);
        if !self.begun {
            self.begun = true;
            match self.view.format {
                Format::Json => host::print(json::BEGIN)?,
                Format::Sarif => host::print(&sarif::begin())?,
                Format::Junit => self.spool = Some(tempfile::tempfile().map_err(failed)?),
                Format::Text | Format::Github => {}
            }
        }
        match &mut self.spool {
            Some(spool) => spool.write_all(text.as_bytes()).map_err(failed),
            None if text.is_empty() => Ok(()),
            None => host::print(text),
        }
    }
}

/// `1 error`, `2 errors`
fn plural(number: usize, word: &str) -> String {
    format!("{number} {word}{}", if number == 1 { "" } else { "s" })
}
