//! HTTPS requests to the members' ports, sent by Python and its OpenSSL.

use std::process::Command;

use serde::Deserialize;
use serde_json::json;

use crate::lab::Lab;
use crate::peers;
use crate::process::finish;

/// A request; one with a body is a POST.
#[derive(Clone, Debug)]
pub(super) struct Request<'a> {
    pub(super) url: String,
    /// The base name of the files with the certificate and its key.
    pub(super) certificate: Option<&'a str>,
    pub(super) body: Option<&'static str>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Answer {
    /// The local address of the connection, which identifies it in the member's log.
    pub(super) local: String,
    /// `None` if there was no HTTP answer.
    pub(super) status: Option<u16>,
    /// The body, or the error.
    pub(super) text: String,
}

/// Sends the requests one after the other. The server's certificate is verified with the CA and the address in the
/// URL.
pub(super) fn ask(lab: &Lab, requests: &[Request<'_>]) -> Vec<Answer> {
    let file = |base: Option<&str>, end: &str| base.map(|base| lab.path(format!("{base}{end}")));
    let wanted: Vec<_> = requests
        .iter()
        .map(|request| {
            json!({
                "url": request.url,
                "ca": lab.path("pki/ca.pem"),
                "certificate": file(request.certificate, ".pem"),
                "key": file(request.certificate, "-key.pem"),
                "body": request.body,
            })
        })
        .collect();
    let mut python = Command::new(peers::venv("python"));
    python.args(["-c", include_str!("https.py")]).arg(json!(wanted).to_string());
    // Ignores any proxy in the environment.
    let run = finish(python.env_clear());
    assert_eq!(run.code, 0, "https.py: {run:?}");
    serde_json::from_str(&run.stdout).unwrap()
}
