//! `plugd validate`: what the author of a plugin or a marketplace should mend.

use plugd_disk::Disk;
use plugd_model::{Environment, Severity};
use plugd_plugins::{Validated, ValidatedKind, Validation};

use crate::args::ValidateArgs;
use crate::escape;
use crate::failure::Failure;
use crate::page::{Form, Page};
use crate::problems;
use crate::style::{Paint, Style};

/// Validates what lies at a path. No home directory is asked for: an author need not have one.
///
/// # Errors
/// There is no plugin and no marketplace.
pub(super) fn run(
    environment: &Environment,
    disk: &Disk,
    args: &ValidateArgs,
    form: Form,
) -> Result<Page, Failure> {
    let path = environment.cwd.join(&args.path);
    let validation = plugd_plugins::validate(disk, &path)?;
    page(validation, args.strict, form)
}

fn page(validation: Validation, strict: bool, form: Form) -> Result<Page, Failure> {
    let errors = validation.count(Severity::Error);
    let warnings = validation.count(Severity::Warning);
    let page = match form {
        Form::Json => {
            let reply = plugd_server::validation_reply(validation, strict)?;
            Page::answer(&reply.into_json())
        }
        Form::Text { out, .. } => Page::text(text(&validation, out)),
    };
    let counted = counted(errors, warnings);
    Ok(if errors > 0 {
        page.because(&counted)
    } else if strict && warnings > 0 {
        page.because(&format!("{counted}, and --strict allows none"))
    } else {
        page
    })
}

/// `2 errors, 1 warning`, or nothing.
fn counted(errors: usize, warnings: usize) -> String {
    let counts = [("error", errors), ("warning", warnings)];
    let counts = counts.into_iter().filter(|(_, count)| *count > 0);
    let counts = counts.map(|(what, count)| match count {
        1 => format!("1 {what}"),
        _ => format!("{count} {what}s"),
    });
    counts.collect::<Vec<_>>().join(", ")
}

fn text(validation: &Validation, style: Style) -> String {
    let subjects = validation.subjects.iter();
    subjects.map(|one| subject(one, style)).collect()
}

/// A line that says what it is and how it is, then its problems.
fn subject(subject: &Validated, style: Style) -> String {
    let Validated {
        kind,
        name,
        path,
        format: _,
        problems: found,
    } = subject;
    let what = match kind {
        ValidatedKind::Plugin => "plugin",
        ValidatedKind::Marketplace => "marketplace",
    };
    let name = name.as_deref().map(|name| format!(" `{name}`"));
    let title = format!("{what}{} ({path})", name.unwrap_or_default());
    let title = style.paint(Paint::Heading, &escape::line(&title));
    let count = |severity| found.iter().filter(|one| one.severity == severity).count();
    let (errors, warnings) = (count(Severity::Error), count(Severity::Warning));
    let (paint, verdict) = match (errors, warnings) {
        (0, 0) => (Paint::Good, "valid".to_owned()),
        (0, _) => (Paint::Warning, counted(errors, warnings)),
        _ => (Paint::Error, counted(errors, warnings)),
    };
    let mut text = format!("{title}: {}\n", style.paint(paint, &verdict));
    for problem in found {
        text.push_str("  ");
        text.push_str(&problems::warning(problem, style));
    }
    text
}

#[cfg(test)]
#[path = "validate_tests.rs"]
mod tests;
