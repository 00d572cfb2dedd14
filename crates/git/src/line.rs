//! libgit2 as the other side of a fetch, over our own transports where it has none of its own.

use std::cell::{Cell, RefCell};
use std::time::{Duration, Instant};

use git2::{
    AutotagOption, Direction, ErrorClass, ErrorCode, FetchOptions, Remote, RemoteCallbacks,
    RemoteConnection, Repository,
};

use plugd_model::AbsPath;

use crate::address::Kind;
use crate::advertised::Head;
use crate::failure::{Failure, Trouble, says_full};
use crate::growth::{Growth, SUSPICIOUS};
use crate::peer::Peer;
use crate::progress::Stage;
use crate::session::Session;
use crate::wire::With;
use crate::{Address, Depth};

/// Asks a server for everything although the mirror holds a part (git's own number for it).
const UNSHALLOW: i32 = i32::MAX;

/// How long one object may take before it is looked at.
const PATIENCE: Duration = Duration::from_secs(1);

/// How often it is looked at.
const GLANCE: Duration = Duration::from_millis(200);

/// A name on our side, where libgit2 wants one. It is never written: what is promised has other names.
const INCOMING: &str = "refs/plugd/incoming";

/// libgit2 has no code of its own for this, so its words must do.
fn lacks_shallow(error: &git2::Error) -> bool {
    error.class() == ErrorClass::Net && error.message().contains("shallow")
}

/// The way to one remote.
pub(crate) struct Line<'a> {
    session: &'a Session,
    address: &'a Address,
    /// What libgit2 is told; it holds no credentials.
    pub(crate) url: String,
    too_much: Cell<bool>,
    watched: RefCell<Option<Watched>>,
}

/// A pack that comes, and how far it was when the last object was complete.
struct Watched {
    growth: Growth,
    objects: usize,
    bytes: u64,
    since: Instant,
    looked: Instant,
}

impl<'a> Line<'a> {
    pub(crate) fn new(session: &'a Session, address: &'a Address) -> Result<Self, Trouble> {
        session.meter.enter(Stage::Resolving);
        session.meter.wait_for(With::Host(address.host()));
        let url = match &address.kind {
            Kind::Local(path) => {
                if session.disk.stamp(path)?.is_none() {
                    let url = address.shown();
                    return Err(Failure::RepositoryMissing { url }.into());
                }
                path.to_text()
            }
            Kind::Http | Kind::Ssh(_) => session.remotes.enter(address),
        };
        Ok(Self {
            session,
            address,
            url,
            too_much: Cell::new(false),
            watched: RefCell::default(),
        })
    }

    /// Connects. What is downloaded goes into the repository of `remote`.
    pub(crate) fn connect<'c, 'r, 's>(
        &'s self,
        remote: &'c mut Remote<'r>,
        into: Option<&'c Repository>,
    ) -> Result<Connected<'r, 'c, 's, 'a>, Trouble> {
        let connection = remote
            .connect_auth(Direction::Fetch, Some(self.callbacks()), None)
            .map_err(|error| self.trouble(&error, false))?;
        let heads = connection
            .list()
            .map_err(|error| self.trouble(&error, false))?
            .iter()
            .map(|head| Head {
                name: head.name().to_owned(),
                id: head.oid(),
            })
            .collect();
        Ok(Connected {
            line: self,
            connection,
            heads,
            into,
        })
    }

    fn options(&self) -> FetchOptions<'_> {
        let mut options = FetchOptions::new();
        options
            .remote_callbacks(self.callbacks())
            .download_tags(AutotagOption::None)
            .update_fetchhead(false);
        options
    }

    fn callbacks(&self) -> RemoteCallbacks<'_> {
        let meter = &self.session.meter;
        let mut callbacks = RemoteCallbacks::new();
        callbacks.sideband_progress(move |_| {
            meter.step();
            true
        });
        callbacks.transfer_progress(move |progress| {
            meter.step();
            meter.objects(progress.received_objects(), progress.total_objects());
            let bytes = u64::try_from(progress.received_bytes()).unwrap_or(u64::MAX);
            meter.bytes_in_all(bytes);
            let fine = bytes <= self.session.max_pack_bytes
                && !self.is_bomb(progress.received_objects(), bytes);
            self.too_much.set(!fine);
            fine
        });
        callbacks
    }

    fn watch(&self, into: Option<&Repository>) {
        let dir = into.and_then(|repository| AbsPath::new(repository.path()).ok());
        *self.watched.borrow_mut() = dir.map(|dir| {
            let growth = Growth::new(&self.session.disk, &dir);
            growth.remove_leftovers();
            Watched {
                growth,
                objects: 0,
                bytes: 0,
                since: Instant::now(),
                looked: Instant::now(),
            }
        });
    }

    /// Whether the pack unfolds into too much. It is looked at only while one object takes its time:
    /// that costs as much as receiving it.
    fn is_bomb(&self, objects: usize, bytes: u64) -> bool {
        let mut watched = self.watched.borrow_mut();
        let Some(watched) = watched.as_mut() else {
            return false;
        };
        if watched.objects != objects {
            (watched.objects, watched.bytes) = (objects, bytes);
            watched.since = Instant::now();
        }
        let large = bytes.saturating_sub(watched.bytes) > SUSPICIOUS;
        let slow = watched.since.elapsed() > PATIENCE;
        if !(large || slow) || watched.looked.elapsed() < GLANCE {
            return false;
        }
        let found = watched.growth.is_bomb();
        watched.looked = Instant::now();
        found
    }

    /// What an error of libgit2 means. `receiving` tells whether the mirror was in use by then, so
    /// that it may be the mirror's fault.
    fn trouble(&self, error: &git2::Error, receiving: bool) -> Trouble {
        let host = self.address.host();
        if self.too_much.get() {
            let limit = self.session.max_pack_bytes;
            return Failure::TooMuch { host, limit }.into();
        }
        // Our own transports tell more than fits into an error of libgit2.
        if let Some(failure) = self.session.remotes.take_failure() {
            return failure.into();
        }
        let reason = self.session.remotes.quoted(error.message(), self.address);
        match error.class() {
            ErrorClass::Net | ErrorClass::Http | ErrorClass::Ssh => {
                Failure::Refused { host, reason }.into()
            }
            _ if says_full(&reason) => Failure::DiskFull { reason }.into(),
            _ if receiving => Trouble::Damaged(reason),
            _ if error.code() == ErrorCode::NotFound => Failure::RepositoryMissing {
                url: self.address.shown(),
            }
            .into(),
            _ => Failure::Git { reason }.into(),
        }
    }
}

/// A connection of libgit2. Without a repository it only tells what is there.
pub(crate) struct Connected<'r, 'c, 's, 'a> {
    line: &'s Line<'a>,
    connection: RemoteConnection<'r, 'c, 's>,
    heads: Vec<Head>,
    into: Option<&'c Repository>,
}

impl Peer for Connected<'_, '_, '_, '_> {
    fn heads(&self) -> &[Head] {
        &self.heads
    }

    /// libgit2 knows no part of a local repository.
    fn kept(&self, depth: Depth) -> Depth {
        match self.line.address.is_remote() {
            true => depth,
            false => Depth::Whole,
        }
    }

    fn download(&mut self, specs: &[&str], depth: Depth) -> Result<(), Trouble> {
        let (line, kept) = (self.line, self.kept(depth));
        let named = |spec: &&str| match spec.contains(':') {
            true => (*spec).to_owned(),
            false => format!("+{spec}:{INCOMING}"),
        };
        let specs: Vec<String> = specs.iter().map(named).collect();
        line.session.meter.enter(Stage::Fetching);
        line.watch(self.into);
        let is_shallow = self.into.is_some_and(Repository::is_shallow);
        let mut get = |depth| {
            let mut options = line.options();
            options.depth(depth);
            let remote = self.connection.remote();
            remote.download(&specs, Some(&mut options))
        };
        let got = match kept {
            // A server that cannot send a part sends everything.
            Depth::Tip => get(1).or_else(|error| match lacks_shallow(&error) {
                true => get(0),
                false => Err(error),
            }),
            Depth::Whole if is_shallow => get(UNSHALLOW),
            Depth::Whole => get(0),
        };
        got.map_err(|error| line.trouble(&error, true))
    }
}
