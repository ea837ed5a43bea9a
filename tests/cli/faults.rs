//! Faults of certificates, keys, trust files and configuration in a running cluster: the symptoms in a real etcd, and
//! the rule of `verify` that reports each. docs/faults.md is generated from this table.

mod authority;
mod client;
mod configuration;
mod control;
mod documentation;
mod files;
mod forge;
mod peer;
mod server;
mod sight;

use serde_json::Value;

use self::forge::Forged;
use self::sight::Sight;
use crate::machines::network::{MEMBERS, Network};
use crate::machines::{Machines, Program};

/// A fault in an otherwise healthy cluster.
struct Fault {
    /// A description for the documentation.
    what: &'static str,
    cluster: Cluster,
    /// Plants the fault in the files of the hosts or of the CA.
    plant: fn(&Machines),
    /// The symptoms on etcd 3.4 and on 3.5.1.
    seen: [&'static [Sight]; 2],
    /// The rule that reports it.
    rule: &'static str,
    /// The file that the finding is about, below the hosts' folders.
    file: &'static str,
}

#[derive(Clone, Copy)]
enum Cluster {
    One,
    Three,
}

/// The same symptoms on both versions.
const fn both(sights: &'static [Sight]) -> [&'static [Sight]; 2] {
    [sights, sights]
}

/// Defines a table of faults, and a test for each row.
macro_rules! faults {
    ($($name:ident: $fault:expr,)*) => {
        pub(super) const TABLE: &[(&str, crate::faults::Fault)] = &[$((stringify!($name), $fault)),*];
        $(
            #[test]
            fn $name() {
                crate::faults::show(&$fault);
            }
        )*
    };
}
use faults;

/// All tables, with their titles.
const TABLES: [(&str, &[(&str, Fault)]); 6] = [
    ("Server certificates", server::TABLE),
    ("Client certificates", client::TABLE),
    ("Peer certificates", peer::TABLE),
    ("CAs and chains", authority::TABLE),
    ("Files", files::TABLE),
    ("Configuration", configuration::TABLE),
];

fn show(fault: &Fault) {
    for (program, seen) in Program::ALL.into_iter().zip(fault.seen) {
        assert!(!seen.is_empty());
        let mut machines = healthy(program, fault.cluster);
        (fault.plant)(&machines);
        machines.start_members();
        for sight in seen {
            sight.look(&mut machines);
        }
        let (found, wanted) = (verify(&machines), (fault.file.to_owned(), fault.rule.to_owned()));
        assert!(found.contains(&wanted), "{}: {wanted:?} is not in {found:#?}", fault.what);
    }
}

/// Machines with their files but without a fault; `verify` finds nothing yet.
fn healthy(program: Program, cluster: Cluster) -> Machines {
    let mut machines = match cluster {
        Cluster::One => Machines::still(program, Network::loopback, &MEMBERS[..1]),
        Cluster::Three => Machines::still(program, Network::up, &MEMBERS),
    };
    let version = match program {
        Program::V3_4 => "etcd_version: \"3.4\"\n",
        Program::V3_5_1 => "etcd_version: \"3.5.1\"\n",
    };
    machines.apply(version);
    // etcdctl 3.4 reports only that a timeout expired.
    machines.client = Program::V3_5_1;
    let found = verify(&machines);
    assert!(found.is_empty(), "findings in a healthy cluster: {found:#?}");
    if let Cluster::One = cluster {
        // A single member does not wait for votes.
        machines.settings =
            vec![("ETCD_HEARTBEAT_INTERVAL", "20"), ("ETCD_ELECTION_TIMEOUT", "200")];
        return machines;
    }
    machines.settings = vec![
        ("ETCD_HEARTBEAT_INTERVAL", "50"),
        ("ETCD_ELECTION_TIMEOUT", "500"),
        ("ETCD_SNAPSHOT_COUNT", "10"),
    ];
    if machines.network.is_loopback() {
        for name in MEMBERS {
            Forged::peer(&machines, name).write(host_file(name, "peer"));
        }
    }
    machines
}

/// The path of a host's file, without its extension.
fn host_file(host: &str, base: &str) -> String {
    format!("pki/hosts/{host}/{base}")
}

/// The findings of `verify -f`: files and rules.
fn verify(machines: &Machines) -> Vec<(String, String)> {
    let run = machines.lab.run(&["verify", "-f", "cluster.yaml", "--format", "json"]);
    // Shown if the test fails.
    println!("{}", run.stdout);
    let document: Value =
        serde_json::from_str(&run.stdout).unwrap_or_else(|error| panic!("{error}: {run:?}"));
    let mut found = Vec::new();
    for file in document["files"].as_array().unwrap() {
        for finding in file["findings"].as_array().unwrap() {
            let text = |value: &Value| value.as_str().unwrap().to_owned();
            found.push((text(&file["file"]), text(&finding["rule"])));
        }
    }
    found
}
