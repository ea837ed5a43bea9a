//! Checks of what etcd and the Kubernetes API server need beyond RFC 5280.

use std::net::IpAddr;

use super::rfc5280::{allows, asked, moment, usages_are, when};
use super::{Case, Purpose};
use crate::certificate::GeneralName;
use crate::usage::ExtendedKeyUsage;

fn names<'a>(case: &'a Case<'_>) -> impl Iterator<Item = &'a GeneralName> {
    case.certificate.extensions.subject_alt_name.iter().flatten()
}

fn names_a_host(case: &Case<'_>) -> bool {
    names(case).any(|name| matches!(name, GeneralName::Dns(_) | GeneralName::Ip(_)))
}

pub(super) fn key_mismatch(case: &Case<'_>) -> Vec<String> {
    match &case.question.key {
        Some(key) if case.is_leaf() && *key != case.certificate.public_key => vec![format!(
            "the certificate is for key {} ({}), the key file holds {} ({})",
            case.certificate.public_key.key_id(),
            case.certificate.public_key.algorithm_name(),
            key.key_id(),
            key.algorithm_name()
        )],
        _ => Vec::new(),
    }
}

pub(super) fn leaf_is_ca(case: &Case<'_>) -> Vec<String> {
    when(case.is_leaf() && case.certificate.is_ca(), || "basicConstraints says CA:TRUE".to_owned())
}

pub(super) fn leaf_outlives_ca(case: &Case<'_>) -> Vec<String> {
    match case.issuer() {
        Some(ca) if case.certificate.not_after > ca.not_after => vec![format!(
            "notAfter {} is later than the CA's {}",
            moment(case.certificate.not_after),
            moment(ca.not_after)
        )],
        _ => Vec::new(),
    }
}

pub(super) fn leaf_expiring(case: &Case<'_>) -> Vec<String> {
    let Some(within) = case.question.expires_within else {
        return Vec::new();
    };
    let left = case.certificate.not_after - case.question.at;
    when(case.is_leaf() && !left.is_negative() && left < within, || {
        format!(
            "notAfter {}: {} days left, {} days were wanted",
            moment(case.certificate.not_after),
            left.whole_days(),
            within.whole_days()
        )
    })
}

pub(super) fn server_without_client_auth(case: &Case<'_>) -> Vec<String> {
    let lacks = asked(case, Purpose::Server)
        && allows(case, &ExtendedKeyUsage::server_auth())
        && !allows(case, &ExtendedKeyUsage::client_auth());
    when(lacks, || usages_are(case))
}

pub(super) fn client_with_server_auth(case: &Case<'_>) -> Vec<String> {
    let usages = case.certificate.extensions.extended_key_usage.iter().flatten();
    let has = usages.into_iter().any(|usage| *usage == ExtendedKeyUsage::server_auth());
    when(asked(case, Purpose::Client) && has, || usages_are(case))
}

pub(super) fn no_san(case: &Case<'_>) -> Vec<String> {
    let serves = asked(case, Purpose::Server) || asked(case, Purpose::Peer);
    when(serves && !names_a_host(case), || "it carries no DNS name and no address".to_owned())
}

pub(super) fn peer_port_open(case: &Case<'_>) -> Vec<String> {
    let is_client = asked(case, Purpose::Client)
        || (asked(case, Purpose::Any)
            && allows(case, &ExtendedKeyUsage::client_auth())
            && !allows(case, &ExtendedKeyUsage::server_auth()));
    when(is_client && !names_a_host(case), || "it carries no DNS name and no address".to_owned())
}

pub(super) fn san_ip_as_dns(case: &Case<'_>) -> Vec<String> {
    dns_names(case)
        .filter(|name| name.parse::<IpAddr>().is_ok())
        .map(|name| format!("dNSName {name:?} is an address"))
        .collect()
}

pub(super) fn san_dns_form(case: &Case<'_>) -> Vec<String> {
    dns_names(case)
        .filter(|name| name.parse::<IpAddr>().is_err())
        .filter_map(|name| {
            let error = name.parse::<crate::name::DnsName>().err()?;
            let crate::error::Error::Invalid(invalid) = error else {
                return None;
            };
            Some(format!("dNSName {name:?} is {}", invalid.problem))
        })
        .collect()
}

fn dns_names<'a>(case: &'a Case<'_>) -> impl Iterator<Item = &'a str> {
    names(case).filter_map(|name| match name {
        GeneralName::Dns(text) if case.is_leaf() => Some(text.as_str()),
        _ => None,
    })
}
