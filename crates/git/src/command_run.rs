//! One run of the git command: its pipes, its signs of life, its end.

use std::io::{Read, Write as _};
use std::process::{Child, ChildStdout};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use plugd_model::AbsPath;

use crate::Address;
use crate::command::schemes;
use crate::command_words::Words;
use crate::credentials::Login;
use crate::failure::Failure;
use crate::growth::{Growth, SUSPICIOUS};
use crate::process;
use crate::progress::Meter;
use crate::session::Session;
use crate::wire::With;

/// Larger than the pack itself may be, because git adds to a pack what it builds upon.
const SLACK: u64 = 16 << 20;

/// How often the pack is looked at while it grows.
const GLANCE: Duration = Duration::from_millis(200);

/// How many glances long the pipes of a git that has ended are waited for.
const PATIENCE: u32 = 5;

/// What is run.
pub(crate) struct Call<'a> {
    pub(crate) session: &'a Session,
    pub(crate) git: &'a AbsPath,
    /// The repository that git works in.
    pub(crate) dir: &'a AbsPath,
    /// Each as `name=value`.
    pub(crate) settings: &'a [String],
    pub(crate) args: &'a [&'a str],
    pub(crate) input: &'a str,
    pub(crate) login: Option<&'a Login>,
    /// Whether git asks the user's credential helpers, one of which may wait for a person.
    pub(crate) helpers: bool,
    /// Whom it may speak to, and how.
    pub(crate) address: &'a Address,
    /// Most bytes of its output.
    pub(crate) most: u64,
    pub(crate) purpose: Purpose,
}

/// What it is run for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// The list of refs. It tells of every byte of HTTP: that is the only sign of life there, and far
    /// too much where a pack comes.
    List,
    /// A pack for the repository. It counts, and the pack grows on disk.
    Receive,
    /// The content of one file, which it writes to its output.
    Content,
}

/// How it went.
pub(crate) struct Ended {
    pub(crate) ok: bool,
    /// What it said besides its output, without counting.
    pub(crate) words: String,
    pub(crate) output: Vec<u8>,
    /// Whether it was ended because more came than is accepted.
    pub(crate) too_much: bool,
    /// Whether a server of smart HTTP answered; only known for lists.
    pub(crate) smart: bool,
}

/// What comes from the pipes, once each has ended.
enum Event {
    /// Nothing more is said; whether more came than is accepted.
    Heard(bool),
    Taken(std::io::Result<Vec<u8>>),
}

/// Runs git to its end. The process that watches the worker decides how long that may take.
pub(crate) fn run(call: Call<'_>) -> Result<Ended, Failure> {
    let failed = |error: std::io::Error| Failure::Git {
        reason: format!("cannot run `{}`: {error}", call.git),
    };
    let mut pack = None;
    if call.purpose == Purpose::Receive {
        let growth = Growth::new(&call.session.disk, call.dir);
        growth.remove_leftovers();
        pack = Some(growth);
    }
    let mut child = start(&call).map_err(failed)?;
    let words = Arc::new(Mutex::new(Words::default()));
    let events = listen_to(&mut child, &call, &words).map_err(failed)?;
    let (mut heard, mut taken, mut over, mut patience) = (false, None, false, PATIENCE);
    while !over && patience > 0 && !(heard && taken.is_some()) {
        match events.recv_timeout(GLANCE) {
            Ok(Event::Heard(too_much)) => (heard, over) = (true, too_much),
            Ok(Event::Taken(output)) => taken = Some(output),
            Err(RecvTimeoutError::Timeout) => {
                over = pack
                    .as_mut()
                    .is_some_and(|pack| is_too_much(pack, call.session));
                // An ssh that stays for the next connection keeps the pipe open.
                patience -= u32::from(child.try_wait().is_ok_and(|ended| ended.is_some()));
            }
            Err(RecvTimeoutError::Disconnected) => break,
        }
    }
    let heard = std::mem::take(&mut *lock(&words));
    if over {
        // What it has started may go on for a while. It ends with this process, which has nothing
        // left to do but to say so.
        let _ = child.kill();
    }
    let status = child.wait().map_err(failed)?;
    let output = taken.unwrap_or_else(|| Ok(Vec::new())).map_err(failed)?;
    let too_long = u64::try_from(output.len()).is_ok_and(|length| length > call.most);
    let smart = heard.is_smart();
    let words = heard.end();
    if let Some(pack) = pack.filter(|_| !status.success()) {
        // Git leaves what came so far, which may be all of a full disk.
        pack.remove_leftovers();
    }
    let cut = words.contains("died of signal 25") || words.contains("File too large");
    Ok(Ended {
        ok: status.success() && !over && !too_long,
        words,
        output,
        too_much: too_long || cut || over,
        smart,
    })
}

/// Starts to listen on threads of their own, which nobody waits for: a pipe stays open as long as
/// any process has it.
fn listen_to(
    child: &mut Child,
    call: &Call<'_>,
    words: &Arc<Mutex<Words>>,
) -> std::io::Result<Receiver<Event>> {
    let (Some(mut input), Some(output), Some(said)) =
        (child.stdin.take(), child.stdout.take(), child.stderr.take())
    else {
        return Err(std::io::ErrorKind::BrokenPipe.into());
    };
    let (hears, events) = mpsc::channel();
    let takes = hears.clone();
    let (most, most_packed) = (call.most, call.session.max_pack_bytes);
    let (meter, words, host) = (
        Arc::clone(&call.session.meter),
        Arc::clone(words),
        call.address.host(),
    );
    std::thread::spawn(move || {
        let over = listen(said, &words, &meter, &host, most_packed);
        let _ = hears.send(Event::Heard(over));
    });
    let meter = Arc::clone(&call.session.meter);
    std::thread::spawn(move || {
        let _ = takes.send(Event::Taken(take(output, most, &meter)));
    });
    let text = call.input.to_owned();
    std::thread::spawn(move || {
        // A git that ended early is noticed by what it says.
        let _ = input.write_all(text.as_bytes());
    });
    Ok(events)
}

fn start(call: &Call<'_>) -> std::io::Result<Child> {
    let session = call.session;
    let environment = &session.remotes.environment;
    let mut variables = vec![
        ("GIT_DIR", call.dir.to_text()),
        ("GIT_ALLOW_PROTOCOL", schemes(call.address).join(":")),
    ];
    variables.extend(process::batch_ssh(session.user.ssh_command(), environment));
    let is_list = call.purpose == Purpose::List;
    if is_list || call.helpers {
        variables.push(("GIT_TRACE_CURL", "1".to_owned()));
    }
    if call.helpers {
        // That one is asked shows in this trace, that it has answered in the other.
        variables.push(("GIT_TRACE", "1".to_owned()));
        if !is_list {
            variables.push(("GIT_TRACE_CURL_NO_DATA", "1".to_owned()));
        }
    }
    if let Some(Login { user, password }) = call.login {
        variables.push(("PLUGD_GIT_USER", user.clone()));
        variables.push(("PLUGD_GIT_PASSWORD", password.clone()));
    }
    let largest = session.max_pack_bytes.saturating_add(SLACK);
    let args: Vec<&str> = call
        .settings
        .iter()
        .flat_map(|setting| ["-c", setting])
        .chain(call.args.iter().copied())
        .collect();
    process::start_git(call.git, &args, &variables, environment, largest)
}

/// Takes the output, up to a limit. What comes behind it meets a closed pipe.
fn take(output: ChildStdout, most: u64, meter: &Meter) -> std::io::Result<Vec<u8>> {
    let mut taken = Vec::new();
    let mut output = output.take(most.saturating_add(1));
    let mut buffer = vec![0; 64 << 10];
    loop {
        let read = output.read(&mut buffer)?;
        if read == 0 {
            return Ok(taken);
        }
        meter.step();
        taken.extend_from_slice(&buffer[..read]);
    }
}

/// Listens until nothing more is said, or until more came than is accepted; then the answer is true.
fn listen(mut said: impl Read, words: &Mutex<Words>, meter: &Meter, host: &str, most: u64) -> bool {
    let mut buffer = [0; 8192];
    let (mut over, mut helper) = (false, None);
    while !over && let Ok(read) = said.read(&mut buffer) {
        if read == 0 {
            break;
        }
        meter.step();
        let mut words = lock(words);
        words.hear(&buffer[..read], |received| {
            meter.received(received.objects, received.total);
            meter.bytes_in_all(received.bytes);
            over |= received.bytes > most;
        });
        if words.asks() != helper.as_deref() {
            helper = words.asks().map(str::to_owned);
            meter.wait_for(match &helper {
                Some(helper) => With::Helper(helper.clone()),
                None => With::Host(host.to_owned()),
            });
        }
    }
    over
}

/// Looks at the pack that comes. Git counts objects that are complete: one large object looks like
/// silence to it, and one without an end like work.
fn is_too_much(pack: &mut Growth, session: &Session) -> bool {
    let bytes = pack.bytes();
    session.meter.bytes_in_all(bytes);
    bytes > session.max_pack_bytes || (bytes > SUSPICIOUS && pack.is_bomb())
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
