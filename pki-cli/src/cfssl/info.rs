//! `cfssl info`: the certificate of the CA, and a profile.

use std::path::Path;

use serde::Serialize;
use serde_json::Value;

use super::flags::Flags;
use super::log::Log;
use super::{authority, request};
use crate::failure::Failure;
use crate::{host, store};

#[derive(Serialize)]
struct Info {
    certificate: String,
    usages: Vec<String>,
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

/// The usages and the expiry of a profile as its file has them.
fn written(config: &[u8], name: Option<&str>) -> (Vec<String>, String) {
    let config: Value = serde_json::from_slice(config).unwrap_or_default();
    let signing = &config["signing"];
    let profile = name.map(|name| &signing["profiles"][name]).filter(|profile| profile.is_object());
    let profile = profile.unwrap_or(&signing["default"]);
    let usages = profile["usages"].as_array().map(Vec::as_slice).unwrap_or_default();
    let usages = usages.iter().filter_map(Value::as_str).map(ToOwned::to_owned).collect();
    let default = signing["default"]["expiry"].as_str().unwrap_or_default();
    let own = profile["expiry"].as_str().filter(|own| !own.is_empty());
    (usages, own.unwrap_or(default).to_owned())
}
