//! easy-rsa's `pki`.

use std::fs;

use super::{BOTH, Leaf, MEMBERS, USAGES, authority, folder, leaf, openssl};
use crate::lab::Lab;

/// The folder of the CA: certificates with text before the PEM, and a second copy of each by its serial number.
pub(in super::super) fn easy_rsa(lab: &Lab, root: &str) {
    for part in ["issued", "private", "reqs", "certs_by_serial"] {
        folder(lab, &format!("{root}/{part}"));
    }
    let certificate = format!("{root}/ca.crt");
    authority(lab, "/CN=Easy-RSA CA", &certificate, "made-ca.key");
    lab.write(format!("{root}/index.txt"), "");
    let member = Leaf { subject: "", names: "", usages: BOTH, key_usages: USAGES, days: "825" };
    let client = Leaf { subject: "/CN=backup", usages: "clientAuth", ..member };
    issue(lab, root, client, "backup");
    for (name, address) in MEMBERS {
        let subject = format!("/CN={name}");
        let names = format!("DNS:{name}, IP:{address}, DNS:localhost, IP:127.0.0.1");
        issue(lab, root, Leaf { subject: &subject, names: &names, ..member }, name);
    }
}

/// Issues a certificate like `easyrsa sign-req`.
pub(in super::super) fn issue(lab: &Lab, root: &str, made: Leaf<'_>, name: &str) {
    let (issued, private) =
        (format!("{root}/issued/{name}.crt"), format!("{root}/private/{name}.key"));
    leaf(lab, (&format!("{root}/ca.crt"), "made-ca.key"), made, &issued, &private);
    openssl(lab, &["x509", "-in", &issued, "-text", "-out", &issued]);
    fs::rename(lab.path("leaf.csr"), lab.path(format!("{root}/reqs/{name}.req"))).unwrap();
    // The name is the serial number, 16 random octets.
    let serial = format!("9C0E6A1B52D84F73A1E65B0C7D{:06X}", name.len());
    let copy = lab.path(format!("{root}/certs_by_serial/{serial}.pem"));
    fs::copy(lab.path(&issued), copy).unwrap();
}

/// The files as somebody copied them to the members, with the configuration of Red Hat's package.
pub(in super::super) fn easy_rsa_hosts(lab: &Lab, root: &str) {
    easy_rsa(lab, "made-pki");
    let cluster = MEMBERS.map(|(name, address)| format!("{name}=https://{address}:2380")).join(",");
    for (name, address) in MEMBERS {
        let host = format!("{root}/{name}");
        folder(lab, &host);
        for (from, to) in [
            ("ca.crt".to_owned(), "ca.crt".to_owned()),
            (format!("issued/{name}.crt"), format!("{name}.crt")),
            (format!("private/{name}.key"), format!("{name}.key")),
        ] {
            fs::copy(lab.path("made-pki").join(from), lab.path(&host).join(to)).unwrap();
        }
        lab.write(
            format!("{host}/etcd.conf"),
            format!(
                "#[Member]\nETCD_DATA_DIR=\"/var/lib/etcd\"\nETCD_NAME=\"{name}\"\n\
                 ETCD_LISTEN_CLIENT_URLS=\"https://{address}:2379,https://127.0.0.1:2379\"\n\
                 ETCD_ADVERTISE_CLIENT_URLS=\"https://{address}:2379\"\n\
                 ETCD_LISTEN_PEER_URLS=\"https://{address}:2380\"\n\
                 ETCD_INITIAL_ADVERTISE_PEER_URLS=\"https://{address}:2380\"\n\
                 ETCD_INITIAL_CLUSTER=\"{cluster}\"\n#[Security]\nETCD_CERT_FILE=\"/etc/etcd/{name}.crt\"\n\
                 ETCD_KEY_FILE=\"/etc/etcd/{name}.key\"\nETCD_CLIENT_CERT_AUTH=\"true\"\n\
                 ETCD_TRUSTED_CA_FILE=\"/etc/etcd/ca.crt\"\nETCD_PEER_CERT_FILE=\"/etc/etcd/{name}.crt\"\n\
                 ETCD_PEER_KEY_FILE=\"/etc/etcd/{name}.key\"\nETCD_PEER_CLIENT_CERT_AUTH=\"true\"\n\
                 ETCD_PEER_TRUSTED_CA_FILE=\"/etc/etcd/ca.crt\"\n"
            ),
        );
    }
}
