//! Decides how the members start, from their folders and the inventory.

use std::ffi::OsString;
use std::path::Path;

use pki_core::{Bundles, ClusterState, FileKind, InitialStates, Manifest, MemberFiles, Traffic};
use serde::Serialize;

use crate::ca;
use crate::failure::Failure;
use crate::hosts;
use crate::inventory::Inventory;

/// The text of the files that configure a member.
struct Held {
    state: FolderState,
    unit: Option<String>,
    config: Option<String>,
}

/// Whether a member has a folder.
#[derive(Clone, Copy, PartialEq)]
enum FolderState {
    /// It is in its place.
    InPlace,
    /// It is missing, or beside its place after a killed run.
    Missing,
}

/// How the members start, and the commands that the running cluster needs before that.
#[derive(Default)]
pub(super) struct Decided {
    pub(super) states: InitialStates,
    /// Commands for the cluster, one for each member that it does not know yet, or knows at another address.
    pub(super) next: Vec<Next>,
    /// More members join than a cluster accepts at once.
    pub(super) warning: Option<String>,
}

/// A command for the user to run, because etcdpki does not connect to clusters to change them.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Next {
    pub(crate) host: String,
    pub(crate) why: String,
    pub(crate) command: String,
}

/// Decides how each member starts. `folder` is that of the CA.
pub(super) fn decide(manifest: &Manifest, folder: &Path) -> Result<Decided, Failure> {
    if !manifest.configuration {
        return Ok(Decided::default());
    }
    let all = folder.join(hosts::FOLDER);
    let unfinished = hosts::first_folders(&all)?;
    let mut held = Vec::new();
    for member in &manifest.etcd {
        let mut found = Held::read(&hosts::folder_of(&all, &member.name), FolderState::InPlace)?;
        if found.is_empty() {
            found.state = FolderState::Missing;
            // The decision of a killed run is kept: its certificates may already be in the inventory.
            if let Some(folder) = unfinished.get(&member.name) {
                found = Held::read(folder, FolderState::Missing)?;
            }
        }
        held.push(found);
    }
    let files: Vec<MemberFiles<'_>> = manifest
        .etcd
        .iter()
        .zip(&held)
        .map(|(member, held)| MemberFiles {
            member: &member.name,
            unit: held.unit.as_deref(),
            config: held.config.as_deref(),
        })
        .collect();
    let mut known = Vec::new();
    if held.iter().any(|held| held.state == FolderState::InPlace) {
        let traffic = manifest.cas.as_ref().map(|_| Traffic::Server);
        let inventory = Inventory::of(&ca::folder_of(folder, traffic));
        for (files, _) in
            files.iter().zip(&held).filter(|(_, held)| held.state == FolderState::Missing)
        {
            if inventory.has_issued_to_member(files.member)? {
                known.push(files.member);
            }
        }
    }
    let states = InitialStates::decide(manifest, &files, &known);
    let bundles = Bundles::new(manifest, states.clone());
    let mut next = Vec::new();
    for ((member, files), held) in manifest.etcd.iter().zip(&files).zip(&held) {
        let Some(url) = bundles.peer_url(member) else { continue };
        let name = &member.name;
        let joins =
            held.state == FolderState::Missing && states.of(member) == ClusterState::Existing;
        if joins && known.contains(&name.as_str()) {
            next.push(Next {
                host: name.clone(),
                why: "if the cluster still has the member that is replaced".to_owned(),
                command: format!(
                    "etcdctl member remove \"$(etcdctl member list | awk -F', ' '$3 == \"{name}\" {{print $1}}')\""
                ),
            });
        }
        if joins {
            next.push(Next {
                host: name.clone(),
                why: format!("before {name} starts"),
                command: format!("etcdctl member add {name} --peer-urls={url}"),
            });
        } else if held.state == FolderState::InPlace && bundles.is_moved(member, files) {
            next.push(Next {
                host: name.clone(),
                why: format!("before {name} restarts, if it has data already"),
                command: format!(
                    "etcdctl member update \"$(etcdctl member list | awk -F', ' '$3 == \"{name}\" {{print $1}}')\" --peer-urls={url}"
                ),
            });
        }
    }
    let joining = next.iter().filter(|next| next.command.starts_with("etcdctl member add"));
    let warning = (joining.count() > 1).then(|| {
        "several members join: add them to the manifest one after the other, because each must run before \
         etcd accepts the next"
            .to_owned()
    });
    Ok(Decided { states, next, warning })
}

impl Held {
    fn read(folder: &Path, state: FolderState) -> Result<Self, Failure> {
        let names = [FileKind::EtcdUnit, FileKind::EtcdConfig]
            .map(|kind| OsString::from(kind.name().into_owned()));
        let [unit, config] = hosts::read_some(folder, &names)?
            .map(|file| file.map(|file| String::from_utf8_lossy(&file.contents).into_owned()));
        Ok(Self { state, unit, config })
    }

    const fn is_empty(&self) -> bool {
        self.unit.is_none() && self.config.is_none()
    }
}
