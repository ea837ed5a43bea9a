//! Finds the files in a member's folder that configure its etcd.

use super::model::Deployment;
use crate::bundle::Bundles;
use crate::etcd::{EtcdSettings, FileLookup};
use crate::layout::{FileKind, below};
use crate::manifest::Host;

/// The environment file of kubespray and etcdadm, whose units are in another folder on the host.
const ENVIRONMENT: &str = "etcd.env";

/// The settings from the unit of a member, otherwise from its configuration file, its environment file, or the manifest.
pub(super) fn read(
    deployment: &Deployment<'_>,
    member: &Host,
    bundles: &Bundles<'_>,
) -> EtcdSettings {
    let version = deployment.manifest.etcd_version;
    let text = |name: &str| deployment.text(&member.name, name);
    let (unit_name, yaml_name) = (FileKind::EtcdUnit.name(), FileKind::EtcdConfig.name());
    match (text(&unit_name), text(&yaml_name)) {
        (Some(unit), _) => {
            let folder = &deployment.manifest.paths.etcd;
            let lookup = |path: &str| match below(folder, path) {
                Some(name) => text(name).map_or(FileLookup::Missing, FileLookup::Found),
                None => FileLookup::Unseen,
            };
            EtcdSettings::from_unit(&unit_name, &[unit], version, &lookup)
        }
        (None, Some(yaml)) => EtcdSettings::from_yaml(&yaml_name, yaml, version),
        (None, None) => {
            let variables = text(ENVIRONMENT);
            let settings = variables
                .and_then(|text| EtcdSettings::from_environment(ENVIRONMENT, text, version));
            settings.unwrap_or_else(|| {
                let options = bundles.settings(member).into_iter();
                // A manifest without configuration does not know etcd's allow lists.
                let is_known =
                    |name: &str| deployment.manifest.configuration || !name.contains("-allowed-");
                EtcdSettings::from_options(options.filter(|(name, _)| is_known(name)))
            })
        }
    }
}
