//! How deeply a JSON text is nested, counted on its bytes.
//!
//! A decoder that skips over a value does not count what is inside it, so whoever splits a text
//! lazily asks here first.

/// The offset of the first bracket that opens more than `limit` levels; `None` when all of the
/// text is within the limit.
///
/// Brackets inside strings are text. The answer means something for broken JSON too: what is too
/// deep up to its mistake is too deep.
#[must_use]
pub fn too_deep(json: &[u8], limit: usize) -> Option<usize> {
    let mut depth = 0_usize;
    let mut in_string = false;
    let mut escaped = false;
    for (offset, &byte) in json.iter().enumerate() {
        if in_string {
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'"' => in_string = false,
                _ => {}
            }
            continue;
        }
        match byte {
            b'"' => in_string = true,
            b'{' | b'[' => {
                depth += 1;
                if depth > limit {
                    return Some(offset);
                }
            }
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    None
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
    }
}
