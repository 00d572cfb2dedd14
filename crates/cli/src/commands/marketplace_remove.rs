//! `plugd marketplace remove`.

use plugd_plugins::{Leftovers, RemoveRequest, Removed};
use serde::Serialize;

use super::plugin_remove;
use crate::args::RemoveArgs;
use crate::escape;
use crate::failure::Failure;
use crate::page::{Form, Page};
use crate::session::Session;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Shape {
    marketplace_name: String,
    installed_root: Option<String>,
    orphans: Vec<String>,
    removed_plugins: Vec<String>,
}

pub(super) async fn run(session: &Session, args: &RemoveArgs, form: Form) -> Result<Page, Failure> {
    let removed = plugd_plugins::remove_marketplace(
        &session.call,
        &session.blocking,
        &session.lookup,
        &session.copies,
        &session.events,
        RemoveRequest {
            name: args.name.clone(),
            plugins: match args.plugins {
                true => Leftovers::Go,
                false => Leftovers::Stay,
            },
        },
    )
    .await?;
    Ok(page(&removed, form))
}

fn page(removed: &Removed, form: Form) -> Page {
    let Removed {
        name,
        root,
        orphans,
        uninstalled,
    } = removed;
    let root = root.as_ref().map(|root| root.to_text());
    if form == Form::Json {
        return Page::json(&Shape {
            marketplace_name: name.to_string(),
            installed_root: root,
            orphans: orphans.iter().map(ToString::to_string).collect(),
            removed_plugins: uninstalled.iter().map(ToString::to_string).collect(),
        });
    }
    let mut text = format!("Removed marketplace `{name}`.\n");
    if let Some(root) = root {
        text.push_str(&format!(
            "Removed installed marketplace root: {}\n",
            escape::line(&root)
        ));
    }
    for id in uninstalled {
        text.push_str(&plugin_remove::line(id));
    }
    for id in orphans {
        text.push_str(&format!(
            "Plugin `{id}` stays active without a marketplace; `plugd plugin remove {id}` removes it.\n"
        ));
    }
    Page::text(text)
}

#[cfg(test)]
mod tests {
    use plugd_model::{MarketplaceName, PluginId};
    use plugd_plugins::Removed;
    use pretty_assertions::assert_eq;
    use serde_json::{Value, json};

    use super::page;
    use crate::fixture::{path, text};
    use crate::page::Form;

    fn removed(root: Option<&str>, orphans: &[&str], uninstalled: &[&str]) -> Removed {
        let ids = |ids: &[&str]| {
            let ids = ids.iter().map(|id| PluginId::parse(id).unwrap());
            ids.collect()
        };
        Removed {
            name: MarketplaceName::new("demo").unwrap(),
            root: root.map(path),
            orphans: ids(orphans),
            uninstalled: ids(uninstalled),
        }
    }

    #[track_caller]
    fn check(removed: &Removed, expected: &str, json: &Value) {
        assert_eq!(page(removed, text()).body, expected);
        let body = page(removed, Form::Json).body;
        assert_eq!(&serde_json::from_str::<Value>(&body).unwrap(), json);
    }

    #[test]
    fn a_removed_checkout_is_named() {
        check(
            &removed(None, &[], &[]),
            "Removed marketplace `demo`.\n",
            &json!({"marketplaceName": "demo", "installedRoot": null, "orphans": [],
                    "removedPlugins": []}),
        );
        let root = "/ch/.tmp/marketplaces/demo";
        check(
            &removed(Some(root), &[], &[]),
            "Removed marketplace `demo`.\n\
             Removed installed marketplace root: /ch/.tmp/marketplaces/demo\n",
            &json!({"marketplaceName": "demo", "installedRoot": root, "orphans": [],
                    "removedPlugins": []}),
        );
    }

    #[test]
    fn what_becomes_of_its_plugins_is_told() {
        check(
            &removed(None, &["a@demo"], &[]),
            "Removed marketplace `demo`.\n\
             Plugin `a@demo` stays active without a marketplace; \
             `plugd plugin remove a@demo` removes it.\n",
            &json!({"marketplaceName": "demo", "installedRoot": null, "orphans": ["a@demo"],
                    "removedPlugins": []}),
        );
        check(
            &removed(None, &[], &["a@demo"]),
            "Removed marketplace `demo`.\nRemoved plugin `a` from marketplace `demo`.\n",
            &json!({"marketplaceName": "demo", "installedRoot": null, "orphans": [],
                    "removedPlugins": ["a@demo"]}),
        );
    }
}
