//! docs/operations.md: every command in it is run, in the order of the page.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use pki_core::{Certificate, Crl};

use super::APPLY;
use super::rotation::MANIFEST;
use crate::lab::{Lab, Run};
use crate::peers;

/// The command that moves the leader, which the tests of live clusters run.
const MOVE_LEADER: &str = "env -u ETCDCTL_ENDPOINTS ";

/// The runbook for a cluster with `crl: true`.
const LEAKED: &str = "The key of a host leaked";

/// Copies a folder to the home of root in the root file system of a machine, which is a folder here.
const SCP: &str = r#"#!/bin/sh
set -eu
[ $# = 3 ] && [ "$1" = -r ] || exit 64
host=${3#root@}
host=${host%:}
[ "$3" = "root@$host:" ] || exit 64
mkdir -p "machines/$host/etc" "machines/$host/root"
for file in passwd group; do
    printf 'root:x:0:0::/root:/bin/sh\netcd:x:4711:4712::/:/bin/false\n' >"machines/$host/etc/$file"
done
cp -r "$2" "machines/$host/root/"
"#;

/// Runs the script of a host's folder on its machine. A restart needs what the script installed.
const SSH: &str = r#"#!/bin/sh
set -eu
host=${1#root@}
[ "$1" = "root@$host" ] || exit 64
cd "machines/$host/root"
shift
case "$*" in
    "sh $host/install.sh && rm -r $host") fakeroot sh "$host/install.sh" --root .. && rm -r "$host" ;;
    'systemctl restart etcd') [ -f ../etc/systemd/system/etcd.service ] ;;
    *) exit 64 ;;
esac
"#;

/// A runbook: its heading, and the lines of its commands.
struct Runbook {
    heading: String,
    commands: Vec<String>,
}

fn runbooks() -> Vec<Runbook> {
    let page = fs::read_to_string(peers::root().join("docs/operations.md")).unwrap();
    let mut runbooks: Vec<Runbook> = Vec::new();
    let mut is_command = false;
    for line in page.lines() {
        match line {
            "```sh" => is_command = true,
            "```" => is_command = false,
            _ if is_command => runbooks.last_mut().unwrap().commands.push(line.to_owned()),
            _ => {
                if let Some(heading) = line.strip_prefix("## ") {
                    runbooks.push(Runbook { heading: heading.to_owned(), commands: Vec::new() });
                }
            }
        }
    }
    runbooks
}

/// A lab whose cluster has this manifest, with stand-ins for `scp` and `ssh`.
fn lab(manifest: &str) -> Lab {
    let lab = Lab::new();
    lab.write("cluster.yaml", manifest);
    lab.ok(APPLY);
    fs::create_dir(lab.path("bin")).unwrap();
    for (name, script) in [("scp", SCP), ("ssh", SSH)] {
        let place = format!("bin/{name}");
        lab.write(&place, script);
        fs::set_permissions(lab.path(&place), fs::Permissions::from_mode(0o755)).unwrap();
    }
    lab
}

/// Runs a line in the lab, with our program and the stand-ins on the PATH.
fn shell(lab: &Lab, line: &str) -> Run {
    let program = Path::new(env!("CARGO_BIN_EXE_etcdpki")).parent().unwrap();
    let bin = lab.path("bin").canonicalize().unwrap();
    let path = std::env::var("PATH").unwrap();
    let path = format!("{}:{}:{path}", bin.display(), program.display());
    let mut command = peers::program("sh");
    command
        .args(["-c", line])
        .current_dir(lab.folder())
        .env("PATH", path)
        .env_remove("ETCDPKI_DIR");
    command.output().unwrap().into()
}

/// The machine has the files of the host's folder in the places of etcd.
#[track_caller]
fn delivered(lab: &Lab, host: &str) {
    for file in ["ca.pem", "server.pem", "server-key.pem", "peer.pem", "peer-key.pem"] {
        let installed = lab.read(format!("machines/{host}/etc/etcd/{file}"));
        assert_eq!(installed, lab.read(format!("pki/hosts/{host}/{file}")), "{host}: {file}");
    }
    assert!(!lab.path(format!("machines/{host}/root/{host}")).exists(), "keys stay behind");
}

#[test]
fn every_command_of_the_runbooks_does_what_it_says() {
    peers::program("fakeroot");
    let runbooks = runbooks();
    assert_eq!(runbooks.len(), 9);
    let (mut count, mut deliveries) = (0, 0);
    for Runbook { heading, commands } in runbooks {
        let is_separate = commands.iter().any(|line| line.contains("--ca peer"));
        let more = match &*heading {
            LEAKED => "crl: true\n",
            _ if is_separate => "cas: {}\n",
            _ => "",
        };
        let lab = lab(&format!("{MANIFEST}{more}"));
        for line in commands.iter().filter(|line| !line.starts_with(MOVE_LEADER)) {
            let run = shell(&lab, line);
            assert_eq!(run.code, 0, "{heading}: {line}: {run:?}");
            count += 1;
            if let Some(rest) = line.strip_prefix("scp -r pki/hosts/") {
                delivered(&lab, rest.split_whitespace().next().unwrap());
                deliveries += 1;
            }
        }
    }
    assert!(count > 40 && deliveries > 8, "{count} commands, {deliveries} deliveries");
}

/// Every member's CRL lists what leaked, and the host has other keys.
#[test]
fn a_leaked_key_opens_nothing_after_its_runbook() {
    let lab = lab(&format!("{MANIFEST}crl: true\n"));
    let leaked = ["server", "peer"].map(|role| {
        let file = |end| lab.read(format!("pki/hosts/etcdtwo/{role}{end}"));
        let certificate = Certificate::from_pem_or_der(&file(".pem")).unwrap().swap_remove(0);
        (role, certificate.serial.clone(), file("-key.pem"))
    });
    let runbook = runbooks().into_iter().find(|runbook| runbook.heading == LEAKED).unwrap();
    // Without the second half, for clusters without a CRL.
    for line in runbook.commands.iter().take_while(|line| !line.contains("renew")) {
        let run = shell(&lab, line);
        assert_eq!(run.code, 0, "{line}: {run:?}");
    }
    for host in ["etcdone", "etcdtwo", "etcdthree"] {
        let crl = Crl::from_der(&lab.read(format!("machines/{host}/etc/etcd/crl.der"))).unwrap();
        for (role, serial, _) in &leaked {
            assert!(crl.lists(serial), "{host} accepts etcdtwo's {role}.pem");
        }
    }
    for (role, _, key) in &leaked {
        assert_ne!(lab.read(format!("machines/etcdtwo/etc/etcd/{role}-key.pem")), *key);
    }
}

/// The live tests run the same line.
#[test]
fn the_leader_is_moved_as_the_runbooks_say() {
    let page = fs::read_to_string(peers::root().join("docs/operations.md")).unwrap();
    let test = fs::read_to_string(peers::root().join("tests/cli/live/rotated.rs")).unwrap();
    let line = page.lines().find(|line| line.starts_with(MOVE_LEADER)).unwrap();
    for word in
        line.split_whitespace().filter(|word| !word.contains("$LEADER") && !word.contains("$OTHER"))
    {
        assert!(test.contains(word), "{word}");
    }
}
