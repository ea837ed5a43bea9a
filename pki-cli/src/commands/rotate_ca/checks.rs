//! What must hold before a step, and the refusals that say what does not.

use pki_core::{CaSet, Certificate, Rotation, RotationStep, quote};

use super::gate::Gate;
use super::live;
use super::steps::{Run, State};
use crate::ca::{Ca, Chain, next_key_path};
use crate::failure::{Failure, shown};
use crate::store;

impl Run<'_> {
    /// Refuses a name that was asked for, if the new CA exists already and has another one.
    pub(super) fn check_name(&self, new: &Certificate) -> Result<(), Failure> {
        let exists = new.subject.common_name();
        match self.args.cn.as_deref() {
            Some(asked) if Some(asked) != exists => Err(Failure::refused(format!(
                "--cn {}: a rotation to {} is under way",
                quote::value(asked),
                new.subject
            ))
            .hinted(format!(
                "leave --cn out to go on with it, or run {} first",
                self.command("abort")
            ))),
            _ => Ok(()),
        }
    }

    /// The CA with this chain, whose key may be that of the new CA.
    pub(super) fn open(&self, chain: &Chain) -> Result<Ca, Failure> {
        let ca = Ca::with_key(&self.ca_path, chain.clone(), &self.custody);
        let next = next_key_path(&self.ca_path);
        if ca.is_err() && self.custody.is_file() && !store::is_there(&next)? {
            return Err(Failure::environment(format!(
                "{} is missing, the key of {}",
                shown(&next),
                chain.ca().subject
            ))
            .hinted(format!(
                "restore it from a backup; until hosts trust only the new CA, {} goes back",
                self.command("abort")
            )));
        }
        let ca = ca?;
        ca.check_inventory()?;
        Ok(ca)
    }

    /// The rotation that is under way, if the hosts are ready for a step.
    pub(super) fn under_way<'s>(
        &self,
        state: &'s State,
        step: RotationStep,
    ) -> Result<&'s Rotation, Failure> {
        let none = || {
            let name = self.rotated().name();
            Failure::refused(format!("no rotation is under way: {name} is the same for every host"))
                .hinted(format!("run {}", self.command("begin")))
        };
        let rotation = state.rotation.as_ref().ok_or_else(none)?;
        self.check(rotation, step)?;
        if state.set.trusted().len() < 2 { Err(self.lost(rotation)) } else { Ok(rotation) }
    }

    /// Refuses a step for which hosts are not ready.
    pub(super) fn check(&self, rotation: &Rotation, step: RotationStep) -> Result<(), Failure> {
        let reasons: Vec<String> = rotation
            .obstacles(step)
            .map(|(host, phase)| format!("\n  {}: {phase}", quote::name(host)))
            .collect();
        if reasons.is_empty() {
            return Ok(());
        }
        let next = rotation.next().map_or("finish", RotationStep::name);
        Err(Failure::refused(format!(
            "the hosts are not ready for {}:{}",
            step.name(),
            reasons.concat()
        ))
        .hinted(format!("the next step is {}", self.command(next))))
    }

    /// The hosts trust a CA that is not in ca.pem, as after a restored backup.
    pub(super) fn lost(&self, rotation: &Rotation) -> Failure {
        Failure::refused(format!(
            "the hosts trust {} and {}, and ca.pem contains only one of them",
            rotation.old().subject,
            rotation.new_root().subject
        ))
        .hinted(format!(
            "restore ca.pem and ca-next-key.pem from a backup, or go back with {}",
            self.command("abort")
        ))
    }

    /// Refuses unless every host is known to use certificates of a root.
    pub(super) fn check_served(&self, set: &CaSet, root: &Certificate) -> Result<(), Failure> {
        let rotated = self.rotated();
        let hosts = rotated.presenting_hosts()?;
        let mut gate = Gate::new(hosts, &self.manifest, &self.args.restarted)?;
        if self.args.connect {
            gate.saw(live::serves(set, root, self.traffic, &self.manifest)?, |host| {
                self.traffic.is_none() && rotated.has_clients(host)
            });
        }
        gate.check(&format!(
            "copy their folders to them, so that they use certificates of {}",
            root.subject
        ))
    }
}
