//! Examples of the rules about CRLs that the caller provides.

use pki_core::{Certificate, Finding, KeyAlgorithm, Purpose, Subject, Verifier, VerifyOptions};
use rcgen::{KeyUsagePurpose, RevokedCertParams, SerialNumber};
use time::Duration;

use super::chain::Chain;
use super::{Example, Fault};
use crate::der::{Node, forge, oid, put, remove};
use crate::foreign::{ca_params, crl, crl_by, self_signed};
use crate::lab::{Ca, NOW};

pub(super) const EXAMPLES: &[Example] = &[
    Example::other("leaf-revoked", |fault| {
        with_crl(|ca, leaf| match fault {
            Fault::Planted => crl(ca, vec![revoked(leaf.serial.as_bytes())]),
            Fault::Absent => crl(ca, vec![revoked(&[1])]),
        })
    }),
    Example::other("crl-signature", |fault| {
        with_crl(|ca, _| match fault {
            // By a CA with the same name and another key.
            Fault::Planted => crl(&Ca::new(), Vec::new()),
            Fault::Absent => crl(ca, Vec::new()),
        })
    }),
    Example::other("crl-sign", |fault| {
        let mut chain = Chain::new(Purpose::Peer);
        chain.alter = |signed| {
            // The encoder refuses to write a CRL for a CA that may not sign CRLs.
            let may = self_signed(&ca_params("etcd CA", &signed.ca_key), &signed.ca_key);
            signed.crls = vec![crl_by(&may, &signed.ca_key, Vec::new())];
        };
        if fault == Fault::Planted {
            chain.ca.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        }
        chain.findings()
    }),
    Example::other("crl-stale", |fault| {
        changed(fault, |fields| {
            // thisUpdate and nextUpdate are the fourth and the fifth field.
            fields[4] = fields[3].clone();
        })
    }),
    Example::other("crl-critical-extension", |fault| {
        changed(fault, |fields| put(fields, DELTA_CRL_INDICATOR, true, &[0x02, 0x01, 0x01]))
    }),
    Example::other("crl-scope", |fault| {
        // onlyContainsCACerts
        changed(fault, |fields| {
            put(fields, DISTRIBUTION_POINT, true, &[0x30, 0x03, 0x82, 0x01, 0xff]);
        })
    }),
    Example::other("crl-number", |fault| changed(fault, |fields| remove(fields, oid::CRL_NUMBER))),
    Example::other("crl-form", |fault| {
        changed(fault, |fields| remove(fields, oid::AUTHORITY_KEY_ID))
    }),
    Example::other("go-crl", |fault| changed(fault, |fields| drop(fields.remove(0)))),
    Example::other("crl-unrelated", |fault| of_another_ca(fault, AnotherCa::Unknown)),
    Example::other("crl-missing", |fault| of_another_ca(fault, AnotherCa::Trusted)),
];

/// Whose CRL is passed.
#[derive(Clone, Copy, Eq, PartialEq)]
enum AnotherCa {
    Trusted,
    Unknown,
}

fn of_another_ca(fault: Fault, another: AnotherCa) -> Vec<Finding> {
    let (ca, other) = (
        Ca::new(),
        Ca::with(KeyAlgorithm::EcdsaP256, |request| {
            request.subject = Subject::from_common_name("another CA").unwrap();
        }),
    );
    let leaf = ca.issue("peer", "etcdone", &[]);
    let mut anchors = vec![ca.certificate().clone()];
    if another == AnotherCa::Trusted {
        anchors.push(other.certificate().clone());
    }
    let mut builder = Verifier::builder(anchors);
    if another == AnotherCa::Trusted || fault == Fault::Planted {
        builder = builder.crl(&crl(&other, Vec::new())).unwrap();
    }
    if another == AnotherCa::Unknown || fault == Fault::Absent {
        builder = builder.crl(&crl(&ca, Vec::new())).unwrap();
    }
    let mut options = VerifyOptions::at(NOW);
    options.purpose = Purpose::Peer;
    builder.build().unwrap().check(&leaf, &[], &options).findings().cloned().collect()
}

fn with_crl(crl: impl Fn(&Ca, &Certificate) -> Vec<u8>) -> Vec<Finding> {
    let ca = Ca::new();
    let leaf = ca.issue("peer", "etcdone", &[]);
    let builder = Verifier::builder([ca.certificate().clone()]);
    let verifier = builder.crl(&crl(&ca, &leaf)).unwrap().build().unwrap();
    let mut options = VerifyOptions::at(NOW);
    options.purpose = Purpose::Peer;
    verifier.check(&leaf, &[], &options).findings().cloned().collect()
}

const DELTA_CRL_INDICATOR: &[u8] = &[0x55, 0x1d, 27];
pub(crate) const DISTRIBUTION_POINT: &[u8] = &[0x55, 0x1d, 28];

/// Verifies with an empty CRL, and changes its fields if the fault is planted.
fn changed(fault: Fault, change: fn(&mut Vec<Node>)) -> Vec<Finding> {
    with_crl(|ca, _| {
        let whole = crl(ca, Vec::new());
        match fault {
            Fault::Planted => forge(&whole, &ca.key, change),
            Fault::Absent => whole,
        }
    })
}

pub(crate) fn revoked(serial: &[u8]) -> RevokedCertParams {
    RevokedCertParams {
        serial_number: SerialNumber::from(serial.to_vec()),
        revocation_time: NOW - Duration::hours(1),
        reason_code: None,
        invalidity_date: None,
    }
}
