//! Absolute paths as a type of their own.
//!
//! A relative path means something else in every process, so the boundary (a request, a config
//! file, the environment) turns text into an [`AbsPath`] once and nobody behind it asks again.
//! The type lives with the values and not with the file code because [`crate::Layout`] is made of
//! such paths and must not be able to touch a disk.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::hash::{Hash, Hasher};
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

/// An absolute path without `.` and `..` components; links in it are not resolved.
///
/// Its copies share the text: a listing names each plugin's directory in half a dozen places.
#[derive(Debug, Clone, Eq, PartialOrd, Ord)]
pub struct AbsPath(Arc<Path>);

impl PartialEq for AbsPath {
    fn eq(&self, other: &Self) -> bool {
        self.identity() == other.identity()
    }
}

impl Hash for AbsPath {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.identity().hash(state);
    }
}

/// A path that was expected to be absolute and is not.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an absolute path")]
pub struct NotAbsolute(pub String);

impl AbsPath {
    /// Takes an absolute path and normalises it lexically: `/a/./b/../c/` becomes `/a/c`.
    ///
    /// # Errors
    /// The path is relative, empty, or holds a NUL byte.
    pub fn new(path: impl AsRef<Path>) -> Result<Self, NotAbsolute> {
        let path = path.as_ref();
        let refuse = || NotAbsolute(path.display().to_string());
        if !path.is_absolute() || path.as_os_str().as_encoded_bytes().contains(&0) {
            return Err(refuse());
        }
        Ok(Self(normalise(path).into()))
    }

    /// Appends a relative path. Components that climb stop at the root; callers that take the
    /// relative part from a stranger check containment themselves.
    #[must_use]
    pub fn join(&self, relative: impl AsRef<Path>) -> Self {
        let relative = relative.as_ref();
        // Joining is done for every file that is looked at, and almost never leaves anything to do.
        match is_plain(relative) {
            true => Self(self.followed_by(relative).into()),
            false => Self(normalise(&self.0.join(relative)).into()),
        }
    }

    /// As the standard library joins a plain path, in one piece of memory that is made for both.
    fn followed_by(&self, plain: &Path) -> PathBuf {
        let (path, plain) = (self.0.as_os_str(), plain.as_os_str());
        let mut joined = OsString::with_capacity(path.len() + 1 + plain.len());
        joined.push(path);
        // The root ends in it.
        if !path.as_encoded_bytes().ends_with(b"/") {
            joined.push("/");
        }
        joined.push(plain);
        joined.into()
    }

    /// The directory that holds this path; `None` for the root.
    #[must_use]
    pub fn parent(&self) -> Option<Self> {
        self.0.parent().map(|parent| Self(parent.into()))
    }

    /// The last component, or nothing for the root.
    #[must_use]
    pub fn file_name(&self) -> Option<&OsStr> {
        self.0.file_name()
    }

    /// This path and its ancestors, deepest first.
    pub fn ancestors(&self) -> impl Iterator<Item = Self> + '_ {
        self.0.ancestors().map(|path| Self(path.into()))
    }

    /// Whether this path is `other` or lies below it, compared by components.
    #[must_use]
    pub fn starts_with(&self, other: &Self) -> bool {
        self.0.starts_with(&other.0)
    }

    /// Whether `dir` is the directory that holds this path, without a copy of its name.
    #[must_use]
    pub fn is_right_in(&self, dir: &Self) -> bool {
        let [path, dir] = [self, dir].map(|path| path.0.as_os_str().as_encoded_bytes());
        let is_separator = |byte: &u8| std::path::is_separator(char::from(*byte));
        let Some(rest) = path.strip_prefix(dir) else {
            return false;
        };
        // The root alone ends in the separator that others have behind them.
        let name = match (dir.last().is_some_and(is_separator), rest) {
            (true, name) => name,
            (false, [first, name @ ..]) if is_separator(first) => name,
            (false, _) => return false,
        };
        !name.is_empty() && !name.iter().any(is_separator)
    }

    /// A path that is normal has one spelling, so its text says everything. The standard library goes through
    /// its components, which was a third of a listing.
    #[cfg(unix)]
    fn identity(&self) -> &OsStr {
        self.0.as_os_str()
    }

    /// Other systems spell the beginning of a path in several ways.
    #[cfg(not(unix))]
    fn identity(&self) -> &Path {
        &self.0
    }

    /// The path as the standard library wants it.
    #[must_use]
    pub fn as_path(&self) -> &Path {
        &self.0
    }

    /// The path for messages and for the wire; bytes that are no text become replacement marks.
    #[must_use]
    pub fn to_text(&self) -> String {
        self.0.to_string_lossy().into_owned()
    }
}

impl AsRef<Path> for AbsPath {
    fn as_ref(&self) -> &Path {
        &self.0
    }
}

impl fmt::Display for AbsPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.display().fmt(f)
    }
}

/// Whether a path consists of names with one separator between them, so that nothing about it is to be
/// made normal.
#[cfg(unix)]
fn is_plain(relative: &Path) -> bool {
    let mut names = relative
        .as_os_str()
        .as_encoded_bytes()
        .split(|byte| *byte == b'/');
    names.all(|name| !matches!(name, b"" | b"." | b".."))
}

/// Other systems have separators and prefixes that only the standard library knows.
#[cfg(not(unix))]
fn is_plain(_: &Path) -> bool {
    false
}

fn normalise(path: &Path) -> PathBuf {
    let mut out = PathBuf::with_capacity(path.as_os_str().len());
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => {
                // `pop` on the root does nothing, which is what the system does with `/..`.
                out.pop();
            }
            other => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::AbsPath;

    #[test]
    fn normalises_without_touching_links() {
        let path = AbsPath::new("/a/./b/../c/").unwrap();
        assert_eq!(path.to_text(), "/a/c");
        assert_eq!(path.join("../../../x").to_text(), "/x");
    }

    #[test]
    fn what_is_appended_becomes_normal() {
        let check = |relative: &str, expected: &str| {
            let path = AbsPath::new("/a/b").unwrap().join(relative);
            assert_eq!(path.to_text(), expected, "{relative}");
            assert_eq!(path, AbsPath::new(expected).unwrap());
        };
        check("c", "/a/b/c");
        check(".c/..d/e..", "/a/b/.c/..d/e..");
        check("", "/a/b");
        check("./c", "/a/b/c");
        check("c/", "/a/b/c");
        check("c//d", "/a/b/c/d");
        check("c/../d", "/a/b/d");
        check("..", "/a");
        check("/x/./y", "/x/y");
        assert_eq!(AbsPath::new("/").unwrap().join("a").to_text(), "/a");
    }

    #[test]
    fn refuses_what_is_not_absolute() {
        for bad in ["", ".", "a/b", "~/x", "/a\0b"] {
            assert!(AbsPath::new(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn containment_goes_by_components() {
        let root = AbsPath::new("/a/b").unwrap();
        assert!(AbsPath::new("/a/b/c").unwrap().starts_with(&root));
        assert!(!AbsPath::new("/a/bc").unwrap().starts_with(&root));
        let is_right_in = |path: &str, dir: &str| {
            let path = AbsPath::new(path).unwrap();
            path.is_right_in(&AbsPath::new(dir).unwrap())
        };
        assert!(is_right_in("/a/b", "/a"));
        assert!(is_right_in("/a", "/"));
        assert!(!is_right_in("/a/b/c", "/a"));
        assert!(!is_right_in("/a/b", "/a/b"));
        assert!(!is_right_in("/", "/"));
    }
}
