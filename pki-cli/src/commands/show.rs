//! `etcdpki show`

use std::process::ExitCode;

use pki_core::{Certificate, SerialNumber, quote};
use serde::Serialize;

use super::cluster::FolderArgs;
use super::{Common, core};
use crate::failure::{Failure, shown};
use crate::host;
use crate::inventory::{Filter, Inventory, Row};
use crate::output::facts::{CertificateFacts, Facts};
use crate::output::record::RecordFacts;
use crate::output::{Format, json, text};

/// Show what the inventory has about a certificate, and the certificate itself
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  etcdpki show 5add56…\n  \
    etcdpki show \"$(openssl x509 -noout -serial -in etcdone.pem | cut -d= -f2)\"")]
pub(crate) struct ShowArgs {
    /// The serial number in hexadecimal, with or without colons
    #[arg(value_name = "SERIAL", value_parser = |text: &str| core(text.parse::<SerialNumber>()))]
    serial: SerialNumber,

    #[command(flatten)]
    folder: FolderArgs,
}

#[derive(Serialize)]
struct ShowOutput {
    certificates: Vec<Shown>,
}

#[derive(Serialize)]
struct Shown {
    record: RecordFacts,
    certificate: CertificateFacts,
    pem: String,
}

pub(crate) fn run(args: &ShowArgs, common: &Common) -> Result<ExitCode, Failure> {
    let inventory = Inventory::of_ca(&args.folder.of_ca(common)?)?;
    let filter = Filter { serial: Some(args.serial.clone()), ..Filter::default() };
    let rows = inventory.find(&filter)?;
    if rows.is_empty() {
        let path = shown(inventory.path());
        return Err(Failure::refused(format!(
            "{path}: no certificate has the serial number {}",
            args.serial
        ))
        .hinted("list all with etcdpki list"));
    }
    let mut found = Vec::new();
    for row in &rows {
        found.push((row, inventory.certificate(row)?));
    }
    if common.format == Format::Json {
        let certificates = found.iter().map(|(row, certificate)| {
            Ok(Shown {
                record: RecordFacts::from(*row),
                certificate: CertificateFacts::from(certificate),
                pem: certificate.to_pem()?,
            })
        });
        let certificates = certificates.collect::<Result<_, pki_core::Error>>()?;
        json::print(&ShowOutput { certificates })?;
    } else {
        let texts: Result<Vec<String>, Failure> =
            found.iter().map(|(row, certificate)| text_of(row, certificate)).collect();
        host::print(&texts?.join("\n"))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn text_of(row: &Row, certificate: &Certificate) -> Result<String, Failure> {
    let status = match (row.reason(), &row.revoked_at) {
        (Some(reason), Some(at)) => format!("revoked at {at}: {reason}"),
        _ => row.status.as_str().to_owned(),
    };
    let name = |text: &Option<String>| text.as_deref().map_or_else(|| "-".to_owned(), quote::name);
    let facts = text::facts(&Facts::Certificate(Box::new(certificate.into())));
    Ok(format!(
        "status {status}\nprofile {}\nissued {}\nhost {}\nfile {}\n{facts}{}",
        quote::name(&row.profile),
        row.issued_at,
        name(&row.host),
        name(&row.path),
        certificate.to_pem()?
    ))
}
