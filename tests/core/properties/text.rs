//! Text that people type is either rejected with a reason, or written and read back unchanged.

use pki_core::{
    Attribute, Authority, CaRequest, Error, Purpose, Request, San, Signer, SigningConfig, Subject,
    Verifier, VerifyOptions,
};
use proptest::prelude::*;

use super::{CAS, KEYS, cases, names, read_back};
use crate::lab::{NOW, moment};

fn attribute() -> impl Strategy<Value = Attribute> {
    prop::sample::select(vec![
        Attribute::Country,
        Attribute::State,
        Attribute::Locality,
        Attribute::StreetAddress,
        Attribute::PostalCode,
        Attribute::Organization,
        Attribute::OrganizationalUnit,
        Attribute::CommonName,
        Attribute::SerialNumber,
        Attribute::EmailAddress,
        Attribute::Other("0.9.2342.19200300.100.1.25".parse().unwrap()),
        Attribute::Other("1.3.6.1.4.1.44363.1".parse().unwrap()),
        Attribute::Other("2.999.2147483647".parse().unwrap()),
        Attribute::Other("2.5.4.3".parse().unwrap()),
    ])
}

fn value() -> impl Strategy<Value = String> {
    prop_oneof![3 => names::text(), 2 => "[ -~]{1,20}", 1 => "[A-Z]{2}", 1 => "\\PC{1,70}"]
}

/// An error that has a hint and is not an internal error.
fn is_helpful(error: &Error) -> bool {
    !matches!(error, Error::Internal(_)) && error.hint().is_some()
}

// Otherwise a subject could have two common names, or a country of any length.
#[test]
fn a_type_that_has_a_name_is_the_same_type_by_its_oid() {
    let by_oid = |oid: &str| Attribute::Other(oid.parse().unwrap());
    let subject = Subject::new([(by_oid("2.5.4.3"), "etcdone".to_owned())]).unwrap();
    assert_eq!(subject.common_name(), Some("etcdone"));
    assert!(Subject::new([(by_oid("2.5.4.6"), "Germany".to_owned())]).is_err());
    let both = [by_oid("2.5.4.3"), Attribute::CommonName].map(|a| (a, "etcdone".to_owned()));
    assert!(Subject::new(both).is_err());
}

proptest! {
    #![proptest_config(cases(512))]

    #[test]
    fn a_subject_is_refused_or_read_back_as_the_same_text(
        pairs in prop::collection::vec((attribute(), value()), 1..4),
    ) {
        let subject = match Subject::new(pairs) {
            Ok(subject) => subject,
            Err(error) => {
                prop_assert!(is_helpful(&error), "{error:?}");
                return Ok(());
            }
        };
        let config = SigningConfig::from_json(
            br#"{"signing":{"profiles":{"p":{"expiry":"1h","usages":["client auth"]}}}}"#,
        );
        let profile = config.unwrap().profile("p").unwrap().clone();
        let request = Request::new(subject.clone(), vec!["etcdone".parse().unwrap()], KEYS[0].public_key().clone());
        let draft = CAS[0].authority.draft(&request, &profile, &moment()).unwrap();
        let leaf = draft.sign(&CAS[0].key).unwrap().certificate;
        let read = leaf.subject.attributes.iter();
        let mut read: Vec<_> = read.map(|a| (a.attribute.clone(), a.value.clone())).collect();
        let mut asked: Vec<_> = subject.attributes().cloned().collect();
        // DER sorts the values of one RDN.
        read.sort();
        asked.sort();
        prop_assert_eq!(read, asked);

        // A root of that name signs under it, byte for byte.
        let root = CaRequest::new(subject);
        let draft = Authority::draft_root(&root, KEYS[1].public_key(), &moment()).unwrap();
        let authority = Authority::new(draft.sign(&KEYS[1]).unwrap().certificate);
        let draft = authority.draft(&request, &profile, &moment()).unwrap();
        let leaf = draft.sign(&KEYS[1]).unwrap().certificate;
        prop_assert_eq!(leaf.issuer.der(), authority.certificate().subject.der());
    }

    #[test]
    fn a_name_from_any_text_is_refused_or_issued_and_verified(text in names::text()) {
        let name = match text.parse::<San>() {
            Ok(name) => name,
            Err(error) => {
                prop_assert!(is_helpful(&error), "{error:?}");
                return Ok(());
            }
        };
        // An accepted name is accepted again and is the same name.
        prop_assert_eq!(&name.to_string().parse::<San>().unwrap(), &name);
        let request = Request::new(Subject::from_common_name("etcdone").unwrap(), vec![name.clone()], KEYS[0].public_key().clone());
        let config = SigningConfig::etcd();
        let profile = config.profile("peer").unwrap();
        let draft = CAS[0].authority.draft(&request, profile, &moment()).unwrap();
        let leaf = draft.sign(&CAS[0].key).unwrap().certificate;
        let names = leaf.extensions.subject_alt_name.clone().unwrap_or_default();
        prop_assert!(names.contains(&read_back(&name)), "{names:?}");
        let mut options = VerifyOptions::at(NOW);
        options.purpose = Purpose::Peer;
        let verifier = Verifier::builder([CAS[0].certificate().clone()]).build().unwrap();
        let report = verifier.check(&leaf, &[], &options);
        prop_assert!(report.is_ok() && report.findings().count() == 0, "{report}");
    }
}
