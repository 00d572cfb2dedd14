//! `plugd plugin remove`.

use plugd_model::{AbsPath, PluginId};
use plugd_plugins::Uninstalled;
use serde::Serialize;

use crate::args::PluginArgs;
use crate::failure::Failure;
use crate::page::{Form, Page};
use crate::selector;
use crate::session::Session;
use crate::shapes::{self, TargetShape};
use crate::suggest;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Shape {
    #[serde(flatten)]
    target: Option<TargetShape>,
    #[serde(skip_serializing_if = "Option::is_none")]
    remote_plugin_id: Option<String>,
    changed: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    linked: Option<String>,
}

pub(super) async fn run(session: &Session, args: &PluginArgs, form: Form) -> Result<Page, Failure> {
    let id = match selector::remote_id(args) {
        Some(id) => id.to_string(),
        None => selector::plugin_id(args)?.to_string(),
    };
    let removed = plugd_plugins::uninstall(&session.call, &session.parts, id).await?;
    let page = page(&removed, form);
    if let (Some(id), Some(path)) = (&removed.id, &removed.linked) {
        let text = format!("`{id}` is linked to {path} and stays in use");
        let hint = format!("`plugd unlink {id}` ends that");
        return Ok(page.warned(&text, Some(&hint), form));
    }
    match &removed {
        Uninstalled {
            id: Some(id),
            changed: false,
            ..
        } => Ok(page.warned(
            &format!("`{id}` was not installed"),
            suggest::plugin(session, id).await.as_deref(),
            form,
        )),
        _ => Ok(page),
    }
}

fn page(removed: &Uninstalled, form: Form) -> Page {
    let Uninstalled {
        id,
        remote_id,
        changed,
        linked,
    } = removed;
    match form {
        Form::Json => Page::json(&Shape {
            target: id.as_ref().map(shapes::target),
            remote_plugin_id: remote_id.as_ref().map(ToString::to_string),
            changed: *changed,
            linked: linked.as_ref().map(AbsPath::to_text),
        }),
        // The reference says the same whether or not it was there, and scripts rely on it. A warning
        // beside it tells which.
        Form::Text { .. } => Page::text(match (id, remote_id) {
            (Some(id), _) => line(id),
            (None, Some(id)) => format!("Removed plugin `{id}`.\n"),
            (None, None) => String::new(),
        }),
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
            id: Some(PluginId::parse("hello@demo").unwrap()),
            remote_id: None,
            changed: false,
            linked: None,
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
