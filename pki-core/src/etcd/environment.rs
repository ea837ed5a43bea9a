//! Reads environment files like systemd (systemd.exec(5), `EnvironmentFile=`).

/// The contents of an environment file.
#[derive(Debug, Default)]
pub(crate) struct EnvironmentFile {
    /// Names and values, in order. Of two equal names, the later one counts.
    pub(crate) variables: Vec<(String, String)>,
    /// Lines that systemd ignores although they look like assignments.
    pub(super) ignored: Vec<String>,
}

/// The state of the parser within a value.
#[derive(Clone, Copy)]
enum ParserState {
    /// Before the value, or after a quoted part of it.
    Open,
    Plain,
    Double,
    Single,
}

impl EnvironmentFile {
    pub(crate) fn read(text: &str) -> Self {
        let mut file = Self::default();
        let mut rest = text.chars().peekable();
        while let Some(c) = rest.next() {
            match c {
                '#' | ';' => skip_comment(&mut rest),
                _ if c.is_ascii_whitespace() => {}
                _ => {
                    let mut key = String::from(c);
                    let end = loop {
                        match rest.next() {
                            Some('=') => break '=',
                            Some('\n' | '\r') | None => break '\n',
                            Some(c) => key.push(c),
                        }
                    };
                    // systemd ignores a line without `=`.
                    if end == '=' {
                        let value = read_value(&mut rest);
                        file.add(key.trim_end(), value);
                    }
                }
            }
        }
        file
    }

    fn add(&mut self, name: &str, value: String) {
        if is_name(name) {
            self.variables.push((name.to_owned(), value));
        } else {
            self.ignored.push(name.to_owned());
        }
    }
}

/// A name that systemd accepts: letters, digits and underscores, not starting with a digit.
pub(super) fn is_name(name: &str) -> bool {
    !name.is_empty()
        && !name.starts_with(|c: char| c.is_ascii_digit())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// Reads to the end of the line. A backslash before it continues on the next line.
fn skip_comment(rest: &mut impl Iterator<Item = char>) {
    while let Some(c) = rest.next() {
        match c {
            '\\' => {
                rest.next();
            }
            '\n' | '\r' => return,
            _ => {}
        }
    }
}

fn read_value(rest: &mut impl Iterator<Item = char>) -> String {
    let mut value = String::new();
    // The length of the value without trailing spaces.
    let mut solid = 0;
    let mut place = ParserState::Open;
    while let Some(c) = rest.next() {
        match (place, c) {
            (ParserState::Open | ParserState::Plain, '\n' | '\r') => break,
            (ParserState::Open, '\'') => place = ParserState::Single,
            (ParserState::Open, '"') => place = ParserState::Double,
            (ParserState::Open, c) if c.is_ascii_whitespace() => {}
            (ParserState::Open | ParserState::Plain, '\\') => {
                place = ParserState::Plain;
                // A line break after a backslash joins two lines.
                if let Some(c) = rest.next().filter(|c| !matches!(c, '\n' | '\r')) {
                    value.push(c);
                }
                solid = value.len();
            }
            (ParserState::Open | ParserState::Plain, c) => {
                place = ParserState::Plain;
                value.push(c);
                if !c.is_ascii_whitespace() {
                    solid = value.len();
                }
            }
            (ParserState::Single, '\'') | (ParserState::Double, '"') => {
                place = ParserState::Open;
                solid = value.len();
            }
            (ParserState::Double, '\\') => match rest.next() {
                Some(c @ ('"' | '\\' | '`' | '$')) => value.push(c),
                Some('\n') | None => {}
                Some(c) => value.extend(['\\', c]),
            },
            (ParserState::Single | ParserState::Double, c) => value.push(c),
        }
    }
    if matches!(place, ParserState::Plain) {
        value.truncate(solid);
    }
    value
}

#[cfg(test)]
mod tests {
    use super::EnvironmentFile;

    #[test]
    fn values_are_read_as_systemd_reads_them() {
        let text = "# comment \\\nA=in-the-comment\n; too\n\n A = a b  \nB=\"a \\\"b\\\" \\n\"\nC='a\\nb'\n\
            D=a\\\nb\nE=\"x\"y'z'\nF=a\"b\"\nG=\"two\nlines\"\nno assignment\nexport H=1\n=x\nI=\nJ=last";
        let file = EnvironmentFile::read(text);
        let wanted = [
            ("A", "a b"),
            ("B", "a \"b\" \\n"),
            ("C", "a\\nb"),
            ("D", "ab"),
            ("E", "xy'z'"),
            ("F", "a\"b\""),
            ("G", "two\nlines"),
            ("I", ""),
            ("J", "last"),
        ];
        let found: Vec<_> =
            file.variables.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(found, wanted);
        assert_eq!(file.ignored, ["export H"]);
    }
}
