//! What the loader remembers, and when it looks again. Operations are counted, not timed.

use std::io;
use std::sync::{Arc, Mutex};

use plugd_disk::{Disk, Operation, OperationKind, Probe};
use plugd_model::{AbsPath, ManifestFormat, ProblemKind};
use pretty_assertions::assert_eq;

use super::Loader;
use crate::testing::rows;

const AGENT_PLUGINS: &str =
    r#"{"$schema":"https://agent-plugins.org/schemas/1.0.0/plugin.schema.json","name":"a"}"#;

/// Counts operations.
#[derive(Default)]
struct Counter {
    kinds: Mutex<Vec<OperationKind>>,
}

impl Probe for Counter {
    fn before(&self, operation: &Operation<'_>) -> io::Result<()> {
        self.kinds.lock().unwrap().push(operation.kind);
        Ok(())
    }
}

/// Refuses every read.
struct NoReads;

impl Probe for NoReads {
    fn before(&self, operation: &Operation<'_>) -> io::Result<()> {
        match operation.kind {
            OperationKind::Read => Err(io::ErrorKind::PermissionDenied.into()),
            _ => Ok(()),
        }
    }
}

/// A loader over a temporary directory whose operations are counted.
struct Bench {
    directory: tempfile::TempDir,
    counter: Arc<Counter>,
    loader: Loader,
}

impl Bench {
    fn new() -> Self {
        let counter = Arc::new(Counter::default());
        Self {
            directory: tempfile::tempdir().unwrap(),
            loader: Loader::new(Disk::probed(counter.clone())),
            counter,
        }
    }

    fn at(&self, path: &str) -> AbsPath {
        // Where a link leads to the place of temporary files, reading takes more operations.
        let directory = AbsPath::new(self.directory.path()).unwrap();
        Disk::new().resolve(&directory).unwrap().join(path)
    }

    /// Replaces a file as editors and git do: a new one is renamed over it.
    fn write(&self, path: &str, content: &str) -> AbsPath {
        let path = self.at(path);
        Disk::new()
            .replace(&path, content.as_bytes(), 0o644)
            .unwrap();
        path
    }

    /// Writes into the file that is there, keeping its inode.
    #[expect(
        clippy::disallowed_methods,
        reason = "disk has no way to do this, on purpose"
    )]
    fn overwrite(&self, path: &str, content: &str) {
        std::fs::write(self.at(path).as_path(), content).unwrap();
    }

    /// How many looks and reads the given work takes.
    fn count<T>(&self, work: impl FnOnce(&Loader) -> T) -> (T, usize, usize) {
        self.counter.kinds.lock().unwrap().clear();
        let value = work(&self.loader);
        let kinds = self.counter.kinds.lock().unwrap();
        let of = |wanted: OperationKind| kinds.iter().filter(|&&kind| kind == wanted).count();
        let (looks, reads) = (of(OperationKind::Stat), of(OperationKind::Read));
        assert_eq!(looks + reads, kinds.len(), "other operations: {kinds:?}");
        (value, looks, reads)
    }
}

const MARKETPLACE: &str = ".agents/plugins/marketplace.json";

fn marketplace(name: &str) -> String {
    format!("{{\"name\":\"{name}\",\"plugins\":[{{\"name\":\"a\",\"source\":\"./a\"}},5]}}")
}

#[test]
fn a_marketplace_with_everything_about_its_file() {
    let bench = Bench::new();
    let file = bench.write(MARKETPLACE, &marketplace("m"));
    let loaded = bench.loader.marketplace(&file).unwrap();
    assert_eq!(loaded.value.name.as_str(), "m");
    assert_eq!(loaded.value.root, bench.at(""));
    assert_eq!(loaded.file, file);
    assert_eq!(Some(loaded.stamp), Disk::new().stamp(&file).unwrap());
    assert_eq!(rows(&loaded.problems), ["error wrongType plugins[1] 1:52"]);
    let search = bench.loader.find_marketplace(&bench.at(""));
    assert_eq!(search.found, Some(file));
}

#[test]
fn an_unchanged_marketplace_costs_one_look() {
    let bench = Bench::new();
    let file = bench.write(MARKETPLACE, &marketplace("m"));
    let (first, _, reads) = bench.count(|loader| loader.marketplace(&file).unwrap());
    assert_eq!(reads, 1);
    let (second, looks, reads) = bench.count(|loader| loader.marketplace(&file).unwrap());
    assert_eq!((looks, reads), (1, 0));
    assert!(Arc::ptr_eq(&first, &second));
}

#[test]
fn a_changed_marketplace_is_read_again() {
    let bench = Bench::new();
    let file = bench.write(MARKETPLACE, &marketplace("m"));
    let name = || {
        bench
            .loader
            .marketplace(&file)
            .map(|m| m.value.name.as_str().to_owned())
    };
    assert_eq!(name().unwrap(), "m");
    // The same size under another inode, and another size under the same one.
    bench.write(MARKETPLACE, &marketplace("n"));
    assert_eq!(name().unwrap(), "n");
    bench.overwrite(MARKETPLACE, &marketplace("longer"));
    assert_eq!(name().unwrap(), "longer");
    bench.write(MARKETPLACE, "{");
    assert_eq!(name().unwrap_err().kind, ProblemKind::Syntax);
    Disk::new().remove_file(&file).unwrap();
    assert_eq!(name().unwrap_err().kind, ProblemKind::Missing);
    bench.write(MARKETPLACE, &marketplace("back"));
    assert_eq!(name().unwrap(), "back");
}

#[test]
fn a_broken_marketplace_is_remembered_too() {
    let bench = Bench::new();
    let file = bench.write(MARKETPLACE, "[]");
    let (first, _, _) = bench.count(|loader| loader.marketplace(&file).unwrap_err());
    let (second, looks, reads) = bench.count(|loader| loader.marketplace(&file).unwrap_err());
    assert_eq!((looks, reads), (1, 0));
    assert_eq!(first, second);
    assert_eq!(first.path, Some(file));
}

#[test]
fn a_marketplace_behind_a_link_follows_its_target() {
    let bench = Bench::new();
    let target = bench.write("real.json", &marketplace("m"));
    let file = bench.at(MARKETPLACE);
    Disk::new().create_dirs(&file.parent().unwrap()).unwrap();
    std::os::unix::fs::symlink(target.as_path(), file.as_path()).unwrap();
    let name = || {
        bench
            .loader
            .marketplace(&file)
            .unwrap()
            .value
            .name
            .as_str()
            .to_owned()
    };
    assert_eq!(name(), "m");
    bench.write("real.json", &marketplace("n"));
    assert_eq!(name(), "n");
}

#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "a sparse file is made by setting its length"
)]
fn a_marketplace_of_fifty_megabytes_is_refused_by_its_size() {
    let bench = Bench::new();
    let file = bench.write(MARKETPLACE, "");
    let sparse = std::fs::File::create(file.as_path()).unwrap();
    sparse.set_len(50 * 1024 * 1024).unwrap();
    let problem = bench.loader.marketplace(&file).unwrap_err();
    assert_eq!(problem.kind, ProblemKind::TooLarge);
    assert_eq!(problem.path, Some(file));
}

#[test]
fn something_else_in_the_place_of_a_marketplace() {
    let bench = Bench::new();
    let file = bench.at(MARKETPLACE);
    Disk::new().create_dirs(&file).unwrap();
    let problem = bench.loader.marketplace(&file).unwrap_err();
    assert_eq!(problem.kind, ProblemKind::NotAFile);
    assert!(problem.message.contains("directory"), "{}", problem.message);
    let problem = bench
        .loader
        .marketplace(&bench.at("none.json"))
        .unwrap_err();
    assert_eq!(problem.kind, ProblemKind::Missing);
}

#[test]
fn an_unchanged_plugin_costs_a_look_per_place() {
    // The places behind the first are read without a look: those in front of the manifest in vain.
    for (path, content, tried, expected) in [
        ("p/plugin.json", AGENT_PLUGINS, 1, 1),
        ("p/.codex-plugin/plugin.json", "{}", 1, 3),
        ("p/.claude-plugin/plugin.json", "{}", 2, 4),
        ("p/.cursor-plugin/plugin.json", "{}", 3, 5),
    ] {
        let bench = Bench::new();
        bench.write(path, content);
        let root = bench.at("p");
        let (first, _, reads) = bench.count(|loader| loader.plugin(&root).unwrap().unwrap());
        assert_eq!(reads, tried, "{path}");
        let (second, looks, reads) = bench.count(|loader| loader.plugin(&root).unwrap().unwrap());
        assert_eq!((looks, reads), (expected, 0), "{path}");
        assert!(Arc::ptr_eq(&first, &second));
        assert_eq!(first.file, bench.at(path));
    }
}

#[test]
fn a_hundred_and_eighty_plugins_are_listed_without_a_read() {
    let bench = Bench::new();
    let roots: Vec<_> = (0..180)
        .map(|n| {
            bench.write(&format!("p{n}/.codex-plugin/plugin.json"), "{}");
            bench.at(&format!("p{n}"))
        })
        .collect();
    let list = |loader: &Loader| {
        for root in &roots {
            assert!(loader.plugin(root).unwrap().is_some());
        }
    };
    assert_eq!(bench.count(list), ((), 180, 180));
    assert_eq!(bench.count(list), ((), 540, 0));
}

#[test]
fn a_plugin_without_a_manifest_is_remembered_until_it_has_one() {
    let bench = Bench::new();
    let root = bench.at("p");
    assert_eq!(bench.loader.plugin(&root), Ok(None));
    bench.write("p/plugin.json", "{}");
    assert_eq!(bench.loader.plugin(&root), Ok(None));
    let (_, looks, reads) = bench.count(|loader| loader.plugin(&root));
    assert_eq!((looks, reads), (4, 0));
    bench.write("p/.cursor-plugin/plugin.json", "{}");
    let loaded = bench.loader.plugin(&root).unwrap().unwrap();
    assert_eq!(loaded.value.format, ManifestFormat::Cursor);
}

#[test]
fn a_place_in_front_that_fills_takes_over() {
    let bench = Bench::new();
    let root = bench.at("p");
    let format = || bench.loader.plugin(&root).unwrap().unwrap().value.format;
    bench.write("p/.cursor-plugin/plugin.json", "{}");
    assert_eq!(format(), ManifestFormat::Cursor);
    Disk::new()
        .create_dirs(&bench.at("p/.codex-plugin"))
        .unwrap();
    assert_eq!(format(), ManifestFormat::Cursor);
    bench.write("p/.codex-plugin/plugin.json", "{}");
    assert_eq!(format(), ManifestFormat::Codex);
    bench.write("p/plugin.json", AGENT_PLUGINS);
    assert_eq!(format(), ManifestFormat::AgentPlugins);
    Disk::new().remove_file(&bench.at("p/plugin.json")).unwrap();
    assert_eq!(format(), ManifestFormat::Codex);
}

#[test]
fn other_files_beside_a_manifest_do_not_matter() {
    let bench = Bench::new();
    bench.write("p/.codex-plugin/plugin.json", "{}");
    let root = bench.at("p");
    let first = bench.loader.plugin(&root).unwrap().unwrap();
    bench.write("p/.codex-plugin/other.json", "{}");
    bench.write("p/skills/a/SKILL.md", "x");
    let (second, _, reads) = bench.count(|loader| loader.plugin(&root).unwrap().unwrap());
    assert_eq!(reads, 0);
    assert!(Arc::ptr_eq(&first, &second));
}

#[test]
fn a_directory_that_becomes_a_link_is_noticed() {
    let bench = Bench::new();
    bench.write("p/.codex-plugin/plugin.json", "{}");
    let root = bench.at("p");
    assert!(bench.loader.plugin(&root).unwrap().is_some());
    // The file keeps its inode and times.
    let directory = bench.at("p/.codex-plugin");
    Disk::new().rename(&directory, &bench.at("moved")).unwrap();
    std::os::unix::fs::symlink(bench.at("moved").as_path(), directory.as_path()).unwrap();
    let problem = bench.loader.plugin(&root).unwrap_err();
    assert_eq!(problem.kind, ProblemKind::NotAFile);
}

#[test]
fn a_changed_plugin_is_read_again() {
    let bench = Bench::new();
    let path = "p/.codex-plugin/plugin.json";
    let root = bench.at("p");
    let version = || {
        let loaded = bench.loader.plugin(&root)?;
        Ok::<_, plugd_model::Problem>(loaded.and_then(|loaded| loaded.value.version.clone()))
    };
    for text in ["1", "2", "10"] {
        bench.write(path, &format!("{{\"version\":\"{text}\"}}"));
        assert_eq!(version().unwrap().as_deref(), Some(text));
    }
    bench.overwrite(path, "{\"version\":\"100\"}");
    assert_eq!(version().unwrap().as_deref(), Some("100"));
    bench.write(path, "{\"name\":5}");
    assert_eq!(version().unwrap_err().kind, ProblemKind::WrongType);
    let (_, looks, reads) = bench.count(|loader| loader.plugin(&root).unwrap_err());
    assert_eq!((looks, reads), (3, 0));
    bench.write(path, "{}");
    assert_eq!(version().unwrap(), None);
}

#[test]
fn a_manifest_behind_a_link_is_looked_up_each_time() {
    let bench = Bench::new();
    bench.write("p/real.json", AGENT_PLUGINS);
    let link = bench.at("p/plugin.json");
    std::os::unix::fs::symlink("real.json", link.as_path()).unwrap();
    let root = bench.at("p");
    assert!(bench.loader.plugin(&root).unwrap().is_some());
    Disk::new()
        .rename(&bench.at("p/real.json"), &bench.at("out.json"))
        .unwrap();
    std::os::unix::fs::symlink("../out.json", bench.at("p/real.json").as_path()).unwrap();
    let problem = bench.loader.plugin(&root).unwrap_err();
    assert_eq!(problem.kind, ProblemKind::BadPath);
}

#[test]
fn the_directory_gives_the_name_unless_another_is_passed() {
    let bench = Bench::new();
    bench.write("cache/m/hello/1.0.0/.codex-plugin/plugin.json", "{}");
    let root = bench.at("cache/m/hello/1.0.0");
    let name = |loaded: Option<Arc<super::Loaded<plugd_model::PluginManifest>>>| {
        loaded.unwrap().value.name.clone()
    };
    assert_eq!(name(bench.loader.plugin(&root).unwrap()), "1.0.0");
    assert_eq!(
        name(bench.loader.plugin_named(&root, "hello").unwrap()),
        "hello"
    );
    assert_eq!(name(bench.loader.plugin(&root).unwrap()), "1.0.0");
}

#[test]
fn what_was_passed_over_is_a_warning_of_the_one_that_counts() {
    let bench = Bench::new();
    bench.write("p/plugin.json", &AGENT_PLUGINS[1..]);
    bench.write("p/.codex-plugin/plugin.json", "{\"version\":5}");
    let loaded = bench.loader.plugin(&bench.at("p")).unwrap().unwrap();
    assert_eq!(
        rows(&loaded.problems),
        ["warning wrongType version 1:12", "warning syntax - 1:10"]
    );
    assert_eq!(loaded.problems[1].path, Some(bench.at("p/plugin.json")));
}

#[test]
fn threads_share_one_value() {
    let bench = Bench::new();
    let file = bench.write(MARKETPLACE, &marketplace("m"));
    bench.write("p/plugin.json", AGENT_PLUGINS);
    let root = bench.at("p");
    let values: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8)
            .map(|_| {
                scope.spawn(|| {
                    let marketplace = bench.loader.marketplace(&file).unwrap();
                    (marketplace, bench.loader.plugin(&root).unwrap().unwrap())
                })
            })
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .collect()
    });
    let (marketplace, plugin) = &values[0];
    for (other_marketplace, other_plugin) in &values {
        assert!(Arc::ptr_eq(marketplace, other_marketplace));
        assert!(Arc::ptr_eq(plugin, other_plugin));
    }
}

#[test]
fn what_is_made_for_one_piece_of_work_is_not_remembered() {
    let bench = Bench::new();
    let loader = Loader::new(Disk::new()).passing_over(bench.at("staging"));
    for (place, remembered) in [("staging/1", false), ("staging-else", true)] {
        let file = bench.write(&format!("{place}/{MARKETPLACE}"), &marketplace("m"));
        bench.write(&format!("{place}/plugin.json"), AGENT_PLUGINS);
        let twice = || loader.marketplace(&file).unwrap();
        assert_eq!(Arc::ptr_eq(&twice(), &twice()), remembered);
        let twice = || loader.plugin(&bench.at(place)).unwrap().unwrap();
        assert_eq!(Arc::ptr_eq(&twice(), &twice()), remembered);
    }
}

#[test]
fn an_unreadable_file_is_said() {
    let bench = Bench::new();
    let file = bench.write(MARKETPLACE, &marketplace("m"));
    let manifest = bench.write("p/.codex-plugin/plugin.json", "{}");
    let loader = Loader::new(Disk::probed(Arc::new(NoReads)));
    let problem = loader.marketplace(&file).unwrap_err();
    assert_eq!(
        (problem.kind, problem.path),
        (ProblemKind::Unreadable, Some(file))
    );
    let problem = loader.plugin(&bench.at("p")).unwrap_err();
    assert_eq!(
        (problem.kind, problem.path),
        (ProblemKind::Unreadable, Some(manifest))
    );
}
