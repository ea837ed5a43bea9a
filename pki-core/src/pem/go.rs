//! PEM as Go's encoding/pem reads it, and therefore etcd and the API server.
//!
//! Other readers accept more. So a file that they read can be one in which etcd does not find any PEM data.

use base64ct::{Base64, Encoding};
use zeroize::Zeroizing;

use super::{BEGIN, Content, DASHES, Section, read};

const END_LINE: &str = "\n-----END ";

/// The contents of every block that Go finds.
fn blocks(mut data: &[u8]) -> Vec<Zeroizing<Vec<u8>>> {
    let mut blocks = Vec::new();
    while let Some((block, rest)) = next(data) {
        blocks.push(block);
        data = rest;
    }
    blocks
}

/// The first block, and the data behind its END line. Go ignores what it cannot read, up to the next END line.
fn next(data: &[u8]) -> Option<(Zeroizing<Vec<u8>>, &[u8])> {
    let mut rest = data;
    loop {
        let end = find(rest, END_LINE.as_bytes())?;
        let behind = &rest[end + END_LINE.len()..];
        // The last BEGIN before the END, which must be at the beginning of a line.
        let begin = rest[..end].windows(BEGIN.len()).rposition(|octets| octets == BEGIN.as_bytes());
        let begins = begin.filter(|at| *at == 0 || rest[at - 1] == b'\n');
        let block = begins.and_then(|at| {
            let whole = &rest[at + BEGIN.len()..];
            block(whole, end - at - BEGIN.len())
        });
        if let Some((block, length)) = block {
            return Some((block, &behind[length..]));
        }
        rest = behind;
    }
}

/// The contents of a block, and the length of its END line behind the dashes and the word. `whole` begins behind the word
/// BEGIN; the END line is at `end`, counted from there.
fn block(whole: &[u8], end: usize) -> Option<(Zeroizing<Vec<u8>>, usize)> {
    let (label, mut at) = line(whole);
    let label = label.strip_suffix(DASHES.as_bytes())?;
    // Headers: lines with a colon.
    let mut has_headers = false;
    loop {
        let (text, length) = line(whole.get(at..).filter(|rest| !rest.is_empty())?);
        if !text.contains(&b':') {
            break;
        }
        has_headers = true;
        at += length;
    }
    // The line before END may be the BEGIN line or a header, whose line end is then that before END.
    if at > end + 1 || (has_headers && at > end) {
        return None;
    }
    let trailer = whole.get(end + END_LINE.len()..)?;
    let behind = trailer.strip_prefix(label)?.strip_prefix(DASHES.as_bytes())?;
    let (text, length) = line(behind);
    if !text.is_empty() {
        return None;
    }
    let mut der = Zeroizing::new(Vec::with_capacity(end.saturating_sub(at)));
    let body = whole.get(at..end).unwrap_or_default();
    der.extend(body.iter().filter(|octet| !matches!(octet, b' ' | b'\t' | b'\r' | b'\n')));
    let length_of_der = Base64::decode_in_place(&mut der).ok()?.len();
    der.truncate(length_of_der);
    Some((der, trailer.len() - behind.len() + length))
}

/// The first line without the blanks at its end, and its length with its line end.
fn line(data: &[u8]) -> (&[u8], usize) {
    let end = data.iter().position(|octet| *octet == b'\n');
    let text = &data[..end.unwrap_or(data.len())];
    let text = text.strip_suffix(b"\r").filter(|_| end.is_some()).unwrap_or(text);
    let blanks = text.iter().rev().take_while(|octet| matches!(octet, b' ' | b'\t')).count();
    (&text[..text.len() - blanks], end.map_or(data.len(), |end| end + 1))
}

fn find(data: &[u8], sought: &[u8]) -> Option<usize> {
    data.windows(sought.len()).position(|octets| octets == sought)
}

/// Why Go does not find a certificate or a key that this crate finds, or `None` if it finds them all. What cannot be read
/// at all is an error of [`read`].
pub(crate) fn fault(bytes: &[u8]) -> Option<String> {
    fault_in(bytes, &read(bytes).ok()?)
}

/// The same of the sections that were read from the bytes.
pub(crate) fn fault_in(bytes: &[u8], sections: &[Section]) -> Option<String> {
    lost(bytes, sections, |content| match content {
        Content::Certificate(der) => Some(der),
        Content::PrivateKey(der) => Some(der),
        _ => None,
    })
}

/// Why etcd before 3.6 does not find the CRL that this crate finds. Since 3.6, etcd reads no PEM.
pub(crate) fn crl_fault(bytes: &[u8]) -> Option<String> {
    crl_fault_in(bytes, &read(bytes).ok()?)
}

/// The same of the sections that were read from the bytes.
pub(crate) fn crl_fault_in(bytes: &[u8], sections: &[Section]) -> Option<String> {
    let is_crl = |section: &&Section| matches!(section.content, Content::Crl(_));
    let crl = sections.iter().find(is_crl)?;
    let fault = lost(bytes, sections, |content| match content {
        Content::Crl(der) => Some(der),
        _ => None,
    });
    // Go's ParseCRL: anything else is read as DER.
    let begins = bytes.starts_with(b"-----BEGIN X509 CRL");
    fault.or_else(|| (!begins).then(|| at(crl, "the file does not start with this line")))
}

/// Why Go does not find a block that is `sought`. Go finds a block in the plain form whatever is before it, so the bytes
/// are read again only if there is another form.
fn lost(
    bytes: &[u8],
    sections: &[Section],
    sought: impl Fn(&Content) -> Option<&[u8]>,
) -> Option<String> {
    if sections.iter().all(|section| section.is_plain) {
        return None;
    }
    let mut found = blocks(bytes).into_iter();
    let mut sections =
        sections.iter().filter_map(|section| Some((section, sought(&section.content)?)));
    let (section, _) = sections.find(|(_, der)| !found.any(|block| block.as_slice() == *der))?;
    Some(at(section, reason(bytes, section.line)))
}

fn at(section: &Section, reason: &str) -> String {
    format!("line {}, BEGIN {}: {reason}", section.line, section.content.label())
}

/// What is wrong with the block that begins in this line.
fn reason(bytes: &[u8], begin: usize) -> &'static str {
    let indented = |line: &&[u8]| line.starts_with(b" ") || line.starts_with(b"\t");
    let lines: Vec<&[u8]> = bytes.split(|octet| *octet == b'\n').skip(begin - 1).collect();
    let is_end =
        |line: &&[u8]| line.trim_ascii_start().starts_with(END_LINE.trim_ascii().as_bytes());
    let end = lines.iter().position(is_end);
    let body = lines.get(1..end.unwrap_or(lines.len())).unwrap_or_default();
    let begins = lines.first().is_some_and(indented_line);
    let ends = end.and_then(|at| lines.get(at)).is_some_and(indented_line);
    match (begins, ends) {
        (true, true) if body.iter().all(indented) => "the lines are indented",
        (true, true) => "the BEGIN line and the END line are indented",
        (true, false) => "the BEGIN line is indented",
        (false, true) => "the END line is indented",
        (false, false) if is_unpadded(body) => {
            "the padding (=) at the end of its base64 is missing"
        }
        (false, false) => "Go cannot read its lines",
    }
}

/// True for lines of base64 whose characters are not a multiple of four.
fn is_unpadded(lines: &[&[u8]]) -> bool {
    let octets = || lines.iter().copied().flatten().filter(|octet| !octet.is_ascii_whitespace());
    octets().all(|octet| octet.is_ascii_alphanumeric() || b"+/=".contains(octet))
        && octets().count() % 4 != 0
}

fn indented_line(line: &&[u8]) -> bool {
    line.first().is_some_and(u8::is_ascii_whitespace)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plain_block_is_found_whatever_is_before_it() {
        let block = |label: &str| format!("-----BEGIN {label}-----\nAAAA\n-----END {label}-----\n");
        let plain = "-----BEGIN CERTIFICATE-----\nAQID\nBAUG\n-----END CERTIFICATE-----\n";
        for before in [
            String::new(),
            "text\n".to_owned(),
            "text -----BEGIN CERTIFICATE-----\n".to_owned(),
            "-----BEGIN CERTIFICATE\n".to_owned(),
            "-----END CERTIFICATE-----\n".to_owned(),
            "-----END \n".to_owned(),
            block("CERTIFICATE"),
            block("X").replace("-----BEGIN", "  -----BEGIN"),
            block("X").replace("-----END", "\t-----END"),
            block("X").replace("AAAA", "K: v\n\nAAAA"),
            block("X").replace("AAAA\n", ""),
            block("X").replace("AAAA", "AAA"),
            block("X").replace('\n', " \n"),
        ] {
            for text in
                [format!("{before}{plain}"), format!("{before}{plain}").replace('\n', "\r\n")]
            {
                for text in [text.trim_end(), text.as_str()] {
                    let sections = read(text.as_bytes()).unwrap();
                    assert!(sections.last().unwrap().is_plain, "{text:?}");
                    let found = blocks(text.as_bytes());
                    assert!(found.iter().any(|block| ***block == [1, 2, 3, 4, 5, 6]), "{text:?}");
                }
            }
        }
    }

    #[test]
    fn a_block_that_go_does_not_find_is_not_plain() {
        let plain = "-----BEGIN CERTIFICATE-----\nAQIDBA==\n-----END CERTIFICATE-----\n";
        for (from, to) in [
            ("-----BEGIN", " -----BEGIN"),
            ("-----END", " -----END"),
            ("==", ""),
            ("AQ", "K: v\n\nAQ"),
            ("CERTIFICATE-----\nAQ", "CERTIFICATE-----\r \nAQ"),
        ] {
            let sections = read(plain.replacen(from, to, 1).as_bytes()).unwrap_or_default();
            assert!(sections.iter().all(|section| !section.is_plain), "{from:?} {to:?}");
        }
    }
}
