//! CRLs that other programs read differently, compared with OpenSSL. The examples of the rules about CRLs are in
//! `rules/revocation.rs`.

use pki_core::{Certificate, Policy, Verifier, VerifyOptions};

use crate::der::{Node, extensions, forge, oid, put, remove};
use crate::foreign::crl;
use crate::lab::{Ca, NOW};
use crate::openssl::Openssl;
use crate::rules::revocation::{DISTRIBUTION_POINT, revoked};

/// The result of pki-core: the ids of the findings, or why the CRL cannot be read.
fn we(
    ca: &Ca,
    leaf: &Certificate,
    crl: &[u8],
    policy: Policy,
) -> Result<Vec<&'static str>, String> {
    let builder = Verifier::builder([ca.certificate().clone()]).policy(policy);
    let verifier = builder.crl(crl).map_err(|error| error.to_string())?.build().unwrap();
    let report = verifier.check(leaf, &[], &VerifyOptions::at(NOW));
    Ok(report.findings().map(|finding| finding.rule.id).collect())
}

/// The error of OpenSSL, if any.
fn openssl(ca: &Ca, leaf: &Certificate, crl: &[u8]) -> Option<String> {
    let openssl = Openssl::new();
    openssl.write("ca.pem", ca.certificate().to_pem().unwrap());
    openssl.write("leaf.pem", leaf.to_pem().unwrap());
    openssl.write("crl.der", crl);
    openssl.run("crl -inform DER -in crl.der -out crl.pem");
    let at = NOW.unix_timestamp();
    let command =
        format!("verify -crl_check -CRLfile crl.pem -CAfile ca.pem -attime {at} leaf.pem");
    let (ok, _, errors) = openssl.try_run(&command);
    (!ok).then_some(errors)
}

fn scoped(ca: &Ca, value: &[u8]) -> Vec<u8> {
    forge(&crl(ca, Vec::new()), &ca.key, |fields| put(fields, DISTRIBUTION_POINT, true, value))
}

// If x509-parser cannot read a field, it treats that field and everything after it as absent: a CRL that covers
// only CAs counted as one that covers all certificates.
#[test]
fn no_field_of_a_distribution_point_goes_unread() {
    let ca = Ca::new();
    let leaf = ca.issue("peer", "etcdone", &[]);
    // CN=x relative to the issuer's name.
    let relative =
        [0xa0, 0x0d, 0xa1, 0x0b, 0x30, 0x09, 0x06, 0x03, 0x55, 0x04, 0x03, 0x0c, 0x02, b'x', b'y'];
    for behind in [&[][..], &[0x82, 0x01, 0xff], &[0x84, 0x01, 0xff], &[0x85, 0x01, 0xff]] {
        let contents = [&relative, behind].concat();
        let length = u8::try_from(contents.len()).unwrap();
        let list = scoped(&ca, &[&[0x30, length], contents.as_slice()].concat());
        assert_eq!(
            we(&ca, &leaf, &list, Policy::Rfc5280).as_deref(),
            Ok(&["crl-scope"][..]),
            "{behind:x?}"
        );
        let refusal = openssl(&ca, &leaf, &list).unwrap();
        assert!(refusal.contains("CRL"), "{behind:x?}: {refusal}");
    }
    for (what, value) in [
        ("an empty name", &[0x30, 0x05, 0xa0, 0x00, 0x82, 0x01, 0xff][..]),
        ("a TRUE that is not DER's", &[0x30, 0x03, 0x82, 0x01, 0x01]),
        ("a BOOLEAN of two octets", &[0x30, 0x04, 0x82, 0x02, 0xff, 0xff]),
        ("fields in the wrong order", &[0x30, 0x06, 0x84, 0x01, 0xff, 0x82, 0x01, 0xff]),
        ("a field that nobody knows", &[0x30, 0x03, 0x86, 0x01, 0xff]),
    ] {
        let said = we(&ca, &leaf, &scoped(&ca, value), Policy::Rfc5280).unwrap_err();
        assert!(said.contains("issuing distribution point cannot be read"), "{what}: {said}");
    }
}

// A CRL for one distribution point covers a certificate that names the point for all reasons and for its own CA.
// If x509-parser cannot read a part of a point, it treats that part and everything after it as absent.
#[test]
fn a_distribution_point_for_some_reasons_or_by_another_issuer_is_not_covered() {
    const POINTS: &[u8] = &[0x55, 0x1d, 31];
    let ca = Ca::new();
    let plain = ca.issue("peer", "etcdone", &[]);
    let name = Node::nodes(0xa0, vec![Node::nodes(0xa0, vec![Node::octets(0x86, "http://a/")])]);
    let list = scoped(&ca, &Node::nodes(0x30, vec![name.clone()]).write());
    let leaf = |more: Option<Node>| {
        let fields = [name.clone()].into_iter().chain(more).collect();
        let value = Node::nodes(0x30, vec![Node::nodes(0x30, fields)]).write();
        Certificate::from_der(&forge(plain.der(), &ca.key, |fields| {
            put(fields, POINTS, false, &value);
        }))
    };
    let whole = leaf(None).unwrap();
    assert_eq!(we(&ca, &whole, &list, Policy::Rfc5280).as_deref(), Ok(&[][..]));
    assert_eq!(openssl(&ca, &whole, &list), None);
    let issuer = Node::octets(0x82, "other");
    for more in [Node::octets(0x81, [0x06, 0x40]), Node::nodes(0xa2, vec![issuer])] {
        let leaf = leaf(Some(more)).unwrap();
        for policy in [Policy::Etcd, Policy::Rfc5280] {
            assert_eq!(we(&ca, &leaf, &list, policy).as_deref(), Ok(&["crl-scope"][..]));
        }
        openssl(&ca, &leaf, &list).unwrap();
    }
    for unreadable in [Node::octets(0x81, [0x09, 0x40]), Node::octets(0x85, [1])] {
        let said = leaf(Some(unreadable)).unwrap_err().to_string();
        assert!(said.contains("2.5.29.31 cannot be read"), "{said}");
    }
}

// All ediPartyNames counted as the same name, and so did all x400Addresses.
#[test]
fn two_names_of_a_kind_that_is_not_understood_are_not_the_same() {
    let ca = Ca::new();
    let plain = ca.issue("peer", "etcdone", &[]);
    let point = |tag: u8, party: &str| {
        let party = Node::nodes(tag, vec![Node::nodes(0xa1, vec![Node::octets(0x0c, party)])]);
        Node::nodes(0x30, vec![Node::nodes(0xa0, vec![Node::nodes(0xa0, vec![party])])])
    };
    let value = Node::nodes(0x30, vec![point(0xa5, "one")]).write();
    let leaf = forge(plain.der(), &ca.key, |fields| put(fields, &[0x55, 0x1d, 31], false, &value));
    let leaf = Certificate::from_der(&leaf).unwrap();
    for (party, wanted) in [("one", &[][..]), ("two", &["crl-scope"])] {
        let list = scoped(&ca, &point(0xa5, party).write());
        assert_eq!(we(&ca, &leaf, &list, Policy::Rfc5280).as_deref(), Ok(wanted));
        assert_eq!(openssl(&ca, &leaf, &list).is_none(), wanted.is_empty());
    }
}

// Names with other string types were read as hexadecimal digits, and therefore as the name of another CA.
#[test]
fn a_crl_with_the_name_of_its_ca_in_wide_characters_still_revokes() {
    let ca = Ca::new();
    let leaf = ca.issue("peer", "etcdone", &[]);
    let listing = crl(&ca, vec![revoked(leaf.serial.as_bytes())]);
    for (tag, width) in [(0x14, 1), (0x1e, 2), (0x1c, 4)] {
        let list = forge(&listing, &ca.key, |fields| {
            let value = &mut fields[2].inner()[0].inner()[0].inner()[1];
            let wide = value.content().iter().flat_map(|octet| {
                let mut wide = vec![0; width - 1];
                wide.push(*octet);
                wide
            });
            *value = Node::octets(tag, wide.collect::<Vec<u8>>());
        });
        for policy in [Policy::Etcd, Policy::Rfc5280] {
            assert_eq!(we(&ca, &leaf, &list, policy).as_deref(), Ok(&["leaf-revoked"][..]));
        }
        let refusal = openssl(&ca, &leaf, &list).unwrap();
        assert!(refusal.contains("certificate revoked"), "{tag:#x}: {refusal}");
        // Half a character must not cause a panic.
        let cut = forge(&list, &ca.key, |fields| {
            fields[2].inner()[0].inner()[0].inner()[1].content().push(0);
        });
        let unused = ["crl-unrelated", "crl-missing"];
        assert_eq!(we(&ca, &leaf, &cut, Policy::Etcd).as_deref(), Ok(&unused[..]));
    }
}

// cfssl and other Go programs encode a name again, as PrintableString where OpenSSL uses UTF8String. Here it is
// the other way round.
#[test]
fn a_crl_that_writes_the_name_of_its_ca_in_other_bytes_still_revokes() {
    let ca = Ca::new();
    let leaf = ca.issue("peer", "etcdone", &[]);
    let listing = crl(&ca, vec![revoked(leaf.serial.as_bytes())]);
    let retyped = |fields: &mut Vec<Node>| {
        // version, signature, issuer, which has one relative name with one attribute
        let value = &mut fields[2].inner()[0].inner()[0].inner()[1];
        assert_eq!(value.tag, 0x13);
        value.tag = 0x0c;
    };
    let other_bytes = forge(&listing, &ca.key, retyped);
    for policy in [Policy::Etcd, Policy::Rfc5280] {
        assert_eq!(we(&ca, &leaf, &other_bytes, policy).as_deref(), Ok(&["leaf-revoked"][..]));
    }
    let refusal = openssl(&ca, &leaf, &other_bytes).unwrap();
    assert!(refusal.contains("certificate revoked"), "{refusal}");
    // By another CA with such a name: no finding.
    let stranger = forge(&listing, &Ca::new().key, retyped);
    assert_eq!(we(&ca, &leaf, &stranger, Policy::Etcd).as_deref(), Ok(&[][..]));
    // Under strict RFC 5280, such a CRL must have no faults. Under etcd's policy, it counts in any case.
    let unnumbered = forge(&listing, &ca.key, |fields| {
        retyped(fields);
        remove(fields, oid::CRL_NUMBER);
    });
    let found = we(&ca, &leaf, &unnumbered, Policy::Etcd);
    assert_eq!(found.as_deref(), Ok(&["leaf-revoked", "crl-number"][..]));
    assert_eq!(we(&ca, &leaf, &unnumbered, Policy::Rfc5280).as_deref(), Ok(&[][..]));
}

// The only available CRL had expired, and there was no finding about it. OpenSSL rejects it.
#[test]
fn a_stale_crl_that_writes_the_name_of_its_ca_in_other_bytes_is_not_skipped() {
    let ca = Ca::new();
    let leaf = ca.issue("peer", "etcdone", &[]);
    let stale = forge(&crl(&ca, Vec::new()), &ca.key, |fields| {
        fields[2].inner()[0].inner()[0].inner()[1].tag = 0x0c;
        fields[4] = fields[3].clone();
    });
    assert_eq!(we(&ca, &leaf, &stale, Policy::Etcd).as_deref(), Ok(&["crl-stale"][..]));
    let refusal = openssl(&ca, &leaf, &stale).unwrap();
    assert!(refusal.contains("CRL has expired"), "{refusal}");
}

// OpenSSL does not accept it as a CRL of the CA.
#[test]
fn a_crl_that_names_another_key_than_its_cas_is_malformed() {
    let ca = Ca::new();
    let leaf = ca.issue("peer", "etcdone", &[]);
    let list = forge(&crl(&ca, Vec::new()), &ca.key, |fields| {
        let other = [&[0x30, 0x16, 0x80, 0x14][..], &[7; 20]].concat();
        put(fields, oid::AUTHORITY_KEY_ID, false, &other);
    });
    for policy in [Policy::Etcd, Policy::Rfc5280] {
        assert_eq!(we(&ca, &leaf, &list, policy).as_deref(), Ok(&["crl-form"][..]));
    }
    let refusal = openssl(&ca, &leaf, &list).unwrap();
    assert!(refusal.contains("unable to get certificate CRL"), "{refusal}");
}

// x509-parser reads `[APPLICATION 16]` as a SEQUENCE, which would allow changes outside the signature.
#[test]
fn the_outer_tags_of_what_is_signed_are_those_of_x509() {
    let ca = Ca::new();
    let leaf = ca.issue("peer", "etcdone", &[]);
    for (tag, part) in [(0x70, None), (0x70, Some(1)), (0x43, Some(2))] {
        let mut whole = Node::read(&crl(&ca, Vec::new()));
        match part {
            None => whole.tag = tag,
            Some(part) => whole.inner()[part].tag = tag,
        }
        let list = whole.write();
        assert!(we(&ca, &leaf, &list, Policy::Etcd).is_err(), "{part:?}");
        assert!(openssl_reads(&list).is_err(), "{part:?}");
    }
    let mut whole = Node::read(leaf.der());
    whole.tag = 0x70;
    assert!(Certificate::from_der(&whole.write()).is_err());
}

// x509-parser does not check what follows the value of an extension: `critical` was there and was ignored.
#[test]
fn nothing_stands_behind_the_value_of_an_extension() {
    let ca = Ca::new();
    let leaf = ca.issue("peer", "etcdone", &[]);
    let unknown = |fields: &mut Vec<Node>| {
        put(fields, &[0x2a, 3], false, &[5, 0]);
        let all = extensions(fields);
        all.last_mut().unwrap().inner().push(Node::octets(0x01, [0xff]));
    };
    let list = forge(&crl(&ca, Vec::new()), &ca.key, unknown);
    let said = we(&ca, &leaf, &list, Policy::Rfc5280).unwrap_err();
    assert!(said.contains("its fields cannot be separated"), "{said}");
    assert!(openssl_reads(&list).is_err());
    let said = Certificate::from_der(&forge(leaf.der(), &ca.key, unknown)).unwrap_err();
    assert!(said.to_string().contains("its fields cannot be separated"), "{said}");
}

// A CRL lists the number without the leading zero.
#[test]
fn a_certificate_whose_serial_number_has_a_leading_zero_cannot_be_read() {
    let ca = Ca::new();
    let leaf = ca.issue("peer", "etcdone", &[]);
    let longer = forge(leaf.der(), &ca.key, |fields| fields[1].content().insert(0, 0));
    let said = Certificate::from_der(&longer).unwrap_err().to_string();
    assert!(said.contains("its fields cannot be separated"), "{said}");
    let openssl = Openssl::new();
    openssl.write("leaf.der", longer);
    assert!(!openssl.try_run("x509 -inform DER -in leaf.der -noout").0);
}

/// Verifies with a CRL whose entries are changed. The first entry is that of the leaf certificate.
fn with_entries(ca: &Ca, leaf: &Certificate, change: impl Fn(&mut Vec<Node>)) -> Vec<u8> {
    let listing = crl(ca, vec![revoked(leaf.serial.as_bytes()), revoked(&[0x2a])]);
    forge(&listing, &ca.key, |fields| change(fields[5].inner()))
}

// x509-parser reads any tag and any octets as a number, so a serial number with a leading zero counted as a
// different number and revoked nothing.
#[test]
fn a_serial_number_that_is_not_in_der_makes_a_crl_unreadable() {
    let ca = Ca::new();
    let leaf = ca.issue("peer", "etcdone", &[]);
    let good = leaf.serial.as_bytes();
    for number in [
        Node::octets(0x02, [&[0], good].concat()),
        Node::octets(0x02, [&[0xff, 0xff], good].concat()),
        Node::octets(0x02, []),
        Node::octets(0x82, good),
    ] {
        let list = with_entries(&ca, &leaf, |entries| entries[0].inner()[0] = number.clone());
        let said = we(&ca, &leaf, &list, Policy::Etcd).unwrap_err();
        assert!(said.contains("its fields cannot be separated"), "{number:x?}: {said}");
        assert!(openssl_reads(&list).is_err(), "{number:x?}");
    }
}

// If x509-parser cannot read an extension of an entry, it treats it and everything after it as absent: a
// critical one was ignored.
#[test]
fn no_extension_of_an_entry_goes_unread() {
    let ca = Ca::new();
    let leaf = ca.issue("peer", "etcdone", &[]);
    let unknown = |boolean: &[u8]| {
        let (oid, value) = (Node::octets(0x06, [0x2a, 3]), Node::octets(0x04, [5, 0]));
        Node::nodes(0x30, vec![oid, Node::octets(0x01, boolean), value])
    };
    for (what, more) in [
        ("in a SET", vec![Node::nodes(0x31, vec![unknown(&[0xff])])]),
        ("in [0]", vec![Node::nodes(0xa0, vec![unknown(&[0xff])])]),
        ("a BOOLEAN of two octets", vec![Node::nodes(0x30, vec![unknown(&[0xff, 0xff])])]),
        ("behind an INTEGER", vec![Node::octets(0x02, [1]), Node::nodes(0x30, vec![])]),
        ("behind others", vec![Node::nodes(0x30, vec![]), Node::nodes(0x30, vec![])]),
    ] {
        let list = with_entries(&ca, &leaf, |entries| entries[1].inner().extend(more.clone()));
        assert!(we(&ca, &leaf, &list, Policy::Rfc5280).is_err(), "{what}");
        assert!(openssl_reads(&list).is_err(), "{what}");
    }
}

/// Whether OpenSSL can read the CRL.
fn openssl_reads(crl: &[u8]) -> Result<(), String> {
    let openssl = Openssl::new();
    openssl.write("crl.der", crl);
    let (ok, _, errors) = openssl.try_run("crl -inform DER -in crl.der -noout");
    if ok { Ok(()) } else { Err(errors) }
}
