//! The subcommands: each has one file with its arguments and its `run`.

mod adopt;
mod air_gap;
mod apply;
mod audit;
mod backup;
mod certdb;
mod cfssl;
mod check;
mod cluster;
mod common;
mod complete;
mod completions;
mod crl;
mod custody;
mod explain;
mod export;
mod import_ca;
mod init_ca;
mod inspect;
mod issue;
mod list;
mod man;
mod passwd;
mod plan;
mod renew;
mod revoke;
mod rotate_ca;
mod show;
mod small_folder;
mod status;
mod verify;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{Args, FromArgMatches, Parser, Subcommand};
use pki_core::{Attribute, Error, Subject, parse_lifetime};
use time::Duration;

pub(crate) use self::common::Common;
pub(crate) use self::completions::VARIABLE as COMPLETIONS_VARIABLE;
use crate::failure::Failure;

/// A certificate authority for etcd: issue, inspect and verify its certificates
///
/// Exit codes: 0 success; 1 findings, or refused by the rules; 2 wrong usage or input;
/// 3 environment (files, locks, signers); 4 `plan --exit-code` found changes; 70 a bug in etcdpki.
#[derive(Debug, Parser)]
#[command(name = "etcdpki", version, max_term_width = 100)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) common: Common,

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
    pub(crate) fn read(arguments: &[OsString]) -> Result<Self, clap::Error> {
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

    pub(crate) fn run(&self) -> Result<ExitCode, Failure> {
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
            Command::Man(args) => man::run(args),
        }
    }
}

/// A lifetime. `parse_duration` would also accept `0` and `-1h`.
pub(crate) fn lifetime(text: &str) -> Result<Duration, String> {
    core(parse_lifetime(text))
}

/// A value of the command line that pki-core parses. The message contains the hint.
pub(crate) fn core<T>(parsed: Result<T, pki_core::Error>) -> Result<T, String> {
    parsed.map_err(|error| {
        let reason = match &error {
            Error::Invalid(invalid) => invalid.problem.clone(),
            other => other.to_string(),
        };
        match error.hint() {
            Some(hint) => format!("{reason}\n  hint: {hint}"),
            None => reason,
        }
    })
}

/// The subject with the values of --cn and --org in place of those that a file has.
fn override_subject(
    mut subject: Subject,
    cn: Option<&String>,
    org: Option<&String>,
) -> Result<Subject, Failure> {
    let options = [(Attribute::CommonName, cn), (Attribute::Organization, org)];
    for (attribute, value) in options {
        if let Some(value) = value {
            subject = subject.with(attribute, value)?;
        }
    }
    Ok(subject)
}
