//! The texts of a plugin that a model reads: skills with their front matter and their metadata, and
//! commands that become skills.

use plugd_components::{migrated_commands, skill_text, skills};
use plugd_disk::Disk;
use plugd_manifest::parse_plugin;
use plugd_model::{ManifestFormat, Problem};

use super::place::Place;
use super::{check_places, parts};

pub(crate) const WORDS: &[&str] = &[
    "---\n",
    "--- \n",
    "\n---",
    "name: ",
    "description: ",
    "metadata:\n  short-description: ",
    ": ",
    "- ",
    "? ",
    "&a ",
    "*a",
    "<<: *a",
    "!!str ",
    "!tag ",
    "|\n",
    ">-\n",
    "\"",
    "'",
    "{",
    "}",
    "[",
    "]",
    "\t",
    "\r\n",
    "#",
    "%YAML 1.2\n",
    "...\n",
    "\u{feff}",
    "\u{85}",
    "\u{2028}",
    "null",
    "~",
    "@",
    "`",
    "\n%%\n",
    "interface:\n  display_name: ",
    "dependencies:\n  tools:\n    - type: mcp\n",
    "policy:\n",
    "$ARGUMENTS",
    "!`id`",
    "allowed-tools: ",
    "argument-hint: ",
    "[[[[",
    "{a: ",
    "&b [*a,*a]\n",
];

/// A skill, and behind lines `%%` its metadata and a command.
pub(crate) fn run(input: &[u8]) {
    let parts = parts(input);
    let place = Place::new();
    let root = place.path("plugin");
    let files = [
        "plugin/skills/one/SKILL.md",
        "plugin/skills/one/agents/openai.yaml",
        "plugin/commands/two.md",
    ];
    for (file, text) in files.iter().zip(&parts) {
        place.write(file, text);
    }
    let before = place.tree("");
    let manifest = root.join(".codex-plugin/plugin.json");
    let (manifest, _) =
        parse_plugin(b"{\"name\": \"p\"}", ManifestFormat::Codex, "p", &manifest).unwrap();
    let disk = Disk::new();
    let check = |problems: &[Problem]| {
        for (file, text) in files.iter().zip(&parts) {
            let file = place.path(file);
            let own = problems
                .iter()
                .filter(|problem| problem.path.as_ref() == Some(&file));
            check_places(&file, text, &own.cloned().collect::<Vec<_>>());
        }
    };
    let found = skills(&disk, &root, &manifest);
    check(&found.problems);
    for skill in &found.items {
        assert!(skill.path.starts_with(&root), "{skill:?}");
        let text = skill_text(&disk, &root, &skill.path).unwrap();
        assert!(text.as_bytes() == parts[0], "another text than the skill's");
    }
    let missing = found.items.is_empty() && found.problems.is_empty();
    assert!(!missing, "a skill vanished without a word");
    let commands = migrated_commands(&disk, &root, &manifest);
    check(&commands.problems);
    for file in &commands.items {
        let path = root.join(&file.path);
        assert!(
            path.starts_with(&root) && !file.path.contains(".."),
            "{file:?}"
        );
    }
    assert_eq!(place.tree(""), before, "reading has written");
}
