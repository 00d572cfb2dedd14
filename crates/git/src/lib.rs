//! Git: mirrors of remote repositories and checkouts of their commits.
//!
//! libgit2 runs in a worker process only ([`worker_main`], the same program started with a hidden
//! argument). [`Git`] is the other side: it starts one worker per task, watches that it makes
//! progress, and ends it when it does not. A silent server, a cancel or a bug in C code therefore
//! ends with a dead worker and an error, never with a dead daemon.
//!
//! Invariants:
//! - No address, ref or path that a stranger chose is taken for an option or a command.
//! - A checkout holds regular files, directories, and links that stay inside. No hook and no filter
//!   has anything to do with it, and no `.git` is in it unless the caller asks for one.
//! - A damaged mirror is thrown away and fetched once more; it never is an error by itself.
//! - Nothing asks a person: no terminal, no askpass program. No secret stands in an error.
//!
//! What a commit is good for is decided elsewhere: this crate knows nothing of plugins.

mod address;
mod advertised;
mod attributes;
mod backend;
mod checkout;
mod client;
mod command;
mod command_run;
mod command_words;
mod commit_id;
mod config;
mod credentials;
mod error;
mod extra_headers;
mod failure;
mod files;
mod growth;
mod health;
mod history;
mod http;
mod keep;
mod lfs;
mod lfs_content;
mod line;
mod line_ends;
mod links;
mod mirror;
mod modules;
mod names;
mod netrc;
mod pack_scan;
mod partial;
mod peer;
mod process;
mod programs;
mod progress;
mod running;
mod session;
mod smart_http;
mod sparse;
mod ssh;
mod ssh_words;
mod submodules;
mod transport;
mod variables;
mod want;
mod wire;
mod worker;

pub use address::{Address, AddressError, Refusal};
pub use backend::Backend;
pub use client::{Checkout, Git, Watch};
pub use commit_id::CommitId;
pub use error::GitError;
pub use failure::Failure;
pub use progress::{Progress, Stage};
pub use want::{Depth, Want, WantError};
pub use wire::{CheckedOut, Fetched, History, LeftOut, LfsPointer, Submodule};
pub use worker::{WORKER_ARGUMENT, worker_main};
