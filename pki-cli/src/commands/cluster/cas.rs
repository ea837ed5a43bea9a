//! The CAs that a command works on, one after the other.

use std::path::{Path, PathBuf};

use clap::ValueEnum;
use pki_core::{Manifest, Traffic};

use super::{FolderArgs, read_manifest};
use crate::ca;
use crate::commands::Common;
use crate::failure::{Failure, Kind};

/// The values of `--ca`.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum SeparateCa {
    /// The CA of what members present to their clients
    Server,
    /// The CA of what members present to each other
    Peer,
    /// The CA of what clients present to members
    Client,
}

impl SeparateCa {
    /// What the CA issues.
    pub(crate) const fn traffic(self) -> Traffic {
        match self {
            Self::Server => Traffic::Server,
            Self::Peer => Traffic::Peer,
            Self::Client => Traffic::Client,
        }
    }
}

/// The folders of the CAs that a command works on: those of the cluster, or the one that `--dir` names. There is at least one.
pub(crate) struct CaFolders {
    /// The folder on the command line or in the manifest.
    folder: PathBuf,
    cas: Vec<PathBuf>,
}

impl FolderArgs {
    /// The CAs to work on: with separate CAs all of them, unless `--dir` names one.
    pub(crate) fn cas(&self, common: &Common) -> Result<CaFolders, Failure> {
        let Some(file) = &self.manifest else {
            let folder = common.folder();
            return Ok(CaFolders { cas: ca::folders_in(&folder)?, folder });
        };
        let manifest = read_manifest(file)?;
        Ok(CaFolders::of(&manifest, common.folder_of(file, &manifest)))
    }

    /// The folder of one CA. Refuses a cluster with separate CAs unless `--dir` names one of them.
    pub(crate) fn of_ca(&self, common: &Common) -> Result<PathBuf, Failure> {
        match &self.manifest {
            Some(_) => Ok(self.cas(common)?.only()?.to_owned()),
            None => Ok(common.folder()),
        }
    }
}

impl CaFolders {
    fn of(manifest: &Manifest, folder: PathBuf) -> Self {
        if manifest.cas.is_some() && ca::is_separate(&folder) {
            return Self { cas: vec![folder.clone()], folder };
        }
        Self { cas: ca::folders_of(manifest, &folder), folder }
    }

    /// Whether there are several.
    pub(crate) fn are_several(&self) -> bool {
        self.cas.len() > 1
    }

    /// The only CA. Refuses separate CAs, and names their folders.
    pub(crate) fn only(&self) -> Result<&Path, Failure> {
        match &self.cas[..] {
            [ca] => Ok(ca),
            cas => Err(ca::name_one(&self.folder, cas)),
        }
    }

    /// Those that `--ca` names.
    pub(crate) fn named(mut self, names: &[SeparateCa]) -> Result<Self, Failure> {
        for traffic in names.iter().map(|name| name.traffic()) {
            if self.iter().all(|ca| ca::traffic_of(ca) != Some(traffic)) {
                return Err(Failure::usage(format!(
                    "--ca {}: the cluster has no separate CAs, or --dir names another one",
                    traffic.as_str()
                ))
                .hinted("leave the name out"));
            }
        }
        let is_named =
            |ca: &PathBuf| names.iter().any(|name| ca::traffic_of(ca) == Some(name.traffic()));
        self.cas.retain(is_named);
        Ok(self)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Path> {
        self.cas.iter().map(PathBuf::as_path)
    }

    /// The name of a CA where there are several: `server`.
    pub(crate) fn name_of(&self, ca: &Path) -> Option<&'static str> {
        ca::traffic_of(ca).filter(|_| self.are_several()).map(Traffic::as_str)
    }

    /// Works on each CA, also if it fails for one of them. What failed is in the error, with the kind of the worst.
    pub(crate) fn each(
        &self,
        mut work: impl FnMut(&Path) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let mut failures = Vec::new();
        for ca in self.iter() {
            let Err(failure) = work(ca) else { continue };
            if matches!(failure.kind, Kind::Interrupted(_)) {
                return Err(failure);
            }
            failures.push((ca, failure));
        }
        // What is wrong with the command line is wrong for each of them.
        let is_same = |(_, other): &(&Path, Failure)| {
            other.message == failures[0].1.message && other.hint == failures[0].1.hint
        };
        if failures.len() == self.cas.len() && failures.iter().all(is_same) {
            return Err(failures.swap_remove(0).1);
        }
        let named = failures.into_iter().map(|(ca, failure)| match ca::traffic_of(ca) {
            traffic @ Some(_) if self.are_several() => failure.about(ca::name(traffic)),
            _ => failure,
        });
        match named.collect::<Vec<_>>() {
            failures if failures.is_empty() => Ok(()),
            failures => Err(Failure::joined(failures)),
        }
    }
}
