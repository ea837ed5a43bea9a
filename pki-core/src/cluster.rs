//! From a manifest to the certificates that each host should hold, and from what it holds to a plan.

use time::{Duration, OffsetDateTime};

use crate::certificate::{Certificate, GeneralName};
use crate::error::Error;
use crate::key::{KeyAlgorithm, PublicKey};
use crate::manifest::{APISERVER_CLIENT, Host, Manifest};
use crate::name::San;
use crate::profile::Profile;
use crate::request::{CaRequest, Request};
use crate::subject::Subject;
use crate::template::NameConstraint;

/// A certificate that a host should hold.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Wanted {
    /// Whose folder it goes to.
    pub host: String,
    /// The base of its files: `server`, `peer`, `apiserver-etcd-client`.
    pub file: String,
    /// The built-in profile that it is issued by.
    pub profile: &'static str,
    /// The subject.
    pub subject: Subject,
    /// The names that are asked for, beside those that the profile adds.
    pub names: Vec<San>,
    /// The key's algorithm.
    pub key: KeyAlgorithm,
    /// The lifetime.
    pub expiry: Duration,
}

impl Wanted {
    /// The request for it, once there is a key.
    pub fn request(&self, public_key: PublicKey) -> Request {
        Request {
            subject: self.subject.clone(),
            names: self.names.clone(),
            public_key,
            extensions: Vec::new(),
            expiry: Some(self.expiry),
        }
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

    /// In what a CA is not the one that the manifest describes. It is not replaced for that: every
    /// certificate of the cluster hangs on it.
    pub fn ca_differences(&self, ca: &Certificate) -> Vec<String> {
        let constrained = |yes: bool| if yes { "constrained" } else { "not constrained" };
        // The CA may begin a little before it was made, or not, as its maker chose.
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
        let differing = pairs.into_iter().filter(|(_, found, wanted)| found != wanted);
        differing
            .map(|(field, found, wanted)| {
                format!("the CA stays as it is: {field}: {found}; the manifest says {wanted}")
            })
            .collect()
    }

    /// Every certificate that the cluster's hosts should hold, host by host. Workers hold none.
    pub fn wanted(&self) -> Result<Vec<Wanted>, Error> {
        let mut wanted = Vec::new();
        for member in &self.etcd {
            let mut serving = self.host_names(member)?;
            let peers: San = self.peer_name().parse()?;
            let mut add = |file: &str, profile, names: Vec<San>| -> Result<(), Error> {
                wanted.push(Wanted {
                    host: member.name.clone(),
                    file: file.to_owned(),
                    profile,
                    subject: Subject::from_common_name(&*member.name)?,
                    names,
                    key: member.key,
                    expiry: member.expiry,
                });
                Ok(())
            };
            if member.combined {
                serving.push(peers);
                add("member", "server", serving)?;
            } else {
                let mut peer: Vec<San> = member.addresses.iter().copied().map(San::Ip).collect();
                peer.push(peers);
                add("server", "server", serving)?;
                add("peer", "peer", peer)?;
            }
        }
        let apiservers = self.control_plane.iter();
        let apiservers = apiservers.map(|h| (&h.name, APISERVER_CLIENT, h.key, h.expiry));
        let clients = self.clients.iter().map(|c| (&c.host, &*c.name, c.key, c.expiry));
        for (host, name, key, expiry) in apiservers.chain(clients) {
            wanted.push(Wanted {
                host: host.clone(),
                file: name.to_owned(),
                profile: "client",
                subject: Subject::from_common_name(name)?,
                names: Vec::new(),
                key,
                expiry,
            });
        }
        Ok(wanted)
    }

    /// The names at which a member is reached, its short name apart, which the profile adds.
    fn host_names(&self, host: &Host) -> Result<Vec<San>, Error> {
        let mut names = Vec::new();
        if let Some(domain) = &self.domain {
            names.push(format!("{}.{}", host.name, domain.as_str()).parse()?);
        }
        names.extend(host.addresses.iter().copied().map(San::Ip));
        names.extend(host.sans.iter().cloned());
        Ok(names)
    }

    /// What the CA of this manifest may certify, and no more.
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
    /// It is not there.
    Create,
    /// It is there and is not what is wanted.
    Reissue {
        /// Which field, from what, to what.
        drift: Vec<Drift>,
    },
    /// It is what is wanted, and ends soon.
    Renew {
        /// Its end.
        not_after: OffsetDateTime,
    },
    /// It is what is wanted.
    Keep,
}

impl Action {
    /// For a file that is there and holds no certificate that can be read.
    pub fn replace_unreadable(problem: String) -> Self {
        let drift = Drift { field: "file", found: problem, wanted: "a certificate".to_owned() };
        Self::Reissue { drift: vec![drift] }
    }
}

/// One way in which a certificate is not what is wanted.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Drift {
    /// The field.
    pub field: &'static str,
    /// What is there.
    pub found: String,
    /// What the manifest wants.
    pub wanted: String,
}

/// A certificate and its key as a host holds them.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::exhaustive_structs, reason = "callers write it as a literal")]
pub struct Held<'a> {
    /// The certificate.
    pub certificate: &'a Certificate,
    /// The public half of the key beside it, where it can be read.
    pub key: Option<&'a PublicKey>,
}

impl Wanted {
    /// Compares what is wanted with what is held.
    pub fn compare(
        &self,
        held: Option<Held<'_>>,
        ca: &Certificate,
        profile: &Profile,
        renew_before: Duration,
        now: OffsetDateTime,
    ) -> Result<Action, Error> {
        let Some(Held { certificate, key }) = held else {
            return Ok(Action::Create);
        };
        let mut drift = Vec::new();
        let mut differ = |field, found: String, wanted: String| {
            if found != wanted {
                drift.push(Drift { field, found, wanted });
            }
        };
        // What a certificate issued now would say, by the same code that issues it.
        let request = self.request(certificate.public_key.clone());
        let template = profile.admit(&request, now)?.template;
        differ("subject", certificate.subject.to_string(), template.subject.to_string());
        differ("names", sorted(found_names(certificate)), sorted(wanted_names(&template.names)));
        differ("key", certificate.public_key.algorithm_name(), self.key.to_string());
        let usages = certificate.extensions.extended_key_usage.iter().flatten();
        let wanted_usages = template.extended_key_usages.iter();
        differ(
            "extKeyUsage",
            sorted(usages.map(ToString::to_string).collect()),
            sorted(wanted_usages.map(ToString::to_string).collect()),
        );
        // As the manifest counts it: without the time before it was issued.
        let lifetime =
            |from: OffsetDateTime, to: OffsetDateTime| (to - from - profile.backdate).to_string();
        differ(
            "lifetime",
            lifetime(certificate.not_before, certificate.not_after),
            lifetime(template.not_before, template.not_after),
        );
        let issuer = |name: String, signed: bool| {
            if signed { name } else { format!("{name}, not signed by its key") }
        };
        differ(
            "issuer",
            issuer(certificate.issuer.to_string(), certificate.is_signed_by(&ca.public_key)),
            issuer(ca.subject.to_string(), true),
        );
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

fn wanted_names(names: &[San]) -> Vec<String> {
    names.iter().map(ToString::to_string).collect()
}

fn sorted(mut items: Vec<String>) -> String {
    items.sort();
    items.join(", ")
}
