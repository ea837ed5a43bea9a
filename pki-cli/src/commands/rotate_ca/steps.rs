//! The steps of a rotation: check, replace ca.pem, bring the hosts' folders to it.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use pki_core::{
    Attribute, CaSet, Certificate, HostCas, HostPhase, Manifest, Rotation, RotationStep, Subject,
    quote,
};

use super::gate::Gate;
use super::{RotateCaArgs, held, live, report};
use crate::ca::{Ca, Chain, Found, LockedFolder, NextCa};
use crate::commands::Common;
use crate::commands::apply::{Applied, ApplyCas, Removal, Scope, execute};
use crate::commands::cluster::{Leaves, Orphans};
use crate::failure::{Failure, shown};
use crate::host;
use crate::output::Format;
use crate::signer::Custody;

/// One run of a step.
pub(super) struct Run<'a> {
    pub(super) manifest: Manifest,
    /// The CA's folder.
    pub(super) path: PathBuf,
    pub(super) args: &'a RotateCaArgs,
    pub(super) common: &'a Common,
    pub(super) custody: Custody,
}

/// What is in the CA's folder and in those of the hosts.
struct State {
    chain: Chain,
    set: CaSet,
    held: Vec<HostCas>,
    rotation: Option<Rotation>,
}

impl Run<'_> {
    fn state(&self, chain: Chain) -> Result<State, Failure> {
        let set = chain.set(&self.path)?;
        let held = held::read(&self.manifest, &self.path)?;
        let rotation = Rotation::find(&set, &held)?;
        Ok(State { chain, set, held, rotation })
    }

    pub(super) fn begin(mut self, folder: LockedFolder) -> Result<ExitCode, Failure> {
        let chain = self.present_chain(&folder)?;
        let state = self.state(chain)?;
        let chain = match &state.rotation {
            Some(rotation) => {
                self.check(rotation, RotationStep::Begin)?;
                // An earlier run did not come to its end.
                if state.set.trusted().len() == 2 {
                    state.chain
                } else {
                    return Err(self.lost(rotation));
                }
            }
            None => self.create(&folder, &state)?,
        };
        let ca = ApplyCas::of(folder, chain, self.custody.clone());
        self.apply(ca, Leaves::Keep, RotationStep::Begin, None)
    }

    /// Creates the new CA beside the one that issues.
    fn create(&self, folder: &LockedFolder, state: &State) -> Result<Chain, Failure> {
        // The key of a new CA that a killed abort left.
        folder.retire_keys(state.chain.ca(), &self.custody)?;
        let old = state.set.trusted()[0].clone();
        let mut request = self.manifest.ca_request(&self.manifest.ca);
        request.subject = self.subject(&old)?;
        if request.subject.common_name() == old.subject.common_name() {
            return Err(Failure::usage(format!("the old CA has the name {} too", old.subject))
                .hinted("give the new CA another name with --cn: two CAs of one name cannot be told apart"));
        }
        let next = NextCa::create(&request, self.manifest.ca.key, &old, &self.path, &self.custody)?;
        let rotation = Rotation::between(&old, &next.root, &state.held);
        self.check(&rotation, RotationStep::Begin)?;
        next.put(folder, &state.chain)
    }

    /// The name of the new CA.
    fn subject(&self, old: &Certificate) -> Result<Subject, Failure> {
        if let Some(cn) = &self.args.cn {
            return Ok(self.manifest.ca.subject.with(Attribute::CommonName, cn)?);
        }
        Ok(self.manifest.next_ca_subject(&old.subject)?)
    }

    /// The certificates of ca.pem. If they are lost, the hosts know which CA they trust.
    fn present_chain(&self, folder: &LockedFolder) -> Result<Chain, Failure> {
        match Found::find(&self.path, &self.custody)? {
            Found::Complete | Found::WithoutKey => Chain::read(&self.path),
            Found::WithoutCertificate(lost) => Ok(Ca::restore(folder, *lost)?.chain().clone()),
            found @ Found::Remains(_) => {
                let held = held::read(&self.manifest, &self.path)?;
                let mut roots: Vec<Certificate> =
                    held.into_iter().flat_map(|host| host.trusted).collect();
                roots.dedup_by(|one, other| one.der() == other.der());
                match &roots[..] {
                    [root] => Ok(Chain::of(root.clone())),
                    _ => Err(found.refusal(&self.path)),
                }
            }
            found => Err(found.refusal(&self.path)),
        }
    }

    pub(super) fn reissue(mut self, folder: LockedFolder) -> Result<ExitCode, Failure> {
        let state = self.state(Chain::read(&self.path)?)?;
        let rotation = self.under_way(&state, RotationStep::Reissue)?;
        let new = rotation.new_root();
        let is_issuing = state.set.issuing().public_key == new.public_key;
        let chain = if is_issuing {
            state.chain.clone()
        } else {
            let others = state.set.trusted().iter().filter(|root| root.der() != new.der());
            Chain::from_certificates(new.clone(), others.cloned().collect())?
        };
        // Before anything is changed.
        let ca = Ca::with_key(&self.path, chain.clone(), &self.custody)?;
        let mut gate = Gate::new(&self.manifest, &self.args.restarted)?;
        if self.args.connect {
            gate.saw(live::accepts(&ca, &self.manifest)?, |host| self.has_clients(host));
        }
        gate.check("restart every process on them, which reads ca.pem only when it starts")?;
        if !is_issuing {
            folder.put_new_chain(&chain, &state.chain)?;
        }
        self.apply(
            ApplyCas::of(folder, chain, self.custody.clone()),
            Leaves::AsManifest,
            RotationStep::Reissue,
            None,
        )
    }

    pub(super) fn finish(mut self, folder: LockedFolder) -> Result<ExitCode, Failure> {
        let state = self.state(Chain::read(&self.path)?)?;
        let Some(rotation) = &state.rotation else {
            return clean(&folder, &state, &self.custody);
        };
        self.check(rotation, RotationStep::Finish)?;
        let new = rotation.new_root();
        if state.set.issuing().public_key != new.public_key {
            return Err(Failure::refused(format!("{} still issues", state.set.issuing().subject))
                .hinted("run etcdpki rotate-ca reissue first"));
        }
        self.check_served(&state.set, new)?;
        let chain = Chain::of(new.clone());
        folder.put_chain(&chain)?;
        self.apply(
            ApplyCas::of(folder, chain, self.custody.clone()),
            Leaves::Keep,
            RotationStep::Finish,
            Some(new),
        )
    }

    pub(super) fn abort(mut self, folder: LockedFolder) -> Result<ExitCode, Failure> {
        let state = self.state(Chain::read(&self.path)?)?;
        let Some(rotation) = &state.rotation else {
            return clean(&folder, &state, &self.custody);
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
        let is_from_new =
            |phase: &HostPhase| matches!(phase, HostPhase::Mixed(_) | HostPhase::Reissued);
        if rotation.hosts().iter().any(|(_, phase)| is_from_new(phase)) {
            let previous = trusting(&previous, new)?;
            Ca::with_key(&self.path, previous.clone(), &self.custody)?;
            folder.put_chain(&previous)?;
            let ca = ApplyCas::of(folder, previous, self.custody.clone());
            return self.apply(ca, Leaves::AsManifest, RotationStep::Abort, None);
        }
        if folder.previous_chain()?.is_some() {
            self.check_served(&state.set, old)?;
        }
        let others = previous.all().skip(1).filter(|root| root.public_key != new.public_key);
        let chain = Chain::from_certificates(previous.ca().clone(), others.cloned().collect())?;
        folder.put_chain(&chain)?;
        let issuing = chain.ca().clone();
        self.apply(
            ApplyCas::of(folder, chain, self.custody.clone()),
            Leaves::Keep,
            RotationStep::Abort,
            Some(&issuing),
        )
    }

    /// The rotation that is under way, if the hosts are ready for a step.
    fn under_way<'s>(&self, state: &'s State, step: RotationStep) -> Result<&'s Rotation, Failure> {
        let none = || {
            Failure::refused("no rotation is under way: every host trusts one CA")
                .hinted(format!("run etcdpki rotate-ca begin -f {}", shown(&self.args.file)))
        };
        let rotation = state.rotation.as_ref().ok_or_else(none)?;
        self.check(rotation, step)?;
        if state.set.trusted().len() < 2 { Err(self.lost(rotation)) } else { Ok(rotation) }
    }

    /// Refuses a step for which hosts are not ready.
    fn check(&self, rotation: &Rotation, step: RotationStep) -> Result<(), Failure> {
        let reasons: Vec<String> = rotation
            .obstacles(step)
            .map(|(host, phase)| format!("\n  {}: {phase}", quote::name(host)))
            .collect();
        if reasons.is_empty() {
            return Ok(());
        }
        let next = rotation.next().map_or("finish", RotationStep::name);
        let file = shown(&self.args.file);
        Err(Failure::refused(format!(
            "the hosts are not ready for {}:{}",
            step.name(),
            reasons.concat()
        ))
        .hinted(format!("the next step is etcdpki rotate-ca {next} -f {file}")))
    }

    /// The hosts trust a CA that is not in ca.pem, as after a restored backup.
    fn lost(&self, rotation: &Rotation) -> Failure {
        Failure::refused(format!(
            "the hosts trust {} and {}, and ca.pem contains only one of them",
            rotation.old().subject,
            rotation.new_root().subject
        ))
        .hinted(format!(
            "restore ca.pem and ca-next-key.pem from a backup, or go back with etcdpki rotate-ca abort -f {}",
            shown(&self.args.file)
        ))
    }

    /// Refuses unless every host is known to use certificates of a root.
    fn check_served(&self, set: &CaSet, root: &Certificate) -> Result<(), Failure> {
        let mut gate = Gate::new(&self.manifest, &self.args.restarted)?;
        if self.args.connect {
            gate.saw(live::serves(set, root, &self.manifest)?, |host| self.has_clients(host));
        }
        gate.check(&format!(
            "copy their folders to them, so that they use certificates of {}",
            root.subject
        ))
    }

    /// Whether a host has certificates of clients, whose processes cannot be looked at.
    fn has_clients(&self, host: &str) -> bool {
        self.manifest.control_plane.iter().any(|other| other.name == host)
            || self.manifest.clients.iter().any(|client| client.host == host)
    }

    /// Brings the hosts' folders to the CAs, and says what comes next. If the rotation is over, `issuing` is the CA that is
    /// left.
    fn apply(
        &mut self,
        ca: ApplyCas,
        leaves: Leaves,
        step: RotationStep,
        issuing: Option<&Certificate>,
    ) -> Result<ExitCode, Failure> {
        let scope = Scope { only: &[], orphans: Orphans::Keep, removal: Removal::Ask, leaves };
        let Applied { mut outcome, folder, .. } = execute(&mut self.manifest, ca, &scope)?;
        let mut next = report::after(step, &self.args.file);
        if let Some(issuing) = issuing {
            if let Some(key) = folder.retire_keys(issuing, &self.custody)? {
                let _ = write!(next, "; then destroy {}", shown(&key));
            }
        } else if step == RotationStep::Abort {
            next = format!(
                "copy the folders to the hosts, without a restart; then etcdpki rotate-ca abort -f {} --restarted all",
                shown(&self.args.file)
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
}

/// The same CAs and another root that hosts trust.
fn trusting(chain: &Chain, root: &Certificate) -> Result<Chain, Failure> {
    let mut others: Vec<Certificate> = chain.all().skip(1).cloned().collect();
    if chain.all().all(|ca| ca.public_key != root.public_key) {
        others.push(root.clone());
    }
    Chain::from_certificates(chain.ca().clone(), others)
}

/// There is one CA. Cleans up what a killed run left.
fn clean(folder: &LockedFolder, state: &State, custody: &Custody) -> Result<ExitCode, Failure> {
    let retired = folder.retire_keys(state.chain.ca(), custody)?;
    let retired = retired.map(|path| format!("; the other key is now {}", shown(&path)));
    host::say(&format!(
        "no rotation is under way; the CA is {}{}\n",
        state.chain.ca().subject,
        retired.unwrap_or_default()
    ));
    Ok(ExitCode::SUCCESS)
}
