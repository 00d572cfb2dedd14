//! `configRequirements/read`.

use std::collections::BTreeMap;
use std::sync::Arc;

use plugd_plugins::call::Call;
use plugd_plugins::{Requirements, read_config};
use plugd_protocol as wire;
use serde_json::{Map, Value, json};

use crate::context::Context;
use crate::reply::Reply;
use crate::wire_error::WireError;

pub(crate) async fn handle(
    context: Arc<Context>,
    _call: Call,
    _params: wire::NoParams,
) -> Result<Reply, WireError> {
    let config = read_config(&context.blocking, &context.lookup, None).await?;
    let requirements = config.requirements();
    let says_something = requirements.is_restricted()
        || requirements
            .content()
            .as_object()
            .is_some_and(|members| !members.is_empty());
    Reply::of(&wire::ConfigRequirementsReadResponse {
        requirements: says_something.then(|| convert(requirements)),
        supports_independent_speed_modes: None,
    })
}

fn convert(requirements: &Requirements) -> wire::ConfigRequirements {
    let content = requirements.content();
    let features = content["features"].as_object().map(|switches| {
        switches
            .iter()
            .filter_map(|(name, value)| Some((name.clone(), value.as_bool()?)))
            .collect::<BTreeMap<_, _>>()
    });
    // A list that cannot be understood restricts, and then nothing is on it.
    let marketplaces = requirements
        .is_restricted()
        .then(|| wire::MarketplaceRequirements {
            restrict_to_allowed_sources: true,
            allowed_sources: content["marketplaces"]["allowed_sources"]
                .as_object()
                .map(|rows| {
                    rows.iter()
                        .filter_map(|(key, row)| Some((key.clone(), allowed(row)?)))
                        .collect()
                })
                .unwrap_or_default(),
        });
    let mut all = wire::ConfigRequirements::new(features, marketplaces);
    if content.get(MANAGED_HOOKS).is_some() || requirements.managed_hooks_only() {
        let value = Value::Bool(requirements.managed_hooks_only());
        all.others.insert("allowManagedHooksOnly".to_owned(), value);
    }
    if let Some(table) = content["hooks"].as_object() {
        all.others.insert("hooks".to_owned(), hooks(table));
    }
    all
}

const MANAGED_HOOKS: &str = "allow_managed_hooks_only";

/// Every event that the reference names, in its order.
const EVENTS: [&str; 14] = [
    "PreModelRequest",
    "PostModelRequest",
    "PreToolUse",
    "PermissionRequest",
    "PostToolUse",
    "PreCompact",
    "PostCompact",
    "SessionStart",
    "SessionEnd",
    "UserPromptSubmit",
    "SubagentStart",
    "SubagentStop",
    "Stop",
    "Interrupt",
];

/// The hooks as the reference answers them: with every event.
fn hooks(table: &Map<String, Value>) -> Value {
    let text = |name: &str| table.get(name).cloned().unwrap_or_default();
    let mut all = Map::new();
    all.insert("managedDir".to_owned(), text("managed_dir"));
    all.insert("windowsManagedDir".to_owned(), text("windows_managed_dir"));
    for event in EVENTS {
        let groups = table.get(event).and_then(Value::as_array);
        let groups = groups.into_iter().flatten().map(|group| {
            let handlers = group["hooks"].as_array().into_iter().flatten();
            let handlers: Vec<_> = handlers.map(handler).collect();
            json!({"matcher": group["matcher"], "hooks": handlers})
        });
        all.insert(event.to_owned(), groups.collect());
    }
    Value::Object(all)
}

fn handler(handler: &Value) -> Value {
    let either = |first: &str, second: &str| match handler.get(first) {
        Some(value) => value.clone(),
        None => handler[second].clone(),
    };
    match handler["type"].as_str() {
        Some("command") => json!({
            "type": "command",
            "command": handler["command"],
            "commandWindows": either("commandWindows", "command_windows"),
            "timeoutSec": handler["timeout"],
            "async": handler["async"].as_bool().unwrap_or(false),
            "statusMessage": handler["statusMessage"],
            "additionalContextLimit": handler["additionalContextLimit"],
        }),
        Some("mcp_tool") => json!({
            "type": "mcp_tool",
            "server": handler["server"],
            "tool": handler["tool"],
            "input": handler.get("input").unwrap_or(&json!({})),
            "timeoutSec": handler["timeout"],
            "statusMessage": handler["statusMessage"],
        }),
        _ => json!({"type": handler["type"]}),
    }
}

fn allowed(row: &Value) -> Option<wire::AllowedMarketplaceSource> {
    let text = |key: &str| row[key].as_str().map(str::to_owned);
    match row["source"].as_str()? {
        "git" => Some(wire::AllowedMarketplaceSource::Git {
            url: text("url")?,
            ref_name: text("ref"),
        }),
        "host_pattern" => Some(wire::AllowedMarketplaceSource::HostPattern {
            host_pattern: text("host_pattern")?,
        }),
        "local" => Some(wire::AllowedMarketplaceSource::Local {
            path: wire::AbsolutePathBuf(text("path")?),
        }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;
    use serde_json::json;

    use super::hooks;

    #[test]
    fn hooks_have_every_event_and_the_names_of_the_wire() {
        let table = json!({
            "managed_dir": "/srv/hooks",
            "Stop": [{"matcher": "m", "hooks": [
                {"type": "command", "command": "x", "timeout": 5, "command_windows": "w"},
                {"type": "mcp_tool", "server": "s", "tool": "t"},
                {"type": "prompt", "prompt": "p"},
            ]}],
        });
        let mut found = hooks(table.as_object().unwrap());
        let stop = found["Stop"].take();
        let command = json!({
            "type": "command", "command": "x", "commandWindows": "w", "timeoutSec": 5,
            "async": false, "statusMessage": null, "additionalContextLimit": null,
        });
        let tool = json!({
            "type": "mcp_tool", "server": "s", "tool": "t", "input": {}, "timeoutSec": null,
            "statusMessage": null,
        });
        let expected = json!([{"matcher": "m", "hooks": [command, tool, {"type": "prompt"}]}]);
        assert_eq!(stop, expected);
        assert_eq!(found["managedDir"], "/srv/hooks");
        assert_eq!(found["SessionStart"], json!([]));
        assert_eq!(found.as_object().unwrap().len(), 16);
    }
}
