//! What once was reported as rejected by Go, and is not: at most a warning.

use pki_core::Purpose;

use super::Expected::{Accepted, Ignored};
use crate::der::Node;
use crate::differential::go::chains::{Case, Pool, planted};
use crate::differential::go::kinds::{Fields, put, serial_at, tlv};
use crate::differential::go::samples::Make::{Chain, Leaf, Root};
use crate::differential::go::samples::{CN, common_name, excluded, names, same};

fn of_version_1(fields: &mut Fields) {
    fields.retain(|field| !matches!(field.tag, 0xa0 | 0xa3));
}

fn not_before(fields: &mut Fields, text: &str) {
    let at = serial_at(fields) + 3;
    fields[at].inner()[0] = Node::octets(0x17, text);
}

/// A server with this name only, dialled by that one.
fn wildcard(pool: &Pool, name: &str, host: &str) -> Case {
    let leaf = |fields: &mut Fields| names(fields, &[], &[tlv(0x82, name.as_bytes())]);
    let mut case = planted(pool, &[&same, &leaf], Purpose::Server);
    case.question.host = Some(host.to_owned());
    case
}

super::faults! {
    a_printable_string_with_an_asterisk: Accepted,
        Leaf(|fields| common_name(fields, CN, 0x13, b"*.example.com"));
    a_printable_string_with_an_ampersand: Accepted,
        Leaf(|fields| common_name(fields, CN, 0x13, b"a & b"));
    a_root_of_version_1: Accepted, Root(of_version_1);
    a_client_of_version_1: Accepted,
        Chain(|pool| planted(pool, &[&same, &of_version_1], Purpose::Client));
    the_extensions_of_a_client_of_version_2: Ignored("version-form"),
        Chain(|pool| {
            let leaf = |fields: &mut Fields| *fields[0].inner()[0].content() = vec![1];
            planted(pool, &[&same, &leaf], Purpose::Client)
        });
    a_wildcard_below_a_domain_of_one_label: Accepted, Chain(|pool| wildcard(pool, "*.lan", "x.lan"));
    a_wildcard_below_localhost: Accepted,
        Chain(|pool| wildcard(pool, "*.localhost", "x.localhost"));
    a_root_since_1950: Accepted, Root(|fields| not_before(fields, "500101000000Z"));
    a_root_since_1969: Accepted, Root(|fields| not_before(fields, "691231235959Z"));
    a_leaf_since_1955: Accepted, Leaf(|fields| not_before(fields, "550101000000Z"));
    a_constraint_on_unknown_names_that_is_not_critical: Accepted,
        Root(|fields| excluded(fields, &[], 0x88, &[0x2a, 3]));
    a_service_name_with_an_underscore: Accepted,
        Chain(|pool| {
            let leaf = |fields: &mut Fields| {
                let service = tlv(0x82, b"_etcd-server._tcp.example.com");
                names(fields, &[], &[service, tlv(0x82, b"host.example.com")]);
            };
            planted(pool, &[&same, &leaf], Purpose::Server)
        });
    a_root_with_serial_number_0: Accepted,
        Root(|fields| {
            let at = serial_at(fields);
            fields[at] = Node::octets(0x02, [0]);
        });
    a_wildcard_below_a_constraint: Accepted,
        Chain(|pool| {
            let root = |fields: &mut Fields| excluded(fields, &[], 0x82, b"other.org");
            let leaf = |fields: &mut Fields| names(fields, &[], &[tlv(0x82, b"*.example.com")]);
            planted(pool, &[&root, &leaf], Purpose::Client)
        });
    as_many_names_and_constraints_as_every_go_compares: Accepted,
        Chain(|pool| {
            let list = |kind: &str| -> Vec<u8> {
                (0..400).flat_map(|number| tlv(0x82, format!("{kind}{number}.org").as_bytes())).collect()
            };
            let root = |fields: &mut Fields| {
                let subtrees: Vec<u8> = (0..400)
                    .flat_map(|number| tlv(0x30, &tlv(0x82, format!("bad{number}.org").as_bytes())))
                    .collect();
                put(fields, &[0x55, 0x1d, 30], &[0xff], &tlv(0x30, &tlv(0xa1, &subtrees)));
            };
            let leaf = |fields: &mut Fields| names(fields, &[], &[list("host")]);
            planted(pool, &[&root, &leaf], Purpose::Client)
        });
}
