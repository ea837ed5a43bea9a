//! Exit 0 means that OpenSSL verifies each signature from the leaf to one of the given anchors, whatever the chain,
//! the ignored rules, the purpose and the policy.
//!
//! CI checks some chains; `ETCDPKI_VERIFY_CHAINS=5000` checks that many.

use pki_core::{Certificate, PrivateKey};

use crate::der::{Node, put, signed_part};
use crate::differential::random::Random;
use crate::differential::tree;
use crate::lab::{Lab, Run};
use crate::members::openssl_server;
use crate::peers;
use crate::process::finish;

/// The folders of two CAs with the same name, and of a CA below the first.
const CAS: [&str; 3] = ["real", "evil", "between"];

/// A certificate, and which of the CAs' keys signed it.
#[derive(Clone)]
struct Issued {
    der: Vec<u8>,
    issuer: usize,
}

struct World {
    lab: Lab,
    keys: Vec<PrivateKey>,
    cas: Vec<Issued>,
    leaves: Vec<Issued>,
    /// The options that ignore each rule that can be ignored.
    ignore: Vec<String>,
}

impl World {
    fn new() -> Self {
        let lab = Lab::new();
        for root in ["real", "evil"] {
            lab.ok(&["--dir", root, "init-ca", "--path-len", "1"]);
        }
        let intermediate = ["init-ca", "--intermediate", "--root-dir", "real", "--cn", "between"];
        lab.ok(&[&["--dir", "between"][..], &intermediate].concat());
        let read = |name: String| {
            Certificate::from_pem_or_der(&lab.read(name)).unwrap().remove(0).der().to_vec()
        };
        let key = |ca: &str| PrivateKey::from_pem(&lab.read(format!("{ca}/ca-key.pem"))).unwrap();
        let keys = CAS.map(key).into();
        let cas = CAS.iter().zip([0, 1, 0]);
        let cas = cas.map(|(ca, issuer)| Issued { der: read(format!("{ca}/ca.pem")), issuer });
        let cas = cas.collect();
        let mut leaves = Vec::new();
        for (issuer, ca) in CAS.iter().enumerate() {
            for profile in ["peer", "server", "client"] {
                let base = format!("{ca}-{profile}");
                lab.ok(&["--dir", ca, "issue", "--profile", profile, &base, "--san", "127.0.0.1"]);
                leaves.push(Issued { der: read(format!("{base}.pem")), issuer });
            }
        }
        let ignore = ignorable(&lab);
        Self { lab, keys, cas, leaves, ignore }
    }

    /// A certificate, often edited, signed again by its issuer or by another, or not signed again.
    fn certificate(&self, from: &[Issued], random: &mut Random) -> Vec<u8> {
        let Issued { der, issuer } = random.one_of(from);
        let other = random.below(self.keys.len());
        let key = &self.keys[if random.below(4) == 0 { other } else { issuer }];
        match random.below(16) {
            0 => {
                let mut node = Node::read(&der);
                tree::deepen(&mut node);
                tree::edit(&mut node, random);
                tree::sign(&node, key)
            }
            1 => tree::disturb(&der, key, random),
            2 => {
                let mut node = Node::read(&der);
                let critical = random.flag();
                put(node.inner()[0].inner(), &[0x2a, 3, 4], critical, &[5, 0]);
                tree::sign(&node, key)
            }
            3 => {
                let mut flipped = der;
                let bit = random.below(flipped.len() * 8);
                flipped[bit / 8] ^= 1 << (bit % 8);
                flipped
            }
            4 => tree::sign(&Node::read(&der), key),
            _ => der,
        }
    }

    /// Between none and all of the rules, each with a reason.
    fn ignored(&self, random: &mut Random) -> Vec<String> {
        match random.below(4) {
            0 => Vec::new(),
            1 => (0..3).map(|_| random.one_of(&self.ignore)).collect(),
            _ => self.ignore.clone(),
        }
    }

    /// True if OpenSSL verifies every signature of some path from this certificate to an anchor.
    fn is_proved(&self, der: &[u8], others: &[Vec<u8>], anchors: &[Vec<u8>]) -> bool {
        if anchors.iter().any(|anchor| anchor == der) {
            return true;
        }
        let Ok(certificate) = Certificate::from_der(der) else { return false };
        let is_issuer = |ca: &Vec<u8>| {
            Certificate::from_der(ca).is_ok_and(|ca| {
                ca.subject.der() == certificate.issuer.der() && self.is_signed_by(der, &ca)
            })
        };
        anchors.iter().any(is_issuer)
            || others.iter().enumerate().any(|(at, ca)| {
                let rest = [&others[..at], &others[at + 1..]].concat();
                ca != der && is_issuer(ca) && self.is_proved(ca, &rest, anchors)
            })
    }

    fn is_signed_by(&self, der: &[u8], issuer: &Certificate) -> bool {
        let (tbs, signature) = signed_part(der);
        self.lab.write("tbs", tbs);
        self.lab.write("signature", signature);
        self.lab.write("key.der", issuer.public_key.spki());
        let dgst = ["dgst", "-sha256", "-keyform", "DER", "-verify", "key.der"];
        let mut openssl = peers::program("openssl");
        openssl.args(dgst).args(["-signature", "signature", "tbs"]).current_dir(self.lab.folder());
        finish(&mut openssl).code == 0
    }
}

fn ignorable(lab: &Lab) -> Vec<String> {
    let rules = lab.ok(&["explain", "--format", "json"]);
    let rules: serde_json::Value = serde_json::from_str(&rules).unwrap();
    let ids = rules["rules"].as_array().unwrap().iter().map(|rule| rule["rule"].as_str().unwrap());
    ids.filter(|id| !id.starts_with("path-")).map(|id| format!("--ignore={id}=x")).collect()
}

fn pem(ders: &[Vec<u8>]) -> String {
    ders.iter().map(|der| pem_of(der)).collect()
}

fn pem_of(der: &[u8]) -> String {
    let mut pem = String::from("-----BEGIN CERTIFICATE-----\n");
    for line in base64(der).as_bytes().chunks(64) {
        pem += std::str::from_utf8(line).unwrap();
        pem.push('\n');
    }
    pem + "-----END CERTIFICATE-----\n"
}

fn base64(octets: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for group in octets.chunks(3) {
        let bits = group.iter().fold(0_u32, |bits, octet| bits << 8 | u32::from(*octet))
            << (8 * (3 - group.len()));
        for place in 0..4 {
            let digit = DIGITS[(bits >> (18 - 6 * place) & 0x3f) as usize];
            text.push(if place <= group.len() { char::from(digit) } else { '=' });
        }
    }
    text
}

fn rounds() -> usize {
    std::env::var("ETCDPKI_VERIFY_CHAINS").map_or(120, |rounds| rounds.parse().unwrap())
}

fn run(lab: &Lab, args: &[&str], ignored: &[String]) -> Run {
    let ignored: Vec<&str> = ignored.iter().map(String::as_str).collect();
    let run = lab.run(&[args, &ignored].concat());
    assert!([0, 1, 2, 3].contains(&run.code), "{args:?}: {run:?}");
    run
}

/// How often the exit code was 0, and how often not.
#[derive(Default)]
struct Count([usize; 2]);

impl Count {
    fn add(&mut self, run: &Run) {
        self.0[usize::from(run.code == 0)] += 1;
    }

    /// If everything is accepted or everything refused, the property says nothing.
    #[track_caller]
    fn shows_something(&self) {
        let [refused, accepted] = self.0;
        assert!(refused.min(accepted) * 20 > refused + accepted, "{:?}", self.0);
    }
}

#[test]
fn exit_0_means_that_openssl_verifies_the_signatures_up_to_an_anchor() {
    let world = World::new();
    let mut random = Random(10);
    let mut count = Count::default();
    for round in 0..rounds() {
        let leaf = world.certificate(&world.leaves, &mut random);
        let some = |most: usize, random: &mut Random| -> Vec<Vec<u8>> {
            let few = random.below(most + 1);
            (0..few).map(|_| world.certificate(&world.cas, random)).collect()
        };
        let (mut sent, given) = (some(2, &mut random), some(1, &mut random));
        if random.flag() {
            sent.push(world.certificate(&world.cas[2..], &mut random));
        }
        let mut anchors = some(1, &mut random);
        let roots = if random.flag() { &world.cas[..1] } else { &world.cas };
        anchors.push(world.certificate(roots, &mut random));
        world.lab.write("leaf.pem", pem_of(&leaf) + &pem(&sent));
        world.lab.write("trusted.pem", pem(&anchors));
        let mut args = vec!["verify", "leaf.pem", "--ca", "trusted.pem"];
        if !given.is_empty() {
            world.lab.write("given.pem", pem(&given));
            args.extend(["--intermediates", "given.pem"]);
        }
        let purposes = ["any", "any", "server", "client", "peer", "ca"];
        args.extend(["--purpose", random.one_of(&purposes)]);
        args.extend(["--policy", random.one_of(&["etcd", "rfc5280"])]);
        if random.below(4) == 0 {
            let times = ["2020-01-01T00:00:00Z", "2099-01-01T00:00:00Z"];
            args.extend(["--at", random.one_of(&times)]);
        }
        let ignored = world.ignored(&mut random);
        let run = run(&world.lab, &args, &ignored);
        count.add(&run);
        if run.code == 0 {
            let others = [sent, given].concat();
            let proved = world.is_proved(&leaf, &others, &anchors);
            assert!(proved, "round {round}: {args:?} {ignored:?}: {run:?}");
        }
    }
    count.shows_something();
}

#[test]
fn exit_0_of_a_folder_means_that_its_ca_signed_every_certificate() {
    const MANIFEST: &str = "cluster: lab\netcd:\n  - { name: etcdone, ip: 192.168.29.61 }\n";
    let world = World::new();
    world.lab.write("cluster.yaml", MANIFEST);
    let apply = ["--dir", "real", "apply", "-f", "cluster.yaml"];
    world.lab.ok(&apply);
    let files = ["peer.pem", "server.pem"].map(|name| format!("real/hosts/etcdone/{name}"));
    let good: Vec<Vec<u8>> = files.iter().map(|file| world.lab.read(file)).collect();
    let issued: Vec<Issued> = good
        .iter()
        .map(|pem| Certificate::from_pem_or_der(pem).unwrap().remove(0).der().to_vec())
        .map(|der| Issued { der, issuer: 0 })
        .collect();
    let mut random = Random(11);
    let mut count = Count::default();
    for round in 0..rounds() / 10 {
        let which = random.below(2);
        let forged = world.certificate(&issued[which..=which], &mut random);
        world.lab.write(&files[which], pem_of(&forged));
        let args = ["--dir", "real", "verify", "-f", "cluster.yaml"];
        let ignored = world.ignored(&mut random);
        let run = run(&world.lab, &args, &ignored);
        count.add(&run);
        let anchors = [world.cas[0].der.clone()];
        let proved = run.code != 0 || world.is_proved(&forged, &[], &anchors);
        assert!(proved, "round {round}: {ignored:?}: {run:?}");
        world.lab.write(&files[which], &good[which]);
    }
    count.shows_something();
}

#[test]
fn exit_0_of_an_endpoint_means_that_openssl_verifies_what_it_serves() {
    let world = World::new();
    let mut random = Random(12);
    let mut count = Count::default();
    for round in 0..CAS.len() * CAS.len() {
        // openssl serves only a certificate that belongs to the key, so the signature is what differs.
        let at = round / CAS.len();
        let (base, key) = (format!("{}-peer", CAS[at]), &world.keys[round % CAS.len()]);
        let served = tree::sign(&Node::read(&world.leaves[at * 3].der), key);
        let original = world.lab.read(format!("{base}.pem"));
        world.lab.write(format!("{base}.pem"), pem_of(&served));
        let sent = world.cas[2].der.clone();
        world.lab.write("chain.pem", pem_of(&sent));
        let (_server, endpoint) =
            openssl_server(&world.lab, &base, &["-www", "-cert_chain", "chain.pem"]);
        let connect = ["verify", "--connect", &endpoint, "--ca", "real/ca.pem"];
        let policy = ["--policy", random.one_of(&["etcd", "rfc5280"])];
        let run = run(&world.lab, &[&connect[..], &policy].concat(), &world.ignore);
        count.add(&run);
        let proved = run.code != 0
            || world.is_proved(&served, &[sent], std::slice::from_ref(&world.cas[0].der));
        assert!(proved, "round {round}: {base}: {run:?}");
        world.lab.write(format!("{base}.pem"), original);
    }
    count.shows_something();
}
