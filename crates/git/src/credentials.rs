//! Logins for a server that asks for one, in order: what stands in the address, the user's netrc and
//! credential helpers, `PLUGD_TOKEN_<HOST>`, and for github.com the tokens its own tools use. What
//! `http.extraHeader` has goes along from the beginning, and makes room for the first of them.
//!
//! Each source is asked only when the server refused what came before, and nothing ever asks a
//! person. What was tried is remembered by name; the secrets themselves go into one list, by which
//! every text is cleaned before it leaves the worker.

use std::collections::VecDeque;
use std::fmt;

use plugd_http::base64;
use plugd_model::{Environment, git_url, percent};

use crate::config::UserConfig;
use crate::progress::Meter;
use crate::wire::With;
use crate::{Address, process};

/// A user name and a password, or a token in its place.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Login {
    pub(crate) user: String,
    pub(crate) password: String,
}

impl Login {
    /// How the login may be written in what a server repeats: as it is, in base64 as the header has
    /// it, and as a part of an address.
    pub(crate) fn forms(&self) -> Vec<String> {
        let pair = format!("{}:{}", self.user, self.password);
        let mut forms = Vec::new();
        for text in [&pair, &self.password] {
            let encoded = base64(text.as_bytes());
            let digits = encoded.trim_end_matches('=');
            forms.push(digits.replace('+', "-").replace('/', "_"));
            forms.push(digits.to_owned());
            forms.push(encoded);
        }
        for text in [&self.user, &self.password] {
            forms.push(percent::encoded(text));
            forms.push(text.clone());
        }
        // Too short to be a secret, and a part of many words.
        forms.retain(|form| form.len() >= 4 || *form == self.password);
        forms
    }
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Login(..)")
    }
}

/// A place where a login may be.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Source {
    Address,
    Netrc,
    Helper(String),
    Variable(String),
}

/// The logins for one address, one at a time.
#[derive(Debug)]
pub(crate) struct Logins {
    sources: VecDeque<Source>,
    tried: Vec<String>,
}

impl Logins {
    pub(crate) fn new(address: &Address, user: &UserConfig) -> Self {
        let host = address.host();
        let variable = variable(&host);
        let helpers = user.helpers(&address.shown());
        let mut sources = VecDeque::from([Source::Address, Source::Netrc]);
        sources.extend(helpers.into_iter().map(Source::Helper));
        sources.push_back(Source::Variable(variable));
        if host == git_url::GITHUB {
            sources.push_back(Source::Variable("GH_TOKEN".to_owned()));
            sources.push_back(Source::Variable("GITHUB_TOKEN".to_owned()));
        }
        Self {
            sources,
            tried: vec![first_tried(address, user).to_owned()],
        }
    }

    /// The next login that there is.
    pub(crate) fn next(
        &mut self,
        address: &Address,
        user: &UserConfig,
        environment: &Environment,
        meter: &Meter,
    ) -> Option<Login> {
        while let Some(source) = self.sources.pop_front() {
            let (login, name) = match &source {
                Source::Address => (from_address(address), "the address".to_owned()),
                Source::Netrc => (user.netrc(address), NETRC.to_owned()),
                Source::Helper(helper) => {
                    meter.wait_for(With::Helper(short(helper)));
                    let answer = ask(helper, address, user, environment);
                    meter.wait_for(With::Host(address.host()));
                    (answer, format!("credential helper `{}`", short(helper)))
                }
                Source::Variable(variable) => (
                    from_variable(variable, address, environment),
                    format!("${variable}"),
                ),
            };
            match (&login, &source) {
                (Some(_), _) => self.tried.push(name),
                (None, Source::Helper(_)) => self.tried.push(format!("{name} (has none)")),
                (None, Source::Netrc) if user.netrc_is_unreadable() => {
                    self.tried.push(format!("{name} (cannot be read)"));
                }
                (None, _) => {}
            }
            if login.is_some() {
                return login;
            }
        }
        None
    }

    /// What was tried so far, by name.
    pub(crate) fn tried(&self) -> Vec<String> {
        self.tried.clone()
    }
}

/// One way to log in for the git command, which can try only one at a time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Attempt {
    /// A login that we know.
    pub(crate) login: Option<Login>,
    /// Whether the user's own helpers are asked. They are not asked beside a login that we know: a
    /// helper stores what worked, and a token of the environment is not the user's to keep there.
    pub(crate) helpers: bool,
    /// What is tried, for messages.
    pub(crate) names: Vec<String>,
}

/// All ways to log in at an address, in the order of [`Logins`]; never empty.
pub(crate) fn attempts(
    address: &Address,
    user: &UserConfig,
    environment: &Environment,
) -> Vec<Attempt> {
    let mut attempts = Vec::new();
    let helpers: Vec<String> = user
        .helpers(&address.shown())
        .iter()
        .map(|helper| format!("credential helper `{}`", short(helper)))
        .collect();
    for source in Logins::new(address, user).sources {
        let (login, name) = match source {
            Source::Address => (from_address(address), "the address".to_owned()),
            // Git looks into it by itself, each time before it asks a helper.
            Source::Netrc => continue,
            Source::Helper(_) => {
                if !attempts.iter().any(|one: &Attempt| one.helpers) {
                    attempts.push(Attempt {
                        login: None,
                        helpers: true,
                        names: helpers.clone(),
                    });
                }
                continue;
            }
            Source::Variable(variable) => (
                from_variable(&variable, address, environment),
                format!("${variable}"),
            ),
        };
        if login.is_some() {
            attempts.push(Attempt {
                login,
                helpers: false,
                names: vec![name],
            });
        }
    }
    if attempts.is_empty() {
        attempts.push(Attempt {
            login: None,
            helpers: false,
            names: Vec::new(),
        });
    }
    attempts
}

/// All logins of these attempts. Git asks the user's helpers by itself, so what they answered is
/// learnt by asking them once more.
pub(crate) fn known_logins(
    attempts: &[Attempt],
    address: &Address,
    user: &UserConfig,
    environment: &Environment,
) -> Vec<Login> {
    let mut logins: Vec<Login> = attempts
        .iter()
        .filter_map(|one| one.login.clone())
        .chain(user.netrc(address))
        .collect();
    if attempts.iter().any(|attempt| attempt.helpers) {
        let helpers = user.helpers(&address.shown());
        logins.extend(
            helpers
                .iter()
                .filter_map(|helper| ask(helper, address, user, environment)),
        );
    }
    logins
}

/// How the netrc is called in messages.
pub(crate) const NETRC: &str = "~/.netrc";

/// What goes along before any login is asked for.
pub(crate) fn first_tried(address: &Address, user: &UserConfig) -> &'static str {
    let headers = user.extra_headers(&address.shown());
    match (headers.has_login(), headers.has_bad()) {
        (true, _) => "`http.extraHeader`",
        (false, true) => "no login (an `http.extraHeader` is no header that can be sent)",
        (false, false) => "no login",
    }
}

/// What the user can do when no login was taken.
pub(crate) fn hint(address: &Address) -> String {
    let variable = variable(&address.host());
    format!("set ${variable}, or log in with a git credential helper")
}

/// The variable for a host: capitals, everything else an underscore.
fn variable(host: &str) -> String {
    let name = host.trim_matches(['[', ']']).chars().map(|c| {
        if c.is_ascii_alphanumeric() {
            c.to_ascii_uppercase()
        } else {
            '_'
        }
    });
    format!("PLUGD_TOKEN_{}", name.collect::<String>())
}

fn from_address(address: &Address) -> Option<Login> {
    let (user, password) = address.login()?;
    Some(Login { user, password })
}

fn from_variable(name: &str, address: &Address, environment: &Environment) -> Option<Login> {
    let token = environment.var(name)?.to_str()?.trim().to_owned();
    let legal = !token.is_empty() && !token.chars().any(char::is_control);
    // GitHub and GitLab document these names for tokens; others ignore the name.
    let user = match address.host() == git_url::GITHUB {
        true => "x-access-token",
        false => "oauth2",
    };
    legal.then(|| Login {
        user: user.to_owned(),
        password: token,
    })
}

/// Asks a credential helper in the protocol that git speaks with it.
fn ask(
    helper: &str,
    address: &Address,
    user: &UserConfig,
    environment: &Environment,
) -> Option<Login> {
    let question = question(address, user);
    let answer = process::ask_helper(helper, &question, environment)
        .inspect_err(|error| tracing::warn!(%error, "cannot ask a credential helper"))
        .ok()?;
    let value = |wanted: &str| {
        answer.lines().find_map(|line| {
            let (key, value) = line.split_once('=')?;
            (key == wanted).then(|| value.trim_end_matches('\r').to_owned())
        })
    };
    let password = value("password").filter(|password| !password.is_empty())?;
    Some(Login {
        user: value("username").unwrap_or_default(),
        password,
    })
}

fn question(address: &Address, user: &UserConfig) -> String {
    let shown = address.shown();
    let (scheme, rest) = shown.split_once("://").unwrap_or(("https", &shown));
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let mut text = format!("protocol={}\nhost={host}\n", scheme.to_ascii_lowercase());
    if user.use_http_path() {
        text.push_str(&format!("path={path}\n"));
    }
    if let Some((user, _)) = address.login().filter(|(user, _)| !user.contains('\n')) {
        text.push_str(&format!("username={user}\n"));
    }
    text.push('\n');
    text
}

/// A helper by the name of its program; the rest of its command line may hold a secret.
pub(crate) fn short(helper: &str) -> String {
    let first = helper.trim_start_matches('!').split_whitespace().next();
    first.unwrap_or_default().escape_debug().take(60).collect()
}

#[cfg(test)]
#[path = "credentials_tests.rs"]
mod tests;
