//! Hooks: of a file and of a table of the configuration.

use plugd_components::{HookDeclaration, Placeholders, Platform, hooks_in_file, hooks_in_table};
use plugd_disk::Disk;

use super::check_places;
use super::place::Place;

pub(crate) const WORDS: &[&str] = &[
    "{\"hooks\": {",
    "\"PreToolUse\": [",
    "\"Stop\": [",
    "\"SessionStart\": [",
    "\"matcher\": ",
    "\"hooks\": [",
    "{\"type\": \"command\", \"command\": ",
    "\"timeout\": ",
    "\"async\": true",
    "\"commandWindows\": ",
    "{\"type\": \"prompt\"}",
    "{\"type\": \"agent\"}",
    "{\"type\": \"mcp_tool\", \"server\": ",
    "${PLUGIN_ROOT}",
    "${CLAUDE_PLUGIN_DATA}",
    "${",
    "(?i)",
    "[[:alpha:]]",
    "(a|b)*",
    "\\\\p{L}",
    "x{1000}",
    "*",
    "null",
    "true",
    "1e999",
    "-1",
    "\\ud800",
    "\\u0000",
    "[[[[",
    "{\"a\":",
    "\"statusMessage\": ",
];

/// The text of a `hooks.json`.
pub(crate) fn run(input: &[u8]) {
    let place = Place::new();
    let file = place.path("plugin/hooks/hooks.json");
    place.write("plugin/hooks/hooks.json", input);
    let found = hooks_in_file(&Disk::new(), &file);
    check_places(&file, input, &found.problems);
    check(&found.items, &place);
    if let Ok(text) = std::str::from_utf8(input) {
        let found = hooks_in_table(text, &file);
        check(&found.items, &place);
    }
}

fn check(found: &[HookDeclaration], place: &Place) {
    let mut keys: Vec<_> = found.iter().map(|hook| &hook.key).collect();
    keys.sort();
    keys.dedup();
    assert_eq!(keys.len(), found.len(), "two hooks have one key");
    let placeholders = Placeholders {
        plugin_root: place.path("plugin"),
        plugin_data: place.path("data"),
    };
    for hook in found {
        assert_eq!(hook.declaration_hash(), hook.clone().declaration_hash());
        for platform in [Platform::Unix, Platform::Windows] {
            let text = hook.command_text(&placeholders, platform);
            assert_eq!(text.is_some(), hook.written_command(platform).is_some());
        }
        let _ = (hook.obstacle(), hook.effective_matcher(), hook.runs_async());
    }
}
