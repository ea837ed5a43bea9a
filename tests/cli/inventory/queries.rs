//! `list` and `show`: what the inventory says, compared with sqlite3 and OpenSSL.

use serde_json::Value;

use crate::lab::{Lab, Run};
use crate::peers;
use crate::process::finish;

const MANIFEST: &str = "\
cluster: lab
etcd: [{ name: etcdone, ip: 192.168.29.61 }]
control_plane: [{ name: masterone, ip: 192.168.29.51 }]
clients: [{ name: backup, host: etcdone, expiry: 20d }]
renew_before: 5d
";

fn used() -> Lab {
    let lab = Lab::new();
    lab.write("cluster.yaml", MANIFEST);
    lab.ok(&["apply", "-f", "cluster.yaml"]);
    lab.ok(&["issue", "--profile", "client", "short", "--expiry", "10d", "--out", "out"]);
    lab.ok(&["issue", "--profile", "peer", "etcdtwo-peer", "--cn", "etcdtwo"]);
    lab
}

fn listed(lab: &Lab, filters: &[&str]) -> Vec<Value> {
    let document = lab.ok(&[&["list", "--format", "json"], filters].concat());
    let document: Value = serde_json::from_str(&document).unwrap();
    document["certificates"].as_array().unwrap().clone()
}

fn names(lab: &Lab, filters: &[&str]) -> Vec<String> {
    let name = |row: &Value| row["common_name"].as_str().unwrap().to_owned();
    listed(lab, filters).iter().map(name).collect()
}

pub(crate) fn program(lab: &Lab, program: &str, args: &[&str]) -> Run {
    finish(peers::program(program).args(args).current_dir(lab.folder()))
}

pub(crate) fn sqlite(lab: &Lab, file: &str, query: &str) -> String {
    let run = program(lab, "sqlite3", &[file, query]);
    assert_eq!(run.code, 0, "{query}: {run:?}");
    run.stdout
}

/// The serial number of a file, by OpenSSL.
pub(crate) fn serial_of(lab: &Lab, file: &str) -> String {
    let run = program(lab, "openssl", &["x509", "-noout", "-serial", "-in", file]);
    run.stdout.trim().strip_prefix("serial=").unwrap().to_owned()
}

#[test]
fn list_finds_by_every_filter() {
    let lab = used();
    let all =
        ["etcd CA", "etcdone", "etcdone", "backup", "apiserver-etcd-client", "short", "etcdtwo"];
    assert_eq!(names(&lab, &[]), all);
    assert_eq!(names(&lab, &["--host", "etcdone"]), ["etcdone", "etcdone", "backup"]);
    assert_eq!(names(&lab, &["--host", "masterone"]), ["apiserver-etcd-client"]);
    // A certificate of `issue` is in no host's folder.
    assert_eq!(names(&lab, &["--host", "etcdtwo"]), ["etcdtwo"]);
    assert_eq!(names(&lab, &["--profile", "peer"]), ["etcdone", "etcdtwo"]);
    assert_eq!(names(&lab, &["--profile", "peer", "--host", "etcdone"]), ["etcdone"]);
    assert_eq!(names(&lab, &["--profile", "ca"]), ["etcd CA"]);
    assert_eq!(names(&lab, &["--expiring", "15d"]), ["short"]);
    assert_eq!(names(&lab, &["--expiring", "30d"]), ["backup", "short"]);
    assert_eq!(names(&lab, &["--expiring", "9d"]), [""; 0]);
    assert_eq!(names(&lab, &["--revoked"]), [""; 0]);
    let serial = serial_of(&lab, "out/short.pem");
    assert_eq!(names(&lab, &["--serial", &serial]), ["short"]);
    assert_eq!(names(&lab, &["--serial", "1234"]), [""; 0]);

    let rows = sqlite(&lab, super::FILE, "SELECT count(*) FROM certificates");
    assert_eq!(rows.trim(), listed(&lab, &[]).len().to_string());
    let text = lab.ok(&["list", "--host", "etcdone"]);
    assert_eq!(text.lines().count(), 4, "{text}");
    assert!(text.contains("hosts/etcdone/peer.pem\n"), "{text}");
}

#[test]
fn host_and_file_of_each_certificate_are_recorded() {
    let lab = used();
    for row in listed(&lab, &[]).iter().skip(1) {
        let file = row["file"].as_str().unwrap();
        let (host, path) = match row["host"].as_str() {
            Some(host) => (host, lab.path("pki").join(file)),
            None => ("", file.into()),
        };
        assert_eq!(host.is_empty(), !file.starts_with("hosts/"), "{row}");
        assert!(path.is_absolute() && path.is_file(), "{}", path.display());
        let serial = serial_of(&lab, path.to_str().unwrap());
        assert_eq!(row["serial"].as_str().unwrap().to_uppercase(), serial);
    }
    assert!(listed(&lab, &[])[0]["file"].is_null(), "the CA is not a file of a host");
}

/// An alarm on `--expiring` must not burn for a certificate that nobody uses any more.
#[test]
fn a_certificate_whose_file_has_a_later_one_is_replaced() {
    let lab = used();
    lab.ok(&["issue", "--profile", "client", "short", "--out", "out", "--force"]);
    std::fs::remove_file(lab.path("pki/hosts/etcdone/backup.pem")).unwrap();
    lab.ok(&["apply", "-f", "cluster.yaml"]);
    let status = |name: &str| -> Vec<String> {
        let rows = listed(&lab, &["--host", name]).into_iter();
        rows.map(|row| row["status"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(status("short"), ["replaced", "good"]);
    assert_eq!(status("etcdone"), ["good", "good", "replaced", "good"]);
    assert_eq!(names(&lab, &["--expiring", "30d"]), ["backup"]);
}

#[test]
fn show_has_the_record_and_the_certificate() {
    let lab = used();
    let serial = serial_of(&lab, "out/short.pem");
    let colons: Vec<&str> = (0..serial.len()).step_by(2).map(|at| &serial[at..at + 2]).collect();
    let text = lab.ok(&["show", &colons.join(":")]);
    assert!(text.starts_with("status good\nprofile client\n"), "{text}");
    assert!(text.contains(&String::from_utf8(lab.read("out/short.pem")).unwrap()), "{text}");
    let document: Value =
        serde_json::from_str(&lab.ok(&["show", &serial, "--format", "json"])).unwrap();
    let shown = &document["certificates"][0];
    assert_eq!(shown["record"]["common_name"], "short");
    assert_eq!(shown["certificate"]["subject"], "CN=short");
    let run = lab.run(&["show", "1234"]);
    assert_eq!(run.code, 1, "{run:?}");
    assert!(run.stderr.contains("no certificate has the serial number 1234"), "{run:?}");
    let run = lab.run(&["show", "short.pem"]);
    assert_eq!(run.code, 2, "{run:?}");
}

/// What etcdpki wrote before it recorded places: it is read as it is, and the next record brings it up to date.
#[test]
fn an_inventory_of_version_1_is_listed_and_migrated() {
    let lab = used();
    sqlite(&lab, super::FILE, "DROP TABLE places; DROP TABLE crls; PRAGMA user_version = 1");
    assert_eq!(names(&lab, &["--host", "etcdone"]), ["etcdone", "etcdone"]);
    assert_eq!(sqlite(&lab, super::FILE, "PRAGMA user_version").trim(), "1");
    lab.ok(&["issue", "--profile", "client", "new"]);
    assert_eq!(sqlite(&lab, super::FILE, "PRAGMA user_version").trim(), "2");
    assert_eq!(listed(&lab, &[]).len(), 8);
    assert!(listed(&lab, &["--host", "new"])[0]["file"].as_str().unwrap().ends_with("/new.pem"));
}

#[test]
fn commands_without_an_inventory_say_what_to_do() {
    let lab = Lab::new();
    for args in [&["list"][..], &["show", "12"], &["backup", "b.db"], &["certdb", "export", "c.db"]]
    {
        let run = lab.run(args);
        assert_eq!(run.code, 3, "{args:?}: {run:?}");
        assert!(run.stderr.contains("pki/inventory.db is missing\n  hint: "), "{run:?}");
    }
    assert!(!lab.path("b.db").exists() && !lab.path("c.db").exists());
}
