//! Installed plugins on disk: stage, check, activate, recover, provenance, kept versions, leases.
//!
//! ```text
//! Store::begin ──► Transaction ──stage──► StagedInstall ──lock──► LockedInstall ──activate──► ActivatedInstall ──commit──► Installed
//! Store::uninstall ──────────────────────────────────────────────────► PendingRemoval ──commit──► Removed
//! Store::lease ──────► Lease ──add_tree──► LeasedTree, until the lease is released or its process ends
//! ```
//!
//! Each step consumes the one before it, so steps cannot be left out or swapped. Dropping any of
//! them takes everything back that has been done until then.
//!
//! What an installation or adoption was decided on is a [`Seen`]. Under the lock the store looks again
//! and refuses when it finds something else.
//!
//! Invariants:
//! - A reader, who takes no lock, finds the old copy or the new one, never half of one.
//! - What a transaction is about to change is written to its journal first. Removing the journal is
//!   the commit. After a crash at any point [`Store::recover`] restores what the journal says.
//! - A transaction holds the lock of its journal for its whole life. What can be locked is dead;
//!   what cannot is left alone. Everything that changes what readers see happens under the store
//!   lock, which is held from the first change to the commit.
//! - A tree that a living process leases is neither changed nor removed, whoever asks for it.
//! - Between staging and activating nothing is held that others wait for, so a caller may ask another
//!   machine in between.
//! - Files of the reference keep the reference's layout; everything else lies in our own state
//!   directory.
//!
//! This crate must not decide what to install, parse manifests or edit configuration. A caller that
//! edits configuration within a transaction hands over a value that says how to undo it.

mod change;
mod contents;
mod error;
mod file_list;
mod forward;
mod gc;
mod gc_records;
mod install;
mod installed;
mod journal;
mod json;
mod kept;
mod known_sources;
mod lease;
mod leases;
mod locked;
mod looks;
mod named;
mod places;
mod provenance;
mod record;
mod recover;
mod remote_copies;
mod removal;
mod seen;
mod sidecar;
mod staged;
mod state;
mod store;
mod sweep;
mod sweeper;
mod trees;
mod undo;
mod verify;
mod vouched;
mod workspace;

#[cfg(test)]
mod cost_tests;
#[cfg(test)]
mod fault_tests;
#[cfg(test)]
mod fixture;
#[cfg(test)]
mod lease_fault_tests;
#[cfg(test)]
mod rollback_tests;

pub use contents::{Believing, SourceContent};
pub use error::{ConfigUndo, StoreError, UndoError};
pub use gc::{Gc, GcReport, GcTree, Size, Unneeded};
pub use gc_records::GcRecord;
pub use install::ActivatedInstall;
pub use installed::{Installed, Provenance};
pub use kept::UnusedTree;
pub use lease::{Lease, LeasedTree};
pub use locked::{LockedInstall, NotTogether, ReadyInstall};
pub use provenance::Adoption;
pub use record::{
    Before, BoundSource, Identity, InstalledBy, Kept, NewInstall, Origin, Pin, PinChange, Record,
    Retention,
};
pub use recover::{Interrupted, Recovered};
pub use remote_copies::Stray;
pub use removal::{PendingRemoval, Removed};
pub use seen::{Held, Seen};
pub use staged::{CopyDigest, StagedInstall, StagedTree, Transaction};
pub use store::Store;
pub use verify::VerifyReport;
pub use workspace::Workspace;
