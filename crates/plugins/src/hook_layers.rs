//! The hooks of the configuration: those that belong to no plugin.
//!
//! Each layer that counts may have them in a `hooks.json` beside its file and in its table `hooks`.
//! A linked worktree has the hooks of the main checkout and none of its own, as in the reference, and
//! none where that is marked as untrusted.
//! What the administrator prescribes runs without anybody's trust, and his requirements may hold more
//! such hooks and say that there be no others; the rest is trusted by its declaration, as the hooks of
//! plugins are, and there is no content that could change behind it.

use plugd_components::{HookDeclaration, Platform, hooks_in_file, hooks_in_table};
use plugd_config::{HookPlace, Layer, LayerSource, Snapshot};
use plugd_disk::tree::Digest;
use plugd_model::{AbsPath, Problem, ProblemKind, Severity};
use serde_json::Value;

use crate::Lookup;
use crate::hook_trust::{Claim, HookTrust};

/// Beside the file of a layer.
const FILE: &str = "hooks.json";
const TABLE: &str = "hooks";
/// What stands for the file of flags, in keys and as a path; the reference calls it so.
const FLAGS: &str = "/<session-flags>/config.toml";

/// Whose configuration a hook stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HookLayer {
    /// The administrator's defaults and requirements.
    System,
    /// The user's.
    User,
    /// A trusted project's.
    Project,
    /// The flags of this process.
    Flags,
    /// What the administrator enforces.
    Managed,
}

impl HookLayer {
    fn of(source: &LayerSource) -> Self {
        match source {
            LayerSource::System => Self::System,
            LayerSource::User | LayerSource::Profile { .. } => Self::User,
            LayerSource::Project { .. } => Self::Project,
            LayerSource::SessionFlags => Self::Flags,
            LayerSource::Managed => Self::Managed,
        }
    }

    /// Whether the administrator prescribes it, so that nobody is asked.
    #[must_use]
    pub fn is_managed(self) -> bool {
        matches!(self, Self::System | Self::Managed)
    }
}

/// A hook of the configuration that can run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LayerHook {
    /// What is declared.
    pub declaration: HookDeclaration,
    /// Whose it is.
    pub layer: HookLayer,
    /// The file it stands in.
    pub file: AbsPath,
    /// The command as written; `None` for what runs no command.
    pub command: Option<String>,
    /// Whether the configuration leaves it on.
    pub enabled: bool,
    /// The digest of the declaration, by which it is trusted.
    pub hash: Digest,
    /// Whether it is trusted; means nothing where the administrator prescribes it.
    pub trust: HookTrust,
}

/// The hooks of a configuration.
#[derive(Debug, Default)]
pub(crate) struct LayerHooks {
    /// Layer by layer, the strongest last.
    pub(crate) hooks: Vec<LayerHook>,
    /// What was left out or is unusual in a file of hooks.
    pub(crate) problems: Vec<Problem>,
    /// What is wrong with files of the configuration.
    pub(crate) errors: Vec<Problem>,
}

/// Reads the hooks of every layer that counts.
pub(crate) fn layer_hooks(lookup: &Lookup, config: &Snapshot) -> LayerHooks {
    let mut seen = LayerHooks::default();
    if !config.features().hooks {
        return seen;
    }
    let requirements = config.requirements();
    if let Some((events, place)) = requirements.hooks() {
        seen.read_table(config, HookLayer::System, &events, &place);
    }
    let only_managed = requirements.managed_hooks_only();
    let counts = |layer: &&Layer| {
        let is_managed = HookLayer::of(&layer.source).is_managed();
        layer.disabled_reason.is_none() && (is_managed || !only_managed)
    };
    // A worktree may lie in its main checkout, whose hooks then stand in two layers under one key.
    let mut known: Vec<AbsPath> = Vec::new();
    let mut is_new = |file: &AbsPath| {
        let is_new = !known.contains(file);
        known.extend(is_new.then(|| file.clone()));
        is_new
    };
    for layer in config.layers().iter().filter(counts) {
        seen.errors.extend(layer.error.clone());
        let Some(file) = layer.hooks_file().or_else(|| AbsPath::new(FLAGS).ok()) else {
            continue;
        };
        let in_file = folder(layer).map(|folder| folder.join(FILE));
        let in_file = in_file.filter(&mut is_new);
        let before = seen.hooks.len();
        if let Some(path) = &in_file {
            let found = hooks_in_file(lookup.disk(), path);
            seen.problems.extend(found.problems);
            seen.take(config, HookLayer::of(&layer.source), path, found.items);
        }
        let between = seen.hooks.len();
        if let Some(table) = layer.at(&[TABLE]).filter(|_| is_new(&file)) {
            seen.read_table(config, HookLayer::of(&layer.source), &table, &file);
        }
        let has_both = before < between && between < seen.hooks.len();
        if let Some(path) = in_file.filter(|_| has_both) {
            let text =
                format!("hooks stand here and in `{file}` too; keep those of one layer together");
            let problem = Problem::warning(ProblemKind::Duplicate, text);
            seen.problems.push(problem.in_file(&path));
        }
    }
    seen
}

/// Whether a part of the configuration is not what it should be; a matcher that no host compiles is
/// well-formed there.
fn is_broken(problem: &Problem) -> bool {
    let is_matcher = |field: &String| field.ends_with(".matcher");
    problem.severity == Severity::Error && !problem.field.as_ref().is_some_and(is_matcher)
}

/// The directory of a layer that may hold a file of hooks.
fn folder(layer: &Layer) -> Option<AbsPath> {
    match &layer.source {
        LayerSource::System | LayerSource::User => layer.file.as_ref()?.parent(),
        LayerSource::Project { folder } => match &layer.hooks {
            HookPlace::Own => Some(folder.clone()),
            HookPlace::Main(of_main) => Some(of_main.clone()),
            HookPlace::Nowhere => None,
        },
        LayerSource::Profile { .. } | LayerSource::SessionFlags | LayerSource::Managed => None,
    }
}

impl LayerHooks {
    /// Reads the hooks of a table that stands in a file of the configuration.
    fn read_table(&mut self, config: &Snapshot, layer: HookLayer, table: &Value, file: &AbsPath) {
        let found = hooks_in_table(&table.to_string(), file);
        let (errors, problems): (Vec<_>, _) = found.problems.into_iter().partition(is_broken);
        self.errors.extend(errors);
        self.problems.extend(problems);
        self.take(config, layer, file, found.items);
    }

    fn take(
        &mut self,
        config: &Snapshot,
        layer: HookLayer,
        file: &AbsPath,
        declarations: Vec<HookDeclaration>,
    ) {
        for declaration in declarations {
            let Some(hash) = declaration.declaration_hash() else {
                continue;
            };
            if declaration.obstacle().is_some() {
                continue;
            }
            let state = config.hook_states().iter();
            let state = state.rev().find(|state| state.key == declaration.key);
            let trust = match Claim::of(state, &hash) {
                Claim::None => HookTrust::Untrusted,
                Claim::Other => HookTrust::Modified,
                Claim::Trusted(_) => HookTrust::Trusted,
            };
            let command = declaration.written_command(Platform::current());
            self.hooks.push(LayerHook {
                layer,
                file: file.clone(),
                command: command.map(str::to_owned),
                enabled: layer.is_managed() || state.is_none_or(|state| state.enabled),
                hash,
                trust,
                declaration,
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use plugd_testkit::Sandbox;
    use pretty_assertions::assert_eq;

    use super::{HookLayer, layer_hooks};
    use crate::fixture;

    #[test]
    fn what_the_administrator_prescribes_is_managed_and_cannot_be_switched_off() {
        let file = r#"{"hooks": {"Stop": [{"hooks": [{"type": "command", "command": "x"}]}]}}"#;
        let table = "[[hooks.Stop]]\n[[hooks.Stop.hooks]]\ntype = \"command\"\ncommand = \"x\"\n";
        let sandbox = Sandbox::new();
        sandbox.write("etc/hooks.json", file);
        sandbox.write("etc/managed_config.toml", table);
        sandbox.write("ch/hooks.json", file);
        let off =
            |file: &str| format!("[hooks.state.\"$ROOT/{file}:stop:0:0\"]\nenabled = false\n");
        let states = off("etc/hooks.json") + &off("ch/hooks.json");
        sandbox.write("ch/config.toml", sandbox.expand(&states));
        let lookup = fixture::lookup(&sandbox);
        let seen = layer_hooks(&lookup, &lookup.config(None));
        let rows = seen.hooks.iter().map(|hook| (hook.layer, hook.enabled));
        let expected = [
            (HookLayer::System, true),
            (HookLayer::User, false),
            (HookLayer::Managed, true),
        ];
        assert_eq!(rows.collect::<Vec<_>>(), expected);
        assert_eq!(
            expected.map(|(layer, _)| layer.is_managed()),
            [true, false, true]
        );
        assert_eq!((seen.problems, seen.errors), (Vec::new(), Vec::new()));
    }

    #[test]
    fn the_requirements_have_hooks_and_may_allow_no_others() {
        let table = "[[hooks.Stop]]\n[[hooks.Stop.hooks]]\ntype = \"command\"\ncommand = \"x\"\n";
        let sandbox = Sandbox::new();
        for file in [
            "etc/config.toml",
            "ch/config.toml",
            "etc/managed_config.toml",
        ] {
            sandbox.write(file, table);
        }
        let keys = |requirements: &str| {
            sandbox.write("etc/requirements.toml", requirements);
            let lookup = fixture::lookup(&sandbox);
            let seen = layer_hooks(&lookup, &lookup.config(None));
            assert_eq!((seen.problems, seen.errors), (Vec::new(), Vec::new()));
            let root = sandbox.root().to_text();
            let keys = seen.hooks.into_iter().map(|hook| {
                let key = hook.declaration.key.replace(&root, "");
                let key = key.trim_end_matches(":stop:0:0").to_owned();
                (key, hook.layer.is_managed(), hook.enabled)
            });
            keys.collect::<Vec<_>>()
        };
        let row = |key: &str, managed| (key.to_owned(), managed, true);
        let (system, user) = (row("/etc/config.toml", true), row("/ch/config.toml", false));
        let managed = row("/etc/managed_config.toml", true);
        let usual = [system.clone(), user, managed.clone()];
        assert_eq!(keys(""), usual);
        let own = row("/etc/requirements.toml", true);
        assert_eq!(
            keys(table),
            [std::slice::from_ref(&own), &usual[..]].concat()
        );
        let dir = format!("[hooks]\nmanaged_dir = \"/srv/hooks\"\n{table}");
        assert_eq!(keys(&dir)[0], row("/srv/hooks", true));
        let only = format!("allow_managed_hooks_only = true\n{table}");
        assert_eq!(keys(&only), [own, system, managed]);
        assert_eq!(keys("[features]\nhooks = false\n"), []);
    }

    const TRUST: &str = "[projects.\"$ROOT/main\"]\ntrust_level = \"trusted\"\n";

    /// A worktree in its main checkout and one beside it, each with hooks of its own.
    fn worktrees() -> Sandbox {
        let sandbox = Sandbox::from("== main/.git/HEAD\nref\n== main/.mark\n== w/sub/.codex/\n");
        let command = |name: &str| format!("{{\"type\": \"command\", \"command\": \"{name}\"}}");
        for (root, name) in [("main/in", "in"), ("w", "w")] {
            let own = format!("main/.git/worktrees/{name}");
            let file = |name: &str| format!("{own}/{name}");
            sandbox.write(&file("commondir"), "../..\n");
            let back = sandbox.expand(&format!("$ROOT/{root}/.git\n"));
            sandbox.write(&file("gitdir"), back);
            let pointer = sandbox.expand(&format!("gitdir: $ROOT/{own}\n"));
            sandbox.write(&format!("{root}/.git"), pointer);
        }
        for root in ["main", "main/in", "w", "main/sub", "w/only"] {
            let file = format!(
                "{{\"hooks\": {{\"Stop\": [{{\"hooks\": [{}]}}]}}}}",
                command(root)
            );
            sandbox.write(&format!("{root}/.codex/hooks.json"), file);
            let table =
                "[[hooks.Stop]]\n[[hooks.Stop.hooks]]\ntype = \"command\"\ncommand = \"x\"\n";
            sandbox.write(&format!("{root}/.codex/config.toml"), table);
        }
        sandbox.write("ch/config.toml", sandbox.expand(TRUST));
        sandbox
    }

    #[track_caller]
    fn check(sandbox: &Sandbox, cwd: &str, expected: &[&str]) {
        let lookup = fixture::lookup(sandbox);
        let config = lookup.config(Some(&sandbox.path(cwd)));
        let seen = layer_hooks(&lookup, &config);
        let rows = seen.hooks.iter().map(|hook| {
            let file = hook.file.to_text();
            assert_eq!(hook.declaration.key, format!("{file}:stop:0:0"));
            file.replace(&format!("{}/", sandbox.root()), "")
        });
        assert_eq!(rows.collect::<Vec<_>>(), expected);
        assert_eq!(
            (seen.problems.len(), seen.errors),
            (expected.len() / 2, Vec::new())
        );
    }

    #[test]
    fn a_worktree_has_the_hooks_of_its_main_checkout() {
        let sandbox = worktrees();
        let main = ["main/.codex/hooks.json", "main/.codex/config.toml"];
        let both = [
            main,
            ["main/sub/.codex/hooks.json", "main/sub/.codex/config.toml"],
        ]
        .concat();
        check(&sandbox, "w", &main);
        check(&sandbox, "w/sub", &both);
        check(&sandbox, "w/only", &main);
        check(&sandbox, "main/in", &main);
        // Two layers that have the same hooks show them once.
        let config = format!("project_root_markers = [\".mark\"]\n{TRUST}");
        sandbox.write("ch/config.toml", sandbox.expand(&config));
        check(&sandbox, "main/in", &main);
        // What is untrusted has none for it.
        let config = format!("{TRUST}{}", TRUST.replace("main", "main/sub"));
        let (before, level) = config.rsplit_once("trusted").unwrap();
        sandbox.write(
            "ch/config.toml",
            sandbox.expand(&format!("{before}untrusted{level}")),
        );
        check(&sandbox, "w/sub", &main);
        // One that is not linked any more has its own.
        sandbox.remove("main/.git/worktrees/w");
        let config = TRUST.replace("main", "w");
        sandbox.write("ch/config.toml", sandbox.expand(&config));
        check(
            &sandbox,
            "w",
            &["w/.codex/hooks.json", "w/.codex/config.toml"],
        );
    }
}
