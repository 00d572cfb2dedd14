//! `plugd new`: the first files of a plugin, a marketplace or a skill.
//!
//! What is written passes `plugd validate` without a word, so that every later complaint is about what
//! its author did. A directory that is there is never written into, except for a new skill beside the
//! others of its plugin.

use plugd_disk::Disk;
use plugd_manifest::Loader;
use plugd_model::{AbsPath, MarketplaceName, Problem, ProblemKind};

use crate::Error;
use crate::scaffold_error::ScaffoldError;

/// The mode of the files; the user's mask takes away what he does not want.
const MODE: u32 = 0o644;
/// The longest name that every format accepts.
const MAX_NAME: usize = 64;
/// The plugin of a new marketplace, which would be empty without one.
const FIRST_PLUGIN: &str = "hello";

/// What to begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScaffoldKind {
    /// A plugin with a skill.
    Plugin,
    /// A marketplace with a plugin.
    Marketplace,
    /// A skill of a plugin.
    Skill,
}

/// What was begun.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scaffold {
    /// What it is.
    pub kind: ScaffoldKind,
    /// Its name.
    pub name: String,
    /// Its directory.
    pub root: AbsPath,
    /// The plugin that a skill belongs to.
    pub plugin: Option<AbsPath>,
    /// The files, relative to its directory, with `/`.
    pub files: Vec<String>,
}

impl ScaffoldKind {
    /// How it is called.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Plugin => "plugin",
            Self::Marketplace => "marketplace",
            Self::Skill => "skill",
        }
    }
}

/// Writes the first files: of a plugin or marketplace into a new directory of its name below `dir`, of
/// a skill among those of the plugin in `dir`.
///
/// # Errors
/// The name is none, something stands in its place, `dir` holds no plugin for a skill, or the files
/// cannot be written; then none of them is left.
pub fn scaffold(
    disk: &Disk,
    kind: ScaffoldKind,
    name: &str,
    dir: &AbsPath,
) -> Result<Scaffold, Error> {
    check_name(kind, name)?;
    let (root, plugin, files) = match kind {
        ScaffoldKind::Plugin => (dir.join(name), None, plugin(name, "")),
        ScaffoldKind::Marketplace => (dir.join(name), None, marketplace(name)),
        ScaffoldKind::Skill => {
            let files = vec![("SKILL.md".to_owned(), skill(name))];
            (skills_of(disk, dir)?.join(name), Some(dir.clone()), files)
        }
    };
    if let Some(parent) = root.parent() {
        disk.create_dirs(&parent)?;
    }
    // Whoever makes the directory owns what is in it, also beside another one who tries the same.
    if let Err(error) = disk.create_dir(&root) {
        return Err(match disk.link_stamp(&root)? {
            Some(_) => ScaffoldError::InTheWay { path: root }.into(),
            None => error.into(),
        });
    }
    if let Err(error) = write(disk, &root, &files) {
        // What is not whole would be in the way of the next try. Nothing but this is there.
        forget(disk, &root, &files);
        return Err(error);
    }
    Ok(Scaffold {
        kind,
        name: name.to_owned(),
        root,
        plugin,
        files: files.into_iter().map(|(path, _)| path).collect(),
    })
}

/// Names that every program understands: those of skills are the narrowest.
fn check_name(kind: ScaffoldKind, name: &str) -> Result<(), ScaffoldError> {
    let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let is_framed = name.starts_with('-') || name.ends_with('-') || name.contains("--");
    let bad = |reason| ScaffoldError::BadName {
        what: kind.word(),
        name: name.to_owned(),
        reason,
    };
    if name.is_empty() || name.len() > MAX_NAME || !name.chars().all(is_plain) || is_framed {
        return Err(bad(
            "it needs 1 to 64 lower-case letters and digits, with single hyphens between them",
        ));
    }
    let is_reserved = MarketplaceName::new(name).is_ok_and(|name| name.is_reserved());
    match kind {
        ScaffoldKind::Marketplace if is_reserved => Err(bad("another marketplace has that name")),
        _ => Ok(()),
    }
}

/// Where the plugin in a directory keeps its skills.
fn skills_of(disk: &Disk, dir: &AbsPath) -> Result<AbsPath, Error> {
    let nothing = |problem| Error::NoPluginThere {
        path: dir.clone(),
        problem: Box::new(problem),
    };
    let loaded = Loader::new(disk.clone()).plugin(dir).map_err(nothing)?;
    let Some(loaded) = loaded else {
        let text = "it has no plugin manifest, and a skill is made among those of a plugin";
        return Err(nothing(
            Problem::error(ProblemKind::Missing, text).in_file(dir),
        ));
    };
    let named = loaded.value.skills.as_ref().and_then(|paths| paths.first());
    Ok(named.map_or_else(|| dir.join("skills"), |path| path.below(dir)))
}

/// Written by hand, so that the name comes first. A name holds nothing that JSON would read.
fn plugin(name: &str, below: &str) -> Vec<(String, String)> {
    let manifest = format!(
        r#"{{
  "name": "{name}",
  "version": "0.1.0",
  "description": "What {name} is for, in a sentence",
  "interface": {{
    "displayName": "{title}",
    "shortDescription": "What {name} is for"
  }}
}}
"#,
        title = title(name)
    );
    vec![
        (format!("{below}.codex-plugin/plugin.json"), manifest),
        (format!("{below}skills/{name}/SKILL.md"), skill(name)),
    ]
}

fn marketplace(name: &str) -> Vec<(String, String)> {
    let place = format!("plugins/{FIRST_PLUGIN}");
    let manifest = format!(
        r#"{{
  "name": "{name}",
  "interface": {{ "displayName": "{title}" }},
  "plugins": [
    {{ "name": "{FIRST_PLUGIN}", "source": "./{place}" }}
  ]
}}
"#,
        title = title(name)
    );
    let mut files = vec![(".agents/plugins/marketplace.json".to_owned(), manifest)];
    files.extend(plugin(FIRST_PLUGIN, &format!("{place}/")));
    files
}

fn skill(name: &str) -> String {
    format!(
        "---\nname: {name}\ndescription: What {name} does, and when to use it. A model reads this to decide.\n---\n\n\
         # {}\n\nSay here, step by step, what to do.\n",
        title(name)
    )
}

/// `two-words` as `Two words`.
fn title(name: &str) -> String {
    let words = name.replace('-', " ");
    let mut letters = words.chars();
    let first = letters.next().map(|first| first.to_ascii_uppercase());
    first.into_iter().chain(letters).collect()
}

fn write(disk: &Disk, root: &AbsPath, files: &[(String, String)]) -> Result<(), Error> {
    for (path, content) in files {
        let file = root.join(path);
        if let Some(parent) = file.parent() {
            disk.create_dirs(&parent)?;
        }
        disk.write_new(&file, content.as_bytes(), MODE)?;
    }
    Ok(())
}

/// Removes the files, and the directories that are empty then.
fn forget(disk: &Disk, root: &AbsPath, files: &[(String, String)]) {
    for (path, _) in files {
        let file = root.join(path);
        let mut outcome = disk.remove_file(&file);
        let above = file.ancestors().skip(1);
        for dir in above.take_while(|dir| dir.starts_with(root)) {
            outcome = disk.remove_dir(&dir);
        }
        if let Err(error) = outcome {
            tracing::debug!("left of what could not be written: {error}");
        }
    }
}

#[cfg(test)]
#[path = "scaffold_tests.rs"]
mod tests;
