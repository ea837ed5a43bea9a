//! Two folders in which the same scripts run: with the real cfssl, and with links to etcdpki first in PATH.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::lab::{Lab, Run};
use crate::peers;

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Side {
    Ours,
    Theirs,
}

pub(super) struct Sides {
    lab: Lab,
}

impl Sides {
    /// Two empty folders, and the links that `etcdpki cfssl install` makes.
    pub(super) fn new() -> Self {
        let lab = Lab::new();
        for folder in ["ours", "theirs"] {
            std::fs::create_dir(lab.path(folder)).unwrap();
        }
        lab.ok(&["cfssl", "install", "bin"]);
        for program in ["cfssl", "cfssljson"] {
            let _ = peers::program(program);
        }
        Self { lab }
    }

    pub(super) fn folder(&self, side: Side) -> PathBuf {
        self.lab.path(match side {
            Side::Ours => "ours",
            Side::Theirs => "theirs",
        })
    }

    /// Writes the same file on both sides.
    pub(super) fn write(&self, name: &str, contents: &str) {
        for side in [Side::Ours, Side::Theirs] {
            std::fs::write(self.folder(side).join(name), contents).unwrap();
        }
    }

    /// Runs a script of bash; without its fault it ends with the first command that fails.
    pub(super) fn run(&self, side: Side, script: &str) -> Run {
        self.run_with(side, script, &[])
    }

    pub(super) fn run_with(&self, side: Side, script: &str, variables: &[(&str, &str)]) -> Run {
        let mut bash = Command::new("bash");
        let system = std::env::var("PATH").unwrap_or_default();
        let path = match side {
            Side::Ours => format!("{}:{system}", self.lab.path("bin").display()),
            Side::Theirs => system,
        };
        bash.args(["-c", &format!("set -e -o pipefail; umask 022; {script}")])
            .current_dir(self.folder(side))
            .env("PATH", path)
            .env_remove("ETCDPKI_STRICT")
            .envs(variables.iter().copied());
        bash.output().unwrap().into()
    }

    /// The files of a side that start with a prefix, and their modes.
    pub(super) fn files(&self, side: Side, prefix: &str) -> BTreeMap<String, u32> {
        let entries = std::fs::read_dir(self.folder(side)).unwrap().map(Result::unwrap);
        entries
            .map(|entry| {
                let mode = entry.metadata().unwrap().permissions().mode() & 0o777;
                (entry.file_name().into_string().unwrap(), mode)
            })
            .filter(|(name, _)| name.starts_with(prefix))
            .collect()
    }

    pub(super) fn has(&self, side: Side, name: &str) -> bool {
        self.folder(side).join(name).exists()
    }

    pub(super) fn read(&self, side: Side, name: impl AsRef<Path>) -> Vec<u8> {
        let path = self.folder(side).join(name);
        std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }
}
