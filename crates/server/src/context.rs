//! What every handler gets: the parts that use cases take as arguments, made once per process.

use std::sync::Arc;

use plugd_disk::Disk;
use plugd_model::{Environment, Layout};
use plugd_plugins::events::Events;
use plugd_plugins::{Blocking, Copies, Lookup, Refresher, SessionFlags};

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
    pub(crate) refresher: Refresher,
    pub(crate) events: Events,
}

impl Context {
    /// Makes the parts. Nothing is read and nothing is started.
    pub(crate) fn new(
        environment: Environment,
        layout: Layout,
        flags: SessionFlags,
        events: Events,
        follow: Follow,
    ) -> Self {
        let blocking = Blocking::new(READS, WRITES);
        let lookup = Lookup::new(
            Disk::new(),
            Arc::new(layout.clone()),
            environment.home.clone(),
            Arc::new(flags),
        );
        let names = Arc::clone(&environment.names);
        let clock = Arc::clone(&environment.clock);
        let copies = Copies::new(Disk::new(), layout, names, Arc::clone(&clock));
        let parts = (
            blocking.clone(),
            lookup.clone(),
            copies.clone(),
            events.clone(),
        );
        let refresher = match follow {
            Follow::Sources => Refresher::new(parts.0, parts.1, parts.2, parts.3, clock),
            Follow::Nothing => Refresher::switched_off(parts.0, parts.1, parts.2, parts.3, clock),
        };
        Self {
            environment,
            blocking,
            lookup,
            copies,
            refresher,
            events,
        }
    }
}

/// Whether installed plugins follow their sources in the background.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Follow {
    /// A daemon does that.
    Sources,
    /// A command does what it is told and nothing else.
    Nothing,
}
