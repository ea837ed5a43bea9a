//! The actual files of a cluster's hosts and the role of each file: the input of the rules about whole clusters.

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
