//! Problems and load errors, as lines for people and as JSON.

use plugd_model::{AbsPath, Problem, Severity};
use plugd_plugins::LoadError;
use serde::Serialize;

use crate::escape;
use crate::style::{Paint, Style};

/// `warning: file:line:column: member: what is wrong`, as far as the place is known, or `error:` by
/// the severity of the problem.
pub(crate) fn warning(problem: &Problem, style: Style) -> String {
    labelled(problem, problem.path.as_ref(), style)
}

/// The same for a row of a listing; its own path stands in for one that the problem does not name.
pub(crate) fn load_error(row: &LoadError, style: Style) -> String {
    let LoadError {
        marketplace_path,
        problem,
    } = row;
    let path = problem.path.as_ref().unwrap_or(marketplace_path);
    labelled(problem, Some(path), style)
}

fn labelled(problem: &Problem, path: Option<&AbsPath>, style: Style) -> String {
    let label = match problem.severity {
        Severity::Warning => style.paint(Paint::Warning, "warning:"),
        Severity::Error => style.paint(Paint::Error, "error:"),
    };
    format!("{label} {}\n", line(problem, path))
}

/// A problem without its severity, on one line.
pub(crate) fn line(problem: &Problem, path: Option<&AbsPath>) -> String {
    let mut text = String::new();
    if let Some(path) = path {
        text.push_str(&escape::line(&path.to_text()));
        if let Some(place) = problem.place {
            text.push_str(&format!(":{}:{}", place.line, place.column));
        }
        text.push_str(": ");
    }
    if let Some(field) = &problem.field {
        text.push_str(&escape::line(field));
        text.push_str(": ");
    }
    text.push_str(&escape::line(&problem.message));
    text
}

/// A problem in the one shape that problems have everywhere.
#[derive(Debug, Serialize)]
pub(crate) struct ProblemShape {
    kind: &'static str,
    severity: &'static str,
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    column: Option<u32>,
}

/// A row as in `marketplaceLoadErrors`: the problem, and beside it the path of the marketplace.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct LoadErrorShape {
    marketplace_path: String,
    #[serde(flatten)]
    problem: ProblemShape,
}

/// Problems as on the wire.
pub(crate) fn shapes<'a>(problems: impl IntoIterator<Item = &'a Problem>) -> Vec<ProblemShape> {
    problems.into_iter().map(shape).collect()
}

/// A row as on the wire.
pub(crate) fn load_error_shape(row: &LoadError) -> LoadErrorShape {
    let LoadError {
        marketplace_path,
        problem,
    } = row;
    LoadErrorShape {
        marketplace_path: marketplace_path.to_text(),
        problem: shape(problem),
    }
}

fn shape(problem: &Problem) -> ProblemShape {
    let Problem {
        kind,
        severity,
        message,
        path,
        field,
        place,
    } = problem;
    ProblemShape {
        kind: kind.word(),
        severity: match severity {
            Severity::Warning => "warning",
            Severity::Error => "error",
        },
        message: message.clone(),
        path: path.as_ref().map(AbsPath::to_text),
        field: field.clone(),
        line: place.map(|place| place.line),
        column: place.map(|place| place.column),
    }
}

#[cfg(test)]
mod tests {
    use plugd_model::{Place, Problem, ProblemKind};
    use plugd_plugins::LoadError;
    use pretty_assertions::assert_eq;
    use serde_json::{json, to_value};

    use super::{load_error, load_error_shape, shapes, warning};
    use crate::fixture::path;
    use crate::style::Style;

    #[track_caller]
    fn check(problem: &Problem, expected: &str) {
        assert_eq!(warning(problem, Style::PLAIN), expected);
    }

    #[test]
    fn a_line_says_as_much_of_the_place_as_is_known() {
        let base = || Problem::warning(ProblemKind::BadValue, "not good");
        let place = Place { line: 3, column: 7 };
        let file = path("/m/marketplace.json");
        check(&base(), "warning: not good\n");
        check(
            &base().in_file(&file),
            "warning: /m/marketplace.json: not good\n",
        );
        check(
            &base().in_file(&file).at(place),
            "warning: /m/marketplace.json:3:7: not good\n",
        );
        check(
            &base().in_file(&file).at(place).at_field("plugins[0].name"),
            "warning: /m/marketplace.json:3:7: plugins[0].name: not good\n",
        );
        check(&base().at_field("name"), "warning: name: not good\n");
        check(&Problem::error(ProblemKind::Syntax, "bad"), "error: bad\n");
    }

    #[test]
    fn nothing_of_a_problem_reaches_the_terminal_as_it_is() {
        let problem = Problem::warning(ProblemKind::BadName, "a\nb")
            .in_file(&path("/m\u{1b}"))
            .at_field("x\u{7}");
        check(&problem, "warning: /m\\u{1b}: x\\u{7}: a\\nb\n");
    }

    #[test]
    fn a_row_falls_back_to_the_path_of_its_marketplace() {
        let row = LoadError {
            marketplace_path: path("/ch/config.toml"),
            problem: Problem::error(ProblemKind::Missing, "nothing there"),
        };
        assert_eq!(
            load_error(&row, Style::PLAIN),
            "error: /ch/config.toml: nothing there\n"
        );
        let inner = LoadError {
            problem: row.problem.in_file(&path("/demo/plugin.json")),
            ..row
        };
        assert_eq!(
            load_error(&inner, Style::PLAIN),
            "error: /demo/plugin.json: nothing there\n"
        );
    }

    #[test]
    fn shapes_omit_what_is_not_known() {
        let bare = Problem::warning(ProblemKind::LeftOut, "a link");
        let full = Problem::error(ProblemKind::WrongType, "no list")
            .in_file(&path("/m/plugin.json"))
            .at_field("keywords")
            .at(Place { line: 3, column: 7 });
        let bare_json = json!({"kind": "leftOut", "severity": "warning", "message": "a link"});
        let full_json = json!({
            "kind": "wrongType", "severity": "error", "message": "no list",
            "path": "/m/plugin.json", "field": "keywords", "line": 3, "column": 7
        });
        assert_eq!(
            to_value(shapes([&bare, &full])).unwrap(),
            json!([bare_json, full_json])
        );
        let row = LoadError {
            marketplace_path: path("/ch/config.toml"),
            problem: bare,
        };
        assert_eq!(
            to_value(load_error_shape(&row)).unwrap(),
            json!({
                "marketplacePath": "/ch/config.toml",
                "kind": "leftOut", "severity": "warning", "message": "a link"
            })
        );
    }
}
