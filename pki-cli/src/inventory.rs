//! The inventory of issued certificates, in SQLite. A certificate is recorded here before it is written anywhere else.
//!
//! The table `certificates` is that of cfssl's certdb, so the queries of cfssl's users still work. Everything else that
//! etcdpki stores goes into tables of its own. Each method is one whole operation, which another kind of store could
//! offer as well.

mod backup;
mod certdb;
mod check;
mod connection;
mod create;
mod database;
mod entry;
mod files;
mod merge;
mod owner;
mod query;
mod renewal;
mod repair;
mod revocation;
mod rows;
mod schema;
mod service;
mod wait;
mod wal;

pub(crate) use self::certdb::Certdb;
pub(crate) use self::check::{Condition, Stored};
pub(crate) use self::entry::{
    CA_PROFILE, CrlEntry, Entry, FilePlace, decimal, key_id_of, profile_of, rfc3339,
};
pub(crate) use self::merge::Merged;
pub(crate) use self::query::{Filter, Row, Status};
pub(crate) use self::repair::Evidence;
pub(crate) use self::revocation::{LastCrl, Revocation};
pub(crate) use self::service::{FILE, Inventory, files};
