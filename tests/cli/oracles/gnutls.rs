use super::{Question, Role, Verdict, Why, World, compare};
use crate::peers;

#[test]
fn gnutls_accepts_each_certificate_for_its_names_and_purposes_and_for_no_others() {
    compare(&World::shared(), verify, words);
}

fn verify(question: &Question) -> Verdict {
    let mut certtool = peers::program("certtool");
    certtool
        // medium is 112 bits; high (128) would reject RSA-2048.
        .args(["--verify", "--verify-profile", "medium"])
        .arg("--load-ca-certificate")
        .arg(&question.root)
        .arg("--infile")
        .arg(&question.certificate);
    // id-kp-serverAuth and id-kp-clientAuth, RFC 5280 section 4.2.1.12
    match question.role {
        Role::Server(name) => certtool
            .arg("--verify-purpose=1.3.6.1.5.5.7.3.1")
            .arg(format!("--verify-hostname={name}")),
        Role::Client => certtool.arg("--verify-purpose=1.3.6.1.5.5.7.3.2"),
        Role::Ca => &mut certtool,
    };
    let output = certtool.output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    let verdict = said.lines().find(|line| line.starts_with("Chain verification output:"));
    match verdict {
        Some(line) if only_a_constrained_ca(question) => {
            assert!(line.contains(words(Why::NotPermitted)), "the exception is stale: {line}");
            Ok(())
        }
        Some(line) if output.status.success() && line.contains(": Verified.") => Ok(()),
        Some(line) => Err(line.to_owned()),
        None => Err(format!("{said}{}", String::from_utf8_lossy(&output.stderr))),
    }
}

/// GnuTLS applies the constraints of a CA to the CA itself if it is verified, and reads the common name as a DNS name
/// if there is no other name and no extended key usage (lib/x509/name_constraints.c,
/// `gnutls_x509_name_constraints_check_crt`): "etcd CA" is then a host that is not permitted. These CAs are still
/// valid, because GnuTLS accepts their leaf certificates.
fn only_a_constrained_ca(question: &Question) -> bool {
    question.role == Role::Ca && question.root.ends_with("constrained/ca.pem")
}

fn words(why: Why) -> &'static str {
    match why {
        Why::WrongHost => "does not match the expected",
        Why::WrongPurpose => "does not match the intended purpose",
        Why::UnknownCa => "issuer is unknown",
        // One message for all three.
        Why::NotPermitted | Why::Excluded | Why::PathTooLong => "violates the signer's constraints",
    }
}
