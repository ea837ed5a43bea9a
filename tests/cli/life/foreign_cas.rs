//! `renew --ca` for CAs that other programs made: everything that the CA issued before still verifies.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;

use pki_core::Certificate;
use serde_json::{Value, json};

use crate::lab::Lab;
use crate::peers;

/// Five years from now, when both certificates of the CA are checked. The leaves live that long too.
const LATER: &str = "+1800 days";

/// Names, string types and extensions that etcdpki would not write by itself.
const OPENSSL: &str = "\
[req]
distinguished_name = dn
x509_extensions = ca
string_mask = utf8only
prompt = no
[dn]
CN = etcd CA ü
OU = Lab
O = Example
C = DE
[ca]
basicConstraints = critical, CA:TRUE, pathlen:1
keyUsage = critical, keyCertSign, cRLSign, digitalSignature
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
nameConstraints = permitted;DNS:example.com, permitted;DNS:localhost, permitted;IP:127.0.0.1/255.255.255.255
crlDistributionPoints = URI:http://crl.example.com/etcd.crl
1.2.3.4.5 = ASN1:UTF8String:private
[leaf]
basicConstraints = CA:FALSE
extendedKeyUsage = serverAuth, clientAuth
subjectAltName = DNS:etcdone.example.com
authorityKeyIdentifier = AKI
";

fn sh(lab: &Lab, line: &str) -> String {
    let output =
        peers::program("sh").args(["-ec", line]).current_dir(lab.folder()).output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{line}: {errors}; {}", peers::INSTALL);
    String::from_utf8(output.stdout).unwrap()
}

/// A lab with a CA folder, in which this script makes `ca.pem`, `ca-key.pem`, `leaf.pem` and `leaf-key.pem`.
fn made_by(script: &str, config: &str) -> Lab {
    let lab = Lab::new();
    fs::create_dir(lab.path("pki")).unwrap();
    fs::set_permissions(lab.path("pki"), Permissions::from_mode(0o700)).unwrap();
    lab.write("openssl.cnf", config);
    sh(&lab, script);
    sh(
        &lab,
        "cp ca.pem pki/ca.pem; umask 077; cp ca-key.pem pki/ca-key.pem; chmod 600 pki/ca-key.pem",
    );
    lab
}

fn openssl(key: &str, config: &str) -> Lab {
    let script = format!(
        "openssl req -x509 -config openssl.cnf -newkey {key} -nodes -days 200 -keyout ca-key.pem -out ca.pem
         openssl req -new -config openssl.cnf -subj /CN=etcdone -newkey {key} -nodes -keyout leaf-key.pem -out leaf.csr
         openssl x509 -req -in leaf.csr -CA ca.pem -CAkey ca-key.pem -CAcreateserial -days 3000 -extfile openssl.cnf \
           -extensions leaf -out leaf.pem"
    );
    made_by(&script, config)
}

fn certificate(lab: &Lab, name: &str) -> Certificate {
    Certificate::from_pem_or_der(&lab.read(name)).unwrap().swap_remove(0)
}

fn base64(lab: &Lab, name: &str) -> String {
    sh(lab, &format!("openssl x509 -in {name} -outform DER | base64 -w0"))
}

/// Go's verdict on the leaf under the new CA, at a time when the old one has expired.
fn go_accepts(lab: &Lab, host: &str) -> Value {
    let at = sh(lab, &format!("date -u -d '{LATER}' +%Y-%m-%dT%H:%M:%SZ"));
    let key = sh(lab, "openssl pkcs8 -topk8 -nocrypt -in leaf-key.pem -outform DER | base64 -w0");
    let request = json!({ "chain": {
        "leaf": base64(lab, "leaf.pem"), "intermediates": [], "roots": [base64(lab, "pki/ca.pem")],
        "host": host, "purpose": "server", "at": at.trim(), "key": key,
    } });
    serde_json::from_str(&peers::go(&format!("{request}\n"))).unwrap()
}

/// Renews the CA. Subject, key and every extension stay, and openssl and Go accept the old leaf under the new certificate.
fn is_renewed(lab: &Lab, host: &str) {
    let old = certificate(lab, "pki/ca.pem");
    let verify =
        format!("openssl verify -attime $(date -d '{LATER}' +%s) -CAfile pki/ca.pem leaf.pem");
    assert!(sh(lab, &format!("{verify} 2>&1 || true")).contains("certificate has expired"));
    // For eleven times its lifetime.
    for _ in 0..11 {
        lab.ok(&["renew", "--ca"]);
    }
    let new = certificate(lab, "pki/ca.pem");
    assert_ne!(new.serial, old.serial);
    assert_eq!((new.subject.der(), &new.public_key), (old.subject.der(), &old.public_key));
    assert_eq!(new.extensions.all, old.extensions.all);
    // The lifetime is that of the old certificate, so the clock of the next renewals is moved.
    let later = sh(lab, &format!("date -u -d '{LATER} - 10 days' +%Y-%m-%d"));
    let run = lab.run_at(later.trim(), &["renew", "--ca"]);
    assert_eq!(run.code, 0, "{run:?}");
    assert_eq!(certificate(lab, "pki/ca.pem").extensions.all, old.extensions.all);
    sh(lab, &verify);
    let verdict = go_accepts(lab, host);
    assert_eq!(verdict["accepts"], true, "{verdict}");
}

#[test]
fn a_ca_made_by_openssl_with_its_own_strings_and_extensions() {
    for key in ["ec -pkeyopt ec_paramgen_curve:prime256v1", "rsa:2048"] {
        let lab = openssl(key, &OPENSSL.replace("AKI", "keyid"));
        is_renewed(&lab, "etcdone.example.com");
    }
}

/// Signatures, string types and extensions that etcdpki never chooses by itself.
#[test]
fn a_ca_of_an_unusual_shape() {
    let config = OPENSSL
        .replace("AKI", "keyid")
        .replace("CN = etcd CA ü\nOU = Lab", "OU = Lab\n+CN = etcd CA")
        .replace("utf8only", "MASK:0x0800")
        .replace("[leaf]", "issuerAltName = DNS:ca.example.com\nsubjectInfoAccess = caRepository;URI:http://ca.example.com/\n[leaf]");
    for key in [
        "rsa:2048 -sigopt rsa_padding_mode:pss",
        "ed25519",
        "ec -pkeyopt ec_paramgen_curve:P-384 -sha512",
    ] {
        is_renewed(&openssl(key, &config), "etcdone.example.com");
    }
}

/// kubeadm: RSA, one common name, no path length; the names in the certificates are addresses too.
#[test]
fn a_ca_in_the_shape_of_kubeadm() {
    let config = "[req]\ndistinguished_name = dn\nx509_extensions = ca\nprompt = no\n[dn]\nCN = etcd-ca\n[ca]\n\
                  basicConstraints = critical, CA:TRUE\nkeyUsage = critical, digitalSignature, keyEncipherment, keyCertSign\n\
                  subjectKeyIdentifier = hash\nsubjectAltName = DNS:etcd-ca\n[leaf]\n\
                  basicConstraints = critical, CA:FALSE\nkeyUsage = critical, digitalSignature, keyEncipherment\n\
                  extendedKeyUsage = serverAuth, clientAuth\nauthorityKeyIdentifier = keyid\n\
                  subjectAltName = DNS:node1, DNS:localhost, IP:10.0.0.1, IP:127.0.0.1\n";
    is_renewed(&openssl("rsa:2048", config), "10.0.0.1");
}

#[test]
fn a_ca_made_by_cfssl() {
    let script = r#"
        echo '{"CN":"etcd CA","key":{"algo":"rsa","size":2048},"names":[{"C":"DE","O":"Lab","OU":"etcd"}],"ca":{"expiry":"4800h"}}' >ca.json
        cfssl gencert -initca ca.json 2>/dev/null | cfssljson -bare ca
        echo '{"signing":{"default":{"expiry":"72000h","usages":["signing","key encipherment","server auth","client auth"]}}}' >config.json
        echo '{"CN":"etcdone","hosts":["etcdone","10.0.0.1"],"key":{"algo":"ecdsa","size":256}}' >leaf.json
        cfssl gencert -ca ca.pem -ca-key ca-key.pem -config config.json leaf.json 2>/dev/null | cfssljson -bare leaf"#;
    is_renewed(&made_by(script, ""), "etcdone");
}

/// easy-rsa's certificates name the serial number of their CA, which a renewal changes. They are named before anything is
/// done, OpenSSL refuses them until they are renewed, and Go never does.
#[test]
fn certificates_bound_to_the_serial_number_of_their_ca_are_named_and_renewed() {
    let config = OPENSSL.replace("AKI", "keyid, issuer:always");
    let lab = openssl("ec -pkeyopt ec_paramgen_curve:prime256v1", &config);
    fs::create_dir_all(lab.path("pki/hosts/etcdone")).unwrap();
    fs::copy(lab.path("leaf.pem"), lab.path("pki/hosts/etcdone/server.pem")).unwrap();
    let before = lab.read("pki/ca.pem");
    let planned = lab.run(&["renew", "--ca", "--dry-run"]);
    assert_eq!((planned.code, lab.read("pki/ca.pem")), (0, before));
    let named = "1 certificate names the serial number of a CA certificate";
    assert!(planned.stderr.contains(named), "{planned:?}");
    assert!(planned.stderr.contains("hosts/etcdone/server.pem"), "{planned:?}");
    let run = lab.run(&["renew", "--ca"]);
    assert!(run.code == 0 && run.stderr.contains(named), "{run:?}");

    let verify = "openssl verify -CAfile pki/ca.pem leaf.pem 2>&1 || true";
    assert!(sh(&lab, verify).contains("error 20"), "{}", sh(&lab, verify));
    lab.ok(&["renew", "leaf.pem", "--dir", "pki"]);
    assert_eq!(sh(&lab, verify), "leaf.pem: OK\n");
    let said = lab.run(&["renew", "--ca", "--dry-run"]);
    assert!(said.stderr.contains("hosts/etcdone/server.pem"), "{said:?}");
}

/// Go and etcd reject everything that such a CA signs, so a renewal would only look like one.
#[test]
fn a_certificate_that_may_not_sign_others_is_not_renewed_as_a_ca() {
    let constraints = "basicConstraints = critical, CA:TRUE, pathlen:1\n";
    for replaced in ["", "basicConstraints = critical, CA:FALSE\n"] {
        let config = OPENSSL.replace("AKI", "keyid").replacen(constraints, replaced, 1);
        let lab = openssl("ec -pkeyopt ec_paramgen_curve:prime256v1", &config);
        let before = lab.read("pki/ca.pem");
        let run = lab.run(&["renew", "--ca"]);
        assert!(run.code == 1 && run.stderr.contains("ca-bc"), "{run:?}");
        assert_eq!(lab.read("pki/ca.pem"), before);
    }
}
