//! Reads the arguments of etcd like Go's package flag.

use super::options::{EtcdOption, OptionKind, nearest};
use super::url::Url;
use super::version::EtcdVersion;
use super::words::Word;

/// An argument of the command in a unit.
#[derive(Clone, Debug)]
pub(super) enum Argument {
    Word(Word),
    /// `$NAME` as a separate word with an unknown value, which can be any number of arguments.
    Unknown(String),
}

/// The flags of one etcd.
#[derive(Debug, Default)]
pub(super) struct Flags {
    /// In the order of the command line. Of two equal options, the later one counts.
    pub(super) values: Vec<(&'static EtcdOption, Word)>,
    /// Why etcd exits because of them.
    pub(super) refused: Vec<String>,
    /// References that can be any number of flags.
    pub(super) unknown: Vec<String>,
}

impl Flags {
    /// Reads the arguments after the program's name.
    pub(super) fn read(arguments: &[Argument], version: EtcdVersion) -> Self {
        let mut flags = Self::default();
        let mut rest = arguments.iter().peekable();
        while let Some(argument) = rest.next() {
            let word = match argument {
                Argument::Word(word) => word,
                Argument::Unknown(reference) => {
                    flags.unknown.push(reference.clone());
                    continue;
                }
            };
            let (flag, value) = match word.split_once('=') {
                Some((flag, value)) => (flag, Some(value)),
                None => (word.text.as_str(), None),
            };
            let name =
                match flag.strip_prefix('-').map(|flag| flag.strip_prefix('-').unwrap_or(flag)) {
                    Some(name) if !name.is_empty() && !name.starts_with('-') => name,
                    // Go stops at the first argument that is not a flag, and etcd accepts none.
                    _ => {
                        flags.refused.push(format!("{:?} is not a valid flag", word.text));
                        break;
                    }
                };
            let option = EtcdOption::find(name).filter(|option| option.is_flag_in(version));
            let Some(option) = option else {
                flags.refused.push(unknown_flag(name, version));
                // Go stops here, but the rest can have more such mistakes, which are reported too.
                if value.is_none() {
                    rest.next_if(|next| !is_flag(next));
                }
                continue;
            };
            let value = match (value, option.kind) {
                (Some(value), _) => value,
                (None, OptionKind::Switch) => Word::known("true"),
                (None, _) => match rest.next() {
                    Some(Argument::Word(word)) => word.clone(),
                    Some(Argument::Unknown(reference)) => {
                        Word { text: reference.clone(), unresolved: vec![reference.clone()] }
                    }
                    None => {
                        flags.refused.push(format!("flag needs an argument: --{name}"));
                        continue;
                    }
                },
            };
            flags.values.push((option, value));
        }
        flags
    }
}

fn is_flag(argument: &Argument) -> bool {
    matches!(argument, Argument::Word(word) if word.text.starts_with('-'))
}

fn unknown_flag(name: &str, version: EtcdVersion) -> String {
    let near = nearest(name, |option| option.is_flag_in(version));
    let hint = near.map(|near| format!("; did you mean --{}?", near.name)).unwrap_or_default();
    format!("etcd {version} has no flag --{name}{hint}")
}

/// The value of an option as etcd stores it, or why etcd exits because of it. `place` is its flag or variable.
pub(super) fn checked(option: &EtcdOption, value: &str, place: &str) -> Result<String, String> {
    let invalid = |reason: &str| format!("{place} is {value:?}: {reason}");
    match option.kind {
        OptionKind::Switch => {
            go_bool(value).map(|on| on.to_string()).ok_or_else(|| invalid("expected true or false"))
        }
        OptionKind::Number
            if !value.trim_start_matches('-').starts_with(|c: char| c.is_ascii_digit()) =>
        {
            Err(invalid("expected a number"))
        }
        OptionKind::Urls => match urls_refusal(option, value) {
            Some(reason) => Err(invalid(&reason)),
            None => Ok(value.to_owned()),
        },
        _ => Ok(value.to_owned()),
    }
}

/// Why etcd exits because of a list of URLs.
pub(super) fn urls_refusal(option: &EtcdOption, value: &str) -> Option<String> {
    // etcd treats an empty list as unset.
    let urls = value.split(',').filter(|_| !value.is_empty()).map(Url::read);
    let binds = option.name.starts_with("listen-");
    urls.into_iter().find_map(|url| match url.refusal() {
        Some(reason) => Some(reason.to_owned()),
        None if binds && !url.can_be_bound() => {
            Some(format!("expected IP in URL for binding ({})", url.text))
        }
        None => None,
    })
}

/// Go's strconv.ParseBool.
fn go_bool(value: &str) -> Option<bool> {
    match value {
        "1" | "t" | "T" | "TRUE" | "true" | "True" => Some(true),
        "0" | "f" | "F" | "FALSE" | "false" | "False" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Flags {
        let words = line.split(' ').map(|word| Argument::Word(Word::known(word)));
        Flags::read(&words.collect::<Vec<_>>(), EtcdVersion(3, 6, 0))
    }

    fn values(flags: &Flags) -> Vec<(&str, &str)> {
        flags.values.iter().map(|(option, word)| (option.name, word.text.as_str())).collect()
    }

    #[test]
    fn flags_are_read_as_go_reads_them() {
        let flags =
            read("--name=a=b -data-dir /d --client-cert-auth --auto-tls=false -key-file -x");
        assert_eq!(
            values(&flags),
            [
                ("name", "a=b"),
                ("data-dir", "/d"),
                ("client-cert-auth", "true"),
                ("auto-tls", "false"),
                ("key-file", "-x"),
            ]
        );
        assert_eq!(flags.refused, [""; 0]);
    }

    #[test]
    fn what_go_refuses_is_refused() {
        for (line, reason) in [
            ("--client-cert-auth false", "\"false\" is not a valid flag"),
            ("--name", "flag needs an argument: --name"),
            ("---name", "\"---name\" is not a valid flag"),
            ("--", "\"--\" is not a valid flag"),
            ("--client-crl", "etcd 3.6.0 has no flag --client-crl"),
        ] {
            assert!(read(line).refused[0].starts_with(reason), "{:?}", read(line).refused);
        }
        let two = read("--nonsense x --trusted-ca-files /ca.pem --name y");
        assert_eq!(two.refused.len(), 2, "{two:?}");
        assert!(two.refused[1].ends_with("did you mean --trusted-ca-file?"), "{two:?}");
        assert_eq!(values(&two), [("name", "y")]);
    }
}
