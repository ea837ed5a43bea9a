//! The walk that stands in for webpki, beside webpki itself.
//!
//! Each chain is verified twice: as it is, and with a critical anyPolicy in the leaf, which changes nothing
//! but that webpki cannot read it. What webpki refuses of the first, the walk has to refuse of the second.

mod not_der;

use std::collections::BTreeMap;

use pki_core::{Certificate, Policy, Report, Severity, Verifier, VerifyOptions};
use rustls_pki_types::{CertificateDer, TrustAnchor, UnixTime};
use webpki::{EndEntityCert, ExtendedKeyUsageValidator, KeyPurposeIdIter};

use super::arrangements;
use super::chains::{Chain, Draft, Keys};
use super::mutations::{CHANGES, CRITICAL_POLICY};
use super::random::Random;
use crate::der::{Body, Node, forge};
use crate::lab::NOW;

const CHANGED: usize = 800;
const REARRANGED: usize = 100;
const NOT_DER: usize = 900;

/// Changes whose place depends on how many extensions there are, or that are about policies themselves.
const INCOMPARABLE: [&str; 5] =
    ["policies", "order of extensions", "extension twice", "extension gone", "criticality"];

#[test]
fn the_walk_refuses_what_webpki_refuses_and_accepts_what_it_accepts() {
    let keys = Keys::new();
    let (mut accepted, mut refused) = (0, BTreeMap::<String, usize>::new());
    let mut wrong = Vec::new();
    for number in 0..CHANGED + REARRANGED + NOT_DER {
        let plain = chain(number, &keys, Leaf::Plain);
        let unreadable = chain(number, &keys, Leaf::Unreadable);
        let webpki = by_webpki(&plain);
        for policy in [Policy::Etcd, Policy::Rfc5280] {
            let (Some(judged), Some(walked)) = (ours(&plain, policy), ours(&unreadable, policy))
            else {
                continue;
            };
            // What webpki can never accept is judged by the walk both times.
            if judged.path().limit().is_some() {
                continue;
            }
            if let Err(error) = &webpki {
                *refused.entry(kind(error)).or_default() += 1;
                if is_ok(&walked) || is_ok(&judged) {
                    wrong.push(format!("{policy:?}: webpki {error:?}: {}", plain.story));
                }
            } else {
                accepted += usize::from(is_ok(&walked));
                if is_ok(&walked) != is_ok(&judged) {
                    let story = &plain.story;
                    wrong.push(format!("{policy:?}: {judged}\nwalked: {walked}\n{story}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
    // A test in which nothing is accepted, or nothing refused for its DER, shows nothing.
    assert!(accepted > 200 && refused["BadDer"] > 200, "{accepted} {refused:?}");
}

/// What is wrong, without its details.
fn kind(error: &webpki::Error) -> String {
    format!("{error:?}").chars().take_while(char::is_ascii_alphanumeric).collect()
}

#[derive(Clone, Copy, Eq, PartialEq)]
enum Leaf {
    Plain,
    /// To webpki, and to nobody else.
    Unreadable,
}

/// The chain of this number, always the same.
fn chain(number: usize, keys: &Keys, leaf: Leaf) -> Chain {
    let mut random = Random(u64::try_from(number).unwrap());
    let cas = random.below(3);
    let mut draft = Draft::new(keys, cas);
    let last = draft.places() - 1;
    if leaf == Leaf::Unreadable {
        draft.changes[last].push(CRITICAL_POLICY);
    }
    if number < CHANGED {
        let comparable = CHANGES.iter().filter(|change| !INCOMPARABLE.contains(&change.name));
        let comparable: Vec<_> = comparable.copied().collect();
        let place = random.below(draft.places());
        draft.changes[place].push(comparable[number % comparable.len()]);
        draft.sign(&mut random)
    } else if number < CHANGED + REARRANGED {
        let chain = draft.sign(&mut random);
        arrangements::rearrange(chain, keys, &mut random)
    } else {
        not_der(draft.sign(&mut random), keys, &mut random)
    }
}

/// Writes one element of one certificate in another form than DER, and signs the certificate again.
fn not_der(mut chain: Chain, keys: &Keys, random: &mut Random) -> Chain {
    let place = random.below(chain.between.len() + 2);
    let (der, signer) = match place.checked_sub(1) {
        None => (&mut chain.anchors[0], 0),
        Some(between) if between < chain.between.len() => (&mut chain.between[between], between),
        Some(between) => (&mut chain.leaf, between),
    };
    let form = random.below(3);
    *der = forge(der, &keys.chain[signer], |fields| {
        // The policy of an unreadable leaf stands behind all others, so the first are the same.
        let mut all = elements(fields);
        all.retain(|(_, tag)| match form {
            0 => *tag == 0x01,
            1 => *tag == 0x02,
            _ => true,
        });
        let most = all.len().min(if form == 0 { 1 } else { 40 });
        let (path, _) = &all[random.below(most)];
        change(&mut fields[path[0]], &path[1..], |node| match form {
            0 => *node.content() = vec![0x01],
            1 => node.content().insert(0, 0),
            _ => node.lengthen(),
        });
        chain.story = format!(
            "certificate {place}: {:?} at {path:?}",
            ["BOOLEAN", "INTEGER", "length"][form]
        );
    });
    chain
}

/// The way to every element, with its tag; the value of an extension is the one element of its octets.
fn elements(fields: &[Node]) -> Vec<(Vec<usize>, u8)> {
    let mut all = Vec::new();
    for (index, field) in fields.iter().enumerate() {
        all.push((vec![index], field.tag));
        for (path, tag) in elements(&inside(field)) {
            all.push(([vec![index], path].concat(), tag));
        }
    }
    all
}

fn inside(node: &Node) -> Vec<Node> {
    match &node.body {
        Body::Nodes(nodes) => nodes.clone(),
        Body::Octets(octets) if node.tag == 0x04 && octets.first() == Some(&0x30) => {
            vec![Node::read(octets)]
        }
        _ => Vec::new(),
    }
}

fn change(node: &mut Node, path: &[usize], make: impl FnOnce(&mut Node)) {
    let Some((first, rest)) = path.split_first() else { return make(node) };
    match &mut node.body {
        Body::Nodes(nodes) => change(&mut nodes[*first], rest, make),
        Body::Octets(octets) => {
            let mut value = Node::read(octets);
            change(&mut value, rest, make);
            *octets = value.write();
        }
        Body::Raw(_) => panic!("nothing is changed twice"),
    }
}

/// Nothing where a certificate that is needed cannot be read.
fn ours(chain: &Chain, policy: Policy) -> Option<Report> {
    let read = |ders: &[Vec<u8>]| -> Option<Vec<Certificate>> {
        ders.iter().map(|der| Certificate::from_der(der).ok()).collect()
    };
    let verifier = Verifier::builder(read(&chain.anchors)?).policy(policy);
    let verifier = verifier.intermediates(read(&chain.between)?).build().unwrap();
    Some(verifier.check(&Certificate::from_der(&chain.leaf).ok()?, &[], &VerifyOptions::at(NOW)))
}

/// But for what the policy of etcd says of the extension that is only there for the walk.
fn is_ok(report: &Report) -> bool {
    let mut errors = report.findings().filter(|finding| finding.severity == Severity::Error);
    report.path().is_trusted() && errors.all(|finding| finding.rule.id == "policy-critical")
}

struct Anything;

impl ExtendedKeyUsageValidator for Anything {
    fn validate(&self, usages: KeyPurposeIdIter<'_, '_>) -> Result<(), webpki::Error> {
        usages.collect::<Result<Vec<_>, _>>().map(|_| ())
    }
}

/// webpki's verdict by itself.
fn by_webpki(chain: &Chain) -> Result<(), webpki::Error> {
    let ders = |ders: &[Vec<u8>]| -> Vec<CertificateDer<'static>> {
        ders.iter().map(|der| CertificateDer::from(der.clone())).collect()
    };
    let (anchors, between) = (ders(&chain.anchors), ders(&chain.between));
    let anchors: Result<Vec<TrustAnchor<'_>>, _> =
        anchors.iter().map(webpki::anchor_from_trusted_cert).collect();
    let anchors = anchors?;
    let leaf = CertificateDer::from(chain.leaf.clone());
    let seconds = u64::try_from(NOW.unix_timestamp()).unwrap();
    let now = UnixTime::since_unix_epoch(std::time::Duration::from_secs(seconds));
    let leaf = EndEntityCert::try_from(&leaf)?;
    let all = webpki::ALL_VERIFICATION_ALGS;
    leaf.verify_for_usage(all, &anchors, &between, now, Anything, None, None).map(|_| ())
}
