//! Replaces what must differ between two runs, and nothing else.
//!
//! | text | becomes |
//! |---|---|
//! | the sandbox's root | `$ROOT` |
//! | ten digits that are a Unix time between 2020 and 2100, thirteen for milliseconds | `$TIME`, `$TIME_MS` |
//! | `2026-01-02T03:04:05Z`, also with a fraction | `$DATE` |
//! | sixteen hexadecimal digits: a random name | `$ID1`, `$ID2`, ... |
//! | forty hexadecimal digits: a commit | `$COMMIT1`, `$COMMIT2`, ... |
//!
//! Equal names get equal numbers, counted by first appearance, so a snapshot still shows which two
//! are the same. Digests of content (64 digits) stay: content that did not change must not change
//! its digest. Hexadecimal means lower case.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::Sandbox;

/// The text with everything replaced that the table of this module names.
#[must_use]
pub fn filter(text: &str, sandbox: &Sandbox) -> String {
    replace_tokens(&sandbox.hide_root(text))
}

/// A JSON value, indented and filtered, with its keys in order: the form for snapshots.
#[must_use]
pub fn filter_json(value: &Value, sandbox: &Sandbox) -> String {
    filter(&format!("{value:#}"), sandbox)
}

/// Numbers for names, by first appearance.
#[derive(Default)]
struct Numbers(BTreeMap<String, usize>);

impl Numbers {
    fn of(&mut self, name: &str) -> usize {
        let next = self.0.len() + 1;
        *self.0.entry(name.to_owned()).or_insert(next)
    }
}

fn replace_tokens(text: &str) -> String {
    let mut ids = Numbers::default();
    let mut commits = Numbers::default();
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while !rest.is_empty() {
        if let Some(length) = date_length(rest) {
            out.push_str("$DATE");
            rest = &rest[length..];
            continue;
        }
        let length = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
        let (word, behind) = rest.split_at(length);
        match class(word) {
            Some(Class::Seconds) => out.push_str("$TIME"),
            Some(Class::Milliseconds) => out.push_str("$TIME_MS"),
            Some(Class::Id) => out.push_str(&format!("$ID{}", ids.of(word))),
            Some(Class::Commit) => out.push_str(&format!("$COMMIT{}", commits.of(word))),
            None => out.push_str(word),
        }
        // What is between two words is copied up to the next one.
        let gap = behind.find(is_word).unwrap_or(behind.len());
        out.push_str(&behind[..gap]);
        rest = &behind[gap..];
    }
    out
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

enum Class {
    Seconds,
    Milliseconds,
    Id,
    Commit,
}

/// What a whole word is. Digits alone can be a random name as well.
fn class(word: &str) -> Option<Class> {
    let digits = word.bytes().all(|b| b.is_ascii_digit());
    let hex = word.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    // 2020-01-01 and 2100-01-01.
    let plausible = |seconds: u64| (1_577_836_800..4_102_444_800).contains(&seconds);
    match word.len() {
        10 if digits => plausible(word.parse().ok()?).then_some(Class::Seconds),
        13 if digits => {
            let milliseconds: u64 = word.parse().ok()?;
            plausible(milliseconds / 1000).then_some(Class::Milliseconds)
        }
        16 if hex => Some(Class::Id),
        40 if hex => Some(Class::Commit),
        _ => None,
    }
}

/// The length of a point in time in the form of RFC 3339, in UTC, at the start of the text.
fn date_length(text: &str) -> Option<usize> {
    const FORM: &[u8] = b"dddd-dd-ddTdd:dd:dd";
    let bytes = text.as_bytes();
    let head = bytes.get(..FORM.len())?;
    let fits = head.iter().zip(FORM).all(|(byte, form)| match form {
        b'd' => byte.is_ascii_digit(),
        other => byte == other,
    });
    if !fits {
        return None;
    }
    let mut end = FORM.len();
    if bytes.get(end) == Some(&b'.') {
        let digits = bytes[end + 1..].iter().take_while(|b| b.is_ascii_digit());
        end += 1 + digits.count();
    }
    (bytes.get(end) == Some(&b'Z')).then_some(end + 1)
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;
    use serde_json::json;

    use super::{filter, filter_json, replace_tokens};
    use crate::Sandbox;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        assert_eq!(replace_tokens(text), expected);
    }

    #[test]
    fn times() {
        check("at 1763687312, ok", "at $TIME, ok");
        check("{\"t\":1763687312123}", "{\"t\":$TIME_MS}");
        check("2026-11-21T01:09:00Z", "$DATE");
        check("x 2026-11-21T01:09:00.123456Z.", "x $DATE.");
        check("2026-11-21T01:09:00+02:00", "2026-11-21T01:09:00+02:00");
        check("2026-11-21", "2026-11-21");
    }

    #[test]
    fn numbers_that_are_no_time_stay() {
        check(
            "1048576000 9999999999 1763687312a",
            "1048576000 9999999999 1763687312a",
        );
        check("17636873123 0 64", "17636873123 0 64");
    }

    #[test]
    fn names_are_numbered_by_first_appearance() {
        check(
            "a/00ff00ff00ff00ff b/0123456789abcdef a/00ff00ff00ff00ff",
            "a/$ID1 b/$ID2 a/$ID1",
        );
        check(".plugd-0123456789abcdef.json", ".plugd-$ID1.json");
        let commit = "da39a3ee5e6b4b0d3255bfef95601890afd80709";
        check(&format!("\"{commit}\""), "\"$COMMIT1\"");
    }

    #[test]
    fn digests_and_other_words_stay() {
        let digest = format!("sha256:{}", "ab".repeat(32));
        check(&digest, &digest);
        check(
            "0123456789ABCDEF 0123456789abcde",
            "0123456789ABCDEF 0123456789abcde",
        );
        check(
            "x0123456789abcdef _0123456789abcdef",
            "x0123456789abcdef _0123456789abcdef",
        );
        check("", "");
        check("süß \u{1F980}/é\n", "süß \u{1F980}/é\n");
    }

    #[test]
    fn the_root_is_hidden_in_text_and_in_json() {
        let sandbox = Sandbox::new();
        let text = format!("cannot read `{}/ch/config.toml`", sandbox.root());
        assert_eq!(
            filter(&text, &sandbox),
            "cannot read `$ROOT/ch/config.toml`"
        );
        let value = json!({"path": sandbox.root().to_text(), "at": 1_763_687_312});
        let expected = "{\n  \"at\": $TIME,\n  \"path\": \"$ROOT\"\n}";
        assert_eq!(filter_json(&value, &sandbox), expected);
    }
}
