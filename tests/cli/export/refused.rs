//! `export` refuses incomplete folders in every format.

use super::*;

/// A fault in a host's folder, and the host.
type Damage = (&'static str, &'static str, fn(&Path));

fn copy(from: &str, to: &Path) {
    fs::copy(to.ancestors().nth(3).unwrap().join(from), to).unwrap();
}

fn remove(folder: &Path, name: &str) {
    fs::remove_file(folder.join(name)).unwrap();
}

const DAMAGES: &[Damage] = &[
    ("a key that is gone", "etcdone", |folder| remove(folder, "server-key.pem")),
    ("a certificate that is gone", "etcdone", |folder| remove(folder, "peer.pem")),
    ("a pair that is gone", "etcdone", |folder| {
        remove(folder, "peer.pem");
        remove(folder, "peer-key.pem");
    }),
    ("no pair at all", "masterone", |folder| {
        remove(folder, "apiserver-etcd-client.pem");
        remove(folder, "apiserver-etcd-client-key.pem");
    }),
    ("the key of another certificate", "etcdone", |folder| {
        copy("hosts/etcdone/peer-key.pem", &folder.join("server-key.pem"));
    }),
    ("two keys that cannot be read", "etcdone", |folder| {
        fs::write(folder.join("server-key.pem"), "no key").unwrap();
        fs::write(folder.join("peer-key.pem"), "").unwrap();
    }),
    ("a certificate that is none", "etcdone", |folder| {
        fs::write(folder.join("server.pem"), "no certificate").unwrap();
    }),
    ("no CA", "admin", |folder| remove(folder, "ca.pem")),
    ("another CA", "admin", |folder| copy("../other/ca.pem", &folder.join("ca.pem"))),
    ("a certificate of another CA", "admin", |folder| {
        copy("../stranger.pem", &folder.join("backup.pem"));
        copy("../stranger-key.pem", &folder.join("backup-key.pem"));
    }),
    ("the CA's key under a name of its own", "masterone", |folder| {
        copy("ca-key.pem", &folder.join("notes.txt"));
    }),
];

#[test]
fn a_folder_that_is_not_whole_is_refused_with_every_reason() {
    let mut told = String::new();
    for (what, host, damage) in DAMAGES {
        let lab = lab();
        lab.ok(&["--dir", "other", "init-ca", "--cn", "Other CA"]);
        lab.ok(&["--dir", "other", "issue", "--profile", "client", "stranger"]);
        let folder = lab.path("pki/hosts").join(host);
        lab.ok(&["export", host, "--out", "control.tar.gz"]);
        damage(&folder.canonicalize().unwrap());
        lab.write("password", "secret");
        fs::set_permissions(lab.path("password"), fs::Permissions::from_mode(0o600)).unwrap();
        let run = lab.run(&["export", host]);
        assert_eq!((run.code, run.stdout.as_str()), (1, ""), "{what}: {run:?}");
        for form in [&["--as", "kubeadm"][..], &["--as", "pkcs12", "--password-file", "password"]] {
            let other = lab.run(&[&["export", host], form].concat());
            assert_eq!((other.code, &other.stderr), (1, &run.stderr), "{what}: {other:?}");
        }
        assert!(!lab.path(format!("{host}.tar.gz")).exists(), "{what}");
        told.extend([format!("## {what}\n{}\n", steady(&run.stderr))]);
    }
    insta::assert_snapshot!("not_whole", told);
}

/// Replaces key ids, which differ in each run.
fn steady(text: &str) -> String {
    let is_key_id = |word: &str| word.len() == 40 && word.chars().all(|c| c.is_ascii_hexdigit());
    let word =
        |word: &str| if is_key_id(word.trim_end_matches(',')) { "KEY-ID" } else { word }.to_owned();
    let line = |line: &str| line.split(' ').map(word).collect::<Vec<_>>().join(" ") + "\n";
    text.lines().map(line).collect()
}

#[test]
fn an_invalid_host_is_refused_and_no_path_leads_out() {
    let lab = lab();
    fs::create_dir(lab.path("pki/private")).unwrap();
    for host in ["etcdfour", "workerone", "../private", ".", "", "etcdone/"] {
        let run = lab.run(&["export", host]);
        assert_eq!((run.code, run.stdout.as_str()), (2, ""), "{host}: {run:?}");
        assert!(run.stderr.contains("one of: admin, etcdone"), "{host}: {run:?}");
    }
    let run = lab.run(&["--dir", "nowhere", "export", "etcdone"]);
    assert!(run.code == 2 && run.stderr.contains("etcdpki apply"), "{run:?}");
}
