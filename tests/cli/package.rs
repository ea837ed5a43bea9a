//! The Debian package: built by cargo-deb as `packaging/deb` does, installed in a clean root, and removed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::lab::{Lab, Run};
use crate::peers;
use crate::process::finish;

/// The package of the program that these tests test.
fn build() -> PathBuf {
    let mut deb = Command::new(peers::root().join("packaging/deb"));
    let path = std::env::var("PATH").unwrap();
    deb.arg("dev").env("NO_BUILD", "1").env("CARGO_NET_OFFLINE", "true");
    deb.env("PATH", format!("{}:{path}", peers::cargo_deb().display()));
    let run = finish(&mut deb);
    assert_eq!(run.code, 0, "{run:?}");
    let package = run.stdout.lines().last().unwrap().trim();
    peers::root().join(package)
}

fn dpkg(root: &Path, args: &[&str]) -> Run {
    let mut dpkg = peers::program("dpkg");
    // The root has neither the libraries nor the programs of a running system.
    dpkg.arg("--root").arg(root).args(["--force-not-root", "--force-depends", "--force-bad-path"]);
    finish(dpkg.args(args).env("LC_ALL", "C"))
}

/// Every file below a folder.
fn files(folder: &Path) -> Vec<String> {
    let mut find = peers::program("find");
    let run = finish(find.args([".", "-not", "-type", "d"]).current_dir(folder));
    let mut files: Vec<String> = run.stdout.lines().map(|line| line[2..].to_owned()).collect();
    files.retain(|file| !file.starts_with("var/"));
    files.sort();
    files
}

#[test]
fn the_debian_package_installs_works_and_goes_away() {
    let package = build();
    let lab = Lab::new();
    let root = lab.path("root");
    fs::create_dir_all(root.join("var/lib/dpkg/info")).unwrap();
    fs::create_dir_all(root.join("var/lib/dpkg/updates")).unwrap();
    fs::write(root.join("var/lib/dpkg/status"), "").unwrap();
    let run = dpkg(&root, &["--install", package.to_str().unwrap()]);
    assert_eq!(run.code, 0, "{run:?}");
    insta::assert_snapshot!("package", files(&root).join("\n"));

    let etcdpki = root.join("usr/bin/etcdpki");
    let program =
        |args: &[&str]| finish(Command::new(&etcdpki).args(args).current_dir(lab.folder()));
    assert_eq!(program(&["--version"]).stdout, Lab::new().ok(&["--version"]));
    the_manual_is_complete(&root);
    the_shell_completes(&root, &lab);
    systemd_accepts_the_units(&root);

    // What the timer starts, by hand, and what it says of a missing certificate.
    fs::create_dir_all(root.join("etc/etcdpki")).unwrap();
    let manifest = root.join("etc/etcdpki/cluster.yaml");
    fs::copy(root.join("usr/share/doc/etcdpki/examples/cluster.yaml"), &manifest).unwrap();
    let manifest = manifest.to_str().unwrap();
    assert_eq!(program(&["apply", "-f", manifest]).code, 0);
    let unit =
        fs::read_to_string(root.join("usr/lib/systemd/system/etcdpki-status.service")).unwrap();
    let start = unit.lines().find_map(|line| line.strip_prefix("ExecStart=")).unwrap();
    let start = start.replace("/usr/bin/", &format!("{}/", root.join("usr/bin").display()));
    let start = start.replace("/etc/etcdpki/cluster.yaml", manifest);
    let by_hand = |options: &str| {
        let mut shell = peers::program("sh");
        finish(shell.args(["-ec", &start]).env("STATUS_OPTIONS", options).env_remove("ETCDPKI_DIR"))
    };
    let run = by_hand("");
    assert!(run.code == 0 && run.stdout.contains("masterone/apiserver-etcd-client.pem"), "{run:?}");
    let metrics = lab.path("etcdpki.prom");
    let run = by_hand(&format!("--warn 400d --output prometheus -o {}", metrics.display()));
    assert_eq!(run.code, 1, "the unit fails if a certificate expires soon: {run:?}");
    assert!(fs::read_to_string(metrics).unwrap().contains("etcdpki_certificate_problems{"));

    // The CA is the administrator's, whatever is removed.
    let key = fs::read(root.join("etc/etcdpki/pki/ca-key.pem")).unwrap();
    let run = dpkg(&root, &["--purge", "etcdpki"]);
    assert_eq!(run.code, 0, "{run:?}");
    let left = files(&root);
    assert!(left.iter().all(|file| file.starts_with("etc/etcdpki/")), "{left:?}");
    assert_eq!(fs::read(root.join("etc/etcdpki/pki/ca-key.pem")).unwrap(), key);
}

fn the_manual_is_complete(root: &Path) {
    let mut names = vec!["etcdpki".to_owned()];
    let pages = fs::read_dir(root.join("usr/share/man/man1")).unwrap();
    names.extend(pages.map(|page| {
        let name = page.unwrap().file_name().into_string().unwrap();
        name.split('.').next().unwrap().to_owned()
    }));
    assert!(names.len() >= 13, "{names:?}");
    for name in names {
        let mut man = peers::program("man");
        man.env("MANROFFOPT", "-ww").env("LC_ALL", "C.UTF-8").env("MANWIDTH", "100");
        let run =
            finish(man.args(["-M"]).arg(root.join("usr/share/man")).args(["-P", "cat", &name]));
        assert_eq!(run.code, 0, "{name}: {run:?}");
        for heading in ["NAME", "SYNOPSIS", "OPTIONS", "EXIT STATUS", "ENVIRONMENT", "FILES"] {
            let stands = run.stdout.lines().any(|line| line == heading);
            assert!(stands, "{name} has no {heading}:\n{}", run.stdout);
        }
        assert!(name == "etcdpki" || run.stdout.contains("\nEXAMPLES\n"), "{name}: {}", run.stdout);
        assert_eq!(run.stderr, "", "{name}");
    }
}

/// What bash offers after these words, with the script in the package.
fn offered(root: &Path, folder: &Path, words: &[&str]) -> Vec<String> {
    const COMPLETE: &str = r#"
        source "$1"; shift
        COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMP_TYPE=9
        _clap_complete_etcdpki etcdpki "${COMP_WORDS[COMP_CWORD]}" ""
        printf '%s\n' "${COMPREPLY[@]}""#;
    let script = root.join("usr/share/bash-completion/completions/etcdpki");
    let mut bash = peers::program("bash");
    bash.args(["--norc", "-c", COMPLETE, "bash"]).arg(script).args(words).current_dir(folder);
    bash.env("PATH", format!("{}:/usr/bin:/bin", root.join("usr/bin").display()));
    let run = finish(&mut bash);
    run.stdout.lines().map(|line| line.trim().to_owned()).filter(|line| !line.is_empty()).collect()
}

fn the_shell_completes(root: &Path, lab: &Lab) {
    let manifest = "cluster: lab\netcd: [{ name: one, ip: 10.0.0.1 }]\n";
    lab.write("cluster.yaml", manifest);
    lab.write("other.yaml", manifest.replace("one", "two"));
    let config = r#"{ "signing": { "profiles": { "www": { "expiry": "1h", "usages": ["server auth"] } } } }"#;
    lab.write("ca-config.json", config);
    for (words, wanted) in [
        (&["etcdpki", "issue", "--profile", ""][..], &["server", "peer", "client"][..]),
        (&["etcdpki", "issue", "--config", "ca-config.json", "--profile", ""], &["www"]),
        (&["etcdpki", "issue", "--key", "rsa"], &["rsa-2048", "rsa-3072", "rsa-4096"]),
        (&["etcdpki", "init-ca", "--key", "ed"], &["ed25519"]),
        (&["etcdpki", "explain", "leaf-o"], &["leaf-outlives-ca"]),
        (&["etcdpki", "verify", "--ignore", "leaf-outl"], &["leaf-outlives-ca="]),
        (&["etcdpki", "apply", "--only", ""], &["one"]),
        (&["etcdpki", "plan", "-f", "other.yaml", "--only", ""], &["two"]),
        (&["etcdpki", "export", ""], &["one"]),
        (&["etcdpki", "apply", "--file", "clu"], &["cluster.yaml"]),
        (&["etcdpki", "ex"], &["export", "explain"]),
    ] {
        let mut offered = offered(root, lab.folder(), words);
        offered.retain(|word| !word.starts_with("--"));
        offered.sort();
        let mut wanted = wanted.to_vec();
        wanted.sort_unstable();
        assert_eq!(offered, wanted, "{words:?}");
    }
}

fn systemd_accepts_the_units(root: &Path) {
    for unit in ["etcdpki-status.service", "etcdpki-status.timer"] {
        let mut systemd = peers::program("systemd-analyze");
        systemd.args(["verify", "--man=no", "--recursive-errors=no", "--root"]).arg(root);
        let run = finish(systemd.arg(root.join("usr/lib/systemd/system").join(unit)));
        let about: Vec<&str> = run.stderr.lines().filter(|line| line.contains("etcdpki")).collect();
        assert!(run.code == 0 && about.is_empty(), "{unit}: {run:?}");
    }
    let timer =
        fs::read_to_string(root.join("usr/lib/systemd/system/etcdpki-status.timer")).unwrap();
    let calendar = timer.lines().find_map(|line| line.strip_prefix("OnCalendar=")).unwrap();
    let run = finish(peers::program("systemd-analyze").args(["calendar", calendar]));
    assert!(run.code == 0 && run.stdout.contains("Next elapse"), "{run:?}");
}
