//! Files made from the protocol: JSON Schema, TypeScript, OpenRPC and a page for people.
//!
//! JSON Schema comes from the types; the others are written from that JSON Schema, so they can
//! never say different things. The output depends on the types alone: keys are sorted, and
//! neither the order of a map nor a feature of a dependency shows through.
//!
//! Names and folders are those of the reference's generator, so that a frontend finds what it
//! imports today; what is ours lies in the folder `plugd`. Nothing here touches a disk: writing is
//! the caller's affair.

mod catalog;
mod effects;
mod folder;
mod json_schema;
mod openrpc;
mod reference;
mod typescript;

pub use json_schema::{json_schema_files, lock_schema};
pub use openrpc::{openrpc, openrpc_document};
pub use reference::method_reference;
pub use typescript::typescript_files;

/// A file to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GeneratedFile {
    /// Where, relative to a directory of the caller's choice, with `/` between the parts.
    pub path: String,
    /// What, ending in a line break.
    pub content: String,
}

/// Everything at once, laid out as it is committed: `json/`, `typescript/`, `openrpc.json`,
/// `plugins.lock.json` and `METHODS.md`.
#[must_use]
pub fn all_files() -> Vec<GeneratedFile> {
    let below = |folder: &str, files: Vec<GeneratedFile>| {
        let folder = folder.to_owned();
        files.into_iter().map(move |file| GeneratedFile {
            path: format!("{folder}/{}", file.path),
            content: file.content,
        })
    };
    let mut files: Vec<_> = below("json", json_schema_files())
        .chain(below("typescript", typescript_files()))
        .collect();
    files.push(openrpc());
    files.push(lock_schema());
    files.push(method_reference());
    files
}

#[cfg(test)]
mod tests;
