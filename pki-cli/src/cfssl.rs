//! cfssl's command line: its commands, flags, output and log, over the same CA as the native commands.
//!
//! `docs/cfssl.md` lists the differences.

mod answer;
mod authority;
mod certinfo;
mod defaults;
mod files;
mod flags;
mod gencert;
mod gencrl;
mod genkey;
mod gourl;
mod help;
mod info;
mod input;
mod install;
mod issue;
mod log;
mod names;
mod old_ca;
mod program;
mod request;
mod requestinfo;
mod selfsign;
mod sign;

pub(crate) use self::names::Program;
