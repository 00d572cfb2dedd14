//! What every handler gets: the parts that use cases take as arguments, made once per process.

use std::sync::Arc;

use plugd_model::Environment;
use plugd_plugins::events::Events;
use plugd_plugins::{
    Activity, Blocking, ChangeWatch, Copies, CuratedSync, ExtraSkillRoots, Fetcher, Leases, Lookup,
    Parts, PluginWatch, Refresher, Remote, RemoteSync, SkillWatch, Sweeping,
};

use crate::app_server::Setup;

/// How many reading sections run at a time: more than some machines have cores, because they wait
/// for the disk; few enough that a flood of requests is no flood of threads.
const READS: usize = 4;
/// How many writing sections run at a time. They mostly wait: for copies to reach the disk, and for
/// locks of other processes.
const WRITES: usize = 8;

/// The parts. A use case gets only those that it names.
#[derive(Debug)]
pub(crate) struct Context {
    pub(crate) environment: Environment,
    pub(crate) blocking: Blocking,
    pub(crate) lookup: Lookup,
    pub(crate) copies: Copies,
    pub(crate) fetcher: Fetcher,
    pub(crate) refresher: Refresher,
    pub(crate) curated: CuratedSync,
    pub(crate) remote_sync: RemoteSync,
    pub(crate) events: Events,
    /// What the client of this process added.
    pub(crate) extra_skill_roots: ExtraSkillRoots,
    pub(crate) skill_watch: SkillWatch,
    pub(crate) change_watch: ChangeWatch,
    pub(crate) plugin_watch: PluginWatch,
    /// What the client of this process uses and nobody may change.
    pub(crate) leases: Leases,
    /// What a use case takes that needs most of them.
    pub(crate) parts: Parts,
}

impl Context {
    /// Makes the parts. Nothing is read and nothing is started.
    pub(crate) fn new(setup: Setup, events: Events, activity: Activity) -> Self {
        let Setup {
            environment,
            disk,
            layout,
            flags,
            sweeping,
        } = setup;
        let blocking = Blocking::new(READS, WRITES);
        let fetcher = Fetcher::new(&environment, &disk, &layout);
        let names = Arc::clone(&environment.names);
        let clock = Arc::clone(&environment.clock);
        let copies = Copies::new(disk.clone(), layout.clone(), names, Arc::clone(&clock));
        let copies = copies.telling(events.clone());
        if activity == Activity::Works && sweeping == Sweeping::Behind {
            copies.sweep_behind();
        }
        let lookup = Lookup::new(
            disk.clone(),
            Arc::new(layout.clone()),
            environment.home.clone(),
            Arc::new(flags),
            Remote::new(&environment, &layout, &copies),
            Arc::clone(&clock),
        );
        let skill_watch = match activity {
            Activity::Works => SkillWatch::new(&layout, disk, events.clone()),
            Activity::Rests => SkillWatch::off(&layout),
        };
        let change_watch = ChangeWatch::new(
            blocking.clone(),
            lookup.clone(),
            copies.clone(),
            events.clone(),
        );
        let plugin_watch =
            PluginWatch::new(blocking.clone(), lookup.clone(), copies.clone(), activity);
        let parts = Parts {
            blocking: blocking.clone(),
            lookup: lookup.clone(),
            copies: copies.clone(),
            fetcher: fetcher.clone(),
            events: events.clone(),
            clock,
        };
        let refresher = Refresher::new(parts.clone(), activity);
        let curated = CuratedSync::new(parts.clone(), refresher.clone(), activity);
        let remote_sync = RemoteSync::new(parts.clone(), activity);
        Self {
            environment,
            blocking,
            lookup,
            copies,
            fetcher,
            refresher,
            curated,
            remote_sync,
            events,
            extra_skill_roots: ExtraSkillRoots::default(),
            skill_watch,
            change_watch,
            plugin_watch,
            leases: Leases::new(),
            parts,
        }
    }
}
