//! Measures the cost of the library compared with the cryptography that it needs.
//!
//! `cargo bench -p pki-core` measures each operation and its raw counterpart with criterion, and then prints a
//! table of ratios. The table does not use criterion's numbers: it measures both sides in turns, so that a busy
//! machine slows both equally. A ratio of 1.00 means no overhead.
//!
//! The raw counterpart is the same work in aws-lc-rs: the same algorithm over a message of the same bytes.
//! Issuing checks its own signature, so it is compared with `sign + verify` and with `sign`. Parsing has no
//! cryptography; it is compared with other parsers, which keep less of what they read.

#![expect(
    clippy::disallowed_macros,
    clippy::disallowed_methods,
    reason = "a benchmark reads the clock and the arguments, and prints"
)]
#![expect(clippy::unwrap_used, reason = "a benchmark whose setup fails has no result")]

mod contest;
mod raw;

use std::time::Duration;

use aws_lc_rs::signature::ParsedPublicKey;
use criterion::{Criterion, SamplingMode};
use pki_core::{
    Authority, CaRequest, Certificate, IssuanceContext, KeyAlgorithm, PrivateKey, Profile, Purpose,
    Request, SerialNumber, Signer, SigningConfig, Subject, Verifier, VerifyOptions,
};
use rustls_pki_types::{CertificateDer, ServerName};
use time::macros::datetime;
use webpki::EndEntityCert;
use x509_parser::prelude::{FromDer, X509Certificate};

use self::contest::{Contest, Effort, job, print_ratios};
use self::raw::RawKey;

/// A CA whose key has the measured algorithm, and a member's certificate below it.
struct Lab {
    algorithm: KeyAlgorithm,
    raw: RawKey,
    key: PrivateKey,
    authority: Authority,
    request: Request,
    profile: Profile,
    moment: IssuanceContext,
    leaf: Certificate,
    /// The signed part of the leaf certificate, and its signature.
    message: Vec<u8>,
    signature: Vec<u8>,
    verifier: Verifier,
    options: VerifyOptions,
}

impl Lab {
    /// A lab that lives as long as the process, because the jobs borrow from it.
    fn leaked(algorithm: KeyAlgorithm) -> &'static Self {
        let raw = RawKey::generate(algorithm);
        let key = raw.to_ours();
        let now = datetime!(2027-01-01 12:00 UTC);
        let moment = IssuanceContext { now, serial: SerialNumber::from_random([0x5a; 20]) };
        let root = CaRequest::new(Subject::from_common_name("etcd CA").unwrap());
        let root = Authority::draft_root(&root, key.public_key(), &moment).unwrap();
        let authority = Authority::new(root.sign(&key).unwrap().certificate);
        let profile = SigningConfig::etcd().profile("peer").unwrap().clone();
        let member = PrivateKey::generate(KeyAlgorithm::EcdsaP256).unwrap();
        let request = member_request(&member);
        let draft = authority.draft(&request, &profile, &moment).unwrap();
        let message = draft.tbs().to_vec();
        let signature = raw.sign(&message);
        let leaf = draft.assemble(&signature).unwrap().certificate;
        let verifier = Verifier::builder([authority.certificate().clone()]).build().unwrap();
        let mut options = VerifyOptions::at(now);
        options.purpose = Purpose::Peer;
        options.hosts = vec![ServerName::try_from("etcdone").unwrap()];
        let report = verifier.check(&leaf, &[], &options);
        assert!(report.is_ok(), "{report}");
        Box::leak(Box::new(Self {
            algorithm,
            raw,
            key,
            authority,
            request,
            profile,
            moment,
            leaf,
            message,
            signature,
            verifier,
            options,
        }))
    }

    fn issue(&self, request: &Request) -> Certificate {
        let draft = self.authority.draft(request, &self.profile, &self.moment).unwrap();
        draft.sign(&self.key).unwrap().certificate
    }

    fn check(&self, leaf: &Certificate) {
        assert!(self.verifier.check(leaf, &[], &self.options).is_ok());
    }
}

fn member_request(key: &PrivateKey) -> Request {
    let names = ["192.168.29.61", "etcdone.example.com", "etcd-peer.lab"];
    Request::new(
        Subject::from_common_name("etcdone").unwrap(),
        names.map(|name| name.parse().unwrap()).to_vec(),
        key.public_key().clone(),
    )
}

fn keygen(algorithm: KeyAlgorithm, effort: Effort) -> Contest {
    Contest {
        operation: "keygen",
        algorithm,
        ours: vec![job("keygen", move || PrivateKey::generate(algorithm).unwrap())],
        raw: vec![job("generate", move || RawKey::generate(algorithm))],
        effort,
    }
}

fn draft_and_sign(lab: &'static Lab) -> Contest {
    Contest {
        operation: "draft+sign",
        algorithm: lab.algorithm,
        ours: vec![job("draft + sign + self-check", || lab.issue(&lab.request))],
        raw: vec![
            job("sign + verify", || lab.raw.verify(&lab.message, &lab.raw.sign(&lab.message))),
            job("sign", || lab.raw.sign(&lab.message)),
        ],
        effort: Effort::Many,
    }
}

/// The work of bulk issuing for each leaf certificate.
fn issue(lab: &'static Lab) -> Contest {
    Contest {
        operation: "issue",
        algorithm: lab.algorithm,
        ours: vec![job("keygen + draft + sign + self-check", || {
            lab.issue(&member_request(&PrivateKey::generate(lab.algorithm).unwrap()))
        })],
        raw: vec![job("generate + sign + verify", || {
            lab.raw.verify(&lab.message, &lab.raw.sign(&lab.message));
            RawKey::generate(lab.algorithm)
        })],
        effort: Effort::Many,
    }
}

fn parse(lab: &'static Lab) -> Contest {
    let der = lab.leaf.der();
    let pem = lab.leaf.to_pem().unwrap();
    Contest {
        operation: "parse",
        algorithm: lab.algorithm,
        ours: vec![
            job("parse", move || Certificate::from_der(der).unwrap()),
            job("parse PEM", move || Certificate::from_pem_or_der(pem.as_bytes()).unwrap()),
        ],
        raw: vec![
            job("x509-parser", move || X509Certificate::from_der(der).unwrap()),
            // webpki reads only what it needs for a path.
            job("webpki", move || EndEntityCert::try_from(&CertificateDer::from(der)).is_ok()),
        ],
        effort: Effort::Many,
    }
}

fn verify(lab: &'static Lab) -> Contest {
    let parsed = ParsedPublicKey::new(lab.raw.verification(), lab.raw.public_key()).unwrap();
    Contest {
        operation: "verify",
        algorithm: lab.algorithm,
        ours: vec![
            job("parse + verify", || lab.check(&Certificate::from_der(lab.leaf.der()).unwrap())),
            job("verify", || lab.check(&lab.leaf)),
        ],
        raw: vec![
            job("verify signature", || lab.raw.verify(&lab.message, &lab.signature)),
            // Reads the CA's key once for all signatures, which the path builder cannot do.
            job("verify signature, key kept", move || {
                parsed.verify_sig(&lab.message, &lab.signature).unwrap();
            }),
        ],
        effort: Effort::Many,
    }
}

/// The criterion group of a comparison.
fn measure(criterion: &mut Criterion, contest: &Contest) {
    let name = format!("{}/{}", contest.operation, contest.algorithm);
    let mut group = criterion.benchmark_group(name);
    if contest.effort == Effort::Few {
        let long = Duration::from_secs(2);
        group.sample_size(10).sampling_mode(SamplingMode::Flat).measurement_time(long);
    }
    for (side, jobs) in [("ours", &contest.ours), ("raw", &contest.raw)] {
        for job in jobs {
            group.bench_function(format!("{side}: {}", job.name), |b| b.iter(&job.run));
        }
    }
    group.finish();
}

fn main() {
    let [p256, ed25519, rsa] =
        [KeyAlgorithm::EcdsaP256, KeyAlgorithm::Ed25519, KeyAlgorithm::Rsa(2048)].map(Lab::leaked);
    let contests = [
        keygen(KeyAlgorithm::EcdsaP256, Effort::Many),
        keygen(KeyAlgorithm::Rsa(2048), Effort::Few),
        draft_and_sign(p256),
        draft_and_sign(ed25519),
        draft_and_sign(rsa),
        issue(p256),
        parse(p256),
        verify(p256),
        verify(ed25519),
        verify(rsa),
    ];
    let mut criterion = Criterion::default()
        .sample_size(50)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1))
        .nresamples(10_000)
        .configure_from_args();
    for contest in &contests {
        measure(&mut criterion, contest);
    }
    criterion.final_summary();
    // `cargo test --benches` omits `--bench`; then each job has run once, which is enough.
    let asked = |flag: &str| std::env::args().any(|argument| argument == flag);
    if asked("--bench") && !["--list", "--profile-time", "--test"].into_iter().any(asked) {
        print_ratios(&contests);
    }
}
