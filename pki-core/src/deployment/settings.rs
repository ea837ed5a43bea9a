//! Which files of a member's folder say how its etcd is configured.

use super::{Deployment, below};
use crate::bundle::{Bundles, ETCD_CONF, ETCD_SERVICE};
use crate::etcd::{EtcdSettings, FileLookup};
use crate::manifest::Host;

/// What the unit of a member says, else its configuration file, else the manifest.
pub(super) fn read(
    deployment: &Deployment<'_>,
    member: &Host,
    bundles: &Bundles<'_>,
) -> EtcdSettings {
    let version = deployment.manifest.etcd_version;
    let text = |name: &str| deployment.text(&member.name, name);
    match (text(ETCD_SERVICE), text(ETCD_CONF)) {
        (Some(unit), _) => {
            let folder = &deployment.manifest.paths.etcd;
            let lookup = |path: &str| match below(folder, path) {
                Some(name) => text(name).map_or(FileLookup::Missing, FileLookup::Found),
                None => FileLookup::Unseen,
            };
            EtcdSettings::from_unit(ETCD_SERVICE, &[unit], version, &lookup)
        }
        (None, Some(yaml)) => EtcdSettings::from_yaml(ETCD_CONF, yaml, version),
        (None, None) => EtcdSettings::from_options(bundles.settings(member)),
    }
}
