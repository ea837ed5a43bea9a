//! HTTPS requests from a host of the lab, sent by Python and its OpenSSL, which is a different TLS stack than etcd's.

use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::json;

use super::network::Network;
use crate::peers;
use crate::process::finish;

/// A request; one with a body is a POST.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) url: String,
    /// The certificate and its key.
    pub(crate) certificate: Option<(PathBuf, PathBuf)>,
    pub(crate) body: Option<&'static str>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Answer {
    /// The local address of the connection, which identifies it in the member's log.
    pub(crate) local: String,
    /// `None` if there was no HTTP answer.
    pub(crate) status: Option<u16>,
    /// The body, or the error.
    pub(crate) text: String,
}

/// Sends the requests one after the other. The server's certificate is verified with the CA and the address in the
/// URL.
pub(crate) fn ask(network: &Network, host: &str, ca: &Path, requests: &[Request]) -> Vec<Answer> {
    let wanted = requests.iter().map(|request| {
        let (certificate, key) = request.certificate.clone().unzip();
        json!({
            "url": request.url,
            "ca": ca,
            "certificate": certificate,
            "key": key,
            "body": request.body,
        })
    });
    let wanted = json!(wanted.collect::<Vec<_>>()).to_string();
    let mut python = network.command(host, peers::venv("python"));
    let run = finish(python.args(["-c", include_str!("../etcd/https.py")]).arg(wanted));
    assert_eq!(run.code, 0, "https.py: {run:?}");
    serde_json::from_str(&run.stdout).unwrap()
}
