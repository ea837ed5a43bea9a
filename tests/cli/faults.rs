//! Faults of certificates, keys, trust files and configuration in a running cluster: what is seen on
//! real etcd, and which rule of `verify` names it. docs/faults.md is this table in words.

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
    /// In words, for the documentation.
    what: &'static str,
    cluster: Cluster,
    /// Plants it in the files of the hosts, or in the CA's.
    plant: fn(&Machines),
    /// What is seen on etcd 3.4 and on 3.5.1.
    seen: [&'static [Sight]; 2],
    /// The rule that names it.
    rule: &'static str,
    /// The file that the rule is about, below the hosts' folders.
    file: &'static str,
}

#[derive(Clone, Copy)]
enum Cluster {
    One,
    Three,
}

/// The same on both versions.
const fn both(sights: &'static [Sight]) -> [&'static [Sight]; 2] {
    [sights, sights]
}

/// A table of faults, and a test for each row.
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

/// Every table, by what it is about.
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

/// Machines that have their files and wait for a fault; `verify` finds nothing yet.
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
    // 3.4's tells no more than that its time is over.
    machines.client = Program::V3_5_1;
    let found = verify(&machines);
    assert!(found.is_empty(), "of a healthy cluster: {found:#?}");
    if let Cluster::One = cluster {
        // A member alone need not wait for the votes of others.
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

/// A file of a host, without its end.
fn host_file(host: &str, base: &str) -> String {
    format!("pki/hosts/{host}/{base}")
}

/// What `verify -f` finds: files and rules.
fn verify(machines: &Machines) -> Vec<(String, String)> {
    let run = machines.lab.run(&["verify", "-f", "cluster.yaml", "--format", "json"]);
    // Shown where the test fails.
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
