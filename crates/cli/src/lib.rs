//! The command line: the use cases of the daemon for people and scripts, and the way into serving.
//!
//! A command asks a use case, turns the answer into a page and prints it: text for people with the
//! reference's shapes, or JSON. Pages are made from domain values; where the wire has a shape for a
//! value, the server's conversion makes it.
//!
//! Invariants:
//! - While serving, nothing here writes to stdout: that stream belongs to the protocol.
//! - Text from outside is escaped before it reaches a terminal.
//! - With `--json` stdout holds exactly one JSON value, also when the command failed.
//! - A reader that has gone away is no error: the work is done by then.
//!
//! What this crate must not do: decide anything about plugins, or look at the process beyond what it
//! is given.

mod args;
mod asked;
mod blame;
mod commands;
mod escape;
mod failure;
mod fish;
#[cfg(test)]
mod fixture;
mod flags;
mod home;
mod invocation;
mod known;
mod page;
mod problems;
mod progress;
mod selector;
mod serving;
mod session;
mod shapes;
mod signals;
mod style;
mod suggest;
mod table;
mod wording;

use std::fmt;
use std::io::{self, Write};

use clap::Parser;
use clap::error::{ContextKind, ContextValue};
use plugd_disk::Disk;
use plugd_model::Environment;
use plugd_model::git_url::without_credentials;

use crate::args::CommandLine;
use crate::failure::Failure;
use crate::invocation::Invocation;
use crate::page::{Form, Page};
use crate::progress::Watched;
use crate::style::Style;

pub use invocation::default_log;
pub use style::wants_colours;

const DONE: u8 = 0;
const FAILED: u8 = 1;
const USAGE: u8 = 2;

/// Which of the three streams a person sits at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terminals {
    /// Whether stdin is a terminal: without a command, a person gets help and a program a server.
    pub stdin: bool,
    /// Whether stdout is a terminal, which is where colours are wanted.
    pub stdout: bool,
    /// The same for stderr.
    pub stderr: bool,
    /// How many columns the terminal of stdout has, when it is one and tells.
    pub columns: Option<u16>,
}

/// Where a command prints. Serving takes the process's own streams instead.
pub struct Output<'a> {
    /// Answers.
    pub stdout: &'a mut dyn Write,
    /// Warnings and errors.
    pub stderr: &'a mut dyn Write,
    /// What the streams are.
    pub terminals: Terminals,
}

impl fmt::Debug for Output<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Output")
            .field("terminals", &self.terminals)
            .finish_non_exhaustive()
    }
}

/// Runs whatever the arguments ask for on this disk, to its end, and answers the exit code: 0 done,
/// 1 failed, 2 a command line that cannot be meant.
pub fn run(environment: &Environment, disk: &Disk, output: &mut Output<'_>) -> u8 {
    let printed = match Invocation::of(&environment.args, output.terminals.stdin) {
        Invocation::Serve(serving) => serving::serve(environment, disk, &serving, output),
        Invocation::Refused { reason, json: true } => {
            let json = Page::json(&failure::usage_json(&reason, None));
            output.print(&json.body).map(|()| USAGE)
        }
        Invocation::Refused { reason, .. } => {
            output.warn(&failure::error_line(&reason, output.err_style(environment)));
            Ok(USAGE)
        }
        Invocation::Command => command(environment, disk, output),
    };
    match printed {
        Ok(code) => code,
        // Nobody reads any more; everything else is done.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => DONE,
        Err(error) => {
            let reason = format!("cannot write to stdout: {error}");
            output.warn(&failure::error_line(&reason, output.err_style(environment)));
            FAILED
        }
    }
}

fn command(environment: &Environment, disk: &Disk, output: &mut Output<'_>) -> io::Result<u8> {
    let name = std::iter::once("plugd".into());
    let line = match CommandLine::try_parse_from(name.chain(environment.args.iter().cloned())) {
        Ok(line) => line,
        Err(error) => return refuse(environment, &error, output),
    };
    let form = if line.global.json {
        Form::Json
    } else {
        Form::Text {
            out: output.out_style(environment),
            err: output.err_style(environment),
        }
    };
    let quiet = line.global.quiet;
    let drawn = output.terminals.stderr && !quiet;
    let watched = Watched::of(environment, drawn, form == Form::Json);
    match commands::execute(environment, disk, &line, form, watched) {
        Ok(mut page) => {
            if quiet {
                page.warnings.clear();
            }
            output.page(&page, form)
        }
        Err(failure) => output.failure(environment, failure, form),
    }
}

/// Help and the version are no errors; clap reports all three the same way.
fn refuse(
    environment: &Environment,
    error: &clap::Error,
    output: &mut Output<'_>,
) -> io::Result<u8> {
    let nothing_asked = environment.args.is_empty();
    if !error.use_stderr() || nothing_asked {
        output.print(&error.to_string())?;
        return Ok(DONE);
    }
    let text = without_secrets(environment, error.to_string());
    if invocation::asks_for_json(&environment.args) {
        let json = failure::usage_json(&usage_reason(&text), meant(error).as_deref());
        output.print(&Page::json(&json).body)?;
    } else {
        output.warn(&escape::paragraph(&text, ""));
    }
    Ok(USAGE)
}

/// The text without passwords of URLs that were typed where no URL belongs: what goes to a terminal
/// or a pipe ends up in logs.
fn without_secrets(environment: &Environment, text: String) -> String {
    environment.args.iter().fold(text, |text, arg| {
        let arg = arg.to_string_lossy();
        let safe = without_credentials(&arg);
        let text = text.replace(&*arg, &safe);
        let Some((scheme, rest)) = arg.split_once("://") else {
            return text;
        };
        let secret = &rest[..arg.len() - safe.len()];
        let Some(secret) = secret.strip_suffix('@') else {
            return text;
        };
        // A message may quote the address only up to the host.
        let address = format!("{scheme}://{secret}");
        text.replace(&format!("{address}@"), &format!("{scheme}://"))
            .replace(&address, &format!("{scheme}://…"))
    })
}

/// What may have been meant, as far as the parser has found something similar.
fn meant(error: &clap::Error) -> Option<String> {
    let kinds = [
        ContextKind::SuggestedSubcommand,
        ContextKind::SuggestedArg,
        ContextKind::SuggestedValue,
    ];
    let names: Vec<String> = match kinds.into_iter().find_map(|kind| error.get(kind))? {
        ContextValue::String(name) => vec![name.clone()],
        ContextValue::Strings(names) => names.clone(),
        _ => return None,
    };
    suggest::did_you_mean(names)
}

/// What is wrong with the command line, on one line: clap's text up to its first blank line, unless
/// it has nothing to say but its help.
fn usage_reason(text: &str) -> String {
    let Some(text) = text.strip_prefix("error: ") else {
        return "a command is missing".to_owned();
    };
    let lines = text
        .lines()
        .map(str::trim)
        .take_while(|line| !line.is_empty());
    lines.collect::<Vec<_>>().join(" ")
}

impl Output<'_> {
    fn out_style(&self, environment: &Environment) -> Style {
        let style = Style::of(environment, self.terminals.stdout);
        match self.terminals.stdout {
            true => style.on_terminal(environment, self.terminals.columns),
            false => style,
        }
    }

    fn err_style(&self, environment: &Environment) -> Style {
        Style::of(environment, self.terminals.stderr)
    }

    fn page(&mut self, page: &Page, form: Form) -> io::Result<u8> {
        self.warn(&page.warnings);
        self.print(&page.body)?;
        let Some(reason) = &page.incomplete else {
            return Ok(DONE);
        };
        if let Form::Text { err, .. } = form {
            self.warn(&failure::error_line(reason, err));
        }
        Ok(FAILED)
    }

    fn failure(
        &mut self,
        environment: &Environment,
        failure: Failure,
        form: Form,
    ) -> io::Result<u8> {
        let code = failure.exit_code();
        if form != Form::Json || failure.is_internal() {
            let text = failure.text(self.err_style(environment));
            self.warn(&without_secrets(environment, text));
        }
        if form == Form::Json {
            let json = Page::json(&failure.json()).body;
            self.print(&without_secrets(environment, json))?;
        }
        Ok(code)
    }

    fn print(&mut self, text: &str) -> io::Result<()> {
        self.stdout.write_all(text.as_bytes())?;
        self.stdout.flush()
    }

    /// Without stderr there is nobody to tell.
    fn warn(&mut self, text: &str) {
        let _ = self.stderr.write_all(text.as_bytes());
        let _ = self.stderr.flush();
    }
}

#[cfg(test)]
#[path = "lib_tests.rs"]
mod tests;
