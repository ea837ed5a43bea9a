//! The settings of a member: from the configuration in its folder, otherwise from the names of its files or the manifest.

use std::net::IpAddr;

use super::model::Deployment;
use crate::bundle::Bundles;
use crate::etcd::EtcdSettings;
use crate::layout::Role;
use crate::manifest::Host;
use crate::pki_folder::{self, FolderFile, FolderPair, Location, PkiFolder};
use crate::usage::Purpose;

/// The settings from the configuration of a member. Without configuration, they are those of the manifest, with the files
/// that have the names of another tool.
pub(super) fn read(
    deployment: &Deployment<'_>,
    member: &Host,
    bundles: &Bundles<'_>,
) -> EtcdSettings {
    let manifest = deployment.manifest;
    let files = deployment.folder(&member.name);
    let location = Location::At(&manifest.paths.etcd);
    if let Some(settings) = pki_folder::settings(&files, manifest.etcd_version, location) {
        return settings;
    }
    let mut options = bundles.settings(member);
    let named = named(&files, member, deployment);
    // A manifest without configuration does not know etcd's allow lists, and other tools set none.
    let knows_allow_lists = manifest.configuration && named.is_empty();
    options.retain(|(name, _)| knows_allow_lists || !name.contains("-allowed-"));
    for (name, file) in named {
        options.retain(|(known, _)| *known != name);
        options.push((name, format!("{}/{file}", manifest.paths.etcd).into()));
    }
    EtcdSettings::from_options(options)
}

/// The files of a member with the names of another tool, by the options that would name them.
fn named(
    files: &[FolderFile<'_>],
    member: &Host,
    deployment: &Deployment<'_>,
) -> Vec<(&'static str, String)> {
    let own = [Role::Server, Role::Peer, Role::Member].map(|role| role.certificate_file());
    if files.iter().any(|file| own.iter().any(|own| own == file.path)) {
        return Vec::new();
    }
    let read = PkiFolder::read(files, deployment.manifest.etcd_version);
    // kubespray's first member has the files of all members. RKE writes the address: kube-etcd-10-0-0-1.pem.
    let dashed = |address: &IpAddr| address.to_string().replace(['.', ':'], "-");
    let is_own = |pair: &&FolderPair| {
        pair.host.as_ref().is_none_or(|host| {
            *host == member.name || member.addresses.iter().any(|address| dashed(address) == *host)
        })
    };
    let all = || read.pairs.iter();
    let of = |purpose| {
        let mut pairs = all().filter(|pair| pair.purpose == purpose);
        pairs.clone().find(is_own).or_else(|| pairs.next())
    };
    let mut options = Vec::new();
    for (pair, [certificate, key, trusted]) in [
        (of(Purpose::Server).or(of(Purpose::Peer)), ["cert-file", "key-file", "trusted-ca-file"]),
        (of(Purpose::Peer), ["peer-cert-file", "peer-key-file", "peer-trusted-ca-file"]),
    ] {
        let Some(pair) = pair else { continue };
        options.push((certificate, pair.certificate.clone()));
        options.push((key, pair.key_file()));
        options.extend(pair.trusted.clone().map(|file| (trusted, file)));
    }
    options
}
