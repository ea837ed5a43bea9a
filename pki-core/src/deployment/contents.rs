//! The contents of a file, whatever its role. No part of a secret is kept.

use crate::certificate::Certificate;
use crate::crl::Crl;
use crate::error::Defect;
use crate::file_format;
use crate::held_keys::{count_begins, private_keys};
use crate::key::{PublicKey, Signer};
use crate::pem;
use crate::private_key::PrivateKey;

/// A file in a host's folder. Its contents are read once, and no secret is kept.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct HostFile {
    /// The host of the folder.
    pub host: String,
    /// Its name in the folder.
    pub name: String,
    /// Its permission bits.
    pub mode: u32,
    pub(crate) contents: Contents,
}

impl HostFile {
    /// Reads the bytes of a file of any kind.
    pub fn new(host: impl Into<String>, name: impl Into<String>, mode: u32, bytes: &[u8]) -> Self {
        let contents = Contents::read(bytes);
        Self { host: host.into(), name: name.into(), mode, contents }
    }

    /// A file that is too large to be read. The audit reports it.
    pub fn unread(host: impl Into<String>, name: impl Into<String>, mode: u32) -> Self {
        let contents = Contents {
            form: Form::Unread,
            damage: Some("the file is too large to be read".to_owned()),
            ..Contents::read(&[])
        };
        Self { host: host.into(), name: name.into(), mode, contents }
    }

    /// The first certificate in it.
    pub fn certificate(&self) -> Option<&Certificate> {
        self.contents.certificates.first()
    }

    /// `HOST/NAME`
    pub(crate) fn path(&self) -> String {
        format!("{}/{}", self.host, self.name)
    }
}

/// The contents of a file.
#[derive(Clone, Debug)]
pub(crate) struct Contents {
    pub(crate) form: Form,
    /// The PEM blocks, in order.
    pub(crate) sections: Vec<Section>,
    /// The certificates that can be read, in order.
    pub(crate) certificates: Vec<Certificate>,
    /// The public key of the private key, if one can be read.
    pub(crate) key: Option<PublicKey>,
    /// The public keys of all private keys in it, in any format.
    pub(crate) all_keys: Vec<PublicKey>,
    /// The CRL.
    pub(crate) crl: Option<Crl>,
    /// Why a block cannot be read.
    pub(crate) damage: Option<String>,
    /// The text of a file that is not PEM, which may be configuration.
    pub(crate) text: String,
}

/// The format of a file.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Form {
    Empty,
    /// DER instead of PEM: a certificate, a key or a CRL.
    Der(&'static str),
    /// Another format that people often have instead of PEM.
    Foreign(&'static str),
    Pem,
    Other,
    /// Too large to be read.
    Unread,
}

/// The kind of a PEM block.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Section {
    Certificate,
    Crl,
    EncryptedKey,
    Key,
    /// Its label.
    Other(String),
}

impl Section {
    /// The label in its `-----BEGIN` line.
    pub(crate) fn label(&self) -> &str {
        match self {
            Self::Certificate => "CERTIFICATE",
            Self::Crl => "X509 CRL",
            Self::EncryptedKey => "ENCRYPTED PRIVATE KEY",
            Self::Key => "PRIVATE KEY",
            Self::Other(label) => label,
        }
    }
}

impl Contents {
    pub(crate) fn read(bytes: &[u8]) -> Self {
        let mut contents = Self {
            form: Form::Other,
            sections: Vec::new(),
            certificates: Vec::new(),
            key: None,
            all_keys: Vec::new(),
            crl: None,
            damage: None,
            text: String::new(),
        };
        if bytes.trim_ascii().is_empty() {
            contents.form = Form::Empty;
        } else if pem::is_pem(bytes) {
            contents.form = Form::Pem;
            contents.read_pem(bytes);
            if contents.sections.len() != count_begins(bytes) {
                // More blocks begin than could be read; a key may be in any of them.
                contents.all_keys = private_keys(bytes);
            }
        } else if let Ok(certificate) = Certificate::from_der(bytes) {
            contents.form = Form::Der("a certificate");
            contents.certificates.push(certificate);
        } else if let Ok(key) = PrivateKey::from_der(bytes) {
            contents.form = Form::Der("a private key");
            contents.key = Some(key.public_key().clone());
            contents.all_keys.extend(contents.key.clone());
        } else if let Ok(crl) = Crl::from_der(bytes) {
            contents.form = Form::Der("a CRL");
            contents.crl = Some(crl);
        } else if let Some(format) = file_format::recognize(bytes) {
            contents.form = Form::Foreign(format.name);
            contents.all_keys = private_keys(bytes);
        } else {
            contents.all_keys = private_keys(bytes);
            contents.text = String::from_utf8_lossy(bytes).into_owned();
        }
        contents
    }

    fn read_pem(&mut self, bytes: &[u8]) {
        let sections = match pem::read(bytes) {
            Ok(sections) => sections,
            Err(error) => {
                self.damage = Some(error.to_string());
                return;
            }
        };
        let is_crl = |section: &pem::Section| matches!(section.content, pem::Content::Crl(_));
        let go_fault = if sections.iter().all(is_crl) {
            pem::go::crl_fault_in(bytes, &sections)
        } else {
            pem::go::fault_in(bytes, &sections)
        };
        for section in sections {
            let damaged = |error: crate::Error| format!("line {}: {error}", section.line);
            let kind = match section.content {
                pem::Content::Certificate(der) => {
                    match Certificate::from_der(&der) {
                        Ok(certificate) => self.certificates.push(certificate),
                        Err(error) => self.damage = Some(damaged(error)),
                    }
                    Section::Certificate
                }
                pem::Content::PrivateKey(der) => {
                    match PrivateKey::from_der(&der) {
                        Ok(key) => {
                            self.key = Some(key.public_key().clone());
                            self.all_keys.push(key.public_key().clone());
                        }
                        // The rules about its certificate check whether such a key is strong enough.
                        Err(error) if error.defect() == Some(Defect::Unsupported) => {}
                        Err(error) => self.damage = Some(damaged(error)),
                    }
                    Section::Key
                }
                pem::Content::Crl(der) => {
                    match Crl::from_der(&der) {
                        Ok(crl) => self.crl = Some(crl),
                        Err(error) => self.damage = Some(damaged(error)),
                    }
                    Section::Crl
                }
                pem::Content::EncryptedKey(_) | pem::Content::LegacyEncryptedKey => {
                    Section::EncryptedKey
                }
                other => Section::Other(other.label().to_owned()),
            };
            self.sections.push(kind);
        }
        if self.damage.is_none() {
            self.damage = go_fault;
        }
    }

    pub(crate) fn has(&self, section: &Section) -> bool {
        self.sections.contains(section)
    }

    /// The labels of the blocks, for people.
    pub(crate) fn labels(&self) -> String {
        let labels: Vec<&str> = self.sections.iter().map(Section::label).collect();
        labels.join(", ")
    }
}
