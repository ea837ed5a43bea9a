//! The CAs of a cluster: which one issues, and which ones are trusted.

use std::borrow::Borrow;

use crate::certificate::Certificate;
use crate::error::Error;
use crate::layout::{Role, Traffic};
use crate::usage::Purpose;

/// The limit on CAs between a leaf certificate and its root, higher than in any path builder.
const MAX_DEPTH: usize = 8;

/// The CAs for one kind of certificate.
///
/// A cluster with one CA has a set of one. During a rotation, two roots are trusted and one CA issues. With an
/// intermediate CA, the intermediate issues and the root above it is trusted.
#[derive(Clone, Debug)]
pub struct CaSet {
    /// From the issuing CA to its root.
    issuing: Vec<Certificate>,
    /// The trusted roots, starting with that of the issuing CA.
    trusted: Vec<Certificate>,
}

impl CaSet {
    /// Reads the set from the certificates in a CA's file: the issuing CA first, then the CAs above it in order, up to
    /// the root. Other roots in the file are trusted too.
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

    /// The issuing CA and those above it, up to its root.
    pub fn chain(&self) -> &[Certificate] {
        &self.issuing
    }

    /// The CAs to send together with a leaf certificate of the issuing CA: those below the root, which the other side has
    /// (RFC 8446 section 4.4.2).
    pub fn intermediates(&self) -> &[Certificate] {
        &self.issuing[..self.issuing.len() - 1]
    }

    /// The trusted roots.
    pub fn trusted(&self) -> &[Certificate] {
        &self.trusted
    }

    /// All CAs of the set, without duplicates.
    pub fn all(&self) -> impl Iterator<Item = &Certificate> {
        self.issuing.iter().chain(self.trusted.iter().skip(1))
    }

    /// The contents of a leaf certificate's file in PEM: the leaf, then the CAs to send with it.
    pub fn leaf_pem(&self, leaf: &Certificate) -> Result<String, Error> {
        pem(std::iter::once(leaf).chain(self.intermediates()))
    }

    /// The contents of a trust file: the trusted roots in PEM, the oldest first. So the file stays the same when another of
    /// them issues.
    pub fn trust_pem(&self) -> Result<String, Error> {
        pem(self.by_age())
    }

    /// The trusted roots, the oldest first.
    fn by_age(&self) -> Vec<&Certificate> {
        let mut roots: Vec<&Certificate> = self.trusted.iter().collect();
        roots.sort_by_key(|root| root.not_before);
        roots
    }

    /// The trusted root that a certificate leads to through `chain`, by name and signature. Dates and constraints are
    /// checked only by [`Verifier`](crate::Verifier).
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
/// Most clusters have the same set for all purposes.
#[derive(Clone, Debug)]
#[expect(clippy::exhaustive_structs, reason = "callers write it as a literal")]
pub struct ClusterCas {
    /// The CAs of the certificates that members present to clients. Clients trust them.
    pub server: CaSet,
    /// The CAs of the certificates that members present to each other. Members trust them.
    pub peer: CaSet,
    /// The CAs of the certificates that clients present. Members trust them.
    pub client: CaSet,
}

impl ClusterCas {
    /// One set for every kind of certificate.
    pub fn shared(set: CaSet) -> Self {
        Self { server: set.clone(), peer: set.clone(), client: set }
    }

    /// True if the same roots are trusted for every purpose.
    pub fn is_shared(&self) -> bool {
        let trusted = |set: &CaSet| -> Vec<Vec<u8>> {
            set.trusted().iter().map(|ca| ca.der().to_vec()).collect()
        };
        let server = trusted(&self.server);
        server == trusted(&self.peer) && server == trusted(&self.client)
    }

    /// The set that issues the certificates of a role.
    pub const fn for_role(&self, role: &Role) -> &CaSet {
        self.of(role.traffic())
    }

    /// The set that issues these certificates.
    pub const fn of(&self, traffic: Traffic) -> &CaSet {
        match traffic {
            Traffic::Server => &self.server,
            Traffic::Peer => &self.peer,
            Traffic::Client => &self.client,
        }
    }

    /// The contents of a trust file for programs that accept certificates with this purpose: the roots in PEM, the oldest of
    /// each set first. So the file stays the same when another of them issues.
    pub fn trust_pem(&self, purpose: Purpose) -> Result<String, Error> {
        pem(once(self.sets_for(purpose).into_iter().flat_map(CaSet::by_age)))
    }

    /// The roots that programs need to trust to accept a certificate with this purpose, without duplicates.
    ///
    /// For clients, these include the roots of the servers: etcd's gateway connects to the client port of its own member with
    /// the certificate of the server.
    pub fn trusted_for(&self, purpose: Purpose) -> Vec<&Certificate> {
        once(self.sets_for(purpose).into_iter().flat_map(CaSet::trusted))
    }

    /// The CAs of the certificates with this purpose, without duplicates.
    pub fn issuing_for(&self, purpose: Purpose) -> Vec<&Certificate> {
        once(self.sets_for(purpose).into_iter().flat_map(CaSet::all))
    }

    /// All trusted roots, without duplicates.
    pub fn trusted(&self) -> Vec<&Certificate> {
        self.trusted_for(Purpose::Any)
    }

    /// All CAs, without duplicates.
    pub fn all(&self) -> Vec<&Certificate> {
        self.issuing_for(Purpose::Any)
    }

    fn sets_for(&self, purpose: Purpose) -> Vec<&CaSet> {
        match purpose {
            Purpose::Server => vec![&self.server],
            Purpose::Peer => vec![&self.peer],
            Purpose::Client => vec![&self.client, &self.server],
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

/// True if a certificate leads to one of `trusted` through `chain`, by name and signature. Dates and constraints are
/// checked only by the verifier.
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
