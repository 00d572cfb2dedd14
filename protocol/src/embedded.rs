//! The files of `schemas/`, as they were committed when this was built.
//!
//! They are what [`crate::generate`] makes of the types, which the suite proves. A program that only
//! hands them out takes them from here: the generator is a sixteenth of a binary, and this a seventieth.

use std::io::{self, Read as _};

use flate2::read::ZlibDecoder;

use crate::DiscoverResponse;
use crate::generate::GeneratedFile;

static PACKED: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/schemas.z"));

/// Everything, laid out as it is committed.
///
/// # Errors
/// The program is damaged, or was built without the files.
pub fn all_files() -> io::Result<Vec<GeneratedFile>> {
    let mut text = String::new();
    ZlibDecoder::new(PACKED).read_to_string(&mut text)?;
    let mut files = Vec::new();
    let mut rest = text.as_str();
    while !rest.is_empty() {
        let (path, length, content) = first(rest).ok_or_else(damaged)?;
        let (content, behind) = content.split_at_checked(length).ok_or_else(damaged)?;
        files.push(GeneratedFile {
            path: path.to_owned(),
            content: content.to_owned(),
        });
        rest = behind;
    }
    // Built where there were none.
    if files.is_empty() {
        return Err(damaged());
    }
    Ok(files)
}

/// The JSON Schema files, as a frontend gets them.
///
/// # Errors
/// As [`all_files`].
pub fn json_schema_files() -> io::Result<Vec<GeneratedFile>> {
    below("json/")
}

/// The TypeScript files.
///
/// # Errors
/// As [`all_files`].
pub fn typescript_files() -> io::Result<Vec<GeneratedFile>> {
    below("typescript/")
}

/// What `rpc.discover` answers.
///
/// # Errors
/// As [`all_files`].
pub fn openrpc_document() -> io::Result<DiscoverResponse> {
    let document = below("openrpc.json")?.pop().ok_or_else(damaged)?;
    Ok(serde_json::from_str(&document.content)?)
}

fn below(prefix: &str) -> io::Result<Vec<GeneratedFile>> {
    let of_prefix = |file: GeneratedFile| {
        let path = file.path.strip_prefix(prefix)?.to_owned();
        Some(GeneratedFile { path, ..file })
    };
    Ok(all_files()?.into_iter().filter_map(of_prefix).collect())
}

/// The path and length of the first file, and what follows.
fn first(packed: &str) -> Option<(&str, usize, &str)> {
    let (path, rest) = packed.split_once('\n')?;
    let (length, rest) = rest.split_once('\n')?;
    Some((path, length.parse().ok()?, rest))
}

fn damaged() -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidData,
        "there are no schemas in this program, or they are damaged",
    )
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use pretty_assertions::assert_eq;

    use super::{GeneratedFile, all_files, json_schema_files, openrpc_document, typescript_files};
    use crate::generate;

    fn by_path(files: Vec<GeneratedFile>) -> BTreeMap<String, String> {
        let rows = files.into_iter().map(|file| (file.path, file.content));
        rows.collect()
    }

    #[test]
    fn what_is_embedded_is_what_the_types_say() {
        assert_eq!(
            by_path(all_files().unwrap()),
            by_path(generate::all_files())
        );
        let json = by_path(json_schema_files().unwrap());
        assert_eq!(json, by_path(generate::json_schema_files()));
        let typescript = by_path(typescript_files().unwrap());
        assert_eq!(typescript, by_path(generate::typescript_files()));
        assert_eq!(
            openrpc_document().unwrap().0,
            generate::openrpc_document().0
        );
    }
}
