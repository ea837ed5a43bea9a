//! `init-ca --intermediate`: a CA below a root whose key is kept offline, judged by OpenSSL and GnuTLS.

use std::fs;

use crate::inventory::{program, serial_of, sqlite};
use crate::lab::{Lab, Run};

const ROOT: [&str; 6] = ["--dir", "root", "init-ca", "--cn", "root", "--path-len"];
const INTERMEDIATE: [&str; 4] = ["init-ca", "--intermediate", "--root-dir", "root"];

fn with_intermediate(options: &[&str]) -> Lab {
    let lab = Lab::new();
    lab.ok(&[&ROOT[..], &["1"], options].concat());
    lab.ok(&[&INTERMEDIATE[..], options].concat());
    lab
}

fn openssl(lab: &Lab, args: &str) -> Run {
    program(lab, "openssl", &args.split(' ').collect::<Vec<_>>())
}

#[test]
fn openssl_and_gnutls_accept_a_leaf_with_its_chain() {
    for algorithm in ["ecdsa-p256", "ecdsa-p384", "ed25519", "rsa-2048"] {
        let lab = with_intermediate(&["--key", algorithm]);
        let text = openssl(&lab, "x509 -in pki/ca.pem -noout -text").stdout;
        for says in ["CA:TRUE, pathlen:0", "Certificate Sign, CRL Sign", "Issuer: CN = root"] {
            assert!(text.replace("CN=", "CN = ").contains(says), "{algorithm}: {says}: {text}");
        }
        lab.ok(&["issue", "--profile", "server", "one", "--chain"]);
        let run = openssl(
            &lab,
            "verify -CAfile root/ca.pem -untrusted one.pem -purpose sslserver one.pem",
        );
        assert_eq!(run.code, 0, "{algorithm}: {run:?}");
        let verify = ["--verify", "--load-ca-certificate", "root/ca.pem", "--infile", "one.pem"];
        let run = program(&lab, "certtool", &verify);
        assert_eq!(run.code, 0, "{algorithm}: {run:?}");
        lab.ok(&["verify", "one.pem", "--ca", "root/ca.pem", "--purpose", "server"]);
        // Below it there is no other CA.
        let run = lab.run(&[
            "--dir",
            "third",
            "init-ca",
            "--intermediate",
            "--root-dir",
            "pki",
            "--cn",
            "third",
        ]);
        assert_eq!(run.code, 1, "{run:?}");
        assert!(run.stderr.contains("has the path length 0"), "{run:?}");
        assert!(!lab.path("third").exists());
    }
}

/// etcd and its clients know only the root, so a file without the intermediate is of no use to them.
#[test]
fn issue_without_chain_warns() {
    let lab = with_intermediate(&[]);
    let run = lab.run(&["issue", "--profile", "server", "one"]);
    assert_eq!(run.code, 0, "{run:?}");
    assert!(
        run.stderr.contains("warning: the file does not contain the intermediate CA"),
        "{run:?}"
    );
    let run = openssl(&lab, "verify -CAfile root/ca.pem one.pem");
    assert_eq!(run.code, 2, "{run:?}");
    assert_eq!(lab.run(&["issue", "--profile", "server", "two", "--chain"]).stderr, "");
}

#[test]
fn the_root_is_needed_only_once() {
    let lab = with_intermediate(&[]);
    fs::rename(lab.path("root"), lab.path("offline")).unwrap();
    lab.write("cluster.yaml", "cluster: lab\ncrl: true\netcd: [{ name: one, ip: 192.0.2.1 }]\n");
    lab.ok(&["apply", "-f", "cluster.yaml"]);
    lab.ok(&["issue", "--profile", "client", "api", "--chain"]);
    lab.ok(&["revoke", "api.pem"]);
    lab.ok(&["apply", "-f", "cluster.yaml"]);
    let run = lab.run(&["verify", "-f", "cluster.yaml"]);
    assert_eq!(run.code, 0, "{run:?}");
    assert_eq!(lab.read("pki/hosts/one/ca.pem"), lab.read("offline/ca.pem"));
    lab.ok(&["crl", "--out", "crl.pem"]);
    let run = openssl(
        &lab,
        "verify -crl_check -CAfile offline/ca.pem -untrusted api.pem -CRLfile crl.pem api.pem",
    );
    assert!(run.stderr.contains("certificate revoked"), "{run:?}");
}

/// The root recorded it, so the root can revoke it.
#[test]
fn the_root_records_its_intermediate_and_revokes_it() {
    let lab = with_intermediate(&[]);
    lab.ok(&["issue", "--profile", "client", "api", "--chain"]);
    let listed = lab.ok(&["--dir", "root", "list", "--profile", "ca"]);
    assert!(listed.to_uppercase().contains(&serial_of(&lab, "pki/ca.pem")), "{listed}");
    assert!(listed.contains("/pki/ca.pem\n"), "{listed}");
    assert_eq!(lab.ok(&["check"]), "pki/inventory.db: ok, 3 certificates\n");
    assert_eq!(lab.ok(&["--dir", "root", "check"]), "root/inventory.db: ok, 2 certificates\n");
    lab.ok(&["--dir", "root", "revoke", "pki/ca.pem", "--reason", "cACompromise"]);
    lab.ok(&["--dir", "root", "crl", "--out", "root.crl"]);
    lab.ok(&["crl", "--out", "ca.crl"]);
    lab.write("both.crl", [lab.read("root.crl"), lab.read("ca.crl")].concat());
    let run = openssl(
        &lab,
        "verify -crl_check_all -CAfile root/ca.pem -untrusted api.pem -CRLfile both.crl api.pem",
    );
    assert!(run.stderr.contains("error 23 at 1 depth lookup: certificate revoked"), "{run:?}");
    let crls = ["--crl", "root.crl", "--crl", "ca.crl"];
    let run = lab.run(&[&["verify", "api.pem", "--ca", "root/ca.pem"], &crls[..]].concat());
    assert_eq!(run.code, 1, "{run:?}");
    assert!(run.stdout.contains("-revoked]"), "{run:?}");
}

/// The key is put in place before the certificate; the inventory has the whole chain.
#[test]
fn a_lost_chain_comes_back_from_the_inventory() {
    let lab = with_intermediate(&[]);
    let before = lab.read("pki/ca.pem");
    fs::remove_file(lab.path("pki/ca.pem")).unwrap();
    let run = lab.run(&["issue", "--profile", "client", "api", "--chain"]);
    assert_eq!(run.code, 0, "{run:?}");
    assert_eq!(lab.read("pki/ca.pem"), before);
}

#[test]
fn its_life_ends_with_the_root_at_the_latest() {
    let lab = Lab::new();
    lab.ok(&[&ROOT[..], &["1", "--expiry", "2y"]].concat());
    let run = lab.run(&[&INTERMEDIATE[..], &["--expiry", "3y"]].concat());
    assert_eq!(run.code, 1, "{run:?}");
    assert!(run.stderr.contains("outlives"), "{run:?}");
    assert!(!lab.path("pki").exists());
    lab.ok(&INTERMEDIATE);
    let end = |file: &str| openssl(&lab, &format!("x509 -in {file} -noout -enddate")).stdout;
    let query = "SELECT (julianday((SELECT expiry FROM certificates WHERE common_name = 'root'))
        - julianday((SELECT expiry FROM certificates WHERE common_name = 'etcd CA'))) * 86400 < 60";
    assert_eq!(
        sqlite(&lab, "root/inventory.db", query),
        "1\n",
        "{} {}",
        end("root/ca.pem"),
        end("pki/ca.pem")
    );
}

#[test]
fn what_cannot_be_an_intermediate_is_refused_before_anything_is_written() {
    let lab = Lab::new();
    lab.ok(&[&ROOT[..], &["1"]].concat());
    lab.ok(&["--dir", "flat", "init-ca", "--cn", "flat"]);
    for (args, code, says) in [
        (&["--root-dir", "flat"][..], 1, "flat/ca.pem: CN=flat has the path length 0"),
        (&["--root-dir", "nowhere"], 3, "nowhere: no CA here"),
        (&["--root-dir", "root", "--cn", "root"], 2, "the name of the CA above it"),
        (&[], 2, "--root-dir"),
    ] {
        let run = lab.run(&[&["init-ca", "--intermediate"], args].concat());
        assert_eq!(run.code, code, "{run:?}");
        assert!(run.stderr.contains(says), "{says}: {run:?}");
        assert!(!lab.path("pki").exists());
    }
    assert_eq!(lab.ok(&["--dir", "root", "list"]).lines().count(), 2, "nothing was recorded");
    fs::remove_file(lab.path("root/ca-key.pem")).unwrap();
    let run = lab.run(&INTERMEDIATE);
    assert_eq!(run.code, 3, "{run:?}");
    assert!(run.stderr.contains("root/ca-key.pem is missing"), "{run:?}");
}
