use std::collections::{BTreeMap, BTreeSet};

use crate::lab::Lab;
use crate::peers;

#[test]
fn the_first_five_minutes() {
    let lab = Lab::with_ca(&["--org", "Lab"]);
    lab.ok(&["issue", "--profile", "server", "etcdone", "--san", "192.168.29.61"]);
    lab.ok(&["issue", "--profile", "peer", "etcdone-peer", "--cn", "etcdone"]);
    lab.ok(&["issue", "--profile", "client", "apiserver-etcd-client"]);
    for (file, purpose) in
        [("etcdone", "server"), ("etcdone-peer", "peer"), ("apiserver-etcd-client", "client")]
    {
        let (pem, key) = (format!("{file}.pem"), format!("{file}-key.pem"));
        let out = lab.ok(&["verify", &pem, "--purpose", purpose, "--key", &key]);
        assert!(out.starts_with(&format!("{pem}: ok\n")), "{out}");
    }
}

fn section(name: &str) -> String {
    let readme = std::fs::read_to_string(peers::root().join("README.md")).unwrap();
    let (_, rest) = readme.split_once(&format!("\n## {name}\n")).unwrap();
    rest.split("\n## ").next().unwrap().to_owned()
}

/// The commands of `etcdpki` that a section of the README shows.
fn commands(name: &str) -> Vec<Vec<String>> {
    let section = section(name);
    let lines = section.lines().filter_map(|line| line.strip_prefix("$ etcdpki "));
    lines.map(|line| line.split(' ').map(str::to_owned).collect()).collect()
}

#[test]
fn what_the_readme_shows_works() {
    let lab = Lab::new();
    let commands = commands("One by one");
    assert!(commands.len() >= 5, "{commands:?}");
    for args in commands {
        lab.ok(&args.iter().map(String::as_str).collect::<Vec<_>>());
    }
}

#[test]
fn what_the_readme_shows_of_a_whole_cluster_works() {
    let lab = Lab::new();
    std::fs::create_dir_all(lab.path("examples/lab")).unwrap();
    let manifest = "examples/lab/cluster.yaml";
    std::fs::copy(peers::root().join(manifest), lab.path(manifest)).unwrap();
    let commands = commands("A whole cluster");
    assert_eq!(commands.len(), 3, "{commands:?}");
    for args in commands {
        let run = lab.run(&args.iter().map(String::as_str).collect::<Vec<_>>());
        // The plan of a cluster that has nothing yet is to do something.
        assert_eq!(run.code, i32::from(args[0] == "plan"), "{args:?}: {run:?}");
    }
}

/// Every folder below `lab-pki` with the files in it.
fn tree(lab: &Lab, folder: &str, tree: &mut BTreeMap<String, BTreeSet<String>>) {
    let mut files = BTreeSet::new();
    for entry in std::fs::read_dir(lab.path(folder)).unwrap().map(Result::unwrap) {
        let name = entry.file_name().into_string().unwrap();
        if entry.file_type().unwrap().is_dir() {
            self::tree(lab, &format!("{folder}{name}/"), tree);
        } else {
            files.insert(name);
        }
    }
    tree.insert(folder.to_owned(), files);
}

/// What the quickstart makes is what the README prints.
#[test]
fn the_tree_in_the_readme_is_the_one_on_the_disk() {
    let section = section("Try it");
    let lines = section.lines().filter(|line| line.starts_with("    lab-pki/"));
    let printed: BTreeMap<String, BTreeSet<String>> = lines
        .map(|line| {
            let mut words = line.split_whitespace().map(str::to_owned);
            (words.next().unwrap(), words.collect())
        })
        .collect();
    let lab = Lab::new();
    let manifest = peers::root().join("examples/lab/cluster.yaml");
    for command in ["apply", "verify"] {
        assert!(section.contains(&format!("etcdpki {command} -f examples/lab/cluster.yaml")));
        lab.ok(&["--dir", "lab-pki", command, "-f", manifest.to_str().unwrap()]);
    }
    let mut there = BTreeMap::new();
    tree(&lab, "lab-pki/", &mut there);
    assert_eq!(printed, there);
}
