//! The CAs of a cluster: which one issues, and which ones are trusted meanwhile.

use std::borrow::Borrow;

use crate::certificate::Certificate;
use crate::error::Error;
use crate::layout::Role;
use crate::usage::Purpose;

/// More CAs between a leaf and its root than any path builder follows.
const MAX_DEPTH: usize = 8;

/// The CAs behind one kind of certificate.
///
/// A cluster with one CA has a set of one. During a rotation two roots are trusted and one CA issues.
/// An intermediate CA issues, and the root above it is trusted.
#[derive(Clone, Debug)]
pub struct CaSet {
    /// The issuing CA first, its root last.
    issuing: Vec<Certificate>,
    /// The root of the issuing CA first.
    trusted: Vec<Certificate>,
}

impl CaSet {
    /// Reads the set from the certificates of a CA's file: the issuing CA first, then the CAs above it
    /// in order, up to the root. Other roots in the file are trusted beside that one.
    pub fn new(certificates: Vec<Certificate>) -> Result<Self, Error> {
        let mut rest = certificates.into_iter();
        let Some(issuing) = rest.next() else {
            return Err(Error::malformed("a chain of CAs", "there is no certificate"));
        };
        let (roots, above): (Vec<_>, Vec<_>) = rest.partition(Certificate::is_self_issued);
        let mut chain = vec![issuing];
        for ca in above {
            let below = &chain[chain.len() - 1];
            if !issued(&ca, below) {
                let problem = format!("{} did not issue {}", ca.subject, below.subject);
                return Err(Error::malformed("a chain of CAs", problem)
                    .hinted("put the issuing CA first, then the CAs above it in order, and remove all others"));
            }
            chain.push(ca);
        }
        let top = &chain[chain.len() - 1];
        let mut trusted = Vec::new();
        if !top.is_self_issued() {
            let Some(root) = roots.iter().find(|root| issued(root, top)).cloned() else {
                let problem = format!("{} is missing, the issuer of {}", top.issuer, top.subject);
                return Err(Error::malformed("a chain of CAs", problem)
                    .hinted("append the certificates of the CAs above it, up to the root"));
            };
            chain.push(root);
        }
        trusted.extend(chain.last().cloned());
        for root in roots {
            if trusted.iter().all(|known| known.der() != root.der()) {
                trusted.push(root);
            }
        }
        Ok(Self { issuing: chain, trusted })
    }

    /// The CA that issues.
    pub fn issuing(&self) -> &Certificate {
        &self.issuing[0]
    }

    /// The issuing CA and those above it, its root last.
    pub fn chain(&self) -> &[Certificate] {
        &self.issuing
    }

    /// The CAs that a leaf of the issuing CA is sent with: those below the root, which the other side
    /// has (RFC 8446 section 4.4.2).
    pub fn intermediates(&self) -> &[Certificate] {
        &self.issuing[..self.issuing.len() - 1]
    }

    /// The roots that are trusted.
    pub fn trusted(&self) -> &[Certificate] {
        &self.trusted
    }

    /// Every CA of the set, once.
    pub fn all(&self) -> impl Iterator<Item = &Certificate> {
        self.issuing.iter().chain(self.trusted.iter().skip(1))
    }

    /// The contents of the file of a leaf: the leaf, then the CAs that it is sent with, in PEM.
    pub fn leaf_pem(&self, leaf: &Certificate) -> Result<String, Error> {
        pem(std::iter::once(leaf).chain(self.intermediates()))
    }

    /// The contents of a trust file: the trusted roots in PEM.
    pub fn trust_pem(&self) -> Result<String, Error> {
        pem(&self.trusted)
    }

    /// The trusted root to which issuers lead from a certificate through `chain`, by name and signature.
    /// Dates and constraints are for [`Verifier`](crate::Verifier) to check.
    pub fn root_of(
        &self,
        certificate: &Certificate,
        chain: &[Certificate],
    ) -> Option<&Certificate> {
        let chain: Vec<&Certificate> = chain.iter().collect();
        root_of(certificate, &chain, &self.trusted)
    }
}

/// The CAs of a cluster, by the purpose of the certificates that they issue.
///
/// Most clusters have one set for all.
#[derive(Clone, Debug)]
#[expect(clippy::exhaustive_structs, reason = "callers write it as a literal")]
pub struct ClusterCas {
    /// The CAs behind what members show to clients; clients trust them.
    pub server: CaSet,
    /// The CAs behind what members show to each other; members trust them.
    pub peer: CaSet,
    /// The CAs behind what clients show; members trust them.
    pub client: CaSet,
}

impl ClusterCas {
    /// One set for every kind of certificate.
    pub fn shared(set: CaSet) -> Self {
        Self { server: set.clone(), peer: set.clone(), client: set }
    }

    /// The set that issues the certificates of a role. One certificate for both ports of a member comes
    /// from the CA of the servers, so members with separate CAs for the two cannot have it.
    pub const fn for_role(&self, role: &Role) -> &CaSet {
        match role {
            Role::Server | Role::Member => &self.server,
            Role::Peer => &self.peer,
            Role::Client(_) => &self.client,
        }
    }

    /// The roots that those trust who meet a certificate of this purpose, once each.
    pub fn trusted_for(&self, purpose: Purpose) -> Vec<&Certificate> {
        once(self.sets_for(purpose).into_iter().flat_map(CaSet::trusted))
    }

    /// The CAs behind the certificates of this purpose, once each.
    pub fn issuing_for(&self, purpose: Purpose) -> Vec<&Certificate> {
        once(self.sets_for(purpose).into_iter().flat_map(CaSet::all))
    }

    /// Every trusted root, once.
    pub fn trusted(&self) -> Vec<&Certificate> {
        self.trusted_for(Purpose::Any)
    }

    /// Every CA, once.
    pub fn all(&self) -> Vec<&Certificate> {
        self.issuing_for(Purpose::Any)
    }

    fn sets_for(&self, purpose: Purpose) -> Vec<&CaSet> {
        match purpose {
            Purpose::Server => vec![&self.server],
            Purpose::Peer => vec![&self.peer],
            Purpose::Client => vec![&self.client],
            _ => vec![&self.server, &self.peer, &self.client],
        }
    }
}

fn once<'a>(cas: impl Iterator<Item = &'a Certificate>) -> Vec<&'a Certificate> {
    let mut known: Vec<&Certificate> = Vec::new();
    for ca in cas {
        if known.iter().all(|other| other.der() != ca.der()) {
            known.push(ca);
        }
    }
    known
}

fn pem<'a>(certificates: impl IntoIterator<Item = &'a Certificate>) -> Result<String, Error> {
    certificates.into_iter().map(Certificate::to_pem).collect()
}

/// True if `ca` issued a certificate, by name and signature.
fn issued(ca: &Certificate, certificate: &Certificate) -> bool {
    ca.subject.der() == certificate.issuer.der() && certificate.is_signed_by(&ca.public_key)
}

/// True if issuers lead from a certificate through `chain` to one of `trusted`, by name and signature.
/// Dates and constraints are for the verifier to check.
pub(crate) fn leads_to<'a>(
    certificate: &'a Certificate,
    chain: &[&'a Certificate],
    trusted: &[impl Borrow<Certificate>],
) -> bool {
    root_of(certificate, chain, trusted).is_some()
}

fn root_of<'a, 't>(
    certificate: &'a Certificate,
    chain: &[&'a Certificate],
    trusted: &'t [impl Borrow<Certificate>],
) -> Option<&'t Certificate> {
    let mut current = certificate;
    for _ in 0..MAX_DEPTH {
        let mut roots = trusted.iter().map(Borrow::borrow);
        if let Some(root) = roots.find(|root| issued(root, current)) {
            return Some(root);
        }
        let mut above = chain.iter().filter(|ca| ca.der() != current.der());
        current = above.find(|ca| issued(ca, current))?;
    }
    None
}
