//! `etcdpki man`

use std::process::ExitCode;

use clap::CommandFactory;

use super::Cli;
use crate::failure::Failure;
use crate::host;

/// Print the manual page of etcdpki or of one of its commands
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  etcdpki man | man -l -\n  etcdpki man issue > etcdpki-issue.1"
)]
pub(crate) struct ManArgs {
    /// The command; without it, prints the page of etcdpki itself
    command: Option<String>,
}

pub(crate) fn run(args: &ManArgs) -> Result<ExitCode, Failure> {
    let mut cli = Cli::command();
    cli.build();
    let command = match &args.command {
        None => cli,
        Some(name) => cli.find_subcommand(name).cloned().ok_or_else(|| {
            Failure::usage(format!("unknown command {name:?}"))
                .hinted("run `etcdpki --help` to list the commands")
        })?,
    };
    let mut page = Vec::new();
    clap_mangen::Man::new(command)
        .render(&mut page)
        .map_err(|error| Failure::environment(format!("cannot write the manual page: {error}")))?;
    host::print(&String::from_utf8_lossy(&page))?;
    Ok(ExitCode::SUCCESS)
}
