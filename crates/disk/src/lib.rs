//! All file access of the daemon.
//!
//! Every read and every mutation is a method of [`Disk`], a value that is passed in. That has three
//! uses: an error always carries the path and the action; a test can watch, refuse or kill
//! operation number N through the [`Probe`]; and what a use case touches can be counted.
//!
//! Invariants:
//! - Reading never blocks on a FIFO or device and never takes more memory than the caller allowed.
//! - A file that is replaced is either the old one or the new one, also after a power cut.
//! - Nothing here follows a path chosen by a stranger out of its root: [`tree`] resolves links and
//!   checks containment before it touches content, and [`Literal`] opens what was resolved without
//!   following a link that was put there since.
#![expect(
    clippy::disallowed_methods,
    reason = "this crate is the one place that touches the file system"
)]

mod atomic;
#[cfg(test)]
mod disk_tests;
mod durable;
mod error;
mod literal;
mod lock;
mod mount;
mod new_file;
mod ops;
mod probe;
mod stamp;
pub mod tree;
mod two_threads;
mod vigil;
mod witness;

pub use atomic::{Replacement, is_temporary};
pub use durable::Unsynced;
pub use error::DiskError;
pub use literal::Literal;
pub use lock::{FileLock, Patience, Waiting, Wanted};
pub use new_file::NewFile;
pub use ops::{Disk, Entry};
pub use probe::{Operation, OperationKind, Probe};
pub use stamp::{Kind, Stamp, is_settled};
pub use two_threads::{Portion, on_two_threads};
pub use vigil::{Vigil, Watch};
pub use witness::{Testimony, Witness};
