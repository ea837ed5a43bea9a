//! `check`: it reports what is wrong, and restores what files contain.

use std::fs;

use super::queries::sqlite;
use super::{FILE, rows};
use crate::lab::{Lab, Run};

const MANIFEST: &str = "\
cluster: lab
etcd: [{ name: etcdone, ip: 192.168.29.61 }, { name: etcdtwo, ip: 192.168.29.62 }]
control_plane: [{ name: masterone, ip: 192.168.29.51 }]
";

fn used() -> Lab {
    let lab = Lab::new();
    lab.write("cluster.yaml", MANIFEST);
    lab.ok(&["apply", "-f", "cluster.yaml"]);
    lab.ok(&["issue", "--profile", "client", "api", "--out", "out"]);
    assert_eq!(lab.ok(&["check"]), "pki/inventory.db: ok, 7 certificates\n");
    lab
}

#[track_caller]
fn found(lab: &Lab, says: &str) -> Run {
    let run = lab.run(&["check"]);
    assert_eq!(run.code, 1, "{run:?}");
    assert!(run.stdout.contains(says), "{says:?} was expected: {run:?}");
    assert!(run.stderr.contains("check --rebuild"), "{run:?}");
    run
}

fn places(lab: &Lab) -> String {
    sqlite(lab, FILE, "SELECT host, path FROM places WHERE host IS NOT NULL ORDER BY path")
}

/// Everything that is in a file comes back, with its profile, its host and its place.
#[test]
fn a_lost_or_damaged_inventory_is_rebuilt_from_files() {
    for damage in ["deleted", "no rows", "no database", "half of it", "a page of zeros"] {
        let lab = used();
        let (mut before, placed) = (rows(&lab), places(&lab));
        let whole = lab.read(FILE);
        match damage {
            "deleted" => fs::remove_file(lab.path(FILE)).unwrap(),
            "no rows" => drop(sqlite(&lab, FILE, "DELETE FROM certificates; DELETE FROM places")),
            "no database" => lab.write(FILE, "these are no certificates\n".repeat(1000)),
            "half of it" => lab.write(FILE, &whole[..whole.len() / 2]),
            _ => {
                // The page of a leaf of the table, not the first, which has the schema.
                let zeroed = [&whole[..4096], &vec![0; 4096], &whole[8192..]].concat();
                lab.write(FILE, zeroed);
            }
        }
        let run = lab.run(&["check"]);
        assert_eq!(run.code, 1, "{damage}: {run:?}");
        let run = lab.run(&["check", "--rebuild", "--scan", "out"]);
        assert_eq!(run.code, 0, "{damage}: {run:?}");
        assert_eq!(run.stdout, "pki/inventory.db: ok, 7 certificates\n", "{damage}");
        assert!(run.stderr.contains("added 6 certificates"), "{damage}: {run:?}");
        let set_aside = lab.path("pki/inventory.db.damaged").exists();
        assert_eq!(set_aside, !["deleted", "no rows"].contains(&damage), "{damage}");
        let mut after = rows(&lab);
        before.sort();
        after.sort();
        assert_eq!(before, after, "{damage}");
        assert_eq!(places(&lab), placed, "{damage}");
        assert_eq!(sqlite(&lab, FILE, "PRAGMA integrity_check"), "ok\n");
        let run = lab.run(&["issue", "--profile", "client", "next"]);
        assert_eq!((run.code, run.stderr.as_str()), (0, ""), "{damage}: {run:?}");
        // Nothing is added twice.
        lab.ok(&["check", "--rebuild"]);
        assert_eq!(rows(&lab).len(), 8);
    }
}

/// A backup is older than the hosts' folders; `check` adds what was issued since.
#[test]
fn rows_that_are_missing_are_named_and_added() {
    let lab = used();
    lab.ok(&["backup", "old.db"]);
    fs::remove_file(lab.path("pki/hosts/etcdone/peer.pem")).unwrap();
    lab.ok(&["apply", "-f", "cluster.yaml"]);
    fs::copy(lab.path("old.db"), lab.path(FILE)).unwrap();
    let run = found(&lab, "pki/hosts/etcdone/peer.pem: not in the inventory: ");
    assert!(run.stdout.starts_with("pki/inventory.db: 2 problems\n"), "{run:?}");
    let log = "pki/inventory.db-wal does not belong to pki/inventory.db, which was replaced: ";
    assert!(run.stdout.contains(log), "{run:?}");
    let run = lab.run(&["check", "--rebuild"]);
    assert_eq!((run.code, run.stdout.as_str()), (0, "pki/inventory.db: ok, 8 certificates\n"));
}

/// SQLite has no checksums: these are inventories that it calls whole.
#[test]
fn a_row_that_differs_from_its_certificate_is_named() {
    let other = "(SELECT pem FROM certificates WHERE common_name = 'etcdtwo' LIMIT 1)";
    for (change, says) in [
        ("expiry = '2099-01-01T00:00:00Z'".to_owned(), "expiry: differs from its certificate"),
        ("common_name = 'root'".to_owned(), "common_name: differs from its certificate"),
        (format!("pem = {other}"), "serial_number, expiry, common_name"),
        ("pem = 'gone'".to_owned(), "its certificate cannot be read"),
    ] {
        let lab = used();
        let update = format!("UPDATE certificates SET {change} WHERE common_name = 'api'");
        sqlite(&lab, FILE, &update);
        assert_eq!(sqlite(&lab, FILE, "PRAGMA integrity_check"), "ok\n");
        let run = lab.run(&["check"]);
        assert_eq!(run.code, 1, "{change}: {run:?}");
        let says = says.replace("serial_number, expiry, common_name", "serial_number");
        assert!(run.stdout.contains(&says), "{change}: {run:?}");
    }
}

/// A certificate with the CA's key identifier that the CA did not sign.
#[test]
fn a_row_with_a_forged_signature_is_named() {
    let lab = used();
    let pem = String::from_utf8(lab.read("out/api.pem")).unwrap();
    let body: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    // A character in the middle of the signature, which is at the end.
    let at = body.len() - 20;
    let other = if body.as_bytes()[at] == b'A' { "B" } else { "A" };
    let forged = format!("{}{other}{}", &body[..at], &body[at + 1..]);
    let pem = format!("-----BEGIN CERTIFICATE-----\n{forged}\n-----END CERTIFICATE-----\n");
    let update = format!("UPDATE certificates SET pem = '{pem}' WHERE common_name = 'api'");
    sqlite(&lab, FILE, &update);
    let _ = found(&lab, "the signature of its certificate is wrong");
}

#[test]
fn an_index_that_lost_an_entry_is_damage() {
    let lab = used();
    // The index gets a wrong root page.
    let emptied = "PRAGMA writable_schema = ON;
        UPDATE sqlite_schema SET sql = replace(sql, 'host                     TEXT', 'host INTEGER NOT NULL')
        WHERE name = 'places';";
    sqlite(&lab, FILE, emptied);
    let run = lab.run(&["check", "--format", "json"]);
    assert_eq!(run.code, 1, "{run:?}");
    let document: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(document["ok"], false);
    let problem = document["problems"][0].as_str().unwrap();
    assert!(problem.starts_with("pki/inventory.db: it is damaged: "), "{problem}");
}
