//! How Go compares a name with the subtrees of name constraints.

use std::net::IpAddr;

use super::domains::is_within;
use crate::certificate::{GeneralName, NameConstraints};
use crate::name::authority;

/// True for a name of a kind that Go compares with constraints, if Go rejects it below these constraints.
pub(in crate::rules) fn rejects(constraints: &NameConstraints, name: &GeneralName) -> bool {
    use GeneralName::{Dns, Email, Ip, Uri};
    match name {
        // RFC 5280 and Go agree.
        Dns(_) | Ip(_) => true,
        Uri(uri) if host(uri).is_none() => true,
        Uri(_) | Email(_) => {
            let same_kind = |base: &&GeneralName| {
                matches!((*base, name), (Uri(_), Uri(_)) | (Email(_), Email(_)))
            };
            let mut permitted = constraints.permitted.iter().filter(same_kind).peekable();
            constraints.excluded.iter().any(|base| contains(base, name))
                || permitted.peek().is_some() && !permitted.any(|base| contains(base, name))
        }
        _ => false,
    }
}

/// True if for Go, the host of an email address or of a URI is in a subtree of its kind.
pub(super) fn contains(base: &GeneralName, name: &GeneralName) -> bool {
    match (base, name) {
        (GeneralName::Uri(domain), GeneralName::Uri(uri)) => {
            host(uri).is_some_and(|host| is_within(host, domain))
        }
        (GeneralName::Email(base), GeneralName::Email(address)) => {
            let Some((local, host)) = address.rsplit_once('@') else { return false };
            match base.rsplit_once('@') {
                Some((base_local, domain)) => {
                    base_local == local && domain.eq_ignore_ascii_case(host)
                }
                None => is_within(host, base),
            }
        }
        _ => false,
    }
}

/// The domain of a constraint on email addresses or URIs, unless it is on one mailbox.
pub(super) fn domain(base: &GeneralName) -> Option<&str> {
    match base {
        GeneralName::Uri(domain) => Some(domain),
        GeneralName::Email(domain) => {
            Some(domain).filter(|domain| !domain.contains('@')).map(|d| &**d)
        }
        _ => None,
    }
}

/// The host of a URI, if Go can compare it with constraints.
pub(super) fn host(uri: &str) -> Option<&str> {
    let (_, host) = authority(uri)?.rsplit_once('@').unwrap_or(("", authority(uri)?));
    // Go accepts a port without a host, and compares an empty name.
    let name = host.split_once(':').map_or(host, |(name, _)| name);
    let comparable = !host.is_empty()
        && host.bytes().filter(|octet| *octet == b':').take(2).count() < 2
        && !host.starts_with('[')
        && name.parse::<IpAddr>().is_err()
        && (name.is_empty() || name.split('.').all(|label| !label.is_empty()));
    comparable.then_some(name)
}
