//! The log `inventory.db-wal`: a record that is only there counts, and damage that it hides is told.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use super::queries::sqlite;
use super::{FILE, database, refused, row, rows, used};
use crate::files::disk::with_mounts;
use crate::files::tree::Tree;
use crate::lab::Lab;
use crate::peers;
use crate::process::finish;

const LOG: &str = "pki/inventory.db-wal";

/// A lab whose log has rows that `inventory.db` does not have.
fn logged() -> Lab {
    let lab = used();
    lab.ok(&["issue", "--profile", "client", "newest"]);
    let copy = tempfile::tempdir().unwrap();
    let alone = copy.path().join("alone.db");
    fs::copy(lab.path(FILE), &alone).unwrap();
    let alone = rusqlite::Connection::open(alone).unwrap();
    let query = "SELECT count(*) FROM certificates WHERE common_name = 'newest'";
    let count: u32 = alone.query_row(query, [], |row| row.get(0)).unwrap();
    assert_eq!(count, 0, "the log has nothing of its own");
    lab
}

fn mode(lab: &Lab, file: &str) -> u32 {
    fs::metadata(lab.path(file)).unwrap().permissions().mode() & 0o777
}

#[track_caller]
fn problem(lab: &Lab, says: &str) {
    let run = lab.run(&["check"]);
    assert_eq!(run.code, 1, "{run:?}");
    assert!(run.stdout.contains(says), "{says:?} was expected: {run:?}");
    assert!(run.stderr.contains("check --rebuild"), "{run:?}");
}

/// After `check --rebuild` everything is there, in one file.
#[track_caller]
fn rebuilt(lab: &Lab, expected: &[&str]) {
    let run = lab.run(&["check", "--rebuild", "--scan", "."]);
    assert_eq!(run.code, 0, "{run:?}");
    let run = lab.run(&["check"]);
    assert_eq!((run.code, run.stderr.as_str()), (0, ""), "{run:?}");
    fs::copy(lab.path(FILE), lab.path("whole.db")).unwrap();
    let names = sqlite(lab, "whole.db", "SELECT common_name FROM certificates ORDER BY 1");
    assert_eq!(names.lines().collect::<Vec<_>>(), expected);
    assert_eq!(sqlite(lab, "whole.db", "PRAGMA integrity_check"), "ok\n");
    let run = lab.run(&["issue", "--profile", "client", "later"]);
    assert_eq!((run.code, run.stderr.as_str()), (0, ""), "{run:?}");
}

#[test]
fn a_new_inventory_is_whole_without_its_log() {
    let lab = Lab::with_ca(&[]);
    assert_eq!(mode(&lab, LOG), 0o600);
    fs::copy(lab.path(FILE), lab.path("alone.db")).unwrap();
    assert_eq!(sqlite(&lab, "alone.db", "SELECT common_name FROM certificates"), "etcd CA\n");
}

/// `cp -a` and `tar` of the folder, and `sqlite3` in it, find everything.
#[test]
fn a_copy_of_the_folder_has_everything_and_so_has_sqlite3() {
    let lab = logged();
    let mut copy = peers::program("cp");
    let run = finish(copy.args(["-a", "pki", "copy"]).current_dir(lab.folder()));
    assert_eq!(run.code, 0, "{run:?}");
    let said = lab.ok(&["check", "--dir", "copy"]);
    assert_eq!(said, "copy/inventory.db: ok, 3 certificates\n");
    assert_eq!(sqlite(&lab, "copy/inventory.db", "SELECT count(*) FROM certificates"), "3\n");
    // sqlite3 moved the log to the file.
    assert!(!lab.path("copy/inventory.db-wal").exists());
    assert_eq!(lab.ok(&["check", "--dir", "copy"]), said);
    let run = lab.run(&["--dir", "copy", "issue", "--profile", "client", "next"]);
    assert_eq!((run.code, run.stderr.as_str()), (0, ""), "{run:?}");
    assert_eq!(lab.ok(&["backup", "one.db"]), "wrote one.db: 3 certificates\n");
    fs::rename(lab.path("one.db"), lab.path("two.db")).unwrap();
    assert_eq!(sqlite(&lab, "two.db", "SELECT count(*) FROM certificates"), "3\n");
    assert_eq!(sqlite(&lab, "two.db", "PRAGMA journal_mode"), "delete\n");
}

/// SQLite takes the first page from the log, and does not look at that of the file.
#[test]
fn damage_to_the_file_is_told_although_the_log_has_its_pages() {
    for damage in ["overwritten", "zeroed", "header", "truncated", "one page"] {
        let lab = logged();
        let bytes = lab.read(FILE);
        let damaged = match damage {
            "overwritten" => b"these are no certificates\n".repeat(bytes.len() / 26),
            "zeroed" => vec![0; bytes.len()],
            "header" => [&[0; 100], &bytes[100..]].concat(),
            "truncated" => bytes[..bytes.len() / 2].to_vec(),
            _ => bytes[..4096].to_vec(),
        };
        lab.write(FILE, damaged);
        refused(&lab, "pki/inventory.db: it is damaged: ");
        problem(&lab, "pki/inventory.db: it is damaged: ");
        let run = lab.run(&["backup", "copy.db"]);
        assert_eq!(run.code, 3, "{damage}: {run:?}");
        rebuilt(&lab, &["before", "etcd CA", "newest"]);
        assert!(lab.path("pki/inventory.db.damaged").exists(), "{damage}");
        assert!(lab.path("pki/inventory.db.damaged-wal").exists(), "{damage}");
    }
}

#[test]
fn a_page_that_only_the_log_has_whole_is_told_by_check() {
    let lab = logged();
    let bytes = lab.read(FILE);
    // The leaf of the table, which every new row changes.
    lab.write(FILE, [&bytes[..4096], &[0; 4096], &bytes[8192..]].concat());
    problem(&lab, "pki/inventory.db: it is damaged: ");
    rebuilt(&lab, &["before", "etcd CA", "newest"]);
}

/// SQLite ignores what it cannot read of a log, and writes over it.
#[test]
fn a_damaged_log_is_told() {
    let frame = 24 + 4096;
    for (damage, at) in [("header", 16), ("first frame", 32 + 2000), ("second", 32 + frame + 4)] {
        let lab = logged();
        let mut bytes = lab.read(LOG);
        for byte in &mut bytes[at..at + 8] {
            *byte ^= 0x55;
        }
        lab.write(LOG, bytes);
        refused(&lab, "pki/inventory.db: it is damaged: ");
        problem(&lab, "pki/inventory.db-wal");
        rebuilt(&lab, &["before", "etcd CA", "newest"]);
        assert!(lab.path("pki/inventory.db.damaged-wal").exists(), "{damage}");
    }
}

#[test]
fn garbage_in_place_of_the_log_is_told() {
    let lab = logged();
    lab.write(LOG, "these are no certificates\n".repeat(1000));
    refused(&lab, "pki/inventory.db: it is damaged: the header of ");
    problem(&lab, "the header of ");
    rebuilt(&lab, &["before", "etcd CA", "newest"]);
}

#[test]
fn a_lost_log_is_told() {
    for lost in ["removed", "emptied"] {
        let lab = logged();
        match lost {
            "removed" => fs::remove_file(lab.path(LOG)).unwrap(),
            _ => lab.write(LOG, ""),
        }
        problem(&lab, "pki/inventory.db-wal is missing: ");
        let run = lab.run(&["list"]);
        assert!(run.stderr.starts_with("warning: pki/inventory.db-wal is missing: "), "{run:?}");
        rebuilt(&lab, &["before", "etcd CA", "newest"]);
    }
}

/// SQLite deletes the log of an empty file.
#[test]
fn the_log_of_a_lost_file_is_kept() {
    for lost in ["removed", "emptied"] {
        let lab = logged();
        match lost {
            "removed" => fs::remove_file(lab.path(FILE)).unwrap(),
            _ => lab.write(FILE, ""),
        }
        let log = lab.read(LOG);
        problem(&lab, "pki/inventory.db-wal: its inventory.db is lost");
        let run = lab.run(&["list"]);
        assert!(lost == "removed" || run.code == 0, "{run:?}");
        assert_eq!(lab.read(LOG), log);
        rebuilt(&lab, &["before", "etcd CA", "newest"]);
        assert_eq!(lab.read("pki/inventory.db-wal.old"), log);
    }
}

/// Another state of the same inventory, that of another CA, and a database of another program.
#[test]
fn a_log_is_not_applied_to_another_file() {
    let lab = logged();
    lab.ok(&["backup", "older.db"]);
    fs::copy(lab.path(FILE), lab.path("raw.db")).unwrap();
    for number in 0..25 {
        lab.ok(&["issue", "--profile", "client", &format!("c{number}"), "--out", "many"]);
    }
    lab.ok(&["init-ca", "--dir", "other", "--cn", "other CA"]);
    for (file, names) in [("older.db", 3), ("raw.db", 1)] {
        let kept = (lab.read(FILE), lab.read(LOG));
        fs::copy(lab.path(file), lab.path(FILE)).unwrap();
        problem(&lab, "pki/inventory.db-wal does not belong to pki/inventory.db");
        // Reading changes nothing, and shows only what the file has.
        let run = lab.run(&["list"]);
        assert_eq!(run.stdout.lines().count(), names + 1, "{file}: {run:?}");
        assert!(run.stderr.contains("does not belong to"), "{file}: {run:?}");
        assert_eq!(lab.read(LOG), kept.1, "{file}");
        lab.write(FILE, kept.0);
        assert_eq!(lab.ok(&["check"]), "pki/inventory.db: ok, 28 certificates\n", "{file}");
    }
    fs::copy(lab.path("other/inventory.db"), lab.path(FILE)).unwrap();
    refused(&lab, "pki/inventory.db: it belongs to another CA");
    // A backup that is put back is completed from files, and the log is renamed.
    fs::copy(lab.path("older.db"), lab.path(FILE)).unwrap();
    let run = lab.run(&["check", "--rebuild", "--scan", "many"]);
    assert_eq!(run.stdout, "pki/inventory.db: ok, 28 certificates\n", "{run:?}");
    assert!(lab.path("pki/inventory.db-wal.old").exists());
}

/// A stranger's program that keeps the database open does not stop anybody, and the other way round.
#[test]
fn a_program_that_keeps_the_inventory_open_is_not_in_the_way() {
    let lab = logged();
    let stranger = database(&lab);
    let query = "SELECT count(*) FROM certificates";
    let count = |stranger: &rusqlite::Connection| -> u32 {
        stranger.query_row(query, [], |row| row.get(0)).unwrap()
    };
    assert_eq!(count(&stranger), 3);
    let run = lab.run(&["issue", "--profile", "client", "meanwhile"]);
    assert_eq!((run.code, run.stderr.as_str()), (0, ""), "{run:?}");
    assert_eq!(count(&stranger), 4);
    assert_eq!(lab.ok(&["check"]), "pki/inventory.db: ok, 4 certificates\n");
    drop(stranger);
    assert_eq!(lab.ok(&["check"]), "pki/inventory.db: ok, 4 certificates\n");
    lab.ok(&["issue", "--profile", "client", "afterwards"]);
    assert_eq!(rows(&lab).last(), Some(&row("afterwards", "client")));
}

/// What earlier versions of etcdpki wrote: a rollback journal, whose blocks are kept.
#[test]
fn an_inventory_with_a_rollback_journal_is_taken_over() {
    let lab = logged();
    let old = database(&lab);
    let mode: String =
        old.query_row("PRAGMA journal_mode = PERSIST", [], |row| row.get(0)).unwrap();
    assert_eq!(mode, "persist");
    old.execute_batch(
        "PRAGMA application_id = 0; PRAGMA user_version = 1; DROP TABLE places; DROP TABLE crls;",
    )
    .unwrap();
    drop(old);
    assert!(lab.path("pki/inventory.db-journal").exists() && !lab.path(LOG).exists());
    assert_eq!(lab.ok(&["list"]).lines().count(), 4);
    assert!(!lab.path(LOG).exists(), "reading changes nothing");
    let run = lab.run(&["issue", "--profile", "client", "next"]);
    assert_eq!((run.code, run.stderr.as_str()), (0, ""), "{run:?}");
    assert!(!lab.path("pki/inventory.db-journal").exists() && lab.path(LOG).exists());
    assert_eq!(lab.ok(&["check"]), "pki/inventory.db: ok, 4 certificates\n");
    // It was moved to the file, which has a mark now.
    fs::remove_file(lab.path(LOG)).unwrap();
    problem(&lab, "pki/inventory.db-wal is missing: ");
}

/// Commands that only read work where nothing can be written: they read a private copy.
#[test]
fn an_inventory_on_a_read_only_file_system_is_read_with_its_log() {
    let lab = logged();
    let before = Tree::of(lab.folder());
    let run = with_mounts(
        &lab,
        r#"
        mount --bind pki pki && mount -o remount,ro,bind pki || exit 97
        mkdir tmp; export TMPDIR=$PWD/tmp
        for command in list check "backup copy.db" "certdb export certs.db"; do
            "$etcdpki" $command
        done
        serial=$("$etcdpki" list | awk '/newest/ { print $1 }')
        "$etcdpki" show "$serial" | grep newest
        ls -A tmp; rmdir tmp
        rm copy.db certs.db
        "#,
    );
    assert_eq!(run.stderr, "", "{run:?}");
    assert!(run.stdout.contains("newest.pem\n"), "{run:?}");
    assert!(run.stdout.contains("pki/inventory.db: ok, 3 certificates\n"), "{run:?}");
    assert!(run.stdout.contains("wrote copy.db: 3 certificates\n"), "{run:?}");
    assert_eq!(before.changes(&Tree::of(lab.folder())), [""; 0]);
}

/// The same for a user who may read the files, and write nothing.
#[test]
fn an_inventory_that_the_user_cannot_write_to_is_read_with_its_log() {
    let lab = logged();
    let stranger = tempfile::tempdir().unwrap();
    fs::set_permissions(stranger.path(), fs::Permissions::from_mode(0o777)).unwrap();
    for (file, mode) in [("", 0o755), ("pki", 0o755), (FILE, 0o644), (LOG, 0o644)] {
        fs::set_permissions(lab.path(file), fs::Permissions::from_mode(mode)).unwrap();
    }
    let before = Tree::of(lab.folder());
    for command in [&["list"][..], &["check"]] {
        let mut setpriv = peers::program("setpriv");
        if rustix::process::geteuid().is_root() {
            setpriv.args(["--reuid=65534", "--regid=65534", "--clear-groups"]);
        } else {
            fs::set_permissions(lab.path("pki"), fs::Permissions::from_mode(0o555)).unwrap();
        }
        // The stranger may not be able to reach the program where it was built.
        let program = stranger.path().join("etcdpki");
        fs::copy(env!("CARGO_BIN_EXE_etcdpki"), &program).unwrap();
        setpriv.arg(&program).arg("--dir").arg(lab.path("pki")).args(command);
        let run = finish(setpriv.env("TMPDIR", stranger.path()).current_dir(stranger.path()));
        fs::set_permissions(lab.path("pki"), fs::Permissions::from_mode(0o755)).unwrap();
        assert_eq!(run.code, 0, "{run:?}");
        assert!(
            run.stdout.contains("newest") || run.stdout.contains("ok, 3 certificates"),
            "{run:?}"
        );
    }
    assert_eq!(before.changes(&Tree::of(lab.folder())), [""; 0]);
}

#[test]
fn readers_see_whole_states_while_8_writers_run() {
    const WRITERS: usize = 8;
    const EACH: usize = 6;
    let lab = Lab::with_ca(&[]);
    std::thread::scope(|scope| {
        let writers: Vec<_> = (0..WRITERS)
            .map(|writer| {
                let lab = &lab;
                scope.spawn(move || {
                    for number in 0..EACH {
                        let name = format!("w{writer}-{number}");
                        lab.ok(&["issue", "--profile", "client", &name, "--out", "out"]);
                    }
                })
            })
            .collect();
        let mut seen = 0;
        while !writers.iter().all(std::thread::ScopedJoinHandle::is_finished) {
            let run = lab.run(&["list"]);
            assert_eq!((run.code, run.stderr.replace(WAITING, "").as_str()), (0, ""), "{run:?}");
            let count = run.stdout.lines().count() - 2;
            assert!(count >= seen, "{count} after {seen}");
            seen = count;
            let run = lab.run(&["check"]);
            assert_eq!(run.code, 0, "{run:?}");
        }
    });
    let all = WRITERS * EACH + 1;
    assert_eq!(lab.ok(&["check", "--scan", "out"]), format!("{FILE}: ok, {all} certificates\n"));
}

const WAITING: &str = "waiting: another program writes to the inventory\n";
