//! cfssl's command line: its commands, flags, output and log, over the same CA as the native commands.
//!
//! [docs/cfssl.md] lists the differences.
//!
//! [docs/cfssl.md]: https://github.com/etcdpki/etcdpki/blob/main/docs/cfssl.md

mod certinfo;
mod defaults;
mod files;
mod flags;
mod input;
mod install;
mod log;
mod usage;
