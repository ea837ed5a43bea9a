//! The fields `copy_extensions`, `allowed_extensions` and `CSRWhitelist`: what a certificate takes from its request.

use crate::dialect::Faults;
use crate::document::{Fields, Value};
use crate::oid::Oid;
use crate::profile::{CopyExtensions, CsrWhitelist};

pub(super) fn copy_extensions(fields: &Fields<'_>, faults: &mut Faults) -> CopyExtensions {
    let listed = fields.read_list("allowed_extensions", faults, str::parse::<Oid>);
    let copy = faults.take(fields.boolean("copy_extensions")).unwrap_or_default();
    match (copy, listed.is_empty(), fields.find("allowed_extensions")) {
        (false, false, Some(at)) => {
            let error = at.invalid("a list of extensions to copy without copy_extensions");
            faults.harmless(error.hinted("add \"copy_extensions\": true, or remove the list"));
            CopyExtensions::None
        }
        (false, ..) => CopyExtensions::None,
        (true, true, _) => CopyExtensions::All,
        (true, false, _) => CopyExtensions::Listed(listed),
    }
}

pub(super) fn csr_whitelist(value: &Value<'_>, faults: &mut Faults) -> CsrWhitelist {
    const PARTS: &[&str] = &[
        "Subject",
        "PublicKeyAlgorithm",
        "PublicKey",
        "SignatureAlgorithm",
        "DNSNames",
        "IPAddresses",
        "EmailAddresses",
        "URIs",
    ];
    let fields = value.read_fields(PARTS, faults);
    let mut is_on = |name| faults.take(fields.boolean(name)).unwrap_or_default();
    let list = CsrWhitelist {
        subject: is_on("Subject"),
        dns_names: is_on("DNSNames"),
        ip_addresses: is_on("IPAddresses"),
        email_addresses: is_on("EmailAddresses"),
        uris: is_on("URIs"),
    };
    // Nothing is taken from these two, but cfssl checks their types.
    for name in ["PublicKeyAlgorithm", "SignatureAlgorithm"] {
        is_on(name);
    }
    if !is_on("PublicKey") {
        let error = value.invalid("a CSRWhitelist without PublicKey leaves no key to certify");
        faults.error(error.hinted("add \"PublicKey\": true"));
    }
    list
}
