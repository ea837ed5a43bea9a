//! The certificates to verify, and the questions about them.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, Weak};

use super::kinds::{
    ALGORITHMS, CLIENT, CONSTRAINED_PEER, CONSTRAINED_SERVER, CONSTRAINTS, EVERYTHING,
    INTERMEDIATE, Kind, MIXED, PEER, PROFILES, ROOT, SERVER, SERVER_ONLY,
};
use super::{Answer, Role, Why, forged};
use crate::lab::Lab;
use crate::peers;

/// A certificate from etcdpki.
#[derive(Debug)]
pub(super) struct Case {
    pub(super) kind: &'static Kind,
    /// PEM; the certificate can be followed by the intermediates.
    pub(super) certificate: PathBuf,
    pub(super) key: PathBuf,
    pub(super) root: PathBuf,
    /// The algorithm of its key.
    pub(super) algorithm: &'static str,
    /// The algorithms of the CAs above, starting with the issuer; empty for a root.
    pub(super) issuers: Vec<&'static str>,
}

/// A question for a program, and the expected answer.
#[derive(Debug)]
pub(super) struct Question {
    pub(super) certificate: PathBuf,
    pub(super) root: PathBuf,
    pub(super) issuers: Vec<&'static str>,
    pub(super) role: Role,
    pub(super) answer: Answer,
}

pub(super) struct World {
    pub(super) cases: Vec<Case>,
    pub(super) questions: Vec<Question>,
    pub(super) lab: Lab,
}

impl World {
    /// Created once for all programs that run at the same time; the last one removes it.
    pub(super) fn shared() -> Arc<Self> {
        static SHARED: Mutex<Weak<World>> = Mutex::new(Weak::new());
        let mut shared = SHARED.lock().expect("another test failed to create them");
        shared.upgrade().unwrap_or_else(|| {
            let world = Arc::new(Self::make());
            *shared = Arc::downgrade(&world);
            world
        })
    }

    fn make() -> Self {
        let lab = Lab::new();
        lab.write("profiles.json", PROFILES);
        // Requests and forgeries have only the extensions that are specified.
        lab.write("openssl.cnf", "[req]\ndistinguished_name = dn\n[dn]\n");
        let default = Ca::root(&lab, "default", "ecdsa-p256", &[]);
        let constrained = Ca::root(&lab, "constrained", "ecdsa-p256", &CONSTRAINTS);
        // All roots here have the same name, so only keys and signatures distinguish them.
        let stranger = Ca::root(&lab, "stranger", "ecdsa-p256", &["--path-len", "1"]);

        let mut cases = vec![
            default.itself(),
            default.issue("ecdsa-p256", &SERVER),
            default.issue("rsa-2048", &SERVER_ONLY),
            default.issue("rsa-2048", &EVERYTHING),
            constrained.itself(),
            constrained.issue("ecdsa-p256", &CONSTRAINED_SERVER),
            constrained.issue("ecdsa-p256", &CONSTRAINED_PEER),
            constrained.issue("ecdsa-p256", &CLIENT),
        ];
        let (case, intermediate) = constrained.intermediate("ecdsa-p256");
        cases.extend([case, intermediate.issue("ecdsa-p256", &CONSTRAINED_SERVER)]);
        std::thread::scope(|scope| {
            let lab = &lab;
            let families = ALGORITHMS.map(|algorithm| scope.spawn(move || family(lab, algorithm)));
            for family in families {
                cases.extend(family.join().unwrap());
            }
        });
        let mut questions: Vec<Question> =
            cases.iter().flat_map(|case| case.questions(&stranger.root)).collect();
        questions.extend(forged::questions(&lab));
        Self { cases, questions, lab }
    }
}

/// A CA with this algorithm and its certificates: each profile with a key of the same algorithm and of others, and an
/// intermediate CA with its own leaf certificate.
fn family(lab: &Lab, algorithm: &'static str) -> Vec<Case> {
    let root = Ca::root(lab, algorithm, algorithm, &["--path-len", "1"]);
    let mut cases = vec![root.itself()];
    let others = MIXED.iter().filter(|(ca, _)| *ca == algorithm).map(|(_, leaf)| *leaf);
    for leaf in std::iter::once(algorithm).chain(others) {
        let server = root.issue(leaf, &SERVER);
        let rest = [&PEER, &CLIENT].map(|kind| root.certify(&server, kind));
        cases.push(server);
        cases.extend(rest);
    }
    let (case, intermediate) = root.intermediate(algorithm);
    let leaf = intermediate.certify(&cases[1], &SERVER);
    cases.extend([case, leaf]);
    if algorithm == "rsa-2048" {
        let (case, intermediate) = root.intermediate("ecdsa-p256");
        cases.extend([case, intermediate.issue("ed25519", &PEER)]);
    }
    cases
}

/// A CA's folder, ready to sign.
struct Ca<'a> {
    lab: &'a Lab,
    folder: String,
    root: PathBuf,
    /// The algorithms of its own key and of the CAs above it.
    algorithms: Vec<&'static str>,
}

impl<'a> Ca<'a> {
    fn root(lab: &'a Lab, folder: &str, algorithm: &'static str, options: &[&str]) -> Self {
        lab.ok(&[&["init-ca", "--dir", folder, "--key", algorithm], options].concat());
        let root = lab.path(folder).join("ca.pem");
        Self { lab, folder: folder.to_owned(), root, algorithms: vec![algorithm] }
    }

    fn itself(&self) -> Case {
        Case {
            kind: &ROOT,
            certificate: self.root.clone(),
            key: self.root.with_file_name("ca-key.pem"),
            root: self.root.clone(),
            algorithm: self.algorithms[0],
            issuers: Vec::new(),
        }
    }

    /// A certificate with a new key.
    fn issue(&self, algorithm: &'static str, kind: &'static Kind) -> Case {
        let out = self.out(algorithm, kind);
        self.run(&out, kind, &["--key", algorithm]);
        let key = self.lab.path(&out).join(format!("{}-key.pem", kind.base));
        self.case(&out, kind, algorithm, key)
    }

    /// A certificate for an existing key, because another profile does not need another key, and RSA keys take long to
    /// generate. The request is from OpenSSL.
    fn certify(&self, owner: &Case, kind: &'static Kind) -> Case {
        let out = self.out(owner.algorithm, kind);
        let csr = format!("{out}.csr");
        let output = peers::program("openssl")
            .args(["req", "-new", "-config", "openssl.cnf", "-out", &csr, "-key"])
            .arg(&owner.key)
            .args(["-subj", &format!("/CN={}", kind.base)])
            .current_dir(self.lab.folder())
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        self.run(&out, kind, &["--csr", &csr]);
        self.case(&out, kind, owner.algorithm, owner.key.clone())
    }

    fn out(&self, algorithm: &str, kind: &Kind) -> String {
        format!("{}.{algorithm}.{}", self.folder, kind.profile)
    }

    fn run(&self, out: &str, kind: &Kind, key: &[&str]) {
        let options = ["issue", "--chain", "--dir", &self.folder, "--out", out];
        let asked = ["--profile", kind.profile, kind.base];
        self.lab.ok(&[&options[..], key, &asked, kind.options].concat());
    }

    fn case(&self, out: &str, kind: &'static Kind, algorithm: &'static str, key: PathBuf) -> Case {
        Case {
            kind,
            certificate: self.lab.path(out).join(format!("{}.pem", kind.base)),
            key,
            root: self.root.clone(),
            algorithm,
            issuers: self.algorithms.clone(),
        }
    }

    /// An intermediate CA below this root, in its own folder.
    fn intermediate(&self, algorithm: &'static str) -> (Case, Self) {
        let case = self.issue(algorithm, &INTERMEDIATE);
        let ca = Ca {
            lab: self.lab,
            folder: format!("{}.{algorithm}.ca", self.folder),
            root: self.root.clone(),
            algorithms: [&[algorithm], &self.algorithms[..]].concat(),
        };
        let folder = self.lab.path(&ca.folder);
        std::fs::create_dir(&folder).unwrap();
        std::fs::copy(&case.certificate, folder.join("ca.pem")).unwrap();
        std::fs::copy(&case.key, folder.join("ca-key.pem")).unwrap();
        (case, ca)
    }
}

impl Case {
    fn questions(&self, stranger: &PathBuf) -> Vec<Question> {
        use Answer::{Accept, Refuse};
        let Kind { names, serves, dials, .. } = *self.kind;
        let mut asked = Vec::new();
        if serves {
            asked.extend(names.iter().map(|name| (Role::Server(name), Accept)));
            let others = ["etcdtwo.lab", "example.com", "192.168.29.99", "::1"];
            asked.extend(others.map(|other| (Role::Server(other), Refuse(Why::WrongHost))));
        } else if dials {
            asked.push((Role::Server(names[0]), Refuse(Why::WrongPurpose)));
        }
        if dials {
            asked.push((Role::Client, Accept));
        } else if serves {
            asked.push((Role::Client, Refuse(Why::WrongPurpose)));
        } else {
            asked.push((Role::Ca, Accept));
        }
        let question = |root: &PathBuf, role, answer| Question {
            certificate: self.certificate.clone(),
            root: root.clone(),
            issuers: self.issuers.clone(),
            role,
            answer,
        };
        let mut questions: Vec<Question> =
            asked.iter().map(|(role, answer)| question(&self.root, *role, *answer)).collect();
        // A root has no CA above it that could be wrong.
        if let (false, Some((role, _))) =
            (self.issuers.is_empty(), asked.iter().find(|(_, answer)| *answer == Accept))
        {
            questions.push(question(stranger, *role, Refuse(Why::UnknownCa)));
        }
        questions
    }
}
