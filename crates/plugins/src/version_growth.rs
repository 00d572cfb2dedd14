//! What a new version of a plugin could do that the old one could not: what a user has to agree to
//! before an update that asks for it.
//!
//! Both sides are looked at as copies, the new one where it is staged. So what is confirmed by its
//! digest is to the byte what an update puts on the disk, with what an installation adds to it.

use plugd_components::{Categories, Category, Changes, Difference, InspectedFiles, Inspection};
use plugd_disk::tree::{Digest, Limits, TreePlan, file_digests};
use plugd_model::{AbsPath, PluginId, Problem, ProblemKind, error_chain};
use plugd_store::StoreError;

use crate::call::Call;
use crate::inspect::inspected;
use crate::{Error, Lookup};

/// What an update changes of what runs.
#[derive(Debug, Clone, PartialEq)]
pub struct Growth {
    /// Everything that differs.
    pub difference: Difference,
    /// The capabilities that are new or are something else: what a user would have to agree to.
    pub grew: Vec<Grown>,
    /// The digest of the new copy. Whoever confirms this one confirms exactly what was shown.
    pub digest: Digest,
    /// What could not be looked at as a whole, so that nobody can say whether it grew.
    pub unseen: Vec<Problem>,
    /// The files of the new copy that declare what runs and could not be read or understood.
    pub unread: Vec<String>,
}

/// One capability that is new or is something else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grown {
    /// What it is.
    pub category: Category,
    /// What it is called.
    pub name: String,
    /// What it was; nothing when it is new.
    pub from: Option<String>,
    /// What it is.
    pub to: String,
}

impl Growth {
    /// Compares two copies.
    ///
    /// # Errors
    /// One of them cannot be read.
    pub(crate) fn between(
        call: &Call,
        lookup: &Lookup,
        id: &PluginId,
        old: &AbsPath,
        new: (&AbsPath, Digest),
    ) -> Result<Self, Error> {
        Self::seen(call, lookup, id, Some(old), new).map(|(growth, _)| growth)
    }

    /// Compares a copy with what is there, which may be nothing, and tells what the copy holds.
    ///
    /// # Errors
    /// One of them cannot be read.
    pub(crate) fn seen(
        call: &Call,
        lookup: &Lookup,
        id: &PluginId,
        old: Option<&AbsPath>,
        new: (&AbsPath, Digest),
    ) -> Result<(Self, Inspection), Error> {
        let (before, files_before) = match old {
            Some(old) => look(call, lookup, id, old)?,
            None => (Inspection::nothing(), InspectedFiles::default()),
        };
        let (after, files_after) = look(call, lookup, id, new.0)?;
        let difference = before.difference(&after, Some((&files_before, &files_after)));
        let cut = before.cut.into_iter().chain(after.cut.iter().cloned());
        let mut unread: Vec<String> = after.unread.iter().map(|one| one.path.clone()).collect();
        unread.sort();
        unread.dedup();
        let growth = Self {
            grew: grown(&difference),
            difference,
            digest: new.1,
            unseen: cut
                .chain(unread.iter().map(|path| not_read(path)))
                .collect(),
            unread,
        };
        Ok((growth, after))
    }

    /// Nothing can be said, because one side cannot be read.
    pub(crate) fn unknown(digest: Digest, why: Problem) -> Self {
        Self {
            difference: Difference {
                changes: Categories::default(),
                files: (0, 0),
                bytes: (0, 0),
            },
            grew: Vec::new(),
            digest,
            unseen: vec![why],
            unread: Vec::new(),
        }
    }

    /// Whether somebody has to agree.
    #[must_use]
    pub fn asks(&self) -> bool {
        !self.grew.is_empty() || !self.unseen.is_empty()
    }
}

/// Why nothing can be said of a side.
pub(crate) fn unseen(error: &Error) -> Problem {
    let text = format!("what would change cannot be shown: {}", error_chain(error));
    Problem::warning(ProblemKind::Unreadable, text)
}

/// A declaration of which nobody can say what it would run.
fn not_read(path: &str) -> Problem {
    let text = format!("nobody can say what `{}` would run", path.escape_debug());
    Problem::warning(ProblemKind::Unreadable, text)
}

fn look(
    call: &Call,
    lookup: &Lookup,
    id: &PluginId,
    root: &AbsPath,
) -> Result<(Inspection, InspectedFiles), Error> {
    let failed = |source: StoreError| Error::Store {
        action: "look at",
        id: id.clone(),
        source: Box::new(source),
    };
    let inspection = inspected(lookup, id, root)?;
    let disk = lookup.disk();
    let plan = TreePlan::scan(disk, root, &Limits::INSTALL, &[], call);
    let plan = plan.map_err(|error| failed(error.into()))?;
    let digests = file_digests(disk, &plan, call).map_err(|error| failed(error.into()))?;
    Ok((inspection, InspectedFiles::of(&plan, &digests, |_| true)))
}

/// What of a difference makes a plugin able to do more: everything new that runs, reaches a server,
/// reads a variable or hides in a text, and a server or hook that does something else. Other code
/// behind a command that was there before is what an update is for; the difference shows it.
fn grown(difference: &Difference) -> Vec<Grown> {
    let mut grown = Vec::new();
    for (category, changes) in difference.changes.iter() {
        let (counts_new, counts_changed) = match category {
            Category::McpServer | Category::Hook | Category::App | Category::Hidden => (true, true),
            Category::Executable | Category::Environment => (true, false),
            Category::Text | Category::Licence | Category::Oddity | Category::OtherFile => {
                (false, false)
            }
        };
        let Changes { added, changed, .. } = changes;
        if counts_new {
            grown.extend(added.iter().map(|(name, to)| Grown {
                category,
                name: name.clone(),
                from: None,
                to: to.clone(),
            }));
        }
        if counts_changed {
            grown.extend(changed.iter().map(|change| Grown {
                category,
                name: change.name.clone(),
                from: Some(change.from.clone()),
                to: change.to.clone(),
            }));
        }
    }
    grown
}
