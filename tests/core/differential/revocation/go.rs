//! Whether Go can parse a CRL: if it cannot, etcd rejects every connection.

use std::collections::BTreeMap;

use pki_core::Policy;
use serde_json::json;

use super::{cases, verdicts};
use crate::differential::go::judge;
use crate::differential::judges::base64;

#[test]
fn a_crl_that_go_cannot_parse_is_not_accepted() {
    let cases = cases();
    let cases: Vec<_> = cases.iter().filter(|case| case.crls.len() == 1).collect();
    assert!(cases.len() > 700, "{}", cases.len());
    let requests: Vec<_> =
        cases.iter().map(|case| json!({"crl": {"file": base64(&case.crls[0])}})).collect();
    let mut wrong = BTreeMap::<String, Vec<String>>::new();
    let mut counts = [0; 4];
    for (case, go) in cases.iter().zip(judge::ask(&requests)) {
        let ours = verdicts::ours(case, Policy::Etcd);
        let accepted = ours.refusal.is_none();
        counts[usize::from(accepted) * 2 + usize::from(go.accepts)] += 1;
        let is_about_go = ours.about_crls.contains(&"go-crl") && go.accepts;
        assert!(!is_about_go, "Go parses it: {}", case.story);
        if accepted && !go.accepts {
            let words = format!("{}: {}", go.stage, go.error);
            wrong.entry(words).or_default().push(format!("{} {:?}", case.story, ours.about_crls));
        }
    }
    assert!(wrong.is_empty(), "{counts:?} {wrong:#?}");
    assert!(counts[0] > 100 && counts[3] > 100, "{counts:?}");
}
