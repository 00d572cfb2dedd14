//! What of installed plugins a host is not given, because nobody has approved it.
//!
//! A copy that was here before somebody asked keeps its files: other programs use them, and nothing is
//! disabled by itself. But what this program hands to a host of its own is what is trusted or approved,
//! and that goes by what is on the disk now: a copy that was changed is asked about again.

use std::collections::{BTreeMap, BTreeSet};

use plugd_config::{Snapshot, TrustHold};
use plugd_disk::tree::Digest;
use plugd_marketplace::Binding;
use plugd_model::{PluginId, Source};
use plugd_store::Store;

use crate::Lookup;
use crate::active::ActivePlugin;
use crate::binding;
use crate::call::Call;
use crate::trust::{TrustReason, Word};
use crate::trust_gate::{Gate, Whence};

/// A copy of which something is held back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldCopy {
    /// Why.
    pub reason: TrustReason,
    /// What has to be approved; nothing when it cannot be read.
    pub digest: Option<Digest>,
    /// What is held back.
    pub holds: BTreeSet<TrustHold>,
    /// The MCP servers that are left out, by name.
    pub mcp_servers: Vec<String>,
    /// The hooks that are left out, by key.
    pub hooks: Vec<String>,
    /// The apps that are left out, by id.
    pub apps: Vec<String>,
}

impl HeldCopy {
    /// Whether something is held back. Hooks and servers run the programs of their plugin, so they
    /// are held with them.
    #[must_use]
    pub fn holds(&self, what: TrustHold) -> bool {
        let runs = matches!(what, TrustHold::Hooks | TrustHold::McpServers);
        self.holds.contains(&what) || (runs && self.holds.contains(&TrustHold::Executables))
    }
}

/// The copies of which something is held back. A working tree is its author's own.
pub(crate) fn held_copies(
    call: &Call,
    lookup: &Lookup,
    store: &Store,
    config: &Snapshot,
    plugins: &[ActivePlugin],
) -> BTreeMap<PluginId, HeldCopy> {
    let mut held = BTreeMap::new();
    let gate = Gate::new(lookup, store, [config]);
    if gate.is_open() {
        return held;
    }
    // What an archive has said of itself trusts nobody, also when its copy is here by now; nor does what
    // a lock alone has named.
    let on_word_of_others = Gate::new(lookup, store, [config]).on_word_of(Word::Archive);
    let everything = BTreeSet::from(TrustHold::ALL);
    for plugin in plugins.iter().filter(|plugin| !plugin.is_linked) {
        let copy = &plugin.copy;
        let record = copy.provenance_record();
        // Nobody knows where the copy of another program is from.
        let nowhere = || (Binding::Manifest(copy.root.clone()), Source::Remote);
        let (bound, source) = record.map_or_else(nowhere, |record| {
            (binding::of_record(&record.bound), record.source.clone())
        });
        let from = Whence {
            id: plugin.id(),
            binding: &bound,
            source: &source,
        };
        let word = record.map_or(Word::Place, |record| Word::of_copy(record.by));
        let gate = match word {
            Word::Place => &gate,
            Word::Lock | Word::Archive => &on_word_of_others,
        };
        if gate.is_trusted(from) {
            continue;
        }
        let digest = store.tree_digest(copy, call).ok().map(|found| found.digest);
        let verdict = match &digest {
            Some(digest) => gate.of_copy(from, digest, &everything),
            // What cannot be read is nothing that somebody has approved.
            None => gate.of_copy(from, &Digest::of_bytes(&[]), &everything),
        };
        let Err(verdict) = verdict else {
            continue;
        };
        if !verdict.held.is_empty() {
            let copy = HeldCopy {
                reason: verdict.reason,
                digest,
                holds: verdict.held,
                mcp_servers: Vec::new(),
                hooks: Vec::new(),
                apps: Vec::new(),
            };
            held.insert(plugin.id().clone(), copy);
        }
    }
    held
}
