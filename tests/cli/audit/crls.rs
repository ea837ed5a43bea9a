//! Faults in the CRLs that members enforce.

use super::plant::openssl;
use super::{applied, edit, found, host};
use crate::lab::Lab;

/// A lab whose first member enforces `crl` on its client port. This version of etcd is configured through the
/// environment in its unit.
fn enforcing() -> Lab {
    let lab = applied("etcd_version: \"3.5.1\"\n");
    let option = "Environment=ETCD_CLIENT_CRL_FILE=/etc/etcd/crl\nExecStart=";
    edit(&lab, "etcdone/etcd.service", "ExecStart=", option);
    lab.write(
        "crl.cnf",
        "[ca]\ndefault_ca = any\n[any]\ndatabase = index.txt\ndefault_md = sha256\n\
         certificate = pki/ca.pem\nprivate_key = pki/ca-key.pem\ncrl_extensions = crl\n\
         [crl]\nauthorityKeyIdentifier = keyid\n",
    );
    lab.write("index.txt", "");
    lab
}

fn write(lab: &Lab, dates: &str, form: &str) {
    openssl(lab, &format!("ca -config crl.cnf -gencrl {dates} -out crl.pem"));
    openssl(lab, &format!("crl -in crl.pem -outform {form} -out {}", host("etcdone/crl")));
}

#[test]
fn an_empty_crl_is_accepted_in_either_form() {
    let lab = enforcing();
    for form in ["DER", "PEM"] {
        write(&lab, "-crldays 30", form);
        assert_eq!(found(&lab), [""; 0], "{form}");
    }
}

#[test]
fn a_crl_that_is_missing_or_malformed_or_expired_is_found() {
    let lab = enforcing();
    assert_eq!(found(&lab), ["etcdone/crl: file-missing"]);
    lab.write(host("etcdone/crl"), "");
    assert_eq!(found(&lab), ["etcdone/crl: crl-format"]);
    write(&lab, "-crl_lastupdate 20200101000000Z -crl_nextupdate 20200102000000Z", "DER");
    assert_eq!(found(&lab), ["etcdone/crl: crl-stale"]);
}

#[test]
fn a_crl_in_pem_for_an_etcd_that_reads_der_is_found() {
    let lab = enforcing();
    write(&lab, "-crldays 30", "PEM");
    let manifest = String::from_utf8(lab.read("cluster.yaml")).unwrap();
    lab.write("cluster.yaml", manifest.replace("3.5.1", "3.6"));
    assert_eq!(found(&lab), ["etcdone/crl: crl-format"]);
}

#[test]
fn a_revoked_client_is_found() {
    let lab = enforcing();
    let client = host("masterone/apiserver-etcd-client.pem");
    openssl(&lab, &format!("ca -config crl.cnf -revoke {client}"));
    write(&lab, "-crldays 30", "DER");
    assert_eq!(found(&lab), ["masterone/apiserver-etcd-client.pem: leaf-revoked"]);
}

#[test]
fn the_crl_of_another_ca_is_found() {
    let lab = enforcing();
    lab.ok(&["--dir", "other", "init-ca", "--cn", "another CA"]);
    let config = String::from_utf8(lab.read("crl.cnf")).unwrap();
    lab.write("crl.cnf", config.replace("pki/", "other/"));
    write(&lab, "-crldays 30", "DER");
    assert_eq!(found(&lab), ["etcdone/crl: crl-issuer"]);
    // The CRL lists a serial number that one of the lab's certificates also has.
    let client = host("masterone/apiserver-etcd-client.pem");
    openssl(&lab, &format!("ca -config crl.cnf -revoke {client}"));
    write(&lab, "-crldays 30", "DER");
    assert_eq!(found(&lab), ["etcdone/crl: crl-issuer", "etcdone/crl: crl-serial-clash"]);
}
