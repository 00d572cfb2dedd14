//! Mirrors: one bare repository for each remote one.
//!
//! A mirror is a cache. Its refs below `refs/plugd/` say which commits are there, alone or with all
//! of their history; a ref is written when everything it promises has arrived. Whatever cannot be
//! read makes the mirror worthless: it is removed and fetched once more, so no file of it can be
//! deleted or cut without healing.

use git2::{ErrorCode, ObjectType, Odb, Oid, Remote, Repository, RepositoryInitOptions};

use plugd_disk::FileLock;
use plugd_disk::tree::remove_abandoned;
use plugd_model::AbsPath;

use crate::advertised::{Choice, Head, choose};
use crate::command::Command;
use crate::failure::{Failure, Trouble};
use crate::line::Line;
use crate::partial::{Got, Part};
use crate::peer::{EVERYTHING, Peer};
use crate::session::Session;
use crate::{Address, CommitId, Depth, Want, partial};

/// What a mirror is asked for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wanted<'a> {
    pub(crate) want: &'a Want,
    pub(crate) depth: Depth,
    /// Which files are enough; without it, all of them.
    pub(crate) part: Option<Part<'a>>,
}

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

    /// Where it lies.
    pub(crate) fn path(&self) -> &AbsPath {
        &self.path
    }

    /// Gets a commit and does something with it. When the mirror turns out to be damaged, also
    /// while something is done with it, both happen once more from an empty mirror; `reset` takes
    /// back what the first try left.
    pub(crate) fn with_commit<T>(
        &self,
        wanted: Wanted<'_>,
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
            // What comes into an empty mirror is hashed as it comes, and need not be once more when
            // it is read. What lay on disk since another day is.
            git2::opts::strict_hash_verification(existed);
            let tried = self
                .commit(wanted)
                .and_then(|(repository, commit)| work(&repository, commit));
            match tried {
                Ok(value) => return Ok(value),
                Err(Trouble::Failed(failure)) => {
                    // A mirror of something that could not be had is worth nothing.
                    if !existed {
                        remove_abandoned(&self.session.disk, &self.path)
                            .map_err(|error| Failure::tree(&error))?;
                    }
                    return Err(failure);
                }
                Err(Trouble::Damaged(reason)) => {
                    tracing::warn!(mirror = %self.path, reason, "the mirror is damaged");
                    remove_abandoned(&self.session.disk, &self.path)
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

    fn commit(&self, wanted: Wanted<'_>) -> Result<(Repository, Oid), Trouble> {
        let Wanted { want, depth, part } = wanted;
        let repository = open_or_make(self.session, &self.path)?;
        if let Want::Commit(text) = want
            && let Some(id) = CommitId::new(text)
            && let Some(commit) = known(&repository, &id, depth)?
        {
            // A commit never changes: no server needs to be asked.
            return Ok((repository, commit));
        }
        let address = self.session.effective(self.address)?;
        if let Some(part) = part.filter(Part::is_less)
            && let Some(git) = self.session.git_for_part(&address, &part)
        {
            let mirror = (&repository, &self.path);
            match partial::obtain(self.session, &address, git, mirror, want, part)? {
                Got::Here(partial, commit) => return Ok((partial, commit)),
                Got::Whole(commit) => return Ok((repository, commit)),
                Got::Nowhere => {}
            }
        }
        let commit = self.fetch(&repository, &address, want, depth)?;
        Ok((repository, commit))
    }

    /// Brings a commit by whichever program is to be used for this address.
    fn fetch(
        &self,
        repository: &Repository,
        address: &Address,
        want: &Want,
        depth: Depth,
    ) -> Result<Oid, Trouble> {
        if let Some(git) = self.session.git_for_all()? {
            let mut peer = Command::connect(self.session, address, git, Some(&self.path))?;
            return self.bring(repository, &mut peer, want, depth);
        }
        let line = Line::new(self.session, address)?;
        let mut remote = repository
            .remote_anonymous(&line.url)
            .map_err(|error| Trouble::damaged(&error))?;
        let mut peer = line.connect(&mut remote, Some(repository))?;
        self.bring(repository, &mut peer, want, depth)
    }

    fn bring(
        &self,
        repository: &Repository,
        peer: &mut dyn Peer,
        want: &Want,
        depth: Depth,
    ) -> Result<Oid, Trouble> {
        let odb = repository.odb().map_err(|error| Trouble::damaged(&error))?;
        let get = |peer: &mut dyn Peer, specs: &[&str], depth| {
            peer.download(specs, depth)?;
            // Another program may have brought them.
            odb.refresh().map_err(|error| Trouble::damaged(&error))
        };
        let object = match choose(peer.heads(), want) {
            Choice::Nothing => return Err(missing(self.address, want, peer.heads()).into()),
            Choice::Prefix(prefix) => {
                get(peer, EVERYTHING, Depth::Whole)?;
                self.complete(&odb, &prefix, want, peer.heads())?
            }
            Choice::Commit(id) => {
                match get(peer, &[&id.to_string()], depth) {
                    Ok(()) => {}
                    Err(Trouble::Failed(
                        failure @ (Failure::Unreachable { .. }
                        | Failure::ServerFault { .. }
                        | Failure::TooMuch { .. }),
                    )) => return Err(failure.into()),
                    // Some servers give away what they advertise and nothing else.
                    Err(_) => get(peer, EVERYTHING, Depth::Whole)?,
                }
                id
            }
            Choice::Tip { name, object } => {
                if let Some(commit) = known(repository, &CommitId::of(object), depth)? {
                    return Ok(commit);
                }
                get(peer, &[&name], depth)?;
                object
            }
        };
        let commit = peel(repository, object)?;
        let commit = commit.ok_or_else(|| missing(self.address, want, peer.heads()))?;
        remember(repository, commit, peer.kept(depth))?;
        Ok(commit)
    }

    /// The one commit that begins like this.
    fn complete(
        &self,
        odb: &Odb<'_>,
        prefix: &str,
        want: &Want,
        heads: &[Head],
    ) -> Result<Oid, Trouble> {
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
            [] => Err(missing(self.address, want, heads).into()),
            _ => Err(Failure::Ambiguous {
                url: self.address.shown(),
                wanted: want.shown().to_owned(),
            }
            .into()),
        }
    }
}

/// Opens a repository of objects, or makes an empty one.
pub(crate) fn open_or_make(session: &Session, path: &AbsPath) -> Result<Repository, Trouble> {
    if session.disk.link_stamp(path)?.is_some() {
        return Repository::open_bare(path).map_err(|error| Trouble::damaged(&error));
    }
    session.disk.create_dirs(&session.mirrors)?;
    let mut options = RepositoryInitOptions::new();
    // A template of the user's could bring hooks.
    options.bare(true).external_template(false);
    Repository::init_opts(path, &options).map_err(|error| Failure::git(&error).into())
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
    let heads = heads(session, &effective).map_err(plain)?;
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
                [] => Err(missing(address, want, &heads)),
                _ => Err(Failure::Ambiguous {
                    url: address.shown(),
                    wanted: prefix,
                }),
            }
        }
        Choice::Nothing => Err(missing(address, want, &heads)),
    }
}

fn heads(session: &Session, effective: &Address) -> Result<Vec<Head>, Trouble> {
    if let Some(git) = session.git_for_all()? {
        let peer = Command::connect(session, effective, git, None)?;
        return Ok(peer.heads().to_vec());
    }
    let line = Line::new(session, effective)?;
    let mut remote =
        Remote::create_detached(line.url.as_str()).map_err(|error| Failure::git(&error))?;
    let peer = line.connect(&mut remote, None)?;
    Ok(peer.heads().to_vec())
}

/// The commit that an object is or leads to, with a look at its tree; `None` when there is none.
pub(crate) fn peel(repository: &Repository, object: Oid) -> Result<Option<Oid>, Trouble> {
    let found = repository.find_object(object, None);
    let commit = match found.and_then(|object| object.peel_to_commit()) {
        Ok(commit) => commit,
        Err(error) if error.code() == ErrorCode::NotFound => return Ok(None),
        Err(error) if error.code() == ErrorCode::InvalidSpec => return Ok(None),
        Err(error) => return Err(Trouble::damaged(&error)),
    };
    commit.tree().map_err(|error| Trouble::damaged(&error))?;
    Ok(Some(commit.id()))
}

fn missing(address: &Address, want: &Want, heads: &[Head]) -> Failure {
    let (url, wanted) = (address.shown(), want.shown().to_owned());
    match want {
        _ if heads.is_empty() => Failure::RepositoryEmpty { url },
        Want::Commit(_) => Failure::CommitMissing { url, wanted },
        Want::Ref(_) => Failure::RefMissing { url, wanted },
        Want::Head => Failure::NoDefaultBranch { url },
    }
}

fn promise(kept: Depth, id: &str) -> String {
    match kept {
        Depth::Tip => format!("refs/plugd/tip/{id}"),
        Depth::Whole => format!("refs/plugd/whole/{id}"),
    }
}

/// A commit that the mirror promises to hold. A promise that is broken is damage.
pub(crate) fn known(
    repository: &Repository,
    id: &CommitId,
    depth: Depth,
) -> Result<Option<Oid>, Trouble> {
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
