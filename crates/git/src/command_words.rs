//! What the git command says, read: how far it is, and why it failed.
//!
//! Git has no other way to tell, so its English words must do; it is started so that it speaks
//! English. Words that are not known make a failure without a diagnosis, never a wrong one.

use crate::Address;
use crate::address::Kind;
use crate::credentials::short;
use crate::failure::{Failure, Trouble, quoted, says_full};
use crate::ssh_words::{self, Ssh};

/// Most bytes that are kept of what is said; the last ones matter.
const MAX_WORDS: usize = 16 * 1024;

/// What a server of smart HTTP calls its list of refs.
const SMART: &str = "application/x-git-upload-pack-advertisement";

/// How far a transfer is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Received {
    pub(crate) objects: u64,
    pub(crate) total: u64,
    pub(crate) bytes: u64,
}

/// Everything that was said, line by line, without the counting.
#[derive(Debug, Default)]
pub(crate) struct Words {
    open: Vec<u8>,
    kept: String,
    smart: bool,
    asks: Option<String>,
}

impl Words {
    /// Takes the next bytes. Every number that they hold is told to `received`.
    pub(crate) fn hear(&mut self, bytes: &[u8], mut received: impl FnMut(Received)) {
        for byte in bytes {
            if !matches!(byte, b'\n' | b'\r') {
                // A line without an end is cut, not kept.
                if self.open.len() < MAX_WORDS {
                    self.open.push(*byte);
                }
                continue;
            }
            let line = String::from_utf8_lossy(&std::mem::take(&mut self.open)).into_owned();
            if is_trace(&line) {
                self.smart |= line.contains(SMART);
                match asked_helper(&line) {
                    Some(helper) => self.asks = Some(helper),
                    // It speaks with the server again.
                    None if line.contains(" http.c:") => self.asks = None,
                    None => {}
                }
            }
            if let Some(progress) = progress(&line) {
                received(progress);
            } else if *byte == b'\n' {
                self.keep(&line);
            }
        }
    }

    /// Whether a trace of HTTP shows a server of git, and not one of files.
    pub(crate) fn is_smart(&self) -> bool {
        self.smart
    }

    /// The credential helper that git waits for, where a trace shows one.
    pub(crate) fn asks(&self) -> Option<&str> {
        self.asks.as_deref()
    }

    /// What is left when nothing more comes.
    pub(crate) fn end(mut self) -> String {
        let line = String::from_utf8_lossy(&std::mem::take(&mut self.open)).into_owned();
        self.keep(&line);
        self.kept
    }

    fn keep(&mut self, line: &str) {
        let line = line.trim();
        if line.is_empty() || is_noise(line) {
            return;
        }
        self.kept.push_str(line);
        self.kept.push('\n');
        while self.kept.len() > MAX_WORDS {
            let first = self.kept.find('\n').map_or(self.kept.len(), |at| at + 1);
            self.kept.drain(..first);
        }
    }
}

/// Lines that help nobody: traces, counting, and advice that is true of every failure.
fn is_noise(line: &str) -> bool {
    is_trace(line)
        || line.contains("% (")
        || line.starts_with("remote: Enumerating")
        || line.starts_with("remote: Total")
        || line == "Please make sure you have the correct access rights"
        || line == "and the repository exists."
}

/// Whether a line begins with a time of day, as traces do and nothing else.
fn is_trace(line: &str) -> bool {
    line.len() > 15
        && [(2, b':'), (5, b':'), (8, b'.')]
            .iter()
            .all(|(at, mark)| line.as_bytes()[*at] == *mark)
}

/// Reads the helper of a trace such as `… run_command: 'git credential-store get'`, by the name of its
/// program; the rest of its command line may hold a secret.
fn asked_helper(trace: &str) -> Option<String> {
    let (_, command) = trace.split_once(" run_command: '")?;
    let (command, action) = command.strip_suffix('\'')?.rsplit_once(' ')?;
    let command = command.strip_prefix("git credential-").unwrap_or(command);
    matches!(action, "get" | "store" | "erase").then(|| short(command))
}

/// Reads `Receiving objects:  45% (130/288), 12.30 MiB | 1.20 MiB/s`.
fn progress(line: &str) -> Option<Received> {
    let rest = line.strip_prefix("Receiving objects:")?;
    let (_, rest) = rest.split_once('(')?;
    let (counts, rest) = rest.split_once(')')?;
    let (objects, total) = counts.split_once('/')?;
    let bytes = rest
        .strip_prefix(", ")
        .and_then(|rest| rest.split(['|', ',']).next())
        .and_then(amount);
    Some(Received {
        objects: objects.trim().parse().ok()?,
        total: total.trim().parse().ok()?,
        bytes: bytes.unwrap_or(0),
    })
}

/// Reads `12.30 MiB`.
fn amount(text: &str) -> Option<u64> {
    let (number, unit) = text.trim().split_once(' ')?;
    let shift = match unit {
        "bytes" | "byte" => 0,
        "KiB" => 10,
        "MiB" => 20,
        "GiB" => 30,
        _ => return None,
    };
    let (whole, part) = number.split_once('.').unwrap_or((number, "0"));
    let hundredths = format!("{part:0<2}").get(..2)?.parse::<u64>().ok()?;
    let whole: u64 = whole.parse().ok()?;
    let unit = 1_u64 << shift;
    whole
        .checked_mul(unit)?
        .checked_add(hundredths * unit / 100)
}

/// Who failed, for the diagnosis.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Context<'a> {
    pub(crate) address: &'a Address,
    pub(crate) secrets: &'a [String],
    /// Whether a mirror was in use, so that it may be the mirror's fault.
    pub(crate) receiving: bool,
    /// Whether ssh is told of an agent.
    pub(crate) has_agent: bool,
}

/// Whether the server refused what it was told about who we are.
pub(crate) fn is_login_refused(words: &str) -> bool {
    has(
        words,
        &[
            "Authentication failed for",
            "could not read Username",
            "could not read Password",
            "requested URL returned error: 401",
            "terminal prompts disabled",
            "unable to get password from user",
        ],
    )
}

/// Words for a way that is closed, or that ended on the way.
const NETWORK: &[&str] = &[
    "Could not resolve",
    "Failed to connect",
    "Couldn't connect",
    "Connection refused",
    "Connection reset",
    "Connection timed out",
    "Operation timed out",
    "Network is unreachable",
    "No route to host",
    "Empty reply from server",
    "SSL ",
    "SSL_",
    "SSL:",
    "TLS",
    "certificate",
    "Recv failure",
    "Send failure",
    "RPC failed",
    "early EOF",
    "unexpected disconnect",
    "hung up unexpectedly",
    "transfer closed with",
    "end of response",
    "Permission denied",
    "Host key verification failed",
    "cannot run ssh",
    "unable to fork",
];

/// Words for a server that answers something else.
const SERVER: &[&str] = &[
    "returned error: ",
    "not valid: is this a git repository?",
    "invalid server response",
    "protocol error",
    "bad line length",
    "expected flush",
    "unexpected",
    "Could not read from remote repository",
    "unable to update url base from redirection",
    "not allowed",
    "not supported or disabled",
    "redirect",
    "remote error:",
    "not our ref",
    "couldn't find remote ref",
    "does not support",
    "Server does not allow",
    "did not send",
    "expected wanted-ref",
    "expected ls-refs",
    "unable to access",
    "dubious ownership",
    "remote: ",
];

/// What a failed command means.
pub(crate) fn trouble(words: &str, context: Context<'_>) -> Trouble {
    let host = context.address.host();
    let reason = reason(words, context.secrets);
    let refused = || Failure::Refused {
        host: host.clone(),
        reason: reason.clone(),
    };
    let unreachable = || Failure::Unreachable {
        host: host.clone(),
        reason: reason.clone(),
    };
    // What the other side says of its own disk is no news of this one.
    let is_ours = |line: &&str| !line.starts_with("remote:") && !line.contains("remote error:");
    if words.lines().filter(is_ours).any(says_full) {
        return Failure::DiskFull { reason }.into();
    }
    if let Kind::Ssh(_) = &context.address.kind
        && let Some(failure) = of_ssh(&reason, context)
    {
        return failure.into();
    }
    if has(words, &["returned error: 404", "returned error: 410"])
        || (has(words, &["fatal: repository '"]) && has(words, &["not found"]))
        || (has(words, &["does not appear to be a git repository"]) && !context.address.is_remote())
    {
        let url = context.address.shown();
        return Failure::RepositoryMissing { url }.into();
    }
    if has(words, &["not our ref", "couldn't find remote ref"]) {
        return refused().into();
    }
    if let Some(status @ (429 | 500..)) = status(words) {
        return Failure::ServerFault { host, status }.into();
    }
    // A server that is met in an unexpected state says so in words of both kinds.
    if has(words, &["returned error: "]) {
        return refused().into();
    }
    if has(
        words,
        &["did not send all necessary objects", "index-pack failed"],
    ) && !has(words, NETWORK)
    {
        return Trouble::Damaged(reason);
    }
    if has(words, NETWORK) {
        return unreachable().into();
    }
    if has(words, SERVER) {
        return refused().into();
    }
    match context.receiving {
        true => Trouble::Damaged(reason),
        false => Failure::Git { reason }.into(),
    }
}

fn of_ssh(words: &str, context: Context<'_>) -> Option<Failure> {
    let (host, url) = (context.address.host(), context.address.shown());
    let ssh = Ssh {
        host: &host,
        url: &url,
        has_agent: context.has_agent,
    };
    ssh_words::failure(words, ssh)
}

/// The status of HTTP that git complains of.
fn status(words: &str) -> Option<u16> {
    let (_, rest) = words.split_once("returned error: ")?;
    rest.get(..3)?.parse().ok()
}

fn has(words: &str, wanted: &[&str]) -> bool {
    wanted.iter().any(|one| words.contains(one))
}

/// The words without the marks in front of each line.
fn reason(words: &str, secrets: &[String]) -> String {
    let lines: Vec<&str> = words
        .lines()
        .map(|line| {
            line.trim_start_matches("fatal: ")
                .trim_start_matches("error: ")
                .trim()
        })
        .filter(|line| !line.is_empty())
        .collect();
    match lines.is_empty() {
        true => "git ended without a word".to_owned(),
        false => quoted(&lines.join("; "), secrets),
    }
}

#[cfg(test)]
#[path = "command_words_tests.rs"]
mod tests;
