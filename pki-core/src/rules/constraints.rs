//! Name constraints (RFC 5280 section 4.2.1.10): which names a CA may not certify.
//!
//! The path builder has the last word on constraints when a chain is verified. These functions say
//! which name offends which CA, and keep an authority to its own constraints before it signs.

use crate::certificate::{Certificate, GeneralName};
use crate::subject::Attribute;

/// Each name of `certificate` that a CA above it does not allow.
pub(super) fn violations(certificate: &Certificate, above: &[&Certificate]) -> Vec<String> {
    let names = names(certificate);
    let mut breaches = Vec::new();
    for ca in above {
        let Some(constraints) = &ca.extensions.name_constraints else {
            continue;
        };
        for unknown in constraints.permitted.iter().chain(&constraints.excluded) {
            // Go refuses what stands below a critical constraint of a kind that it does not know,
            // and webpki whatever stands below one on directory names.
            if matches!(unknown, GeneralName::Directory(_) | GeneralName::Other(_)) {
                breaches.push(format!(
                    "etcd does not know how to obey the constraint {unknown} of {}",
                    ca.subject
                ));
            }
        }
        for name in &names {
            let same_kind = |constraint: &&GeneralName| kind(constraint) == kind(name);
            if let Some(excluded) = constraints.excluded.iter().find(|c| reaches(c, name)) {
                breaches.push(format!("{name} is excluded by {excluded} of {}", ca.subject));
                continue;
            }
            let permitted: Vec<_> = constraints.permitted.iter().filter(same_kind).collect();
            if !permitted.is_empty() && !permitted.iter().any(|c| covers(c, name)) {
                let list: Vec<String> = permitted.iter().map(ToString::to_string).collect();
                breaches.push(format!(
                    "{name} is not permitted by {}, which permits {}",
                    ca.subject,
                    list.join(", ")
                ));
            }
        }
    }
    breaches
}

/// The alternative names, and the email addresses of the subject where there is no alternative.
fn names(certificate: &Certificate) -> Vec<GeneralName> {
    let mut names = certificate.extensions.subject_alt_name.clone().unwrap_or_default();
    if !names.iter().any(|name| matches!(name, GeneralName::Email(_))) {
        let emails = certificate.subject.attributes.iter();
        names.extend(
            emails
                .filter(|entry| entry.attribute == Attribute::EmailAddress)
                .map(|entry| GeneralName::Email(entry.value.clone())),
        );
    }
    names
}

fn kind(name: &GeneralName) -> u8 {
    match name {
        GeneralName::Dns(_) => 0,
        GeneralName::Email(_) => 1,
        GeneralName::Uri(_) => 2,
        // One kind, whatever the length: to permit networks of IPv4 alone is to permit no IPv6.
        GeneralName::Ip(_) => 3,
        GeneralName::Directory(_) => 4,
        GeneralName::Other(_) => 5,
    }
}

fn covers(constraint: &GeneralName, name: &GeneralName) -> bool {
    match (constraint, name) {
        (GeneralName::Dns(base), GeneralName::Dns(name)) => below(base, name),
        (GeneralName::Ip(base), GeneralName::Ip(address)) => {
            let (network, mask) = base.split_at(base.len() / 2);
            network.len() == address.len()
                && address
                    .iter()
                    .zip(network.iter().zip(mask))
                    .all(|(octet, (fixed, mask))| octet & mask == fixed & mask)
        }
        (GeneralName::Email(base), GeneralName::Email(address)) => email(base, address),
        (GeneralName::Uri(base), GeneralName::Uri(uri)) => {
            uri_host(uri).is_some_and(|host| host_or_domain(base, host))
        }
        _ => false,
    }
}

/// An excluded subtree also reaches a wildcard that could stand for a name in it, as Go has it since
/// CVE-2025-61727.
fn reaches(excluded: &GeneralName, name: &GeneralName) -> bool {
    let expands = match (excluded, name) {
        (GeneralName::Dns(base), GeneralName::Dns(name)) => {
            let above = base.trim_start_matches('.').split_once('.').map(|(_, above)| above);
            name.strip_prefix("*.")
                .is_some_and(|parent| above.is_some_and(|above| above.eq_ignore_ascii_case(parent)))
        }
        _ => false,
    };
    expands || covers(excluded, name)
}

/// A DNS constraint covers its own name and every name with labels added on the left.
fn below(base: &str, name: &str) -> bool {
    let (base, name) = (base.to_ascii_lowercase(), name.to_ascii_lowercase());
    match name.strip_suffix(base.trim_start_matches('.')) {
        _ if base.is_empty() => true,
        Some("") => !base.starts_with('.'),
        Some(rest) => rest.ends_with('.'),
        None => false,
    }
}

fn email(base: &str, address: &str) -> bool {
    let Some((local, host)) = address.rsplit_once('@') else {
        return false;
    };
    match base.rsplit_once('@') {
        // The part before `@` is compared to the letter (RFC 5280 section 7.5).
        Some((base_local, base_host)) => {
            base_local == local && base_host.eq_ignore_ascii_case(host)
        }
        None => host_or_domain(base, host),
    }
}

/// With a leading dot, every host below a domain; without, one host.
fn host_or_domain(base: &str, host: &str) -> bool {
    if base.starts_with('.') { below(base, host) } else { base.eq_ignore_ascii_case(host) }
}

fn uri_host(uri: &str) -> Option<&str> {
    let (_, rest) = uri.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    let host = authority.rsplit('@').next()?;
    Some(host.split(':').next().unwrap_or(host))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dns_constraints_cover_whole_labels() {
        for (base, name, wanted) in [
            ("example.com", "example.com", true),
            ("example.com", "a.b.EXAMPLE.com", true),
            ("example.com", "badexample.com", false),
            ("example.com", "*.example.com", true),
            (".example.com", "example.com", false),
            (".example.com", "a.example.com", true),
            ("", "anything", true),
        ] {
            assert_eq!(below(base, name), wanted, "{base:?} {name}");
        }
    }

    #[test]
    fn an_excluded_name_reaches_the_wildcard_that_could_stand_for_it() {
        let dns = |text: &str| GeneralName::Dns(text.to_owned());
        for (base, name, wanted) in [
            ("bad.example.com", "*.example.com", true),
            ("bad.example.com", "*.EXAMPLE.com", true),
            ("a.bad.example.com", "*.example.com", false),
            ("example.com", "*.example.com", true),
            ("bad.example.com", "good.example.com", false),
            ("com", "*.example.com", true),
        ] {
            assert_eq!(reaches(&dns(base), &dns(name)), wanted, "{base} {name}");
        }
        assert!(!covers(&dns("bad.example.com"), &dns("*.example.com")));
    }

    #[test]
    fn address_and_email_constraints() {
        let covers = |base: GeneralName, name: GeneralName| covers(&base, &name);
        let net = || GeneralName::Ip(vec![10, 0, 0, 0, 255, 0, 0, 0]);
        assert!(covers(net(), GeneralName::Ip(vec![10, 1, 2, 3])));
        assert!(!covers(net(), GeneralName::Ip(vec![11, 1, 2, 3])));
        assert!(!covers(net(), GeneralName::Ip(vec![0; 16])));
        assert!(email("example.com", "a@EXAMPLE.com"));
        assert!(!email("example.com", "a@x.example.com"));
        assert!(email(".example.com", "a@x.example.com"));
        assert!(email("a@example.com", "a@example.com"));
        assert!(!email("A@example.com", "a@example.com"));
    }
}
