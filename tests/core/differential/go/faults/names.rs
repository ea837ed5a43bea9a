//! Names and OIDs that Go does not parse.

use super::Expected::{Rejected, RejectedBefore};
use crate::differential::go::kinds::{put, tlv};
use crate::differential::go::samples::Make::Leaf;
use crate::differential::go::samples::{CN, LARGE_OID, common_name};

/// 2.25.UUID (X.667 section 7).
const UUID: &[u8] = &[
    0x69, 0x83, 0xa9, 0xc2, 0xd3, 0x98, 0xcf, 0x8a, 0xd1, 0xe4, 0xb7, 0x9d, 0x86, 0xb0, 0xc1, 0x96,
    0xaa, 0xe5, 0x82, 0x0b,
];

super::faults! {
    a_printable_string_with_an_underscore: Rejected("go-name"),
        Leaf(|fields| common_name(fields, CN, 0x13, b"etcd_1"));
    a_printable_string_with_an_at_sign: Rejected("go-name"),
        Leaf(|fields| common_name(fields, CN, 0x13, b"root@example.com"));
    an_ia5_string_with_an_octet_above_127: Rejected("go-name"),
        Leaf(|fields| common_name(fields, CN, 0x16, b"m\xfcnchen"));
    a_utf8_string_that_is_not_utf8: Rejected("go-name"),
        Leaf(|fields| common_name(fields, CN, 0x0c, b"m\xfcnchen"));
    a_bmp_string_with_a_surrogate: Rejected("go-name"),
        Leaf(|fields| common_name(fields, CN, 0x1e, b"\xd8\x3d\xde\0"));
    a_numeric_string_with_a_letter: Rejected("go-name"),
        Leaf(|fields| common_name(fields, CN, 0x12, b"12a"));
    a_universal_string: RejectedBefore("go-name"),
        Leaf(|fields| common_name(fields, CN, 0x1c, b"\0\0\0a"));
    a_visible_string: RejectedBefore("go-name"),
        Leaf(|fields| common_name(fields, CN, 0x1a, b"etcd"));
    a_name_that_is_an_integer: RejectedBefore("go-name"),
        Leaf(|fields| common_name(fields, CN, 0x02, &[1]));
    an_attribute_oid_with_a_number_of_2_to_the_31: Rejected("go-name"),
        Leaf(|fields| common_name(fields, LARGE_OID, 0x0c, b"x"));
    an_attribute_oid_made_from_a_uuid: Rejected("go-name"),
        Leaf(|fields| common_name(fields, UUID, 0x0c, b"x"));
    an_extension_oid_with_a_number_of_2_to_the_31: Rejected("go-der"),
        Leaf(|fields| put(fields, LARGE_OID, &[], &[5, 0]));
    an_extension_oid_made_from_a_uuid: Rejected("go-der"),
        Leaf(|fields| put(fields, UUID, &[], &[5, 0]));
    an_extended_key_usage_made_from_a_uuid: Rejected("go-extension"),
        Leaf(|fields| {
            let usages = [&[0x2b, 6, 1, 5, 5, 7, 3, 1][..], &[0x2b, 6, 1, 5, 5, 7, 3, 2], UUID];
            let usages: Vec<u8> = usages.iter().flat_map(|oid| tlv(0x06, oid)).collect();
            put(fields, &[0x55, 0x1d, 37], &[], &tlv(0x30, &usages));
        });
    an_access_method_made_from_a_uuid: Rejected("go-extension"),
        Leaf(|fields| {
            let access = tlv(0x30, &[tlv(0x06, UUID), tlv(0x86, b"http://x/")].concat());
            put(fields, &[0x2b, 6, 1, 5, 5, 7, 1, 1], &[], &tlv(0x30, &access));
        });
}
