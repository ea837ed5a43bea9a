//! Encodes distinguished names (RFC 5280 section 4.1.2.4), because rcgen supports only one value of each type.

use der::asn1::{Ia5StringRef, PrintableStringRef, SetOfVec, Utf8StringRef};
use der::{Any, Encode, Sequence, Tag, ValueOrd};

use super::errors::{failed, unwritable_oid};
use crate::error::{Error, Input};
use crate::subject::{Attribute, StringType, Subject, string_type};

/// The same type in x509-cert does not support OIDs from 2.40 on (const-oid 0.10.3).
#[derive(Sequence, ValueOrd)]
struct AttributeTypeAndValue {
    oid: Any,
    value: Any,
}

/// The DER of a Name. The values of one RDN are sorted, as DER requires (X.690 section 11.6).
pub(super) fn encode(subject: &Subject) -> Result<Vec<u8>, Error> {
    let rdn = |values: &[(Attribute, String)]| -> Result<_, Error> {
        let values = values.iter().map(|(attribute, value)| typed(attribute, value));
        let values: Vec<_> = values.collect::<Result<_, _>>()?;
        SetOfVec::try_from(values).map_err(|error| failed(&error))
    };
    let rdns: Vec<_> = subject.rdns().map(rdn).collect::<Result<_, _>>()?;
    rdns.to_der().map_err(|error| failed(&error))
}

fn typed(attribute: &Attribute, value: &str) -> Result<AttributeTypeAndValue, Error> {
    let oid = attribute.oid();
    let contents = oid.to_der().ok_or_else(|| unwritable_oid(&oid, Input::Subject))?;
    let value = match string_type(attribute, value) {
        StringType::Ia5 => Ia5StringRef::new(value).and_then(|text| Any::encode_from(&text)),
        StringType::Printable => {
            PrintableStringRef::new(value).and_then(|text| Any::encode_from(&text))
        }
        StringType::Utf8 => Utf8StringRef::new(value).and_then(|text| Any::encode_from(&text)),
    };
    Ok(AttributeTypeAndValue {
        oid: Any::new(Tag::ObjectIdentifier, contents).map_err(|error| failed(&error))?,
        value: value.map_err(|error| failed(&error))?,
    })
}
