//! `etcdpki completions`

use std::process::ExitCode;

use clap::CommandFactory;

use super::Cli;
use crate::failure::Failure;
use crate::host;

/// Print a completion script for a shell
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  etcdpki completions bash > /etc/bash_completion.d/etcdpki")]
pub(crate) struct CompletionsArgs {
    /// The shell
    shell: clap_complete::Shell,
}

pub(crate) fn run(args: &CompletionsArgs) -> Result<ExitCode, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "etcdpki", &mut script);
    host::print(&String::from_utf8_lossy(&script))?;
    Ok(ExitCode::SUCCESS)
}
