//! Name constraints (RFC 5280 section 4.2.1.10): a CA applies its own constraints before it signs.

use pki_core::{KeyAlgorithm, NameConstraint, PathLimit, PrivateKey, Purpose};

use super::{check, ids, refused};
use crate::lab::{Ca, NOW};
use crate::openssl::Openssl;

fn constrained(permitted: &[&str], excluded: &[&str]) -> Ca {
    let parsed = |texts: &[&str]| -> Vec<NameConstraint> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    };
    Ca::with(KeyAlgorithm::EcdsaP256, |request| {
        request.permitted = parsed(permitted);
        request.excluded = parsed(excluded);
    })
}

/// Permitted, excluded, names, and whether they may be certified.
struct Case(&'static [&'static str], &'static [&'static str], &'static [&'static str], bool);

/// The peer profile adds the CN, which is the first of the names.
const CASES: [Case; 27] = [
    Case(&["dns:example.com"], &[], &["example.com"], true),
    Case(&["dns:example.com"], &[], &["a.b.example.com"], true),
    Case(&["dns:example.com"], &[], &["etcdone.example.com", "*.example.com"], true),
    Case(&["dns:example.com"], &[], &["badexample.com"], false),
    Case(&["dns:example.com"], &[], &["example.com", "example.org"], false),
    Case(&["dns:example.com", "dns:example.org"], &[], &["a.example.com", "a.example.org"], true),
    // A constraint applies to one kind of name: if only DNS names are constrained, any IP address is allowed.
    Case(&["dns:example.com"], &[], &["a.example.com", "10.0.0.1"], true),
    Case(&[], &["dns:example.com"], &["a.example.org"], true),
    Case(&[], &["dns:example.com"], &["a.example.com"], false),
    Case(&[], &["dns:bad.example.com"], &["etcdone.example.com", "*.example.com"], false),
    Case(&["dns:example.com"], &["dns:b.example.com"], &["a.example.com"], true),
    Case(&["dns:example.com"], &["dns:b.example.com"], &["b.example.com"], false),
    Case(&["ip:10.0.0.0/8"], &[], &["etcdone", "10.255.255.255"], true),
    Case(&["ip:10.0.0.0/8"], &[], &["etcdone", "11.0.0.1"], false),
    // IPv4 and IPv6 addresses are one kind of name: a constraint that permits one kind does not permit the other.
    Case(&["ip:10.0.0.0/8"], &[], &["etcdone", "2001:db8::1"], false),
    Case(&["ip:10.0.0.0/8", "ip:::/0"], &[], &["etcdone", "2001:db8::1"], true),
    Case(&["ip:10.1.0.0/31"], &[], &["etcdone", "10.1.0.1"], true),
    Case(&["ip:10.1.0.0/31"], &[], &["etcdone", "10.1.0.2"], false),
    Case(&["ip:2001:db8::/33"], &[], &["etcdone", "2001:db8:7fff::1"], true),
    Case(&["ip:2001:db8::/33"], &[], &["etcdone", "2001:db8:8000::1"], false),
    Case(&[], &["ip:0.0.0.0/0"], &["etcdone", "2001:db8::1"], true),
    Case(&[], &["ip:0.0.0.0/0"], &["etcdone", "192.0.2.1"], false),
    Case(&["email:example.com"], &[], &["etcdone", "email:a@b.example.com"], false),
    Case(&["email:a@example.com"], &[], &["etcdone", "email:b@example.com"], false),
    Case(&["email:.example.com"], &[], &["etcdone", "email:a@example.com"], false),
    Case(&[], &["email:example.com"], &["etcdone", "email:a@example.com"], false),
    Case(&[], &["email:a@example.com"], &["etcdone"], true),
];

#[test]
fn a_ca_signs_the_names_that_it_may_and_no_other() {
    let key = PrivateKey::generate(KeyAlgorithm::EcdsaP256).unwrap();
    let openssl = Openssl::new();
    for Case(permitted, excluded, names, wanted) in CASES {
        let ca = constrained(permitted, excluded);
        let request = Ca::request(names[0], names, &key);
        let case = format!("permitted {permitted:?}, excluded {excluded:?}: {names:?}");
        if !wanted {
            let refused = refused(ca.draft("peer", &request));
            // Go compares a host of email addresses with its subdomains too (RFC 5280 does not).
            let by_go = *permitted != ["email:example.com"];
            let rule = if by_go { "ca-name-constraints" } else { "nc-beyond-go" };
            assert_eq!(refused, [rule], "{case}");
            continue;
        }
        let draft = ca.draft("peer", &request).unwrap_or_else(|error| panic!("{case}: {error}"));
        let leaf = draft.sign(&ca.key).unwrap().certificate;
        assert_eq!(ids(&check(&[&ca], &[], &leaf, Purpose::Peer)), [""; 0], "{case}");
        openssl.write("ca.pem", ca.certificate().to_pem().unwrap());
        openssl.write("leaf.pem", leaf.to_pem().unwrap());
        openssl.run(&format!("verify -attime {} -CAfile ca.pem leaf.pem", NOW.unix_timestamp()));
    }
}

// webpki rejects every email address below a CA that constrains email addresses, although Go and OpenSSL
// compare them. The verifier checks such a path without webpki, and reports that.
#[test]
fn a_permitted_email_address_is_signed_and_verified_without_the_path_builder() {
    let key = PrivateKey::generate(KeyAlgorithm::EcdsaP256).unwrap();
    let openssl = Openssl::new();
    for (permitted, excluded, address) in [
        (&["email:example.com"][..], &[][..], "email:a@EXAMPLE.com"),
        (&["email:.example.com"], &[], "email:a@b.example.com"),
        (&["email:a@example.com"], &[], "email:a@example.com"),
        (&[], &["email:example.com"], "email:a@example.org"),
    ] {
        let ca = constrained(permitted, excluded);
        let request = Ca::request("etcdone", &[address], &key);
        let leaf = ca.draft("peer", &request).unwrap().sign(&ca.key).unwrap().certificate;
        openssl.write("ca.pem", ca.certificate().to_pem().unwrap());
        openssl.write("leaf.pem", leaf.to_pem().unwrap());
        openssl.run(&format!("verify -attime {} -CAfile ca.pem leaf.pem", NOW.unix_timestamp()));
        let report = check(&[&ca], &[], &leaf, Purpose::Peer);
        assert_eq!(ids(&report), [""; 0], "{report}");
        assert!(report.path().limit() == Some(PathLimit::ConstraintKind), "{report}");
    }
}

#[test]
fn the_constraints_stand_in_the_certificate_as_they_were_asked_for() {
    let permitted = ["dns:example.com", "email:.example.com", "ip:10.0.0.0/8"];
    let ca = constrained(&permitted, &["dns:bad.example.com", "ip:2001:db8::/32"]);
    let text = Openssl::new().text(ca.certificate());
    let wanted = "            X509v3 Name Constraints: critical
                Permitted:
                  DNS:example.com
                  email:.example.com
                  IP:10.0.0.0/255.0.0.0
                Excluded:
                  DNS:bad.example.com
                  IP:2001:DB8:0:0:0:0:0:0/FFFF:FFFF:0:0:0:0:0:0
";
    assert!(text.contains(wanted), "{text}");
}
