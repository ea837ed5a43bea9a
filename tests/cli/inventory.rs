//! The inventory can be trusted: one that is lost, empty, damaged or of another CA is noticed.

mod backup;
mod certdb;
mod check;
mod log;
mod many;
mod queries;
mod repair;
mod service;
mod signature;
mod syncs;

use std::fs;

pub(crate) use queries::{program, serial_of, sqlite};
use rusqlite::Connection;

use crate::files::tree::Tree;
use crate::lab::Lab;
use crate::peers;
use crate::process::finish;

const ISSUE: &[&str] = &["issue", "--profile", "client", "api", "--force"];
const APPLY: &[&str] = &["apply", "-f", "cluster.yaml"];
const MANIFEST: &str = "cluster: lab\netcd: [{ name: etcdone, ip: 192.168.29.61 }]\n";
const FILE: &str = "pki/inventory.db";

/// The table as cfssl's migrations make it, after the first one and after both (certdb/sqlite/migrations).
const CFSSL: [&str; 2] = [
    "CREATE TABLE certificates (serial_number blob NOT NULL, authority_key_identifier blob NOT NULL,
        ca_label blob, status blob NOT NULL, reason int, expiry timestamp, revoked_at timestamp,
        pem blob NOT NULL, PRIMARY KEY(serial_number, authority_key_identifier))",
    "CREATE TABLE certificates (serial_number blob NOT NULL, authority_key_identifier blob NOT NULL,
        ca_label blob, status blob NOT NULL, reason int, expiry timestamp, revoked_at timestamp,
        pem blob NOT NULL, issued_at timestamp, not_before timestamp, metadata text, sans text,
        common_name text, PRIMARY KEY(serial_number, authority_key_identifier))",
];

fn database(lab: &Lab) -> Connection {
    Connection::open(lab.path(FILE)).unwrap()
}

/// The common names and profiles in the inventory, in the order of recording.
fn rows(lab: &Lab) -> Vec<(String, String)> {
    let database = database(lab);
    let query = "SELECT common_name, ca_label FROM certificates ORDER BY rowid";
    let mut query = database.prepare(query).unwrap();
    let rows = query.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    rows.map(Result::unwrap).collect()
}

fn row(common_name: &str, profile: &str) -> (String, String) {
    (common_name.to_owned(), profile.to_owned())
}

/// A lab with a CA that issued something.
fn used() -> Lab {
    let lab = Lab::with_ca(&[]);
    lab.ok(&["issue", "--profile", "client", "before"]);
    lab.write("cluster.yaml", MANIFEST);
    lab
}

/// `issue` and `apply` end with exit code 3, say this, and change nothing.
#[track_caller]
fn refused(lab: &Lab, says: &str) -> String {
    let before = Tree::of(lab.folder());
    for args in [APPLY, ISSUE] {
        let run = lab.run(args);
        assert_eq!(run.code, 3, "{args:?}: {run:?}");
        assert!(run.stderr.contains(says), "{says:?} was expected: {run:?}");
        assert!(run.stderr.contains("\n  hint: "), "{run:?}");
    }
    assert_eq!(before.changes(&Tree::of(lab.folder())), [""; 0]);
    lab.run(ISSUE).stderr
}

/// The command that a hint shows, as a shell runs it.
fn follow(lab: &Lab, command: &str) {
    let mut shell = peers::program("sh");
    let run = finish(shell.args(["-ec", command]).current_dir(lab.folder()));
    assert_eq!(run.code, 0, "{command}: {run:?}");
}

#[test]
fn a_lost_or_emptied_inventory_is_a_warning_and_a_new_one_begins() {
    for emptied in ["removed", "no bytes", "no rows"] {
        let lab = used();
        let word = match emptied {
            "removed" => {
                fs::remove_file(lab.path(FILE)).unwrap();
                "missing"
            }
            "no bytes" => {
                lab.write(FILE, "");
                "empty"
            }
            _ => {
                database(&lab).execute_batch("DELETE FROM certificates").unwrap();
                "empty"
            }
        };
        let run = lab.run(ISSUE);
        assert_eq!(run.code, 0, "{emptied}: {run:?}");
        let warning = format!("warning: pki/inventory.db is {word}: ");
        assert!(run.stderr.starts_with(&warning), "{emptied}: {run:?}");
        assert!(run.stderr.contains("if you have a backup, restore it"), "{run:?}");
        assert_eq!(rows(&lab), [row("etcd CA", "ca"), row("api", "client")], "{emptied}");
        // It knows the CA now, and has nothing more to warn of.
        let run = lab.run(ISSUE);
        assert_eq!((run.code, run.stderr.as_str()), (0, ""), "{emptied}");
    }
}

#[test]
fn apply_warns_of_a_lost_inventory_whether_it_signs_or_not() {
    let lab = used();
    lab.ok(APPLY);
    for round in ["nothing to sign", "something to sign"] {
        fs::remove_file(lab.path(FILE)).unwrap();
        if round == "something to sign" {
            fs::remove_file(lab.path("pki/hosts/etcdone/peer.pem")).unwrap();
        }
        let run = lab.run(APPLY);
        assert_eq!(run.code, 0, "{round}: {run:?}");
        assert!(
            run.stderr.starts_with("warning: pki/inventory.db is missing: "),
            "{round}: {run:?}"
        );
        // What was not needed was not made.
        assert_eq!(lab.path(FILE).exists(), round == "something to sign");
        lab.ok(APPLY);
        if round == "nothing to sign" {
            lab.write(FILE, "");
        }
    }
    assert_eq!(rows(&lab), [row("etcd CA", "ca"), row("etcdone", "peer")]);
    let run = lab.run(APPLY);
    assert_eq!((run.code, run.stderr.as_str()), (0, ""));
}

#[test]
fn an_inventory_of_another_ca_is_refused_and_a_new_one_begins_where_it_is_moved_away() {
    let lab = used();
    lab.ok(&["init-ca", "--dir", "other", "--cn", "other CA"]);
    lab.ok(&["issue", "--dir", "other", "--profile", "client", "stranger"]);
    fs::copy(lab.path("other/inventory.db"), lab.path(FILE)).unwrap();
    let said = refused(
        &lab,
        "pki/inventory.db: it belongs to another CA: it has no certificates of CN=etcd CA",
    );
    assert!(said.contains("mv pki/inventory.db pki/inventory.db.old, then"), "{said}");
    follow(&lab, "mv pki/inventory.db pki/inventory.db.old");
    lab.ok(ISSUE);
    assert_eq!(rows(&lab), [row("etcd CA", "ca"), row("api", "client")]);
}

#[test]
fn an_inventory_that_cfssl_or_another_program_made_is_refused() {
    let notes = "CREATE TABLE notes (text TEXT)";
    for schema in [CFSSL[0], CFSSL[1], notes] {
        let lab = used();
        fs::remove_file(lab.path(FILE)).unwrap();
        database(&lab).execute_batch(schema).unwrap();
        refused(&lab, "pki/inventory.db: another program made it");
    }
}

#[test]
fn a_damaged_inventory_is_refused_and_what_can_be_read_is_recovered() {
    let lab = used();
    for number in 0..40 {
        lab.ok(&["issue", "--profile", "client", &format!("c{number}"), "--out", "many"]);
    }
    // SQLite moves the log to the file when this is closed.
    let count = rows(&lab).len();
    let whole = lab.read(FILE);
    lab.write(FILE, "-----BEGIN CERTIFICATE-----\n".repeat(100));
    refused(&lab, "pki/inventory.db: it is damaged: ");
    // Cut in the middle: the table's root page is there, most of the rows are not.
    lab.write(FILE, &whole[..whole.len() / 2]);
    let said = refused(&lab, "pki/inventory.db: it is damaged: ");
    let hint = said.split("recover what can be read: ").nth(1).unwrap();
    let (commands, _) = hint.split_once("; or start").unwrap();
    follow(&lab, &commands.replace(", then ", " && "));
    lab.ok(ISSUE);
    let recovered = rows(&lab);
    assert!(recovered.contains(&row("api", "client")), "{recovered:?}");
    assert!((2..count).contains(&recovered.len()), "{} of {count}", recovered.len());
}

#[test]
fn an_inventory_of_a_newer_version_is_refused() {
    let lab = used();
    database(&lab).pragma_update(None, "user_version", 1000).unwrap();
    refused(&lab, "pki/inventory.db: its version is 1000");
}

/// What etcdpki wrote before its inventory had a version, for a CA that it had made and for one that was dropped in.
#[test]
fn an_inventory_without_a_version_keeps_its_rows_and_gets_one() {
    for dropped_in in [false, true] {
        let lab = used();
        let database = database(&lab);
        database.pragma_update(None, "user_version", 0).unwrap();
        if dropped_in {
            database.execute_batch("DELETE FROM certificates WHERE ca_label = 'ca'").unwrap();
        }
        let run = lab.run(ISSUE);
        assert_eq!((run.code, run.stderr.as_str()), (0, ""), "{run:?}");
        let mut rows = rows(&lab);
        rows.sort();
        let all = [row("api", "client"), row("before", "client"), row("etcd CA", "ca")];
        assert_eq!(rows, all);
        let version = |row: &rusqlite::Row<'_>| row.get::<_, u32>(0);
        assert_eq!(database.pragma_query_value(None, "user_version", version).unwrap(), 2);
    }
}

/// SQLite says "done" to an insert that a trigger or a view swallows.
#[test]
fn an_insert_that_adds_no_row_issues_nothing() {
    let ignore = "CREATE TRIGGER quiet BEFORE INSERT ON certificates WHEN new.ca_label <> 'ca'
        BEGIN SELECT RAISE(IGNORE); END";
    let view = "ALTER TABLE certificates RENAME TO hidden;
        CREATE VIEW certificates AS SELECT * FROM hidden;
        CREATE TRIGGER quiet INSTEAD OF INSERT ON certificates BEGIN SELECT 1; END";
    for (schema, reason) in
        [(ignore, "a trigger discards the rows that are added"), (view, "cannot UPSERT a view")]
    {
        let lab = used();
        fs::create_dir(lab.path("pki/hosts")).unwrap();
        database(&lab).execute_batch(schema).unwrap();
        refused(&lab, reason);
        assert!(!lab.path("api.pem").exists());
        assert!(!lab.path("pki/hosts/etcdone").exists());
        let query = "SELECT count(*) FROM certificates";
        let count: u32 = database(&lab).query_row(query, [], |row| row.get(0)).unwrap();
        assert_eq!(count, 2);
    }
}

/// SQLite reads such a name as a URI: nothing was recorded, and nobody noticed.
#[test]
fn a_folder_whose_name_looks_like_a_uri_of_sqlite_is_a_folder() {
    for folder in ["file:m?mode=memory", "file:pki?vfs=none&", ":memory:", "file:a%20b#c"] {
        let lab = Lab::new();
        lab.ok(&["-d", folder, "init-ca"]);
        lab.ok(&["-d", folder, "issue", "--profile", "client", "api"]);
        let copy = lab.path("copy.db");
        for suffix in ["", "-wal"] {
            let file = lab.path(folder).join(format!("inventory.db{suffix}"));
            fs::copy(file, lab.path(format!("copy.db{suffix}"))).unwrap();
        }
        let database = Connection::open(&copy).unwrap();
        let query = "SELECT count(*) FROM certificates";
        let count: u32 = database.query_row(query, [], |row| row.get(0)).unwrap();
        assert_eq!(count, 2, "{folder}");
        assert_eq!(lab.run(&["-d", folder, "issue", "--profile", "client", "b"]).stderr, "");
    }
}
