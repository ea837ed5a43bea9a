//! The command line, from its arguments to an exit code.

use std::ffi::OsString;
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand};
use clap_complete::CompleteEnv;
use pki_core::quote;

use crate::cfssl::Program;
use crate::commands::{
    COMPLETIONS_VARIABLE, Common, adopt, apply, backup, certdb, cfssl, check, completions, crl,
    explain, export, import_ca, init_ca, inspect, issue, list, man, passwd, plan, renew, revoke,
    rotate_ca, show, status, verify,
};
use crate::failure::{Failure, Kind};
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
    host::refuse_core_dumps();
    signals::catch();
    let mut arguments: Vec<OsString> = std::env::args_os().collect();
    if let Some(program) = arguments.first().and_then(|name| Program::called(name)) {
        return program.run(arguments.split_off(1));
    }
    // A shell that asks for completions gets them, and the process ends.
    CompleteEnv::with_factory(Cli::command).var(COMPLETIONS_VARIABLE).complete();
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

/// A certificate authority for etcd: issue, inspect and verify its certificates
///
/// Exit codes: 0 success; 1 findings, or refused by the rules; 2 wrong usage or input;
/// 3 environment (files, locks, signers); 4 `plan --exit-code` found changes; 70 a bug in etcdpki.
#[derive(Debug, Parser)]
#[command(name = "etcdpki", version, max_term_width = 100)]
struct Cli {
    #[command(flatten)]
    common: Common,

    #[command(subcommand)]
    command: Command,
}

/// The commands: the name of each, its variant, and its arguments.
macro_rules! commands {
    ($($name:literal => $variant:ident($args:ty),)+) => {
        #[derive(Debug, Subcommand)]
        enum Command {
            $(#[command(name = $name)] $variant($args),)+
        }

        /// The command of this name, if there is one, with its arguments.
        fn command_named(name: &str) -> Option<clap::Command> {
            match name {
                $($name => Some(<$args>::augment_args(clap::Command::new($name))),)+
                _ => None,
            }
        }
    };
}

commands! {
    "init-ca" => InitCa(Box<init_ca::InitCaArgs>),
    "issue" => Issue(Box<issue::IssueArgs>),
    "import-ca" => ImportCa(import_ca::ImportCaArgs),
    "passwd" => Passwd(passwd::PasswdArgs),
    "adopt" => Adopt(adopt::AdoptArgs),
    "plan" => Plan(plan::PlanArgs),
    "apply" => Apply(apply::ApplyArgs),
    "renew" => Renew(renew::RenewArgs),
    "rotate-ca" => RotateCa(rotate_ca::RotateCaArgs),
    "export" => Export(export::ExportArgs),
    "status" => Status(status::StatusArgs),
    "verify" => Verify(Box<verify::VerifyArgs>),
    "inspect" => Inspect(inspect::InspectArgs),
    "explain" => Explain(explain::ExplainArgs),
    "revoke" => Revoke(revoke::RevokeArgs),
    "crl" => Crl(crl::CrlArgs),
    "list" => List(list::ListArgs),
    "show" => Show(show::ShowArgs),
    "check" => Check(check::CheckArgs),
    "backup" => Backup(backup::BackupArgs),
    "certdb" => Certdb(certdb::CertdbArgs),
    "cfssl" => Cfssl(cfssl::CfsslArgs),
    "cfssljson" => Cfssljson(cfssl::CfssljsonArgs),
    "completions" => Completions(completions::CompletionsArgs),
    "man" => Man(man::ManArgs),
}

impl Cli {
    /// Reads the command line.
    ///
    /// To build all commands takes longer than to sign a certificate, so only the one that the arguments name is built at first. What
    /// it does not parse, such as a mistake or a request for help, is read again with all of them.
    fn read(arguments: &[OsString]) -> Result<Self, clap::Error> {
        let words = arguments.iter().skip(1).filter_map(|word| word.to_str());
        let named = words.into_iter().find_map(command_named);
        let root = clap::Command::new("etcdpki").version(env!("CARGO_PKG_VERSION"));
        let root = Common::augment_args(root).subcommands(named);
        match root.try_get_matches_from(arguments) {
            Ok(matches) if matches.subcommand_name().is_some() => Self::from_arg_matches(&matches),
            Err(error) if error.kind() == ErrorKind::DisplayVersion => Err(error),
            _ => Self::try_parse_from(arguments),
        }
    }

    fn run(&self) -> Result<ExitCode, Failure> {
        let common = &self.common;
        if common.format.is_verdict() && !matches!(self.command, Command::Verify(_)) {
            return Err(Failure::usage("--format sarif, junit and github work only with verify")
                .hinted("use --format text or --format json"));
        }
        match &self.command {
            Command::InitCa(args) => init_ca::run(args, common),
            Command::Issue(args) => issue::run(args, common),
            Command::ImportCa(args) => import_ca::run(args, common),
            Command::Passwd(args) => passwd::run(args, common),
            Command::Adopt(args) => adopt::run(args, common),
            Command::Plan(args) => plan::run(args, common),
            Command::Apply(args) => apply::run(args, common),
            Command::Renew(args) => renew::run(args, common),
            Command::RotateCa(args) => rotate_ca::run(args, common),
            Command::Export(args) => export::run(args, common),
            Command::Status(args) => status::run(args, common),
            Command::Verify(args) => verify::run(args, common),
            Command::Inspect(args) => inspect::run(args, common),
            Command::Explain(args) => explain::run(args, common),
            Command::Revoke(args) => revoke::run(args, common),
            Command::Crl(args) => crl::run(args, common),
            Command::List(args) => list::run(args, common),
            Command::Show(args) => show::run(args, common),
            Command::Check(args) => check::run(args, common),
            Command::Backup(args) => backup::run(args, common),
            Command::Certdb(args) => certdb::run(args, common),
            Command::Cfssl(args) => Ok(args.run()),
            Command::Cfssljson(args) => Ok(args.run()),
            Command::Completions(args) => completions::run(args),
            Command::Man(args) => man::run(args, Self::command()),
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
