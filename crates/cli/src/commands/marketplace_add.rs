//! `plugd marketplace add`.

use plugd_plugins::{AddRequest, Added};
use serde::Serialize;

use crate::args::AddArgs;
use crate::escape;
use crate::failure::Failure;
use crate::page::{Form, Page};
use crate::session::Session;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Shape {
    marketplace_name: String,
    installed_root: String,
    already_added: bool,
}

pub(super) async fn run(session: &Session, args: &AddArgs, form: Form) -> Result<Page, Failure> {
    let AddArgs {
        source,
        ref_name,
        sparse,
    } = args.clone();
    let request = AddRequest {
        source,
        ref_name,
        sparse_paths: sparse,
        cwd: session.cwd().clone(),
    };
    let added = plugd_plugins::add_marketplace(
        &session.call,
        &session.blocking,
        &session.lookup,
        &session.events,
        request,
    )
    .await?;
    Ok(page(&added, form))
}

fn page(added: &Added, form: Form) -> Page {
    let Added {
        name,
        root,
        already_added,
    } = added;
    if form == Form::Json {
        return Page::json(&Shape {
            marketplace_name: name.to_string(),
            installed_root: root.to_text(),
            already_added: *already_added,
        });
    }
    let root = escape::line(&root.to_text());
    let first = if *already_added {
        format!("Marketplace `{name}` is already added from {root}.")
    } else {
        format!("Added marketplace `{name}` from {root}.")
    };
    Page::text(format!("{first}\nInstalled marketplace root: {root}\n"))
}

#[cfg(test)]
mod tests {
    use plugd_model::MarketplaceName;
    use plugd_plugins::Added;
    use pretty_assertions::assert_eq;

    use super::page;
    use crate::fixture::{path, text};
    use crate::page::Form;

    fn added(already_added: bool) -> Added {
        Added {
            name: MarketplaceName::new("demo").unwrap(),
            root: path("/d/demo"),
            already_added,
        }
    }

    #[test]
    fn text_says_whether_it_was_there() {
        assert_eq!(
            page(&added(false), text()).body,
            "Added marketplace `demo` from /d/demo.\nInstalled marketplace root: /d/demo\n"
        );
        assert_eq!(
            page(&added(true), text()).body,
            "Marketplace `demo` is already added from /d/demo.\n\
             Installed marketplace root: /d/demo\n"
        );
    }

    #[test]
    fn json_is_the_references() {
        let expected = r#"{
  "marketplaceName": "demo",
  "installedRoot": "/d/demo",
  "alreadyAdded": true
}
"#;
        assert_eq!(page(&added(true), Form::Json).body, expected);
    }
}
