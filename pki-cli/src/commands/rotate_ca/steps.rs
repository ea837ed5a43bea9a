//! The steps of a rotation: check, replace ca.pem, update the hosts' folders.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use pki_core::{
    Attribute, CaSet, Certificate, HostCas, HostPhase, Manifest, Rotation, RotationStep, Subject,
    Traffic,
};

use super::args::RotateCaArgs;
use super::gate::Gate;
use super::{issued, live, report};
use crate::ca::{Ca, Chain, Found, LockedFolder, NextCa};
use crate::commands::Common;
use crate::commands::apply::{Applied, ApplyCas, ChangedCa, Removal, Scope, execute};
use crate::commands::cluster::RotatedCa;
use crate::commands::cluster::{Leaves, Orphans, Step};
use crate::failure::{Failure, shown};
use crate::output::Format;
use crate::signer::Custody;
use crate::{host, hosts};

/// One run of a step.
pub(super) struct Run<'a> {
    pub(super) manifest: Manifest,
    /// The folder around those of the hosts.
    pub(super) path: PathBuf,
    /// The folder of the CA that is replaced.
    pub(super) ca_path: PathBuf,
    /// What that CA issues, in a cluster with separate CAs.
    pub(super) traffic: Option<Traffic>,
    /// The folder around those of separate CAs.
    pub(super) around: Option<LockedFolder>,
    pub(super) args: &'a RotateCaArgs,
    pub(super) common: &'a Common,
    pub(super) custody: Custody,
    /// The new CA, if this run creates it.
    pub(super) created: Option<Step>,
}

/// What is in the CA's folder and in those of the hosts.
pub(super) struct State {
    pub(super) chain: Chain,
    pub(super) set: CaSet,
    held: Vec<HostCas>,
    pub(super) rotation: Option<Rotation>,
}

impl Run<'_> {
    pub(super) fn rotated(&self) -> RotatedCa<'_> {
        RotatedCa { manifest: &self.manifest, folder: &self.path, traffic: self.traffic }
    }

    pub(super) fn command(&self, step: &str) -> String {
        self.rotated().command(step, &self.args.file)
    }

    fn state(&self, chain: Chain) -> Result<State, Failure> {
        let set = chain.set(&self.ca_path)?;
        let held = self.rotated().read(&self.rotated().servers(Some(&chain))?)?;
        let rotation = Rotation::find(&set, &held)?;
        Ok(State { chain, set, held, rotation })
    }

    pub(super) fn begin(mut self, folder: LockedFolder) -> Result<ExitCode, Failure> {
        let chain = self.present_chain(&folder)?;
        let state = self.state(chain)?;
        let chain = match &state.rotation {
            Some(rotation) => {
                self.check(rotation, RotationStep::Begin)?;
                self.check_name(rotation.new_root())?;
                // An earlier run did not finish.
                if state.set.trusted().len() == 2 {
                    state.chain
                } else {
                    return Err(self.lost(rotation));
                }
            }
            None => self.create(&folder, &state)?,
        };
        self.apply((folder, chain), Leaves::Keep, RotationStep::Begin, None)
    }

    /// Creates the new CA beside the one that issues.
    fn create(&mut self, folder: &LockedFolder, state: &State) -> Result<Chain, Failure> {
        // A killed abort left the key of a new CA.
        folder.retire_keys(state.chain.ca(), &self.custody)?;
        let old = state.set.trusted()[0].clone();
        let mut request = self.manifest.ca_request(self.rotated().spec());
        request.subject = self.subject(&old)?;
        if request.subject.common_name() == old.subject.common_name() {
            return Err(Failure::usage(format!("the old CA has the name {} too", old.subject))
                .hinted("give the new CA another name with --cn: two CAs of one name cannot be told apart"));
        }
        let names = self.rotated().other_names()?;
        if let Some(name) = names.iter().find(|name| request.subject.common_name() == Some(name)) {
            return Err(Failure::usage(format!(
                "another CA of the cluster has the name {name} too"
            ))
            .hinted("give the new CA another name with --cn"));
        }
        let algorithm = self.rotated().spec().key;
        let next = NextCa::create(&request, algorithm, &old, &self.ca_path, &self.custody)?;
        let rotation = Rotation::between(&old, &next.root, &state.held);
        self.check(&rotation, RotationStep::Begin)?;
        self.created = Some(Step::ca("create", &next.root.subject.to_string(), &self.ca_path));
        next.put(folder, &state.chain)
    }

    /// The name of the new CA.
    fn subject(&self, old: &Certificate) -> Result<Subject, Failure> {
        if let Some(cn) = &self.args.cn {
            return Ok(self.rotated().spec().subject.with(Attribute::CommonName, cn)?);
        }
        Ok(self.rotated().spec().next_subject(&old.subject)?)
    }

    /// The certificates of ca.pem. If they are lost, the hosts know which CA they trust.
    fn present_chain(&self, folder: &LockedFolder) -> Result<Chain, Failure> {
        match Found::find(&self.ca_path, &self.custody)? {
            Found::Complete | Found::WithoutKey => Chain::read(&self.ca_path),
            Found::WithoutCertificate(lost) => Ok(Ca::restore(folder, *lost)?.chain().clone()),
            found @ Found::Remains(_) => {
                let held = self.rotated().read(&self.rotated().servers(None)?)?;
                let trusted = held.into_iter().flat_map(|host| host.trusted);
                let mut roots: Vec<Certificate> = trusted.flat_map(|file| file.cas).collect();
                roots.dedup_by(|one, other| one.der() == other.der());
                match &roots[..] {
                    [root] => Ok(Chain::of(root.clone())),
                    _ => Err(found.refusal(&self.ca_path)),
                }
            }
            found => Err(found.refusal(&self.ca_path)),
        }
    }

    pub(super) fn reissue(mut self, folder: LockedFolder) -> Result<ExitCode, Failure> {
        let state = self.state(Chain::read(&self.ca_path)?)?;
        let rotation = self.under_way(&state, RotationStep::Reissue)?;
        let new = rotation.new_root();
        let is_issuing = state.set.issuing().public_key == new.public_key;
        let chain = if is_issuing {
            state.chain.clone()
        } else {
            let others = state.set.trusted().iter().filter(|root| root.der() != new.der());
            Chain::from_certificates(new.clone(), others.cloned().collect())?
        };
        // Checked before anything is changed.
        let ca = self.open(&chain)?;
        let rotated = self.rotated();
        let hosts = rotated.trusting_hosts()?;
        let mut gate = Gate::new(hosts, &self.manifest, &self.args.restarted)?;
        if self.args.connect {
            let is_trusted_by_clients = matches!(self.traffic, None | Some(Traffic::Server));
            gate.saw(live::accepts(&ca, self.traffic, &self.manifest)?, |host| {
                is_trusted_by_clients && rotated.has_clients(host)
            });
        }
        gate.check(
            "restart every process on them, because a process reads its CAs only when it starts",
        )?;
        if !is_issuing {
            folder.put_new_chain(&chain, &state.chain)?;
        }
        self.manifest.warnings.extend(issued::to_renew(&folder, new)?);
        self.apply((folder, chain), Leaves::AsManifest, RotationStep::Reissue, None)
    }

    pub(super) fn finish(mut self, folder: LockedFolder) -> Result<ExitCode, Failure> {
        let state = self.state(Chain::read(&self.ca_path)?)?;
        let Some(rotation) = &state.rotation else {
            return self.clean(&folder, &state);
        };
        self.check(rotation, RotationStep::Finish)?;
        let new = rotation.new_root();
        let chain = Chain::of(new.clone());
        if state.set.issuing().public_key != new.public_key {
            // An older ca.pem was restored, and no host trusts the CA that issues by it.
            if rotation.next().is_some() {
                return Err(Failure::refused(format!(
                    "{} still issues",
                    state.set.issuing().subject
                ))
                .hinted(format!("run {} first", self.command("reissue"))));
            }
            self.open(&chain)?;
        }
        self.check_served(&state.set, new)?;
        self.manifest.warnings.extend(issued::rejected(&folder, new)?);
        folder.put_chain(&chain)?;
        self.apply((folder, chain), Leaves::Keep, RotationStep::Finish, Some(new))
    }

    pub(super) fn abort(mut self, folder: LockedFolder) -> Result<ExitCode, Failure> {
        let state = self.state(Chain::read(&self.ca_path)?)?;
        let Some(rotation) = &state.rotation else {
            return self.clean(&folder, &state);
        };
        self.check(rotation, RotationStep::Abort)?;
        let (old, new) = (rotation.old(), rotation.new_root());
        let previous = match folder.previous_chain()? {
            Some(previous) => previous,
            None if state.set.issuing().public_key == new.public_key => {
                Chain::from_certificates(old.clone(), vec![new.clone()])?
            }
            None => state.chain.clone(),
        };
        // While a certificate of the new CA is in use, hosts go on to trust it.
        let is_from_new = |phase: &HostPhase| {
            matches!(phase, HostPhase::Mixed(_) | HostPhase::Reissued | HostPhase::PresentsNew)
        };
        if rotation.hosts().iter().any(|(_, phase)| is_from_new(phase)) {
            let previous = trusting(&previous, new)?;
            Ca::with_key(&self.ca_path, previous.clone(), &self.custody)?.check_inventory()?;
            folder.put_chain(&previous)?;
            return self.apply((folder, previous), Leaves::AsManifest, RotationStep::Abort, None);
        }
        if folder.previous_chain()?.is_some() {
            self.check_served(&state.set, old)?;
        }
        let others = previous.all().skip(1).filter(|root| root.public_key != new.public_key);
        let chain = Chain::from_certificates(previous.ca().clone(), others.cloned().collect())?;
        folder.put_chain(&chain)?;
        let issuing = chain.ca().clone();
        self.apply((folder, chain), Leaves::Keep, RotationStep::Abort, Some(&issuing))
    }

    /// Updates the hosts' folders to the CA with this chain, and prints the next step. If the rotation is over, `issuing` is the
    /// CA that is left.
    fn apply(
        &mut self,
        (folder, chain): (LockedFolder, Chain),
        leaves: Leaves,
        step: RotationStep,
        issuing: Option<&Certificate>,
    ) -> Result<ExitCode, Failure> {
        let scope = Scope { only: &[], orphans: Orphans::Keep, removal: Removal::Ask, leaves };
        let (traffic, around, step_of_ca) = (self.traffic, self.around.take(), self.created.take());
        let changed = ChangedCa { traffic, chain, step: step_of_ca, folder, around };
        let (owners, custody) = (self.common.owners(), self.custody.clone());
        let ca = ApplyCas::with(changed, &self.manifest, &self.path, owners, custody)?;
        let Applied { mut outcome, cas, .. } = execute(&mut self.manifest, ca, &scope)?;
        let mut next = report::after(step, self.rotated(), &self.args.file);
        if let Some(issuing) = issuing {
            if let Some(key) = cas.folder(traffic)?.retire_keys(issuing, &self.custody)? {
                let _ = write!(next, "; then destroy {}", shown(&key));
            }
        } else if step == RotationStep::Abort {
            next = format!(
                "copy the folders to the hosts, without a restart; then {} --restarted all",
                self.command("abort")
            );
        }
        outcome.rotation = Some(next.clone());
        let end = if self.common.format == Format::Json {
            String::new()
        } else {
            format!("next: {next}\n")
        };
        outcome.print(self.common.format, &end)?;
        Ok(ExitCode::SUCCESS)
    }

    /// Cleans up what a killed run left when only one CA is in use.
    fn clean(&self, folder: &LockedFolder, state: &State) -> Result<ExitCode, Failure> {
        hosts::clean(&self.path.join(hosts::FOLDER))?;
        let retired = folder.retire_keys(state.chain.ca(), &self.custody)?;
        let retired = retired.map(|path| format!("; the other key is now {}", shown(&path)));
        host::say(&format!(
            "no rotation is under way; {} is {}{}\n",
            self.rotated().name(),
            state.chain.ca().subject,
            retired.unwrap_or_default()
        ));
        Ok(ExitCode::SUCCESS)
    }
}

/// The same CAs and another root that hosts trust.
fn trusting(chain: &Chain, root: &Certificate) -> Result<Chain, Failure> {
    let mut others: Vec<Certificate> = chain.all().skip(1).cloned().collect();
    if chain.all().all(|ca| ca.public_key != root.public_key) {
        others.push(root.clone());
    }
    Chain::from_certificates(chain.ca().clone(), others)
}
