//! For tests: the parts of a home directory in a sandbox, without anything of the real one.

use std::sync::Arc;

use plugd_config::SessionFlags;
use plugd_disk::Disk;
use plugd_testkit::{Sandbox, test_environment};

use crate::{Copies, Lookup, Remote};

/// The lookup and the copies of a sandbox.
pub(crate) fn parts(sandbox: &Sandbox) -> (Lookup, Copies) {
    let (environment, layout) = (test_environment(sandbox), sandbox.layout());
    let names = Arc::clone(&environment.names);
    let clock = Arc::clone(&environment.clock);
    let copies = Copies::new(Disk::new(), layout.clone(), names, clock);
    let lookup = Lookup::new(
        Disk::new(),
        Arc::new(layout.clone()),
        environment.home.clone(),
        Arc::new(SessionFlags::none()),
        Remote::new(&environment, &layout, &copies),
    );
    (lookup, copies)
}

/// The lookup of a sandbox.
pub(crate) fn lookup(sandbox: &Sandbox) -> Lookup {
    parts(sandbox).0
}
