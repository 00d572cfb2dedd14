//! A temporary world for one test.
//!
//! ```text
//! ROOT/home   HOME
//! ROOT/ch     CODEX_HOME
//! ROOT/work   the working directory
//! ROOT/tmp    TMPDIR
//! ROOT/bin    first in PATH, for programs that a fixture brings along
//! ROOT/etc    the administrator's directory, for tests in process only: no variable moves it
//! ```
//!
//! The first four exist from the start. Everything goes when the last clone of the sandbox and the
//! last process in it are gone.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use plugd_model::{AbsPath, Layout};
use tempfile::TempDir;

use crate::fixture::Fixture;
use crate::on_disk::{expand, set_mode};
use crate::{must, tree};

/// So long removals are waited for at most.
const SWEEPING: Duration = Duration::from_secs(10);

/// Where Linux keeps a file system in memory for everybody.
const MEMORY: &str = "/dev/shm";

/// A temporary directory with a home, a `CODEX_HOME` and whatever a fixture puts beside them.
///
/// A clone is the same sandbox, not a copy. Methods take paths relative to the root and panic at
/// the caller's place when the system refuses.
#[derive(Debug, Clone)]
pub struct Sandbox {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    root: AbsPath,
    _dir: TempDir,
}

impl Sandbox {
    /// A sandbox without anything but its directories.
    #[must_use]
    #[track_caller]
    pub fn new() -> Self {
        must(Self::create(None))
    }

    /// The same on a file system in memory where there is one: for tests of very many small worlds,
    /// in which every sync of a real disk would be waited for.
    #[must_use]
    #[track_caller]
    pub fn in_memory() -> Self {
        let place = Path::new(MEMORY);
        must(Self::create(Some(place)).or_else(|_| Self::create(None)))
    }

    /// A sandbox with the tree of a fixture; see [`Fixture`] for the language.
    #[must_use]
    #[track_caller]
    pub fn from(fixture: &str) -> Self {
        let sandbox = Self::new();
        sandbox.add(fixture);
        sandbox
    }

    fn create(place: Option<&Path>) -> Result<Self> {
        let mut builder = tempfile::Builder::new();
        let builder = builder.prefix("plugd-");
        let dir = match place {
            Some(place) => builder.tempdir_in(place),
            None => builder.tempdir(),
        };
        let dir = dir.context("cannot make a temporary directory")?;
        // Where the temporary directory is a link, the program would answer with another path.
        let root = AbsPath::new(fs::canonicalize(dir.path())?)?;
        for name in ["home", "ch", "cwd", "tmp"] {
            let path = root.join(name);
            fs::create_dir(&path)?;
            set_mode(path.as_path(), 0o755)?;
        }
        let shared = Arc::new(Shared { root, _dir: dir });
        Ok(Self { shared })
    }

    /// The directory that holds everything, without links in its path.
    #[must_use]
    pub fn root(&self) -> &AbsPath {
        &self.shared.root
    }

    /// A path below the root.
    #[must_use]
    pub fn path(&self, relative: impl AsRef<Path>) -> AbsPath {
        self.root().join(relative)
    }

    /// `HOME`.
    #[must_use]
    pub fn home(&self) -> AbsPath {
        self.path("home")
    }

    /// `CODEX_HOME`.
    #[must_use]
    pub fn codex_home(&self) -> AbsPath {
        self.path("ch")
    }

    /// The working directory.
    #[must_use]
    pub fn cwd(&self) -> AbsPath {
        self.path("cwd")
    }

    /// The administrator's directory of tests in process; it does not exist unless a fixture
    /// makes it.
    #[must_use]
    pub fn system_dir(&self) -> AbsPath {
        self.path("etc")
    }

    /// Every path of the program in this sandbox.
    #[must_use]
    pub fn layout(&self) -> Layout {
        Layout::new(self.codex_home(), self.system_dir())
    }

    /// The text with this sandbox's root in the place of `$ROOT`.
    #[must_use]
    pub fn expand(&self, text: &str) -> String {
        expand(text, self.root())
    }

    /// Adds the tree of a fixture: its items replace what stands at their paths.
    #[track_caller]
    pub fn add(&self, fixture: &str) {
        must(Fixture::parse(fixture).and_then(|fixture| fixture.write_to(self.root())));
    }

    /// Writes one file exactly as given, also through a link and into an existing file: the place
    /// for contents that no fixture can hold, and for a change that keeps the inode.
    #[track_caller]
    pub fn write(&self, relative: &str, content: impl AsRef<[u8]>) {
        let path = self.path(relative);
        let result = match path.parent() {
            Some(parent) => fs::create_dir_all(parent),
            None => Ok(()),
        };
        let result = result.and_then(|()| fs::write(&path, content));
        must(result.with_context(|| format!("cannot write `{path}`")));
    }

    /// Waits until the clock of the file system has moved on, so that what is written now has other times
    /// than what was written before: not every system tells two writes of one tick apart.
    #[track_caller]
    pub fn await_tick(&self) {
        let modified = || {
            self.write("tmp/tick", "");
            let tick = fs::metadata(self.path("tmp/tick")).and_then(|tick| tick.modified());
            must(tick.context("cannot tell the time of a file"))
        };
        let before = modified();
        while modified() == before {
            thread::sleep(Duration::from_millis(1));
        }
    }

    /// The content of a file as it is.
    #[must_use]
    #[track_caller]
    pub fn bytes(&self, relative: &str) -> Vec<u8> {
        let path = self.path(relative);
        must(fs::read(&path).with_context(|| format!("cannot read `{path}`")))
    }

    /// The content of a text file, with the root as `$ROOT`.
    #[must_use]
    #[track_caller]
    pub fn text(&self, relative: &str) -> String {
        let path = self.path(relative);
        let text = fs::read_to_string(&path).with_context(|| format!("cannot read `{path}`"));
        self.hide_root(&must(text))
    }

    /// Whether anything stands at a path, a dangling link included.
    #[must_use]
    pub fn exists(&self, relative: &str) -> bool {
        fs::symlink_metadata(self.path(relative)).is_ok()
    }

    /// The permission bits of what a path leads to.
    #[cfg(unix)]
    #[must_use]
    #[track_caller]
    pub fn mode(&self, relative: &str) -> u32 {
        use std::os::unix::fs::PermissionsExt;
        let path = self.path(relative);
        let metadata = fs::metadata(&path).with_context(|| format!("cannot inspect `{path}`"));
        must(metadata).permissions().mode() & 0o7777
    }

    /// There are none here; tests that look at them do so on Unix only.
    #[cfg(not(unix))]
    #[must_use]
    pub fn mode(&self, _relative: &str) -> u32 {
        0
    }

    /// Removes a file, link or whole directory, which must be there: a test that removes nothing
    /// proves nothing.
    #[track_caller]
    pub fn remove(&self, relative: &str) {
        let path = self.path(relative);
        let removed = fs::symlink_metadata(&path).and_then(|found| {
            if found.is_dir() {
                fs::remove_dir_all(&path)
            } else {
                fs::remove_file(&path)
            }
        });
        must(removed.with_context(|| format!("cannot remove `{path}`")));
    }

    /// Renames; both paths are relative to the root.
    #[track_caller]
    pub fn rename(&self, from: &str, to: &str) {
        let (from, to) = (self.path(from), self.path(to));
        let renamed = fs::rename(&from, &to);
        must(renamed.with_context(|| format!("cannot rename `{from}` to `{to}`")));
    }

    /// Prints the tree below a path in the fixture language, with the root as `$ROOT`; `""` means
    /// the whole sandbox. See [`tree`].
    #[must_use]
    #[track_caller]
    pub fn tree(&self, relative: &str) -> String {
        self.hide_root(&tree(&self.path(relative)))
    }

    /// Waits until no transaction of plugd has anything on the disk, at most some seconds: a daemon removes
    /// what a committed one has replaced behind the answer.
    pub fn await_sweeping(&self) {
        let journals = self.path("ch/plugins/.plugd/journal");
        let end = Instant::now() + SWEEPING;
        let is_empty = || {
            let entries = fs::read_dir(journals.as_path());
            entries.map_or(true, |mut entries| entries.next().is_none())
        };
        while !is_empty() && Instant::now() < end {
            thread::sleep(Duration::from_millis(1));
        }
    }

    /// The text with `$ROOT` in the place of this sandbox's root.
    pub(crate) fn hide_root(&self, text: &str) -> String {
        text.replace(&self.root().to_text(), "$ROOT")
    }
}

impl Default for Sandbox {
    /// As [`Sandbox::new`].
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Shared {
    /// Opens directories that a fixture closed, or they could not be removed.
    fn drop(&mut self) {
        open_dirs(self.root.as_path());
    }
}

/// Best effort: what cannot be opened stays behind in the system's temporary directory.
fn open_dirs(dir: &Path) {
    let is_dir = |path: &Path| fs::symlink_metadata(path).is_ok_and(|found| found.is_dir());
    let Ok(entries) = set_mode(dir, 0o755).and_then(|()| fs::read_dir(dir)) else {
        return;
    };
    for entry in entries.flatten() {
        if is_dir(&entry.path()) {
            open_dirs(&entry.path());
        }
    }
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::Sandbox;

    #[test]
    fn a_new_sandbox_has_its_directories_and_nothing_else() {
        let expected = "== ch/\n== cwd/\n== home/\n== tmp/\n";
        assert_eq!(Sandbox::new().tree(""), expected);
    }

    #[test]
    fn a_fixture_is_written_and_printed_with_the_root_filled_in() {
        let sandbox = Sandbox::from("== ch/config.toml\nsource = \"$ROOT/demo\"\n== demo/\n");
        let written = String::from_utf8(sandbox.bytes("ch/config.toml")).unwrap();
        assert_eq!(written, format!("source = \"{}/demo\"\n", sandbox.root()));
        assert_eq!(sandbox.text("ch/config.toml"), "source = \"$ROOT/demo\"\n");
        assert_eq!(
            sandbox.tree("ch"),
            "== config.toml\nsource = \"$ROOT/demo\"\n"
        );
        assert_eq!(sandbox.tree("demo"), "");
    }

    #[test]
    fn files_can_be_changed_moved_and_removed() {
        let sandbox = Sandbox::from("== demo/a (mode 600)\nx\n== demo/b -> nowhere\n");
        sandbox.write("demo/c/d", b"\xff");
        sandbox.write("demo/a", "y\n");
        assert_eq!(sandbox.mode("demo/a"), 0o600);
        sandbox.rename("demo/a", "demo/e");
        assert!(sandbox.exists("demo/b"));
        sandbox.remove("demo/b");
        assert!(!sandbox.exists("demo/b"));
        assert_eq!(sandbox.tree("demo"), "== c/d (hex)\nff\n== e\ny\n");
        sandbox.remove("demo");
        assert!(!sandbox.exists("demo"));
    }

    #[test]
    fn it_is_removed_with_its_last_clone_whatever_the_modes() {
        let sandbox = Sandbox::from("== a/ (mode 000)\n== b/c/ (mode 555)\n== b/c/d\nx\n");
        let root = sandbox.root().clone();
        let clone = sandbox.clone();
        drop(sandbox);
        assert!(clone.exists("b/c/d"));
        drop(clone);
        assert!(std::fs::symlink_metadata(root).is_err());
    }

    #[test]
    #[should_panic(expected = "cannot remove")]
    fn removing_nothing_is_a_mistake_of_the_test() {
        Sandbox::new().remove("nothing");
    }
}
