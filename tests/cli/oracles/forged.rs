//! Certificates that etcdpki refuses to issue, created with the CAs' keys. If the other programs reject them, the
//! limits in the CA certificates have the intended meaning.

use std::path::PathBuf;

use super::{Answer, Question, Role, Why};
use crate::lab::Lab;
use crate::peers;

const CA: [&str; 2] = ["basicConstraints=critical,CA:TRUE", "keyUsage=critical,keyCertSign"];

pub(super) fn questions(lab: &Lab) -> Vec<Question> {
    std::fs::create_dir(lab.path("forged")).unwrap();
    // With a permitted name besides the address, the programs do not fall back to the common name.
    let outside = [
        ("etcdone.example.org", "DNS:etcdone.example.org", Why::NotPermitted),
        ("10.0.0.1", "DNS:etcdone.example.com,IP:10.0.0.1", Why::NotPermitted),
        ("etcd.secret.example.com", "DNS:etcd.secret.example.com", Why::Excluded),
    ];
    let mut questions: Vec<Question> = outside
        .into_iter()
        .map(|(name, names, why)| {
            let file = sign(lab, "constrained", name, &leaf(names));
            question(lab, file, "constrained", name, why)
        })
        .collect();

    // `init-ca` without --path-len permits no CA below.
    let name = "etcdone.example.com";
    let intermediate = sign(lab, "default", "intermediate", &CA);
    std::fs::copy(&intermediate, lab.path("forged/ca.pem")).unwrap();
    std::fs::copy(intermediate.with_extension("key"), lab.path("forged/ca-key.pem")).unwrap();
    let leaf = sign(lab, "forged", name, &leaf("DNS:etcdone.example.com"));
    let chain = [std::fs::read(&leaf).unwrap(), std::fs::read(&intermediate).unwrap()].concat();
    std::fs::write(&leaf, chain).unwrap();
    questions.push(question(lab, leaf, "default", name, Why::PathTooLong));
    questions
}

fn leaf(names: &str) -> [String; 4] {
    [
        "basicConstraints=critical,CA:FALSE".to_owned(),
        "keyUsage=critical,digitalSignature".to_owned(),
        "extendedKeyUsage=serverAuth,clientAuth".to_owned(),
        format!("subjectAltName={names}"),
    ]
}

fn question(lab: &Lab, certificate: PathBuf, root: &str, name: &'static str, why: Why) -> Question {
    Question {
        certificate,
        root: lab.path(root).join("ca.pem"),
        issuers: vec!["ecdsa-p256"],
        role: Role::Server(name),
        answer: Answer::Refuse(why),
    }
}

/// A certificate with these extensions, signed with the key of the CA in this folder.
pub(super) fn sign(lab: &Lab, ca: &str, name: &str, extensions: &[impl AsRef<str>]) -> PathBuf {
    let file = lab.path("forged").join(format!("{ca}.{name}.pem"));
    let mut openssl = peers::program("openssl");
    openssl
        .args(["req", "-x509", "-config", "openssl.cnf", "-days", "10", "-noenc"])
        .args(["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"])
        .args(["-subj", &format!("/CN={name}")])
        .args(["-addext", "subjectKeyIdentifier=hash"])
        .args(["-addext", "authorityKeyIdentifier=keyid"])
        .args(["-CA", &format!("{ca}/ca.pem"), "-CAkey", &format!("{ca}/ca-key.pem")])
        .arg("-keyout")
        .arg(file.with_extension("key"))
        .arg("-out")
        .arg(&file);
    for extension in extensions {
        openssl.args(["-addext", extension.as_ref()]);
    }
    let output = openssl.current_dir(lab.folder()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    file
}
