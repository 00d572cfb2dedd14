//! `plugd marketplace add`.

use plugd_disk::Kind;
use plugd_model::git_url::without_secrets;
use plugd_plugins::{AddRequest, Added};
use serde::Serialize;

use crate::args::AddArgs;
use crate::escape;
use crate::failure::Failure;
use crate::page::{Form, Page};
use crate::problems::{self, ProblemShape};
use crate::session::Session;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Shape {
    marketplace_name: String,
    installed_root: String,
    already_added: bool,
    commit: Option<String>,
    problems: Vec<ProblemShape>,
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
        &session.copies,
        &session.fetcher,
        &session.events,
        request,
    );
    let here = directory_here(session, &args.source);
    match added.await {
        Ok(added) => {
            let page = page(&added, &args.source, form);
            Ok(match here {
                Some(hint) => {
                    page.warned("the source is taken for a repository", Some(&hint), form)
                }
                None => page,
            })
        }
        Err(error) => Err(match here {
            Some(hint) => Failure::Suggested {
                failure: Box::new(error.into()),
                hint,
            },
            None => error.into(),
        }),
    }
}

/// What to write for a directory of that name: as in the reference a source without a dot or a slash
/// in front is none.
fn directory_here(session: &Session, source: &str) -> Option<String> {
    let is_path = source.starts_with(['.', '/', '\\', '~']) || source.contains(':');
    let place = session.cwd().join(source);
    let stamp = session.lookup.disk().stamp(&place).ok()??;
    (!is_path && stamp.kind == Kind::Dir)
        .then(|| format!("write `./{source}` for the directory here"))
}

/// The reference says the address of a git source, and the directory of a local one.
fn page(added: &Added, source: &str, form: Form) -> Page {
    let Added {
        name,
        root,
        already_added,
        commit,
        problems: met,
    } = added;
    let Form::Text { err, .. } = form else {
        return Page::json(&Shape {
            marketplace_name: name.to_string(),
            installed_root: root.to_text(),
            already_added: *already_added,
            commit: commit.clone(),
            problems: problems::shapes(met),
        });
    };
    let root = escape::line(&root.to_text());
    let from = match commit {
        Some(_) => escape::line(&without_secrets(source)),
        None => root.clone(),
    };
    let first = if *already_added {
        format!("Marketplace `{name}` is already added from {from}.")
    } else {
        format!("Added marketplace `{name}` from {from}.")
    };
    Page {
        warnings: met
            .iter()
            .map(|problem| problems::warning(problem, err))
            .collect(),
        ..Page::text(format!("{first}\nInstalled marketplace root: {root}\n"))
    }
}

#[cfg(test)]
mod tests {
    use plugd_model::{MarketplaceName, Problem, ProblemKind};
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
            commit: None,
            problems: Vec::new(),
        }
    }

    #[test]
    fn text_says_whether_it_was_there() {
        assert_eq!(
            page(&added(false), "./demo", text()).body,
            "Added marketplace `demo` from /d/demo.\nInstalled marketplace root: /d/demo\n"
        );
        assert_eq!(
            page(&added(true), "./demo", text()).body,
            "Marketplace `demo` is already added from /d/demo.\n\
             Installed marketplace root: /d/demo\n"
        );
    }

    #[test]
    fn a_git_source_is_named_by_its_address() {
        let git = Added {
            commit: Some("5a2c9f0d".to_owned()),
            problems: vec![Problem::warning(ProblemKind::LeftOut, "a pointer of LFS")],
            ..added(false)
        };
        let told = page(&git, "https://u:p@git.example/demo", text());
        assert_eq!(
            told.body,
            "Added marketplace `demo` from https://git.example/demo.\n\
             Installed marketplace root: /d/demo\n"
        );
        assert_eq!(told.warnings, "warning: a pointer of LFS\n");
        let json = page(&git, "owner/demo", Form::Json).body;
        assert!(json.contains("\"commit\": \"5a2c9f0d\""), "{json}");
        assert!(json.contains("\"kind\": \"leftOut\""), "{json}");
    }

    #[test]
    fn json_is_the_references_with_more() {
        let expected = r#"{
  "marketplaceName": "demo",
  "installedRoot": "/d/demo",
  "alreadyAdded": true,
  "commit": null,
  "problems": []
}
"#;
        assert_eq!(page(&added(true), "./demo", Form::Json).body, expected);
    }
}
