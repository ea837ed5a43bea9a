//! CRLs that Go cannot parse. etcd since 3.6 reads its CRL with ParseRevocationList at each connection.

use crate::certificate::der::{Der, INTEGER, is_integer};
use crate::crl::Crl;
use crate::finding::{Rule, Severity, Source};

pub(in crate::rules) static RULE: Rule = Rule {
    id: "go-crl",
    severity: Severity::Error,
    source: Source::Go,
    impact: "etcd 3.6 cannot parse the CRL and rejects every connection: `x509: malformed crl`. Earlier versions read it.",
    remedy: "Issue the CRL again: `etcdpki crl --der --out FILE`. etcd reads it at the next connection.",
    citation: "RFC 5280 section 5.1; Go crypto/x509 (ParseRevocationList)",
};

/// Why Go cannot parse the CRL, although this crate can.
pub(in crate::rules) fn fault(crl: &Crl) -> Option<String> {
    if crl.version != 2 {
        Some("it is not an X.509 version 2 CRL; Go says `x509: unsupported crl version`".to_owned())
    } else if !crl.encoding.algorithms_agree {
        let words = "x509: inner and outer signature algorithm identifiers don't match";
        Some(format!("its two signature algorithms differ; Go says `{words}`"))
    } else if crl.extensions.find(NUMBER).is_some_and(|number| !is_number(&number.value)) {
        Some(
            "its cRLNumber is not an INTEGER in DER; Go says `x509: malformed crl number`"
                .to_owned(),
        )
    } else {
        // Go reads times without seconds too.
        let fault = crl.der_fault.filter(|fault| !fault.contains("Time"))?;
        Some(format!("it contains {fault}; Go says `x509: malformed …`"))
    }
}

const NUMBER: &str = "2.5.29.20";

/// Go ignores what follows the number.
fn is_number(value: &[u8]) -> bool {
    Der::new(value).read(INTEGER).is_some_and(is_integer)
}
