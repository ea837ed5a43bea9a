//! Connects to the members to see which CAs they trust, and which one issued the certificates that they serve.

use std::time::Duration;

use pki_core::{
    CaSet, Certificate, Host, KeyAlgorithm, KeyFormat, Lifetime, Manifest, PrivateKey, Request,
    San, Signer, SigningConfig, Subject, Traffic,
};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject};

use crate::ca::Ca;
use crate::endpoint::{Address, Answer, CLIENT_PORT, Dialler, Identity, PEER_PORT};
use crate::failure::Failure;

/// The timeout for the answer of a member.
const TIMEOUT: Duration = Duration::from_secs(5);

/// The common name of the certificate that is shown to members.
const PROBE: &str = "etcdpki-probe";

/// How long that certificate is valid.
const PROBE_LIFETIME: time::Duration = time::Duration::minutes(10);

/// What a connection to a member showed.
pub(super) struct Seen {
    pub(super) host: String,
    /// Whether the member is ready for a step.
    pub(super) ready: Result<(), NotYet>,
}

/// Why a member is not ready for a step yet.
pub(super) struct NotYet(pub(super) String);

/// Whether a member accepts certificates of a CA: on its peer port for the CA for peers, on its client port for all
/// others, because etcd's gateway presents the certificate of the server there. A member reads all its trust files when
/// it starts, so with one CA it also accepts peers.
pub(super) fn accepts(
    ca: &Ca,
    traffic: Option<Traffic>,
    manifest: &Manifest,
) -> Result<Vec<Seen>, Failure> {
    let is_peer = traffic == Some(Traffic::Peer);
    let (port, profile) = if is_peer { (PEER_PORT, "peer") } else { (CLIENT_PORT, "client") };
    // The peer port rejects certificates without this name during the handshake (peer-cert-allowed-hostname).
    let names: Vec<San> = if is_peer { vec![manifest.peer_name().parse()?] } else { Vec::new() };
    let key = PrivateKey::generate(KeyAlgorithm::EcdsaP256)?;
    let subject = Subject::from_common_name(PROBE)?;
    let mut request = Request::new(subject, names, key.public_key().clone());
    request.lifetime = Lifetime::Exactly(PROBE_LIFETIME);
    let issued = ca.issue(&request, SigningConfig::etcd().profile(profile)?)?.into_inner();
    let pem = key.to_pem(KeyFormat::Pkcs8)?;
    let key = PrivateKeyDer::from_pem_slice(pem.as_bytes())
        .map_err(|error| Failure::bug(format!("reading our own key: {error}")))?;
    let chain = std::iter::once(&issued.certificate).chain(ca.chain().intermediates());
    let chain = chain.map(|certificate| CertificateDer::from(certificate.der().to_vec())).collect();
    let dialler = Dialler::new(Some(Identity { chain, key }), TIMEOUT)?;
    let look = |host: &Host| {
        let address = address(manifest, host, port)?;
        let session =
            dialler.dial(&address, &server_name(&address)?).map_err(|f| NotYet(f.message))?;
        match session.answer {
            Answer::Answered => Ok(()),
            // The peer port sends an alert if it does not trust the issuer. Otherwise it may close the connection after the
            // handshake, because the names of the certificate do not lead to this machine.
            Answer::Closed if is_peer && session.established => Ok(()),
            _ => Err(NotYet(format!(
                "{address} rejects a {profile} of the new CA; it was not restarted since begin"
            ))),
        }
    };
    Ok(each(manifest, look))
}

/// Whether a member serves certificates of a root on the ports that have certificates of the CA. Certificates of a CA for
/// clients are never served.
pub(super) fn serves(
    set: &CaSet,
    root: &Certificate,
    traffic: Option<Traffic>,
    manifest: &Manifest,
) -> Result<Vec<Seen>, Failure> {
    let ports: &[u16] = match traffic {
        None => &[CLIENT_PORT, PEER_PORT],
        Some(Traffic::Server) => &[CLIENT_PORT],
        Some(Traffic::Peer) => &[PEER_PORT],
        Some(Traffic::Client) => return Ok(Vec::new()),
    };
    let dialler = Dialler::new(None, TIMEOUT)?;
    let look = |host: &Host| {
        for port in ports {
            let address = address(manifest, host, *port)?;
            let session =
                dialler.dial(&address, &server_name(&address)?).map_err(|f| NotYet(f.message))?;
            let chain: Vec<Certificate> =
                session.chain.iter().filter_map(|der| Certificate::from_der(der).ok()).collect();
            let Some((leaf, above)) = chain.split_first() else {
                return Err(NotYet(format!("{address} serves no certificate")));
            };
            if set.root_of(leaf, above).is_none_or(|found| found.public_key != root.public_key) {
                let (serial, issuer) = (&leaf.serial, &leaf.issuer);
                return Err(NotYet(format!("{address} serves serial {serial} of {issuer}")));
            }
        }
        Ok(())
    };
    Ok(each(manifest, look))
}

/// Connects to every member.
fn each(manifest: &Manifest, look: impl Fn(&Host) -> Result<(), NotYet>) -> Vec<Seen> {
    let seen = |host: &Host| Seen { host: host.name.clone(), ready: look(host) };
    manifest.etcd.iter().map(seen).collect()
}

fn address(manifest: &Manifest, host: &Host, port: u16) -> Result<Address, NotYet> {
    let at = manifest.dialled_at(host);
    let at = at.ok_or_else(|| NotYet(format!("{} has no address in the manifest", host.name)))?;
    Ok(Address { host: at.value(), port })
}

fn server_name(address: &Address) -> Result<ServerName<'static>, NotYet> {
    let name = ServerName::try_from(address.host.clone());
    name.map_err(|error| NotYet(format!("{address}: {error}")))
}
