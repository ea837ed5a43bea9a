//! A key in a PKCS #11 token: a smart card, an HSM, SoftHSM.

mod errors;
mod login;

use std::error::Error as StdError;
use std::sync::{Mutex, PoisonError};

use cryptoki::error::Error;
use cryptoki::mechanism::Mechanism;
use cryptoki::mechanism::eddsa::{EddsaParams, EddsaSignatureScheme};
use cryptoki::object::{Attribute, AttributeType, KeyType, ObjectClass, ObjectHandle};
use cryptoki::session::Session;
use pki_core::{KeyAlgorithm, PublicKey, SignatureAlgorithm, Signer, ecdsa_signature_from_fixed};

use self::errors::{describe, failed};
use self::login::log_in;
use super::uri::TokenUri;
use crate::failure::Failure;
use crate::passphrase::PassphraseSource;

/// The OIDs of the curves in DER, as `CKA_EC_PARAMS` has them (RFC 5480 section 2.1.1.1).
const P256: [u8; 10] = [0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
const P384: [u8; 7] = [0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x22];
const P521: [u8; 7] = [0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x23];
/// RFC 8410 section 3.
const ED25519: [u8; 5] = [0x06, 0x03, 0x2b, 0x65, 0x70];

/// Signs with a key that does not leave its token.
pub(super) struct TokenSigner {
    /// One session is used by one thread at a time (PKCS #11 v2.40 section 2.6.7).
    session: Mutex<Session>,
    key: ObjectHandle,
    public_key: PublicKey,
}

impl TokenSigner {
    /// Opens a key that exists. `expected` is the public key in the CA's certificate.
    pub(super) fn open(
        uri: &TokenUri,
        pin: &PassphraseSource,
        expected: &PublicKey,
    ) -> Result<Self, Failure> {
        let session = log_in(uri, pin)?;
        let key = find(&session, uri)?.ok_or_else(|| {
            Failure::environment(format!("{uri} is missing")).hinted(
                "list the keys with: pkcs11-tool --module LIBRARY.so --login --list-objects",
            )
        })?;
        // Some tokens keep no public key; then the first signature shows whether the key is right.
        let public_key = public_key(&session, key, uri)?.unwrap_or_else(|| expected.clone());
        Ok(Self { session: Mutex::new(session), key, public_key })
    }

    /// Opens a key, or generates it in the token if it is missing.
    pub(super) fn open_or_generate(
        uri: &TokenUri,
        pin: &PassphraseSource,
        algorithm: KeyAlgorithm,
    ) -> Result<Self, Failure> {
        let session = log_in(uri, pin)?;
        let key = match find(&session, uri)? {
            Some(key) => key,
            None => generate(&session, uri, algorithm)?,
        };
        let public_key = public_key(&session, key, uri)?.ok_or_else(|| {
            Failure::environment(format!("the token does not give the public key of {uri}")).hinted(
                "generate the key pair with its public key as an object of the same label and id",
            )
        })?;
        Ok(Self { session: Mutex::new(session), key, public_key })
    }
}

impl Signer for TokenSigner {
    fn public_key(&self) -> &PublicKey {
        &self.public_key
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Box<dyn StdError + Send + Sync>> {
        let session = self.session.lock().unwrap_or_else(PoisonError::into_inner);
        let sign = |mechanism: Mechanism<'_>, data: &[u8]| {
            session.sign(&mechanism, self.key, data).map_err(|error| describe(&error))
        };
        let algorithm = SignatureAlgorithm::of(&self.public_key);
        let digest = algorithm.and_then(|algorithm| algorithm.digest(message));
        let signature = match (algorithm, digest) {
            (
                Some(
                    SignatureAlgorithm::EcdsaP256Sha256
                    | SignatureAlgorithm::EcdsaP384Sha384
                    | SignatureAlgorithm::EcdsaP521Sha512,
                ),
                Some(digest),
            ) => ecdsa_signature_from_fixed(&sign(Mechanism::Ecdsa, &digest)?)?,
            (Some(SignatureAlgorithm::Ed25519), _) => {
                sign(Mechanism::Eddsa(EddsaParams::new(EddsaSignatureScheme::Ed25519)), message)?
            }
            (Some(SignatureAlgorithm::RsaSha256), _) => sign(Mechanism::Sha256RsaPkcs, message)?,
            (Some(SignatureAlgorithm::RsaSha384), _) => sign(Mechanism::Sha384RsaPkcs, message)?,
            (Some(SignatureAlgorithm::RsaSha512), _) => sign(Mechanism::Sha512RsaPkcs, message)?,
            _ => {
                let name = self.public_key.algorithm_name();
                return Err(format!("a key of type {name} in a token is not supported").into());
            }
        };
        if !self.public_key.verify(message, &signature) {
            return Err("the token's signature is not that of the CA's key".into());
        }
        Ok(signature)
    }
}

/// The attributes that name a key.
fn names(uri: &TokenUri) -> Vec<Attribute> {
    let label = uri.object.as_ref().map(|object| Attribute::Label(object.clone().into_bytes()));
    let id = uri.id.clone().map(Attribute::Id);
    label.into_iter().chain(id).collect()
}

fn find(session: &Session, uri: &TokenUri) -> Result<Option<ObjectHandle>, Failure> {
    let mut wanted = names(uri);
    wanted.push(Attribute::Class(ObjectClass::PRIVATE_KEY));
    let found = session.find_objects(&wanted).map_err(|error| failed(uri, &error))?;
    match &found[..] {
        [] => Ok(None),
        [key] => Ok(Some(*key)),
        several => Err(Failure::environment(format!("{uri}: there are {}", several.len()))
            .hinted("name one of them with id=… in the URI")),
    }
}

/// The public half of a private key: from its own attributes (RSA), or from the object of the public key.
fn public_key(
    session: &Session,
    key: ObjectHandle,
    uri: &TokenUri,
) -> Result<Option<PublicKey>, Failure> {
    let failed = |error: Error| failed(uri, &error);
    let kinds = [AttributeType::KeyType, AttributeType::Id];
    let (mut kind, mut id) = (None, None);
    for attribute in session.get_attributes(key, &kinds).map_err(failed)? {
        match attribute {
            Attribute::KeyType(found) => kind = Some(found),
            Attribute::Id(found) if !found.is_empty() => id = Some(found),
            _ => {}
        }
    }
    if kind == Some(KeyType::RSA) {
        let numbers = [AttributeType::Modulus, AttributeType::PublicExponent];
        let (mut modulus, mut exponent) = (Vec::new(), Vec::new());
        for attribute in session.get_attributes(key, &numbers).map_err(failed)? {
            match attribute {
                Attribute::Modulus(found) => modulus = found,
                Attribute::PublicExponent(found) => exponent = found,
                _ => {}
            }
        }
        return Ok(Some(PublicKey::from_rsa_numbers(&modulus, &exponent)?));
    }
    let mut wanted = id.map_or_else(|| names(uri), |id| vec![Attribute::Id(id)]);
    wanted.push(Attribute::Class(ObjectClass::PUBLIC_KEY));
    let Some(object) = session.find_objects(&wanted).map_err(failed)?.into_iter().next() else {
        return Ok(None);
    };
    let parts = [AttributeType::EcParams, AttributeType::EcPoint];
    let (mut curve, mut point) = (Vec::new(), Vec::new());
    for attribute in session.get_attributes(object, &parts).map_err(failed)? {
        match attribute {
            Attribute::EcParams(found) => curve = found,
            Attribute::EcPoint(found) => point = found,
            _ => {}
        }
    }
    Ok(Some(PublicKey::from_ec_point(&curve, &point)?))
}

fn generate(
    session: &Session,
    uri: &TokenUri,
    algorithm: KeyAlgorithm,
) -> Result<ObjectHandle, Failure> {
    let failed = |error: Error| failed(uri, &error);
    let (mechanism, kind) = match algorithm {
        KeyAlgorithm::EcdsaP256 => {
            (Mechanism::EccKeyPairGen, vec![Attribute::EcParams(P256.to_vec())])
        }
        KeyAlgorithm::EcdsaP384 => {
            (Mechanism::EccKeyPairGen, vec![Attribute::EcParams(P384.to_vec())])
        }
        KeyAlgorithm::EcdsaP521 => {
            (Mechanism::EccKeyPairGen, vec![Attribute::EcParams(P521.to_vec())])
        }
        KeyAlgorithm::Ed25519 => {
            (Mechanism::EccEdwardsKeyPairGen, vec![Attribute::EcParams(ED25519.to_vec())])
        }
        KeyAlgorithm::Rsa(bits) => {
            let bits = u64::try_from(bits).unwrap_or(0);
            let exponent = Attribute::PublicExponent(vec![1, 0, 1]);
            (Mechanism::RsaPkcsKeyPairGen, vec![Attribute::ModulusBits(bits.into()), exponent])
        }
        other => {
            return Err(Failure::usage(format!(
                "a key of type {other} in a token is not supported"
            ))
            .hinted("use --key ecdsa-p256, ecdsa-p384, ecdsa-p521, ed25519 or rsa-3072"));
        }
    };
    let mut common = names(uri);
    // A public key is found by the id of its private key.
    if uri.id.is_none() {
        common.push(Attribute::Id(session.generate_random_vec(20).map_err(failed)?));
    }
    common.push(Attribute::Token(true));
    let public =
        [&common[..], &kind, &[Attribute::Private(false), Attribute::Verify(true)]].concat();
    let private = [
        &common[..],
        &[
            Attribute::Private(true),
            Attribute::Sensitive(true),
            Attribute::Extractable(false),
            Attribute::Sign(true),
        ],
    ]
    .concat();
    let (_, key) = session.generate_key_pair(&mechanism, &public, &private).map_err(failed)?;
    Ok(key)
}
