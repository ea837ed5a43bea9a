//! The library half: a CA that stays open and is used by many threads.

use std::collections::BTreeSet;

use pki_cli::{Ca, Custody, Failure, Owners, Recorded};
use pki_core::{Issued, KeyAlgorithm, PrivateKey, Request, Signer, SigningConfig, Subject};

use super::{database, rows};
use crate::lab::Lab;

pub(super) fn issue(ca: &Ca, name: &str) -> Result<Recorded<Issued>, Failure> {
    let key = PrivateKey::generate(KeyAlgorithm::EcdsaP256).unwrap();
    let subject = Subject::from_common_name(name).unwrap();
    let request = Request::new(subject, Vec::new(), key.public_key().clone());
    let config = SigningConfig::etcd();
    ca.issue(&request, config.profile("client").unwrap())
}

fn pem(ca: &Ca, name: &str) -> String {
    issue(ca, name).unwrap().get().certificate.to_pem().unwrap()
}

#[test]
fn a_ca_that_many_threads_and_processes_use_records_each_certificate_once() {
    const THREADS: usize = 4;
    const EACH: usize = 10;
    let lab = Lab::with_ca(&[]);
    let (first, second) = (
        Ca::open(&lab.path("pki"), Owners::Trusted, &Custody::default()).unwrap(),
        Ca::open(&lab.path("pki"), Owners::Trusted, &Custody::default()).unwrap(),
    );
    let issued: BTreeSet<String> = std::thread::scope(|scope| {
        let work = |thread: usize| {
            // Two connections to one file, as two processes have them.
            let ca = if thread.is_multiple_of(2) { &first } else { &second };
            move || (0..EACH).map(|n| pem(ca, &format!("c{thread}-{n}"))).collect::<Vec<_>>()
        };
        let threads: Vec<_> = (0..THREADS).map(|thread| scope.spawn(work(thread))).collect();
        // An open CA holds no lock: this does not wait for it.
        lab.ok(&["issue", "--profile", "client", "meanwhile"]);
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(issued.len(), THREADS * EACH);
    assert_eq!(rows(&lab).len(), THREADS * EACH + 2);
    let database = database(&lab);
    let mut query = database.prepare("SELECT pem FROM certificates").unwrap();
    let recorded: BTreeSet<String> =
        query.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    assert!(issued.is_subset(&recorded));
}

#[test]
fn what_cannot_be_recorded_is_not_given_out() {
    let lab = Lab::with_ca(&[]);
    let ca = Ca::open(&lab.path("pki"), Owners::Trusted, &Custody::default()).unwrap();
    database(&lab)
        .execute_batch(
            "CREATE TRIGGER full BEFORE INSERT ON certificates WHEN new.ca_label <> 'ca'
             BEGIN SELECT RAISE(ABORT, 'no room'); END",
        )
        .unwrap();
    let failure = issue(&ca, "api").unwrap_err();
    assert_eq!(failure.kind, pki_cli::Kind::Environment);
    assert!(failure.to_string().ends_with("no room"), "{failure}");
    assert_eq!(rows(&lab).len(), 1);
}
