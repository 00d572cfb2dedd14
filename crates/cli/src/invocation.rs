//! What was asked for, as far as it must be known before anything else: serve, or run a command.
//!
//! Serving has a reader of its own. Frontends start the daemon with whatever switches their version
//! of the reference knows; one that means nothing here must not stop them, so it is a warning. The
//! full parser refuses what it does not know, which is right for people and wrong for frontends.

use std::ffi::OsString;

use plugd_server::FramingChoice;

use crate::flags::Flags;

/// The words that begin a command. A word behind an unknown switch is its value unless it is one
/// of these.
pub(crate) const COMMANDS: [&str; 26] = [
    SERVER,
    "plugin",
    "marketplace",
    "validate",
    "login",
    "skills",
    "hooks",
    "components",
    "mentions",
    "instructions",
    "config",
    "status",
    "doctor",
    "gc",
    "verify",
    "lock",
    "sync",
    "export",
    "import",
    "new",
    "link",
    "unlink",
    "schema",
    "completions",
    "man",
    "help",
];
/// The command that serves.
const SERVER: &str = "app-server";
/// Tools that stand below `app-server` and are read by the full parser.
const SERVER_TOOLS: [&str; 3] = ["generate-ts", "generate-json-schema", "help"];

/// Switches of the reference that mean nothing here and stand alone.
const IDLE_SWITCHES: [&str; 11] = [
    "--approve-for-me",
    "--dangerously-bypass-approvals-and-sandbox",
    "--dangerously-bypass-hook-trust",
    "--no-alt-screen",
    "--no-daemon",
    "--oss",
    "--print-startup-config",
    "--search",
    "--startup-sign-out",
    "--strict-config",
    "--worktree",
];
/// Switches of the reference that mean nothing here and take a value.
const IDLE_VALUES: [&str; 24] = [
    "-C",
    "-a",
    "-i",
    "-m",
    "-s",
    "--add-dir",
    "--ask-for-approval",
    "--cd",
    "--cloud-skills-snapshot",
    "--code-mode-host",
    "--image",
    "--local-provider",
    "--model",
    "--remote",
    "--remote-auth-token-env",
    "--sandbox",
    "--startup-client-info",
    "--ws-audience",
    "--ws-auth",
    "--ws-issuer",
    "--ws-max-clock-skew-seconds",
    "--ws-shared-secret-file",
    "--ws-token-file",
    "--ws-token-sha256",
];

/// The two ways to run.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Invocation {
    /// Serve on stdin and stdout.
    Serve(Serving),
    /// Anything else; the full parser has the say.
    Command,
    /// An attempt to serve that cannot be meant.
    Refused {
        /// Why.
        reason: String,
        /// Whether a program wants to read it.
        json: bool,
    },
}

/// How to serve.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Serving {
    /// The session's configuration.
    pub(crate) flags: Flags,
    /// What the client is expected to speak.
    pub(crate) framing: FramingChoice,
    /// Whether a failure to begin is told as JSON.
    pub(crate) json: bool,
    /// Whether nobody wants to read warnings.
    pub(crate) quiet: bool,
    /// What was ignored.
    pub(crate) warnings: Vec<String>,
}

impl Invocation {
    /// Reads the arguments. Without a command the daemon serves, unless a person sits in front of it.
    pub(crate) fn of(args: &[OsString], stdin_is_terminal: bool) -> Self {
        let mut reader = Reader::new(args);
        match reader.read() {
            Ok(Found::Other) => Self::Command,
            Ok(Found::Nothing) if stdin_is_terminal => Self::Command,
            Ok(Found::Nothing | Found::Server) => Self::Serve(reader.serving),
            Err(reason) => Self::Refused {
                reason,
                json: asks_for_json(args),
            },
        }
    }
}

/// Whether the arguments ask for JSON, for a refusal that comes before they are understood.
pub(crate) fn asks_for_json(args: &[OsString]) -> bool {
    args.iter().any(|arg| arg == "--json")
}

/// What goes to the log when nobody says: warnings, unless the arguments ask for quiet. A value that
/// looks like the switch costs warnings and nothing else.
#[must_use]
pub fn default_log(args: &[OsString]) -> &'static str {
    match args.iter().any(|arg| arg == "-q" || arg == "--quiet") {
        true => "error",
        false => "warn",
    }
}

enum Found {
    Nothing,
    Server,
    Other,
}

struct Reader {
    args: std::vec::IntoIter<String>,
    /// Whether `app-server` stands somewhere. Without it a word that means nothing is more likely a
    /// mistyped command than the value of a switch.
    names_server: bool,
    serving: Serving,
}

impl Reader {
    fn new(args: &[OsString]) -> Self {
        // What is no text is no switch of ours; its replacement marks are, too.
        let args: Vec<String> = args
            .iter()
            .map(|arg| arg.to_string_lossy().into_owned())
            .collect();
        Self {
            names_server: args.iter().any(|arg| arg == SERVER),
            args: args.into_iter(),
            serving: Serving {
                flags: Flags::default(),
                framing: FramingChoice::Auto,
                json: false,
                quiet: false,
                warnings: Vec::new(),
            },
        }
    }

    fn read(&mut self) -> Result<Found, String> {
        let mut found = Found::Nothing;
        while let Some(arg) = self.args.next() {
            if is_switch(&arg) {
                if matches!(arg.as_str(), "-h" | "--help" | "-V" | "--version") {
                    return Ok(Found::Other);
                }
                self.switch(&arg)?;
                continue;
            }
            match found {
                Found::Nothing if arg == SERVER => found = Found::Server,
                Found::Server if !SERVER_TOOLS.contains(&arg.as_str()) => {
                    return Err(format!("unexpected argument `{arg}` behind `app-server`"));
                }
                _ => return Ok(Found::Other),
            }
        }
        Ok(found)
    }

    fn switch(&mut self, arg: &str) -> Result<(), String> {
        let (name, attached) = split(arg);
        match name {
            "-c" | "--config" => {
                let text = self.value(name, attached)?;
                self.serving.flags.overrides.push(text);
            }
            "--enable" => {
                let feature = self.value(name, attached)?;
                self.serving.flags.enable.push(feature);
            }
            "--disable" => {
                let feature = self.value(name, attached)?;
                self.serving.flags.disable.push(feature);
            }
            "-p" | "--profile" => self.serving.flags.profile = Some(self.value(name, attached)?),
            "--listen" => listen(&self.value(name, attached)?)?,
            "--json" => self.serving.json = true,
            "-q" | "--quiet" => self.serving.quiet = true,
            "--framing" => self.serving.framing = framing(&self.value(name, attached)?)?,
            // Nothing is collected, whatever the default, and stdio is what there is.
            "--stdio" | "--analytics-default-enabled" | "--" => {}
            _ if IDLE_SWITCHES.contains(&name) => self.warn(name, "has no effect here"),
            _ if IDLE_VALUES.contains(&name) => {
                self.value(name, attached)?;
                self.warn(name, "has no effect here");
            }
            _ => {
                if attached.is_none() {
                    self.skip_value();
                }
                self.warn(name, "is not known and ignored");
            }
        }
        Ok(())
    }

    fn value(&mut self, name: &str, attached: Option<&str>) -> Result<String, String> {
        match attached {
            Some(value) => Ok(value.to_owned()),
            None => self
                .args
                .next()
                .ok_or_else(|| format!("`{name}` needs a value")),
        }
    }

    /// Whether an unknown switch takes a value is unknown as well. A word that can be no command is
    /// taken for one, as long as a command that serves is named.
    fn skip_value(&mut self) {
        let rest = self.args.as_slice();
        let is_value = self.names_server
            && rest.first().is_some_and(|next| {
                !is_switch(next)
                    && !COMMANDS.contains(&next.as_str())
                    && !SERVER_TOOLS.contains(&next.as_str())
            });
        if is_value {
            self.args.next();
        }
    }

    fn warn(&mut self, name: &str, what: &str) {
        self.serving
            .warnings
            .push(format!("the switch `{name}` {what}"));
    }
}

fn is_switch(arg: &str) -> bool {
    arg.len() > 1 && arg.starts_with('-')
}

/// `--name=value`, `-nvalue` or a name alone.
fn split(arg: &str) -> (&str, Option<&str>) {
    if arg.starts_with("--") {
        return match arg.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (arg, None),
        };
    }
    // A dash and one character, which may be longer than one byte.
    let end = arg.char_indices().nth(2).map_or(arg.len(), |(at, _)| at);
    match &arg[end..] {
        "" => (arg, None),
        value => (&arg[..end], Some(value.strip_prefix('=').unwrap_or(value))),
    }
}

fn listen(url: &str) -> Result<(), String> {
    if url == "stdio://" {
        return Ok(());
    }
    Err(format!(
        "cannot listen on `{url}`: `stdio://` is the only transport; \
         start one process per client and speak over its stdin and stdout"
    ))
}

fn framing(word: &str) -> Result<FramingChoice, String> {
    match word {
        "auto" => Ok(FramingChoice::Auto),
        "lines" => Ok(FramingChoice::Lines),
        "headers" => Ok(FramingChoice::Headers),
        other => Err(format!(
            "`{other}` is no framing: write `auto`, `lines` or `headers`"
        )),
    }
}

#[cfg(test)]
#[path = "invocation_tests.rs"]
mod tests;
