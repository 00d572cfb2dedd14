//! `plugd marketplace remove`.

use plugd_plugins::Removed;
use serde::Serialize;

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
}

pub(super) async fn run(session: &Session, args: &RemoveArgs, form: Form) -> Result<Page, Failure> {
    let removed = plugd_plugins::remove_marketplace(
        &session.call,
        &session.blocking,
        &session.lookup,
        &session.events,
        args.name.clone(),
    )
    .await?;
    Ok(page(&removed, form))
}

fn page(removed: &Removed, form: Form) -> Page {
    let Removed { name, root } = removed;
    let root = root.as_ref().map(|root| root.to_text());
    if form == Form::Json {
        return Page::json(&Shape {
            marketplace_name: name.to_string(),
            installed_root: root,
        });
    }
    let mut text = format!("Removed marketplace `{name}`.\n");
    if let Some(root) = root {
        text.push_str(&format!(
            "Removed installed marketplace root: {}\n",
            escape::line(&root)
        ));
    }
    Page::text(text)
}

#[cfg(test)]
mod tests {
    use plugd_model::MarketplaceName;
    use plugd_plugins::Removed;
    use pretty_assertions::assert_eq;

    use super::page;
    use crate::fixture::{path, text};
    use crate::page::Form;

    #[track_caller]
    fn check(root: Option<&str>, expected: &str, json: &str) {
        let removed = Removed {
            name: MarketplaceName::new("demo").unwrap(),
            root: root.map(path),
        };
        assert_eq!(page(&removed, text()).body, expected);
        assert_eq!(page(&removed, Form::Json).body, json);
    }

    #[test]
    fn a_removed_checkout_is_named() {
        check(
            None,
            "Removed marketplace `demo`.\n",
            "{\n  \"marketplaceName\": \"demo\",\n  \"installedRoot\": null\n}\n",
        );
        check(
            Some("/ch/.tmp/marketplaces/demo"),
            "Removed marketplace `demo`.\n\
             Removed installed marketplace root: /ch/.tmp/marketplaces/demo\n",
            "{\n  \"marketplaceName\": \"demo\",\n  \
             \"installedRoot\": \"/ch/.tmp/marketplaces/demo\"\n}\n",
        );
    }
}
