//! Certificates of the old CA that are in no host's folder, such as those that `issue` wrote. A rotation does not replace them.

use pki_core::{Certificate, quote};
use time::Duration;

use crate::ca::{Chain, LockedFolder, issued_by};
use crate::failure::{Failure, shown};
use crate::host;
use crate::inventory::{CA_PROFILE, Filter, Inventory, Row, Status};

/// How many certificates a message names.
const NAMED: usize = 10;

/// Longer than any certificate is valid.
const FOREVER: Duration = Duration::days(365 * 200);

/// A warning after `reissue`: these certificates can still be renewed, by the new CA.
pub(super) fn to_renew(
    folder: &LockedFolder,
    new: &Certificate,
) -> Result<Option<String>, Failure> {
    Ok(in_use(folder, new)?.map(|names| {
        format!(
            "no host's folder contains these certificates of the old CA, and members reject them after `rotate-ca finish`: \
             {names}\n  fix: before finish, renew those that are in use with `etcdpki renew FILE --dir {}`",
            shown(folder.path())
        )
    }))
}

/// A warning about `finish`: these certificates become useless.
pub(super) fn rejected(
    folder: &LockedFolder,
    new: &Certificate,
) -> Result<Option<String>, Failure> {
    Ok(in_use(folder, new)?.map(|names| {
        format!(
            "members reject these certificates of the old CA as soon as they are restarted: {names}\n  fix: before that, \
             replace those that are in use with `etcdpki issue --profile PROFILE NAME --force --dir {}`",
            shown(folder.path())
        )
    }))
}

/// The certificates of the old CA that are valid, neither revoked nor replaced, and in no host's folder.
fn in_use(folder: &LockedFolder, new: &Certificate) -> Result<Option<String>, Failure> {
    let path = folder.path();
    // With the intermediate CAs, which ca.pem loses when the new CA issues.
    let old = match folder.previous_chain()? {
        Some(previous) => previous,
        None => Chain::read(path)?,
    };
    let is_from_old = |leaf: &Certificate| {
        let mut cas = old.all().filter(|ca| ca.public_key != new.public_key);
        cas.any(|ca| issued_by(ca, leaf))
    };
    let now = host::now();
    let filter = Filter {
        status: Some(Status::Good),
        expires_between: Some((now, now + FOREVER)),
        ..Filter::default()
    };
    let inventory = Inventory::of(path);
    let mut names = Vec::new();
    for row in inventory.find(&filter)? {
        let is_leaf = row.profile != CA_PROFILE;
        if is_leaf && row.host.is_none() && is_from_old(&inventory.certificate(&row)?) {
            names.push(name(&row));
        }
    }
    let more = names.len().saturating_sub(NAMED);
    names.truncate(NAMED);
    if more > 0 {
        names.push(format!("and {more} more (`etcdpki list --dir {}`)", shown(path)));
    }
    Ok((!names.is_empty()).then(|| names.join(", ")))
}

/// The certificate's file, or its serial number if it has none.
fn name(row: &Row) -> String {
    match &row.path {
        Some(path) => quote::name(path),
        None => format!("serial {}", row.serial),
    }
}
