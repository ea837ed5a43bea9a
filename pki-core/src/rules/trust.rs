//! Rules about trust files: the files with the CAs that a host trusts.

use std::cell::RefCell;

use super::go::{FOREIGN_BLOCK, foreign_block};
use super::{Row, Violation};
use crate::ca_set::leads_to;
use crate::certificate::Certificate;
use crate::deployment::{Deployment, Form, HostFile, Section, Trust};
use crate::finding::{Rule, Severity, Source};
use crate::usage::Purpose;

pub(super) static ROWS: &[Row] = &[
    Row::deployment(
        &Rule {
            id: "trust-empty",
            severity: Severity::Error,
            source: Source::Etcd,
            impact: "etcd starts without a warning and rejects every certificate: `x509: certificate signed by unknown authority`.",
            remedy: "Write the CA certificate to the file in PEM (`cp CA.pem FILE`, or `etcdpki apply -f MANIFEST`), then restart the programs that use the file, such as etcd with `systemctl restart etcd`. They read it only at startup.",
            citation: "measured on etcd 3.4, 3.5, 3.6",
        },
        trust_empty,
    ),
    Row::deployment(&FOREIGN_BLOCK, trust_foreign_block),
    Row::deployment(
        &Rule {
            id: "trust-not-ca",
            severity: Severity::Error,
            source: Source::Etcd,
            impact: "This certificate cannot verify any other one: `x509: certificate signed by unknown authority`.",
            remedy: "Replace the leaf certificate with the CA certificate (`cp CA.pem FILE`, or `etcdpki apply -f MANIFEST`), then restart the programs that use the file, such as etcd with `systemctl restart etcd`.",
            citation: "RFC 5280 section 4.2.1.9; measured on etcd 3.4, 3.5, 3.6",
        },
        trust_not_ca,
    ),
    Row::deployment(
        &Rule {
            id: "trust-wrong-ca",
            severity: Severity::Error,
            source: Source::Etcd,
            impact: "The host rejects valid certificates: `x509: certificate signed by unknown authority`. The other side sees `tls: bad certificate`.",
            remedy: "Add the CA that signed them to the file (`cat CA.pem >> FILE`, or `etcdpki apply -f MANIFEST`), then restart the programs that use the file, such as etcd with `systemctl restart etcd`.",
            citation: "RFC 5280 section 6.1; measured on etcd 3.4, 3.5, 3.6",
        },
        trust_wrong_ca,
    ),
    Row::deployment(
        &Rule {
            id: "trust-extra-ca",
            severity: Severity::Warning,
            source: Source::Etcd,
            impact: "Anyone who holds the key of the other CA can issue certificates for clients and members.",
            remedy: "Finish the rotation with `etcdpki rotate-ca finish -f MANIFEST`; `etcdpki rotate-ca status -f MANIFEST` shows what is left to do. If the CA is not part of one, remove it from the file, and restart the programs that use the file, such as etcd with `systemctl restart etcd`.",
            citation: "least privilege; measured on etcd 3.4, 3.5, 3.6",
        },
        trust_extra_ca,
    ),
    Row::deployment(
        &Rule {
            id: "trust-intermediate-anchor",
            severity: Severity::Warning,
            source: Source::Etcd,
            impact: "Go treats the intermediate as a root, so the path length of the CA above it has no effect. OpenSSL requires the root.",
            remedy: "Trust the root (`cp ROOT.pem FILE`), and append the intermediate to the files of the certificates that it signed: `cat INTERMEDIATE.pem >> CERT`.",
            citation: "RFC 5280 section 6.1.1 (d); measured on etcd 3.4, 3.5, 3.6",
        },
        trust_intermediate_anchor,
    ),
    Row::deployment(
        &Rule {
            id: "ca-same-dn-other-key",
            severity: Severity::Warning,
            source: Source::Etcd,
            impact: "OpenSSL picks the wrong one of the two CAs and fails. Go tries both.",
            remedy: "Give the new CA its own name: `etcdpki rotate-ca begin -f MANIFEST --cn 'etcd CA 2'`, or without a manifest `etcdpki init-ca --cn 'etcd CA 2' --dir NEW-DIR`.",
            citation: "RFC 5280 section 4.2.1.1; measured on etcd 3.4, 3.5, 3.6",
        },
        ca_same_dn_other_key,
    ),
    Row::deployment(
        &Rule {
            id: "ca-shared-with-k8s",
            severity: Severity::Error,
            source: Source::Etcd,
            impact: "Every client with a certificate of the Kubernetes CA, such as any kubelet, can read and write all data of the cluster.",
            remedy: "Give etcd its own CA, as kubeadm does: `etcdpki rotate-ca begin -f MANIFEST --cn 'etcd CA'`, or without a manifest `etcdpki init-ca --cn 'etcd CA' --dir NEW-DIR`.",
            citation: "least privilege; measured on etcd 3.4, 3.5, 3.6",
        },
        ca_shared_with_k8s,
    ),
];

/// Runs `check` on every trust file that exists.
fn each(
    deployment: &Deployment<'_>,
    check: impl Fn(&Trust<'_>, &HostFile) -> Vec<(String, String)>,
) -> Vec<Violation> {
    let mut violations = Vec::new();
    for trust in &deployment.trusts {
        let Some(file) = deployment.file(trust.host, &trust.file) else { continue };
        for (subject, evidence) in check(trust, file) {
            violations.push(Violation { file: trust.path(), subject, evidence });
        }
    }
    violations
}

fn trust_empty(deployment: &Deployment<'_>) -> Vec<Violation> {
    each(deployment, |_, file| {
        // `pem-damaged` reports a block that cannot be read.
        if !file.contents.sections.is_empty() || file.contents.damage.is_some() {
            return Vec::new();
        }
        let evidence = match file.contents.form {
            Form::Foreign(format) => format!("the file is {format}"),
            _ => "the file contains no PEM block".to_owned(),
        };
        vec![(file.name.clone(), evidence)]
    })
}

fn trust_foreign_block(deployment: &Deployment<'_>) -> Vec<Violation> {
    each(deployment, |_, file| {
        let foreign = file.contents.sections.iter().filter(|s| **s != Section::Certificate);
        foreign.map(|section| (file.name.clone(), foreign_block(section.label()))).collect()
    })
}

fn trust_not_ca(deployment: &Deployment<'_>) -> Vec<Violation> {
    each(deployment, |_, file| {
        let leaves = file.contents.certificates.iter().filter(|c| !c.is_ca() && !is_v1_root(c));
        leaves.map(|leaf| (leaf.subject.to_string(), "it is not a CA".to_owned())).collect()
    })
}

/// Go accepts a self-signed certificate of version 1 as a root.
fn is_v1_root(certificate: &Certificate) -> bool {
    certificate.version == 1 && certificate.is_self_issued()
}

fn trust_wrong_ca(deployment: &Deployment<'_>) -> Vec<Violation> {
    let refusals = Refusals::new(deployment);
    each(deployment, |trust, file| {
        let refused = refusals.by(trust);
        if refused.is_empty() {
            return Vec::new();
        }
        let found: Vec<String> = file.contents.certificates.iter().map(named).collect();
        let good = trust.purposes.iter().flat_map(|part| deployment.cas.trusted_for(*part));
        let mut good: Vec<String> = good.map(named).collect();
        good.dedup();
        let evidence = format!(
            "the file contains {}, but {} {} signed by {}",
            found.join(", "),
            refused.join(", "),
            if refused.len() == 1 { "is" } else { "are" },
            good.join(" or ")
        );
        vec![(file.name.clone(), evidence)]
    })
}

/// The valid certificates that hosts reject because of the contents of their trust files. The trust files of most hosts are
/// the same, and are compared with the certificates only once.
pub(super) struct Refusals<'d, 'a> {
    deployment: &'d Deployment<'a>,
    known: RefCell<Vec<Refusal<'a>>>,
}

/// The certificates with a purpose that a host with these trusted CAs rejects.
struct Refusal<'a> {
    part: Purpose,
    trusted: &'a [Certificate],
    files: Vec<String>,
}

impl<'d, 'a> Refusals<'d, 'a> {
    pub(super) const fn new(deployment: &'d Deployment<'a>) -> Self {
        Self { deployment, known: RefCell::new(Vec::new()) }
    }

    /// The files of the certificates that the host of a trust file rejects.
    pub(super) fn by(&self, trust: &Trust<'_>) -> Vec<String> {
        let trusted = self.deployment.trusted(trust);
        if !trusted.iter().any(Certificate::is_ca) {
            return Vec::new();
        }
        trust.purposes.iter().flat_map(|part| self.of_part(*part, trusted)).collect()
    }

    fn of_part(&self, part: Purpose, trusted: &'a [Certificate]) -> Vec<String> {
        let mut known = self.known.borrow_mut();
        let same = known.iter().find(|known| known.part == part && known.trusted == trusted);
        if let Some(same) = same {
            return same.files.clone();
        }
        let good = self.deployment.cas.trusted_for(part);
        let mut files = Vec::new();
        // With all of them in the file, the host accepts every valid certificate.
        if !good.iter().all(|ca| holds(trusted, ca)) {
            let cas = self.deployment.known_cas();
            let refused = self.deployment.playing(part).filter(|(_, leaf)| {
                // If an intermediate is missing, report the leaf's file instead.
                leads_to(leaf.certificate, &leaf.chain, &good)
                    && !leads_to(leaf.certificate, cas, trusted)
            });
            files.extend(refused.map(|(pair, _)| pair.path()));
        }
        known.push(Refusal { part, trusted, files: files.clone() });
        files
    }
}

/// True if a CA is among others by name and key: it may have been renewed.
fn holds(trusted: &[Certificate], ca: &Certificate) -> bool {
    trusted
        .iter()
        .any(|other| other.public_key == ca.public_key && other.subject.der() == ca.subject.der())
}

/// A CA by name and key id, because two CAs can have the same name.
fn named(ca: &Certificate) -> String {
    format!("{} (key id {})", ca.subject, ca.public_key.key_id())
}

fn trust_extra_ca(deployment: &Deployment<'_>) -> Vec<Violation> {
    each(deployment, |trust, file| {
        let all = file.contents.certificates.iter().filter(|c| c.is_ca() && c.is_self_issued());
        let mut roots: Vec<&Certificate> = Vec::new();
        for root in all {
            if !roots.iter().any(|known| known.public_key == root.public_key) {
                roots.push(root);
            }
        }
        // During a rotation, several CAs are trusted intentionally.
        let good = trust.purposes.iter().flat_map(|part| deployment.cas.trusted_for(*part));
        let good: Vec<&Certificate> = good.collect();
        let is_extra = |root: &&Certificate| good.iter().all(|ca| ca.public_key != root.public_key);
        if roots.len() < 2 || !roots.iter().any(is_extra) {
            return Vec::new();
        }
        let names: Vec<String> = roots.into_iter().map(named).collect();
        vec![(file.name.clone(), format!("the file contains {}", names.join(" and ")))]
    })
}

fn trust_intermediate_anchor(deployment: &Deployment<'_>) -> Vec<Violation> {
    each(deployment, |_, file| {
        let all = file.contents.certificates.iter().filter(|c| c.is_ca() && !c.is_self_issued());
        all.map(|ca| {
            (ca.subject.to_string(), format!("it is not self-signed, its issuer is {}", ca.issuer))
        })
        .collect()
    })
}

fn ca_same_dn_other_key(deployment: &Deployment<'_>) -> Vec<Violation> {
    each(deployment, |_, file| {
        let all = &file.contents.certificates;
        let mut found = Vec::new();
        for (index, ca) in all.iter().enumerate() {
            let twin = all[..index].iter().find(|other| {
                other.subject.der() == ca.subject.der() && other.public_key != ca.public_key
            });
            found.extend(twin.map(|other| {
                let keys = format!("{} and {}", other.public_key.key_id(), ca.public_key.key_id());
                (ca.subject.to_string(), format!("two CAs have this name, with key ids {keys}"))
            }));
        }
        found
    })
}

/// The names that kubeadm and the Kubernetes documentation give to the CA of a Kubernetes cluster.
const KUBERNETES_CAS: [&str; 2] = ["kubernetes", "kubernetes-ca"];

fn ca_shared_with_k8s(deployment: &Deployment<'_>) -> Vec<Violation> {
    each(deployment, |trust, file| {
        if deployment.member(trust.host).is_none() {
            return Vec::new();
        }
        let all = file.contents.certificates.iter();
        let all =
            all.filter(|ca| ca.subject.common_names().any(|name| KUBERNETES_CAS.contains(&name)));
        all.map(|ca| (ca.subject.to_string(), "it has the name of the Kubernetes CA".to_owned()))
            .collect()
    })
}
