//! Which version an installation brings, when a request names one or a pin does.
//!
//! - What a request names is pinned with it, because the next refresh would undo it otherwise.
//! - A pinned plugin is brought as it is pinned: it is left when it is that, comes back from what is
//!   kept, and is fetched by its commit or release when nothing of it is here.
//! - Only the source is asked for another ref or release; what the plugin is bound to stays the entry.

use plugd_config::Edit;
use plugd_git::{Want, WantError};
use plugd_marketplace::Offer;
use plugd_model::{AbsPath, OciReference, PluginId, Source, VersionSegment};
use plugd_store::{Installed, Kept, Pin, PinChange, Record};

use crate::call::Call;
use crate::content::Content;
use crate::fetcher::Fetched;
use crate::install::{Installation, STORE_PATIENCE, Step};
use crate::install_job::{Job, Prepared, failed};
use crate::install_why::Why;
use crate::obtain::{Obtained, Supply, obtain_from};
use crate::rollback::bring_back;
use crate::standing::Standing;
use crate::trust::Word;
use crate::version_error::VersionRefusal;
use crate::versions::{is_pinned, kept_as, shown};
use crate::{Copies, Error, Lookup};

/// Which version a request wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wish {
    /// What the source offers, or the pin holds.
    Offered,
    /// A version.
    Version(String),
    /// A branch or tag of the repository, or a tag of the registry.
    Ref(String),
    /// A commit of the repository, or a digest of the registry.
    Sha(String),
}

impl Wish {
    /// # Errors
    /// A plugin of the remote catalog was to come in a version that is named. The catalog hands out
    /// one, and none by its name.
    pub fn refuse_of_account(&self) -> Result<(), Error> {
        let field = match self {
            Self::Offered => return Ok(()),
            Self::Version(_) => "version",
            Self::Ref(_) => "ref",
            Self::Sha(_) => "sha",
        };
        let reason = "the remote catalog hands out one version of a plugin; plugd/rollback brings \
                      back those that are kept here";
        Err(Error::BadValue {
            field,
            reason: reason.to_owned(),
        })
    }
}

/// What an installation does to the pin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PinWish {
    /// Leaves it.
    Keep,
    /// Pins the version.
    Version,
    /// Pins the version with its commit or release.
    Commit,
}

impl PinWish {
    /// The pin for what comes; nothing for one that stays as it is.
    fn pin(self, version: &VersionSegment, commit: Option<&str>) -> Option<Pin> {
        let commit = match self {
            Self::Keep => return None,
            Self::Version => None,
            Self::Commit => commit.map(str::to_owned),
        };
        Some(Pin {
            version: version.clone(),
            commit,
            tree_digest: None,
            locks: Vec::new(),
        })
    }

    pub(crate) fn change(self, version: &VersionSegment, commit: Option<&str>) -> PinChange {
        self.pin(version, commit)
            .map_or(PinChange::Keep, PinChange::Set)
    }
}

/// One request of a client, as far as it is about an entry that was admitted.
pub(crate) struct Wanted<'a> {
    pub(crate) call: &'a Call,
    pub(crate) lookup: &'a Lookup,
    pub(crate) copies: &'a Copies,
    pub(crate) offer: &'a Offer<'a>,
    pub(crate) id: PluginId,
    pub(crate) standing: Standing,
}

impl Wanted<'_> {
    /// Brings what is wished for, or says what to fetch for it.
    pub(crate) fn step(&self, wish: &Wish, fetched: Option<Fetched>) -> Result<Step, Error> {
        let pin = self.pin(wish);
        if let Some(pin) = pin
            && let Some(done) = self.as_pinned(pin)?
        {
            return done.map(into_step);
        }
        let source = self.source(wish, pin)?;
        let obtained = match obtain_from(self.lookup, self.offer, &source, fetched)? {
            Supply::Here(obtained) => obtained,
            Supply::Elsewhere(source) => {
                let id = self.id.clone();
                return Ok(Step::Fetch { id, source });
            }
        };
        self.call.progress.report("checking", 0, None);
        let content = Content::read(self.lookup, self.offer, obtained.dir.clone())?;
        if let Some(other) = self.unless_offered(wish, pin, &content, &obtained)? {
            return Ok(into_step(other));
        }
        self.take(wish, pin, &content, obtained).map(into_step)
    }

    /// The pin that a request without a wish has to keep to. One that binds the plugin to something
    /// else asks for what is there.
    fn pin(&self, wish: &Wish) -> Option<&Pin> {
        let same = self.standing.binding().as_ref() == Some(&self.offer.content.binding);
        self.standing
            .pin()
            .filter(|_| same && *wish == Wish::Offered)
    }

    /// What a pin holds to the byte or the commit needs no source, as long as it is here.
    fn as_pinned(&self, pin: &Pin) -> Result<Option<Result<Installation, Error>>, Error> {
        if pin.commit.is_none() && pin.tree_digest.is_none() {
            return Ok(None);
        }
        if let Some((copy, record)) = self.recorded() {
            let origin = record.origin();
            let digest = Some(record.tree_digest);
            if is_pinned(pin, &copy.version, Some(&origin), digest)
                && self.is_intact(copy, record)?
            {
                self.may_be_switched_on(copy, Word::of_copy(record.by))?;
                return Ok(Some(self.leave(copy.clone())));
            }
        }
        let pinned = self.copies.store()?.pinned_version(&self.id);
        let pinned = pinned.map_err(|error| failed(&self.id, error))?;
        let mut kept: Vec<_> = pinned.into_iter().chain(self.kept()?).collect();
        kept.retain(|(kept, _)| {
            let origin = kept.origin.as_ref();
            is_pinned(pin, &kept.version, origin, Some(kept.tree_digest))
        });
        let found = kept.first();
        Ok(found.map(|(kept, _)| self.bring_back(kept)))
    }

    /// The source with what is wished for in it.
    fn source(&self, wish: &Wish, pin: Option<&Pin>) -> Result<Source, Error> {
        let mut source = self.offer.entry.source.clone();
        let no_repository = |field| {
            let reason = "the source of this plugin is no git or OCI repository of its own";
            Err(Error::BadValue {
                field,
                reason: reason.to_owned(),
            })
        };
        let pinned = pin.and_then(|pin| pin.commit.clone());
        match (&mut source, wish) {
            (Source::Git { ref_name, sha, .. }, Wish::Ref(name)) => {
                can_be_meant(Want::of_ref(name), "ref")?;
                *ref_name = Some(name.clone());
                *sha = None;
            }
            (Source::Git { sha, .. }, Wish::Sha(commit)) => {
                can_be_meant(Want::of_commit(commit), "sha")?;
                *sha = Some(commit.clone());
            }
            (Source::Oci { reference }, Wish::Ref(tag)) => {
                *reference = named(reference.at(Some(tag), None), "ref")?;
            }
            (Source::Oci { reference }, Wish::Sha(digest)) => {
                *reference = named(reference.at(reference.tag(), Some(digest)), "sha")?;
            }
            (_, Wish::Ref(_)) => return no_repository("ref"),
            (_, Wish::Sha(_)) => return no_repository("sha"),
            (Source::Npm { version, .. }, Wish::Version(wanted)) => *version = Some(wanted.clone()),
            (Source::Git { sha, .. }, _) if pinned.is_some() => *sha = pinned,
            (Source::Npm { version, .. }, _) if pinned.is_some() => *version = pinned,
            (Source::Oci { reference }, _) if pinned.is_some() => {
                *reference = named(reference.at(reference.tag(), pinned.as_deref()), "sha")?;
            }
            _ => {}
        }
        Ok(source)
    }

    /// Something else than what the source offers, when that is not what is wished for.
    fn unless_offered(
        &self,
        wish: &Wish,
        pin: Option<&Pin>,
        content: &Content,
        obtained: &Obtained,
    ) -> Result<Option<Installation>, Error> {
        let is_release = matches!(self.offer.entry.source, Source::Npm { .. });
        let (wanted, offered) = match (wish, pin) {
            // Of a registry the release is named, and the manifest may say something else.
            (Wish::Version(wanted), _) if is_release => {
                let release = obtained.commit.as_deref();
                (wanted.as_str(), release.unwrap_or_default())
            }
            (Wish::Version(wanted), _) => (wanted.as_str(), content.version.as_str()),
            (_, Some(pin)) => (pin.version.as_str(), content.version.as_str()),
            (_, None) => return Ok(None),
        };
        if wanted == offered {
            return Ok(None);
        }
        if let Some((copy, record)) = self.recorded()
            && copy.version.as_str() == wanted
            && self.is_intact(copy, record)?
        {
            self.may_be_switched_on(copy, Word::of_copy(record.by))?;
            let pinned = self.repin(copy, PinWish::Version.pin(&copy.version, None), pin)?;
            return self.left(copy.clone(), pinned).map(Some);
        }
        let kept = self.kept()?;
        if let Ok((kept, _)) = kept_as(&self.id, wanted, &kept)
            && kept.version.as_str() == wanted
        {
            return self.bring_back(kept).map(Some);
        }
        if let Some(pin) = pin {
            return Err(Error::Pinned {
                id: self.id.clone(),
                pinned: pin.version.to_string(),
                offered: offered.to_owned(),
            });
        }
        let kept = shown(kept.iter());
        let kept = match kept.is_empty() {
            true => "nothing is kept".to_owned(),
            false => format!("kept: {}", kept.join(", ")),
        };
        let refusal = VersionRefusal::NotOffered {
            id: self.id.clone(),
            field: "version",
            wanted: wanted.to_owned(),
            reason: format!("its source offers {offered}; {kept}"),
        };
        Err(refusal.into())
    }

    /// Installs what the source has.
    fn take(
        &self,
        wish: &Wish,
        pin: Option<&Pin>,
        content: &Content,
        obtained: Obtained,
    ) -> Result<Installation, Error> {
        let is_release = matches!(self.offer.entry.source, Source::Npm { .. });
        let pin_wish = match wish {
            Wish::Offered => PinWish::Keep,
            Wish::Version(_) if !is_release => PinWish::Version,
            Wish::Version(_) | Wish::Ref(_) | Wish::Sha(_) => PinWish::Commit,
        };
        let mut job = self.job(pin_wish);
        let commit = obtained.commit.clone();
        let prepared = job.prepare(self.call, self.lookup, self.copies, content, obtained)?;
        match prepared {
            Prepared::Current(copy) => {
                self.may_be_switched_on(&copy, Word::Place)?;
                let wanted = pin_wish.pin(&copy.version, commit.as_deref());
                let pinned = match &wanted {
                    Some(_) => {
                        self.note_commit(&copy, pin_wish, commit.as_deref())?;
                        self.repin(&copy, wanted, None)?
                    }
                    None => false,
                };
                job.standing = self.look()?;
                let copy = job.standing.copy.clone().unwrap_or(*copy);
                let done = job.leave(self.call, self.lookup, self.copies, copy)?;
                Ok(with_pin(done, pinned))
            }
            Prepared::Staged(staged) => {
                let digest = pin.and_then(|pin| pin.tree_digest);
                if digest.is_some_and(|digest| digest != staged.tree().tree_digest) {
                    return Err(Error::Pinned {
                        id: self.id.clone(),
                        pinned: content.version.to_string(),
                        offered: "other content under that version".to_owned(),
                    });
                }
                job.activate(self.call, self.lookup, self.copies, *staged)
            }
        }
    }

    fn job(&self, pin: PinWish) -> Job<'static> {
        Job {
            pin,
            ..Job::of_offer(self.offer, Why::Request, &self.standing)
        }
    }

    /// The same content from another commit is recorded as that one when it is to be pinned.
    fn note_commit(
        &self,
        copy: &Installed,
        wish: PinWish,
        commit: Option<&str>,
    ) -> Result<(), Error> {
        let recorded = copy.provenance_record();
        let recorded = recorded.and_then(|record| record.commit.as_deref());
        match commit {
            Some(commit) if wish == PinWish::Commit && recorded != Some(commit) => {
                let patience = self.call.patience(STORE_PATIENCE);
                let seen = &self.standing.seen;
                let noted = self
                    .copies
                    .store()?
                    .note_commit(&self.id, seen, commit, patience);
                noted.map_err(|error| failed(&self.id, error))
            }
            _ => Ok(()),
        }
    }

    /// Pins a copy that stays, unless a pin is kept to already. Answers whether that was a change.
    fn repin(
        &self,
        copy: &Installed,
        wanted: Option<Pin>,
        kept_to: Option<&Pin>,
    ) -> Result<bool, Error> {
        let now = self.look()?;
        // A pin that holds as much or more stays: what came back is held to the byte.
        let holds = |pin: &Pin| {
            wanted.as_ref().is_some_and(|wanted| {
                pin.version == wanted.version
                    && (wanted.commit.is_none() || pin.commit == wanted.commit)
            })
        };
        if kept_to.is_some() || now.pin().is_some_and(holds) {
            return Ok(false);
        }
        // An error behind the pin must not leave it alone there.
        self.lookup
            .plan_edits(&[Edit::set_plugin_enabled(&self.id, true)])?;
        let patience = self.call.patience(STORE_PATIENCE);
        let store = self.copies.store()?;
        let set = store.set_pin(&copy.id, wanted, &now.seen, patience);
        set.map_err(|error| failed(&self.id, error))?;
        Ok(true)
    }

    /// A refusal comes before anything is changed for it.
    fn may_be_switched_on(&self, copy: &Installed, word: Word) -> Result<(), Error> {
        let (job, store) = (self.job(PinWish::Keep), self.copies.store()?);
        job.refuse_to_switch_on(self.call, self.lookup, store, copy, word)
    }

    /// Switches a copy on that is what is wanted.
    fn leave(&self, copy: Installed) -> Result<Installation, Error> {
        self.left(copy, false)
    }

    fn left(&self, copy: Installed, pinned: bool) -> Result<Installation, Error> {
        let mut job = self.job(PinWish::Keep);
        job.standing = self.look()?;
        let done = job.leave(self.call, self.lookup, self.copies, copy)?;
        Ok(with_pin(done, pinned))
    }

    fn bring_back(&self, kept: &Kept) -> Result<Installation, Error> {
        let store = self.copies.store()?;
        let edits = [Edit::set_plugin_enabled(&self.id, true)];
        self.lookup.plan_edits(&edits)?;
        let copy = bring_back(
            self.call,
            self.lookup,
            store,
            &self.standing,
            kept,
            (&self.id, &edits),
        )?;
        let job = self.job(PinWish::Keep);
        Ok(job.done(copy, true))
    }

    fn recorded(&self) -> Option<(&Installed, &Record)> {
        let copy = self.standing.copy.as_ref()?;
        Some((copy, copy.provenance_record()?))
    }

    /// Whether a copy is still what was recorded about it.
    fn is_intact(&self, copy: &Installed, record: &Record) -> Result<bool, Error> {
        let store = self.copies.store()?;
        let found = store.tree_digest(copy, self.call);
        let found = found.map_err(|error| failed(&self.id, error))?;
        Ok(found.clean && found.digest == record.tree_digest)
    }

    fn kept(&self) -> Result<Vec<(Kept, AbsPath)>, Error> {
        let kept = self.copies.store()?.kept_versions(&self.id);
        kept.map_err(|error| failed(&self.id, error))
    }

    fn look(&self) -> Result<Standing, Error> {
        let looked = Standing::of(self.copies.store()?, &self.id);
        looked.map_err(|error| failed(&self.id, error))
    }
}

fn into_step(done: Installation) -> Step {
    Step::Done(Box::new(done))
}

fn with_pin(done: Installation, pinned: bool) -> Installation {
    Installation {
        changed: done.changed || pinned,
        ..done
    }
}

/// The artifact that a request names, or which of its members cannot be meant.
/// Refuses a wish that git could not understand, by the name that it has in the request.
fn can_be_meant(want: Result<Want, WantError>, field: &'static str) -> Result<(), Error> {
    let refused = |error: WantError| Error::BadValue {
        field,
        reason: error.to_string(),
    };
    want.map(|_| ()).map_err(refused)
}

fn named(
    reference: Result<OciReference, &'static str>,
    field: &'static str,
) -> Result<OciReference, Error> {
    reference.map_err(|reason| Error::BadValue {
        field,
        reason: reason.to_owned(),
    })
}
