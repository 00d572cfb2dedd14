//! What the user is told about the configuration, made ready for a notification.

use plugd_model::{AbsPath, Place, Problem, Severity};

use crate::layer::LayerSource;

/// Something to tell the user about the configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// One sentence fragment.
    pub summary: String,
    /// More, where there is more.
    pub details: Option<String>,
    /// The file it speaks of.
    pub path: Option<AbsPath>,
    /// From where to where in the file.
    pub range: Option<(Place, Place)>,
}

/// What it means that a file could not be used.
pub(crate) fn consequence(source: &LayerSource) -> &'static str {
    match source {
        LayerSource::User => "defaults are in use",
        _ => "it is not used",
    }
}

/// The same for the requirements.
pub(crate) const NOTHING_IS_ALLOWED: &str = "nothing is allowed until it is mended";

/// The warning about a file that could not be used at all.
pub(crate) fn broken_file(problem: &Problem, end: Option<Place>, consequence: &str) -> Warning {
    let file = problem
        .path
        .as_ref()
        .map_or_else(String::new, ToString::to_string);
    let details = match problem.place {
        Some(Place { line, column }) => format!("{file}:{line}:{column}: {}", problem.message),
        None => problem.message.clone(),
    };
    Warning {
        summary: format!("invalid configuration in `{file}`; {consequence}"),
        details: Some(details),
        path: problem.path.clone(),
        range: problem.place.map(|start| (start, end.unwrap_or(start))),
    }
}

/// The warning about one key.
pub(crate) fn note(problem: &Problem) -> Warning {
    about_key(problem, "is ignored")
}

/// The warning about one key of the requirements. There a mistake restricts.
pub(crate) fn note_of_requirements(problem: &Problem) -> Warning {
    match problem.severity {
        Severity::Error => about_key(problem, "restricts, because it cannot be understood"),
        Severity::Warning => note(problem),
    }
}

fn about_key(problem: &Problem, consequence: &str) -> Warning {
    let field = problem.field.as_deref().unwrap_or("the configuration");
    Warning {
        summary: format!("`{field}` {consequence}: {}", problem.message),
        details: None,
        path: problem.path.clone(),
        range: problem.place.map(|place| (place, place)),
    }
}
