//! Replacing the CA of a cluster: how far the hosts are, and what may come next.
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

/// What a host holds of its CAs.
#[derive(Clone, Debug)]
#[expect(clippy::exhaustive_structs, reason = "callers write it as a literal")]
pub struct HostCas {
    /// The name of the host.
    pub host: String,
    /// The certificates in its trust file.
    pub trusted: Vec<Certificate>,
    /// Its leaf certificates.
    pub leaves: Vec<HostLeaf>,
}

/// A leaf certificate of a host.
#[derive(Clone, Debug)]
#[expect(clippy::exhaustive_structs, reason = "callers write it as a literal")]
pub struct HostLeaf {
    /// The name of its file.
    pub file: String,
    /// The certificate.
    pub certificate: Certificate,
    /// What follows it in its file.
    pub chain: Vec<Certificate>,
}

/// How far a host is.
#[derive(Clone, Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "the steps of a rotation, and what is none of them")]
pub enum HostPhase {
    /// It trusts only the old CA, which issued its certificates.
    Before,
    /// It trusts both CAs, and the old one issued its certificates.
    Begun,
    /// It trusts both CAs, and each issued some of its certificates: the first named is of the old one.
    Mixed(String),
    /// It trusts both CAs, and the new one issued its certificates.
    Reissued,
    /// It trusts only the new CA, which issued its certificates.
    Finished,
    /// It rejects a certificate that is in use: why.
    Cut(String),
}

impl fmt::Display for HostPhase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Before => f.write_str("trusts only the old CA"),
            Self::Begun => f.write_str("trusts both CAs; its certificates are from the old one"),
            Self::Mixed(file) => write!(f, "trusts both CAs; {file} is still from the old one"),
            Self::Reissued => f.write_str("trusts both CAs; its certificates are from the new one"),
            Self::Finished => f.write_str("trusts only the new CA"),
            Self::Cut(why) => f.write_str(why),
        }
    }
}

/// One of the commands that move a rotation.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "the steps of a rotation")]
pub enum RotationStep {
    /// Every host trusts the new CA beside the old one.
    Begin,
    /// The new CA issues all certificates.
    Reissue,
    /// No host trusts the old CA any more.
    Finish,
    /// Back to the old CA.
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
            Self::Begin => matches!(phase, HostPhase::Before | HostPhase::Begun),
            Self::Reissue => {
                matches!(phase, HostPhase::Begun | HostPhase::Mixed(_) | HostPhase::Reissued)
            }
            Self::Finish => matches!(phase, HostPhase::Reissued | HostPhase::Finished),
            Self::Abort => !matches!(phase, HostPhase::Finished | HostPhase::Cut(_)),
        }
    }
}

/// A rotation from one root to another, as far as the hosts are.
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
        let of_hosts = hosts.iter().flat_map(|host| &host.trusted);
        let mut roots: Vec<&Certificate> = Vec::new();
        for root in cas.trusted().iter().chain(of_hosts.filter(|ca| ca.is_self_issued())) {
            // A renewed root is the same CA.
            let is_known = |known: &&Certificate| {
                known.public_key == root.public_key && known.subject.der() == root.subject.der()
            };
            if !roots.iter().any(is_known) {
                roots.push(root);
            }
        }
        roots.sort_by_key(|root| root.not_before);
        match roots[..] {
            [_] => Ok(None),
            [old, new] => Ok(Some(Self::between(old, new, hosts))),
            _ => {
                let names: Vec<String> =
                    roots.iter().map(|root| root.subject.to_string()).collect();
                let problem = format!("{} CAs are trusted: {}", roots.len(), names.join(", "));
                Err(Error::malformed("a rotation from one CA to another", problem)
                    .hinted("remove the CAs that no certificate is from, with their certificates, from ca.pem"))
            }
        }
    }

    /// The state of a rotation between two roots.
    pub fn between(old: &Certificate, new: &Certificate, hosts: &[HostCas]) -> Self {
        let phases = hosts.iter().map(|host| (host.host.clone(), phase(host, old, new))).collect();
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

    /// How far each host is.
    pub fn hosts(&self) -> &[(String, HostPhase)] {
        &self.hosts
    }

    /// The step to run next. `None` if the rotation is over: all hosts trust only the new CA.
    pub fn next(&self) -> Option<RotationStep> {
        let any =
            |wanted: fn(&HostPhase) -> bool| self.hosts.iter().any(|(_, phase)| wanted(phase));
        if any(|phase| matches!(phase, HostPhase::Before)) {
            Some(RotationStep::Begin)
        } else if any(|phase| matches!(phase, HostPhase::Begun | HostPhase::Mixed(_))) {
            Some(RotationStep::Reissue)
        } else if any(|phase| !matches!(phase, HostPhase::Finished)) {
            Some(RotationStep::Finish)
        } else {
            None
        }
    }

    /// The hosts that are in the way of a step.
    pub fn obstacles(&self, step: RotationStep) -> impl Iterator<Item = &(String, HostPhase)> {
        self.hosts.iter().filter(move |(_, phase)| !step.allows(phase))
    }
}

/// How far a host is between two roots.
fn phase(host: &HostCas, old: &Certificate, new: &Certificate) -> HostPhase {
    let trusts = |root: &Certificate| {
        host.trusted
            .iter()
            .any(|ca| ca.public_key == root.public_key && ca.subject.der() == root.subject.der())
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
    match (trusts(old), trusts(new), first_of(old), first_of(new)) {
        (true, true, Some(file), Some(_)) => HostPhase::Mixed(file),
        (true, true, _, None) => HostPhase::Begun,
        (true, true, None, Some(_)) => HostPhase::Reissued,
        (true, false, _, None) => HostPhase::Before,
        (false, true, None, _) => HostPhase::Finished,
        (true, false, _, Some(file)) => {
            HostPhase::Cut(format!("{file} is from the new CA, which its ca.pem does not contain"))
        }
        (false, true, Some(file), _) => {
            HostPhase::Cut(format!("{file} is from the old CA, which its ca.pem does not contain"))
        }
        (false, false, ..) => HostPhase::Cut("its ca.pem contains neither CA".to_owned()),
    }
}
