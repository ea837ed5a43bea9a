//! The phases of a rotation, as they are read off what hosts hold.

use pki_core::{
    CaSet, Certificate, HostCas, HostLeaf, HostPhase, KeyAlgorithm, Rotation, RotationStep,
    TrustFile,
};
use time::Duration;

use crate::lab::Ca;

/// The old CA and the new one, which begins a day later.
fn cas() -> (Ca, Ca) {
    let with = |name: &str, backdate: Duration| {
        let subject = pki_core::Subject::from_common_name(name).unwrap();
        Ca::with(KeyAlgorithm::EcdsaP256, |request| {
            request.subject = subject;
            request.backdate = backdate;
        })
    };
    (with("etcd CA", Duration::DAY), with("etcd CA G2", Duration::minutes(5)))
}

fn host(name: &str, trusted: &[&Ca], leaves: &[&Ca]) -> HostCas {
    let cas = trusted.iter().map(|ca| ca.certificate().clone()).collect();
    let trusted = vec![TrustFile { file: "ca.pem".to_owned(), cas }];
    let leaf = |(number, ca): (usize, &&Ca)| HostLeaf {
        file: format!("{number}.pem"),
        certificate: ca.issue("client", "etcdone", &[]),
        chain: Vec::new(),
    };
    HostCas {
        host: name.to_owned(),
        trusted,
        leaves: leaves.iter().enumerate().map(leaf).collect(),
    }
}

fn set(cas: &[&Ca]) -> CaSet {
    let certificates: Vec<Certificate> = cas.iter().map(|ca| ca.certificate().clone()).collect();
    CaSet::new(certificates).unwrap()
}

#[test]
fn the_phase_of_a_host_follows_from_whom_it_trusts_and_who_issued_its_certificates() {
    let ((old, new), (other, _)) = (cas(), cas());
    let mixed = HostPhase::Mixed("1.pem".to_owned());
    let cut = |why: &str| HostPhase::Cut(why.to_owned());
    for (trusted, leaves, phase) in [
        (&[&old][..], &[&old, &old][..], HostPhase::Before),
        (&[&old], &[], HostPhase::Before),
        (&[&old, &new], &[&old], HostPhase::Begun),
        (&[&new, &old], &[], HostPhase::Begun),
        (&[&old, &new], &[&new, &old], mixed),
        (&[&old, &new], &[&new], HostPhase::Reissued),
        (&[&new], &[&new], HostPhase::Finished),
        (&[&new], &[&old], cut("0.pem is from the old CA, which its ca.pem does not contain")),
        (
            &[&old],
            &[&old, &new],
            cut("1.pem is from the new CA, which its ca.pem does not contain"),
        ),
        (&[], &[&old], cut("its ca.pem contains neither CA")),
        (&[&old, &new], &[&old, &other], cut("1.pem is from neither CA")),
    ] {
        let host = host("etcdone", trusted, leaves);
        let rotation = Rotation::between(old.certificate(), new.certificate(), &[host]);
        assert_eq!(rotation.hosts(), [("etcdone".to_owned(), phase)]);
    }
}

/// Whichever of them issues, and wherever the other one is: in ca.pem, or only on a host.
#[test]
fn a_rotation_is_found_by_the_roots_that_are_trusted() {
    let (old, new) = cas();
    let (both, none) = (host("etcdone", &[&old, &new], &[&old]), host("etcdone", &[&old], &[&old]));
    for set in [set(&[&old, &new]), set(&[&new, &old]), set(&[&old]), set(&[&new])] {
        let rotation = Rotation::find(&set, std::slice::from_ref(&both)).unwrap().unwrap();
        assert_eq!(rotation.old(), old.certificate());
        assert_eq!(rotation.new_root(), new.certificate());
        assert_eq!(rotation.next(), Some(RotationStep::Reissue));
    }
    assert!(Rotation::find(&set(&[&old]), &[none]).unwrap().is_none());
    let (third, _) = cas();
    let error = Rotation::find(&set(&[&third]), &[both]).unwrap_err().to_string();
    assert!(error.contains("3 CAs are trusted"), "{error}");
}

#[test]
fn a_step_waits_for_every_host() {
    let (old, new) = cas();
    let behind = host("etcdtwo", &[&old], &[&old]);
    for (first, step, waits) in [
        (host("etcdone", &[&old], &[&old]), RotationStep::Begin, false),
        (host("etcdone", &[&old, &new], &[&old]), RotationStep::Reissue, true),
        (host("etcdone", &[&old, &new], &[&new]), RotationStep::Finish, true),
        (host("etcdone", &[&old, &new], &[&new]), RotationStep::Abort, false),
    ] {
        let rotation =
            Rotation::between(old.certificate(), new.certificate(), &[first, behind.clone()]);
        let waiting: Vec<&str> = rotation.obstacles(step).map(|(host, _)| host.as_str()).collect();
        assert_eq!(waiting, if waits { vec!["etcdtwo"] } else { vec![] }, "{step:?}");
        assert_eq!(rotation.next(), Some(RotationStep::Begin));
    }
    // A host that only presents certificates of the CA has taken a step, or may take it.
    let presents = |ca: &Ca| HostCas { trusted: Vec::new(), ..host("masterone", &[], &[ca]) };
    for (leaf_ca, step, waits) in [
        (&old, RotationStep::Begin, false),
        (&old, RotationStep::Reissue, false),
        (&new, RotationStep::Reissue, false),
        (&new, RotationStep::Finish, false),
        (&old, RotationStep::Finish, true),
    ] {
        let hosts = [presents(leaf_ca)];
        let rotation = Rotation::between(old.certificate(), new.certificate(), &hosts);
        assert_eq!(rotation.obstacles(step).count(), usize::from(waits), "{step:?}");
    }
    let done = host("etcdone", &[&new], &[&new]);
    let rotation = Rotation::between(old.certificate(), new.certificate(), &[done]);
    assert_eq!(rotation.next(), None);
    assert_eq!(rotation.obstacles(RotationStep::Abort).count(), 1);
}

/// With separate CAs, API servers do not have to trust the CA for clients, members have no certificate of it, and two files of
/// a member contain the CA for servers.
#[test]
fn a_host_can_have_no_trust_file_or_two_or_no_certificate() {
    let (old, new) = cas();
    let client = |leaves: &[&Ca]| HostCas { trusted: Vec::new(), ..host("masterone", &[], leaves) };
    for (leaf, phase) in [(&[&old][..], HostPhase::PresentsOld), (&[&new], HostPhase::PresentsNew)]
    {
        let rotation = Rotation::between(old.certificate(), new.certificate(), &[client(leaf)]);
        assert_eq!(rotation.hosts(), [("masterone".to_owned(), phase)]);
    }
    let member = |cas: &[&Ca]| host("etcdone", cas, &[]);
    for (issuing, hosts, next) in [
        (&old, [member(&[&old]), client(&[&old])], Some(RotationStep::Begin)),
        (&old, [member(&[&old, &new]), client(&[&old])], Some(RotationStep::Reissue)),
        (&new, [member(&[&old, &new]), client(&[&old])], Some(RotationStep::Reissue)),
        (&new, [member(&[&old, &new]), client(&[&new])], Some(RotationStep::Finish)),
        (&new, [member(&[&new]), client(&[&new])], None),
    ] {
        let other = if issuing.certificate() == old.certificate() { &new } else { &old };
        let rotation = Rotation::find(&set(&[issuing, other]), &hosts).unwrap().unwrap();
        assert_eq!(rotation.next(), next, "{:?}", rotation.hosts());
        let step = next.unwrap_or(RotationStep::Finish);
        assert_eq!(rotation.obstacles(step).count(), 0, "{:?}", rotation.hosts());
    }
    let mut two = host("etcdone", &[&old, &new], &[&new]);
    two.trusted
        .push(TrustFile { file: "client-ca.pem".to_owned(), cas: vec![old.certificate().clone()] });
    let rotation = Rotation::between(old.certificate(), new.certificate(), &[two]);
    let why = "0.pem is from the new CA, which its client-ca.pem does not contain".to_owned();
    assert_eq!(rotation.hosts()[0].1, HostPhase::Cut(why));
}
