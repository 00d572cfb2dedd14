//! Progress of one request, told to the client only when the request carried a token.
//!
//! Two protocols have a word for it, and a request may use either: `workDoneToken` of language
//! servers, `_meta.progressToken` of context servers.
//!
//! Invariants:
//! - The last notification about a request goes out before its response.
//! - A slow client gets fewer reports; nothing waits for it but its own request.

use std::time::Duration;

use serde::Deserialize;
use serde_json::value::RawValue;
use tokio::sync::watch;

use plugd_plugins::call::{Cancel, Progress, Report};
use plugd_protocol::{
    ProgressNotificationParams, ProgressParams, ProgressToken, WorkDoneProgress, notifications,
};

use crate::notify::Notifier;
use crate::params;
use crate::reply::Note;
use crate::wire_error::WireError;

/// The shortest time between two reports; nobody reads faster.
const INTERVAL: Duration = Duration::from_millis(100);

/// Tells a client how far its request is.
#[derive(Debug)]
pub(crate) struct Reporter {
    tokens: Tokens,
    title: &'static str,
    reports: watch::Receiver<Option<Report>>,
    sum: Sum,
}

/// What the request wants its progress to be called.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Tokens {
    #[serde(default)]
    work_done_token: Option<Token>,
    #[serde(default, rename = "_meta")]
    meta: Option<Meta>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Meta {
    #[serde(default)]
    progress_token: Option<Token>,
}

/// A token of a form that has no meaning counts as absent: it is no reason to refuse the request.
#[derive(Debug)]
struct Token(Option<ProgressToken>);

impl<'de> Deserialize<'de> for Token {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = <&RawValue>::deserialize(deserializer)?;
        Ok(Self(serde_json::from_str(raw.get()).ok()))
    }
}

/// Adds up the stages, because a context client wants one number that never goes down.
#[derive(Debug, Default)]
struct Sum {
    before: u64,
    stage: &'static str,
    done: u64,
}

/// The progress of a request, with a reporter when the client asked for one.
pub(crate) fn of_request(
    title: &'static str,
    params: Option<&RawValue>,
) -> (Progress, Option<Reporter>) {
    let tokens = Tokens::of(params);
    if tokens.work_done().is_none() && tokens.progress().is_none() {
        return (Progress::unwatched(), None);
    }
    let (progress, reports) = Progress::watched();
    let reporter = Reporter {
        tokens,
        title,
        reports,
        sum: Sum::default(),
    };
    (progress, Some(reporter))
}

impl Reporter {
    /// Reports until `stop`, and then what is left and the end.
    pub(crate) async fn run(mut self, notifier: Notifier, stop: Cancel) {
        self.work_done(&notifier, self.begin()).await;
        loop {
            tokio::select! {
                biased;
                () = stop.cancelled() => break,
                changed = self.reports.changed() => if changed.is_err() { break },
            }
            self.report(&notifier).await;
            tokio::select! {
                () = stop.cancelled() => break,
                () = tokio::time::sleep(INTERVAL) => {}
            }
        }
        if self.reports.has_changed().unwrap_or(false) {
            self.report(&notifier).await;
        }
        self.work_done(&notifier, WorkDoneProgress::End { message: None })
            .await;
    }

    fn begin(&self) -> WorkDoneProgress {
        WorkDoneProgress::Begin {
            title: self.title.to_owned(),
            cancellable: true,
        }
    }

    async fn report(&mut self, notifier: &Notifier) {
        let Some(report) = *self.reports.borrow_and_update() else {
            return;
        };
        let Report { stage, done, total } = report;
        let progress = self.sum.add(stage, done);
        let value = WorkDoneProgress::Report {
            stage: stage.to_owned(),
            message: None,
            done,
            total,
            percentage: total.and_then(|total| percentage(done, total)),
        };
        self.work_done(notifier, value).await;
        if let Some(token) = self.tokens.progress() {
            let params = ProgressNotificationParams {
                progress_token: token.clone(),
                progress,
                total: total.map(|total| self.sum.before.saturating_add(total)),
                message: Some(stage.to_owned()),
            };
            send(
                notifier,
                Note::of::<notifications::ProgressNotification>(&params),
            )
            .await;
        }
    }

    async fn work_done(&self, notifier: &Notifier, value: WorkDoneProgress) {
        if let Some(token) = self.tokens.work_done() {
            let params = ProgressParams {
                token: token.clone(),
                value,
            };
            send(notifier, Note::of::<notifications::Progress>(&params)).await;
        }
    }
}

impl Tokens {
    fn of(params: Option<&RawValue>) -> Self {
        let object = params::object(params).ok().flatten();
        object
            .and_then(|object| serde_json::from_str(object.get()).ok())
            .unwrap_or_default()
    }

    fn work_done(&self) -> Option<&ProgressToken> {
        self.work_done_token.as_ref()?.0.as_ref()
    }

    fn progress(&self) -> Option<&ProgressToken> {
        self.meta.as_ref()?.progress_token.as_ref()?.0.as_ref()
    }
}

impl Sum {
    fn add(&mut self, stage: &'static str, done: u64) -> u64 {
        if self.stage != stage {
            self.before = self.before.saturating_add(self.done);
            (self.stage, self.done) = (stage, 0);
        }
        self.done = self.done.max(done);
        self.before.saturating_add(self.done)
    }
}

async fn send(notifier: &Notifier, note: Result<Note, WireError>) {
    match note {
        Ok(note) => notifier.send(note).await,
        Err(error) => error.log("-", "progress"),
    }
}

fn percentage(done: u64, total: u64) -> Option<u32> {
    let percent = u128::from(done.min(total)) * 100 / u128::from(total.max(1));
    u32::try_from(percent).ok()
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;
    use serde_json::value::RawValue;

    use super::{Sum, Tokens, of_request, percentage};

    fn tokens(json: &str, work_done: Option<&str>, progress: Option<&str>) {
        let params = RawValue::from_string(json.to_owned()).unwrap();
        let tokens = Tokens::of(Some(&params));
        let found = [tokens.work_done(), tokens.progress()];
        let found = found.map(|token| token.map(|token| token.0.as_json()));
        assert_eq!(found, [work_done, progress], "{json}");
        let is_asked = work_done.is_some() || progress.is_some();
        assert_eq!(of_request("x", Some(&params)).1.is_some(), is_asked);
    }

    #[test]
    fn only_a_token_asks_for_progress() {
        tokens("{}", None, None);
        tokens(r#"{"workDoneToken":"a"}"#, Some(r#""a""#), None);
        tokens(
            r#"{"workDoneToken":12345678901234567890123}"#,
            Some("12345678901234567890123"),
            None,
        );
        tokens(r#"{"_meta":{"progressToken":1}}"#, None, Some("1"));
        tokens(
            r#"[{"workDoneToken":1,"_meta":{"progressToken":2}}]"#,
            Some("1"),
            Some("2"),
        );
        tokens(r#"{"workDoneToken":null,"_meta":null}"#, None, None);
        tokens(
            r#"{"workDoneToken":{},"_meta":{"progressToken":2}}"#,
            None,
            Some("2"),
        );
        tokens(
            r#"{"workDoneToken":1,"_meta":{"progressToken":true}}"#,
            Some("1"),
            None,
        );
    }

    #[test]
    fn the_sum_never_goes_down() {
        let mut sum = Sum::default();
        let steps = [
            ("fetch", 3),
            ("fetch", 2),
            ("copy", 0),
            ("copy", 4),
            ("fetch", 1),
        ];
        let sums = steps.map(|(stage, done)| sum.add(stage, done));
        assert_eq!(sums, [3, 3, 3, 7, 8]);
    }

    #[test]
    fn percentages_stay_in_their_range() {
        assert_eq!(percentage(1, 3), Some(33));
        assert_eq!(percentage(5, 3), Some(100));
        assert_eq!(percentage(0, 0), Some(0));
        assert_eq!(percentage(u64::MAX, u64::MAX), Some(100));
    }
}
