//! `plugd marketplace list`: the marketplaces in use, and those that should be and cannot.
//!
//! One that is broken is a row with its problem and makes the exit code 1; the others are listed all
//! the same.

use serde::Serialize;

use crate::failure::Failure;
use crate::known::{self, KnownMarketplace};
use crate::page::{Form, Page};
use crate::problems::{self, ProblemShape};
use crate::session::Session;
use crate::shapes::{self, MarketplaceSourceShape};
use crate::style::{Paint, Style};
use crate::table::Table;

#[derive(Serialize)]
struct Shape {
    marketplaces: Vec<Row>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Row {
    name: String,
    root: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    marketplace_source: Option<MarketplaceSourceShape>,
    path: Option<String>,
    problems: Vec<ProblemShape>,
}

pub(super) async fn run(session: &Session, form: Form) -> Result<Page, Failure> {
    Ok(page(&session.marketplaces().await?, form))
}

fn page(known: &[KnownMarketplace], form: Form) -> Page {
    let page = match form {
        Form::Json => Page::json(&Shape {
            marketplaces: known.iter().map(row).collect(),
        }),
        Form::Text { .. } if known.is_empty() => Page::text("No plugin marketplaces in scope.\n"),
        Form::Text { out, .. } => Page::text(table(known, out)),
    };
    match known::unusable(known.iter()) {
        Some(reason) => page.because(&reason),
        None => page,
    }
}

fn row(marketplace: &KnownMarketplace) -> Row {
    let KnownMarketplace {
        name,
        root,
        path,
        configured,
        problem,
    } = marketplace;
    Row {
        name: name.clone(),
        root: root.to_text(),
        marketplace_source: configured.as_ref().map(shapes::configured),
        path: path.as_ref().map(|path| path.to_text()),
        problems: problems::shapes(problem),
    }
}

/// The reference's table; a third column appears when there is something to put into it.
fn table(known: &[KnownMarketplace], style: Style) -> String {
    let any = known.iter().any(|one| one.problem.is_some());
    let heading = ["MARKETPLACE", "ROOT", "PROBLEM"];
    let mut table = Table::new(&heading[..if any { 3 } else { 2 }]);
    for one in known {
        let paint = match &one.problem {
            Some(_) if one.is_broken() => Paint::Error,
            Some(_) => Paint::Warning,
            None => Paint::Text,
        };
        let problem = one
            .problem
            .as_ref()
            .map(|problem| problems::line(problem, problem.path.as_ref()));
        table.row(&[
            (&one.name, paint),
            (&one.root.to_text(), Paint::Text),
            (problem.as_deref().unwrap_or_default(), paint),
        ]);
    }
    table.render(style)
}

#[cfg(test)]
mod tests {
    use plugd_model::{Place, Problem, ProblemKind};
    use plugd_plugins::ConfiguredKind;
    use pretty_assertions::assert_eq;

    use super::page;
    use crate::fixture::{path, text};
    use crate::known::KnownMarketplace;
    use crate::page::Form;

    fn known(name: &str) -> KnownMarketplace {
        KnownMarketplace {
            name: name.to_owned(),
            root: path(&format!("/{name}")),
            path: Some(path(&format!("/{name}/.agents/plugins/marketplace.json"))),
            configured: None,
            problem: None,
        }
    }

    fn broken() -> KnownMarketplace {
        KnownMarketplace {
            path: None,
            problem: Some(
                Problem::error(ProblemKind::Syntax, "not JSON")
                    .in_file(&path("/b/x.json"))
                    .at(Place { line: 2, column: 5 }),
            ),
            ..configured("b")
        }
    }

    fn configured(name: &str) -> KnownMarketplace {
        KnownMarketplace {
            configured: Some(ConfiguredKind::Local {
                source: path(&format!("/{name}")),
            }),
            ..known(name)
        }
    }

    #[track_caller]
    fn check(known: &[KnownMarketplace], expected: &str, incomplete: Option<&str>) {
        let page = page(known, text());
        assert_eq!(page.body, expected);
        assert_eq!(page.incomplete.as_deref(), incomplete);
    }

    #[test]
    fn a_sound_list_looks_like_the_references() {
        check(&[], "No plugin marketplaces in scope.\n", None);
        check(
            &[known("homie"), configured("demo")],
            "MARKETPLACE  ROOT\nhomie        /homie\ndemo         /demo\n",
            None,
        );
    }

    #[test]
    fn a_broken_marketplace_hides_no_other() {
        check(
            &[configured("demo"), broken()],
            "MARKETPLACE  ROOT   PROBLEM\n\
             demo         /demo\n\
             b            /b     /b/x.json:2:5: not JSON\n",
            Some("the marketplace `b` cannot be used"),
        );
    }

    #[test]
    fn a_conflict_is_told_and_breaks_nothing() {
        let mut conflict = known("demo");
        conflict.problem = Some(Problem::warning(ProblemKind::Conflict, "goes second"));
        check(
            &[conflict],
            "MARKETPLACE  ROOT   PROBLEM\ndemo         /demo  goes second\n",
            None,
        );
    }

    #[test]
    fn json_is_the_references_with_more() {
        let page = page(&[known("homie"), configured("demo")], Form::Json);
        let expected = r#"{
  "marketplaces": [
    {
      "name": "homie",
      "root": "/homie",
      "path": "/homie/.agents/plugins/marketplace.json",
      "problems": []
    },
    {
      "name": "demo",
      "root": "/demo",
      "marketplaceSource": {
        "sourceType": "local",
        "source": "/demo"
      },
      "path": "/demo/.agents/plugins/marketplace.json",
      "problems": []
    }
  ]
}
"#;
        assert_eq!(page.body, expected);
        assert_eq!(page.incomplete, None);
    }
}
