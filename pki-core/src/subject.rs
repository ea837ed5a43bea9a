//! Distinguished names for certificates, within the limits of X.520.

mod attribute;
mod value;

use std::fmt;

pub use self::attribute::Attribute;
pub(crate) use self::value::{StringType, string_type};
use self::value::{check, repeated, second_value, unusual};
#[cfg(feature = "profiles")]
use crate::dialect::Faults;
use crate::error::Error;

/// The subject of a new certificate: relative distinguished names (RDNs) with one or more attributes each.
///
/// ```
/// use pki_core::{Attribute, Subject};
///
/// // Kubernetes reads each O as a group. Several values of one type share an RDN, as cfssl writes them.
/// let subject = Subject::new([
///     (Attribute::CommonName, "admin".to_owned()),
///     (Attribute::Organization, "system:masters".to_owned()),
///     (Attribute::Organization, "operators".to_owned()),
/// ])?;
/// assert_eq!(subject.to_string(), "O=system:masters+O=operators, CN=admin");
/// # Ok::<(), pki_core::Error>(())
/// ```
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Subject {
    rdns: Vec<Vec<(Attribute, String)>>,
}

impl Subject {
    /// Checks the attributes and puts them in the order in which cfssl and Go write them.
    ///
    /// Several values of C, ST, L, street, postalCode, O or OU share one RDN. Values of a type without a
    /// place in that order have an RDN each, such as the DCs of a domain. A second common name or
    /// serialNumber is refused, because programs disagree on which of the two counts.
    pub fn new(attributes: impl IntoIterator<Item = (Attribute, String)>) -> Result<Self, Error> {
        Self::from_rdns(grouped(attributes))
    }

    /// The same for attributes of a document, each with its path there. Empty values are left out, as in cfssl, whose
    /// dialect also accepts what is only unusual.
    #[cfg(feature = "profiles")]
    pub(crate) fn read(
        attributes: impl IntoIterator<Item = (String, Attribute, String)>,
        faults: &mut Faults,
    ) -> Self {
        let mut known: Vec<(Attribute, String)> = Vec::new();
        for (path, attribute, value) in attributes {
            let (attribute, value) = named((attribute, value));
            if value.is_empty() {
                continue;
            }
            if let Some(unusual) = unusual(&attribute, &value) {
                faults.harmless(unusual.in_field(path.clone()));
            }
            if let Err(error) = check(&attribute, &value) {
                faults.error(error.in_field(path));
                continue;
            }
            let first =
                known.iter_mut().find(|(earlier, _)| *earlier == attribute && is_single(earlier));
            if let Some((_, first)) = first {
                let error = second_value(&attribute, first, &value).in_field(path);
                // As in cfssl, the last one counts.
                *first = value;
                faults.harmless(
                    error.hinted("remove one of the two; cfssl silently uses the last one"),
                );
            } else if known.contains(&(attribute.clone(), value.clone())) {
                faults.harmless(repeated(&attribute, &value).in_field(path));
            } else {
                known.push((attribute, value));
            }
        }
        Self { rdns: grouped(known) }
    }

    /// Checks the attributes and keeps the RDNs and their order. A second common name or serialNumber is
    /// refused here too.
    pub fn from_rdns(
        rdns: impl IntoIterator<Item = Vec<(Attribute, String)>>,
    ) -> Result<Self, Error> {
        let named = |rdn: Vec<_>| rdn.into_iter().map(named).collect::<Vec<_>>();
        let rdns: Vec<Vec<_>> = rdns.into_iter().map(named).filter(|rdn| !rdn.is_empty()).collect();
        for once in [Attribute::CommonName, Attribute::SerialNumber] {
            let mut values = rdns.iter().flatten().filter(|(attribute, _)| *attribute == once);
            if let (Some((_, first)), Some((_, second))) = (values.next(), values.next()) {
                return Err(second_value(&once, first, second));
            }
        }
        for rdn in &rdns {
            for (index, (attribute, value)) in rdn.iter().enumerate() {
                unusual(attribute, value).map_or(Ok(()), Err)?;
                check(attribute, value)?;
                if rdn[..index].contains(&(attribute.clone(), value.clone())) {
                    return Err(repeated(attribute, value));
                }
            }
        }
        Ok(Self { rdns })
    }

    /// A subject with only a common name.
    pub fn from_common_name(name: impl Into<String>) -> Result<Self, Error> {
        Self::new([(Attribute::CommonName, name.into())])
    }

    /// The same subject with `value` as the only value of `attribute`.
    ///
    /// The value replaces the first existing one. If there is none, it is inserted before the first attribute that
    /// cfssl and Go would write after it.
    pub fn with(&self, attribute: Attribute, value: impl Into<String>) -> Result<Self, Error> {
        let (attribute, value) = named((attribute, value.into()));
        let mut rdns = self.rdns.clone();
        let mut value = Some(value);
        for rdn in &mut rdns {
            rdn.retain_mut(|(known, old)| {
                *known != attribute || value.take().map(|new| *old = new).is_some()
            });
        }
        if let Some(value) = value {
            let later =
                |rdn: &Vec<(Attribute, String)>| rdn.first().is_some_and(|a| a.0 > attribute);
            let place = rdns.iter().position(later).unwrap_or(rdns.len());
            rdns.insert(place, vec![(attribute, value)]);
        }
        Self::from_rdns(rdns)
    }

    /// The attributes of `over`, and of this subject those that `over` does not have, in cfssl's order.
    #[must_use]
    pub fn overlaid(&self, over: &Self) -> Self {
        let has = |wanted: &Attribute| over.attributes().any(|(attribute, _)| attribute == wanted);
        let kept = self.attributes().filter(|(attribute, _)| !has(attribute));
        Self { rdns: grouped(over.attributes().chain(kept).cloned()) }
    }

    /// The subject with only these attributes.
    #[must_use]
    pub fn only(&self, wanted: &[Attribute]) -> Self {
        let is_wanted = |entry: &&(Attribute, String)| wanted.contains(&entry.0);
        let rdns = self.rdns.iter().map(|rdn| rdn.iter().filter(is_wanted).cloned().collect());
        Self { rdns: rdns.filter(|rdn: &Vec<_>| !rdn.is_empty()).collect() }
    }

    /// The attributes, in the order in which they were given.
    pub fn attributes(&self) -> impl Iterator<Item = &(Attribute, String)> {
        self.rdns.iter().flatten()
    }

    /// The RDNs, in the order in which they are written.
    pub fn rdns(&self) -> impl Iterator<Item = &[(Attribute, String)]> {
        self.rdns.iter().map(Vec::as_slice)
    }

    /// The first common name, if there is one.
    pub fn common_name(&self) -> Option<&str> {
        let mut attributes = self.attributes();
        let cn = attributes.find(|(attribute, _)| *attribute == Attribute::CommonName);
        cn.map(|(_, value)| value.as_str())
    }

    /// True if the subject has no attribute.
    pub fn is_empty(&self) -> bool {
        self.rdns.is_empty()
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, rdn) in self.rdns.iter().enumerate() {
            for (index, (attribute, value)) in rdn.iter().enumerate() {
                f.write_str(match (place, index) {
                    (0, 0) => "",
                    (_, 0) => ", ",
                    _ => "+",
                })?;
                write!(f, "{}={value}", attribute.short_name())?;
            }
        }
        Ok(())
    }
}

/// Replaces an OID by the named type, if there is one.
fn named((attribute, value): (Attribute, String)) -> (Attribute, String) {
    match attribute {
        Attribute::Other(oid) => (Attribute::from_oid(&oid), value),
        named => (named, value),
    }
}

/// RDNs in the order in which cfssl and Go write them.
fn grouped(
    attributes: impl IntoIterator<Item = (Attribute, String)>,
) -> Vec<Vec<(Attribute, String)>> {
    let mut attributes: Vec<_> = attributes.into_iter().map(named).collect();
    // Stable: the values of one type keep their order.
    attributes.sort_by(|(a, _), (b, _)| a.cmp(b));
    let mut rdns: Vec<Vec<(Attribute, String)>> = Vec::new();
    for (attribute, value) in attributes {
        let earlier = rdns.last_mut().filter(|rdn| rdn[0].0 == attribute);
        match earlier.filter(|_| attribute.shares_rdn()) {
            Some(rdn) => rdn.push((attribute, value)),
            None => rdns.push(vec![(attribute, value)]),
        }
    }
    rdns
}

/// True for the types of which programs expect one value: they disagree on which of two counts.
#[cfg(feature = "profiles")]
const fn is_single(attribute: &Attribute) -> bool {
    matches!(attribute, Attribute::CommonName | Attribute::SerialNumber)
}

#[cfg(test)]
mod tests {
    use super::attribute::DOMAIN_COMPONENT;
    use super::*;
    use crate::error::Input;

    fn one(attribute: Attribute, value: &str) -> Result<Subject, Error> {
        Subject::new([(attribute, value.to_owned())])
    }

    #[test]
    fn x520_limits_are_kept() {
        assert!(one(Attribute::CommonName, &"x".repeat(64)).is_ok());
        assert!(one(Attribute::CommonName, &"x".repeat(65)).is_err());
        assert!(one(Attribute::Country, "DE").is_ok());
        for country in ["DEU", "d", "de", "D1", ""] {
            assert!(one(Attribute::Country, country).is_err(), "{country}");
        }
        for name in [" x", "x ", "", "a\0b", "a\nb"] {
            assert!(one(Attribute::CommonName, name).is_err(), "{name:?}");
        }
    }

    fn subject(attributes: &[(Attribute, &str)]) -> Result<Subject, Error> {
        Subject::new(attributes.iter().map(|(a, value)| (a.clone(), (*value).to_owned())))
    }

    #[test]
    fn the_order_is_cfssls_and_values_of_one_type_share_an_rdn() {
        use Attribute::{CommonName, Country, Organization, OrganizationalUnit};
        let names = [
            (CommonName, "etcd CA"),
            (OrganizationalUnit, "b"),
            (Organization, "Lab"),
            (OrganizationalUnit, "a"),
            (Country, "DE"),
        ];
        let written = subject(&names).unwrap();
        assert_eq!(written.to_string(), "C=DE, O=Lab, OU=b+OU=a, CN=etcd CA");
        let twice = subject(&[(OrganizationalUnit, "a"), (OrganizationalUnit, "a")]).unwrap_err();
        assert!(twice.to_string().contains("the same value twice"), "{twice}");
        let twice = subject(&[(CommonName, "a"), (CommonName, "b")]).unwrap_err();
        assert!(twice.to_string().contains("a second CN (the first is \"a\")"), "{twice}");
        assert_eq!(twice.input(), Some(Input::Subject));
    }

    #[test]
    fn types_without_a_place_have_an_rdn_for_each_value() {
        let dc = || Attribute::Other(DOMAIN_COMPONENT.parse().unwrap());
        let written = subject(&[(dc(), "example"), (dc(), "com")]).unwrap();
        assert_eq!(written.to_string(), "DC=example, DC=com");
    }

    #[test]
    fn a_value_takes_the_place_of_all_values_of_its_type() {
        use Attribute::{CommonName, Country, Organization};
        let rdn = |values: &[(Attribute, &str)]| {
            values.iter().map(|(a, value)| (a.clone(), (*value).to_owned())).collect::<Vec<_>>()
        };
        let given = Subject::from_rdns([
            rdn(&[(CommonName, "x"), (Organization, "a")]),
            rdn(&[(Organization, "b")]),
        ])
        .unwrap();
        assert_eq!(given.to_string(), "CN=x+O=a, O=b");
        assert_eq!(given.with(Organization, "c").unwrap().to_string(), "CN=x+O=c");
        assert_eq!(given.with(Country, "DE").unwrap().to_string(), "C=DE, CN=x+O=a, O=b");
        assert_eq!(Subject::default().with(CommonName, "y").unwrap().to_string(), "CN=y");
    }
}
