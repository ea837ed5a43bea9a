//! Reads and writes PEM files.

mod armor;
mod content;
pub(crate) mod go;
mod plain;

use std::mem::take;
use std::ops::Range;

use rustls_pemfile::Item;
use zeroize::Zeroizing;

use self::armor::{BEGIN, DASHES, END, PUBLIC, decode};
use self::plain::PlainBlock;
use crate::error::Error;
use crate::quote;

pub use self::content::Content;

/// One block of a PEM file.
#[non_exhaustive]
pub struct Section {
    /// The contents of the block.
    pub content: Content,
    /// The number of its `-----BEGIN` line; the first line is 1.
    pub line: usize,
    /// True if its text has the form that every reader of PEM accepts, Go included.
    pub(crate) is_plain: bool,
}

/// True if the bytes contain at least one line that begins a PEM section.
pub fn is_pem(bytes: &[u8]) -> bool {
    let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    text.split(|b| *b == b'\n').any(|line| line.trim_ascii_start().starts_with(BEGIN.as_bytes()))
}

/// Reads every section of a PEM file. Text between the sections is ignored, as in every reader of PEM.
///
/// ```
/// use pki_core::{Content, read_pem};
///
/// let sections = read_pem(b"my key\n-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n")?;
/// assert!(matches!(&sections[0].content, Content::EncryptedKey(der) if ***der == [0, 0, 0]));
/// assert_eq!(sections[0].line, 2);
/// # Ok::<(), pki_core::Error>(())
/// ```
pub fn read(bytes: &[u8]) -> Result<Vec<Section>, Error> {
    // The text is not copied, because a copy would have to be wiped too.
    let lossy;
    let text = if let Ok(text) = std::str::from_utf8(bytes) {
        text
    } else {
        lossy = Zeroizing::new(String::from_utf8_lossy(bytes).into_owned());
        lossy.as_str()
    };
    if text.strip_prefix('\u{feff}').is_some_and(|rest| rest.starts_with(BEGIN)) {
        let first = text.trim_start_matches('\u{feff}');
        return Err(malformed(1, label_of(first), "a byte order mark (BOM) precedes it")
            .hinted("remove the mark: tail -c +4 FILE > NEW"));
    }
    let mut sections = Vec::new();
    let mut lines = Lines::new(text);
    loop {
        if let Some(PlainBlock { label, der, rest }) = PlainBlock::read(lines.rest) {
            let line = lines.number_at(lines.rest);
            sections.push(Section { content: decoded(label, der), line, is_plain: true });
            lines.rest = rest;
            continue;
        }
        let at = lines.rest;
        let Some((first, begin)) = lines.next() else { break };
        if !first.starts_with(BEGIN) {
            continue;
        }
        let line = lines.number_at(at);
        if let Some((label, _)) =
            first.strip_prefix(BEGIN).and_then(|rest| rest.split_once("-----\\n"))
        {
            // As in a string of JSON.
            return Err(malformed(line, label, "its line ends are written as \\n")
                .hinted("write real line ends: printf '%b' \"$(cat FILE)\" > NEW"));
        }
        let Some(label) = label(first) else { continue };
        // As in a variable of a CI system, or after `tr -d '\n'`.
        if label.contains(END) {
            return Err(malformed(line, label_of(first), "its line ends are missing").hinted(
                "the BEGIN line, the base64 and the END line must be separate lines; copy the file again",
            ));
        }
        let end = loop {
            match lines.next() {
                None => {
                    return Err(malformed(line, label, "its END line is missing")
                        .hinted("the file is incomplete; copy it again"));
                }
                Some((next, place)) if next.starts_with(DASHES) => {
                    if next.strip_prefix(END).and_then(|rest| rest.strip_suffix(DASHES))
                        == Some(label)
                    {
                        break place;
                    }
                    // Without its dashes, the line cannot be taken for a key.
                    let found = quote::value(next.trim_matches('-'));
                    let problem = format!("its END line is expected, but {found} is found");
                    return Err(malformed(line, label, &problem)
                        .hinted("the file is damaged; copy it again"));
                }
                Some(_) => {}
            }
        };
        let content = content(label, &Block { text, begin, end }, line)?;
        sections.push(Section { content, line, is_plain: false });
    }
    Ok(sections)
}

/// The lines of a text, without the blanks around them, and their places in the text.
struct Lines<'t> {
    text: &'t str,
    rest: &'t str,
    /// A place in the text, and the number of the line that begins there.
    known: (usize, usize),
}

impl<'t> Lines<'t> {
    const fn new(text: &'t str) -> Self {
        Self { text, rest: text, known: (0, 1) }
    }

    /// The number of the line with which `rest` begins. Lines are counted only for this, because most files have one block.
    fn number_at(&mut self, rest: &str) -> usize {
        let (counted, number) = self.known;
        let at = self.text.len() - rest.len();
        let ends = self.text[counted..at].matches('\n').count();
        self.known = (at, number + ends);
        self.known.1
    }
}

impl<'t> Iterator for Lines<'t> {
    type Item = (&'t str, Range<usize>);

    fn next(&mut self) -> Option<Self::Item> {
        let whole = self.rest.split_inclusive('\n').next()?;
        self.rest = &self.rest[whole.len()..];
        let start = self.text.len() - self.rest.len() - whole.trim_ascii_start().len();
        let line = whole.trim_ascii();
        Some((line, start..start + line.len()))
    }
}

/// The place of a block in its text: the BEGIN line and the END line, without the blanks around them.
struct Block<'t> {
    text: &'t str,
    begin: Range<usize>,
    end: Range<usize>,
}

impl<'t> Block<'t> {
    /// From the first dash to the last.
    fn whole(&self) -> &'t str {
        &self.text[self.begin.start..self.end.end]
    }

    /// What is between the two lines.
    fn body(&self) -> &'t str {
        &self.text[self.begin.end..self.end.start]
    }
}

/// The content of a section with this DER.
fn decoded(label: &str, mut der: Zeroizing<Vec<u8>>) -> Content {
    match label {
        "CERTIFICATE" => Content::Certificate(take(&mut *der)),
        "CERTIFICATE REQUEST" | "NEW CERTIFICATE REQUEST" => {
            Content::CertificateRequest(take(&mut *der))
        }
        "X509 CRL" => Content::Crl(take(&mut *der)),
        "PUBLIC KEY" => Content::PublicKey(take(&mut *der)),
        "EC PARAMETERS" => Content::EcParameters,
        "ENCRYPTED PRIVATE KEY" => Content::EncryptedKey(der),
        // cfssl writes PKCS#8 with a label of its own that only Go programs accept.
        "PRIVATE KEY" | "EC PRIVATE KEY" | "RSA PRIVATE KEY" | "Ed25519 PRIVATE KEY" => {
            Content::PrivateKey(der)
        }
        other => Content::Other(other.to_owned()),
    }
}

/// The label of a BEGIN line, whatever follows the label.
fn label_of(line: &str) -> &str {
    line.strip_prefix(BEGIN).and_then(|rest| rest.split(DASHES).next()).unwrap_or_default()
}

fn label(line: &str) -> Option<&str> {
    line.strip_prefix(BEGIN)?.strip_suffix(DASHES)
}

fn malformed(line: usize, label: &str, problem: &str) -> Error {
    Error::malformed("PEM", format!("line {line}, BEGIN {}: {problem}", quote::name(label)))
}

/// The content of a section in any other form.
fn content(label: &str, block: &Block<'_>, line: usize) -> Result<Content, Error> {
    let body = block.body();
    let is_key = label.ends_with("PRIVATE KEY");
    if is_key && label != "ENCRYPTED PRIVATE KEY" && body.contains("ENCRYPTED") {
        return Ok(Content::LegacyEncryptedKey);
    }
    let der = if PUBLIC.contains(&label) {
        lenient_der(label, block)
    } else {
        // Without its contents, the label says what it is.
        let content = decoded(label, Zeroizing::default());
        if !matches!(content, Content::EncryptedKey(_) | Content::PrivateKey(_)) {
            return Ok(content);
        }
        key(body)
    };
    der.map(|der| decoded(label, der)).ok_or_else(|| {
        malformed(line, label, "its lines are not base64")
            .hinted("the file is damaged; copy it again")
    })
}

/// The DER of a block without a secret, which may have blanks in it or lack padding.
fn lenient_der(label: &str, block: &Block<'_>) -> Option<Zeroizing<Vec<u8>>> {
    let (standard, body) = (label.trim_start_matches("NEW "), block.body());
    let rewritten;
    let section = if label == standard && body.starts_with(['\n', '\r']) && body.ends_with('\n') {
        block.whole()
    } else {
        // rustls-pemfile does not accept other labels or spaces around the two lines.
        rewritten = format!("{BEGIN}{standard}{DASHES}\n{body}\n{END}{standard}{DASHES}\n");
        rewritten.as_str()
    };
    let der = match rustls_pemfile::read_one_from_slice(section.as_bytes()).ok()?? {
        (Item::X509Certificate(der), _) => der.to_vec(),
        (Item::Csr(der), _) => der.to_vec(),
        (Item::Crl(der), _) => der.to_vec(),
        (Item::SubjectPublicKeyInfo(der), _) => der.to_vec(),
        _ => return None,
    };
    Some(Zeroizing::new(der))
}

/// The DER of a key, which may lack padding. rustls-pemfile would leave its base64 in memory.
fn key(body: &str) -> Option<Zeroizing<Vec<u8>>> {
    let digits = body.split_ascii_whitespace().map(str::len).sum::<usize>();
    let padding: &[u8] = match digits % 4 {
        2 => b"==",
        3 => b"=",
        _ => b"",
    };
    let parts = body.split_ascii_whitespace().map(str::as_bytes);
    decode(digits + padding.len(), parts.chain([padding]))
}

/// Writes one block with 64 columns and LF.
///
/// The buffer is filled in place and zeroized on drop, so that no copy of a key stays in memory.
pub(crate) fn write(label: &str, der: &[u8]) -> Result<Zeroizing<String>, Error> {
    pem_rfc7468::encode_string(label, pem_rfc7468::LineEnding::LF, der)
        .map(Zeroizing::new)
        .map_err(|error| Error::Internal(format!("cannot write PEM {label}: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn only(text: &str) -> Content {
        let mut sections = read(text.as_bytes()).unwrap();
        assert_eq!(sections.len(), 1, "{text}");
        sections.remove(0).content
    }

    #[test]
    fn text_around_sections_and_crlf_are_skipped() {
        let text = "Certificate:\r\n  Data:\r\n-----BEGIN CERTIFICATE-----\r\nAAAA\r\n-----END CERTIFICATE-----\r\nbye\r\n";
        assert!(matches!(only(text), Content::Certificate(der) if der == [0, 0, 0]));
    }

    #[test]
    fn spaces_around_lines_do_no_harm() {
        for text in [
            "  -----BEGIN CERTIFICATE-----\n  AAAA\n  -----END CERTIFICATE-----\n",
            "-----BEGIN CERTIFICATE-----\t \r\nAAAA \r\n\r\n-----END CERTIFICATE-----\t\r\n",
            "-----BEGIN CERTIFICATE-----\nAA\n AA\n-----END CERTIFICATE-----",
        ] {
            assert!(
                matches!(only(text), Content::Certificate(der) if der == [0, 0, 0]),
                "{text:?}"
            );
        }
    }

    #[test]
    fn a_label_of_cfssl_is_read_as_the_one_that_it_stands_for() {
        let text = "-----BEGIN Ed25519 PRIVATE KEY-----\nAAAA\n-----END Ed25519 PRIVATE KEY-----\n";
        assert!(matches!(only(text), Content::PrivateKey(der) if *der == [0, 0, 0]));
    }

    #[test]
    fn encrypted_keys_are_told_apart() {
        let pkcs8 =
            "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n";
        let legacy = "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\nAAAA\n-----END RSA PRIVATE KEY-----\n";
        assert!(matches!(only(pkcs8), Content::EncryptedKey(der) if *der == [0, 0, 0]));
        assert!(matches!(only(legacy), Content::LegacyEncryptedKey));
    }

    #[test]
    fn damage_names_its_line() {
        for (text, wanted) in [
            ("\n-----BEGIN CERTIFICATE-----\nAAAA\n", "line 2"),
            ("-----BEGIN CERTIFICATE-----\n!!\n-----END CERTIFICATE-----\n", "base64"),
            ("-----BEGIN CERTIFICATE-----\n-----BEGIN X509 CRL-----\n", "expected"),
        ] {
            let error = read(text.as_bytes()).map(|_| ()).unwrap_err().to_string();
            assert!(error.contains(wanted), "{error}");
        }
        assert!(read(b"\xff\xfe no pem at all").unwrap().is_empty());
    }
}
