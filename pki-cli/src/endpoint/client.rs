//! A TLS client that accepts every chain and records it. Use it only to look at a server, because it does
//! not authenticate the server.

use std::sync::{Arc, Mutex, PoisonError};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{ResolvesClientCert, Resumption};
use rustls::crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::sign::CertifiedKey;
use rustls::{ClientConfig, DigitallySignedStruct, Error, SignatureScheme};

/// A client certificate with its intermediates, and its key.
pub(crate) struct Identity {
    pub(crate) chain: Vec<CertificateDer<'static>>,
    pub(crate) key: PrivateKeyDer<'static>,
}

pub(super) struct Client {
    provider: Arc<CryptoProvider>,
    identity: Option<Arc<CertifiedKey>>,
}

impl Client {
    pub(super) fn new(identity: Option<Identity>) -> Result<Self, Error> {
        let provider = aws_lc_rs::default_provider();
        let certified = |identity: Identity| {
            let key = provider.key_provider.load_private_key(identity.key)?;
            Ok::<_, Error>(Arc::new(CertifiedKey::new(identity.chain, key)))
        };
        let identity = identity.map(certified).transpose()?;
        Ok(Self { provider: Arc::new(provider), identity })
    }

    /// The configuration for one connection, and the record of what the server does on it.
    pub(super) fn configure(&self) -> (Arc<ClientConfig>, Arc<Seen>) {
        let seen = Arc::new(Seen {
            provider: Arc::clone(&self.provider),
            identity: self.identity.clone(),
            chain: Mutex::default(),
            asked: Mutex::default(),
        });
        let mut config = ClientConfig::builder_with_provider(Arc::clone(&self.provider))
            .with_safe_default_protocol_versions()
            .expect("the provider supports TLS 1.2 and 1.3")
            .dangerous()
            .with_custom_certificate_verifier(Arc::clone(&seen) as Arc<dyn ServerCertVerifier>)
            .with_client_cert_resolver(Arc::clone(&seen) as Arc<dyn ResolvesClientCert>);
        // A resumed session sends no certificates.
        config.resumption = Resumption::disabled();
        (Arc::new(config), seen)
    }
}

/// What a server did in the handshake.
#[derive(Debug)]
pub(super) struct Seen {
    provider: Arc<CryptoProvider>,
    identity: Option<Arc<CertifiedKey>>,
    chain: Mutex<Vec<CertificateDer<'static>>>,
    asked: Mutex<bool>,
}

impl Seen {
    /// The chain that was presented, leaf first.
    pub(super) fn chain(&self) -> Vec<CertificateDer<'static>> {
        self.chain.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether the server requested a client certificate.
    pub(super) fn asked(&self) -> bool {
        *self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ServerCertVerifier for Seen {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let sent = std::iter::once(end_entity).chain(intermediates);
        let mut chain = self.chain.lock().unwrap_or_else(PoisonError::into_inner);
        *chain = sent.map(|certificate| certificate.clone().into_owned()).collect();
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let known = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signature, known)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let known = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, known)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

impl ResolvesClientCert for Seen {
    /// Ignores the CAs that the server says it trusts, to see whether it accepts this certificate.
    fn resolve(
        &self,
        _root_hint_subjects: &[&[u8]],
        _schemes: &[SignatureScheme],
    ) -> Option<Arc<CertifiedKey>> {
        *self.asked.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.identity.clone()
    }

    fn has_certs(&self) -> bool {
        self.identity.is_some()
    }
}
