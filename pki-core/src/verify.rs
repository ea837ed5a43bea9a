//! The verifier: path building by rustls-webpki, reasons by the rules.
//!
//! webpki finds the paths and has the right to say no. The rules judge each path that it finds, and
//! only ever take acceptance away: webpki knows of a trust anchor nothing but name, key and name
//! constraints, so that its dates and its right to sign are for the rules to check.

use std::cell::RefCell;

use rustls_pki_types::{CertificateDer, ServerName, TrustAnchor, UnixTime};
use webpki::{
    CertRevocationList, EndEntityCert, Error as PathError, ExpirationPolicy,
    ExtendedKeyUsageValidator, KeyPurposeId, KeyPurposeIdIter, OwnedCertRevocationList,
    RevocationCheckDepth, RevocationOptionsBuilder, UnknownStatusPolicy, VerifiedPath,
};

use crate::certificate::Certificate;
use crate::error::Error;
use crate::report::{Finding, Report, Rule, Severity};
use crate::rules::{self, Case, Policy, Position, Question, finding};
use crate::usage::Purpose;

/// Trust anchors, and what is known beside them.
pub struct Verifier {
    anchors: Vec<Certificate>,
    trust: Vec<TrustAnchor<'static>>,
    /// CAs that are not trusted in themselves and may stand between leaf and anchor.
    pub intermediates: Vec<Certificate>,
    crls: Vec<CertRevocationList<'static>>,
    /// How many CAs that are not self-issued may stand between leaf and anchor; `None` leaves it to
    /// the path builder, which stops at six.
    pub max_depth: Option<usize>,
    /// Whose rules count.
    pub policy: Policy,
}

impl Verifier {
    /// A verifier that trusts these CAs.
    pub fn new(anchors: Vec<Certificate>) -> Result<Self, Error> {
        if anchors.is_empty() {
            return Err(Error::malformed("a trust store", "it holds no certificate")
                .hinted("name the CA's certificate with --ca"));
        }
        let trust = anchors.iter().map(anchor).collect::<Result<_, _>>()?;
        Ok(Self {
            anchors,
            trust,
            intermediates: Vec::new(),
            crls: Vec::new(),
            max_depth: None,
            policy: Policy::default(),
        })
    }

    /// Adds a CRL in DER. Certificates of its issuer that it lists are refused; a CRL that has
    /// ended, or whose signature does not verify, is never taken for an answer.
    pub fn add_crl(&mut self, der: &[u8]) -> Result<(), Error> {
        let crl = OwnedCertRevocationList::from_der(der)
            .map_err(|error| Error::bad_der("a CRL", der, &path_error_text(&error)))?;
        self.crls.push(CertRevocationList::Owned(crl));
        Ok(())
    }

    /// Judges a leaf, given the other certificates that its file or its peer sends with it.
    pub fn check(&self, leaf: &Certificate, chain: &[Certificate], question: &Question) -> Report {
        let known: Vec<&Certificate> = chain.iter().chain(&self.intermediates).collect();
        let best: RefCell<Option<Report>> = RefCell::new(None);
        let judge = |path: &VerifiedPath<'_>| {
            let path = self.certificates_of(path, leaf, &known);
            let report = self.judge(&path, question);
            let ok = report.is_ok();
            let mut best = best.borrow_mut();
            if best.as_ref().is_none_or(|best| errors(&report) < errors(best)) {
                *best = Some(report);
            }
            if ok { Ok(()) } else { Err(PathError::UnknownIssuer) }
        };
        let verdict = self.build(leaf, &known, question, &judge);
        match (verdict, best.into_inner()) {
            (Ok(()), Some(report)) => report,
            // A path was found and the rules refused it: they say why.
            (Err(_), Some(report)) if !report.is_ok() => report,
            (Err(error), _) => self.explain(leaf, &known, question, &error),
            (Ok(()), None) => self.explain(leaf, &known, question, &PathError::UnknownIssuer),
        }
    }

    fn build(
        &self,
        leaf: &Certificate,
        known: &[&Certificate],
        question: &Question,
        judge: &dyn Fn(&VerifiedPath<'_>) -> Result<(), PathError>,
    ) -> Result<(), PathError> {
        let der = CertificateDer::from(leaf.der());
        let end_entity = EndEntityCert::try_from(&der)?;
        let intermediates: Vec<CertificateDer<'_>> =
            known.iter().map(|ca| CertificateDer::from(ca.der())).collect();
        let crls: Vec<&CertRevocationList<'_>> = self.crls.iter().collect();
        let revocation = RevocationOptionsBuilder::new(&crls).ok().map(|options| {
            options
                .with_depth(RevocationCheckDepth::Chain)
                .with_status_policy(UnknownStatusPolicy::Allow)
                .with_expiration_policy(ExpirationPolicy::Enforce)
                .build()
        });
        // webpki compares whole seconds since 1970, which every ASN.1 time of a CA in use is past.
        let seconds = u64::try_from(question.at.unix_timestamp()).unwrap_or(0);
        let now = UnixTime::since_unix_epoch(std::time::Duration::from_secs(seconds));
        end_entity.verify_for_usage(
            webpki::ALL_VERIFICATION_ALGS,
            &self.trust,
            &intermediates,
            now,
            question.purpose,
            revocation,
            Some(judge),
        )?;
        Ok(())
    }

    fn certificates_of<'a>(
        &'a self,
        path: &VerifiedPath<'_>,
        leaf: &'a Certificate,
        known: &[&'a Certificate],
    ) -> Vec<&'a Certificate> {
        let mut certificates = vec![leaf];
        for ca in path.intermediate_certificates() {
            let der = ca.der();
            certificates.extend(known.iter().find(|known| known.der() == der.as_ref()));
        }
        let position = self.trust.iter().position(|anchor| anchor == path.anchor());
        certificates.extend(position.map(|index| &self.anchors[index]));
        certificates
    }

    /// Applies the rules to every certificate of a path, leaf first.
    fn judge(&self, path: &[&Certificate], question: &Question) -> Report {
        let unmatched = unmatched(path[0], &question.hosts);
        let mut findings = Vec::new();
        let mut cas_below = 0;
        for (index, certificate) in path.iter().enumerate() {
            let trusted = self.anchors.iter().any(|anchor| std::ptr::eq(anchor, *certificate));
            let position = match index {
                0 => Position::Leaf,
                _ if trusted => Position::Anchor,
                _ => Position::Intermediate,
            };
            let case = Case {
                certificate,
                position,
                above: &path[index + 1..],
                cas_below,
                question,
                unmatched: &unmatched,
            };
            findings.extend(rules::judge(&case, self.policy));
            cas_below +=
                usize::from(position == Position::Intermediate && !certificate.is_self_issued());
        }
        if let Some(limit) = self.max_depth.filter(|limit| cas_below > *limit) {
            let evidence = format!("{cas_below} CA(s) between leaf and anchor, {limit} allowed");
            let subject = path[0].subject.to_string();
            findings.push(finding(&rules::PATH_TOO_DEEP, self.policy, subject, evidence));
        }
        Report::new(findings, path.iter().map(|c| c.subject.to_string()).collect())
    }

    /// Why the path builder found no path: what the rules say of the likeliest one, and what it
    /// said itself.
    fn explain(
        &self,
        leaf: &Certificate,
        known: &[&Certificate],
        question: &Question,
        error: &PathError,
    ) -> Report {
        let path = self.likeliest_path(leaf, known);
        let mut report = self.judge(&path, question);
        let (rule, evidence) = self.cause(&path, error);
        let said = |rule: &Rule| report.findings.iter().any(|finding| finding.rule == rule);
        let explained = match rule.id {
            // The general reason adds nothing to a particular one.
            "path-rejected" => !report.is_ok(),
            "path-unknown-authority" => said(&rules::DN_BYTES),
            _ => false,
        };
        if !explained && !said(rule) {
            let subject = leaf.subject.to_string();
            let found: Finding = finding(rule, self.policy, subject, evidence);
            report.findings.push(found);
        }
        Report::new(report.findings, report.path)
    }

    /// Leaf, then whatever names itself as the issuer. Nothing is accepted on the strength of this;
    /// it only says which certificates the reasons are about.
    fn likeliest_path<'a>(
        &'a self,
        leaf: &'a Certificate,
        known: &[&'a Certificate],
    ) -> Vec<&'a Certificate> {
        const LONGEST: usize = 8;
        let mut path = vec![leaf];
        while path.len() < LONGEST {
            let last = path[path.len() - 1];
            let trusted = path.len() > 1 && self.anchors.iter().any(|a| std::ptr::eq(a, last));
            if trusted {
                break;
            }
            let candidates = self.anchors.iter().chain(known.iter().copied());
            let next = candidates
                .filter(|ca| !path.iter().any(|used| used.der() == ca.der()))
                .map(|ca| (kinship(last, ca), ca))
                .filter(|(kinship, _)| *kinship > 0)
                .max_by_key(|(kinship, _)| *kinship);
            match next {
                Some((_, ca)) => path.push(ca),
                None => break,
            }
        }
        path
    }

    /// The rule that a refusal of the path builder stands for.
    fn cause(&self, path: &[&Certificate], error: &PathError) -> (&'static Rule, String) {
        let text = path_error_text(error);
        match error {
            PathError::UnknownIssuer => {
                let last = path[path.len() - 1];
                let anchors: Vec<String> =
                    self.anchors.iter().map(|anchor| anchor.subject.to_string()).collect();
                let evidence = format!(
                    "issuer {:?} is not among the trusted: {}",
                    last.issuer.to_string(),
                    anchors.join("; ")
                );
                (&rules::PATH_UNKNOWN_AUTHORITY, evidence)
            }
            PathError::InvalidSignatureForPublicKey => (&rules::PATH_SIGNATURE, text),
            PathError::NameConstraintViolation => (&rules::CA_NAME_CONSTRAINTS, text),
            PathError::PathLenConstraintViolated => (&rules::CA_PATHLEN, text),
            PathError::CertRevoked => (&rules::LEAF_REVOKED, text),
            PathError::CrlExpired { .. }
            | PathError::InvalidCrlSignatureForPublicKey
            | PathError::IssuerNotCrlSigner => (&rules::CRL_UNUSABLE, text),
            _ => (&rules::PATH_REJECTED, text),
        }
    }
}

fn anchor(certificate: &Certificate) -> Result<TrustAnchor<'static>, Error> {
    let der = CertificateDer::from(certificate.der());
    webpki::anchor_from_trusted_cert(&der).map(|anchor| anchor.to_owned()).map_err(|error| {
        Error::malformed(
            "a trust anchor",
            format!("{}: {}", certificate.subject, path_error_text(&error)),
        )
    })
}

fn errors(report: &Report) -> usize {
    let findings = report.findings.iter();
    findings.filter(|finding| finding.severity == Severity::Error).count()
}

/// How likely `ca` issued `certificate`: by name and key identifier, by one of them, or not at all.
fn kinship(certificate: &Certificate, ca: &Certificate) -> u8 {
    let aki = &certificate.extensions.authority_key_id;
    let named = aki.as_ref().and_then(|aki| aki.key_id.as_ref());
    let by_key = named.is_some() && named == ca.extensions.subject_key_id.as_ref();
    let by_name = certificate.issuer.der() == ca.subject.der();
    2 * u8::from(by_name) + u8::from(by_key)
}

/// The hosts that the leaf's names do not match.
fn unmatched(leaf: &Certificate, hosts: &[ServerName<'static>]) -> Vec<String> {
    if hosts.is_empty() {
        return Vec::new();
    }
    let der = CertificateDer::from(leaf.der());
    let leaf = EndEntityCert::try_from(&der).ok();
    let matches = |host: &&ServerName<'static>| {
        leaf.as_ref().is_some_and(|leaf| leaf.verify_is_valid_for_subject_name(host).is_ok())
    };
    hosts.iter().filter(|host| !matches(host)).map(|host| host.to_str().into_owned()).collect()
}

/// The extended key usages that a purpose needs, of the leaf and of the CAs that name any.
///
/// anyExtendedKeyUsage serves every purpose, as Go has it.
impl ExtendedKeyUsageValidator for Purpose {
    fn validate(&self, usages: KeyPurposeIdIter<'_, '_>) -> Result<(), PathError> {
        const ANY: KeyPurposeId<'static> = KeyPurposeId::new(&[0x55, 0x1d, 0x25, 0x00]);
        const SERVER: KeyPurposeId<'static> =
            KeyPurposeId::new(&[0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x01]);
        const CLIENT: KeyPurposeId<'static> =
            KeyPurposeId::new(&[0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x02]);
        let present = usages.collect::<Result<Vec<_>, _>>()?;
        let has = |usage| present.is_empty() || present.contains(&ANY) || present.contains(&usage);
        let fits = match self {
            Self::Any => true,
            Self::Client => has(CLIENT),
            Self::Peer => has(SERVER) && has(CLIENT),
            Self::Server => has(SERVER),
        };
        // The rules name the usages; this only has to say no.
        if fits { Ok(()) } else { Err(PathError::EmptyEkuExtension) }
    }
}

/// webpki's reasons in words.
fn path_error_text(error: &PathError) -> String {
    match error {
        PathError::BadDer | PathError::BadDerTime => "its DER is damaged".to_owned(),
        PathError::CaUsedAsEndEntity => "a CA certificate stands where a leaf belongs".to_owned(),
        PathError::CertRevoked => "a CRL lists its serial number".to_owned(),
        PathError::CrlExpired { .. } => "the CRL's nextUpdate is past".to_owned(),
        PathError::EmptyEkuExtension => "its extKeyUsage does not allow the purpose".to_owned(),
        PathError::InvalidCrlSignatureForPublicKey => {
            "the CRL's signature does not verify with the CA's key".to_owned()
        }
        PathError::InvalidSignatureForPublicKey => {
            "the signature does not verify with the key of the CA that it names".to_owned()
        }
        PathError::IssuerNotCrlSigner => "the CA's keyUsage lacks cRLSign".to_owned(),
        PathError::NameConstraintViolation => {
            "a name is outside the constraints of a CA above it, or of a kind whose constraints \
             the path builder does not read (email, URI)"
                .to_owned()
        }
        PathError::PathLenConstraintViolated => "more CAs than a CA above them allows".to_owned(),
        PathError::UnsupportedCertVersion => "it is no X.509v3 certificate".to_owned(),
        other => format!("the path builder refuses it: {other:?}"),
    }
}
