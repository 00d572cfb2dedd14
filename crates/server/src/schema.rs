//! The generated description of the protocol, for the command line, which does not know the protocol
//! crate.

pub use plugd_protocol::generate::GeneratedFile;

/// The JSON Schema files, as a frontend gets them.
#[must_use]
pub fn json_schema_files() -> Vec<GeneratedFile> {
    plugd_protocol::generate::json_schema_files()
}

/// The TypeScript files.
#[must_use]
pub fn typescript_files() -> Vec<GeneratedFile> {
    plugd_protocol::generate::typescript_files()
}

/// Everything that is committed below `schemas/`.
#[must_use]
pub fn all_files() -> Vec<GeneratedFile> {
    plugd_protocol::generate::all_files()
}
