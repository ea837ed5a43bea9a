//! Reads `etcd_config`: options of etcd by etcd's own names.

use super::Reader;
use crate::document::{Fields, Value};
use crate::error::Error;
use crate::etcd::{EtcdOption, EtcdVersion, OptionKind, Url};
use crate::manifest::model::EtcdConfig;
use crate::name::DnsName;
use crate::suggest;

/// Options that follow from other fields of the manifest, with those fields.
pub(super) const DECIDED: [(&str, &str); 18] = [
    ("advertise-client-urls", "\"ip\" and \"reached_by\" of the member"),
    ("cert-file", "\"paths\" and \"combined\""),
    ("client-cert-auth", "every member, which is always true"),
    ("data-dir", "\"paths\""),
    ("initial-advertise-peer-urls", "\"ip\" and \"reached_by\" of the member"),
    ("initial-cluster", "the list \"etcd\""),
    ("initial-cluster-state", "\"initial_cluster_state\" of the member"),
    ("initial-cluster-token", "\"cluster\""),
    ("key-file", "\"paths\" and \"combined\""),
    ("listen-client-urls", "\"ip\" of the member"),
    ("listen-peer-urls", "\"ip\" of the member"),
    ("name", "\"name\" of the member"),
    ("peer-cert-allowed-hostname", "\"cluster\""),
    ("peer-cert-file", "\"paths\" and \"combined\""),
    ("peer-client-cert-auth", "every member, which is always true"),
    ("peer-key-file", "\"paths\" and \"combined\""),
    ("peer-trusted-ca-file", "\"paths\""),
    ("trusted-ca-file", "\"paths\""),
];

impl Reader {
    pub(super) fn etcd_config(&mut self, top: &Fields<'_>, version: EtcdVersion) -> EtcdConfig {
        let Some(value) = top.find("etcd_config").cloned() else { return EtcdConfig::default() };
        let members = value.members();
        let members = self.take(&value, members).unwrap_or_default();
        let mut options = Vec::new();
        for (name, value) in members {
            let read = option(name, &value, version)
                .and_then(|option| Ok((option, self::value(option, &value)?)));
            options.extend(self.take(&value, read));
        }
        EtcdConfig { options }
    }
}

/// The option with this name. The release must have it, and no other field may determine it.
fn option(
    name: &str,
    value: &Value<'_>,
    version: EtcdVersion,
) -> Result<&'static EtcdOption, Error> {
    if let Some((_, field)) = DECIDED.iter().find(|(decided, _)| *decided == name) {
        return Err(value.invalid(format!("{name} follows from {field}")).hinted("remove it"));
    }
    let known = |option: &&EtcdOption| option.is_flag_in(version) || option.is_yaml_in(version);
    match EtcdOption::find(name) {
        // A unit cannot use both the generated file and another one.
        Some(option) if option.name == "config-file" => {
            Err(value.invalid("etcdpki writes this file").hinted("remove it"))
        }
        Some(option) if known(&option) => Ok(option),
        Some(_) => Err(value
            .invalid(format!("etcd {version} does not know the option {name}"))
            .hinted("correct etcd_version, or remove the option")),
        None => {
            let all = crate::etcd::etcd_options().filter(known).map(|option| option.name);
            let hint = match suggest::nearest(name, all) {
                Some(near) => format!("did you mean {near:?}?"),
                None => "write the long name of the flag, without the dashes".to_owned(),
            };
            Err(value.invalid(format!("etcd has no option {name:?}")).hinted(hint))
        }
    }
}

/// The value in the form of a flag.
fn value(option: &EtcdOption, value: &Value<'_>) -> Result<String, Error> {
    let text = match option.kind {
        OptionKind::Switch => value.boolean()?.to_string(),
        OptionKind::Number => value.integer()?.to_string(),
        OptionKind::Duration => {
            let text = value.string()?;
            if !is_go_duration(text) {
                return Err(value
                    .invalid("not a duration of Go")
                    .hinted("write 100ms, 5s, 1h30m; Go has no unit for a day"));
            }
            text.to_owned()
        }
        OptionKind::List | OptionKind::Urls => match value.list() {
            Ok(items) => {
                let items = items.iter().map(|item| item.string().map(str::to_owned));
                items.collect::<Result<Vec<_>, _>>()?.join(",")
            }
            Err(_) => value.string()?.to_owned(),
        },
        OptionKind::Text => {
            if value.list().is_ok() || value.members().is_ok() {
                value.string()?;
            }
            value.scalar()
        }
    };
    if text.trim().is_empty() {
        return Err(value.invalid("no value").hinted("write one, or remove the option"));
    }
    if text.chars().any(char::is_control) {
        return Err(value.invalid("a control character").hinted("write it on one line"));
    }
    if option.kind == OptionKind::Urls {
        let urls = text.split(',').map(Url::read);
        if urls.into_iter().any(|url| url.scheme.is_empty() || url.host.is_empty()) {
            return Err(value.invalid("not a list of URLs").hinted("write http://127.0.0.1:2381"));
        }
    }
    if option.name == "discovery-srv" {
        text.parse::<DnsName>().map_err(|error| value.located(error))?;
    }
    Ok(text)
}

/// True for a duration that Go's `time.ParseDuration` reads and etcd accepts, so not for a negative one.
fn is_go_duration(text: &str) -> bool {
    const UNITS: [&str; 6] = ["ns", "us", "µs", "ms", "s", "m"];
    let mut rest = text;
    while !rest.is_empty() {
        let number = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let (digits, behind) = rest.split_at(number);
        if digits.parse::<f64>().is_err() {
            return false;
        }
        let mut units = UNITS.iter().chain(&["h"]).filter(|unit| behind.starts_with(**unit));
        let Some(unit) = units.by_ref().max_by_key(|unit| unit.len()) else { return false };
        rest = &behind[unit.len()..];
    }
    !text.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_those_of_go() {
        for text in ["100ms", "5s", "1h30m", "1.5h", "10m", "2us", "3µs", "1ns"] {
            assert!(is_go_duration(text), "{text}");
        }
        for text in ["", "5", "1d", "1 h", "-5s", "s", "1.2.3s", "5ss", "1h 30m"] {
            assert!(!is_go_duration(text), "{text}");
        }
    }
}
