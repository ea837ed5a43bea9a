//! The command line of etcdpki: it reads, signs, remembers and prints; pki-core decides.

mod archive;
mod ca_folder;
mod commands;
mod endpoint;
mod failure;
mod host;
mod hosts;
mod inventory;
mod output;
mod pairs;
mod progress;
mod signals;
mod store;

use std::process::ExitCode;

use clap::Parser;

use crate::commands::Cli;
use crate::failure::Kind;
use crate::output::{Format, json, text};

fn main() -> ExitCode {
    std::panic::set_hook(Box::new(|info| {
        host::say(&format!(
            "etcdpki: a bug: {info}\n  hint: nothing more was written; please report this message\n"
        ));
        std::process::exit(i32::from(Kind::Bug.exit_code()));
    }));
    signals::catch();
    let cli = Cli::parse();
    match cli.run().and_then(|code| signals::check().map(|()| code)) {
        Ok(code) => code,
        Err(failure) => {
            host::say(&text::failure(&failure));
            if cli.common.format == Format::Json {
                // The reason is on standard error in any case.
                let _ = json::print_failure(&failure);
            }
            ExitCode::from(failure.kind.exit_code())
        }
    }
}
