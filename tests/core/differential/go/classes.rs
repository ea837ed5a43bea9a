//! Where we are stricter than Go: which rule rejects, and on what grounds. docs/verification.md has this table.

use super::documentation;

/// A rule that rejects what Go accepts, what it rejects, and why.
pub(super) struct Class {
    pub(super) rule: &'static str,
    rejects: &'static str,
    grounds: &'static str,
}

const fn class(rule: &'static str, rejects: &'static str, grounds: &'static str) -> Class {
    Class { rule, rejects, grounds }
}

/// Stands for a file that is not read as a certificate at all.
pub(super) const UNREADABLE: &str = "unreadable";
/// Stands for a host that cannot be asked about.
pub(super) const HOST: &str = "host";

/// Stands for a leaf that is trusted itself.
pub(super) const TRUSTED: &str = "trusted-leaf";

pub(super) const STRICTER: &[Class] = &[
    class(
        UNREADABLE,
        "An extension of RFC 5280 whose contents are not what section 4.2 defines, the same extension twice, a name or a list of extensions with an element too many",
        "RFC 5280 sections 4.1 and 4.2. Go ignores trailing elements, and the contents of extensions that it does not use.",
    ),
    class(
        "path-rejected",
        "A BOOLEAN, INTEGER or BIT STRING that is not in DER where Go does not look; a time that is not YYMMDDHHMMSSZ or YYYYMMDDHHMMSSZ; a critical key identifier; a DNS constraint that is not a domain; a signature algorithm with parameters that its RFC does not have; a signature by an RSA key above 8192 bits",
        "X.690 sections 8 and 11; RFC 5280 sections 4.1.2.5, 4.2.1.1, 4.2.1.2 and 4.2.1.10; RFC 5758 section 3.2. rustls and OpenSSL read these to the letter. crypto/tls rejects RSA keys above 8192 bits too, but only in certificates that a peer sends.",
    ),
    class(
        HOST,
        "A host that is neither a DNS name nor an address, such as `host-.example.com` or `1.2.3`",
        "RFC 9525 section 6.3; RFC 1034 section 3.5. The command line rejects it as a value of `--host`.",
    ),
    class(
        TRUSTED,
        "A leaf that is one of the trusted certificates itself, if it, or the path that its issuer has, would be rejected otherwise",
        "RFC 5280 section 6.1: a trust anchor is a CA, and it is not a part of the path. Go accepts what is in the pool, whoever signed it.",
    ),
    class(
        "leaf-is-ca",
        "A CA certificate as a leaf",
        "etcd consequence: whoever steals the key of this member or client can issue certificates that etcd accepts.",
    ),
    class(
        "key-weak",
        "An RSA key below 2048 bits",
        "NIST SP 800-131A. crypto/rsa rejects only keys below 1024 bits, since Go 1.24.",
    ),
    class(
        "key-curve",
        "A leaf whose key is of an algorithm that TLS does not use",
        "etcd consequence: crypto/x509 verifies the chain, but crypto/tls cannot use the key in a handshake.",
    ),
    class(
        "key-form",
        "An RSA key with something behind its two numbers",
        "RFC 3279 section 2.3.1; RFC 8017 appendix A.1.1. Go ignores what follows.",
    ),
    class(
        "go-handshake",
        "A certificate with an RSA key above 8192 bits, verified without a handshake",
        "etcd consequence: crypto/x509 accepts what crypto/tls rejects.",
    ),
    class(
        "go-name",
        "Attribute values of types such as UniversalString, VisibleString or INTEGER",
        "etcd consequence: etcd 3.4 to 3.6 are built with Go before 1.27, which cannot parse them.",
    ),
    class(
        "go-unseen",
        "Extensions behind an element that does not belong there, which Go ignores; a name in a constructed element",
        "RFC 5280 section 4.1 and X.690 section 10.2: other verifiers see what Go ignores.",
    ),
    class(
        "go-unused",
        "A certificate outside the path with attribute values of types such as UniversalString, or with a key on the curve P-224",
        "etcd consequence: etcd 3.4 to 3.6 are built with Go before 1.27, which cannot parse these values. This program does not check points on P-224.",
    ),
    class(
        "policy-critical",
        "A critical policyMappings, policyConstraints or inhibitAnyPolicy",
        "etcd consequence: etcd 3.4 and 3.5 are built with Go before 1.24, which rejects them.",
    ),
    class(
        "san-form",
        "An email address that is not a mailbox, a relative URI or one with characters outside RFC 3986, a malformed directory name, an empty subjectAltName",
        "RFC 5280 section 4.2.1.6.",
    ),
    class(
        "san-dns-form",
        "A DNS name that is not in preferred name syntax, or has a wildcard elsewhere than as its whole first label",
        "RFC 5280 section 4.2.1.6; RFC 1034 section 3.5; RFC 9525 section 6.3. Go compares such a name literally or never.",
    ),
    class(
        "san-ip-as-dns",
        "An IP address in a DNS name",
        "RFC 5280 section 4.2.1.6. Go compares addresses only with iPAddress names.",
    ),
    class(
        "san-none-cn-only",
        "A server certificate without a DNS name and an IP address, verified without a host",
        "etcd consequence: it matches no host that a client can dial.",
    ),
    class(
        "nc-form",
        "A constraint with a minimum or maximum, or one that is not a domain, a mailbox or a network",
        "RFC 5280 section 4.2.1.10.",
    ),
    class(
        "nc-too-many",
        "A certificate whose names and the constraints above them need more than 250,000 comparisons",
        "etcd consequence: etcd 3.4 to 3.6 are built with Go before 1.26, which rejects them.",
    ),
    class(
        "eku-form",
        "An extKeyUsage without a usage",
        "RFC 5280 section 4.2.1.12. Go treats it as absent.",
    ),
    class(
        "version-form",
        "Extensions in a version 1 or 2 certificate",
        "RFC 5280 sections 4.1.2.1 and 4.1.2.9. Go ignores them.",
    ),
];

#[test]
fn docs_verification_md_has_the_classes() {
    let line = |class: &Class| {
        let Class { rule, rejects, grounds } = class;
        format!("| `{rule}` | {rejects} | {grounds} |\n")
    };
    let lines: String = STRICTER.iter().map(line).collect();
    let table = format!("| rule | we reject | grounds |\n|---|---|---|\n{lines}");
    documentation::assert_has("stricter than Go", &table);
}
