//! What we issue, used by Go: requests by code, from the operator of a CA and from PKCS #10, under profiles, CAs and
//! keys of many kinds. Go parses, verifies and uses each certificate in a handshake.

use std::fmt::Write as _;

use pki_core::{
    Attribute, CaRequest, Certificate, CertificateRequest, Draft, Error, ExtendedKeyUsage,
    GeneralName, KeyAlgorithm, NameConstraint, PrivateKey, Purpose, Request, San, Signer,
    SigningConfig, Subject,
};
use rustls_pki_types::ServerName;

use super::chains::{Case, Line, Pool, pkcs8};
use super::compare::to_json;
use super::judge::{self, Question};
use super::kinds::{KINDS, list, subject_alt_names, tlv};
use crate::der::Node;
use crate::differential::random::Random;
use crate::lab::{Ca, NOW, moment};

const ISSUED: usize = 500;

/// Beside the built-in profiles: everything that a profile can add, and extensions of the requester.
const PROFILES: &str = r#"{"signing": {"default": {"expiry": "24h"}, "profiles": {
    "additions": {
        "expiry": "24h", "usages": ["signing", "server auth", "client auth", "code signing"],
        "issuer_urls": ["http://ca.example.com/ca.der"], "ocsp_url": "http://ocsp.example.com",
        "crl_url": "http://ca.example.com/ca.crl", "ocsp_no_check": true,
        "policies": [{"ID": "1.2.3.4", "Qualifiers": [{"Type": "id-qt-cps", "Value": "http://x/cps"}]}],
        "add_names": ["{cn}", "{label}.example.com", "192.0.2.7"]
    },
    "copies": {
        "expiry": "24h", "usages": ["signing", "server auth", "client auth"], "copy_extensions": true
    }
}}}"#;

const TEXTS: [&str; 18] = [
    "etcdone",
    "host.example.com",
    "etcd one",
    "system:masters",
    "a_b",
    "a@b",
    "a*b",
    "a&b",
    "O=x,CN=y",
    "münchen",
    "日本",
    "192.0.2.1",
    "2001:db8::1",
    "-",
    "\u{7f}",
    "a\tb",
    "",
    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
];

/// CAs with and without constraints.
fn authorities() -> Vec<Ca> {
    let constraint = |text: &str| text.parse::<NameConstraint>().unwrap();
    let with = |algorithm, change: fn(&mut CaRequest)| Ca::with(algorithm, change);
    let permitting = |request: &mut CaRequest| {
        request.permitted =
            ["example.com", "localhost", "invalid", "ip:192.0.2.0/24", "ip:127.0.0.0/8"]
                .iter()
                .map(|text| text.parse().unwrap())
                .collect();
    };
    let mut all = vec![
        with(KeyAlgorithm::EcdsaP256, |_| {}),
        with(KeyAlgorithm::Ed25519, |request| request.path_len = None),
        with(KeyAlgorithm::EcdsaP256, permitting),
    ];
    all.push(Ca::with(KeyAlgorithm::EcdsaP384, |request| {
        request.excluded = vec![constraint("other.org"), constraint("email:other.org")];
    }));
    all
}

fn subject(random: &mut Random) -> Result<Subject, Error> {
    let mut subject = Subject::from_common_name(random.one_of(&TEXTS))?;
    for attribute in [Attribute::Organization, Attribute::OrganizationalUnit, Attribute::Country] {
        if random.below(4) == 0 {
            subject = subject.with(attribute, random.one_of(&TEXTS))?;
        }
    }
    Ok(subject)
}

fn names(random: &mut Random) -> Result<Vec<San>, Error> {
    let name = |random: &mut Random| match random.below(8) {
        0 | 1 => random.one_of(subject_alt_names::DNS).to_owned(),
        2 | 3 => random.one_of(&["host.example.com", "*.example.com", "localhost"]).to_owned(),
        4 => format!("email:{}", random.one_of(subject_alt_names::EMAILS)),
        5 => format!("uri:{}", random.one_of(subject_alt_names::URIS)),
        _ => random.one_of(&["192.0.2.1", "127.0.0.1", "::1", "2001:db8::1"]).to_owned(),
    };
    (0..random.below(4)).map(|_| name(random).parse()).collect()
}

/// A PKCS #10 whose subject and extensions are changed in the ways in which those of certificates are.
fn csr(
    pool: &Pool,
    key: &PrivateKey,
    random: &mut Random,
    story: &mut String,
) -> Result<Request, Error> {
    const EXTENSION_REQUEST: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 14];
    const CHANGED: [&str; 9] = [
        "subject",
        "attribute",
        "names",
        "uris",
        "extKeyUsage",
        "policies",
        "access",
        "unknown",
        "distribution points",
    ];
    let mut line = Line::new(vec![&pool.usual[0], key]);
    let root = line.next();
    line.push(root);
    let mut certificate = line.next();
    let fields = certificate.inner()[0].inner();
    for _ in 0..=random.below(2) {
        let kinds: Vec<_> = KINDS.iter().filter(|kind| CHANGED.contains(&kind.name)).collect();
        let kind = random.one_of(&kinds);
        let what = (kind.make)(fields, pool, random);
        let _ = write!(story, "{} {what}; ", kind.name);
    }
    let extensions = Node::nodes(0x30, list(fields).unwrap().clone());
    let attribute =
        vec![Node::octets(0x06, EXTENSION_REQUEST), Node::nodes(0x31, vec![extensions])];
    let attributes = Node::nodes(0xa0, vec![Node::nodes(0x30, attribute)]);
    let info = vec![
        Node::octets(0x02, [0]),
        fields[5].clone(),
        Node::read(&key.public_key().spki()),
        attributes,
    ];
    let tbs = Node::nodes(0x30, info).write();
    let csr = Draft::<CertificateRequest>::from_tbs(&tbs)?.sign(key)?;
    Request::from_csr(&csr)
}

/// A request, what profile it is for, and what is issued.
fn issue(
    pool: &Pool,
    ca: &Ca,
    key: &PrivateKey,
    random: &mut Random,
    story: &mut String,
) -> Result<Certificate, Error> {
    let (built_in, more) = (SigningConfig::etcd(), SigningConfig::from_json(PROFILES.as_bytes())?);
    let profiles = [
        (&built_in, "server"),
        (&built_in, "peer"),
        (&built_in, "client"),
        (&more, "additions"),
        (&more, "copies"),
    ];
    let (config, profile) = random.one_of(&profiles);
    let _ = write!(story, "{profile}: ");
    let request = if random.flag() {
        csr(pool, key, random, story)?
    } else {
        let (subject, names) = (subject(random)?, names(random)?);
        let _ = write!(story, "{subject} {names:?}");
        Request::new(subject, names, key.public_key().clone())
    };
    let draft = ca.authority.draft(&request, config.profile(profile)?, &moment())?;
    Ok(draft.sign(&ca.key)?.certificate)
}

/// The first name that a client can dial.
fn host(leaf: &Certificate) -> Option<String> {
    let names = leaf.extensions.subject_alt_name.iter().flatten();
    let mut hosts = names.filter_map(|name| match name {
        GeneralName::Dns(name) => Some(name.clone()),
        name => name.ip().map(|ip| ip.to_string()),
    });
    hosts.find(|host| ServerName::try_from(host.as_str()).is_ok())
}

fn case(ca: &Ca, leaf: &Certificate, key: &PrivateKey, story: String) -> Case {
    let serves = leaf
        .extensions
        .extended_key_usage
        .iter()
        .flatten()
        .any(|usage| *usage == ExtendedKeyUsage::server_auth());
    let host = host(leaf).filter(|_| serves);
    let question = Question {
        leaf: leaf.der().to_vec(),
        intermediates: Vec::new(),
        roots: vec![ca.certificate().der().to_vec()],
        purpose: if host.is_some() { Purpose::Peer } else { Purpose::Client },
        host,
        at: NOW,
    };
    Case { question, story, key: pkcs8(key), has_one_path: true }
}

/// Once, the sentinel was always below `.invalid`, so such a CA could not issue any client certificate.
#[test]
fn a_constrained_ca_issues_client_certificates_that_go_accepts() {
    let pool = Pool::shared();
    let mut cases = Vec::new();
    for (permitted, name) in [
        (&["example.com"][..], "api.invalid.example.com"),
        (&["localhost", "etcd.example.com"], "api.invalid.etcd.example.com"),
        (&["localhost"], "api.invalid.localhost"),
        (&["example.com", "invalid"], "api.invalid"),
        (&["ip:192.0.2.0/24"], "api.invalid"),
        (&[], "api.invalid"),
    ] {
        let permitted: Vec<NameConstraint> =
            permitted.iter().map(|text| text.parse().unwrap()).collect();
        let ca = Ca::with(KeyAlgorithm::EcdsaP256, |request| request.permitted = permitted);
        let request = Ca::request("api", &[], &pool.usual[1]);
        let leaf = ca.draft("client", &request).unwrap().sign(&ca.key).unwrap().certificate;
        let names = leaf.extensions.subject_alt_name.clone().unwrap();
        assert_eq!(names, [GeneralName::Dns(name.to_owned())]);
        cases.push(case(&ca, &leaf, &pool.usual[1], name.to_owned()));
    }
    let requests: Vec<_> = cases.iter().map(to_json).collect();
    for (case, go) in cases.iter().zip(judge::ask(&requests)) {
        assert!(go.accepts, "{}: {go:?}", case.story);
        assert_eq!(case.question.ours(), None, "{}", case.story);
    }
}

/// Go cannot split the host of the one, and rejects the other below constraints of any kind.
#[test]
fn uris_that_go_rejects_are_not_issued() {
    let pool = Pool::shared();
    assert!("uri:https://host:port/".parse::<San>().is_err());
    let plain = Ca::with(KeyAlgorithm::EcdsaP256, |_| {});
    let constrained = Ca::with(KeyAlgorithm::EcdsaP256, |request| {
        request.excluded = vec!["other.org".parse().unwrap()];
    });
    for uri in ["uri:urn:uuid:1", "uri:spiffe://192.0.2.1/x", "uri:etcd:/x"] {
        let request = Ca::request("host", &["host.example.com", uri], &pool.usual[1]);
        assert!(plain.draft("server", &request).is_ok(), "{uri}");
        let Err(Error::Refused(findings)) = constrained.draft("server", &request) else {
            panic!("{uri}")
        };
        let ids: Vec<&str> = findings.iter().map(|finding| finding.rule.id).collect();
        assert!(ids.contains(&"go-constraint-names"), "{uri}: {ids:?}");
    }
}

/// Invalid UTF-8 and other types of values became hexadecimal digits once, and were issued.
#[test]
fn a_request_whose_organization_is_not_text_is_refused() {
    let key = &Pool::shared().usual[1];
    let values: [(u8, &[u8]); 4] =
        [(0x0c, b"\xff\xfe"), (0x1e, b"\xd8\0\xd8\0"), (0x02, &[1]), (0x0c, b"company")];
    for (tag, value) in values {
        let organization = [tlv(0x06, &[0x55, 4, 10]), tlv(tag, value)].concat();
        let info = [
            tlv(0x02, &[0]),
            tlv(0x30, &tlv(0x31, &tlv(0x30, &organization))),
            key.public_key().spki().to_vec(),
            tlv(0xa0, &[]),
        ];
        let tbs = tlv(0x30, &info.concat());
        let csr = Draft::<CertificateRequest>::from_tbs(&tbs).and_then(|draft| draft.sign(key));
        let request = csr.and_then(|csr| Request::from_csr(&csr));
        if value == b"company" {
            assert_eq!(request.unwrap().subject.value().to_string(), "O=company");
        } else {
            let problem = request.unwrap_err().to_string();
            assert!(problem.contains("not text"), "{problem}");
        }
    }
}

#[test]
fn go_reads_verifies_and_uses_what_we_issue() {
    let pool = Pool::shared();
    let authorities = authorities();
    let mut random = Random(11);
    let mut cases = Vec::new();
    let mut refused = 0;
    while cases.len() < ISSUED {
        assert!(refused < 20 * ISSUED, "only {} are issued", cases.len());
        let ca = &authorities[random.below(authorities.len())];
        let key = if random.below(4) == 0 {
            &pool.others[random.below(pool.others.len())]
        } else {
            &pool.usual[1]
        };
        let mut story = String::new();
        match issue(pool, ca, key, &mut random, &mut story) {
            Ok(leaf) => cases.push(case(ca, &leaf, key, story)),
            Err(Error::Internal(problem)) => panic!("{story}: {problem}"),
            Err(_) => refused += 1,
        }
    }
    // Both what is asked for in good form, and what is not, must be there.
    assert!(refused > ISSUED / 10, "{refused} are refused");
    let requests: Vec<_> = cases.iter().map(to_json).collect();
    let mut wrong = String::new();
    for (case, go) in cases.iter().zip(judge::ask(&requests)) {
        if !go.accepts {
            let _ = writeln!(wrong, "Go: {} {}: {}", go.stage, go.error, case.story);
        }
        if let Some(ours) = case.question.ours() {
            let _ = writeln!(wrong, "we: {ours}: {}", case.story);
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}
