//! Passphrases and PINs, and where they come from: never from the command line, which every user of the machine can read.

use std::convert::Infallible;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use zeroize::Zeroizing;

use crate::failure::Failure;
use crate::{host, store};

/// The sources, for messages.
const SOURCES: &str = "file:PATH, fd:NUMBER, env:NAME or prompt";

/// A passphrase or a PIN. It is wiped from memory when it is dropped, and it can be neither cloned nor printed.
pub(crate) struct Passphrase(Zeroizing<Vec<u8>>);

impl Passphrase {
    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The text, for formats that are defined on characters. `what` names the secret.
    pub(crate) fn as_str(&self, what: &str) -> Result<&str, Failure> {
        std::str::from_utf8(&self.0).map_err(|_| {
            Failure::usage(format!("{what} is not UTF-8"))
                .hinted("programs do not agree on such passphrases; choose another one")
        })
    }
}

/// Where a passphrase or a PIN comes from.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum PassphraseSource {
    /// `file:PATH`: the first line of a file that only its owner can read, or of a pipe.
    File(PathBuf),
    /// `fd:NUMBER`: the first line of a file descriptor that the process inherited.
    Descriptor(u32),
    /// `env:NAME`: a variable of the environment.
    Variable(String),
    /// `prompt`: the person at the terminal, which does not show the answer.
    Terminal,
    /// Something else. The text is not kept, because it may be the passphrase itself.
    Unknown,
}

impl FromStr for PassphraseSource {
    type Err = Infallible;

    /// Never fails: an error of the command line would repeat the text, which may be the passphrase itself. Reading from
    /// [`PassphraseSource::Unknown`] fails.
    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(match text.split_once(':') {
            Some(("file", path)) if !path.is_empty() => Self::File(path.into()),
            Some(("fd", number)) => number.parse().map_or(Self::Unknown, Self::Descriptor),
            Some(("env", name)) if !name.is_empty() => Self::Variable(name.to_owned()),
            None if text == "prompt" => Self::Terminal,
            _ => Self::Unknown,
        })
    }
}

impl PassphraseSource {
    /// The variable that holds it, if one does.
    pub(crate) fn variable(&self) -> Option<&str> {
        match self {
            Self::Variable(name) => Some(name),
            _ => None,
        }
    }

    /// Reads a passphrase that exists. `what` names it: `the passphrase of pki/ca-key.pem`.
    pub(crate) fn read(&self, what: &str) -> Result<Passphrase, Failure> {
        self.answer(&format!("Enter {what}: "), what)
    }

    /// Reads a passphrase that is new: a person enters it twice.
    pub(crate) fn read_new(&self, what: &str) -> Result<Passphrase, Failure> {
        let first = self.answer(&format!("Enter {what}: "), what)?;
        if *self == Self::Terminal {
            let second = self.answer(&format!("Repeat {what}: "), what)?;
            if first.as_bytes() != second.as_bytes() {
                return Err(Failure::usage("the two passphrases are different")
                    .hinted("nothing was changed; run this again"));
            }
        }
        Ok(first)
    }

    fn answer(&self, question: &str, what: &str) -> Result<Passphrase, Failure> {
        let bytes = match self {
            Self::File(path) => read_file(path)?,
            Self::Descriptor(number) => store::read(Path::new(&format!("/proc/self/fd/{number}")))
                .map_err(|failure| {
                    failure.hinted(format!(
                        "open descriptor {number} for reading, as in {number}<FILE"
                    ))
                })?,
            Self::Variable(name) => host::variable(name).ok_or_else(|| {
                Failure::usage(format!("{what}: there is no variable {name} in the environment"))
                    .hinted(format!("export {name} with the passphrase"))
            })?,
            Self::Terminal => host::hidden_answer(question)?.ok_or_else(|| {
                Failure::environment(format!(
                    "{what} is needed, and there is no terminal to ask on"
                ))
                .hinted("give it with --ca-passphrase file:PATH, fd:NUMBER or env:NAME")
            })?,
            Self::Unknown => {
                return Err(Failure::usage(format!(
                    "{what}: the source of a passphrase must be {SOURCES} (the text that was given is not shown)"
                ))
                .hinted("write the passphrase to a file with mode 0600, then give file:PATH"));
            }
        };
        first_line(&bytes, what)
    }
}

/// A regular file must not be readable by others. A pipe, such as that of `<(…)`, has no other reader.
fn read_file(path: &Path) -> Result<Zeroizing<Vec<u8>>, Failure> {
    if std::fs::metadata(path).is_ok_and(|file| file.is_file()) {
        store::read_secret(path)
    } else {
        store::read(path)
    }
}

fn first_line(bytes: &[u8], what: &str) -> Result<Passphrase, Failure> {
    let line = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    if line.is_empty() {
        return Err(Failure::usage(format!("{what} is empty"))
            .hinted("write it on the first line of its source"));
    }
    if line.len() > host::LONGEST_SECRET {
        return Err(Failure::usage(format!(
            "{what} is longer than {} bytes",
            host::LONGEST_SECRET
        ))
        .hinted("is it the right file? OpenSSL does not read longer passphrases"));
    }
    let mut passphrase = Zeroizing::new(Vec::with_capacity(line.len()));
    passphrase.extend_from_slice(line);
    Ok(Passphrase(passphrase))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_are_read_and_nothing_else_is_kept() {
        for (text, source) in [
            ("file:/run/secret", PassphraseSource::File("/run/secret".into())),
            ("file:a:b", PassphraseSource::File("a:b".into())),
            ("fd:3", PassphraseSource::Descriptor(3)),
            ("env:CA_PASS", PassphraseSource::Variable("CA_PASS".to_owned())),
            ("prompt", PassphraseSource::Terminal),
        ] {
            assert_eq!(text.parse(), Ok(source));
        }
        for text in
            ["", "hunter2", "pass:hunter2", "file:", "fd:", "fd:-1", "fd:x", "env:", "PROMPT"]
        {
            assert_eq!(text.parse(), Ok(PassphraseSource::Unknown), "{text}");
        }
    }

    #[test]
    fn the_first_line_is_the_passphrase() {
        for (bytes, expected) in [
            (&b"secret"[..], &b"secret"[..]),
            (b"secret\n", b"secret"),
            (b"secret\r\nmore\n", b"secret"),
            (b" with spaces \n", b" with spaces "),
            (b"\xff\xfe\n", b"\xff\xfe"),
        ] {
            assert_eq!(first_line(bytes, "it").unwrap().as_bytes(), expected);
        }
        for bytes in [&b""[..], b"\n", b"\r\nx", &[b'x'; 1025]] {
            assert!(first_line(bytes, "it").is_err());
        }
    }
}
