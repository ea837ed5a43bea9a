//! `--only`, `--format json`, and failures of the environment.

use super::*;
use crate::bad_input::redacted;

#[test]
fn only_one_host_is_made_and_the_others_stay() {
    let lab = with_manifest(LAB);
    lab.ok(&[APPLY, &["--only", "etcdtwo"]].concat());
    let hosts: Vec<String> =
        tree(&lab).into_keys().filter(|name| name.matches('/').count() == 2).collect();
    assert_eq!(hosts, ["pki/hosts/etcdtwo"]);
    assert_eq!(lab.run(&[PLAN, &["--only", "etcdtwo"]].concat()).code, 0);
    assert_eq!(lab.run(PLAN).code, 4);

    lab.ok(APPLY);
    let before = tree(&lab);
    edit(&lab, "expiry: 1y", "expiry: 2y");
    lab.ok(&[APPLY, &["--only", "etcdone", "--only", "masterone"]].concat());
    let changed = changes(&before, &tree(&lab));
    assert_eq!(changed.len(), 6, "{changed:?}");
    assert!(changed.iter().all(|n| n.starts_with("etcdone/") || n.starts_with("masterone/")));
}

#[test]
fn only_a_host_that_holds_something_can_be_named() {
    let lab = with_manifest(LAB);
    for host in ["etcdfour", "workerone", ""] {
        let plan = lab.run(&[PLAN, &["--only", host]].concat());
        assert_eq!(plan.code, 2, "{plan:?}");
        assert!(plan.stderr.contains("one of: etcdone, etcdthree, etcdtwo, masterone"), "{plan:?}");
        let run = lab.run(&[APPLY, &["--only", host]].concat());
        assert_eq!((run.code, &run.stderr), (2, &plan.stderr));
    }
    assert!(!lab.path("pki").exists(), "a refused apply wrote files");
}

#[test]
fn the_json_of_plan_and_apply_tells_each_step() {
    let lab = with_manifest(LAB);
    let plan = lab.run(&[PLAN, &["--format", "json"]].concat());
    assert_eq!(plan.code, 4, "{plan:?}");
    let apply = lab.run(&[APPLY, &["--format", "json"]].concat());
    assert_eq!(apply.code, 0, "{apply:?}");
    assert_eq!(json(&plan), json(&apply));
    assert_eq!(json(&plan)["changed"], true);
    snapshot("json_first", &redacted(&plan.stdout, lab.folder()));

    edit(&lab, "ip: 192.168.29.61 }", "ip: 192.168.29.61, sans: [etcd.example.com] }");
    let plan = lab.run(&[PLAN, &["--format", "json", "--only", "etcdone"]].concat());
    snapshot("json_drift", &redacted(&plan.stdout, lab.folder()));
}

#[test]
fn an_even_number_of_members_is_a_warning() {
    let lab = with_manifest(&LAB.replace("  - { name: etcdthree, ip: 192.168.29.63 }\n", ""));
    let warning = "2 etcd members tolerate no more failures than 1";
    let plan = lab.run(PLAN);
    assert_eq!((plan.code, plan.stderr), (4, format!("warning: {warning}\n")));
    let run = lab.run(&[APPLY, &["--format", "json"]].concat());
    assert_eq!(run.code, 0, "{run:?}");
    assert_eq!(json(&run)["warnings"], serde_json::json!([warning]));
}

#[test]
fn what_is_not_a_file_in_a_hosts_folder_is_reported_and_nothing_changes() {
    let lab = applied(LAB);
    std::fs::create_dir(lab.path("pki/hosts/etcdone/old")).unwrap();
    edit(&lab, "expiry: 1y", "expiry: 2y");
    let before = tree(&lab);
    for args in [PLAN, APPLY] {
        let run = lab.run(args);
        assert_eq!(run.code, 3, "{run:?}");
        assert!(run.stderr.contains("pki/hosts/etcdone/old is not a file"), "{run:?}");
    }
    assert_eq!(tree(&lab), before);
}

#[test]
fn a_manifest_that_is_missing_is_named() {
    let lab = Lab::new();
    let run = lab.run(APPLY);
    assert_eq!(run.code, 3, "{run:?}");
    assert!(run.stderr.contains("cluster.yaml"), "{run:?}");
    assert!(!lab.path("pki").exists());
}
