use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use crate::lab::{Lab, Run};
use crate::peers;
use crate::process::finish;

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

/// Only the command that the arguments name is built before they are read.
#[test]
fn a_word_that_is_not_the_command_may_have_the_name_of_one() {
    let lab = Lab::new();
    lab.ok(&["--dir", "apply", "init-ca"]);
    lab.ok(&["--dir", "apply", "issue", "--profile", "client", "list"]);
    let listed = lab.ok(&["--dir", "apply", "list", "--host", "list"]);
    assert!(listed.contains("list"), "{listed}");
    let version = lab.ok(&["--version"]);
    assert_eq!(version, concat!("etcdpki ", env!("CARGO_PKG_VERSION"), "\n"));
    // Mistakes are reported as if all commands had been built.
    let typo = lab.run(&["--dir", "issue", "isue"]);
    assert!(
        typo.stderr.contains("similar subcommands exist: 'inspect', 'issue'"),
        "{}",
        typo.stderr
    );
    let help = lab.ok(&["--dir", "issue", "--help"]);
    assert!(help.contains("\n  init-ca "), "{help}");
}

fn section(name: &str) -> String {
    let readme = std::fs::read_to_string(peers::root().join("README.md")).unwrap();
    let (_, rest) = readme.split_once(&format!("\n## {name}\n")).unwrap();
    rest.split("\n## ").next().unwrap().to_owned()
}

/// The `etcdpki` commands in a section of the README.
fn commands(name: &str) -> Vec<Vec<String>> {
    let section = section(name);
    let lines = section.lines().filter_map(|line| line.strip_prefix("$ etcdpki "));
    lines.map(|line| line.split(' ').map(str::to_owned).collect()).collect()
}

#[test]
fn what_the_readme_shows_works() {
    let lab = Lab::new();
    let commands = commands("Single certificates");
    assert!(commands.len() >= 5, "{commands:?}");
    for args in commands {
        lab.ok(&args.iter().map(String::as_str).collect::<Vec<_>>());
    }
}

/// The code blocks in docs/ci.md: the language and the text.
fn recipes() -> Vec<(String, String)> {
    let page = std::fs::read_to_string(peers::root().join("docs/ci.md")).unwrap();
    let blocks = page.split("\n```").skip(1).step_by(2);
    let blocks = blocks.map(|block| block.split_once('\n').unwrap());
    blocks.map(|(language, text)| (language.to_owned(), text.to_owned())).collect()
}

/// Checks the recipes with the schemas that GitHub and GitLab publish, which check-jsonschema vendors.
#[test]
fn the_recipes_for_ci_are_what_ci_servers_read() {
    let lab = Lab::new();
    let mut checked = 0;
    for (_, text) in recipes() {
        let schema = match text.lines().next() {
            Some("# .github/workflows/certificates.yaml") => "vendor.github-workflows",
            Some("# .gitlab-ci.yml") => "vendor.gitlab-ci",
            _ => continue,
        };
        lab.write("recipe.yaml", &text);
        let mut check = Command::new(peers::venv("check-jsonschema"));
        check.args(["--builtin-schema", schema]).arg(lab.path("recipe.yaml"));
        let run = finish(&mut check);
        assert_eq!(run.code, 0, "{text}\n{run:?}");
        checked += 1;
    }
    assert_eq!(checked, 2);
}

/// Runs every `etcdpki` command in the recipes with a shell.
#[test]
fn what_the_recipes_for_ci_run_works() {
    let lab = Lab::new();
    std::fs::copy(peers::root().join("examples/lab/cluster.yaml"), lab.path("cluster.yaml"))
        .unwrap();
    lab.ok(&["apply", "-f", "cluster.yaml"]);
    std::fs::create_dir(lab.path("certs")).unwrap();
    lab.write("certs/server.pem", lab.read("pki/hosts/etcdone/server.pem"));
    lab.write("ca.pem", lab.read("pki/ca.pem"));
    std::fs::create_dir(lab.path("node_exporter")).unwrap();
    let etcdpki = std::path::Path::new(env!("CARGO_BIN_EXE_etcdpki")).parent().unwrap();
    let path = format!("{}:{}", etcdpki.display(), std::env::var("PATH").unwrap());
    let shell = |line: &str| -> Run {
        let mut shell = peers::program("sh");
        shell.args(["-ec", line]).current_dir(lab.folder()).env("PATH", &path);
        finish(shell.env_remove("ETCDPKI_DIR"))
    };
    let mut lines = 0;
    for (language, text) in recipes() {
        for line in text
            .lines()
            .filter(|line| line.contains("etcdpki verify") || line.contains("etcdpki status"))
        {
            let line = match language.as_str() {
                "crontab" => line.splitn(6, ' ').nth(5).unwrap().to_owned(),
                _ => line[line.find("etcdpki ").unwrap()..].to_owned(),
            };
            // pre-commit adds the names of the files in the commit.
            let files = if text.contains("entry: ") { " certs/server.pem" } else { "" };
            let line = format!("{line}{files}")
                .replace("/srv/etcdpki", &lab.folder().display().to_string())
                .replace(
                    "/var/lib/node_exporter",
                    &lab.path("node_exporter").display().to_string(),
                );
            let run = shell(&line);
            assert_eq!(run.code, 0, "{line}: {run:?}");
            lines += 1;
        }
    }
    assert_eq!(lines, 5);
    for (file, mark) in [
        ("etcdpki.sarif", "\"version\": \"2.1.0\""),
        ("etcdpki.xml", "tests=\"1\" failures=\"0\" errors=\"0\""),
        ("node_exporter/etcdpki.prom", "etcdpki_certificate_problems{"),
    ] {
        assert!(String::from_utf8(lab.read(file)).unwrap().contains(mark), "{file}");
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

/// The quickstart creates the files that the README lists.
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
        let shown = format!("etcdpki -d lab-pki {command} -f examples/lab/cluster.yaml");
        assert!(section.replace('\n', " ").contains(&shown));
        lab.ok(&["--dir", "lab-pki", command, "-f", manifest.to_str().unwrap()]);
    }
    let mut there = BTreeMap::new();
    tree(&lab, "lab-pki/", &mut there);
    assert_eq!(printed, there);
}

// webpki does not compare email addresses with constraints, and the output says so.
#[test]
fn a_path_that_is_verified_without_the_path_builder_says_so() {
    let lab = Lab::with_ca(&["--permit", "email:example.com"]);
    lab.ok(&["issue", "--profile", "peer", "a", "--san", "a", "--san", "email:a@example.com"]);
    let text = lab.ok(&["verify", "a.pem", "--purpose", "peer"]);
    assert!(
        text.contains("validated by RFC 5280 section 6.1 without rustls-webpki, because"),
        "{text}"
    );
    let json = lab.ok(&["verify", "a.pem", "--purpose", "peer", "--format", "json"]);
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert!(json["files"][0]["limit"].as_str().is_some_and(|limit| limit.contains("email")));
}
