//! Runs x509-limbo, the public conformance suite for path validation (github.com/C2SP/x509-limbo), against the command
//! line and the library. It is not part of an ordinary test run, because the suite is not vendored here. README.md says
//! how to get it.

use pki_core::{Certificate, Content, GeneralName, Policy, Purpose, San, Verifier, VerifyOptions};
use serde::Deserialize;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::lab::Lab;

/// The groups about RFC 5280. The other groups require rules of the CA/Browser Forum, or network access.
const GROUPS: [&str; 6] = ["rfc5280", "pathlen", "pathological", "crl", "cve", "invalid"];

/// Cases in these groups that require rules of the CA/Browser Forum on the names of distribution points (Baseline
/// Requirements 7.1.2.11.2 and 7.2.2.1).
const BASELINE_REQUIREMENTS: [&str; 2] =
    ["crl::cabf::", "crl::idp::idp-present-certificate-cdp-non-uri-generalname"];

/// Valid cases that are rejected anyway, each with the reason. If one is accepted, remove it here.
const REFUSED: [(&str, &str); 0] = [];

#[derive(Deserialize)]
struct Suite {
    testcases: Vec<Case>,
}

/// A case, with the fields of limbo's schema.
#[derive(Deserialize)]
struct Case {
    id: String,
    validation_kind: Kind,
    trusted_certs: Vec<String>,
    untrusted_intermediates: Vec<String>,
    peer_certificate: String,
    validation_time: Option<String>,
    signature_algorithms: Vec<String>,
    key_usage: Vec<String>,
    extended_key_usage: Vec<String>,
    expected_result: Expected,
    expected_peer_name: Option<Name>,
    expected_peer_names: Vec<Name>,
    max_chain_depth: Option<usize>,
    #[serde(default)]
    crls: Vec<String>,
}

#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "UPPERCASE")]
enum Kind {
    Client,
    Server,
}

#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "UPPERCASE")]
enum Expected {
    Success,
    Failure,
}

#[derive(Deserialize)]
struct Name {
    kind: String,
    value: String,
}

/// The result of a verifier, with the reason if it rejects.
type Verdict = Result<(), String>;

#[test]
#[ignore = "set ETCDPKI_LIMBO to the path of x509-limbo's limbo.json; README.md says how to get it"]
fn the_command_line_and_the_library_agree_with_limbo() {
    let path = std::env::var_os("ETCDPKI_LIMBO").unwrap_or_else(|| {
        panic!(
            "set ETCDPKI_LIMBO to the path of x509-limbo's limbo.json; README.md says how to get it"
        )
    });
    let json = std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let suite: Suite = serde_json::from_slice(&json).unwrap();
    let of_rfc5280 = |case: &&Case| {
        case.id.split_once("::").is_some_and(|(group, _)| GROUPS.contains(&group))
            && !BASELINE_REQUIREMENTS.iter().any(|start| case.id.starts_with(start))
    };
    let cases: Vec<&Case> = suite.testcases.iter().filter(of_rfc5280).collect();
    assert!(!cases.is_empty(), "no case of {GROUPS:?} in {}", path.display());
    let wrong: Vec<String> = cases.iter().filter_map(|case| case.wrong()).collect();
    println!("{} of {} cases judged rightly", cases.len() - wrong.len(), cases.len());
    assert!(wrong.is_empty(), "{} of {} wrong:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}

impl Case {
    /// How the result differs from the expected one, if it does.
    fn wrong(&self) -> Option<String> {
        let (library, command) = (self.by_library(), self.by_command());
        if library.is_ok() != command.is_ok() {
            return Some(format!("{}: library {library:?}, command line {command:?}", self.id));
        }
        let listed = REFUSED.iter().find(|(id, _)| *id == self.id);
        match (self.expected_result, library, listed) {
            (Expected::Success, Ok(()), None)
            | (Expected::Failure, Err(_), None)
            | (Expected::Success, Err(_), Some(_)) => None,
            (_, Ok(()), Some(_)) => Some(format!("{}: accepted, take it from REFUSED", self.id)),
            (_, Err(_), Some(_)) => Some(format!("{}: rightly refused, and listed", self.id)),
            (Expected::Failure, Ok(()), None) => Some(format!("{}: wrongly accepted", self.id)),
            (Expected::Success, Err(why), None) => {
                Some(format!("{}: wrongly refused: {why}", self.id))
            }
        }
    }

    fn names(&self) -> impl Iterator<Item = &Name> {
        self.expected_peer_name.iter().chain(&self.expected_peer_names)
    }

    /// The names to verify for. Nothing connects to an email address.
    fn hosts(&self) -> Vec<&str> {
        self.names()
            .filter(|name| match name.kind.as_str() {
                "DNS" | "IP" => true,
                "RFC822" => false,
                kind => panic!("{}: a name of kind {kind}", self.id),
            })
            .map(|name| name.value.as_str())
            .collect()
    }

    fn purpose(&self) -> (Purpose, &'static str) {
        let of_kind = match self.validation_kind {
            Kind::Client => ("clientAuth", Purpose::Client, "client"),
            Kind::Server => ("serverAuth", Purpose::Server, "server"),
        };
        let asked: Vec<&str> = self.extended_key_usage.iter().map(String::as_str).collect();
        assert!(
            asked.is_empty() || asked == [of_kind.0],
            "{}: no purpose is {asked:?} for {:?}",
            self.id,
            self.validation_kind
        );
        (of_kind.1, of_kind.2)
    }

    fn by_library(&self) -> Verdict {
        assert!(self.signature_algorithms.is_empty(), "{}: signature_algorithms", self.id);
        let read = |pem: &String| {
            let mut read =
                Certificate::from_pem_or_der(pem.as_bytes()).map_err(|error| error.to_string())?;
            Ok::<_, String>(read.remove(0))
        };
        let all = |pems: &[String]| pems.iter().map(read).collect::<Result<Vec<_>, _>>();
        let leaf = read(&self.peer_certificate)?;
        let mut builder = Verifier::builder(all(&self.trusted_certs)?)
            .intermediates(all(&self.untrusted_intermediates)?)
            .policy(Policy::Rfc5280)
            .max_depth(self.max_chain_depth);
        for crl in &self.crls {
            for section in pki_core::read_pem(crl.as_bytes()).map_err(|error| error.to_string())? {
                let Content::Crl(der) = section.content else { panic!("{}: no CRL", self.id) };
                builder = builder.crl(&der).map_err(|error| error.to_string())?;
            }
        }
        let at = match &self.validation_time {
            Some(time) => OffsetDateTime::parse(time, &Rfc3339).unwrap(),
            None => std::time::SystemTime::now().into(),
        };
        let mut options = VerifyOptions::at(at);
        options.purpose = self.purpose().0;
        options.hosts =
            self.hosts().into_iter().map(|host| host.to_owned().try_into().unwrap()).collect();
        let verifier = builder.build().map_err(|error| error.to_string())?;
        let report = verifier.check(&leaf, &[], &options);
        if !report.is_ok() {
            return Err(report.to_string());
        }
        self.facts_of(&leaf)
    }

    /// Expectations without an option of the verifier, checked on the certificate itself.
    fn facts_of(&self, leaf: &Certificate) -> Verdict {
        let usages = leaf.extensions.key_usage;
        let has = |wanted: &String| {
            usages.is_none_or(|usages| usages.names().any(|name| name.eq_ignore_ascii_case(wanted)))
        };
        if let Some(lacking) = self.key_usage.iter().find(|wanted| !has(wanted)) {
            return Err(format!("its keyUsage lacks {lacking}"));
        }
        let carried: Vec<&GeneralName> =
            leaf.extensions.subject_alt_name.iter().flatten().collect();
        for name in self.names().filter(|name| name.kind == "RFC822") {
            if !carried.contains(&&GeneralName::Email(name.value.clone())) {
                return Err(format!("it does not carry {}", name.value));
            }
            // The address must be valid.
            format!("email:{}", name.value).parse::<San>().map_err(|error| error.to_string())?;
        }
        Ok(())
    }

    fn by_command(&self) -> Verdict {
        let lab = Lab::new();
        lab.write("ca.pem", self.trusted_certs.concat());
        lab.write("between.pem", self.untrusted_intermediates.concat());
        lab.write("leaf.pem", &self.peer_certificate);
        lab.write("list.crl", self.crls.concat());
        let depth = self.max_chain_depth.map(|depth| depth.to_string());
        let mut args = vec!["verify", "leaf.pem", "--policy", "rfc5280", "--ca", "ca.pem"];
        args.extend(["--purpose", self.purpose().1]);
        if !self.untrusted_intermediates.is_empty() {
            args.extend(["--intermediates", "between.pem"]);
        }
        if !self.crls.is_empty() {
            args.extend(["--crl", "list.crl"]);
        }
        if let Some(time) = &self.validation_time {
            args.extend(["--at", time]);
        }
        if let Some(depth) = &depth {
            args.extend(["--max-depth", depth]);
        }
        for host in self.hosts() {
            args.extend(["--host", host]);
        }
        let run = lab.run(&args);
        match run.code {
            0 => Ok(()),
            // 2: a certificate or CRL cannot be read.
            1 | 2 => Err(format!("{}{}", run.stdout, run.stderr)),
            code => panic!("{}: exit code {code}: {run:?}", self.id),
        }
    }
}
