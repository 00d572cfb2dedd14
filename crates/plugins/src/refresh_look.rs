//! What one request for a refresh looked at, and the plugins that nobody has taken yet.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use plugd_model::PluginId;

use crate::call::Call;
use crate::listing::settings_of;
use crate::lookup::Resolved;
use crate::waits::Waits;
use crate::{Lookup, Roots};

/// Handed out plugin by plugin, to several at a time.
pub(crate) struct Looked {
    call: Call,
    pub(crate) roots: Roots,
    pub(crate) resolved: Resolved,
    left: Mutex<BTreeMap<usize, PluginId>>,
}

impl Looked {
    /// A look that finds all plugins that are configured where the request looks.
    pub(crate) fn new(call: Call, lookup: &Lookup, roots: Roots) -> Self {
        let resolved = lookup.resolve(&roots);
        let settings = settings_of(resolved.scopes.iter().map(|sight| &*sight.config), None);
        let left = settings.keys().cloned().enumerate().collect();
        Self {
            call,
            roots,
            resolved,
            left: Mutex::new(left),
        }
    }

    /// The next plugin with its place among all. It has a call of its own, and a patience: what is sealed
    /// for one cannot be stopped, and the others can. None when everything stops.
    pub(crate) fn next(&self) -> Option<(usize, PluginId, Call)> {
        let mut left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        let call = Call {
            waits: Waits::new(),
            ..self.call.part()
        };
        call.cancel.check().ok()?;
        let (number, id) = left.pop_first()?;
        Some((number, id, call))
    }
}
