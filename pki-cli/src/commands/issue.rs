//! `etcdpki issue`

mod air_gap;
mod args;
mod input;

use std::fmt::{self, Write as _};
use std::path::Path;
use std::process::ExitCode;

use pki_core::{Error, Input, Issued, LeftOut, Profile, SigningConfig};
use serde::Serialize;

pub(crate) use self::args::IssueArgs;
use self::input::IssueInput;
use super::Common;
use crate::ca::{Ca, LockedFolder, certificate_path};
use crate::failure::{Failure, shown};
use crate::host;
use crate::inventory::FilePlace;
use crate::output::facts::{self, CertificateFacts, FindingFacts};
use crate::output::{Format, json, text};
use crate::signer::Custody;
use crate::store;
use crate::unsigned;

#[derive(Serialize)]
struct IssueOutput {
    certificate: CertificateFacts,
    profile: String,
    files: Files,
    findings: Vec<FindingFacts>,
    left_out: Vec<String>,
}

#[derive(Serialize)]
struct Files {
    certificate: String,
    key: Option<String>,
}

impl Files {
    fn of(input: &IssueInput) -> Self {
        Self {
            certificate: shown(&input.files.certificate),
            key: input.key.as_ref().map(|_| shown(&input.files.key)),
        }
    }
}

impl fmt::Display for Files {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(key) = &self.key {
            write!(f, "{key}, ")?;
        }
        f.write_str(&self.certificate)
    }
}

pub(crate) fn run(args: &IssueArgs, common: &Common) -> Result<ExitCode, Failure> {
    if args.out == Path::new("-") {
        return Err(Failure::usage(
            "--out -: issue writes a certificate and a key, which are two files",
        )
        .hinted("name a folder with --out"));
    }
    let config = match &args.config {
        Some(path) => SigningConfig::from_json(&store::read(path)?)
            .map_err(|error| Failure::from(error).in_file(path))?,
        None => SigningConfig::etcd(),
    };
    let profile = config.profile(&args.profile).map_err(|error| match &args.config {
        Some(path) => Failure::from(error).in_file(path),
        None => Failure::from(error),
    })?;
    let folder = common.folder();
    let custody = match (&args.tbs_out, &args.signature_in) {
        (None, None) => args.custody.custody()?,
        _ => Custody::elsewhere(),
    };
    let ca = Ca::open(&folder, common.owners(), &custody)?;
    let input = input::gather(args, profile, &folder)?;
    let not_drafted = |error| not_drafted(error, args, &input, &folder);
    let signed = match (&args.tbs_out, &args.signature_in, &input.pending) {
        (Some(tbs_out), ..) => {
            let context = air_gap::context()?;
            let draft = ca.draft(&input.request, profile, &context).map_err(not_drafted)?;
            let (files, key) = (&input.files, input.key.as_ref());
            return air_gap::send(&draft, &context, files, key, &ca, tbs_out, common);
        }
        (None, Some(signature_in), Some(pending)) => {
            let draft = ca.draft(&input.request, profile, &pending.context).map_err(not_drafted)?;
            let signature = pending.signature(&draft, &input.files, &ca, signature_in)?;
            ca.finish(&draft, &signature, profile, host::now()).map_err(not_drafted)?
        }
        _ => {
            let context = host::issuance_context()?;
            ca.sign(&input.request, profile, &context).map_err(not_drafted)?
        }
    };

    for remark in ca.remarks() {
        host::say(&format!("warning: {remark}\n"));
    }
    // Other processes that write files of this name wait.
    let _folder = LockedFolder::lock(&folder, common.owners())?;
    if !args.chain && ca.chain().intermediates().next().is_some() {
        host::say(
            "warning: the file does not contain the intermediate CA, which etcd and its clients need behind the \
             certificate: add --chain\n",
        );
    }
    let signed = signed.at(&FilePlace::elsewhere(&input.files.certificate));
    let staged = signed.stage(|issued| {
        let mut pem = issued.certificate.to_pem()?;
        for above in ca.chain().intermediates().filter(|_| args.chain) {
            pem.push_str(&above.to_pem()?);
        }
        Ok((input.files.stage(&pem, input.key.as_ref())?, issued))
    })?;
    let (pair, issued) = ca.record(staged)?.split();
    pair.put()?;
    if input.pending.is_some() {
        unsigned::remove(&input.files.pending);
    }
    let files = Files::of(&input);
    let written = files.to_string();
    print(common, profile, issued.get(), files).map_err(|failure| {
        failure.hinted(format!("the certificate was issued nevertheless: {written}"))
    })?;
    Ok(ExitCode::SUCCESS)
}

/// Why there is no draft, with the files that contributed to it.
fn not_drafted(error: Error, args: &IssueArgs, input: &IssueInput, folder: &Path) -> Failure {
    let file = match (&error, error.input()) {
        // The profile makes a name from the common name.
        (Error::Invalid(_), Some(Input::Subject)) => {
            input.named_by.as_ref().or(args.config.as_ref())
        }
        (Error::Invalid(_), Some(Input::Profile)) => args.config.as_ref(),
        (Error::NotAdmitted(_), _) => args.config.as_ref().or(args.csr.as_ref()),
        _ => None,
    };
    let file = file.cloned();
    let mut failure = Failure::from(error).naming(Input::Subject, "--cn");
    if !failure.findings.is_empty() {
        let _ = write!(failure.message, " (CA {}", shown(&certificate_path(folder)));
        for (what, path) in [("request", &args.csr), ("profile of", &args.config)] {
            if let Some(path) = path {
                let _ = write!(failure.message, ", {what} {}", shown(path));
            }
        }
        failure.message.push(')');
    }
    match file {
        Some(path) => failure.in_file(&path),
        None => failure,
    }
}

fn print(common: &Common, profile: &Profile, issued: &Issued, files: Files) -> Result<(), Failure> {
    if !issued.findings.is_empty() {
        host::say(&text::findings(&issued.findings));
    }
    for left_out in &issued.left_out {
        let profile = &profile.name;
        let advice = if matches!(left_out, LeftOut::Name(_)) { " (--san adds names)" } else { "" };
        host::say(&format!(
            "note: left out {left_out}: the profile {profile} does not take it from a request{advice}\n"
        ));
    }
    let certificate = CertificateFacts::from(&issued.certificate);
    if common.format == Format::Json {
        return json::print(&IssueOutput {
            certificate,
            profile: profile.name.clone(),
            files,
            findings: facts::findings(&issued.findings),
            left_out: issued.left_out.iter().map(ToString::to_string).collect(),
        });
    }
    let names = certificate.extensions.subject_alt_name.unwrap_or_default();
    host::print(&format!(
        "issued {} for {}\n  names   {}\n  valid   {} to {}\n  serial  {}\n  wrote   {files}\n",
        profile.name,
        certificate.subject,
        if names.is_empty() { "none".to_owned() } else { names.join(", ") },
        certificate.not_before,
        certificate.not_after,
        certificate.serial,
    ))
}
