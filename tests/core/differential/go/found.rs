//! Chains that a comparison found once, each with the verdict of Go.

use pki_core::Purpose;

use super::chains::{Case, Pool, planted};
use super::compare::to_json;
use super::judge;
use super::kinds::{Fields, put, tlv};

fn constrained(tag: u8, domain: &'static [u8]) -> impl Fn(&mut Fields) {
    move |fields| {
        let excluded = tlv(0xa1, &tlv(0x30, &tlv(tag, domain)));
        put(fields, &[0x55, 0x1d, 30], &[0xff], &tlv(0x30, &excluded));
    }
}

fn uri(text: &'static [u8]) -> impl Fn(&mut Fields) {
    move |fields| {
        let names = [tlv(0x82, b"host.example.com"), tlv(0x86, text)].concat();
        put(fields, &[0x55, 0x1d, 17], &[], &tlv(0x30, &names));
    }
}

/// This holds for constraints on URIs too: the path builder does not read the host of such a URI as Go does.
#[test]
fn a_uri_whose_host_go_cannot_split_is_rejected_below_constraints_of_each_kind() {
    let pool = Pool::shared();
    let uris: [&[u8]; 4] = [b"etcd://a:b:80/", b"etcd://:a:80/", b"urn:uuid:1", b"x://192.0.2.1/"];
    let cases: Vec<Case> = [0x81, 0x82, 0x86]
        .into_iter()
        .flat_map(|tag| uris.map(|text| (tag, text)))
        .map(|(tag, text)| {
            let (ca, leaf) = (constrained(tag, b"other.org"), uri(text));
            planted(pool, &[&ca, &leaf], Purpose::Peer)
        })
        .collect();
    let requests: Vec<_> = cases.iter().map(to_json).collect();
    for (case, go) in cases.iter().zip(judge::ask(&requests)) {
        let ours = case.question.ours().unwrap_or_default();
        assert!(!go.accepts && ours.contains("go-constraint-names"), "{go:?}: we report {ours:?}");
    }
}

fn same(_: &mut Fields) {}

/// A CA whose mappings Go does not look at, because a CA above forbids it to map policies.
#[test]
fn a_mapping_of_any_policy_counts_only_where_a_ca_may_map_policies() {
    let pool = Pool::shared();
    let any: &[u8] = &[0x55, 0x1d, 0x20, 0];
    let with_policies = |fields: &mut Fields| {
        put(fields, &[0x55, 0x1d, 32], &[], &tlv(0x30, &tlv(0x30, &tlv(0x06, any))));
    };
    let maps = |fields: &mut Fields| {
        with_policies(fields);
        let pair = [tlv(0x06, any), tlv(0x06, &[0x2a, 4])].concat();
        put(fields, &[0x55, 0x1d, 33], &[], &tlv(0x30, &tlv(0x30, &pair)));
    };
    // inhibitPolicyMapping: so many CAs below may map policies.
    let inhibits = |left: u8| {
        move |fields: &mut Fields| {
            with_policies(fields);
            put(fields, &[0x55, 0x1d, 36], &[], &tlv(0x30, &[0x81, 1, left]));
        }
    };
    let (none, one) = (inhibits(0), inhibits(1));
    let chain = |above: &dyn Fn(&mut Fields)| {
        planted(pool, &[&same, above, &maps, &with_policies], Purpose::Peer)
    };
    let cases = [chain(&none), chain(&one)];
    let requests: Vec<_> = cases.iter().map(to_json).collect();
    let verdicts: Vec<bool> = judge::ask(&requests).iter().map(|go| go.accepts).collect();
    assert_eq!(verdicts, [true, false]);
    for (case, accepted) in cases.iter().zip(verdicts) {
        let ours = case.question.ours().unwrap_or_default();
        assert_eq!(!ours.contains("go-policy"), accepted, "{ours}");
    }
}
