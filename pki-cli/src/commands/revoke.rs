//! `etcdpki revoke`

use std::path::Path;
use std::process::ExitCode;

use pki_core::{Certificate, RevocationReason, SerialNumber, quote};
use serde::Serialize;

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
/// accepts them. The CA's key is not needed.
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
    let folder = args.folder.of_ca(common)?;
    let locked = LockedFolder::lock(&folder, common.owners())?;
    let chain = Chain::read(locked.path())?;
    let inventory = Inventory::of(&folder);
    // Refuses the inventory of another CA.
    inventory.memory_of(chain.ca())?;
    let issuers = Issuers::read(&chain, &inventory)?;
    let targets = targets(args, &inventory, &issuers)?;
    let now = host::now().replace_nanosecond(0).unwrap_or_else(|_| host::now());
    let mut entries = Vec::new();
    for Target { certificate, profile } in &targets {
        entries.push(Entry::new(certificate, profile, certificate.not_before)?);
    }
    let done = inventory.revoke(&Entry::of_ca(chain.ca())?, &entries, args.reason, now)?;
    let certificates = targets.iter().zip(done).map(|(target, done)| Outcome {
        serial: target.certificate.serial.to_string(),
        subject: target.certificate.subject.to_string(),
        profile: target.profile.clone(),
        changed: done == Revocation::Done,
        revoked_at: match done {
            Revocation::Done => moment(now),
            Revocation::Already(before) => before,
        },
    });
    let certificates: Vec<Outcome> = certificates.collect();
    let warnings = if certificates.iter().any(|revoked| revoked.changed) {
        warnings(&targets)
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
fn warnings(targets: &[Target]) -> Vec<String> {
    let mut warnings = vec![
        "members accept these certificates until they have a new CRL: run etcdpki apply -f cluster.yaml if the \
         manifest says crl: true, and copy the hosts' folders; otherwise etcdpki crl --der --out FILE"
            .to_owned(),
        "etcd checks the CRL when a connection begins: connections that are open stay open until they end or the \
         member restarts"
            .to_owned(),
    ];
    if targets.iter().any(|target| ["server", "peer"].contains(&&*target.profile)) {
        warnings.push(
            "a member stays in the cluster, and the others connect to it, until it is removed: etcdctl member list, \
             then etcdctl member remove ID"
                .to_owned(),
        );
    }
    warnings
}

fn targets(
    args: &RevokeArgs,
    inventory: &Inventory,
    issuers: &Issuers,
) -> Result<Vec<Target>, Failure> {
    let mut targets: Vec<Target> = Vec::new();
    let mut add = |target: Target| {
        if targets.iter().all(|known| known.certificate != target.certificate) {
            targets.push(target);
        }
    };
    for text in &args.certificates {
        let path = Path::new(text);
        if store::is_there(path)? || text == "-" {
            add(of_file(path, inventory, issuers)?);
        } else {
            of_serial(text, inventory, issuers)?.into_iter().for_each(&mut add);
        }
    }
    if let Some(host) = &args.host {
        let now = moment(host::now());
        let filter = Filter { host: Some(host.clone()), ..Filter::default() };
        let rows = inventory.find(&filter)?;
        let is_valid = |row: &&Row| row.status != Status::Revoked && row.not_after > now;
        let mut found = false;
        for row in rows.iter().filter(is_valid).filter(|row| row.profile != CA_PROFILE) {
            found = true;
            add(Target { certificate: inventory.certificate(row)?, profile: row.profile.clone() });
        }
        if !found {
            let problem = match rows.len() {
                0 => "the inventory has no certificate of this host",
                _ => "all its certificates are revoked already, or expired",
            };
            return Err(Failure::refused(format!("--host {}: {problem}", quote::value(host)))
                .hinted(
                    "see etcdpki list --host HOST; certificates in files: etcdpki revoke FILE",
                ));
        }
    }
    Ok(targets)
}

fn of_file(path: &Path, inventory: &Inventory, issuers: &Issuers) -> Result<Target, Failure> {
    let in_file = |error: pki_core::Error| Failure::from(error).in_file(path);
    let certificate =
        Certificate::from_pem_or_der(&store::read(path)?).map_err(in_file)?.swap_remove(0);
    if issuers.is_one(&certificate) {
        return Err(itself(&shown(path)));
    }
    if !issuers.issued(&certificate) {
        let (issuer, ca) = (&certificate.issuer, &issuers.issuing().subject);
        let problem = format!("{}: issued by {issuer}, not by this CA, {ca}", shown(path));
        return Err(
            Failure::refused(problem).hinted("name the folder of the CA that issued it with --dir")
        );
    }
    let filter = Filter { serial: Some(certificate.serial.clone()), ..Filter::default() };
    let rows = inventory.find(&filter)?;
    let profile =
        rows.first().map_or_else(|| profile_of(&certificate).to_owned(), |row| row.profile.clone());
    Ok(Target { certificate, profile })
}

fn of_serial(text: &str, inventory: &Inventory, issuers: &Issuers) -> Result<Vec<Target>, Failure> {
    let quoted = quote::value(text);
    let serial: SerialNumber = text.parse().map_err(|_| {
        Failure::usage(format!("{quoted}: neither a file nor a serial number in hexadecimal"))
            .hinted("list the serial numbers with etcdpki list")
    })?;
    let filter = Filter { serial: Some(serial), ..Filter::default() };
    let mut targets = Vec::new();
    for row in inventory.find(&filter)? {
        let certificate = inventory.certificate(&row)?;
        if issuers.is_one(&certificate) {
            return Err(itself(&quoted));
        }
        if issuers.issued(&certificate) {
            targets.push(Target { certificate, profile: row.profile });
        }
    }
    if targets.is_empty() {
        return Err(Failure::refused(format!(
            "{quoted}: the inventory has no certificate of this CA with this serial number"
        ))
        .hinted("list the serial numbers with etcdpki list; or name the certificate's file"));
    }
    Ok(targets)
}

fn itself(what: &str) -> Failure {
    Failure::refused(format!("{what} is the CA itself, which its own CRL cannot revoke"))
        .hinted("replace the CA, and remove it from the trust files of every host")
}
