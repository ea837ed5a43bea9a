//! The script that puts the files of a host's folder in their places.

use std::fmt::Write as _;

use super::etcd::state_directory;
use super::parts::Parts;
use crate::layout::{APISERVER_CLIENT, FileKind, Owner, Role};
use crate::manifest::Manifest;

/// The functions of the script. What follows depends on the host.
const FUNCTIONS: &str = include_str!("install.sh");

/// Where systemd reads the units of the administrator (systemd.unit(5)).
const UNITS: &str = "/etc/systemd/system";

/// The script that installs the folder of one host.
pub(super) struct InstallScript<'a> {
    manifest: &'a Manifest,
    parts: &'a Parts<'a>,
}

/// Files with the same folder, owner and mode.
struct Group<'a> {
    folder: &'a str,
    owner: Owner,
    mode: u32,
    files: Vec<String>,
}

impl<'a> InstallScript<'a> {
    pub(super) const fn new(manifest: &'a Manifest, parts: &'a Parts<'a>) -> Self {
        Self { manifest, parts }
    }

    /// The script for the host of this name.
    pub(super) fn text(&self, host: &str) -> String {
        let groups = self.groups();
        let mut folders: Vec<&str> = groups.iter().map(|group| group.folder).collect();
        folders.dedup();
        let mut main = String::new();
        for group in &groups {
            let _ = writeln!(main, "need {}", group.files.join(" "));
        }
        if self.parts.member.is_some() {
            let _ =
                writeln!(main, "create_user {} {}", Owner::Etcd.user(), self.manifest.paths.data);
            for folder in self.data_folders() {
                let _ = writeln!(main, "make_folder {} {} 0700", word(folder), Owner::Etcd.user());
            }
        }
        for folder in &folders {
            let _ = writeln!(main, "make_folder {folder} root 0755");
            // A run that was killed leaves it behind.
            let _ = writeln!(main, "rm -rf \"$root{folder}/.etcdpki-new\"");
        }
        for Group { folder, owner, mode, files } in &groups {
            let owner = owner.user();
            let _ = writeln!(main, "stage {folder} {owner} {mode:04o} {}", files.join(" "));
        }
        for folder in &folders {
            let _ = writeln!(main, "put {folder}");
        }
        let cluster = &self.manifest.cluster;
        format!(
            "#!/bin/sh\n\
             # Installs the files of the host {host}, by etcdpki from the manifest of the cluster {cluster}.\n\
             {FUNCTIONS}{main}reload\n"
        )
    }

    /// The files of the host, ordered by their folder.
    fn groups(&self) -> Vec<Group<'a>> {
        let paths = &self.manifest.paths;
        let mut groups: Vec<Group<'a>> = Vec::new();
        let mut add = |folder: &'a str, kind: &FileKind| {
            let (owner, mode, name) = (kind.owner(), kind.mode(), kind.name().into_owned());
            let same = |group: &&mut Group<'_>| {
                (group.folder, group.owner, group.mode) == (folder, owner, mode)
            };
            match groups.iter_mut().find(same) {
                // The two folders of a host can be the same one.
                Some(group) if group.files.contains(&name) => {}
                Some(group) => group.files.push(name),
                None => groups.push(Group { folder, owner, mode, files: vec![name] }),
            }
        };
        if let Some(member) = self.parts.member {
            add(UNITS, &FileKind::EtcdUnit);
            for role in [member.server_role(), member.peer_role()] {
                add(&paths.etcd, &FileKind::Certificate(role.clone()));
                add(&paths.etcd, &FileKind::Key(role));
            }
            add(&paths.etcd, &FileKind::EtcdConfig);
            for kind in self.manifest.files_of_members() {
                add(&paths.etcd, &kind);
            }
        }
        for client in &self.parts.clients {
            let role = Role::Client(client.name.clone());
            add(&paths.etcd, &FileKind::Certificate(role.clone()));
            add(&paths.etcd, &FileKind::Key(role.clone()));
            for kind in client.formats.iter().flat_map(|format| format.files(&role)) {
                add(&paths.etcd, &kind);
            }
        }
        let in_etcd = self.parts.member.is_some() || !self.parts.clients.is_empty();
        if in_etcd {
            add(&paths.etcd, &FileKind::TrustedCas);
        }
        if self.parts.is_control_plane {
            let role = Role::Client(APISERVER_CLIENT.to_owned());
            add(&paths.kubernetes, &FileKind::TrustedCas);
            add(&paths.kubernetes, &FileKind::Certificate(role.clone()));
            add(&paths.kubernetes, &FileKind::Key(role));
            add(&paths.kubernetes, &FileKind::KubeadmConfig);
            add(&paths.kubernetes, &FileKind::EtcdctlEnv);
        } else if !self.parts.clients.is_empty() {
            add(&paths.etcd, &FileKind::EtcdctlEnv);
        }
        groups.sort_by_key(|group| group.folder);
        groups
    }

    /// The folders that etcd writes to and that systemd does not create.
    fn data_folders(&self) -> Vec<&'a str> {
        let data = self.manifest.paths.data.as_str();
        let wal = self.manifest.etcd_config.find("wal-dir");
        let folders = [Some(data).filter(|data| state_directory(data).is_none()), wal];
        folders.into_iter().flatten().collect()
    }
}

/// A word of the shell (POSIX.1-2024, Shell Command Language, section 2.2.2).
fn word(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}
