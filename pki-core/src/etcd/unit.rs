//! Reads systemd service units: the parts that determine the arguments and the environment of the program
//! (systemd.service(5), systemd.exec(5)).

use super::environment::is_name;
use super::words::{Escapes, Word, expand_specifiers, first_word};

/// The contents of a unit and its drop-ins.
#[derive(Debug, Default)]
pub(super) struct Unit {
    /// The commands in ExecStart=; the first word of each is the program.
    pub(super) commands: Vec<Command>,
    /// Environment=, in order. Of two equal names, the later one counts.
    pub(super) environment: Vec<(String, Word)>,
    /// EnvironmentFile=, in order.
    pub(super) environment_files: Vec<EnvironmentPath>,
    /// Names that PassEnvironment= takes from the manager.
    pub(super) passed: Vec<String>,
    /// Names that UnsetEnvironment= removes.
    pub(super) unset: Vec<String>,
    /// Parts that systemd ignores, with the reason.
    pub(super) ignored: Vec<String>,
    account: UnitAccount,
    has_dynamic_user: bool,
    is_oneshot: bool,
}

/// The user and the groups of the program in a unit (systemd.exec(5), "Credentials"): names or numbers.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct UnitAccount {
    /// `User=`; without it, the program runs as root.
    pub user: Option<String>,
    /// `Group=`; without it, the group is that of the user.
    pub group: Option<String>,
    /// `SupplementaryGroups=`
    pub supplementary_groups: Vec<String>,
}

/// A command of ExecStart=.
#[derive(Debug)]
pub(super) struct Command {
    pub(super) program: Word,
    pub(super) arguments: Vec<Word>,
    pub(super) variables: Variables,
}

/// How `$NAME` and `${NAME}` in a command are treated.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Variables {
    Expanded,
    /// After the prefix `:`, they are not expanded.
    Literal,
}

/// A file in EnvironmentFile=.
#[derive(Debug)]
pub(super) struct EnvironmentPath {
    pub(super) path: Word,
    /// Whether the unit starts without it: the prefix `-`.
    pub(super) is_optional: bool,
}

impl Unit {
    /// Reads a unit and its drop-ins, in the order in which systemd reads them.
    pub(super) fn read<'t>(texts: impl IntoIterator<Item = &'t str>) -> Self {
        let mut unit = Self::default();
        for text in texts {
            let mut section = String::new();
            for line in logical_lines(text) {
                let line = line.trim();
                if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
                    name.clone_into(&mut section);
                } else if let Some((name, value)) = line.split_once('=')
                    && section == "Service"
                {
                    unit.assign(name.trim(), value.trim());
                }
            }
        }
        unit
    }

    /// Why systemd refuses to start the unit.
    pub(super) fn refusal(&self) -> Option<&'static str> {
        match self.commands.len() {
            0 => Some("the unit has no ExecStart="),
            1 => None,
            _ if self.is_oneshot => None,
            _ => Some("the unit has more than one ExecStart=, which needs Type=oneshot"),
        }
    }

    /// The user and the groups, unless systemd chooses them.
    pub(super) fn account(&self) -> Option<&UnitAccount> {
        (!self.has_dynamic_user).then_some(&self.account)
    }

    /// An empty value resets the previous assignments.
    fn assign(&mut self, name: &str, value: &str) {
        match (name, value) {
            ("DynamicUser", _) => {
                self.has_dynamic_user = matches!(value, "1" | "yes" | "y" | "true" | "t" | "on");
            }
            ("Environment", "") => self.environment.clear(),
            ("Environment", _) => {
                for word in self.words(name, value) {
                    self.add_variable(&word);
                }
            }
            ("EnvironmentFile", "") => self.environment_files.clear(),
            ("EnvironmentFile", _) => {
                let (path, is_optional) =
                    value.strip_prefix('-').map_or((value, false), |path| (path, true));
                match expand_specifiers(path) {
                    Ok(path) => self.environment_files.push(EnvironmentPath { path, is_optional }),
                    Err(reason) => self.ignored.push(format!("EnvironmentFile={value}: {reason}")),
                }
            }
            ("ExecStart", "") => self.commands.clear(),
            ("ExecStart", _) => self.add_commands(value),
            ("Group", _) => self.account.group = Self::account_name(value),
            ("PassEnvironment", "") => self.passed.clear(),
            ("PassEnvironment", _) => {
                let words = self.words(name, value);
                self.passed.extend(words);
            }
            ("UnsetEnvironment", "") => self.unset.clear(),
            ("UnsetEnvironment", _) => {
                let words = self.words(name, value);
                self.unset.extend(words);
            }
            ("User", _) => self.account.user = Self::account_name(value),
            ("SupplementaryGroups", "") => self.account.supplementary_groups.clear(),
            ("SupplementaryGroups", _) => {
                let words = self.words(name, value);
                self.account.supplementary_groups.extend(words);
            }
            ("Type", _) => self.is_oneshot = value == "oneshot",
            _ => {}
        }
    }

    /// A name of a user or group; `None` if the value is empty. A name that depends on the machine is left as it is, so that
    /// nobody has it.
    fn account_name(value: &str) -> Option<String> {
        let name = expand_specifiers(value).map(|word| word.text);
        let name = name.unwrap_or_else(|_| value.to_owned());
        Some(name).filter(|name| !name.is_empty())
    }

    /// The words of a value. If one is malformed, systemd ignores it and the rest of the line.
    fn words(&mut self, name: &str, value: &str) -> Vec<String> {
        let (mut words, mut rest) = (Vec::new(), value);
        loop {
            match first_word(rest, Escapes::Strict) {
                Ok(Some((word, behind))) => {
                    words.push(word);
                    rest = behind;
                }
                Ok(None) => return words,
                Err(reason) => {
                    self.ignored.push(format!("{name}=… {rest}: {reason}"));
                    return words;
                }
            }
        }
    }

    fn add_variable(&mut self, word: &str) {
        let assignment = expand_specifiers(word).and_then(|word| match word.split_once('=') {
            Some((name, value)) if is_name(name) => Ok((name.to_owned(), value)),
            _ => Err("not an assignment"),
        });
        match assignment {
            Ok(assignment) => self.environment.push(assignment),
            Err(reason) => self.ignored.push(format!("Environment={word}: {reason}")),
        }
    }

    /// One line can contain several commands, separated by ` ; `.
    fn add_commands(&mut self, line: &str) {
        let mut rest = line;
        while !rest.is_empty() {
            match Command::read(rest) {
                Ok((command, behind)) => {
                    self.commands.push(command);
                    rest = behind;
                }
                Err(reason) => {
                    self.ignored.push(format!("ExecStart={line}: {reason}"));
                    return;
                }
            }
        }
    }
}

impl Command {
    /// The first command of a line, and the rest.
    fn read(line: &str) -> Result<(Self, &str), &'static str> {
        let (program, mut rest) = first_word(line, Escapes::Lenient)?.unwrap_or_default();
        let path = program.trim_start_matches(['-', '@', ':', '+', '!']);
        let prefixes = &program[..program.len() - path.len()];
        let mut arguments = Vec::new();
        loop {
            if let Some(behind) = after_token(rest, ";") {
                rest = behind;
                break;
            }
            if let Some(behind) = after_token(rest, "\\;") {
                arguments.push(Word::known(";"));
                rest = behind;
                continue;
            }
            let Some((word, behind)) = first_word(rest, Escapes::Lenient)? else { break };
            arguments.push(expand_specifiers(&word)?);
            rest = behind;
        }
        // After `@`, the next word is the name that the program is called with, not an argument.
        if prefixes.contains('@') && !arguments.is_empty() {
            arguments.remove(0);
        }
        let variables =
            if prefixes.contains(':') { Variables::Literal } else { Variables::Expanded };
        Ok((Self { program: expand_specifiers(path)?, arguments, variables }, rest))
    }
}

/// The text after a token that is a separate word.
fn after_token<'l>(line: &'l str, token: &str) -> Option<&'l str> {
    let behind = line.strip_prefix(token)?;
    let is_word = behind.is_empty() || behind.starts_with([' ', '\t']);
    is_word.then(|| behind.trim_start())
}

/// The lines of a unit file without comments, including those between lines that a backslash joins.
fn logical_lines(text: &str) -> Vec<String> {
    let mut lines = Vec::new();
    let mut open: Option<String> = None;
    // For systemd, a single carriage return also ends a line.
    let text = text.replace("\r\n", "\n");
    for line in text.split(['\n', '\r']) {
        let trimmed = line.trim_start();
        if trimmed.starts_with(['#', ';']) {
            continue;
        }
        // Blanks at the beginning of a continued line can be within quotes.
        let mut whole = match open.take() {
            Some(open) => open + line,
            None => trimmed.to_owned(),
        };
        // With an odd number of backslashes at the end, the last one is not escaped.
        if (whole.len() - whole.trim_end_matches('\\').len()) % 2 == 1 {
            whole.pop();
            whole.push(' ');
            open = Some(whole);
        } else {
            lines.push(whole);
        }
    }
    lines.extend(open);
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(words: &[Word]) -> Vec<&str> {
        words.iter().map(|word| word.text.as_str()).collect()
    }

    fn variables(unit: &Unit) -> Vec<(&str, &str)> {
        let variables = unit.environment.iter();
        variables.map(|(name, value)| (name.as_str(), value.text.as_str())).collect()
    }

    #[test]
    fn commands_are_read_with_prefixes_quotes_and_separators() {
        let unit = Unit::read(["[Unit]\nExecStart=/not/this\n[Service]\nType=oneshot\n\
             ExecStart=-:@/usr/bin/etcd called --name=%n \\\n  # a comment\n  \"--data-dir=/a b\" \\; ; /bin/true\n"]);
        assert_eq!(unit.refusal(), None);
        let [etcd, after] = unit.commands.as_slice() else { panic!("{unit:?}") };
        assert_eq!(etcd.program.text, "/usr/bin/etcd");
        assert_eq!(etcd.variables, Variables::Literal);
        assert_eq!(texts(&etcd.arguments), ["--name=etcd.service", "--data-dir=/a b", ";"]);
        assert_eq!((after.program.text.as_str(), after.arguments.len()), ("/bin/true", 0));
    }

    #[test]
    fn drop_ins_add_and_take_back() {
        let unit = Unit::read([
            "[Service]\nEnvironment=A=1 \"B=2 3\"\nExecStart=/usr/bin/etcd\nEnvironmentFile=-/a\n",
            "[Service]\nEnvironment=A=4\nExecStart=\nExecStart=/usr/local/bin/etcd\n",
            "[Service]\nEnvironmentFile=\nEnvironmentFile=/b\n",
        ]);
        assert_eq!(variables(&unit), [("A", "1"), ("B", "2 3"), ("A", "4")]);
        assert_eq!(unit.commands.len(), 1);
        assert_eq!(unit.commands[0].program.text, "/usr/local/bin/etcd");
        assert_eq!(unit.environment_files.len(), 1);
        assert_eq!(unit.environment_files[0].path.text, "/b");
        assert!(!unit.environment_files[0].is_optional);
        assert_eq!(
            Unit::read(["[Service]\nExecStart=a\nExecStart=b\n"]).refusal().map(|r| &r[..20]),
            Some("the unit has more th")
        );
    }

    #[test]
    fn the_last_user_and_all_groups_count() {
        let unit = Unit::read([
            "[Unit]\nUser=no\n[Service]\nUser=root\nUser=etcd\nGroup=\nSupplementaryGroups=ssl-cert tls\n",
            "[Service]\nSupplementaryGroups=more\n",
        ]);
        let account = unit.account().unwrap();
        assert_eq!((account.user.as_deref(), account.group.as_deref()), (Some("etcd"), None));
        assert_eq!(account.supplementary_groups, ["ssl-cert", "tls", "more"]);
        let unit = Unit::read(["[Service]\nUser=etcd\nUser=\n"]);
        assert_eq!(unit.account(), Some(&UnitAccount::default()));
        assert_eq!(Unit::read(["[Service]\nUser=etcd\nDynamicUser=yes\n"]).account(), None);
    }

    #[test]
    fn a_malformed_word_takes_the_rest_of_its_line_along() {
        let unit = Unit::read(["[Service]\nEnvironment=A=1 B=\\q C=3\nEnvironment=9=x D=4\n"]);
        assert_eq!(variables(&unit), [("A", "1"), ("D", "4")]);
        assert_eq!(unit.ignored.len(), 2, "{unit:?}");
    }
}
