//! Whether an inventory is that of a CA: the rows of one CA would be lost in the inventory of another.

use std::cell::Cell;

use pki_core::Certificate;
use rusqlite::{Connection, OptionalExtension, ToSql, Transaction};

use super::entry::{Entry, key_id_of};
use super::rows::insert_missing;
use super::schema;
use super::service::Inventory;
use crate::failure::{Failure, shown};
use crate::{host, store};

/// Whose certificates an inventory has.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Owner {
    Nobody,
    This,
    Other,
}

/// Whether the inventory is that of a CA.
fn owner(connection: &Connection, ca: &Entry, key_id: &str) -> Result<Owner, rusqlite::Error> {
    if !schema::has_table(connection, "certificates")? {
        return Ok(Owner::Nobody);
    }
    let is_there = |query: &str, values: &[&dyn ToSql]| {
        connection.query_row(query, values, |_| Ok(())).optional().map(|row| row.is_some())
    };
    let itself = "SELECT 1 FROM certificates WHERE serial_number = ?1 AND pem = ?2";
    // Older versions did not record a CA that came from elsewhere. A root can lack the identifier.
    let leaf = "SELECT 1 FROM certificates
        WHERE authority_key_identifier = ?1 AND authority_key_identifier <> '' LIMIT 1";
    if is_there(itself, &[&ca.serial_number, &ca.pem])? || is_there(leaf, &[&key_id])? {
        return Ok(Owner::This);
    }
    let any = is_there("SELECT 1 FROM certificates LIMIT 1", &[])?;
    Ok(if any { Owner::Other } else { Owner::Nobody })
}

impl Inventory {
    /// What is unusual about the file, for people, as far as it tells without being opened.
    pub(crate) fn remark(&self) -> Result<Option<String>, Failure> {
        Ok(match (self.0.is_empty()?, store::is_there(self.path())?) {
            (true, false) => Some(self.begins("is missing")),
            (true, true) => Some(self.begins("is empty")),
            (false, _) => None,
        })
    }

    /// Checks that the inventory is that of this CA, or has no certificates yet. Returns what is unusual about it.
    pub(crate) fn examine(&self, ca: &Certificate) -> Result<Option<String>, Failure> {
        let (own, key_id) = (Entry::of_ca(ca)?, key_id_of(ca));
        match self.0.read(|connection| owner(connection, &own, &key_id))? {
            Some(Owner::Other) => Err(self.of_another_ca(&own)),
            Some(Owner::This) => Ok(None),
            Some(Owner::Nobody) => Ok(Some(self.begins("is empty"))),
            None => self.remark(),
        }
    }

    fn of_another_ca(&self, ca: &Entry) -> Failure {
        let name = ca.subject();
        self.0.unusable(&format!("it belongs to another CA: it has no certificates of {name}"))
    }

    fn begins(&self, what: &str) -> String {
        format!(
            "{} {what}: a new inventory starts with the next certificate, and does not list the certificates that this CA issued before; if you have a backup, restore it",
            shown(self.path())
        )
    }

    /// Writes what the CA with this key identifier issued. The CA gets a row first, if it has none. The inventory of another
    /// CA is an error, because the rows would be lost in it.
    pub(super) fn write_as(
        &self,
        ca: &Entry,
        key_id: &str,
        write: impl FnOnce(&Transaction<'_>) -> Result<(), rusqlite::Error>,
    ) -> Result<(), Failure> {
        let is_new = Cell::new(false);
        let examine = |connection: &Connection| match owner(connection, ca, key_id)? {
            Owner::Other => Err(self.of_another_ca(ca).into()),
            owner => {
                is_new.set(owner == Owner::Nobody);
                Ok(())
            }
        };
        self.0.write_if(examine, |transaction| {
            insert_missing(transaction, ca)?;
            write(transaction)
        })?;
        if is_new.get() {
            host::say(&format!("warning: {}\n", self.begins("is empty")));
        }
        Ok(())
    }
}
