//! Trees for the tests of this crate.

use plugd_disk::Disk;
use plugd_model::{
    AbsPath, HooksDeclaration, ManifestFormat, McpDeclaration, PluginManifest, Problem,
};

/// A temporary plugin directory, removed with the value.
pub(crate) struct Plugin {
    dir: tempfile::TempDir,
    pub(crate) disk: Disk,
    pub(crate) manifest: PluginManifest,
}

impl Plugin {
    /// An empty plugin named `p`.
    pub(crate) fn new() -> Self {
        let plugin = Self {
            dir: tempfile::tempdir().unwrap(),
            disk: Disk::new(),
            manifest: manifest(ManifestFormat::Codex),
        };
        plugin.disk.create_dirs(&plugin.root()).unwrap();
        plugin
    }

    /// An empty plugin named `p` in the Agent Plugins format.
    pub(crate) fn agent() -> Self {
        Self {
            manifest: manifest(ManifestFormat::AgentPlugins),
            ..Self::new()
        }
    }

    /// The plugin's root, without links.
    pub(crate) fn root(&self) -> AbsPath {
        self.outside().join("plugin")
    }

    /// A directory beside the plugin.
    pub(crate) fn outside(&self) -> AbsPath {
        self.disk
            .resolve(&AbsPath::new(self.dir.path()).unwrap())
            .unwrap()
    }

    /// Adds a file.
    pub(crate) fn file(self, path: &str, content: impl AsRef<[u8]>) -> Self {
        let path = self.root().join(path);
        self.disk.create_dirs(&path.parent().unwrap()).unwrap();
        self.disk.replace(&path, content.as_ref(), 0o644).unwrap();
        self
    }

    /// Adds an empty directory.
    pub(crate) fn dir(self, path: &str) -> Self {
        self.disk.create_dirs(&self.root().join(path)).unwrap();
        self
    }

    /// Adds a link.
    #[cfg(unix)]
    pub(crate) fn link(self, path: &str, target: impl AsRef<std::path::Path>) -> Self {
        let path = self.root().join(path);
        self.disk.create_dirs(&path.parent().unwrap()).unwrap();
        std::os::unix::fs::symlink(target, path.as_path()).unwrap();
        self
    }

    /// Changes the manifest.
    pub(crate) fn with(mut self, change: impl FnOnce(&mut PluginManifest)) -> Self {
        change(&mut self.manifest);
        self
    }

    /// A path below the root as tests write it.
    pub(crate) fn relative(&self, path: &AbsPath) -> String {
        let root = self.root();
        match path.as_path().strip_prefix(root.as_path()) {
            Ok(relative) => relative.to_string_lossy().into_owned(),
            Err(_) => path.to_text(),
        }
    }

    /// Problems in one line each: `kind path field line:column`, absent parts left out.
    pub(crate) fn problems(&self, problems: &[Problem]) -> Vec<String> {
        let mut lines = Vec::new();
        for problem in problems {
            let mut parts = vec![problem.kind.word().to_owned()];
            parts.extend(problem.path.as_ref().map(|path| self.relative(path)));
            parts.extend(problem.field.clone());
            parts.extend(
                problem
                    .place
                    .map(|place| format!("{}:{}", place.line, place.column)),
            );
            lines.push(parts.join(" "));
        }
        lines
    }
}

fn manifest(format: ManifestFormat) -> PluginManifest {
    PluginManifest {
        format,
        name: "p".to_owned(),
        version: None,
        has_agent_plugins_schema: false,
        description: None,
        keywords: Vec::new(),
        interface: None,
        skills: None,
        mcp_servers: McpDeclaration::Default,
        apps: None,
        hooks: HooksDeclaration::Default,
        commands: None,
        onboarding_skill: None,
        license: None,
    }
}
