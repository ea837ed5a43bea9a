//! A PKI that somebody made with OpenSSL, with separate CAs for servers, peers and clients.

use std::fs;

use super::{BOTH, Leaf, MEMBERS, USAGES, authority, folder, leaf};
use crate::lab::Lab;

/// Hand-made: custom names, and separate CAs for servers, peers and clients.
pub(in super::super) fn by_hand(lab: &Lab, root: &str) {
    for ca in ["servers", "peers", "clients"] {
        authority(
            lab,
            &format!("/CN={ca} CA"),
            &format!("made-{ca}.crt"),
            &format!("made-{ca}.key"),
        );
    }
    for (name, address) in MEMBERS {
        let host = format!("{root}/{name}");
        folder(lab, &host);
        let (subject, names) = (
            format!("/CN={name}"),
            format!("DNS:{name}, IP:{address}, DNS:localhost, IP:127.0.0.1"),
        );
        let made = Leaf {
            subject: &subject,
            names: &names,
            usages: BOTH,
            key_usages: USAGES,
            days: "365",
        };
        for (ca, file) in [("servers", "tls"), ("peers", "cluster")] {
            let ca = (format!("made-{ca}.crt"), format!("made-{ca}.key"));
            let base = format!("{host}/{file}");
            leaf(lab, (&ca.0, &ca.1), made, &format!("{base}.crt"), &format!("{base}.key"));
        }
        for ca in ["servers", "peers", "clients"] {
            let to = lab.path(format!("{host}/{ca}.crt"));
            fs::copy(lab.path(format!("made-{ca}.crt")), to).unwrap();
        }
        let cluster =
            MEMBERS.map(|(name, address)| format!("{name}=https://{address}:2380")).join(",");
        lab.write(
            format!("{host}/etcd.conf.yaml"),
            format!(
                "name: {name}\ndata-dir: /var/lib/etcd\n\
                 listen-client-urls: https://{address}:2379,https://127.0.0.1:2379\n\
                 advertise-client-urls: https://{address}:2379\nlisten-peer-urls: https://{address}:2380\n\
                 initial-advertise-peer-urls: https://{address}:2380\ninitial-cluster: {cluster}\n\
                 enable-grpc-gateway: false\n\
                 client-transport-security:\n  cert-file: /opt/etcd/tls.crt\n  key-file: /opt/etcd/tls.key\n  \
                 trusted-ca-file: /opt/etcd/clients.crt\n  client-cert-auth: true\n\
                 peer-transport-security:\n  cert-file: /opt/etcd/cluster.crt\n  \
                 key-file: /opt/etcd/cluster.key\n  trusted-ca-file: /opt/etcd/peers.crt\n  \
                 client-cert-auth: true\n"
            ),
        );
    }
}

/// A client's certificate from one of the CAs, in `FILE.crt` and `FILE.key`.
pub(in super::super) fn client(lab: &Lab, ca: &str, file: &str) {
    let made = Leaf {
        subject: "/CN=backup",
        names: "",
        usages: "clientAuth",
        key_usages: USAGES,
        days: "365",
    };
    let ca = (format!("{ca}.crt"), format!("{ca}.key"));
    leaf(lab, (&ca.0, &ca.1), made, &format!("{file}.crt"), &format!("{file}.key"));
}
