//! Mirrors: one bare repository for each remote one.
//!
//! A mirror is a cache. Its refs below `refs/plugd/` say which commits are there, alone or with all
//! of their history; a ref is written when everything it promises has arrived. Whatever cannot be
//! read makes the mirror worthless: it is removed and fetched once more, so no file of it can be
//! deleted or cut without healing.

use std::cell::Cell;

use git2::{
    AutotagOption, Direction, ErrorClass, ErrorCode, FetchOptions, ObjectType, Oid, Remote,
    RemoteCallbacks, RemoteConnection, Repository, RepositoryInitOptions,
};

use plugd_disk::FileLock;
use plugd_disk::tree::remove_tree;
use plugd_model::AbsPath;

use crate::address::Kind;
use crate::advertised::{Choice, Head, choose};
use crate::failure::{Failure, Trouble, quoted};
use crate::progress::Stage;
use crate::session::Session;
use crate::{Address, CommitId, Depth, History, Want};

/// Asks a server for everything although the mirror holds a part (git's own number for it).
const UNSHALLOW: i32 = i32::MAX;

/// All branches and tags.
const EVERYTHING: &[&str] = &[
    "+refs/heads/*:refs/plugd/heads/*",
    "+refs/tags/*:refs/plugd/tags/*",
];

/// A mirror that this process alone uses.
pub(crate) struct Mirror<'a> {
    session: &'a Session,
    address: &'a Address,
    path: AbsPath,
    _lock: FileLock,
}

impl<'a> Mirror<'a> {
    /// Takes the lock; the mirror itself need not exist.
    pub(crate) fn lock(session: &'a Session, address: &'a Address) -> Result<Self, Failure> {
        Ok(Self {
            session,
            address,
            path: session.mirrors.join(address.mirror_name()),
            _lock: session.lock(address)?,
        })
    }

    /// Gets a commit and does something with it. When the mirror turns out to be damaged, also
    /// while something is done with it, both happen once more from an empty mirror; `reset` takes
    /// back what the first try left.
    pub(crate) fn with_commit<T>(
        &self,
        want: &Want,
        depth: Depth,
        mut work: impl FnMut(&Repository, Oid) -> Result<T, Trouble>,
        reset: impl Fn() -> Result<(), Failure>,
    ) -> Result<T, Failure> {
        let mut retried = false;
        loop {
            let existed = self
                .session
                .disk
                .link_stamp(&self.path)
                .map_err(|error| Failure::disk(&error))?
                .is_some();
            let tried = self
                .commit(want, depth)
                .and_then(|(repository, commit)| work(&repository, commit));
            match tried {
                Ok(value) => return Ok(value),
                Err(Trouble::Failed(failure)) => return Err(failure),
                Err(Trouble::Damaged(reason)) => {
                    tracing::warn!(mirror = %self.path, reason, "the mirror is damaged");
                    remove_tree(&self.session.disk, &self.path)
                        .map_err(|error| Failure::tree(&error))?;
                    if retried || !existed {
                        return Err(Failure::Damaged {
                            url: self.address.shown(),
                            reason,
                        });
                    }
                    reset()?;
                    retried = true;
                }
            }
        }
    }

    fn commit(&self, want: &Want, depth: Depth) -> Result<(Repository, Oid), Trouble> {
        let repository = self.open()?;
        if let Want::Commit(text) = want
            && let Some(id) = CommitId::new(text)
            && let Some(commit) = known(&repository, &id, depth)?
        {
            // A commit never changes: no server needs to be asked.
            return Ok((repository, commit));
        }
        let commit = self.fetch(&repository, want, depth)?;
        Ok((repository, commit))
    }

    fn open(&self) -> Result<Repository, Trouble> {
        if self.session.disk.link_stamp(&self.path)?.is_some() {
            return Repository::open_bare(&self.path).map_err(|error| Trouble::damaged(&error));
        }
        self.session.disk.create_dirs(&self.session.mirrors)?;
        let mut options = RepositoryInitOptions::new();
        // A template of the user's could bring hooks.
        options.bare(true).external_template(false);
        Repository::init_opts(&self.path, &options).map_err(|error| Failure::git(&error).into())
    }

    fn fetch(&self, repository: &Repository, want: &Want, depth: Depth) -> Result<Oid, Trouble> {
        let address = self.session.effective(self.address)?;
        let line = Line::new(self.session, &address)?;
        let mut remote = repository
            .remote_anonymous(&line.url)
            .map_err(|error| Trouble::damaged(&error))?;
        let (mut connection, heads) = line.connect(&mut remote)?;
        let missing = || -> Trouble { missing(self.address, want).into() };
        let object = match choose(&heads, want) {
            Choice::Nothing => return Err(missing()),
            Choice::Prefix(prefix) => {
                line.download(&mut connection, EVERYTHING, repository, Depth::Whole)?;
                self.complete(repository, &prefix, want)?
            }
            Choice::Commit(id) => {
                let spec = format!("+{id}:refs/plugd/incoming");
                match line.download(&mut connection, &[&spec], repository, depth) {
                    Ok(()) => {}
                    Err(Trouble::Failed(
                        failure @ (Failure::Unreachable { .. } | Failure::TooMuch { .. }),
                    )) => return Err(failure.into()),
                    // Some servers give away what they advertise and nothing else.
                    Err(_) => {
                        line.download(&mut connection, EVERYTHING, repository, Depth::Whole)?;
                    }
                }
                id
            }
            Choice::Tip { name, object } => {
                if let Some(commit) = known(repository, &CommitId::of(object), depth)? {
                    return Ok(commit);
                }
                let spec = format!("+{name}:refs/plugd/incoming");
                line.download(&mut connection, &[&spec], repository, depth)?;
                object
            }
        };
        drop(connection);
        let found = repository.find_object(object, None);
        let commit = match found.and_then(|object| object.peel_to_commit()) {
            Ok(commit) => commit,
            Err(error) if error.code() == ErrorCode::NotFound => return Err(missing()),
            Err(error) if error.code() == ErrorCode::InvalidSpec => return Err(missing()),
            Err(error) => return Err(Trouble::damaged(&error)),
        };
        commit.tree().map_err(|error| Trouble::damaged(&error))?;
        remember(repository, commit.id(), line.kept(depth))?;
        Ok(commit.id())
    }

    /// The one commit that begins like this.
    fn complete(&self, repository: &Repository, prefix: &str, want: &Want) -> Result<Oid, Trouble> {
        let odb = repository.odb().map_err(|error| Trouble::damaged(&error))?;
        let mut found = Vec::new();
        odb.foreach(|id| {
            if id.to_string().starts_with(prefix) {
                found.push(*id);
            }
            true
        })
        .map_err(|error| Trouble::damaged(&error))?;
        let is_commit = |id: &Oid| matches!(odb.read_header(*id), Ok((_, ObjectType::Commit)));
        found.retain(is_commit);
        found.dedup();
        match found.as_slice() {
            [one] => Ok(*one),
            [] => Err(missing(self.address, want).into()),
            _ => Err(Failure::Ambiguous {
                url: self.address.shown(),
                wanted: want.shown().to_owned(),
            }
            .into()),
        }
    }

    /// How a new commit stands to an old one.
    pub(crate) fn history(repository: &Repository, new: Oid, old: Option<&CommitId>) -> History {
        let Some(Ok(old)) = old.map(CommitId::oid) else {
            return History::Unknown;
        };
        if new == old {
            return History::Forward;
        }
        match repository.graph_descendant_of(new, old) {
            Ok(true) => History::Forward,
            // In a shallow mirror the way to the old commit may be what is missing.
            Ok(false) if !repository.is_shallow() => History::Rewritten,
            _ => History::Unknown,
        }
    }
}

/// Asks a server which commit is wanted, without a mirror.
pub(crate) fn resolve(
    session: &Session,
    address: &Address,
    want: &Want,
) -> Result<CommitId, Failure> {
    if let Want::Commit(text) = want
        && let Some(id) = CommitId::new(text)
    {
        return Ok(id);
    }
    let effective = session.effective(address)?;
    let plain = |trouble| match trouble {
        Trouble::Failed(failure) => failure,
        Trouble::Damaged(reason) => Failure::Git { reason },
    };
    let line = Line::new(session, &effective).map_err(plain)?;
    let mut remote =
        Remote::create_detached(line.url.as_str()).map_err(|error| Failure::git(&error))?;
    let (_connection, heads) = line.connect(&mut remote).map_err(plain)?;
    match choose(&heads, want) {
        Choice::Tip { object, .. } => Ok(CommitId::of(object)),
        Choice::Commit(id) => Ok(CommitId::of(id)),
        // Tips are all that is known without a fetch. Two that match are ambiguous for certain; one
        // may be one of several.
        Choice::Prefix(prefix) => {
            let mut tips: Vec<Oid> = heads.iter().map(|head| head.id).collect();
            tips.sort();
            tips.dedup();
            tips.retain(|id| id.to_string().starts_with(&prefix));
            match tips.as_slice() {
                [one] => Ok(CommitId::of(*one)),
                [] => Err(missing(address, want)),
                _ => Err(Failure::Ambiguous {
                    url: address.shown(),
                    wanted: prefix,
                }),
            }
        }
        Choice::Nothing => Err(missing(address, want)),
    }
}

fn missing(address: &Address, want: &Want) -> Failure {
    let (url, wanted) = (address.shown(), want.shown().to_owned());
    match want {
        Want::Commit(_) => Failure::CommitMissing { url, wanted },
        Want::Head | Want::Ref(_) => Failure::RefMissing { url, wanted },
    }
}

fn promise(kept: Depth, id: &str) -> String {
    match kept {
        Depth::Tip => format!("refs/plugd/tip/{id}"),
        Depth::Whole => format!("refs/plugd/whole/{id}"),
    }
}

/// A commit that the mirror promises to hold. A promise that is broken is damage.
fn known(repository: &Repository, id: &CommitId, depth: Depth) -> Result<Option<Oid>, Trouble> {
    let holds = |kept| match repository.find_reference(&promise(kept, id.as_str())) {
        Ok(_) => Ok(true),
        Err(error) if error.code() == ErrorCode::NotFound => Ok(false),
        Err(error) => Err(Trouble::damaged(&error)),
    };
    if !(holds(Depth::Whole)? || (depth == Depth::Tip && holds(Depth::Tip)?)) {
        return Ok(None);
    }
    let oid = id.oid().map_err(|error| Trouble::damaged(&error))?;
    let commit = repository.find_commit(oid);
    commit
        .and_then(|commit| commit.tree())
        .map_err(|error| Trouble::damaged(&error))?;
    Ok(Some(oid))
}

fn remember(repository: &Repository, commit: Oid, kept: Depth) -> Result<(), Trouble> {
    let name = promise(kept, &commit.to_string());
    repository
        .reference(&name, commit, true, "")
        .map_err(|error| Trouble::damaged(&error))?;
    Ok(())
}

/// libgit2 has no code of its own for this, so its words must do.
fn lacks_shallow(error: &git2::Error) -> bool {
    error.class() == ErrorClass::Net && error.message().contains("shallow")
}

/// The connection to one remote.
struct Line<'a> {
    session: &'a Session,
    address: &'a Address,
    url: String,
    too_much: Cell<bool>,
}

impl<'a> Line<'a> {
    fn new(session: &'a Session, address: &'a Address) -> Result<Self, Trouble> {
        session.meter.enter(Stage::Resolving);
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
        })
    }

    fn connect<'c, 'r, 's>(
        &'s self,
        remote: &'c mut Remote<'r>,
    ) -> Result<(RemoteConnection<'r, 'c, 's>, Vec<Head>), Trouble> {
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
        Ok((connection, heads))
    }

    /// What a fetch of this depth leaves in the mirror.
    fn kept(&self, depth: Depth) -> Depth {
        if self.address.is_remote() {
            depth
        } else {
            Depth::Whole
        }
    }

    fn download(
        &self,
        connection: &mut RemoteConnection<'_, '_, '_>,
        specs: &[&str],
        repository: &Repository,
        depth: Depth,
    ) -> Result<(), Trouble> {
        self.session.meter.enter(Stage::Fetching);
        let mut get = |depth| {
            let mut options = self.options();
            options.depth(depth);
            connection.remote().download(specs, Some(&mut options))
        };
        let got = match self.kept(depth) {
            // A server that cannot send a part sends everything.
            Depth::Tip => get(1).or_else(|error| match lacks_shallow(&error) {
                true => get(0),
                false => Err(error),
            }),
            Depth::Whole if repository.is_shallow() => get(UNSHALLOW),
            Depth::Whole => get(0),
        };
        got.map_err(|error| self.trouble(&error, true))
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
            let fine = bytes <= self.session.max_pack_bytes;
            self.too_much.set(!fine);
            fine
        });
        callbacks
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
        let reason = quoted(error.message(), &self.address.secrets());
        match error.class() {
            ErrorClass::Net | ErrorClass::Http | ErrorClass::Ssh => {
                Failure::Refused { host, reason }.into()
            }
            _ if receiving => Trouble::Damaged(reason),
            _ if error.code() == ErrorCode::NotFound => Failure::RepositoryMissing {
                url: self.address.shown(),
            }
            .into(),
            _ => Failure::Git { reason }.into(),
        }
    }
}
