//! Certificates of hosts compared with the manifest, and CAs whose end limits what they issue, to the second.

use pki_core::{
    Action, CaSet, CaStage, Certificate, CertificateSpec, ClusterCas, Held, IssuanceContext,
    KeyAlgorithm, Manifest, PrivateKey, Signer, SigningConfig,
};
use time::{Duration, OffsetDateTime};

use crate::ca_set;
use crate::lab::{Ca, NOW, moment};

fn manifest(expiry: &str) -> Manifest {
    let text = format!(
        "cluster: lab\ndefaults: {{ expiry: {expiry} }}\netcd: [{{ name: etcdone, ip: 192.0.2.1 }}]\n"
    );
    Manifest::from_yaml(text.as_bytes()).unwrap()
}

/// The server certificate that the manifest asks for.
fn server(expiry: &str) -> CertificateSpec {
    manifest(expiry).certificates().unwrap().swap_remove(0)
}

fn ca_for(lifetime: Duration) -> Ca {
    Ca::with(KeyAlgorithm::EcdsaP256, |request| request.expiry = lifetime)
}

/// Issues what `spec` asks for, as `apply` does.
fn issue(ca: &Ca, spec: &CertificateSpec, now: OffsetDateTime) -> Certificate {
    let key = PrivateKey::generate(KeyAlgorithm::EcdsaP256).unwrap();
    let (request, config) = (spec.request(key.public_key().clone()), SigningConfig::etcd());
    let context = IssuanceContext { now, ..moment() };
    let profile = config.profile(spec.role.profile()).unwrap();
    ca.authority.draft(&request, profile, &context).unwrap().sign(&ca.key).unwrap().certificate
}

fn compared(ca: &Ca, spec: &CertificateSpec, held: &Certificate, now: OffsetDateTime) -> Action {
    let cas = CaSet::new(vec![ca.certificate().clone()]).unwrap();
    let config = SigningConfig::etcd();
    let held = Held { certificate: held, chain: &[], key: Some(&held.public_key) };
    spec.compare(Some(held), &cas, config.profile(spec.role.profile()).unwrap(), now).unwrap()
}

#[test]
fn a_certificate_is_renewed_when_less_than_the_margin_is_left() {
    let (ca, spec) = (ca_for(Duration::days(3650)), server("1y"));
    let held = issue(&ca, &spec, NOW);
    let due = held.not_after - Duration::days(30);
    assert_eq!(compared(&ca, &spec, &held, due), Action::Keep);
    let late = compared(&ca, &spec, &held, due + Duration::SECOND);
    assert_eq!(late, Action::Renew { not_after: held.not_after });
}

/// Only a certificate that was shortened to the end of its CA may be shorter than the manifest says; none may be longer.
#[test]
fn a_certificate_that_ends_with_its_ca_is_kept_unless_the_manifest_asks_for_less() {
    let ca = ca_for(Duration::days(1095));
    let now = ca.certificate().not_after - Duration::days(200);
    let spec = server("1y");
    let shortened = issue(&ca, &spec, now);
    assert_eq!(shortened.not_after, ca.certificate().not_after);
    assert_eq!(compared(&ca, &spec, &shortened, now), Action::Keep);
    let long = issue(&ca, &server("5y"), NOW);
    assert_eq!(long.not_after, ca.certificate().not_after);
    let Action::Reissue { drift } = compared(&ca, &spec, &long, now) else {
        panic!("a certificate for three years is kept, although the manifest says one");
    };
    assert_eq!(drift.iter().map(|drift| drift.field).collect::<Vec<_>>(), ["lifetime"]);
}

#[test]
fn the_end_of_a_ca_is_reported_in_stages() {
    let ca = ca_for(Duration::days(3650));
    let cas = ClusterCas::shared(CaSet::new(vec![ca.certificate().clone()]).unwrap());
    let stage = |left: Duration| {
        let limits = manifest("1y").ca_limits(&cas, ca.certificate().not_after - left).unwrap();
        limits.first().map(|limit| limit.stage)
    };
    let days = Duration::days;
    for (left, expected) in [
        (days(395), None),
        (days(395) - Duration::SECOND, Some(CaStage::Shortens)),
        (days(90), Some(CaStage::Shortens)),
        (days(90) - Duration::SECOND, Some(CaStage::ExpiresSoon)),
        (days(30), Some(CaStage::ExpiresSoon)),
        (days(30) - Duration::SECOND, Some(CaStage::Refuses)),
        (Duration::ZERO, Some(CaStage::Refuses)),
        (-Duration::SECOND, Some(CaStage::Expired)),
    ] {
        assert_eq!(stage(left), expected, "{left}");
    }
}

#[test]
fn the_ca_of_a_chain_that_ends_first_limits() {
    let root = ca_set::root("root");
    let below = ca_set::below(&root, "below");
    let chain = [&below, &root].map(|ca| ca.certificate().clone()).to_vec();
    let cas = ClusterCas::shared(CaSet::new(chain).unwrap());
    let end = below.certificate().not_after;
    let limits = manifest("1y").ca_limits(&cas, end - Duration::days(60)).unwrap();
    let found: Vec<_> = limits.iter().map(|limit| limit.ca.subject.to_string()).collect();
    assert_eq!(found, ["CN=below"]);
}
