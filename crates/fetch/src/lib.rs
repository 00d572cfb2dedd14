//! Content from the network into a directory: packages of npm registries, artifacts of OCI registries
//! and archives behind addresses, streamed, checked, unpacked; and a directory into an archive that
//! can be shared.
//!
//! [`Npm`] asks a registry what a package means and brings its archive in chunks, [`Oci`] does the
//! same for artifacts, [`Bundles`] brings the archive behind an address that somebody named; [`unpack()`] reads the chunks on a thread that
//! may block and writes a directory. The two meet in [`Chunks`], so that
//! an archive is never in memory as a whole and never on disk.
//!
//! Invariants:
//! - Nothing of a package is run, and no program is needed: no npm, no node, no tar.
//! - What was not checked is not kept: a directory is only good when [`unpack()`] succeeded, and it
//!   fails unless the archive ended where it should, with the digest that the registry names.
//! - A directory holds regular files and directories only, all of them below its root.
//! - A credential goes to the host and path that the user's npmrc gives it for, or to the registry
//!   that the docker config names and where that one sends logins, and stands in no
//!   error, no `Debug` text and no value that is handed out.
//! - Memory, disk and time are bounded whatever a server sends.
//!
//! Where the directory lies, what a plugin is and who may install it is decided elsewhere.

mod base64;
mod bundles;
mod chunks;
mod content;
mod download;
mod error;
#[cfg(test)]
mod fixture;
mod integrity;
mod names;
mod npm;
mod npmrc;
mod oci;
mod pack;
mod package_json;
mod packument;
mod range;
mod registries;
mod rules;
mod tar;
mod unpack;

pub use bundles::{BundleAddress, BundleAddressError, Bundles, Downloaded};
pub use chunks::Chunks;
pub use error::{Access, EntryFault, FetchError, Over, VersionFault};
pub use integrity::{Algorithm, Integrity};
pub use npm::{Npm, Package, Tarball};
pub use oci::{Artifact, Oci};
pub use pack::{LeftOut, PackError, PackRules, Packed, Takes, Why, pack};
pub use rules::{GitData, Links, Packing, Rules, Strip};
pub use unpack::{Unpacked, joined, unpack};
