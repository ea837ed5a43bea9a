use serde_json::{Value, json};

use super::{Answer, Question, Role, Verdict, Why, World, compare, python};

const NOT_SIGNED: &str = "not signed by the CA above it";

#[test]
fn python_cryptography_accepts_each_certificate_for_its_names_and_purposes_and_for_no_others() {
    let world = World::shared();
    let questions: Vec<Value> = world.questions.iter().map(question).collect();
    let answers = python("verify.py", &json!({ "questions": questions, "pairs": [] }));
    let answers = answers["verdicts"].as_array().unwrap();
    assert_eq!(answers.len(), world.questions.len());
    // The answers are in the order of the questions.
    let verdict = |question: &Question| {
        let at = world.questions.iter().position(|other| std::ptr::eq(other, question)).unwrap();
        verdict(question, &answers[at])
    };
    compare(&world, verdict, words);
}

#[test]
fn python_cryptography_finds_the_key_that_was_asked_for_in_certificate_and_key_file() {
    let world = World::shared();
    let pairs: Vec<Value> = world
        .cases
        .iter()
        .map(|case| json!({ "certificate": case.certificate, "key": case.key }))
        .collect();
    let answers = python("verify.py", &json!({ "questions": [], "pairs": pairs }));
    let answers = answers["pairs"].as_array().unwrap();
    assert_eq!(answers.len(), world.cases.len());
    for (case, answer) in world.cases.iter().zip(answers) {
        assert_eq!(answer["algorithm"], case.algorithm, "{case:?}");
        assert_eq!(answer["belong_together"], true, "{case:?}");
    }
}

fn question(question: &Question) -> Value {
    let (role, host) = match question.role {
        Role::Server(name) => ("server", Some(name)),
        Role::Client => ("client", None),
        Role::Ca => ("ca", None),
    };
    json!({ "certificate": question.certificate, "root": question.root, "role": role, "host": host })
}

const NO_ED25519_CA: &str = "Forbidden public key algorithm";

/// The verifier has the algorithms of the CA/Browser Forum, which do not include Ed25519, and Python cannot change them
/// (pyca/cryptography#13391, open). It checks a CA's key last, after the names, usages and extensions of the leaf
/// certificate, so these are verified for Ed25519 too. `verify_directly_issued_by` checks the rest: the signature, and
/// the names that link the certificates.
fn no_verdict(question: &Question) -> bool {
    question.issuers.contains(&"ed25519") && question.answer == Answer::Accept
}

fn verdict(question: &Question, answer: &Value) -> Verdict {
    let signed = answer["signed"] == true;
    match answer["refusal"].as_str() {
        None if signed => Ok(()),
        None if question.role == Role::Ca => Err(NOT_SIGNED.to_owned()),
        None => panic!("accepted, but not signed: {question:?}"),
        Some(refusal) if !signed => Err(format!("{NOT_SIGNED}: {refusal}")),
        Some(refusal) if no_verdict(question) => {
            assert!(refusal.contains(NO_ED25519_CA), "{question:?}: {refusal}");
            Ok(())
        }
        Some(refusal) => Err(refusal.to_owned()),
    }
}

fn words(why: Why) -> &'static str {
    match why {
        Why::WrongHost => "leaf certificate has no matching subjectAltName",
        Why::WrongPurpose => "required EKU not found",
        // The message depends on what else the other root lacks.
        Why::UnknownCa => NOT_SIGNED,
        Why::NotPermitted => "no permitted name constraints matched SAN",
        Why::Excluded => "excluded name constraint matched SAN",
        Why::PathTooLong => "path length constraint violated",
    }
}
