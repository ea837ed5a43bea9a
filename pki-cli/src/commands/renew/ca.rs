//! `renew --ca`: the CA's own certificate, for the same key.

use std::collections::BTreeSet;
use std::path::Path;

use pki_core::{Certificate, Traffic};

use super::args::RenewArgs;
use super::output::{Line, RenewOutput, warn};
use super::target::of_host;
use crate::ca::{self, Ca, Chain, LockedFolder, certificate_path, hosts_of};
use crate::commands::Common;
use crate::failure::{Failure, shown};
use crate::host;
use crate::hosts;
use crate::output::Format;
use crate::output::facts::moment;
use crate::signer::Custody;

pub(super) fn run(
    folder: &LockedFolder,
    chain: Chain,
    custody: &Custody,
    args: &RenewArgs,
    common: &Common,
    output: &mut RenewOutput,
) -> Result<(), Failure> {
    let old = chain.ca().clone();
    let ca = Ca::with_key(folder.path(), chain, custody)?;
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
    if args.dry_run {
        output.warnings.extend(warnings);
    } else {
        // Checked before anything is changed.
        if common.format == Format::Json {
            output.warnings.extend(warnings);
        } else {
            warn(&warnings);
        }
        let new = ca.renew_itself(folder, draft)?;
        line.new_serial = Some(new.serial.to_string());
        line.new_not_after = Some(moment(new.not_after));
        output.changed = true;
        output.next.extend(next(folder.path(), &old, args));
    }
    output.certificates.push(line);
    Ok(())
}

/// What is to be done after a CA was renewed. The client port of a member also trusts the CA for servers.
fn next(folder: &Path, old: &Certificate, args: &RenewArgs) -> [String; 2] {
    let manifest = shown(args.folder.manifest.as_deref().unwrap_or(Path::new("MANIFEST")));
    let traffic = ca::traffic_of(folder);
    let (files, hosts) = match traffic {
        None => ("ca.pem", "every host"),
        Some(Traffic::Server) => ("ca.pem and client-ca.pem", "every host"),
        Some(Traffic::Peer) => ("peer-ca.pem", "every member"),
        Some(Traffic::Client) => ("client-ca.pem", "every member"),
    };
    let processes = match traffic {
        None | Some(Traffic::Server) => "every member and every API server",
        Some(Traffic::Peer | Traffic::Client) => "every member",
    };
    let end = moment(old.not_after);
    [
        format!("etcdpki apply -f {manifest}, then copy {files} to {hosts}"),
        format!(
            "restart {processes}, one after the other, before {end}: they read {files} only when they start"
        ),
    ]
}

/// The certificates whose authorityKeyIdentifier names the serial number of a certificate of the CA, as far as the hosts'
/// folders and the inventory know them.
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
