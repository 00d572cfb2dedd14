//! MCP servers and apps: what a host would start or connect to.

use plugd_components::{McpTransport, Placeholders, Platform, apps, mcp_definitions};
use plugd_disk::Disk;
use plugd_manifest::parse_plugin;
use plugd_model::{AbsPath, ManifestFormat};

use super::place::Place;
use super::{check_places, parts};

pub(crate) const WORDS: &[&str] = &[
    "{\"mcpServers\": {",
    "\"s\": {",
    "\"command\": ",
    "\"args\": [",
    "\"env\": {",
    "\"cwd\": ",
    "\"url\": ",
    "\"type\": \"http\"",
    "\"type\": \"sse\"",
    "\"type\": \"stdio\"",
    "\"headers\": {",
    "\"env_vars\": [",
    "\"bearer_token_env_var\": ",
    "\"oauth\": {",
    "${PLUGIN_ROOT}",
    "${CLAUDE_PLUGIN_ROOT}",
    "${HOME:-x}",
    "${",
    "}",
    "\"./",
    "\"../",
    "\"https://u:p@h/\"",
    "\"http://127.0.0.1\"",
    "\"file:///\"",
    "null",
    "true",
    "1e999",
    "\\ud800",
    "\\u0000",
    "[[[[",
    "{\"a\":",
    "\n%%\n",
    "{\"apps\": {",
    "\"id\": ",
    "P",
    "C",
];

/// An `.mcp.json`, and behind a line `%%` an `.app.json`. With a `P` in front the plugin is one of
/// the portable format.
pub(crate) fn run(input: &[u8]) {
    let (format, input) = match input.split_first() {
        Some((b'P', rest)) => (ManifestFormat::AgentPlugins, rest),
        _ => (ManifestFormat::Codex, input),
    };
    let parts = parts(input);
    let place = Place::new();
    let root = place.path("plugin");
    let servers = match format {
        ManifestFormat::AgentPlugins => "plugin/mcp.json",
        _ => "plugin/.mcp.json",
    };
    let files = [servers, "plugin/.app.json"];
    for (file, text) in files.iter().zip(&parts) {
        place.write(file, text);
    }
    let text: &[u8] = match format {
        ManifestFormat::AgentPlugins => b"{\"$schema\": \"https://agent-plugins.org/schemas/1.0.0/plugin.schema.json\", \"name\": \"p\"}",
        _ => b"{\"name\": \"p\"}",
    };
    let parsed = parse_plugin(text, format, "p", &root.join("plugin.json"));
    let Ok((manifest, _)) = parsed else {
        panic!("the manifest of the test is no manifest: {parsed:?}");
    };
    let disk = Disk::new();
    let found = mcp_definitions(&disk, &root, &manifest);
    check_places(&place.path(files[0]), parts[0], &found.problems);
    let placeholders = Placeholders {
        plugin_root: root.clone(),
        plugin_data: place.path("data"),
    };
    for definition in &found.items {
        for platform in [Platform::Unix, Platform::Windows] {
            match definition.resolved(&disk, &placeholders, platform) {
                Ok(server) => {
                    if let McpTransport::Stdio { cwd: Some(cwd), .. } = &server.transport {
                        let path = AbsPath::new(cwd).unwrap();
                        let own = [&root, &placeholders.plugin_data];
                        let allowed = own.iter().any(|dir| path.starts_with(dir));
                        assert!(allowed, "{cwd} is no directory of the plugin");
                    }
                }
                Err(problem) => check_places(&place.path(files[0]), parts[0], &[problem]),
            }
        }
    }
    let found = apps(&disk, &root, &manifest);
    if let Some(text) = parts.get(1) {
        check_places(&place.path(files[1]), text, &found.problems);
    }
}
