//! The certificates of a CA: the contents of its ca.pem.

use std::path::Path;

use pki_core::{CaSet, Certificate, ClusterCas};

use super::folder::certificate_path;
use crate::failure::Failure;
use crate::store;

/// The certificates of a CA's ca.pem: its own first, then the CAs above it in order. Roots may stand there too,
/// for those who trust the whole file.
#[derive(Clone, Debug)]
pub(crate) struct Chain {
    ca: Certificate,
    others: Vec<Certificate>,
}

impl Chain {
    /// Reads and checks the ca.pem of a folder.
    pub(crate) fn read(folder: &Path) -> Result<Self, Failure> {
        let path = certificate_path(folder);
        let mut others = read_certificates(&path)?;
        let chain = Self { ca: others.remove(0), others };
        chain.check().map_err(|failure| failure.in_file(&path))?;
        Ok(chain)
    }

    /// A CA whose certificate stands for itself.
    pub(crate) const fn of(ca: Certificate) -> Self {
        Self { ca, others: Vec::new() }
    }

    /// The CAs of a cluster, all of whose certificates this CA issues. `folder` is that of the CA.
    pub(crate) fn cas(&self, folder: &Path) -> Result<ClusterCas, Failure> {
        let set = CaSet::new(self.all().cloned().collect());
        let set = set.map_err(|error| Failure::from(error).in_file(&certificate_path(folder)))?;
        Ok(ClusterCas::shared(set))
    }

    /// The CA's own certificate.
    pub(crate) const fn ca(&self) -> &Certificate {
        &self.ca
    }

    /// Every certificate of the file, the CA's own first.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Certificate> {
        std::iter::once(&self.ca).chain(&self.others)
    }

    /// The CAs between a leaf and the root, the one that signs first. A root has none.
    pub(crate) fn intermediates(&self) -> impl Iterator<Item = &Certificate> {
        self.all().filter(|ca| !ca.is_self_issued())
    }

    fn check(&self) -> Result<(), Failure> {
        let mut below = &self.ca;
        for above in self.others.iter().filter(|ca| !ca.is_self_issued()) {
            if below.issuer.der() != above.subject.der() {
                return Err(Failure::usage(format!(
                    "{} stands behind {}, but is not its issuer",
                    above.subject, below.subject
                ))
                .hinted(
                    "put the CA first, then the CAs above it in order, and remove all others",
                ));
            }
            below = above;
        }
        Ok(())
    }
}

/// Reads every certificate of a file; there is at least one.
pub(crate) fn read_certificates(path: &Path) -> Result<Vec<Certificate>, Failure> {
    Certificate::from_pem_or_der(&store::read(path)?)
        .map_err(|error| Failure::from(error).in_file(path))
}
