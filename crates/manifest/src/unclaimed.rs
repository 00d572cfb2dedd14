//! Why a `plugin.json` at a plugin's root is no manifest.
//!
//! Loading passes over such a file without a word, because other programs use the name for formats
//! of their own. Its author, who validates it, wants to know what it lacks.

use plugd_disk::Disk;
use plugd_model::{AbsPath, ManifestFormat, Problem, ProblemKind};

use crate::agent_plugins::{Claim, SCHEMA, claim, mentions_specification};
use crate::json::shortened;
use crate::locate::PLUGIN_FILE;
use crate::reader::Reader;
use crate::{MAX_PLUGIN_BYTES, plugin_file};

/// How much of a wrong identifier is shown.
const MAX_SHOWN: usize = 100;

/// A `plugin.json` at a plugin's root that is no manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unclaimed {
    /// What it lacks, with the place.
    pub problem: Problem,
    /// Whether it plainly means to be one: it names the site of the specification.
    pub is_meant: bool,
}

/// Looks at the `plugin.json` at a root. Nothing when there is none that can be read, or when it is a
/// manifest.
#[must_use]
pub fn unclaimed(disk: &Disk, root: &AbsPath) -> Option<Unclaimed> {
    let file = root.join(PLUGIN_FILE);
    let bytes = disk.read(&file, MAX_PLUGIN_BYTES).ok()?;
    let problem = match claim(&bytes, &file) {
        Claim::Made => return None,
        Claim::Unreadable(problem) => problem,
        Claim::NotMade => match why(&bytes, &file) {
            Ok(problem) | Err(problem) => problem,
        },
    };
    Some(Unclaimed {
        problem,
        is_meant: mentions_specification(&bytes),
    })
}

/// What a file lacks that does not name the specification; an error when it cannot be read at all.
fn why(bytes: &[u8], file: &AbsPath) -> Result<Problem, Problem> {
    let mut reader = Reader::new(bytes, MAX_PLUGIN_BYTES, file)?;
    let root = reader.root();
    let object = reader.object(root)?;
    let Some(value) = object.get("$schema") else {
        let elsewhere = plugin_file(ManifestFormat::Codex).unwrap_or_default();
        let message = format!(
            "without `$schema` this file is no manifest; add `\"$schema\": \"{SCHEMA}\"`, or move \
             it to {elsewhere}"
        );
        return Ok(reader.error(&root, ProblemKind::MissingField, message));
    };
    let schema = reader.string(&value)?;
    let message = format!(
        "`{}` does not name the Agent Plugins specification, so this file is no manifest; write \
         `{SCHEMA}`",
        shortened(&schema, MAX_SHOWN).escape_debug()
    );
    Ok(reader.error(&value, ProblemKind::UnsupportedSchema, message))
}

#[cfg(test)]
mod tests {
    use plugd_disk::Disk;
    use plugd_model::AbsPath;
    use pretty_assertions::assert_eq;

    use super::unclaimed;
    use crate::testing::row;

    fn root() -> (tempfile::TempDir, Disk, AbsPath) {
        let held = tempfile::tempdir().unwrap();
        let root = AbsPath::new(held.path()).unwrap();
        (held, Disk::new(), root)
    }

    /// What a `plugin.json` lacks, behind a `!` when it is meant as a manifest.
    #[track_caller]
    fn check(text: &str, expected: Option<&str>) {
        let (_held, disk, root) = root();
        disk.replace(&root.join("plugin.json"), text.as_bytes(), 0o644)
            .unwrap();
        let found = unclaimed(&disk, &root).map(|one| {
            let mark = if one.is_meant { "!" } else { "" };
            format!("{mark}{}", row(&one.problem))
        });
        assert_eq!(found.as_deref(), expected, "{text}");
    }

    #[test]
    fn what_a_file_lacks() {
        let right = "https://agent-plugins.org/schemas/1.0.0/plugin.schema.json";
        let other = right.replace("https", "http");
        let with = |schema: &str| format!("{{\"name\": \"p\",\n \"$schema\": {schema}}}");
        let missing = "error missingField - 1:1";
        check(&with(&format!("\"{right}\"")), None);
        check(
            &with(&format!("\"{other}\"")),
            Some("!error unsupportedSchema $schema 2:13"),
        );
        check(
            &with("\"https://example.com\""),
            Some("error unsupportedSchema $schema 2:13"),
        );
        check(&with("7"), Some("error wrongType $schema 2:13"));
        check("{\"name\": \"p\"}", Some(missing));
        check(
            &format!("{{\"$shcema\": \"{right}\"}}"),
            Some(&format!("!{missing}")),
        );
        check("[]", Some("error wrongType - 1:1"));
        check("", Some("error syntax - 1:1"));
        check("{\n \"name\" 1}", Some("error syntax - 2:9"));
        check(
            &with(&format!("\"{right}\",")),
            Some("!error syntax - 2:73"),
        );
    }

    #[test]
    fn a_place_without_such_a_file() {
        let (_held, disk, root) = root();
        assert_eq!(unclaimed(&disk, &root), None);
        disk.create_dirs(&root.join("plugin.json")).unwrap();
        assert_eq!(unclaimed(&disk, &root), None);
    }
}
