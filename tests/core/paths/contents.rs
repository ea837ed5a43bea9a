//! Names, name constraints and policies along a path.

use pki_core::{Certificate, Policy, Verifier, VerifyOptions};
use rcgen::GeneralSubtree;

use super::{Ca, check, constrained, ids, root};
use crate::der::{Node, forge, oid, put};
use crate::lab::NOW;

#[test]
fn directory_names_are_compared_regardless_of_case_and_spaces() {
    let subject = |name: &str| {
        let mut subject = rcgen::DistinguishedName::new();
        subject.push(rcgen::DnType::OrganizationName, name);
        subject
    };
    let root = root("root", |params| {
        let directory = GeneralSubtree::DirectoryName(subject("Lab  One"));
        params.name_constraints = Some(constrained(vec![directory], vec![]));
    });
    for (organization, wanted) in
        [("lab one", &[][..]), ("lab two", &["nc-beyond-go"]), ("labone", &["nc-beyond-go"])]
    {
        let leaf = root.leaf(|params| params.distinguished_name = subject(organization));
        assert_eq!(ids(&check(&[&root], &[], &leaf)), wanted, "{organization}");
    }
}

#[test]
fn policies_that_a_ca_requires_must_be_on_the_whole_path() {
    const P: &[u8] = &[0x30, 0x06, 0x30, 0x04, 0x06, 0x02, 0x2a, 0x03];
    const Q: &[u8] = &[0x30, 0x06, 0x30, 0x04, 0x06, 0x02, 0x2a, 0x04];
    const ANY: &[u8] = &[0x30, 0x08, 0x30, 0x06, 0x06, 0x04, 0x55, 0x1d, 0x20, 0x00];
    const P_IS_Q: &[u8] = &[0x30, 0x0a, 0x30, 0x08, 0x06, 0x02, 0x2a, 0x03, 0x06, 0x02, 0x2a, 0x04];
    const AT_ONCE: &[u8] = &[0x30, 0x03, 0x80, 0x01, 0x00];
    const MAPPINGS: &[u8] = &[0x55, 0x1d, 33];
    let root = root("root", |_| {});
    let plain = root.ca("ca", |_| {});
    for (ca_policies, mapped, leaf_policies, valid) in [
        (P, false, P, true),
        (P, false, ANY, true),
        (ANY, false, Q, true),
        (P, false, Q, false),
        (P, true, Q, true),
        (P, true, P, false),
        (ANY, true, Q, true),
    ] {
        let der = forge(plain.certificate.der(), &root.key, |fields: &mut Vec<Node>| {
            put(fields, oid::POLICIES, false, ca_policies);
            put(fields, oid::POLICY_CONSTRAINTS, true, AT_ONCE);
            if mapped {
                put(fields, MAPPINGS, true, P_IS_Q);
            }
        });
        let ca = Ca { certificate: Certificate::from_der(&der).unwrap(), key: plain.same_key() };
        let leaf = ca.leaf(|_| {});
        let der = forge(leaf.der(), &ca.key, |fields: &mut Vec<Node>| {
            put(fields, oid::POLICIES, false, leaf_policies);
        });
        let report = check(&[&root], &[&ca], &Certificate::from_der(&der).unwrap());
        let wanted = if valid { &[][..] } else { &["policy-missing"] };
        assert_eq!(ids(&report), wanted, "{ca_policies:?} {mapped} {leaf_policies:?}");
    }
}

// If x509-parser cannot read a part of a name, it treats that part and everything after it as absent. After an
// empty relative name, which OpenSSL reads, an email address escaped the constraints of its CA.
#[test]
fn no_part_of_a_name_is_ignored() {
    let root = root("root", |_| {});
    let leaf = root.leaf(|_| {});
    let changes: [fn(&mut Node); 6] = [
        // Octets, a SEQUENCE and [17] instead of a relative name.
        |name| name.inner().push(Node::octets(0x04, [1])),
        |name| repeat(name, 0x30),
        |name| repeat(name, 0xb1),
        // Octets instead of an attribute, and after a value.
        |name| name.inner()[0].inner().push(Node::octets(0x04, [1])),
        |name| name.inner()[0].inner()[0].inner().push(Node::octets(0x04, [1])),
        // A relative name without an attribute.
        |name| name.inner().insert(0, Node::nodes(0x31, vec![])),
    ];
    for (which, change) in changes.into_iter().enumerate() {
        let der = forge(leaf.der(), &root.key, |fields| change(&mut fields[5]));
        let said = Certificate::from_der(&der).unwrap_err().to_string();
        assert!(said.contains("its subject cannot be read"), "{which}: {said}");
        let der = forge(leaf.der(), &root.key, |fields| change(&mut fields[3]));
        let said = Certificate::from_der(&der).unwrap_err().to_string();
        assert!(said.contains("its issuer cannot be read"), "{which}: {said}");
    }
}

/// Repeats the first relative name, with this tag.
fn repeat(name: &mut Node, tag: u8) {
    let mut again = name.inner()[0].clone();
    again.tag = tag;
    name.inner().push(again);
}

// A constraint that could not be read counted as a constraint on names of another kind, which permits every
// name of the original kind.
#[test]
fn a_constraint_that_cannot_be_read_permits_nothing() {
    let root = root("root", |_| {});
    let leaf = root.leaf(|_| {});
    let half = Node::nodes(0x30, vec![Node::nodes(0x31, vec![])]);
    for base in [Node::octets(0x82, [0xff, b'x']), Node::nodes(0xa4, vec![half])] {
        let subtrees = Node::nodes(0xa0, vec![Node::nodes(0x30, vec![base.clone()])]);
        let value = Node::nodes(0x30, vec![subtrees]).write();
        let der = forge(root.certificate.der(), &root.key, |fields| {
            put(fields, oid::NAME_CONSTRAINTS, true, &value);
        });
        let certificate = Certificate::from_der(&der).unwrap();
        for policy in [Policy::Etcd, Policy::Rfc5280] {
            let builder = Verifier::builder([certificate.clone()]).policy(policy);
            let verifier = builder.build().unwrap();
            let report = verifier.check(&leaf, &[], &VerifyOptions::at(NOW));
            assert!(ids(&report).contains(&"nc-form"), "{base:x?}: {report}");
        }
    }
}
