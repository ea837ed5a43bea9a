//! A separate folder for each test, and `etcdpki` running in it.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

use crate::peers;

pub(crate) struct Lab {
    folder: TempDir,
}

/// The result of a run of `etcdpki`.
#[derive(Debug)]
#[must_use]
pub(crate) struct Run {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Lab {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    /// A lab with a CA in `pki`, created with these options.
    pub(crate) fn with_ca(options: &[&str]) -> Self {
        let lab = Self::new();
        lab.ok(&[&["init-ca"], options].concat());
        lab
    }

    /// Creates an intermediate CA in `pki`, under the root in `root`.
    pub(crate) fn make_intermediate_ca(&self) {
        self.ok(&["--dir", "root", "init-ca", "--cn", "root", "--path-len", "1"]);
        self.ok(&["init-ca", "--intermediate", "--root-dir", "root"]);
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.folder().join(name)
    }

    pub(crate) fn read(&self, name: impl AsRef<Path>) -> Vec<u8> {
        let path = self.path(name);
        std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    pub(crate) fn write(&self, name: impl AsRef<Path>, contents: impl AsRef<[u8]>) {
        std::fs::write(self.path(name), contents).unwrap();
    }

    /// The command, ready to run in the lab's folder.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_etcdpki"));
        command
            .args(args)
            .current_dir(self.folder())
            .stdin(Stdio::null())
            .env_remove("ETCDPKI_DIR");
        command
    }

    /// The command at a time such as `2030-01-31`, from which its clock goes on.
    pub(crate) fn command_at(&self, time: &str, args: &[&str]) -> Command {
        let mut command = self.command(args);
        command.env("LD_PRELOAD", peers::faketime()).env("FAKETIME", format!("@{time} 00:00:00"));
        command
    }

    pub(crate) fn run_at(&self, time: &str, args: &[&str]) -> Run {
        self.command_at(time, args).output().unwrap().into()
    }

    pub(crate) fn run(&self, args: &[&str]) -> Run {
        self.command(args).output().unwrap().into()
    }

    /// Runs the command, expects success, and returns its standard output.
    pub(crate) fn ok(&self, args: &[&str]) -> String {
        let run = self.run(args);
        assert_eq!(run.code, 0, "etcdpki {args:?}: {run:?}");
        run.stdout
    }
}

impl From<Output> for Run {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}
