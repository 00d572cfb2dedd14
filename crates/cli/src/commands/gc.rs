//! `plugd gc`. The JSON is the result of `plugd/gc`.

use plugd_model::Severity;
use plugd_plugins::{Collected, GcTree, Mirror, Unneeded};

use crate::args::GcArgs;
use crate::escape;
use crate::failure::Failure;
use crate::page::{Form, Page};
use crate::problems;
use crate::session::Session;

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
    let Form::Text { err, .. } = form else {
        return Ok(Page::answer(
            &plugd_server::gc_reply(collected)?.into_json(),
        ));
    };
    let problems = collected.store.problems.iter();
    Ok(Page {
        warnings: problems
            .map(|problem| problems::warning(problem, err))
            .collect(),
        ..Page::text(text(&collected))
    })
}

/// A page of what was done, incomplete when something could not be.
fn judged(collected: Collected, form: Form) -> Result<Page, Failure> {
    let mut problems = collected.store.problems.iter();
    let is_stuck = problems.any(|problem| problem.severity == Severity::Error);
    let page = page(collected, form)?;
    Ok(match is_stuck {
        true => {
            page.because("something stays that cannot be undone; `plugd doctor` says what to do")
        }
        false => page,
    })
}

fn text(collected: &Collected) -> String {
    let verb = match collected.dry_run {
        true => "Would remove",
        false => "Removed",
    };
    let mut text = String::new();
    let store = &collected.store;
    text.extend(store.trees.iter().map(|one| tree(verb, one)));
    text.extend(collected.mirrors.iter().map(|one| mirror(verb, one)));
    for (what, bytes) in [("half made", store.staging), ("half removed", store.trash)] {
        if bytes > 0 {
            let size = size(bytes);
            text.push_str(&format!("{verb} what was {what} ({size}).\n"));
        }
    }
    if store.dead_leases > 0 {
        let count = store.dead_leases;
        text.push_str(&format!("{verb} {count} lease(s) of dead processes.\n"));
    }
    if text.is_empty() {
        return "Nothing to remove.\n".to_owned();
    }
    let freed = size(collected.freed());
    text.push_str(&match collected.dry_run {
        true => format!("This would free {freed}.\n"),
        false => format!("Freed {freed}.\n"),
    });
    text
}

fn tree(verb: &str, tree: &GcTree) -> String {
    let why = match tree.why {
        Unneeded::Unnamed => "no plugin names it",
        Unneeded::TooMany => "there are enough later versions",
        Unneeded::CopyOfInstalled => "a copy of what is installed",
    };
    let (path, size) = (escape::line(&tree.root.to_text()), size(tree.bytes));
    format!("{verb} {path} ({size}): {why}.\n")
}

fn mirror(verb: &str, mirror: &Mirror) -> String {
    let (path, size) = (escape::line(&mirror.path.to_text()), size(mirror.bytes));
    format!("{verb} {path} ({size}): no source names this repository.\n")
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
    use plugd_disk::tree::Digest;
    use plugd_model::{AbsPath, Problem, ProblemKind};
    use plugd_plugins::{Collected, GcReport, GcTree, Mirror, Unneeded};
    use pretty_assertions::assert_eq;
    use serde_json::{Value, json};

    use super::{judged, page, size};
    use crate::fixture::text;
    use crate::page::Form;

    fn collected(dry_run: bool) -> Collected {
        let path = |path: &str| AbsPath::new(path).unwrap();
        let problem = Problem::warning(ProblemKind::Unreadable, "odd").in_file(&path("/l"));
        Collected {
            dry_run,
            store: GcReport {
                trees: vec![GcTree {
                    digest: Digest::of_bytes(b""),
                    root: path("/t\n"),
                    bytes: 2048,
                    why: Unneeded::TooMany,
                }],
                staging: 5,
                trash: 0,
                dead_leases: 1,
                freed: 2053,
                problems: vec![problem],
            },
            mirrors: vec![Mirror {
                path: path("/m"),
                bytes: 1_000_000,
            }],
        }
    }

    #[test]
    fn for_people() {
        let dry = page(collected(true), text()).unwrap();
        assert_eq!(
            dry.body,
            "Would remove /t\\n (2.0 KiB): there are enough later versions.\n\
             Would remove /m (976.5 KiB): no source names this repository.\n\
             Would remove what was half made (5 bytes).\n\
             Would remove 1 lease(s) of dead processes.\n\
             This would free 978.5 KiB.\n"
        );
        assert_eq!(dry.warnings, "warning: /l: odd\n");
        let done = page(collected(false), text()).unwrap();
        assert!(done.body.starts_with("Removed /t"), "{}", done.body);
        assert!(done.body.ends_with("Freed 978.5 KiB.\n"), "{}", done.body);
        let nothing = Collected {
            dry_run: false,
            store: GcReport::default(),
            mirrors: Vec::new(),
        };
        assert_eq!(page(nothing, text()).unwrap().body, "Nothing to remove.\n");
    }

    #[test]
    fn what_cannot_be_undone_makes_it_fail() {
        assert_eq!(judged(collected(false), text()).unwrap().incomplete, None);
        let mut stuck = collected(false);
        let problem = Problem::error(ProblemKind::Unreadable, "no journal");
        stuck.store.problems.push(problem);
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
        assert_eq!(answer["freedBytes"], 1_002_053);
        assert_eq!(
            answer["mirrors"],
            json!([{"path": "/m", "bytes": 1_000_000}])
        );
        assert_eq!(answer["trees"][0]["reason"], "tooMany");
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
