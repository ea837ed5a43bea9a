//! NAME.pem and NAME-key.pem: the files of one certificate in the folder of `--out`.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use pki_core::{KeyFormat, PrivateKey, PublicKey, Signer};

use crate::ca;
use crate::failure::{Failure, shown};
use crate::recorded::Recorded;
use crate::store::{self, Access, Batch, Existing, Synced};

/// Where a certificate and its key go.
#[derive(Clone, Debug)]
pub(crate) struct NamedPair {
    folder: PathBuf,
    pub(crate) certificate: PathBuf,
    pub(crate) key: PathBuf,
    /// What `issue --tbs-out` keeps until the signature is there.
    pub(crate) pending: PathBuf,
    existing: Existing,
}

impl NamedPair {
    /// The files of a name such as `etcdone`.
    pub(crate) fn new(folder: &Path, name: &str, existing: Existing) -> Result<Self, Failure> {
        check_name(name)?;
        Ok(Self {
            folder: folder.to_owned(),
            certificate: folder.join(format!("{name}.pem")),
            key: folder.join(format!("{name}-key.pem")),
            pending: folder.join(format!("{name}.pending")),
            existing,
        })
    }

    pub(crate) fn make_folder(&self) -> Result<(), Failure> {
        store::make_folder(&self.folder, Access::Public)
    }

    /// The files of an existing certificate, which will be replaced: NAME.pem with NAME-key.pem, or NAME.crt with NAME.key.
    pub(crate) fn of(certificate: &Path) -> Result<Self, Failure> {
        let name = certificate.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let key = match (name.strip_suffix(".pem"), name.rsplit_once('.')) {
            (Some(base), _) => format!("{base}-key.pem"),
            (None, Some((base, _))) => format!("{base}.key"),
            (None, None) => format!("{name}-key.pem"),
        };
        let absolute = store::absolute(certificate)?;
        Ok(Self {
            folder: absolute.parent().unwrap_or(Path::new("/")).to_owned(),
            certificate: certificate.to_owned(),
            key: certificate.with_file_name(key),
            pending: certificate.with_extension("pending"),
            existing: Existing::Replace,
        })
    }

    pub(crate) const fn existing(&self) -> Existing {
        self.existing
    }

    /// Checks, before a key is generated, that both files can be written. They must not be those of the CA in `ca_folder`,
    /// and must not exist if existing files are kept.
    pub(crate) fn check_both(&self, ca_folder: &Path) -> Result<(), Failure> {
        self.check(ca_folder, &self.certificate)?;
        self.check(ca_folder, &self.key)
    }

    /// The same for a certificate whose key is elsewhere. A file with that key may exist, but not one with another key:
    /// etcd would exit with `tls: private key does not match public key`.
    pub(crate) fn check_certificate(
        &self,
        ca_folder: &Path,
        public_key: &PublicKey,
    ) -> Result<(), Failure> {
        self.check(ca_folder, &self.certificate)?;
        match self.key_beside() {
            Some(key) if key.public_key() != public_key => Err(Failure::usage(format!(
                "its key is {}, but {} next to the certificate has {}",
                public_key.key_id(),
                shown(&self.key),
                key.public_key().key_id()
            ))
            .hinted("move that key away, or write elsewhere with --out or under another NAME")),
            _ => Ok(()),
        }
    }

    /// The same for a new key in the place of an existing one. The key must be there: that of a PKCS #10 request is
    /// elsewhere.
    /// It must belong to the user who runs etcdpki, because the new file will.
    pub(crate) fn check_new_key(&self, ca_folder: &Path) -> Result<(), Failure> {
        self.check_both(ca_folder)?;
        let key = shown(&self.key);
        let Ok(metadata) = fs::metadata(&self.key) else {
            return Err(Failure::environment(format!("{key} is missing, so there is no key to replace"))
                .hinted("renew the certificate without --rekey, or sign a new request with etcdpki issue --csr"));
        };
        if metadata.uid() != rustix::process::geteuid().as_raw() {
            return Err(Failure::environment(format!(
                "{key} belongs to another user, who could not read a new key"
            ))
            .hinted("run etcdpki as that user, or renew the certificate without --rekey"));
        }
        Ok(())
    }

    fn check(&self, ca_folder: &Path, place: &Path) -> Result<(), Failure> {
        // Finishes what a killed run began in this folder.
        store::sweep_shared(&self.folder);
        ca::check_foreign(ca_folder, place)?;
        Batch::new(self.existing).check_place(place)
    }

    /// Whether this key is in its place already, because a run was killed before the certificate followed.
    pub(crate) fn holds(&self, key: &PrivateKey) -> bool {
        self.key_beside().is_some_and(|beside| beside.public_key() == key.public_key())
    }

    fn key_beside(&self) -> Option<PrivateKey> {
        PrivateKey::from_pem(&store::read_regular(&self.key).ok()?).ok()
    }

    /// Writes the files next to their places. The key comes first, because a certificate without its key is useless.
    pub(crate) fn stage(
        &self,
        certificates: &str,
        key: Option<&PrivateKey>,
    ) -> Result<StagedPair, Failure> {
        self.make_folder()?;
        let mut batch = Batch::new(self.existing);
        if let Some(key) = key.filter(|key| !self.holds(key)) {
            let pem = key.to_pem(KeyFormat::Pkcs8)?;
            batch.stage(self.key.clone(), pem.as_bytes(), Access::Secret)?;
        }
        batch.stage(self.certificate.clone(), certificates.as_bytes(), Access::Public)?;
        batch.sync().map(StagedPair)
    }
}

/// The files of one certificate, written next to their places.
#[derive(Debug)]
#[must_use]
pub struct StagedPair(Synced);

impl Recorded<StagedPair> {
    /// Puts the files in their places: both, or neither if that fails.
    pub fn put(self) -> Result<(), Failure> {
        self.into_inner().0.commit()
    }
}

/// Checks that a name can be the name of files in one folder.
pub(crate) fn check_name(name: &str) -> Result<(), Failure> {
    if name.is_empty()
        || name.starts_with('.')
        || name.contains('/')
        || name.chars().any(char::is_control)
    {
        return Err(Failure::usage(format!(
            "NAME {name:?} must be a plain name such as etcdone, without a path"
        ))
        .hinted("name the folder with --out"));
    }
    match name.strip_suffix(".pem") {
        None => Ok(()),
        Some(name) => Err(Failure::usage(format!("NAME \"{name}.pem\" is the name of a file"))
            .hinted(format!("write {name}; the files are {name}.pem and {name}-key.pem"))),
    }
}
