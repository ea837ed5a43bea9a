//! Finds the configuration of etcd among the files of a folder.

use crate::etcd::{EtcdSettings, EtcdVersion, FileLookup};
use crate::layout::below;

/// A file in a folder: its path, and its text if it may be configuration.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::exhaustive_structs, reason = "callers write it as a literal")]
pub struct FolderFile<'a> {
    /// `server.crt`, `issued/server.crt`
    pub path: &'a str,
    /// The text, unless the file is a certificate or a key.
    pub text: Option<&'a str>,
}

/// Where a folder is on its host.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Location<'l> {
    /// At this path.
    At(&'l str),
    /// Nowhere in particular.
    Unknown,
}

/// The configuration of etcd: its unit, otherwise its configuration file, its environment file, or the pod of the kubelet.
pub(crate) fn settings(
    files: &[FolderFile<'_>],
    version: EtcdVersion,
    location: Location<'_>,
) -> Option<EtcdSettings> {
    let texts = || files.iter().filter_map(|file| Some((file.path, file.text?)));
    let lookup = |path: &str| {
        let is_inside = match location {
            Location::At(folder) => below(folder, path).is_some(),
            Location::Unknown => true,
        };
        match texts().find(|(known, _)| base(known) == base(path)) {
            // Like the unit, its environment is a copy of a file in another folder: /etc/etcd.env, /etc/default/etcd.
            Some((_, text)) if is_inside || !is_yaml(path) => FileLookup::Found(text),
            None if is_inside && matches!(location, Location::At(_)) => FileLookup::Missing,
            _ => FileLookup::Unseen,
        }
    };
    if let Some((path, unit)) = texts().find(|(path, _)| base(path) == "etcd.service") {
        return Some(EtcdSettings::from_unit(base(path), &[unit], version, &lookup));
    }
    let is_config = |path: &str, text: &str| {
        ["etcd.conf.yaml", "etcd.conf.yml"].contains(&base(path))
            || text.lines().any(|line| line.starts_with("client-transport-security:"))
    };
    if let Some((path, text)) = texts().find(|(path, text)| is_yaml(path) && is_config(path, text))
    {
        return Some(EtcdSettings::from_yaml(base(path), text, version));
    }
    let of_pod = |(path, text)| EtcdSettings::from_pod(base(path), text, version);
    if let Some(settings) = texts().filter(|(path, _)| is_yaml(path)).find_map(of_pod) {
        return Some(settings);
    }
    let mut environments = texts().filter(|(path, _)| !is_yaml(path));
    environments.find_map(|(path, text)| EtcdSettings::from_environment(base(path), text, version))
}

fn is_yaml(path: &str) -> bool {
    matches!(path.rsplit('.').next(), Some("yaml" | "yml"))
}

/// The file name in a path.
pub(super) fn base(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Like the unit, an environment file in /etc was copied to the folder of the host.
    #[test]
    fn an_environment_file_elsewhere_is_found_by_its_name() {
        let unit = "[Service]\nEnvironmentFile=/etc/etcd.env\nExecStart=/usr/bin/etcd\n";
        let files = [("etcd.service", unit), ("etcd.env", "ETCD_CERT_FILE=/etc/etcd/a.pem\n")]
            .map(|(path, text)| FolderFile { path, text: Some(text) });
        let read = settings(&files, EtcdVersion(3, 5, 1), Location::At("/etc/etcd")).unwrap();
        assert_eq!(read.find("cert-file"), Some("/etc/etcd/a.pem"));
    }
}
