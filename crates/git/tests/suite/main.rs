//! The crate as the daemon uses it: a real worker process, real repositories, loopback servers.
//!
//! - `fixture`: a temporary world with repositories made by libgit2
//! - `local`: which commit is meant, and what comes of it
//! - `trees`: what is written of a commit, and what is refused
//! - `keep`: the small repository beside a checkout
//! - `table`: every case with every backend, printed; `bad` and `good` are its rows
//! - `parts`: what the git command fetches of a part of a repository
//! - `large`: the content of Git LFS, by a fake extension
//! - `tls`: whom our own transport trusts
//! - `damage`: mirrors with files missing or cut
//! - `worker`: workers that hang, crash or babble
//! - `server`: a smart HTTP server, `http`: what is fetched from it and what it may not do
//! - `logins`: which login it is told, `own_logins`: those that the user keeps for git itself
//! - `ssh`: a fake ssh program
#![expect(
    clippy::unwrap_used,
    reason = "what fails outside of a test function fails the test that called it"
)]
#![expect(
    clippy::disallowed_methods,
    reason = "tests look at the disk past `disk::Disk`, and start servers of their own"
)]

mod bad;
mod damage;
mod fixture;
mod good;
mod http;
mod keep;
mod large;
mod local;
mod logins;
mod own_logins;
mod parts;
mod server;
mod ssh;
mod submodules;
mod table;
mod tls;
mod trees;
mod worker;
