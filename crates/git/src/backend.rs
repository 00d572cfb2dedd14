//! Which program brings the objects of a remote repository into a mirror.
//!
//! What a mirror promises, and everything that is written from it, is the same for all of them.

use serde::{Deserialize, Serialize};

/// Which program brings objects.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Backend {
    /// The git command where this machine has one and it does the work better, libgit2 otherwise.
    #[default]
    Auto,
    /// libgit2, which is a part of this program.
    Libgit2,
    /// The git command of this machine.
    Command,
}
