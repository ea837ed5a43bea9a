//! cfssl's CSR JSON: who a certificate is for, and which key it gets.

use time::Duration;

use crate::dialect::{Dialect, Faults, Lenient};
use crate::document::{Document, Fields, Value};
use crate::duration::{parse_backdate, parse_go_duration, parse_lifetime};
use crate::error::Error;
use crate::key::KeyAlgorithm;
use crate::name::{San, Uri};
use crate::oid::Oid;
use crate::subject::{Attribute, Subject};
use crate::suggest;

/// A CSR JSON document, as cfssl's `gencert` and `genkey` read it.
///
/// Unlike in cfssl, a field that is unknown or that has no effect is not ignored: it is an error that says where the field
/// belongs, or in [cfssl's dialect](CsrJson::read) a warning.
///
/// ```
/// use pki_core::{CsrJson, KeyAlgorithm};
///
/// let file = CsrJson::from_json(
///     br#"{"CN": "etcdone", "hosts": ["10.0.0.1", "etcdone.lab"], "key": {"algo": "rsa", "size": 2048},
///          "names": [{"O": "Lab"}]}"#,
/// )?;
/// assert_eq!(file.subject.to_string(), "O=Lab, CN=etcdone");
/// assert_eq!((file.names.len(), file.key), (2, KeyAlgorithm::Rsa(2048)));
/// # Ok::<(), pki_core::Error>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct CsrJson {
    /// `CN`, `names` and `serialnumber`
    pub subject: Subject,
    /// `hosts`
    pub names: Vec<San>,
    /// `key`
    pub key: KeyAlgorithm,
    /// `ca`
    pub ca: Option<CaSection>,
    /// `crl_url`, which cfssl reads only for a CA
    pub crl_url: Option<Uri>,
}

/// A field of a CSR JSON that another input replaces.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Replaced {
    /// `hosts`, by other names.
    Hosts,
    /// `key`, by a key that exists already.
    Key,
}

/// The `ca` section of a CSR JSON.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct CaSection {
    /// `expiry`. If it is absent, five years, as in cfssl
    pub expiry: Duration,
    /// `backdate`
    pub backdate: Option<Duration>,
    /// `pathlen` and `pathlenzero`
    pub path_len: Option<u8>,
    /// `pathlenzero`. Beside a positive `pathlen` it has no effect
    pub path_len_zero: bool,
}

const FIELDS: &[&str] = &[
    "CN",
    "names",
    "hosts",
    "key",
    "ca",
    "serialnumber",
    "crl_url",
    "delegation_enabled",
    "extensions",
    "expiry",
    "not_after",
    "profile",
    "usages",
];

impl CsrJson {
    /// Reads a CSR JSON document. The error contains every mistake in it.
    pub fn from_json(bytes: &[u8]) -> Result<Self, Error> {
        Self::read(bytes, Dialect::Native).map(|read| read.value)
    }

    /// Reads a CSR JSON document in a dialect. In that of cfssl, `hosts` are sorted by kind, as cfssl writes them.
    ///
    /// ```
    /// use pki_core::{CsrJson, Dialect};
    ///
    /// let text = br#"{"CN": "e1", "hosts": [""], "names": [{"C": "USA"}], "_": "a comment"}"#;
    /// assert!(CsrJson::from_json(text).is_err());
    /// let read = CsrJson::read(text, Dialect::Cfssl)?;
    /// assert_eq!(read.value.subject.to_string(), "C=USA, CN=e1");
    /// assert_eq!(read.warnings.len(), 3);
    /// # Ok::<(), pki_core::Error>(())
    /// ```
    pub fn read(bytes: &[u8], dialect: Dialect) -> Result<Lenient<Self>, Error> {
        Self::read_without(bytes, dialect, &[])
    }

    /// The same without the fields that another input replaces. Their JSON types are still checked, but not their values.
    pub fn read_without(
        bytes: &[u8],
        dialect: Dialect,
        replaced: &[Replaced],
    ) -> Result<Lenient<Self>, Error> {
        let mut faults = Faults::new(dialect);
        let document = Document::from_json(bytes, &mut faults)?;
        let fields = document.root().read_fields(FIELDS, &mut faults);
        report_unused(&fields, &mut faults);
        let file = Self {
            names: if replaced.contains(&Replaced::Hosts) {
                replaced_hosts(&fields, &mut faults)
            } else {
                hosts(&fields, &mut faults)
            },
            subject: subject(&fields, &mut faults),
            key: if replaced.contains(&Replaced::Key) {
                replaced_key(&fields, &mut faults)
            } else {
                key(&fields, &mut faults)
            },
            ca: ca(&fields, &mut faults),
            crl_url: faults.take(fields.parsed("crl_url", str::parse)).flatten(),
        };
        faults.finish(Some(file))
    }
}

/// Fields that people write here, and that cfssl silently ignores.
fn report_unused(fields: &Fields<'_>, faults: &mut Faults) {
    for (name, hint) in [
        ("delegation_enabled", "remove it; etcd does not use delegated credentials"),
        ("extensions", "remove it; the signing profile decides which extensions there are"),
        ("expiry", "write it in the signing profile; in the file of a CA, under \"ca\""),
        ("not_after", "write it in the signing profile"),
        ("profile", "choose the profile when you issue the certificate"),
        ("usages", "write them in the signing profile"),
    ] {
        if let Some(value) = fields.find(name).filter(|value| !value.is_zero()) {
            let error = value.invalid("this field has no effect in a CSR JSON").hinted(hint);
            faults.harmless(error);
        }
    }
}

fn hosts(fields: &Fields<'_>, faults: &mut Faults) -> Vec<San> {
    let items = fields.read("hosts", faults, Value::list).unwrap_or_default();
    let mut names: Vec<San> = Vec::new();
    for item in &items {
        let Some(text) = faults.take(item.string()) else { continue };
        let Some(name) = San::read(text, item.path(), faults) else { continue };
        match faults.dialect {
            Dialect::Cfssl if names.contains(&name) => {
                let error = item.invalid("the same name twice; it is written once");
                faults.harmless(error.hinted("remove one of the two"));
            }
            _ => names.push(name),
        }
    }
    if faults.dialect == Dialect::Cfssl {
        San::sort_by_kind(&mut names);
    }
    names
}

fn replaced_hosts(fields: &Fields<'_>, faults: &mut Faults) -> Vec<San> {
    for item in &fields.read("hosts", faults, Value::list).unwrap_or_default() {
        faults.take(item.string());
    }
    Vec::new()
}

fn subject(fields: &Fields<'_>, faults: &mut Faults) -> Subject {
    let mut attributes = Vec::new();
    let mut add = |attribute: Attribute, value: Option<&Value<'_>>, faults: &mut Faults| {
        let text = value.and_then(|value| faults.take(value.string()).map(|text| (value, text)));
        if let Some((value, text)) = text {
            attributes.push((value.path().to_owned(), attribute, text.to_owned()));
        }
    };
    add(Attribute::CommonName, fields.find("CN"), faults);
    add(Attribute::SerialNumber, fields.find("serialnumber"), faults);
    for name in fields.read("names", faults, Value::list).unwrap_or_default() {
        const NAME: &[&str] = &["C", "ST", "L", "O", "OU", "E", "SerialNumber", "OID"];
        let name = name.read_fields(NAME, faults);
        add(Attribute::Country, name.find("C"), faults);
        add(Attribute::State, name.find("ST"), faults);
        add(Attribute::Locality, name.find("L"), faults);
        add(Attribute::Organization, name.find("O"), faults);
        add(Attribute::OrganizationalUnit, name.find("OU"), faults);
        add(Attribute::EmailAddress, name.find("E"), faults);
        match (faults.dialect, name.find("SerialNumber")) {
            (Dialect::Cfssl, Some(value)) => {
                if faults.take(value.string()).is_some_and(|text| !text.is_empty()) {
                    let error = value.invalid("this field has no effect here");
                    faults.harmless(error.hinted("write \"serialnumber\" beside \"CN\""));
                }
            }
            (_, value) => add(Attribute::SerialNumber, value, faults),
        }
        if let Some(oids) = name.find("OID") {
            for (oid, value) in oids.read_members(faults) {
                let oid = oid.parse().map_err(|error: Error| error.in_field(oids.path()));
                if let Some(oid) = faults.take::<Oid>(oid) {
                    add(Attribute::from_oid(&oid), Some(&value), faults);
                }
            }
        }
    }
    Subject::read(attributes, faults)
}

fn key(fields: &Fields<'_>, faults: &mut Faults) -> KeyAlgorithm {
    let Some(value) = fields.find("key") else { return KeyAlgorithm::default() };
    let key = value.read_fields(&["algo", "size"], faults);
    faults.take(algorithm(value, &key)).unwrap_or_default()
}

fn replaced_key(fields: &Fields<'_>, faults: &mut Faults) -> KeyAlgorithm {
    if let Some(value) = fields.find("key") {
        let key = value.read_fields(&["algo", "size"], faults);
        faults.take(key.string("algo"));
        faults.take(key.find("size").map(Value::integer).transpose());
    }
    KeyAlgorithm::default()
}

fn algorithm(value: &Value<'_>, fields: &Fields<'_>) -> Result<KeyAlgorithm, Error> {
    let size = fields.find("size").map(Value::integer).transpose()?;
    let algo = fields.string("algo")?.unwrap_or("ecdsa");
    let bad_size = |sizes: &str| {
        let problem = format!("unsupported size of an {algo} key");
        let at = fields.find("size").unwrap_or(value);
        Err(at.invalid(problem).hinted(format!("one of: {sizes}")))
    };
    match (algo, size) {
        ("ecdsa", None | Some(256)) => Ok(KeyAlgorithm::EcdsaP256),
        ("ecdsa", Some(384)) => Ok(KeyAlgorithm::EcdsaP384),
        ("ecdsa", Some(521)) => Ok(KeyAlgorithm::EcdsaP521),
        ("ecdsa", _) => bad_size("256, 384, 521"),
        ("ed25519", _) => Ok(KeyAlgorithm::Ed25519),
        ("rsa", Some(2048)) => Ok(KeyAlgorithm::Rsa(2048)),
        ("rsa", Some(3072)) => Ok(KeyAlgorithm::Rsa(3072)),
        ("rsa", Some(4096)) => Ok(KeyAlgorithm::Rsa(4096)),
        ("rsa", Some(8192)) => Ok(KeyAlgorithm::Rsa(8192)),
        ("rsa", _) => bad_size("2048, 3072, 4096, 8192"),
        (other, _) => {
            let at = fields.find("algo").unwrap_or(value);
            Err(at
                .invalid("unknown or unsupported key algorithm")
                .hinted(suggest::one_of(other, ["ecdsa", "rsa", "ed25519"])))
        }
    }
}

fn ca(fields: &Fields<'_>, faults: &mut Faults) -> Option<CaSection> {
    let value = fields.find("ca")?;
    let fields = value.read_fields(&["expiry", "backdate", "pathlen", "pathlenzero"], faults);
    let zero = faults.take(fields.boolean("pathlenzero")).unwrap_or_default();
    let path_len = fields.read("pathlen", faults, path_len).flatten();
    // In cfssl, -1 means no limit also beside pathlenzero.
    let is_zero = zero
        && fields.find("pathlen").is_none_or(|at| at.integer().is_ok_and(|number| number == 0));
    if zero && !is_zero {
        let error = value.invalid("pathlenzero contradicts pathlen, which takes effect");
        faults.harmless(error.hinted("remove one of the two"));
    }
    let dialect = faults.dialect;
    let lifetime = |text: &str| match dialect {
        Dialect::Native => parse_lifetime(text),
        Dialect::Cfssl => parse_go_duration(text).and_then(|_| parse_lifetime(text)),
    };
    let expiry = faults.take(fields.parsed("expiry", lifetime)).flatten();
    let backdate = faults.take(fields.parsed("backdate", parse_backdate)).flatten();
    Some(CaSection {
        // Five years as in cfssl; RFC 5280 has no default.
        expiry: expiry.unwrap_or(Duration::hours(43_800)),
        // In cfssl, 0 means unset.
        backdate: backdate.filter(|backdate| dialect == Dialect::Native || !backdate.is_zero()),
        path_len: path_len.or(is_zero.then_some(0)),
        path_len_zero: zero,
    })
}

fn path_len(value: &Value<'_>) -> Result<Option<u8>, Error> {
    match value.integer()? {
        // In cfssl, -1 means no limit, and so does 0 unless pathlenzero is true.
        -1 | 0 => Ok(None),
        number => u8::try_from(number).map(Some).map_err(|_| {
            value
                .invalid("not a path length")
                .hinted("write 1 to 255, -1 for no limit, or pathlenzero for 0")
        }),
    }
}
