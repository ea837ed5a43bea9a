//! PKIs that other tools made, as they are found on hosts: healthy, and with one true fault.

mod adopted;
mod audited;
mod folders;
mod made;
