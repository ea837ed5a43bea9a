//! Elements that are not in DER: what webpki rejects, the walk rejects too, under both policies.

use pki_core::Policy;

use super::super::chains::{Draft, Keys};
use super::super::random::Random;
use super::{CRITICAL_POLICY, by_webpki, change, is_ok, ours};
use crate::der::{Node, forge, oid, put};

/// A certificate of the chain, root first.
#[derive(Clone, Copy, Eq, PartialEq)]
enum At {
    Ca,
    Leaf,
}

/// webpki rejects the chain, and so does the walk, to which a critical policy in the leaf leaves it.
fn is_rejected(at: At, spoil: impl Fn(&mut Vec<Node>)) {
    let keys = Keys::new();
    for is_walked in [false, true] {
        let chain = |is_spoilt: bool| {
            let mut draft = Draft::new(&keys, 1);
            if is_walked {
                let last = draft.places() - 1;
                draft.changes[last].push(CRITICAL_POLICY);
            }
            let mut chain = draft.sign(&mut Random(1));
            let (der, signer) = match at {
                At::Ca => (&mut chain.between[0], 0),
                At::Leaf => (&mut chain.leaf, 1),
            };
            if is_spoilt {
                *der = forge(der, &keys.chain[signer], |fields| spoil(fields));
            }
            chain
        };
        for policy in [Policy::Etcd, Policy::Rfc5280] {
            let report = ours(&chain(false), policy).unwrap();
            assert!(is_ok(&report), "{report}");
            assert_eq!(report.path().limit().is_some(), is_walked);
            // What cannot be read at all is not accepted either.
            let report = ours(&chain(true), policy);
            assert!(report.as_ref().is_none_or(|report| !is_ok(report)), "{report:?}");
        }
        if !is_walked {
            assert_eq!(by_webpki(&chain(false)), Ok(()));
            assert!(by_webpki(&chain(true)).is_err());
        }
    }
}

/// Changes the element on this way from a field.
fn at(fields: &mut [Node], path: &[usize], make: impl FnOnce(&mut Node)) {
    change(&mut fields[path[0]], &path[1..], make);
}

#[test]
fn a_boolean_that_is_neither_00_nor_ff() {
    for at in [At::Ca, At::Leaf] {
        // extKeyUsage with `critical` in another form.
        is_rejected(at, |fields| {
            put(
                fields,
                oid::KEY_USAGE,
                true,
                if at == At::Ca { &[3, 2, 1, 6] } else { &[3, 2, 7, 0x80] },
            );
            let list = fields.last_mut().unwrap().inner()[0].inner();
            let usage = list.iter_mut().map(Node::inner);
            let mut usage = usage.filter(|parts| parts.len() == 3);
            *usage.next().unwrap()[1].content() = vec![1];
        });
    }
}

#[test]
fn a_boolean_in_the_basic_constraints_that_is_neither_00_nor_ff() {
    is_rejected(At::Ca, |fields| {
        put(fields, oid::BASIC_CONSTRAINTS, true, &[0x30, 3, 1, 1, 1]);
    });
}

#[test]
fn a_length_in_long_form_in_a_field() {
    for place in [At::Ca, At::Leaf] {
        is_rejected(place, |fields| fields[5].lengthen());
    }
}

#[test]
fn a_version_with_a_zero_in_front() {
    for place in [At::Ca, At::Leaf] {
        is_rejected(place, |fields| at(fields, &[0, 0], |version| version.content().insert(0, 0)));
    }
}

#[test]
fn a_length_in_long_form_in_the_validity() {
    for place in [At::Ca, At::Leaf] {
        is_rejected(place, |fields| at(fields, &[4, 1], Node::lengthen));
    }
}

#[test]
fn a_path_length_with_a_zero_in_front() {
    is_rejected(At::Ca, |fields| {
        put(fields, oid::BASIC_CONSTRAINTS, true, &[0x30, 7, 1, 1, 0xff, 2, 2, 0, 3]);
    });
}

#[test]
fn a_length_in_long_form_in_the_name_constraints() {
    is_rejected(At::Ca, |fields| {
        let excluded = b"\x30\x10\xa1\x0e\x30\x0c\x82\x81\x09other.org";
        put(fields, oid::NAME_CONSTRAINTS, true, excluded);
    });
}
