//! The options that say where a CA's key is, and what opens it.

use pki_core::quote;

use crate::failure::Failure;
use crate::passphrase::PassphraseSource;
use crate::signer::Custody;

/// The source of the passphrase of a CA's key.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "CA key")]
pub(crate) struct PassphraseArgs {
    /// Passphrase of the CA's key, or PIN of its token: file:PATH, fd:NUMBER, env:NAME or prompt. A new
    /// key is encrypted with it [default: prompt if one is needed; a new key is not encrypted]
    #[arg(long, value_name = "SOURCE")]
    pub(crate) ca_passphrase: Option<PassphraseSource>,
}

/// Where the CA's key is, and what opens it.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "CA key")]
pub(crate) struct CustodyArgs {
    #[command(flatten)]
    passphrase: PassphraseArgs,

    /// Sign with this command instead of ca-key.pem: it reads the bytes to sign from standard input and
    /// writes the signature to standard output
    #[arg(long, value_name = "COMMAND", env = "ETCDPKI_SIGNER_CMD", hide_env_values = true)]
    signer_cmd: Option<String>,

    /// Sign with a key in a PKCS #11 token instead of ca-key.pem:
    /// pkcs11:token=LABEL;object=KEY?module-path=LIBRARY (RFC 7512)
    #[arg(
        long,
        value_name = "URI",
        conflicts_with = "signer_cmd",
        env = "ETCDPKI_PKCS11",
        hide_env_values = true
    )]
    pkcs11: Option<String>,
}

impl CustodyArgs {
    pub(crate) fn custody(&self) -> Result<Custody, Failure> {
        let passphrase = self.passphrase.ca_passphrase.clone();
        match (&self.signer_cmd, &self.pkcs11) {
            (Some(command), _) if is_key(command) => Err(Failure::usage(
                "--signer-cmd or ETCDPKI_SIGNER_CMD: it is a private key, not a command",
            )
            .hinted("name a program that signs what it reads from standard input")),
            (Some(command), _) => Ok(Custody::command(command.clone(), passphrase)),
            (None, Some(uri)) => token(uri, passphrase),
            (None, None) => Ok(Custody::file(passphrase)),
        }
    }
}

/// True for a command whose first word may be a private key, which the shell would print as an unknown command.
/// The arguments of a command may well be secrets.
fn is_key(command: &str) -> bool {
    let program = command.split_whitespace().next().unwrap_or_default();
    quote::is_secret(program) || command.contains("PRIVATE KEY-----")
}

#[cfg(feature = "pkcs11")]
fn token(uri: &str, pin: Option<PassphraseSource>) -> Result<Custody, Failure> {
    Custody::token(uri, pin)
}

#[cfg(not(feature = "pkcs11"))]
fn token(_: &str, _: Option<PassphraseSource>) -> Result<Custody, Failure> {
    Err(Failure::usage("--pkcs11: this etcdpki was built without PKCS #11")
        .hinted("build it with the feature pkcs11, or use --signer-cmd"))
}
