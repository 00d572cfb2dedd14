//! Where manifests lie below a root, and which of several counts.
//!
//! Of a plugin, the first place that holds something decides. When it holds the wrong kind of thing
//! the search ends with a problem and does not go on to the next place: an author who looks at the
//! first one must never wonder why the second is in effect. Of a marketplace, the first place that
//! holds a file decides, as clients of the reference expect it; what was wrong with the places in
//! front of it is told beside.

use plugd_disk::{Disk, DiskError, Kind, Stamp};
use plugd_model::{AbsPath, ManifestFormat, Problem, ProblemKind};

use crate::MAX_PLUGIN_BYTES;
use crate::agent_plugins::{self, Claim};

/// Where a marketplace's manifest may lie below its root; the first that is a file counts.
pub const MARKETPLACE_FILES: [&str; 4] = [
    ".agents/plugins/marketplace.json",
    ".agents/plugins/api_marketplace.json",
    ".claude-plugin/marketplace.json",
    ".cursor-plugin/marketplace.json",
];

/// The places of a plugin's manifest behind `plugin.json` at its root, in order.
const PLUGIN_DIRS: [(&str, ManifestFormat); 3] = [
    (".codex-plugin", ManifestFormat::Codex),
    (".claude-plugin", ManifestFormat::Claude),
    (".cursor-plugin", ManifestFormat::Cursor),
];

/// How a plugin's manifest is called, in each of its places.
pub(crate) const PLUGIN_FILE: &str = "plugin.json";

/// Where a manifest of a format lies below the plugin's root; a fallback stands in no file of the
/// plugin.
#[must_use]
pub fn plugin_file(format: ManifestFormat) -> Option<String> {
    if format == ManifestFormat::AgentPlugins {
        return Some(PLUGIN_FILE.to_owned());
    }
    let (directory, _) = PLUGIN_DIRS.iter().find(|(_, known)| *known == format)?;
    Some(format!("{directory}/{PLUGIN_FILE}"))
}

/// How often a search starts over when files change under it.
const ATTEMPTS: usize = 3;

/// The marketplace's root for the path of its manifest; nothing when the manifest lies at none of
/// [`MARKETPLACE_FILES`].
#[must_use]
pub fn marketplace_root(manifest: &AbsPath) -> Option<AbsPath> {
    let suffix = MARKETPLACE_FILES
        .iter()
        .find(|suffix| manifest.as_path().ends_with(suffix))?;
    let mut root = manifest.clone();
    for _ in suffix.split('/') {
        root = root.parent()?;
    }
    Some(root)
}

/// The outcome of a search for a marketplace's manifest.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MarketplaceSearch {
    /// The first place that holds a file.
    pub found: Option<AbsPath>,
    /// What was wrong with the places in front of it. When nothing is found, this is the reason;
    /// nothing here either means that no place is taken at all.
    pub problems: Vec<Problem>,
}

/// Searches the manifest of the marketplace at a root. A place that holds something else than a
/// file, as a repository may for reasons of its own, does not hide the places behind it. A place
/// that the system does not show ends the search: the right manifest may lie there, and another one
/// must not take over for the time of a fault.
pub(crate) fn find_marketplace(disk: &Disk, root: &AbsPath) -> MarketplaceSearch {
    let mut search = MarketplaceSearch::default();
    for suffix in MARKETPLACE_FILES {
        let file = root.join(suffix);
        let stamp = match disk.link_stamp(&file) {
            Ok(None) => continue,
            Ok(Some(stamp)) => stamp,
            Err(error) => {
                search.problems.push(error.problem());
                break;
            }
        };
        match check_marketplace_file(disk, &file, stamp.kind) {
            Ok(()) => {
                search.found = Some(file);
                break;
            }
            Err(problem) => search.problems.push(problem),
        }
    }
    search
}

/// Accepts a file and a link that leads to one.
fn check_marketplace_file(disk: &Disk, file: &AbsPath, kind: Kind) -> Result<(), Problem> {
    let kind = match kind {
        Kind::Link => {
            let target = disk.stamp(file).map_err(|error| error.problem())?;
            let target = target.ok_or_else(|| {
                let message = "the marketplace manifest is a link that leads nowhere";
                Problem::error(ProblemKind::Missing, message).in_file(file)
            })?;
            target.kind
        }
        other => other,
    };
    match kind {
        Kind::File => Ok(()),
        found => Err(not_a_file("marketplace manifest", file, found)),
    }
}

/// One look at a path during a search.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    path: AbsPath,
    was: Was,
}

/// What stood at a path, as far as a search depends on it.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Was {
    Nothing,
    /// What else lies in a directory does not matter, and the manifest in it is looked at on its own.
    Directory,
    Other(Stamp),
}

impl Was {
    fn of(stamp: Option<Stamp>) -> Self {
        match stamp {
            None => Self::Nothing,
            Some(stamp) if stamp.kind == Kind::Dir => Self::Directory,
            Some(stamp) => Self::Other(stamp),
        }
    }
}

impl Seen {
    /// The path that was looked at.
    pub(crate) fn path(&self) -> &AbsPath {
        &self.path
    }

    /// What stood there; nothing where nothing did.
    pub(crate) fn kind(&self) -> Option<Kind> {
        match self.was {
            Was::Nothing => None,
            Was::Directory => Some(Kind::Dir),
            Was::Other(stamp) => Some(stamp.kind),
        }
    }

    /// Whether the same stands there today.
    pub(crate) fn is_current(&self, disk: &Disk) -> bool {
        let now = disk.link_stamp(&self.path);
        now.is_ok_and(|now| Was::of(now) == self.was)
    }
}

/// A plugin manifest that was found and read.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) file: AbsPath,
    pub(crate) format: ManifestFormat,
    pub(crate) bytes: Vec<u8>,
    pub(crate) stamp: Stamp,
    /// What was wrong with a place in front of it that did not end the search.
    pub(crate) passed_over: Option<Problem>,
}

/// The outcome of a search, and what it depended on.
#[derive(Debug)]
pub(crate) struct Look {
    /// The manifest; nothing when there is none, a problem when one is there and unusable.
    pub(crate) found: Result<Option<Found>, Problem>,
    /// As long as these are current, another search has the same outcome. `None` when that cannot
    /// be told from a few stamps.
    pub(crate) seen: Option<Vec<Seen>>,
}

/// How many looks find a manifest where most have it: at the root, at its directory and at itself. They
/// are remembered with each plugin, in as much memory as they need.
const LOOKS: usize = 3;

/// Searches a plugin's manifest and reads it.
pub(crate) fn find_plugin(disk: &Disk, root: &AbsPath) -> Look {
    for _ in 0..ATTEMPTS {
        let mut search = Search {
            disk,
            root,
            seen: Vec::with_capacity(LOOKS),
            lasting: true,
        };
        let found = match search.run() {
            Err(End::Changed) => continue,
            Err(End::Problem(problem)) => Err(problem),
            Ok(found) => Ok(found),
        };
        return Look {
            found,
            seen: search.lasting.then_some(search.seen),
        };
    }
    let message = "the plugin manifest changes while it is read";
    Look {
        found: Err(Problem::error(ProblemKind::Unreadable, message).in_file(root)),
        seen: None,
    }
}

/// Why a search ends without an answer.
enum End {
    /// Something is there and cannot be used.
    Problem(Problem),
    /// The file that was looked at is not the one that was read.
    Changed,
}

struct Search<'a> {
    disk: &'a Disk,
    root: &'a AbsPath,
    seen: Vec<Seen>,
    lasting: bool,
}

impl Search<'_> {
    fn run(&mut self) -> Result<Option<Found>, End> {
        let (found, passed_over) = self.at_root()?;
        if found.is_some() {
            return Ok(found);
        }
        for (directory, format) in PLUGIN_DIRS {
            if let Some(found) = self.in_directory(directory, format)? {
                return Ok(Some(Found {
                    passed_over,
                    ..found
                }));
            }
        }
        match passed_over {
            // Nothing else is there, so this is the manifest that the author meant.
            Some(problem) => Err(End::Problem(problem)),
            None => Ok(None),
        }
    }

    /// `plugin.json` at the root counts only when it declares the Agent Plugins specification.
    fn at_root(&mut self) -> Result<(Option<Found>, Option<Problem>), End> {
        let file = self.root.join(PLUGIN_FILE);
        let (bytes, stamp) = match self.look(&file)? {
            None => return Ok((None, None)),
            Some(stamp) if stamp.kind == Kind::File => self.read(&file, &stamp)?,
            Some(stamp) if stamp.kind == Kind::Link => self.read_link(&file)?,
            Some(stamp) => {
                return Err(End::Problem(not_a_file(
                    "plugin manifest",
                    &file,
                    stamp.kind,
                )));
            }
        };
        match agent_plugins::claim(&bytes, &file) {
            Claim::Made => {
                let found = Found {
                    file,
                    format: ManifestFormat::AgentPlugins,
                    bytes,
                    stamp,
                    passed_over: None,
                };
                Ok((Some(found), None))
            }
            Claim::NotMade => Ok((None, None)),
            Claim::Unreadable(problem) => Ok((None, Some(problem))),
        }
    }

    /// The other formats accept no links, neither for the directory nor for the file.
    fn in_directory(
        &mut self,
        directory: &str,
        format: ManifestFormat,
    ) -> Result<Option<Found>, End> {
        let directory = self.root.join(directory);
        let file = directory.join(PLUGIN_FILE);
        let read = match self.read_at_once(&directory, &file) {
            Some(read) => Some(read),
            None => self.look_and_read(&directory, &file)?,
        };
        Ok(read.map(|(bytes, stamp)| Found {
            file,
            format,
            bytes,
            stamp,
            passed_over: None,
        }))
    }

    /// Looks at a directory and the manifest in it, and reads that; none where nothing is there.
    fn look_and_read(
        &mut self,
        directory: &AbsPath,
        file: &AbsPath,
    ) -> Result<Option<(Vec<u8>, Stamp)>, End> {
        match self.look(directory)? {
            None => return Ok(None),
            Some(stamp) if stamp.kind == Kind::Dir => {}
            Some(stamp) => {
                let message = format!(
                    "a plugin manifest's directory must be a directory, and this is a {}",
                    stamp.kind.word()
                );
                let problem = Problem::error(ProblemKind::NotAFile, message).in_file(directory);
                return Err(End::Problem(problem));
            }
        }
        let stamp = match self.look(file)? {
            None => return Ok(None),
            Some(stamp) if stamp.kind == Kind::File => stamp,
            Some(stamp) => {
                return Err(End::Problem(not_a_file(
                    "plugin manifest",
                    file,
                    stamp.kind,
                )));
            }
        };
        self.read(file, &stamp).map(Some)
    }

    fn look(&mut self, path: &AbsPath) -> Result<Option<Stamp>, End> {
        let stamp = self
            .disk
            .link_stamp(path)
            .map_err(|error| self.fail(&error))?;
        self.saw(path, Was::of(stamp));
        Ok(stamp)
    }

    fn saw(&mut self, path: &AbsPath, was: Was) {
        let path = path.clone();
        self.seen.push(Seen { path, was });
    }

    /// Reads a file without looks at it and its directory before. That works only when the one is a
    /// directory, the other a regular file and no link is on the way; why it does not is for looks to
    /// tell.
    fn read_at_once(&mut self, directory: &AbsPath, file: &AbsPath) -> Option<(Vec<u8>, Stamp)> {
        let read = self.disk.literally().read_at_once(file, MAX_PLUGIN_BYTES);
        let (bytes, stamp) = read?;
        self.saw(directory, Was::Directory);
        self.saw(file, Was::Other(stamp));
        Some((bytes, stamp))
    }

    /// Reads a file that was just looked at. A link put in its place since then shows as another
    /// stamp, and one in the place of a directory is not followed, so nothing outside the plugin is
    /// ever taken for its manifest.
    fn read(&mut self, file: &AbsPath, looked: &Stamp) -> Result<(Vec<u8>, Stamp), End> {
        let below = file
            .as_path()
            .strip_prefix(self.root)
            .unwrap_or(file.as_path());
        let (bytes, stamp) = self
            .disk
            .literally()
            .read_below(self.root, below, MAX_PLUGIN_BYTES)
            .map_err(|error| self.fail(&error))?;
        if stamp == *looked {
            Ok((bytes, stamp))
        } else {
            Err(End::Changed)
        }
    }

    /// Section 4.1 of the specification: a link may lead to a file inside the plugin's root, and
    /// must not be followed out of it.
    fn read_link(&mut self, file: &AbsPath) -> Result<(Vec<u8>, Stamp), End> {
        // The outcome hangs on every link on the way, which a stamp of the first does not show.
        self.lasting = false;
        let root = self
            .disk
            .resolve(self.root)
            .map_err(|error| self.fail(&error))?;
        let target = self.disk.resolve(file).map_err(|error| {
            if error.is_not_found() {
                let message = "the plugin manifest is a link that leads nowhere";
                End::Problem(Problem::error(ProblemKind::Missing, message).in_file(file))
            } else {
                self.fail(&error)
            }
        })?;
        if !target.starts_with(&root) {
            let message = "the plugin manifest is a link that leads out of the plugin's directory";
            let problem = Problem::error(ProblemKind::BadPath, message).in_file(file);
            return Err(End::Problem(problem));
        }
        self.disk
            .literally()
            .read_stamped(&target, MAX_PLUGIN_BYTES)
            .map_err(|error| self.fail(&error))
    }

    /// A refusal of the system can end without any stamp changing (a full table of open files, a
    /// directory above that opens up), so it is never remembered. A size is part of the stamp.
    fn fail(&mut self, error: &DiskError) -> End {
        if error.is_not_found() || error.is_moved() {
            return End::Changed;
        }
        self.lasting &= matches!(error, DiskError::TooLarge { .. });
        End::Problem(error.problem())
    }
}

/// The problem of a path that holds something else than a regular file.
pub(crate) fn not_a_file(what: &str, path: &AbsPath, found: Kind) -> Problem {
    let message = format!("the {what} must be a file, and this is a {}", found.word());
    Problem::error(ProblemKind::NotAFile, message).in_file(path)
}

#[cfg(test)]
#[cfg(unix)]
mod tests;
