//! Replacing the CA of a cluster: the progress of each host, and the next step.
//!
//! A rotation has three steps. After each one, every program accepts every certificate that is in use:
//!
//! | step | hosts trust | their certificates are from |
//! |---|---|---|
//! | before | the old CA | the old CA |
//! | begin | both | the old CA |
//! | reissue | both | the new CA |
//! | finish | the new CA | the new CA |
//!
//! Programs read trust files only when they start, and certificates at each handshake. So all of them are restarted after
//! `begin`, before the first certificate of the new CA is in use, and again after `finish`.

use std::fmt;

use crate::ca_set::{CaSet, leads_to};
use crate::certificate::Certificate;
use crate::error::Error;

/// The trust files and certificates of a host.
#[derive(Clone, Debug)]
#[expect(clippy::exhaustive_structs, reason = "callers write it as a literal")]
pub struct HostCas {
    /// The name of the host.
    pub host: String,
    /// The files with the CAs that its programs trust. Empty if none of them has to trust the CA that is replaced, as
    /// with a CA for clients on a host that is not a member.
    pub trusted: Vec<TrustFile>,
    /// Its leaf certificates.
    pub leaves: Vec<HostLeaf>,
}

/// A trust file of a host.
#[derive(Clone, Debug)]
#[expect(clippy::exhaustive_structs, reason = "callers write it as a literal")]
pub struct TrustFile {
    /// The name of the file.
    pub file: String,
    /// The certificates in it, without those of CAs for other certificates.
    pub cas: Vec<Certificate>,
}

/// A leaf certificate of a host.
#[derive(Clone, Debug)]
#[expect(clippy::exhaustive_structs, reason = "callers write it as a literal")]
pub struct HostLeaf {
    /// The name of its file.
    pub file: String,
    /// The certificate.
    pub certificate: Certificate,
    /// The certificates after it in its file.
    pub chain: Vec<Certificate>,
}

/// The progress of a host.
#[derive(Clone, Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "callers match every phase")]
pub enum HostPhase {
    /// It trusts only the old CA, which issued its certificates.
    Before,
    /// It trusts both CAs, and the old one issued its certificates.
    Begun,
    /// It has certificates of both CAs, and rejects none of them: the name of the first file of the old one.
    Mixed(String),
    /// It trusts both CAs, and the new one issued its certificates.
    Reissued,
    /// It trusts only the new CA, which issued its certificates.
    Finished,
    /// It does not have to trust either CA, and the old one issued its certificates.
    PresentsOld,
    /// It does not have to trust either CA, and the new one issued its certificates.
    PresentsNew,
    /// It rejects a certificate that is in use, with the reason.
    Cut(String),
}

impl fmt::Display for HostPhase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Before => f.write_str("trusts only the old CA"),
            Self::Begun => f.write_str("trusts both CAs; its certificates are from the old one"),
            Self::Mixed(file) => {
                write!(f, "has certificates of both CAs; {file} is still from the old one")
            }
            Self::PresentsOld => f.write_str("its certificates are from the old CA"),
            Self::PresentsNew => f.write_str("its certificates are from the new CA"),
            Self::Reissued => f.write_str("trusts both CAs; its certificates are from the new one"),
            Self::Finished => f.write_str("trusts only the new CA"),
            Self::Cut(why) => f.write_str(why),
        }
    }
}

/// A command of a rotation.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "the steps of a rotation")]
pub enum RotationStep {
    /// Every host trusts the new CA beside the old one.
    Begin,
    /// The new CA issues all certificates.
    Reissue,
    /// No host trusts the old CA any more.
    Finish,
    /// Goes back to the old CA.
    Abort,
}

impl RotationStep {
    /// The name of the command.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Begin => "begin",
            Self::Reissue => "reissue",
            Self::Finish => "finish",
            Self::Abort => "abort",
        }
    }

    /// Whether a host in this phase may take the step, or has taken it.
    const fn allows(self, phase: &HostPhase) -> bool {
        match self {
            Self::Begin => {
                matches!(phase, HostPhase::Before | HostPhase::Begun | HostPhase::PresentsOld)
            }
            Self::Reissue => matches!(
                phase,
                HostPhase::Begun
                    | HostPhase::Mixed(_)
                    | HostPhase::Reissued
                    | HostPhase::PresentsOld
                    | HostPhase::PresentsNew
            ),
            Self::Finish => {
                matches!(phase, HostPhase::Reissued | HostPhase::Finished | HostPhase::PresentsNew)
            }
            Self::Abort => !matches!(phase, HostPhase::Finished | HostPhase::Cut(_)),
        }
    }
}

/// A rotation from one root to another, with the progress of the hosts.
/// ```
/// use pki_core::{CaSet, HostCas, HostLeaf, HostPhase, Rotation, RotationStep, TrustFile};
/// # use pki_core::{Authority, CaRequest, IssuanceContext, KeyAlgorithm, PrivateKey, Request, SerialNumber};
/// # use pki_core::{Signer, SigningConfig, Subject, time::Duration, time::macros::datetime};
/// # let context = |day| IssuanceContext {
/// #     now: datetime!(2027-01-01 12:00 UTC) + Duration::days(day),
/// #     serial: SerialNumber::from_random([7; 20]),
/// # };
/// # let root = |name: &str, key: &PrivateKey, day| -> Result<_, pki_core::Error> {
/// #     let request = CaRequest::new(Subject::from_common_name(name)?);
/// #     Ok(Authority::draft_root(&request, key.public_key(), &context(day))?.sign(key)?.certificate)
/// # };
/// # let (key, next) = (PrivateKey::generate(KeyAlgorithm::EcdsaP256)?, PrivateKey::generate(KeyAlgorithm::EcdsaP256)?);
/// # let (old, new) = (root("etcd CA", &key, 0)?, root("etcd CA 2", &next, 30)?);
/// # let leaf_key = PrivateKey::generate(KeyAlgorithm::EcdsaP256)?;
/// # let request = Request::new(Subject::from_common_name("etcdone")?, Vec::new(), leaf_key.public_key().clone());
/// # let profiles = SigningConfig::etcd();
/// # let draft = Authority::new(old.clone()).draft(&request, profiles.profile("server")?, &context(1))?;
/// # let leaf = draft.sign(&key)?.certificate;
///
/// // After `begin`: the host trusts both roots, and its certificate is from the old one.
/// let host = HostCas {
///     host: "etcdone".to_owned(),
///     trusted: vec![TrustFile { file: "ca.pem".to_owned(), cas: vec![old.clone(), new.clone()] }],
///     leaves: vec![HostLeaf { file: "server.pem".to_owned(), certificate: leaf, chain: Vec::new() }],
/// };
/// let rotation = Rotation::find(&CaSet::new(vec![old, new])?, &[host])?.expect("two roots are trusted");
/// assert_eq!(rotation.hosts()[0].1, HostPhase::Begun);
/// assert_eq!(rotation.next(), Some(RotationStep::Reissue));
/// // No host would reject a certificate of the new CA.
/// assert!(rotation.obstacles(RotationStep::Reissue).next().is_none());
/// # Ok::<(), pki_core::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Rotation {
    old: Certificate,
    new: Certificate,
    hosts: Vec<(String, HostPhase)>,
}

impl Rotation {
    /// Finds the rotation that is under way, by the roots that are trusted: in the CA's file (`cas`) or by a host. The root
    /// that became valid later is the new one. `None` if there is only one root.
    pub fn find(cas: &CaSet, hosts: &[HostCas]) -> Result<Option<Self>, Error> {
        let of_hosts = hosts.iter().flat_map(|host| &host.trusted).flat_map(|trusted| &trusted.cas);
        let mut roots: Vec<&Certificate> = Vec::new();
        for root in cas.trusted().iter().chain(of_hosts.filter(|ca| ca.is_self_issued())) {
            // A renewed root is the same CA.
            if !roots.iter().any(|known| known.is_same_ca(root)) {
                roots.push(root);
            }
        }
        roots.sort_by_key(|root| root.not_before);
        match roots[..] {
            [_] => Ok(None),
            [old, new] => {
                let is_new = cas.trusted().first().is_some_and(|root| root.is_same_ca(new));
                let issuer = if is_new { Issuer::New } else { Issuer::Old };
                Ok(Some(Self::with_issuer(old, new, issuer, hosts)))
            }
            _ => {
                let names: Vec<String> =
                    roots.iter().map(|root| root.subject.to_string()).collect();
                let problem = format!("{} CAs are trusted: {}", roots.len(), names.join(", "));
                Err(Error::malformed("a rotation from one CA to another", problem)
                    .hinted("remove the CAs that no certificate is from, with their certificates, from ca.pem"))
            }
        }
    }

    /// The state of a rotation between two roots, of which the old one issues.
    pub fn between(old: &Certificate, new: &Certificate, hosts: &[HostCas]) -> Self {
        Self::with_issuer(old, new, Issuer::Old, hosts)
    }

    fn with_issuer(
        old: &Certificate,
        new: &Certificate,
        issuer: Issuer,
        hosts: &[HostCas],
    ) -> Self {
        let phase = |host: &HostCas| (host.host.clone(), phase(host, old, new, issuer));
        let phases = hosts.iter().map(phase).collect();
        Self { old: old.clone(), new: new.clone(), hosts: phases }
    }

    /// The root that is replaced.
    pub const fn old(&self) -> &Certificate {
        &self.old
    }

    /// The root that takes its place.
    pub const fn new_root(&self) -> &Certificate {
        &self.new
    }

    /// The progress of each host.
    pub fn hosts(&self) -> &[(String, HostPhase)] {
        &self.hosts
    }

    /// The step to run next. `None` if the rotation is over: all hosts trust only the new CA.
    pub fn next(&self) -> Option<RotationStep> {
        let any =
            |wanted: fn(&HostPhase) -> bool| self.hosts.iter().any(|(_, phase)| wanted(phase));
        if any(|phase| matches!(phase, HostPhase::Before)) {
            Some(RotationStep::Begin)
        } else if any(|phase| {
            matches!(phase, HostPhase::Begun | HostPhase::Mixed(_) | HostPhase::PresentsOld)
        }) {
            Some(RotationStep::Reissue)
        } else if any(|phase| !matches!(phase, HostPhase::Finished | HostPhase::PresentsNew)) {
            Some(RotationStep::Finish)
        } else {
            None
        }
    }

    /// The hosts that prevent a step.
    pub fn obstacles(&self, step: RotationStep) -> impl Iterator<Item = &(String, HostPhase)> {
        self.hosts.iter().filter(move |(_, phase)| !step.allows(phase))
    }
}

/// Which of the two CAs issues.
#[derive(Clone, Copy)]
enum Issuer {
    Old,
    New,
}

/// The progress of a host between two roots. For a host without certificates, the issuing CA decides.
fn phase(host: &HostCas, old: &Certificate, new: &Certificate, issuer: Issuer) -> HostPhase {
    let lacking = |root: &Certificate| {
        let lacks = |file: &&TrustFile| !file.cas.iter().any(|ca| ca.is_same_ca(root));
        host.trusted.iter().find(lacks).map(|file| &file.file)
    };
    let is_from = |leaf: &HostLeaf, root: &Certificate| {
        let chain: Vec<&Certificate> = leaf.chain.iter().collect();
        leads_to(&leaf.certificate, &chain, std::slice::from_ref(root))
    };
    let first_of = |root: &Certificate| {
        host.leaves.iter().find(|leaf| is_from(leaf, root)).map(|leaf| leaf.file.clone())
    };
    if let Some(stray) = host.leaves.iter().find(|leaf| !is_from(leaf, old) && !is_from(leaf, new))
    {
        return HostPhase::Cut(format!("{} is from neither CA", stray.file));
    }
    let (of_old, of_new) = (first_of(old), first_of(new));
    if host.trusted.is_empty() {
        return match (of_old, of_new) {
            (Some(file), Some(_)) => HostPhase::Mixed(file),
            (Some(_), None) => HostPhase::PresentsOld,
            (None, _) => HostPhase::PresentsNew,
        };
    }
    match (lacking(old), lacking(new), of_old, of_new) {
        (None, None, Some(file), Some(_)) => HostPhase::Mixed(file),
        (None, None, Some(_), None) => HostPhase::Begun,
        (None, None, None, Some(_)) => HostPhase::Reissued,
        (None, None, None, None) => match issuer {
            Issuer::Old => HostPhase::Begun,
            Issuer::New => HostPhase::Reissued,
        },
        (None, Some(_), _, None) => HostPhase::Before,
        (Some(_), None, None, _) => HostPhase::Finished,
        (None, Some(trusted), _, Some(file)) => HostPhase::Cut(format!(
            "{file} is from the new CA, which its {trusted} does not contain"
        )),
        (Some(trusted), None, Some(file), _) => HostPhase::Cut(format!(
            "{file} is from the old CA, which its {trusted} does not contain"
        )),
        (Some(trusted), Some(_), ..) => {
            HostPhase::Cut(format!("its {trusted} contains neither CA"))
        }
    }
}
