//! The certificates that a run of `renew` checks, where they are, and which of them are due.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use pki_core::{Certificate, FileKind, Role};
use time::{Duration, OffsetDateTime};

use crate::ca::{Chain, hosts_of};
use crate::commands::cluster::CaFolders;
use crate::failure::{Failure, shown};
use crate::hosts;
use crate::inventory::Inventory;
use crate::named_pair::NamedPair;
use crate::store;

/// Which certificates were asked for.
pub(super) enum Selection<'a> {
    /// The certificates in these files, whether they are due or not.
    Files(&'a [PathBuf]),
    /// The certificates of these hosts that are due.
    Hosts(&'a [String]),
    /// The certificates of all hosts, and those in the files of `issue`, that are due.
    All,
}

/// A certificate and where it is.
pub(super) struct Target {
    pub(super) place: CertificatePlace,
    /// The certificate, then those that follow it in its file.
    pub(super) chain: Vec<Certificate>,
}

/// Where a certificate is.
pub(super) enum CertificatePlace {
    /// In the folder of a host.
    Host { host: String, role: Role },
    /// In a file outside of the hosts' folders.
    Pair(NamedPair),
}

impl Target {
    pub(super) fn certificate(&self) -> &Certificate {
        &self.chain[0]
    }

    /// The path of the certificate, for people. It is below hosts/ for that of a host.
    pub(super) fn name(&self) -> String {
        match &self.place {
            CertificatePlace::Host { host, role } => {
                format!("{}/{host}/{}", hosts::FOLDER, role.certificate_file())
            }
            CertificatePlace::Pair(pair) => shown(&pair.certificate),
        }
    }

    /// Whether it expires within this time, or without one within a third of its lifetime.
    pub(super) fn is_due(&self, before: Option<Duration>, now: OffsetDateTime) -> bool {
        let certificate = self.certificate();
        let lifetime = certificate.not_after - certificate.not_before;
        certificate.not_after - now < before.unwrap_or(lifetime / 3)
    }
}

/// The certificates that were found, and warnings about them.
#[derive(Default)]
pub(super) struct RenewalTargets {
    pub(super) targets: Vec<Target>,
    pub(super) warnings: Vec<String>,
}

/// The files on the command line, by the folder of the CA that issued their certificates.
pub(super) fn by_ca<'a>(
    cas: &'a CaFolders,
    files: &[PathBuf],
) -> Result<BTreeMap<&'a Path, Vec<PathBuf>>, Failure> {
    let mut by_ca: BTreeMap<&Path, Vec<PathBuf>> = BTreeMap::new();
    if files.is_empty() {
        return Ok(by_ca);
    }
    if let Ok(only) = cas.only() {
        return Ok(BTreeMap::from([(only, files.to_vec())]));
    }
    let chains = cas.iter().map(|ca| Ok((ca, Chain::read(ca)?)));
    let chains = chains.collect::<Result<Vec<_>, Failure>>()?;
    for file in files {
        let leaf = &read(file)?[0];
        let Some((ca, _)) = chains.iter().find(|(_, chain)| is_ours(chain, leaf)) else {
            let chains: Vec<&Chain> = chains.iter().map(|(_, chain)| chain).collect();
            return Err(not_ours(&chains, leaf).in_file(file));
        };
        by_ca.entry(*ca).or_default().push(file.clone());
    }
    Ok(by_ca)
}

/// Finds the certificates. Files that the user named must exist, and this CA must have issued them.
pub(super) fn find(
    folder: &Path,
    chain: &Chain,
    selection: &Selection<'_>,
) -> Result<RenewalTargets, Failure> {
    let all = hosts_of(folder);
    let mut found = RenewalTargets::default();
    match selection {
        Selection::Files(files) => {
            for file in *files {
                let target = by_name(&all, file)?;
                if !is_ours(chain, target.certificate()) {
                    return Err(not_ours(&[chain], target.certificate()).in_file(file));
                }
                found.targets.push(target);
            }
        }
        Selection::Hosts(names) => {
            let known = hosts::list(&all)?;
            if let Some(unknown) = names.iter().find(|name| !known.contains(name)) {
                return Err(Failure::usage(format!("--host {unknown}: this host has no folder"))
                    .hinted(format!("one of: {}", known.join(", "))));
            }
            for host in *names {
                found.targets.extend(of_host(&all, chain, host)?);
            }
        }
        Selection::All => {
            for host in hosts::list(&all)? {
                found.targets.extend(of_host(&all, chain, &host)?);
            }
            for path in Inventory::of(folder).placed()? {
                match of_issue(chain, &path) {
                    Ok(target) => found.targets.extend(target),
                    Err(failure) => found.warnings.push(format!("skipped: {failure}")),
                }
            }
        }
    }
    Ok(found)
}

/// The certificates of this CA in the folder of a host.
pub(super) fn of_host(all: &Path, chain: &Chain, host: &str) -> Result<Vec<Target>, Failure> {
    let mut targets = Vec::new();
    for (name, file) in hosts::read(&all.join(host))? {
        let Some(FileKind::Certificate(role)) = name.to_str().and_then(FileKind::from_name) else {
            continue;
        };
        let Ok(certificates) = Certificate::from_pem_or_der(&file.contents) else { continue };
        if is_ours(chain, &certificates[0]) {
            let place = CertificatePlace::Host { host: host.to_owned(), role };
            targets.push(Target { place, chain: certificates });
        }
    }
    Ok(targets)
}

/// The certificate in a file, which may be in the folder of a host.
fn by_name(all: &Path, file: &Path) -> Result<Target, Failure> {
    let chain = read(file)?;
    let (all, real) = (fs::canonicalize(all).ok(), fs::canonicalize(file).ok());
    let host = real.as_deref().and_then(Path::parent);
    let is_in_hosts = |host: &&Path| all.is_some() && host.parent() == all.as_deref();
    let host = host.filter(is_in_hosts).and_then(Path::file_name).and_then(|host| host.to_str());
    let kind = file.file_name().and_then(|name| FileKind::from_name(name.to_str()?));
    Ok(match (host, kind) {
        (Some(host), Some(FileKind::Certificate(role))) => {
            Target { place: CertificatePlace::Host { host: host.to_owned(), role }, chain }
        }
        _ => Target { place: CertificatePlace::Pair(NamedPair::of(file)?), chain },
    })
}

/// The certificate in a file that `issue` wrote, unless the file now contains another one.
fn of_issue(chain: &Chain, file: &Path) -> Result<Option<Target>, Failure> {
    let certificates = read(file)?;
    let target =
        Target { place: CertificatePlace::Pair(NamedPair::of(file)?), chain: certificates };
    Ok(Some(target).filter(|target| is_ours(chain, target.certificate())))
}

fn read(file: &Path) -> Result<Vec<Certificate>, Failure> {
    Certificate::from_pem_or_der(&store::read(file)?)
        .map_err(|error| Failure::from(error).in_file(file))
}

/// Whether one of the CAs in ca.pem issued a certificate that is not a CA. During a rotation there are two.
fn is_ours(chain: &Chain, leaf: &Certificate) -> bool {
    let issued = |ca: &Certificate| {
        ca.subject.der() == leaf.issuer.der() && leaf.is_signed_by(&ca.public_key)
    };
    !leaf.is_ca() && chain.all().any(issued)
}

fn not_ours(chains: &[&Chain], leaf: &Certificate) -> Failure {
    if leaf.is_ca() {
        return Failure::usage(format!("{} is a CA", leaf.subject))
            .hinted("renew the CA in the folder of --dir with etcdpki renew --ca");
    }
    let (subject, issuer) = (&leaf.subject, &leaf.issuer);
    let names: Vec<String> = chains.iter().map(|chain| chain.ca().subject.to_string()).collect();
    let (cas, names) = (if names.len() > 1 { "the CAs" } else { "the CA" }, names.join(", "));
    Failure::usage(format!("{subject} was issued by {issuer}, and not by {cas} {names}"))
        .hinted("name the folder of its CA with --dir")
}
