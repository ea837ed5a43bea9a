//! Reads the name constraints of a CA (RFC 5280 section 4.2.1.10).

use x509_parser::asn1_rs::FromDer;
use x509_parser::extensions::GeneralName as Asn1Name;

use super::element::{CONTEXT_SPECIFIC, Element, Elements};
use super::general_name::{GeneralName, has_known_tag};

/// RFC 5280 section 4.2.1.10
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct NameConstraints {
    /// permittedSubtrees
    pub permitted: Vec<GeneralName>,
    /// excludedSubtrees
    pub excluded: Vec<GeneralName>,
    /// Violations of the grammar or of RFC 5280.
    pub faults: Vec<&'static str>,
}

impl NameConstraints {
    /// Reads as much as possible. Anything that cannot be read is a fault, and is not ignored.
    pub(super) fn read(der: &[u8]) -> Self {
        let mut constraints = Self::default();
        let readable = |fields: &Elements<'_>| fields.all(|_| true);
        let Some(mut fields) = Elements::within(der).filter(readable) else {
            constraints.faults.push("it cannot be read");
            return constraints;
        };
        if fields.is_empty() {
            constraints.faults.push("it is empty");
        }
        let mut last = None;
        while let Some(field) = fields.element() {
            let known = field.class() == CONTEXT_SPECIFIC
                && matches!(field.number, 0 | 1)
                && last.is_none_or(|last| last < field.number);
            last = Some(field.number);
            if !known {
                constraints.faults.push("it contains something other than two lists of subtrees");
                continue;
            }
            let subtrees = constraints.subtrees(field);
            match field.number {
                0 => constraints.permitted = subtrees,
                _ => constraints.excluded = subtrees,
            }
        }
        constraints
    }

    fn subtrees(&mut self, field: Element<'_>) -> Vec<GeneralName> {
        let mut subtrees = Elements::new(field.contents);
        if !subtrees.all(|_| true) {
            self.faults.push("a list of subtrees cannot be read");
            return Vec::new();
        }
        if subtrees.is_empty() {
            self.faults.push("a list of subtrees is empty");
        }
        let mut names = Vec::new();
        while let Some(subtree) = subtrees.element() {
            let base = Elements::new(subtree.contents).element();
            let is_name = base.is_some_and(has_known_tag);
            match Asn1Name::from_der(subtree.contents) {
                Ok((rest, name)) if is_name => {
                    // `minimum` is 0, which DER does not write, and `maximum` is absent.
                    if !rest.is_empty() {
                        self.faults.push("a subtree has a minimum or a maximum");
                    }
                    let name = GeneralName::read(&name);
                    if name.is_malformed() {
                        self.faults.push("a subtree cannot be read");
                    }
                    names.push(name);
                }
                _ => self.faults.push("a subtree cannot be read"),
            }
        }
        names
    }

    /// The number of subtrees.
    pub(crate) fn len(&self) -> usize {
        self.permitted.len() + self.excluded.len()
    }
}

/// A DNS constraint covers its own name and every name with labels added on the left. With a leading
/// dot, which RFC 5280 does not define, it covers only the latter.
pub(crate) fn covers_domain(base: &str, name: &str) -> bool {
    if base.is_empty() {
        return true;
    }
    let domain = base.strip_prefix('.').unwrap_or(base).as_bytes();
    let Some(cut) = name.len().checked_sub(domain.len()) else {
        return false;
    };
    let (labels, end) = name.as_bytes().split_at(cut);
    let fits = if labels.is_empty() { !base.starts_with('.') } else { labels.ends_with(b".") };
    fits && end.eq_ignore_ascii_case(domain)
}
