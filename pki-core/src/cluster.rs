//! Computes the certificates that each host should have from a manifest, and a plan from the files that it has.

use time::{Duration, OffsetDateTime};

use crate::ca_set::CaSet;
use crate::certificate::{Certificate, GeneralName};
use crate::error::Error;
use crate::key::{KeyAlgorithm, PublicKey};
use crate::layout::{APISERVER_CLIENT, Role};
use crate::manifest::{Host, Manifest};
use crate::name::San;
use crate::profile::Profile;
use crate::request::{CaRequest, Request};
use crate::subject::Subject;
use crate::template::NameConstraint;

/// A certificate that a host should have.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct CertificateSpec {
    /// The host whose folder contains it.
    pub host: String,
    /// Its role, which determines the names of its files and its profile.
    pub role: Role,
    /// The subject.
    pub subject: Subject,
    /// Subject alternative names to request. The profile adds its own.
    pub names: Vec<San>,
    /// The key's algorithm.
    pub key: KeyAlgorithm,
    /// The lifetime.
    pub expiry: Duration,
}

impl CertificateSpec {
    /// The request for this certificate with a key.
    pub fn request(&self, public_key: PublicKey) -> Request {
        let mut request = Request::new(self.subject.clone(), self.names.clone(), public_key);
        request.expiry = Some(self.expiry);
        request
    }
}

impl Manifest {
    /// The CA that the cluster should have.
    pub fn ca_request(&self) -> CaRequest {
        let mut request = CaRequest::new(self.ca.subject.clone());
        request.expiry = self.ca.expiry;
        if self.constrain {
            request.permitted = self.constraints();
        }
        request
    }

    /// The differences between the issuing CA and the manifest, one sentence each. The CA is kept anyway, because every
    /// certificate of the cluster depends on it.
    pub fn ca_differences(&self, cas: &CaSet) -> Vec<String> {
        let ca = cas.issuing();
        let constrained = |yes: bool| if yes { "constrained" } else { "not constrained" };
        // notBefore can be slightly before the creation of the CA or not, depending on the program that created it.
        let mut lifetime = ca.not_after - ca.not_before;
        if (lifetime - self.ca.expiry).abs() <= self.ca_request().backdate {
            lifetime = self.ca.expiry;
        }
        let constraints = ca.extensions.name_constraints.is_some();
        let pairs = [
            ("subject", ca.subject.to_string(), self.ca.subject.to_string()),
            ("key", ca.public_key.algorithm_name(), self.ca.key.to_string()),
            ("lifetime", lifetime.to_string(), self.ca.expiry.to_string()),
            ("names", constrained(constraints).into(), constrained(self.constrain).into()),
        ];
        let differing = pairs.into_iter().filter(|(_, found, expected)| found != expected);
        differing
            .map(|(field, found, expected)| {
                format!(
                    "the existing CA is kept; its {field}: {found}, in the manifest: {expected}"
                )
            })
            .collect()
    }

    /// All certificates that the hosts of the cluster should have, host by host. Workers have none.
    pub fn certificates(&self) -> Result<Vec<CertificateSpec>, Error> {
        let mut specs = Vec::new();
        for member in &self.etcd {
            let mut add = |role, names| -> Result<(), Error> {
                specs.push(CertificateSpec {
                    host: member.name.clone(),
                    role,
                    subject: Subject::from_common_name(&*member.name)?,
                    names,
                    key: member.key,
                    expiry: member.expiry,
                });
                Ok(())
            };
            let mut serving = self.host_names(member)?;
            let shared: San = self.peer_name().parse()?;
            if member.combined {
                serving.push(shared);
                add(Role::Member, serving)?;
            } else {
                let mut peer: Vec<San> = member.addresses.iter().copied().map(San::Ip).collect();
                peer.push(shared);
                add(Role::Server, serving)?;
                add(Role::Peer, peer)?;
            }
        }
        let apiservers = self.control_plane.iter();
        let apiservers = apiservers.map(|h| (&h.name, APISERVER_CLIENT, h.key, h.expiry));
        let clients = self.clients.iter().map(|c| (&c.host, &*c.name, c.key, c.expiry));
        for (host, name, key, expiry) in apiservers.chain(clients) {
            specs.push(CertificateSpec {
                host: host.clone(),
                role: Role::Client(name.to_owned()),
                subject: Subject::from_common_name(name)?,
                names: Vec::new(),
                key,
                expiry,
            });
        }
        Ok(specs)
    }

    /// The names that others use to connect to a member. The profile adds its short name.
    fn host_names(&self, host: &Host) -> Result<Vec<San>, Error> {
        let mut names = Vec::new();
        if let Some(domain) = &self.domain {
            names.push(format!("{}.{}", host.name, domain.as_str()).parse()?);
        }
        names.extend(host.addresses.iter().copied().map(San::Ip));
        names.extend(host.sans.iter().cloned());
        Ok(names)
    }

    /// The names that the CA of this manifest may certify.
    fn constraints(&self) -> Vec<NameConstraint> {
        let mut texts = vec![
            "dns:localhost".to_owned(),
            "dns:invalid".to_owned(),
            "ip:127.0.0.1/32".to_owned(),
            format!("dns:{}", self.peer_name()),
        ];
        texts.extend(self.domain.iter().map(|domain| format!("dns:{}", domain.as_str())));
        for member in &self.etcd {
            texts.push(format!("dns:{}", member.name));
            let sans = member.sans.iter().cloned();
            for name in member.addresses.iter().copied().map(San::Ip).chain(sans) {
                texts.push(match &name {
                    San::Ip(ip) => format!("ip:{ip}/{}", if ip.is_ipv4() { 32 } else { 128 }),
                    San::Dns(name) => format!("dns:{}", name.as_str().trim_start_matches("*.")),
                    other => other.to_string(),
                });
            }
        }
        let mut constraints: Vec<NameConstraint> = Vec::new();
        for constraint in texts.iter().filter_map(|text| text.parse().ok()) {
            if !constraints.contains(&constraint) {
                constraints.push(constraint);
            }
        }
        constraints
    }
}

/// What to do about a certificate.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Action {
    /// The host does not have it.
    Create,
    /// The host has one that differs from the manifest.
    Reissue {
        /// Every difference.
        drift: Vec<Drift>,
    },
    /// The host has it, and it expires soon.
    Renew {
        /// When it expires.
        not_after: OffsetDateTime,
    },
    /// The host has it.
    Keep,
}

impl Action {
    /// For a file that exists but contains no readable certificate.
    pub fn replace_unreadable(problem: String) -> Self {
        let drift = Drift { field: "file", found: problem, expected: "a certificate".to_owned() };
        Self::Reissue { drift: vec![drift] }
    }
}

/// One difference between a certificate and the manifest.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Drift {
    /// The field.
    pub field: &'static str,
    /// The value in the host's certificate.
    pub found: String,
    /// The value from the manifest.
    pub expected: String,
}

/// A certificate in a host's folder.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::exhaustive_structs, reason = "callers write it as a literal")]
pub struct Held<'a> {
    /// The certificate.
    pub certificate: &'a Certificate,
    /// The certificates that follow it in its file.
    pub chain: &'a [Certificate],
    /// The public key of its key file, if that can be read.
    pub key: Option<&'a PublicKey>,
}

impl CertificateSpec {
    /// Compares a host's certificate with this one as `cas` would issue it now.
    pub fn compare(
        &self,
        held: Option<Held<'_>>,
        cas: &CaSet,
        profile: &Profile,
        renew_before: Duration,
        now: OffsetDateTime,
    ) -> Result<Action, Error> {
        let Some(Held { certificate, chain, key }) = held else {
            return Ok(Action::Create);
        };
        let mut drift = Vec::new();
        let mut differ = |field, found: String, expected: String| {
            if found != expected {
                drift.push(Drift { field, found, expected });
            }
        };
        // The contents of a certificate issued now, computed with the same code that issues it.
        let request = self.request(certificate.public_key.clone());
        let template = profile.admit(&request, now)?.template;
        differ("subject", certificate.subject.to_string(), template.subject.to_string());
        differ("names", sorted(found_names(certificate)), sorted(texts(&template.names)));
        differ("key", certificate.public_key.algorithm_name(), self.key.to_string());
        let usages = certificate.extensions.extended_key_usage.as_deref().unwrap_or_default();
        differ("extKeyUsage", sorted(texts(usages)), sorted(texts(&template.extended_key_usages)));
        // The lifetime without the backdate, which other tools do not add.
        let lifetime = |from: OffsetDateTime, to: OffsetDateTime| to - from - profile.backdate;
        let found = lifetime(certificate.not_before, certificate.not_after);
        let expected = lifetime(template.not_before, template.not_after);
        let is_same = found == expected || found + profile.backdate == expected;
        differ(
            "lifetime",
            if is_same { expected } else { found }.to_string(),
            expected.to_string(),
        );
        let ca = cas.issuing();
        let issuer = |name: String, signed: bool| {
            if signed { name } else { format!("{name}, not signed with its key") }
        };
        differ(
            "issuer",
            issuer(certificate.issuer.to_string(), certificate.is_signed_by(&ca.public_key)),
            issuer(ca.subject.to_string(), true),
        );
        differ("chain", sent_with(chain), sent_with(cas.intermediates()));
        let key_id =
            |key: Option<&PublicKey>| key.map_or("none".to_owned(), |k| k.key_id().to_string());
        differ("key file", key_id(key), key_id(Some(&certificate.public_key)));
        if !drift.is_empty() {
            return Ok(Action::Reissue { drift });
        }
        if certificate.not_after - now < renew_before.min(self.expiry / 2) {
            return Ok(Action::Renew { not_after: certificate.not_after });
        }
        Ok(Action::Keep)
    }
}

fn found_names(certificate: &Certificate) -> Vec<String> {
    let names = certificate.extensions.subject_alt_name.iter().flatten();
    names.map(GeneralName::to_string).collect()
}

/// The CAs to send with a leaf certificate. A root among them makes no difference (RFC 8446 section 4.4.2).
fn sent_with(chain: &[Certificate]) -> String {
    let sent = chain.iter().filter(|ca| !ca.is_self_issued());
    let sent: Vec<String> =
        sent.map(|ca| format!("{} (serial {})", ca.subject, ca.serial)).collect();
    if sent.is_empty() { "none".to_owned() } else { sent.join(", ") }
}

fn texts<T: ToString>(items: &[T]) -> Vec<String> {
    items.iter().map(ToString::to_string).collect()
}

fn sorted(mut items: Vec<String>) -> String {
    items.sort();
    items.join(", ")
}
