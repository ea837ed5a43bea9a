//! Intermediate CAs: what the CA above allows, and what OpenSSL says of a path through one.

use super::*;

fn root(path_len: Option<u8>) -> Ca {
    Ca::with(KeyAlgorithm::EcdsaP256, |request| {
        request.subject = Subject::from_common_name("root").unwrap();
        request.path_len = path_len;
    })
}

fn request(cn: &str) -> CaRequest {
    let mut request = CaRequest::new(Subject::from_common_name(cn).unwrap());
    request.expiry = Duration::days(1825);
    request
}

fn draft_below(ca: &Ca, request: &CaRequest) -> (PrivateKey, Result<Draft, Error>) {
    let key = PrivateKey::generate(KeyAlgorithm::EcdsaP384).unwrap();
    let draft = ca.authority.draft_intermediate(request, key.public_key(), &moment());
    (key, draft)
}

#[test]
fn a_leaf_leads_through_it_to_the_root() {
    for path_len in [Some(1), None] {
        let root = root(path_len);
        let (key, draft) = draft_below(&root, &request("etcd CA"));
        let issued = draft.unwrap().sign(&root.key).unwrap();
        assert_eq!(issued.findings, []);
        let ca = Ca { key, authority: Authority::new(issued.certificate) };
        let constraints = ca.certificate().extensions.basic_constraints.unwrap();
        assert_eq!((constraints.ca, constraints.path_len), (true, Some(0)));
        let leaf = ca.issue("server", "etcdone", &["10.0.0.1"]);
        let report = check(&[&root], &[&ca], &leaf, Purpose::Server);
        assert!(report.is_ok(), "{:?}", ids(&report));
        let openssl = Openssl::new();
        let chain = ca.certificate().to_pem().unwrap();
        openssl.write("chain.pem", &chain);
        openssl.write("root.pem", root.certificate().to_pem().unwrap());
        openssl.write("leaf.pem", leaf.to_pem().unwrap());
        openssl.run(
            "verify -x509_strict -no_check_time -CAfile root.pem -untrusted chain.pem leaf.pem",
        );
    }
}

#[test]
fn the_ca_above_decides() {
    let (_, draft) = draft_below(&root(Some(0)), &request("etcd CA"));
    assert!(!refused(draft).is_empty());
    let mut long = request("etcd CA");
    long.expiry = Duration::days(4000);
    let (_, draft) = draft_below(&root(Some(1)), &long);
    assert!(refused(draft).contains(&"leaf-outlives-ca"));
    // It would be taken for a root.
    let (_, draft) = draft_below(&root(Some(1)), &request("root"));
    let error = draft.unwrap_err();
    assert_eq!(error.to_string(), "subject \"CN=root\": the name of the CA above it");
    assert!(error.hint().is_some());
}
