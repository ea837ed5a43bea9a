//! Every key algorithm and every profile, judged by programs that share no code with us: OpenSSL,
//! GnuTLS, Python's cryptography, pkilint. Each judge is also asked what it must refuse, and has to
//! refuse it for the right reason: a judge that cannot say no proves nothing.

mod forged;
mod gnutls;
mod kinds;
mod openssl;
mod pkilint;
mod python_cryptography;
mod world;

use std::io::Write;
use std::process::Stdio;

use serde_json::Value;

use crate::peers;
use world::{Question, World};

/// What a judge says; a refusal comes with its words.
type Verdict = Result<(), String>;

/// What to ask a judge for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Role {
    /// A server that is dialled by this name or address.
    Server(&'static str),
    Client,
    /// A CA, in no other part.
    Ca,
}

/// What the judge should say.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Answer {
    Accept,
    Refuse(Why),
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Why {
    WrongHost,
    WrongPurpose,
    /// The root bears the issuer's name and is another CA.
    UnknownCa,
    NotPermitted,
    Excluded,
    PathTooLong,
}

/// Fails with every question that the judge answered otherwise than it should.
/// `words` are the judge's own for a reason.
fn compare(world: &World, judge: impl Fn(&Question) -> Verdict, words: fn(Why) -> &'static str) {
    let complaints: Vec<String> = world
        .questions
        .iter()
        .filter_map(|question| {
            let verdict = judge(question);
            let right = match (question.answer, &verdict) {
                (Answer::Accept, verdict) => verdict.is_ok(),
                (Answer::Refuse(_), Ok(())) => false,
                (Answer::Refuse(why), Err(said)) => said.contains(words(why)),
            };
            (!right).then(|| format!("{question:?}: {verdict:?}"))
        })
        .collect();
    assert!(
        complaints.is_empty(),
        "{} of {} answers:\n{}",
        complaints.len(),
        world.questions.len(),
        complaints.join("\n")
    );
}

/// Runs a script of this folder in the peers' Python: JSON in, JSON out.
fn python(script: &str, input: &Value) -> Value {
    let mut child = std::process::Command::new(peers::venv("python3"))
        .arg(peers::root().join("tests/cli/oracles").join(script))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input.to_string().as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{script}: {}", output.status);
    serde_json::from_slice(&output.stdout).unwrap()
}
