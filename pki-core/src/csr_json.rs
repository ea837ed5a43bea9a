//! cfssl's CSR JSON: who a certificate is for, and which key it gets.

use time::Duration;

use crate::document::{Document, Fields, Value};
use crate::duration::{parse_backdate, parse_lifetime};
use crate::error::Error;
use crate::key::KeyAlgorithm;
use crate::name::{San, Uri};
use crate::oid::Oid;
use crate::subject::{Attribute, Subject};
use crate::suggest;

/// A CSR JSON document, as cfssl's `gencert` and `genkey` read it.
///
/// Unlike cfssl, it does not pass over fields that it does not know or that have no effect: each is an error
/// that says where the field belongs.
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
    /// Reads a CSR JSON document.
    pub fn from_json(bytes: &[u8]) -> Result<Self, Error> {
        let document = Document::from_json(bytes)?;
        let fields = document.root().fields(FIELDS)?;
        refuse_unused(&fields)?;
        let names = fields.parsed_list("hosts", str::parse)?;
        Ok(Self {
            subject: subject(&fields)?,
            names,
            key: fields.find("key").map_or(Ok(KeyAlgorithm::default()), key)?,
            ca: fields.find("ca").map(ca).transpose()?,
            crl_url: fields.parsed("crl_url", str::parse)?,
        })
    }
}

/// Fields that people write here, and that cfssl silently ignores.
fn refuse_unused(fields: &Fields<'_>) -> Result<(), Error> {
    for (name, hint) in [
        ("delegation_enabled", "remove it: etcd has no use for delegated credentials"),
        ("extensions", "remove it; the signing profile decides which extensions there are"),
        ("expiry", "write it in the signing profile; in the file of a CA, under \"ca\""),
        ("not_after", "write it in the signing profile"),
        ("profile", "choose the profile when you issue the certificate"),
        ("usages", "write them in the signing profile"),
    ] {
        if let Some(value) = fields.find(name).filter(|value| !value.is_zero()) {
            return Err(value.invalid("this field has no effect in a CSR JSON").hinted(hint));
        }
    }
    Ok(())
}

fn subject(fields: &Fields<'_>) -> Result<Subject, Error> {
    let mut attributes = Vec::new();
    let mut add = |attribute: Attribute, value: Option<&Value<'_>>| -> Result<(), Error> {
        if let Some(value) = value {
            let text = value.string()?;
            if !text.is_empty() {
                // Checked here too, so that the error contains the path in the document.
                Subject::new([(attribute.clone(), text.to_owned())])
                    .map_err(|error| error.in_field(value.path()))?;
                attributes.push((attribute, text.to_owned()));
            }
        }
        Ok(())
    };
    add(Attribute::CommonName, fields.find("CN"))?;
    add(Attribute::SerialNumber, fields.find("serialnumber"))?;
    let names = fields.find("names").map_or_else(|| Ok(Vec::new()), Value::list)?;
    for name in &names {
        let name = name.fields(&["C", "ST", "L", "O", "OU", "E", "SerialNumber", "OID"])?;
        add(Attribute::Country, name.find("C"))?;
        add(Attribute::State, name.find("ST"))?;
        add(Attribute::Locality, name.find("L"))?;
        add(Attribute::Organization, name.find("O"))?;
        add(Attribute::OrganizationalUnit, name.find("OU"))?;
        add(Attribute::EmailAddress, name.find("E"))?;
        add(Attribute::SerialNumber, name.find("SerialNumber"))?;
        if let Some(oids) = name.find("OID") {
            for (oid, value) in oids.members()? {
                let oid: Oid = oid.parse().map_err(|e: Error| e.in_field(oids.path()))?;
                add(Attribute::from_oid(&oid), Some(&value))?;
            }
        }
    }
    Subject::new(attributes).map_err(|error| {
        let field = match &error {
            Error::Invalid(invalid) => format!("names: {}", invalid.field),
            _ => "names".to_owned(),
        };
        error.in_field(field)
    })
}

fn key(value: &Value<'_>) -> Result<KeyAlgorithm, Error> {
    let fields = value.fields(&["algo", "size"])?;
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
        ("rsa", _) => bad_size("2048, 3072, 4096"),
        (other, _) => {
            let at = fields.find("algo").unwrap_or(value);
            Err(at
                .invalid("unknown or unsupported key algorithm")
                .hinted(suggest::one_of(other, ["ecdsa", "rsa", "ed25519"])))
        }
    }
}

fn ca(value: &Value<'_>) -> Result<CaSection, Error> {
    let fields = value.fields(&["expiry", "backdate", "pathlen", "pathlenzero"])?;
    let zero = fields.boolean("pathlenzero")?;
    let path_len = match fields.find("pathlen") {
        None => None,
        Some(value) => match value.integer()? {
            // In cfssl, -1 means no limit, and so does 0 unless pathlenzero is true.
            -1 | 0 => None,
            number => Some(u8::try_from(number).map_err(|_| {
                value
                    .invalid("not a path length")
                    .hinted("write 1 to 255, -1 for no limit, or pathlenzero for 0")
            })?),
        },
    };
    if zero && path_len.is_some() {
        return Err(value
            .invalid("pathlenzero contradicts pathlen")
            .hinted("remove one of the two"));
    }
    let expiry = fields.parsed("expiry", parse_lifetime)?;
    Ok(CaSection {
        // Five years as in cfssl; RFC 5280 has no default.
        expiry: expiry.unwrap_or(Duration::hours(43_800)),
        backdate: fields.parsed("backdate", parse_backdate)?,
        path_len: if zero { Some(0) } else { path_len },
    })
}
