//! Properties of every certificate, not only of hand-written examples.
//!
//! `PROPTEST_CASES` scales the number of cases (256 is the default), for example for a nightly run.

mod damage;
mod deployment;
mod flagged;
mod names;
mod parsers;
mod text;
mod trust;
mod weak;

use std::net::IpAddr;
use std::sync::LazyLock;

use pki_core::{
    BasicConstraints, Certificate, GeneralName, IssuanceContext, KeyAlgorithm, KeyUsages, Lifetime,
    PrivateKey, Purpose, Request, San, SerialNumber, Signer, SigningConfig, Subject, Verifier,
    VerifyOptions,
};
use proptest::prelude::*;
use proptest::test_runner::Config;
use rustls_pki_types::ServerName;
use time::{Duration, OffsetDateTime, UtcOffset};

use crate::lab::{Ca, NOW};

/// The number of cases if `PROPTEST_CASES` is not set.
fn cases(number: u32) -> Config {
    let default = Config::default();
    let cases = (default.cases * number).div_ceil(256);
    Config { cases, failure_persistence: None, ..default }
}

const ALGORITHMS: [KeyAlgorithm; 5] = [
    KeyAlgorithm::EcdsaP256,
    KeyAlgorithm::EcdsaP384,
    KeyAlgorithm::EcdsaP521,
    KeyAlgorithm::Ed25519,
    KeyAlgorithm::Rsa(2048),
];

/// A CA of each algorithm. RSA keys are slow to generate, so they are generated only once.
static CAS: LazyLock<[Ca; 5]> = LazyLock::new(|| ALGORITHMS.map(|key| Ca::with(key, |_| {})));

/// A key of each algorithm.
pub(crate) static KEYS: LazyLock<[PrivateKey; 5]> =
    LazyLock::new(|| ALGORITHMS.map(|key| PrivateKey::generate(key).unwrap()));

/// A request for a built-in profile.
#[derive(Debug)]
struct Asked {
    ca: usize,
    key: usize,
    profile: &'static str,
    cn: String,
    names: Vec<San>,
    expiry: Option<Duration>,
    now: OffsetDateTime,
    random: [u8; 20],
}

fn asked() -> impl Strategy<Value = Asked> {
    let ten_years = Duration::days(3649).whole_seconds();
    let now = (0..1_000_000_000_i64, -23..=23_i8).prop_map(|(nanoseconds, hours)| {
        let offset = UtcOffset::from_hms(hours, 0, 0).unwrap();
        (NOW + Duration::nanoseconds(nanoseconds)).to_offset(offset)
    });
    (
        0..ALGORITHMS.len(),
        0..ALGORITHMS.len(),
        prop::sample::select(vec!["server", "peer", "client"]),
        names::host(),
        prop::collection::vec(names::san(), 0..6),
        prop::option::of((1..ten_years).prop_map(Duration::seconds)),
        now,
        any::<[u8; 20]>(),
    )
        .prop_map(|(ca, key, profile, cn, names, expiry, now, random)| Asked {
            ca,
            key,
            profile,
            cn,
            names,
            expiry,
            now,
            random,
        })
}

impl Asked {
    fn moment(&self) -> IssuanceContext {
        IssuanceContext { now: self.now, serial: SerialNumber::from_random(self.random) }
    }

    fn issue(&self) -> Certificate {
        let mut request = Request::new(
            Subject::from_common_name(&*self.cn).unwrap(),
            self.names.clone(),
            KEYS[self.key].public_key().clone(),
        );
        request.lifetime = self.expiry.map_or(Lifetime::Default, Lifetime::Exactly);
        let config = SigningConfig::etcd();
        let profile = config.profile(self.profile).unwrap();
        let ca = &CAS[self.ca];
        let draft = ca.authority.draft(&request, profile, &self.moment()).unwrap();
        let issued = draft.sign(&ca.key).unwrap();
        assert_eq!(issued.findings, []);
        assert_eq!(issued.left_out, []);
        issued.certificate
    }

    /// The expected names of the certificate: those of the profile, then those of the request, each once.
    fn expected_names(&self) -> Vec<San> {
        let added = match self.profile {
            "server" => vec![self.cn.clone(), "localhost".to_owned(), "127.0.0.1".to_owned()],
            "peer" => vec![self.cn.clone()],
            _ => vec![format!("{}.invalid", self.cn)],
        };
        let mut wanted: Vec<San> = Vec::new();
        let added = added.iter().map(|name| name.parse().unwrap());
        for name in added.chain(self.names.iter().cloned()) {
            if !wanted.contains(&name) {
                wanted.push(name);
            }
        }
        wanted
    }
}

/// A host that a client would connect to for this name; `None` for mailboxes and URIs.
fn dialled(name: &San) -> Option<ServerName<'static>> {
    match name {
        San::Dns(name) => Some(name.as_str().replacen('*', "any", 1).try_into().unwrap()),
        San::Ip(ip) => Some(ServerName::IpAddress((*ip).into())),
        _ => None,
    }
}

proptest! {
    #![proptest_config(cases(192))]

    #[test]
    fn what_is_issued_verifies_for_its_purpose_and_each_of_its_hosts(asked in asked()) {
        let leaf = asked.issue();
        let verifier = Verifier::builder([CAS[asked.ca].certificate().clone()]).build().unwrap();
        let mut options = VerifyOptions::at(asked.now);
        options.purpose = match asked.profile {
            "server" => Purpose::Server,
            "peer" => Purpose::Peer,
            _ => Purpose::Client,
        };
        options.hosts = asked.expected_names().iter().filter_map(dialled).collect();
        options.key = Some(KEYS[asked.key].public_key().clone());
        prop_assert!(!options.hosts.is_empty());
        let report = verifier.check(&leaf, &[], &options);
        prop_assert!(report.is_ok() && report.findings().count() == 0, "{report}");
        prop_assert_eq!(report.path().certificates().len(), 2);
        // Until its last second, and no longer.
        options.at = leaf.not_after;
        prop_assert!(verifier.check(&leaf, &[], &options).is_ok());
        options.at += Duration::SECOND;
        prop_assert!(!verifier.check(&leaf, &[], &options).is_ok());
    }

    #[test]
    fn a_certificate_says_what_was_asked_and_nothing_else(asked in asked()) {
        let leaf = asked.issue();
        let ca = CAS[asked.ca].certificate();
        prop_assert_eq!(leaf.version, 3);
        prop_assert_eq!(&leaf.serial, &asked.moment().serial);
        prop_assert_eq!(leaf.subject.to_string(), format!("CN={}", asked.cn));
        prop_assert_eq!(leaf.issuer.der(), ca.subject.der());
        let second = asked.now.replace_nanosecond(0).unwrap();
        prop_assert_eq!(leaf.not_before, second - Duration::minutes(5));
        let expiry = asked.expiry.unwrap_or(Duration::days(365));
        prop_assert_eq!(leaf.not_after, second + expiry);
        prop_assert_eq!(&leaf.public_key, KEYS[asked.key].public_key());
        prop_assert!(leaf.is_signed_by(&ca.public_key));

        let extensions = &leaf.extensions;
        let wanted: Vec<GeneralName> = asked.expected_names().iter().map(read_back).collect();
        prop_assert_eq!(&extensions.subject_alt_name, &Some(wanted));
        let rsa = ALGORITHMS[asked.key] == KeyAlgorithm::Rsa(2048);
        // RFC 8813 section 3, RFC 9295 section 3: only RSA keys encipher keys.
        let encipherment = if rsa { KeyUsages::KEY_ENCIPHERMENT } else { KeyUsages::default() };
        let usages = KeyUsages::DIGITAL_SIGNATURE.union(encipherment);
        prop_assert_eq!(extensions.key_usage, Some(usages));
        let purposes = extensions.extended_key_usage.iter().flatten().map(ToString::to_string);
        let wanted: &[&str] =
            if asked.profile == "client" { &["clientAuth"] } else { &["serverAuth", "clientAuth"] };
        prop_assert_eq!(purposes.collect::<Vec<_>>(), wanted);
        let leaf_constraints = |found: BasicConstraints| !found.ca && found.path_len.is_none();
        prop_assert!(extensions.basic_constraints.is_some_and(leaf_constraints));
        prop_assert_eq!(&extensions.subject_key_id, &Some(leaf.public_key.key_id()));
        let named = extensions.authority_key_id.as_ref().and_then(|aki| aki.key_id.as_ref());
        prop_assert_eq!(named, ca.extensions.subject_key_id.as_ref());
        // RFC 5280: keyUsage and basicConstraints are critical, and there are no other critical extensions.
        let all = extensions.all.iter().map(|e| (e.oid.as_str(), e.critical));
        let mut all: Vec<_> = all.collect();
        all.sort_unstable();
        prop_assert_eq!(all, [
            ("2.5.29.14", false),
            ("2.5.29.15", true),
            ("2.5.29.17", false),
            ("2.5.29.19", true),
            ("2.5.29.35", false),
            ("2.5.29.37", false),
        ]);
    }

    #[test]
    fn a_serial_number_from_any_bytes_is_positive_and_has_twenty_octets(random: [u8; 20]) {
        let serial = SerialNumber::from_random(random);
        prop_assert!(serial.is_positive());
        prop_assert_eq!(serial.as_bytes().len(), 20);
        // Two bits are fixed; the rest is the random input.
        prop_assert_eq!(&serial.as_bytes()[1..], &random[1..]);
        prop_assert_eq!(serial.as_bytes()[0] & 0x3f, random[0] & 0x3f);
    }
}

/// A name in the form that a certificate shows.
fn read_back(name: &San) -> GeneralName {
    match name {
        San::Email(address) => GeneralName::Email(address.as_str().to_owned()),
        San::Ip(IpAddr::V4(ip)) => GeneralName::Ip(ip.octets().to_vec()),
        San::Ip(IpAddr::V6(ip)) => GeneralName::Ip(ip.octets().to_vec()),
        San::Uri(uri) => GeneralName::Uri(uri.as_str().to_owned()),
        other => GeneralName::Dns(other.value()),
    }
}
