//! Reads that are tried again: after a moment that grows, and never earlier than the server asks.
//!
//! Only reads: a request that sends something may have been acted upon although its answer was lost.

use std::time::{Duration, SystemTime};

use hyper::StatusCode;
use hyper::header::RETRY_AFTER;
use plugd_model::{Clock, RandomNames};
use tokio::time::{Instant, sleep};

use crate::client::unless;
use crate::{Client, HttpError, Request, Response};

/// How often and how patiently a read is tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retry {
    /// How often it is sent at most, the first time included.
    pub attempts: u32,
    /// The pause before the second attempt; each further one is twice as long.
    pub first_pause: Duration,
    /// The longest pause, also when the server asks for one. Where it asks for more, its refusal is
    /// the answer.
    pub longest_pause: Duration,
}

impl Retry {
    /// Four attempts within some four seconds, or later if the server asks for up to 20 seconds.
    pub const READS: Self = Self {
        attempts: 4,
        first_pause: Duration::from_millis(500),
        longest_pause: Duration::from_secs(20),
    };

    /// One attempt.
    pub const NEVER: Self = Self {
        attempts: 1,
        ..Self::READS
    };
}

impl Client {
    /// Sends a request, and if it only reads, sends it again after a status 429 or 5xx, after a
    /// connection that could not be made, and after one that ended before the answer began. A name
    /// that cannot be found is not tried again: that is what a machine without a network looks like,
    /// and it should learn so at once. No pause is begun that would not end before the deadline: the
    /// outcome is that of the last attempt then.
    ///
    /// # Errors
    /// As [`Client::send`], of the last attempt.
    pub async fn read(
        &self,
        request: Request,
        retry: &Retry,
        cancel: impl Future<Output = ()>,
    ) -> Result<Response, HttpError> {
        let url = request.url.clone();
        unless(cancel, &url, self.read_again(request, retry)).await
    }

    async fn read_again(&self, request: Request, retry: &Retry) -> Result<Response, HttpError> {
        let settings = self.settings();
        let mut request = request;
        let mut sent = 0;
        loop {
            sent += 1;
            let again = request.again().filter(|_| request.is_read());
            let deadline = request.limits.deadline;
            let outcome = self.follow(request).await;
            let Some(again) = again.filter(|_| sent < retry.attempts) else {
                return outcome;
            };
            let asked = match &outcome {
                Ok(response) if passes(response.status()) => {
                    asked_pause(response, &*settings.clock)
                }
                Err(HttpError::Connect { .. } | HttpError::Cut { .. }) => None,
                _ => return outcome,
            };
            let Some(pause) = retry.pause(sent, asked, random(&*settings.names)) else {
                return outcome;
            };
            if deadline.is_some_and(|deadline| Instant::now() + pause >= deadline) {
                return outcome;
            }
            // The path of an archive may be as good as a password.
            tracing::debug!(host = %again.url.host(), ?pause, "trying a read again");
            drop(outcome);
            sleep(pause).await;
            request = again;
        }
    }
}

impl Retry {
    /// The pause after so many attempts; `None` where the server asks for too much. Half of it is
    /// left to chance, so that many clients do not come back together.
    fn pause(&self, sent: u32, asked: Option<Duration>, random: u32) -> Option<Duration> {
        if asked.is_some_and(|asked| asked > self.longest_pause) {
            return None;
        }
        let factor = 2_u32.saturating_pow(sent.saturating_sub(1));
        let full = self.first_pause.saturating_mul(factor);
        let half = full.min(self.longest_pause) / 2;
        let pause = half + half.mul_f64(f64::from(random) / f64::from(u32::MAX));
        Some(pause.max(asked.unwrap_or_default()))
    }
}

/// Whether such a refusal is expected to pass. Which fault a server names behind a 5 says little: many
/// answer 500 for whatever happens to them.
fn passes(status: StatusCode) -> bool {
    status == StatusCode::TOO_MANY_REQUESTS || status.is_server_error()
}

/// What `Retry-After` asks for: seconds, or a date that is compared with the clock.
fn asked_pause(response: &Response, clock: &dyn Clock) -> Option<Duration> {
    parse_pause(response.headers().get(RETRY_AFTER)?.to_str().ok()?, clock)
}

fn parse_pause(text: &str, clock: &dyn Clock) -> Option<Duration> {
    let text = text.trim();
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(Duration::from_secs(text.parse().unwrap_or(u64::MAX)));
    }
    let date = httpdate::parse_http_date(text).ok()?;
    let date = date.duration_since(SystemTime::UNIX_EPOCH).ok()?;
    Some(date.saturating_sub(clock.now()))
}

/// A number from the source of names.
fn random(names: &dyn RandomNames) -> u32 {
    let name = names.next();
    let digits = name.get(..8).unwrap_or(&name);
    u32::from_str_radix(digits, 16).unwrap_or_default()
}

#[cfg(test)]
#[path = "retry_tests.rs"]
mod tests;
