//! A separate folder for each test, and `etcdpki` running in it.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

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
        let profile = r#"{ "signing": { "profiles": { "ca": {
            "expiry": "43800h", "usages": ["cert sign", "crl sign"],
            "ca_constraint": { "is_ca": true, "max_path_len": 0, "max_path_len_zero": true }
        } } } }"#;
        self.write("ca-profile.json", profile);
        let issue = ["--dir", "root", "issue", "--config", "ca-profile.json", "--profile", "ca"];
        self.ok(&[&issue[..], &["--cn", "etcd CA", "--out", "pki", "ca"]].concat());
        self.write("pki/ca.pem", [self.read("pki/ca.pem"), self.read("root/ca.pem")].concat());
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
            .env_remove("ETCDPKI_DIR")
            .env_remove("ETCDPKI_PKCS11")
            .env_remove("ETCDPKI_SIGNER_CMD");
        command
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
