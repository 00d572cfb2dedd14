//! `plugd plugin remove`.

use plugd_model::PluginId;
use plugd_plugins::Uninstalled;
use serde::Serialize;

use crate::args::PluginArgs;
use crate::failure::Failure;
use crate::page::{Form, Page};
use crate::selector;
use crate::session::Session;
use crate::shapes::{self, TargetShape};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Shape {
    #[serde(flatten)]
    target: TargetShape,
    changed: bool,
}

pub(super) async fn run(session: &Session, args: &PluginArgs, form: Form) -> Result<Page, Failure> {
    let id = selector::plugin_id(args)?;
    let removed = plugd_plugins::uninstall(
        &session.call,
        &session.blocking,
        &session.lookup,
        &session.copies,
        &session.events,
        id.to_string(),
    )
    .await?;
    Ok(page(&removed, form))
}

fn page(removed: &Uninstalled, form: Form) -> Page {
    let Uninstalled { id, changed } = removed;
    match form {
        Form::Json => Page::json(&Shape {
            target: shapes::target(id),
            changed: *changed,
        }),
        // The reference says the same whether or not it was there, and scripts rely on it.
        Form::Text { .. } => Page::text(line(id)),
    }
}

/// What people read about a plugin that was removed.
pub(super) fn line(id: &PluginId) -> String {
    format!(
        "Removed plugin `{}` from marketplace `{}`.\n",
        id.plugin, id.marketplace
    )
}

#[cfg(test)]
mod tests {
    use plugd_model::PluginId;
    use plugd_plugins::Uninstalled;
    use pretty_assertions::assert_eq;

    use super::page;
    use crate::fixture::text;
    use crate::page::Form;

    #[test]
    fn both_forms() {
        let removed = Uninstalled {
            id: PluginId::parse("hello@demo").unwrap(),
            changed: false,
        };
        assert_eq!(
            page(&removed, text()).body,
            "Removed plugin `hello` from marketplace `demo`.\n"
        );
        let expected = r#"{
  "pluginId": "hello@demo",
  "name": "hello",
  "marketplaceName": "demo",
  "changed": false
}
"#;
        assert_eq!(page(&removed, Form::Json).body, expected);
    }
}
