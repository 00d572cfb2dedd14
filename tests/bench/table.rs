//! The table: workload, figures, ratios.

use crate::measure::{Measured, Unit};
use crate::options::Options;

/// One workload that is done, for whoever waits.
pub(crate) fn progress(row: &Measured) -> String {
    let figures: Vec<_> = row
        .programs
        .iter()
        .map(|(name, figure)| format!("{name} {}", shown(*figure, row.unit)))
        .collect();
    let limit = shown(row.limit, row.unit);
    format!("{}: {}, limit {limit}", row.name, figures.join(", "))
}

/// All of them, as a document has them. The peer's column is in the table when there is one.
pub(crate) fn markdown(rows: &[Measured], options: &Options) -> String {
    let mut text = format!(
        "Medians of up to {} rounds, all programs in each round.\n\n",
        options.rounds
    );
    let (heads, rule) = match options.peer {
        Some(_) => ("| peer | ratio ", "| --- | --- "),
        None => ("", ""),
    };
    text += &format!("| workload | plugd {heads}| limit | distance |\n");
    text += &format!("| --- | --- {rule}| --- | --- |\n");
    for row in rows {
        let figure = |at: usize| row.programs.get(at).and_then(|(_, figure)| *figure);
        let (own, peer) = (figure(0), figure(1));
        text += &format!("| {} | {} ", row.name, shown(own, row.unit));
        if options.peer.is_some() {
            let ratio = times(own, peer, row.unit);
            let ratio = ratio.map_or("-".to_owned(), |ratio| format!("1 : {}", short(ratio)));
            text += &format!("| {} | {ratio} ", shown(peer, row.unit));
        }
        let distance = times(row.limit, own, row.unit);
        let distance = distance.map_or("-".to_owned(), |times| format!("× {}", short(times)));
        text += &format!("| {} | {distance} |\n", shown(row.limit, row.unit));
    }
    text
}

/// How many times better the first is than the second.
fn times(better: Option<f64>, worse: Option<f64>, unit: Unit) -> Option<f64> {
    let (better, worse) = match unit {
        Unit::PerSecond => (worse?, better?),
        Unit::Milliseconds | Unit::Megabytes | Unit::Count => (better?, worse?),
    };
    (better > 0.0).then_some(worse / better)
}

fn shown(figure: Option<f64>, unit: Unit) -> String {
    let Some(figure) = figure else {
        return "-".to_owned();
    };
    match unit {
        Unit::Milliseconds => format!("{} ms", short(figure)),
        Unit::PerSecond => format!("{}/s", short(figure)),
        Unit::Megabytes => format!("{} MB", short(figure)),
        Unit::Count => short(figure),
    }
}

/// Three digits that count.
fn short(figure: f64) -> String {
    match figure {
        figure if figure >= 99.5 || figure == 0.0 => format!("{figure:.0}"),
        figure if figure >= 9.95 => format!("{figure:.1}"),
        figure => format!("{figure:.2}"),
    }
}
