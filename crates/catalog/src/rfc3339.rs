//! Dates as the service and its cache files write them: seconds since the Unix epoch on this side.
//!
//! What comes in may have a fraction, an offset and, as the reference accepts it too, a blank in
//! place of the `T`; what goes out is in UTC. Leap seconds count as the second after.

use std::time::Duration;

/// The time that a text means, in seconds since the Unix epoch; `None` when it is no such date.
pub(crate) fn parse(text: &str) -> Option<i64> {
    let bytes = text.as_bytes();
    let separators = [(4, "-"), (7, "-"), (10, "Tt "), (13, ":"), (16, ":")];
    for (at, allowed) in separators {
        if !allowed.as_bytes().contains(bytes.get(at)?) {
            return None;
        }
    }
    let (year, month, day) = (
        number(text, 0, 4)?,
        number(text, 5, 2)?,
        number(text, 8, 2)?,
    );
    let time = (
        number(text, 11, 2)?,
        number(text, 14, 2)?,
        number(text, 17, 2)?,
    );
    let (hour, minute, second) = time;
    let is_legal = (1..=12).contains(&month)
        && (1..=days_of_month(year, month)).contains(&day)
        && hour < 24
        && minute < 60
        && second <= 60;
    let offset = offset(without_fraction(text.get(19..)?)?)?;
    let seconds = days_before(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second;
    is_legal.then_some(seconds - offset)
}

/// The text of a time since the Unix epoch, with as many digits of a fraction as it needs in groups
/// of three.
pub(crate) fn format(time: Duration) -> String {
    let seconds = i64::try_from(time.as_secs()).unwrap_or(i64::MAX);
    let (year, month, day) = date_of(seconds.div_euclid(86_400));
    let rest = seconds.rem_euclid(86_400);
    let (hour, minute, second) = (rest / 3600, rest / 60 % 60, rest % 60);
    let fraction = match time.subsec_nanos() {
        0 => String::new(),
        nanos if nanos % 1_000_000 == 0 => format!(".{:03}", nanos / 1_000_000),
        nanos if nanos % 1_000 == 0 => format!(".{:06}", nanos / 1_000),
        nanos => format!(".{nanos:09}"),
    };
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{fraction}Z")
}

fn number(text: &str, start: usize, length: usize) -> Option<i64> {
    let digits = text.get(start..start + length)?;
    let all_digits = digits.bytes().all(|byte| byte.is_ascii_digit());
    all_digits.then(|| digits.parse().ok()).flatten()
}

/// What follows the fraction of a second, if there is one; it must have a digit then.
fn without_fraction(rest: &str) -> Option<&str> {
    let Some(fraction) = rest.strip_prefix('.') else {
        return Some(rest);
    };
    let rest = fraction.trim_start_matches(|c: char| c.is_ascii_digit());
    (rest.len() < fraction.len()).then_some(rest)
}

/// The seconds that an offset adds to UTC.
fn offset(text: &str) -> Option<i64> {
    if matches!(text, "Z" | "z") {
        return Some(0);
    }
    let sign = match text.as_bytes().first()? {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let (hours, minutes) = (number(text, 1, 2)?, number(text, 4, 2)?);
    let is_legal = text.len() == 6 && text.as_bytes()[3] == b':' && hours < 24 && minutes < 60;
    is_legal.then_some(sign * (hours * 3600 + minutes * 60))
}

fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

fn days_of_month(year: i64, month: i64) -> i64 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// The days from the epoch to a date of the Gregorian calendar. Years are counted from March, so
/// that the leap day is the last of its year.
fn days_before(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let month = (month + 9) % 12;
    let leap_days = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    // 719,468 days lie between the first of March of the year 0 and the epoch.
    year * 365 + leap_days + (month * 153 + 2) / 5 + day - 1 - 719_468
}

fn date_of(days: i64) -> (i64, i64, i64) {
    // The mean length of a year never overestimates by more than one.
    let mut year = 1970 + days * 400 / 146_097;
    while days_before(year, 1, 1) > days {
        year -= 1;
    }
    while days_before(year + 1, 1, 1) <= days {
        year += 1;
    }
    let mut day = days - days_before(year, 1, 1);
    let mut month = 1;
    while day >= days_of_month(year, month) {
        day -= days_of_month(year, month);
        month += 1;
    }
    (year, month, day + 1)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use pretty_assertions::assert_eq;

    use super::{format, parse};

    #[track_caller]
    fn check(text: &str, expected: Option<i64>) {
        assert_eq!(parse(text), expected, "{text}");
    }

    #[test]
    fn dates_with_their_forms() {
        check("1970-01-01T00:00:00Z", Some(0));
        check("2026-11-21T07:23:22.255079174Z", Some(1_795_245_802));
        check("2026-11-21t07:23:22z", Some(1_795_245_802));
        check("2026-11-21 07:23:22Z", Some(1_795_245_802));
        check("2026-11-21T09:23:22+02:00", Some(1_795_245_802));
        check("2026-11-20T23:53:22.5-07:30", Some(1_795_245_802));
        check("2000-02-29T12:00:00Z", Some(951_825_600));
        check("1969-12-31T23:59:60Z", Some(0));
        check("0001-01-01T00:00:00Z", Some(-62_135_596_800));
    }

    #[test]
    fn what_is_no_date() {
        for text in [
            "",
            "yesterday",
            "2026-11-21",
            "2026-11-21T07:23:22",
            "2026-11-21T07:23:22.Z",
            "2026-11-21T07:23:22+0200",
            "2026-11-21T07:23:22+02:00:00",
            "2026-02-29T07:23:22Z",
            "2026-13-01T07:23:22Z",
            "2026-00-01T07:23:22Z",
            "2026-01-00T07:23:22Z",
            "2026-01-01T24:00:00Z",
            "2026-01-01T+1:00:00Z",
            "20é6-01-01T00:00:00Z",
            "2026-01-01T00:00:00é",
        ] {
            check(text, None);
        }
    }

    #[test]
    fn what_is_written_is_read_again() {
        let written = |seconds, nanos| format(Duration::new(seconds, nanos));
        assert_eq!(written(0, 0), "1970-01-01T00:00:00Z");
        assert_eq!(written(951_868_799, 0), "2000-02-29T23:59:59Z");
        assert_eq!(
            written(1_795_245_802, 255_079_174),
            "2026-11-21T07:23:22.255079174Z"
        );
        assert_eq!(written(1, 5_000_000), "1970-01-01T00:00:01.005Z");
        assert_eq!(written(1, 5_000), "1970-01-01T00:00:01.000005Z");
        for day in (0..200_000).step_by(13) {
            let seconds = day * 86_400 + 3_723;
            assert_eq!(parse(&written(seconds, 0)), i64::try_from(seconds).ok());
        }
    }
}
