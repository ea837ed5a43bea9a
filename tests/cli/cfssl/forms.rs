//! Cases whose JSON has an unusual form: what Go's decoder accepts or refuses, the real cfssl shows.

use serde_json::{Value, json};

use super::cases::{Case, issuer};
use super::random::Random;

impl Case {
    /// A leaf whose files are written with unusual JSON.
    pub(super) fn of_unusual_form(random: &mut Random) -> Self {
        let issuer = issuer(random);
        let csr = json!({
            "CN": "etcd1",
            "hosts": ["etcd1", "10.0.0.1"],
            "key": {"algo": "rsa", "size": 2048},
            "names": [{"C": "DE", "O": "Lab", "OU": "a"}, {"O": "Other"}],
            "serialnumber": "7",
        });
        let config = json!({"signing": {
            "default": {"expiry": "168h"},
            "profiles": {"used": {
                "expiry": "720h",
                "usages": ["signing", "server auth", "client auth"],
                "backdate": "1h",
                "issuer_urls": ["http://a.example.com/ca.pem"],
                "ocsp_no_check": true,
                "ca_constraint": {"is_ca": false, "max_path_len": 0},
            }},
        }});
        // One of the two has the unusual form; otherwise most cases would fail for two reasons.
        let is_csr = random.percent(60);
        let mut write = |value: &Value, is_unusual: bool| {
            if is_unusual { document(random, value) } else { value.to_string() }
        };
        let files =
            vec![("csr.json", write(&csr, is_csr)), ("config.json", write(&config, !is_csr))];
        let command = format!(
            "LC_ALL=C sed -i 's/@@/\\xff/g' csr.json config.json; cfssl gencert -ca {issuer}.pem \
             -ca-key {issuer}-key.pem -config config.json -profile used csr.json"
        );
        Self { files, command, issuer: Some(issuer) }
    }
}

fn document(random: &mut Random, value: &Value) -> String {
    let text = written(random, value);
    match random.below(100) {
        0 => format!("\u{feff}{text}"),
        1 => format!("{text} {{}}"),
        2 => format!("{text},"),
        3 => format!("// a comment\n{text}"),
        4 => text.replacen(',', ",,", 1),
        5 => text.replace(',', ",\r\n\t"),
        6 => text.replace('"', "'"),
        7 => format!("\n \t\r\n{text}\r\n"),
        8 => format!("{text}\0"),
        9 => text[..text.len() - 1].to_owned(),
        10 => format!("[{text}]"),
        11 => text.replacen(']', ",]", 1),
        _ => text,
    }
}

fn written(random: &mut Random, value: &Value) -> String {
    match value {
        Value::Object(members) => {
            let mut parts = Vec::new();
            for (key, value) in members {
                if random.percent(4) {
                    let twin = twin(random, value);
                    parts.push(format!("{}:{twin}", spelled(random, key)));
                    let before = random.below(2);
                    // 1.2 cannot read a key after null, because the field is an interface there. 1.6.5 reads it.
                    let at = parts.len() - if key == "key" && twin == "null" { 1 } else { before };
                    parts.insert(at, format!("{}:{value}", spelled(random, key)));
                    continue;
                }
                let own =
                    if random.percent(3) { "null".to_owned() } else { written(random, value) };
                parts.push(format!("{}:{own}", spelled(random, key)));
            }
            if random.percent(5) {
                parts.push(format!("\"_\":{}", random.one_of(UNKNOWN)));
            }
            format!("{{{}}}", parts.join(","))
        }
        Value::Array(items) => {
            let mut parts: Vec<_> = items.iter().map(|item| written(random, item)).collect();
            if random.percent(8) {
                let at = random.below(parts.len() + 1);
                parts.insert(at, "null".to_owned());
            }
            format!("[{}]", parts.join(","))
        }
        Value::String(text) => string(random, text),
        Value::Number(number) => match random.below(60) {
            0 => format!("{number}.0"),
            1 => format!("{number}e0"),
            2 => format!("\"{number}\""),
            3 => format!("0{number}"),
            4 => format!("+{number}"),
            5 => "99999999999999999999".to_owned(),
            _ => number.to_string(),
        },
        Value::Bool(_) | Value::Null => match random.below(60) {
            0 => "\"true\"".to_owned(),
            1 => "1".to_owned(),
            2 => "True".to_owned(),
            _ => value.to_string(),
        },
    }
}

/// What a program ignores must still be JSON.
const UNKNOWN: &[&str] = &[
    "-0",
    "0.5e-7",
    "18446744073709551616",
    "\"\\ud800\"",
    "\"@@\"",
    "\"\\u0000\"",
    "\"\\/\"",
    "\"\\x\"",
    "\"\t\"",
    "01",
    ".5",
    "NaN",
    "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]",
    "{\"_\":{\"_\":null}}",
    "{\"a\":1,\"a\":2}",
];

/// A key as Go also finds it: without regard to case, and with escapes. The names of profiles are exact.
fn spelled(random: &mut Random, key: &str) -> String {
    match random.below(20) {
        0 if key != "used" => format!("\"{}\"", key.to_uppercase()),
        1 if key != "used" => format!("\"{}\"", key.to_lowercase()),
        2 => format!("\"\\u{:04x}{}\"", u32::from(key.as_bytes()[0]), &key[1..]),
        _ => format!("\"{key}\""),
    }
}

/// A second value of a field.
fn twin(random: &mut Random, value: &Value) -> String {
    match (random.below(4), value) {
        (0, _) => "null".to_owned(),
        (1, Value::Array(items)) => json!(items[..1]).to_string(),
        (2, Value::Array(_)) => "[]".to_owned(),
        (1, Value::Object(members)) => {
            let first: serde_json::Map<_, _> =
                members.iter().take(1).map(|(key, value)| (key.clone(), value.clone())).collect();
            json!(first).to_string()
        }
        (2, Value::Object(_)) => "{}".to_owned(),
        (1, Value::String(_)) => "\"\"".to_owned(),
        (2, Value::String(_)) => "\"other\"".to_owned(),
        (1, Value::Bool(_)) => "false".to_owned(),
        (1, Value::Number(_)) => "0".to_owned(),
        _ => value.to_string(),
    }
}

fn string(random: &mut Random, text: &str) -> String {
    let escaped = |text: &str| {
        let letters: Vec<_> =
            text.chars().map(|letter| format!("\\u{:04X}", u32::from(letter))).collect();
        letters.concat()
    };
    match random.below(200) {
        0 => format!("\"{}\"", escaped(text)),
        1 => format!("\"{text}\\ud800\""),
        2 => format!("\"{text}\\ude00\\ud83d\""),
        3 => format!("\"{text}@@\""),
        4 => format!("\"{text}@@@@\""),
        5 => format!("\"{}\"", text.replace('/', "\\/")),
        6 => format!("\"{text}\\u0000\""),
        7 => "5".to_owned(),
        8 => format!("[\"{text}\"]"),
        _ => format!("\"{text}\""),
    }
}
