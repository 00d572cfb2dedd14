//! What the tests of this crate share: a short form of problems, and files that are never read.

use plugd_model::{AbsPath, Problem};

use crate::{MarketplaceManifest, parse_marketplace};

/// The path of a marketplace's manifest in tests that touch no disk.
pub(crate) fn marketplace_file() -> AbsPath {
    AbsPath::new("/mp/.agents/plugins/marketplace.json").unwrap()
}

/// A problem in one line: `warning wrongType plugins[0].category 1:45`.
pub(crate) fn row(problem: &Problem) -> String {
    let severity = format!("{:?}", problem.severity).to_lowercase();
    let field = problem.field.as_deref().unwrap_or("-");
    let place = problem.place.map_or("-".to_owned(), |place| {
        format!("{}:{}", place.line, place.column)
    });
    format!("{severity} {} {field} {place}", problem.kind.word())
}

/// Several problems, a line each.
pub(crate) fn rows(problems: &[Problem]) -> Vec<String> {
    problems.iter().map(row).collect()
}

/// Reads a marketplace with the given entries.
pub(crate) fn entries(json: &str) -> (MarketplaceManifest, Vec<Problem>) {
    let text = format!("{{\"name\":\"m\",\"plugins\":[\n{json}\n]}}");
    parse_marketplace(text.as_bytes(), &marketplace_file()).unwrap()
}
