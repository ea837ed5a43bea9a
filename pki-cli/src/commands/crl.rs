//! `etcdpki crl`

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use pki_core::Crl;
use serde::Serialize;
use time::Duration;

use super::cluster::FolderArgs;
use super::custody::CustodyArgs;
use super::{Common, air_gap, lifetime};
use crate::ca::{Ca, Chain, CrlState, LockedFolder, check_foreign, pending_crl_path};
use crate::failure::{Failure, Kind, shown};
use crate::host;
use crate::output::facts::moment;
use crate::output::{Format, json};
use crate::recorded::Recorded;
use crate::signer::Custody;
use crate::store::{self, Access, Batch, Existing};
use crate::unsigned::{self, Unsigned};

/// Issue a CRL that lists the revoked certificates
///
/// Each CRL has the next number, which the inventory keeps. etcd 3.6 reads only DER; with a CRL in PEM
/// it rejects every client. etcd does not check the issuer, the signature and the dates of a CRL, so an old
/// one goes unnoticed: run `crl --check` from time to time.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  etcdpki crl --der --out /etc/etcd/crl.der\n  \
    etcdpki crl | openssl crl -noout -text\n  etcdpki crl --check\n  \
    etcdpki crl --check --out /etc/etcd/crl.der\n  \
    etcdpki crl --tbs-out crl.tbs\n  etcdpki crl --der --out crl.der --signature-in crl.tbs.sig")]
pub(crate) struct CrlArgs {
    /// The file to write. If it exists, it must be a CRL, which is replaced [default: standard output]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,

    /// Write DER instead of PEM
    #[arg(long)]
    der: bool,

    /// Time until the nextUpdate of the CRL
    #[arg(long, value_name = "DURATION", default_value = "30d", allow_hyphen_values = true,
        value_parser = lifetime)]
    next_update: Duration,

    /// Issue nothing; exit with 1 if a CRL is due: a revoked certificate is not on the newest CRL, or less
    /// than a third of its time is left. With --out, check the CRL in that file
    #[arg(long, conflicts_with_all = ["der", "next_update"])]
    check: bool,

    /// Do not sign: write the bytes to sign to this file. The same command with --signature-in finishes the CRL
    #[arg(long, value_name = "PATH",
        conflicts_with_all = ["check", "ca_passphrase", "signer_cmd", "pkcs11"])]
    tbs_out: Option<PathBuf>,

    /// Take the signature of the bytes of --tbs-out from this file
    #[arg(long, value_name = "FILE",
        conflicts_with_all = ["check", "ca_passphrase", "signer_cmd", "pkcs11", "tbs_out", "next_update"])]
    signature_in: Option<PathBuf>,

    #[command(flatten)]
    folder: FolderArgs,

    #[command(flatten)]
    custody: CustodyArgs,
}

#[derive(Serialize)]
struct CrlOutput {
    number: u64,
    this_update: String,
    next_update: Option<String>,
    revoked: usize,
    file: Option<String>,
    pem: String,
}

#[derive(Serialize)]
struct CheckOutput {
    ok: bool,
    number: Option<u64>,
    this_update: Option<String>,
    next_update: Option<String>,
    problems: Vec<String>,
}

pub(crate) fn run(args: &CrlArgs, common: &Common) -> Result<ExitCode, Failure> {
    let folder = args.folder.of_ca(common)?;
    if args.check {
        return check(args.out.as_deref(), &folder, common);
    }
    if let Some(out) = &args.out {
        check_foreign(&folder, out)?;
        check_replaceable(out)?;
    }
    let custody = match (&args.tbs_out, &args.signature_in) {
        (None, None) => args.custody.custody()?,
        _ => Custody::elsewhere(),
    };
    let ca = Ca::open(&folder, common.owners(), &custody)?;
    for remark in ca.remarks() {
        host::say(&format!("warning: {remark}\n"));
    }
    let locked = LockedFolder::lock(&folder, common.owners())?;
    let crl = match (&args.tbs_out, &args.signature_in) {
        (Some(tbs_out), _) => return send(&ca, &locked, tbs_out, args.next_update, common),
        (None, Some(signature_in)) => receive(&ca, &locked, signature_in)?,
        (None, None) => ca.issue_crl(args.next_update)?,
    };
    let last = CrlState::read(locked.path(), ca.certificate(), host::now())?.last;
    drop(locked);
    let crl = crl.get();
    let number = last.map_or(0, |last| last.number);
    let pem = crl.to_pem()?;
    let bytes = if args.der { crl.der() } else { pem.as_bytes() };
    if let Some(out) = &args.out {
        let mut batch = Batch::new(Existing::Replace);
        batch.stage(out.clone(), bytes, Access::Public)?;
        batch.commit()?;
    }
    let file = args.out.as_deref().map(shown);
    let next_update = crl.next_update.map(moment);
    let revoked = crl.len();
    match (common.format, file) {
        (Format::Json, file) => {
            let this_update = moment(crl.this_update);
            json::print(&CrlOutput { number, this_update, next_update, revoked, file, pem })?;
        }
        (_, Some(file)) => host::print(&format!(
            "issued the CRL {number}: {revoked} revoked certificates\n  next update {}\n  wrote       {file}\n",
            next_update.unwrap_or_default(),
        ))?,
        (_, None) if args.der => host::print_bytes(bytes)?,
        (_, None) => host::print(&pem)?,
    }
    Ok(ExitCode::SUCCESS)
}

/// Drafts the next CRL, for a signature from elsewhere. A draft that waits is replaced.
fn send(
    ca: &Ca,
    folder: &LockedFolder,
    tbs_out: &Path,
    lifetime: Duration,
    common: &Common,
) -> Result<ExitCode, Failure> {
    air_gap::check_tbs_out(folder.path(), tbs_out)?;
    let tbs = ca.draft_crl(lifetime)?.tbs().to_vec();
    let pending = pending_crl_path(folder.path());
    let mut batch = Batch::new(Existing::Replace);
    Unsigned { tbs, again: None, key: None }.stage(&mut batch, &pending, tbs_out)?;
    batch.commit()?;
    air_gap::print_next(&pending, tbs_out, &ca.certificate().public_key, common.format)
}

/// Finishes the CRL that was drafted. What was revoked since then waits for the next one, which `crl --check` says.
fn receive(ca: &Ca, folder: &LockedFolder, signature_in: &Path) -> Result<Recorded<Crl>, Failure> {
    let pending = pending_crl_path(folder.path());
    let unsigned = Unsigned::read(&pending)?;
    let signature = unsigned.signature(&ca.certificate().public_key, signature_in)?;
    let crl = ca.finish_crl(&unsigned.tbs, &signature)?;
    unsigned::remove(&pending)?;
    let state = CrlState::read(folder.path(), ca.certificate(), host::now())?;
    if let Some(due) = state.due {
        host::say(&format!("warning: {due}; issue another CRL\n"));
    }
    Ok(crl)
}

/// Refuses to replace a file that is not a CRL: perhaps two paths were swapped.
fn check_replaceable(out: &Path) -> Result<(), Failure> {
    if !store::is_there(out)? {
        return Ok(());
    }
    Batch::new(Existing::Replace).check_place(out)?;
    match Crl::from_pem_or_der(&store::read_regular(out)?) {
        Ok(_) => Ok(()),
        Err(_) => Err(Failure::environment(format!("{} exists and is not a CRL", shown(out)))
            .hinted("write elsewhere, or remove the file")),
    }
}

fn check(file: Option<&Path>, folder: &Path, common: &Common) -> Result<ExitCode, Failure> {
    let chain = Chain::read(folder)?;
    let ca = chain.ca();
    let now = host::now();
    let mut problems = Vec::new();
    let (crl, number, due) = if let Some(file) = file {
        let crl = Crl::from_pem_or_der(&store::read(file)?)
            .map_err(|error| Failure::from(error).in_file(file))?;
        if crl.issuer.der() != ca.subject.der() || !crl.is_signed_by(&ca.public_key) {
            problems.push(format!("{} was not issued by this CA, {}", shown(file), ca.subject));
        }
        let CrlState { last, due } = CrlState::of_crl(folder, ca, &crl, now)?;
        let number = last.as_ref().filter(|last| last.crl == crl).map(|last| last.number);
        if let Some(last) = last.filter(|_| number.is_none() && problems.is_empty()) {
            let file = shown(file);
            problems.push(format!("{file} is not the newest CRL, whose number is {}", last.number));
        }
        (Some(crl), number, due)
    } else {
        let CrlState { last, due } = CrlState::read(folder, ca, now)?;
        let (number, crl) = last.map(|last| (last.number, last.crl)).unzip();
        (crl, number, due)
    };
    problems.extend(due.map(|due| due.to_string()));
    let crl = crl.as_ref();
    let ok = problems.is_empty();
    let next_update = crl.and_then(|crl| crl.next_update).map(moment);
    if common.format == Format::Json {
        json::print(&CheckOutput {
            ok,
            number,
            this_update: crl.map(|crl| moment(crl.this_update)),
            next_update,
            problems,
        })?;
    } else if ok {
        let listed = crl.map_or(0, Crl::len);
        let end = next_update.unwrap_or_default();
        host::print(&format!("ok: {listed} revoked certificates, next update {end}\n"))?;
    } else {
        let lines: Vec<String> = problems.iter().map(|problem| format!("{problem}\n")).collect();
        host::print(&lines.concat())?;
        host::say("  fix: run etcdpki apply -f cluster.yaml, or etcdpki crl --der --out FILE\n");
    }
    Ok(if ok { ExitCode::SUCCESS } else { ExitCode::from(Kind::Refused.exit_code()) })
}
