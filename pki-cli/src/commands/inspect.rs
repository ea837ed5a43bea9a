//! `etcdpki inspect`

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use pki_core::{Certificate, CertificateRequest, Content, PrivateKey, Signer, quote};
use serde::Serialize;

use super::Common;
use crate::failure::{Failure, shown};
use crate::output::facts::{Facts, KeyFacts};
use crate::output::json::FailureFacts;
use crate::output::{Format, json, text};
use crate::{host, store};

/// Show everything in certificates, requests and keys
///
/// Reads PEM and DER. A file can contain several objects. For a private key, shows only its algorithm and
/// its key identifier. A file that cannot be read does not hide the others.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  etcdpki inspect pki/ca.pem etcdone.pem\n  \
    openssl s_client -connect 127.0.0.1:2379 </dev/null | etcdpki inspect -\n  \
    etcdpki inspect --format json etcdone.pem | jq -r '.files[].contents[].not_after'")]
pub(crate) struct InspectArgs {
    /// The files to show; `-` is standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
}

#[derive(Serialize)]
struct InspectOutput<'a> {
    files: Vec<Inspected<'a>>,
}

#[derive(Serialize)]
struct Inspected<'a> {
    file: String,
    contents: &'a [Facts],
    /// Why the file could not be shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<FailureFacts<'a>>,
}

pub(crate) fn run(args: &InspectArgs, common: &Common) -> Result<ExitCode, Failure> {
    if let [path] = args.files.as_slice() {
        return show(&[(path, Ok(inspect(path)?))], common.format);
    }
    // A file that cannot be read does not hide the others.
    let all: Vec<_> = args.files.iter().map(|path| (path, inspect(path))).collect();
    show(&all, common.format)
}

/// Shows what each file contains. The exit code is that of the worst failure.
fn show(
    files: &[(&PathBuf, Result<Vec<Facts>, Failure>)],
    format: Format,
) -> Result<ExitCode, Failure> {
    if format == Format::Json {
        let mut inspected = Vec::new();
        for (path, result) in files {
            inspected.push(Inspected {
                file: path.display().to_string(),
                contents: result.as_deref().unwrap_or_default(),
                error: result.as_ref().err().map(FailureFacts::from),
            });
        }
        json::print(&InspectOutput { files: inspected })?;
    }
    let mut worst = 0;
    for (path, result) in files {
        match result {
            Ok(contents) if format != Format::Json => {
                let name = shown(path);
                let shown = contents.iter().map(|facts| format!("{name}: {}", text::facts(facts)));
                host::print(&shown.collect::<String>())?;
            }
            Ok(_) => {}
            Err(failure) => {
                worst = worst.max(failure.kind.exit_code());
                host::say(&text::failure(failure));
            }
        }
    }
    Ok(ExitCode::from(worst))
}

fn inspect(path: &Path) -> Result<Vec<Facts>, Failure> {
    let bytes = store::read(path)?;
    let in_file = |error: pki_core::Error| Failure::from(error).in_file(path);
    if bytes.trim_ascii().is_empty() {
        return Err(Failure::usage("the input is empty")
            .hinted("copy it again from where it was created")
            .in_file(path));
    }
    if !pki_core::is_pem(&bytes) {
        return inspect_der(&bytes).map(|facts| vec![facts]).ok_or_else(|| {
            Failure::usage("neither PEM nor a certificate, request or private key in DER")
                .hinted(format!(
                    "look at the file with `openssl asn1parse -inform DER -in {}`",
                    shown(path)
                ))
                .in_file(path)
        });
    }
    let mut contents = Vec::new();
    for section in pki_core::read_pem(&bytes).map_err(in_file)? {
        contents.push(match section.content {
            Content::Certificate(der) => {
                certificate(&Certificate::from_der(&der).map_err(in_file)?)
            }
            Content::CertificateRequest(der) => {
                request(&CertificateRequest::from_der(&der).map_err(in_file)?)
            }
            Content::PrivateKey(der) => key(&PrivateKey::from_der(&der).map_err(in_file)?),
            Content::EncryptedKey(_) | Content::LegacyEncryptedKey => Facts::EncryptedKey {},
            Content::PublicKey(_) => Facts::Other { label: "PUBLIC KEY".to_owned() },
            Content::Crl(_) => Facts::Other { label: "X509 CRL".to_owned() },
            Content::Other(label) => Facts::Other { label: quote::name(&label) },
            // EC PARAMETERS only repeat the curve of the key that follows.
            _ => continue,
        });
    }
    Ok(contents)
}

fn inspect_der(bytes: &[u8]) -> Option<Facts> {
    if let Ok(found) = Certificate::from_der(bytes) {
        return Some(certificate(&found));
    }
    if let Ok(found) = CertificateRequest::from_der(bytes) {
        return Some(request(&found));
    }
    PrivateKey::from_der(bytes).ok().map(|found| key(&found))
}

fn certificate(certificate: &Certificate) -> Facts {
    Facts::Certificate(Box::new(certificate.into()))
}

fn request(request: &CertificateRequest) -> Facts {
    Facts::CertificateRequest(Box::new(request.into()))
}

fn key(key: &PrivateKey) -> Facts {
    Facts::PrivateKey(KeyFacts::from(key.public_key()))
}
