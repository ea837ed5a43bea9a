//! How each member starts, and the `etcdctl member` commands for a running cluster.

use super::shapes::text;
use super::*;

/// How each member starts.
fn states(lab: &Lab) -> Vec<String> {
    let member = |name: &str| {
        let config = text(lab, &format!("{name}/etcd.conf.yaml"));
        let lines = config.lines();
        let mut lines = lines.filter_map(|line| line.strip_prefix("initial-cluster-state: "));
        format!("{name} {}", lines.next().unwrap().trim_matches('"'))
    };
    let names = tree(lab).into_keys().filter(|name| name.ends_with("/etcd.conf.yaml"));
    names.map(|name| member(name.split('/').nth(2).unwrap())).collect()
}

#[test]
fn a_member_that_is_added_or_replaced_joins_with_etcdctl_member() {
    let lab = applied(LAB);
    let new = ["etcdone new", "etcdthree new", "etcdtwo new"];
    assert_eq!(states(&lab), new);
    lab.ok(APPLY);
    assert_eq!(states(&lab), new);

    edit(&lab, "control_plane:", "  - { name: etcdfour, ip: 192.168.29.64 }\ncontrol_plane:");
    let plan = lab.run(PLAN);
    let applied = lab.ok(APPLY);
    let add = "next, before etcdfour starts:\n  \
               etcdctl member add etcdfour --peer-urls=https://192.168.29.64:2380\n";
    assert!(plan.stdout.ends_with(add) && applied.ends_with(add), "{plan:?}\n{applied}");
    let grown = ["etcdfour existing", "etcdone new", "etcdthree new", "etcdtwo new"];
    assert_eq!(states(&lab), grown);
    // The decision stays, and the commands are printed once.
    assert_eq!(lab.ok(APPLY), "nothing to do\n");
    edit(&lab, "etcdfour, ip", "etcdfour, key: ed25519, ip");
    assert!(!lab.ok(APPLY).contains("member add"));
    assert_eq!(states(&lab), grown);

    // The machine of a member is lost, and with it its data.
    std::fs::remove_dir_all(lab.path("pki/hosts/etcdtwo")).unwrap();
    let run = lab.run(&["plan", "-f", "cluster.yaml", "--format", "json"]);
    let commands: Vec<String> = json(&run)["next"]
        .as_array()
        .unwrap()
        .iter()
        .map(|next| {
            format!("{}: {}", next["host"].as_str().unwrap(), next["command"].as_str().unwrap())
        })
        .collect();
    assert_eq!(commands.len(), 2, "{commands:?}");
    assert!(commands[0].starts_with("etcdtwo: etcdctl member remove "), "{commands:?}");
    assert_eq!(
        commands[1],
        "etcdtwo: etcdctl member add etcdtwo --peer-urls=https://192.168.29.62:2380"
    );
    lab.ok(APPLY);
    assert_eq!(states(&lab)[3], "etcdtwo existing");

    // The manifest has the last word.
    edit(&lab, "etcdtwo, ip", "etcdtwo, initial_cluster_state: new, ip");
    lab.ok(APPLY);
    assert_eq!(states(&lab)[3], "etcdtwo new");
    let run = lab.run(&["verify", "-f", "cluster.yaml"]);
    assert_eq!(run.code, 0, "{run:?}");
}

/// Folders that are made one after the other are those of one new cluster.
#[test]
fn the_members_of_a_new_cluster_may_be_applied_one_by_one() {
    let lab = with_manifest(LAB);
    for host in ["etcdone", "etcdtwo", "etcdthree"] {
        let applied = lab.ok(&[APPLY, &["--only", host]].concat());
        assert!(!applied.contains("member add"), "{applied}");
    }
    lab.ok(APPLY);
    assert_eq!(states(&lab), ["etcdone new", "etcdthree new", "etcdtwo new"]);
}

/// The data of a member remembers where the others connect to it.
#[test]
fn a_member_that_is_reached_elsewhere_must_be_updated() {
    let lab = applied(LAB);
    edit(&lab, "ip: 192.168.29.62 }", "ip: 192.168.29.62, reached_by: name }");
    let applied = lab.ok(APPLY);
    assert!(
        applied.contains("next, before etcdtwo restarts, if it has data already:\n"),
        "{applied}"
    );
    assert!(applied.contains("--peer-urls=https://etcdtwo.example.com:2380\n"), "{applied}");
    assert!(!lab.ok(APPLY).contains("next"));
}

#[test]
fn members_that_join_at_the_same_time_are_a_warning() {
    let lab = applied(LAB);
    let two = "  - { name: four, ip: 192.168.29.64 }\n  - { name: five, ip: 192.168.29.65 }\ncontrol_plane:";
    edit(&lab, "control_plane:", two);
    let run = lab.run(APPLY);
    assert!(run.stderr.contains("warning: several members join"), "{run:?}");
}
