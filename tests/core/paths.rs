//! Paths by RFC 5280 section 6.1: several issuers, cycles, paths that webpki cannot accept, and the amount of
//! work that a hostile set of CAs can cause.

mod contents;

use pki_core::{
    Certificate, KeyAlgorithm, KeyFormat, PathLimit, Policy, PrivateKey, Purpose, Report, Verifier,
    VerifyOptions,
};
use rcgen::{
    BasicConstraints, CertificateParams, GeneralSubtree, IsCa, NameConstraints, RevokedCertParams,
    SanType, SerialNumber,
};
use time::Duration;

use crate::der::{Node, forge};
use crate::foreign::{ca_params, crl_by, params, self_signed, signed};
use crate::lab::NOW;
use crate::openssl::Openssl;

/// A CA with its key.
struct Ca {
    certificate: Certificate,
    key: PrivateKey,
}

fn key() -> PrivateKey {
    PrivateKey::generate(KeyAlgorithm::EcdsaP256).unwrap()
}

fn root(name: &str, change: impl FnOnce(&mut CertificateParams)) -> Ca {
    let key = key();
    let mut params = ca_params(name, &key);
    change(&mut params);
    Ca { certificate: self_signed(&params, &key), key }
}

impl Ca {
    /// A CA below this one, with its own key.
    fn ca(&self, name: &str, change: impl FnOnce(&mut CertificateParams)) -> Self {
        self.certify(name, key(), change)
    }

    /// A CA below this one, with this key.
    fn certify(
        &self,
        name: &str,
        key: PrivateKey,
        change: impl FnOnce(&mut CertificateParams),
    ) -> Self {
        let mut params = ca_params(name, &key);
        params.use_authority_key_identifier_extension = true;
        change(&mut params);
        Self { certificate: signed(&params, &key, &self.certificate, &self.key), key }
    }

    fn leaf(&self, change: impl FnOnce(&mut CertificateParams)) -> Certificate {
        let key = key();
        let mut params = params("host", &key);
        params.subject_alt_names = vec![SanType::DnsName("host.example.com".try_into().unwrap())];
        change(&mut params);
        signed(&params, &key, &self.certificate, &self.key)
    }

    /// A second holder of the same key.
    fn same_key(&self) -> PrivateKey {
        PrivateKey::from_pem(self.key.to_pem(KeyFormat::Pkcs8).unwrap().as_bytes()).unwrap()
    }
}

fn check(anchors: &[&Ca], between: &[&Ca], leaf: &Certificate) -> Report {
    check_with(anchors, between, leaf, &[])
}

fn check_with(anchors: &[&Ca], between: &[&Ca], leaf: &Certificate, crls: &[Vec<u8>]) -> Report {
    let certificates =
        |cas: &[&Ca]| -> Vec<_> { cas.iter().map(|ca| ca.certificate.clone()).collect() };
    let mut builder = Verifier::builder(certificates(anchors))
        .intermediates(certificates(between))
        .policy(Policy::Rfc5280);
    for crl in crls {
        builder = builder.crl(crl).unwrap();
    }
    let mut options = VerifyOptions::at(NOW);
    options.purpose = Purpose::Any;
    builder.build().unwrap().check(leaf, &[], &options)
}

fn ids(report: &Report) -> Vec<&str> {
    report.findings().map(|finding| finding.rule.id).collect()
}

fn constrained(permitted: Vec<GeneralSubtree>, excluded: Vec<GeneralSubtree>) -> NameConstraints {
    NameConstraints { permitted_subtrees: permitted, excluded_subtrees: excluded }
}

fn path_len(length: u8) -> impl FnOnce(&mut CertificateParams) {
    move |params| params.is_ca = IsCa::Ca(BasicConstraints::Constrained(length))
}

#[test]
fn a_path_is_found_among_cross_signed_cas_despite_circles() {
    let (a, b) = (root("a", |_| {}), root("b", |_| {}));
    let (a_by_b, b_by_a) =
        (b.certify("a", a.same_key(), |_| {}), a.certify("b", b.same_key(), |_| {}));
    let below = a.ca("below", |_| {});
    let leaf = below.leaf(|_| {});
    // a and b sign each other, and one of them is trusted.
    assert_eq!(ids(&check(&[&a], &[&a_by_b, &b_by_a, &below], &leaf)), [""; 0]);
    assert_eq!(ids(&check(&[&b], &[&b_by_a, &a_by_b, &below], &leaf)), [""; 0]);
    // None of them is trusted.
    let stranger = root("stranger", |_| {});
    let report = check(&[&stranger], &[&a_by_b, &b_by_a, &below], &leaf);
    assert!(ids(&report).contains(&"path-unknown-authority"), "{report}");
    // The cross certificate has expired, but the root itself is trusted.
    let ended = b.certify("a", a.same_key(), |params| params.not_after = NOW - Duration::DAY);
    assert_eq!(ids(&check(&[&a, &b], &[&ended, &below], &leaf)), [""; 0]);
    // The intermediate is trusted; its root is known but not trusted.
    assert_eq!(ids(&check(&[&below], &[&a], &leaf)), [""; 0]);
}

#[test]
fn one_bad_anchor_does_not_affect_the_others() {
    let (good, bad) = (root("good", |_| {}), root("bad", |_| {}));
    let leaf = good.leaf(|_| {});
    // Its two signature algorithms differ, so webpki rejects it.
    let der = forge(bad.certificate.der(), &bad.key, |fields: &mut Vec<Node>| {
        *fields[2].inner()[0].content().last_mut().unwrap() = 3;
    });
    let of_bad = bad.leaf(|_| {});
    let bad = Ca { certificate: Certificate::from_der(&der).unwrap(), key: bad.key };
    assert_eq!(ids(&check(&[&bad, &good], &[], &leaf)), [""; 0]);
    assert_eq!(ids(&check(&[&bad, &good], &[], &of_bad)), ["sig-algorithm-mismatch"]);
}

#[test]
fn self_issued_cas_count_neither_for_the_path_length_nor_for_constraints() {
    let root = root("root", |params| {
        params.name_constraints =
            Some(constrained(vec![GeneralSubtree::DnsName("example.com".to_owned())], vec![]));
    });
    let first = root.ca("ca", path_len(1));
    let renewed = first.ca("ca", |params| {
        path_len(1)(params);
        params.subject_alt_names = vec![SanType::DnsName("ca.example.org".try_into().unwrap())];
    });
    let last = renewed.ca("last", path_len(0));
    let report = check(&[&root], &[&first, &renewed, &last], &last.leaf(|_| {}));
    assert_eq!(ids(&report), [""; 0], "{report}");
    assert!(report.path().limit() == Some(PathLimit::ConstrainedSelfIssuedCa), "{report:?}");
    // They apply to the leaf certificate, whether it is self-issued or not.
    let stray = |params: &mut CertificateParams| {
        params.subject_alt_names = vec![SanType::DnsName("ca.example.org".try_into().unwrap())];
    };
    let report = check(&[&root], &[&first, &renewed, &last], &last.leaf(stray));
    assert!(ids(&report).contains(&"ca-name-constraints"), "{report}");
}

// webpki counts every CA (rustls-webpki 0.103); RFC 5280 section 6.1.4 (l) does not count self-issued CAs.
#[test]
fn a_path_length_is_not_used_up_by_a_self_issued_ca() {
    let root = root("root", |_| {});
    let first = root.ca("ca", path_len(0));
    let renewed = first.ca("ca", path_len(0));
    let leaf = renewed.leaf(|_| {});
    let report = check(&[&root], &[&first, &renewed], &leaf);
    assert_eq!(ids(&report), [""; 0], "{report}");
    assert!(report.path().limit() == Some(PathLimit::SelfIssuedBelowPathLen), "{report:?}");
    assert!(openssl_accepts(&root, &[&first, &renewed], &leaf));
    // The next CA counts.
    let last = renewed.ca("last", |_| {});
    let leaf = last.leaf(|_| {});
    let report = check(&[&root], &[&first, &renewed, &last], &leaf);
    assert!(ids(&report).contains(&"ca-pathlen"), "{report}");
    assert!(!openssl_accepts(&root, &[&first, &renewed, &last], &leaf));
}

// CVE-2024-0567 had such a root: it signs itself, but names another issuer.
#[test]
fn a_root_that_signs_itself_needs_no_authority_key_id_whatever_issuer_it_names() {
    let root = root("root", |_| {});
    let renamed = forge(root.certificate.der(), &root.key, |fields| {
        // version, serialNumber, signature, issuer
        *fields[3].inner()[0].inner()[0].inner()[1].content() = b"boot".to_vec();
    });
    let renamed = Ca { certificate: Certificate::from_der(&renamed).unwrap(), key: root.key };
    assert!(!renamed.certificate.is_self_issued());
    let leaf = renamed.leaf(|_| {});
    let report = check(&[&renamed], &[], &leaf);
    assert_eq!(ids(&report), [""; 0], "{report}");
    // A CA that another CA signed needs it.
    let signed = forge(renamed.certificate.der(), &key(), |_| {});
    let signed = Ca { certificate: Certificate::from_der(&signed).unwrap(), key: renamed.key };
    assert_eq!(ids(&check(&[&signed], &[], &leaf)), ["aki-missing"]);
}

fn openssl_accepts(root: &Ca, between: &[&Ca], leaf: &Certificate) -> bool {
    let openssl = Openssl::new();
    let pem =
        |cas: &[&Ca]| cas.iter().map(|ca| ca.certificate.to_pem().unwrap()).collect::<String>();
    openssl.write("root.pem", pem(&[root]));
    openssl.write("between.pem", pem(between));
    openssl.write("leaf.pem", leaf.to_pem().unwrap());
    let at = NOW.unix_timestamp();
    let command = format!(
        "verify -x509_strict -CAfile root.pem -untrusted between.pem -attime {at} leaf.pem"
    );
    openssl.try_run(&command).0
}

#[test]
fn a_ca_is_a_leaf_like_any_other_and_all_rules_hold_for_it() {
    let root = root("root", path_len(0));
    let leaf = root.ca("ca", path_len(0));
    let report = check(&[&root], &[], &leaf.certificate);
    assert_eq!(ids(&report), [""; 0], "{report}");
    assert!(report.path().limit().is_some());
    let ended = root.ca("ca", |params| params.not_after = NOW - Duration::SECOND);
    assert_eq!(ids(&check(&[&root], &[], &ended.certificate)), ["leaf-expired"]);
    let revoked = RevokedCertParams {
        serial_number: SerialNumber::from(leaf.certificate.serial.as_bytes().to_vec()),
        revocation_time: NOW - Duration::HOUR,
        reason_code: None,
        invalidity_date: None,
    };
    let crl = crl_by(&root.certificate, &root.key, vec![revoked]);
    let report = check_with(&[&root], &[], &leaf.certificate, &[crl]);
    assert_eq!(ids(&report), ["leaf-revoked"], "{report}");
    // A CA with the same name and another key.
    let other = self::root("root", |_| {});
    assert!(!check(&[&other], &[], &leaf.certificate).is_ok());
}

// webpki reads version 1 as an anchor only without the number, which DER omits. With other CAs of the same name, the
// verdict on one path was that on another.
#[test]
fn a_root_of_an_old_version_is_an_anchor_beside_others() {
    let usual = root("root", |_| {});
    let expired = root("root", |params| params.not_after = NOW - Duration::days(1));
    let leaf = usual.leaf(|_| {});
    for version in [None, Some(0), Some(1)] {
        let der = forge(usual.certificate.der(), &usual.key, |fields| {
            fields.retain(|field| !matches!(field.tag, 0xa0 | 0xa3));
            let number =
                version.map(|version| Node::nodes(0xa0, vec![Node::octets(0x02, [version])]));
            fields.splice(0..0, number);
        });
        let old = Ca { certificate: Certificate::from_der(&der).unwrap(), key: usual.same_key() };
        for anchors in [[&old, &expired], [&expired, &old]] {
            let certificates = anchors.map(|ca| ca.certificate.clone());
            let verifier = Verifier::builder(certificates).build().unwrap();
            let report = verifier.check(&leaf, &[], &VerifyOptions::at(NOW));
            assert!(report.is_ok(), "{version:?}: {report}");
            let limit = version.map(|_| PathLimit::Version);
            assert_eq!(report.path().limit(), limit, "{version:?}");
        }
    }
}

#[test]
fn at_most_ten_cas_may_be_between() {
    let root = root("root", |_| {});
    let mut between: Vec<Ca> = Vec::new();
    for number in 0..11 {
        let ca = between.last().unwrap_or(&root).ca(&format!("ca {number}"), |_| {});
        between.push(ca);
        let known: Vec<&Ca> = between.iter().collect();
        let report = check(&[&root], &known, &between[number].leaf(|_| {}));
        assert_eq!(report.is_ok(), number < 10, "{number}: {report}");
        assert_eq!(report.path().limit().is_some(), (6..10).contains(&number), "{number}");
    }
}

// Each CA may have signed each of the others. Without a limit, there are more paths than can be searched.
#[test]
fn many_cas_with_one_name_and_key_are_searched_within_the_limit() {
    let stranger = root("root", |_| {});
    let ca = root("ca", |_| {});
    let crowd: Vec<Ca> = (0..150).map(|_| ca.certify("ca", ca.same_key(), |_| {})).collect();
    let known: Vec<&Ca> = crowd.iter().collect();
    let below = crowd[0].ca("as leaf", |_| {});
    for leaf in [crowd[0].leaf(|_| {}), below.certificate] {
        assert!(!check(&[&stranger], &known, &leaf).is_ok());
    }
}
