//! Reads etcd's configuration file like Go's YAML and JSON packages with etcd's structures.

use super::options::{CLIENT_SECTION, EtcdOption, OptionKind, PEER_SECTION, YamlKey};
use super::version::EtcdVersion;
use crate::document::{Document, Value};
use crate::error::Error;
use crate::suggest;

/// The contents of a configuration file.
#[derive(Debug, Default)]
pub(super) struct ConfigFile {
    pub(super) values: Vec<(&'static EtcdOption, String)>,
    /// Why etcd exits because of it.
    pub(super) refused: Vec<String>,
    /// Keys that etcd ignores: the path, and the option with a similar name or with the same name in another place.
    pub(super) unknown: Vec<UnknownKey>,
}

/// A key that this version of etcd ignores.
#[derive(Debug)]
pub(super) struct UnknownKey {
    pub(super) path: String,
    pub(super) option: Option<&'static EtcdOption>,
    /// A whole section.
    pub(super) section: Option<&'static str>,
}

/// The sections whose keys are not options, with the first release that has them.
const OTHER_SECTIONS: [(&str, EtcdVersion); 2] =
    [("discovery-config", EtcdVersion(3, 6, 0)), ("socket-options", EtcdVersion(3, 5, 0))];

impl ConfigFile {
    pub(super) fn read(text: &str, version: EtcdVersion) -> Self {
        let mut file = Self::default();
        // etcd accepts an empty file.
        if text.lines().all(|line| line.trim().is_empty() || line.trim_start().starts_with('#')) {
            return file;
        }
        let document = Document::from_yaml(text.as_bytes());
        let members = document
            .as_ref()
            .map_err(ToString::to_string)
            .and_then(|document| document.root().members().map_err(|error| error.to_string()));
        match members {
            Ok(members) => {
                for (key, value) in members {
                    file.add(key, &value, version);
                }
            }
            Err(error) => file.refused.push(error),
        }
        file
    }

    fn add(&mut self, key: &str, value: &Value<'_>, version: EtcdVersion) {
        let is = |name: &str| name.eq_ignore_ascii_case(key);
        for section in [CLIENT_SECTION, PEER_SECTION] {
            if is(section) {
                return self.add_section(section, value, version);
            }
        }
        if OTHER_SECTIONS.iter().any(|(name, since)| is(name) && version >= *since) {
            return;
        }
        let option = super::etcd_options().find(|option| is(option.name));
        match option {
            Some(option) if option.yaml == YamlKey::Top && option.is_yaml_in(version) => {
                self.add_value(option, value, version);
            }
            _ => {
                let sections = [CLIENT_SECTION, PEER_SECTION];
                let section = suggest::nearest(key, sections).filter(|_| option.is_none());
                let known =
                    |option: &EtcdOption| option.yaml == YamlKey::Top && option.is_yaml_in(version);
                let option = option.or_else(|| super::options::nearest(key, known));
                self.unknown.push(UnknownKey { path: key.to_owned(), option, section });
            }
        }
    }

    fn add_section(&mut self, section: &'static str, value: &Value<'_>, version: EtcdVersion) {
        let members = match value.members() {
            Ok(members) => members,
            Err(_) if value.is_null() => return,
            Err(error) => return self.refused.push(error.to_string()),
        };
        let key_of = |option: &EtcdOption| match (section, option.yaml) {
            (CLIENT_SECTION, YamlKey::Client(key)) | (PEER_SECTION, YamlKey::Peer(key)) => {
                Some(key)
            }
            _ => None,
        };
        for (key, value) in members {
            let option = super::etcd_options()
                .find(|option| key_of(option).is_some_and(|name| name.eq_ignore_ascii_case(key)));
            if let Some(option) = option.filter(|option| option.is_yaml_in(version)) {
                self.add_value(option, &value, version);
                continue;
            }
            // A flag without a key in the file, such as peer-crl-file.
            let side = section.split('-').next().unwrap_or_default();
            let flag = EtcdOption::find(&format!("{side}-{key}"));
            let keys = super::etcd_options().filter(|option| option.is_yaml_in(version));
            let near = suggest::nearest(key, keys.filter_map(key_of))
                .and_then(|near| super::etcd_options().find(|option| key_of(option) == Some(near)));
            let (path, option) = (format!("{section}.{key}"), option.or(flag).or(near));
            self.unknown.push(UnknownKey { path, option, section: None });
        }
    }

    fn add_value(&mut self, option: &'static EtcdOption, value: &Value<'_>, version: EtcdVersion) {
        match text_of(option, value, version) {
            Ok(Some(text)) => self.values.push((option, text)),
            Ok(None) => {}
            Err(error) => self.refused.push(error.to_string()),
        }
    }
}

/// A value in the form of a flag, or `None` for `null`, which means unset.
fn text_of(
    option: &EtcdOption,
    value: &Value<'_>,
    version: EtcdVersion,
) -> Result<Option<String>, Error> {
    if value.is_null() {
        return Ok(None);
    }
    // The first release with the allow lists in this file had only a single name in each (etcd-io/etcd#18063).
    let had_one = version == EtcdVersion(3, 5, 14) && option.yaml != YamlKey::Top;
    let text = match option.kind {
        OptionKind::List if !had_one => value.parsed_list(|item| Ok(item.to_owned()))?.join(","),
        OptionKind::Number => value.number()?,
        OptionKind::Duration => value.scalar(),
        OptionKind::Switch => match value.string() {
            // YAML 1.1, which Go's package reads, has more spellings of booleans.
            Ok("y" | "Y" | "yes" | "Yes" | "YES" | "on" | "On" | "ON") => "true".to_owned(),
            Ok("n" | "N" | "no" | "No" | "NO" | "off" | "Off" | "OFF") => "false".to_owned(),
            _ => value.boolean()?.to_string(),
        },
        OptionKind::List | OptionKind::Text => value.string()?.to_owned(),
        OptionKind::Urls => {
            let text = value.string()?;
            match super::flags::urls_refusal(option, text) {
                Some(reason) => return Err(value.invalid(reason)),
                None => text.to_owned(),
            }
        }
    };
    Ok(Some(text))
}
