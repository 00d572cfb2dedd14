//! What a caller chooses: the roots, and how much work watching them may be.

use std::time::Duration;

use plugd_model::AbsPath;

use crate::Exclusions;

/// How much of a root is watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reach {
    /// What stands at the path: that it comes, goes, is replaced or gets another content. Of a
    /// directory not what is in it.
    File,
    /// The same, and what is in a directory, and in the directories of so many levels below it. With
    /// none it is the directory's own entries. Links below it are not followed.
    Levels(u8),
    /// The same, and everything below a directory. Links below it are not followed, so that a tree
    /// from a stranger cannot have the whole disk watched.
    Tree,
    /// The same, and links below it that lead to directories are followed, wherever they lead. Of a
    /// link to a file only the link is watched.
    TreeAndLinks,
}

/// A path whose changes are told. It need not exist; it may lead through links.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WatchRoot {
    /// The path as the caller knows it; hints speak of it in the same spelling.
    pub path: AbsPath,
    /// How much of it is watched.
    pub reach: Reach,
}

impl WatchRoot {
    /// A root that is one file.
    #[must_use]
    pub fn file(path: AbsPath) -> Self {
        Self {
            path,
            reach: Reach::File,
        }
    }

    /// A root that is a directory with so many levels of directories below it.
    #[must_use]
    pub fn levels(path: AbsPath, levels: u8) -> Self {
        Self {
            path,
            reach: Reach::Levels(levels),
        }
    }

    /// A root that is a directory with everything below it.
    #[must_use]
    pub fn tree(path: AbsPath) -> Self {
        Self {
            path,
            reach: Reach::Tree,
        }
    }

    /// A root that is a directory with everything below it and behind its links.
    #[must_use]
    pub fn tree_and_links(path: AbsPath) -> Self {
        Self {
            path,
            reach: Reach::TreeAndLinks,
        }
    }
}

/// Where the hints come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Mechanism {
    /// The system's messages, and stamps where there are none.
    System,
    /// Stamps only.
    Polling,
}

/// How much work watching may be, and how fast it has to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WatchOptions {
    /// How long nothing may happen before what happened is told.
    pub debounce: Duration,
    /// After this time it is told even if more keeps happening.
    pub max_delay: Duration,
    /// The time between two looks at stamps. Polled roots are compared in it; of the others only the
    /// way to the root is, since the system does not tell when a directory far above is renamed.
    pub poll_interval: Duration,
    /// How many directories the system watches at most, over all roots. A root that needs more is
    /// polled.
    pub max_dirs: usize,
    /// About how many entries are compared in one look. What is left over is compared in the next
    /// one, so a large root is told later and not lost.
    pub max_polled: usize,
    /// Where the hints come from.
    pub mechanism: Mechanism,
    /// What below a tree is of no interest.
    pub exclusions: Exclusions,
}

impl WatchOptions {
    /// Options for a daemon that serves one person.
    #[must_use]
    pub fn excluding(exclusions: Exclusions) -> Self {
        Self {
            debounce: Duration::from_millis(200),
            max_delay: Duration::from_secs(2),
            poll_interval: Duration::from_secs(5),
            max_dirs: 8_192,
            max_polled: 20_000,
            mechanism: Mechanism::System,
            exclusions,
        }
    }
}
