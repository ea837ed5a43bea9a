//! Quotes parts of the input in messages, without secrets, unbounded text and control characters.
//!
//! Users mix up files. A private key that is read as a manifest, or that is the value of a field, must not end
//! up in the log of a CI job because a message quotes it.

use std::borrow::Cow;

/// The maximum number of characters of a value in a message.
const SHOWN: usize = 60;

/// The maximum number of characters in a line of a message.
const LINE: usize = 8000;

/// A value for a message: in quotes, escaped and cut to about 60 characters. Text that may be a private key is
/// described instead of shown.
///
/// ```
/// use pki_core::quote;
///
/// assert_eq!(quote::value("etcdone"), "\"etcdone\"");
/// assert_eq!(quote::value(&"x".repeat(5_000_000)).len(), 60 + "\"…\" (5000000 characters)".len());
/// assert_eq!(quote::value("-----BEGIN PRIVATE KEY----- MC4CAQ"), "(a PEM private key)");
/// ```
pub fn value(text: &str) -> String {
    if let Some(secret) = secret(text) {
        return secret;
    }
    match text.char_indices().nth(SHOWN) {
        None => format!("{text:?}"),
        Some((end, _)) => {
            let (shown, length) = (text[..end].escape_debug(), text.chars().count());
            format!("\"{shown}…\" ({length} characters)")
        }
    }
}

/// The name of a file, a folder or a host for a message. Control characters are escaped, including line ends and
/// marks that change the text direction. Text that may be a private key is described instead of shown.
pub fn name(text: &str) -> String {
    secret(text).unwrap_or_else(|| cut(&steady(text)))
}

/// True for text that may be a private key, in PEM or in base64, with or without its line ends.
pub fn is_secret(text: &str) -> bool {
    secret(text).is_some()
}

/// A whole message that may contain parts of an input, as a second protection after [`value`] and [`name`].
/// Private keys in it are described instead of shown, control characters other than line ends are escaped, and no
/// line is longer than 8,000 characters.
pub fn sentence(text: &str) -> String {
    // If the text certainly contains a key, anything that may be the rest of it is treated as a key too.
    let is_certain = is_pem_key(text) || runs(text).any(is_random);
    let text = without_pem_keys(text);
    let mut clean = String::with_capacity(text.len());
    for run in runs(&text) {
        if is_random(run) || (is_certain && is_mixed(run)) {
            clean.push_str(&may_be_a_key(run.len()));
        } else {
            clean.push_str(run);
        }
    }
    clean.split('\n').map(|line| cut(&steady(line))).collect::<Vec<_>>().join("\n")
}

fn cut(line: &str) -> String {
    match line.char_indices().nth(LINE) {
        None => line.to_owned(),
        Some((end, _)) => format!("{}… ({} characters)", &line[..end], line.chars().count()),
    }
}

/// The text with control characters escaped.
fn steady(text: &str) -> Cow<'_, str> {
    let moves = |c: char| c.is_control() || is_direction(c);
    if !text.contains(moves) {
        return Cow::Borrowed(text);
    }
    let mut steady = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            c if is_direction(c) => steady.extend(c.escape_unicode()),
            c if c.is_control() => steady.extend(c.escape_default()),
            c => steady.push(c),
        }
    }
    Cow::Owned(steady)
}

/// The marks that change the direction of the text after them (Unicode Standard Annex 9).
const fn is_direction(c: char) -> bool {
    matches!(c, '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// A description of a text that may be a private key.
fn secret(text: &str) -> Option<String> {
    if is_pem_key(text) {
        return Some("(a PEM private key)".to_owned());
    }
    // A key whose line ends became spaces is still one run.
    let packed: Cow<'_, str> = if text.contains(char::is_whitespace) {
        Cow::Owned(text.split_whitespace().collect())
    } else {
        Cow::Borrowed(text)
    };
    runs(&packed).any(is_random).then(|| may_be_a_key(text.chars().count()))
}

fn may_be_a_key(length: usize) -> String {
    format!("({length} characters that may be a key)")
}

fn is_pem_key(text: &str) -> bool {
    text.contains("PRIVATE KEY-----")
}

/// The text with each PEM private key replaced by a description.
fn without_pem_keys(text: &str) -> Cow<'_, str> {
    const DASHES: &str = "-----";
    if !is_pem_key(text) {
        return Cow::Borrowed(text);
    }
    let mut clean = String::new();
    let mut rest = text;
    while let Some(label) = rest.find("PRIVATE KEY-----") {
        let begin = rest[..label].rfind(DASHES).unwrap_or(label);
        let behind_label = label + "PRIVATE KEY-----".len();
        let body = &rest[behind_label..];
        let end = body.find("-----END").map(|end| {
            let label = end + "-----END".len();
            let dashes = body[label..].find(DASHES).map_or(body.len(), |dashes| label + dashes + 5);
            behind_label + dashes
        });
        clean.push_str(&rest[..begin]);
        clean.push_str("(a PEM private key)");
        // Without an END line, everything that follows may belong to the key.
        rest = &rest[end.unwrap_or(rest.len())..];
    }
    clean.push_str(rest);
    Cow::Owned(clean)
}

/// Splits the text into runs of base64 characters and the text between them.
fn runs(text: &str) -> impl Iterator<Item = &str> {
    let is_base64 = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '=' | '-' | '_');
    let mut rest = text;
    std::iter::from_fn(move || {
        let first = rest.chars().next()?;
        let inside = is_base64(first);
        let end = rest.find(|c| is_base64(c) != inside).unwrap_or(rest.len());
        let (run, behind) = rest.split_at(end);
        rest = behind;
        Some(run)
    })
}

/// Whether the kinds of characters in a run alternate as in random text. Names, paths and words in camel case
/// do not: they have separators, or long sequences of one kind.
fn is_random(run: &str) -> bool {
    const fn kind(byte: u8) -> u8 {
        match byte {
            b'A'..=b'Z' => b'A',
            b'a'..=b'z' => b'a',
            _ => b'0',
        }
    }
    if run.len() < 24 || !is_mixed(run) {
        return false;
    }
    let letters: Vec<u8> = run.bytes().filter(u8::is_ascii_alphanumeric).map(kind).collect();
    let changes = letters.windows(2).filter(|pair| pair[0] != pair[1]).count();
    let separators = run.bytes().filter(|byte| b"/-_".contains(byte)).count();
    // One in 70 random base64 texts of 24 characters has no digit, one in 5,000 of 48 characters. In random text, 64
    // of 100 neighbours differ in kind; in the headers of DER, fewer do.
    (run.len() >= 48 || letters.contains(&b'0'))
        && separators * 9 <= run.len()
        && changes * 4 >= letters.len()
}

/// Whether a run may be a part of a key: it is long and has both cases.
fn is_mixed(run: &str) -> bool {
    run.len() >= 16
        && run.bytes().any(|byte| byte.is_ascii_uppercase())
        && run.bytes().any(|byte| byte.is_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::KeyAlgorithm;
    use crate::private_key::{KeyFormat, PrivateKey};

    /// Whether a text contains 16 consecutive characters of the key's base64.
    fn leaks(pem: &str, text: &str) -> bool {
        let lines: Vec<&str> = pem.lines().filter(|line| !line.starts_with('-')).collect();
        let base64 = lines.concat();
        (0..base64.len() - 16).any(|start| text.contains(&base64[start..start + 16]))
    }

    #[test]
    fn keys_are_named_and_not_shown() {
        for round in 0..400 {
            let algorithm = [
                KeyAlgorithm::EcdsaP256,
                KeyAlgorithm::EcdsaP384,
                KeyAlgorithm::EcdsaP521,
                KeyAlgorithm::Ed25519,
            ][round % 4];
            let key = PrivateKey::generate(algorithm).unwrap();
            let format = if round % 2 == 0 { KeyFormat::Pkcs8 } else { KeyFormat::Traditional };
            let pem = key.to_pem(format).unwrap();
            let base64: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
            let one_line = pem.replace('\n', " ");
            let line = pem.lines().nth(1).unwrap();
            for text in [
                pem.as_str(),
                &one_line,
                &pem.replace('\n', ""),
                &pem.replace('\n', "\\n"),
                &base64,
                line,
                &format!("key: {base64}"),
                &pem[..pem.len() / 2],
                &one_line[20..],
            ] {
                for shown in
                    [value(text), name(text), sentence(&format!("cluster {text:?}: no name"))]
                {
                    assert!(!leaks(&pem, &shown), "{text:?} became {shown:?}");
                }
                assert!(!leaks(&pem, &sentence(text)), "{text:?} became {:?}", sentence(text));
            }
        }
    }

    #[test]
    fn names_paths_and_numbers_are_shown() {
        for text in [
            "apiserver-etcd-client",
            "experimentalInitialCorruptCheck",
            "initialClusterStateOfTheFirstMember",
            "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
            "Node-01-Rack-12-Zone-A3-prod-eu-West",
            "/home/Alice1990/Projects/etcdpki/pki/hosts/etcdone.pem",
            "6c201723603d5d6e9d10dde0c2c4ea435d30e463",
            "0123456789ABCDEF0123456789ABCDEF01234567",
            "ip-10-0-0-1.eu-west-1.compute.internal",
            "9f1c2d3e-4b5a-6c7d-8e9f-0a1b2c3d4e5f",
            "2026-11-26T16:43:35.034997457Z",
            "/nix/store/0c9p5z2v4r1s7x8y6w3q2k1j0h9g8f7d-etcd-3.5.17",
        ] {
            assert_eq!(value(text), format!("{text:?}"));
            assert_eq!(name(text), text);
            let found = format!("field {text:?}: no such thing");
            assert_eq!(sentence(&found), found);
        }
    }

    #[test]
    fn what_a_terminal_obeys_is_escaped() {
        let text = "a\u{1b}[2Jb\nc\u{202e}d\u{7f}";
        assert_eq!(name(text), "a\\u{1b}[2Jb\\nc\\u{202e}d\\u{7f}");
        assert!(!value(text).contains(|c: char| c.is_control() || is_direction(c)));
    }

    #[test]
    fn nothing_is_without_bound() {
        let text = "ä€ x".repeat(1_000_000);
        assert!(value(&text).chars().count() < 100);
        assert!(name(&text).chars().count() < 8100);
        assert!(sentence(&text).chars().count() < 8100);
        assert_eq!(value(&"x".repeat(60)), format!("{:?}", "x".repeat(60)));
    }
}
