//! What the hosts of a cluster really hold, and the part that each file plays there: the input of
//! the rules about a cluster as a whole.

mod build;
mod clients;
mod contents;
mod model;
mod settings;

pub(crate) use self::clients::Setting;
pub use self::contents::HostFile;
pub(crate) use self::contents::{Contents, Form, Section};
pub(crate) use self::model::{
    ClientFile, ConfiguredCrl, Deployment, Leaf, Member, Pair, Trust, first_leaf,
};
