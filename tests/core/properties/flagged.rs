//! What `issue` refuses, `verify` reports: each refusal of a draft is a finding about the same certificate
//! if another CA has signed it.

use pki_core::{
    Asked, Authority, Certificate, Error, Finding, Lifetime, PrivateKey, Profile, Purpose, Request,
    Severity, Signer, SigningConfig, Subject, Verifier, VerifyOptions,
};
use proptest::prelude::*;
use rcgen::{BasicConstraints, CertificateParams, IsCa, KeyUsagePurpose};
use time::Duration;

use super::{KEYS, cases, names};
use crate::foreign;
use crate::lab::{self, NOW, moment};

/// Profiles that add no names and follow no rules.
const CONFIG: &[u8] = br#"{"signing": {"default": {"expiry": "8760h"}, "profiles": {
    "server": {"usages": ["signing", "server auth", "client auth"], "copy_extensions": true},
    "client": {"usages": ["signing", "client auth"], "copy_extensions": true},
    "serving": {"usages": ["signing", "server auth"]},
    "ca": {"usages": ["cert sign", "crl sign"], "ca_constraint": {"is_ca": true}}}}}"#;

/// A fault, and the rule that reports it.
#[derive(Clone, Debug)]
enum Fault {
    CaConstrained { excluded: bool },
    CaConstrainedBelowWildcard,
    CaDirectoryConstrained,
    CaEnded(i64),
    CaIsLeaf,
    CaPathLengthSpent,
    CaUnbegun(i64),
    CaWithoutCertSign,
    CriticalExtension,
    LeafOutlives(i64),
    NoNames,
}

impl Fault {
    fn rule(&self) -> &'static str {
        match self {
            Self::CaConstrained { .. } | Self::CaConstrainedBelowWildcard => "ca-name-constraints",
            Self::CaDirectoryConstrained => "nc-beyond-go",
            Self::CaEnded(_) | Self::CaUnbegun(_) => "ca-time",
            Self::CaIsLeaf => "ca-bc",
            Self::CaPathLengthSpent => "ca-pathlen",
            Self::CaWithoutCertSign => "ca-keycertsign",
            Self::CriticalExtension => "ext-unknown-critical",
            Self::LeafOutlives(_) => "leaf-outlives-ca",
            Self::NoNames => "san-none-cn-only",
        }
    }

    /// The CA that has the fault.
    fn ca(&self, host: &str) -> Certificate {
        let mut params = foreign::ca_params("some CA", &KEYS[0]);
        let subtree = |host: &str| vec![rcgen::GeneralSubtree::DnsName(host.to_owned())];
        let mut constraints = rcgen::NameConstraints {
            permitted_subtrees: Vec::new(),
            excluded_subtrees: Vec::new(),
        };
        match self {
            Self::CaConstrained { excluded: true } => constraints.excluded_subtrees = subtree(host),
            Self::CaConstrained { excluded: false } => {
                constraints.permitted_subtrees = subtree(&format!("other.{host}"));
            }
            Self::CaConstrainedBelowWildcard => {
                constraints.excluded_subtrees = subtree(&format!("bad.{host}"));
            }
            Self::CaDirectoryConstrained => {
                let name = params.distinguished_name.clone();
                constraints.permitted_subtrees = vec![rcgen::GeneralSubtree::DirectoryName(name)];
            }
            Self::CaEnded(seconds) => params.not_after = NOW - Duration::seconds(*seconds),
            Self::CaIsLeaf => params.is_ca = IsCa::ExplicitNoCa,
            Self::CaPathLengthSpent => {
                params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
            }
            Self::CaUnbegun(seconds) => params.not_before = NOW + Duration::seconds(*seconds),
            Self::CaWithoutCertSign => params.key_usages = vec![KeyUsagePurpose::CrlSign],
            Self::LeafOutlives(seconds) => {
                params.not_after = NOW + Duration::days(365) - Duration::seconds(*seconds);
            }
            Self::CriticalExtension | Self::NoNames => {}
        }
        params.not_before = params.not_before.min(params.not_after - Duration::SECOND);
        params.name_constraints = Some(constraints);
        foreign::self_signed(&params, &KEYS[0])
    }
}

fn fault() -> impl Strategy<Value = Fault> {
    let seconds = 1..300_000_000_i64;
    prop_oneof![
        any::<bool>().prop_map(|excluded| Fault::CaConstrained { excluded }),
        Just(Fault::CaConstrainedBelowWildcard),
        Just(Fault::CaDirectoryConstrained),
        seconds.clone().prop_map(Fault::CaEnded),
        Just(Fault::CaIsLeaf),
        Just(Fault::CaPathLengthSpent),
        (1..30_000_000_i64).prop_map(Fault::CaUnbegun),
        Just(Fault::CaWithoutCertSign),
        Just(Fault::CriticalExtension),
        (1..30_000_000_i64).prop_map(Fault::LeafOutlives),
        Just(Fault::NoNames),
    ]
}

/// The certificate for the draft, written without applying the rules.
fn written(
    request: &Request,
    profile: &Profile,
    key: &PrivateKey,
    ca: &Certificate,
) -> Certificate {
    let cn = request.subject.value().common_name().unwrap();
    let mut params: CertificateParams = foreign::params(cn, key);
    params.not_after = NOW + request.lifetime.duration().unwrap_or(profile.expiry);
    params.subject_alt_names = request.names.value().iter().map(foreign::san).collect();
    params.key_usages = foreign::key_usages(profile.key_usages);
    if !request.extensions.is_empty() {
        params.custom_extensions = vec![critical_extension()];
    }
    params.extended_key_usages = foreign::extended_key_usages(&profile.extended_key_usages);
    if profile.ca.is_some() {
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    }
    foreign::signed(&params, key, ca, &KEYS[0])
}

/// A critical extension that no verifier knows.
fn critical_extension() -> rcgen::CustomExtension {
    let mut extension =
        rcgen::CustomExtension::from_oid_content(&[1, 3, 6, 1, 4, 1, 44363, 9], vec![0x05, 0x00]);
    extension.set_criticality(true);
    extension
}

/// The rules that led to the refusal of a draft.
pub(super) fn refused(findings: &[Finding]) -> Vec<&'static str> {
    let findings = findings.iter().filter(|finding| {
        finding.severity == Severity::Error || finding.rule.id == "leaf-outlives-ca"
    });
    findings.map(|finding| finding.rule.id).collect()
}

proptest! {
    #![proptest_config(cases(256))]

    #[test]
    fn what_a_draft_refuses_a_verifier_flags(
        fault in fault(),
        host in names::host(),
        serves in any::<bool>(),
    ) {
        let ca = fault.ca(&host);
        let mut request = Request::new(Subject::from_common_name(&*host).unwrap(), lab::names(&[&host]), KEYS[1].public_key().clone());
        let (name, purpose) = match fault {
            Fault::CaPathLengthSpent => ("ca", Purpose::Any),
            // With clientAuth too it is a client, and only warned of.
            Fault::NoNames => ("serving", Purpose::Server),
            _ if serves => ("server", Purpose::Peer),
            _ => ("client", Purpose::Client),
        };
        match fault {
            Fault::CaConstrainedBelowWildcard => {
                request.names = Asked::ByOperator(lab::names(&[&format!("*.{host}")]));
            }
            Fault::NoNames => request.names = Asked::ByOperator(Vec::new()),
            // A lifetime that nobody asked for would be shortened.
            Fault::LeafOutlives(_) => request.lifetime = Lifetime::Exactly(Duration::days(365)),
            Fault::CriticalExtension => {
                let mut params = foreign::params("x", &KEYS[1]);
                params.custom_extensions = vec![critical_extension()];
                let carrier = foreign::self_signed(&params, &KEYS[1]);
                request.extensions.extend(carrier.extensions.find("1.3.6.1.4.1.44363.9").cloned());
            }
            _ => {}
        }
        let config = SigningConfig::from_json(CONFIG).unwrap();
        let profile = config.profile(name).unwrap();
        let drafted = Authority::new(ca.clone()).draft(&request, profile, &moment());
        let Err(Error::Refused(findings)) = drafted else {
            return Err(TestCaseError::fail(format!("{drafted:?}")));
        };
        let refused = refused(&findings);
        prop_assert!(refused.contains(&fault.rule()), "{refused:?}");

        let mut certificate = written(&request, profile, &KEYS[1], &ca);
        let mut chain = Vec::new();
        if name == "ca" {
            // A CA is verified through a certificate that it signed.
            chain.push(certificate);
            let params = foreign::params("etcdone", &KEYS[2]);
            certificate = foreign::signed(&params, &KEYS[2], &chain[0], &KEYS[1]);
        }
        let mut options = VerifyOptions::at(NOW);
        options.purpose = purpose;
        let report = Verifier::builder([ca]).build().unwrap().check(&certificate, &chain, &options);
        let flagged: Vec<_> = report.findings().map(|finding| finding.rule.id).collect();
        for rule in refused {
            prop_assert!(flagged.contains(&rule), "{rule} is not in:\n{report}");
        }
    }
}
