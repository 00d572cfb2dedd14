//! What below a watched tree is of no interest.
//!
//! Without it the daemon would hear its own work: a lock, a journal or a temporary file would give a
//! hint, the hint would be answered by reading again, and so on without end.
//!
//! A root itself is never excluded: whoever names it wants it.

use std::ffi::{OsStr, OsString};
use std::path::Path;

use plugd_disk::{Disk, is_temporary};
use plugd_model::AbsPath;

/// Places and names that are skipped below a tree. The temporary files of [`plugd_disk`] are always
/// skipped, so they need not be named.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Exclusions {
    places: Vec<AbsPath>,
    names: Vec<OsString>,
}

impl Exclusions {
    /// Nothing but our temporary files.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// The same, and one path with everything below it.
    #[must_use]
    pub fn place(mut self, path: AbsPath) -> Self {
        self.places.push(path);
        self
    }

    /// The same, and every entry of this name, with everything below it.
    #[must_use]
    pub fn name(mut self, name: impl Into<OsString>) -> Self {
        self.names.push(name.into());
        self
    }

    /// The same with each place also in the spelling without links, which is the one that the system
    /// uses.
    pub(crate) fn resolved(&self, disk: &Disk) -> Self {
        let mut places = self.places.clone();
        places.extend(self.places.iter().filter_map(|place| resolve(disk, place)));
        places.sort();
        places.dedup();
        Self {
            places,
            names: self.names.clone(),
        }
    }

    /// Whether an entry of a directory is skipped.
    pub(crate) fn skip(&self, path: &AbsPath, name: &OsStr) -> bool {
        self.skip_name(name) || self.places.iter().any(|place| path.starts_with(place))
    }

    /// Whether a path is skipped that lies below a watched directory by these components.
    pub(crate) fn skip_below(&self, path: &Path, below: &Path) -> bool {
        below.iter().any(|name| self.skip_name(name))
            || self.places.iter().any(|place| path.starts_with(place))
    }

    fn skip_name(&self, name: &OsStr) -> bool {
        name.to_str().is_some_and(is_temporary) || self.names.iter().any(|one| one == name)
    }
}

/// The path with the links of what exists of it resolved.
fn resolve(disk: &Disk, path: &AbsPath) -> Option<AbsPath> {
    path.ancestors().find_map(|ancestor| {
        let resolved = disk.resolve(&ancestor).ok()?;
        let rest = path.as_path().strip_prefix(&ancestor).ok()?;
        Some(resolved.join(rest))
    })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use plugd_model::AbsPath;

    use super::Exclusions;

    #[track_caller]
    fn check(below: &str, skipped: bool) {
        let state = AbsPath::new("/home/plugins/.plugd").unwrap();
        let exclusions = Exclusions::none().place(state).name(".git");
        let path = Path::new("/home/plugins").join(below);
        let found = exclusions.skip_below(&path, Path::new(below));
        assert_eq!(found, skipped, "{below}");
    }

    #[test]
    fn places_names_and_temporary_files_are_skipped() {
        check(".plugd", true);
        check(".plugd/journal/a.json", true);
        check(".plugdata", false);
        check(".git/HEAD", true);
        check("a/.git", true);
        check("a/.gitignore", false);
        check(".plugd-0123456789abcdef", true);
        check("cache/m/p/1.0.0", false);
    }
}
