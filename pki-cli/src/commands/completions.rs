//! `etcdpki completions`

use std::process::ExitCode;

use clap_complete::env::Shells;

use crate::failure::Failure;
use crate::host;

/// The environment variable with which a shell asks etcdpki for completions.
pub(crate) const VARIABLE: &str = "ETCDPKI_COMPLETE";

/// Print a completion script for a shell
///
/// The script asks etcdpki itself, so it also offers profiles, key algorithms, rules, and the hosts of the manifest
/// (cluster.yaml in the current folder, unless -f names another).
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  etcdpki completions bash > /etc/bash_completion.d/etcdpki")]
pub(crate) struct CompletionsArgs {
    /// The shell
    shell: clap_complete::Shell,
}

pub(crate) fn run(args: &CompletionsArgs) -> Result<ExitCode, Failure> {
    let shells = Shells::builtins();
    let shell = args.shell.to_string();
    let completer = shells
        .completer(&shell)
        .ok_or_else(|| Failure::bug(format!("no completions for {shell}")))?;
    let mut script = Vec::new();
    completer
        .write_registration(VARIABLE, "etcdpki", "etcdpki", "etcdpki", &mut script)
        .map_err(|error| Failure::environment(format!("cannot write the script: {error}")))?;
    host::print(&String::from_utf8_lossy(&script))?;
    Ok(ExitCode::SUCCESS)
}
