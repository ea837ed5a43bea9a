//! `etcdpki man`

use std::process::ExitCode;

use clap::CommandFactory;

use super::Cli;
use crate::failure::Failure;
use crate::host;

/// Print a manual page, of etcdpki or of one of its commands
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  etcdpki man | man -l -\n  etcdpki man issue > etcdpki-issue.1"
)]
pub(crate) struct ManArgs {
    /// The command; without it, the page of etcdpki itself
    command: Option<String>,
}

pub(crate) fn run(args: &ManArgs) -> Result<ExitCode, Failure> {
    let mut cli = Cli::command();
    cli.build();
    let command = match &args.command {
        None => cli,
        Some(name) => cli.find_subcommand(name).cloned().ok_or_else(|| {
            Failure::usage(format!("{name:?} is no command of etcdpki"))
                .hinted("the commands: etcdpki --help")
        })?,
    };
    let mut page = Vec::new();
    clap_mangen::Man::new(command)
        .render(&mut page)
        .map_err(|error| Failure::environment(format!("writing a manual page: {error}")))?;
    host::print(&String::from_utf8_lossy(&page))?;
    Ok(ExitCode::SUCCESS)
}
