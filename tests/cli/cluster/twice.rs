//! A second run, and files that a change does not touch.

use super::*;
use crate::bad_input::redacted;

#[test]
fn plan_says_what_apply_then_does() {
    let lab = with_manifest(LAB);
    let plan = lab.run(PLAN);
    assert_eq!(plan.code, 4, "{plan:?}");
    assert_eq!(lab.run(&PLAN[..3]).code, 0, "only --exit-code tells of changes");
    assert!(!lab.path("pki").exists(), "plan wrote");
    snapshot("first_plan", &redacted(&plan.stdout, lab.folder()));
    let (steps, summary) = plan.stdout.rsplit_once("plan: ").unwrap();
    let done = summary.trim().replace("to create", "created").replace("to write", "written");
    let hosts = lab.path("pki/hosts").display().to_string();
    let install = "sh etcdone/install.sh && rm -r etcdone";
    assert_eq!(
        lab.ok(APPLY),
        format!(
            "{steps}done: {done} in {hosts}\ninstall each changed folder on its host:\n  \
             scp -r pki/hosts/etcdone root@etcdone: && ssh root@etcdone '{install}'\n"
        )
    );
    nothing_to_do(&lab);
}

#[test]
fn a_second_apply_writes_no_file() {
    let lab = applied(LAB);
    let before = tree(&lab);
    for _ in 0..2 {
        assert_eq!(lab.ok(APPLY), "nothing to do\n");
        assert_eq!(tree(&lab), before);
    }
    let run = lab.run(&[APPLY, &["--format", "json"]].concat());
    assert_eq!(run.code, 0, "{run:?}");
    let folder = lab.path("pki");
    let nothing =
        serde_json::json!({ "changed": false, "folder": folder, "warnings": [], "steps": [] });
    assert_eq!(json(&run), nothing);
    assert_eq!(tree(&lab), before);
}

/// Another order of keys, comments and spaces: the same cluster.
#[test]
fn a_manifest_that_says_the_same_otherwise_changes_nothing() {
    let lab = applied(LAB);
    let before = tree(&lab);
    edit(
        &lab,
        "{ name: etcdtwo, ip: 192.168.29.62 }",
        "ip: [ \"192.168.29.62\" ] # second\n    name: 'etcdtwo'",
    );
    edit(&lab, "expiry: 1y", "expiry: 8760h");
    assert_eq!(lab.ok(APPLY), "nothing to do\n");
    assert_eq!(tree(&lab), before);
}

/// If a certificate changes, all other files stay the same files.
#[test]
fn what_stays_keeps_its_inode_and_times() {
    let lab = applied(LAB);
    let before = tree(&lab);
    edit(&lab, "ip: 192.168.29.61 }", "ip: 192.168.29.61, sans: [etcd.example.com] }");
    lab.ok(APPLY);
    let after = tree(&lab);
    let changed = ["peer-key.pem", "peer.pem", "server-key.pem", "server.pem"]
        .map(|name| format!("pki/hosts/etcdone/{name}"));
    for (name, entry) in &after {
        let is_folder_above = ["pki/hosts", "pki/hosts/etcdone"].contains(&name.as_str());
        if name.starts_with("pki/inventory.db") || is_folder_above {
            continue;
        }
        let same = before.get(name) == Some(entry);
        assert_eq!(same, !changed.contains(name), "{name}");
    }
}

#[test]
fn a_file_of_another_user_in_a_hosts_folder_is_kept() {
    let lab = applied(LAB);
    lab.write("pki/hosts/etcdone/README", "mine");
    let entry = tree(&lab).remove("pki/hosts/etcdone/README");
    nothing_to_do(&lab);
    edit(&lab, "ip: 192.168.29.61 }", "ip: 192.168.29.61, key: ed25519 }");
    lab.ok(APPLY);
    assert_eq!(tree(&lab).remove("pki/hosts/etcdone/README"), entry);
    nothing_to_do(&lab);
}

#[test]
fn a_host_that_is_gone_from_the_manifest_is_reported_and_kept_until_prune() {
    let lab = applied(LAB);
    edit(&lab, "  - { name: masterone, ip: 192.168.29.51 }\n", "");
    edit(&lab, "control_plane:\n", "");
    lab.write("pki/hosts/notes", "mine, and no host's");
    let before = tree(&lab);
    let plan = lab.run(PLAN);
    assert_eq!(plan.code, 0, "{plan:?}");
    snapshot("orphan", &plan.stdout);
    let kept = lab.ok(APPLY);
    assert!(kept.ends_with("nothing to do\n") && kept.contains("orphan   masterone\n"), "{kept}");
    assert_eq!(tree(&lab), before);

    // A change to one host does not touch the other hosts' folders.
    let one = lab.ok(&[APPLY, &["--only", "etcdone", "--prune", "--yes"]].concat());
    assert!(one.ends_with("nothing to do\n"), "{one}");
    assert_eq!(tree(&lab), before);

    let run = lab.run(&[APPLY, &["--prune", "--yes", "--format", "json"]].concat());
    assert_eq!(run.code, 0, "{run:?}");
    let document = json(&run);
    assert_eq!(document["changed"], true);
    assert_eq!(document["steps"][0]["action"], "remove");
    assert_eq!(document["steps"][0]["host"], "masterone");
    let mut expected = before.clone();
    expected.retain(|name, _| !name.starts_with("pki/hosts/masterone"));
    assert_eq!(changes(&expected, &tree(&lab)), Vec::<String>::new());
    assert_eq!(lab.ok(&[APPLY, &["--prune", "--yes"]].concat()), "nothing to do\n");
}

/// A pair that is no longer needed is a key that still gives access to the cluster.
#[test]
fn a_certificate_that_is_gone_from_the_manifest_is_reported_and_kept_until_prune() {
    // The first of a host's clients is in its etcdctl.env, and all are in its install.sh.
    let client = "clients: [{ name: metrics, host: etcdone }, { name: backup, host: etcdone }]\n";
    let lab = applied(&format!("{LAB}{client}"));
    lab.write("pki/hosts/etcdone/README.pem", "mine");
    let before = tree(&lab);
    edit(&lab, ", { name: backup, host: etcdone }", "");
    let plan = lab.run(PLAN);
    assert_eq!(plan.code, 4, "{plan:?}");
    snapshot("orphan_file", &plan.stdout);
    lab.ok(APPLY);
    assert_eq!(changes(&before, &tree(&lab)), ["etcdone/install.sh"]);
    assert_eq!(lab.run(PLAN).code, 0);

    // A change to the same host does not touch it either.
    edit(&lab, "ip: 192.168.29.61 }", "ip: 192.168.29.61, combined: true }");
    lab.ok(APPLY);
    let kept = tree(&lab);
    for file in ["backup.pem", "backup-key.pem", "server.pem", "peer-key.pem", "metrics.pem"] {
        let name = format!("pki/hosts/etcdone/{file}");
        assert_eq!(kept.get(&name), before.get(&name), "{name}");
    }

    let removed = lab.ok(&[APPLY, &["--prune", "--yes"]].concat());
    snapshot("orphan_file_removed", &redacted(&removed, lab.folder()));
    let names: Vec<String> =
        tree(&lab).into_keys().filter(|name| name.starts_with("pki/hosts/etcdone/")).collect();
    let wanted = [
        "README.pem",
        "ca.pem",
        "etcd.conf.yaml",
        "etcd.service",
        "etcdctl.env",
        "install.sh",
        "member-key.pem",
        "member.pem",
        "metrics-key.pem",
        "metrics.pem",
    ];
    assert_eq!(names, wanted.map(|name| format!("pki/hosts/etcdone/{name}")));
    assert_eq!(lab.ok(&[APPLY, &["--prune", "--yes"]].concat()), "nothing to do\n");
}
