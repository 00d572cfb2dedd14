//! Why a command failed, as text and as JSON.
//!
//! The JSON is what the server would have answered, so a program handles both with one piece of
//! code. Numbers and kinds are therefore the server's: a refusal that only the command line knows is
//! told to it as a value that cannot be meant.

use std::io;

use plugd_disk::DiskError;
use plugd_model::{AbsPath, NameError, Place, Problem, error_chain};
use plugd_plugins::call::Cancelled;
use plugd_plugins::{Facts, FlagError, Kind};
use plugd_server::{RegisteredTwice, ServeError, WireError};
use serde_json::{Value, json};

use crate::blame::Culprit;
use crate::home::HomeError;
use crate::problems;
use crate::signals::Signal;
use crate::style::{Paint, Style};
use crate::wording;
use crate::{FAILED, USAGE, escape};

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// The use case refused.
    #[error(transparent)]
    UseCase(#[from] plugd_plugins::Error),
    /// The server refused. What it keeps from clients is fine for the person at this machine.
    #[error("{}", .0.detail.as_ref().unwrap_or(&.0.message))]
    Wire(WireError),
    /// The server could not begin.
    #[error("the server cannot begin")]
    Serve(#[source] ServeError),
    /// The server's methods cannot be had.
    #[error("the methods cannot be called")]
    Methods(#[source] RegisteredTwice),
    /// The params of a method cannot be written.
    #[error("the params cannot be written")]
    Params(#[source] serde_json::Error),
    /// There is no home directory to work on.
    #[error(transparent)]
    Home(#[from] HomeError),
    /// A plugin without its marketplace.
    #[error("plugin requires --marketplace unless passed as <plugin>@<marketplace>")]
    MarketplaceRequired {
        /// The plugin.
        plugin: String,
    },
    /// Two marketplaces for one plugin.
    #[error(
        "plugin id `{id}` belongs to marketplace `{named}`, but --marketplace specified `{asked}`"
    )]
    OtherMarketplace {
        /// The plugin.
        id: String,
        /// The marketplace in the id.
        named: String,
        /// The marketplace of the switch.
        asked: String,
    },
    /// The plugin or its marketplace has an impossible name.
    #[error("`{given}` names no plugin")]
    BadName {
        /// What was given.
        given: String,
        /// Why.
        #[source]
        source: NameError,
    },
    /// A profile of which no file can be named.
    #[error("`{given}` names no profile")]
    BadProfile {
        /// What was given.
        given: String,
        /// Why.
        #[source]
        source: NameError,
    },
    /// The directory that the command was called in is gone.
    #[error("the working directory was removed")]
    NoWorkingDirectory,
    /// What was looked for may be there, and this keeps it from being seen.
    #[error("{culprit}: {}", described(problem))]
    Hidden {
        /// What hides it.
        culprit: Culprit,
        /// What is wrong with that.
        problem: Box<Problem>,
    },
    /// A command failed while the configuration is broken.
    #[error("{failure}")]
    Beside {
        /// Why it failed.
        failure: Box<Self>,
        /// What is wrong with the configuration.
        configuration: Vec<Problem>,
    },
    /// Something is absent, and another thing has a similar name.
    #[error("{failure}")]
    Suggested {
        /// Why it failed.
        failure: Box<Self>,
        /// What may have been meant.
        hint: String,
    },
    /// A skill that nothing here brings.
    #[error("no skill `{}` is loaded here", skill.escape_debug())]
    NoSuchSkill {
        /// Its name or its path, as it was given.
        skill: String,
        /// What may have been meant.
        hint: String,
    },
    /// A man page of something that is no command.
    #[error("`{words}` is no command")]
    NoCommand {
        /// The words of the command.
        words: String,
    },
    /// A value of `-c`, `--enable` or `--disable` that cannot be understood.
    #[error("a flag cannot be used")]
    Flags(#[source] FlagError),
    /// The files cannot be written.
    #[error("the generated files cannot be written")]
    Write(#[source] DiskError),
    /// The files that were built into the program cannot be unpacked.
    #[error("the generated files cannot be unpacked; install plugd anew")]
    Embedded(#[source] io::Error),
    /// Somebody ended the command, and it has undone what it had begun.
    #[error("interrupted: what was begun is undone")]
    Interrupted(Signal),
    /// Somebody ended the command twice and did not wait for its clean-up.
    #[error("interrupted twice: what was begun is undone by the next command")]
    Abandoned(Signal),
    /// The system has no room for the work.
    #[error("the work cannot be started")]
    Start(#[source] io::Error),
}

impl From<WireError> for Failure {
    fn from(error: WireError) -> Self {
        Self::Wire(error)
    }
}

impl Failure {
    /// The lines for people.
    pub(crate) fn text(&self, style: Style) -> String {
        if let Self::Beside {
            failure,
            configuration,
        } = self
        {
            let Facts { path, place, .. } = failure.facts();
            // What the failure says itself is not said twice.
            let others = configuration
                .iter()
                .filter(|problem| (&problem.path, problem.place) != (&path, place));
            let mut text: String = others
                .map(|problem| problems::warning(problem, style))
                .collect();
            text.push_str(&failure.text(style));
            return text;
        }
        let mut said = self;
        while let Self::Suggested { failure, .. } = said {
            said = failure;
        }
        let message = match said {
            Self::UseCase(error) => wording::message(error),
            other => error_chain(other),
        };
        let mut text = error_line(&message, style);
        let Facts { path, place, .. } = self.facts();
        let hint = self.hint();
        if let (Some(path), Some(Place { line, column })) = (path, place) {
            let path = escape::line(&path.to_text());
            let label = style.paint(Paint::Weak, "at:");
            text.push_str(&format!("{label} {path}:{line}:{column}\n"));
        }
        if let Some(hint) = hint {
            text.push_str(&hint_line(&hint, style));
        }
        text
    }

    /// Whether the JSON leaves out what went wrong: a client cannot help it, a person at this
    /// machine can.
    pub(crate) fn is_internal(&self) -> bool {
        match self {
            Self::UseCase(error) => error.kind() == Kind::Internal,
            Self::Write(_)
            | Self::Embedded(_)
            | Self::Start(_)
            | Self::Serve(_)
            | Self::Methods(_)
            | Self::Params(_)
            | Self::Abandoned(_) => true,
            Self::Wire(error) => error.data.kind.word() == "internal",
            Self::Beside { failure, .. } | Self::Suggested { failure, .. } => failure.is_internal(),
            Self::Hidden { .. }
            | Self::Home(_)
            | Self::MarketplaceRequired { .. }
            | Self::OtherMarketplace { .. }
            | Self::BadName { .. }
            | Self::BadProfile { .. }
            | Self::NoWorkingDirectory
            | Self::NoSuchSkill { .. }
            | Self::NoCommand { .. }
            | Self::Interrupted(_)
            | Self::Flags(_) => false,
        }
    }

    /// `{"error": …}` as on the wire.
    pub(crate) fn json(self) -> Value {
        let chain = error_chain(&self);
        let facts = self.facts();
        let hint = self.hint();
        let refused = |field| plugd_plugins::Error::BadValue {
            field,
            reason: chain.clone(),
        };
        wire(match self {
            Self::Wire(error) => error,
            Self::UseCase(error) => error.into(),
            Self::Hidden { culprit, problem } => {
                let mut json = wire(refused("configuration").into());
                json["error"]["message"] = chain.into();
                json["error"]["data"] = data(culprit.kind(&problem), facts, hint);
                return json;
            }
            // What is wrong is said in full; a member in front of it would be no member of anything.
            Self::NoSuchSkill { .. }
            | Self::NoCommand { .. }
            | Self::MarketplaceRequired { .. }
            | Self::OtherMarketplace { .. } => {
                let kind = match self {
                    Self::NoSuchSkill { .. } => "notFound",
                    _ => "invalidInput",
                };
                let mut json = wire(refused("arguments").into());
                json["error"]["message"] = chain.into();
                json["error"]["data"] = data(kind, facts, hint);
                return json;
            }
            Self::Beside {
                failure,
                configuration,
            } => {
                let mut json = failure.json();
                json["error"]["data"]["configProblems"] = json!(problems::shapes(&configuration));
                return json;
            }
            Self::Suggested { failure, hint } => {
                let mut json = failure.json();
                json["error"]["data"]["hint"] = hint.into();
                return json;
            }
            Self::Home(_) => refused("home").into(),
            Self::BadName { .. } => refused("plugin").into(),
            Self::BadProfile { .. } => refused("profile").into(),
            Self::NoWorkingDirectory => refused("cwd").into(),
            Self::Flags(_) => refused("config").into(),
            Self::Write(error) => plugd_plugins::Error::Disk(Box::new(error)).into(),
            Self::Interrupted(_) => plugd_plugins::Error::Cancelled(Cancelled).into(),
            Self::Embedded(_)
            | Self::Start(_)
            | Self::Serve(_)
            | Self::Methods(_)
            | Self::Params(_)
            | Self::Abandoned(_) => plugd_plugins::Error::Panicked { text: chain }.into(),
        })
    }

    /// 2 for a command line that cannot be meant, else 1. A plugin without its marketplace is 1, as
    /// in the reference.
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Self::Flags(_) | Self::BadProfile { .. } | Self::NoCommand { .. } => USAGE,
            Self::Interrupted(signal) | Self::Abandoned(signal) => signal.exit_code(),
            Self::Beside { failure, .. } | Self::Suggested { failure, .. } => failure.exit_code(),
            _ => FAILED,
        }
    }

    /// Whether the work was given up because it was cancelled.
    pub(crate) fn is_cancelled(&self) -> bool {
        match self {
            Self::UseCase(error) => error.kind() == Kind::Cancelled,
            Self::Wire(error) => error.data.kind.word() == "cancelled",
            Self::Interrupted(_) | Self::Abandoned(_) => true,
            _ => false,
        }
    }

    /// Whether nobody knows what was done on another machine, so that it cannot be said to be undone.
    pub(crate) fn is_in_doubt(&self) -> bool {
        matches!(self, Self::UseCase(error) if error.is_in_doubt())
    }

    /// Whether it says that something is absent.
    pub(crate) fn is_not_found(&self) -> bool {
        match self {
            Self::UseCase(error) => wording::is_not_found(error),
            Self::Wire(error) => error.data.kind.word() == "notFound",
            Self::Suggested { failure, .. } => failure.is_not_found(),
            _ => false,
        }
    }

    /// What it is about and where that is, as far as the error knows.
    pub(crate) fn facts(&self) -> Facts {
        match self {
            Self::UseCase(error) => error.facts(),
            Self::Beside { failure, .. } | Self::Suggested { failure, .. } => failure.facts(),
            Self::Wire(error) => {
                let data = &error.data;
                let path = data.path.as_ref();
                Facts {
                    plugin: data.plugin.clone(),
                    marketplace: data.marketplace.clone(),
                    path: path.and_then(|path| AbsPath::new(&path.0).ok()),
                    field: data.field.clone(),
                    place: data
                        .line
                        .zip(data.column)
                        .map(|(line, column)| Place { line, column }),
                    ..Facts::default()
                }
            }
            Self::Hidden { culprit, problem } => Facts {
                plugin: match culprit {
                    Culprit::Entry(id) => Some(id.to_string()),
                    Culprit::Marketplace(_) | Culprit::Configuration => None,
                },
                marketplace: match culprit {
                    Culprit::Entry(id) => Some(id.marketplace.to_string()),
                    Culprit::Marketplace(name) => Some(name.clone()),
                    Culprit::Configuration => None,
                },
                path: problem.path.clone(),
                field: problem.field.clone(),
                place: problem.place,
                ..Facts::default()
            },
            Self::MarketplaceRequired { plugin } => Facts {
                plugin: Some(plugin.clone()),
                field: Some("marketplace".to_owned()),
                ..Facts::default()
            },
            Self::OtherMarketplace { id, .. } => Facts {
                plugin: Some(id.clone()),
                field: Some("marketplace".to_owned()),
                ..Facts::default()
            },
            _ => Facts::default(),
        }
    }

    /// What to do next.
    fn hint(&self) -> Option<String> {
        let text = match self {
            Self::UseCase(error) => return wording::hint(error),
            Self::Wire(error) => return error.data.hint.clone(),
            Self::Suggested { hint, .. } | Self::NoSuchSkill { hint, .. } => {
                return Some(hint.clone());
            }
            Self::NoCommand { .. } => "`plugd help` shows the commands",
            Self::NoWorkingDirectory => {
                "change to a directory that is there, and call the command again"
            }
            Self::BadProfile { .. } => {
                "the profile `name` is the file `name.config.toml` beside `config.toml`"
            }
            Self::Home(error @ (HomeError::NotADirectory { .. } | HomeError::InTheWay { .. })) => {
                error.advice()
            }
            Self::MarketplaceRequired { .. } => {
                "`plugd plugin list` shows every plugin with its marketplace"
            }
            Self::Hidden {
                culprit: Culprit::Configuration,
                ..
            } => "mend the file; what it configures cannot be seen until then",
            _ => return None,
        };
        Some(text.to_owned())
    }
}

/// A problem without its place, which is told apart from it.
fn described(problem: &Problem) -> String {
    match &problem.field {
        Some(field) => format!("{field}: {}", problem.message),
        None => problem.message.clone(),
    }
}

/// The `data` of an error that the server would not have met. Members without a value are omitted, as
/// on the wire.
fn data(kind: &str, facts: Facts, hint: Option<String>) -> Value {
    let Facts {
        plugin,
        marketplace,
        path,
        field,
        place,
        hint: _,
        host,
        retryable: _,
        config_write: _,
        trust: _,
    } = facts;
    let members = [
        ("kind", Some(json!(kind))),
        ("plugin", plugin.map(Value::from)),
        ("marketplace", marketplace.map(Value::from)),
        ("path", path.map(|path| path.to_text().into())),
        ("field", field.map(Value::from)),
        ("line", place.map(|place| place.line.into())),
        ("column", place.map(|place| place.column.into())),
        ("hint", hint.map(Value::from)),
        ("host", host.map(Value::from)),
    ];
    members
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), value?)))
        .collect::<serde_json::Map<_, _>>()
        .into()
}

/// A command line that cannot be meant, as JSON, with what may have been meant.
pub(crate) fn usage_json(reason: &str, hint: Option<&str>) -> Value {
    let error = plugd_plugins::Error::BadValue {
        field: "arguments",
        reason: reason.to_owned(),
    };
    let mut json = wire(error.into());
    if let Some(hint) = hint {
        json["error"]["data"]["hint"] = hint.into();
    }
    json
}

/// One line that says what is wrong.
pub(crate) fn error_line(reason: &str, style: Style) -> String {
    format!(
        "{} {}\n",
        style.paint(Paint::Error, "error:"),
        escape::line(reason)
    )
}

/// One line that says what to do next.
pub(crate) fn hint_line(hint: &str, style: Style) -> String {
    format!(
        "{} {}\n",
        style.paint(Paint::Good, "hint:"),
        escape::line(hint)
    )
}

fn wire(error: WireError) -> Value {
    let WireError {
        code,
        message,
        data,
        // For the log of a daemon.
        detail: _,
    } = error;
    json!({ "error": { "code": code, "message": message, "data": data } })
}

#[cfg(test)]
#[path = "failure_tests.rs"]
mod tests;
