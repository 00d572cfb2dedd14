//! `plugd plugin search`, `plugin skill` and `plugin sync`. The JSON is the result of `plugin/search`,
//! `plugin/skill/read` and `plugin/reconcile`.

use serde_json::{Value, json};

use crate::args::{PluginArgs, SearchArgs, SkillArgs};
use crate::asked::{Question, is_set, items, member};
use crate::escape;
use crate::failure::Failure;
use crate::selector;
use crate::style::{Paint, Style};
use crate::table::Table;

pub(super) fn search(args: &SearchArgs) -> Question {
    Question {
        method: "plugin/search",
        params: json!({
            "searchTerm": args.text,
            "limit": args.limit,
            "cursor": args.cursor,
            "scope": args.scope.map(|scope| scope.word()),
        }),
    }
}

pub(super) fn hits(result: &Value, style: Style) -> String {
    let mut table = Table::new(&["PLUGIN", "STATUS", "NAME", "DESCRIPTION"]);
    let mut any = false;
    for hit in items(result, "data") {
        any = true;
        let plugin = &hit["plugin"];
        // As in the reference, a hit does not know whether the plugin is enabled.
        let (status, paint) = match is_set(plugin, "installed") {
            true => ("installed", Paint::Good),
            false => ("not installed", Paint::Weak),
        };
        let shown = &plugin["interface"];
        table.row(&[
            (member(plugin, "id"), Paint::Text),
            (status, paint),
            (member(shown, "displayName"), Paint::Text),
            (member(shown, "shortDescription"), Paint::Weak),
        ]);
    }
    if !any {
        return "No plugins found.\n".to_owned();
    }
    let mut text = table.render(style);
    if let Some(cursor) = result["nextCursor"].as_str() {
        let cursor = escape::line(cursor);
        text.push_str(&format!("\nThere are more: --cursor {cursor}\n"));
    }
    text
}

/// # Errors
/// The plugin has no marketplace or an impossible name.
pub(super) fn skill(args: &SkillArgs) -> Result<Question, Failure> {
    let plugin = PluginArgs {
        plugin: args.plugin.clone(),
        marketplace: None,
    };
    let id = selector::plugin_id(&plugin)?;
    Ok(Question {
        method: "plugin/skill/read",
        params: json!({"pluginId": id.to_string(), "skillName": args.skill}),
    })
}

pub(super) fn skill_text(result: &Value, _: Style) -> String {
    escape::paragraph(member(result, "contents"), "")
}

pub(super) fn sync() -> Question {
    Question {
        method: "plugin/reconcile",
        params: json!({"reason": "command line"}),
    }
}

pub(super) fn synced(result: &Value, style: Style) -> String {
    let mut text = String::new();
    for plugin in items(result, "changedPlugins") {
        let id = escape::line(member(plugin, "id"));
        text.push_str(&format!("Changed `{id}`.\n"));
    }
    for members in [
        "failedRemotePluginIds",
        "failedMaterializationRemotePluginIds",
    ] {
        for id in items(result, members) {
            let id = escape::line(id.as_str().unwrap_or_default());
            let failed = style.paint(Paint::Error, "Failed");
            text.push_str(&format!("{failed}: `{id}`.\n"));
        }
    }
    if text.is_empty() {
        return "Nothing is different.\n".to_owned();
    }
    text
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;
    use serde_json::json;

    use super::{hits, skill_text, synced};
    use crate::style::Style;

    #[test]
    fn hits_are_a_table_and_tell_of_more() {
        let result = json!({"nextCursor": "c1", "data": [{"plugin": {
            "id": "hello@demo", "installed": true, "enabled": true,
            "interface": {"displayName": "Hello", "shortDescription": "greets"},
        }}]});
        assert_eq!(
            hits(&result, Style::PLAIN),
            "PLUGIN      STATUS     NAME   DESCRIPTION\n\
             hello@demo  installed  Hello  greets\n\n\
             There are more: --cursor c1\n"
        );
        let none = json!({"data": [], "nextCursor": null});
        assert_eq!(hits(&none, Style::PLAIN), "No plugins found.\n");
    }

    #[test]
    fn texts_are_made_fit_for_a_terminal() {
        let text = skill_text(&json!({"contents": "a\u{1b}\nb\n"}), Style::PLAIN);
        assert_eq!(text, "a\\u{1b}\nb\n");
    }

    #[test]
    fn a_sync_tells_what_is_different() {
        let quiet = json!({"changedPlugins": [], "failedRemotePluginIds": []});
        let all = "Nothing is different.\n";
        assert_eq!(synced(&quiet, Style::PLAIN), all);
        let busy = json!({"changedPlugins": [{"id": "a"}], "failedRemotePluginIds": ["b"]});
        assert_eq!(synced(&busy, Style::PLAIN), "Changed `a`.\nFailed: `b`.\n");
    }
}
