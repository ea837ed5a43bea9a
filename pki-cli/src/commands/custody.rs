//! The options that say where a CA's key is, and what opens it.

use std::ffi::OsString;
use std::path::PathBuf;

use pki_core::{PublicKey, quote};

use crate::failure::Failure;
use crate::host;
use crate::passphrase::PassphraseSource;
use crate::signer::Custody;
use crate::store;

/// The source of the passphrase of a CA's key.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "CA key")]
pub(crate) struct PassphraseArgs {
    /// Passphrase of the CA's key, or PIN of its token: file:PATH, fd:NUMBER, env:NAME or prompt. A new
    /// key is encrypted with it [default: prompt if one is needed; a new key is not encrypted]
    #[arg(long, value_name = "SOURCE")]
    pub(crate) ca_passphrase: Option<PassphraseSource>,
}

/// The variables that say where the key is if no option does.
const SIGNER_CMD: &str = "ETCDPKI_SIGNER_CMD";
const PKCS11: &str = "ETCDPKI_PKCS11";

/// Where the CA's key is, and what opens it.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "CA key")]
pub(crate) struct CustodyArgs {
    #[command(flatten)]
    passphrase: PassphraseArgs,

    /// Sign with this command instead of ca-key.pem: it reads the bytes to sign from standard input and
    /// writes the signature to standard output [env: ETCDPKI_SIGNER_CMD]
    #[arg(long, value_name = "COMMAND")]
    signer_cmd: Option<String>,

    /// Sign with a key in a PKCS #11 token instead of ca-key.pem:
    /// pkcs11:token=LABEL;object=KEY?module-path=LIBRARY (RFC 7512) [env: ETCDPKI_PKCS11]
    #[arg(long, value_name = "URI", conflicts_with = "signer_cmd")]
    pkcs11: Option<String>,
}

impl CustodyArgs {
    /// The place that an option names; if none does, the one that the environment names; else the CA's folder.
    ///
    /// clap does not read the variables, because it takes them for options, which conflict with options that somebody gave.
    pub(crate) fn custody(&self) -> Result<Custody, Failure> {
        let passphrase = self.passphrase.ca_passphrase.clone();
        check_command(self.signer_cmd.as_deref(), "--signer-cmd")?;
        let chosen = custody_of((&self.signer_cmd, &self.pkcs11), passphrase.clone());
        match chosen.map_err(|failure| failure.about("--pkcs11"))? {
            Some(custody) => Ok(custody),
            None => of_environment(passphrase),
        }
    }

    /// Whether an option says where the key is.
    pub(crate) const fn names_a_place(&self) -> bool {
        self.signer_cmd.is_some() || self.pkcs11.is_some()
    }

    /// A file that another option names, whatever the environment says.
    pub(crate) fn in_file(&self) -> Custody {
        Custody::file(self.passphrase.ca_passphrase.clone())
    }
}

/// The place that a command or the URI of a token names, if one is given.
pub(super) fn custody_of(
    (command, uri): (&Option<String>, &Option<String>),
    passphrase: Option<PassphraseSource>,
) -> Result<Option<Custody>, Failure> {
    Ok(match (command, uri) {
        (Some(command), _) => Some(Custody::command(command.clone(), passphrase)),
        (None, Some(uri)) => Some(token(uri, passphrase)?),
        (None, None) => None,
    })
}

/// Where the key of a new CA is or goes, and what opens it.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "CA key")]
pub(crate) struct NewCustodyArgs {
    /// Public key of the new CA, in PEM or DER. A signer command needs it, because a command cannot tell it
    #[arg(long, value_name = "FILE")]
    pub(crate) public_key: Option<PathBuf>,

    #[command(flatten)]
    custody: CustodyArgs,
}

impl NewCustodyArgs {
    /// As [`CustodyArgs::custody`], with the public key for a command.
    pub(crate) fn custody(&self) -> Result<Custody, Failure> {
        let custody = self.custody.custody()?;
        let Some(path) = &self.public_key else { return Ok(custody) };
        let key = PublicKey::from_pem_or_der(&store::read(path)?);
        custody.with_public_key(key.map_err(|error| Failure::from(error).in_file(path))?)
    }

    /// The source of the passphrase.
    pub(crate) const fn passphrase(&self) -> Option<&PassphraseSource> {
        self.custody.passphrase.ca_passphrase.as_ref()
    }
}

fn of_environment(passphrase: Option<PassphraseSource>) -> Result<Custody, Failure> {
    match (setting(SIGNER_CMD)?, setting(PKCS11)?) {
        (Some(_), Some(_)) => Err(Failure::usage(format!(
            "{SIGNER_CMD} and {PKCS11} are both set, and the CA's key is in only one place"
        ))
        .hinted(format!(
            "unset one of them, or give --signer-cmd or --pkcs11, which take precedence: env -u {PKCS11} etcdpki …"
        ))),
        (command, uri) => {
            check_command(command.as_deref(), SIGNER_CMD)?;
            let chosen = custody_of((&command, &uri), passphrase.clone());
            let chosen = chosen.map_err(|failure| failure.about(PKCS11))?;
            Ok(chosen.unwrap_or_else(|| Custody::file(passphrase)))
        }
    }
}

fn setting(name: &str) -> Result<Option<String>, Failure> {
    let text = host::setting(name).map(OsString::into_string).transpose();
    text.map_err(|_| {
        Failure::usage(format!("the variable {name} is not UTF-8")).hinted("set it again")
    })
}

/// Refuses a command whose first word may be a private key, which the shell would print as an unknown command. The
/// arguments of a command may well be secrets.
fn check_command(command: Option<&str>, option: &str) -> Result<(), Failure> {
    let command = command.unwrap_or_default();
    let program = command.split_whitespace().next().unwrap_or_default();
    if quote::is_secret(program) || command.contains("PRIVATE KEY-----") {
        return Err(Failure::usage(format!("{option}: it is a private key, not a command"))
            .hinted("name a program that signs what it reads from standard input"));
    }
    Ok(())
}

#[cfg(feature = "pkcs11")]
fn token(uri: &str, pin: Option<PassphraseSource>) -> Result<Custody, Failure> {
    Custody::token(uri, pin)
}

#[cfg(not(feature = "pkcs11"))]
fn token(_: &str, _: Option<PassphraseSource>) -> Result<Custody, Failure> {
    Err(Failure::usage("this etcdpki was built without PKCS #11")
        .hinted("build it with the feature pkcs11, or use --signer-cmd"))
}
