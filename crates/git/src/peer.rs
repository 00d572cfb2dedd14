//! The other side of a fetch, as a mirror sees it: what it has, and how to get it.
//!
//! There are two, libgit2 ([`crate::line`]) and the git command ([`crate::command`]). They bring
//! objects and nothing else: which commit is meant, what the mirror promises and what is written of
//! it is decided by code that does not know which of them was used.

use crate::Depth;
use crate::advertised::Head;
use crate::failure::Trouble;

/// All branches and tags. They need names on our side, as patterns have none of their own.
pub(crate) const EVERYTHING: &[&str] = &[
    "+refs/heads/*:refs/plugd/heads/*",
    "+refs/tags/*:refs/plugd/tags/*",
];

/// A connection to a remote repository whose list of refs is known.
pub(crate) trait Peer {
    /// What the other side shows of itself.
    fn heads(&self) -> &[Head];

    /// What a fetch of this depth leaves in a mirror.
    fn kept(&self, depth: Depth) -> Depth;

    /// Brings what the specs name, with all that belongs to it, into the mirror.
    ///
    /// # Errors
    /// It does not come, not as a whole, or cannot be kept.
    fn download(&mut self, specs: &[&str], depth: Depth) -> Result<(), Trouble>;
}
