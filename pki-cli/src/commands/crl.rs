//! `etcdpki crl`

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use pki_core::Crl;
use serde::Serialize;
use time::Duration;

use super::cluster::{CaFolders, FolderArgs};
use super::custody::CustodyArgs;
use super::{Common, air_gap, lifetime};
use crate::ca::{
    Ca, Chain, CrlState, LockedFolder, check_foreign, crl_file, pending_crl_path, traffic_of,
};
use crate::failure::{Failure, Kind, shown};
use crate::host;
use crate::inventory::Inventory;
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
///
/// With separate CAs, each issues a CRL. Standard output then has all of them in PEM; for --out and --der,
/// --dir must name one CA.
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
    let cas = args.folder.cas(common)?;
    if args.out.is_some() || args.der || args.signature_in.is_some() {
        // A file has one CRL, and so does DER.
        cas.only()?;
    }
    if args.check {
        return check(&cas, args.out.as_deref(), common);
    }
    if let Some(tbs_out) = &args.tbs_out {
        return send(cas.only()?, tbs_out, args.next_update, common);
    }
    let custody = match args.signature_in {
        Some(_) => Custody::elsewhere(),
        None => args.custody.custody()?,
    };
    let mut outputs = Vec::new();
    let issued = cas.each(|folder| {
        let output = issue(folder, args, &custody, common)?;
        outputs.push((cas.name_of(folder), output));
        Ok(())
    });
    if common.format == Format::Json {
        json::print_of_cas(outputs)?;
    }
    issued.map(|()| ExitCode::SUCCESS)
}

/// Issues the CRL of one CA, and prints it unless the format is JSON.
fn issue(
    folder: &Path,
    args: &CrlArgs,
    custody: &Custody,
    common: &Common,
) -> Result<CrlOutput, Failure> {
    if let Some(out) = &args.out {
        check_foreign(folder, out)?;
        check_replaceable(out)?;
    }
    let (ca, locked) = open(folder, custody, common)?;
    let crl = match &args.signature_in {
        Some(signature_in) => receive(&ca, &locked, signature_in)?,
        None => ca.issue_crl(args.next_update)?,
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
    match (common.format, &file) {
        (Format::Json, _) => {}
        (_, Some(file)) => host::print(&format!(
            "issued the CRL {number}: {revoked} revoked certificates\n  next update {}\n  wrote       {file}\n",
            next_update.as_deref().unwrap_or_default(),
        ))?,
        (_, None) if args.der => host::print_bytes(bytes)?,
        (_, None) => host::print(&pem)?,
    }
    let this_update = moment(crl.this_update);
    Ok(CrlOutput { number, this_update, next_update, revoked, file, pem })
}

/// Opens a CA, says what is unusual about it, and locks its folder.
fn open(folder: &Path, custody: &Custody, common: &Common) -> Result<(Ca, LockedFolder), Failure> {
    let ca = Ca::open(folder, common.owners(), custody)?;
    for remark in ca.remarks() {
        host::say(&format!("warning: {remark}\n"));
    }
    Ok((ca, LockedFolder::lock(folder, common.owners())?))
}

/// Drafts the next CRL, for a signature from elsewhere. A draft that waits is replaced.
fn send(
    folder: &Path,
    tbs_out: &Path,
    lifetime: Duration,
    common: &Common,
) -> Result<ExitCode, Failure> {
    let (ca, folder) = open(folder, &Custody::elsewhere(), common)?;
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
    unsigned::remove(&pending);
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

/// Checks whether the CRLs of the CAs are due.
fn check(cas: &CaFolders, file: Option<&Path>, common: &Common) -> Result<ExitCode, Failure> {
    let mut outputs = Vec::new();
    let checked = cas.each(|folder| {
        if cas.are_several() && is_unused(folder)? {
            return Ok(());
        }
        let (output, revoked) = check_one(file, folder)?;
        let name = cas.name_of(folder);
        if common.format != Format::Json {
            host::print(&output.text(name, revoked))?;
        }
        outputs.push((name, output));
        Ok(())
    });
    let ok = outputs.iter().all(|(_, output)| output.ok);
    if common.format == Format::Json {
        json::print_of_cas(outputs)?;
    } else if !ok {
        host::say("  fix: run etcdpki apply -f cluster.yaml, or etcdpki crl --der --out FILE\n");
    }
    checked?;
    Ok(if ok { ExitCode::SUCCESS } else { ExitCode::from(Kind::Refused.exit_code()) })
}

/// Whether a CA needs no CRL: members read none of the CA for servers, and it has revoked nothing.
fn is_unused(folder: &Path) -> Result<bool, Failure> {
    let inventory = Inventory::of(folder);
    Ok(crl_file(traffic_of(folder)).is_none()
        && inventory.last_crls()?.is_empty()
        && inventory.revoked()?.is_empty())
}

/// Checks the CRL in a file, or the newest one of a CA. Also counts the certificates on it.
fn check_one(file: Option<&Path>, folder: &Path) -> Result<(CheckOutput, usize), Failure> {
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
    let output = CheckOutput {
        ok: problems.is_empty(),
        number,
        this_update: crl.map(|crl| moment(crl.this_update)),
        next_update: crl.and_then(|crl| crl.next_update).map(moment),
        problems,
    };
    Ok((output, crl.map_or(0, Crl::len)))
}

impl CheckOutput {
    /// What people read about a CA, which has a name if there are several.
    fn text(&self, name: Option<&str>, revoked: usize) -> String {
        let of = name.map(|name| format!("{name}: ")).unwrap_or_default();
        if self.ok {
            let end = self.next_update.as_deref().unwrap_or_default();
            return format!("{of}ok: {revoked} revoked certificates, next update {end}\n");
        }
        let mut text = String::new();
        for problem in &self.problems {
            let _ = writeln!(text, "{of}{problem}");
        }
        text
    }
}
