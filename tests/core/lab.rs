//! A CA and leaf certificates in memory, for all other modules.

use pki_core::{
    Authority, CaRequest, Certificate, Draft, Error, IssuanceContext, KeyAlgorithm, PrivateKey,
    Request, San, SerialNumber, Signer, SigningConfig, Subject,
};
use time::OffsetDateTime;
use time::macros::datetime;

pub(crate) const NOW: OffsetDateTime = datetime!(2027-01-01 12:00 UTC);

pub(crate) struct Ca {
    pub(crate) key: PrivateKey,
    pub(crate) authority: Authority,
}

pub(crate) fn moment() -> IssuanceContext {
    let mut random = [0; 20];
    aws_lc_rs::rand::fill(&mut random).unwrap();
    IssuanceContext { now: NOW, serial: SerialNumber::from_random(random) }
}

pub(crate) fn names(names: &[&str]) -> Vec<San> {
    names.iter().map(|name| name.parse().unwrap()).collect()
}

impl Ca {
    pub(crate) fn new() -> Self {
        Self::with(KeyAlgorithm::EcdsaP256, |_| {})
    }

    pub(crate) fn with(algorithm: KeyAlgorithm, change: impl FnOnce(&mut CaRequest)) -> Self {
        let key = PrivateKey::generate(algorithm).unwrap();
        let mut request = CaRequest::new(Subject::from_common_name("etcd CA").unwrap());
        change(&mut request);
        let draft = Authority::draft_root(&request, key.public_key(), &moment()).unwrap();
        let issued = draft.sign(&key).unwrap();
        assert_eq!(issued.findings, []);
        Self { key, authority: Authority::new(issued.certificate) }
    }

    pub(crate) fn certificate(&self) -> &Certificate {
        self.authority.certificate()
    }

    pub(crate) fn request(cn: &str, sans: &[&str], key: &PrivateKey) -> Request {
        Request::new(Subject::from_common_name(cn).unwrap(), names(sans), key.public_key().clone())
    }

    pub(crate) fn draft(&self, profile: &str, request: &Request) -> Result<Draft, Error> {
        self.authority.draft(request, SigningConfig::etcd().profile(profile).unwrap(), &moment())
    }

    pub(crate) fn issue(&self, profile: &str, cn: &str, sans: &[&str]) -> Certificate {
        let key = PrivateKey::generate(KeyAlgorithm::EcdsaP256).unwrap();
        let draft = self.draft(profile, &Self::request(cn, sans, &key)).unwrap();
        draft.sign(&self.key).unwrap().certificate
    }
}
