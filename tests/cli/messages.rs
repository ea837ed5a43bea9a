//! Messages: about a wait, all mistakes at once, unreadable files, and what is missing on the command line.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::process::Stdio;
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use crate::lab::{Lab, Run};
use crate::peers;

fn document(run: &Run) -> Value {
    serde_json::from_str(&run.stdout).unwrap_or_else(|error| panic!("{error}: {run:?}"))
}

#[test]
fn a_wait_for_a_lock_is_reported_after_a_second() {
    let lab = Lab::with_ca(&[]);
    for (hold, said) in [(Duration::from_millis(100), false), (Duration::from_millis(1800), true)] {
        let folder = File::open(lab.path("pki")).unwrap();
        folder.lock().unwrap();
        let waiting = thread::spawn(move || {
            thread::sleep(hold);
            drop(folder);
        });
        let run = lab.run(&["issue", "--profile", "client", "--force", "backup"]);
        waiting.join().unwrap();
        assert_eq!(run.code, 0, "{run:?}");
        let count = run.stderr.matches("waiting: another etcdpki works in pki\n").count();
        assert_eq!(count, usize::from(said), "{run:?}");
    }
}

#[test]
fn a_wait_for_the_inventory_is_reported_after_a_second() {
    const HOLD: &str = "import sqlite3, sys, time
connection = sqlite3.connect('pki/inventory.db', isolation_level=None)
connection.execute('BEGIN EXCLUSIVE')
print('held', flush=True)
time.sleep(3)";
    let lab = Lab::with_ca(&[]);
    let mut python = peers::program("python3");
    python.args(["-c", HOLD]).current_dir(lab.folder()).stdout(Stdio::piped());
    let mut holder = python.spawn().unwrap();
    let mut line = String::new();
    BufReader::new(holder.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let run = lab.run(&["issue", "--profile", "client", "backup"]);
    assert!(holder.wait().unwrap().success());
    assert_eq!(run.code, 0, "{run:?}");
    let says = "waiting: another program writes to the inventory\n";
    assert_eq!(run.stderr.matches(says).count(), 1, "{run:?}");
}

#[test]
fn the_mistakes_in_a_manifest_are_objects() {
    let lab = Lab::new();
    lab.write(
        "cluster.yaml",
        "cluster: lab\nrenew_befor: 3d\netcd:\n  - { name: one, ip: 10.0.0.256 }\n",
    );
    for command in ["plan", "apply", "status", "verify"] {
        let run = lab.run(&[command, "-f", "cluster.yaml", "--format", "json"]);
        assert_eq!(run.code, 2, "{run:?}");
        let error = &document(&run)["error"];
        assert_eq!(error["message"], "cluster.yaml: 2 mistakes in the manifest");
        let mistakes = error["mistakes"].as_array().unwrap();
        let places: Vec<Value> = mistakes
            .iter()
            .map(|mistake| json!([mistake["path"], mistake["line"], mistake["column"]]))
            .collect();
        assert_eq!(places, [json!(["renew_befor", 2, 14]), json!(["etcd[0].ip", 4, 22])]);
        assert!(mistakes[0]["hint"].as_str().unwrap().contains("renew_before"), "{mistakes:?}");
        assert!(mistakes[1]["message"].as_str().unwrap().contains("10.0.0.256"), "{mistakes:?}");
        // Text has the same, each on a line.
        let text = lab.run(&[command, "-f", "cluster.yaml"]);
        assert!(text.stderr.contains("\n  line 4, column 22: etcd[0].ip "), "{text:?}");
    }
    lab.write("cluster.yaml", "cluster: lab\netcd: [\n");
    let run = lab.run(&["plan", "-f", "cluster.yaml", "--format", "json"]);
    let mistake = &document(&run)["error"]["mistakes"][0];
    assert_eq!((run.code, &mistake["path"]), (2, &Value::Null));
    assert!(mistake["line"].as_u64().is_some_and(|line| line >= 2), "{mistake}");
}

#[test]
fn a_file_that_cannot_be_read_hides_no_other() {
    let lab = Lab::with_ca(&[]);
    lab.write("empty", "");
    let run = lab.run(&["inspect", "missing.pem", "pki/ca.pem", "empty"]);
    // The worst of a missing file (3) and an empty one (2).
    assert_eq!(run.code, 3, "{run:?}");
    assert!(run.stdout.starts_with("pki/ca.pem: certificate\n"), "{run:?}");
    assert!(
        run.stderr.contains("missing.pem") && run.stderr.contains("empty: the input"),
        "{run:?}"
    );
    let run = lab.run(&["inspect", "empty", "pki/ca.pem", "--format", "json"]);
    assert_eq!(run.code, 2, "{run:?}");
    let files = &document(&run)["files"];
    assert_eq!(files[0]["error"]["kind"], "usage");
    assert_eq!(files[0]["contents"], json!([]));
    assert_eq!(files[1]["contents"][0]["kind"], "certificate");
    assert!(files[1].get("error").is_none(), "{files}");
}

#[test]
fn verify_without_arguments_says_what_it_can_be_given() {
    let lab = Lab::new();
    let run = lab.run(&["verify"]);
    assert_eq!(run.code, 2, "{run:?}");
    for word in
        ["nothing to verify", "etcdone.pem", "standard input", "-f cluster.yaml", "--connect"]
    {
        assert!(run.stderr.contains(word), "{word}: {run:?}");
    }
}

#[test]
fn an_invalid_number_is_named_with_its_option() {
    let lab = Lab::new();
    for (args, option) in [
        (["init-ca", "--path-len", "x"], "--path-len <NUMBER>"),
        (["init-ca", "--path-len", "256"], "--path-len <NUMBER>"),
        (["init-ca", "--expiry", "x"], "--expiry <DURATION>"),
        (["verify", "--max-depth", "x"], "--max-depth <NUMBER>"),
    ] {
        let run = lab.run(&args);
        assert_eq!(run.code, 2, "{run:?}");
        assert!(run.stderr.contains(&format!("'{}' for '{option}'", args[2])), "{run:?}");
        assert!(run.stderr.contains("hint: "), "{run:?}");
        assert!(!run.stderr.contains("digit found in string"), "{run:?}");
    }
}

/// `-o FILE` writes one file, and `-` is standard input or output.
#[test]
fn a_minus_is_standard_output_or_refused() {
    let lab = Lab::new();
    lab.write("cluster.yaml", "cluster: lab\netcd: [{ name: one, ip: 10.0.0.1 }]\n");
    lab.ok(&["apply", "-f", "cluster.yaml"]);
    let page = lab.ok(&["status", "-f", "cluster.yaml", "-o", "-"]);
    assert!(page.contains("one/server.pem"), "{page}");
    assert_eq!(lab.ok(&["status", "-f", "cluster.yaml", "-o", "status.txt"]), "");
    assert_eq!(lab.read("status.txt"), page.as_bytes());
    lab.ok(&["export", "one", "-o", "one.tgz"]);
    let packed = lab.command(&["export", "one", "-o", "-"]).output().unwrap();
    assert_eq!(packed.stdout, lab.read("one.tgz"));
    for (args, says) in [
        (&["issue", "--profile", "client", "c", "--out", "-"][..], "two files"),
        (&["adopt", "pki", "-f", "-"], "the manifest must be a file"),
    ] {
        let run = lab.run(args);
        assert_eq!(run.code, 2, "{run:?}");
        assert!(run.stderr.contains(says), "{run:?}");
    }
    assert!(!lab.path("-").exists());
}
