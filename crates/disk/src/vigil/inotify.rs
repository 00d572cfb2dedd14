//! The messages of Linux.

use std::fs::File;
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;

use plugd_model::AbsPath;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::inotify::{self, CreateFlags, ReadFlags, Reader, WatchFlags};
use rustix::io::Errno;

use crate::Kind;

/// The numbers by which `statfs` names file systems that only this system writes to.
const OURS: [u32; 8] = [
    0x0000_ef53, // ext2 to ext4
    0x5846_5342, // xfs
    0x9123_683e, // btrfs
    0x0102_1994, // tmpfs
    0x794c_7630, // overlay
    0x2fc1_2fc1, // zfs
    0xf2f5_2010, // f2fs
    0xca45_1a4e, // bcachefs
];

/// How many bytes of messages are read at a time.
const ROOM: usize = 4096;

/// How many messages are read at most before they count as lost: whoever writes without end must not
/// keep a reader.
const MAX_AT_ONCE: usize = 65_536;

/// The list of what is mounted. It says by itself when it has changed.
const MOUNTS: &str = "/proc/self/mountinfo";

/// How many watches all programs of a user may have.
const LIMIT: &str = "/proc/sys/fs/inotify/max_user_watches";

/// What the system allows a user; nothing where it does not say.
pub(super) fn limit() -> Option<usize> {
    std::fs::read_to_string(LIMIT).ok()?.trim().parse().ok()
}

/// The queue, and the list of mounts: what is mounted over a directory changes nothing in it, and
/// hides it.
pub(super) struct Messages {
    queue: OwnedFd,
    mounts: File,
}

/// What came of the wish to watch something.
pub(super) enum Added {
    /// It is watched under this number.
    As(i32),
    /// This one is not.
    Refused,
    /// No other one will be either.
    NoMore,
}

impl Messages {
    pub(super) fn new() -> Option<Self> {
        let flags = CreateFlags::NONBLOCK | CreateFlags::CLOEXEC;
        Some(Self {
            queue: inotify::init(flags).ok()?,
            mounts: File::open(MOUNTS).ok()?,
        })
    }

    pub(super) fn add(&self, path: &AbsPath, kind: Kind) -> Added {
        let flags = match kind {
            // The contents of its files are watched with the files.
            Kind::Dir => {
                WatchFlags::CREATE
                    | WatchFlags::DELETE
                    | WatchFlags::MOVE
                    | WatchFlags::ATTRIB
                    | WatchFlags::DELETE_SELF
                    | WatchFlags::MOVE_SELF
                    | WatchFlags::ONLYDIR
            }
            Kind::File => {
                WatchFlags::MODIFY
                    | WatchFlags::CLOSE_WRITE
                    | WatchFlags::ATTRIB
                    | WatchFlags::MOVE_SELF
            }
            Kind::Link | Kind::Special => return Added::Refused,
        };
        let flags = flags | WatchFlags::DONT_FOLLOW;
        match inotify::add_watch(&self.queue, path.as_path(), flags) {
            Ok(number) => Added::As(number),
            Err(Errno::NOSPC | Errno::NOMEM) => Added::NoMore,
            Err(_) => Added::Refused,
        }
    }

    pub(super) fn remove(&self, number: i32) {
        // One that is gone is what was wanted.
        let _ = inotify::remove_watch(&self.queue, number);
    }

    /// Tells of each message: the number of what is watched, and whether it is so no more.
    /// Answers whether these are all that there is to know.
    pub(super) fn read(&self, mut told: impl FnMut(i32, bool)) -> bool {
        if self.is_mounted_anew() {
            return false;
        }
        let mut room = [MaybeUninit::uninit(); ROOM];
        let mut reader = Reader::new(&self.queue, &mut room);
        for _ in 0..MAX_AT_ONCE {
            match reader.next() {
                Ok(event) if event.events().contains(ReadFlags::QUEUE_OVERFLOW) => return false,
                Ok(event) => told(event.wd(), event.events().contains(ReadFlags::IGNORED)),
                Err(Errno::INTR) => {}
                Err(error) => return error == Errno::AGAIN,
            }
        }
        false
    }

    /// Whether anything was mounted or taken away since this was asked last.
    fn is_mounted_anew(&self) -> bool {
        let mut looked = [PollFd::new(&self.mounts, PollFlags::PRI)];
        let now = Timespec {
            tv_sec: 0,
            tv_nsec: 0,
        };
        // Not to know is to have lost something.
        !matches!(poll(&mut looked, Some(&now)), Ok(0))
    }
}

/// Whether all changes there are made by this system.
pub(super) fn vouches(path: &AbsPath) -> bool {
    let Ok(found) = rustix::fs::statfs(path.as_path()) else {
        return false;
    };
    // The field is signed on some machines, and the numbers have 32 bits.
    let number = found.f_type as u64 & u64::from(u32::MAX);
    OURS.iter().any(|known| u64::from(*known) == number)
}
