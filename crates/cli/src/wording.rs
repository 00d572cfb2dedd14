//! The words of errors for people at a command line.
//!
//! A use case speaks of the members of a request and of methods, because most of its callers are
//! programs. Somebody who typed a command has switches and commands in front of him. Only texts are
//! changed here; with `--json` an error is what the server would have answered.

use plugd_model::error_chain;
use plugd_plugins::{Error, Kind};

/// What to do where plugins are switched off.
pub(crate) const SWITCH_ON: &str =
    "pass `--enable plugins`, or set `plugins = true` in the [features] table of config.toml";

/// What is wrong, with all causes.
pub(crate) fn message(error: &Error) -> String {
    match error {
        Error::BadValue { field, reason } => format!("{}: {reason}", argument(field)),
        Error::PluginsDisabled => "plugins are disabled by the configuration".to_owned(),
        _ => error_chain(error),
    }
}

/// How a member of a request is given on the command line.
fn argument(field: &'static str) -> &'static str {
    match field {
        "refName" => "--ref",
        "sparsePaths" => "--sparse",
        "source" => "SOURCE",
        "marketplaceName" => "NAME",
        "edits" => "KEY=VALUE",
        "cwd" => "--cwd",
        other => other,
    }
}

/// What to do next, when the answer for a client is of no use here.
pub(crate) fn hint(error: &Error) -> Option<String> {
    match error {
        Error::PluginsDisabled => Some(SWITCH_ON.to_owned()),
        Error::NotConfigured {
            other_case: None, ..
        } => Some("`plugd marketplace add SOURCE`, or `plugd marketplace list`".to_owned()),
        Error::OtherSource { name, .. } => Some(format!("`plugd marketplace remove {name}` first")),
        Error::Renamed { name, found } => Some(format!(
            "`plugd marketplace remove {name}`, then add the source again: it is `{found}` now"
        )),
        Error::NotAGitMarketplace { .. } => {
            Some("`plugd marketplace list` shows which there are".to_owned())
        }
        other => other.facts().hint,
    }
}

/// Whether an error says that something is absent.
pub(crate) fn is_not_found(error: &Error) -> bool {
    error.kind() == Kind::NotFound
}

#[cfg(test)]
mod tests {
    use plugd_plugins::Error;
    use pretty_assertions::assert_eq;

    use super::{hint, message};

    #[track_caller]
    fn check(error: &Error, text: &str, next: Option<&str>) {
        assert_eq!(
            (message(error).as_str(), hint(error).as_deref()),
            (text, next)
        );
    }

    fn bad(field: &'static str) -> Error {
        Error::BadValue {
            field,
            reason: "no".to_owned(),
        }
    }

    #[test]
    fn members_are_switches() {
        check(&bad("refName"), "--ref: no", None);
        check(&bad("sparsePaths"), "--sparse: no", None);
        check(&bad("source"), "SOURCE: no", None);
        check(&bad("marketplaceName"), "NAME: no", None);
        check(&bad("else"), "else: no", None);
    }

    #[test]
    fn methods_are_commands() {
        let unknown = |other_case| Error::NotConfigured {
            name: "demo".to_owned(),
            other_case,
        };
        check(
            &unknown(None),
            "marketplace `demo` is not configured or installed",
            Some("`plugd marketplace add SOURCE`, or `plugd marketplace list`"),
        );
        check(
            &unknown(Some("Demo".to_owned())),
            "marketplace `demo` is not configured or installed",
            Some("names are case-sensitive; `Demo` is configured"),
        );
        check(
            &Error::NotAGitMarketplace {
                name: "demo".to_owned(),
            },
            "marketplace `demo` is not configured as a Git marketplace",
            Some("`plugd marketplace list` shows which there are"),
        );
        check(
            &Error::Renamed {
                name: "demo".to_owned(),
                found: "other".to_owned(),
            },
            "the marketplace configured as `demo` calls itself `other` now",
            Some("`plugd marketplace remove demo`, then add the source again: it is `other` now"),
        );
        check(
            &Error::OtherSource {
                name: "demo".to_owned(),
                existing: "/d".to_owned(),
            },
            "marketplace `demo` is already added from a different source: /d",
            Some("`plugd marketplace remove demo` first"),
        );
    }
}
