//! Subject alternative names, and constraints on them, that Go does not parse or applies in its own way.

use super::Expected::{Accepted, Rejected, RejectedBefore};
use crate::differential::go::kinds::{Fields, put, tlv};
use crate::differential::go::samples::Make::{Both, Leaf, Root};
use crate::differential::go::samples::{excluded, names, same};

fn uri(fields: &mut Fields, text: &str) {
    names(fields, &[], &[tlv(0x82, b"host.example.com"), tlv(0x86, text.as_bytes())]);
}

/// Excludes a domain that no name of the leaf is in.
fn constrained(fields: &mut Fields) {
    excluded(fields, &[0xff], 0x82, b"other.org");
}

super::faults! {
    a_uri_without_a_number_behind_its_colon: Accepted,
        Leaf(|fields| uri(fields, "https://host.example.com:/"));
    a_uri_with_a_word_as_its_port: Rejected("go-uri"),
        Leaf(|fields| uri(fields, "https://host.example.com:port/"));
    a_uri_with_two_dots_in_a_row: Rejected("go-uri"),
        Leaf(|fields| uri(fields, "https://host..example.com/"));
    a_uri_with_a_dot_at_the_end_of_its_host: Rejected("go-uri"),
        Leaf(|fields| uri(fields, "https://host.example.com./"));
    a_uri_with_a_percent_sign_and_no_digits: Rejected("go-uri"),
        Leaf(|fields| uri(fields, "https://host.example.com/%zz"));
    a_uri_with_an_encoded_letter_in_its_host: Rejected("go-uri"),
        Leaf(|fields| uri(fields, "https://host%41.example.com/"));
    a_uri_with_an_unpaired_bracket: Rejected("go-uri"),
        Leaf(|fields| uri(fields, "https://[2001:db8::1/"));
    a_uri_with_an_address_below_a_constraint: Rejected("go-constraint-names"),
        Both(constrained, |fields| uri(fields, "https://192.0.2.1/"));
    a_uri_without_a_host_below_a_constraint: Rejected("go-constraint-names"),
        Both(constrained, |fields| uri(fields, "urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6"));
    a_uri_with_an_address_and_no_constraint: Accepted,
        Both(same, |fields| uri(fields, "https://192.0.2.1/"));
    a_uri_without_a_host_and_no_constraint: Accepted,
        Both(same, |fields| uri(fields, "urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6"));
    a_dns_constraint_that_is_a_dot: Rejected("go-constraint-form"),
        Root(|fields| excluded(fields, &[0xff], 0x82, b"."));
    a_dns_constraint_with_a_dot_at_its_end: Rejected("go-constraint-form"),
        Root(|fields| excluded(fields, &[0xff], 0x82, b"other.org."));
    an_email_constraint_reaches_the_hosts_below_its_domain: Rejected("go-constraint-names"),
        Both(
            |fields| excluded(fields, &[0xff], 0x81, b"other.org"),
            |fields| names(fields, &[], &[tlv(0x81, b"user@mail.other.org")]),
        );
    a_uri_constraint_reaches_the_hosts_below_its_domain: Rejected("go-constraint-names"),
        Both(
            |fields| excluded(fields, &[0xff], 0x86, b"other.org"),
            |fields| uri(fields, "https://host.other.org/"),
        );
    a_critical_subject_alt_name_of_a_kind_that_go_does_not_know: Rejected("go-san"),
        Root(|fields| names(fields, &[0xff], &[tlv(0x88, &[0x2a, 3])]));
    an_ipv4_address_in_16_octets: RejectedBefore("go-san"),
        Leaf(|fields| {
            let address = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 0, 2, 1];
            names(fields, &[], &[tlv(0x82, b"host.example.com"), tlv(0x87, &address)]);
        });
    a_length_in_ber_in_a_subject_alt_name: Rejected("go-san"),
        Leaf(|fields| put(fields, &[0x55, 0x1d, 17], &[], b"\x30\x06\x82\x81\x03foo"));
    a_length_in_ber_in_a_constraint: Rejected("go-constraint-form"),
        Root(|fields| put(fields, &[0x55, 0x1d, 30], &[0xff], b"\x30\x08\xa1\x06\x30\x04\x82\x81\x01x"));
}
