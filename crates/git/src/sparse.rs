//! Which part of a commit is wanted: paths from its root, each with everything below, and the files
//! that lie directly in every directory above one, as git itself checks out directories.

/// Wanted paths; none means all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sparse(Vec<String>);

impl Sparse {
    /// Everything.
    pub(crate) fn all() -> Self {
        Self(Vec::new())
    }

    /// Takes relative paths; `None` when one of them climbs, is absolute or empty.
    pub(crate) fn new(paths: &[String]) -> Option<Self> {
        paths
            .iter()
            .map(|path| relative(path))
            .collect::<Option<Vec<_>>>()
            .map(Self)
    }

    /// The paths, in their plain form.
    pub(crate) fn paths(&self) -> &[String] {
        &self.0
    }

    /// Whether everything is wanted.
    pub(crate) fn is_all(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether a file at this path is wanted.
    pub(crate) fn takes(&self, path: &str) -> bool {
        match path.rsplit_once('/') {
            Some((dir, _)) => self.holds(path) || self.enters(dir),
            None => true,
        }
    }

    /// Whether something in a directory at this path is wanted.
    pub(crate) fn enters(&self, path: &str) -> bool {
        self.holds(path) || self.0.iter().any(|wanted| is_below(wanted, path))
    }

    /// Whether everything at this path is wanted. A repository inside this one counts as a directory.
    pub(crate) fn holds(&self, path: &str) -> bool {
        self.0.is_empty() || self.0.iter().any(|wanted| is_below(path, wanted))
    }
}

fn is_below(path: &str, top: &str) -> bool {
    path.strip_prefix(top)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// A relative path in its plain form; `None` when it climbs, is absolute or empty.
pub(crate) fn relative(path: &str) -> Option<String> {
    if path.starts_with('/') || path.contains(['\\', '\0']) {
        return None;
    }
    let parts: Vec<&str> = path
        .split('/')
        .filter(|part| !matches!(*part, "" | "."))
        .collect();
    let legal = !parts.is_empty() && !parts.contains(&"..");
    legal.then(|| parts.join("/"))
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::{Sparse, relative};

    #[test]
    fn a_path_takes_everything_below_and_nothing_beside() {
        let sparse = Sparse::new(&["plugins/a".to_owned(), "./x.json".to_owned()]).unwrap();
        let check = |path: &str, takes: bool, enters: bool| {
            assert_eq!(
                (sparse.takes(path), sparse.enters(path)),
                (takes, enters),
                "{path}"
            );
        };
        check("plugins/a/b", true, true);
        check("plugins/a", true, true);
        check("x.json", true, true);
        check("plugins/ab/c", false, false);
        check("plug/c", false, false);
        // A file of the root, or of a directory above a wanted path, is wanted.
        check("plug", true, false);
        check("plugins", true, true);
        check("plugins/ab", true, false);
    }

    #[test]
    fn no_path_takes_everything() {
        assert!(Sparse::new(&[]).unwrap().takes("a/b"));
    }

    #[test]
    fn paths_stay_below_the_root() {
        assert_eq!(relative("./a//b/").as_deref(), Some("a/b"));
        for bad in ["", ".", "/", "/a", "../a", "a/../b", "a\\b"] {
            assert_eq!(relative(bad), None, "{bad}");
        }
    }
}
