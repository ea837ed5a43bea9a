//! Runs the programs that this binary replaces, and the commands of `cfssl`.

use std::ffi::OsString;
use std::process::ExitCode;

use pki_core::quote;

use super::flags::{FlagError, Flags, Table};
use super::log::Log;
use super::names::Program;
use super::{
    authority, certinfo, defaults, files, gencert, gencrl, genkey, help, info, install, selfsign,
    sign,
};
use crate::failure::{Failure, Kind};
use crate::host;

/// How a run ends without its answer.
enum Stop {
    /// The flags are wrong: exit code 2, as Go's `flag` has it.
    Flags(&'static str, String),
    Failed(Failure),
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

impl Program {
    /// Runs the program with its arguments, without its name, and gives its exit code.
    pub(crate) fn run(self, arguments: Vec<OsString>) -> ExitCode {
        let mut log = Log::new();
        let done = texts(arguments).map_err(Stop::from).and_then(|arguments| match self {
            Self::Cfssl => cfssl(&arguments, &mut log),
            Self::Cfssljson => cfssljson(&arguments, &log),
            Self::Certinfo => certinfo_alone(&arguments, &log),
        });
        host::end_stdout();
        match done {
            Ok(()) => ExitCode::SUCCESS,
            Err(Stop::Flags(command, text)) => {
                host::say(&format!("{text}\n{}", help::text(command)));
                ExitCode::from(2)
            }
            Err(Stop::Failed(failure)) => {
                Log::failure(&failure);
                // cfssl has only the exit code 1; a bug and a signal keep their own codes.
                ExitCode::from(match failure.kind {
                    Kind::Bug | Kind::Interrupted(_) => failure.kind.exit_code(),
                    _ => 1,
                })
            }
        }
    }
}

fn texts(arguments: Vec<OsString>) -> Result<Vec<String>, Failure> {
    let text = |argument: OsString| {
        argument.into_string().map_err(|argument| {
            Failure::usage(format!("the argument {} is not UTF-8", argument.display()))
        })
    };
    arguments.into_iter().map(text).collect()
}

/// The flags, or `None` after the help that they ask for was printed.
fn parse(command: &'static str, arguments: &[String], table: Table) -> Result<Option<Flags>, Stop> {
    match Flags::parse(arguments, table) {
        Ok(flags) => Ok(Some(flags)),
        Err(FlagError::HelpRequested) => {
            host::say(&help::text(command));
            Ok(None)
        }
        Err(FlagError::Invalid(text)) => Err(Stop::Flags(command, text)),
    }
}

fn cfssl(arguments: &[String], log: &mut Log) -> Result<(), Stop> {
    let Some((name, arguments)) = arguments.split_first() else {
        host::say(&format!("No command is given.\n{}", help::text("")));
        return Err(Failure::usage("no command is given").into());
    };
    if matches!(name.as_str(), "-h" | "-help" | "--help") {
        host::say(&help::text(""));
        return Ok(());
    }
    if name.starts_with('-') {
        let name = quote::name(name);
        return Err(Stop::Flags("", format!("{name}: write the command first, then its flags")));
    }
    if name == "install" {
        return Ok(install::run(arguments)?);
    }
    if let Some((_, instead)) = help::REPLACED.iter().find(|(known, _)| known == name) {
        let message = format!("cfssl {name} is not part of etcdpki");
        return Err(Failure::usage(message).hinted(*instead).into());
    }
    let Some((command, ..)) = help::COMMANDS.iter().find(|(known, ..)| known == name) else {
        host::say(&format!("Command {} is not defined.\n{}", quote::name(name), help::text("")));
        return Err(Failure::usage(format!("unknown command {}", quote::value(name))).into());
    };
    let Some(flags) = parse(command, arguments, Table::CFSSL)? else { return Ok(()) };
    log.set_level(&flags).map_err(|text| Stop::Flags(command, text))?;
    refuse_remote(&flags)?;
    if !uses_profile(command, &flags) {
        authority::check_config(&flags, log)?;
    }
    Ok(match *command {
        "gencert" => gencert::run(&flags, log),
        "genkey" => genkey::run(&flags, log),
        "gencsr" => genkey::run_with_key(&flags, log),
        "sign" => sign::run(&flags, log),
        "selfsign" => selfsign::run(&flags, log),
        "certinfo" => certinfo::run(&flags, log),
        "gencrl" => gencrl::run(&flags, log),
        "info" => info::run(&flags, log),
        "print-defaults" => defaults::run(&flags),
        _ => host::print(&help::version()),
    }?)
}

/// Whether a command reads `-config` itself.
fn uses_profile(command: &str, flags: &Flags) -> bool {
    match command {
        "gencert" => !flags.is_on("initca") && !flags.is_on("renewca"),
        "sign" | "info" => true,
        "selfsign" => flags.value("profile").is_some(),
        _ => false,
    }
}

/// Refuses flags for a remote cfssl, which would have signed, perhaps with another CA.
fn refuse_remote(flags: &Flags) -> Result<(), Failure> {
    match ["remote", "db-config", "domain"].iter().find(|name| flags.value(name).is_some()) {
        None => Ok(()),
        Some(name @ &"domain") => Err(Failure::usage(format!("-{name} is not part of etcdpki"))
            .hinted("use etcdpki verify --connect HOST:PORT")),
        Some(name @ &"remote") => {
            Err(Failure::usage(format!("-{name}: etcdpki signs only with a local CA"))
                .hinted("name the CA with -ca and -ca-key"))
        }
        Some(name) => Err(Failure::usage(format!("-{name} is not part of etcdpki"))
            .hinted("etcdpki records what it issues in the inventory of the CA's folder (create it with etcdpki init-ca)")),
    }
}

fn cfssljson(arguments: &[String], log: &Log) -> Result<(), Stop> {
    match parse("cfssljson", arguments, Table::CFSSLJSON)? {
        None => Ok(()),
        Some(flags) if flags.is_on("version") => Ok(host::print(&help::version())?),
        Some(flags) => Ok(files::run(&flags, log)?),
    }
}

fn certinfo_alone(arguments: &[String], log: &Log) -> Result<(), Stop> {
    match parse("cfssl-certinfo", arguments, Table::CERTINFO)? {
        None => Ok(()),
        Some(flags) if flags.is_on("version") => Ok(host::print(&help::version())?),
        Some(flags) => {
            refuse_remote(&flags)?;
            Ok(certinfo::run(&flags, log)?)
        }
    }
}
