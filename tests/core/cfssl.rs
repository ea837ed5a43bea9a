//! The cfssl program: it makes CAs, certificates and requests for ours to be compared with.
#![expect(clippy::disallowed_methods, reason = "another program is started")]

use std::io::Write as _;
use std::process::{Command, Stdio};

use crate::openssl::Openssl;

/// Runs cfssl in openssl's folder, with `json` in the file `request.json`. Its answer goes to `NAME.pem`,
/// `NAME-key.pem` and `NAME.csr`, as cfssljson names them.
pub(crate) fn cfssl(openssl: &Openssl, arguments: &str, json: &str, name: &str) {
    openssl.write("request.json", json);
    let answer = run(openssl, "cfssl", &format!("{arguments} request.json"), &[]);
    run(openssl, "cfssljson", &format!("-bare {name}"), &answer);
}

fn run(openssl: &Openssl, program: &str, arguments: &str, input: &[u8]) -> Vec<u8> {
    let started = Command::new(program)
        .args(arguments.split_whitespace())
        .current_dir(openssl.folder())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let mut child = started.unwrap_or_else(|error| {
        panic!("{program} cannot be run ({error}); install it: tests/install-peers")
    });
    child.stdin.take().unwrap().write_all(input).unwrap();
    let output = child.wait_with_output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program} {arguments}: {errors}");
    output.stdout
}
