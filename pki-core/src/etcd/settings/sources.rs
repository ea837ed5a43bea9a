//! Reads settings from a unit with its environment and flags, or from a configuration file.

use std::collections::BTreeMap;

use super::{EtcdSettings, Extent, FileLookup, RemarkKind};
use crate::etcd::environment::EnvironmentFile;
use crate::etcd::expansion::expand;
use crate::etcd::flags::{Argument, Flags, checked};
use crate::etcd::options::{EtcdOption, nearest};
use crate::etcd::unit::{Command, Unit, Variables};
use crate::etcd::version::EtcdVersion;
use crate::etcd::words::Word;
use crate::etcd::yaml::{ConfigFile, UnknownKey};

impl EtcdSettings {
    /// The settings in a systemd unit. `texts` are the unit and its drop-ins, in the order of systemd, and `lookup` returns
    /// the files that the unit and its flags refer to.
    pub fn from_unit<'f>(
        file: &str,
        texts: &[&str],
        version: EtcdVersion,
        lookup: &dyn Fn(&str) -> FileLookup<'f>,
    ) -> Self {
        let unit = Unit::read(texts.iter().copied());
        let account = unit.account().cloned();
        let mut settings = Self { file: Some(file.to_owned()), account, ..Self::default() };
        if let Some(reason) = unit.refusal() {
            settings.remark(RemarkKind::Malformed, file, reason);
        }
        for reason in &unit.ignored {
            settings.remark(RemarkKind::Unreadable, file, format!("systemd ignores {reason}"));
        }
        let environment = settings.environment(file, &unit, lookup);
        let flags = match unit.commands.last() {
            Some(command) => settings.flags(file, command, &environment, version),
            None => Flags::default(),
        };
        let config_file =
            flags.values.iter().rev().find(|(option, _)| option.name == "config-file");
        let config_file = config_file
            .map(|(_, path)| path)
            .or_else(|| environment.get("ETCD_CONFIG_FILE").filter(|path| !path.text.is_empty()));
        if let Some(path) = config_file {
            return settings.read_config_file(path, &environment, &flags, version, lookup);
        }
        settings.add_environment(file, &environment, version);
        settings.add_flags(file, flags, &environment);
        settings
    }

    /// The settings in a configuration file.
    pub fn from_yaml(file: &str, text: &str, version: EtcdVersion) -> Self {
        let mut settings = Self { file: Some(file.to_owned()), ..Self::default() };
        let read = ConfigFile::read(text, version);
        for reason in read.refused {
            settings.remark(RemarkKind::Malformed, file, reason);
        }
        for key in read.unknown {
            settings.add_unknown_key(file, &key, version);
        }
        for (option, value) in read.values {
            settings.values.insert(option.name, Some(value.into()));
        }
        settings
    }

    /// The environment that the unit sets.
    fn environment<'f>(
        &mut self,
        file: &str,
        unit: &Unit,
        lookup: &dyn Fn(&str) -> FileLookup<'f>,
    ) -> BTreeMap<String, Word> {
        let mut environment: BTreeMap<String, Word> = unit.environment.iter().cloned().collect();
        for name in &unit.passed {
            let unresolved = vec!["PassEnvironment=".to_owned()];
            environment.insert(name.clone(), Word { text: String::new(), unresolved });
        }
        for named in &unit.environment_files {
            let found = named.path.resolved().map(|path| (path, lookup(path)));
            match found {
                Some((path, FileLookup::Found(text))) => {
                    let name = base(path);
                    let read = EnvironmentFile::read(text);
                    for ignored in &read.ignored {
                        let text = format!(
                            "systemd ignores {ignored:?}, which is not the name of a variable"
                        );
                        self.remark(RemarkKind::IgnoredVariable, name, text);
                    }
                    let variables = read.variables.into_iter();
                    environment.extend(variables.map(|(name, value)| (name, Word::known(value))));
                }
                Some((_, FileLookup::Missing)) if named.is_optional => {}
                Some((path, FileLookup::Missing)) => {
                    let text = format!("EnvironmentFile={path} does not exist");
                    self.remark(RemarkKind::Malformed, file, text);
                }
                Some((path, FileLookup::Unseen)) => {
                    self.extent = Extent::Partial;
                    let text = format!("EnvironmentFile={path} is not available here");
                    self.remark(RemarkKind::Unseen, file, text);
                }
                None => {
                    self.extent = Extent::Partial;
                    let text =
                        format!("EnvironmentFile={} depends on the machine", named.path.text);
                    self.remark(RemarkKind::Unreadable, file, text);
                }
            }
        }
        environment.retain(|name, value| {
            let assignment = format!("{name}={}", value.text);
            !unit.unset.iter().any(|unset| unset == name || *unset == assignment)
        });
        environment
    }

    /// The flags of the command, if it runs etcd directly.
    fn flags(
        &mut self,
        file: &str,
        command: &Command,
        environment: &BTreeMap<String, Word>,
        version: EtcdVersion,
    ) -> Flags {
        let program = &command.program.text;
        if base(program) != "etcd" || command.program.resolved().is_none() {
            self.extent = Extent::Partial;
            let text = format!("ExecStart= runs {program}, so the arguments of etcd are unknown");
            self.remark(RemarkKind::Unreadable, file, text);
            return Flags::default();
        }
        let arguments = command.arguments.iter();
        let arguments: Vec<Argument> = match command.variables {
            Variables::Literal => arguments.cloned().map(Argument::Word).collect(),
            Variables::Expanded => arguments.flat_map(|word| expand(word, environment)).collect(),
        };
        let flags = Flags::read(&arguments, version);
        for reference in &flags.unknown {
            self.extent = Extent::Partial;
            let text = format!("{reference} in ExecStart= is not set in any available file");
            self.remark(RemarkKind::Unreadable, file, text);
        }
        for reason in &flags.refused {
            self.remark(RemarkKind::Malformed, file, reason);
        }
        flags
    }

    /// With a configuration file, etcd ignores all other sources.
    fn read_config_file<'f>(
        mut self,
        path: &Word,
        environment: &BTreeMap<String, Word>,
        flags: &Flags,
        version: EtcdVersion,
        lookup: &dyn Fn(&str) -> FileLookup<'f>,
    ) -> Self {
        let unit = self.file.clone().unwrap_or_default();
        let variables = environment.keys().filter(|name| option_of(name, version).is_some());
        let variables = variables.filter(|name| *name != "ETCD_CONFIG_FILE").cloned();
        let others = flags.values.iter().filter(|(option, _)| option.name != "config-file");
        let others = others.map(|(option, _)| format!("--{}", option.name));
        for ignored in variables.chain(others) {
            let text = format!("etcd ignores {ignored}, because it has a configuration file");
            self.remark(RemarkKind::Clash, &unit, text);
        }
        let found = path.resolved().map(lookup);
        let mut settings = match found {
            Some(FileLookup::Found(text)) => Self::from_yaml(base(&path.text), text, version),
            Some(FileLookup::Missing) => {
                let text = format!("the configuration file {} does not exist", path.text);
                self.remark(RemarkKind::Malformed, &unit, text);
                Self { file: self.file.take(), extent: Extent::Partial, ..Self::default() }
            }
            Some(FileLookup::Unseen) | None => {
                let text = format!("the configuration file {} is not available here", path.text);
                self.remark(RemarkKind::Unseen, &unit, text);
                Self { file: self.file.take(), extent: Extent::Partial, ..Self::default() }
            }
        };
        self.remarks.append(&mut settings.remarks);
        let config_path = path.resolved().map(str::to_owned);
        Self { remarks: self.remarks, account: self.account, config_path, ..settings }
    }

    pub(super) fn add_environment(
        &mut self,
        file: &str,
        environment: &BTreeMap<String, Word>,
        version: EtcdVersion,
    ) {
        for (name, value) in environment {
            // etcd treats an empty variable as unset.
            if value.text.is_empty() && value.unresolved.is_empty() {
                continue;
            }
            match option_of(name, version) {
                Some(option) => self.add(file, option, value, name),
                None if name.starts_with("ETCD_") && !SPECIAL.contains(&name.as_str()) => {
                    self.add_unknown_variable(file, name, version);
                }
                None => {}
            }
        }
    }

    pub(super) fn add_flags(
        &mut self,
        file: &str,
        flags: Flags,
        environment: &BTreeMap<String, Word>,
    ) {
        for (option, value) in flags.values {
            let variable = option.variable();
            // Even an empty one, because etcd checks only the name.
            if environment.contains_key(&variable) {
                let text = format!("--{} and {variable} are both set", option.name);
                self.remark(RemarkKind::Clash, file, text);
            }
            self.add(file, option, &value, &format!("--{}", option.name));
        }
    }

    /// Sets an option; `place` is its flag or variable.
    fn add(&mut self, file: &str, option: &'static EtcdOption, value: &Word, place: &str) {
        let known = value.resolved().map(|value| checked(option, value, place));
        let value = match known {
            Some(Ok(value)) => Some(value),
            Some(Err(reason)) => {
                self.remark(RemarkKind::Malformed, file, reason);
                None
            }
            None => {
                let references = value.unresolved.join(", ");
                let text = format!(
                    "{place} depends on {references}, which is not set in any available file"
                );
                self.remark(RemarkKind::Unreadable, file, text);
                None
            }
        };
        self.values.insert(option.name, value.map(Into::into));
    }

    fn add_unknown_variable(&mut self, file: &str, name: &str, version: EtcdVersion) {
        let option = EtcdOption::find(&option_name(name));
        let near = nearest(&option_name(name), |option| option.is_flag_in(version));
        let (kind, text) = match (option, near) {
            (Some(option), _) => {
                let kind = if option.decides_access() {
                    RemarkKind::IgnoredVariable
                } else {
                    RemarkKind::Foreign
                };
                (
                    kind,
                    format!("etcd {version} has no option {}, so it ignores {name}", option.name),
                )
            }
            (None, Some(near)) => (
                RemarkKind::IgnoredVariable,
                format!("etcd ignores {name}; did you mean {}?", near.variable()),
            ),
            (None, None) => (RemarkKind::Foreign, format!("etcd ignores {name}")),
        };
        self.remark(kind, file, text);
    }

    fn add_unknown_key(&mut self, file: &str, key: &UnknownKey, version: EtcdVersion) {
        let path = &key.path;
        let (kind, text) = match (key.section, key.option) {
            (Some(section), _) => (
                RemarkKind::IgnoredKey,
                format!("etcd ignores {path} and all below it; did you mean {section}?"),
            ),
            (None, Some(option)) => {
                let is_mistyped = option.is_yaml_in(version);
                let kind = if is_mistyped || option.decides_access() {
                    RemarkKind::IgnoredKey
                } else {
                    RemarkKind::Foreign
                };
                let hint = match option.yaml_path().filter(|_| is_mistyped) {
                    Some(place) => format!("did you mean {place}?"),
                    None => format!(
                        "etcd {version} accepts {} only as a flag or a variable, if at all",
                        option.name
                    ),
                };
                (kind, format!("etcd ignores {path}; {hint}"))
            }
            (None, None) if path.contains('.') => {
                (RemarkKind::IgnoredKey, format!("etcd ignores {path}"))
            }
            (None, None) => (RemarkKind::Foreign, format!("etcd ignores {path}")),
        };
        self.remark(kind, file, text);
    }
}

/// Variables of etcd that are not options.
const SPECIAL: [&str; 2] = ["ETCD_UNSUPPORTED_ARCH", "ETCD_VERSION"];

/// `ETCD_CERT_FILE` -> `cert-file`
fn option_name(variable: &str) -> String {
    let name = variable.strip_prefix("ETCD_").unwrap_or(variable);
    name.to_lowercase().replace('_', "-")
}

/// The option that a variable sets.
fn option_of(variable: &str, version: EtcdVersion) -> Option<&'static EtcdOption> {
    variable.strip_prefix("ETCD_")?;
    let option = EtcdOption::find(&option_name(variable))?;
    let is_it = option.is_flag_in(version) && option.variable() == variable;
    (is_it && !SPECIAL.contains(&variable)).then_some(option)
}

/// The file name in a path.
fn base(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}
