//! Modes in an archive, and the CA's key in whatever form.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::lab::Lab;
use crate::peers;

const MANIFEST: &str = "cluster: lab\netcd:\n  - { name: etcdone, ip: 192.168.29.61 }\n";
const HOST: &str = "pki/hosts/etcdone";

fn lab() -> Lab {
    let lab = Lab::new();
    lab.write("cluster.yaml", MANIFEST);
    lab.ok(&["apply", "-f", "cluster.yaml"]);
    lab
}

fn openssl(lab: &Lab, args: &[&str]) {
    let output = peers::program("openssl").args(args).current_dir(lab.folder()).output().unwrap();
    assert!(output.status.success(), "openssl {args:?}: {output:?}");
}

fn put(lab: &Lab, name: &str, contents: impl AsRef<[u8]>, mode: u32) {
    let path = lab.path(HOST).join(name);
    fs::write(&path, contents).unwrap();
    fs::set_permissions(path, PermissionsExt::from_mode(mode)).unwrap();
}

/// The modes in an archive, as tar shows them.
fn modes(lab: &Lab, archive: &str) -> BTreeMap<String, String> {
    let output = peers::program("tar").args(["-tvzf", archive]).current_dir(lab.folder()).output();
    let list = String::from_utf8(output.unwrap().stdout).unwrap();
    let words = list.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    words.map(|words| (words[5].to_owned(), words[0].to_owned())).collect()
}

#[test]
fn no_mode_is_looser_in_an_archive_than_on_the_disk() {
    let lab = lab();
    let key = format!("{HOST}/server-key.pem");
    openssl(&lab, &["pkey", "-in", &key, "-outform", "DER", "-out", "key.der"]);
    put(&lab, "key.der", lab.read("key.der"), 0o600);
    put(&lab, "secret.env", "PASSWORD=hunter2\n", 0o600);
    put(&lab, "store.p12", "not to be opened", 0o644);
    let both = [lab.read(format!("{HOST}/server.pem")), lab.read(&key)].concat();
    put(&lab, "bundle.pem.bak", both, 0o644);
    fs::set_permissions(lab.path(HOST).join("peer.pem"), PermissionsExt::from_mode(0o600)).unwrap();
    lab.ok(&["export", "etcdone"]);
    let modes = modes(&lab, "etcdone.tar.gz");
    for name in
        ["key.der", "secret.env", "store.p12", "bundle.pem.bak", "server-key.pem", "peer.pem"]
    {
        assert_eq!(modes[name], "-rw-------", "{name}");
    }
    for name in ["ca.pem", "server.pem", "etcd.conf.yaml", "etcd.service"] {
        assert_eq!(modes[name], "-rw-r--r--", "{name}");
    }
}

#[test]
fn the_cas_key_is_found_in_every_form() {
    struct Form(&'static str, fn(&Lab) -> Vec<u8>);
    let forms = [
        Form("more.pem", |lab| {
            // The second of two keys, behind a section that is damaged.
            let damaged = "-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n";
            let own = lab.read(format!("{HOST}/server-key.pem"));
            [own.as_slice(), damaged.as_bytes(), &lab.read("pki/ca-key.pem")].concat()
        }),
        Form("combined.crt", |lab| [lab.read("pki/ca.pem"), lab.read("pki/ca-key.pem")].concat()),
        Form("ca.der", |lab| {
            openssl(lab, &["pkey", "-in", "pki/ca-key.pem", "-outform", "DER", "-out", "ca.der"]);
            lab.read("ca.der")
        }),
        Form("ca.p12", |lab| {
            openssl(
                lab,
                &[
                    "pkcs12",
                    "-export",
                    "-in",
                    "pki/ca.pem",
                    "-inkey",
                    "pki/ca-key.pem",
                    "-passout",
                    "pass:",
                    "-out",
                    "ca.p12",
                ],
            );
            lab.read("ca.p12")
        }),
    ];
    for Form(name, make) in forms {
        let lab = lab();
        let contents = make(&lab);
        put(&lab, name, contents, 0o600);
        let export = lab.run(&["export", "etcdone"]);
        assert_eq!(export.code, 1, "{name}: {export:?}");
        let says = format!("etcdone/{name} is the CA's key");
        assert!(export.stderr.contains(&says), "{name}: {export:?}");
        for command in ["verify", "status"] {
            let run = lab.run(&[command, "-f", "cluster.yaml"]);
            assert_eq!(run.code, 1, "{name}: {run:?}");
            assert!(run.stdout.contains("ca-key-on-node"), "{command}, {name}: {run:?}");
        }
    }
}
