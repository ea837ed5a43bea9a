//! The CAs of a cluster: chains as stored in a file, and one set for each kind of certificate.

use pki_core::{Authority, CaSet, Certificate, ClusterCas, KeyAlgorithm, Subject};

use crate::foreign::{ca_params, signed};
use crate::lab::{Ca, NOW};
use crate::rules::hosts::Hosts;

pub(crate) fn root(cn: &str) -> Ca {
    Ca::with(KeyAlgorithm::EcdsaP256, |request| {
        request.subject = Subject::from_common_name(cn).unwrap();
        request.path_len = None;
    })
}

pub(crate) fn below(ca: &Ca, cn: &str) -> Ca {
    let key = pki_core::PrivateKey::generate(KeyAlgorithm::EcdsaP256).unwrap();
    let mut params = ca_params(cn, &key);
    params.use_authority_key_identifier_extension = true;
    params.not_after = NOW + time::Duration::days(1000);
    let certificate = signed(&params, &key, ca.certificate(), &ca.key);
    Ca { key, authority: Authority::new(certificate) }
}

fn set(cas: &[&Ca]) -> Result<CaSet, pki_core::Error> {
    CaSet::new(cas.iter().map(|ca| ca.certificate().clone()).collect())
}

fn names<'a>(cas: impl IntoIterator<Item = &'a Certificate>) -> Vec<String> {
    cas.into_iter().map(|ca| ca.subject.to_string()).collect()
}

#[test]
fn one_root_issues_and_is_trusted() {
    let ca = Ca::new();
    let set = set(&[&ca]).unwrap();
    assert_eq!(set.issuing(), ca.certificate());
    assert_eq!(set.trusted(), [ca.certificate().clone()]);
    assert!(set.intermediates().is_empty());
    let leaf = ca.issue("server", "etcdone", &[]);
    assert_eq!(set.leaf_pem(&leaf).unwrap(), leaf.to_pem().unwrap());
    assert_eq!(set.trust_pem().unwrap(), ca.certificate().to_pem().unwrap());
}

#[test]
fn intermediates_stand_in_order_below_the_root_and_other_roots_are_trusted_too() {
    let top = root("root");
    let (upper, other) = (below(&top, "upper"), root("other"));
    let lower = below(&upper, "lower");
    let all = set(&[&lower, &upper, &other, &top, &top]).unwrap();
    assert_eq!(names(all.chain()), ["CN=lower", "CN=upper", "CN=root"]);
    assert_eq!(names(all.intermediates()), ["CN=lower", "CN=upper"]);
    assert_eq!(names(all.trusted()), ["CN=root", "CN=other"]);
    let leaf = lower.issue("server", "etcdone", &[]);
    let pem = all.leaf_pem(&leaf).unwrap();
    let found = Certificate::from_pem_or_der(pem.as_bytes()).unwrap();
    assert_eq!(names(&found), ["CN=etcdone", "CN=lower", "CN=upper"]);
}

#[test]
fn two_steps_lead_from_a_leaf_to_its_root_in_any_order_and_one_does_not() {
    let top = root("root");
    let upper = below(&top, "upper");
    let lower = below(&upper, "lower");
    let trusted = set(&[&top]).unwrap();
    let leaf = lower.issue("server", "etcdone", &[]);
    let [lower, upper] = [&lower, &upper].map(|ca| ca.certificate().clone());
    let root_of = |chain: &[Certificate]| trusted.root_of(&leaf, chain).cloned();
    assert_eq!(root_of(&[lower.clone(), upper.clone()]).as_ref(), Some(top.certificate()));
    assert_eq!(root_of(&[upper.clone(), lower.clone()]).as_ref(), Some(top.certificate()));
    assert_eq!(root_of(&[lower]), None);
    assert_eq!(root_of(&[upper]), None);
    assert_eq!(root_of(&[]), None);
}

#[test]
fn a_chain_that_does_not_hold_is_refused_with_the_reason() {
    let (top, twin) = (root("root"), root("root"));
    let upper = below(&top, "upper");
    let lower = below(&upper, "lower");
    for (cas, problem) in [
        (vec![], "there is no certificate"),
        (vec![&lower, &upper], "CN=root is missing, the issuer of CN=upper"),
        (vec![&lower, &top], "CN=upper is missing, the issuer of CN=lower"),
        (vec![&upper, &lower, &top], "CN=lower did not issue CN=upper"),
        (vec![&top, &upper], "CN=upper did not issue CN=root"),
        // Another key with the name of the root.
        (vec![&upper, &twin], "CN=root is missing, the issuer of CN=upper"),
    ] {
        let error = set(&cas).unwrap_err().to_string();
        assert_eq!(error, format!("not a chain of CAs: {problem}"));
    }
}

/// The lab with a separate CA for the peers.
fn with_a_ca_for_peers() -> Hosts {
    let mut hosts = Hosts::new();
    let peers = root("etcd peer CA");
    for host in ["etcdone", "etcdtwo", "etcdthree"] {
        hosts.reissue_under(&format!("{host}/peer"), &peers);
        hosts.write(&format!("{host}/peer-ca.pem"), 0o644, peers.certificate().to_pem().unwrap());
        let old = "trusted-ca-file: \"/etc/etcd/ca.pem\"\n  client-cert-auth: true\n  #";
        hosts.edit(&format!("{host}/etcd.conf.yaml"), old, &old.replace("/ca.", "/peer-ca."));
    }
    hosts.cas = ClusterCas { peer: set(&[&peers]).unwrap(), ..hosts.cas };
    hosts
}

fn found(hosts: Hosts) -> Vec<String> {
    let findings = hosts.findings().into_iter();
    findings.map(|finding| format!("{} {}", finding.rule.id, finding.subject)).collect()
}

#[test]
fn each_certificate_is_verified_with_the_cas_of_its_purpose() {
    assert_eq!(found(with_a_ca_for_peers()), [""; 0]);
}

#[test]
fn a_certificate_of_the_ca_for_another_purpose_is_found() {
    let mut hosts = with_a_ca_for_peers();
    // The CA that issues client certificates.
    let clients = hosts.ca.authority.clone();
    let key = hosts.ca.key.to_pem(pki_core::KeyFormat::Pkcs8).unwrap();
    let key = pki_core::PrivateKey::from_pem(key.as_bytes()).unwrap();
    hosts.reissue_under("etcdtwo/peer", &Ca { key, authority: clients });
    let found = found(hosts);
    assert!(found.contains(&"path-unknown-authority CN=etcdtwo".to_owned()), "{found:?}");
}

#[test]
fn a_peer_port_that_trusts_the_cas_of_the_clients_is_found() {
    let mut hosts = with_a_ca_for_peers();
    hosts.copy("etcdone/ca.pem", "etcdone/peer-ca.pem");
    let found = found(hosts);
    assert_eq!(found, ["trust-wrong-ca peer-ca.pem"]);
}

#[test]
fn trust_files_list_roots_by_age_whichever_issues() {
    let aged = |cn: &str, days| {
        Ca::with(KeyAlgorithm::EcdsaP256, |request| {
            request.subject = Subject::from_common_name(cn).unwrap();
            request.backdate = time::Duration::days(days);
        })
    };
    let (old, new) = (aged("old", 2), aged("new", 1));
    for cas in [[&old, &new], [&new, &old]] {
        let pem = set(&cas).unwrap().trust_pem().unwrap();
        let found = Certificate::from_pem_or_der(pem.as_bytes()).unwrap();
        assert_eq!(names(&found), ["CN=old", "CN=new"]);
    }
}

#[test]
fn one_other_ca_makes_the_cas_of_a_cluster_separate() {
    let [shared, other] = ["shared", "other"].map(|cn| set(&[&root(cn)]).unwrap());
    let cas = ClusterCas::shared(shared);
    assert!(cas.is_shared());
    assert!(!ClusterCas { server: other.clone(), ..cas.clone() }.is_shared());
    assert!(!ClusterCas { peer: other.clone(), ..cas.clone() }.is_shared());
    assert!(!ClusterCas { client: other, ..cas }.is_shared());
}
