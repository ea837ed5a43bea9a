//! The limits of webpki: paths that it cannot accept even if they are valid (rustls-webpki 0.103).

use time::macros::datetime;

use super::paths;
use crate::certificate::{Certificate, GeneralName};
use crate::report::PathLimit;

/// webpki follows at most this number of CAs (its `MAX_SUB_CA_COUNT`).
const MOST_CAS: usize = 6;
/// webpki cannot read a certificate with this number of octets: the contents of a SEQUENCE must be shorter than its
/// `TWO_BYTE_DER_SIZE`, and the header has four octets.
const TOO_LARGE: usize = 4 + 0xffff;
/// webpki reads a path length as one octet.
const LONGEST_PATH_LEN: u32 = 0xff;

const POLICIES: [&str; 4] = ["2.5.29.32", "2.5.29.33", "2.5.29.36", "2.5.29.54"];
const KEY_IDS: [&str; 2] = ["2.5.29.14", "2.5.29.35"];

/// The first of webpki's limits that the path meets. The path goes from the leaf to the anchor.
pub(super) fn limit(path: &[&Certificate]) -> Option<PathLimit> {
    let (leaf, cas) = path.split_first()?;
    let (anchor, untrusted) = path.split_last()?;
    let constrained = |ca: &&Certificate| ca.extensions.name_constraints.is_some();
    let self_issued_below = |index: usize| {
        cas[index..].iter().any(constrained) && cas[..index].iter().any(|ca| ca.is_self_issued())
    };
    let too_long_by_webpki = |index: usize| {
        path_len(cas[index]).is_some_and(|most| u64::from(most) < index as u64)
            && cas[..index].iter().any(|ca| ca.is_self_issued())
    };
    if leaf.is_ca() {
        Some(PathLimit::CaAsLeaf)
    } else if cas.iter().any(|ca| has_unread_constraint(ca)) {
        Some(PathLimit::ConstraintKind)
    } else if (1..cas.len()).any(self_issued_below) {
        Some(PathLimit::ConstrainedSelfIssuedCa)
    } else if untrusted.iter().any(|one| critical(one, &POLICIES).is_some()) {
        Some(PathLimit::CriticalPolicies)
    } else if cas.len() > MOST_CAS + 1 {
        Some(PathLimit::Length)
    } else if (1..cas.len().saturating_sub(1)).any(too_long_by_webpki) {
        // webpki does not check this in an anchor.
        Some(PathLimit::SelfIssuedBelowPathLen)
    } else if untrusted.iter().any(|ca| path_len(ca).is_some_and(|most| most > LONGEST_PATH_LEN)) {
        Some(PathLimit::LargePathLen)
    } else if path.iter().any(|certificate| certificate.der().len() >= TOO_LARGE) {
        Some(PathLimit::Size)
    } else if path.iter().any(|certificate| certificate.encoding.unique_ids) {
        Some(PathLimit::UniqueIds)
    } else if leaf.version != 3 || (anchor.version != 3 && !paths::reads_anchor(anchor)) {
        Some(PathLimit::Version)
    } else if untrusted.iter().any(|one| one.not_before < datetime!(1970-01-01 00:00 UTC)) {
        Some(PathLimit::Before1970)
    } else {
        None
    }
}

/// Contents of a path that webpki cannot read and that no limit covers, so the walk does not accept them either. The path
/// goes from the leaf to the anchor.
pub(super) fn unread<'c>(path: &[&'c Certificate]) -> Option<(&'c Certificate, String)> {
    let (_, cas) = path.split_first()?;
    let (_, untrusted) = path.split_last()?;
    let mut identifiers = untrusted.iter().filter_map(|one| Some((*one, critical(one, &KEY_IDS)?)));
    if let Some((certificate, oid)) = identifiers.next() {
        return Some((certificate, format!("extension {oid} is critical")));
    }
    let is_malformed =
        |one: &&GeneralName| matches!(one, GeneralName::Dns(name) if !is_dns_constraint(name));
    let mut malformed = cas.iter().filter_map(|ca| Some((*ca, subtrees(ca).find(is_malformed)?)));
    let (ca, constraint) = malformed.next()?;
    Some((ca, format!("the constraint {constraint} is malformed")))
}

fn path_len(ca: &Certificate) -> Option<u32> {
    ca.extensions.basic_constraints.as_ref().and_then(|constraints| constraints.path_len)
}

fn has_unread_constraint(ca: &Certificate) -> bool {
    subtrees(ca).any(|subtree| !matches!(subtree, GeneralName::Dns(_) | GeneralName::Ip(_)))
}

fn subtrees(ca: &Certificate) -> impl Iterator<Item = &GeneralName> {
    let constraints = ca.extensions.name_constraints.iter();
    constraints.flat_map(|constraints| constraints.permitted.iter().chain(&constraints.excluded))
}

/// The first critical extension of these.
fn critical<'c>(certificate: &'c Certificate, oids: &[&str]) -> Option<&'c str> {
    let critical = certificate.extensions.all.iter().filter(|extension| extension.critical);
    critical.map(|extension| extension.oid.as_str()).find(|oid| oids.contains(oid))
}

/// Labels of letters, digits, hyphens and underscores, optionally with a leading dot.
fn is_dns_constraint(name: &str) -> bool {
    let labels = name.strip_prefix('.').unwrap_or(name);
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
    };
    let last = labels.rsplit('.').next().unwrap_or(labels);
    name.is_empty()
        || (name.len() <= 253
            && labels.split('.').all(is_label)
            && !last.bytes().all(|b| b.is_ascii_digit()))
}
