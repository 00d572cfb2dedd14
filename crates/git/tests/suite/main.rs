//! The crate as the daemon uses it: a real worker process, real repositories, loopback servers.
//!
//! - `fixture`: a temporary world with repositories made by libgit2
//! - `local`: which commit is meant, and what comes of it
//! - `trees`: what is written of a commit, and what is refused
//! - `damage`: mirrors with files missing or cut
//! - `worker`: workers that hang, crash or babble
//! - `server`: a smart HTTP server, `http`: what is fetched from it and what it may not do
//! - `ssh`: a fake ssh program
#![expect(
    clippy::unwrap_used,
    reason = "what fails outside of a test function fails the test that called it"
)]
#![expect(
    clippy::disallowed_methods,
    reason = "tests look at the disk past `disk::Disk`, and start servers of their own"
)]

mod damage;
mod fixture;
mod http;
mod local;
mod server;
mod ssh;
mod submodules;
mod trees;
mod worker;
