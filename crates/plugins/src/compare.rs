//! Whether a copy is what its source has, and who put it there.
//!
//! A copy of ours is compared by what is recorded. A foreign one is read: it may be exactly what the
//! reference installs from the same source, and then it only has to be recorded.

use plugd_disk::tree::{Digest, Limits, PlannedFile, digest_where};
use plugd_model::{PluginPath, Problem, ProblemKind, is_migrated_skill};
use plugd_store::{Believing, Installed, Provenance, SourceContent, StoreError};

use crate::call::Call;
use crate::content::Content;
use crate::standing::Standing;
use crate::{Copies, Error, Lookup};

/// What a comparison found.
#[derive(Debug)]
pub(crate) enum Compared {
    /// No copy.
    Missing,
    /// Version and content are the source's, and we put it there.
    Same(SourceContent),
    /// The same, and somebody else put it there; with the digest of what is on disk.
    SameButForeign(SourceContent, Digest),
    /// Something else than the source's.
    Different {
        /// The digest of a foreign copy: replacing it is a repair.
        repaired_from: Option<Digest>,
    },
    /// Somebody else changed again what we had repaired, or what is pinned.
    Drifted(Problem),
}

/// Compares what stands with the content that its source offers, which is asked for only when the answer
/// depends on it: a copy of ours with another version is another one whatever is in it. What is found of a
/// foreign copy is written down, so its source is read.
pub(crate) fn compare(
    call: &Call,
    lookup: &Lookup,
    copies: &Copies,
    standing: &Standing,
    content: &Content,
    offered: impl FnOnce(Believing) -> Result<SourceContent, Error>,
) -> Result<Compared, Error> {
    let different = Compared::Different {
        repaired_from: None,
    };
    let Some(copy) = &standing.copy else {
        return Ok(Compared::Missing);
    };
    if copy.is_empty {
        return Ok(different);
    }
    let same_version = copy.version == content.version;
    if copy.provenance == Provenance::Recorded {
        if !same_version {
            return Ok(different);
        }
        let offered = offered(Believing::EarlierOnes)?;
        let recorded = standing.record.as_ref().and_then(|one| one.source_digest);
        let same = recorded == Some(offered.digest) && content.extra_is_in(lookup, &copy.root);
        return Ok(if same {
            Compared::Same(offered)
        } else {
            different
        });
    }
    let offered = offered(Believing::ThisProcess)?;
    let Some(found) = read_foreign(call, copies, copy, content)? else {
        return Ok(different);
    };
    if let Some(problem) = overwritten_pin(standing, copy, found.tree) {
        return Ok(Compared::Drifted(problem));
    }
    if same_version
        && found.clean
        && (found.bare == offered.digest
            || Some(found.bare) == without_links(call, copies, content)?)
    {
        return Ok(Compared::SameButForeign(offered, found.tree));
    }
    if was_repaired(standing, offered.digest) {
        let text = format!(
            "another program replaced again the copy of `{}` that was brought to its source; \
             install it to restore it",
            copy.id
        );
        return Ok(Compared::Drifted(drift(copy, text)));
    }
    Ok(Compared::Different {
        repaired_from: Some(found.tree),
    })
}

/// A foreign copy as it was read.
struct Foreign {
    /// The digest of everything.
    tree: Digest,
    /// The digest without what an installation adds to a source.
    bare: Digest,
    /// Whether it holds nothing that the store never takes.
    clean: bool,
}

/// Reads a foreign copy; `None` when it cannot be read, which makes it different.
fn read_foreign(
    call: &Call,
    copies: &Copies,
    copy: &Installed,
    content: &Content,
) -> Result<Option<Foreign>, Error> {
    let store = copies.store()?;
    let added = |file: &PlannedFile| {
        is_migrated_skill(&file.path)
            || content
                .extra
                .iter()
                .any(|(path, _): &(PluginPath, Vec<u8>)| path.as_str() == file.path)
    };
    let read = || -> Result<Foreign, StoreError> {
        let whole = store.tree_digest(copy, call)?;
        let plan = store.plan_of_all(&copy.root, &Limits::INSTALL, call)?;
        let bare = if plan.files().any(|file| added(&file)) {
            digest_where(copies.disk(), &plan, &|file| !added(file), call)?
        } else {
            whole.digest
        };
        Ok(Foreign {
            tree: whole.digest,
            bare,
            clean: whole.clean,
        })
    };
    match read() {
        Ok(found) => Ok(Some(found)),
        Err(_) if call.cancel.is_cancelled() => Err(crate::call::Cancelled.into()),
        Err(error) => {
            tracing::debug!(plugin = %copy.id, %error, "a foreign copy cannot be compared");
            Ok(None)
        }
    }
}

/// What the reference would have copied: it leaves links out, which we store as copies.
fn without_links(call: &Call, copies: &Copies, content: &Content) -> Result<Option<Digest>, Error> {
    let store = copies.store()?;
    let read = || -> Result<Option<Digest>, StoreError> {
        let plan = store.plan(&content.source, &Limits::INSTALL, call)?;
        if !plan.files().any(|file| file.linked) {
            return Ok(None);
        }
        let digest = digest_where(copies.disk(), &plan, &|file| !file.linked, call)?;
        Ok(Some(digest))
    };
    match read() {
        Ok(digest) => Ok(digest),
        Err(_) if call.cancel.is_cancelled() => Err(crate::call::Cancelled.into()),
        Err(_) => Ok(None),
    }
}

fn overwritten_pin(standing: &Standing, copy: &Installed, tree: Digest) -> Option<Problem> {
    let pin = standing.pin()?;
    let same = copy.version == pin.version && pin.tree_digest.is_none_or(|digest| digest == tree);
    (!same).then(|| {
        let text = format!(
            "another program replaced the pinned version {} of `{}` by {}",
            pin.version, copy.id, copy.version
        );
        drift(copy, text)
    })
}

/// Whether this very content was brought before over a foreign copy.
fn was_repaired(standing: &Standing, offered: Digest) -> bool {
    standing.record.as_ref().is_some_and(|record| {
        record.repaired_from.is_some() && record.source_digest == Some(offered)
    })
}

fn drift(copy: &Installed, text: String) -> Problem {
    Problem::warning(ProblemKind::Drift, text).in_file(&copy.root)
}
