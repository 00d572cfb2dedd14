//! A child process that is waited for with a deadline and never left behind.
//!
//! On Unix a thread waits for the end *without reaping*, so the process number stays taken and a
//! signal can never hit a stranger. The child leads a process group of its own: what it started
//! dies with it, a git worker for example.

use std::io;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::sync::{PoisonError, RwLock};
use std::time::Instant;

use crate::capture::Capture;

/// Held for reading while a process starts, and for writing while a program is written.
///
/// A child that starts on another thread holds a copy of every open file until it becomes its own
/// program. A program that is open for writing, be it in such a copy, cannot be run ("text file
/// busy"). What belongs to the whole process needs a lock of the whole process.
static STARTING: RwLock<()> = RwLock::new(());

/// Runs `write`, which writes a file that will be executed, while no process starts.
pub(crate) fn while_nothing_starts<T>(write: impl FnOnce() -> T) -> T {
    let _guard = STARTING.write().unwrap_or_else(PoisonError::into_inner);
    write()
}

/// The signals that tests send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// SIGTERM: please end.
    Terminate,
    /// SIGINT: the user pressed control-C.
    Interrupt,
    /// SIGHUP: the terminal went away.
    HangUp,
    /// SIGKILL: no farewell.
    Kill,
}

#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    ended: Receiver<()>,
    status: Option<ExitStatus>,
    stderr: Capture,
}

impl Process {
    /// Starts the command with stderr captured.
    pub(crate) fn spawn(command: &mut Command) -> io::Result<Self> {
        command.stderr(Stdio::piped());
        own_group(command);
        let mut child = {
            let _guard = STARTING.read().unwrap_or_else(PoisonError::into_inner);
            // This returns when the child runs its own program.
            command.spawn()?
        };
        let stderr = child
            .stderr
            .take()
            .ok_or_else(|| io::Error::other("the child has no stderr"))?;
        Ok(Self {
            ended: watch(&child),
            child,
            status: None,
            stderr: Capture::of(stderr),
        })
    }

    pub(crate) fn child(&mut self) -> &mut Child {
        &mut self.child
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn stderr(&self) -> &Capture {
        &self.stderr
    }

    /// How it ended, if it has been waited for.
    pub(crate) fn status(&self) -> Option<ExitStatus> {
        self.status
    }

    /// Waits for the end; `None` when it still runs at the deadline.
    pub(crate) fn wait(&mut self, deadline: Instant) -> Option<ExitStatus> {
        if self.status.is_none() {
            let patience = deadline.saturating_duration_since(Instant::now());
            match self.ended.recv_timeout(patience) {
                Err(mpsc::RecvTimeoutError::Timeout) => return None,
                // A watcher that could not watch leaves the waiting to the reaping.
                Ok(()) | Err(mpsc::RecvTimeoutError::Disconnected) => self.reap(),
            }
        }
        self.status
    }

    /// Sends a signal; one that comes too late is no error.
    pub(crate) fn signal(&mut self, signal: Signal) -> io::Result<()> {
        match self.status {
            Some(_) => Ok(()),
            None => send(&mut self.child, signal),
        }
    }

    /// Ends it now, with what it started, and waits until it is gone.
    pub(crate) fn kill(&mut self) {
        if self.status.is_none() {
            // It may have ended by itself in this moment.
            let _ = send(&mut self.child, Signal::Kill);
            self.reap();
        }
    }

    fn reap(&mut self) {
        kill_group(&self.child);
        self.status = self.child.wait().ok();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

#[cfg(unix)]
fn own_group(command: &mut Command) {
    use std::os::unix::process::CommandExt;
    command.process_group(0);
}

#[cfg(unix)]
fn watch(child: &Child) -> Receiver<()> {
    use rustix::io::Errno;
    use rustix::process::{Pid, WaitId, WaitIdOptions, waitid};
    let (sender, receiver) = mpsc::channel();
    let pid = Pid::from_child(child);
    std::thread::spawn(move || {
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
        while let Err(Errno::INTR) = waitid(WaitId::Pid(pid), options) {}
        // Nobody listens any more when the process was killed instead.
        let _ = sender.send(());
    });
    receiver
}

#[cfg(unix)]
fn send(child: &mut Child, signal: Signal) -> io::Result<()> {
    use rustix::process::{Pid, Signal as System, kill_process};
    let signal = match signal {
        Signal::Terminate => System::TERM,
        Signal::Interrupt => System::INT,
        Signal::HangUp => System::HUP,
        Signal::Kill => System::KILL,
    };
    Ok(kill_process(Pid::from_child(child), signal)?)
}

/// Must come before reaping: afterwards the number may belong to somebody else.
#[cfg(unix)]
fn kill_group(child: &Child) {
    use rustix::process::{Pid, Signal as System, kill_process_group};
    // There is nobody left in the group when the child cleaned up after itself.
    let _ = kill_process_group(Pid::from_child(child), System::KILL);
}

#[cfg(not(unix))]
fn own_group(_command: &mut Command) {}

/// Without a way to wait and leave the process number taken, the end of waiting is found by
/// [`Child::wait`] alone, and no deadline holds.
#[cfg(not(unix))]
fn watch(_child: &Child) -> Receiver<()> {
    mpsc::channel().1
}

#[cfg(not(unix))]
fn send(child: &mut Child, _signal: Signal) -> io::Result<()> {
    child.kill()
}

#[cfg(not(unix))]
fn kill_group(_child: &Child) {}
