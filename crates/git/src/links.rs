//! Which symbolic links of a repository may be made.
//!
//! The rule is one that text alone can prove: a relative target, climbing only at its beginning and
//! not above the root. A `..` behind a name could step out of wherever a second link leads, so it is
//! refused although it may be harmless.

/// Longest target that is looked at.
pub(crate) const MAX_TARGET: usize = 4096;

/// Whether a link at `path` (relative to the root, with `/`) may have this target.
pub(crate) fn stays_inside(path: &str, target: &str) -> bool {
    if target.is_empty() || target.starts_with('/') || target.contains(['\\', '\0', ':']) {
        return false;
    }
    let depth = path.matches('/').count();
    let mut climbed = 0;
    let mut named = false;
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." if named => return false,
            ".." => climbed += 1,
            _ => named = true,
        }
    }
    climbed <= depth && named
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::stays_inside;

    #[track_caller]
    fn check(path: &str, target: &str, expected: bool) {
        assert_eq!(stays_inside(path, target), expected, "{path} -> {target}");
    }

    #[test]
    fn a_link_stays_when_its_text_proves_it() {
        check("a", "b", true);
        check("a", "./b/c", true);
        check("d/a", "../b", true);
        check("d/e/a", "../../b", true);
    }

    #[test]
    fn a_link_that_may_leave_is_refused() {
        check("a", "../b", false);
        check("d/a", "../../b", false);
        check("a", "/etc/passwd", false);
        check("a", "b/../../c", false);
        check("a", "b/../c", false);
        check("a", "", false);
        check("d/a", "..", false);
        check("a", "c:\\x", false);
        check("a", ".", false);
    }
}
