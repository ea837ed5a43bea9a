//! `apply` and the CA's own files: a key that is kept offline, and a CA that was lost.

use std::fmt::Write as _;
use std::fs;

use super::*;
use crate::bad_input::redacted;

const KEY: &str = "pki/ca-key.pem";

/// Everything below `pki`, the inventory included.
fn all_of(lab: &Lab) -> BTreeMap<String, Option<Vec<u8>>> {
    tree(lab).into_iter().map(|(name, entry)| (name, entry.bytes)).collect()
}

#[test]
fn apply_with_nothing_to_sign_needs_no_ca_key() {
    let lab = applied(LAB);
    lab.ok(&["init-ca", "--dir", "other"]);
    let key = lab.read(KEY);
    for custody in ["gone", "another CA's", "encrypted"] {
        match custody {
            "gone" => fs::remove_file(lab.path(KEY)).unwrap(),
            "another CA's" => lab.write(KEY, lab.read("other/ca-key.pem")),
            _ => lab.write(KEY, ENCRYPTED),
        }
        assert_eq!(lab.ok(APPLY), "nothing to do\n", "{custody}");
        nothing_to_do(&lab);
        // Configuration needs no signature: it can be written, and a mode corrected.
        fs::remove_file(lab.path("pki/hosts/etcdone/etcd.service")).unwrap();
        let applied = lab.ok(APPLY);
        assert!(
            applied.contains("etcdone/etcd.service\ndone: 1 written in "),
            "{custody}: {applied}"
        );
    }
    lab.write(KEY, key);
}

/// Another key, encrypted by OpenSSL. Without a passphrase nobody looks further.
const ENCRYPTED: &str = "-----BEGIN ENCRYPTED PRIVATE KEY-----\n\
    MIGbMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAjVOWzmiGp+2wICCAAw\n\
    DAYIKoZIhvcNAgkFADAdBglghkgBZQMEASoEEA/VU4ND6mx9VKAEkL6IWDAEQPBM\n\
    MIrxi3xAyzsJCWol+OOpMQMJ1GRPfDlH9qwdX851BpOt14uhk+NDhmN0WHr9YxUj\n\
    zNMSMuK+QOKUbT+b5Tw=\n\
    -----END ENCRYPTED PRIVATE KEY-----\n";

#[test]
fn apply_with_something_to_sign_says_which_certificates_wait_for_the_ca_key() {
    let lab = applied(LAB);
    edit(&lab, "ip: 192.168.29.61 }", "ip: 192.168.29.61, sans: [etcd.example.com] }");
    fs::remove_file(lab.path("pki/hosts/masterone/apiserver-etcd-client.pem")).unwrap();
    let key = lab.read(KEY);
    let mut page = String::new();
    for custody in ["gone", "encrypted", "readable by others"] {
        match custody {
            "gone" => fs::remove_file(lab.path(KEY)).unwrap(),
            "encrypted" => lab.write(KEY, ENCRYPTED),
            _ => lab.write(KEY, &key),
        }
        if custody != "gone" {
            let mode = if custody == "encrypted" { 0o600 } else { 0o644 };
            fs::set_permissions(lab.path(KEY), std::os::unix::fs::PermissionsExt::from_mode(mode))
                .unwrap();
        }
        let before = all_of(&lab);
        let run = lab.run(APPLY);
        assert_eq!(run.code, 3, "{custody}: {run:?}");
        assert_eq!(all_of(&lab), before, "{custody}: it wrote");
        let _ = writeln!(page, "## {custody}\n{}", redacted(&run.stderr, lab.folder()));
    }
    snapshot("waiting_for_the_key", &page);
    // Of a host that lacks nothing nobody waits for the key.
    fs::remove_file(lab.path(KEY)).unwrap();
    lab.ok(&[APPLY, &["--only", "etcdtwo"]].concat());
}

#[test]
fn apply_makes_no_ca_where_an_earlier_one_left_hosts_or_issued_certificates() {
    let mut page = String::new();
    for kept in [&["hosts", "inventory.db"][..], &["hosts"], &["inventory.db"]] {
        let lab = applied(LAB);
        let folder = lab.path("pki");
        for name in ["ca.pem", "ca-key.pem", "inventory.db", "inventory.db-wal", "hosts"] {
            // The log belongs to the inventory.
            if kept.contains(&name.trim_end_matches("-wal")) {
                continue;
            }
            let path = folder.join(name);
            if name == "hosts" { fs::remove_dir_all(path) } else { fs::remove_file(path) }.unwrap();
        }
        let before = all_of(&lab);
        let mut said = String::new();
        let readers: [&[&str]; 5] = [
            &["status"],
            &["verify"],
            &["rotate-ca", "status"],
            &["renew", "--all"],
            &["renew", "--ca"],
        ];
        let readers = readers.map(|command| [command, &["-f", "cluster.yaml"]].concat());
        let readers = readers.iter().map(Vec::as_slice);
        for args in [PLAN, APPLY, &["init-ca"]].into_iter().chain(readers) {
            let run = lab.run(args);
            assert_eq!(run.code, 3, "{kept:?} {args:?}: {run:?}");
            assert_eq!(all_of(&lab), before, "{kept:?} {args:?} wrote");
            assert!(said.is_empty() || said == run.stderr, "{said} {run:?}");
            said = run.stderr;
        }
        let _ = writeln!(page, "## {}\n{said}", kept.join(", "));
        // The way on, for those who mean it.
        lab.ok(&["init-ca", "--new"]);
        let applied = lab.ok(APPLY);
        let word = if kept.contains(&"hosts") { "reissue  " } else { "create   " };
        assert_eq!(applied.matches(word).count(), 7, "{applied}");
        nothing_to_do(&lab);
        layout::every_certificate_verifies(&lab);
    }
    snapshot("remains_of_a_ca", &page);
}

/// The other way on: the two files come back.
#[test]
fn a_lost_ca_that_is_restored_goes_on() {
    let lab = applied(LAB);
    let files = ["pki/ca.pem", KEY];
    let saved = files.map(|file| lab.read(file));
    for file in files {
        fs::remove_file(lab.path(file)).unwrap();
    }
    assert_eq!(lab.run(APPLY).code, 3);
    for (file, contents) in files.into_iter().zip(saved) {
        lab.write(file, contents);
        fs::set_permissions(lab.path(file), std::os::unix::fs::PermissionsExt::from_mode(0o600))
            .unwrap();
    }
    assert_eq!(lab.ok(APPLY), "nothing to do\n");
}

/// A CA that was recorded but never put in its place signed nothing: nobody misses it.
#[test]
fn a_ca_whose_making_was_interrupted_leaves_nothing_in_the_way() {
    let lab = Lab::with_ca(&[]);
    lab.write("cluster.yaml", LAB);
    for file in ["pki/ca.pem", KEY] {
        fs::remove_file(lab.path(file)).unwrap();
    }
    assert!(lab.ok(APPLY).starts_with("  create   the CA "));
}

#[test]
fn init_ca_with_new_overwrites_no_ca() {
    let lab = applied(LAB);
    let before = all_of(&lab);
    for missing in [None, Some("pki/ca.pem"), Some(KEY)] {
        let saved = missing.map(|file| lab.read(file));
        if let Some(file) = missing {
            fs::remove_file(lab.path(file)).unwrap();
        }
        let run = lab.run(&["init-ca", "--new"]);
        assert_eq!(run.code, 3, "{missing:?}: {run:?}");
        assert!(run.stderr.contains("exists already; a CA is never overwritten"), "{run:?}");
        if let (Some(file), Some(saved)) = (missing, saved) {
            lab.write(file, saved);
        }
    }
    assert_eq!(all_of(&lab), before);
}
