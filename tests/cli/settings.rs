//! Compares how etcd's settings are read with the programs that also read them: systemd and etcd.

mod options;
mod start;
mod systemd;
