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

/// The commands of `etcdpki` that a section of the README shows.
fn commands(section: &str) -> Vec<Vec<String>> {
    let readme = std::fs::read_to_string(peers::root().join("README.md")).unwrap();
    let (_, rest) = readme.split_once(&format!("\n## {section}\n")).unwrap();
    let section = rest.split("\n## ").next().unwrap();
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

// webpki compares no email addresses with constraints; whoever reads the verdict is told.
#[test]
fn a_path_that_is_judged_without_the_path_builder_says_so() {
    let lab = Lab::with_ca(&["--permit", "email:example.com"]);
    lab.ok(&["issue", "--profile", "peer", "a", "--san", "a", "--san", "email:a@example.com"]);
    let text = lab.ok(&["verify", "a.pem", "--purpose", "peer"]);
    assert!(text.contains("judged by RFC 5280 section 6.1 without rustls-webpki, for"), "{text}");
    let json = lab.ok(&["verify", "a.pem", "--purpose", "peer", "--format", "json"]);
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert!(json["files"][0]["limit"].as_str().is_some_and(|limit| limit.contains("email")));
}
