//! Every key algorithm and every profile, checked with programs that share no code with pki-core: OpenSSL, GnuTLS,
//! Python's cryptography, pkilint. Each program also gets invalid certificates and must reject them for the right
//! reason, because a program that accepts everything proves nothing.

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

/// The result of a program; a rejection contains its message.
type Verdict = Result<(), String>;

/// What to verify for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Role {
    /// A server with this name or address.
    Server(&'static str),
    Client,
    /// Only a CA.
    Ca,
}

/// The expected result.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Answer {
    Accept,
    Refuse(Why),
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Why {
    WrongHost,
    WrongPurpose,
    /// The root has the issuer's name, but is another CA.
    UnknownCa,
    NotPermitted,
    Excluded,
    PathTooLong,
}

/// Fails with every question for which the program's result is not the expected one. `words` returns the program's own
/// message for a reason.
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

/// Runs a script in this folder with the Python in target/peers: JSON in, JSON out.
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
