//! Commands that an installation turns into skills, so that hosts without commands can use them.
//!
//! A command is a Markdown file with a description. One that needs what a skill has not (arguments,
//! inclusion of files or of command output) is left as it is, with a problem that says why.
//!
//! This module only generates; the installer writes. A copy is made without what the source has in
//! [`MIGRATED_SKILLS_DIR`], so that nothing in there is older than its command.

use std::collections::{BTreeMap, HashSet};

use plugd_disk::{Disk, Entry, Kind};
use plugd_model::{
    AbsPath, MIGRATED_SKILLS_DIR, ManifestFormat, PluginManifest, Problem, ProblemKind,
};

use crate::Found;
use crate::budget::Budget;
use crate::front_matter::{self, Fence, FrontMatter};
use crate::skills;
use crate::tree::{Located, PluginTree, not_a};

#[cfg(test)]
mod tests;

/// Where commands lie when the manifest names nothing else.
const DEFAULT_ROOT: &str = "commands";
/// What generated names begin with.
const PREFIX: &str = "source-command";
/// How the file of a command ends.
const SUFFIX: &str = ".md";
/// The longest generated name, in characters.
const MAX_NAME: usize = 64;
/// The largest command that is read.
const MAX_FILE: u64 = 1024 * 1024;
/// The deepest directory below a root that is searched.
const MAX_DEPTH: usize = 16;
/// How many directories are searched.
const MAX_DIRS: usize = 2_000;
/// How many commands are read: one less than the directories in which skills are looked for, because
/// all that are made of them lie side by side in one of those.
const MAX_COMMANDS: usize = skills::MAX_DIRS_PER_ROOT - 1;
/// How many bytes all generated files may have together.
const MAX_TOTAL: usize = 64 * 1024 * 1024;

/// A file that an installation adds to a plugin's copy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GeneratedFile {
    /// Where, relative to the plugin root, with `/`.
    pub path: String,
    /// What.
    pub content: Vec<u8>,
    /// Its permission bits: who may not read the command may not read what is made of it either.
    pub mode: u32,
}

/// The skills made from a plugin's commands, sorted by path. The Agent Plugins format has no
/// commands.
#[must_use]
pub fn migrated_commands(
    disk: &Disk,
    root: &AbsPath,
    manifest: &PluginManifest,
) -> Found<GeneratedFile> {
    if manifest.format == ManifestFormat::AgentPlugins {
        return Found::nothing();
    }
    let tree = match PluginTree::open(disk, root) {
        Ok(tree) => tree,
        Err(problem) => return Found::only(problem),
    };
    let mut problems = Vec::new();
    let commands = find(&tree, manifest, &mut problems);
    let own = match commands.is_empty() {
        true => HashSet::new(),
        false => skills::written_names(&tree, manifest),
    };
    let items = generate(&tree, commands, &own, &mut problems);
    Found { items, problems }.bounded()
}

/// The files of a plugin's commands, whether or not one becomes a skill.
pub(crate) fn command_files(
    tree: &PluginTree<'_>,
    manifest: &PluginManifest,
    problems: &mut Vec<Problem>,
) -> Vec<AbsPath> {
    if manifest.format == ManifestFormat::AgentPlugins {
        return Vec::new();
    }
    let commands = find(tree, manifest, problems);
    commands.into_iter().map(|command| command.path).collect()
}

fn find(
    tree: &PluginTree<'_>,
    manifest: &PluginManifest,
    problems: &mut Vec<Problem>,
) -> Vec<Command> {
    let mut walk = Walk {
        tree,
        problems,
        commands: Vec::new(),
        dirs: 0,
        cut: false,
    };
    match &manifest.commands {
        Some(paths) => {
            for path in paths {
                walk.root(&path.below(tree.root()), true);
            }
        }
        None => walk.root(&tree.root().join(DEFAULT_ROOT), false),
    }
    walk.commands
}

/// A Markdown file among the commands.
struct Command {
    /// Its path below the root it was found in, without the suffix, joined with `-`.
    source_name: String,
    /// How problems call it.
    path: AbsPath,
    file: Located,
}

struct Walk<'a, 'p> {
    tree: &'a PluginTree<'a>,
    problems: &'p mut Vec<Problem>,
    commands: Vec<Command>,
    dirs: usize,
    cut: bool,
}

impl Walk<'_, '_> {
    /// Takes a root, which is a directory of commands or a command itself.
    fn root(&mut self, path: &AbsPath, declared: bool) {
        match self.tree.locate(path) {
            Ok(Some(located)) if located.kind == Kind::Dir => {
                let mut ancestors = HashSet::new();
                self.directory(&located.path, "", 0, &mut ancestors);
            }
            Ok(Some(located)) if declared => {
                let name = path
                    .file_name()
                    .map(|name| name.to_string_lossy().into_owned());
                self.file(path, &name.unwrap_or_default(), "", located);
            }
            Ok(Some(located)) => {
                self.problems
                    .push(not_a(located.kind, "directory").in_file(path));
            }
            Ok(None) if declared => {
                let text = "the manifest names this command, and it does not exist";
                self.problems
                    .push(Problem::warning(ProblemKind::Missing, text).in_file(path));
            }
            Ok(None) => {}
            Err(problem) => self.problems.push(problem),
        }
    }

    /// Searches a directory; `prefix` is what its commands' names begin with. A link back to a
    /// directory on the way here is a cycle and ends the search; one to another is followed,
    /// because a command has a name for each path that leads to it.
    fn directory(
        &mut self,
        dir: &AbsPath,
        prefix: &str,
        depth: usize,
        ancestors: &mut HashSet<AbsPath>,
    ) {
        if self.cut || !ancestors.insert(dir.clone()) {
            return;
        }
        self.dirs += 1;
        if self.dirs > MAX_DIRS {
            self.cut = true;
            let text = format!(
                "there are more than {MAX_DIRS} directories of commands; the rest is left out"
            );
            self.problems
                .push(Problem::error(ProblemKind::TooLarge, text).in_file(dir));
        } else if depth > MAX_DEPTH {
            let text = format!("commands more than {MAX_DEPTH} directories down are left out");
            self.problems
                .push(Problem::error(ProblemKind::TooLarge, text).in_file(dir));
        } else {
            match self.tree.disk().literally().list_up_to(dir, u64::MAX) {
                Ok(entries) => {
                    for entry in entries.unwrap_or_default() {
                        self.entry(dir, &entry, prefix, depth, ancestors);
                    }
                }
                Err(error) => self.problems.push(error.problem()),
            }
        }
        ancestors.remove(dir);
    }

    /// Takes an entry of a directory, which was resolved before it was listed: whatever is no link in
    /// it is as it stands.
    fn entry(
        &mut self,
        dir: &AbsPath,
        entry: &Entry,
        prefix: &str,
        depth: usize,
        ancestors: &mut HashSet<AbsPath>,
    ) {
        let path = dir.join(&entry.name);
        let name = entry.name.to_string_lossy();
        let located = match entry.kind {
            Kind::Link => self.tree.locate(&path),
            kind => Ok(Some(Located {
                path: path.clone(),
                kind,
            })),
        };
        match located {
            Ok(Some(located)) if located.kind == Kind::Dir => {
                let before = self.commands.len();
                let below = format!("{prefix}{name}-");
                self.directory(&located.path, &below, depth + 1, ancestors);
                if is_command(&name) && self.commands.len() == before && !self.cut {
                    let problem = not_a(Kind::Dir, "file").as_warning();
                    self.problems.push(problem.in_file(&path));
                }
            }
            Ok(Some(located)) => self.file(&path, &name, prefix, located),
            Ok(None) => {}
            Err(problem) => self.problems.push(problem),
        }
    }

    fn file(&mut self, path: &AbsPath, name: &str, prefix: &str, file: Located) {
        if !is_command(name) || self.cut {
            return;
        }
        if self.commands.len() >= MAX_COMMANDS {
            self.cut = true;
            let text = format!("there are more than {MAX_COMMANDS} commands; the rest is left out");
            self.problems
                .push(Problem::error(ProblemKind::TooLarge, text).in_file(path));
            return;
        }
        self.commands.push(Command {
            source_name: format!("{prefix}{}", name.strip_suffix(SUFFIX).unwrap_or(name)),
            path: path.clone(),
            file,
        });
    }
}

/// Whether a command has such a name. A text about the commands is not a command.
fn is_command(name: &str) -> bool {
    name.ends_with(SUFFIX) && name != "README.md"
}

/// Turns commands into files. Two different commands with one name are both left out: which one a
/// user would get is nobody's to decide. One with the name of a skill that the author wrote is left out,
/// too: that skill is what he wants to be used.
fn generate(
    tree: &PluginTree<'_>,
    commands: Vec<Command>,
    own: &HashSet<String>,
    problems: &mut Vec<Problem>,
) -> Vec<GeneratedFile> {
    let mut by_name: BTreeMap<String, Vec<(Command, Vec<u8>)>> = BTreeMap::new();
    let mut total = 0;
    let mut budget = Budget::new();
    for command in commands {
        let name = slug(&format!("{PREFIX}-{}", command.source_name));
        let others = by_name.get(&name);
        if others.is_some_and(|others| others.iter().any(|(o, _)| o.file == command.file)) {
            continue;
        }
        match skill(tree, &command, &name, &mut budget) {
            Ok(content) => {
                total += content.len();
                if total > MAX_TOTAL {
                    let text = format!(
                        "the skills made of commands have more than {MAX_TOTAL} bytes together; \
                         the rest is left out"
                    );
                    let problem = Problem::error(ProblemKind::TooLarge, text);
                    problems.push(problem.in_file(&command.path));
                    break;
                }
                by_name.entry(name).or_default().push((command, content));
            }
            Err(problem) => problems.push(problem.as_warning().in_file(&command.path)),
        }
    }
    let mut files = Vec::new();
    for (name, mut claimants) in by_name {
        if own.contains(&name) {
            for (command, _) in claimants {
                let text = format!(
                    "not turned into a skill: the plugin has a skill of its own called `{name}`"
                );
                let problem = Problem::warning(ProblemKind::Duplicate, text);
                problems.push(problem.in_file(&command.path));
            }
            continue;
        }
        match claimants.pop() {
            Some((command, content)) if claimants.is_empty() => files.push(GeneratedFile {
                path: format!("{MIGRATED_SKILLS_DIR}/{name}/SKILL.md"),
                content,
                mode: mode_like(tree.disk(), &command.file.path),
            }),
            last => {
                for (command, _) in claimants.into_iter().chain(last) {
                    let text = format!("another command would become the skill `{name}` too");
                    let problem = Problem::warning(ProblemKind::Duplicate, text);
                    problems.push(problem.in_file(&command.path));
                }
            }
        }
    }
    files
}

/// The mode of a file that is made of another one.
fn mode_like(disk: &Disk, of: &AbsPath) -> u32 {
    let stamp = disk.stamp(of).ok().flatten();
    stamp.map_or(0, |stamp| stamp.mode & 0o644) | 0o600
}

/// The text of one generated skill; the problem says why there is none.
fn skill(
    tree: &PluginTree<'_>,
    command: &Command,
    name: &str,
    budget: &mut Budget,
) -> Result<Vec<u8>, Problem> {
    if name.chars().count() > MAX_NAME {
        let text = format!("the skill's name would be longer than {MAX_NAME} characters");
        return Err(Problem::warning(ProblemKind::BadName, text));
    }
    let text = tree.read_located(&command.file, &command.path, MAX_FILE)?;
    budget.text(&text)?;
    let missing = |text: &str| Err(Problem::warning(ProblemKind::MissingField, text));
    let Some(parts) = front_matter::split(&text, Fence::Exact) else {
        let why =
            front_matter::hidden_reason(&text).unwrap_or("no front matter with a `description`");
        return missing(&format!("not turned into a skill: {why}"));
    };
    budget.yaml(parts.yaml)?;
    let Some(description) = FrontMatter::parse(parts.yaml)?.text("description")? else {
        return missing("not turned into a skill: its front matter has no `description`");
    };
    let body = parts.body.trim();
    if let Some(need) = need(body) {
        let text = format!("not turned into a skill: it uses {need}, which skills do not have");
        return Err(Problem::warning(ProblemKind::BadValue, text));
    }
    let body = if body.is_empty() {
        "(The command has no text.)"
    } else {
        body
    };
    let source = command.source_name.replace(['`', '\n', '\r'], " ");
    Ok(format!(
        "---\nname: {}\ndescription: {}\n---\n\n# {name}\n\nFollow this when the user asks for the command `{source}` of this plugin.\n\n## Command\n\n{body}\n",
        quoted(name),
        quoted(&description),
    )
    .into_bytes())
}

/// What a command's text needs that a skill cannot give it.
fn need(body: &str) -> Option<&'static str> {
    let after_dollar = || body.split('$').skip(1);
    if body.contains("$ARGUMENTS") {
        Some("`$ARGUMENTS`")
    } else if after_dollar().any(|rest| rest.starts_with(|c: char| c.is_ascii_digit())) {
        Some("numbered arguments")
    } else if body.contains("{{") && body.contains("}}") {
        Some("`{{ }}`")
    } else if body.contains("!`") || body.contains("! `") {
        Some("output of shell commands")
    } else if body
        .split_whitespace()
        .any(|word| word.len() > 1 && word.starts_with('@'))
    {
        Some("`@` references to files")
    } else {
        None
    }
}

/// Lower-case ASCII letters and digits, everything else a single `-` between them.
fn slug(text: &str) -> String {
    let mut slug = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_ascii_alphanumeric() {
            slug.push(c.to_ascii_lowercase());
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
    }
    slug.truncate(slug.trim_end_matches('-').len());
    slug
}

/// A YAML scalar in double quotes.
fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => {
                out.push('\\');
                out.push(c);
            }
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            c if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}') => {
                out.push_str(&format!("\\u{:04x}", u32::from(c)));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}
