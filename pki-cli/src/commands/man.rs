//! `etcdpki man`

use std::io;
use std::process::ExitCode;

use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};

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

/// The same for every command, except for `plan`.
const EXIT_STATUS: [(&str, &str); 6] = [
    ("0", "Success."),
    ("1", "Findings, or the rules refused to issue."),
    ("2", "The command line or an input is wrong."),
    ("3", "A problem with the environment: files, locks, signers."),
    ("70", "A bug in etcdpki."),
    ("128+n", "Signal n ended the run. Nothing is left half done."),
];

const ENVIRONMENT: [(&str, &str); 4] = [
    (
        "ETCDPKI_DIR",
        "The CA's folder. --dir takes precedence over it, and it takes precedence over the manifest.",
    ),
    (
        "ETCDPKI_PKCS11",
        "The URI of the CA's key in a PKCS #11 token. An option that says where the key is takes precedence.",
    ),
    (
        "ETCDPKI_SIGNER_CMD",
        "The command that signs for the CA. An option that says where the key is takes precedence.",
    ),
    ("NO_COLOR", "If set and not empty, text output has no colors, also on terminals."),
];

/// Below the CA's folder.
const FILES: [(&str, &str); 6] = [
    ("pki/ca.pem", "The CA that issues, the CAs above it, and other roots that hosts trust."),
    ("pki/ca-key.pem", "The CA's private key, with mode 0600."),
    (
        "pki/inventory.db",
        "Every certificate that was issued, in SQLite. The table is that of cfssl's certdb.",
    ),
    ("pki/inventory.db-wal", "What was recorded last; it belongs to inventory.db."),
    ("pki/hosts.json", "The clusters that the hosts' folders were made for."),
    (
        "pki/hosts/HOST/",
        "The files for one host. install.sh puts them in their places on the host.",
    ),
];

/// Prints a page of `cli`, which is the whole command line.
pub(crate) fn run(args: &ManArgs, mut cli: clap::Command) -> Result<ExitCode, Failure> {
    cli.build();
    let command = match &args.command {
        None => cli,
        Some(name) => cli.find_subcommand(name).cloned().ok_or_else(|| {
            Failure::usage(format!("unknown command {name:?}"))
                .hinted("run `etcdpki --help` to list the commands")
        })?,
    };
    let mut page = Vec::new();
    render(command, &mut page)
        .map_err(|error| Failure::environment(format!("cannot write the manual page: {error}")))?;
    host::print(&String::from_utf8_lossy(&page))?;
    Ok(ExitCode::SUCCESS)
}

fn render(command: clap::Command, page: &mut Vec<u8>) -> io::Result<()> {
    let examples = command.get_after_help().map(ToString::to_string);
    let has_subcommands = command.has_subcommands();
    let has_version = command.get_version().is_some();
    let is_plan = command.get_name() == "plan";
    let man = Man::new(command);
    man.render_title(page)?;
    man.render_name_section(page)?;
    man.render_synopsis_section(page)?;
    man.render_description_section(page)?;
    man.render_options_section(page)?;
    if has_subcommands {
        man.render_subcommands_section(page)?;
    }
    let mut roff = Roff::new();
    if let Some(examples) = examples {
        roff.control("SH", ["EXAMPLES"]).control("nf", []);
        for line in examples.lines().skip(1) {
            roff.text([roman(line.strip_prefix("  ").unwrap_or(line))]);
        }
        roff.control("fi", []);
    }
    let mut exit_status = EXIT_STATUS.to_vec();
    if is_plan {
        exit_status.insert(4, ("4", "There are changes, and --exit-code was given."));
    }
    list(&mut roff, "EXIT STATUS", &exit_status);
    list(&mut roff, "ENVIRONMENT", &ENVIRONMENT);
    list(&mut roff, "FILES", &FILES);
    roff.to_writer(page)?;
    if has_version { man.render_version_section(page) } else { Ok(()) }
}

fn list(roff: &mut Roff, heading: &str, entries: &[(&str, &str)]) {
    roff.control("SH", [heading]);
    for (term, text) in entries {
        roff.control("TP", []).text([bold(*term)]).text([roman(*text)]);
    }
}
