//! Unreadable files, and output streams that fail.

use std::fmt::Write as _;
use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::PermissionsExt;
use std::process::Stdio;

use super::Table;
use crate::lab::{Lab, Run};

const ISSUE: &[&str] = &["issue", "--profile", "client", "api"];

#[test]
fn a_file_that_may_not_be_read_is_reported() {
    let lab = Lab::with_ca(&[]);
    lab.write("locked", "");
    let mode = |lab: &Lab, file, mode| {
        fs::set_permissions(lab.path(file), PermissionsExt::from_mode(mode)).unwrap();
    };
    mode(&lab, "locked", 0o000);
    let mut table = Table::new(lab);
    // In a user namespace without a mapping, even root has only the permissions of the files.
    table.under = &["unshare", "--user", "--"];
    for option in ["--config", "--csr-json", "--csr"] {
        table.refused(option, 3, &[ISSUE, &[option, "locked"]].concat());
    }
    for option in ["--ca", "--intermediates", "--crl", "--key"] {
        table.refused(option, 3, &["verify", "pki/ca.pem", option, "locked"]);
    }
    table.refused("verify", 3, &["verify", "locked"]);
    table.refused("inspect", 3, &["inspect", "locked"]);
    mode(&table.lab, "pki/ca-key.pem", 0o000);
    table.refused("the CA's key", 3, ISSUE);
    mode(&table.lab, "pki", 0o000);
    table.refused("the CA's folder", 3, ISSUE);
    table.refused("the CA's folder, verify", 3, &["verify", "locked"]);
    table.refused("the CA's folder, init-ca", 3, &["init-ca"]);
    table.refused("a folder below it, init-ca", 3, &["init-ca", "--dir", "pki/new"]);
    mode(&table.lab, "pki", 0o700);
    table.snapshot("files_that_may_not_be_read");
}

fn full() -> File {
    OpenOptions::new().write(true).open("/dev/full").unwrap()
}

fn run_with(lab: &Lab, args: &[&str], stdout: impl Into<Stdio>) -> Run {
    lab.command(args).stdout(stdout).output().unwrap().into()
}

#[test]
fn a_full_standard_output_is_reported_and_what_was_issued_stays() {
    // cfssl exits with 0, and the key is lost, because it was only printed. etcdpki writes the files first: the
    // certificate is recorded and in place, and removing it again would be more surprising.
    let lab = Lab::new();
    let mut page = String::new();
    for args in
        [&["init-ca"][..], ISSUE, &["issue", "--profile", "client", "b", "--format", "json"]]
    {
        let run = run_with(&lab, args, full());
        assert_eq!(run.code, 3, "{args:?}: {run:?}");
        let _ = writeln!(page, "$ etcdpki {}\n{}", args.join(" "), run.stderr);
    }
    super::snapshot("standard_output_is_full", &page);
    for base in ["api", "b"] {
        let (certificate, key) = (format!("{base}.pem"), format!("{base}-key.pem"));
        lab.ok(&["verify", &certificate, "--key", &key]);
    }
}

#[test]
fn a_full_standard_output_fails_what_only_prints() {
    let lab = Lab::with_ca(&[]);
    lab.ok(ISSUE);
    for args in [
        &["verify", "api.pem"][..],
        &["inspect", "api.pem"],
        &["inspect", "--format", "json", "api.pem"],
        &["completions", "bash"],
        &["man"],
    ] {
        let run = run_with(&lab, args, full());
        assert_eq!(run.code, 3, "{args:?}: {run:?}");
        let wanted = "error: writing to standard output: No space left on device";
        assert!(run.stderr.starts_with(wanted), "{args:?}: {run:?}");
    }
}

#[test]
fn a_reader_that_is_gone_is_not_a_failure() {
    // `etcdpki inspect *.pem | head -1`; a shell would report 141 for cfssl.
    let lab = Lab::with_ca(&[]);
    for args in [ISSUE, &["verify", "api.pem"], &["inspect", "api.pem"]] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let run = run_with(&lab, args, writer);
        assert_eq!((run.code, run.stderr.as_str()), (0, ""), "{args:?}: {run:?}");
    }
}

#[test]
fn a_full_standard_error_changes_no_exit_code() {
    let lab = Lab::with_ca(&[]);
    for (code, args) in [
        (1, &["issue", "--profile", "client", "api", "--expiry", "100y"][..]),
        (2, &["issue", "--profile", "nobody", "api"]),
        (2, &["issue", "--nothing"]),
        (3, &["inspect", "no.pem"]),
        (0, ISSUE),
    ] {
        let status = lab.command(args).stdout(Stdio::null()).stderr(full()).status().unwrap();
        assert_eq!(status.code(), Some(code), "{args:?}");
    }
}

#[test]
fn closed_streams_never_reach_a_file() {
    // A file that gets the descriptor of standard output would receive the output.
    let lab = Lab::with_ca(&[]);
    let mut shell = crate::peers::program("sh");
    shell.args(["-c", "exec \"$@\" <&- >&- 2>&-", "sh", env!("CARGO_BIN_EXE_etcdpki")]);
    let status = shell.args(ISSUE).current_dir(lab.folder()).status().unwrap();
    assert_eq!(status.code(), Some(0));
    lab.ok(&["verify", "api.pem", "--key", "api-key.pem"]);
}
