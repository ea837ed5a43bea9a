//! Errors in the command line.

use super::Table;
use crate::lab::Lab;

const ISSUE: &[&str] = &["issue", "--profile", "client"];

#[test]
fn a_name_with_a_path_is_refused() {
    let mut table = Table::new(Lab::with_ca(&[]));
    let long = "a".repeat(65);
    for (row, name) in [
        ("empty", ""),
        ("a path", "out/api"),
        ("a path from the root", "/tmp/api"),
        ("the folder above", ".."),
        ("a hidden file", ".api"),
        ("a blank behind", "api "),
        ("a blank within", "the api"),
        ("a line feed", "api\nb"),
        ("an address with a port", "10.0.0.1:2379"),
        ("65 characters", &long),
        ("the file in place of its base", "api.pem"),
        ("an option mistyped", "-n"),
    ] {
        table.refused(row, 2, &[ISSUE, &[name]].concat());
    }
    let line_feed = ["api\nb", "--cn", "api"];
    table.refused("a line feed, with --cn", 2, &[ISSUE, &line_feed].concat());
    let longer = "a".repeat(300);
    table.refused("300 characters, with --cn", 3, &[ISSUE, &[&longer, "--cn", "api"]].concat());
    table.snapshot("name");
}

#[test]
fn an_invalid_or_impossible_duration_is_refused() {
    let mut table = Table::new(Lab::with_ca(&[]));
    for expiry in [
        "",
        "1",
        "8760",
        "h",
        "-",
        "1x",
        "6mo",
        "1 h",
        " 1h",
        "1h ",
        "1.2.3h",
        "1e3h",
        "0",
        "0s",
        "-1h",
        "1us",
        "999ms",
        "9000y",
        "99999999999y",
        "999999999999999999999h",
        "forever",
    ] {
        table.refused(&format!("{expiry:?}"), 2, &[ISSUE, &["api", "--expiry", expiry]].concat());
    }
    table.refused("init-ca", 2, &["init-ca", "--dir", "new", "--expiry", "-1h"]);
    table.refused(
        "init-ca, beyond the year 9999",
        2,
        &["init-ca", "--dir", "new", "--expiry", "9000y"],
    );
    table.refused("verify", 2, &["verify", "pki/ca.pem", "--expires-within", "30"]);
    table.refused("verify, below zero", 2, &["verify", "pki/ca.pem", "--expires-within", "-30d"]);
    table.snapshot("durations");
}

#[test]
fn a_short_life_begins_now_and_not_five_minutes_ago() {
    // cfssl counts the lifetime from the backdated notBefore: with 4m, it expired a minute before it was issued.
    let lab = Lab::with_ca(&[]);
    lab.ok(&[ISSUE, &["api", "--expiry", "4m"]].concat());
    lab.ok(&["verify", "api.pem"]);
}

#[test]
fn an_invalid_time_is_refused() {
    let mut table = Table::new(Lab::with_ca(&[]));
    for at in [
        "",
        "now",
        "2027-06-01",
        "2027-06-01T00:00:00",
        "2027-06-01 00:00",
        "2027-13-01T00:00:00Z",
        "2027-02-30T00:00:00Z",
        "2016-12-31T23:59:60Z",
        "1780000000",
        "-1",
    ] {
        table.refused(&format!("{at:?}"), 2, &["verify", "pki/ca.pem", "--at", at]);
    }
    table.snapshot("moments");
}

#[test]
fn a_host_that_cannot_be_dialled_is_refused() {
    let mut table = Table::new(Lab::with_ca(&[]));
    for host in [
        "",
        "https://10.0.0.1:2379",
        "10.0.0.1:2379",
        "etcdone:2379",
        "[::1]",
        "10.0.0.0/24",
        "256.1.1.1",
        "a b",
        "a..b",
        "-a.com",
        "*.example.com",
        "fe80::1%eth0",
        "a,b",
    ] {
        table.refused(&format!("{host:?}"), 2, &["verify", "pki/ca.pem", "--host", host]);
    }
    table.snapshot("hosts");
}

#[test]
fn a_constraint_that_constrains_nothing_is_refused() {
    let mut table = Table::new(Lab::new());
    for permit in [
        "",
        "10.0.0.1",
        "10.0.0.1/24",
        "10.0.0.0/33",
        "10.0.0.0/",
        "ip:lab",
        "2001:db8::1",
        "*.lab",
        ".lab",
        "a b",
        "https://a.lab",
        "uri:a.lab",
        "email:a b@lab",
        "email:*.lab",
        "etcd_1.lab",
    ] {
        table.refused(&format!("{permit:?}"), 2, &["init-ca", "--permit", permit]);
    }
    table.refused("exclude", 2, &["init-ca", "--exclude", "10.0.0.1/24"]);
    table.snapshot("constraints");
}

#[test]
fn options_that_contradict_each_other_or_do_not_exist_are_refused() {
    let lab = Lab::with_ca(&[]);
    lab.ok(&[ISSUE, &["a"]].concat());
    lab.ok(&[ISSUE, &["b"]].concat());
    let mut table = Table::new(lab);
    let issue = |options: &[&'static str]| [ISSUE, &["api"], options].concat();
    for (row, args) in [
        ("nothing", vec![]),
        ("no such command", vec!["gencert"]),
        ("a command mistyped", vec!["isue"]),
        ("no profile", vec!["issue", "api"]),
        ("two profiles", issue(&["--profile", "server"])),
        ("two names", issue(&["b"])),
        ("no such option", issue(&["--hostname", "a"])),
        ("an option mistyped", issue(&["--sans", "a"])),
        // cfssl accepts the options of every command in every command, and ignores them.
        ("an option of verify", issue(&["--at", "2027-06-01T00:00:00Z"])),
        ("an option of issue", vec!["init-ca", "--san", "a"]),
        ("a request and a CSR JSON", issue(&["--csr", "a.csr", "--csr-json", "a.json"])),
        ("a request and a key", issue(&["--csr", "a.csr", "--key", "rsa-2048"])),
        ("no such key", issue(&["--key", "rsa"])),
        ("a key in capitals", issue(&["--key", "ECDSA-P256"])),
        ("a key that is too weak", issue(&["--key", "rsa-1024"])),
        ("a name without its option", issue(&["--san"])),
        ("an empty common name", issue(&["--cn", ""])),
        ("an organization of 65 letters", issue(&["--org", LONG])),
        ("a path length below zero", vec!["init-ca", "--dir", "new", "--path-len", "-1"]),
        ("a path length above 255", vec!["init-ca", "--dir", "new", "--path-len", "256"]),
        // With -initca and -ca, cfssl signs a second root with the key of the first.
        ("a root below a root", vec!["init-ca", "--dir", "new", "--ca", "pki/ca.pem"]),
        ("force, which init-ca has not", vec!["init-ca", "--force"]),
        ("an empty common name of a CA", vec!["init-ca", "--dir", "new", "--cn", ""]),
        ("nothing to verify", vec!["verify"]),
        ("nothing to inspect", vec!["inspect"]),
        ("a purpose mistyped", vec!["verify", "a.pem", "--purpose", "sever"]),
        (
            "a purpose and a profile",
            vec!["verify", "a.pem", "--purpose", "peer", "--profile", "peer"],
        ),
        ("a policy mistyped", vec!["verify", "a.pem", "--policy", "rfc5820"]),
        ("a format mistyped", vec!["verify", "a.pem", "--format", "yaml"]),
        ("a depth below zero", vec!["verify", "a.pem", "--max-depth", "-1"]),
        ("one key for two certificates", vec!["verify", "a.pem", "b.pem", "--key", "a-key.pem"]),
    ] {
        table.refused(row, 2, &args);
    }
    table.refused("the CA is there", 3, &["init-ca"]);
    table.refused("the pair is there", 3, &[ISSUE, &["a"]].concat());
    table.snapshot("options");
}

const LONG: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

#[test]
fn files_that_are_missing_or_folders_are_reported() {
    let mut table = Table::new(Lab::with_ca(&[]));
    for option in ["--config", "--csr-json", "--csr"] {
        for file in ["no.such.file", "pki", "pki/ca.pem/x"] {
            table.refused(
                &format!("{option} {file}"),
                3,
                &[ISSUE, &["api", option, file]].concat(),
            );
        }
    }
    for option in ["--ca", "--intermediates", "--crl", "--key"] {
        let row = format!("verify {option}");
        table.refused(&row, 3, &["verify", "pki/ca.pem", option, "no.such.file"]);
    }
    table.refused("verify without a CA", 3, &["verify", "--dir", "none", "pki/ca.pem"]);
    table.refused(
        "init-ca --csr-json",
        3,
        &["init-ca", "--dir", "new", "--csr-json", "no.such.file"],
    );
    table.refused("--out is a file", 3, &[ISSUE, &["api", "--out", "pki/ca.pem"]].concat());
    table.snapshot("files_that_are_missing");
}

#[test]
fn a_failure_in_json_says_the_same_and_keeps_its_code() {
    let lab = Lab::with_ca(&[]);
    let run = lab.run(&[ISSUE, &["api", "--expiry", "100y", "--format", "json"]].concat());
    assert_eq!(run.code, 1, "{run:?}");
    let document: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(document["error"]["kind"], "refused");
    assert_eq!(document["error"]["exit_code"], 1);
    assert_eq!(document["error"]["findings"][0]["rule"], "leaf-outlives-ca");
    assert!(run.stderr.contains("leaf-outlives-ca"), "{run:?}");
    assert!(!lab.path("api.pem").exists());
}
