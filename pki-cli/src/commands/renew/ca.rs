//! `renew --ca`: the CA's own certificate, for the same key.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::ExitCode;

use pki_core::Certificate;

use super::target::of_host;
use super::{Line, RenewArgs, RenewOutput};
use crate::ca::{Ca, Chain, LockedFolder, certificate_path, hosts_of};
use crate::commands::Common;
use crate::failure::{Failure, shown};
use crate::host;
use crate::hosts;
use crate::output::Format;
use crate::output::facts::moment;

pub(super) fn run(
    folder: &LockedFolder,
    chain: Chain,
    args: &RenewArgs,
    common: &Common,
) -> Result<ExitCode, Failure> {
    let old = chain.ca().clone();
    let ca = Ca::with_key(folder.path(), chain, &args.custody.custody()?)?;
    let draft = ca.draft_own_renewal()?;
    let mut warnings = ca.remarks().to_vec();
    let bound = bound_to_serial(folder.path(), &ca)?;
    if !bound.is_empty() {
        warnings.push(format!(
            "{} the serial number of a CA certificate, which changes. OpenSSL then rejects them (error 20), but Go and etcd do not. Renew them after the CA with etcdpki renew FILE: {}",
            match bound.len() {
                1 => "1 certificate names".to_owned(),
                count => format!("{count} certificates name"),
            },
            bound.into_iter().collect::<Vec<_>>().join(", ")
        ));
    }
    let mut line = Line {
        file: shown(&certificate_path(folder.path())),
        subject: old.subject.to_string(),
        serial: old.serial.to_string(),
        not_after: moment(old.not_after),
        new_serial: None,
        new_not_after: None,
    };
    let mut next = Vec::new();
    if !args.dry_run {
        // Checked before anything is changed.
        if common.format != Format::Json {
            super::warn(&std::mem::take(&mut warnings));
        }
        let new = ca.renew_itself(folder, draft)?;
        line.new_serial = Some(new.serial.to_string());
        line.new_not_after = Some(moment(new.not_after));
        let manifest = args.folder.manifest.as_deref().unwrap_or(Path::new("MANIFEST"));
        next.push(format!("etcdpki apply -f {}, then copy ca.pem to every host", shown(manifest)));
        next.push(format!(
            "restart every member and every API server, one after the other, before {}: they read ca.pem only when \
             they start",
            moment(old.not_after)
        ));
    }
    let changed = !args.dry_run;
    let output =
        RenewOutput { changed, dry_run: args.dry_run, certificates: vec![line], warnings, next };
    output.print(common.format)?;
    Ok(ExitCode::SUCCESS)
}

/// The certificates whose authorityKeyIdentifier names the serial number of a certificate of the CA, as far as the
/// hosts' folders
/// and the inventory know them.
fn bound_to_serial(folder: &Path, ca: &Ca) -> Result<BTreeSet<String>, Failure> {
    let names_serial = |leaf: &Certificate| {
        // That of this CA certificate, or of one that an earlier renewal replaced.
        leaf.extensions.authority_key_id.as_ref().is_some_and(|aki| aki.serial.is_some())
    };
    let mut bound = BTreeSet::new();
    let all = hosts_of(folder);
    let mut known = BTreeSet::new();
    for host in hosts::list(&all)? {
        for target in of_host(&all, ca.chain(), &host)? {
            if names_serial(target.certificate()) {
                known.insert(target.certificate().der().to_vec());
                bound.insert(target.name());
            }
        }
    }
    let now = host::now();
    for leaf in ca.inventory()?.leaves()? {
        if leaf.not_after > now && names_serial(&leaf) && !known.contains(leaf.der()) {
            bound.insert(format!("{} (serial {})", leaf.subject, leaf.serial));
        }
    }
    Ok(bound)
}
