//! The tables of the inventory, and how a file of an older version gets them.

use rusqlite::{Connection, Transaction};

use super::renewal::PLACES;

/// The version of the schema that this etcdpki writes.
pub(super) const VERSION: u32 = 2;

/// The steps from an empty file to the current schema, each with the version that it leads to. `PRAGMA user_version` holds
/// the version of a file. A new step goes to the end, and none ever changes. Files of version 0 can have the table.
const MIGRATIONS: [(u32, &str); VERSION as usize] = [
    (
        1,
        // With a rowid, as in cfssl, rows stand in the order of issuing and only the index is as random as the serial
        // numbers are; by its own key each row of a large inventory would be written to a page of its own, twice.
        "CREATE TABLE IF NOT EXISTS certificates (
        serial_number            TEXT NOT NULL, -- decimal, as cfssl keeps it
        authority_key_identifier TEXT NOT NULL, -- lower-case hexadecimal
        ca_label                 TEXT NOT NULL, -- the signing profile
        status                   TEXT NOT NULL, -- good or revoked
        reason                   INTEGER NOT NULL,
        expiry                   TEXT NOT NULL, -- RFC 3339
        revoked_at               TEXT,
        pem                      TEXT NOT NULL,
        issued_at                TEXT NOT NULL,
        not_before               TEXT NOT NULL,
        common_name              TEXT,
        PRIMARY KEY (serial_number, authority_key_identifier)
    );",
    ),
    (2, PLACES),
];

/// The columns of `certificates`, in their order.
pub(super) const COLUMNS: [&str; 11] = [
    "serial_number",
    "authority_key_identifier",
    "ca_label",
    "status",
    "reason",
    "expiry",
    "revoked_at",
    "pem",
    "issued_at",
    "not_before",
    "common_name",
];

/// The version of a file.
pub(super) fn version(connection: &Connection) -> Result<u32, rusqlite::Error> {
    connection.pragma_query_value(None, "user_version", |row| row.get(0))
}

/// Brings a file to the current version.
pub(super) fn migrate(transaction: &Transaction<'_>) -> Result<(), rusqlite::Error> {
    let version = version(transaction)?;
    for (_, step) in MIGRATIONS.iter().filter(|(to, _)| *to > version) {
        transaction.execute_batch(step)?;
    }
    if version < VERSION {
        transaction.pragma_update(None, "user_version", VERSION)?;
    }
    Ok(())
}
