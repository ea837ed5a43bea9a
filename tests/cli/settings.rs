//! How etcd's settings are read, before the programs that read them too: systemd and etcd.

mod options;
mod start;
mod systemd;
