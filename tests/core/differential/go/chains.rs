//! Chains with real keys of many kinds, changed by code before each certificate is signed.

use std::fmt::Write as _;
use std::sync::OnceLock;

use pki_core::{ExtendedKeyUsage, KeyAlgorithm, KeyFormat, PrivateKey, Purpose, Signer, read_pem};
use rcgen::{CertificateParams, KeyUsagePurpose, SanType};
use time::OffsetDateTime;

use super::judge::Question;
use super::kinds::{Fields, KINDS, Kind, serial_at};
use super::tree;
use crate::der::{Body, Node};
use crate::differential::judges::HOST;
use crate::differential::random::Random;
use crate::foreign::{ca_params, extended_key_usages, params, self_signed, signed};
use crate::lab::NOW;

/// Keys are costly; which key of a kind it is changes no verdict.
pub(crate) struct Pool {
    /// Of P-256, as many as a path has certificates.
    pub(crate) usual: Vec<PrivateKey>,
    /// One of each other kind that can be generated.
    pub(crate) others: Vec<PrivateKey>,
}

impl Pool {
    /// The one pool of this process.
    pub(crate) fn shared() -> &'static Self {
        static POOL: OnceLock<Pool> = OnceLock::new();
        POOL.get_or_init(Self::new)
    }

    fn new() -> Self {
        let generate = |kind| PrivateKey::generate(kind).unwrap();
        let others = [
            KeyAlgorithm::EcdsaP384,
            KeyAlgorithm::EcdsaP521,
            KeyAlgorithm::Ed25519,
            KeyAlgorithm::Rsa(2048),
            KeyAlgorithm::Rsa(3072),
        ];
        Self {
            usual: (0..6).map(|_| generate(KeyAlgorithm::EcdsaP256)).collect(),
            others: others.map(generate).into(),
        }
    }

    pub(crate) fn rsa(&self) -> &PrivateKey {
        let is_rsa =
            |key: &&PrivateKey| matches!(key.public_key().algorithm(), Some(KeyAlgorithm::Rsa(_)));
        self.others.iter().find(is_rsa).unwrap()
    }

    /// Mostly a usual key: the others sign slowly.
    fn key(&self, place: usize, random: &mut Random) -> &PrivateKey {
        if random.below(12) == 0 {
            &self.others[random.below(self.others.len())]
        } else {
            &self.usual[place]
        }
    }
}

/// What is done to one certificate.
pub(crate) enum Change {
    Kind(&'static Kind),
    /// An edit of its DER as a tree.
    Tree,
    /// Other octets in the place of some.
    Octets,
}

/// A chain for both judges, what was done to it, and the leaf's key.
pub(crate) struct Case {
    pub(crate) question: Question,
    pub(crate) story: String,
    pub(crate) key: Vec<u8>,
    /// Go has no other path than the one that we report on.
    pub(crate) has_one_path: bool,
}

impl Case {
    /// True where Go was asked for everything: a path without alternatives, and a handshake.
    pub(crate) fn is_whole(&self) -> bool {
        self.has_one_path && !self.key.is_empty()
    }
}

/// A chain whose certificates are changed `changes` times in all.
pub(crate) fn changed(pool: &Pool, random: &mut Random, number: usize, changes: usize) -> Case {
    let cas = random.below(3);
    let mut plan: Vec<Vec<Change>> = (0..cas + 2).map(|_| Vec::new()).collect();
    for change in 0..changes {
        let place = random.below(plan.len());
        plan[place].push(match random.below(10) {
            0 => Change::Tree,
            1 => Change::Octets,
            // In turn, so that each kind has its share.
            _ => Change::Kind(&KINDS[(number + change * 7) % KINDS.len()]),
        });
    }
    let purpose = random.one_of(&[Purpose::Server, Purpose::Client, Purpose::Peer, Purpose::Any]);
    build(pool, random, &plan, purpose)
}

/// A chain of which each certificate, root first, is changed as planned.
fn build(pool: &Pool, random: &mut Random, plan: &[Vec<Change>], purpose: Purpose) -> Case {
    let keys = (0..plan.len()).map(|place| pool.key(place, random)).collect();
    let mut line = Line::new(keys);
    let mut story = format!("{purpose:?}: ");
    for (place, changes) in plan.iter().enumerate() {
        let mut certificate = line.next();
        // Fields first, while they are all there, and octets last.
        for change in changes {
            if let Change::Kind(kind) = change {
                let what = (kind.make)(certificate.inner()[0].inner(), pool, random);
                let _ = write!(story, "{place}/{} {} {what}; ", plan.len() - 1, kind.name);
            }
        }
        for _ in changes.iter().filter(|change| matches!(change, Change::Tree)) {
            tree::deepen(&mut certificate);
            let what = tree::edit(&mut certificate, random);
            let _ = write!(story, "{place}/{} {what}; ", plan.len() - 1);
        }
        line.push(certificate);
        for _ in changes.iter().filter(|change| matches!(change, Change::Octets)) {
            line.disturb(random);
            let _ = write!(story, "{place}/{} octets; ", plan.len() - 1);
        }
    }
    let at = moment(random, &mut story);
    line.case(purpose, story, at)
}

/// A chain of usual keys of which the fields of each certificate, root first, are changed.
pub(crate) fn planted(pool: &Pool, plants: &[&dyn Fn(&mut Fields)], purpose: Purpose) -> Case {
    let mut line = Line::new(pool.usual[..plants.len()].iter().collect());
    for plant in plants {
        let mut certificate = line.next();
        plant(certificate.inner()[0].inner());
        line.push(certificate);
    }
    line.case(purpose, String::new(), NOW)
}

/// A path that is being made, root first.
pub(crate) struct Line<'a> {
    /// One for each certificate that there will be.
    keys: Vec<&'a PrivateKey>,
    ders: Vec<Vec<u8>>,
    /// The subject of the last one.
    subject: Option<Node>,
}

impl<'a> Line<'a> {
    pub(crate) fn new(keys: Vec<&'a PrivateKey>) -> Self {
        Self { keys, ders: Vec::new(), subject: None }
    }

    /// The next certificate as it would be without a change.
    pub(crate) fn next(&self) -> Node {
        let place = self.ders.len();
        let name =
            |place: usize| if place == 0 { "root".to_owned() } else { format!("ca {place}") };
        let ca = |place: usize| ca_params(&name(place), self.keys[place]);
        if place == 0 {
            return Node::read(self_signed(&ca(0), self.keys[0]).der());
        }
        // Whoever signs it is known by its name and key.
        let issuer = self_signed(&ca(place - 1), self.keys[place - 1]);
        let is_leaf = place + 1 == self.keys.len();
        let mut params = if is_leaf { leaf(self.keys[place]) } else { ca(place) };
        params.use_authority_key_identifier_extension = true;
        Node::read(signed(&params, self.keys[place], &issuer, self.keys[place - 1]).der())
    }

    /// The subject of the last certificate.
    pub(crate) fn subject(&self) -> Option<Node> {
        self.subject.clone()
    }

    fn issuer_key(&self) -> &'a PrivateKey {
        self.keys[self.ders.len().saturating_sub(1)]
    }

    /// Signs it. It names the one above it as its issuer, whatever that one is called.
    pub(crate) fn push(&mut self, mut certificate: Node) {
        if let Body::Nodes(parts) = &mut certificate.body
            && let Some(Body::Nodes(fields)) = parts.first_mut().map(|part| &mut part.body)
        {
            let serial = serial_at(fields);
            if let Some(own) = fields.get(serial + 4).cloned() {
                fields[serial + 2] = self.subject.replace(own.clone()).unwrap_or(own);
            }
        }
        self.ders.push(tree::sign(&certificate, self.issuer_key()));
    }

    /// Changes octets of the last certificate.
    fn disturb(&mut self, random: &mut Random) {
        let der = self.ders.pop().unwrap();
        self.ders.push(tree::disturb(&der, self.issuer_key(), random));
    }

    /// Puts another certificate in place of the last one.
    pub(crate) fn replace_last(&mut self, change: impl FnOnce(&[u8]) -> Vec<u8>) {
        let der = self.ders.pop().unwrap();
        self.ders.push(change(&der));
    }

    pub(crate) fn case(self, purpose: Purpose, story: String, at: OffsetDateTime) -> Case {
        let Self { keys, mut ders, .. } = self;
        let leaf = ders.pop().unwrap();
        let key = keys[ders.len()];
        let spki = key.public_key().spki();
        // Another key than its own cannot sign a handshake.
        let own = leaf.windows(spki.len()).any(|octets| octets == &spki[..]);
        let key = if own { pkcs8(key) } else { Vec::new() };
        let question = Question {
            leaf,
            intermediates: ders.split_off(1),
            roots: ders,
            host: matches!(purpose, Purpose::Server).then(|| HOST.to_owned()),
            purpose,
            at,
        };
        Case { question, story, key, has_one_path: true }
    }
}

/// Mostly noon of New Year's Day, sometimes a moment close to the ends of a validity.
fn moment(random: &mut Random, story: &mut String) -> OffsetDateTime {
    if random.below(20) != 0 {
        return NOW;
    }
    let nanoseconds = random.one_of(&[0, 1, 999_999_999]);
    let at = NOW + time::Duration::seconds(random.one_of(&[-1, 0, 1]));
    let at = at.replace_nanosecond(nanoseconds).unwrap();
    let _ = write!(story, "at {at}; ");
    at
}

pub(crate) fn leaf(key: &PrivateKey) -> CertificateParams {
    let mut leaf = params("host", key);
    leaf.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    leaf.subject_alt_names = vec![
        SanType::DnsName(HOST.try_into().unwrap()),
        SanType::IpAddress([192, 0, 2, 1].into()),
        SanType::URI("spiffe://td.example.com/x".try_into().unwrap()),
        SanType::Rfc822Name("user@example.com".try_into().unwrap()),
    ];
    leaf.extended_key_usages =
        extended_key_usages(&[ExtendedKeyUsage::server_auth(), ExtendedKeyUsage::client_auth()]);
    leaf
}

pub(crate) fn pkcs8(key: &PrivateKey) -> Vec<u8> {
    let pem = key.to_pem(KeyFormat::Pkcs8).unwrap();
    match read_pem(pem.as_bytes()).unwrap().remove(0).content {
        pki_core::Content::PrivateKey(der) => der.to_vec(),
        _ => panic!("a key that is none"),
    }
}
