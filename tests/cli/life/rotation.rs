//! `etcdpki rotate-ca` on the files: the order of the steps, what is refused, and kills at any time.

mod killed;
mod rebuilt;
mod revoked;
mod separate;
mod surprises;

use std::collections::BTreeMap;
use std::fs;

use pki_core::Certificate;
use serde_json::Value;

use super::{APPLY, PLAN, json};
use crate::lab::{Lab, Run};
use crate::peers;
use crate::process::finish;

pub(super) const MANIFEST: &str = "\
cluster: lab
etcd:
  - { name: etcdone, ip: 10.0.0.1 }
  - { name: etcdtwo, ip: 10.0.0.2 }
  - { name: etcdthree, ip: 10.0.0.3 }
control_plane: [{ name: masterone, ip: 10.0.0.9 }]
";

const HOSTS: [&str; 4] = ["etcdone", "etcdtwo", "etcdthree", "masterone"];

fn lab() -> Lab {
    let lab = Lab::new();
    lab.write("cluster.yaml", MANIFEST);
    lab.ok(APPLY);
    lab
}

fn rotate(lab: &Lab, step: &str, more: &[&str]) -> Run {
    lab.run(&[&["rotate-ca", step, "-f", "cluster.yaml"], more].concat())
}

fn rotated(lab: &Lab, step: &str) -> String {
    let word: &[&str] = if step == "begin" { &[] } else { &["--restarted", "all"] };
    let run = rotate(lab, step, word);
    assert_eq!(run.code, 0, "{step}: {run:?}");
    run.stdout
}

/// A step is refused for each of these reasons, and changes nothing.
fn refused(lab: &Lab, args: &[&str], reasons: &[&str]) {
    let before = files(lab);
    let run = lab.run(args);
    assert_eq!(run.code, 1, "{args:?}: {run:?}");
    for reason in reasons {
        assert!(run.stderr.contains(reason), "{args:?}: {reason:?} is not in {}", run.stderr);
    }
    assert!(before == files(lab), "{args:?} changed something");
}

/// Every file of the CA and of the hosts but the inventory.
fn files(lab: &Lab) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut folders = vec!["pki".to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(lab.path(&folder)).unwrap().map(Result::unwrap) {
            let path = format!("{folder}/{}", entry.file_name().to_str().unwrap());
            if entry.path().is_dir() {
                folders.push(path);
            } else if !path.contains("inventory.db") {
                files.insert(path, fs::read(entry.path()).unwrap());
            }
        }
    }
    files
}

fn certificates(lab: &Lab, path: &str) -> Vec<Certificate> {
    Certificate::from_pem_or_der(&lab.read(path)).unwrap()
}

/// The names of the CAs in a file.
fn cas(lab: &Lab, path: &str) -> Vec<String> {
    certificates(lab, path).iter().map(|ca| ca.subject.common_name().unwrap().to_owned()).collect()
}

/// Every host trusts these CAs, and its certificates are from that one.
fn every_host(lab: &Lab, trusts: &[&str], issuer: &str) {
    for host in HOSTS {
        assert_eq!(cas(lab, &format!("pki/hosts/{host}/ca.pem")), trusts, "{host}");
        let leaf = if host == "masterone" { "apiserver-etcd-client" } else { "peer" };
        let leaf = certificates(lab, &format!("pki/hosts/{host}/{leaf}.pem")).swap_remove(0);
        assert_eq!(leaf.issuer.common_name(), Some(issuer), "{host}");
    }
}

/// `plan`, `apply`, `status` and `verify` agree with the state that a step left.
fn everybody_agrees(lab: &Lab) {
    let plan = lab.run(PLAN);
    assert_eq!((plan.code, plan.stderr.as_str()), (0, ""), "{plan:?}");
    assert_eq!(lab.ok(APPLY), "nothing to do\n");
    lab.ok(&["status", "-f", "cluster.yaml"]);
    let verified = lab.run(&["verify", "-f", "cluster.yaml", "--warn-as-error"]);
    assert_eq!(verified.code, 0, "{verified:?}");
}

fn status(lab: &Lab) -> Value {
    json(&rotate(lab, "status", &["--format", "json"]))
}

/// The step that `status` says is next.
fn next(lab: &Lab) -> String {
    status(lab)["next"].as_str().unwrap().to_owned()
}

#[test]
fn a_ca_is_replaced_in_three_steps_and_every_command_agrees_after_each() {
    let lab = lab();
    let old_leaf = lab.read("pki/hosts/masterone/apiserver-etcd-client.pem");
    let keys: Vec<Vec<u8>> = keys(&lab);
    assert!(rotate(&lab, "status", &[]).stdout.starts_with("no rotation is under way"));

    let said = rotated(&lab, "begin");
    assert!(said.contains("restart every process") && said.contains("rotate-ca reissue"), "{said}");
    every_host(&lab, &["etcd CA", "etcd CA G2"], "etcd CA");
    everybody_agrees(&lab);
    assert_eq!(next(&lab), "reissue");
    let overview = lab.ok(&["status", "-f", "cluster.yaml"]);
    assert!(overview.contains("the next step is etcdpki rotate-ca reissue"), "{overview}");

    let trust = lab.read("pki/hosts/etcdone/ca.pem");
    let said = rotated(&lab, "reissue");
    assert!(said.contains("without a restart") && said.contains("rotate-ca finish"), "{said}");
    every_host(&lab, &["etcd CA", "etcd CA G2"], "etcd CA G2");
    // What programs read at their start did not change, and neither did a key.
    assert_eq!(lab.read("pki/hosts/etcdone/ca.pem"), trust);
    assert_eq!(self::keys(&lab), keys);
    everybody_agrees(&lab);
    assert_eq!(next(&lab), "finish");

    let said = rotated(&lab, "finish");
    assert!(said.contains("then destroy pki/ca-retired-"), "{said}");
    every_host(&lab, &["etcd CA G2"], "etcd CA G2");
    everybody_agrees(&lab);
    assert!(!lab.path("pki/ca-next-key.pem").exists());
    lab.write("old.pem", old_leaf);
    assert_eq!(lab.run(&["verify", "old.pem", "--ca", "pki/hosts/etcdone/ca.pem"]).code, 1);

    // And once more, also with a name of its own.
    assert_eq!(rotate(&lab, "begin", &["--cn", "the third"]).code, 0);
    every_host(&lab, &["etcd CA G2", "the third"], "etcd CA G2");
    rotated(&lab, "reissue");
    rotated(&lab, "finish");
    every_host(&lab, &["the third"], "the third");
}

fn keys(lab: &Lab) -> Vec<Vec<u8>> {
    let files = files(lab).into_iter();
    files
        .filter(|(path, _)| path.contains("hosts/") && path.ends_with("-key.pem"))
        .map(|(_, key)| key)
        .collect()
}

#[test]
fn a_step_out_of_order_is_refused_with_the_hosts_and_the_reason() {
    let lab = lab();
    let all = ["--restarted", "all"];
    let step = |step| ["rotate-ca", step, "-f", "cluster.yaml", all[0], all[1]];
    refused(&lab, &step("reissue"), &["no rotation is under way", "rotate-ca begin"]);
    rotated(&lab, "begin");
    refused(
        &lab,
        &step("finish"),
        &["etcdone: trusts both CAs; its certificates are from the old one", "rotate-ca reissue"],
    );
    // Without proof that the processes were restarted.
    let word =
        |words: &[&'static str]| [&["rotate-ca", "reissue", "-f", "cluster.yaml"], words].concat();
    refused(
        &lab,
        &word(&[]),
        &[
            "nothing shows that these hosts are ready: etcdone, etcdthree, etcdtwo, masterone",
            "--connect",
        ],
    );
    refused(
        &lab,
        &word(&["--restarted", "etcdone", "--restarted", "etcdthree", "--restarted", "masterone"]),
        &["ready: etcdtwo\n"],
    );
    let unknown = lab.run(&word(&["--restarted", "etcdfour"]));
    assert!(unknown.code == 2 && unknown.stderr.contains("no such host"), "{unknown:?}");
    // A host that did not get the new CA.
    let bundle = lab.read("pki/hosts/etcdtwo/ca.pem");
    let first = certificates(&lab, "pki/hosts/etcdtwo/ca.pem")[0].to_pem().unwrap();
    lab.write("pki/hosts/etcdtwo/ca.pem", first);
    refused(&lab, &step("reissue"), &["etcdtwo: trusts only the old CA", "rotate-ca begin"]);
    assert_eq!(next(&lab), "begin");
    rotated(&lab, "begin");
    assert_eq!(lab.read("pki/hosts/etcdtwo/ca.pem"), bundle);
    rotated(&lab, "reissue");
    refused(&lab, &step("begin"), &["the hosts are not ready for begin", "rotate-ca finish"]);
    rotated(&lab, "finish");
    refused(&lab, &step("reissue"), &["no rotation is under way"]);
    assert!(rotate(&lab, "finish", &[]).stderr.contains("no rotation is under way"));
}

/// Somebody restores ca.pem from a backup, or runs `apply` where it is not known. It would take the bundle away.
#[test]
fn a_stray_apply_in_the_middle_of_a_rotation_is_refused() {
    let lab = lab();
    let before = lab.read("pki/ca.pem");
    for (step, others) in [("begin", ["reissue", "abort"]), ("reissue", ["finish", "abort"])] {
        rotated(&lab, step);
        let now = lab.read("pki/ca.pem");
        lab.write("pki/ca.pem", &before);
        for args in [APPLY, PLAN] {
            refused(
                &lab,
                args,
                &["would finish or abort a rotation of the CA", "rotate-ca status"],
            );
        }
        assert_eq!(next(&lab), others[0]);
        lab.write("pki/ca.pem", now);
    }
    // With the backup in place, the hosts say what is to be done.
    lab.write("pki/ca.pem", &before);
    rotated(&lab, "abort");
    every_host(&lab, &["etcd CA", "etcd CA G2"], "etcd CA");
    rotated(&lab, "abort");
    every_host(&lab, &["etcd CA"], "etcd CA");
    everybody_agrees(&lab);
}

/// A CA that is exchanged without a bundle is an outage (70 seconds, when it was measured).
#[test]
fn a_ca_that_changes_at_once_is_a_warning() {
    let lab = lab();
    for file in ["ca.pem", "ca-key.pem"] {
        fs::remove_file(lab.path("pki").join(file)).unwrap();
    }
    std::thread::sleep(std::time::Duration::from_millis(1100));
    lab.ok(&["init-ca", "--new", "--cn", "another CA"]);
    let plan = lab.run(PLAN);
    assert!(plan.stderr.contains("the CA of all hosts changes at once"), "{plan:?}");
}

#[test]
fn abort_goes_back_from_every_step() {
    let lab = lab();
    let before = files(&lab);
    let leaf = |lab: &Lab| lab.read("pki/hosts/etcdone/peer.pem");
    rotated(&lab, "begin");
    rotated(&lab, "abort");
    let mut after = files(&lab);
    after.retain(|path, _| !path.contains("ca-retired-"));
    assert!(before == after, "abort after begin leaves what was there before");

    rotated(&lab, "begin");
    rotated(&lab, "reissue");
    let new = leaf(&lab);
    let said = rotated(&lab, "abort");
    assert!(said.contains("without a restart") && said.contains("rotate-ca abort"), "{said}");
    assert_ne!(leaf(&lab), new);
    every_host(&lab, &["etcd CA", "etcd CA G2"], "etcd CA");
    everybody_agrees(&lab);
    // While hosts may still use certificates of the new CA, it is not taken away.
    refused(
        &lab,
        &["rotate-ca", "abort", "-f", "cluster.yaml"],
        &["nothing shows that these hosts are ready"],
    );
    // From here, both ways are open.
    rotated(&lab, "reissue");
    every_host(&lab, &["etcd CA", "etcd CA G2"], "etcd CA G2");
    rotated(&lab, "abort");
    rotated(&lab, "abort");
    every_host(&lab, &["etcd CA"], "etcd CA");
    everybody_agrees(&lab);
    assert_eq!(status(&lab)["next"], "none");
    // Nothing goes back once a host dropped the old CA.
    rotated(&lab, "begin");
    rotated(&lab, "reissue");
    let trust = certificates(&lab, "pki/hosts/etcdone/ca.pem")[1].to_pem().unwrap();
    lab.write("pki/hosts/etcdone/ca.pem", trust);
    refused(
        &lab,
        &["rotate-ca", "abort", "-f", "cluster.yaml"],
        &["etcdone: trusts only the new CA"],
    );
    rotated(&lab, "finish");
    every_host(&lab, &["etcd CA G2"], "etcd CA G2");
}

/// The old CA signs nothing in a rotation, so its key may be lost, and even its certificate: the hosts have it.
#[test]
fn a_ca_whose_files_are_lost_is_replaced() {
    let everything = ["ca-key.pem", "ca.pem", "inventory.db"];
    for lost in [&everything[..1], &everything[..2], &everything] {
        let lab = lab();
        for file in lost {
            fs::remove_file(lab.path("pki").join(file)).unwrap();
        }
        let begun = rotated(&lab, "begin");
        let created =
            format!("create   the CA CN=etcd CA G2: {}/ca.pem", lab.path("pki").display());
        assert!(begun.contains(&created), "{begun}");
        rotated(&lab, "reissue");
        everybody_agrees(&lab);
        rotated(&lab, "finish");
        every_host(&lab, &["etcd CA G2"], "etcd CA G2");
        everybody_agrees(&lab);
        lab.ok(&["issue", "--profile", "client", "backup"]);
    }
}

#[test]
fn an_intermediate_ca_and_its_root_are_replaced_and_put_back() {
    let lab = Lab::new();
    lab.make_intermediate_ca();
    lab.write("cluster.yaml", format!("{MANIFEST}ca: {{ expiry: 1825d5m }}\n"));
    lab.ok(APPLY);
    let verified = |lab: &Lab| {
        for leaf in ["server", "peer"] {
            let leaf = format!("pki/hosts/etcdone/{leaf}.pem");
            let mut openssl = peers::program("openssl");
            openssl.args([
                "verify",
                "-untrusted",
                &leaf,
                "-CAfile",
                "pki/hosts/etcdtwo/ca.pem",
                &leaf,
            ]);
            let run = finish(openssl.current_dir(lab.folder()));
            assert_eq!(run.code, 0, "{run:?}");
        }
    };
    for end in ["abort", "finish"] {
        for step in ["begin", "reissue", end] {
            rotated(&lab, step);
            verified(&lab);
            everybody_agrees(&lab);
        }
    }
    every_host(&lab, &["etcd CA"], "etcd CA");
}
