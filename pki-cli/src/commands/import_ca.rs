//! `etcdpki import-ca`

use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use serde::Serialize;

use super::Common;
use super::cluster::FolderArgs;
use super::custody::CustodyArgs;
use crate::ca::{self, Files, ForeignCa, Scan};
use crate::failure::{Failure, full, shown};
use crate::host;
use crate::output::facts::{self, CertificateFacts, FindingFacts, moment};
use crate::output::{Format, json, text};

/// Take over a CA that cfssl, kubeadm, OpenSSL, easy-rsa or another tool made
///
/// Checks everything before it writes: that key and certificate belong together, that the rules let the CA sign, the
/// signatures up to the root, and who can read the key. Then writes ca.pem and ca-key.pem, and records the CA in the
/// inventory. The originals stay where they are. A key that is encrypted stays encrypted with the same passphrase.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    etcdpki import-ca --cert ca.pem --key ca-key.pem --scan /etc/etcd\n  \
    etcdpki import-ca --cert /etc/kubernetes/pki/etcd/ca.crt --key /etc/kubernetes/pki/etcd/ca.key\n  \
    etcdpki import-ca --cert pki/ca.crt --key pki/private/ca.key --scan pki/issued\n  \
    etcdpki import-ca --cert ca.p12 --ca-passphrase file:password.txt")]
pub(crate) struct ImportCaArgs {
    /// Certificate of the CA, then those above it up to the root; or a PKCS #12 file with the key too
    #[arg(long, value_name = "FILE")]
    cert: PathBuf,

    /// Private key of the CA in PEM, which may be encrypted. Omit it for a PKCS #12 file, and for a key
    /// in a token or behind a command
    #[arg(long, value_name = "FILE", conflicts_with_all = ["pkcs11", "signer_cmd"])]
    key: Option<PathBuf>,

    /// Record the certificates in this folder that the CA issued
    #[arg(long, value_name = "DIR")]
    scan: Option<PathBuf>,

    #[command(flatten)]
    folder: FolderArgs,

    #[command(flatten)]
    custody: CustodyArgs,
}

#[derive(Serialize)]
struct ImportCaOutput {
    certificate: CertificateFacts,
    /// Whether files were written; otherwise the folder had them already.
    written: bool,
    /// How many certificates of the scanned folder are new in the inventory.
    recorded: usize,
    already_recorded: usize,
    of_other_cas: usize,
    findings: Vec<FindingFacts>,
}

pub(crate) fn run(args: &ImportCaArgs, common: &Common) -> Result<ExitCode, Failure> {
    let folder = args.folder.of_ca(common)?;
    let foreign = ForeignCa { certificate: &args.cert, key: args.key.as_deref() };
    let custody =
        if args.key.is_some() || (!args.custody.names_a_place() && ca::has_its_key(&args.cert)?) {
            args.custody.in_file()
        } else {
            args.custody.custody()?
        };
    let checked = foreign.check(&custody)?;
    let chain = checked.chain.clone();
    let findings = checked.findings.clone();
    let scan = match &args.scan {
        Some(folder) => Scan::of(folder, chain.ca())?,
        None => Scan::default(),
    };
    let (files, imported) = checked.put(&folder, common.owners(), &scan)?;

    host::say(&text::findings(&findings));
    for root in chain.other_roots() {
        host::say(&format!(
            "warning: hosts will also trust {}, another root in the file; if they should not, remove it and import again\n",
            root.subject
        ));
    }
    for problem in &scan.unreadable {
        host::say(&format!("warning: not scanned: {problem}\n"));
    }
    for serial in &imported.clashes {
        host::say(&format!(
            "warning: not recorded: a second certificate with the serial number {serial}; revoking one would revoke both\n"
        ));
    }
    let certificate = chain.ca();
    if common.format == Format::Json {
        json::print(&ImportCaOutput {
            certificate: CertificateFacts::from(certificate),
            written: files != Files::Kept,
            recorded: imported.added,
            already_recorded: imported.known,
            of_other_cas: scan.foreign,
            findings: facts::findings(&findings),
        })?;
        return Ok(ExitCode::SUCCESS);
    }
    let done = match files {
        Files::Written if custody.is_file() => format!(
            "wrote   {}, {}",
            shown(&ca::certificate_path(&folder)),
            shown(&ca::key_path(&folder))
        ),
        Files::Written | Files::Completed => {
            format!("wrote   {}", shown(&ca::certificate_path(&folder)))
        }
        Files::Kept => "kept    the files, which were there already".to_owned(),
    };
    let mut page = format!(
        "imported the CA {} into {}\n  valid   {} to {}\n  key     {}\n  {done}\n",
        certificate.subject,
        full(&folder),
        moment(certificate.not_before),
        moment(certificate.not_after),
        certificate.public_key.algorithm_name(),
    );
    if let Some(scanned) = &args.scan {
        let _ = writeln!(
            page,
            "  scanned {}: {} recorded, {} known before, {} of other CAs left out",
            shown(scanned),
            imported.added,
            imported.known,
            scan.foreign
        );
    }
    host::print(&page)?;
    Ok(ExitCode::SUCCESS)
}
