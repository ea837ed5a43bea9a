//! How members start: as a new cluster, or by joining a running one.

use std::collections::HashMap;

use crate::etcd::{EtcdSettings, EtcdVersion, FileLookup};
use crate::layout::{FileKind, below};
use crate::manifest::{ClusterState, Host, Manifest};

/// The configuration in the folder of a member.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::exhaustive_structs, reason = "callers write it as a literal")]
pub struct MemberFiles<'a> {
    /// The member.
    pub member: &'a str,
    /// Its unit.
    pub unit: Option<&'a str>,
    /// Its configuration file.
    pub config: Option<&'a str>,
}

/// How each member starts, by its name.
///
/// A wrong state is costly: if a member that should join starts as a new cluster, the others reject it for ever
/// (`cluster ID mismatch`), and if a member of a new cluster looks for a running one, it exits.
#[derive(Clone, Debug, Default)]
pub struct InitialStates(HashMap<String, ClusterState>);

impl InitialStates {
    /// Decides how every member of a manifest starts, from the configuration in the folders of all members.
    /// `known` are the members that had a certificate before.
    ///
    /// The manifest takes precedence, then the earlier decision. A member
    /// without a folder joins if the others have folders that do not list it, because it was added to
    /// the manifest later; and if it had a certificate before, because its machine was replaced.
    pub fn decide(manifest: &Manifest, held: &[MemberFiles<'_>], known: &[&str]) -> Self {
        let version = manifest.etcd_version;
        let settings: Vec<(&str, EtcdSettings)> = held
            .iter()
            .filter_map(|files| {
                Some((files.member, files.settings(&manifest.paths.etcd, version)?))
            })
            .collect();
        let states = manifest.etcd.iter().map(|member| {
            let own = settings.iter().find(|(name, _)| *name == member.name);
            let decided = own.and_then(|(_, settings)| settings.find("initial-cluster-state"));
            let state = member
                .initial_cluster_state
                .or_else(|| decided.and_then(ClusterState::from_value))
                .unwrap_or_else(|| {
                    let mut others = settings.iter().filter(|(name, _)| *name != member.name);
                    let joins = others.any(|(_, other)| !lists(other, member))
                        || (!settings.is_empty() && known.contains(&member.name.as_str()));
                    if joins { ClusterState::Existing } else { ClusterState::New }
                });
            (member.name.clone(), state)
        });
        Self(states.collect())
    }

    /// How a member starts: as a new cluster, unless it was decided otherwise.
    pub fn of(&self, member: &Host) -> ClusterState {
        let decided = self.0.get(&member.name).copied();
        decided.or(member.initial_cluster_state).unwrap_or(ClusterState::New)
    }
}

impl MemberFiles<'_> {
    /// The settings in the files; `None` without files. `folder` is their place on the host.
    pub(crate) fn settings(&self, folder: &str, version: EtcdVersion) -> Option<EtcdSettings> {
        let (unit, config) = (FileKind::EtcdUnit.name(), FileKind::EtcdConfig.name());
        match (self.unit, self.config) {
            (Some(text), _) => {
                let is_config = |path: &str| below(folder, path) == Some(&*config);
                let lookup = |path: &str| match self.config {
                    Some(text) if is_config(path) => FileLookup::Found(text),
                    _ => FileLookup::Unseen,
                };
                Some(EtcdSettings::from_unit(&unit, &[text], version, &lookup))
            }
            (None, Some(text)) => Some(EtcdSettings::from_yaml(&config, text, version)),
            (None, None) => None,
        }
    }
}

/// True if the configuration of a member names another among the members of the cluster, or finds them in
/// another way.
fn lists(settings: &EtcdSettings, member: &Host) -> bool {
    let listed = settings.list("initial-cluster");
    let mut names = listed.iter().filter_map(|entry| entry.split_once('='));
    listed.is_empty() || names.any(|(name, _)| name == member.name)
}
