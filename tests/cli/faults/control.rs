//! Without a fault, none of the symptoms occurs.

use super::sight::{READY, filled, gateway, healthy, said};
use super::{Cluster, TABLES};
use crate::machines::Program;

#[test]
fn a_healthy_cluster_shows_nothing() {
    for program in Program::ALL {
        for cluster in [Cluster::One, Cluster::Three] {
            let mut machines = super::healthy(program, cluster);
            machines.start_members();
            healthy(&mut machines);
            for member in machines.members() {
                assert_eq!(gateway(&machines, member).status, Some(200), "{program:?} {member}");
                let log = said(&machines, member);
                assert!(log.contains(READY), "{program:?} {member}: {log}");
                let faults = TABLES.into_iter().flat_map(|(_, table)| table);
                let sights = faults.flat_map(|(_, fault)| fault.seen.concat());
                for text in sights.filter_map(|sight| sight.logged()) {
                    let text = filled(&machines, text);
                    assert!(!log.contains(&text), "{program:?} {member}: {text:?} in {log}");
                }
            }
        }
    }
}
