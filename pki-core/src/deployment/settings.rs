//! Which files of a member's folder say how its etcd is configured.

use super::model::Deployment;
use crate::bundle::Bundles;
use crate::etcd::{EtcdSettings, FileLookup};
use crate::layout::{FileKind, below};
use crate::manifest::Host;

/// What the unit of a member says, else its configuration file, else the manifest.
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
        (None, None) => EtcdSettings::from_options(bundles.settings(member)),
    }
}
