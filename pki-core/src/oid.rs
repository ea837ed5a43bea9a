//! Object identifiers in their dotted form.

use std::fmt;
use std::str::FromStr;

use crate::error::Error;

/// An object identifier, known to be encodable.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Oid(String);

impl Oid {
    /// For text that a DER decoder or a literal in this crate already vouches for.
    pub(crate) fn trusted(dotted: impl Into<String>) -> Self {
        Self(dotted.into())
    }

    /// The dotted form.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The numbers between the dots; `None` where one is too large for 64 bits.
    pub(crate) fn arcs(&self) -> Option<Vec<u64>> {
        self.0.split('.').map(|arc| arc.parse().ok()).collect()
    }
}

impl FromStr for Oid {
    type Err = Error;

    // X.660: the first arc is 0, 1 or 2; below 0 and 1 the second is at most 39.
    fn from_str(text: &str) -> Result<Self, Error> {
        let bad = |problem: &str| {
            Err(Error::invalid("OID", text, problem)
                .hinted("write it with dots: 1.3.6.1.4.1.44363"))
        };
        let mut arcs = Vec::new();
        for arc in text.split('.') {
            let canonical = arc == "0" || !arc.starts_with('0');
            match arc.parse::<u32>() {
                Ok(number) if canonical && !arc.starts_with('+') => arcs.push(number),
                _ => return bad("not numbers (below 4294967296) with dots between them"),
            }
        }
        match arcs.as_slice() {
            [] | [_] => bad("an OID has at least two numbers"),
            [first, ..] if *first > 2 => bad("the first number of an OID is 0, 1 or 2"),
            [0 | 1, second, ..] if *second > 39 => {
                bad("below 0 and 1 the second number of an OID is at most 39")
            }
            _ => Ok(Self(text.to_owned())),
        }
    }
}

impl fmt::Display for Oid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn oids_that_no_encoder_could_write_are_refused() {
        for text in [
            "",
            "1",
            "1.",
            ".1",
            "3.1",
            "9.9.9",
            "1.40",
            "1.02",
            "1.+2",
            "1.-2",
            "1.4294967296",
            "a.b",
        ] {
            assert!(Oid::from_str(text).is_err(), "{text}");
        }
        for text in ["0.0", "1.39", "2.999", "2.5.29.17", "1.3.6.1.5.5.7.3.1"] {
            assert_eq!(Oid::from_str(text).unwrap().to_string(), text);
        }
    }
}
