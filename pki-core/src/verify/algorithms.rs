//! webpki's signature algorithms, with the keys of the trusted CAs.

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P384_SHA384_ASN1, ECDSA_P521_SHA512_ASN1, ED25519,
    ParsedPublicKey, VerificationAlgorithm,
};
use rustls_pki_types::{AlgorithmIdentifier, InvalidSignature, SignatureVerificationAlgorithm};

use crate::certificate::Certificate;

/// The algorithms for which keys are kept, in webpki and in aws-lc-rs. To read an RSA key takes little compared with a signature.
static KEPT: [(&dyn SignatureVerificationAlgorithm, &dyn VerificationAlgorithm); 4] = [
    (webpki::aws_lc_rs::ECDSA_P256_SHA256, &ECDSA_P256_SHA256_ASN1),
    (webpki::aws_lc_rs::ECDSA_P384_SHA384, &ECDSA_P384_SHA384_ASN1),
    (webpki::aws_lc_rs::ECDSA_P521_SHA512, &ECDSA_P521_SHA512_ASN1),
    (webpki::aws_lc_rs::ED25519, &ED25519),
];

/// All algorithms of webpki. They read the key of a trusted CA once, and not again for each certificate that it signed.
#[derive(Debug)]
pub(super) struct Algorithms(Vec<Algorithm>);

#[derive(Debug)]
struct Algorithm {
    webpki: &'static dyn SignatureVerificationAlgorithm,
    /// The contents of subjectPublicKey, and the key in them.
    keys: Vec<(Vec<u8>, ParsedPublicKey)>,
}

impl Algorithms {
    pub(super) fn new(anchors: &[Certificate]) -> Self {
        Self(
            webpki::ALL_VERIFICATION_ALGS.iter().map(|all| Algorithm::new(*all, anchors)).collect(),
        )
    }

    pub(super) fn all(&self) -> Vec<&dyn SignatureVerificationAlgorithm> {
        self.0.iter().map(|algorithm| algorithm as _).collect()
    }
}

impl Algorithm {
    fn new(webpki: &'static dyn SignatureVerificationAlgorithm, anchors: &[Certificate]) -> Self {
        let ids = |one: &dyn SignatureVerificationAlgorithm| {
            (one.public_key_alg_id(), one.signature_alg_id())
        };
        let kept = KEPT.iter().find(|(known, _)| ids(*known) == ids(webpki));
        let keys = anchors.iter().filter_map(|anchor| {
            let (_, algorithm) = kept?;
            let key = &anchor.public_key;
            // The others are left to webpki, which has a say in which forms of a key it reads.
            key.algorithm()?;
            let bits = key.bits();
            Some((bits.to_vec(), ParsedPublicKey::new(*algorithm, bits).ok()?))
        });
        Self { webpki, keys: keys.collect() }
    }
}

impl SignatureVerificationAlgorithm for Algorithm {
    fn verify_signature(
        &self,
        public_key: &[u8],
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), InvalidSignature> {
        match self.keys.iter().find(|(bits, _)| bits == public_key) {
            Some((_, key)) => key.verify_sig(message, signature).map_err(|_| InvalidSignature),
            None => self.webpki.verify_signature(public_key, message, signature),
        }
    }

    fn public_key_alg_id(&self) -> AlgorithmIdentifier {
        self.webpki.public_key_alg_id()
    }

    fn signature_alg_id(&self) -> AlgorithmIdentifier {
        self.webpki.signature_alg_id()
    }
}
