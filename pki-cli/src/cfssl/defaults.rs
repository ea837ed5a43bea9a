//! `cfssl print-defaults`: the two documents to start from.

use super::flags::Flags;
use crate::failure::Failure;
use crate::host;

pub(super) fn run(flags: &Flags) -> Result<(), Failure> {
    match flags.arguments.first() {
        Some(name) => host::print(&text(name)),
        None => {
            Err(Failure::usage("not enough arguments are supplied --- please refer to the usage")
                .hinted("write cfssl print-defaults config, or csr"))
        }
    }
}

/// A signing configuration.
const CONFIG: &str = r#"{
    "signing": {
        "default": {
            "expiry": "168h"
        },
        "profiles": {
            "www": {
                "expiry": "8760h",
                "usages": [
                    "signing",
                    "key encipherment",
                    "server auth"
                ]
            },
            "client": {
                "expiry": "8760h",
                "usages": [
                    "signing",
                    "key encipherment",
                    "client auth"
                ]
            }
        }
    }
}
"#;

/// A certificate signing request.
const CSR: &str = r#"{
    "CN": "example.net",
    "hosts": [
        "example.net",
        "www.example.net"
    ],
    "key": {
        "algo": "ecdsa",
        "size": 256
    },
    "names": [
        {
            "C": "US",
            "ST": "CA",
            "L": "San Francisco"
        }
    ]
}
"#;

/// The text for a name; anything else gets the list of names, as from cfssl.
fn text(name: &str) -> String {
    match name {
        "config" => format!("{CONFIG}\n"),
        "csr" => format!("{CSR}\n"),
        _ => "Default configurations are available for:\n\tconfig\n\tcsr\n".to_owned(),
    }
}
