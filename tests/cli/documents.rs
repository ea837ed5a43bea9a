//! Every command in README.md, docs/ and `--help` runs as it stands there, except those that are listed here with a reason.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use crate::lab::{Lab, Run};
use crate::machines::Program;
use crate::machines::real::RealMachines;
use crate::peers;
use crate::process::finish;

const MACHINES: [(&str, &str); 5] = [
    ("etcdone", "etcdone"),
    ("etcdtwo", "etcdtwo"),
    ("etcdthree", "etcdthree"),
    ("masterone", "masterone"),
    ("workerone", "workerone"),
];

/// The commands after `$` in a section of README.md.
fn readme(section: &str) -> Vec<String> {
    let text = fs::read_to_string(peers::root().join("README.md")).unwrap();
    let (_, rest) = text.split_once(&format!("\n## {section}\n")).unwrap();
    let section = rest.split("\n## ").next().unwrap();
    section.lines().filter_map(|line| line.strip_prefix("$ ").map(str::to_owned)).collect()
}

/// CI runs the line with which README.md begins; a build of the release takes too long for a test.
#[test]
fn ci_installs_as_the_readme_says() {
    let install = readme("Install");
    assert_eq!(install, ["cargo install --locked --path pki-cli"]);
    let ci = fs::read_to_string(peers::root().join(".ci/run")).unwrap();
    assert!(ci.lines().any(|line| line.ends_with(&format!("step {}", install[0]))), "{ci}");
    let action = fs::read_to_string(peers::root().join("action.yml")).unwrap();
    let with_path = install[0].replace("pki-cli", "\"$GITHUB_ACTION_PATH/pki-cli\"");
    assert!(action.contains(&with_path), "{action}");
}

/// Prints what the steps of an action run.
const STEPS: &str = "import sys, yaml
for step in yaml.safe_load(open(sys.argv[1]))['runs']['steps']:
    print(step['run'])";

/// The steps of the action, with a cargo that only installs what is built already.
#[test]
fn the_action_puts_the_program_on_the_path() {
    let action = peers::root().join("action.yml");
    let mut check = Command::new(peers::venv("check-jsonschema"));
    let run = finish(check.args(["--builtin-schema", "vendor.github-actions"]).arg(&action));
    assert_eq!(run.code, 0, "{run:?}");
    let mut python = Command::new(peers::venv("python"));
    let steps = finish(python.args(["-c", STEPS]).arg(&action)).stdout;

    let lab = Lab::new();
    fs::create_dir(lab.path("bin")).unwrap();
    let cargo = format!(
        "#!/bin/sh\n[ \"$1 $2 $3 $4 $5\" = 'install --locked --path checkout/pki-cli --root' ] || exit 9\n\
         mkdir -p \"$6/bin\" && ln -s {} \"$6/bin/\"\n",
        env!("CARGO_BIN_EXE_etcdpki")
    );
    lab.write("bin/cargo", cargo);
    fs::set_permissions(lab.path("bin/cargo"), fs::Permissions::from_mode(0o755)).unwrap();
    let mut bash = peers::program("bash");
    bash.args(["-euo", "pipefail", "-c", &steps]).current_dir(lab.folder());
    bash.env("PATH", format!("{}:/usr/bin:/bin", lab.path("bin").display()));
    bash.env("GITHUB_ACTION_PATH", "checkout").env("RUNNER_TEMP", lab.path("temp"));
    let run = finish(bash.env("GITHUB_PATH", lab.path("path")));
    assert_eq!(run.code, 0, "{run:?}");
    let path = String::from_utf8(lab.read("path")).unwrap();
    let run =
        finish(Command::new("/bin/sh").args(["-c", "etcdpki --version"]).env("PATH", path.trim()));
    assert_eq!(run.code, 0, "{run:?}");
}

/// From the manifest to a running lab on five machines, over SSH, with every line as it stands in README.md.
#[test]
fn the_readme_leads_from_nothing_to_a_running_lab() {
    let mut machines = RealMachines::new(Program::V3_5_1, &MACHINES, "");
    let key = machines.lab.path("key");
    let mut keygen = peers::program("ssh-keygen");
    let run = finish(keygen.args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(&key));
    assert_eq!(run.code, 0, "{run:?}");
    machines.serve_ssh(&key);

    // The reader's own configuration of ssh: names, a key, and that the hosts are known.
    let mut config = format!(
        "IdentityFile {}\nStrictHostKeyChecking no\nUserKnownHostsFile /dev/null\nLogLevel ERROR\n",
        key.display()
    );
    for (name, address) in [("etcdone", 61), ("etcdtwo", 62), ("etcdthree", 63), ("masterone", 51)]
    {
        let _ = writeln!(config, "Host {name}\n  HostName 192.168.29.{address}");
    }
    machines.lab.write("ssh_config", config);
    fs::create_dir(machines.lab.path("bin")).unwrap();
    for program in ["ssh", "scp"] {
        let config = machines.lab.path("ssh_config");
        let script = format!("#!/bin/sh\nexec /usr/bin/{program} -F {} \"$@\"\n", config.display());
        let file = machines.lab.path("bin").join(program);
        fs::write(&file, script).unwrap();
        fs::set_permissions(file, fs::Permissions::from_mode(0o755)).unwrap();
    }
    let site = machines.lab.path("site");
    fs::create_dir_all(site.join("examples/lab")).unwrap();
    let manifest = peers::root().join("examples/lab/cluster.yaml");
    fs::copy(manifest, site.join("examples/lab/cluster.yaml")).unwrap();

    let commands = readme("A whole cluster");
    assert_eq!(commands.len(), 7, "{commands:#?}");
    // The worker's network reaches all machines.
    let mut bash = machines.controller("workerone", "/bin/bash");
    let ours = std::path::Path::new(env!("CARGO_BIN_EXE_etcdpki")).parent().unwrap();
    let path = format!("{}:{}:/usr/bin:/bin", machines.lab.path("bin").display(), ours.display());
    bash.arg("-euc").arg(commands.join("\n")).env("PATH", path).current_dir(&site);
    let run = finish(bash.env("HOME", machines.lab.folder()));
    assert_eq!(run.code, 0, "{run:?}");
    // etcdctl 3.5 says it on standard error.
    assert_eq!(format!("{run:?}").matches("is healthy").count(), 3, "{run:?}");
}

/// Why a command is not run here.
const NOT_RUN: &[(&str, &str)] = &[
    (
        "--public-key ca-public.pem",
        "the command and the key are the reader's own; the tests of custody run it",
    ),
    ("--tbs-out", "needs a key that is elsewhere; the tests of custody run it"),
    ("--signature-in", "the same"),
    ("ssh root@", "needs the machines; the test above and those of the delivery run it"),
    ("--connect", "needs a live endpoint; the tests of live endpoints run it"),
    ("openssl s_client", "the same"),
    ("/etc/bash_completion.d", "writes to the machine; the test of the package runs it"),
    ("/etc/etcd", "writes to the machine"),
    ("/var/backups", "the same"),
    ("/usr/local/bin", "the same"),
    ("/media/", "needs a second disk"),
    ("import-ca", "needs a CA of another tool; the tests of import-ca run it"),
    ("certdb import", "needs a database of cfssl; the tests of the inventory run it"),
    ("passwd", "needs an encrypted CA key; the tests of custody run it"),
    ("rotate-ca finish", "needs a rotation that is under way; the tests of rotations run it"),
    ("--dir pki/client-ca", "needs separate CAs; the tests of separate CAs run it"),
    ("--ca peer", "the same"),
    ("e1.json", "needs the files of cfssl; the tests of cfssl run it"),
    ("--out FILE", "a placeholder"),
    (" HOST ", "a placeholder"),
    ("…", "a placeholder"),
];

/// The commands in docs/ that are lines of their own, or whole in backticks.
fn in_documents() -> BTreeSet<String> {
    let mut commands = BTreeSet::new();
    for file in fs::read_dir(peers::root().join("docs")).unwrap().map(|entry| entry.unwrap().path())
    {
        let name = file.file_name().unwrap().to_str().unwrap().to_owned();
        // Generated from the rules, whose remedies have placeholders; ci.md has a test of its own.
        let is_page = file.extension().is_some_and(|extension| extension == "md");
        if !is_page || ["rules.md", "faults.md", "ci.md"].contains(&&*name) {
            continue;
        }
        let text = fs::read_to_string(&file).unwrap();
        let lines = text.lines().filter_map(|line| line.strip_prefix("    "));
        commands.extend(lines.filter(|line| line.starts_with("etcdpki ")).map(str::to_owned));
        let quoted = text.split('`').skip(1).step_by(2).filter(|quoted| !quoted.contains('\n'));
        let quoted =
            quoted.filter(|quoted| quoted.starts_with("etcdpki ") && quoted.contains(" -"));
        commands.extend(quoted.map(|quoted| quoted.replace("\\|", "|")));
    }
    commands
}

/// The examples in `--help` of each command, with continued lines joined.
fn in_help(lab: &Lab) -> BTreeSet<String> {
    let mut commands = BTreeSet::new();
    let help = lab.ok(&["--help"]);
    let (_, list) = help.split_once("\nCommands:\n").unwrap();
    let list = list.split("\n\n").next().unwrap();
    let names = list.lines().filter_map(|line| line.strip_prefix("  ")?.split(' ').next());
    for command in names.filter(|name| !name.is_empty() && *name != "help") {
        // cfssl has a help of its own.
        let help = lab.ok(&["help", command]);
        let Some((_, examples)) = help.split_once("\nExample") else { continue };
        let examples = examples.split_once(":\n").unwrap().1.replace("\\\n", " ");
        let examples: Vec<&str> =
            examples.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
        assert!(!examples.is_empty(), "{command}: {help}");
        commands.extend(examples.into_iter().map(str::to_owned));
    }
    commands
}

/// What a reader has who follows the documents: the lab, certificates by name, and the files of other tools.
fn reader() -> Lab {
    let lab = Lab::new();
    let example = peers::root().join("examples/lab/cluster.yaml");
    let clients = "clients: [{ name: backup }]\n";
    lab.write("cluster.yaml", fs::read_to_string(example).unwrap() + clients);
    lab.ok(&["apply", "-f", "cluster.yaml"]);
    lab.ok(&[
        "issue",
        "--profile",
        "server",
        "etcdone",
        "--san",
        "192.168.29.61",
        "--expiry",
        "2y",
    ]);
    for client in ["api", "apiserver-etcd-client", "backup"] {
        lab.ok(&["issue", "--profile", "client", client]);
    }
    let folder = |name: &str| fs::create_dir_all(lab.path(name)).unwrap();
    folder("certs");
    lab.write("certs/server.pem", lab.read("pki/hosts/etcdone/server.pem"));
    lab.write("password.txt", "secret\n");
    fs::set_permissions(lab.path("password.txt"), fs::Permissions::from_mode(0o600)).unwrap();
    let mut openssl = peers::program("openssl");
    let request = ["req", "-new", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=etcdone"];
    openssl.args(request).args(["-keyout", "csr-key.pem", "-out", "etcdone.csr"]);
    assert_eq!(finish(openssl.current_dir(lab.folder())).code, 0);
    lab.write("ca-csr.json", r#"{ "CN": "etcd CA", "key": { "algo": "ecdsa", "size": 256 } }"#);
    lab.write("server.json", r#"{ "CN": "www.lab", "hosts": ["www.lab"] }"#);
    let profile = r#"{ "signing": { "profiles": { "www": { "expiry": "90d", "usages": ["server auth"] } } } }"#;
    lab.write("ca-config.json", profile);
    folder("node_exporter");
    lab
}

#[test]
fn what_the_documents_and_the_help_show_works() {
    let lab = reader();
    let mut commands = in_documents();
    commands.extend(in_help(&lab));
    let is_not_run = |command: &&String| NOT_RUN.iter().any(|(part, _)| command.contains(part));
    for (part, reason) in NOT_RUN {
        assert!(
            commands.iter().any(|command| command.contains(part)),
            "nothing has {part}: {reason}"
        );
    }
    let mut failed = String::new();
    let mut ran = 0;
    for command in commands.iter().filter(|command| !is_not_run(command)) {
        let lab = reader();
        let run = shell(&lab, command);
        if run.code != 0 {
            let _ = writeln!(failed, "{command}: {run:?}");
        }
        ran += 1;
    }
    assert!(failed.is_empty(), "{failed}");
    assert!(ran >= 25, "{ran} of {commands:#?}");
}

fn shell(lab: &Lab, command: &str) -> Run {
    let before = match command.split_whitespace().nth(1) {
        // They write what the reader has already.
        Some("issue") => "rm -f etcdone*.pem apiserver*.pem\n",
        Some("init-ca") => "rm -r pki\n",
        Some("crl") => "etcdpki crl >/dev/null\n",
        // The folders were copied from the hosts.
        Some("adopt") => {
            "mv pki/hosts/etcdone node1; mv pki/hosts/etcdtwo node2; mv pki/hosts/etcdthree node3
             rm -r pki cluster.yaml\n"
        }
        _ => "",
    };
    let command = command.replace("/var/lib/node_exporter", "node_exporter");
    let ours = std::path::Path::new(env!("CARGO_BIN_EXE_etcdpki")).parent().unwrap();
    let path = format!("{}:{}", ours.display(), std::env::var("PATH").unwrap());
    let mut bash = peers::program("bash");
    bash.args(["-euo", "pipefail", "-c", &format!("{before}{command}")]);
    finish(
        bash.env("PATH", path)
            .env("MANPAGER", "cat")
            .env_remove("ETCDPKI_DIR")
            .current_dir(lab.folder()),
    )
}
