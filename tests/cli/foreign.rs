//! PKIs that other tools created, as found on hosts: healthy, and with one real fault.

mod adopted;
mod audited;
mod folders;
mod made;
