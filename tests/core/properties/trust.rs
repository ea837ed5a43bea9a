//! Whatever is ignored, OpenSSL agrees that the signatures of a trusted path lead to an anchor.

use std::sync::LazyLock;

use pki_core::{
    Certificate, KeyAlgorithm, Place, Policy, PrivateKey, Purpose, Severity, Verifier,
    VerifyOptions,
};
use proptest::prelude::*;
use proptest::sample::{Index, select};
use time::Duration;

use super::cases;
use crate::der::{forge, oid, put, signed_part};
use crate::foreign::{ca_params, params, self_signed, signed};
use crate::lab::NOW;
use crate::openssl::Openssl;

/// Certificates that may stand in a chain: two CAs of one name, a CA that each of them certified, and
/// leaves of them all. The last was signed by a leaf.
static WORLD: LazyLock<Vec<Certificate>> = LazyLock::new(|| {
    let keys: Vec<PrivateKey> =
        (0..5).map(|_| PrivateKey::generate(KeyAlgorithm::EcdsaP256).unwrap()).collect();
    let roots: Vec<Certificate> =
        keys[..2].iter().map(|key| self_signed(&ca_params("etcd CA", key), key)).collect();
    let mut between = ca_params("between", &keys[2]);
    between.use_authority_key_identifier_extension = true;
    let between: Vec<Certificate> =
        (0..2).map(|at| signed(&between, &keys[2], &roots[at], &keys[at])).collect();
    let leaf = |name: &str, key: &PrivateKey, ca: &Certificate, ca_key: &PrivateKey| {
        let plain = signed(&params(name, key), key, ca, ca_key);
        // Every other one has something that nobody knows.
        let der = forge(plain.der(), ca_key, |fields| match name {
            "odd" => put(fields, &[0x2a, 0x03, 0x04], true, &[0x05, 0x00]),
            "plain" => put(fields, oid::KEY_USAGE, true, &[0x03, 0x02, 0x07, 0x80]),
            _ => {}
        });
        Certificate::from_der(&der).unwrap()
    };
    let mut all = Vec::new();
    for (ca, key) in [(&roots[0], &keys[0]), (&roots[1], &keys[1]), (&between[0], &keys[2])] {
        for name in ["plain", "odd"] {
            all.push(leaf(name, &keys[3], ca, key));
        }
    }
    all.push(leaf("below a leaf", &keys[4], &all[0], &keys[3]));
    [roots, between, all].concat()
});

/// The first certificates of the world are CAs.
const CAS: usize = 4;

/// What is asked: a leaf, what stands with it, whom to trust, and a bit of one of them that is flipped.
#[derive(Debug)]
struct Asked {
    leaf: Index,
    chain: Vec<Index>,
    anchors: Vec<Index>,
    flipped: Option<(Index, Index)>,
    policy: Policy,
    purpose: Purpose,
    days: i64,
}

fn asked() -> impl Strategy<Value = Asked> {
    let any = any::<Index>;
    (
        any(),
        prop::collection::vec(any(), 0..4),
        prop::collection::vec(any(), 1..3),
        prop::option::weighted(0.3, (any(), any())),
        select(vec![Policy::Etcd, Policy::Rfc5280]),
        select(vec![Purpose::Any, Purpose::Client, Purpose::Peer, Purpose::Server]),
        select(vec![-1, 0, 400, 5000]),
    )
        .prop_map(|(leaf, chain, anchors, flipped, policy, purpose, days)| Asked {
            leaf,
            chain,
            anchors,
            flipped,
            policy,
            purpose,
            days,
        })
}

proptest! {
    #![proptest_config(cases(300))]

    #[test]
    fn a_trusted_path_is_one_whose_signatures_openssl_accepts(asked in asked()) {
        let mut world = WORLD.clone();
        if let Some((which, bit)) = &asked.flipped {
            let at = which.index(world.len());
            let mut der = world[at].der().to_vec();
            let bit = bit.index(der.len() * 8);
            der[bit / 8] ^= 1 << (bit % 8);
            if let Ok(certificate) = Certificate::from_der(&der) {
                world[at] = certificate;
            }
        }
        let anchors: Vec<Certificate> =
            asked.anchors.iter().map(|at| world[at.index(CAS)].clone()).collect();
        let chain: Vec<Certificate> = asked.chain.iter().map(|at| at.get(&world).clone()).collect();
        let leaf = asked.leaf.get(&world);
        let verifier = Verifier::builder(anchors.clone()).policy(asked.policy).build().unwrap();
        let mut options = VerifyOptions::at(NOW + Duration::days(asked.days));
        options.purpose = asked.purpose;
        let report = verifier.check(leaf, &chain, &options);

        // Whoever ignores findings is left with trust.
        let errors = report.findings().any(|finding| finding.severity == Severity::Error);
        prop_assert_eq!(report.is_ok(), report.path().is_trusted() && !errors);
        let path = report.path().certificates();
        if !report.path().is_trusted() {
            prop_assert!(report.path().refusal().is_some() && report.path().anchor().is_none());
            return Ok(());
        }
        prop_assert!(!report.findings().any(|finding| finding.rule.is_about_trust()), "{report}");
        let last = path.last().unwrap();
        prop_assert!(last.place == Place::Anchor && anchors.contains(&last.certificate));
        for step in path.windows(2) {
            let [one, issuer] = step else { unreachable!() };
            let (one, issuer) = (&one.certificate, &issuer.certificate);
            prop_assert_eq!(one.issuer.der(), issuer.subject.der());
            prop_assert!(signed_by(one, issuer), "{report}");
        }
    }
}

/// OpenSSL on one signature, whatever else may be wrong with the two.
fn signed_by(certificate: &Certificate, issuer: &Certificate) -> bool {
    let openssl = Openssl::new();
    let (tbs, signature) = signed_part(certificate.der());
    openssl.write("tbs", tbs);
    openssl.write("signature", signature);
    // Only the key, because an anchor may be one that OpenSSL cannot read.
    openssl.write("key.der", issuer.public_key.spki_der());
    openssl.try_run("dgst -sha256 -verify key.der -keyform DER -signature signature tbs").0
}

/// The property must not hold only because everything is refused.
#[test]
fn the_good_chains_of_the_world_are_trusted() {
    let verifier = Verifier::builder([WORLD[0].clone()]).build().unwrap();
    for (leaf, trusted) in [(4, true), (5, true), (6, false), (8, true), (10, false)] {
        let report = verifier.check(&WORLD[leaf], &WORLD[..CAS], &VerifyOptions::at(NOW));
        assert_eq!(report.path().is_trusted(), trusted, "{leaf}: {report}");
        assert!(
            report
                .path()
                .certificates()
                .windows(2)
                .all(|step| { !trusted || signed_by(&step[0].certificate, &step[1].certificate) })
        );
    }
    assert!(!signed_by(&WORLD[6], &WORLD[0]), "a judge that cannot say no proves nothing");
}
