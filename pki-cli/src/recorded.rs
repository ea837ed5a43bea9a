//! Nothing leaves unrecorded: the two types that a certificate passes through after it is signed.

use pki_core::Issued;
use time::OffsetDateTime;

use crate::failure::Failure;
use crate::inventory::{Entry, Inventory};

/// Something whose certificates are all in the inventory, durably.
///
/// Only a [`Ca`](crate::Ca) makes one, and only this can be written to a host's folder or to `--out`:
///
/// ```
/// fn write(pair: pki_cli::Recorded<pki_cli::StagedPair>) -> Result<(), pki_cli::Failure> {
///     pair.put()
/// }
/// ```
///
/// What is not recorded cannot be put in its place:
///
/// ```compile_fail
/// fn write(pair: pki_cli::StagedPair) -> Result<(), pki_cli::Failure> {
///     pair.put()
/// }
/// ```
///
/// and nobody else can say that it is recorded:
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
    /// What is recorded.
    pub const fn get(&self) -> &T {
        &self.0
    }

    /// What is recorded, taken out.
    pub fn into_inner(self) -> T {
        self.0
    }
}

impl<A, B> Recorded<(A, B)> {
    /// Two things that were recorded together, each by itself.
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

/// Something that holds signed certificates that no inventory knows yet, with the rows for them.
///
/// What is in it can be written beside its place, under a name that nobody reads, so that everything that can fail
/// has failed before there is a row. It cannot be put in its place before it is recorded.
#[must_use]
pub(crate) struct Pending<T> {
    value: T,
    entries: Vec<Entry>,
}

impl Pending<Issued> {
    /// A certificate that a profile made and that was just signed.
    pub(crate) fn signed(
        issued: Issued,
        profile: &str,
        now: OffsetDateTime,
    ) -> Result<Self, pki_core::Error> {
        let entry = Entry::new(&issued.certificate, profile, now)?;
        Ok(Self { value: issued, entries: vec![entry] })
    }
}

impl<T> Pending<T> {
    /// Prepares what will be put in its place once it is recorded.
    pub(crate) fn stage<U>(
        self,
        stage: impl FnOnce(T) -> Result<U, Failure>,
    ) -> Result<Pending<U>, Failure> {
        Ok(Pending { value: stage(self.value)?, entries: self.entries })
    }

    /// Records the certificates that the CA of the row `ca` issued: all of them or none, durably.
    pub(crate) fn record(self, inventory: &Inventory, ca: &Entry) -> Result<Recorded<T>, Failure> {
        if !self.entries.is_empty() {
            inventory.record(ca, &self.entries)?;
        }
        Ok(Recorded(self.value))
    }

    /// Records the certificate of a new CA, durably.
    pub(crate) fn record_ca(self, inventory: &Inventory) -> Result<Recorded<T>, Failure> {
        inventory.record_cas(&self.entries)?;
        Ok(Recorded(self.value))
    }

    /// The value as recorded, where no certificate is in it.
    pub(crate) fn without_certificates(self) -> Option<Recorded<T>> {
        self.entries.is_empty().then_some(Recorded(self.value))
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
