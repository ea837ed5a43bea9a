//! Examples of the rules about the key that a certificate certifies.

use pki_core::{Error, Finding, KeyAlgorithm, PrivateKey, PublicKey, Purpose, Signer};

use super::Example;
use super::chain::Chain;
use super::form::{P256, by_openssl, worse};
use crate::der::Node;
use crate::lab::Ca;
use crate::openssl::Openssl;

pub(super) const EXAMPLES: &[Example] = &[
    Example::other("key-weak", |fault| by_openssl(worse(fault, RSA_1024, P256), "-sha256")),
    Example::other("key-curve", |fault| by_openssl(worse(fault, P224, P256), "-sha256")),
    Example::chain("key-form", Purpose::Peer, rsa_key_with_a_third_number),
    Example::chain("key-mismatch", Purpose::Peer, the_key_is_another),
    Example::other("key-rsa-broken", |fault| drafted_with(worse(fault, DIVISIBLE, SOUND))),
    Example::other("key-rsa-exponent", |fault| drafted_with(worse(fault, SMALL_EXPONENT, SOUND))),
];

const P224: &str = "-newkey ec -pkeyopt ec_paramgen_curve:secp224r1";
const RSA_1024: &str = "-newkey rsa:1024";

fn rsa_key_with_a_third_number(chain: &mut Chain) {
    chain.alter = |signed| {
        signed.forge_leaf(|fields| {
            let modulus = Node::octets(0x02, [&[0x00][..], &[0xc5; 256]].concat());
            let exponent = Node::octets(0x02, [0x01, 0x00, 0x01]);
            let numbers = Node::nodes(0x30, vec![modulus, exponent]).write();
            let rsa = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];
            let algorithm = vec![Node::octets(0x06, rsa), Node::octets(0x05, [])];
            let bits =
                Node::octets(0x03, [&[0x00], numbers.as_slice(), &[0x02, 0x01, 0x07]].concat());
            fields[6] = Node::nodes(0x30, vec![Node::nodes(0x30, algorithm), bits]);
        });
    };
}

fn the_key_is_another(chain: &mut Chain) {
    chain.options.key = Some(chain.ca_key.public_key().clone());
}

const SOUND: &str = "rsa_keygen_pubexp:65537";
const SMALL_EXPONENT: &str = "rsa_keygen_pubexp:3";
const DIVISIBLE: &str = "rsa_keygen_bits:2048";

/// What the rules say of a request with such an RSA key by openssl. That of `DIVISIBLE` has a modulus that
/// is made one of three times another number.
fn drafted_with(option: &str) -> Vec<Finding> {
    let openssl = Openssl::new();
    openssl.run(&format!("genpkey -algorithm RSA -pkeyopt {option} -out k.pem"));
    let mut spki = openssl.run("pkey -in k.pem -pubout -outform DER");
    if option == DIVISIBLE {
        let modulus = 33..33 + 256;
        // 256 is 1 modulo 3: the sum of the octets tells the rest.
        let place = modulus.end - 2;
        spki[place] &= 0xf0;
        let rest = spki[modulus].iter().fold(0, |sum, octet| (sum + octet % 3) % 3);
        spki[place] += (3 - rest) % 3;
    }
    let ca = Ca::new();
    let key = PrivateKey::generate(KeyAlgorithm::EcdsaP256).unwrap();
    let mut request = Ca::request("etcdone", &[], &key);
    request.public_key = PublicKey::from_spki_der(&spki).unwrap();
    match ca.draft("peer", &request) {
        Ok(draft) => draft.findings().to_vec(),
        Err(Error::Refused(findings)) => findings,
        Err(error) => panic!("{error}"),
    }
}
