//! The CAs of a run of `apply`: one for everything, or one for each kind of certificate.

use std::fmt::Write as _;
use std::path::Path;
use std::rc::Rc;

use pki_core::{CaSpec, CertificateSpec, ClusterCas, FileKind, Manifest, Role, Traffic};

use crate::ca::{
    self, CRL_LIFETIME, Ca, Chain, CrlDue, CrlState, Found, LockedFolder, NewCa, Opened, Remains,
};
use crate::commands::cluster::Step;
use crate::failure::Failure;
use crate::host;
use crate::inventory::Inventory;
use crate::recorded::{Pending, Recorded};
use crate::signer::Custody;
use crate::store::{self, Access, Owners};

/// The CAs of a run. Their folders are locked.
pub(crate) struct ApplyCas {
    cas: Vec<ApplyCa>,
    /// The folder around those of separate CAs.
    around: Option<LockedFolder>,
}

/// A CA with a ca.pem that a run has just replaced.
pub(crate) struct ChangedCa {
    /// What it issues, in a cluster with separate CAs.
    pub(crate) traffic: Option<Traffic>,
    pub(crate) chain: Chain,
    /// What the run did with the CA itself.
    pub(crate) step: Option<Step>,
    pub(crate) folder: LockedFolder,
    /// The folder around those of separate CAs.
    pub(crate) around: Option<LockedFolder>,
}

/// The CAs that are ready to sign.
pub(super) struct Signing<'a>(Vec<(Option<Traffic>, &'a Ca)>);

impl ApplyCas {
    /// Opens the CAs of a manifest, creates those that are missing, and puts lost certificates back.
    pub(super) fn open(
        manifest: &Manifest,
        path: &Path,
        owners: Owners,
        custody: Custody,
    ) -> Result<Self, Failure> {
        let custody = Rc::new(custody);
        let mut all = Self { cas: Vec::new(), around: None };
        if manifest.cas.is_some() {
            store::make_folder(path, Access::Secret)?;
            all.around = Some(LockedFolder::lock(path, owners)?);
        }
        for (traffic, spec) in manifest.ca_specs() {
            let folder = ca::folder_of(path, traffic);
            let custody = Rc::clone(&custody);
            all.cas.push(ApplyCa::open((traffic, spec), manifest, &folder, owners, custody)?);
        }
        Ok(all)
    }

    /// The CAs of a manifest, one of which has just changed and is locked already.
    pub(crate) fn with(
        changed: ChangedCa,
        manifest: &Manifest,
        path: &Path,
        owners: Owners,
        custody: Custody,
    ) -> Result<Self, Failure> {
        let custody = Rc::new(custody);
        let ChangedCa { traffic, chain, step, folder, around } = changed;
        let (signing, remarks) = (None, Vec::new());
        let own = Rc::clone(&custody);
        let mut changed =
            Some(ApplyCa { traffic, chain, signing, step, remarks, folder, custody: own });
        let mut all = Self { cas: Vec::new(), around };
        for (other, spec) in manifest.ca_specs() {
            if let Some(changed) = changed.take_if(|changed| changed.traffic == other) {
                all.cas.push(changed);
                continue;
            }
            let (folder, custody) = (ca::folder_of(path, other), Rc::clone(&custody));
            all.cas.push(ApplyCa::open((other, spec), manifest, &folder, owners, custody)?);
        }
        Ok(all)
    }

    /// The folder of the CA, or the one around those of separate CAs.
    pub(super) fn path(&self) -> &Path {
        let of_ca = self.cas.first().map(|ca| ca.folder.path());
        let around = self.around.as_ref().map(LockedFolder::path);
        around.or(of_ca).unwrap_or(Path::new(""))
    }

    /// The folder of the CA for these certificates, or of the only CA.
    pub(crate) fn folder(&self, traffic: Option<Traffic>) -> Result<&LockedFolder, Failure> {
        let found = self.cas.iter().find(|ca| ca.traffic == traffic).map(|ca| &ca.folder);
        found.ok_or_else(|| Failure::bug("a kind of certificate without a CA in the manifest"))
    }

    /// The certificates of all of them.
    pub(super) fn cluster(&self) -> Result<ClusterCas, Failure> {
        let chains = self.cas.iter().map(|ca| (ca.folder.path(), &ca.chain));
        ca::cluster_cas(&chains.collect::<Vec<_>>())
    }

    /// Gets ready to sign these certificates, if there are any.
    pub(super) fn prepare(&mut self, waiting: &[&CertificateSpec]) -> Result<(), Failure> {
        self.cas.iter_mut().try_for_each(|ca| {
            let is_its = |spec: &&&CertificateSpec| {
                ca.traffic.is_none_or(|traffic| spec.role.traffic() == traffic)
            };
            let name =
                |spec: &&CertificateSpec| format!("{}/{}", spec.host, spec.role.certificate_file());
            let waiting: Vec<String> = waiting.iter().filter(is_its).map(name).collect();
            ca.prepare(&waiting)
        })
    }

    /// The CRLs that members get, by file. The CA for servers has none there, because members check only who connects to
    /// them.
    pub(super) fn crls(&mut self) -> Result<Vec<(FileKind, Vec<u8>)>, Failure> {
        let mut crls = Vec::new();
        for ca in &mut self.cas {
            if let Some(kind) = ca::crl_file(ca.traffic) {
                crls.push((kind, ca.current_crl()?));
            }
        }
        Ok(crls)
    }

    /// What the run did with the CAs themselves.
    pub(super) fn steps(&mut self) -> Vec<Step> {
        self.cas.iter_mut().filter_map(|ca| ca.step.take()).collect()
    }

    pub(super) fn remarks(&mut self) -> Vec<String> {
        self.cas.iter_mut().flat_map(|ca| std::mem::take(&mut ca.remarks)).collect()
    }

    pub(super) fn signing(&self) -> Signing<'_> {
        let ready = self.cas.iter();
        Signing(ready.filter_map(|ca| Some((ca.traffic, ca.signing.as_deref()?))).collect())
    }
}

impl Signing<'_> {
    /// The CA that issues the certificates of a role.
    pub(super) fn for_role(&self, role: &Role) -> Result<&Ca, Failure> {
        let mut all = self.0.iter();
        let found = all.find(|(traffic, _)| traffic.is_none_or(|its| its == role.traffic()));
        let found = found.map(|(_, ca)| *ca);
        found.ok_or_else(|| {
            Failure::bug("a certificate needs a signature, but there is no CA for it")
        })
    }

    /// Records what they signed.
    pub(super) fn record<T>(&self, made: Pending<T>) -> Result<Recorded<T>, Failure> {
        let cas: Vec<&Ca> = self.0.iter().map(|(_, ca)| *ca).collect();
        Ca::record_all(&cas, made)
    }
}

/// The CA of a run of `apply`. Its key is read only when there is something to sign.
struct ApplyCa {
    /// What it issues, in a cluster with separate CAs.
    traffic: Option<Traffic>,
    chain: Chain,
    /// The CA, once it is ready to sign.
    signing: Option<Box<Ca>>,
    /// What the run did with the CA itself.
    step: Option<Step>,
    remarks: Vec<String>,
    /// The lock on the folder.
    folder: LockedFolder,
    custody: Rc<Custody>,
}

impl ApplyCa {
    /// Opens the CA in its folder, creates one if there is none, or puts its certificate back.
    fn open(
        (traffic, spec): (Option<Traffic>, &CaSpec),
        manifest: &Manifest,
        path: &Path,
        owners: Owners,
        custody: Rc<Custody>,
    ) -> Result<Self, Failure> {
        let request = manifest.ca_request(spec);
        let algorithm = spec.key;
        let remains = Remains::Refuse;
        let above = None;
        let new = NewCa { above, request: &request, algorithm, remains, owners, custody: &custody };
        let (folder, opened) = new.open_or_create(path)?;
        let (chain, signing, step) = match opened {
            Opened::Created(ca) => (ca.chain().clone(), Some(ca), Some("create")),
            Opened::Found(Found::Complete | Found::WithoutKey) => (Chain::read(path)?, None, None),
            Opened::Found(Found::WithoutCertificate(lost)) => {
                let ca = Ca::restore(&folder, *lost)?;
                (ca.chain().clone(), Some(Box::new(ca)), Some("restore"))
            }
            Opened::Found(other) => return Err(other.refusal(path)),
        };
        let step = step.map(|action| Step::ca(action, &chain.ca().subject.to_string(), path));
        Ok(Self { traffic, chain, signing, step, remarks: Vec::new(), folder, custody })
    }

    /// Gets ready to sign these certificates, if there are any.
    fn prepare(&mut self, waiting: &[String]) -> Result<(), Failure> {
        if !waiting.is_empty() {
            self.signing().map_err(|failure| waits(failure, waiting))?;
        }
        self.remarks.extend(match &self.signing {
            Some(ca) => {
                ca.check_inventory()?;
                ca.remarks().to_vec()
            }
            None => {
                Inventory::of(self.folder.path()).examine(self.chain.ca())?.into_iter().collect()
            }
        });
        Ok(())
    }

    /// The CA, ready to sign.
    fn signing(&mut self) -> Result<&Ca, Failure> {
        let ca = match self.signing.take() {
            Some(ca) => ca,
            None => Box::new(Ca::with_key(self.folder.path(), self.chain.clone(), &self.custody)?),
        };
        Ok(self.signing.insert(ca))
    }

    /// The CRL for the members in DER: the newest one, or a new one if that is due.
    fn current_crl(&mut self) -> Result<Vec<u8>, Failure> {
        let CrlState { last, due } =
            CrlState::read(self.folder.path(), self.chain.ca(), host::now())?;
        let Some(due) = due else {
            return Ok(last.map_or_else(Vec::new, |last| last.crl.der().to_vec()));
        };
        match (self.signing(), last) {
            (Ok(ca), _) => Ok(ca.issue_crl(CRL_LIFETIME)?.get().der().to_vec()),
            // etcd does not check the dates of a CRL, so the one that members have still works.
            (Err(failure), Some(last)) if matches!(due, CrlDue::Ends(_)) => {
                self.remarks.push(format!("the CA cannot sign a new CRL, and {due}: {failure}"));
                Ok(last.crl.der().to_vec())
            }
            (Err(mut failure), _) => {
                let _ = write!(failure.message, "\n  a CRL waits for the CA's signature: {due}");
                Err(failure)
            }
        }
    }
}

/// Reports the certificates that wait for a CA that cannot sign.
fn waits(mut failure: Failure, waiting: &[String]) -> Failure {
    const SHOWN: usize = 20;
    let mut lines: Vec<&str> = waiting.iter().map(String::as_str).take(SHOWN).collect();
    let more = format!("and {} more", waiting.len().saturating_sub(SHOWN));
    if waiting.len() > SHOWN {
        lines.push(&more);
    }
    let count = match waiting.len() {
        1 => "1 certificate waits".to_owned(),
        number => format!("{number} certificates wait"),
    };
    let _ = write!(failure.message, "\n  {count} for the CA's signature: {}", lines.join(", "));
    failure
}
