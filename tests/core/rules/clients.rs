//! Examples of the rules about client certificates.

use pki_core::Purpose;
use rcgen::{DnType, DnValue};

use super::Example;
use super::chain::Chain;

pub(super) const EXAMPLES: &[Example] = &[
    Example::chain("cli-cn-root", Purpose::Client, |chain| push(chain, DnType::CommonName, "root")),
    Example::chain("cli-cn-empty", Purpose::Client, no_common_name),
    Example::chain("cli-o-masters", Purpose::Client, |chain| {
        push(chain, DnType::OrganizationName, "system:masters");
    }),
];

fn push(chain: &mut Chain, kind: DnType, value: &str) {
    chain.leaf.distinguished_name.push(kind, DnValue::Utf8String(value.to_owned()));
}

fn no_common_name(chain: &mut Chain) {
    chain.leaf.distinguished_name = rcgen::DistinguishedName::new();
    push(chain, DnType::OrganizationName, "Lab");
}
