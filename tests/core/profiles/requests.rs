//! What a profile uses from a request: names, extensions, parts of a PKCS #10 request.

use pki_core::{
    Asked, CertificateRequest, Error, Issued, KeyAlgorithm, LeftOut, PrivateKey, Request,
    SigningConfig, Subject,
};

use super::config;
use crate::lab::{Ca, moment};
use crate::openssl::Openssl;

fn request(extensions: &str) -> Request {
    let openssl = Openssl::new();
    openssl.run(&format!(
        "req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout k.pem -out r.csr \
         -subj /O=Lab/CN=etcdone -config openssl.cnf {extensions}"
    ));
    Request::from_csr(&CertificateRequest::from_pem_or_der(&openssl.read("r.csr")).unwrap())
        .unwrap()
}

fn issue(config: &SigningConfig, request: &Request) -> Result<Issued, Error> {
    let ca = Ca::new();
    ca.authority.draft(request, config.profile("p")?, &moment())?.sign(&ca.key)
}

const SAN: &str = "-addext subjectAltName=DNS:etcdone,DNS:a.example.com,IP:10.0.0.1,email:a@example.com,URI:spiffe://td/x";

#[test]
fn a_name_whitelist_is_asked_about_every_name_and_address() {
    let request = request(SAN);
    for (pattern, wanted) in [
        // Unanchored, as in cfssl.
        ("e", "ip \"10.0.0.1\": it does not match the name_whitelist e of profile p"),
        (".", ""),
        ("", ""),
        ("^[a-z0-9.@:/]+$", ""),
        (r"(?i)^([A-Z.]+|\\d[\\d.]+|\\w@.*|SPIFFE:.*)$", ""),
        ("^etcd", "dns \"a.example.com\": it does not match the name_whitelist ^etcd of profile p"),
        (
            "example|td|10|^x",
            "CN \"etcdone\": it does not match the name_whitelist example|td|10|^x of profile p",
        ),
        (
            "^(etcdone|.*example.com|10.*)$",
            "uri \"spiffe://td/x\": it does not match the name_whitelist ^(etcdone|.*example.com|10.*)$ of profile p",
        ),
    ] {
        let members = format!(r#""usages": ["signing"], "name_whitelist": "{pattern}""#);
        let result = issue(&config(r#""expiry": "1h""#, &members), &request);
        match result {
            Ok(_) => assert_eq!(wanted, "", "{pattern}"),
            Err(error @ Error::NotAdmitted(_)) => {
                assert_eq!(error.to_string(), format!("refused: {wanted}"));
                assert!(error.hint().is_some());
            }
            Err(error) => panic!("{error:?}"),
        }
    }
}

/// As in Go. With Unicode's classes, a digit of another script would pass for one.
#[test]
fn the_classes_of_a_name_whitelist_are_about_ascii() {
    for (pattern, admitted, refused) in [
        (r"^\d$", "7", "\u{667}"),
        (r"^\w$", "k", "\u{3b1}"),
        (r"^\s$", " ", "\u{2003}"),
        ("^[[:alpha:]]$", "K", "\u{e4}"),
        // One character, however many octets it has.
        ("^.$", "\u{667}", "77"),
    ] {
        let pattern: pki_core::NamePattern = pattern.parse().unwrap();
        assert!(pattern.admits(admitted), "{pattern}");
        assert!(!pattern.admits(refused), "{pattern}");
    }
}

#[test]
fn a_whitelist_binds_the_names_that_the_profile_adds_too() {
    let members = r#""usages": ["signing"], "name_whitelist": "^etcdone$", "add_names": ["{cn}", "localhost"]"#;
    let error = issue(&config(r#""expiry": "1h""#, members), &request("")).unwrap_err();
    assert!(error.to_string().contains("dns \"localhost\""), "{error}");
}

#[test]
fn names_of_the_profile_come_first_and_stand_once() {
    let members =
        r#""usages": ["signing"], "add_names": ["{cn}", "127.0.0.1", "*.{cn}.lab", "dns:etcdone"]"#;
    let config = config(r#""expiry": "1h""#, members);
    let leaf = issue(&config, &request(SAN)).unwrap().certificate;
    let names: Vec<_> =
        leaf.extensions.subject_alt_name.iter().flatten().map(ToString::to_string).collect();
    assert_eq!(
        names,
        [
            "dns:etcdone",
            "ip:127.0.0.1",
            "dns:*.etcdone.lab",
            "dns:a.example.com",
            "ip:10.0.0.1",
            "email:a@example.com",
            "uri:spiffe://td/x"
        ]
    );
    let mut nameless = request("");
    nameless.subject = Asked::ByOperator(Subject::default());
    let error = issue(&config, &nameless).unwrap_err();
    assert!(error.to_string().contains("the request has no common name"), "{error}");
    let mut odd = request("");
    odd.subject = Asked::ByOperator(Subject::from_common_name("etcd one").unwrap());
    let error = issue(&config, &odd).unwrap_err();
    let problem = "adds the name \"etcd one\": a name that contains a space";
    assert!(error.to_string().contains(problem), "{error}");
}

/// An attacker's request: extensions of another kind of certificate, and two harmless ones.
const EXTENSIONS: &str = "-addext keyUsage=keyCertSign,cRLSign -addext extendedKeyUsage=codeSigning \
    -addext basicConstraints=CA:FALSE -addext subjectKeyIdentifier=01020304 \
    -addext nameConstraints=permitted;DNS:evil.example.com -addext certificatePolicies=1.2.3 \
    -addext crlDistributionPoints=URI:http://evil -addext authorityInfoAccess=OCSP;URI:http://evil \
    -addext 1.3.6.1.5.5.7.48.1.5=DER:0500 -addext tlsfeature=status_request \
    -addext 1.3.6.1.4.1.44363.44=DER:0500";

// cloudflare/cfssl PR 1436: cfssl 1.6.5 uses the keyUsage of the request, which turns a leaf into a CA.
#[test]
fn extensions_are_copied_as_far_as_the_profile_says_and_decide_nothing() {
    let request = request(EXTENSIONS);
    assert_eq!(request.extensions.len(), 11);
    let (feature, delegation) = ("1.3.6.1.5.5.7.1.24", "1.3.6.1.4.1.44363.44");
    let own = ["2.5.29.15", "2.5.29.37", "2.5.29.19", "2.5.29.14", "2.5.29.35"];
    for (members, copied, left_out) in [
        ("", &[][..], &[feature, delegation][..]),
        (r#""copy_extensions": false,"#, &[], &[feature, delegation]),
        (r#""copy_extensions": true,"#, &[feature, delegation], &[]),
        (r#""copy_extensions": true, "allowed_extensions": [],"#, &[feature, delegation], &[]),
        (
            r#""copy_extensions": true, "allowed_extensions": ["1.3.6.1.5.5.7.1.24"],"#,
            &[feature],
            &[delegation],
        ),
        (
            r#""copy_extensions": true, "allowed_extensions": ["2.5.29.15", "1.2.3"],"#,
            &[],
            &[feature, delegation],
        ),
    ] {
        let members = format!(r#"{members} "usages": ["signing", "client auth"]"#);
        let issued = issue(&config(r#""expiry": "1h""#, &members), &request).unwrap();
        let extensions = &issued.certificate.extensions;
        let oids: Vec<_> = extensions.all.iter().map(|extension| extension.oid.as_str()).collect();
        assert_eq!(oids, [&own[..], copied].concat(), "{members}");
        assert_eq!(
            issued.left_out,
            left_out.iter().map(|oid| LeftOut::Extension(oid.parse().unwrap())).collect::<Vec<_>>()
        );
        // Extensions that the profile sets come from the profile.
        assert_eq!(extensions.key_usage, Some(pki_core::KeyUsages::DIGITAL_SIGNATURE));
        assert_eq!(extensions.find("2.5.29.19").unwrap().value, [0x30, 0]);
        assert_eq!(extensions.subject_key_id, Some(request.public_key.key_id()));
        if copied.contains(&feature) {
            // RFC 7633: the TLS extension status_request, number 5.
            assert_eq!(extensions.find(feature).unwrap().value, [0x30, 3, 2, 1, 5]);
        }
    }
}

#[test]
fn a_copied_extension_that_is_critical_is_refused_by_the_rules() {
    let request = request("-addext 1.3.6.1.4.1.44363.44=critical,DER:0500");
    let copying = config(r#""expiry": "1h""#, r#""usages": ["signing"], "copy_extensions": true"#);
    let Err(Error::Refused(findings)) = issue(&copying, &request) else {
        panic!("etcd would reject it");
    };
    assert_eq!(findings[0].rule.id, "ext-unknown-critical");
    let plain = config(r#""expiry": "1h""#, r#""usages": ["signing"]"#);
    let left_out = issue(&plain, &request).unwrap().left_out;
    assert_eq!(left_out, [LeftOut::Extension("1.3.6.1.4.1.44363.44".parse().unwrap())]);
}

#[test]
fn a_request_for_a_ca_needs_a_profile_for_cas() {
    let request = request("-addext basicConstraints=CA:TRUE,pathlen:3");
    let leaf = config(r#""expiry": "1h""#, r#""usages": ["signing"], "copy_extensions": true"#);
    let error = issue(&leaf, &request).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("the request is for a CA, but the profile is for leaf certificates"),
        "{error}"
    );
    let members =
        r#""usages": ["cert sign"], "ca_constraint": {"is_ca": true, "max_path_len_zero": true}"#;
    let ca = Ca::with(pki_core::KeyAlgorithm::EcdsaP256, |request| request.path_len = None);
    let config = config(r#""expiry": "1h""#, members);
    let draft = ca.authority.draft(&request, config.profile("p").unwrap(), &moment()).unwrap();
    let constraints =
        draft.sign(&ca.key).unwrap().certificate.extensions.basic_constraints.unwrap();
    // The path length of the profile, not of the request.
    assert_eq!((constraints.ca, constraints.path_len), (true, Some(0)));
}

#[test]
fn a_csr_whitelist_takes_over_what_it_lists() {
    let all = request(SAN);
    for (members, subject, names) in [
        (
            "",
            true,
            &[
                "dns:etcdone",
                "dns:a.example.com",
                "ip:10.0.0.1",
                "email:a@example.com",
                "uri:spiffe://td/x",
            ][..],
        ),
        (
            r#""CSRWhitelist": null,"#,
            true,
            &[
                "dns:etcdone",
                "dns:a.example.com",
                "ip:10.0.0.1",
                "email:a@example.com",
                "uri:spiffe://td/x",
            ],
        ),
        (r#""CSRWhitelist": {"PublicKey": true},"#, false, &[]),
        (
            r#""CSRWhitelist": {"PublicKey": true, "PublicKeyAlgorithm": true, "SignatureAlgorithm": true},"#,
            false,
            &[],
        ),
        (r#""CSRWhitelist": {"PublicKey": true, "Subject": true},"#, true, &[]),
        (
            r#""CSRWhitelist": {"PublicKey": true, "DNSNames": true},"#,
            false,
            &["dns:etcdone", "dns:a.example.com"],
        ),
        (r#""CSRWhitelist": {"PublicKey": true, "IPAddresses": true},"#, false, &["ip:10.0.0.1"]),
        (
            r#""CSRWhitelist": {"PublicKey": true, "EmailAddresses": true},"#,
            false,
            &["email:a@example.com"],
        ),
        (r#""CSRWhitelist": {"PublicKey": true, "URIs": true},"#, false, &["uri:spiffe://td/x"]),
    ] {
        let config = config(r#""expiry": "1h""#, &format!(r#"{members} "usages": ["signing"]"#));
        let taken = config.profile("p").unwrap().restrict(all.clone());
        let whole = if subject { "O=Lab, CN=etcdone" } else { "" };
        assert_eq!(taken.subject.value().to_string(), whole);
        assert_eq!(taken.names.value().iter().map(ToString::to_string).collect::<Vec<_>>(), names);
        assert_eq!(taken.public_key, all.public_key);
        // The library restricts the request by itself, and says what it left out.
        let Issued { certificate: leaf, left_out, .. } = issue(&config, &all).unwrap();
        let written = leaf.extensions.subject_alt_name.iter().flatten();
        assert_eq!(written.map(ToString::to_string).collect::<Vec<_>>(), names, "{members}");
        assert_eq!(leaf.subject.to_string(), if subject { whole } else { "(empty subject)" });
        let taken_over = names.len() + usize::from(subject);
        assert_eq!(left_out.len(), 6 - taken_over, "{left_out:?}");
        // RFC 5280 section 4.2.1.6: subjectAltName is critical if the subject is empty.
        let san = leaf.extensions.find("2.5.29.17").map(|extension| extension.critical);
        assert_eq!(san, (!names.is_empty()).then_some(!subject), "{members}");
    }
}

// A client certificate with a name of its host opens etcd's peer port to that client.
#[test]
fn the_built_in_client_profile_takes_no_dns_name_and_no_address_from_a_request() {
    let ca = Ca::new();
    let asked = request(SAN);
    let issued = |profile: &str, request: &Request| {
        ca.draft(profile, request).unwrap().sign(&ca.key).unwrap()
    };
    let names = |issued: &Issued| {
        let names = issued.certificate.extensions.subject_alt_name.iter().flatten();
        names.map(ToString::to_string).collect::<Vec<_>>()
    };
    let client = issued("client", &asked);
    assert_eq!(names(&client), ["dns:etcdone.invalid", "email:a@example.com", "uri:spiffe://td/x"]);
    let left_out: Vec<_> = client.left_out.iter().map(ToString::to_string).collect();
    assert_eq!(left_out, ["name dns:etcdone", "name dns:a.example.com", "name ip:10.0.0.1"]);
    let mut by_operator = asked.clone();
    by_operator.names = Asked::ByOperator(asked.names.value().clone());
    let client = issued("client", &by_operator);
    assert_eq!((names(&client).len(), client.left_out), (6, Vec::new()));
    for profile in ["server", "peer"] {
        assert!(names(&issued(profile, &asked)).contains(&"ip:10.0.0.1".to_owned()), "{profile}");
    }
}

/// A length in two octets where one is enough: verifiers that read DER to the letter reject the certificate.
#[test]
fn a_copied_extension_that_is_not_der_is_refused() {
    let copying = config(r#""expiry": "1h""#, r#""usages": ["signing"], "copy_extensions": true"#);
    for (length, refused) in [("86:02", false), ("86:81:02", true)] {
        let location = format!("06:08:2b:06:01:05:05:07:30:01:{length}:68:69");
        let octets = if refused { ("11", "0f") } else { ("10", "0e") };
        let value = format!("DER:30:{}:30:{}:{location}", octets.0, octets.1);
        match issue(&copying, &request(&format!("-addext 1.3.6.1.5.5.7.1.11={value}"))) {
            Ok(_) => assert!(!refused),
            Err(Error::Refused(findings)) => {
                let ids: Vec<_> = findings.iter().map(|finding| finding.rule.id).collect();
                assert!(refused && ids.contains(&"path-rejected"), "{findings:?}");
            }
            Err(error) => panic!("{error}"),
        }
    }
}

/// etcd compares a wildcard only with the PTR record of the address that a member connects from.
#[test]
fn a_peer_certificate_with_only_wildcards_is_refused_with_what_to_add() {
    let ca = Ca::new();
    let key = PrivateKey::generate(KeyAlgorithm::EcdsaP256).unwrap();
    let draft =
        |profile: &str, names: &[&str]| ca.draft(profile, &Ca::request("*.lab", names, &key));
    for loopback in [&["*.etcd.lab"][..], &["*.etcd.lab", "localhost", "127.0.0.1", "::1"]] {
        let error = draft("peer", loopback).unwrap_err();
        assert!(matches!(&error, Error::NotAdmitted(_)), "{error:?}");
        let hint = error.hint().unwrap_or_default();
        assert!(hint.contains("--san ADDRESS"), "{hint}");
    }
    for enough in ["10.0.0.1", "etcdone.lab"] {
        assert!(draft("peer", &["*.etcd.lab", enough]).is_ok(), "{enough}");
    }
    assert!(draft("server", &["*.etcd.lab"]).is_ok());
}
