//! The generated description of the protocol, for the command line, which does not know the protocol
//! crate.

pub use plugd_protocol::embedded::{all_files, json_schema_files, typescript_files};
pub use plugd_protocol::generate::GeneratedFile;
