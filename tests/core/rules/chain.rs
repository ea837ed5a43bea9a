//! A leaf certificate under its CA, written by another encoder. They have no faults until a test plants one.

use pki_core::{
    Certificate, ExtendedKeyUsage, Finding, KeyAlgorithm, Policy, PrivateKey, Purpose, Verifier,
    VerifyOptions,
};
use rcgen::{CertificateParams, KeyUsagePurpose, SanType};

use crate::der::{Node, forge};
use crate::foreign::{ca_params, extended_key_usages, params, self_signed, signed};
use crate::lab::NOW;

/// The certificates to sign, and the options to verify with.
pub(super) struct Chain {
    pub(super) ca: CertificateParams,
    pub(super) ca_key: PrivateKey,
    /// An intermediate CA.
    pub(super) between: Option<(CertificateParams, PrivateKey)>,
    pub(super) leaf: CertificateParams,
    pub(super) leaf_key: PrivateKey,
    pub(super) options: VerifyOptions,
    /// A final change to the certificates: the CA, the intermediate, the leaf.
    pub(super) alter: fn(&mut Signed),
}

/// The certificates to verify.
pub(super) struct Signed {
    pub(super) anchors: Vec<Certificate>,
    pub(super) between: Vec<Certificate>,
    pub(super) leaf: Certificate,
    pub(super) ca_key: PrivateKey,
    pub(super) crls: Vec<Vec<u8>>,
    pub(super) max_depth: Option<usize>,
    pub(super) policy: Policy,
}

pub(super) fn dns(name: &str) -> SanType {
    SanType::DnsName(name.try_into().unwrap())
}

pub(super) fn key() -> PrivateKey {
    PrivateKey::generate(KeyAlgorithm::EcdsaP256).unwrap()
}

fn forged(
    certificate: &Certificate,
    key: &PrivateKey,
    change: impl FnOnce(&mut Vec<Node>),
) -> Certificate {
    Certificate::from_der(&forge(certificate.der(), key, change)).unwrap()
}

impl Chain {
    pub(super) fn new(purpose: Purpose) -> Self {
        let (ca_key, leaf_key) = (key(), key());
        let ca = ca_params("etcd CA", &ca_key);
        let mut leaf = params("etcdone", &leaf_key);
        leaf.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        let (server, client) = (ExtendedKeyUsage::server_auth(), ExtendedKeyUsage::client_auth());
        if purpose == Purpose::Client {
            leaf.subject_alt_names = vec![dns("etcdone.invalid")];
            leaf.extended_key_usages = extended_key_usages(&[client]);
        } else {
            leaf.subject_alt_names =
                vec![dns("etcdone"), SanType::IpAddress([192, 168, 29, 61].into())];
            leaf.extended_key_usages = extended_key_usages(&[server, client]);
        }
        let mut options = VerifyOptions::at(NOW);
        options.purpose = purpose;
        Self { ca, ca_key, between: None, leaf, leaf_key, options, alter: |_| {} }
    }

    /// An intermediate CA without faults.
    pub(super) fn put_between(&mut self) -> &mut CertificateParams {
        let key = key();
        let mut params = ca_params("etcd CA 2", &key);
        params.use_authority_key_identifier_extension = true;
        params.not_after = self.ca.not_after;
        &mut self.between.insert((params, key)).0
    }

    pub(super) fn sign(self) -> (Signed, VerifyOptions) {
        let ca = self_signed(&self.ca, &self.ca_key);
        let between = self
            .between
            .as_ref()
            .map(|(params, key)| (signed(params, key, &ca, &self.ca_key), key));
        let leaf = match &between {
            Some((issuer, key)) => signed(&self.leaf, &self.leaf_key, issuer, key),
            None => signed(&self.leaf, &self.leaf_key, &ca, &self.ca_key),
        };
        let mut signed = Signed {
            anchors: vec![ca],
            between: between.map(|(certificate, _)| certificate).into_iter().collect(),
            leaf,
            ca_key: self.ca_key,
            crls: Vec::new(),
            max_depth: None,
            policy: Policy::Etcd,
        };
        (self.alter)(&mut signed);
        (signed, self.options)
    }

    pub(super) fn findings(self) -> Vec<Finding> {
        let (signed, options) = self.sign();
        signed.findings(&options)
    }
}

impl Signed {
    /// Changes the fields of the leaf certificate; the CA signs it again.
    pub(super) fn forge_leaf(&mut self, change: impl FnOnce(&mut Vec<Node>)) {
        self.leaf = forged(&self.leaf, &self.ca_key, change);
    }

    /// Changes the fields of the CA; it signs itself again.
    pub(super) fn forge_ca(&mut self, change: impl FnOnce(&mut Vec<Node>)) {
        self.anchors = vec![forged(&self.anchors[0], &self.ca_key, change)];
    }

    pub(super) fn findings(self, options: &VerifyOptions) -> Vec<Finding> {
        let mut builder = Verifier::builder(self.anchors);
        for crl in &self.crls {
            builder = builder.crl(crl).unwrap();
        }
        let verifier = builder.max_depth(self.max_depth).policy(self.policy).build().unwrap();
        let report = verifier.check(&self.leaf, &self.between, options);
        report.findings().cloned().collect()
    }
}
