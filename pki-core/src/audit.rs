//! Verifies the files of a cluster with its manifest: each certificate separately, and all of them together.

use std::collections::BTreeMap;

use time::OffsetDateTime;

use crate::ca_set::{CaSet, ClusterCas, leads_to};
use crate::certificate::Certificate;
use crate::cluster::{Action, CertificateSpec, Held};
use crate::deployment::{Deployment, HostFile, Leaf, Pair};
use crate::error::Error;
use crate::finding::{Finding, Severity, worst_first};
use crate::manifest::Manifest;
use crate::profile::SigningConfig;
use crate::report::{CertificationPath, Report};
use crate::rules::{self, Policy, VerifyOptions};
use crate::usage::Purpose;
use crate::verify::Verifier;

/// The result for one file.
#[derive(Clone, Debug)]
#[must_use]
pub struct FileReport {
    file: String,
    purpose: Option<Purpose>,
    path: Option<CertificationPath>,
    findings: Vec<Finding>,
}

impl FileReport {
    /// The path of the file below the folder of all hosts.
    pub fn file(&self) -> &str {
        &self.file
    }

    /// The purpose of the certificate in it, if it should contain one. A certificate for both ports of a member is that of a
    /// server.
    pub const fn purpose(&self) -> Option<Purpose> {
        self.purpose
    }

    /// The certification path, if the file should contain a certificate and does.
    pub const fn path(&self) -> Option<&CertificationPath> {
        self.path.as_ref()
    }

    /// The reason why the certificate is not trusted, unless a finding explains it, and then the other findings, worst
    /// first.
    pub fn findings(&self) -> impl Iterator<Item = &Finding> {
        let explained = |refusal: &&Finding| self.findings.iter().any(|one| one.explains(refusal));
        let refusal = self.path.as_ref().and_then(CertificationPath::refusal);
        refusal.filter(|refusal| !explained(refusal)).into_iter().chain(&self.findings)
    }

    /// True if no finding is an error, and the certificate, if there should be one, is trusted.
    pub fn is_ok(&self) -> bool {
        self.path.as_ref().is_none_or(CertificationPath::is_trusted)
            && self.findings.iter().all(|finding| finding.severity < Severity::Error)
    }

    /// The path and the other findings, for a caller that counts findings itself.
    pub fn into_parts(self) -> (Option<CertificationPath>, Vec<Finding>) {
        (self.path, self.findings)
    }
}

/// Collects the findings of one file for a report.
#[derive(Default)]
struct FileFindings {
    purpose: Option<Purpose>,
    path: Option<CertificationPath>,
    findings: Vec<Finding>,
}

impl Manifest {
    /// Verifies all files that the hosts have or should have, at a given time.
    pub fn audit(
        &self,
        cas: &ClusterCas,
        files: &[HostFile],
        now: OffsetDateTime,
    ) -> Result<Vec<FileReport>, Error> {
        let deployment = Deployment::new(self, cas, files, now)?;
        let verifiers = Verifiers::new(cas)?;
        let profiles = SigningConfig::etcd();
        // The certificates are in the order of the manifest, then the other files by name.
        let mut order: Vec<String> = Vec::new();
        let mut found: BTreeMap<String, FileFindings> = BTreeMap::new();
        for pair in &deployment.pairs {
            order.push(pair.path());
            let of_file = found.entry(pair.path()).or_default();
            of_file.purpose = pair.parts.iter().copied().min_by_key(|part| *part == Purpose::Peer);
            let Some(leaf) = deployment.leaf(pair) else { continue };
            let (path, findings) = deployment.check_leaf(pair, &leaf, &verifiers).into_parts();
            of_file.path = Some(path);
            of_file.findings = findings;
            if let Some(spec) = &pair.spec {
                of_file.findings.extend(drift(spec, &leaf, cas, &profiles, now)?);
            }
        }
        for (file, finding) in rules::check_deployment(&deployment) {
            found.entry(file).or_default().findings.push(finding);
        }
        let mut reports = Vec::new();
        for file in order {
            let of_file = found.remove(&file).unwrap_or_default();
            reports.push(of_file.report(file));
        }
        reports.extend(found.into_iter().map(|(file, found)| found.report(file)));
        Ok(reports)
    }
}

/// The verifiers for each purpose.
struct Verifiers {
    server: Verifier,
    peer: Verifier,
    client: Verifier,
}

impl Verifiers {
    fn new(cas: &ClusterCas) -> Result<Self, Error> {
        let verifier = |set: &CaSet| Verifier::builder(set.trusted().to_vec()).build();
        Ok(Self {
            server: verifier(&cas.server)?,
            peer: verifier(&cas.peer)?,
            client: verifier(&cas.client)?,
        })
    }

    const fn for_purpose(&self, purpose: Purpose) -> &Verifier {
        match purpose {
            Purpose::Peer => &self.peer,
            Purpose::Client => &self.client,
            _ => &self.server,
        }
    }
}

impl Deployment<'_> {
    /// The findings of the rules on a single leaf certificate.
    fn check_leaf(&self, pair: &Pair<'_>, leaf: &Leaf<'_>, verifiers: &Verifiers) -> Report {
        let mut options = VerifyOptions::at(self.now);
        // A certificate for both ports must satisfy the stricter purpose.
        options.purpose = match pair.parts.as_slice() {
            parts if parts.contains(&Purpose::Peer) => Purpose::Peer,
            [part, ..] => *part,
            [] => Purpose::Any,
        };
        let key = self.file(pair.host, &pair.key).and_then(|file| file.contents.key.clone());
        options.key = key;
        let lifetime = leaf.certificate.not_after - leaf.certificate.not_before;
        options.expires_within = Some(self.manifest.renew_before.min(lifetime / 2));
        let chain: Vec<Certificate> = leaf.chain.iter().copied().cloned().collect();
        let other = self.other_trust(pair, leaf);
        let other = other.and_then(|trusted| Verifier::builder(trusted.to_vec()).build().ok());
        let verifier = other.as_ref().unwrap_or_else(|| verifiers.for_purpose(options.purpose));
        let report = verifier.check(leaf.certificate, &chain, &options);
        let report = match self.member(pair.host) {
            Some(member) if !member.settings.uses_gateway() => report.without("srv-eku-client"),
            _ => report,
        };
        // A manifest can ask for a client without a common name.
        match &pair.spec {
            Some(spec) if spec.subject.common_name().is_none() => report.without("cli-cn-empty"),
            _ => report,
        }
    }

    /// The CAs of a certificate that none of the cluster's CAs issued, if all programs that verify it trust its CA. Other
    /// tools use separate CAs for servers, peers and clients. If no program in the cluster verifies it, as with servers whose
    /// clients are not in the manifest, its CA is one that lies beside it.
    fn other_trust(&self, pair: &Pair<'_>, leaf: &Leaf<'_>) -> Option<&[Certificate]> {
        let ours = pair.parts.iter().flat_map(|part| self.cas.trusted_for(*part));
        if leads_to(leaf.certificate, &leaf.chain, &ours.collect::<Vec<_>>()) {
            return None;
        }
        let trusted_by = |cas: &[Certificate]| leads_to(leaf.certificate, &leaf.chain, cas);
        let mut judging =
            pair.parts.iter().flat_map(|part| self.judging(*part)).copied().peekable();
        match judging.peek().copied() {
            Some(first) => judging.all(trusted_by).then_some(first),
            None if pair.spec.is_none() => self.cas_beside(pair.host).find(|cas| trusted_by(cas)),
            None => None,
        }
    }
}

/// A finding that is redundant if there are others about the same file.
struct Derived {
    rule: &'static str,
    explained_by: fn(&str) -> bool,
}

const DERIVED: &[Derived] = &[
    // With the wrong order, the first certificate does not belong to the key.
    Derived { rule: "key-mismatch", explained_by: |other| other == "chain-order" },
    Derived {
        rule: "srv-not-in-own-trust",
        explained_by: |other| {
            other.starts_with("path-") || other.starts_with("chain-") || other == "sig-weak"
        },
    },
    Derived {
        rule: "trust-extra-ca",
        explained_by: |other| matches!(other, "ca-same-dn-other-key" | "ca-shared-with-k8s"),
    },
    // The setting exists, but under a name that is not read.
    Derived {
        rule: "client-setting-missing",
        explained_by: |other| other == "client-variable-unread",
    },
    Derived { rule: "srv-san-advertise", explained_by: |other| other == "san-none-cn-only" },
    Derived { rule: "srv-san-loopback", explained_by: |other| other == "san-none-cn-only" },
    Derived { rule: "peer-san-dial", explained_by: |other| other == "san-none-cn-only" },
    // It is the certificate of the other host.
    Derived {
        rule: "san-foreign-node",
        explained_by: |other| matches!(other, "shared-key" | "cli-shared-key"),
    },
    // A certificate with another fault also differs from the manifest.
    Derived {
        rule: "manifest-drift",
        explained_by: |other| {
            !matches!(
                other,
                "manifest-drift" | "leaf-ends-with-ca" | "leaf-expiring" | "ca-expiring"
            )
        },
    },
];

impl FileFindings {
    fn report(self, file: String) -> FileReport {
        let Self { purpose, path, findings } = self;
        let mut report = FileReport { file, purpose, path, findings };
        for derived in DERIVED {
            if report.findings().any(|finding| (derived.explained_by)(finding.rule.id)) {
                report.findings.retain(|finding| finding.rule.id != derived.rule);
            }
        }
        worst_first(&mut report.findings);
        report
    }
}

/// How a certificate differs from the one that the manifest describes.
fn drift(
    spec: &CertificateSpec,
    leaf: &Leaf<'_>,
    cas: &ClusterCas,
    profiles: &SigningConfig,
    now: OffsetDateTime,
) -> Result<Vec<Finding>, Error> {
    let profile = profiles.profile(spec.role.profile())?;
    let certificate = leaf.certificate;
    let chain: Vec<Certificate> = leaf.chain.iter().copied().cloned().collect();
    // A separate rule checks the key.
    let held = Held { certificate, chain: &chain, key: Some(&certificate.public_key) };
    let set = cas.for_role(&spec.role);
    let compared = spec.compare(Some(held), set, profile, now)?;
    let Action::Reissue { drift } = compared else { return Ok(Vec::new()) };
    let findings = drift.into_iter().map(|drift| {
        let evidence = format!("{}: {} (manifest: {})", drift.field, drift.found, drift.expected);
        let subject = certificate.subject.to_string();
        rules::finding(&rules::MANIFEST_DRIFT, Policy::Etcd, subject, evidence)
    });
    Ok(findings.collect())
}
