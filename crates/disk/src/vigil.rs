//! Directories and files that the system vouches for: as long as it has told of nothing, nothing
//! about them has changed.
//!
//! This is more than a hint. The system queues its message before the call that changes something
//! returns, and [`Vigil::catch_up`] reads the queue to its end; so what is quiet after catching up is
//! what it was when the watch began. Whoever wants to rely on that begins the watch first, and reads
//! afterwards. A directory stands for the names in it, and each file for its content, under whatever
//! name it is written, and for being where it was.
//!
//! Invariants:
//! - A watch that was loud once stays loud. When messages may have been lost, all of them are.
//! - Nothing is watched where changes come past this system: what another machine or another mount
//!   may write is vouched for by nobody.
//! - Watches are shared with all programs of the user. When there are no more, all of ours are given
//!   back, and no new ones are asked for.
//! - When something was mounted, all of them are loud as well, because it may hide what is watched.
//!
//! What it does not see: a file that is written through memory while it is open. It is a directory or
//! file that is watched and no path, so the way to it has to be compared by whoever comes along it.

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use plugd_model::AbsPath;

use crate::{Disk, Kind, OperationKind};

#[cfg_attr(target_os = "linux", path = "vigil/inotify.rs")]
#[cfg_attr(not(target_os = "linux"), path = "vigil/nothing.rs")]
mod messages;

use messages::{Added, Messages};

/// How many directories and files are watched at most; fewer where the system allows its users little,
/// because editors watch too.
const MAX_WATCHES: usize = 49_152;

/// Watches directories and files. Clones share the queue of messages; there is none before the first watch.
#[derive(Clone, Default)]
pub struct Vigil(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    messages: Option<Messages>,
    /// Nothing is watched any more.
    given_up: bool,
    /// The system's number of each that is watched, and whether it has been quiet.
    quiet: HashMap<i32, Arc<AtomicBool>>,
    /// How many that may be, known with the first.
    room: Option<usize>,
    /// How often messages were found.
    heard: u64,
}

/// What is watched, until this is dropped.
pub struct Watch {
    number: i32,
    quiet: Arc<AtomicBool>,
    vigil: Vigil,
}

impl Vigil {
    /// Watches a directory or a file; links are not followed. Nothing where something else stands
    /// there, and where the system does not vouch for it.
    #[must_use]
    pub fn watch(&self, disk: &Disk, path: &AbsPath, kind: Kind) -> Option<Watch> {
        disk.see(OperationKind::Stat, path, None, 0).ok()?;
        let mut state = self.lock();
        let of_the_users = || messages::limit().map_or(MAX_WATCHES, |limit| limit / 2);
        let room = *state
            .room
            .get_or_insert_with(|| MAX_WATCHES.min(of_the_users()));
        if state.given_up || state.quiet.len() >= room || !messages::vouches(path) {
            return None;
        }
        if state.messages.is_none() {
            state.messages = Messages::new();
        }
        let number = match state.messages.as_ref()?.add(path, kind) {
            Added::As(number) => number,
            Added::Refused => return None,
            Added::NoMore => {
                state.give_up();
                return None;
            }
        };
        let is_quiet = |known: &&Arc<AtomicBool>| known.load(Ordering::Relaxed);
        // Whoever watched it before keeps a watch of his own that stays loud.
        let quiet = match state.quiet.get(&number).filter(is_quiet) {
            Some(known) => Arc::clone(known),
            None => {
                let fresh = Arc::new(AtomicBool::new(true));
                state.quiet.insert(number, Arc::clone(&fresh));
                fresh
            }
        };
        drop(state);
        Some(Watch {
            number,
            quiet,
            vigil: self.clone(),
        })
    }

    /// Reads all messages that are there, and answers how often there were some until now: whoever has heard
    /// of less has missed some.
    pub fn catch_up(&self) -> u64 {
        let mut state = self.lock();
        if state.catch_up() {
            state.heard += 1;
        }
        state.heard
    }

    /// Held for a few calls of the system; a panic leaves watches behind that are loud or quiet.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Reads all messages that are there, and answers whether there was one.
    fn catch_up(&mut self) -> bool {
        let Self {
            messages, quiet, ..
        } = self;
        let Some(messages) = messages else {
            return false;
        };
        let mut some = false;
        let complete = messages.read(|number, ended| {
            some = true;
            if let Some(known) = quiet.get(&number) {
                known.store(false, Ordering::Relaxed);
            }
            if ended {
                quiet.remove(&number);
            }
        });
        if !complete {
            some = true;
            // A new queue knows nothing of watches that nobody would ever give back.
            self.end_all();
        }
        some
    }

    fn give_up(&mut self) {
        tracing::debug!("the system watches nothing more");
        self.given_up = true;
        self.end_all();
    }

    /// Makes all watches loud and gives them back.
    fn end_all(&mut self) {
        self.messages = None;
        let all = self.quiet.drain();
        all.for_each(|(_, known)| known.store(false, Ordering::Relaxed));
    }
}

impl Watch {
    /// Whether nothing had changed, and what is watched had not been moved or removed, when somebody
    /// caught up last.
    #[must_use]
    pub fn is_quiet(&self) -> bool {
        self.quiet.load(Ordering::Relaxed)
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let mut state = self.vigil.lock();
        // Let go under the lock, so that of two which end at once one is the last.
        let quiet = std::mem::take(&mut self.quiet);
        // The other count is that of the table; a third one would be another watch.
        let is_last = Arc::strong_count(&quiet) == 2;
        let is_known = state.quiet.get(&self.number);
        if is_last && is_known.is_some_and(|known| Arc::ptr_eq(known, &quiet)) {
            state.quiet.remove(&self.number);
            if let Some(messages) = &state.messages {
                messages.remove(self.number);
            }
        }
    }
}

impl fmt::Debug for Vigil {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.lock().quiet.len();
        f.debug_struct("Vigil").field("watches", &count).finish()
    }
}

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watch")
            .field("quiet", &self.is_quiet())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
#[cfg(target_os = "linux")]
#[path = "vigil_tests.rs"]
mod tests;
