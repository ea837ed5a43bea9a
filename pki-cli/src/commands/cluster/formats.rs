//! The other formats in which a client gets its certificate and key: one PEM file, PKCS #12.

use std::collections::BTreeMap;
use std::ffi::OsString;

use pki_core::{
    CaSet, Certificate, CertificateSpec, ClientFormat, ClusterCas, FileKind, KeyFormat,
    KeyStoreContents, PrivateKey, Role,
};
use zeroize::Zeroizing;

use crate::failure::Failure;
use crate::host;
use crate::hosts::{BundleFile, HeldFile};
use crate::store::Access;

/// The files of a certificate in the other formats that the manifest asks for.
pub(crate) fn kinds(spec: &CertificateSpec) -> Vec<FileKind> {
    kinds_of(&spec.role, &spec.formats)
}

fn kinds_of(role: &Role, formats: &[ClientFormat]) -> Vec<FileKind> {
    formats.iter().flat_map(|format| format.files(role)).collect()
}

/// A certificate and its key that a host has, or that it will get.
pub(crate) struct IssuedPair<'a> {
    role: &'a Role,
    formats: Vec<ClientFormat>,
    /// The certificate, then the CAs that it is sent with.
    chain: Vec<Certificate>,
    key: PrivateKey,
}

impl<'a> IssuedPair<'a> {
    /// A certificate that was just issued.
    pub(crate) fn new(
        spec: &'a CertificateSpec,
        certificate: Certificate,
        set: &CaSet,
        key: PrivateKey,
    ) -> Self {
        let mut chain = vec![certificate];
        chain.extend(set.intermediates().iter().cloned());
        Self { role: &spec.role, formats: spec.formats.clone(), chain, key }
    }

    /// The pair that a host has, if it can be read.
    pub(crate) fn held(
        spec: &'a CertificateSpec,
        files: &BTreeMap<OsString, HeldFile>,
    ) -> Option<Self> {
        let certificate = files.get(&OsString::from(spec.role.certificate_file()))?;
        let key = files.get(&OsString::from(spec.role.key_file()))?;
        Some(Self {
            role: &spec.role,
            formats: spec.formats.clone(),
            chain: Certificate::from_pem_or_der(&certificate.contents).ok()?,
            key: PrivateKey::from_pem(&key.contents).ok()?,
        })
    }

    /// A certificate that replaces one on a host, in the same formats as the old one.
    pub(crate) fn renewed(
        role: &'a Role,
        files: &BTreeMap<OsString, HeldFile>,
        chain: Vec<Certificate>,
        key: PrivateKey,
    ) -> Self {
        let mut formats = vec![ClientFormat::Combined, ClientFormat::Pkcs12];
        formats.retain(|format| {
            let kinds = kinds_of(role, std::slice::from_ref(format));
            kinds.iter().any(|kind| files.contains_key(&OsString::from(kind.name().into_owned())))
        });
        Self { role, formats, chain, key }
    }

    /// Whether a host holds the certificate of this role in other formats than PEM.
    pub(crate) fn has_other_formats(role: &Role, files: &BTreeMap<OsString, HeldFile>) -> bool {
        let kinds = kinds_of(role, &[ClientFormat::Combined, ClientFormat::Pkcs12]);
        kinds.iter().any(|kind| files.contains_key(&OsString::from(kind.name().into_owned())))
    }

    /// The certificates and the key in one PEM file.
    fn combined(&self) -> Result<Zeroizing<Vec<u8>>, Failure> {
        let key = self.key.to_pem(KeyFormat::Pkcs8)?;
        let certificates: String =
            self.chain.iter().map(Certificate::to_pem).collect::<Result<_, _>>()?;
        // With capacity for everything: a buffer that grows leaves copies of the key behind.
        let mut combined = Zeroizing::new(Vec::with_capacity(certificates.len() + key.len()));
        combined.extend_from_slice(certificates.as_bytes());
        combined.extend_from_slice(key.as_bytes());
        Ok(combined)
    }

    /// The files in the other formats that the host lacks, or that hold something else.
    pub(crate) fn outdated(
        &self,
        files: &BTreeMap<OsString, HeldFile>,
        cas: &ClusterCas,
    ) -> Result<Vec<FileKind>, Failure> {
        let mut outdated = Vec::new();
        for kind in kinds_of(self.role, &self.formats) {
            let held = files.get(&OsString::from(kind.name().into_owned()));
            let is_current = match (&kind, held) {
                (_, None) => false,
                (FileKind::Combined(_), Some(held)) => *held.contents == *self.combined()?,
                (FileKind::KeyStore(_), Some(held)) => {
                    let trusted = trusted(cas);
                    let contents = self.key_store(&trusted);
                    password(self.role, files)
                        .is_some_and(|password| contents.is_in(&held.contents, &password))
                }
                (_, Some(_)) => password(self.role, files).is_some(),
            };
            if !is_current {
                outdated.push(kind);
            }
        }
        Ok(outdated)
    }

    /// Makes all files in the other formats. An existing password is kept, because programs are
    /// configured with it.
    pub(crate) fn files(
        &self,
        held: &BTreeMap<OsString, HeldFile>,
        cas: &ClusterCas,
    ) -> Result<Vec<BundleFile>, Failure> {
        let kinds = kinds_of(self.role, &self.formats);
        let password = match password(self.role, held) {
            Some(password) => password,
            None => host::random_password()?,
        };
        let mut files = Vec::new();
        for kind in kinds {
            let contents = match &kind {
                FileKind::Combined(_) => self.combined()?,
                FileKind::KeyStore(_) => {
                    let trusted = trusted(cas);
                    self.key_store(&trusted).to_pkcs12(&password)?
                }
                _ => Zeroizing::new(format!("{}\n", *password).into_bytes()),
            };
            files.push(BundleFile {
                name: kind.name().into_owned(),
                contents,
                access: Access::Secret,
            });
        }
        Ok(files)
    }

    fn key_store<'s>(&'s self, trusted: &'s [Certificate]) -> KeyStoreContents<'s> {
        KeyStoreContents { name: self.role.base(), key: &self.key, chain: &self.chain, trusted }
    }
}

fn trusted(cas: &ClusterCas) -> Vec<Certificate> {
    cas.trusted_for(pki_core::Purpose::Server).into_iter().cloned().collect()
}

/// The password that a host has for a PKCS #12 file.
fn password(role: &Role, files: &BTreeMap<OsString, HeldFile>) -> Option<Zeroizing<String>> {
    let kind = FileKind::KeyStorePassword(role.clone());
    let file = files.get(&OsString::from(kind.name().into_owned()))?;
    let text = std::str::from_utf8(&file.contents).ok()?;
    let line = text.lines().next().filter(|line| !line.is_empty())?;
    Some(Zeroizing::new(line.to_owned()))
}
