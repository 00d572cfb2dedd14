//! Commands that are one method of the protocol: the JSON is its result, and the text is made from
//! the same result, so that both say the same.

use plugd_model::{AbsPath, Place, Problem, ProblemKind};
use serde_json::Value;
use serde_json::value::{RawValue, to_raw_value};

use crate::failure::Failure;
use crate::page::{Form, Page};
use crate::problems;
use crate::session::Session;
use crate::style::Style;

/// How many names are told of what had no room.
const NAMED: usize = 5;

/// A method with its params.
#[derive(Debug)]
pub(crate) struct Question {
    pub(crate) method: &'static str,
    pub(crate) params: Value,
}

/// Asks the method, and makes a page of its result.
///
/// # Errors
/// What the method answers.
pub(crate) async fn page(
    session: &Session,
    question: Question,
    form: Form,
    text: &dyn Fn(&Value, Style) -> String,
) -> Result<Page, Failure> {
    judged(session, question, form, text, |_| None).await
}

/// The same for a result that can be less than what was asked for; `lacks` says what.
///
/// # Errors
/// What the method answers.
pub(crate) async fn judged(
    session: &Session,
    question: Question,
    form: Form,
    text: &dyn Fn(&Value, Style) -> String,
    lacks: fn(&Value) -> Option<&'static str>,
) -> Result<Page, Failure> {
    let raw = ask(session, &question).await?;
    let result: Value = serde_json::from_str(raw.get()).map_err(Failure::Params)?;
    let page = match form {
        Form::Json => Page::answer(&raw),
        Form::Text { out, err } => Page {
            warnings: warnings(&result, err),
            ..Page::text(text(&result, out))
        },
    };
    Ok(match lacks(&result) {
        Some(reason) => page.because(reason),
        None => page,
    })
}

/// What a method answers, for a command that looks before it acts.
///
/// # Errors
/// What the method answers.
pub(crate) async fn result(session: &Session, question: &Question) -> Result<Value, Failure> {
    let raw = ask(session, question).await?;
    serde_json::from_str(raw.get()).map_err(Failure::Params)
}

async fn ask(session: &Session, question: &Question) -> Result<Box<RawValue>, Failure> {
    let params = to_raw_value(&question.params).map_err(Failure::Params)?;
    let methods = plugd_server::dispatcher(session.setup.clone()).map_err(Failure::Methods)?;
    let call = session.call.clone();
    let reply = methods.call(question.method, Some(params), call).await?;
    Ok(reply.into_json())
}

/// The problems of a result, wherever the protocol has room for them.
fn warnings(result: &Value, style: Style) -> String {
    let groups = items(result, "data").chain(items(result, "changes"));
    let holders = std::iter::once(result).chain(groups);
    let rows = holders.flat_map(|holder| {
        let problems = items(holder, "problems");
        problems.chain(items(holder, "marketplaceLoadErrors"))
    });
    let told = rows.map(|row| problems::warning(&problem(row), style));
    told.chain(without_room(result, style)).collect()
}

/// What a bounded answer had no room for.
fn without_room(result: &Value, style: Style) -> Option<String> {
    let names: Vec<&str> = items(result, "leftOut")
        .filter_map(|one| one["name"].as_str())
        .collect();
    let text = match names.as_slice() {
        [] => return None,
        names if names.len() <= NAMED => names.join(", "),
        names => format!(
            "{} and {} more",
            names[..NAMED].join(", "),
            names.len() - NAMED
        ),
    };
    let text = format!("there was no room for {text}");
    let problem = Problem::warning(ProblemKind::LeftOut, text);
    Some(problems::warning(&problem, style))
}

/// A problem of the wire as a value again.
fn problem(row: &Value) -> Problem {
    let message = member(row, "message");
    // The kind is not shown to people.
    let mut problem = match member(row, "severity") {
        "warning" => Problem::warning(ProblemKind::BadValue, message),
        _ => Problem::error(ProblemKind::BadValue, message),
    };
    let path = ["path", "marketplacePath"]
        .iter()
        .find_map(|name| AbsPath::new(row[*name].as_str()?).ok());
    if let Some(path) = path {
        problem = problem.in_file(&path);
    }
    if let Some(field) = row["field"].as_str() {
        problem = problem.at_field(field);
    }
    let number = |name: &str| u32::try_from(row[name].as_u64()?).ok();
    if let (Some(line), Some(column)) = (number("line"), number("column")) {
        problem = problem.at(Place { line, column });
    }
    problem
}

/// A member that is text, else nothing.
pub(crate) fn member<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_default()
}

/// The items of a member that is a list.
pub(crate) fn items<'a>(value: &'a Value, name: &str) -> impl Iterator<Item = &'a Value> {
    value[name].as_array().into_iter().flatten()
}

/// Whether a member is `true`.
pub(crate) fn is_set(value: &Value, name: &str) -> bool {
    value[name].as_bool().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;
    use serde_json::json;

    use super::warnings;
    use crate::style::Style;

    #[test]
    fn problems_are_told_wherever_a_result_has_them() {
        let result = json!({
            "problems": [{"severity": "warning", "message": "odd", "kind": "x"}],
            "marketplaceLoadErrors": [{"marketplacePath": "/m", "message": "gone"}],
            "data": [{"problems": [{
                "severity": "error", "message": "bad", "path": "/p", "field": "f", "line": 2,
                "column": 3,
            }]}],
        });
        assert_eq!(
            warnings(&result, Style::PLAIN),
            "warning: odd\nerror: /m: gone\nerror: /p:2:3: f: bad\n"
        );
        assert_eq!(warnings(&json!({"data": {}}), Style::PLAIN), "");
        let names = |count: usize| {
            let names =
                (1..=count).map(|number| json!({"kind": "skill", "name": format!("s{number}")}));
            json!({"leftOut": names.collect::<Vec<_>>()})
        };
        let two = "warning: there was no room for s1, s2\n";
        assert_eq!(warnings(&names(2), Style::PLAIN), two);
        let seven = "warning: there was no room for s1, s2, s3, s4, s5 and 2 more\n";
        assert_eq!(warnings(&names(7), Style::PLAIN), seven);
    }
}
