//! Keys and signatures that this crate cannot make, by openssl: small and odd RSA, other curves and forms of a
//! point, DSA, and digests of the past and of the future.

use std::fmt::Write as _;
use std::sync::OnceLock;

use pki_core::Purpose;

use super::chains::{Case, Pool, leaf};
use super::judge::Question;
use super::kinds::{serial_at, tlv};
use crate::der::{Body, Node};
use crate::differential::judges::HOST;
use crate::differential::random::Random;
use crate::foreign::{ca_params, self_signed, signed};
use crate::lab::NOW;
use crate::openssl::Openssl;

/// How openssl generates a key, and whether crypto/x509 can load it as a private key.
struct Recipe {
    name: &'static str,
    arguments: &'static str,
    in_go: InGo,
}

#[derive(Clone, Copy, Eq, PartialEq)]
enum InGo {
    Loads,
    Unknown,
}

const fn recipe(name: &'static str, arguments: &'static str, in_go: InGo) -> Recipe {
    Recipe { name, arguments, in_go }
}

static RECIPES: [Recipe; 16] = [
    recipe("rsa 1024", "-algorithm RSA -pkeyopt rsa_keygen_bits:1024", InGo::Loads),
    recipe("rsa 2047", "-algorithm RSA -pkeyopt rsa_keygen_bits:2047", InGo::Loads),
    recipe("rsa 2049", "-algorithm RSA -pkeyopt rsa_keygen_bits:2049", InGo::Loads),
    recipe(
        "rsa e=3",
        "-algorithm RSA -pkeyopt rsa_keygen_bits:2048 -pkeyopt rsa_keygen_pubexp:3",
        InGo::Loads,
    ),
    recipe(
        "rsa e=2^31-1",
        "-algorithm RSA -pkeyopt rsa_keygen_bits:2048 -pkeyopt rsa_keygen_pubexp:2147483647",
        InGo::Loads,
    ),
    recipe(
        "rsa e=2^32+1",
        "-algorithm RSA -pkeyopt rsa_keygen_bits:2048 -pkeyopt rsa_keygen_pubexp:4294967297",
        InGo::Unknown,
    ),
    recipe(
        "rsa of 3 primes",
        "-algorithm RSA -pkeyopt rsa_keygen_bits:2048 -pkeyopt rsa_keygen_primes:3",
        InGo::Loads,
    ),
    recipe("rsa-pss", "-algorithm RSA-PSS -pkeyopt rsa_keygen_bits:2048", InGo::Unknown),
    recipe("P-224", "-algorithm EC -pkeyopt ec_paramgen_curve:P-224", InGo::Loads),
    recipe("secp256k1", "-algorithm EC -pkeyopt ec_paramgen_curve:secp256k1", InGo::Unknown),
    recipe("brainpool", "-algorithm EC -pkeyopt ec_paramgen_curve:brainpoolP256r1", InGo::Unknown),
    recipe(
        "P-256 written out",
        "-algorithm EC -pkeyopt ec_paramgen_curve:P-256 -pkeyopt ec_param_enc:explicit",
        InGo::Unknown,
    ),
    recipe("P-521", "-algorithm EC -pkeyopt ec_paramgen_curve:P-521", InGo::Loads),
    recipe("P-384", "-algorithm EC -pkeyopt ec_paramgen_curve:P-384", InGo::Loads),
    recipe("ed25519", "-algorithm ED25519", InGo::Loads),
    recipe("ed448", "-algorithm ED448", InGo::Unknown),
];

/// A key of openssl.
struct Rare {
    recipe: &'static Recipe,
    pem: Vec<u8>,
    spki: Vec<u8>,
    /// PKCS #8, where Go can load it.
    pkcs8: Vec<u8>,
}

impl Rare {
    /// One of each recipe.
    fn all() -> &'static [Self] {
        static ALL: OnceLock<Vec<Rare>> = OnceLock::new();
        ALL.get_or_init(|| RECIPES.iter().map(Self::make).collect())
    }

    fn make(recipe: &'static Recipe) -> Self {
        let openssl = Openssl::new();
        openssl.run(&format!("genpkey {} -out key.pem", recipe.arguments));
        let pkcs8 = match recipe.in_go {
            InGo::Loads => openssl.run("pkcs8 -topk8 -nocrypt -in key.pem -outform DER"),
            InGo::Unknown => Vec::new(),
        };
        let spki = openssl.run("pkey -in key.pem -pubout -outform DER");
        Self { recipe, pem: openssl.read("key.pem"), spki, pkcs8 }
    }

    /// Nothing for a digest that is too long for the key.
    fn sign(&self, scheme: &Scheme, tbs: &[u8]) -> Vec<u8> {
        let openssl = Openssl::new();
        openssl.write("tbs", tbs);
        openssl.write("KEY", &self.pem);
        let (signed, ..) = openssl.try_run(&format!("{} -out signature", scheme.command));
        if signed { openssl.read("signature") } else { Vec::new() }
    }
}

/// How openssl signs, and the AlgorithmIdentifier that says so.
struct Scheme {
    name: &'static str,
    command: &'static str,
    oid: &'static [u8],
    parameters: &'static [u8],
}

const NULL: &[u8] = &[5, 0];
const fn scheme(
    name: &'static str,
    command: &'static str,
    oid: &'static [u8],
    parameters: &'static [u8],
) -> Scheme {
    Scheme { name, command, oid, parameters }
}

static OF_RSA: [Scheme; 7] = [
    scheme("md5", "dgst -md5 -sign KEY tbs", &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 4], NULL),
    scheme(
        "sha1",
        "dgst -sha1 -sign KEY tbs",
        &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 5],
        NULL,
    ),
    scheme(
        "sha224",
        "dgst -sha224 -sign KEY tbs",
        &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 14],
        NULL,
    ),
    scheme(
        "sha256",
        "dgst -sha256 -sign KEY tbs",
        &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 11],
        NULL,
    ),
    scheme(
        "sha256",
        "dgst -sha256 -sign KEY tbs",
        &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 11],
        NULL,
    ),
    scheme(
        "sha512",
        "dgst -sha512 -sign KEY tbs",
        &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 13],
        NULL,
    ),
    scheme(
        "sha3-256",
        "dgst -sha3-256 -sign KEY tbs",
        &[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 3, 14],
        NULL,
    ),
];

static OF_EC: [Scheme; 6] = [
    scheme("sha1", "dgst -sha1 -sign KEY tbs", &[0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 1], &[]),
    scheme("sha224", "dgst -sha224 -sign KEY tbs", &[0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 1], &[]),
    scheme("sha256", "dgst -sha256 -sign KEY tbs", &[0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2], &[]),
    scheme("sha384", "dgst -sha384 -sign KEY tbs", &[0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 3], &[]),
    scheme("sha512", "dgst -sha512 -sign KEY tbs", &[0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 4], &[]),
    scheme(
        "sha3-256",
        "dgst -sha3-256 -sign KEY tbs",
        &[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 3, 10],
        &[],
    ),
];

static OF_EDWARDS: [Scheme; 2] = [
    scheme("ed25519", "pkeyutl -sign -rawin -inkey KEY -in tbs", &[0x2b, 0x65, 0x70], &[]),
    scheme("ed448", "pkeyutl -sign -rawin -inkey KEY -in tbs", &[0x2b, 0x65, 0x71], &[]),
];

/// PSS with SHA-256 and its parameters, which a key of id-RSASSA-PSS signs with too.
static PSS: Scheme = scheme(
    "pss",
    "dgst -sha256 -sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:32 -sigopt rsa_mgf1_md:sha256 -sign KEY tbs",
    &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 10],
    b"\x30\x34\xa0\x0f\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\
      \xa1\x1c\x30\x1a\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x08\
      \x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\xa2\x03\x02\x01\x20",
);

fn scheme_for(key: &Rare, random: &mut Random) -> &'static Scheme {
    match key.recipe.name {
        "ed25519" => &OF_EDWARDS[0],
        "ed448" => &OF_EDWARDS[1],
        "rsa-pss" => &PSS,
        name if name.starts_with("rsa") => {
            if random.below(5) == 0 {
                &PSS
            } else {
                &OF_RSA[random.below(OF_RSA.len())]
            }
        }
        _ => &OF_EC[random.below(OF_EC.len())],
    }
}

/// A root, sometimes a CA, and a leaf: one or all of them have such a key.
pub(crate) fn rare(pool: &Pool, random: &mut Random) -> Case {
    let keys = Rare::all();
    let count = 2 + random.below(2);
    let all = random.below(4) == 0;
    let lone = random.below(count);
    let mut story = String::new();
    let mut issuer: Option<&Rare> = None;
    let mut ders: Vec<Vec<u8>> = Vec::new();
    let mut leaf_key = Vec::new();
    for place in 0..count {
        let own = (all || place == lone).then(|| &keys[random.below(keys.len())]);
        let name = if place == 0 { "root".to_owned() } else { format!("ca {place}") };
        let above = if place < 2 { "root".to_owned() } else { format!("ca {}", place - 1) };
        let (key, above_key) = (&pool.usual[place], &pool.usual[place.saturating_sub(1)]);
        let is_leaf = place + 1 == count;
        let mut params = if is_leaf { leaf(key) } else { ca_params(&name, key) };
        params.use_authority_key_identifier_extension = true;
        let by = self_signed(&ca_params(&above, above_key), above_key);
        let mut certificate = if place == 0 {
            Node::read(self_signed(&params, key).der())
        } else {
            Node::read(signed(&params, key, &by, above_key).der())
        };
        if let Some(own) = own {
            let fields = certificate.inner()[0].inner();
            let at = serial_at(fields) + 5;
            fields[at] = spki(own, random);
            let _ = write!(story, "{place}/{} {}; ", count - 1, own.recipe.name);
        }
        // A root signs itself.
        let signer = if place == 0 { own } else { issuer };
        let der = match signer {
            Some(signer) => {
                let scheme = scheme_for(signer, random);
                let _ = write!(story, "{place} signed with {}; ", scheme.name);
                sign(&mut certificate, signer, scheme)
            }
            None => super::tree::sign(&certificate, above_key),
        };
        ders.push(der);
        if is_leaf {
            leaf_key = own.map_or_else(|| super::chains::pkcs8(key), |own| own.pkcs8.clone());
        }
        issuer = own;
    }
    let leaf = ders.pop().unwrap();
    let purpose = random.one_of(&[Purpose::Server, Purpose::Client, Purpose::Peer, Purpose::Any]);
    let question = Question {
        leaf,
        intermediates: ders.split_off(1),
        roots: ders,
        host: matches!(purpose, Purpose::Server).then(|| HOST.to_owned()),
        purpose,
        at: NOW,
    };
    Case { question, story: format!("{purpose:?}: {story}"), key: leaf_key, has_one_path: true }
}

/// The public key, a point of it sometimes in its compressed form.
fn spki(key: &Rare, random: &mut Random) -> Node {
    let mut node = Node::read(&key.spki);
    if key.recipe.name.starts_with("P-") && random.below(6) == 0 {
        let Body::Octets(bits) = &mut node.inner()[1].body else { unreachable!() };
        let half = (bits.len() - 2) / 2;
        let last = bits[bits.len() - 1];
        bits.truncate(2 + half);
        bits[1] = 2 | last & 1;
    }
    node
}

fn sign(certificate: &mut Node, signer: &Rare, scheme: &Scheme) -> Vec<u8> {
    let identifier = tlv(0x30, &[tlv(0x06, scheme.oid), scheme.parameters.to_vec()].concat());
    let parts = certificate.inner();
    let fields = parts[0].inner();
    let at = serial_at(fields) + 1;
    fields[at] = Node::read(&identifier);
    let signature = signer.sign(scheme, &parts[0].write());
    parts[1] = Node::read(&identifier);
    parts[2] = Node::octets(0x03, [&[0], signature.as_slice()].concat());
    certificate.write()
}
