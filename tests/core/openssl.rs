//! The openssl program, which shares no code with this crate.
#![expect(clippy::disallowed_methods, reason = "starts another program, which reads files")]

use std::path::{Path, PathBuf};
use std::process::Command;

use pki_core::Certificate;

/// A configuration that replaces the machine's, which could change extensions and string types.
pub(crate) const CONFIG: &str = "
[req]
distinguished_name = subject
x509_extensions = ca
string_mask = utf8only
[subject]
[ca]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
[leaf]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth, clientAuth
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
subjectAltName = DNS:etcdone
";

/// A working directory for openssl, removed on drop.
pub(crate) struct Openssl {
    directory: tempfile::TempDir,
}

impl Openssl {
    pub(crate) fn new() -> Self {
        let openssl = Self { directory: tempfile::tempdir().unwrap() };
        openssl.write("openssl.cnf", CONFIG);
        openssl
    }

    pub(crate) fn folder(&self) -> &Path {
        self.directory.path()
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder().join(name)
    }

    /// The first certificate of a file.
    pub(crate) fn certificate(&self, name: &str) -> Certificate {
        Certificate::from_pem_or_der(&self.read(name)).unwrap().remove(0)
    }

    pub(crate) fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        std::fs::write(self.path(name), bytes).unwrap();
    }

    pub(crate) fn read(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    pub(crate) fn rename(&self, from: &str, to: &str) {
        std::fs::rename(self.path(from), self.path(to)).unwrap();
    }

    /// Runs openssl with arguments separated by spaces, and returns its output.
    pub(crate) fn run(&self, arguments: &str) -> Vec<u8> {
        let (ok, output, errors) = self.try_run(arguments);
        assert!(ok, "openssl {arguments}: {errors}");
        output
    }

    /// The output of openssl as text.
    pub(crate) fn says(&self, arguments: &str) -> String {
        String::from_utf8(self.run(arguments)).unwrap()
    }

    /// Whether openssl succeeded, its output, and its errors.
    pub(crate) fn try_run(&self, arguments: &str) -> (bool, Vec<u8>, String) {
        let run = Command::new("openssl")
            .args(arguments.split_whitespace())
            .current_dir(self.directory.path())
            .output();
        // A missing program must not count as one that agrees.
        let output = run.unwrap_or_else(|error| {
            panic!("openssl cannot be run ({error}); install it: apt-get install openssl")
        });
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        (output.status.success(), output.stdout, errors)
    }

    /// The output of `openssl x509 -text` for a certificate, without the dumps of the key and the signature.
    pub(crate) fn text(&self, certificate: &Certificate) -> String {
        self.write("text.der", certificate.der());
        self.says("x509 -inform DER -in text.der -noout -text -certopt no_pubkey,no_sigdump")
    }
}
