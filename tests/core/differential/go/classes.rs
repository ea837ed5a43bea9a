//! Where we are stricter than Go: which rule rejects, and on what grounds. docs/verification.md has this table.

/// A rule that rejects what Go accepts, and why.
pub(crate) const STRICTER: &[(&str, &str)] = &[
    (
        "unreadable",
        "The bytes are not the DER of a certificate (X.690; RFC 5280 section 4.1): an element too many or too few, an extension whose contents are not what RFC 5280 section 4.2 defines, or one extension twice. Go ignores trailing elements and extensions that it does not use.",
    ),
    (
        "path-rejected",
        "rustls-webpki and OpenSSL read DER to the letter, and times only as RFC 5280 section 4.1.2.5 has them: with seconds, in UTC.",
    ),
    (
        "path-signature",
        "rustls-webpki takes no signature with parameters that RFC 5758 section 3.2 and RFC 4055 section 5 do not have, and no RSA key that is not in DER.",
    ),
    ("host", "RFC 9525 section 6.3: what is dialled is a DNS name or an address."),
    ("at", "The time of the check cannot be read."),
    (
        "leaf-is-ca",
        "etcd consequence: whoever holds the key of a CA that serves as a leaf issues certificates that etcd accepts.",
    ),
    (
        "key-weak",
        "NIST SP 800-131A: RSA below 2048 bits; OpenSSL's default security level and rustls reject it.",
    ),
    (
        "key-curve",
        "etcd consequence: crypto/x509 accepts a leaf with a key that crypto/tls cannot use in a handshake.",
    ),
    ("go-handshake", "etcd consequence: crypto/x509 accepts what crypto/tls rejects."),
    (
        "go-name",
        "etcd consequence: etcd 3.4 to 3.6 are built with Go before 1.27, which cannot parse other types of strings.",
    ),
    (
        "go-key",
        "etcd consequence: the public key does not belong to a private key with which a handshake could succeed.",
    ),
    (
        "go-unseen",
        "RFC 5280 section 4.1 and X.690 section 10.2: what Go ignores other verifiers see.",
    ),
    ("go-policy", "RFC 5280 section 4.2.1.5: no CA maps anyPolicy."),
    (
        "go-path",
        "etcd consequence: a longer path is needed when the shorter one is removed from a file.",
    ),
    (
        "policy-critical",
        "etcd consequence: etcd 3.4 and 3.5, built with Go before 1.24, reject a critical policyMappings, policyConstraints or inhibitAnyPolicy.",
    ),
    (
        "san-form",
        "RFC 5280 section 4.2.1.6: mailboxes, absolute URIs of RFC 3986, and no empty subjectAltName.",
    ),
    ("san-dns-form", "RFC 5280 section 4.2.1.6 and RFC 1034 section 3.5: preferred name syntax."),
    ("san-ip-as-dns", "RFC 5280 section 4.2.1.6: an address is an iPAddress."),
    (
        "san-none-cn-only",
        "etcd consequence: a server without a DNS name and an IP address matches no host that is dialled.",
    ),
    ("host-mismatch", "RFC 9525 section 6: the names as other verifiers than Go match them."),
    (
        "nc-form",
        "RFC 5280 section 4.2.1.10: no minimum or maximum, no empty list, domains and mailboxes in their proper form.",
    ),
    ("nc-too-many", "etcd consequence: Go before 1.26 stops after 250,000 comparisons."),
    (
        "ca-name-constraints",
        "RFC 5280 section 4.2.1.10, of a path that Go does not need because another one leads to an anchor.",
    ),
    ("eku-form", "RFC 5280 section 4.2.1.12: an extKeyUsage names at least one usage."),
    (
        "ca-bc",
        "RFC 5280 section 4.2.1.9: a CA says that it is one. Go takes any certificate that is trusted directly.",
    ),
    (
        "version-form",
        "RFC 5280 section 4.1.2.1: extensions need version 3. Go ignores those of versions 1 and 2.",
    ),
    ("ca-pathlen", "RFC 5280 section 4.2.1.9, of a path that Go does not need."),
];
