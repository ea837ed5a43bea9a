//! The types of certificates and CRLs after they are signed, which ensure that each is recorded before it is written.

use pki_core::{Certificate, Crl, Issued};
use time::OffsetDateTime;

use crate::failure::Failure;
use crate::inventory::{CrlEntry, Entry, FilePlace, Inventory};

/// Something whose certificates are in the inventory, on disk.
///
/// It only comes from a [`Ca`](crate::Ca), and only this can be put in the folder of `--out` or of a host:
///
/// ```
/// use pki_cli::{Failure, NewFolder, Recorded, StagedPair};
///
/// fn issue(pair: Recorded<StagedPair>) -> Result<(), Failure> {
///     pair.put()
/// }
/// fn apply(folder: Recorded<NewFolder>) -> Result<(), Failure> {
///     folder.put()
/// }
/// ```
///
/// Without a record, neither can be put in its place:
///
/// ```compile_fail
/// fn issue(pair: pki_cli::StagedPair) -> Result<(), pki_cli::Failure> {
///     pair.put()
/// }
/// ```
/// ```compile_fail
/// fn apply(folder: pki_cli::NewFolder) -> Result<(), pki_cli::Failure> {
///     folder.put()
/// }
/// ```
///
/// and nobody else can claim that something is recorded:
///
/// ```compile_fail
/// fn pretend(pair: pki_cli::StagedPair) -> pki_cli::Recorded<pki_cli::StagedPair> {
///     pki_cli::Recorded(pair)
/// }
/// ```
#[derive(Debug)]
#[must_use]
pub struct Recorded<T>(T);

impl<T> Recorded<T> {
    /// The value.
    pub const fn get(&self) -> &T {
        &self.0
    }

    /// The value, taken out.
    pub fn into_inner(self) -> T {
        self.0
    }
}

impl<A, B> Recorded<(A, B)> {
    /// Separates two values that were recorded together.
    pub(crate) fn split(self) -> (Recorded<A>, Recorded<B>) {
        (Recorded(self.0.0), Recorded(self.0.1))
    }
}

impl<T> IntoIterator for Recorded<Vec<T>> {
    type Item = Recorded<T>;
    type IntoIter = std::iter::Map<std::vec::IntoIter<T>, fn(T) -> Recorded<T>>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter().map(Recorded)
    }
}

/// Something whose certificates are signed but not recorded yet, with the rows for them.
///
/// It can be written next to its place, under a name that nobody reads, so that a full disk stops the run before there is
/// a row. It cannot be put in its place before it is recorded.
#[must_use]
pub(crate) struct Pending<T> {
    value: T,
    entries: Vec<Entry>,
}

impl Pending<Issued> {
    /// A certificate that was just signed.
    pub(crate) fn signed(
        issued: Issued,
        profile: &str,
        now: OffsetDateTime,
    ) -> Result<Self, pki_core::Error> {
        let entry = Entry::new(&issued.certificate, profile, now)?;
        Ok(Self { value: issued, entries: vec![entry] })
    }
}

/// A CRL that is signed but not recorded yet. Nothing can be done with it before.
#[must_use]
pub(crate) struct PendingCrl {
    crl: Crl,
    entry: CrlEntry,
}

impl PendingCrl {
    /// A CRL that `ca` has just signed.
    pub(crate) fn signed(crl: Crl, number: u64, ca: &Certificate) -> Result<Self, pki_core::Error> {
        Ok(Self { entry: CrlEntry::new(&crl, number, ca)?, crl })
    }

    /// Records it. `ca` is the row of the CA that issued it.
    pub(crate) fn record(
        self,
        inventory: &Inventory,
        ca: &Entry,
    ) -> Result<Recorded<Crl>, Failure> {
        inventory.record_crl(ca, &self.entry)?;
        Ok(Recorded(self.crl))
    }
}

impl<T> Pending<T> {
    /// Turns it into what will be put in place after it is recorded.
    pub(crate) fn stage<U>(
        self,
        stage: impl FnOnce(T) -> Result<U, Failure>,
    ) -> Result<Pending<U>, Failure> {
        Ok(Pending { value: stage(self.value)?, entries: self.entries })
    }

    /// The same, with the place where the file of its certificate will be.
    pub(crate) fn at(mut self, place: &FilePlace) -> Self {
        self.entries = self.entries.into_iter().map(|entry| entry.at(place.clone())).collect();
        self
    }

    /// Records all of its certificates or none. `ca` is the row of the CA that issued them.
    pub(crate) fn record(self, inventory: &Inventory, ca: &Entry) -> Result<Recorded<T>, Failure> {
        if !self.entries.is_empty() {
            inventory.record(ca, &self.entries)?;
        }
        Ok(Recorded(self.value))
    }

    /// Records all of its certificates, each in the inventory of the CA that issued it. If that fails for one of them,
    /// nothing may be put in place, and the rows of the others are for certificates that were never written.
    pub(crate) fn record_each(
        mut self,
        cas: &[(&Inventory, &Entry, String)],
    ) -> Result<Recorded<T>, Failure> {
        for (inventory, ca, key_id) in cas {
            let (of_ca, others) =
                self.entries.into_iter().partition(|entry| entry.is_issued_by(key_id));
            let of_ca: Vec<Entry> = of_ca;
            self.entries = others;
            if !of_ca.is_empty() {
                inventory.record(ca, &of_ca)?;
            }
        }
        match self.entries.len() {
            0 => Ok(Recorded(self.value)),
            _ => Err(Failure::bug("a certificate was signed without a CA")),
        }
    }

    /// Records the certificate of a new CA.
    pub(crate) fn record_ca(self, inventory: &Inventory) -> Result<Recorded<T>, Failure> {
        inventory.record_cas(&self.entries)?;
        Ok(Recorded(self.value))
    }

    /// The value of a CA that has no inventory: its certificate and key are the files of another tool, in a folder
    /// without an inventory.
    pub(crate) fn without_inventory(self) -> Recorded<T> {
        Recorded(self.value)
    }
}

impl<T> FromIterator<Pending<T>> for Pending<Vec<T>> {
    fn from_iter<I: IntoIterator<Item = Pending<T>>>(all: I) -> Self {
        let mut joined = Self { value: Vec::new(), entries: Vec::new() };
        for one in all {
            joined.value.push(one.value);
            joined.entries.extend(one.entries);
        }
        joined
    }
}
