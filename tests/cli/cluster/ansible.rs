//! Runs the tasks in docs/manifest.md with Ansible.

use super::*;
use crate::peers;
use crate::process::finish;

/// The first task of the snippet. The second one copies files and needs a host to copy to.
fn task() -> String {
    let text = std::fs::read_to_string(peers::root().join("docs/manifest.md")).unwrap();
    let (_, rest) = text.split_once("\n## Ansible\n").unwrap();
    let (_, snippet) = rest.split_once("```yaml\n").unwrap();
    let (snippet, _) = snippet.split_once("```").unwrap();
    let (first, _) = snippet.split_once("\n\n").unwrap();
    assert!(first.contains("changed_when: "), "{first}");
    // With the indentation of the tasks in a play.
    format!("    {}\n", first.replace('\n', "\n    "))
}

fn play(lab: &Lab) -> Run {
    let mut ansible = std::process::Command::new(peers::venv("python"));
    ansible.arg(peers::venv("ansible-playbook"));
    ansible.args(["--inventory", "localhost,", "--connection", "local", "playbook.yaml"]);
    // The task must find the etcdpki under test.
    let ours = Path::new(env!("CARGO_BIN_EXE_etcdpki")).parent().unwrap().to_owned();
    let path = std::env::var_os("PATH").unwrap();
    let path = std::iter::once(ours).chain(std::env::split_paths(&path));
    ansible.env("PATH", std::env::join_paths(path).unwrap()).env_remove("ETCDPKI_DIR");
    ansible
        .env("ANSIBLE_LOCAL_TEMP", lab.path("ansible"))
        .env("ANSIBLE_REMOTE_TEMP", lab.path("ansible"));
    ansible.env("ANSIBLE_PYTHON_INTERPRETER", peers::venv("python"));
    finish(ansible.env("LC_ALL", "C.UTF-8").current_dir(lab.folder()))
}

#[test]
fn the_json_drives_changed_when() {
    let lab = with_manifest(LAB);
    let play_of = |task: &str| format!("- hosts: all\n  gather_facts: false\n  tasks:\n{task}");
    lab.write("playbook.yaml", play_of(&task()));
    for (when, changed) in [("first", 1), ("again", 0), ("after a change", 1), ("at last", 0)] {
        if when == "after a change" {
            edit(&lab, "ip: 192.168.29.61 }", "ip: 192.168.29.61, sans: [etcd.example.com] }");
        }
        let run = play(&lab);
        assert_eq!(run.code, 0, "{when}: {run:?}");
        assert!(run.stdout.contains(&format!("ok=1    changed={changed} ")), "{when}: {run:?}");
    }
    assert!(lab.path("pki/hosts/etcdone/server.pem").exists());

    lab.write("cluster.yaml", "cluster: lab\n");
    let run = play(&lab);
    assert!(run.code != 0 && run.stdout.contains("no members"), "{run:?}");
}
