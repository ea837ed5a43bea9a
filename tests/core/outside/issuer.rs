//! Issues from a PKCS #10, with the CA's key in another process: `issuer CA CA-KEY CSR UNIX-TIME`. The
//! certificate goes to standard output.

use std::error::Error;
use std::io::{Read as _, Write as _};
use std::process::{Command, Stdio};

use pki_core::time::OffsetDateTime;
use pki_core::{
    Authority, Certificate, CertificateRequest, IssuanceContext, PublicKey, Request, SerialNumber,
    Signer, SigningConfig,
};

/// A key that only openssl reads, as a KMS would keep it.
struct OpensslKey {
    path: String,
    public_key: PublicKey,
}

impl Signer for OpensslKey {
    fn public_key(&self) -> &PublicKey {
        &self.public_key
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Box<dyn Error + Send + Sync>> {
        let mut openssl = Command::new("openssl")
            .args(["dgst", "-sha256", "-sign", &self.path])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        openssl.stdin.take().ok_or("no standard input")?.write_all(message)?;
        let output = openssl.wait_with_output()?;
        output.status.success().then_some(output.stdout).ok_or_else(|| "openssl failed".into())
    }
}

fn random() -> Result<[u8; 20], std::io::Error> {
    let mut bytes = [0; 20];
    std::fs::File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(bytes)
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [ca, key, csr, time] = &arguments[..] else { panic!("four arguments") };
    let ca = Certificate::from_pem_or_der(&std::fs::read(ca)?)?.remove(0);
    let signer = OpensslKey { path: key.clone(), public_key: ca.public_key.clone() };
    let csr = CertificateRequest::from_pem_or_der(&std::fs::read(csr)?)?;
    let context = IssuanceContext {
        now: OffsetDateTime::from_unix_timestamp(time.parse()?)?,
        serial: SerialNumber::from_random(random()?),
    };
    let profiles = SigningConfig::etcd();
    let request = Request::from_csr(&csr)?;
    let draft = Authority::new(ca).draft(&request, profiles.profile("peer")?, &context)?;
    print!("{}", draft.sign(&signer)?.certificate.to_pem()?);
    Ok(())
}
