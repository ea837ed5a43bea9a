//! The cfssl front end beside the real cfssl (Debian's golang-cfssl 1.2), and scripts that were written for cfssl.

mod both_ways;
mod called;
mod cases;
mod certinfo;
mod cluster;
mod compare;
mod differences;
mod differential;
mod durable;
mod foreign;
mod forms;
mod later;
mod native;
mod random;
mod rare;
mod refused;
mod scenarios;
mod sides;
mod silent;
mod types;
