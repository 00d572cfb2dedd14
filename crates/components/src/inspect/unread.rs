//! Declarations of what runs of which nobody can say what that is.
//!
//! A file that is too large, cannot be read or is not understood declares nothing here. Another
//! program, or a newer one, may read it; so whoever asks what a plugin would run has to know of it.

use plugd_model::{AbsPath, Problem, ProblemKind, Severity};

use crate::MAX_PROBLEMS;

/// A declaration of what runs that could not be read or understood, or not as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unread {
    /// What it declares.
    pub what: UnreadKind,
    /// The file, relative to the plugin, with `/`; empty for the entry of a marketplace.
    pub path: String,
}

/// What a declaration is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum UnreadKind {
    /// Hooks.
    Hooks,
    /// MCP servers.
    McpServers,
    /// Apps.
    Apps,
}

impl Unread {
    /// What the problems of one kind leave unread below the root of a plugin, and what strays beside
    /// what is read. A warning is about something that is understood, but for a member that stands
    /// there twice: here the last one counts, and elsewhere the first may.
    #[must_use]
    pub fn of(
        what: UnreadKind,
        problems: &[Problem],
        strays: &[Problem],
        root: &AbsPath,
    ) -> Vec<Self> {
        let mut unread: Vec<Self> = Vec::new();
        let not_understood = problems
            .iter()
            .filter(|one| one.severity == Severity::Error || one.kind == ProblemKind::Duplicate);
        for problem in not_understood.chain(strays) {
            let one = Self::at(what, problem.path.as_ref(), root);
            if unread.len() < MAX_PROBLEMS && !unread.contains(&one) {
                unread.push(one);
            }
        }
        unread
    }

    /// The declarations in one file below the root of a plugin.
    #[must_use]
    pub fn at(what: UnreadKind, file: Option<&AbsPath>, root: &AbsPath) -> Self {
        let below = file.and_then(|file| file.as_path().strip_prefix(root.as_path()).ok());
        let parts = below.into_iter().flat_map(|below| below.components());
        let parts: Vec<_> = parts
            .map(|part| part.as_os_str().to_string_lossy())
            .collect();
        Self {
            what,
            path: parts.join("/"),
        }
    }
}
