//! The tables of the inventory, and how a file of an older version gets them.

use rusqlite::{Connection, Transaction};

/// The version of the schema that this etcdpki writes.
pub(super) const VERSION: u32 = 2;

/// The steps from an empty file to the current schema, each with the version that it leads to. `PRAGMA user_version`
/// holds the version of a file. New steps are added at the end, and existing steps never change. Files of version 0 can
/// have the table.
const MIGRATIONS: [(u32, &str); VERSION as usize] = [
    (
        1,
        // With a rowid, as in cfssl, rows stand in the order of issuing and only the index is as random as the serial
        // numbers are; with the serial number as the row's key, each row of a large inventory would be written to a
        // separate page, twice.
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
    (
        2,
        "CREATE TABLE IF NOT EXISTS places ( -- where the file of a certificate was put
            serial_number            TEXT NOT NULL,
            authority_key_identifier TEXT NOT NULL,
            host                     TEXT, -- the host whose folder it is in, if it is in one
            path                     TEXT NOT NULL, -- absolute, or relative to the CA's folder
            PRIMARY KEY (serial_number, authority_key_identifier)
        );
        CREATE INDEX IF NOT EXISTS places_by_path ON places (path);
        CREATE TABLE IF NOT EXISTS crls ( -- the CRLs that were issued
            authority_key_identifier TEXT NOT NULL, -- the CA's subjectKeyIdentifier
            number                   INTEGER NOT NULL,
            this_update              TEXT NOT NULL,
            next_update              TEXT NOT NULL,
            pem                      TEXT NOT NULL,
            PRIMARY KEY (authority_key_identifier, number)
        );",
    ),
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

/// The table, or for a file of an older version that is only read, an empty table with its columns.
pub(super) fn places(connection: &Connection) -> Result<&'static str, rusqlite::Error> {
    Ok(match version(connection)? {
        0 | 1 => {
            "(SELECT '' AS serial_number, '' AS authority_key_identifier, NULL AS host, NULL AS path,
                0 AS rowid WHERE 0)"
        }
        _ => "places",
    })
}

/// Whether a file has a table.
pub(super) fn has_table(connection: &Connection, table: &str) -> Result<bool, rusqlite::Error> {
    let query = "SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?1)";
    connection.query_row(query, [table], |row| row.get(0))
}

/// Whether a file has the table of CRLs, which files of older versions do not have.
pub(super) fn has_crls(connection: &Connection) -> Result<bool, rusqlite::Error> {
    Ok(version(connection)? >= 2)
}

/// Whether a file has the table of places.
pub(super) fn has_places(connection: &Connection) -> Result<bool, rusqlite::Error> {
    Ok(version(connection)? >= 2 && !missing_tables(connection)?.contains(&"places"))
}

/// The tables that a file of this version must have and does not have.
pub(super) fn missing_tables(
    connection: &Connection,
) -> Result<Vec<&'static str>, rusqlite::Error> {
    if version(connection)? < 2 {
        return Ok(Vec::new());
    }
    let mut missing = Vec::new();
    for table in ["places", "crls"] {
        if !has_table(connection, table)? {
            missing.push(table);
        }
    }
    Ok(missing)
}

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

/// The bit of a mark that says that a log belongs to the database. The first page of that log has the mark without it, so a
/// program that moves the log to the database, and removes it, also removes the bit.
const EXPECTS_LOG: i32 = 1;

/// Gives a database a new mark, by which a log that belongs to it is recognized.
pub(super) fn mark(connection: &Connection) -> Result<(), rusqlite::Error> {
    let random = "SELECT 2 + abs(random() % 2147483645)";
    let mark: i32 = connection.query_row(random, [], |row| row.get(0))?;
    connection.pragma_update(None, APPLICATION_ID, mark | EXPECTS_LOG)
}

/// Whether a log belongs to the database with this mark.
pub(super) const fn expects_log(mark: i32) -> bool {
    mark & EXPECTS_LOG != 0
}

/// Whether two marks are those of a database and of its log.
pub(super) const fn is_same_mark(one: i32, other: i32) -> bool {
    one | EXPECTS_LOG == other | EXPECTS_LOG
}

/// The mark of a database. 0 if it has none yet.
pub(super) fn mark_of(connection: &Connection) -> Result<i32, rusqlite::Error> {
    connection.pragma_query_value(None, APPLICATION_ID, |row| row.get(0))
}

/// Writes the mark as the first page of a log has it, or a database that needs no log.
pub(super) fn clear_expectation(connection: &Connection) -> Result<(), rusqlite::Error> {
    connection.pragma_update(None, APPLICATION_ID, mark_of(connection)? & !EXPECTS_LOG)
}

/// Where SQLite keeps the mark.
const APPLICATION_ID: &str = "application_id";
