//! Keys that this daemon does not read itself, and whose wrong values make the reference refuse the
//! whole configuration.
//!
//! Only an edit is judged by these rules, before it is written: one bad value would take the user's
//! other program down. A file that holds such a value already is read as ever. The rules are no
//! schema: a key that is not named here is nobody's business.

use crate::reader::Reader;
use crate::tree::Node;
use crate::{Edit, WriteError};

mod keys;
mod relations;
mod shape;

/// Notes a problem for every value that the reference would refuse.
pub(crate) fn check(reader: &mut Reader<'_>, tree: &Node) {
    shape::check_all(reader, tree, keys::KEYS);
    relations::servers(reader, tree);
    relations::providers(reader, tree);
}

/// Refuses to write what once selected a profile or held one. The reference writes neither, and a
/// file that has them keeps them until they are deleted.
pub(crate) fn refuse_profiles(edits: &[Edit]) -> Result<(), WriteError> {
    for edit in edits {
        let Some(value) = edit.written() else {
            continue;
        };
        let segments = edit.key_path.segments();
        let reason = match segments.first().map(String::as_str) {
            Some("profile") => no_longer_supported(value.as_str().unwrap_or("NAME")),
            Some("profiles") => in_a_file_of_its_own(segments.get(1).map_or("NAME", |name| name)),
            _ => continue,
        };
        let field = edit.key_path.to_string();
        return Err(WriteError::Invalid { field, reason });
    }
    Ok(())
}

fn in_a_file_of_its_own(name: &str) -> String {
    let name = name.escape_debug();
    format!(
        "profiles are no longer kept here, write `{name}.config.toml` beside this file and select it \
         with `--profile {name}`"
    )
}

/// What to say of the key `profile`, which once selected a profile.
pub(crate) fn no_longer_supported(name: &str) -> String {
    let name = name.escape_debug();
    format!("this key is no longer supported, select the profile `{name}` with `--profile {name}`")
}

#[cfg(test)]
mod tests;
