//! The subcommands: each has one file with its arguments and its `run`.

pub(crate) mod adopt;
mod air_gap;
pub(crate) mod apply;
mod audit;
pub(crate) mod backup;
pub(crate) mod certdb;
pub(crate) mod cfssl;
pub(crate) mod check;
mod cluster;
mod common;
mod complete;
pub(crate) mod completions;
pub(crate) mod crl;
mod custody;
pub(crate) mod explain;
pub(crate) mod export;
pub(crate) mod import_ca;
pub(crate) mod init_ca;
pub(crate) mod inspect;
pub(crate) mod issue;
pub(crate) mod list;
pub(crate) mod man;
pub(crate) mod passwd;
pub(crate) mod plan;
pub(crate) mod renew;
pub(crate) mod revoke;
pub(crate) mod rotate_ca;
pub(crate) mod show;
mod small_folder;
pub(crate) mod status;
mod values;
pub(crate) mod verify;

pub(crate) use self::common::Common;
pub(crate) use self::completions::VARIABLE as COMPLETIONS_VARIABLE;
use self::values::{core, lifetime, override_subject};
