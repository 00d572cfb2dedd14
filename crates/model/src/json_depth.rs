//! How deeply a JSON text is nested, counted on its bytes.
//!
//! A decoder that skips over a value does not count what is inside it, so whoever splits a text
//! lazily asks here first.

use memchr::memchr2;

/// The offset of the first bracket that opens more than `limit` levels; `None` when all of the
/// text is within the limit.
///
/// Brackets inside strings are text. The answer means something for broken JSON too: what is too
/// deep up to its mistake is too deep.
#[must_use]
pub fn too_deep(json: &[u8], limit: usize) -> Option<usize> {
    let mut depth = 0_usize;
    let mut at = 0;
    while let Some(&byte) = json.get(at) {
        match byte {
            b'"' => at = end_of_string(json, at + 1),
            b'{' | b'[' => {
                depth += 1;
                if depth > limit {
                    return Some(at);
                }
            }
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        at += 1;
    }
    None
}

/// Where a string ends whose text begins at `at`. Most bytes of a manifest are in strings, so they are
/// not looked at one by one.
fn end_of_string(json: &[u8], mut at: usize) -> usize {
    while let Some(found) = memchr2(b'"', b'\\', json.get(at..).unwrap_or_default()) {
        at += found;
        match json.get(at) {
            Some(b'\\') => at += 2,
            _ => return at,
        }
    }
    json.len()
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::too_deep;

    #[track_caller]
    fn check(json: &str, limit: usize, expected: Option<usize>) {
        assert_eq!(too_deep(json.as_bytes(), limit), expected, "{json}");
    }

    #[test]
    fn objects_and_arrays_count_alike() {
        check("1", 0, None);
        check("[]", 0, Some(0));
        check("[{}]", 2, None);
        check("[{}]", 1, Some(1));
        check("{\"a\": [1], \"b\": [[]]}", 2, Some(17));
    }

    #[test]
    fn neighbours_do_not_add_up() {
        check("[[],[],[]]", 2, None);
        check("]]][[", 2, None);
        check("]]][[", 1, Some(4));
    }

    #[test]
    fn brackets_in_strings_are_text() {
        check(r#"["[[[", "\"[[[", "\\"]"#, 1, None);
        check(r#"["\\", [1]]"#, 1, Some(7));
        check(r#"[["a"], "\u0022[", ["\\\"["]]"#, 2, None);
    }

    #[test]
    fn a_string_without_an_end_is_all_text() {
        check(r#"["[[["#, 1, None);
        check("[\"[[[\\", 1, None);
        check("[\"\\\"", 1, None);
        check("\"", 0, None);
    }
}
