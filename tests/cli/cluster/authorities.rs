//! CAs that are not a single root: an intermediate, and two roots during a rotation.

use super::*;
use crate::process::finish;

/// A lab whose manifest has been applied under an intermediate CA.
fn under_an_intermediate() -> Lab {
    let lab = with_manifest(LAB);
    lab.make_intermediate_ca();
    lab.ok(APPLY);
    lab
}

fn count(lab: &Lab, file: &str) -> usize {
    pki_core::Certificate::from_pem_or_der(&lab.read(file)).unwrap().len()
}

/// Every leaf certificate below `hosts/`.
fn leaves(lab: &Lab) -> Vec<String> {
    let is_leaf = |name: &String| {
        name.contains("/hosts/")
            && Path::new(name).extension().is_some_and(|kind| kind == "pem")
            && !name.ends_with("-key.pem")
            && !name.ends_with("/ca.pem")
    };
    tree(lab).into_keys().filter(is_leaf).collect()
}

/// OpenSSL's result for a leaf certificate, with only the two files of its host.
fn openssl_verifies(lab: &Lab, leaf: &str) -> Run {
    let trusted = Path::new(leaf).with_file_name("ca.pem");
    let mut openssl = crate::peers::program("openssl");
    openssl.args(["verify", "-x509_strict", "-untrusted", leaf, "-CAfile"]).arg(trusted).arg(leaf);
    finish(openssl.current_dir(lab.folder()))
}

#[test]
fn under_an_intermediate_hosts_trust_the_root_and_leaves_carry_the_chain() {
    let lab = under_an_intermediate();
    let leaves = leaves(&lab);
    assert_eq!(leaves.len(), 7);
    for leaf in &leaves {
        let run = openssl_verifies(&lab, leaf);
        assert_eq!(run.code, 0, "{run:?}");
        assert_eq!(count(&lab, leaf), 2, "{leaf}");
    }
    for host in ["etcdone", "masterone"] {
        assert_eq!(lab.read(format!("pki/hosts/{host}/ca.pem")), lab.read("root/ca.pem"));
    }
    nothing_to_do(&lab);
    let run = lab.run(&["verify", "-f", "cluster.yaml", "--warn-as-error"]);
    assert_eq!(run.code, 0, "{run:?}");
    lab.ok(&["status", "-f", "cluster.yaml"]);
}

/// Earlier versions wrote the leaf certificate without its chain, and trusted the intermediate.
#[test]
fn folders_without_the_chain_are_repaired() {
    let lab = under_an_intermediate();
    for leaf in leaves(&lab) {
        let pem = String::from_utf8(lab.read(&leaf)).unwrap();
        let end = pem.find("-----END CERTIFICATE-----\n").unwrap() + 26;
        lab.write(&leaf, &pem[..end]);
        let intermediate = String::from_utf8(lab.read("pki/ca.pem")).unwrap();
        let end = intermediate.find("-----END CERTIFICATE-----\n").unwrap() + 26;
        lab.write(Path::new(&leaf).with_file_name("ca.pem"), &intermediate[..end]);
        assert_ne!(openssl_verifies(&lab, &leaf).code, 0, "{leaf}");
    }
    let run = lab.run(&["export", "etcdone"]);
    assert_eq!(run.code, 1, "{run:?}");
    assert!(run.stderr.contains("CN=etcd CA, must follow it in the file"), "{run:?}");
    let plan = lab.run(PLAN);
    assert!(plan.code == 4 && plan.stdout.contains("chain: none -> CN=etcd CA"), "{plan:?}");
    lab.ok(APPLY);
    nothing_to_do(&lab);
    for leaf in leaves(&lab) {
        let run = openssl_verifies(&lab, &leaf);
        assert_eq!(run.code, 0, "{run:?}");
    }
    lab.ok(&["export", "etcdone"]);
}

/// A root after the chain, as on some servers, is unnecessary but not a difference.
#[test]
fn a_root_behind_the_chain_is_kept() {
    let lab = under_an_intermediate();
    let leaf = "pki/hosts/etcdone/server.pem";
    lab.write(leaf, [lab.read(leaf), lab.read("root/ca.pem")].concat());
    nothing_to_do(&lab);
}

#[test]
fn a_key_store_holds_the_whole_chain() {
    let lab = under_an_intermediate();
    lab.write("password", "secret");
    std::fs::set_permissions(
        lab.path("password"),
        std::os::unix::fs::PermissionsExt::from_mode(0o600),
    )
    .unwrap();
    lab.ok(&["export", "masterone", "--as", "pkcs12", "--password-file", "password"]);
    let mut openssl = crate::peers::program("openssl");
    let read = ["pkcs12", "-nokeys", "-cacerts", "-passin", "file:password", "-in"];
    let store = "masterone-apiserver-etcd-client.p12";
    let run = finish(openssl.args(read).arg(store).current_dir(lab.folder()));
    assert_eq!(run.code, 0, "{run:?}");
    let found = pki_core::Certificate::from_pem_or_der(run.stdout.as_bytes()).unwrap();
    let mut found: Vec<String> = found.iter().map(|ca| ca.subject.to_string()).collect();
    found.sort();
    assert_eq!(found, ["CN=etcd CA", "CN=root"]);
}

/// Without the root, the trust files would be incomplete, so nothing is written.
#[test]
fn an_intermediate_without_its_root_is_refused() {
    let lab = with_manifest(LAB);
    lab.make_intermediate_ca();
    let chain = lab.read("pki/ca.pem");
    let root = lab.read("root/ca.pem");
    lab.write("pki/ca.pem", &chain[..chain.len() - root.len()]);
    let run = lab.run(APPLY);
    assert_eq!(run.code, 2, "{run:?}");
    assert!(run.stderr.contains("pki/ca.pem: not a chain of CAs: CN=root is missing"), "{run:?}");
    assert!(run.stderr.contains("append the certificates of the CAs above it"), "{run:?}");
    assert!(!lab.path("pki/hosts").exists());

    lab.write("pki/ca.pem", &chain);
    lab.ok(APPLY);
}

/// The first CA issues, and every host trusts both.
#[test]
fn two_roots_in_the_file_of_the_ca_are_trusted_by_every_host() {
    let lab = applied(LAB);
    lab.ok(&["--dir", "next", "init-ca", "--cn", "next etcd CA"]);
    let both = [lab.read("pki/ca.pem"), lab.read("next/ca.pem")].concat();
    lab.write("pki/ca.pem", &both);
    let before = tree(&lab);
    lab.ok(APPLY);
    let changed = changes(&before, &tree(&lab));
    assert_eq!(
        changed,
        ["etcdone", "etcdthree", "etcdtwo", "masterone"].map(|h| format!("{h}/ca.pem"))
    );
    assert_eq!(lab.read("pki/hosts/etcdone/ca.pem"), both);
    nothing_to_do(&lab);
    let run = lab.run(&["verify", "-f", "cluster.yaml", "--warn-as-error"]);
    assert_eq!(run.code, 0, "{run:?}");
    lab.ok(&["export", "etcdone"]);
}
