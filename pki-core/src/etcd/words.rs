//! Splits and expands the words of a line in a unit file like systemd (systemd.syntax(7), systemd.service(5),
//! systemd.unit(5)).
//!
//! A crate for shell words does not help: systemd reads C escapes in both kinds of quotes, has no comments after a word,
//! and replaces `%` and `$` with its own rules.

/// A word. References that cannot be resolved from the available files are kept unchanged.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Word {
    pub(super) text: String,
    pub(super) unresolved: Vec<String>,
}

impl Word {
    pub(super) fn known(text: impl Into<String>) -> Self {
        Self { text: text.into(), unresolved: Vec::new() }
    }

    /// The text, unless something in it is unresolved.
    pub(super) fn resolved(&self) -> Option<&str> {
        self.unresolved.is_empty().then_some(self.text.as_str())
    }

    /// The parts before and after the first `separator`.
    pub(super) fn split_once(&self, separator: char) -> Option<(&str, Self)> {
        let (before, after) = self.text.split_once(separator)?;
        let unresolved = self.unresolved.iter().filter(|reference| after.contains(*reference));
        Some((before, Self { text: after.to_owned(), unresolved: unresolved.cloned().collect() }))
    }
}

/// How a backslash before a letter that is not a C escape is treated.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Escapes {
    /// It is kept, as in ExecStart=.
    Lenient,
    /// It makes the next letter literal, as in the value of a variable that is split.
    Quoting,
    /// It makes systemd ignore the rest of the line, as in Environment=.
    Strict,
}

/// The first word of a line and the rest, or `None` at the end of the line. The error is the reason why systemd ignores
/// the rest.
pub(super) fn first_word(
    line: &str,
    escapes: Escapes,
) -> Result<Option<(String, &str)>, &'static str> {
    let line = line.trim_start_matches(BLANKS);
    if line.is_empty() {
        return Ok(None);
    }
    // Bytes, because \xFF is a single byte, not a character.
    let mut word = Vec::new();
    let mut quote = None;
    let mut at = 0;
    while let Some(c) = line[at..].chars().next() {
        at += c.len_utf8();
        match (c, quote) {
            ('\\', _) => at += unescape(&line[at..], escapes, &mut word)?,
            (_, Some(open)) if c == open => quote = None,
            ('"' | '\'', None) => quote = Some(c),
            (_, None) if BLANKS.contains(&c) => break,
            _ => word.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    if quote.is_some() && escapes != Escapes::Quoting {
        return Err("unclosed quotation mark");
    }
    let word = String::from_utf8_lossy(&word).into_owned();
    Ok(Some((word, line[at..].trim_start_matches(BLANKS))))
}

const BLANKS: [char; 4] = [' ', '\t', '\n', '\r'];

/// Reads the text after a backslash, and returns the number of bytes read.
fn unescape(rest: &str, escapes: Escapes, word: &mut Vec<u8>) -> Result<usize, &'static str> {
    if let Some((bytes, read)) = c_escape(rest).filter(|_| escapes != Escapes::Quoting) {
        word.extend(bytes);
        return Ok(read);
    }
    match (escapes, rest.chars().next()) {
        (Escapes::Lenient | Escapes::Quoting, Some(c)) => {
            if escapes == Escapes::Lenient {
                word.push(b'\\');
            }
            word.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
            Ok(c.len_utf8())
        }
        (Escapes::Lenient, None) => {
            word.push(b'\\');
            Ok(0)
        }
        (Escapes::Quoting, None) => Ok(0),
        (Escapes::Strict, _) => Err("unknown escape sequence"),
    }
}

/// The value and the length of `\n`, `\x20`, `\040`, `\u00e9`, `\U0001f600`, and `\s` for a space.
fn c_escape(rest: &str) -> Option<(Vec<u8>, usize)> {
    let number = |from: usize, digits: usize, radix: u32| {
        let text = rest.get(from..from + digits)?;
        let all = text.chars().all(|c| c.is_digit(radix));
        u32::from_str_radix(text, radix).ok().filter(|value| all && *value != 0)
    };
    let character = |value: u32| Some(char::from_u32(value)?.to_string().into_bytes());
    let simple = match rest.chars().next()? {
        'a' => 7,
        'b' => 8,
        'f' => 12,
        'n' => b'\n',
        'r' => b'\r',
        't' => b'\t',
        'v' => 11,
        's' => b' ',
        c @ ('\\' | '"' | '\'') => u8::try_from(c).ok()?,
        'x' => return Some((vec![u8::try_from(number(1, 2, 16)?).ok()?], 3)),
        'u' => return Some((character(number(1, 4, 16)?)?, 5)),
        'U' => return Some((character(number(1, 8, 16)?)?, 9)),
        '0'..='7' => return Some((vec![u8::try_from(number(0, 3, 8)?).ok()?], 3)),
        _ => return None,
    };
    Some((vec![simple], 1))
}

/// Replaces the specifiers in a word of `etcd.service` like the system manager. Specifiers that depend on the machine are
/// kept as unresolved. The error is the reason why systemd ignores the word.
pub(super) fn expand_specifiers(text: &str) -> Result<Word, &'static str> {
    let mut word = Word::default();
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        let specifier = if c == '%' { rest.clone().next() } else { None };
        let Some(specifier) = specifier else {
            word.text.push(c);
            continue;
        };
        rest.next();
        match specifier {
            '%' => word.text.push('%'),
            'n' => word.text.push_str("etcd.service"),
            'N' | 'p' | 'P' | 'j' | 'J' => word.text.push_str("etcd"),
            'i' | 'I' => {}
            'E' => word.text.push_str("/etc"),
            'S' => word.text.push_str("/var/lib"),
            'C' => word.text.push_str("/var/cache"),
            'L' => word.text.push_str("/var/log"),
            'T' => word.text.push_str("/tmp"),
            'V' => word.text.push_str("/var/tmp"),
            't' => word.text.push_str("/run"),
            _ if MACHINE.contains(&specifier) => {
                let reference = format!("%{specifier}");
                word.text.push_str(&reference);
                word.unresolved.push(reference);
            }
            _ if specifier.is_ascii_alphanumeric() => {
                return Err("unknown specifier after a percent sign");
            }
            _ => word.text.extend(['%', specifier]),
        }
    }
    Ok(word)
}

/// The specifiers whose values depend on the machine, its user or its boot (systemd.unit(5)).
const MACHINE: [char; 27] = [
    'a', 'A', 'b', 'B', 'c', 'd', 'D', 'f', 'g', 'G', 'h', 'H', 'l', 'm', 'M', 'o', 'q', 'r', 'R',
    's', 'u', 'U', 'v', 'w', 'W', 'y', 'Y',
];

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str, escapes: Escapes) -> (Vec<String>, Option<&'static str>) {
        let (mut words, mut rest) = (Vec::new(), line);
        loop {
            match first_word(rest, escapes) {
                Ok(Some((word, behind))) => {
                    words.push(word);
                    rest = behind;
                }
                Ok(None) => return (words, None),
                Err(reason) => return (words, Some(reason)),
            }
        }
    }

    #[test]
    fn words_are_split_as_systemd_splits_them() {
        for (line, wanted) in [
            ("a  b\tc ", vec!["a", "b", "c"]),
            ("\"a b\" 'c d'", vec!["a b", "c d"]),
            ("A=\"b c\"d 'e'", vec!["A=b cd", "e"]),
            (r#"a\x20b "\t" '\'' \u00e9 \101"#, vec!["a b", "\t", "'", "é", "A"]),
            ("\"\"", vec![""]),
            ("#a ;b", vec!["#a", ";b"]),
        ] {
            assert_eq!(
                words(line, Escapes::Strict),
                (wanted.iter().map(ToString::to_string).collect(), None),
                "{line}"
            );
        }
        assert_eq!(words(r"a \q b", Escapes::Strict).0, ["a"]);
        assert_eq!(words(r"a \q b \", Escapes::Lenient).0, ["a", r"\q", "b", r"\"]);
        assert_eq!(words("a \"b c", Escapes::Lenient).0, ["a"]);
    }

    #[test]
    fn what_depends_on_the_machine_stays_unresolved() {
        let word = expand_specifiers("https://%H:2379/%%/%N/%-%").unwrap();
        assert_eq!(word.text, "https://%H:2379/%/etcd/%-%");
        assert!(expand_specifiers("%z").is_err());
        assert_eq!(word.unresolved, ["%H"]);
        assert_eq!(word.resolved(), None);
        let (before, after) =
            Word::known("--name=a=b").split_once('=').map(|(b, a)| (b.to_owned(), a)).unwrap();
        assert_eq!((before.as_str(), after.text.as_str()), ("--name", "a=b"));
    }
}
