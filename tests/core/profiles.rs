//! The effect of each field of a `ca-config.json` on a certificate: the same as in cfssl 1.6.5, except where cfssl
//! is silently wrong.

mod requests;

use pki_core::{
    Certificate, Error, IssuanceContext, KeyUsages, Lifetime, PrivateKey, Signer, SigningConfig,
};
use time::Duration;
use time::macros::datetime;

use crate::lab::{Ca, NOW, moment};
use crate::openssl::Openssl;
use crate::properties::KEYS;

fn rsa() -> &'static PrivateKey {
    &KEYS[4]
}

/// A configuration with one profile `p` with these members, and a default.
fn config(default: &str, members: &str) -> SigningConfig {
    let text = format!(
        r#"{{"signing": {{"default": {{{default}}}, "profiles": {{"p": {{{members}}}}}}}}}"#
    );
    SigningConfig::from_json(text.as_bytes()).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn try_issue(config: &SigningConfig, key: &PrivateKey) -> Result<Certificate, Error> {
    // A CA that lives longer than any profile below, and may have CAs below it.
    let ca = Ca::with(pki_core::KeyAlgorithm::EcdsaP256, |request| {
        request.expiry = Duration::days(30_000);
        request.path_len = None;
    });
    let request = Ca::request("etcdone", &["etcdone"], key);
    let draft = ca.authority.draft(&request, config.profile("p")?, &moment())?;
    draft.sign(&ca.key).map(|issued| issued.certificate)
}

fn issue(config: &SigningConfig, key: &PrivateKey) -> Certificate {
    try_issue(config, key).unwrap()
}

const KEY_USAGE: &str = "2.5.29.15";
const EXTENDED_KEY_USAGE: &str = "2.5.29.37";

#[test]
fn every_key_usage_string_sets_its_bit() {
    for (usage, wanted) in [
        ("signing", &[3, 2, 7, 0x80][..]),
        ("digital signature", &[3, 2, 7, 0x80]),
        ("content commitment", &[3, 2, 6, 0x40]),
        ("key encipherment", &[3, 2, 5, 0x20]),
        ("data encipherment", &[3, 2, 4, 0x10]),
        ("key agreement", &[3, 2, 3, 0x08]),
        ("cert sign", &[3, 2, 2, 0x04]),
        ("crl sign", &[3, 2, 1, 0x02]),
        ("encipher only", &[3, 2, 0, 0x01]),
        ("decipher only", &[3, 3, 7, 0x00, 0x80]),
    ] {
        let ca = format!(r#""ca_constraint": {{"is_ca": {}}}"#, usage == "cert sign");
        let members = format!(r#""expiry": "1h", "usages": ["{usage}"], {ca}"#);
        let leaf = issue(&config(r#""expiry": "1h""#, &members), rsa());
        let extension = leaf.extensions.find(KEY_USAGE).unwrap();
        assert_eq!((extension.critical, &extension.value[..]), (true, wanted), "{usage}");
        assert!(leaf.extensions.find(EXTENDED_KEY_USAGE).is_none(), "{usage}");
    }
}

#[test]
fn every_extended_key_usage_string_names_its_purpose() {
    for (usage, wanted) in [
        ("any", "2.5.29.37.0"),
        ("server auth", "1.3.6.1.5.5.7.3.1"),
        ("client auth", "1.3.6.1.5.5.7.3.2"),
        ("code signing", "1.3.6.1.5.5.7.3.3"),
        ("email protection", "1.3.6.1.5.5.7.3.4"),
        ("s/mime", "1.3.6.1.5.5.7.3.4"),
        ("ipsec end system", "1.3.6.1.5.5.7.3.5"),
        ("ipsec tunnel", "1.3.6.1.5.5.7.3.6"),
        ("ipsec user", "1.3.6.1.5.5.7.3.7"),
        ("timestamping", "1.3.6.1.5.5.7.3.8"),
        ("ocsp signing", "1.3.6.1.5.5.7.3.9"),
        ("microsoft sgc", "1.3.6.1.4.1.311.10.3.3"),
        ("netscape sgc", "2.16.840.1.113730.4.1"),
    ] {
        let members = format!(r#""expiry": "1h", "usages": ["{usage}"]"#);
        let leaf = issue(&config("\"expiry\": \"1h\"", &members), rsa());
        let usages: Vec<_> =
            leaf.extensions.extended_key_usage.iter().flatten().map(|u| u.0.as_str()).collect();
        assert_eq!(usages, [wanted], "{usage}");
        assert!(!leaf.extensions.find(EXTENDED_KEY_USAGE).unwrap().critical);
        assert!(leaf.extensions.find(KEY_USAGE).is_none(), "{usage}");
    }
}

#[test]
fn usages_keep_their_order_and_stand_once() {
    let members = r#""expiry": "1h", "usages": ["client auth", "signing", "server auth",
        "digital signature", "client auth", "any"]"#;
    let leaf = issue(&config(r#""expiry": "1h""#, members), rsa());
    let usages = leaf.extensions.extended_key_usage.iter().flatten().map(ToString::to_string);
    assert_eq!(usages.collect::<Vec<_>>(), ["clientAuth", "serverAuth", "anyExtendedKeyUsage"]);
    assert_eq!(leaf.extensions.key_usage, Some(KeyUsages::DIGITAL_SIGNATURE));
}

// RFC 8813 section 3 and RFC 9295 section 3; cfssl sets both bits for every key.
#[test]
fn encipherment_is_only_for_rsa_keys() {
    let both = r#""expiry": "1h", "usages": ["signing", "key encipherment", "data encipherment"]"#;
    let both = config(r#""expiry": "1h""#, both);
    let alone = config(r#""expiry": "1h""#, r#""usages": ["key encipherment", "server auth"]"#);
    for (key, wanted) in KEYS.iter().zip([false, false, false, false, true]) {
        let names: Vec<_> =
            issue(&both, key).extensions.key_usage.unwrap_or_default().names().collect();
        let encipherment: &[&str] = &["digitalSignature", "keyEncipherment", "dataEncipherment"];
        assert_eq!(names, encipherment[..if wanted { 3 } else { 1 }]);
        // Without its only key usage, a certificate would be valid for every use.
        match try_issue(&alone, key) {
            Ok(leaf) => {
                assert!(wanted);
                assert_eq!(leaf.extensions.key_usage, Some(KeyUsages::KEY_ENCIPHERMENT));
            }
            Err(error) => {
                assert!(!wanted);
                assert!(
                    error.to_string().contains("its only key usages are for RSA keys"),
                    "{error}"
                );
                assert!(error.hint().unwrap().contains("\"signing\""), "{error}");
            }
        }
    }
}

#[test]
fn a_lifetime_that_is_not_given_is_the_defaults() {
    for (default, own, wanted) in [
        ("8760h", r#""expiry": "1h","#, Duration::HOUR),
        ("8760h", r#""expiry": "0","#, Duration::days(365)),
        ("8760h", r#""expiry": "","#, Duration::days(365)),
        ("8760h", r#""expiry": null,"#, Duration::days(365)),
        ("10y", "", Duration::days(3650)),
        ("1h", r#""expiry": "90d12h","#, Duration::hours(90 * 24 + 12)),
    ] {
        let members = format!(r#"{own} "usages": ["signing"]"#);
        let leaf = issue(&config(&format!(r#""expiry": "{default}""#), &members), rsa());
        assert_eq!(leaf.not_after - NOW, wanted, "{own} {default}");
    }
}

#[test]
fn a_certificate_begins_before_now_by_its_own_backdate_or_five_minutes() {
    // Only lifetime and URLs are inherited from the default profile.
    let default = r#""expiry": "1h", "backdate": "7h", "not_before": "2020-01-01T00:00:00Z""#;
    for (own, wanted) in [
        ("", NOW - Duration::minutes(5)),
        (r#""backdate": "0","#, NOW - Duration::minutes(5)),
        (r#""backdate": "","#, NOW - Duration::minutes(5)),
        (r#""backdate": "1h","#, NOW - Duration::HOUR),
        (r#""backdate": "30s","#, NOW - Duration::seconds(30)),
        // Whole seconds: 1.5 seconds ago is in the second before the last.
        (r#""backdate": "1500ms","#, NOW - Duration::seconds(2)),
        (r#""not_before": "2026-01-01T02:00:00.7+02:00","#, datetime!(2026-01-01 00:00 UTC)),
        (
            r#""not_before": "2026-01-01T00:00:00Z", "backdate": "1h","#,
            datetime!(2026-01-01 00:00 UTC),
        ),
        (r#""not_before": "1950-01-01T00:00:00Z","#, datetime!(1950-01-01 00:00 UTC)),
    ] {
        let leaf = issue(&config(default, &format!(r#"{own} "usages": ["signing"]"#)), rsa());
        assert_eq!(leaf.not_before, wanted, "{own}");
    }
}

#[test]
fn an_end_is_what_was_asked_for_else_not_after_else_now_and_the_lifetime() {
    let default = r#""expiry": "1h", "not_after": "2030-01-01T00:00:00Z""#;
    let members =
        r#""expiry": "2h", "not_after": "2060-06-30T23:59:59+01:00", "usages": ["signing"]"#;
    let fixed = config(default, members);
    let leaf = issue(&fixed, rsa());
    assert_eq!(leaf.not_after, datetime!(2060-06-30 22:59:59 UTC));
    // RFC 5280 section 4.1.2.5: UTCTime until 2049, GeneralizedTime from 2050.
    let text = Openssl::new().text(&leaf);
    assert!(text.contains("Not After : Jun 30 22:59:59 2060 GMT"), "{text}");

    let ca = Ca::new();
    let mut request = Ca::request("etcdone", &["etcdone"], rsa());
    request.lifetime = Lifetime::Exactly(Duration::DAY);
    let draft = ca.authority.draft(&request, fixed.profile("p").unwrap(), &moment()).unwrap();
    assert_eq!(draft.sign(&ca.key).unwrap().certificate.not_after, NOW + Duration::DAY);
}

#[test]
fn a_certificate_that_is_over_or_not_begun_is_refused() {
    for (field, value) in [
        ("not_after", "2027-01-01T12:00:00Z"),
        ("not_after", "2020-01-01T00:00:00Z"),
        ("not_after", "1949-12-31T23:59:59Z"),
        ("not_before", "1949-12-31T23:59:59Z"),
        ("not_before", "2027-01-01T12:00:01Z"),
        ("backdate", "100y"),
        ("backdate", "-1s"),
        ("expiry", "8000y"),
        // cfssl signs certificates that have already expired.
        ("expiry", "1us"),
        ("expiry", "-1h"),
    ] {
        let text = format!(
            r#"{{"signing": {{"default": {{"expiry": "1h"}}, "profiles": {{"p": {{
                "{field}": "{value}", "usages": ["signing"]}}}}}}}}"#
        );
        // Some are rejected when they are read, some because of the current time.
        let config = SigningConfig::from_json(text.as_bytes());
        let error = config.and_then(|config| try_issue(&config, rsa())).unwrap_err();
        assert!(error.to_string().contains(field) && error.hint().is_some(), "{value}: {error}");
        assert!(matches!(error, Error::Invalid(_) | Error::NotAdmitted(_)), "{error:?}");
    }
}

#[test]
fn a_ca_constraint_makes_a_ca_of_that_path_length() {
    for (constraint, wanted) in [
        (r#"{"is_ca": true}"#, &[0x30, 3, 1, 1, 0xff][..]),
        (r#"{"is_ca": true, "max_path_len": -1}"#, &[0x30, 3, 1, 1, 0xff]),
        (r#"{"is_ca": true, "max_path_len": 0}"#, &[0x30, 3, 1, 1, 0xff]),
        (r#"{"is_ca": true, "max_path_len_zero": true}"#, &[0x30, 6, 1, 1, 0xff, 2, 1, 0]),
        (
            r#"{"is_ca": true, "max_path_len": 0, "max_path_len_zero": true}"#,
            &[0x30, 6, 1, 1, 0xff, 2, 1, 0],
        ),
        (r#"{"is_ca": true, "max_path_len": 1}"#, &[0x30, 6, 1, 1, 0xff, 2, 1, 1]),
        (r#"{"is_ca": true, "max_path_len": 255}"#, &[0x30, 7, 1, 1, 0xff, 2, 2, 0, 255]),
        (r#"{"is_ca": false}"#, &[0x30, 0]),
        ("{}", &[0x30, 0]),
        ("null", &[0x30, 0]),
    ] {
        let usage = if wanted.len() > 2 { "cert sign" } else { "signing" };
        let members = format!(r#""ca_constraint": {constraint}, "usages": ["{usage}"]"#);
        let certificate = issue(&config(r#""expiry": "1h""#, &members), rsa());
        let extension = certificate.extensions.find("2.5.29.19").unwrap();
        assert_eq!((extension.critical, &extension.value[..]), (true, wanted), "{constraint}");
    }
}

#[test]
fn urls_stand_in_the_certificate_and_those_not_given_are_the_defaults() {
    let openssl = Openssl::new();
    let default = r#""expiry": "1h", "crl_url": "http://default/crl", "ocsp_url": "http://default/ocsp",
        "issuer_urls": ["http://default/ca", "http://default/ca2"]"#;
    let inherited = [
        "OCSP - URI:http://default/ocsp\n                CA Issuers - URI:http://default/ca\n                CA Issuers - URI:http://default/ca2\n",
        "URI:http://default/crl\n",
    ];
    let own = r#""crl_url": "http://own/crl", "ocsp_url": "http://own/ocsp", "issuer_urls": ["http://own/ca"],"#;
    let owned = [
        "OCSP - URI:http://own/ocsp\n                CA Issuers - URI:http://own/ca\n",
        "URI:http://own/crl\n",
    ];
    for (default, members, wanted) in [
        (default, "", &inherited[..]),
        (default, r#""crl_url": "", "ocsp_url": null, "issuer_urls": null,"#, &inherited),
        // As in cfssl, an empty list is one of its own.
        (default, r#""issuer_urls": [],"#, &["OCSP - URI:http://default/ocsp\n", inherited[1]]),
        (default, own, &owned),
        (r#""expiry": "1h""#, own, &owned),
        (r#""expiry": "1h""#, "", &[]),
    ] {
        let leaf = issue(&config(default, &format!(r#"{members} "usages": ["signing"]"#)), rsa());
        let text = openssl.text(&leaf);
        assert!(wanted.iter().all(|wanted| text.contains(wanted)), "{text}");
        assert_eq!(text.matches("URI:").count(), wanted.concat().matches("URI:").count(), "{text}");
    }
}

#[test]
fn policies_and_ocsp_no_check_stand_in_the_certificate() {
    let members = r#""usages": ["ocsp signing"], "ocsp_no_check": true, "Policies": [
        {"ID": "1.3.6.1.4.1.44363.1", "Qualifiers": [
            {"Type": "id-qt-cps", "Value": "https://example.com/cps"},
            {"Type": "id-qt-unotice", "Value": "for the lab & nobody else"}]},
        {"ID": "2.5.29.32.0"}]"#;
    let leaf = issue(&config(r#""expiry": "1h""#, members), rsa());
    // RFC 6960 section 4.2.2.2.1: the value is NULL.
    let no_check = leaf.extensions.find("1.3.6.1.5.5.7.48.1.5").unwrap();
    assert_eq!((no_check.critical, &no_check.value[..]), (false, &[5, 0][..]));
    let text = Openssl::new().text(&leaf);
    for wanted in [
        "X509v3 Certificate Policies: \n                Policy: 1.3.6.1.4.1.44363.1\n                  CPS: https://example.com/cps\n",
        "User Notice:\n                    Explicit Text: for the lab & nobody else\n                Policy: X509v3 Any Policy\n",
        "OCSP No Check: \n",
    ] {
        assert!(text.contains(wanted), "{wanted} in {text}");
    }
    let without =
        issue(&config(r#""expiry": "1h""#, r#""usages": ["signing"], "Policies": []"#), rsa());
    assert_eq!(without.extensions.all.len(), 5, "AKI, SAN, KU, SKI, BC");
}

#[test]
fn keys_match_in_any_case_and_null_is_absent_as_in_go() {
    let text = br#"{"Signing": {"DEFAULT": {"Expiry": "1h", "not_before": null}, "profiles": {"P": {
        "USAGES": ["signing"], "CrL_uRl": "http://crl", "csrwhitelist": {"publickey": true, "DNSNAMES": true},
        "auth_key": "", "remote": null, "lint_error_level": 0, "ct_log_servers": [],
        "ClientProvidesSerialNumbers": false}}}, "auth_keys": {}, "remotes": null}"#;
    let config = SigningConfig::from_json(text).unwrap();
    let profile = config.profile("P").unwrap();
    assert_eq!(profile.expiry, Duration::HOUR);
    assert_eq!(profile.urls.crl.as_ref().unwrap().as_str(), "http://crl");
    assert!(profile.csr_whitelist.unwrap().dns_names && !profile.csr_whitelist.unwrap().subject);
}

#[test]
fn a_profile_is_found_by_its_exact_name_and_a_slip_gets_a_hint() {
    let config = SigningConfig::etcd();
    assert_eq!(config.profile("peer").unwrap().name, "peer");
    assert_eq!(config.profile("default").unwrap().expiry, Duration::days(365));
    // cfssl signs with the default profile here, whatever it allows.
    for (name, hint) in [
        ("Server", "did you mean \"server\"?"),
        ("clinet", "did you mean \"client\"?"),
        ("", "one of: server, peer, client"),
        ("www-intranet", "one of: server, peer, client"),
    ] {
        let error = config.profile(name).unwrap_err();
        assert_eq!(
            (error.to_string(), error.hint()),
            (format!("profile {name:?}: unknown profile"), Some(hint))
        );
    }
    // Names of profiles are case-sensitive, as in cfssl.
    let two = br#"{"signing": {"profiles": {"p": {"expiry": "1h", "usages": ["signing"]},
        "P": {"expiry": "2h", "usages": ["signing"]}}}}"#;
    let two = SigningConfig::from_json(two).unwrap();
    assert_eq!(["p", "P"].map(|name| two.profile(name).unwrap().expiry.whole_hours()), [1, 2]);
    // The default of the built-in profiles has no usages, so it issues nothing.
    let ca = Ca::new();
    let moment = IssuanceContext { now: NOW, ..moment() };
    let request = Ca::request("etcdone", &["etcdone"], rsa());
    let error = ca.authority.draft(&request, config.profile("default").unwrap(), &moment);
    assert!(error.unwrap_err().to_string().contains("it has no usages"));
    assert_eq!(rsa().public_key().algorithm_name(), "rsa-2048");
}

// It is a link, which a program that rewrites files in place once turned into a copy.
#[test]
fn the_built_in_profiles_are_those_of_the_file_that_people_read() {
    let embedded = include_bytes!("../../pki-core/profiles/etcd.json");
    assert_eq!(embedded, include_bytes!("../../profiles/etcd.json"));
}
