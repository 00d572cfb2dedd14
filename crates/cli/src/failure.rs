//! Why a command failed, as text and as JSON.
//!
//! The JSON is what the server would have answered, so a program handles both with one piece of
//! code. Numbers and kinds are therefore the server's: a refusal that only the command line knows is
//! told to it as a value that cannot be meant.

use std::io;

use plugd_disk::DiskError;
use plugd_model::{NameError, Place, error_chain};
use plugd_plugins::{Facts, FlagError, Kind};
use plugd_server::{RegisteredTwice, ServeError, WireError};
use serde_json::{Value, json};

use crate::home::HomeError;
use crate::style::{Paint, Style};
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
    MarketplaceRequired,
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
    /// A value of `-c`, `--enable` or `--disable` that cannot be understood.
    #[error("a flag cannot be used")]
    Flags(#[source] FlagError),
    /// The files cannot be written.
    #[error("the generated files cannot be written")]
    Write(#[source] DiskError),
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
        let mut text = error_line(&error_chain(self), style);
        let Facts {
            path, place, hint, ..
        } = self.facts();
        if let (Some(path), Some(Place { line, column })) = (path, place) {
            let path = escape::line(&path.to_text());
            let label = style.paint(Paint::Weak, "at:");
            text.push_str(&format!("{label} {path}:{line}:{column}\n"));
        }
        if let Some(hint) = hint {
            text.push_str(&style.paint(Paint::Good, "hint:"));
            text.push_str(&format!(" {}\n", escape::line(&hint)));
        }
        text
    }

    /// Whether the JSON leaves out what went wrong: a client cannot help it, a person at this
    /// machine can.
    pub(crate) fn is_internal(&self) -> bool {
        match self {
            Self::UseCase(error) => error.kind() == Kind::Internal,
            Self::Write(_)
            | Self::Start(_)
            | Self::Serve(_)
            | Self::Methods(_)
            | Self::Params(_) => true,
            Self::Wire(error) => error.data.kind.word() == "internal",
            Self::Home(_)
            | Self::MarketplaceRequired
            | Self::OtherMarketplace { .. }
            | Self::BadName { .. }
            | Self::Flags(_) => false,
        }
    }

    /// `{"error": …}` as on the wire.
    pub(crate) fn json(self) -> Value {
        let chain = error_chain(&self);
        let refused = |field| plugd_plugins::Error::BadValue {
            field,
            reason: chain.clone(),
        };
        wire(match self {
            Self::Wire(error) => error,
            Self::UseCase(error) => error.into(),
            Self::Home(_) => refused("home").into(),
            Self::MarketplaceRequired | Self::OtherMarketplace { .. } => {
                refused("marketplace").into()
            }
            Self::BadName { .. } => refused("plugin").into(),
            Self::Flags(_) => refused("config").into(),
            Self::Write(error) => plugd_plugins::Error::Disk(Box::new(error)).into(),
            Self::Start(_) | Self::Serve(_) | Self::Methods(_) | Self::Params(_) => {
                plugd_plugins::Error::Panicked { text: chain }.into()
            }
        })
    }

    /// 2 for a command line that cannot be meant, else 1. A plugin without its marketplace is 1, as
    /// in the reference.
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Self::Flags(_) => USAGE,
            _ => FAILED,
        }
    }

    /// Where it is and what to do next, as far as the error knows.
    fn facts(&self) -> Facts {
        match self {
            Self::UseCase(error) => error.facts(),
            Self::MarketplaceRequired => Facts {
                hint: Some(
                    "`plugd plugin list` shows every plugin with its marketplace".to_owned(),
                ),
                ..Facts::default()
            },
            _ => Facts::default(),
        }
    }
}

/// A command line that cannot be meant, as JSON.
pub(crate) fn usage_json(reason: &str) -> Value {
    let error = plugd_plugins::Error::BadValue {
        field: "arguments",
        reason: reason.to_owned(),
    };
    wire(error.into())
}

/// One line that says what is wrong.
pub(crate) fn error_line(reason: &str, style: Style) -> String {
    format!(
        "{} {}\n",
        style.paint(Paint::Error, "error:"),
        escape::line(reason)
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
mod tests {
    use std::io;

    use plugd_model::PluginName;
    use pretty_assertions::assert_eq;
    use serde_json::json;

    use super::{Failure, usage_json};
    use crate::style::Style;

    fn bad_name() -> Failure {
        Failure::BadName {
            given: "a\u{1b}b".to_owned(),
            source: PluginName::new("").unwrap_err(),
        }
    }

    #[test]
    fn the_text_has_all_causes_on_one_line() {
        let reason = PluginName::new("").unwrap_err();
        let expected = format!("error: `a\\u{{1b}}b` names no plugin: {reason}\n");
        assert_eq!(bad_name().text(Style::Plain), expected);
        let failure = Failure::Start(io::Error::other("no\nroom"));
        assert_eq!(
            failure.text(Style::Coloured),
            "\u{1b}[31merror:\u{1b}[0m the work cannot be started: no\\nroom\n"
        );
    }

    #[test]
    fn a_hint_follows_on_its_own_line() {
        assert_eq!(
            Failure::MarketplaceRequired.text(Style::Plain),
            "error: plugin requires --marketplace unless passed as <plugin>@<marketplace>\n\
             hint: `plugd plugin list` shows every plugin with its marketplace\n"
        );
    }

    #[track_caller]
    fn check_json(failure: Failure, message: &str, code: i64, kind: &str) {
        let error = &failure.json()["error"];
        assert_eq!(error["message"], json!(message));
        assert_eq!(error["code"], json!(code));
        assert_eq!(error["data"]["kind"], json!(kind));
    }

    #[test]
    fn json_is_that_of_the_wire() {
        let failure = Failure::from(plugd_plugins::Error::NotConfigured {
            name: "demo".to_owned(),
            other_case: None,
        });
        check_json(
            failure,
            "marketplace `demo` is not configured or installed",
            -32600,
            "notFound",
        );
        check_json(
            Failure::MarketplaceRequired,
            "marketplace: plugin requires --marketplace unless passed as <plugin>@<marketplace>",
            -32600,
            "invalidInput",
        );
        let full = Failure::Start(io::Error::other("no room"));
        check_json(full, "internal error", -32603, "internal");
        let usage = &usage_json("unexpected `x`")["error"];
        assert_eq!(usage["message"], json!("arguments: unexpected `x`"));
    }
}
