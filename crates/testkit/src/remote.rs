//! Remotes on loopback: repositories, a git server, an npm registry, an OCI registry, and what can go wrong with a
//! server.
//!
//! Nothing here needs a git binary or npm. A server runs on threads of its own and takes them along
//! when it is dropped; one that waits, because a test told it to, ends its wait then.
//!
//! A server says what it was asked ([`HttpRequest`]) and how much it sent, and it does what a
//! [`Behaviour`] says instead of answering well. It must not know what the program is going to do
//! with its answers.

mod base64;
mod behaviour;
mod certificates;
mod deflate;
mod gate;
mod git_repo;
mod git_server;
mod http_server;
mod http_wire;
mod npm_registry;
mod oci_registry;
mod pack;
mod pkt_line;
pub mod service;
mod tar;
mod upload_pack;

pub use behaviour::Behaviour;
pub use certificates::Authority;
pub use gate::Gate;
pub use git_repo::{GitRepo, RawEntry, RawKind, lfs_pointer};
pub use git_server::{GitRequest, GitServer};
pub use http_wire::HttpRequest;
pub use npm_registry::{NpmRegistry, NpmRequest};
pub use oci_registry::{OciRegistry, OciRequest};
pub use tar::{TarEntry, TarKind, tgz};
