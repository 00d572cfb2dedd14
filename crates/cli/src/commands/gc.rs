//! `plugd gc`. The JSON is the result of `plugd/gc`.

use plugd_model::Severity;
use plugd_plugins::{Collected, GcChange, GcKind, GcReason, GcSize as Size};

use crate::args::GcArgs;
use crate::escape;
use crate::failure::Failure;
use crate::page::{Form, Page};
use crate::problems;
use crate::session::Session;
use crate::style::{Paint, Style};
use crate::table::Table;

pub(super) async fn run(session: &Session, args: &GcArgs, form: Form) -> Result<Page, Failure> {
    let collected = plugd_plugins::gc(
        &session.call,
        &session.blocking,
        &session.lookup,
        &session.copies,
        args.dry_run,
    )
    .await?;
    judged(collected, form)
}

fn page(collected: Collected, form: Form) -> Result<Page, Failure> {
    let Form::Text { out, err } = form else {
        return Ok(Page::answer(
            &plugd_server::gc_reply(collected)?.into_json(),
        ));
    };
    let problems = collected.problems.iter();
    Ok(Page {
        warnings: problems
            .map(|problem| problems::warning(problem, err))
            .collect(),
        ..Page::text(text(&collected, out))
    })
}

/// A page of what was done, incomplete when something could not be.
fn judged(collected: Collected, form: Form) -> Result<Page, Failure> {
    let mut problems = collected.problems.iter();
    let is_stuck = problems.any(|problem| problem.severity == Severity::Error);
    let page = page(collected, form)?;
    Ok(match is_stuck {
        true => {
            page.because("something stays that cannot be undone; `plugd doctor` says what to do")
        }
        false => page,
    })
}

fn text(collected: &Collected, style: Style) -> String {
    let verb = match collected.dry_run {
        true => "Would remove",
        false => "Removed",
    };
    if collected.changes.is_empty() {
        return "Nothing to remove.\n".to_owned();
    }
    let mut text = String::new();
    text.extend(collected.changes.iter().map(|one| change(verb, one)));
    text.push('\n');
    text.push_str(&numbers(collected).render(style));
    let freed = size(collected.size().bytes);
    text.push_str(&match collected.dry_run {
        true => format!("\nThis would free {freed}.\n"),
        false => format!("\nFreed {freed}.\n"),
    });
    text
}

fn change(verb: &str, change: &GcChange) -> String {
    let (path, size) = (
        escape::line(&change.path.to_text()),
        size(change.size.bytes),
    );
    let why = why(change.reason);
    match change.kind {
        GcKind::Staging => format!("{verb} what was half made below {path} ({size}).\n"),
        GcKind::Trash => format!("{verb} what was half removed below {path} ({size}).\n"),
        GcKind::Lease => {
            let count = change.entries;
            format!("{verb} {count} lease(s) of dead processes ({size}).\n")
        }
        _ => format!("{verb} {path} ({size}): {why}.\n"),
    }
}

fn why(reason: GcReason) -> &'static str {
    match reason {
        GcReason::Unnamed => "no plugin names it",
        GcReason::TooMany => "there are enough later versions",
        GcReason::CopyOfInstalled => "a copy of what is installed",
        GcReason::Dead => "the process that wrote it is gone",
        GcReason::NotInstalled => "its plugin is neither installed nor configured",
        GcReason::NotNamed => "no source names this repository",
        GcReason::NotConfigured => "no configuration has this marketplace",
        GcReason::Unused => "of another login, and not written for 30 days",
    }
}

/// One row for each kind, and one for all.
fn numbers(collected: &Collected) -> Table {
    let mut table = Table::new(&["WHAT", "ENTRIES", "FILES", "SIZE"]);
    let mut row = |what: &str, entries: u64, one: Size| {
        let [entries, files] = [entries, one.files].map(|number| number.to_string());
        let bytes = size(one.bytes);
        let cells = [what, &entries, &files, &bytes].map(|text| (text, Paint::Text));
        table.row(&cells);
    };
    let totals = collected.totals();
    for total in &totals {
        row(called(total.kind), total.entries, total.size);
    }
    if totals.len() > 1 {
        let entries = totals.iter().map(|total| total.entries).sum();
        row("all", entries, collected.size());
    }
    table
}

fn called(kind: GcKind) -> &'static str {
    match kind {
        GcKind::Tree => "versions",
        GcKind::Staging => "half made",
        GcKind::Trash => "half removed",
        GcKind::Lease => "leases",
        GcKind::Record => "records",
        GcKind::HalfWritten => "half written",
        GcKind::Mirror => "mirrors",
        GcKind::Checkout => "checkouts",
        GcKind::Catalog => "catalog files",
    }
}

/// A number of bytes as people read it; whole ones up to a kibibyte.
fn size(bytes: u64) -> String {
    let units = [("GiB", 1_u64 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)];
    let Some((unit, one)) = units.into_iter().find(|(_, one)| bytes >= *one) else {
        return format!("{bytes} bytes");
    };
    let tenths = u128::from(bytes) * 10 / u128::from(one);
    format!("{}.{} {unit}", tenths / 10, tenths % 10)
}

#[cfg(test)]
mod tests {
    use plugd_model::{AbsPath, Problem, ProblemKind};
    use plugd_plugins::{Collected, GcChange, GcKind, GcReason, GcReport, GcSize as Size};
    use pretty_assertions::assert_eq;
    use serde_json::{Value, json};

    use super::{judged, page, size};
    use crate::fixture::text;
    use crate::page::Form;

    fn change(kind: GcKind, path: &str, bytes: u64, reason: GcReason) -> GcChange {
        GcChange {
            kind,
            path: AbsPath::new(path).unwrap(),
            plugin: None,
            marketplace: None,
            digest: None,
            entries: 1,
            size: Size { files: 2, bytes },
            reason,
        }
    }

    fn collected(dry_run: bool) -> Collected {
        let odd = AbsPath::new("/l").unwrap();
        let problem = Problem::warning(ProblemKind::Unreadable, "odd").in_file(&odd);
        Collected {
            dry_run,
            changes: vec![
                change(GcKind::Tree, "/t\n", 2048, GcReason::TooMany),
                change(GcKind::Staging, "/s", 5, GcReason::Dead),
                change(GcKind::Lease, "/leases", 10, GcReason::Dead),
                change(GcKind::Mirror, "/m", 1_000_000, GcReason::NotNamed),
            ],
            store: GcReport::default(),
            mirrors: Vec::new(),
            problems: vec![problem],
        }
    }

    #[test]
    fn for_people() {
        let dry = page(collected(true), text()).unwrap();
        assert_eq!(
            dry.body,
            "Would remove /t\\n (2.0 KiB): there are enough later versions.\n\
             Would remove what was half made below /s (5 bytes).\n\
             Would remove 1 lease(s) of dead processes (10 bytes).\n\
             Would remove /m (976.5 KiB): no source names this repository.\n\
             \n\
             WHAT       ENTRIES  FILES  SIZE\n\
             versions   1        2      2.0 KiB\n\
             half made  1        2      5 bytes\n\
             leases     1        2      10 bytes\n\
             mirrors    1        2      976.5 KiB\n\
             all        4        8      978.5 KiB\n\
             \n\
             This would free 978.5 KiB.\n"
        );
        assert_eq!(dry.warnings, "warning: /l: odd\n");
        let done = page(collected(false), text()).unwrap();
        assert!(done.body.starts_with("Removed /t"), "{}", done.body);
        assert!(done.body.ends_with("Freed 978.5 KiB.\n"), "{}", done.body);
        let nothing = Collected {
            changes: Vec::new(),
            ..collected(false)
        };
        assert_eq!(page(nothing, text()).unwrap().body, "Nothing to remove.\n");
    }

    #[test]
    fn what_cannot_be_undone_makes_it_fail() {
        assert_eq!(judged(collected(false), text()).unwrap().incomplete, None);
        let mut stuck = collected(false);
        let problem = Problem::error(ProblemKind::Unreadable, "no journal");
        stuck.problems.push(problem);
        for form in [text(), Form::Json] {
            let reason = judged(stuck.clone(), form).unwrap().incomplete.unwrap();
            assert!(reason.starts_with("something stays"), "{reason}");
        }
    }

    #[test]
    fn for_programs() {
        let answer = page(collected(true), Form::Json).unwrap();
        let answer: Value = serde_json::from_str(&answer.body).unwrap();
        assert_eq!(answer["dryRun"], true);
        assert_eq!(answer["freedBytes"], 1_002_063);
        assert_eq!(answer["freedFiles"], 8);
        let mirror = json!({"kind": "mirror", "entries": 1, "files": 2, "bytes": 1_000_000});
        assert_eq!(answer["totals"][3], mirror);
        assert_eq!(answer["changes"][0]["reason"], "tooMany");
    }

    #[test]
    fn sizes() {
        let check = |bytes, expected| assert_eq!(size(bytes), expected);
        check(0, "0 bytes");
        check(1023, "1023 bytes");
        check(1024, "1.0 KiB");
        check(1_572_864, "1.5 MiB");
        check(5 << 30, "5.0 GiB");
    }
}
