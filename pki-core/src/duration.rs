//! Durations as people write them: Go's syntax, and also `d`, `w` and `y`.

use time::Duration;

use crate::error::Error;

const UNITS: [(&str, i128); 11] = [
    ("ns", 1),
    ("us", 1_000),
    ("µs", 1_000),
    ("μs", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("m", 60 * 1_000_000_000),
    ("h", 3_600 * 1_000_000_000),
    ("d", 86_400 * 1_000_000_000),
    ("w", 7 * 86_400 * 1_000_000_000),
    ("y", 365 * 86_400 * 1_000_000_000),
];

/// Longer than any lifetime; keeps every sum within the range of [`Duration`].
const MAX_NANOSECONDS: i128 = 10_000 * 365 * 86_400 * 1_000_000_000;

/// Reads the lifetime of a certificate: at least one second, at most 1000 years.
///
/// Certificates count whole seconds (RFC 5280 section 4.1.2.5).
pub fn parse_lifetime(text: &str) -> Result<Duration, Error> {
    let lifetime = parse_duration(text)?;
    let problem = if lifetime.is_negative() || lifetime.is_zero() {
        "the lifetime must be positive"
    } else if lifetime < Duration::SECOND {
        "the lifetime must be at least one second"
    } else if lifetime > Duration::days(1000 * 365) {
        "the lifetime must be at most 1000 years"
    } else {
        return Ok(lifetime);
    };
    Err(Error::invalid("lifetime", text, problem)
        .hinted("write a number and a unit: 8760h, 90d, 1y"))
}

/// Reads how long before now a certificate becomes valid.
#[cfg(feature = "profiles")]
pub(crate) fn parse_backdate(text: &str) -> Result<Duration, Error> {
    match parse_duration(text)? {
        backdate if backdate.is_negative() => Err(Error::invalid(
            "backdate",
            text,
            "a negative backdate: the certificate would not be valid yet",
        )
        .hinted("write how long before now the certificate becomes valid: 5m")),
        backdate => Ok(backdate),
    }
}

/// Reads a duration with the units of Go's `time.ParseDuration`, which has none above the hour.
#[cfg(feature = "profiles")]
pub(crate) fn parse_go_duration(text: &str) -> Result<Duration, Error> {
    let duration = parse_duration(text)?;
    match text.chars().find(|unit| matches!(unit, 'd' | 'w' | 'y')) {
        None => Ok(duration),
        Some(unit) => Err(Error::invalid("duration", text, format!("unknown unit \"{unit}\""))
            .hinted(format!("write it in hours: {}h", duration.whole_hours()))),
    }
}

/// Reads `8760h`, `1h30m`, `90d`, `10y` (a year is 365 days).
/// ```
/// use pki_core::{parse_duration, time::Duration};
///
/// assert_eq!(parse_duration("90d")?, Duration::days(90));
/// let error = parse_duration("1 month").unwrap_err();
/// assert!(error.hint().is_some());
/// # Ok::<(), pki_core::Error>(())
/// ```
pub fn parse_duration(text: &str) -> Result<Duration, Error> {
    let bad = |problem: String| {
        Err(Error::invalid("duration", text, problem)
            .hinted("write a number and a unit: 8760h, 90d, 1y (a year is 365 days)"))
    };
    let (negative, mut rest) = match text.as_bytes().first() {
        Some(b'-') => (true, &text[1..]),
        Some(b'+') => (false, &text[1..]),
        _ => (false, text),
    };
    if rest == "0" {
        return Ok(Duration::ZERO);
    }
    if rest.is_empty() {
        return bad("the duration is empty".to_owned());
    }
    let mut total: i128 = 0;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let (number, tail) = rest.split_at(digits);
        if number.is_empty() {
            return bad(format!("expected a number at {rest:?}"));
        }
        let unit_end = tail.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(unit_end);
        let Some((_, scale)) = UNITS.iter().find(|(name, _)| *name == unit) else {
            return if unit.is_empty() {
                bad(format!("{number} is missing a unit"))
            } else {
                bad(format!("unknown unit {unit:?}"))
            };
        };
        let Some(nanoseconds) = scaled(number, *scale) else {
            return bad(format!("{number:?} is not a number of at most 20 digits"));
        };
        total += nanoseconds;
        if total > MAX_NANOSECONDS {
            return bad("the duration must be at most 10000 years".to_owned());
        }
        rest = tail;
    }
    let total = if negative { -total } else { total };
    Ok(Duration::nanoseconds_i128(total))
}

/// `number` (digits with at most one dot) times `scale`, truncated to whole nanoseconds.
fn scaled(number: &str, scale: i128) -> Option<i128> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if whole.len() + fraction.len() > 20 || (whole.is_empty() && fraction.is_empty()) {
        return None;
    }
    let parse = |digits: &str| match digits {
        "" => Some(0),
        digits => digits.parse::<i128>().ok(),
    };
    let divisor = 10_i128.pow(u32::try_from(fraction.len()).ok()?);
    Some(parse(whole)? * scale + parse(fraction)? * scale / divisor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn go_syntax_and_days_weeks_years() {
        let hours = |text| parse_duration(text).unwrap().whole_hours();
        assert_eq!(hours("8760h"), 8760);
        assert_eq!(hours("1y"), 8760);
        assert_eq!(hours("90d"), 2160);
        assert_eq!(hours("2w"), 336);
        assert_eq!(hours("1h60m3600s"), 3);
        assert_eq!(hours("1.5h30m"), 2);
        assert_eq!(hours("-1h"), -1);
        assert_eq!(hours("0"), 0);
        assert_eq!(parse_duration("1us").unwrap(), Duration::microseconds(1));
    }

    #[test]
    fn a_lifetime_is_between_a_second_and_a_thousand_years() {
        for text in ["1s", "5m", "10y", "1000y"] {
            assert_eq!(parse_lifetime(text).unwrap(), parse_duration(text).unwrap());
        }
        for text in ["0", "0h", "-1h", "1us", "999ms", "1001y", "x"] {
            assert!(parse_lifetime(text).unwrap_err().hint().is_some(), "{text}");
        }
    }

    #[test]
    fn an_invalid_duration_is_an_error_with_a_hint() {
        for text in [
            "",
            "1",
            "8760",
            "1x",
            "h",
            "-",
            "1.2.3h",
            ".h",
            " 1h",
            "1 h",
            "99999999999y",
            "999999999999999999999h",
        ] {
            let error = parse_duration(text).unwrap_err();
            assert!(error.hint().is_some(), "{text}: {error}");
        }
    }
}
