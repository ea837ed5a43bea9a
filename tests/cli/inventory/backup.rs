//! `backup`: a copy that is whole, whatever others do meanwhile.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use pki_cli::{Ca, Custody, Owners};

use super::queries::sqlite;
use super::service::issue;
use crate::lab::Lab;

/// The serial numbers in an inventory, in the order of recording, by sqlite3.
fn serials(lab: &Lab, file: &str) -> Vec<String> {
    let rows = sqlite(lab, file, "SELECT serial_number FROM certificates ORDER BY rowid");
    rows.lines().map(str::to_owned).collect()
}

/// Each backup has everything that was given out before it began, and is a state that the inventory had: the first rows
/// of what it has now.
#[test]
fn a_backup_while_8_writers_run_is_whole() {
    const WRITERS: usize = 8;
    let lab = Lab::with_ca(&[]);
    let (given, stop) = (Mutex::new(0_usize), AtomicBool::new(false));
    let mut before = Vec::new();
    thread::scope(|scope| {
        for writer in 0..WRITERS {
            let (lab, given, stop) = (&lab, &given, &stop);
            scope.spawn(move || {
                // A connection for each, as separate processes have.
                let ca = Ca::open(&lab.path("pki"), Owners::Trusted, &Custody::default()).unwrap();
                for number in 0.. {
                    if stop.load(Ordering::SeqCst) {
                        break;
                    }
                    let _ = issue(&ca, &format!("w{writer}-{number}")).unwrap();
                    *given.lock().unwrap() += 1;
                }
            });
        }
        for number in 0..5 {
            while *given.lock().unwrap() < (number + 1) * 20 {
                thread::yield_now();
            }
            before.push(*given.lock().unwrap());
            let run = lab.run(&["backup", &format!("backup{number}.db")]);
            // The writers end also if this fails.
            if run.code != 0 {
                stop.store(true, Ordering::SeqCst);
            }
            assert_eq!(run.code, 0, "{run:?}");
        }
        stop.store(true, Ordering::SeqCst);
    });
    let all = serials(&lab, super::FILE);
    assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), *given.lock().unwrap() + 1);
    for (number, before) in before.into_iter().enumerate() {
        let file = format!("backup{number}.db");
        assert_eq!(sqlite(&lab, &file, "PRAGMA integrity_check"), "ok\n");
        let copied = serials(&lab, &file);
        assert!(copied.len() > before, "{} of {before}", copied.len());
        assert_eq!(copied[..], all[..copied.len()]);
    }
}

#[test]
fn a_backup_takes_the_place_of_a_lost_inventory() {
    let lab = Lab::with_ca(&[]);
    lab.ok(&["issue", "--profile", "client", "before"]);
    let said = lab.ok(&["backup", "copy.db"]);
    assert_eq!(said, "wrote copy.db: 2 certificates\n");
    let mode = fs::metadata(lab.path("copy.db")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    // It is never overwritten, and a damaged inventory gives none.
    let run = lab.run(&["backup", "copy.db"]);
    assert_eq!(run.code, 3, "{run:?}");
    let whole = lab.read(super::FILE);
    lab.write(super::FILE, &whole[..whole.len() / 2]);
    let run = lab.run(&["backup", "other.db"]);
    assert_eq!(run.code, 3, "{run:?}");
    assert!(!lab.path("other.db").exists());

    fs::copy(lab.path("copy.db"), lab.path(super::FILE)).unwrap();
    // What was recorded since the last checkpoint is beside it, and does not belong to it.
    let run = lab.run(&["issue", "--profile", "client", "after"]);
    assert_eq!(run.code, 0, "{run:?}");
    let warning =
        "warning: pki/inventory.db-wal does not belong to pki/inventory.db, which was replaced: ";
    assert!(run.stderr.starts_with(warning), "{run:?}");
    let run = lab.run(&["issue", "--profile", "client", "later"]);
    assert_eq!((run.code, run.stderr.as_str()), (0, ""), "{run:?}");
    assert_eq!(lab.ok(&["check"]), "pki/inventory.db: ok, 4 certificates\n");
    assert_eq!(serials(&lab, super::FILE).len(), 4);
}
