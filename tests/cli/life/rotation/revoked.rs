//! What the old CA revoked stays revoked: members read one CRL, and it is that of the new CA.

use pki_core::{Certificate, Crl};

use super::{HOSTS, MANIFEST};
use crate::inventory::program;
use crate::lab::Lab;
use crate::life::{APPLY, applied, ok_on};

const REISSUE: &[&str] = &["rotate-ca", "reissue", "-f", "cluster.yaml", "--restarted", "all"];
const FINISH: &[&str] = &["rotate-ca", "finish", "-f", "cluster.yaml", "--restarted", "all"];

fn certificate(lab: &Lab, file: &str) -> Certificate {
    Certificate::from_pem_or_der(&lab.read(file)).unwrap().swap_remove(0)
}

/// Every member has the same CRL. Returns it.
#[track_caller]
fn delivered(lab: &Lab) -> Crl {
    let crl = lab.read("pki/hosts/etcdone/crl.der");
    for host in &HOSTS[1..3] {
        assert_eq!(lab.read(format!("pki/hosts/{host}/crl.der")), crl, "{host}");
    }
    Crl::from_der(&crl).unwrap()
}

/// The members' CRL is one of this CA, lists exactly these certificates, and OpenSSL accepts it.
#[track_caller]
fn lists(lab: &Lab, ca: &str, revoked: &[&Certificate]) {
    let crl = delivered(lab);
    assert_eq!(crl.issuer.common_name(), Some(ca));
    for certificate in revoked {
        assert!(crl.lists(&certificate.serial), "{} is let in again", certificate.subject);
    }
    assert_eq!(crl.len(), revoked.len());
    let crl = ["crl", "-inform", "der", "-in", "pki/hosts/etcdone/crl.der", "-out", "crl.pem"];
    assert_eq!(program(lab, "openssl", &[&crl[..], &["-CAfile", "pki/ca.pem"]].concat()).code, 0);
}

#[test]
fn the_crl_of_a_new_ca_lists_what_the_old_ca_revoked_until_it_expires() {
    let lab = applied(&format!("{MANIFEST}crl: true\n"));
    for client in ["leaver", "late", "later"] {
        ok_on(&lab, 1, &["issue", "--profile", "client", client]);
    }
    let [leaver, late, later] =
        ["leaver.pem", "late.pem", "later.pem"].map(|file| certificate(&lab, file));
    ok_on(&lab, 1, &["revoke", "leaver.pem", "--reason", "keyCompromise"]);
    ok_on(&lab, 1, APPLY);
    lists(&lab, "etcd CA", &[&leaver]);

    lab.write("old-ca.pem", lab.read("pki/ca.pem"));
    ok_on(&lab, 2, &["rotate-ca", "begin", "-f", "cluster.yaml"]);
    lists(&lab, "etcd CA", &[&leaver]);
    ok_on(&lab, 3, REISSUE);
    lists(&lab, "etcd CA G2", &[&leaver]);

    // While members trust the old CA, its certificates can be revoked, by file and by serial number.
    ok_on(&lab, 3, &["revoke", "late.pem"]);
    ok_on(&lab, 3, APPLY);
    lists(&lab, "etcd CA G2", &[&leaver, &late]);
    ok_on(&lab, 4, FINISH);
    lists(&lab, "etcd CA G2", &[&leaver, &late]);
    // Members trust the old CA until they restart.
    ok_on(&lab, 4, &["revoke", &later.serial.to_string()]);
    ok_on(&lab, 4, APPLY);
    lists(&lab, "etcd CA G2", &[&leaver, &late, &later]);
    let run = lab.run(&["revoke", "old-ca.pem"]);
    assert!(run.code == 1 && run.stderr.contains("is the CA itself"), "{run:?}");
    ok_on(&lab, 4, &["crl", "--check", "--out", "pki/hosts/etcdone/crl.der"]);
    ok_on(&lab, 4, &["check"]);
    ok_on(&lab, 4, &["verify", "-f", "cluster.yaml"]);
    // OpenSSL applies the CRL to a certificate of the new CA.
    let verify = ["verify", "-crl_check", "-CAfile", "pki/ca.pem", "-CRLfile", "crl.pem"];
    let time = ["-attime", "1767614400", "pki/hosts/masterone/apiserver-etcd-client.pem"];
    let run = program(&lab, "openssl", &[&verify[..], &time[..]].concat());
    assert_eq!(run.code, 0, "{run:?}");

    // The certificates are on one CRL after they expired (RFC 5280 section 3.3), and then no longer.
    let expired = 1 + (later.not_after - later.not_before).whole_days() + 1;
    ok_on(&lab, expired, &["crl"]);
    ok_on(&lab, expired + 1, &["crl", "--der", "--out", "last.der"]);
    assert!(Crl::from_der(&lab.read("last.der")).unwrap().is_empty());
}

#[test]
fn a_leaf_that_the_old_ca_revoked_gets_a_new_key_from_the_new_ca() {
    let lab = applied(MANIFEST);
    let key = |host: &str, name: &str| lab.read(format!("pki/hosts/{host}/{name}-key.pem"));
    let stolen = key("masterone", "apiserver-etcd-client");
    let own = key("etcdone", "peer");
    ok_on(&lab, 2, &["rotate-ca", "begin", "-f", "cluster.yaml"]);
    ok_on(&lab, 3, &["revoke", "pki/hosts/masterone/apiserver-etcd-client.pem"]);
    ok_on(&lab, 3, REISSUE);
    assert_ne!(key("masterone", "apiserver-etcd-client"), stolen);
    assert_eq!(key("etcdone", "peer"), own, "only a revoked key is replaced");
}
