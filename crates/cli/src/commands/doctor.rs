//! `plugd doctor`: what is wrong with the home directory, and what to do. It changes nothing, and also
//! works where there is no home or a broken one.

use plugd_model::{Severity, error_chain};
use plugd_plugins::{Check, Diagnosis, Finding};
use serde_json::{Value, json};

use crate::args::DoctorArgs;
use crate::escape;
use crate::failure::{Failure, hint_line};
use crate::page::{Form, Page};
use crate::problems;
use crate::session::Session;
use crate::style::{Paint, Style};

/// Looks at everything; a session that could not be opened for want of a home is a finding too.
///
/// # Errors
/// A flag cannot be understood, or somebody ended the command.
pub(super) fn run(
    opened: Result<Session, Failure>,
    args: &DoctorArgs,
    form: Form,
) -> Result<Page, Failure> {
    let diagnosis = match opened {
        Ok(session) => {
            let look = async {
                let diagnosis = plugd_plugins::doctor(
                    &session.call,
                    &session.blocking,
                    &session.lookup,
                    &session.copies,
                    &session.fetcher,
                );
                Ok(diagnosis.await?)
            };
            session.change(look)?
        }
        Err(Failure::Home(error)) => Diagnosis::without_home(&error_chain(&error), error.advice()),
        Err(failure) => return Err(failure),
    };
    Ok(page(&diagnosis, args, form))
}

fn page(diagnosis: &Diagnosis, args: &DoctorArgs, form: Form) -> Page {
    let errors = diagnosis.count(Severity::Error);
    let warnings = diagnosis.count(Severity::Warning);
    let is_healthy = errors == 0 && (warnings == 0 || !args.strict);
    let page = match form {
        Form::Json => Page::json(&json!({
            "healthy": is_healthy,
            "errors": errors,
            "warnings": warnings,
            "checks": diagnosis.checks.iter().map(shape).collect::<Vec<_>>(),
        })),
        Form::Text { out, .. } => {
            let checks = diagnosis.checks.iter();
            let mut text: String = checks.map(|check| block(check, out)).collect();
            if errors + warnings == 0 {
                text.push_str("Everything is fine.\n");
            }
            Page::text(text)
        }
    };
    match is_healthy {
        true => page,
        false => page.because(&format!("{errors} error(s), {warnings} warning(s)")),
    }
}

fn shape(check: &Check) -> Value {
    let facts = check.facts.iter();
    let facts: Vec<Value> = facts
        .map(|(name, value)| json!({"name": name, "value": value}))
        .collect();
    let findings = check.findings.iter();
    let findings: Vec<Value> = findings
        .map(|finding| {
            let Finding {
                problem,
                plugin,
                advice,
            } = finding;
            json!({
                "problem": problems::shapes([problem])[0],
                "plugin": plugin.as_ref().map(ToString::to_string),
                "advice": advice,
            })
        })
        .collect();
    json!({"area": check.area.word(), "facts": facts, "findings": findings})
}

fn block(check: &Check, style: Style) -> String {
    let worst = check.findings.iter().map(|one| one.problem.severity).max();
    let (word, paint) = match worst {
        None => ("ok", Paint::Good),
        Some(Severity::Warning) => ("look", Paint::Warning),
        Some(Severity::Error) => ("bad", Paint::Error),
    };
    let title = style.paint(Paint::Heading, check.area.word());
    let mut text = format!("{title}: {}\n", style.paint(paint, word));
    for (name, value) in &check.facts {
        let (name, value) = (escape::line(name), escape::line(value));
        text.push_str(&format!("  {name}: {value}\n"));
    }
    for finding in &check.findings {
        text.push_str(&problems::warning(&finding.problem, style));
        text.push_str(&hint_line(&finding.advice, style));
    }
    text
}

#[cfg(test)]
mod tests {
    use plugd_plugins::Diagnosis;
    use pretty_assertions::assert_eq;

    use super::page;
    use crate::args::DoctorArgs;
    use crate::fixture::text;
    use crate::page::Form;

    #[test]
    fn a_missing_home_is_a_finding_with_an_advice() {
        let args = DoctorArgs { strict: false };
        let diagnosis = Diagnosis::without_home("there is no home", "set HOME");
        let page = page(&diagnosis, &args, text());
        assert!(
            page.body.ends_with(
                "home: bad\nerror: there is no home\n\
                 hint: set HOME\n"
            ),
            "{}",
            page.body
        );
        let reason = "1 error(s), 0 warning(s)";
        assert_eq!(page.incomplete.as_deref(), Some(reason));
    }

    #[test]
    fn warnings_do_harm_only_when_asked_for() {
        let none = Diagnosis { checks: Vec::new() };
        let sound = page(&none, &DoctorArgs { strict: true }, text());
        assert_eq!(sound.body, "Everything is fine.\n");
        assert_eq!(sound.incomplete, None);
        let json = page(&none, &DoctorArgs { strict: false }, Form::Json);
        assert!(json.body.contains("\"healthy\": true"), "{}", json.body);
    }
}
