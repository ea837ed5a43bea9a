//! What `plan`, `apply` and `status` share: the manifest, the files of the hosts, and the work to do.

mod cas;
mod context;
mod formats;
mod manifest;
mod orphans;
mod parallel;
mod revoked;
mod rotated;
mod rotations;
mod specs;
mod states;
mod step;
mod work;

pub(crate) use self::cas::{CaFolders, SeparateCa};
pub(crate) use self::context::{ApplyContext, Leaves};
pub(crate) use self::formats::IssuedPair;
pub(crate) use self::manifest::{FolderArgs, ManifestArgs};
pub(crate) use self::orphans::Orphans;
pub(crate) use self::parallel::in_parallel;
pub(crate) use self::revoked::RevokedCertificates;
pub(crate) use self::rotated::{RotatedCa, traffic as rotated_traffic};
pub(crate) use self::rotations::{check_stray, summary as rotation_summary};
pub(crate) use self::specs::{read_manifest, specs_by_host};
pub(crate) use self::step::{Outcome, Step, Tense, counts, limits};
pub(crate) use self::work::{HostWork, Work};
