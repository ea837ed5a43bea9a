//! `verify --connect`: live endpoints, whose chains are verified like files.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use pki_core::{
    Certificate, EndpointFault, Finding, KeyFormat, Manifest, PrivateKey, Purpose, Signer,
    VerifyOptions,
};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject};

use super::args::{LiveArgs, VerifyArgs};
use super::checker::Checker;
use super::refusal::ClientCertificate;
use super::stream::{self, Pace};
use super::{options, values};
use crate::ca::read_certificates;
use crate::endpoint::{Address, Answer, CLIENT_PORT, Dialler, Identity, PEER_PORT, Session};
use crate::failure::{Failure, shown};
use crate::hosts::FOLDER;
use crate::output::Format;
use crate::output::verdict::{EndpointFacts, Location, Outcome, Verdict, Verified, View};
use crate::store;

/// An endpoint and its role.
pub(super) struct Target {
    address: Address,
    purpose: Purpose,
    /// The file with the certificate that it should serve, for an endpoint of a manifest.
    issued: Option<PathBuf>,
}

impl LiveArgs {
    /// The endpoints on the command line, otherwise those of the manifest, without duplicates. `folder` is that of the CA.
    pub(super) fn targets(
        &self,
        manifest: Option<&Manifest>,
        folder: &Path,
    ) -> Result<Vec<Target>, Failure> {
        let named = self.connect.as_deref().unwrap_or_default();
        match manifest {
            None if named.is_empty() => Err(Failure::usage("--connect names no endpoint")
                .hinted("write --connect HOST:PORT, or name a manifest with -f")),
            Some(manifest) if named.is_empty() => Ok(members(manifest, &folder.join(FOLDER))),
            _ => Ok(named
                .iter()
                .map(|address| Target {
                    address: address.clone(),
                    purpose: Purpose::Server,
                    issued: None,
                })
                .collect()),
        }
    }

    /// The client certificate with its chain, and the same with its key in the types of rustls.
    fn identity(&self) -> Result<Option<(Vec<Certificate>, Identity)>, Failure> {
        let (Some(cert), Some(key_path)) = (&self.cert, &self.cert_key) else { return Ok(None) };
        let chain = read_certificates(cert)?;
        let key = PrivateKey::from_pem(&store::read(key_path)?)
            .map_err(|error| Failure::from(error).in_file(key_path))?;
        if *key.public_key() != chain[0].public_key {
            return Err(Failure::usage(format!(
                "{} is not the key of {}",
                key_path.display(),
                cert.display()
            ))
            .hinted("name the two files that belong together"));
        }
        // PKCS #8 for every format of key file.
        let pem = key.to_pem(KeyFormat::Pkcs8)?;
        let key = PrivateKeyDer::from_pem_slice(pem.as_bytes())
            .map_err(|error| Failure::usage(error.to_string()).in_file(key_path))?;
        let ders = chain.iter().map(|ca| CertificateDer::from(ca.der().to_vec())).collect();
        Ok(Some((chain, Identity { chain: ders, key })))
    }
}

/// Both ports of every member, at the addresses that others connect to.
fn members(manifest: &Manifest, hosts: &Path) -> Vec<Target> {
    let mut targets = Vec::new();
    for host in &manifest.etcd {
        let Some(at) = manifest.dialled_at(host) else { continue };
        for (port, purpose, role) in [
            (CLIENT_PORT, Purpose::Server, host.server_role()),
            (PEER_PORT, Purpose::Peer, host.peer_role()),
        ] {
            targets.push(Target {
                address: Address { host: at.value(), port },
                purpose,
                issued: Some(hosts.join(&host.name).join(role.certificate_file())),
            });
        }
    }
    targets
}

pub(super) fn run(
    args: &VerifyArgs,
    targets: Vec<Target>,
    checker: &Checker,
    format: Format,
) -> Result<ExitCode, Failure> {
    let (chain, identity) = args.live.identity()?.unzip();
    let looker = EndpointProber {
        args,
        shown: ClientCertificate::new(chain.unwrap_or_default()),
        client: Dialler::new(identity, args.live.timeout)?,
        stranger: Dialler::new(None, args.live.timeout)?,
        checker,
    };
    let alone = targets.len() == 1;
    let asked = match &targets[..] {
        [one] => looker.options(one),
        _ => checker.options.clone(),
    };
    let mut words = options::words(&asked, checker.verifier.policy());
    if !alone {
        let each =
            if asked.hosts.is_empty() { "for its purpose and host" } else { "for its purpose" };
        words = words.replacen("for any purpose", &format!("each {each}"), 1);
    }
    let view = View { format, asked: words, alone };
    let work = |target: Target| view.render(&looker.look(&target));
    let mut verdict = Verdict::new(&view);
    let pace = Pace::endpoints();
    stream::in_order(targets.into_iter(), &pace, work, |done| verdict.add(done))?;
    verdict.finish()
}

/// Connects to endpoints and verifies them.
struct EndpointProber<'a> {
    args: &'a VerifyArgs,
    shown: ClientCertificate,
    /// Presents the client certificate, if there is one.
    client: Dialler,
    stranger: Dialler,
    checker: &'a Checker,
}

impl EndpointProber<'_> {
    /// The options of the command line. The endpoint determines what the command line does not set.
    fn options(&self, target: &Target) -> VerifyOptions {
        let mut options = self.checker.options.clone();
        if self.args.purpose.is_none() && self.args.profile.is_none() {
            options.purpose = target.purpose;
        }
        if options.hosts.is_empty() {
            options.hosts.extend(values::parse_host(&target.address.host));
        }
        options
    }

    /// It is a fault if a peer port accepts a client certificate, but not if it rejects one.
    fn shows_certificate(&self, target: &Target) -> bool {
        self.args.live.cert.is_some() && target.purpose != Purpose::Peer
    }

    fn look(&self, target: &Target) -> Outcome {
        let result = self.verified(target);
        Outcome { name: target.address.to_string(), location: Location::Elsewhere, result }
    }

    fn verified(&self, target: &Target) -> Result<Verified, Failure> {
        let to = &target.address;
        let name = match &self.args.live.sni {
            Some(name) => name.clone(),
            None => ServerName::try_from(to.host.clone())
                .map_err(|error| Failure::usage(format!("{to}: {error}")))?,
        };
        let dialler = if self.shows_certificate(target) { &self.client } else { &self.stranger };
        let session = dialler.dial(to, &name)?;
        let (chain, mut findings) = self.read_chain(to, &session);
        let (client_certificate, finding) = self.conclude(target, &session, chain.first());
        findings.extend(finding);
        let endpoint = Some(EndpointFacts {
            address: session.address.to_string(),
            server_name: session.server_name.to_str().into_owned(),
            tls_version: session.tls_version,
            client_certificate,
        });
        let Some((leaf, above)) = chain.split_first() else {
            // Nothing was verified, so nothing is ignored.
            let found = self.checker.exceptions.ignoring_nothing().apply(findings);
            return Ok(Verified { path: None, endpoint, found });
        };
        findings.extend(self.serves_other(target, leaf));
        let verified = self.checker.check(leaf, above, &self.options(target));
        let mut found = self.checker.exceptions.apply(findings);
        found.extend(verified.found);
        found.sort_by_key(|found| std::cmp::Reverse(found.finding.severity));
        Ok(Verified { endpoint, found, ..verified })
    }

    /// The certificates that are served, and the finding if one cannot be read, because clients then close the connection.
    /// Without the leaf there is no chain.
    fn read_chain(&self, to: &Address, session: &Session) -> (Vec<Certificate>, Vec<Finding>) {
        let (mut chain, mut findings) = (Vec::new(), Vec::new());
        for (index, der) in session.chain.iter().enumerate() {
            match Certificate::from_der(der) {
                Ok(certificate) if index == 0 || !chain.is_empty() => chain.push(certificate),
                Ok(_) => {}
                Err(error) => {
                    let evidence = format!("number {} of its chain: {error}", index + 1);
                    let (policy, endpoint) = (self.checker.verifier.policy(), to.to_string());
                    let fault = EndpointFault::Handshake;
                    findings.extend(fault.finding(policy, &endpoint, evidence));
                }
            }
        }
        (chain, findings)
    }

    /// The finding if the endpoint does not serve the certificate that was issued for it. Without the host's folder, as on a
    /// machine that only monitors, there is none.
    fn serves_other(&self, target: &Target, leaf: &Certificate) -> Option<Finding> {
        let path = target.issued.as_ref()?;
        if matches!(path.try_exists(), Ok(false)) {
            return None;
        }
        let there = match read_certificates(path) {
            Ok(issued) if issued[0].der() == leaf.der() => return None,
            Ok(issued) => format!("{} has serial {}", shown(path), issued[0].serial),
            Err(failure) => failure.message,
        };
        let evidence = format!("it serves serial {}, but {there}", leaf.serial);
        let (policy, endpoint) = (self.checker.verifier.policy(), target.address.to_string());
        EndpointFault::ServesOther.finding(policy, &endpoint, evidence)
    }

    /// How the endpoint treats client certificates, and the finding about that.
    fn conclude(
        &self,
        target: &Target,
        session: &Session,
        served: Option<&Certificate>,
    ) -> (&'static str, Option<Finding>) {
        let to = &target.address;
        let given = self.shows_certificate(target);
        let find = |fault: EndpointFault, evidence: &str| {
            fault.finding(self.checker.verifier.policy(), &to.to_string(), evidence.to_owned())
        };
        let broke_off = match &session.answer {
            Answer::PlainHttp => {
                let evidence = "it speaks plain HTTP, not TLS";
                return ("not-asked", find(EndpointFault::PlainHttp, evidence));
            }
            Answer::Broken(why) => return ("unknown", find(EndpointFault::Handshake, why)),
            // Whether the request succeeded or not: a session without a certificate means that none is required.
            _ if session.established && !session.asked => {
                let evidence = "it requests no client certificate";
                return ("not-asked", find(EndpointFault::Open, evidence));
            }
            Answer::Silent => return ("unknown", None),
            Answer::Answered if given => return ("accepted", None),
            Answer::Answered => return ("optional", None),
            // Go's answer if it cannot load the certificate for a handshake, which etcd does for each.
            Answer::Alert(alert) if alert == "internal_error" => {
                "it sent the TLS alert internal_error: etcd cannot read its certificate or key, or they do \
                 not match"
                    .to_owned()
            }
            Answer::Alert(alert) => format!("it sent the TLS alert {alert}"),
            Answer::Closed => "it closed the connection without an alert".to_owned(),
        };
        match (session.asked, given) {
            // This is how it should be.
            (true, false) => ("required", None),
            (true, true) => {
                let (answer, issued) = (&session.answer, target.issued.as_deref());
                let (fault, evidence) =
                    self.shown.blame(self.checker, answer, &broke_off, served, issued);
                ("refused", find(fault, &evidence))
            }
            (false, _) => ("unknown", find(EndpointFault::Handshake, &broke_off)),
        }
    }
}
