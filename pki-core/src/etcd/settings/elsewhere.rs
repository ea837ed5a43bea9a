//! Settings of an etcd without a unit: from a single environment file, or from a pod of the kubelet.

use std::collections::BTreeMap;

use super::EtcdSettings;
use crate::document::{Document, Value};
use crate::etcd::environment::EnvironmentFile;
use crate::etcd::flags::{Argument, Flags};
use crate::etcd::version::EtcdVersion;
use crate::etcd::words::Word;

impl EtcdSettings {
    /// The settings in an environment file, or `None` if it sets no etcd variable.
    pub fn from_environment(file: &str, text: &str, version: EtcdVersion) -> Option<Self> {
        let read = EnvironmentFile::read(text).variables.into_iter();
        let variables: BTreeMap<String, Word> =
            read.map(|(name, value)| (name, Word::known(value))).collect();
        if !variables.keys().any(|name| name.starts_with("ETCD_")) {
            return None;
        }
        let mut settings = Self { file: Some(file.to_owned()), ..Self::default() };
        settings.add_environment(file, &variables, version);
        Some(settings)
    }

    /// The settings in the command of a pod, as in kubeadm's `/etc/kubernetes/manifests/etcd.yaml`, or `None` if the file is
    /// not a pod that runs etcd.
    pub fn from_pod(file: &str, text: &str, version: EtcdVersion) -> Option<Self> {
        let document = Document::from_yaml(text.as_bytes()).ok()?;
        let containers = member(&member(&document.root(), "spec")?, "containers")?.list().ok()?;
        let words = containers.iter().find_map(|container| {
            let words = |name| {
                let words = member(container, name).and_then(|words| words.list().ok());
                words.unwrap_or_default().iter().map(Value::scalar).collect::<Vec<_>>()
            };
            let all = [words("command"), words("args")].concat();
            let is_etcd = all.first()?.rsplit('/').next() == Some("etcd");
            is_etcd.then_some(all)
        })?;
        let mut settings = Self { file: Some(file.to_owned()), ..Self::default() };
        let arguments = words.into_iter().skip(1).map(|word| Argument::Word(Word::known(word)));
        let flags = Flags::read(&arguments.collect::<Vec<_>>(), version);
        for reason in &flags.refused {
            settings.remark(super::RemarkKind::Malformed, file, reason);
        }
        settings.add_flags(file, flags, &BTreeMap::new());
        Some(settings)
    }
}

fn member<'a>(value: &Value<'a>, name: &str) -> Option<Value<'a>> {
    let members = value.members().ok()?.into_iter();
    members.into_iter().find(|(key, _)| *key == name).map(|(_, value)| value)
}
