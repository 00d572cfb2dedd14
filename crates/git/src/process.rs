//! The one place of this crate that starts processes: the worker, and what the worker needs of the
//! user's own programs (git, ssh, credential helpers).
//!
//! Invariants:
//! - Every process gets the variables that [`crate::variables`] lets pass, and no other.
//! - What a stranger chose is an argument of its own, never a part of a shell's text.

use std::ffi::{OsStr, OsString};
use std::io::{self, Read as _, Write as _};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use plugd_model::{AbsPath, Environment};

use crate::address::SshTarget;
use crate::programs::absolute_path;
use crate::variables;

/// What makes git speak English and work on nothing but what it was told to work on.
const PLAIN_GIT: &[(&str, &str)] = &[
    ("LC_ALL", "C"),
    ("LANGUAGE", "C"),
    // Set and empty, so that the configured program is not asked either.
    ("GIT_ASKPASS", ""),
    ("GIT_NO_LAZY_FETCH", "1"),
    ("GIT_NO_REPLACE_OBJECTS", "1"),
    ("GIT_OPTIONAL_LOCKS", "0"),
];

/// Most bytes of a credential helper's answer.
const MAX_ANSWER: u64 = 64 * 1024;

/// The command that starts a worker. Its directory is the program's own: the one we work in may be
/// a stranger's, or gone.
#[expect(
    clippy::disallowed_methods,
    reason = "directory and variables are set here, for all workers"
)]
pub(crate) fn worker(
    program: &AbsPath,
    args: &[OsString],
    environment: &Environment,
) -> tokio::process::Command {
    let mut command = tokio::process::Command::new(program.as_path());
    command
        .args(args)
        .env_clear()
        .envs(variables::of_worker(environment))
        .current_dir(program.parent().as_ref().unwrap_or(program))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    command
}

/// Ends a worker and everything it started. A worker leads a session of its own; before it got so
/// far it has started nothing.
pub(crate) fn kill(child: &mut tokio::process::Child) {
    #[cfg(unix)]
    if let Some(pid) = child
        .id()
        .and_then(|id| i32::try_from(id).ok())
        .and_then(rustix::process::Pid::from_raw)
    {
        let _ = rustix::process::kill_process_group(pid, rustix::process::Signal::KILL);
    }
    let _ = child.start_kill();
}

/// Starts the user's ssh program for one fetch. With `patience` a server that takes longer to begin
/// is given up, where the program can do that.
pub(crate) fn start_ssh(
    target: &SshTarget,
    configured: Option<&str>,
    environment: &Environment,
    patience: Option<Duration>,
) -> io::Result<Child> {
    let line = environment
        .var("GIT_SSH_COMMAND")
        .or(configured.map(OsStr::new));
    let mut command = match (line, environment.var("GIT_SSH")) {
        (Some(line), _) => {
            let mut text = line.to_owned();
            // The shell reads the user's own line; ours are arguments that it passes on.
            text.push(" \"$@\"");
            shell(&text, environment)
        }
        (None, program) => plain(program.unwrap_or(OsStr::new("ssh")), environment),
    };
    let program = line.or(environment.var("GIT_SSH"));
    let is_plink = program.is_some_and(is_plink);
    let (batch, port): (&[&str], _) = match is_plink {
        true => (&["-batch"], "-P"),
        false => (&["-o", "BatchMode=yes"], "-p"),
    };
    command.args(batch);
    if let Some(patience) = patience.filter(|_| !is_plink) {
        let seconds = patience.as_secs().max(1);
        command.arg("-o").arg(format!("ConnectTimeout={seconds}"));
    }
    if let Some(number) = target.port {
        command.arg(port).arg(number.to_string());
    }
    command
        .arg(&target.destination)
        .arg(format!("git-upload-pack {}", quoted(&target.path)))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
}

/// Asks a credential helper. What it says besides its answer is not kept: it may hold a secret.
pub(crate) fn ask_helper(
    helper: &str,
    question: &str,
    environment: &Environment,
) -> io::Result<String> {
    let line = match helper.strip_prefix('!') {
        Some(line) => format!("{line} get"),
        None if AbsPath::new(helper).is_ok() => format!("{helper} get"),
        // Git keeps its own helpers beside itself, so it is asked for them where it is there.
        None => format!(
            "if command -v git >/dev/null 2>&1; then git credential-{helper} get; \
             else git-credential-{helper} get; fi"
        ),
    };
    let mut child = shell(OsStr::new(&line), environment)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()?;
    if let Some(mut input) = child.stdin.take() {
        // A helper that knows its answer need not listen.
        let _ = input.write_all(question.as_bytes());
    }
    let mut answer = String::new();
    if let Some(output) = child.stdout.take() {
        output.take(MAX_ANSWER).read_to_string(&mut answer)?;
    }
    child.wait()?;
    Ok(answer)
}

/// Starts the git command. No file that it writes grows beyond `largest` bytes, where the system has
/// such a limit.
pub(crate) fn start_git(
    program: &AbsPath,
    args: &[&str],
    variables: &[(&'static str, String)],
    environment: &Environment,
    largest: u64,
) -> io::Result<Child> {
    let mut command = plain(program.as_path().as_os_str(), environment);
    command
        .args(args)
        .env("PATH", absolute_path(environment))
        .envs(PLAIN_GIT.iter().copied())
        .envs(variables.iter().map(|(name, value)| (name, value)))
        // The directory that we stand in may be a stranger's.
        .current_dir(program.parent().as_ref().unwrap_or(program))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    with_file_limit(largest, || command.spawn())
}

/// The variables that make git use the user's ssh program, and that one not ask.
pub(crate) fn batch_ssh(
    configured: Option<&str>,
    environment: &Environment,
) -> Vec<(&'static str, String)> {
    let text = |value: &OsStr| value.to_string_lossy().into_owned();
    let line = match (environment.var("GIT_SSH_COMMAND"), configured) {
        (Some(line), _) => text(line),
        (None, Some(line)) => line.to_owned(),
        (None, None) => match environment.var("GIT_SSH") {
            Some(program) => quoted(&text(program)),
            None => "ssh".to_owned(),
        },
    };
    let (batch, variant) = match is_plink(OsStr::new(line.trim_matches('\''))) {
        true => ("-batch", "plink"),
        false => ("-o BatchMode=yes", "ssh"),
    };
    vec![
        ("GIT_SSH_COMMAND", format!("{line} {batch}")),
        ("GIT_SSH_VARIANT", variant.to_owned()),
    ]
}

/// Starts something whose files may not grow beyond a size. The limit is the process's own for that
/// moment, as a child inherits it; nothing else here writes large files meanwhile.
#[cfg(unix)]
fn with_file_limit<T>(largest: u64, start: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let before = getrlimit(Resource::Fsize);
    let mut limit = before;
    limit.current = Some(before.current.map_or(largest, |now| now.min(largest)));
    setrlimit(Resource::Fsize, limit)?;
    let started = start();
    setrlimit(Resource::Fsize, before)?;
    started
}

#[cfg(not(unix))]
fn with_file_limit<T>(_largest: u64, start: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
    start()
}

fn shell(line: &OsStr, environment: &Environment) -> Command {
    let mut command = plain(OsStr::new("sh"), environment);
    command.arg("-c").arg(line).arg("plugd");
    command
}

#[expect(
    clippy::disallowed_methods,
    reason = "the worker's directory is not a stranger's, and the variables are set here"
)]
fn plain(program: &OsStr, environment: &Environment) -> Command {
    let mut command = Command::new(program);
    command.env_clear().envs(variables::of_program(environment));
    command
}

fn is_plink(program: &OsStr) -> bool {
    let text = program.to_string_lossy().to_ascii_lowercase();
    let first = text.split_whitespace().next().unwrap_or_default();
    let name = first.rsplit(['/', '\\']).next().unwrap_or_default();
    matches!(name.trim_end_matches(".exe"), "plink" | "tortoiseplink")
}

/// A text as one word for the shell on the other side.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''").replace('!', "'\\!'"))
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;

    use pretty_assertions::assert_eq;

    use super::{is_plink, quoted};

    #[test]
    fn a_path_is_one_word_for_the_other_shell() {
        assert_eq!(quoted("/a b"), "'/a b'");
        assert_eq!(quoted("/a';id;'"), "'/a'\\'';id;'\\'''");
        assert_eq!(quoted("/a!b"), "'/a'\\!'b'");
    }

    #[test]
    fn plink_has_options_of_its_own() {
        assert!(is_plink(OsStr::new("C:\\x\\plink.exe -v")));
        assert!(!is_plink(OsStr::new("ssh -o X=plink")));
    }
}
