//! Prints the outcomes to standard output.

use std::fs::File;
use std::io::{Read, Seek, Write};
use std::path::Path;
use std::process::ExitCode;

use super::form::{Head, View};
use super::render::Rendered;
use super::totals::Totals;
use crate::failure::Failure;
use crate::host;

/// Prints outcomes in order. The document begins with the first outcome, so that a run that fails before that prints
/// nothing.
pub(crate) struct Verdict<'a> {
    view: &'a View,
    totals: Totals,
    begun: bool,
    /// Whether an outcome was printed, so that the next one needs a separator.
    separate: bool,
    /// A file without a name, which keeps the outcomes of a format whose totals come first.
    spool: Option<File>,
}

impl<'a> Verdict<'a> {
    pub(crate) fn new(view: &'a View) -> Self {
        Self { view, totals: Totals::default(), begun: false, separate: false, spool: None }
    }

    /// Prints the next outcomes.
    pub(crate) fn add(&mut self, all: Vec<Rendered>) -> Result<(), Failure> {
        let form = self.view.format.form();
        let mut text = String::new();
        for rendered in all {
            match rendered {
                Rendered::Skipped(what) => self.totals.skip(what),
                Rendered::Verified { data, messages, totals } => {
                    self.totals.add(&totals);
                    if self.separate && !data.is_empty() {
                        text.push_str(form.separator());
                    }
                    self.separate |= !data.is_empty();
                    text.push_str(&data);
                    if !messages.is_empty() {
                        self.print(&std::mem::take(&mut text))?;
                        host::say(&messages);
                    }
                }
            }
        }
        self.print(&text)
    }

    /// Ends the document. The exit code is that of the worst outcome.
    pub(crate) fn finish(mut self) -> Result<ExitCode, Failure> {
        if self.totals.files == 0 {
            return Err(Failure::usage("there is no certificate to verify")
                .hinted("a folder is searched for *.pem, *.crt, *.cer and *.der; keys, requests, CRLs and CAs in it are skipped"));
        }
        let form = self.view.format.form();
        if let (Some(spool), Head::FromTotals(head)) = (self.spool.take(), form.head()) {
            host::print(&head(&self.totals))?;
            print_file(spool)?;
        }
        let end = form.end(&self.totals, self.view);
        self.print(&end)?;
        Ok(ExitCode::from(self.totals.code))
    }

    fn print(&mut self, text: &str) -> Result<(), Failure> {
        let failed = |error| Failure::file("writing", Path::new("a temporary file"), &error);
        if !self.begun {
            self.begun = true;
            match self.view.format.form().head() {
                Head::Known(head) => host::print(&head)?,
                Head::FromTotals(_) => self.spool = Some(tempfile::tempfile().map_err(failed)?),
            }
        }
        match &mut self.spool {
            Some(spool) => spool.write_all(text.as_bytes()).map_err(failed),
            None if text.is_empty() => Ok(()),
            None => host::print(text),
        }
    }
}

/// Prints a text file from its beginning, in pieces.
fn print_file(mut file: File) -> Result<(), Failure> {
    let failed = |error| Failure::file("reading", Path::new("a temporary file"), &error);
    file.rewind().map_err(failed)?;
    let mut buffer = vec![0; 1 << 16];
    let mut pending = Vec::new();
    loop {
        let read = file.read(&mut buffer).map_err(failed)?;
        pending.extend_from_slice(&buffer[..read]);
        // A character may be split between two reads.
        let whole = match std::str::from_utf8(&pending) {
            Ok(text) => text.len(),
            Err(error) => error.valid_up_to(),
        };
        let rest = pending.split_off(whole);
        host::print(&String::from_utf8_lossy(&pending))?;
        pending = rest;
        if read == 0 {
            return Ok(());
        }
    }
}
