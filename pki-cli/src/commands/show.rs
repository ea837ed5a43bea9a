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

/// A certificate that was found.
struct FoundCertificate {
    row: Row,
    /// The name of its CA if there are several.
    ca: Option<&'static str>,
    certificate: Certificate,
}

pub(crate) fn run(args: &ShowArgs, common: &Common) -> Result<ExitCode, Failure> {
    let cas = args.folder.cas(common)?;
    let filter = Filter { serial: Some(args.serial.clone()), ..Filter::default() };
    let (mut found, mut searched) = (Vec::new(), Vec::new());
    let read = cas.each(|folder| {
        let inventory = Inventory::of_ca(folder)?;
        searched.push(shown(inventory.path()));
        for row in inventory.find(&filter)? {
            let (ca, certificate) = (cas.name_of(folder), inventory.certificate(&row)?);
            found.push(FoundCertificate { row, ca, certificate });
        }
        Ok(())
    });
    if found.is_empty() {
        read?;
        let searched = searched.join(", ");
        return Err(Failure::refused(format!(
            "{searched}: no certificate has the serial number {}",
            args.serial
        ))
        .hinted("list all with etcdpki list"));
    }
    if common.format == Format::Json {
        let certificates = found.iter().map(|FoundCertificate { row, ca, certificate }| {
            Ok(Shown {
                record: RecordFacts::of(row, *ca),
                certificate: CertificateFacts::from(certificate),
                pem: certificate.to_pem()?,
            })
        });
        let certificates = certificates.collect::<Result<_, pki_core::Error>>()?;
        json::print(&ShowOutput { certificates })?;
    } else {
        let texts: Result<Vec<String>, Failure> =
            found.iter().map(|found| text_of(&found.row, &found.certificate)).collect();
        host::print(&texts?.join("\n"))?;
    }
    read.map(|()| ExitCode::SUCCESS)
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
