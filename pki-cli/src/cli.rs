//! The command line, from its arguments to an exit code.

use std::process::ExitCode;

use clap::Parser;

use crate::commands::Cli;
use crate::failure::Kind;
use crate::host;
use crate::output::{Format, json, text};
use crate::signals;

/// Runs the command that the arguments of this process name, and gives its exit code.
///
/// It prints data on standard output and messages for people on standard error. A panic ends the process with
/// exit code 70.
pub fn main() -> ExitCode {
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
