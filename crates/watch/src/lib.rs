//! Hints that files may have changed.
//!
//! A caller names roots: files, or directories with what is below them. [`Hints`] tells which of them
//! may hold something else than before. The system tells of most changes; where it cannot, because
//! its watches have run out, because the directory is too large or lies on a file system that does
//! not tell, stamps are compared from time to time instead.
//!
//! Invariants:
//! - A hint is never a source of truth: it carries no content and may be wrong. Whoever gets one
//!   reads again and decides what changed.
//! - A change that is made after [`Watcher::settled`] is told sooner or later. Where the system
//!   forgot some of its messages, everything is told.
//! - Memory is bounded by the number of roots and of watched directories, however many changes there
//!   are and however slow the listener is. Nobody who makes a change waits for it.
//! - While there are no roots, nothing runs. Dropping either side ends everything.
//!
//! Nothing here reads a file, knows what the roots mean, or writes to a disk.

mod board;
mod engine;
mod exclusions;
mod fallback;
mod head;
mod native;
mod options;
mod plan;
mod routes;
mod shared;
mod sweep;
mod walk;
mod watcher;
mod watches;

#[cfg(test)]
mod fixture;
#[cfg(test)]
mod tests;

pub use board::{Hint, Hints, MAX_HINTED};
pub use exclusions::Exclusions;
pub use options::{Mechanism, Reach, WatchOptions, WatchRoot};
pub use watcher::{WatchError, Watcher};
