use super::{Question, Role, Verdict, Why, World, compare};
use crate::peers;

#[test]
fn openssl_accepts_each_certificate_for_its_names_and_purposes_and_for_no_others() {
    compare(&World::shared(), verify, words);
}

fn verify(question: &Question) -> Verdict {
    let mut openssl = peers::program("openssl");
    openssl
        // -x509_strict applies RFC 5280; -check_ss_sig also checks the root's own signature; Debian's OpenSSL requires
        // level 2 (112 bits) for TLS.
        .args(["verify", "-x509_strict", "-check_ss_sig", "-auth_level", "2"])
        .arg("-CAfile")
        .arg(&question.root)
        // The certificate is the first in its file; the others are untrusted.
        .arg("-untrusted")
        .arg(&question.certificate);
    match question.role {
        Role::Server(name) => {
            let option = match name.parse::<std::net::IpAddr>() {
                Ok(_) => "-verify_ip",
                Err(_) => "-verify_hostname",
            };
            openssl.args(["-purpose", "sslserver", option, name])
        }
        Role::Client => openssl.args(["-purpose", "sslclient"]),
        Role::Ca => &mut openssl,
    };
    let output = openssl.arg(&question.certificate).output().unwrap();
    if output.status.success() {
        return Ok(());
    }
    Err(String::from_utf8_lossy(&output.stderr).into_owned())
}

fn words(why: Why) -> &'static str {
    match why {
        // "hostname mismatch", "IP address mismatch"
        Why::WrongHost => "mismatch",
        Why::WrongPurpose => "unsuitable certificate purpose",
        Why::UnknownCa => "unable to get local issuer certificate",
        Why::NotPermitted => "permitted subtree violation",
        Why::Excluded => "excluded subtree violation",
        Why::PathTooLong => "path length constraint exceeded",
    }
}
