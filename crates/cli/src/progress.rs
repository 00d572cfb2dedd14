//! How far a command is, drawn on stderr for a person who waits.
//!
//! Only a terminal is drawn on: everything else ends up in a log, where a moving line is noise. A
//! command that is done in a moment draws nothing, and what was drawn is gone when a command ends.

use std::convert::Infallible;
use std::time::Duration;

use indicatif::{HumanBytes, ProgressBar, ProgressDrawTarget, ProgressStyle};
use plugd_model::Environment;
use plugd_plugins::call::{Progress, Report};
use tokio::sync::watch;

/// Whoever waits for less does not want to know.
const PATIENCE: Duration = Duration::from_millis(300);
/// How often the line moves, so that a silent server does not look like a dead program.
const TICK: Duration = Duration::from_millis(120);

/// Whether somebody watches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Watched {
    /// By a person at a terminal.
    Yes,
    /// By nobody.
    No,
}

/// The place where the latest report appears, when somebody watches.
#[derive(Debug)]
pub(crate) struct Reports(Option<watch::Receiver<Option<Report>>>);

impl Watched {
    /// Whether to draw: stderr is a terminal that can move its cursor, and the answer is for people.
    pub(crate) fn of(environment: &Environment, is_terminal: bool, is_json: bool) -> Self {
        let is_simple = environment.var("TERM").is_some_and(|term| term == "dumb");
        if is_terminal && !is_simple && !is_json {
            Self::Yes
        } else {
            Self::No
        }
    }

    /// What a use case reports to, and where its reports appear.
    pub(crate) fn progress(self) -> (Progress, Reports) {
        match self {
            Self::Yes => {
                let (progress, reports) = Progress::watched();
                (progress, Reports(Some(reports)))
            }
            Self::No => (Progress::unwatched(), Reports(None)),
        }
    }
}

impl Reports {
    /// Draws until it is dropped, which clears the line. It never ends by itself.
    pub(crate) async fn draw(&self) -> Infallible {
        if let Some(reports) = &self.0 {
            draw(reports.clone(), ProgressDrawTarget::stderr).await;
        }
        std::future::pending().await
    }
}

async fn draw(
    mut reports: watch::Receiver<Option<Report>>,
    target: impl FnOnce() -> ProgressDrawTarget,
) {
    tokio::time::sleep(PATIENCE).await;
    let line = Line::new(target());
    let mut ticks = tokio::time::interval(TICK);
    loop {
        if let Some(report) = *reports.borrow_and_update() {
            line.show(&report);
        }
        // Reports come faster than anybody reads; the line moves at its own pace.
        ticks.tick().await;
        line.0.tick();
    }
}

/// The one line on the terminal.
struct Line(ProgressBar);

impl Line {
    fn new(target: ProgressDrawTarget) -> Self {
        let bar = ProgressBar::with_draw_target(None, target);
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg}") {
            bar.set_style(style);
        }
        Self(bar)
    }

    fn show(&self, report: &Report) {
        self.0.set_message(phrase(report));
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

/// A report for people.
fn phrase(report: &Report) -> String {
    let Report { stage, done, total } = *report;
    let label = match stage {
        "resolving" => "Asking what there is",
        "waiting" => "Waiting for another process",
        "fetching" => "Fetching",
        "checkingOut" => "Checking out",
        "checking" => "Checking",
        "copying" => "Copying",
        "activating" => "Activating",
        other => other,
    };
    let amount = match (stage, done, total) {
        (_, _, Some(total)) if total > 0 => Some(percent(done, total)),
        ("fetching" | "copying", 1.., _) => Some(HumanBytes(done).to_string()),
        ("checkingOut", 1.., _) => Some(format!("{done} files")),
        _ => None,
    };
    match amount {
        Some(amount) => format!("{label}: {amount}"),
        None => format!("{label} …"),
    }
}

fn percent(done: u64, total: u64) -> String {
    let percent = u128::from(done.min(total)) * 100 / u128::from(total);
    format!("{percent} %")
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::{Arc, Mutex};

    use indicatif::{ProgressDrawTarget, TermLike};
    use plugd_plugins::call::{Progress, Report};
    use pretty_assertions::assert_eq;

    use super::{Watched, draw, phrase};
    use crate::fixture::environment;

    #[track_caller]
    fn says(stage: &'static str, done: u64, total: Option<u64>, expected: &str) {
        assert_eq!(phrase(&Report { stage, done, total }), expected);
    }

    #[test]
    fn a_sum_is_told_in_percent_and_a_count_by_its_unit() {
        says("resolving", 0, None, "Asking what there is …");
        says("waiting", 0, None, "Waiting for another process …");
        says("fetching", 0, None, "Fetching …");
        says("fetching", 1_572_864, None, "Fetching: 1.50 MiB");
        says("fetching", 50, Some(200), "Fetching: 25 %");
        says("fetching", 0, Some(0), "Fetching …");
        says("checkingOut", 120, None, "Checking out: 120 files");
        says("copying", 9, Some(3), "Copying: 100 %");
        says("activating", 0, None, "Activating …");
        says("later", 7, None, "later …");
    }

    #[track_caller]
    fn watches(vars: &[(&str, &str)], is_terminal: bool, is_json: bool, expected: Watched) {
        let environment = environment(&[], vars);
        let found = Watched::of(&environment, is_terminal, is_json);
        assert_eq!(found, expected, "{vars:?} {is_terminal} {is_json}");
    }

    #[test]
    fn only_a_person_at_a_terminal_watches() {
        watches(&[], true, false, Watched::Yes);
        watches(&[("NO_COLOR", "1")], true, false, Watched::Yes);
        watches(&[], false, false, Watched::No);
        watches(&[], true, true, Watched::No);
        watches(&[("TERM", "dumb")], true, false, Watched::No);
        assert!(Watched::Yes.progress().0.is_watched());
        assert!(!Watched::No.progress().0.is_watched());
    }

    /// A terminal that remembers what was done to it.
    #[derive(Debug, Clone, Default)]
    struct Screen(Arc<Mutex<Vec<String>>>);

    impl Screen {
        fn note(&self, what: &str) -> io::Result<()> {
            self.0.lock().unwrap().push(what.to_owned());
            Ok(())
        }

        fn all(&self) -> String {
            self.0.lock().unwrap().join("|")
        }
    }

    impl TermLike for Screen {
        fn width(&self) -> u16 {
            80
        }

        fn move_cursor_up(&self, _: usize) -> io::Result<()> {
            Ok(())
        }

        fn move_cursor_down(&self, _: usize) -> io::Result<()> {
            Ok(())
        }

        fn move_cursor_right(&self, _: usize) -> io::Result<()> {
            Ok(())
        }

        fn move_cursor_left(&self, _: usize) -> io::Result<()> {
            Ok(())
        }

        fn write_line(&self, text: &str) -> io::Result<()> {
            self.note(text)
        }

        fn write_str(&self, text: &str) -> io::Result<()> {
            self.note(text)
        }

        fn clear_line(&self) -> io::Result<()> {
            self.note("<clear>")
        }

        fn flush(&self) -> io::Result<()> {
            Ok(())
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_line_follows_the_reports_and_is_gone_at_the_end() {
        let (progress, reports) = Progress::watched();
        let screen = Screen::default();
        let target = Box::new(screen.clone());
        progress.report("fetching", 1, Some(4));
        let drawing = draw(reports, || ProgressDrawTarget::term_like(target));
        let work = async {
            while !screen.all().contains("Fetching: 25 %") {
                tokio::time::sleep(super::TICK).await;
            }
            progress.report("activating", 0, None);
            while !screen.all().contains("Activating …") {
                tokio::time::sleep(super::TICK).await;
            }
        };
        tokio::select! {
            () = drawing => {}
            () = work => {}
        }
        let all = screen.all();
        let after = all.rsplit("Activating").next().unwrap();
        assert!(after.contains("<clear>"), "{all}");
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_done_in_a_moment_draws_nothing() {
        let (progress, reports) = Progress::watched();
        let screen = Screen::default();
        let target = Box::new(screen.clone());
        progress.report("fetching", 1, Some(4));
        tokio::select! {
            () = draw(reports, || ProgressDrawTarget::term_like(target)) => {}
            () = tokio::time::sleep(super::PATIENCE / 2) => {}
        }
        assert_eq!(screen.all(), "");
    }
}
