//! `cfssl info`: the certificate of the CA, and a profile.

use std::path::Path;

use serde::Serialize;
use serde_json::{Value, json};

use super::flags::Flags;
use super::log::Log;
use super::{authority, request};
use crate::failure::Failure;
use crate::{host, store};

#[derive(Serialize)]
struct Info {
    certificate: String,
    /// Go writes a list that is absent as null.
    usages: Option<Vec<String>>,
    expiry: String,
}

pub(super) fn run(flags: &Flags, log: &Log) -> Result<(), Failure> {
    request::warn_of_flags(flags, &["ca", "ca-key", "config", "profile", "label"], log);
    let config = flags.value("config").ok_or_else(|| {
        Failure::usage("need the configuration of a local CA (provide one with -config)")
            .hinted("add -config FILE")
    })?;
    let name = flags.value("ca").ok_or_else(|| {
        Failure::usage("need a CA certificate (provide one with -ca)").hinted("add -ca FILE")
    })?;
    let certificate = authority::read_certificates(name)?.remove(0);
    // Refuses a profile that cannot be used.
    authority::profile(flags, log)?;
    let (usages, expiry) = written(&store::read(Path::new(config))?, flags.value("profile"));
    // Without a line end, like every certificate in this answer of cfssl.
    let certificate = certificate.to_pem()?.trim_end().to_owned();
    let text = serde_json::to_string(&Info { certificate, usages, expiry })
        .map_err(|error| Failure::bug(format!("writing the answer: {error}")))?;
    log.check_strict()?;
    host::print(&text)
}

/// The usages and the expiry of a profile as its file has them. cfssl's own default profile takes the place of one that is absent.
fn written(config: &[u8], name: Option<&str>) -> (Option<Vec<String>>, String) {
    let config: Value = serde_json::from_str(&String::from_utf8_lossy(config)).unwrap_or_default();
    let signing = member(&config, "signing");
    let own = json!({
        "usages": ["signing", "key encipherment", "server auth", "client auth"],
        "expiry": "8760h",
    });
    let default = Some(member(signing, "default")).filter(|default| default.is_object());
    let default = default.unwrap_or(&own);
    // The names of profiles are keys of a map, which are case-sensitive.
    let profile = name.map(|name| &member(signing, "profiles")[name]);
    let profile = profile.filter(|profile| profile.is_object()).unwrap_or(default);
    let texts = |list: &Vec<Value>| {
        list.iter().map(|text| text.as_str().unwrap_or_default().to_owned()).collect()
    };
    let expiry = |profile| member(profile, "expiry").as_str().filter(|text| !text.is_empty());
    let usages = member(profile, "usages").as_array().map(texts);
    (usages, expiry(profile).or(expiry(default)).unwrap_or_default().to_owned())
}

/// The member of an object whose key is in any case, as in Go.
fn member<'a>(object: &'a Value, name: &str) -> &'a Value {
    let members = object.as_object().into_iter().flatten();
    let mut named =
        members.filter(|(key, value)| key.eq_ignore_ascii_case(name) && !value.is_null());
    named.next_back().map_or(&Value::Null, |(_, value)| value)
}
