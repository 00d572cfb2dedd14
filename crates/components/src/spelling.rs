//! Typing errors: a member that nobody reads and that is almost one that is read.
//!
//! A member that is merely unknown is nobody's mistake: formats grow, and other hosts read more than
//! this one. Only what is likely meant as a known member is worth a word.

/// The longest name that is compared. A longer one is no misspelling.
const MAX_NAME: usize = 40;

/// The known name that an unknown one is likely meant to be.
///
/// Nothing for a name that is known itself. Case, `_` and `-` do not count; beside that one typing
/// error is forgiven, and two in a name of at least seven letters.
#[must_use]
pub fn meant<'k>(name: &str, known: &[&'k str]) -> Option<&'k str> {
    if name.len() > MAX_NAME || known.contains(&name) {
        return None;
    }
    let folded = fold(name);
    let allowed = match folded.len() {
        0..=2 => 0,
        3..=6 => 1,
        _ => 2,
    };
    // Each letter more or less is an error of its own, which spares most candidates a comparison.
    let is_near = |candidate: &Vec<char>| candidate.len().abs_diff(folded.len()) <= allowed;
    known
        .iter()
        .map(|candidate| (fold(candidate), *candidate))
        .filter(|(candidate, _)| is_near(candidate))
        .map(|(near, candidate)| (distance(&folded, &near), candidate))
        .filter(|(distance, _)| *distance <= allowed)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// A name as it is compared.
pub(crate) fn fold(name: &str) -> Vec<char> {
    name.chars()
        .filter(|c| !matches!(c, '_' | '-'))
        .map(|c| c.to_ascii_lowercase())
        .collect()
}

/// How many letters must be added, removed, changed or swapped with their neighbour.
fn distance(a: &[char], b: &[char]) -> usize {
    let mut before_last = vec![0; b.len() + 1];
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut row = vec![i + 1; b.len() + 1];
        for (j, y) in b.iter().enumerate() {
            let changed = last[j] + usize::from(x != y);
            row[j + 1] = changed.min(last[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && *x == b[j - 1] && a[i - 1] == *y {
                row[j + 1] = row[j + 1].min(before_last[j - 1] + 1);
            }
        }
        before_last = last;
        last = row;
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::meant;

    const KNOWN: &[&str] = &[
        "name",
        "command",
        "args",
        "env",
        "statusMessage",
        "http_headers",
    ];

    #[track_caller]
    fn check(name: &str, expected: Option<&str>) {
        assert_eq!(meant(name, KNOWN), expected, "{name}");
    }

    #[test]
    fn typing_errors() {
        check("comand", Some("command"));
        check("commadn", Some("command"));
        check("commnad", Some("command"));
        check("Command", Some("command"));
        check("arg", Some("args"));
        check("agrs", Some("args"));
        check("nmae", Some("name"));
        check("status_message", Some("statusMessage"));
        check("statusMesage", Some("statusMessage"));
        check("httpHeaders", Some("http_headers"));
        check("envs", Some("env"));
    }

    #[test]
    fn other_words_are_left_alone() {
        for name in ["name", "title", "en", "x", "", "model", "author", "hooks"] {
            check(name, None);
        }
        check(&"command".repeat(20), None);
    }
}
