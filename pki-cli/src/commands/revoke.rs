//! `etcdpki revoke`

use std::path::Path;
use std::process::ExitCode;

use pki_core::{Certificate, RevocationReason, SerialNumber, quote};
use serde::Serialize;
use time::OffsetDateTime;

use super::cluster::FolderArgs;
use super::{Common, core};
use crate::ca::{Chain, LockedFolder, issued_by};
use crate::failure::{Failure, shown};
use crate::host;
use crate::inventory::{CA_PROFILE, Entry, Filter, Inventory, Revocation, Row, Status, profile_of};
use crate::output::facts::moment;
use crate::output::{Format, json};
use crate::store;

/// Revoke certificates of the CA
///
/// They are marked in the inventory, and the next CRL lists them. Until a member of etcd has that CRL it
/// accepts them. The CA's key is not needed. With separate CAs, each revokes what it issued.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  etcdpki revoke backup.pem --reason keyCompromise\n  \
    etcdpki revoke 5add56… --reason superseded\n  \
    etcdpki revoke --host masterone --reason cessationOfOperation")]
pub(crate) struct RevokeArgs {
    /// File of the certificate, or its serial number in hexadecimal
    #[arg(value_name = "FILE|SERIAL", required_unless_present = "host")]
    certificates: Vec<String>,

    /// Revoke every certificate of this host that has not expired
    #[arg(long, value_name = "HOST")]
    host: Option<String>,

    /// Reason: unspecified, keyCompromise, cACompromise, affiliationChanged, superseded,
    /// cessationOfOperation, certificateHold, privilegeWithdrawn, aACompromise
    #[arg(long, value_name = "REASON", default_value = "unspecified",
        value_parser = |text: &str| core(text.parse::<RevocationReason>()))]
    reason: RevocationReason,

    #[command(flatten)]
    folder: FolderArgs,
}

/// The CAs whose certificates can be revoked: the one that issues, and those that it replaced.
struct Issuers(Vec<Certificate>);

impl Issuers {
    fn read(chain: &Chain, inventory: &Inventory) -> Result<Self, Failure> {
        let mut cas = vec![chain.ca().clone()];
        for ca in inventory.ca_certificates()? {
            // Not the CAs above or below this one, which have folders of their own.
            if inventory.has_leaf_of(&ca)? {
                cas.push(ca);
            }
        }
        Ok(Self(cas))
    }

    fn issued(&self, certificate: &Certificate) -> bool {
        self.0.iter().any(|ca| issued_by(ca, certificate))
    }

    /// Whether a certificate is the CA that issues, or a root that it replaces.
    fn is_one(&self, certificate: &Certificate) -> bool {
        certificate.public_key == self.issuing().public_key
            || (certificate.is_self_issued() && self.issued(certificate))
    }

    fn issuing(&self) -> &Certificate {
        &self.0[0]
    }
}

/// A certificate to revoke.
struct Target {
    certificate: Certificate,
    profile: String,
}

/// A CA that revokes, and what it is to revoke. Nobody else works in its folder meanwhile.
struct RevokingCa {
    _folder: LockedFolder,
    chain: Chain,
    inventory: Inventory,
    issuers: Issuers,
    targets: Vec<Target>,
}

impl RevokingCa {
    fn open(folder: &Path, common: &Common) -> Result<Self, Failure> {
        let locked = LockedFolder::lock(folder, common.owners())?;
        let chain = Chain::read(folder)?;
        let inventory = Inventory::of(folder);
        // Refuses the inventory of another CA.
        inventory.examine(chain.ca())?;
        let issuers = Issuers::read(&chain, &inventory)?;
        Ok(Self { _folder: locked, chain, inventory, issuers, targets: Vec::new() })
    }

    fn add(&mut self, certificate: Certificate, profile: String) {
        if self.targets.iter().all(|known| known.certificate != certificate) {
            self.targets.push(Target { certificate, profile });
        }
    }

    /// Revokes its targets, all or none of them.
    fn revoke(
        &self,
        reason: RevocationReason,
        now: OffsetDateTime,
        outcomes: &mut Vec<Outcome>,
    ) -> Result<(), Failure> {
        if self.targets.is_empty() {
            return Ok(());
        }
        let mut entries = Vec::new();
        for Target { certificate, profile } in &self.targets {
            entries.push(Entry::new(certificate, profile, certificate.not_before)?);
        }
        let ca = Entry::of_ca(self.chain.ca())?;
        let done = self.inventory.revoke(&ca, &entries, reason, now)?;
        outcomes.extend(self.targets.iter().zip(done).map(|(target, done)| Outcome {
            serial: target.certificate.serial.to_string(),
            subject: target.certificate.subject.to_string(),
            profile: target.profile.clone(),
            changed: done == Revocation::Done,
            revoked_at: match done {
                Revocation::Done => moment(now),
                Revocation::Already(before) => before,
            },
        }));
        Ok(())
    }
}

#[derive(Serialize)]
struct RevokeOutput {
    reason: &'static str,
    certificates: Vec<Outcome>,
    warnings: Vec<String>,
}

#[derive(Serialize)]
struct Outcome {
    serial: String,
    subject: String,
    profile: String,
    revoked_at: String,
    /// False if it was revoked before: then neither its reason nor its time has changed.
    changed: bool,
}

pub(crate) fn run(args: &RevokeArgs, common: &Common) -> Result<ExitCode, Failure> {
    let folders = args.folder.cas(common)?;
    let cas = folders.iter().map(|folder| RevokingCa::open(folder, common));
    let mut cas = cas.collect::<Result<Vec<_>, _>>()?;
    find_targets(args, &mut cas)?;
    let now = host::now().replace_nanosecond(0).unwrap_or_else(|_| host::now());
    let mut certificates = Vec::new();
    for ca in &cas {
        ca.revoke(args.reason, now, &mut certificates)?;
    }
    let warnings = if certificates.iter().any(|revoked| revoked.changed) {
        warnings(cas.iter().flat_map(|ca| &ca.targets))
    } else {
        Vec::new()
    };
    if common.format == Format::Json {
        let reason = args.reason.as_str();
        json::print(&RevokeOutput { reason, certificates, warnings })?;
        return Ok(ExitCode::SUCCESS);
    }
    let line = |revoked: &Outcome| {
        let Outcome { serial, subject, profile, revoked_at, changed } = revoked;
        let profile = quote::name(profile);
        if *changed {
            format!("revoked {serial} ({subject}, {profile}): {}\n", args.reason)
        } else {
            format!("unchanged {serial} ({subject}, {profile}): revoked at {revoked_at}\n")
        }
    };
    host::print(&certificates.iter().map(line).collect::<String>())?;
    for warning in warnings {
        host::say(&format!("warning: {warning}\n"));
    }
    Ok(ExitCode::SUCCESS)
}

/// What is left to do. etcd checks a CRL only when a connection begins, and never uses it to remove a member.
fn warnings<'a>(mut targets: impl Iterator<Item = &'a Target>) -> Vec<String> {
    let mut warnings = vec![
        "members accept these certificates until they have a new CRL: run etcdpki apply -f cluster.yaml if the \
         manifest says crl: true, and copy the hosts' folders; otherwise etcdpki crl --der --out FILE"
            .to_owned(),
        "etcd checks the CRL when a connection begins: connections that are open stay open until they end or the \
         member restarts"
            .to_owned(),
    ];
    if targets.any(|target| ["server", "peer"].contains(&&*target.profile)) {
        warnings.push(
            "a member stays in the cluster, and the others connect to it, until it is removed: etcdctl member list, \
             then etcdctl member remove ID"
                .to_owned(),
        );
    }
    warnings
}

/// Finds what is to be revoked, each certificate at the CA that issued it.
fn find_targets(args: &RevokeArgs, cas: &mut [RevokingCa]) -> Result<(), Failure> {
    for text in &args.certificates {
        let path = Path::new(text);
        if store::is_there(path)? || text == "-" {
            of_file(path, cas)?;
        } else {
            of_serial(text, cas)?;
        }
    }
    match &args.host {
        Some(host) => of_host(host, cas),
        None => Ok(()),
    }
}

fn of_host(host: &str, cas: &mut [RevokingCa]) -> Result<(), Failure> {
    let now = moment(host::now());
    let filter = Filter { host: Some(host.to_owned()), ..Filter::default() };
    let is_valid = |row: &&Row| row.status != Status::Revoked && row.not_after > now;
    let (mut found, mut known) = (false, false);
    for ca in cas {
        let rows = ca.inventory.find(&filter)?;
        known |= !rows.is_empty();
        for row in rows.iter().filter(is_valid).filter(|row| row.profile != CA_PROFILE) {
            found = true;
            ca.add(ca.inventory.certificate(row)?, row.profile.clone());
        }
    }
    if found {
        return Ok(());
    }
    let problem = if known {
        "all its certificates are revoked already, or expired"
    } else {
        "the inventory has no certificate of this host"
    };
    Err(Failure::refused(format!("--host {}: {problem}", quote::value(host)))
        .hinted("see etcdpki list --host HOST; certificates in files: etcdpki revoke FILE"))
}

fn of_file(path: &Path, cas: &mut [RevokingCa]) -> Result<(), Failure> {
    let in_file = |error: pki_core::Error| Failure::from(error).in_file(path);
    let certificate =
        Certificate::from_pem_or_der(&store::read(path)?).map_err(in_file)?.swap_remove(0);
    if cas.iter().any(|ca| ca.issuers.is_one(&certificate)) {
        return Err(itself(&shown(path)));
    }
    let Some(ca) = cas.iter_mut().find(|ca| ca.issuers.issued(&certificate)) else {
        let issuer = &certificate.issuer;
        let names = cas.iter().map(|ca| ca.issuers.issuing().subject.to_string());
        let names = names.collect::<Vec<_>>().join(", ");
        let by = if cas.len() > 1 { "one of these CAs" } else { "this CA" };
        let problem = format!("{}: issued by {issuer}, not by {by}, {names}", shown(path));
        return Err(
            Failure::refused(problem).hinted("name the folder of the CA that issued it with --dir")
        );
    };
    let filter = Filter { serial: Some(certificate.serial.clone()), ..Filter::default() };
    let rows = ca.inventory.find(&filter)?;
    let profile =
        rows.first().map_or_else(|| profile_of(&certificate).to_owned(), |row| row.profile.clone());
    ca.add(certificate, profile);
    Ok(())
}

fn of_serial(text: &str, cas: &mut [RevokingCa]) -> Result<(), Failure> {
    let quoted = quote::value(text);
    let serial: SerialNumber = text.parse().map_err(|_| {
        Failure::usage(format!("{quoted}: neither a file nor a serial number in hexadecimal"))
            .hinted("list the serial numbers with etcdpki list")
    })?;
    let filter = Filter { serial: Some(serial), ..Filter::default() };
    let mut found = false;
    let by = if cas.len() > 1 { "these CAs" } else { "this CA" };
    for ca in cas {
        for row in ca.inventory.find(&filter)? {
            let certificate = ca.inventory.certificate(&row)?;
            if ca.issuers.is_one(&certificate) {
                return Err(itself(&quoted));
            }
            if ca.issuers.issued(&certificate) {
                found = true;
                ca.add(certificate, row.profile);
            }
        }
    }
    if found {
        return Ok(());
    }
    Err(Failure::refused(format!(
        "{quoted}: the inventory has no certificate of {by} with this serial number"
    ))
    .hinted("list the serial numbers with etcdpki list; or name the certificate's file"))
}

fn itself(what: &str) -> Failure {
    Failure::refused(format!("{what} is the CA itself, which its own CRL cannot revoke"))
        .hinted("replace the CA, and remove it from the trust files of every host")
}
