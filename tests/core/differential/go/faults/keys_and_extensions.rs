//! Keys and extensions that Go does not parse, and what Go counts in a path.

use super::Expected::Rejected;
use crate::der::Node;
use crate::differential::go::kinds::{put, serial_at, tlv};
use crate::differential::go::samples::Make::{Chain, Leaf, Root};
use crate::differential::go::samples::{
    CN, ed25519, path_length, policies, policy_required, rsa, rsa_size,
};

super::faults! {
    a_path_length_that_a_self_issued_ca_uses_up: Rejected("go-path"), Chain(path_length);
    a_critical_authority_key_id_of_a_root: Rejected("go-extension"),
        Root(|fields| {
            let id = tlv(0x30, &tlv(0x80, &[7; 20]));
            put(fields, &[0x55, 0x1d, 35], &[0xff], &id);
        });
    a_critical_subject_key_id_of_a_root: Rejected("go-extension"),
        Root(|fields| put(fields, &[0x55, 0x1d, 14], &[0xff], &tlv(0x04, &[7; 20])));
    a_policy_that_is_named_twice: Rejected("go-extension"),
        Leaf(|fields| policies(fields, &[&[0x2a, 3], &[0x2a, 3]]));
    an_explicit_policy_that_is_required_at_once: Rejected("go-policy"), Chain(policy_required);
    a_distribution_point_relative_to_its_issuer: Rejected("go-extension"),
        Leaf(|fields| {
            let relative = tlv(0x30, &[tlv(0x06, CN), tlv(0x0c, b"x")].concat());
            let point = tlv(0x30, &tlv(0xa0, &tlv(0xa1, &relative)));
            put(fields, &[0x55, 0x1d, 31], &[], &tlv(0x30, &point));
        });
    a_length_in_ber_in_a_key_usage: Rejected("go-extension"),
        Leaf(|fields| put(fields, &[0x55, 0x1d, 15], &[0xff], &[3, 0x81, 2, 7, 0x80]));
    a_length_in_ber_in_a_subject_key_id: Rejected("go-extension"),
        Leaf(|fields| put(fields, &[0x55, 0x1d, 14], &[], b"\x04\x81\x01\x07"));
    a_length_in_ber_in_an_authority_key_id: Rejected("go-extension"),
        Leaf(|fields| put(fields, &[0x55, 0x1d, 35], &[], b"\x30\x04\x80\x81\x01\x07"));
    a_length_in_ber_in_the_basic_constraints: Rejected("go-extension"),
        Root(|fields| put(fields, &[0x55, 0x1d, 19], &[0xff], &[0x30, 0x81, 3, 1, 1, 0xff]));
    a_serial_number_with_a_zero_in_front: Rejected("unreadable"),
        Leaf(|fields| {
            let at = serial_at(fields);
            fields[at] = Node::octets(0x02, [0, 7]);
        });
    a_point_off_its_curve: Rejected("go-key"),
        Leaf(|fields| {
            let key = serial_at(fields) + 5;
            *fields[key].inner()[1].content().last_mut().unwrap() ^= 1;
        });
    an_rsa_key_without_null: Rejected("go-key"), Leaf(|fields| rsa(fields, vec![], &[1, 0, 1]));
    an_rsa_key_with_exponent_0: Rejected("go-key"),
        Leaf(|fields| rsa(fields, vec![Node::octets(5, [])], &[0]));
    an_rsa_key_above_8192_bits: Rejected("go-handshake"), Chain(rsa_size);
    an_ed25519_key_with_31_octets: Rejected("go-key"), Leaf(|fields| ed25519(fields, vec![], 31));
    an_ed25519_key_with_33_octets: Rejected("go-key"), Leaf(|fields| ed25519(fields, vec![], 33));
}
