//! `plugd-tui [PROGRAM]`: a terminal frontend of plugd.
#![expect(
    clippy::disallowed_methods,
    clippy::print_stderr,
    clippy::print_stdout,
    reason = "a program of its own: it looks at its arguments and for the daemon beside it, prints \
              how it is called, and says on stderr why it ended"
)]

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;
use std::thread;

use anyhow::Context;
use plugd_rust_client::{Client, Error, Events, Launch};
use plugd_tui::state::{Effect, Msg, State};
use plugd_tui::update::update;
use plugd_tui::view::draw;
use plugd_tui::worker::{Told, Worker};
use ratatui::DefaultTerminal;
use ratatui::crossterm::event::{self, Event};
use ratatui::layout::Size;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

const USAGE: &str = "\
usage: plugd-tui [PROGRAM]

Browse, read, install and remove agent plugins; ? shows the keys.
PROGRAM is the daemon to start. Without it: `plugd` beside this program, else the one on the PATH.
";

fn main() -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().skip(1).collect();
    let named = match &arguments[..] {
        [] => None,
        [switch] if switch == "--help" || switch == "-h" => {
            print!("{USAGE}");
            return ExitCode::SUCCESS;
        }
        [program] if !program.as_encoded_bytes().starts_with(b"-") => Some(program),
        _ => {
            eprint!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match run(named.map_or_else(daemon, PathBuf::from)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("plugd-tui: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// The daemon when none is named.
fn daemon() -> PathBuf {
    let name = format!("plugd{}", std::env::consts::EXE_SUFFIX);
    let beside = std::env::current_exe().ok();
    let beside = beside.map(|program| program.with_file_name(&name));
    match beside.filter(|program| program.exists()) {
        Some(program) => program,
        None => name.into(),
    }
}

fn run(daemon: PathBuf) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .context("starting the runtime")?;
    runtime.block_on(async {
        let launch = Launch::new(daemon).client("plugd-tui", env!("CARGO_PKG_VERSION"));
        let (client, events) = launch.start().await.context("starting the daemon")?;
        let (messages, inbox) = unbounded_channel();
        let mut worker = Worker::new(client, events, messages.clone());
        // From here on the terminal is ours; it is given back on every way out, a panic included.
        let mut terminal = ratatui::try_init().context("taking over the terminal")?;
        let outcome = show(&mut terminal, &mut worker, messages, inbox).await;
        ratatui::restore();
        worker.client().shutdown().await;
        outcome
    })
}

async fn show(
    terminal: &mut DefaultTerminal,
    worker: &mut Worker,
    messages: UnboundedSender<Told>,
    mut inbox: UnboundedReceiver<Told>,
) -> anyhow::Result<()> {
    let mut state = State::new(terminal.size()?);
    read_keys(messages.clone());
    state.listing_asked = true;
    worker.start(Effect::List);
    let mut ends = Ends::new()?;
    // A new daemon is started beside the loop as well.
    let (started, mut fresh) = unbounded_channel();
    loop {
        terminal.draw(|frame| draw(frame, &state))?;
        let first = tokio::select! {
            message = inbox.recv() => message,
            outcome = fresh.recv() => outcome.map(|outcome| Told::here(renewed(worker, outcome))),
            () = ends.next() => return Ok(()),
        };
        let Some(first) = first else { return Ok(()) };
        let mut next = Some(first);
        // Everything that is there goes into one frame.
        while let Some(told) = next {
            let message = worker.hears(told);
            for effect in message.map_or(Vec::new(), |message| update(&mut state, message)) {
                match effect {
                    Effect::Quit => return Ok(()),
                    Effect::Restart => {
                        let (client, started) = (worker.client().clone(), started.clone());
                        tokio::spawn(async move { started.send(client.restart().await) });
                    }
                    other => worker.start(other),
                }
            }
            next = inbox.try_recv().ok();
        }
    }
}

/// Goes on with a new daemon, where there is one.
fn renewed(worker: &mut Worker, outcome: Result<(Client, Events), Error>) -> Msg {
    Msg::Restarted(outcome.map(|(client, events)| worker.replace(client, events)))
}

/// Reads the keyboard in a thread of its own, since reading blocks. It ends with the program.
fn read_keys(messages: UnboundedSender<Told>) {
    thread::spawn(move || {
        while let Ok(event) = event::read() {
            let message = match event {
                Event::Key(key) => Msg::Key(key),
                Event::Resize(width, height) => Msg::Resize(Size { width, height }),
                _ => continue,
            };
            if messages.send(Told::here(message)).is_err() {
                return;
            }
        }
    });
}

/// The signals that ask the program to end.
#[cfg(unix)]
struct Ends {
    terminate: tokio::signal::unix::Signal,
    hangup: tokio::signal::unix::Signal,
    interrupt: tokio::signal::unix::Signal,
    quit: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Ends {
    fn new() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            hangup: signal(SignalKind::hangup())?,
            // The keys that send these come as keys; another program may send them all the same.
            interrupt: signal(SignalKind::interrupt())?,
            quit: signal(SignalKind::quit())?,
        })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.hangup.recv() => {}
            _ = self.interrupt.recv() => {}
            _ = self.quit.recv() => {}
        }
    }
}

#[cfg(not(unix))]
struct Ends;

#[cfg(not(unix))]
impl Ends {
    fn new() -> std::io::Result<Self> {
        Ok(Self)
    }

    async fn next(&mut self) {
        std::future::pending().await
    }
}
