//! The syntax of an npmrc: lines of `key = value` with comments, quotes and variables.
//!
//! What a key means is decided in `registries`. A value may be a secret, so nothing here has a
//! `Debug` text, and no problem repeats a value.

use plugd_model::Environment;
use plugd_model::Place;

/// A line of an npmrc, or a variable that stands for one.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Setting {
    pub(crate) key: String,
    pub(crate) value: Value,
    /// Where it stands; none for a variable.
    pub(crate) place: Option<Place>,
}

/// A value with its variables filled in.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Value {
    pub(crate) text: String,
    /// The first variable in it that is not set; its name still stands in the text.
    pub(crate) unset: Option<String>,
}

/// Reads the lines of a file. A line that cannot be read is none: npm takes it for a switch.
pub(crate) fn parse(text: &str, environment: &Environment) -> Vec<Setting> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut settings = Vec::new();
    let mut offset = 0;
    for whole in text.split_inclusive('\n') {
        let line = whole.trim();
        let start = offset;
        offset += whole.len();
        if line.starts_with('[') && line.ends_with(']') {
            // What stands below a heading is no setting of npm's own.
            break;
        }
        if line.is_empty() || line.starts_with([';', '#']) {
            continue;
        }
        let Some((key, value)) = line.split_once('=') else {
            continue;
        };
        let key = filled(&plain(key), environment).text;
        settings.push(Setting {
            key,
            value: filled(&plain(value), environment),
            place: Some(Place::of_offset(text.as_bytes(), start)),
        });
    }
    settings
}

/// The settings that variables stand for, such as `npm_config_registry`. They win over a file.
pub(crate) fn of_variables(environment: &Environment) -> Vec<Setting> {
    let mut settings = Vec::new();
    for (name, value) in &environment.vars {
        let Some((name, value)) = name.to_str().zip(value.to_str()) else {
            continue;
        };
        let Some(key) = key_of_variable(name).filter(|_| !value.is_empty()) else {
            continue;
        };
        settings.push(Setting {
            key,
            value: filled(value.trim(), environment),
            place: None,
        });
    }
    settings
}

/// The key that a variable sets. Underscores stand for hyphens, except in a key for one address.
fn key_of_variable(name: &str) -> Option<String> {
    const PREFIX: &str = "npm_config_";
    let front = name.get(..PREFIX.len())?;
    let key = name.get(PREFIX.len()..).filter(|key| !key.is_empty())?;
    if !front.eq_ignore_ascii_case(PREFIX) {
        return None;
    }
    if key.starts_with("//") {
        return Some(key.to_owned());
    }
    let (first, rest) = key.split_at(key.chars().next()?.len_utf8());
    Some(format!("{first}{}", rest.replace('_', "-")).to_lowercase())
}

/// Takes quotes, escapes and comments out of a key or value.
fn plain(text: &str) -> String {
    let text = text.trim();
    if let Some(inner) = inside(text, '\'') {
        return inner.to_owned();
    }
    if inside(text, '"').is_some()
        && let Ok(text) = serde_json::from_str(text)
    {
        return text;
    }
    let mut out = String::with_capacity(text.len());
    let mut escaped = false;
    for c in text.chars() {
        match c {
            '\\' | ';' | '#' if escaped => out.push(c),
            _ if escaped => out.extend(['\\', c]),
            ';' | '#' => break,
            '\\' => {}
            _ => out.push(c),
        }
        escaped = c == '\\' && !escaped;
    }
    if escaped {
        out.push('\\');
    }
    out.trim().to_owned()
}

fn inside(text: &str, quote: char) -> Option<&str> {
    text.strip_prefix(quote)?.strip_suffix(quote)
}

/// Fills in `${NAME}`, and `${NAME?}`, which is nothing where the variable is not set. A backslash in
/// front takes the meaning away.
fn filled(text: &str, environment: &Environment) -> Value {
    let mut out = String::with_capacity(text.len());
    let mut unset = None;
    let mut rest = text;
    while let Some(start) = rest.find("${") {
        let (front, after) = rest.split_at(start);
        let Some((name, behind)) = after[2..].split_once('}') else {
            break;
        };
        if name.is_empty() || name.contains(['$', '{']) {
            out.push_str(front);
            out.push_str("${");
            rest = &after[2..];
            continue;
        }
        let reference = &after[..after.len() - behind.len()];
        rest = behind;
        if let Some(front) = front.strip_suffix('\\') {
            out.push_str(front);
            out.push_str(reference);
            continue;
        }
        out.push_str(front);
        let (name, is_optional) = match name.strip_suffix('?') {
            Some(name) => (name, true),
            None => (name, false),
        };
        match environment.var(name) {
            Some(value) => out.push_str(&value.to_string_lossy()),
            None if is_optional => {}
            None => {
                out.push_str(reference);
                unset.get_or_insert_with(|| name.to_owned());
            }
        }
    }
    out.push_str(rest);
    Value { text: out, unset }
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::{of_variables, parse};
    use crate::fixture::environment;

    const VARS: &[(&str, &str)] = &[("A", "one"), ("B_2", "two"), ("EMPTY", "")];

    /// A row for each setting: key, value, and the variable that is missing.
    #[track_caller]
    fn check(text: &str, expected: &[(&str, &str, &str)]) {
        let settings = parse(text, &environment(VARS));
        let rows: Vec<_> = settings
            .iter()
            .map(|one| {
                let unset = one.value.unset.as_deref().unwrap_or_default();
                (one.key.as_str(), one.value.text.as_str(), unset)
            })
            .collect();
        assert_eq!(rows, expected, "{text:?}");
    }

    #[test]
    fn lines_of_keys_and_values() {
        check("", &[]);
        check("a=b", &[("a", "b", "")]);
        check(
            "\u{feff} a = b \r\n\n;x=y\n#x=y\nswitch\nc=d=e",
            &[("a", "b", ""), ("c", "d=e", "")],
        );
        check("a=b\n[heading]\nc=d", &[("a", "b", "")]);
        check("//h/:_authToken=x", &[("//h/:_authToken", "x", "")]);
    }

    #[test]
    fn quotes_and_comments() {
        check("a = \"b # c\" ", &[("a", "b # c", "")]);
        check("a = 'b ; c'", &[("a", "b ; c", "")]);
        check("a = b # c", &[("a", "b", "")]);
        check("a = b;c", &[("a", "b", "")]);
        check(r"a = b\;c\#d\\e\f\", &[("a", r"b;c#d\e\f\", "")]);
        check("a = \"", &[("a", "\"", "")]);
    }

    #[test]
    fn variables_are_filled_in() {
        check("a=${A}-${B_2}", &[("a", "one-two", "")]);
        check("//${A}/:x=${A}", &[("//one/:x", "one", "")]);
        check("a=x${NONE}y${ALSO}", &[("a", "x${NONE}y${ALSO}", "NONE")]);
        check("a=x${EMPTY}", &[("a", "x${EMPTY}", "EMPTY")]);
        check("a=x${NONE?}y", &[("a", "xy", "")]);
        check(r"a=\${A}", &[("a", "${A}", "")]);
        check("a=${}${A", &[("a", "${}${A", "")]);
        check("a=${x${A}}", &[("a", "${xone}", "")]);
        check("a=$A", &[("a", "$A", "")]);
    }

    #[test]
    fn the_place_of_a_line() {
        let settings = parse("a=1\n\n  b=2", &environment(&[]));
        let lines: Vec<_> = settings
            .iter()
            .map(|one| one.place.map(|place| place.line))
            .collect();
        assert_eq!(lines, [Some(1), Some(3)]);
    }

    #[test]
    fn variables_that_are_settings() {
        let vars = [
            ("NPM_CONFIG_REGISTRY", "https://a/"),
            ("npm_config_//h/x_y/:_authToken", "${A}"),
            ("npm_config_strict_ssl", "false"),
            ("npm_config_empty", ""),
            ("npm_config_", "x"),
            ("other", "x"),
            ("A", "one"),
        ];
        let mut rows: Vec<_> = of_variables(&environment(&vars))
            .into_iter()
            .map(|one| (one.key, one.value.text))
            .collect();
        rows.sort();
        let expected = [
            ("//h/x_y/:_authToken", "one"),
            ("registry", "https://a/"),
            ("strict-ssl", "false"),
        ];
        assert_eq!(
            rows,
            expected.map(|(key, value)| (key.to_owned(), value.to_owned()))
        );
    }
}
