//! Examples of the rules about the form of a certificate.

use pki_core::{Certificate, Finding, Purpose, Verifier, VerifyOptions};
use rcgen::{CustomExtension, SerialNumber};
use time::Duration;

use super::chain::Chain;
use super::{Example, Fault};
use crate::der::{Node, oid, put, value};
use crate::foreign::resigned;
use crate::openssl::Openssl;

pub(super) const EXAMPLES: &[Example] = &[
    Example::other("sig-weak", |fault| by_openssl(P256, worse(fault, "-sha1", "-sha256"))),
    Example::chain("serial-negative", Purpose::Peer, serial_below_zero),
    Example::chain("serial-form", Purpose::Peer, serial_zero),
    Example::chain("ext-unknown-critical", Purpose::Peer, extension_that_nobody_knows),
    Example::chain("sig-algorithm-mismatch", Purpose::Peer, another_algorithm_inside),
    Example::chain("version-form", Purpose::Peer, second_version),
    Example::chain("version-old", Purpose::Any, first_version),
    Example::chain("unique-id", Purpose::Any, unique_id),
    Example::chain("ext-critical", Purpose::Peer, critical_key_identifier),
    Example::chain("ext-not-critical", Purpose::Peer, constraints_in_passing),
    Example::chain("ext-der", Purpose::Peer, default_written_out),
];

pub(super) const P256: &str = "-newkey ec -pkeyopt ec_paramgen_curve:P-256";

pub(super) fn worse(fault: Fault, worse: &'static str, good: &'static str) -> &'static str {
    if fault == Fault::Planted { worse } else { good }
}

/// A leaf certificate with this key, signed with this hash. Only OpenSSL still writes such certificates.
pub(super) fn by_openssl(key: &str, hash: &str) -> Vec<Finding> {
    let openssl = Openssl::new();
    openssl.run(&format!("req -x509 {P256} -nodes -keyout ca-key.pem -out ca.pem -subj /CN=etcd-ca -days 30 -config openssl.cnf"));
    openssl.run(&format!(
        "req {key} -nodes -keyout k.pem -out r.csr -subj /CN=etcdone -config openssl.cnf"
    ));
    openssl.run(&format!("x509 -req -in r.csr -CA ca.pem -CAkey ca-key.pem {hash} -days 10 -extfile openssl.cnf -extensions leaf -out leaf.pem"));
    let made = |name: &str| Certificate::from_pem_or_der(&openssl.read(name)).unwrap();
    let (ca, leaf) = (made("ca.pem"), made("leaf.pem").swap_remove(0));
    let mut options = VerifyOptions::at(leaf.not_before + Duration::minutes(1));
    options.purpose = Purpose::Peer;
    Verifier::builder(ca).build().unwrap().check(&leaf, &[], &options).findings().cloned().collect()
}

fn serial_below_zero(chain: &mut Chain) {
    // The encoder does not write negative numbers, so this sets the sign bit in its output.
    chain.leaf.serial_number = Some(SerialNumber::from(vec![0x2a; 20]));
    chain.alter = |signed| {
        signed.leaf = resigned(&signed.leaf, &signed.ca_key, &[0x2a; 20], &[0xaa; 20]);
    };
}

fn serial_zero(chain: &mut Chain) {
    chain.leaf.serial_number = Some(SerialNumber::from(vec![0]));
}

fn extension_that_nobody_knows(chain: &mut Chain) {
    let oid = [1, 3, 6, 1, 4, 1, 44363, 9];
    let mut extension = CustomExtension::from_oid_content(&oid, vec![0x05, 0x00]);
    extension.set_criticality(true);
    chain.leaf.custom_extensions = vec![extension];
}

fn another_algorithm_inside(chain: &mut Chain) {
    chain.alter = |signed| {
        // Changes the last arc of ecdsa-with-SHA256 to that of ecdsa-with-SHA384. webpki does not check this in an
        // anchor.
        signed.forge_ca(|fields| *fields[2].inner()[0].content().last_mut().unwrap() = 3);
    };
}

fn second_version(chain: &mut Chain) {
    chain.alter = |signed| signed.forge_leaf(|fields| *fields[0].inner()[0].content() = vec![1]);
}

fn first_version(chain: &mut Chain) {
    chain.alter = |signed| {
        signed.forge_ca(|fields| {
            fields.remove(0);
            fields.retain(|field| field.tag != 0xa3);
        });
    };
}

fn unique_id(chain: &mut Chain) {
    chain.alter = |signed| {
        signed.forge_ca(|fields| fields.insert(7, Node::octets(0x82, [0x00, 0x2a])));
    };
}

fn critical_key_identifier(chain: &mut Chain) {
    chain.alter = |signed| {
        signed.forge_ca(|fields| {
            let identifier = value(fields, oid::SUBJECT_KEY_ID).unwrap();
            put(fields, oid::SUBJECT_KEY_ID, true, &identifier);
        });
    };
}

/// Excludes names below example.org, which no certificate here has.
fn constraints_in_passing(chain: &mut Chain) {
    chain.alter = |signed| {
        signed.forge_ca(|fields| {
            let excluded = b"\x30\x11\xa1\x0f\x30\x0d\x82\x0bexample.org";
            put(fields, oid::NAME_CONSTRAINTS, false, excluded);
        });
    };
}

fn default_written_out(chain: &mut Chain) {
    chain.alter = |signed| {
        // cA FALSE, which DER omits.
        let value = [0x30, 0x03, 0x01, 0x01, 0x00];
        signed.forge_leaf(|fields| put(fields, oid::BASIC_CONSTRAINTS, true, &value));
    };
}
