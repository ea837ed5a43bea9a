//! The command line, from its arguments to an exit code.

use std::ffi::OsString;
use std::process::ExitCode;

use clap::CommandFactory;
use clap_complete::CompleteEnv;
use pki_core::quote;

use crate::cfssl::Program;
use crate::commands::{COMPLETIONS_VARIABLE, Cli};
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
            "etcdpki: a bug: {}\n  hint: no more files were written; please report this message\n",
            quote::sentence(&info.to_string())
        ));
        std::process::exit(i32::from(Kind::Bug.exit_code()));
    }));
    // A shell that asks for completions gets them, and the process ends.
    CompleteEnv::with_factory(Cli::command).var(COMPLETIONS_VARIABLE).complete();
    host::refuse_core_dumps();
    signals::catch();
    let mut arguments: Vec<OsString> = std::env::args_os().collect();
    if let Some(program) = arguments.first().and_then(|name| Program::called(name)) {
        return program.run(arguments.split_off(1));
    }
    let cli = Cli::read(&arguments).unwrap_or_else(|error| exit(&error));
    match cli.run().and_then(|code| signals::check().map(|()| code)) {
        Ok(code) => code,
        Err(failure) => {
            host::say(&text::failure(&failure));
            if cli.common.format == Format::Json {
                // The failure is already on standard error.
                let _ = json::print_failure(&failure);
            }
            ExitCode::from(failure.kind.exit_code())
        }
    }
}

/// Prints help, the version, or a mistake in the command line, and ends the process. Text that repeats a private
/// key from the command line is printed without it, and without colors.
fn exit(error: &clap::Error) -> ! {
    let text = error.render().to_string();
    let shown = quote::sentence(&text);
    if shown == text {
        error.exit();
    }
    host::say(&shown);
    std::process::exit(error.exit_code());
}
