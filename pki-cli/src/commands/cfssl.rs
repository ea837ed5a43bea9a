//! `etcdpki cfssl` and `etcdpki cfssljson`: cfssl's own command line.

use std::ffi::OsString;
use std::process::ExitCode;

use crate::cfssl::Program;

/// Run a command of cfssl, with its flags, output and files
///
/// The same as calling this program by the name cfssl. Everything after the subcommand is read as cfssl reads it.
/// `etcdpki cfssl install DIR` makes links named cfssl, cfssljson, cfssl-json and cfssl-certinfo in a folder, which
/// comes first in PATH so that existing scripts use them.
#[derive(Debug, clap::Args)]
#[command(
    disable_help_flag = true,
    after_help = "Examples:\n  \
    etcdpki cfssl install /usr/local/bin\n  \
    etcdpki cfssl gencert -initca ca-csr.json | etcdpki cfssljson -bare ca\n  \
    etcdpki cfssl gencert -ca ca.pem -ca-key ca-key.pem -config ca-config.json -profile peer e1.json"
)]
pub(crate) struct CfsslArgs {
    /// Command, flags and arguments of cfssl
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "ARGUMENT")]
    arguments: Vec<OsString>,
}

/// Write the certificate, the key and the request that cfssl prints to files
///
/// The same as calling this program by the name cfssljson.
#[derive(Debug, clap::Args)]
#[command(
    disable_help_flag = true,
    after_help = "Examples:\n  \
    etcdpki cfssl genkey e1.json | etcdpki cfssljson -bare e1"
)]
pub(crate) struct CfssljsonArgs {
    /// Flags and arguments of cfssljson
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "ARGUMENT")]
    arguments: Vec<OsString>,
}

impl CfsslArgs {
    pub(crate) fn run(&self) -> ExitCode {
        Program::Cfssl.run(self.arguments.clone())
    }
}

impl CfssljsonArgs {
    pub(crate) fn run(&self) -> ExitCode {
        Program::Cfssljson.run(self.arguments.clone())
    }
}
