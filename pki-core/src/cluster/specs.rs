//! The CA and the certificates that a manifest asks for.

use time::Duration;

use super::generation::is_generation_of;
use crate::ca_set::{CaSet, ClusterCas};
use crate::certificate::DistinguishedName;
use crate::error::Error;
use crate::key::{KeyAlgorithm, PublicKey};
use crate::layout::{APISERVER_CLIENT, Role, Traffic};
use crate::lifetime::Lifetime;
use crate::manifest::{CaSpec, ClientFormat, Host, Manifest};
use crate::name::San;
use crate::request::{CaRequest, Request};
use crate::subject::{Attribute, Subject};
use crate::template::NameConstraint;

/// A certificate that a host should hold.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct CertificateSpec {
    /// The host whose folder it goes to.
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
    /// How long before it expires it is renewed, unless half of its lifetime is shorter.
    pub renew_before: Duration,
    /// The formats in which the host gets it and its key.
    pub formats: Vec<ClientFormat>,
}

impl CertificateSpec {
    /// The request for this certificate with a key.
    pub fn request(&self, public_key: PublicKey) -> Request {
        let mut request = Request::new(self.subject.clone(), self.names.clone(), public_key);
        request.lifetime = Lifetime::UpTo(self.expiry);
        request.renew_before = self.renew_before;
        request
    }
}

/// The attributes of a name that a manifest can express, or the whole name if it has neither of them.
fn names_of(name: &DistinguishedName) -> String {
    let known = [Attribute::Organization, Attribute::CommonName];
    let known = name.attributes.iter().filter(|one| known.contains(&one.attribute));
    let known = known.map(|one| (one.attribute.clone(), one.value.clone()));
    match Subject::new(known) {
        Ok(known) if !known.is_empty() => known.to_string(),
        _ => name.to_string(),
    }
}

impl Manifest {
    /// The CAs that the cluster should have: one for everything, or one for each kind of certificate.
    pub fn ca_specs(&self) -> Vec<(Option<Traffic>, &CaSpec)> {
        match &self.cas {
            None => vec![(None, &self.ca)],
            Some(cas) => Traffic::ALL.map(|traffic| (Some(traffic), cas.of(traffic))).to_vec(),
        }
    }

    /// The request for one of the CAs.
    pub fn ca_request(&self, ca: &CaSpec) -> CaRequest {
        let mut request = CaRequest::new(ca.subject.clone());
        request.expiry = ca.expiry;
        if self.constrain {
            request.permitted = self.constraints();
        }
        request
    }

    /// How the issuing CAs differ from those in the manifest, one sentence for each difference. They are still kept, because
    /// every certificate of the cluster depends on them.
    pub fn ca_differences(&self, cas: &ClusterCas) -> Vec<String> {
        let specs = self.ca_specs().into_iter();
        let found = specs.map(|(traffic, spec)| (cas.of(traffic.unwrap_or(Traffic::Server)), spec));
        found.flat_map(|(set, spec)| self.differences_of(set, spec)).collect()
    }

    fn differences_of(&self, cas: &CaSet, spec: &CaSpec) -> Vec<String> {
        let ca = cas.issuing();
        let constrained = |yes: bool| if yes { "constrained" } else { "not constrained" };
        // Tools differ in whether they backdate a CA.
        let mut lifetime = ca.not_after - ca.not_before;
        if (lifetime - spec.expiry).abs() <= self.ca_request(spec).backdate {
            lifetime = spec.expiry;
        }
        let constraints = ca.extensions.name_constraints.is_some();
        // After a rotation, the name has a number.
        let is_same = is_generation_of(&ca.subject, &spec.subject);
        let subject = if is_same { spec.subject.to_string() } else { names_of(&ca.subject) };
        let pairs = [
            ("subject", subject, spec.subject.to_string()),
            ("key", ca.public_key.algorithm_name(), spec.key.to_string()),
            ("lifetime", lifetime.to_string(), spec.expiry.to_string()),
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

    /// Every certificate that the hosts of the cluster should hold, host by host. Workers hold none.
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
                    renew_before: self.renew_before,
                    formats: vec![ClientFormat::Pem],
                });
                Ok(())
            };
            // Peers connect to each other with the same names, and present the same certificate when they connect.
            let mut peer = self.member_names(member)?;
            let mut server = peer.clone();
            server.extend(self.endpoints.iter().map(|endpoint| endpoint.host.clone()));
            let shared: San = self.peer_name().parse()?;
            if member.combined {
                server.push(shared);
                add(Role::Member, server)?;
            } else {
                peer.push(shared);
                add(Role::Server, server)?;
                add(Role::Peer, peer)?;
            }
        }
        for host in &self.control_plane {
            specs.push(CertificateSpec {
                host: host.name.clone(),
                role: Role::Client(APISERVER_CLIENT.to_owned()),
                subject: Subject::from_common_name(APISERVER_CLIENT)?,
                names: Vec::new(),
                key: host.key,
                expiry: host.expiry,
                renew_before: self.renew_before,
                formats: vec![ClientFormat::Pem],
            });
        }
        specs.extend(self.clients.iter().map(|client| CertificateSpec {
            host: client.host.clone(),
            role: Role::Client(client.name.clone()),
            subject: client.subject.clone(),
            names: client.sans.clone(),
            key: client.key,
            expiry: client.expiry,
            renew_before: self.renew_before,
            formats: client.formats.clone(),
        }));
        Ok(specs)
    }

    /// The names at which a member is reached. The profile adds its short name.
    fn member_names(&self, member: &Host) -> Result<Vec<San>, Error> {
        let full = self.names_of(member).into_iter().skip(1);
        let mut names = full.map(|name| name.parse()).collect::<Result<Vec<San>, Error>>()?;
        names.extend(member.addresses.iter().copied().map(San::Ip));
        names.extend(member.sans.iter().cloned());
        // Programs that find a member by DNS expect the domain in its certificate.
        if let Some(domain) = self.etcd_config.find("discovery-srv") {
            names.push(domain.parse()?);
        }
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
        texts.extend(self.etcd_config.find("discovery-srv").map(|domain| format!("dns:{domain}")));
        let constraint = |name: &San| match name {
            San::Ip(ip) => format!("ip:{ip}/{}", if ip.is_ipv4() { 32 } else { 128 }),
            San::Dns(name) => format!("dns:{}", name.as_str().trim_start_matches("*.")),
            other => other.to_string(),
        };
        for member in &self.etcd {
            texts.push(format!("dns:{}", member.name));
            let addresses = member.addresses.iter().copied().map(San::Ip);
            texts.extend(addresses.map(|name| constraint(&name)));
            texts.extend(member.sans.iter().map(constraint));
        }
        texts.extend(self.endpoints.iter().map(|endpoint| constraint(&endpoint.host)));
        texts.extend(self.clients.iter().flat_map(|client| &client.sans).map(constraint));
        let mut constraints: Vec<NameConstraint> = Vec::new();
        for constraint in texts.iter().filter_map(|text| text.parse().ok()) {
            if !constraints.contains(&constraint) {
                constraints.push(constraint);
            }
        }
        constraints
    }
}
