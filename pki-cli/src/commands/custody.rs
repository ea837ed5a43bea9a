//! The options that say where a CA's key is, and what opens it.

use crate::passphrase::PassphraseSource;
use crate::signer::Custody;

/// Where the CA's key is, and what opens it.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "CA key")]
pub(crate) struct CustodyArgs {
    /// Passphrase of the CA's key: file:PATH, fd:NUMBER, env:NAME or prompt. A new key is encrypted
    /// with it [default: an encrypted key prompts; a new key is not encrypted]
    #[arg(long, value_name = "SOURCE")]
    ca_passphrase: Option<PassphraseSource>,
}

impl CustodyArgs {
    pub(crate) fn custody(&self) -> Custody {
        Custody::file(self.ca_passphrase.clone())
    }
}
