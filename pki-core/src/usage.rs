//! Key usages and extended key usages with cfssl's names for them, and the purposes that require them.

#[cfg(feature = "profiles")]
mod cfssl;
mod extended;
mod key_usages;
mod purpose;

#[cfg(feature = "profiles")]
pub(crate) use self::cfssl::{Usage, usage_named, usage_names};
pub use self::extended::ExtendedKeyUsage;
pub use self::key_usages::KeyUsages;
pub use self::purpose::Purpose;
