//! `plugd login status`: who is logged in. It reads a file and asks nobody; logging in and out is the
//! login program's work.

use plugd_plugins::{LoginBy, LoginMode, LoginReport, login_status};
use serde::Serialize;

use crate::escape;
use crate::failure::Failure;
use crate::page::{Form, Page};
use crate::problems::{self, ProblemShape};
use crate::session::Session;

/// How much of an account's id people are shown: enough to tell two apart.
const SHOWN: usize = 8;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Shape {
    logged_in: bool,
    mode: Option<&'static str>,
    account_id: Option<String>,
    plan: Option<String>,
    workspace: bool,
    expires_at: Option<u64>,
    expired: bool,
    refreshable: bool,
    problems: Vec<ProblemShape>,
}

pub(super) async fn run(session: &Session, form: Form) -> Result<Page, Failure> {
    let report = login_status(&session.blocking, &session.lookup).await?;
    let now = session.setup.environment.clock.now().as_secs();
    Ok(page(&report, now, form))
}

fn page(report: &LoginReport, now: u64, form: Form) -> Page {
    let page = match form {
        Form::Json => Page::json(&shape(report)),
        Form::Text { err, .. } => Page {
            warnings: report
                .problems
                .iter()
                .map(|problem| problems::warning(problem, err))
                .collect(),
            ..Page::text(text(report, now))
        },
    };
    match report.by {
        Some(_) => page,
        None => page.because("nobody is logged in"),
    }
}

fn shape(report: &LoginReport) -> Shape {
    let LoginReport {
        by,
        account_id,
        plan,
        is_workspace,
        expires_at,
        is_expired,
        can_refresh,
        problems,
    } = report;
    Shape {
        logged_in: by.is_some(),
        mode: by.map(word),
        account_id: account_id.clone(),
        plan: plan.clone(),
        workspace: *is_workspace,
        expires_at: *expires_at,
        expired: *is_expired,
        refreshable: *can_refresh,
        problems: problems::shapes(problems),
    }
}

/// The words of `auth.json`.
fn word(by: LoginBy) -> &'static str {
    match by {
        LoginBy::ApiKey => "apikey",
        LoginBy::Account(LoginMode::Chatgpt) => "chatgpt",
        LoginBy::Account(LoginMode::ChatgptAuthTokens) => "chatgptAuthTokens",
        LoginBy::Account(LoginMode::AgentIdentity) => "agentIdentity",
        LoginBy::Account(LoginMode::PersonalAccessToken) => "personalAccessToken",
    }
}

fn text(report: &LoginReport, now: u64) -> String {
    let how = match report.by {
        None => return "Not logged in\n".to_owned(),
        Some(LoginBy::ApiKey) => {
            return "Logged in using an API key, which the remote catalog does not accept\n"
                .to_owned();
        }
        Some(LoginBy::Account(LoginMode::Chatgpt)) => "ChatGPT",
        Some(LoginBy::Account(LoginMode::ChatgptAuthTokens)) => "ChatGPT tokens",
        Some(LoginBy::Account(LoginMode::AgentIdentity)) => "an agent identity",
        Some(LoginBy::Account(LoginMode::PersonalAccessToken)) => "a personal access token",
    };
    let mut text = format!("Logged in using {how}\n");
    let account = report.account_id.as_deref().map(shortened);
    for (label, value) in [
        ("Account", account),
        ("Plan", report.plan.clone()),
        ("Token", report.expires_at.map(|end| lifetime(end, now))),
    ] {
        if let Some(value) = value {
            text.push_str(&format!("{label}: {}\n", escape::line(&value)));
        }
    }
    if report.is_expired && report.can_refresh {
        text.push_str("The login can be renewed.\n");
    }
    text
}

fn shortened(id: &str) -> String {
    let short: String = id.chars().take(SHOWN).collect();
    if short.len() == id.len() {
        short
    } else {
        format!("{short}…")
    }
}

fn lifetime(end: u64, now: u64) -> String {
    match end.checked_sub(now) {
        Some(left) if left > 0 => format!("expires in {}", duration(left)),
        _ => format!("expired {} ago", duration(now.saturating_sub(end))),
    }
}

/// In the largest unit of which there are two.
fn duration(seconds: u64) -> String {
    let units = [("days", 86_400), ("hours", 3_600), ("minutes", 60)];
    let unit = units.into_iter().find(|(_, one)| seconds >= 2 * one);
    match unit {
        Some((name, one)) => format!("{} {name}", seconds / one),
        None => format!("{seconds} seconds"),
    }
}

#[cfg(test)]
mod tests {
    use plugd_model::{Problem, ProblemKind};
    use plugd_plugins::{LoginBy, LoginMode, LoginReport};
    use pretty_assertions::assert_eq;
    use serde_json::{Value, json};

    use super::{duration, page};
    use crate::fixture::text;
    use crate::page::Form;

    fn nobody() -> LoginReport {
        LoginReport {
            by: None,
            account_id: None,
            plan: None,
            is_workspace: false,
            expires_at: None,
            is_expired: false,
            can_refresh: false,
            problems: Vec::new(),
        }
    }

    fn somebody() -> LoginReport {
        LoginReport {
            by: Some(LoginBy::Account(LoginMode::Chatgpt)),
            account_id: Some("0123456789".to_owned()),
            plan: Some("plus\u{1b}[2J".to_owned()),
            expires_at: Some(10_000),
            can_refresh: true,
            ..nobody()
        }
    }

    #[track_caller]
    fn check(report: &LoginReport, now: u64, expected: &str) {
        assert_eq!(page(report, now, text()).body, expected);
    }

    #[test]
    fn for_people() {
        check(&nobody(), 0, "Not logged in\n");
        let head = "Logged in using ChatGPT\nAccount: 01234567…\nPlan: plus\\u{1b}[2J\n";
        check(
            &somebody(),
            2_800,
            &format!("{head}Token: expires in 2 hours\n"),
        );
        let expired = LoginReport {
            is_expired: true,
            problems: vec![Problem::warning(
                ProblemKind::LoginExpired,
                "it has expired",
            )],
            ..somebody()
        };
        let told = page(&expired, 10_030, text());
        let tail = "Token: expired 30 seconds ago\nThe login can be renewed.\n";
        assert_eq!(told.body, format!("{head}{tail}"));
        assert_eq!(told.warnings, "warning: it has expired\n");
        assert_eq!(told.incomplete, None);
        let key = LoginReport {
            by: Some(LoginBy::ApiKey),
            ..nobody()
        };
        check(
            &key,
            0,
            "Logged in using an API key, which the remote catalog does not accept\n",
        );
        assert!(page(&nobody(), 0, text()).incomplete.is_some());
    }

    #[test]
    fn for_programs() {
        let answer = page(&somebody(), 0, Form::Json);
        let answer: Value = serde_json::from_str(&answer.body).unwrap();
        assert_eq!(
            answer,
            json!({
                "loggedIn": true, "mode": "chatgpt", "accountId": "0123456789",
                "plan": "plus\u{1b}[2J", "workspace": false, "expiresAt": 10_000,
                "expired": false, "refreshable": true, "problems": [],
            })
        );
        let answer = page(&nobody(), 0, Form::Json);
        assert!(answer.incomplete.is_some());
        let answer: Value = serde_json::from_str(&answer.body).unwrap();
        assert_eq!(
            (&answer["loggedIn"], &answer["mode"]),
            (&json!(false), &Value::Null)
        );
    }

    #[test]
    fn durations() {
        let check = |seconds, expected| assert_eq!(duration(seconds), expected);
        check(0, "0 seconds");
        check(119, "119 seconds");
        check(120, "2 minutes");
        check(7_200, "2 hours");
        check(172_800, "2 days");
    }
}
