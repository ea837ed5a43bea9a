//! Revocation lists.

use pki_core::{Certificate, Finding, Purpose, Question, Verifier};
use rcgen::{RevokedCertParams, SerialNumber};
use time::Duration;

use super::{Example, Fault};
use crate::foreign::crl;
use crate::lab::{Ca, NOW};

pub(super) const EXAMPLES: &[Example] = &[
    Example::other("leaf-revoked", |fault| {
        with_crl(|ca, leaf| match fault {
            Fault::Planted => crl(ca, vec![revoked(leaf.serial.as_bytes())]),
            Fault::Absent => crl(ca, vec![revoked(&[1])]),
        })
    }),
    Example::other("crl-unusable", |fault| {
        with_crl(|ca, _| match fault {
            // Of a CA with the same name and another key.
            Fault::Planted => crl(&Ca::new(), Vec::new()),
            Fault::Absent => crl(ca, Vec::new()),
        })
    }),
];

fn with_crl(crl: impl Fn(&Ca, &Certificate) -> Vec<u8>) -> Vec<Finding> {
    let ca = Ca::new();
    let leaf = ca.issue("peer", "etcdone", &[]);
    let mut verifier = Verifier::new(vec![ca.certificate().clone()]).unwrap();
    verifier.add_crl(&crl(&ca, &leaf)).unwrap();
    let mut question = Question::at(NOW);
    question.purpose = Purpose::Peer;
    verifier.check(&leaf, &[], &question).findings
}

fn revoked(serial: &[u8]) -> RevokedCertParams {
    RevokedCertParams {
        serial_number: SerialNumber::from(serial.to_vec()),
        revocation_time: NOW - Duration::hours(1),
        reason_code: None,
        invalidity_date: None,
    }
}
