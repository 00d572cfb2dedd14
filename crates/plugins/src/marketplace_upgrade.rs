//! `marketplace/upgrade`: brings git marketplaces to what their repositories have, and their
//! installed plugins with them; those that are one archive as well, by `packed_upgrade`.
//!
//! An unchanged repository costs one question. What changed is fetched and checked beside the old
//! checkout, which stays in use until the new one takes its place in one step. Marketplaces are
//! brought at the same time, and one that fails holds up nobody.

use std::collections::BTreeSet;
use std::sync::Arc;

use plugd_disk::tree::sync_tree;
use plugd_git::{CheckedOut, CommitId, Want};
use plugd_model::{AbsPath, MarketplaceName, Problem};
use plugd_store::Workspace;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::call::Call;
use crate::checkout::{self, Note};
use crate::events::{Change, ChangeReason, Events};
use crate::fetcher::{Repository, problems_of};
use crate::follow::{Elsewhere, Followed};
use crate::follow_elsewhere::Reach;
use crate::follow_together::follow_together;
use crate::listing::settings_of;
use crate::marketplace_add::{checkout_of, name_of};
use crate::refresh_far::follow_far;
use crate::source_text::GitSource;
use crate::status::{PluginOutcome, PluginResult};
use crate::upgrade_rows::{Far, Row, Rows};
use crate::{Blocking, Copies, Error, Fetcher, Lookup, Roots};

pub use plugd_git::History;

/// How many repositories are asked at the same time.
const AT_ONCE: usize = 4;

/// What became of the marketplaces and of their plugins.
#[derive(Debug, Default)]
pub struct Upgraded {
    /// The marketplaces that were looked at, by name.
    pub marketplaces: Vec<MarketplaceUpgrade>,
    /// The plugins of those that are not simply what they were.
    pub plugins: Vec<PluginResult>,
}

/// What became of one marketplace.
#[derive(Debug)]
pub struct MarketplaceUpgrade {
    /// Its name as it is configured.
    pub name: String,
    /// The commit that its checkout was at, or the digest of the archive that it was, as far as that
    /// was known.
    pub from: Option<String>,
    /// Where it is now, or why it is where it was.
    pub outcome: Result<Moved, Error>,
}

/// A marketplace that is at what its source has.
#[derive(Debug, Clone, PartialEq)]
pub struct Moved {
    /// Its files.
    pub root: AbsPath,
    /// The commit or digest.
    pub to: String,
    /// Whether its files changed.
    pub changed: bool,
    /// How the commit stands to the one before; absent when there was none or nothing changed.
    pub history: Option<History>,
    /// What is not as it should be and does no harm.
    pub problems: Vec<Problem>,
}

/// The parts that bringing a marketplace takes.
#[derive(Debug, Clone)]
pub(crate) struct Parts {
    pub(crate) call: Call,
    pub(crate) blocking: Blocking,
    pub(crate) lookup: Lookup,
    pub(crate) copies: Copies,
    pub(crate) fetcher: Fetcher,
}

/// Brings all configured marketplaces that come from other machines, or one.
///
/// # Errors
/// The named one is not configured as such a marketplace. What goes wrong with a single one is told in
/// its row.
pub async fn upgrade_marketplaces(
    call: &Call,
    blocking: &Blocking,
    lookup: &Lookup,
    copies: &Copies,
    fetcher: &Fetcher,
    events: &Events,
    name: Option<String>,
) -> Result<Upgraded, Error> {
    let parts = Parts {
        call: call.clone(),
        blocking: blocking.clone(),
        lookup: lookup.clone(),
        copies: copies.clone(),
        fetcher: fetcher.clone(),
    };
    let upgraded = bring(&parts, Rows::Configured(name)).await?;
    tell(events, &upgraded);
    Ok(upgraded)
}

/// Brings the configured marketplaces of which nothing is here, as after a home directory was set up
/// from a copied configuration, except for those that are to be left. Plugins are not looked at: the
/// refresh that asks does so next.
pub(crate) async fn bring_missing(
    call: &Call,
    blocking: &Blocking,
    lookup: &Lookup,
    copies: &Copies,
    fetcher: &Fetcher,
    leave: BTreeSet<String>,
) -> Result<Vec<MarketplaceUpgrade>, Error> {
    let parts = Parts {
        call: call.clone(),
        blocking: blocking.clone(),
        lookup: lookup.clone(),
        copies: copies.clone(),
        fetcher: fetcher.clone(),
    };
    let mut rows = parts.rows(Rows::Missing).await?;
    rows.retain(|row| !leave.contains(&row.name));
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    Ok(parts.each(rows).await)
}

async fn bring(parts: &Parts, which: Rows) -> Result<Upgraded, Error> {
    let rows = parts.rows(which).await?;
    let marketplaces = parts.each(rows).await;
    parts.call.cancel.check()?;
    // Also where nothing moved: a plugin may have been left behind the last time, or live elsewhere.
    let brought: BTreeSet<String> = marketplaces
        .iter()
        .filter(|row| row.outcome.is_ok())
        .map(|row| row.name.clone())
        .collect();
    let mut plugins = match brought.is_empty() {
        true => Vec::new(),
        false => parts.plugins_of(brought).await?,
    };
    plugins.retain(|result| result.outcome != PluginOutcome::Unchanged);
    Ok(Upgraded {
        marketplaces,
        plugins,
    })
}

fn tell(events: &Events, upgraded: &Upgraded) {
    let mut change = Change::new(ChangeReason::Sync);
    for row in &upgraded.marketplaces {
        let (Ok(moved), Ok(name)) = (&row.outcome, MarketplaceName::new(&row.name)) else {
            continue;
        };
        if moved.changed {
            change = match moved.history {
                Some(History::Rewritten) => change.rewritten(name),
                _ => change.marketplace(name),
            };
        }
    }
    for result in &upgraded.plugins {
        if result.outcome.is_new_copy() {
            change = change.plugin(result.id.clone());
        }
    }
    // A change that names nothing would say that everything may have changed.
    if !change.is_everything() {
        events.changed(change);
    }
}

impl Parts {
    /// The same for one marketplace or plugin, which can be given up as long as nothing of it is
    /// done, whatever became of the others.
    fn part(&self) -> Self {
        Self {
            call: self.call.part(),
            ..self.clone()
        }
    }

    /// Brings each of them, a few at the same time, and answers in their order.
    async fn each(&self, rows: Vec<Row>) -> Vec<MarketplaceUpgrade> {
        let turns = Arc::new(Semaphore::new(AT_ONCE));
        let mut tasks = JoinSet::new();
        let names: Vec<String> = rows.iter().map(|row| row.name.clone()).collect();
        for row in rows {
            let (parts, turns) = (self.clone(), Arc::clone(&turns));
            tasks.spawn(async move {
                // The semaphore is never closed.
                let _turn = turns.acquire().await;
                parts.part().one(row).await
            });
        }
        let mut done = Vec::new();
        while let Some(joined) = tasks.join_next().await {
            match joined {
                Ok(upgrade) => done.push(upgrade),
                Err(error) => tracing::error!("bringing a marketplace ended early: {error}"),
            }
        }
        for name in names {
            if !done.iter().any(|upgrade| upgrade.name == name) {
                done.push(MarketplaceUpgrade {
                    name,
                    from: None,
                    outcome: Err(Error::Panicked {
                        text: "the task ended early".to_owned(),
                    }),
                });
            }
        }
        done.sort_by(|one, other| one.name.cmp(&other.name));
        done
    }

    async fn one(&self, row: Row) -> MarketplaceUpgrade {
        let Row { name, source } = row;
        let source = match source {
            Far::Git(source) => source,
            Far::Packed(origin) => return self.one_packed(name, origin).await,
        };
        let row = GitRow {
            name: name.clone(),
            source,
        };
        let before = self.before(&row).await;
        let (from, outcome) = match before {
            Ok((place, note)) => {
                let from = note.as_ref().and_then(|note| note.revision.clone());
                (from, self.upgrade(row, place, note).await)
            }
            Err(error) => (None, Err(error)),
        };
        MarketplaceUpgrade {
            name,
            from,
            outcome,
        }
    }

    /// What there is, and whether the row may be followed at all.
    async fn before(&self, row: &GitRow) -> Result<(AbsPath, Option<Note>), Error> {
        let (lookup, row) = (self.lookup.clone(), row.clone());
        let section = self.blocking.read(move || {
            let name = MarketplaceName::new(&row.name).map_err(|error| Error::BadValue {
                field: "marketplaceName",
                reason: error.to_string(),
            })?;
            let requirements = lookup.config(None);
            let verdict = requirements
                .requirements()
                .allows(&row.name, &row.source.row());
            verdict.map_err(|problem| Error::Policy {
                problem: Box::new(problem),
            })?;
            let place = lookup.layout().git_marketplace(&name);
            // A checkout that cannot be used is as good as none.
            let usable = name_of(&lookup, &place).is_ok_and(|found| found == name);
            let note = usable.then(|| Note::read(lookup.disk(), &place)).flatten();
            Ok((place, note))
        });
        section.await
    }

    async fn upgrade(
        &self,
        row: GitRow,
        place: AbsPath,
        note: Option<Note>,
    ) -> Result<Moved, Error> {
        let (call, lookup) = (&self.call, &self.lookup);
        let repository = row.source.repository()?;
        let commit = self.fetcher.head(call, lookup, &repository).await?;
        let is_there = |note: &Note| note.is(&row.source, commit.as_str());
        if note.as_ref().is_some_and(is_there) {
            return Ok(Moved::nowhere(place, commit.as_str()));
        }
        let copies = self.copies.clone();
        let workspace = self.blocking.write(move || copies.workspace()).await?;
        let staged = workspace.dir().join("checkout");
        let mut wanted = checkout_of(&staged, &row.source);
        // Another repository, or another ref of it, has no history with what is here.
        wanted.since = note
            .filter(|note| note.source.as_ref() == Some(&row.source))
            .and_then(|note| CommitId::new(&note.revision?));
        let exact = Repository {
            want: Want::of_commit(commit.as_str()).map_err(|source| Error::BadWant { source })?,
            ..repository
        };
        let obtained = self.fetcher.obtain(call, lookup, &exact, &wanted).await;
        let (call, lookup) = (call.clone(), lookup.clone());
        // Also after a failure: what lies in the workspace is removed where the disk may be waited
        // for.
        let section = self.blocking.write(move || {
            let arrived = Arrived {
                row,
                workspace,
                staged,
                place,
                had_one: wanted.since.is_some(),
                checked_out: obtained?,
            };
            arrived.settle(&call, &lookup)
        });
        section.await
    }

    /// Takes the plugins of marketplaces that moved along.
    async fn plugins_of(&self, names: BTreeSet<String>) -> Result<Vec<PluginResult>, Error> {
        let parts = self.clone();
        let section = self.blocking.write(move || Ok(parts.plugins_here(&names)));
        let (mut results, elsewhere) = section.await?;
        let reach = Reach {
            blocking: &self.blocking,
            lookup: &self.lookup,
            copies: &self.copies,
            fetcher: &self.fetcher,
        };
        let wanted = elsewhere.into_iter().map(|asked| (Roots::default(), asked));
        let came = follow_far(|| self.call.part(), reach, wanted.collect(), |_| {});
        results.extend(came.await);
        results.sort_by(|one, other| one.id.cmp(&other.id));
        Ok(results)
    }

    fn plugins_here(&self, names: &BTreeSet<String>) -> (Vec<PluginResult>, Vec<Elsewhere>) {
        let resolved = self.lookup.resolve(&Roots::default());
        let settings = settings_of(resolved.scopes.iter().map(|sight| &*sight.config), None);
        let (mut results, mut elsewhere) = (Vec::new(), Vec::new());
        let ids = settings
            .keys()
            .filter(|id| names.contains(id.marketplace.as_str()));
        let plugins = ids.map(|id| ((), id.clone(), self.call.part()));
        let at = (&self.lookup, &self.copies, &resolved);
        for ((), followed) in follow_together(at, plugins) {
            match followed {
                Followed::Nothing => {}
                Followed::Result(result) => results.push(result),
                Followed::Elsewhere(asked) => elsewhere.push(asked),
            }
        }
        (results, elsewhere)
    }
}

/// A configured git marketplace.
#[derive(Debug, Clone)]
struct GitRow {
    name: String,
    source: GitSource,
}

/// A new checkout that nobody sees yet.
struct Arrived {
    row: GitRow,
    workspace: Workspace,
    staged: AbsPath,
    place: AbsPath,
    /// Whether the commit before is known.
    had_one: bool,
    checked_out: CheckedOut,
}

impl Arrived {
    /// Checks the checkout and gives it its place.
    fn settle(self, call: &Call, lookup: &Lookup) -> Result<Moved, Error> {
        let Self {
            row,
            workspace,
            staged,
            place,
            had_one,
            checked_out,
        } = self;
        call.progress.report("checking", 0, None);
        let (disk, commit) = (lookup.disk(), &checked_out.commit);
        let found = checkout::name_of(lookup, &staged, &row.source)?;
        if found.as_str() != row.name {
            return Err(Error::Renamed {
                name: row.name,
                found: found.to_string(),
            });
        }
        let at = checked_out.committed_at;
        checkout::write_note(disk, &staged, &row.source, commit.as_str(), at)?;
        sync_tree(disk, &staged)?;
        call.progress.report("activating", 0, None);
        let _lock = checkout::lock(call, lookup)?;
        if !is_configured(lookup, &row) {
            return Err(Error::NotConfigured {
                name: row.name,
                other_case: None,
            });
        }
        // Another process may have been faster.
        let now = Note::read(disk, &place);
        if now.is_some_and(|note| note.is(&row.source, commit.as_str()))
            && name_of(lookup, &place).is_ok()
        {
            return Ok(Moved::nowhere(place, commit.as_str()));
        }
        if let Ok(name) = MarketplaceName::new(&row.name) {
            lookup.claims().marketplace(name);
        }
        checkout::put(disk, &workspace, &staged, &place)?.keep();
        Ok(Moved {
            changed: true,
            history: had_one.then_some(checked_out.history),
            problems: problems_of(&checked_out),
            ..Moved::nowhere(place, commit.as_str())
        })
    }
}

impl Moved {
    /// It was there already.
    pub(crate) fn nowhere(root: AbsPath, to: &str) -> Self {
        Self {
            root,
            to: to.to_owned(),
            changed: false,
            history: None,
            problems: Vec::new(),
        }
    }
}

/// Whether the row is still there as it was read.
fn is_configured(lookup: &Lookup, row: &GitRow) -> bool {
    let config = lookup.config(None);
    config.marketplaces().iter().any(|found| {
        found.key == row.name && GitSource::of_row(&found.kind).as_ref() == Some(&row.source)
    })
}
