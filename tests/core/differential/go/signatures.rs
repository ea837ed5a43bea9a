//! What stands around the to-be-signed part: algorithms, their parameters, signatures and the outermost elements.

#![expect(clippy::type_complexity, reason = "three short tables of functions")]

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P521_SHA256_ASN1_SIGNING, ECDSA_P521_SHA384_ASN1_SIGNING, EcdsaKeyPair, RSA_PKCS1_SHA256,
    RSA_PKCS1_SHA384, RSA_PKCS1_SHA512, RSA_PSS_SHA256, RSA_PSS_SHA384, RSA_PSS_SHA512, RsaKeyPair,
};
use pki_core::{KeyAlgorithm, PrivateKey, Purpose, Signer};

use super::chains::{Case, Line, Pool, pkcs8};
use super::kinds::{serial_at, tlv};
use crate::der::{Body, Node};
use crate::differential::random::Random;

const SHA256: &[u8] = &[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 1];
const SHA384: &[u8] = &[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 2];
const SHA512: &[u8] = &[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 3];
/// pkcs-1 without its last number.
const PKCS1: [u8; 8] = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1];
/// ecdsa-with-SHA2 without its last number.
const ECDSA: [u8; 7] = [0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3];

/// A leaf below a CA of any kind of key, or two; what surrounds the to-be-signed part of one is changed.
pub(crate) fn signatures(pool: &Pool, random: &mut Random) -> Case {
    let keys: Vec<&PrivateKey> = (0..2 + random.below(2))
        .map(|place| match random.below(3) {
            0 => &pool.usual[place],
            _ => &pool.others[random.below(pool.others.len())],
        })
        .collect();
    let changed = random.below(keys.len());
    let mut line = Line::new(keys.clone());
    let mut story = String::new();
    for place in 0..keys.len() {
        let certificate = line.next();
        line.push(certificate);
        if place == changed {
            let issuer = keys[place.saturating_sub(1)];
            line.replace_last(|der| {
                let (der, what) = change(&Node::read(der), issuer, random);
                story = format!("{place}/{} {what}", keys.len() - 1);
                der
            });
        }
    }
    line.case(random.one_of(&[Purpose::Peer, Purpose::Any]), story, crate::lab::NOW)
}

fn change(certificate: &Node, issuer: &PrivateKey, random: &mut Random) -> (Vec<u8>, String) {
    let mut whole = certificate.clone();
    let parts = whole.inner();
    match random.below(8) {
        0..4 => {
            let Some((algorithm, what)) = another_algorithm(issuer, random) else {
                return (certificate.write(), "nothing".to_owned());
            };
            let fields = parts[0].inner();
            let at = serial_at(fields) + 1;
            fields[at] = Node::read(&algorithm.identifier);
            let signature = (algorithm.sign)(issuer, &parts[0].write());
            parts[1] = Node::read(&algorithm.identifier);
            parts[2] = Node::octets(0x03, [&[0], signature.as_slice()].concat());
            (whole.write(), what)
        }
        4 => {
            let Body::Octets(bits) = &mut parts[2].body else { unreachable!() };
            let what = match random.below(5) {
                0 => {
                    bits.extend([5, 0]);
                    "octets behind the signature"
                }
                1 => {
                    bits.pop();
                    "a short signature"
                }
                2 => {
                    bits[0] = random.one_of(&[1, 7, 8]);
                    "unused bits in the signature"
                }
                3 => {
                    // A leading zero of an ECDSA number that is not there in DER.
                    if bits[1] == 0x30 {
                        bits[2] += 1;
                        bits[4] += 1;
                        bits.insert(5, 0);
                    }
                    "a padded number in the signature"
                }
                _ => {
                    bits.truncate(1);
                    "an empty signature"
                }
            };
            (whole.write(), what.to_owned())
        }
        5 => {
            let outer = parts[1].inner();
            match random.below(3) {
                0 => outer.push(Node::octets(0x05, [])),
                1 => outer.truncate(1),
                _ => *outer[0].content().last_mut().unwrap() ^= 1,
            }
            (whole.write(), "another algorithm outside".to_owned())
        }
        6 => {
            let more = random.one_of(&[Node::octets(0x05, []), Node::octets(0x04, [1])]);
            if random.flag() {
                parts.push(more);
                return (whole.write(), "an element behind the signature".to_owned());
            }
            ([whole.write(), more.write()].concat(), "an element behind the certificate".to_owned())
        }
        _ => {
            let at = random.below(4);
            let node = if at == 3 { &mut whole } else { &mut parts[at] };
            let written = node.write();
            let header = if written[1] < 0x80 { 2 } else { 2 + usize::from(written[1] & 0x7f) };
            let contents = &written[header..];
            let length = u32::try_from(contents.len()).unwrap().to_be_bytes();
            let body = [&[0x84], length.as_slice(), contents].concat();
            *node = Node { tag: written[0], body: Body::Raw(body) };
            (whole.write(), format!("a long length of element {at}"))
        }
    }
}

/// An AlgorithmIdentifier, and how to sign with it.
struct Algorithm {
    identifier: Vec<u8>,
    sign: fn(&PrivateKey, &[u8]) -> Vec<u8>,
}

/// What identifies an algorithm among its kind, and how to sign with it.
#[derive(Clone, Copy)]
struct Scheme<T>(T, fn(&PrivateKey, &[u8]) -> Vec<u8>);

fn another_algorithm(key: &PrivateKey, random: &mut Random) -> Option<(Algorithm, String)> {
    match key.public_key().algorithm()? {
        KeyAlgorithm::Rsa(_) if random.flag() => {
            let schemes = [
                Scheme(11_u8, |key, tbs| rsa(key, &RSA_PKCS1_SHA256, tbs)),
                Scheme(12_u8, |key, tbs| rsa(key, &RSA_PKCS1_SHA384, tbs)),
                Scheme(13_u8, |key, tbs| rsa(key, &RSA_PKCS1_SHA512, tbs)),
            ];
            let Scheme(number, sign) = random.one_of(&schemes);
            let parameters = random.one_of(&[&[5, 0][..], &[], &[5, 1, 0], &[0x30, 0]]);
            let oid = tlv(0x06, &[&PKCS1[..], &[number]].concat());
            let identifier = tlv(0x30, &[oid, parameters.to_vec()].concat());
            Some((Algorithm { identifier, sign }, format!("pkcs-1 {number} {parameters:02x?}")))
        }
        KeyAlgorithm::Rsa(_) => {
            let schemes = [
                Scheme((SHA256, 32_u8), |key, tbs| rsa(key, &RSA_PSS_SHA256, tbs)),
                Scheme((SHA384, 48_u8), |key, tbs| rsa(key, &RSA_PSS_SHA384, tbs)),
                Scheme((SHA512, 64_u8), |key, tbs| rsa(key, &RSA_PSS_SHA512, tbs)),
            ];
            let Scheme((hash, size), sign) = random.one_of(&schemes);
            let null = |random: &mut Random| random.one_of(&[&[5, 0][..], &[5, 0], &[]]).to_vec();
            let hash_id =
                |random: &mut Random| tlv(0x30, &[tlv(0x06, hash), null(random)].concat());
            let mgf1 = tlv(0x06, &[&PKCS1[..], &[8]].concat());
            let mgf = tlv(0x30, &[mgf1, hash_id(random)].concat());
            let size = random.one_of(&[size, size, size, 20]);
            let trailer = random.one_of(&[&[][..], &[], &[0xa3, 3, 2, 1, 1]]);
            let parameters = [
                tlv(0xa0, &hash_id(random)),
                tlv(0xa1, &mgf),
                tlv(0xa2, &tlv(0x02, &[size])),
                trailer.to_vec(),
            ];
            let parameters = tlv(0x30, &parameters.concat());
            let oid = tlv(0x06, &[&PKCS1[..], &[10]].concat());
            let identifier = tlv(0x30, &[oid, parameters.clone()].concat());
            Some((Algorithm { identifier, sign }, format!("PSS {parameters:02x?}")))
        }
        KeyAlgorithm::EcdsaP521 if random.flag() => {
            let schemes = [
                Scheme(2_u8, |key, tbs| ecdsa(key, &ECDSA_P521_SHA256_ASN1_SIGNING, tbs)),
                Scheme(3_u8, |key, tbs| ecdsa(key, &ECDSA_P521_SHA384_ASN1_SIGNING, tbs)),
            ];
            let Scheme(number, sign) = random.one_of(&schemes);
            let identifier = tlv(0x30, &tlv(0x06, &[&ECDSA[..], &[number]].concat()));
            Some((Algorithm { identifier, sign }, format!("P-521 with ecdsa {number}")))
        }
        algorithm => {
            let oid: &[u8] = match algorithm {
                KeyAlgorithm::EcdsaP256 => &[0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2],
                KeyAlgorithm::EcdsaP384 => &[0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 3],
                KeyAlgorithm::EcdsaP521 => &[0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 4],
                _ => &[0x2b, 0x65, 0x70],
            };
            let parameters = random.one_of(&[&[5, 0][..], &[0x30, 0], &[6, 1, 0x2a]]);
            let identifier = tlv(0x30, &[tlv(0x06, oid), parameters.to_vec()].concat());
            let sign: fn(&PrivateKey, &[u8]) -> Vec<u8> = |key, tbs| key.sign(tbs).unwrap();
            Some((Algorithm { identifier, sign }, format!("{algorithm} with {parameters:02x?}")))
        }
    }
}

fn rsa(
    key: &PrivateKey,
    algorithm: &'static dyn aws_lc_rs::signature::RsaEncoding,
    tbs: &[u8],
) -> Vec<u8> {
    let pair = RsaKeyPair::from_pkcs8(&pkcs8(key)).unwrap();
    let mut signature = vec![0; pair.public_modulus_len()];
    pair.sign(algorithm, &SystemRandom::new(), tbs, &mut signature).unwrap();
    signature
}

fn ecdsa(
    key: &PrivateKey,
    algorithm: &'static aws_lc_rs::signature::EcdsaSigningAlgorithm,
    tbs: &[u8],
) -> Vec<u8> {
    let pair = EcdsaKeyPair::from_pkcs8(algorithm, &pkcs8(key)).unwrap();
    pair.sign(&SystemRandom::new(), tbs).unwrap().as_ref().to_vec()
}
