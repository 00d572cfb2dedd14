//! `hooks/list`: the hooks of the configuration and of plugins that can run, and whether they may.

use std::collections::BTreeMap;

use plugd_components::{HookDeclaration, Placeholders, Platform};
use plugd_config::{Snapshot, TrustHold};
use plugd_disk::tree::Digest;
use plugd_model::{AbsPath, PluginId, Problem, ProblemKind, error_chain};

use crate::active::{ActivePlugin, active_plugins};
use crate::call::Call;
use crate::component_trust::held_copies;
use crate::hook_layers::{LayerHook, layer_hooks};
use crate::hook_trust::{Before, Claim, HookTrust, Witnesses, judge};
use crate::hook_witnesses::{self, Renewed};
use crate::skills_list::installed_copies;
use crate::{Blocking, Copies, Error, Lookup};

/// In a second.
const NANOSECONDS: i128 = 1_000_000_000;

/// A hook that can run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HookRow {
    /// What is declared.
    pub declaration: HookDeclaration,
    /// The plugin.
    pub plugin: PluginId,
    /// The file it stands in.
    pub file: AbsPath,
    /// The command with the plugin's directories put in; `None` for what runs no command.
    pub command: Option<String>,
    /// Whether the configuration leaves it on.
    pub enabled: bool,
    /// The digest of the declaration, by which it is trusted.
    pub hash: Digest,
    /// Whether it is trusted.
    pub trust: HookTrust,
}

/// The hooks as seen from one directory.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct HooksSeen {
    /// Those of the configuration: layer by layer, then as declared. They come first.
    pub layers: Vec<LayerHook>,
    /// Those of plugins: by plugin id, then as declared.
    pub hooks: Vec<HookRow>,
    /// What was left out or is unusual, and why.
    pub problems: Vec<Problem>,
    /// What is wrong with files of the configuration.
    pub errors: Vec<Problem>,
}

/// Lists the hooks as seen from each of these directories. What trusted hooks' plugins hold is
/// remembered when it is seen for the first time.
///
/// # Errors
/// The store cannot be read, or the request was cancelled.
pub async fn hooks(
    call: &Call,
    blocking: &Blocking,
    lookup: &Lookup,
    copies: &Copies,
    cwds: Vec<AbsPath>,
) -> Result<Vec<HooksSeen>, Error> {
    let (call, lookup, copies) = (call.clone(), lookup.clone(), copies.clone());
    blocking
        .list(move || {
            let mut trust = Trust::load(&call, &lookup, &copies);
            let installed = installed_copies(&copies)?;
            let mut seen = Vec::new();
            for cwd in &cwds {
                call.cancel.check()?;
                let config = lookup.config(Some(cwd));
                let active = active_plugins(&lookup, &installed, &config);
                let mut hooks = hooks_seen(&lookup, &config, &active.plugins, &mut trust);
                let broken = active.problems.into_iter().map(|(_, problem)| problem);
                let of_layers = layer_hooks(&lookup, &config);
                hooks
                    .problems
                    .splice(0..0, of_layers.problems.into_iter().chain(broken));
                hooks.layers = of_layers.hooks;
                hooks.errors = of_layers.errors;
                seen.push(hooks);
            }
            call.cancel.check()?;
            let unsaved = trust.save();
            for hooks in &mut seen {
                hooks.problems.extend(unsaved.clone());
            }
            Ok(seen)
        })
        .await
}

/// Lets trust that was written anew count for what plugins hold now.
pub(crate) fn renew(call: &Call, lookup: &Lookup, copies: &Copies, renewed: &Renewed) {
    if renewed.is_empty() {
        return;
    }
    if let Err(error) = hook_witnesses::forget(lookup.disk(), lookup.layout(), renewed) {
        tracing::warn!(
            "what hooks were trusted with is not forgotten: {}",
            error_chain(&error)
        );
        return;
    }
    let Ok(installed) = installed_copies(copies) else {
        return;
    };
    let config = lookup.config(None);
    let active = active_plugins(lookup, &installed, &config);
    let mut trust = Trust::load(call, lookup, copies).given_now();
    hooks_seen(lookup, &config, &active.plugins, &mut trust);
    trust.save();
}

/// What is known and what is new about trusted hooks, during one request.
pub(crate) struct Trust<'a> {
    call: &'a Call,
    lookup: &'a Lookup,
    copies: &'a Copies,
    known: Witnesses,
    before: Witnesses,
    /// When the configuration was written last, in nanoseconds since the epoch; `None` when the
    /// trust is this moment's, so that nothing can have come in between.
    written: Option<i128>,
}

impl<'a> Trust<'a> {
    /// Reads what is remembered.
    pub(crate) fn load(call: &'a Call, lookup: &'a Lookup, copies: &'a Copies) -> Self {
        let known = hook_witnesses::load(lookup.disk(), lookup.layout());
        Self {
            call,
            lookup,
            copies,
            before: known.clone(),
            known,
            written: match lookup.disk().stamp(&lookup.layout().user_config()) {
                Ok(Some(stamp)) => Some(stamp.modified_ns),
                _ => None,
            },
        }
    }

    /// For trust that the user gives right now, for what is there now.
    fn given_now(mut self) -> Self {
        self.written = None;
        self
    }

    /// Whether something came between the trust and this copy. Who wrote the trust also wrote the
    /// configuration, so what was installed after the last writing was installed after the trust.
    fn between(&self, plugin: &ActivePlugin, content: Option<Digest>) -> Before {
        let (Some(written), Some(record)) = (self.written, plugin.copy.provenance_record()) else {
            return Before::Same;
        };
        let is_newer = i128::from(record.installed_at) * NANOSECONDS > written;
        match is_newer || content.is_some_and(|content| content != record.tree_digest) {
            true => Before::Changed,
            false => Before::Same,
        }
    }

    /// Remembers what was seen for the first time. When that fails nothing is lost but the memory:
    /// the next request meets it for the first time again, and this is told.
    pub(crate) fn save(self) -> Option<Problem> {
        let is_new = |(key, witness): &(&String, &_)| self.before.get(*key) != Some(*witness);
        let new = self.known.iter().filter(is_new);
        let new: Witnesses = new.map(|(key, one)| (key.clone(), one.clone())).collect();
        if new.is_empty() {
            return None;
        }
        let (disk, layout) = (self.lookup.disk(), self.lookup.layout());
        let saved = self
            .copies
            .prepare_state()
            .and_then(|()| hook_witnesses::add(disk, layout, &new).map_err(Error::from));
        let error = saved.err()?;
        let text = format!(
            "what trusted hooks run cannot be remembered, so a change of it would not be noticed: {}",
            error_chain(&error)
        );
        Some(Problem::warning(ProblemKind::Unreadable, text).in_file(&layout.hook_contents()))
    }

    /// Whether a hook of a plugin with this content is trusted.
    fn of(
        &mut self,
        config: &Snapshot,
        plugin: &ActivePlugin,
        key: &str,
        declaration: &Digest,
        content: &mut Content<'_>,
    ) -> HookTrust {
        let state = config.hook_states().iter().find(|state| state.key == key);
        let claim = Claim::of(state, declaration);
        let content = match claim {
            Claim::Trusted(_) => content.digest(self.call, self.copies),
            Claim::None | Claim::Other => None,
        };
        let before = self.between(plugin, content);
        judge(key, claim, content, before, &mut self.known)
    }
}

/// What a plugin holds, read once and only when somebody trusts one of its hooks.
struct Content<'a> {
    root: &'a AbsPath,
    read: Option<Result<Digest, Problem>>,
}

impl Content<'_> {
    fn digest(&mut self, call: &Call, copies: &Copies) -> Option<Digest> {
        let root = self.root;
        let read = || -> Result<Digest, Problem> {
            let unreadable = |text: String| {
                let text = format!("what its hooks run cannot be read, so none is trusted: {text}");
                Problem::error(ProblemKind::Unreadable, text).in_file(root)
            };
            let store = copies
                .store()
                .map_err(|error| unreadable(error_chain(&error)))?;
            let digest = store.whole_digest(root, call);
            digest.map_err(|error| unreadable(error_chain(&error)))
        };
        self.read.get_or_insert_with(read).as_ref().ok().copied()
    }
}

/// The hooks of these plugins that can run.
pub(crate) fn hooks_seen(
    lookup: &Lookup,
    config: &Snapshot,
    plugins: &[ActivePlugin],
    trust: &mut Trust<'_>,
) -> HooksSeen {
    let mut seen = HooksSeen::default();
    if !config.features().hooks || config.requirements().managed_hooks_only() {
        return seen;
    }
    let held = match trust.copies.store() {
        Ok(store) => held_copies(trust.call, lookup, store, config, plugins),
        Err(_) => BTreeMap::new(),
    };
    for plugin in plugins {
        let is_held = held
            .get(plugin.id())
            .is_some_and(|held| held.holds(TrustHold::Hooks));
        let (id, root) = (plugin.id(), &plugin.copy.root);
        let declared = plugd_components::hooks(lookup.disk(), root, &plugin.manifest.value, id);
        seen.problems.extend(declared.problems);
        let places = Placeholders {
            plugin_root: root.clone(),
            plugin_data: lookup.layout().data_dir(id),
        };
        let mut content = Content { root, read: None };
        for declaration in declared.items {
            let Some(hash) = declaration.declaration_hash() else {
                continue;
            };
            if declaration.obstacle().is_some() {
                continue;
            }
            let key = &declaration.key;
            let state = config.hook_states().iter().find(|state| state.key == *key);
            seen.hooks.push(HookRow {
                plugin: id.clone(),
                file: declaration.file.clone().unwrap_or_else(|| root.clone()),
                command: declaration.command_text(&places, Platform::current()),
                enabled: state.is_none_or(|state| state.enabled),
                trust: match is_held {
                    // Whatever the configuration says of its declaration.
                    true => HookTrust::Untrusted,
                    false => trust.of(config, plugin, key, &hash, &mut content),
                },
                hash,
                declaration,
            });
        }
        if let Some(Err(problem)) = content.read {
            seen.problems.push(problem);
        }
    }
    seen
}
