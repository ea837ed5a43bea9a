//! Damage of every part of the inventory: `check` reports it, and `check --rebuild` restores what files can tell.

use std::fs;

use super::FILE;
use super::queries::sqlite;
use crate::lab::Lab;

const MANIFEST: &str = "\
cluster: lab
crl: true
etcd: [{ name: etcdone, ip: 192.168.29.61 }]
";

/// A lab with a revoked certificate that is on a CRL, and another certificate in `out`.
fn used() -> Lab {
    let lab = Lab::new();
    lab.write("cluster.yaml", MANIFEST);
    lab.ok(&["apply", "-f", "cluster.yaml"]);
    lab.ok(&["issue", "--profile", "client", "api", "--out", "out"]);
    lab.ok(&["issue", "--profile", "client", "gone", "--out", "out"]);
    lab.ok(&["revoke", "out/gone.pem"]);
    lab.ok(&["apply", "-f", "cluster.yaml"]);
    lab
}

/// Every row, without the time of issuing, which no file has.
fn all(lab: &Lab) -> String {
    let columns = "serial_number, authority_key_identifier, ca_label, status, reason, expiry, revoked_at, pem, not_before,
        common_name";
    sqlite(lab, FILE, &format!("SELECT {columns} FROM certificates ORDER BY serial_number"))
}

/// A disk that lost the end of the file, or a page in it.
#[test]
fn an_inventory_that_ends_at_any_page_or_lost_one_is_rebuilt() {
    let lab = used();
    let (before, whole) = (all(&lab), lab.read(FILE));
    assert!(whole.len().is_multiple_of(4096) && whole.len() > 5 * 4096);
    for page in 0..whole.len() / 4096 {
        let (start, end) = (page * 4096, (page + 1) * 4096);
        let zeroed = [&whole[..start], &[0; 4096], &whole[end..]].concat();
        for damaged in [&whole[..start], &whole[..start + 100], &zeroed] {
            lab.write(FILE, damaged);
            let run = lab.run(&["check"]);
            assert_eq!(run.code, 1, "page {page}: {run:?}");
            let run = lab.run(&["check", "--rebuild", "--scan", "out"]);
            assert_eq!(run.code, 0, "page {page}: {run:?}");
            assert_eq!(all(&lab), before, "page {page}: {run:?}");
        }
    }
    lab.write(FILE, vec![0; whole.len()]);
    assert_eq!(lab.run(&["check"]).code, 1);
    lab.ok(&["check", "--rebuild", "--scan", "out"]);
    assert_eq!(all(&lab), before);
}

/// What SQLite does not see: rows and tables that somebody changed with another program.
#[test]
fn a_row_that_was_changed_is_corrected_from_its_certificate_or_a_file() {
    for (change, problem) in [
        (
            "UPDATE certificates SET expiry = '2099-01-01T00:00:00Z' WHERE common_name = 'api'",
            "expiry: differs from",
        ),
        (
            "UPDATE certificates SET common_name = 'root' WHERE common_name = 'api'",
            "common_name: differs from",
        ),
        (
            "UPDATE certificates SET serial_number = '77' WHERE common_name = 'api'",
            "serial_number: differs from",
        ),
        (
            "UPDATE certificates SET pem = 'x' WHERE common_name = 'api'",
            "its certificate cannot be read",
        ),
        (
            "UPDATE certificates SET pem = x'00ff' WHERE common_name = 'api'",
            "its certificate cannot be read",
        ),
        ("UPDATE certificates SET reason = 99 WHERE common_name = 'gone'", "reason: not one of"),
        (
            "UPDATE certificates SET revoked_at = 'then' WHERE common_name = 'gone'",
            "revoked_at: not a time",
        ),
        (
            "UPDATE certificates SET status = 'x' WHERE common_name = 'gone'",
            "status: neither good nor revoked",
        ),
        (
            "UPDATE certificates SET status = 'good', reason = 0, revoked_at = NULL WHERE common_name = 'gone'",
            "is on this CRL and not revoked in the inventory",
        ),
        (
            "DELETE FROM certificates WHERE common_name = 'api'",
            "out/api.pem: the row of this certificate is missing",
        ),
        (
            "DELETE FROM places WHERE host IS NOT NULL",
            "server.pem: its host and path are not recorded",
        ),
        ("UPDATE crls SET pem = 'x'", "the CRL with the number 2 cannot be read"),
        ("DELETE FROM crls", "the CRL 2 is not in the inventory"),
        ("DROP TABLE places", "the table places is missing"),
        ("DROP TABLE crls", "the table crls is missing"),
    ] {
        let lab = used();
        let before = all(&lab);
        sqlite(&lab, FILE, change);
        let run = lab.run(&["check"]);
        assert_eq!(run.code, 1, "{change}: {run:?}");
        assert!(run.stdout.contains(problem), "{change}: {run:?}");
        let run = lab.run(&["check", "--rebuild", "--scan", "out"]);
        assert_eq!(run.code, 0, "{change}: {run:?}");
        assert_eq!(all(&lab), before, "{change}: {run:?}");
        assert!(!lab.path("pki/inventory.db.damaged").exists(), "{change}");
        lab.ok(&["crl", "--check"]);
        lab.ok(&["issue", "--profile", "client", "next"]);
    }
}

#[test]
fn what_no_file_can_tell_is_left_and_named() {
    let lab = used();
    sqlite(&lab, FILE, "UPDATE certificates SET status = 'x' WHERE common_name = 'api'");
    sqlite(&lab, FILE, "DELETE FROM certificates WHERE common_name = 'gone'");
    let run = lab.run(&["check", "--rebuild"]);
    assert_eq!(run.code, 1, "{run:?}");
    assert!(run.stdout.contains("status: neither good nor revoked"), "{run:?}");
    assert!(run.stdout.contains("out/gone.pem: the row of this certificate is missing"), "{run:?}");
    assert!(run.stderr.contains("restore a backup, or name more folders with --scan"), "{run:?}");
}

/// A file that is whole and not this CA's inventory is neither used nor replaced.
#[test]
fn an_inventory_of_another_ca_version_or_program_is_refused() {
    let lab = used();
    lab.ok(&["--dir", "other", "init-ca", "--cn", "other"]);
    lab.ok(&["certdb", "export", "cfssl.db"]);
    let whole = lab.read(FILE);
    for (replacement, reason) in [
        (lab.read("other/inventory.db"), "belongs to another CA"),
        (lab.read("cfssl.db"), "another program made it"),
        (whole, "its version is 999"),
    ] {
        lab.write(FILE, &replacement);
        if reason.contains("999") {
            sqlite(&lab, FILE, "PRAGMA user_version = 999");
        }
        let before = lab.read(FILE);
        for args in
            [&["check"][..], &["check", "--rebuild"], &["issue", "--profile", "client", "x"]]
        {
            let run = lab.run(args);
            assert_eq!(run.code, 3, "{reason}: {run:?}");
            assert!(
                run.stderr.contains(reason) && run.stderr.contains("hint: "),
                "{reason}: {run:?}"
            );
        }
        assert_eq!(lab.read(FILE), before, "{reason}");
        fs::remove_file(lab.path(FILE)).unwrap();
    }
}
