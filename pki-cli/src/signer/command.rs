//! A key behind a command: the bytes to sign go to its standard input, and the signature comes from its standard output.

use std::error::Error;
use std::io::{Read, Write};
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::thread;

use pki_core::{PublicKey, SignatureAlgorithm, Signer};

/// The most that is read of the output, in bytes. A signature of RSA with 16384 bits has 2048.
const LONGEST: u64 = 16 << 10;

/// Signs with a command that `sh` runs. Its standard error is passed through.
pub(super) struct CommandSigner {
    command: String,
    public_key: PublicKey,
    /// The variables with a passphrase, which the command does not get.
    hidden: Vec<String>,
    /// Held while the command runs: two at once would ask for two passphrases on one terminal.
    running: Mutex<()>,
}

impl CommandSigner {
    pub(super) const fn new(command: String, public_key: PublicKey, hidden: Vec<String>) -> Self {
        Self { command, public_key, hidden, running: Mutex::new(()) }
    }

    fn run(&self, message: &[u8]) -> Result<Vec<u8>, String> {
        let _running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        let mut command = Command::new("sh");
        command.arg("-c").arg(&self.command).stdin(Stdio::piped()).stdout(Stdio::piped());
        for hidden in &self.hidden {
            command.env_remove(hidden);
        }
        let failed = |doing: &str, error: std::io::Error| format!("{doing} the command: {error}");
        let mut child = command.spawn().map_err(|error| failed("starting", error))?;
        let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
        let mut output = Vec::new();
        let read = thread::scope(|scope| {
            // A command may answer before it has read everything, or read nothing at all.
            scope.spawn(move || stdin.map(|mut stdin| stdin.write_all(message)));
            let read = stdout.map_or(Ok(0), |out| out.take(LONGEST + 1).read_to_end(&mut output));
            if output.len() as u64 > LONGEST {
                let _ = child.kill();
            }
            read
        });
        let status = child.wait().map_err(|error| failed("waiting for", error))?;
        read.map_err(|error| failed("reading from", error))?;
        if output.len() as u64 > LONGEST {
            return Err(format!("the command printed more than {LONGEST} bytes"));
        }
        if !status.success() {
            return Err(format!("the command ended with {status}"));
        }
        Ok(output)
    }
}

impl Signer for CommandSigner {
    fn public_key(&self) -> &PublicKey {
        &self.public_key
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Box<dyn Error + Send + Sync>> {
        let signature = self.run(message)?;
        if self.public_key.verify(message, &signature) {
            return Ok(signature);
        }
        let expected = match SignatureAlgorithm::of(&self.public_key) {
            Some(algorithm) => describe(algorithm),
            None => "with an algorithm that etcdpki supports",
        };
        Err(format!(
            "the command printed {} bytes that are not a signature of the CA's key; it must sign its standard input {expected}",
            signature.len()
        )
        .into())
    }
}

const fn describe(algorithm: SignatureAlgorithm) -> &'static str {
    match algorithm {
        SignatureAlgorithm::EcdsaP256Sha256 => "with ECDSA and SHA-256, and print ASN.1 DER",
        SignatureAlgorithm::EcdsaP384Sha384 => "with ECDSA and SHA-384, and print ASN.1 DER",
        SignatureAlgorithm::EcdsaP521Sha512 => "with ECDSA and SHA-512, and print ASN.1 DER",
        SignatureAlgorithm::Ed25519 => "with Ed25519",
        SignatureAlgorithm::RsaSha256 => "with RSA PKCS #1 v1.5 and SHA-256",
        SignatureAlgorithm::RsaSha384 => "with RSA PKCS #1 v1.5 and SHA-384",
        SignatureAlgorithm::RsaSha512 => "with RSA PKCS #1 v1.5 and SHA-512",
        _ => "with the algorithm of the CA's key",
    }
}
