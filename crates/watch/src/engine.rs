//! The thread that watches.
//!
//! One loop with one kind of step at a time: replace the roots, tell what was seen, or look at
//! stamps. Everything it knows it owns; others reach it only through the shared state.
//!
//! Invariants:
//! - Before a root is told, its directories are watched anew where they changed. So what happens
//!   after somebody has read because of the hint is told again.
//! - The thread sleeps until a message, the end of the debounce or the next look.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::thread;
use std::time::Instant;

use plugd_disk::Disk;

use crate::board::{Board, Hint};
use crate::fallback::Fallback;
use crate::head::Head;
use crate::native::{NEW_WATCHES_INTERRUPT, Start};
use crate::plan::Plan;
use crate::routes::Routes;
use crate::shared::{News, RootId, Shared};
use crate::sweep::{Progress, Sweep};
use crate::watches::Watches;
use crate::{Exclusions, Mechanism, WatchOptions, WatchRoot};

/// How often the directories of a root are looked through until nothing has come while they were
/// being watched. A tree that keeps changing is looked through again after the debounce.
const ROUNDS: u32 = 4;

/// Everything the thread owns.
pub(crate) struct Engine {
    options: WatchOptions,
    disk: Disk,
    shared: Arc<Shared>,
    board: Arc<Board>,
    watches: Watches,
    /// The exclusions with their places as the system spells them.
    exclusions: Exclusions,
    roots: BTreeMap<RootId, Watched>,
    next_id: RootId,
    /// Which request for roots was carried out last.
    seen: u64,
    next_look: Instant,
    /// The polled root that the next look begins with.
    turn: RootId,
}

/// One root.
struct Watched {
    root: WatchRoot,
    how: How,
}

/// How changes of a root are noticed.
enum How {
    /// The system tells.
    Told(Plan),
    /// Stamps are compared.
    Polled(Sweep),
}

/// The next thing to do.
enum Work {
    End,
    Roots(BTreeSet<WatchRoot>),
    News(News),
    Look,
}

impl Engine {
    pub(crate) fn new(
        options: WatchOptions,
        disk: Disk,
        start: Start,
        shared: Arc<Shared>,
        board: Arc<Board>,
    ) -> Self {
        Self {
            watches: Watches::new(start, Arc::clone(&shared)),
            next_look: Instant::now() + options.poll_interval,
            exclusions: Exclusions::none(),
            roots: BTreeMap::new(),
            next_id: 0,
            seen: 0,
            turn: 0,
            options,
            disk,
            shared,
            board,
        }
    }

    /// Watches until there are no roots, or nobody who wants to know.
    pub(crate) fn run(mut self) {
        loop {
            match self.next_work() {
                Work::End => return,
                Work::Roots(wanted) => self.replace(&wanted),
                Work::News(news) => self.publish(&news),
                Work::Look => self.look(),
            }
        }
    }

    fn next_work(&mut self) -> Work {
        let shared = Arc::clone(&self.shared);
        let mut state = shared.lock();
        loop {
            if state.ending {
                state.running = false;
                return Work::End;
            }
            if state.asked != self.seen {
                self.seen = state.asked;
                if state.wanted.is_empty() {
                    // Said under the lock, so that the next caller starts a new thread.
                    state.running = false;
                    state.routes = Routes::default();
                    state.news = News::default();
                    self.board.place(self.seen);
                    return Work::End;
                }
                return Work::Roots(state.wanted.clone());
            }
            let now = Instant::now();
            let due = state
                .news
                .due(self.options.debounce, self.options.max_delay);
            if due.is_some_and(|due| due <= now) {
                return Work::News(std::mem::take(&mut state.news));
            }
            if self.next_look <= now {
                return Work::Look;
            }
            let until = due.map_or(self.next_look, |due| due.min(self.next_look));
            state = shared.wait(state, until - now);
        }
    }

    fn replace(&mut self, wanted: &BTreeSet<WatchRoot>) {
        self.exclusions = self.options.exclusions.resolved(&self.disk);
        self.roots
            .retain(|_, watched| wanted.contains(&watched.root));
        self.board.retain(wanted);
        self.tidy();
        let known: BTreeSet<_> = self.roots.values().map(|one| one.root.clone()).collect();
        let mut fresh = Vec::new();
        for root in wanted.difference(&known) {
            fresh.push(self.next_id);
            let watched = Watched {
                root: root.clone(),
                how: How::Polled(Sweep::default()),
            };
            self.roots.insert(self.next_id, watched);
            self.next_id += 1;
        }
        self.arrange(&fresh);
        self.board.place(self.seen);
    }

    /// Tells what was seen.
    fn publish(&mut self, news: &News) {
        if news.overflow {
            self.watches.reset();
            self.arrange(&self.told());
            self.board.tell(Hint::Everything);
            return;
        }
        let forgotten = self.watches.forget(&news.gone);
        let mut hinted: BTreeSet<RootId> = news.roots.keys().copied().collect();
        let mut unarranged = Vec::new();
        for (&id, watched) in &mut self.roots {
            let How::Told(plan) = &mut watched.how else {
                continue;
            };
            let lost = plan.watches().any(|(dir, ..)| forgotten.contains(dir));
            let shape = news.roots.get(&id).copied();
            if lost || shape == Some(true) {
                hinted.insert(id);
                unarranged.push(id);
            } else if shape.is_some() {
                let head = Head::find(&self.disk, &watched.root);
                if head.way != plan.head.way || head.tree != plan.head.tree {
                    unarranged.push(id);
                }
                plan.head = head;
            }
        }
        self.arrange(&unarranged);
        let watched = hinted.iter().filter_map(|id| self.roots.get(id));
        let paths = watched.map(|watched| watched.root.path.clone()).collect();
        self.board.tell(Hint::Roots(paths));
    }

    /// Looks at stamps: of polled roots at a piece of each, of the others at the way to them.
    fn look(&mut self) {
        self.next_look = Instant::now() + self.options.poll_interval;
        let mut changed = Vec::new();
        let mut polled = Vec::new();
        for (&id, watched) in &self.roots {
            match &watched.how {
                How::Told(plan) if plan.head != Head::find(&self.disk, &watched.root) => {
                    changed.push((id, true));
                }
                How::Told(_) => {}
                How::Polled(_) => polled.push(id),
            }
        }
        let first = polled.partition_point(|&id| id < self.turn);
        let first = first % polled.len().max(1);
        polled.rotate_left(first);
        let mut left = self.options.max_polled.max(1);
        for id in polled {
            if left == 0 {
                break;
            }
            // The one that is not finished, or the one behind the last, comes first next time.
            self.turn = id;
            match self.compare(id, &mut left) {
                Progress::Unfinished => break,
                Progress::Same => self.turn += 1,
                Progress::Changed => {
                    self.turn += 1;
                    changed.push((id, false));
                }
            }
        }
        let mut state = self.shared.lock();
        for (id, shape) in changed {
            state.news.mark(id, shape);
        }
    }

    fn compare(&mut self, id: RootId, left: &mut usize) -> Progress {
        match self.roots.get_mut(&id) {
            Some(Watched {
                root,
                how: How::Polled(sweep),
            }) => sweep.step(&self.disk, root, &self.exclusions, left),
            _ => Progress::Same,
        }
    }

    fn told(&self) -> Vec<RootId> {
        let told = self.roots.iter();
        told.filter(|(_, watched)| matches!(watched.how, How::Told(_)))
            .map(|(&id, _)| id)
            .collect()
    }

    /// Has these roots watched as they are now.
    fn arrange(&mut self, ids: &[RootId]) {
        if ids.is_empty() {
            return;
        }
        let mut new = 0;
        for &id in ids {
            let Some(root) = self.roots.get(&id).map(|watched| watched.root.clone()) else {
                continue;
            };
            let how = match self.plan(id, &root, &mut new) {
                Ok(plan) => How::Told(plan),
                Err(reason) => How::Polled(self.fall_back(&root, &reason)),
            };
            self.roots.insert(id, Watched { root, how });
        }
        self.tidy();
        if !self.watches.work() {
            // The roots that are still thought to be told have to be arranged again.
            self.shared.overflow();
        }
        if NEW_WATCHES_INTERRUPT && new > 0 && self.told().len() > ids.len() {
            self.board.tell(Hint::Everything);
        }
    }

    /// Looks through a root and has it watched, until nothing comes in between.
    fn plan(&mut self, id: RootId, root: &WatchRoot, new: &mut usize) -> Result<Plan, Fallback> {
        if self.options.mechanism == Mechanism::Polling {
            return Err(Fallback::Chosen);
        }
        let others = self.roots.iter().filter(|(other, _)| **other != id);
        let used: usize = others.map(|(_, watched)| watched.dirs()).sum();
        let max_dirs = self.options.max_dirs.saturating_sub(used);
        let mut plan = Plan::make(&self.disk, root, &self.exclusions, max_dirs)?;
        for _ in 0..ROUNDS {
            if !plan.is_told(&self.disk) {
                return Err(Fallback::Silent);
            }
            // The routes come first: a message that finds no route is lost.
            self.shared.lock().routes.add(id, &plan);
            *new += self.watches.arm(&plan)?;
            let again = Plan::make(&self.disk, root, &self.exclusions, max_dirs)?;
            if again.needs_the_same(&plan) {
                return Ok(again);
            }
            plan = again;
        }
        self.shared.lock().news.mark(id, true);
        Ok(plan)
    }

    /// Notes why a root is polled, and takes the stamps to compare with.
    fn fall_back(&self, root: &WatchRoot, reason: &Fallback) -> Sweep {
        if let Some(problem) = reason.problem(root) {
            tracing::warn!(root = %root.path, reason = %problem.message, "a root is polled");
            self.board.note(root, problem);
        }
        let mut sweep = Sweep::default();
        while !sweep.has_base() && !self.shared.lock().ending {
            let mut left = self.options.max_polled.max(1);
            sweep.step(&self.disk, root, &self.exclusions, &mut left);
        }
        sweep
    }

    /// Ends the watches and routes that no root needs. The watches go first: a message about one
    /// without a route could not be told apart from one that concerns nobody.
    fn tidy(&mut self) {
        let plans = || {
            let plans = self.roots.iter();
            plans.filter_map(|(&id, watched)| match &watched.how {
                How::Told(plan) => Some((id, plan)),
                How::Polled(_) => None,
            })
        };
        self.watches.keep(plans().map(|(_, plan)| plan));
        let mut routes = Routes::new(self.exclusions.clone());
        for (id, plan) in plans() {
            routes.add(id, plan);
        }
        self.shared.lock().routes = routes;
    }
}

impl Watched {
    fn dirs(&self) -> usize {
        match &self.how {
            How::Told(plan) => plan.len(),
            How::Polled(_) => 0,
        }
    }
}

impl Drop for Engine {
    /// After a panic nobody would ever be told anything, so the listener learns that.
    fn drop(&mut self) {
        if thread::panicking() {
            self.shared.lock().running = false;
            self.board.close();
        }
    }
}
