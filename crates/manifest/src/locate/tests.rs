//! Which file counts, on real directories.

use std::io;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::sync::Arc;

use plugd_disk::{Disk, Operation, OperationKind, Probe};
use plugd_model::{AbsPath, ManifestFormat, ProblemKind};
use pretty_assertions::assert_eq;

use super::{MARKETPLACE_FILES, find_marketplace, find_plugin};

mod swapped;

const AGENT_PLUGINS: &str =
    r#"{"$schema":"https://agent-plugins.org/schemas/1.0.0/plugin.schema.json","name":"a"}"#;
const OTHER: &str = r#"{"name":"a"}"#;

/// A directory tree that goes away with the value. One line per path: `path = content`,
/// `path -> target` for a link, `path/` for a directory, `path |` for a FIFO.
struct Tree {
    directory: tempfile::TempDir,
}

impl Tree {
    fn new(lines: &[&str]) -> Self {
        let tree = Self {
            directory: tempfile::tempdir().unwrap(),
        };
        for line in lines {
            tree.make(line);
        }
        tree
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "fixtures are made without the code under test"
    )]
    fn make(&self, line: &str) {
        let at = |path: &str| {
            let path = self.directory.path().join("root").join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            path
        };
        if let Some((path, content)) = line.split_once(" = ") {
            std::fs::write(at(path), content).unwrap();
        } else if let Some((path, target)) = line.split_once(" -> ") {
            symlink(target, at(path)).unwrap();
        } else if let Some(path) = line.strip_suffix(" |") {
            make_fifo(&at(path));
        } else {
            std::fs::create_dir_all(at(line)).unwrap();
        }
    }

    fn root(&self) -> AbsPath {
        AbsPath::new(self.directory.path().join("root")).unwrap()
    }

    /// The root by a way over a link: nothing in it can be read without a look.
    fn linked_root(&self) -> AbsPath {
        let linked = self.directory.path().join("linked");
        // There from the second call on.
        let _ = symlink("root", &linked);
        AbsPath::new(linked).unwrap()
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the system's own program makes the fixture"
)]
fn make_fifo(path: &Path) {
    let made = std::process::Command::new("mkfifo").arg(path).status();
    assert!(made.unwrap().success());
}

/// Checks which file is found, and the kinds of the problems met on the way.
#[track_caller]
fn check_marketplace(lines: &[&str], found: Option<&str>, problems: &[ProblemKind]) {
    let tree = Tree::new(lines);
    let root = tree.root();
    let search = find_marketplace(&Disk::new(), &root);
    let kinds: Vec<_> = search.problems.iter().map(|problem| problem.kind).collect();
    assert_eq!(search.found, found.map(|file| root.join(file)), "{lines:?}");
    assert_eq!(kinds, problems, "{lines:?}");
}

#[test]
fn the_four_places_of_a_marketplace() {
    check_marketplace(&[], None, &[]);
    check_marketplace(&["marketplace.json = {}", ".agents/plugins/"], None, &[]);
    for (first, file) in MARKETPLACE_FILES.iter().enumerate() {
        let lines: Vec<_> = MARKETPLACE_FILES[first..]
            .iter()
            .map(|file| format!("{file} = {{}}"))
            .collect();
        let lines: Vec<_> = lines.iter().map(String::as_str).collect();
        check_marketplace(&lines, Some(file), &[]);
    }
}

#[test]
fn a_linked_marketplace_manifest_is_accepted() {
    let file = ".claude-plugin/marketplace.json";
    check_marketplace(
        &[
            "real.json = {}",
            ".claude-plugin/marketplace.json -> ../real.json",
        ],
        Some(file),
        &[],
    );
    check_marketplace(
        &[
            "../real.json = {}",
            ".claude-plugin/marketplace.json -> ../../real.json",
        ],
        Some(file),
        &[],
    );
    check_marketplace(
        &["x/marketplace.json = {}", ".claude-plugin -> x"],
        Some(file),
        &[],
    );
}

#[test]
fn something_else_in_the_place_of_a_marketplace_manifest_hides_nothing() {
    let later = ".cursor-plugin/marketplace.json = {}";
    for (line, kind) in [
        (".agents/plugins/marketplace.json/", ProblemKind::NotAFile),
        (".agents/plugins/marketplace.json |", ProblemKind::NotAFile),
        (
            ".agents/plugins/marketplace.json -> nowhere",
            ProblemKind::Missing,
        ),
        (
            ".agents/plugins/marketplace.json -> ..",
            ProblemKind::NotAFile,
        ),
        (
            ".agents/plugins/marketplace.json -> marketplace.json",
            ProblemKind::Unreadable,
        ),
        (".claude-plugin/marketplace.json/", ProblemKind::NotAFile),
    ] {
        check_marketplace(&[line], None, &[kind]);
        check_marketplace(
            &[line, later],
            Some(".cursor-plugin/marketplace.json"),
            &[kind],
        );
    }
    check_marketplace(
        &[
            ".agents/plugins/marketplace.json -> nowhere",
            ".agents/plugins/api_marketplace.json/",
            ".claude-plugin = no directory",
            ".cursor-plugin/marketplace.json |",
        ],
        None,
        &[
            ProblemKind::Missing,
            ProblemKind::NotAFile,
            ProblemKind::NotAFile,
        ],
    );
    // Behind the one that counts nobody looks.
    check_marketplace(
        &[
            ".claude-plugin/marketplace.json = {}",
            ".cursor-plugin/marketplace.json/",
        ],
        Some(".claude-plugin/marketplace.json"),
        &[],
    );
}

/// Checks which manifest is found: its format and whether something was passed over; nothing; or
/// the kind of problem and the file it speaks of.
#[track_caller]
fn check(lines: &[&str], expected: &str) {
    let tree = Tree::new(lines);
    let root = tree.root();
    let relative = |path: &AbsPath| {
        let path = path.as_path().strip_prefix(root.as_path()).unwrap();
        path.display().to_string()
    };
    let found = match find_plugin(&Disk::new(), &root).found {
        Ok(None) => "none".to_owned(),
        Ok(Some(found)) => {
            let passed = found.passed_over.map_or("", |_| ", after another");
            format!("{:?} {}{passed}", found.format, relative(&found.file))
        }
        Err(problem) => {
            let path = problem.path.unwrap();
            format!("{} {}", problem.kind.word(), relative(&path))
        }
    };
    assert_eq!(found, expected, "{lines:?}");
}

const CODEX: &str = ".codex-plugin/plugin.json = {}";
const CLAUDE: &str = ".claude-plugin/plugin.json = {}";
const CURSOR: &str = ".cursor-plugin/plugin.json = {}";

fn root_file(content: &str) -> String {
    format!("plugin.json = {content}")
}

#[test]
fn the_order_of_the_formats() {
    let root = root_file(AGENT_PLUGINS);
    check(&[], "none");
    check(&[".codex-plugin/", ".claude-plugin/"], "none");
    check(&[CURSOR], "Cursor .cursor-plugin/plugin.json");
    check(&[CURSOR, CLAUDE], "Claude .claude-plugin/plugin.json");
    check(&[CURSOR, CLAUDE, CODEX], "Codex .codex-plugin/plugin.json");
    check(&[CURSOR, CLAUDE, CODEX, &root], "AgentPlugins plugin.json");
    check(
        &[CURSOR, ".codex-plugin/"],
        "Cursor .cursor-plugin/plugin.json",
    );
}

#[test]
fn a_broken_manifest_is_not_rescued_by_a_later_one() {
    let tree = Tree::new(&[".codex-plugin/plugin.json = {", CLAUDE]);
    let found = find_plugin(&Disk::new(), &tree.root())
        .found
        .unwrap()
        .unwrap();
    assert_eq!(found.format, ManifestFormat::Codex);
    assert_eq!(found.bytes, b"{");
}

#[test]
fn the_file_of_another_program_at_the_root_does_not_count() {
    for content in [
        OTHER,
        "[]",
        "{",
        "",
        "\u{feff}{}",
        r#"{"$schema":"https://x","name":"a"}"#,
    ] {
        check(&[&root_file(content)], "none");
        check(
            &[&root_file(content), CODEX],
            "Codex .codex-plugin/plugin.json",
        );
    }
    let tree = Tree::new(&[]);
    #[expect(clippy::disallowed_methods, reason = "the fixture is no UTF-8")]
    {
        std::fs::create_dir(tree.root().as_path()).unwrap();
        std::fs::write(tree.root().join("plugin.json").as_path(), b"\xFF{}").unwrap();
    }
    assert!(
        find_plugin(&Disk::new(), &tree.root())
            .found
            .unwrap()
            .is_none()
    );
}

#[test]
fn a_broken_file_that_mentions_the_specification_is_not_ignored_in_silence() {
    let broken = root_file(&AGENT_PLUGINS[..AGENT_PLUGINS.len() - 1]);
    check(&[&broken], "syntax plugin.json");
    check(
        &[&broken, CODEX],
        "Codex .codex-plugin/plugin.json, after another",
    );
    let marked = root_file(&format!("\u{feff}{AGENT_PLUGINS}"));
    check(&[&marked], "syntax plugin.json");
}

#[test]
fn an_unsupported_version_stops_the_search() {
    let root =
        root_file(r#"{"$schema":"https://agent-plugins.org/schemas/2.0.0/plugin.schema.json"}"#);
    check(&[&root, CODEX], "AgentPlugins plugin.json");
}

#[test]
fn the_wrong_kind_of_thing_stops_the_search() {
    for directory in [".codex-plugin", ".claude-plugin", ".cursor-plugin"] {
        let later = if directory == ".cursor-plugin" {
            "x/"
        } else {
            CURSOR
        };
        let problem = format!("notAFile {directory}");
        let inner = format!("notAFile {directory}/plugin.json");
        for kind in [" = text", " -> real", " -> nowhere", " |"] {
            let line = format!("{directory}{kind}");
            check(&["real/plugin.json = {}", &line, later], &problem);
        }
        for kind in ["/", " -> ../real/plugin.json", " -> nowhere", " |"] {
            let line = format!("{directory}/plugin.json{kind}");
            check(&["real/plugin.json = {}", &line, later], &inner);
        }
    }
    check(&["plugin.json/", CODEX], "notAFile plugin.json");
    check(&["plugin.json |", CODEX], "notAFile plugin.json");
}

/// Section 4.1 of the specification: links MAY lead to targets within the plugin root.
#[test]
fn section_4_1_a_link_inside_the_plugin_is_followed() {
    let real = format!("x/real.json = {AGENT_PLUGINS}");
    check(
        &[&real, "plugin.json -> x/real.json", CODEX],
        "AgentPlugins plugin.json",
    );
    check(
        &[&real, "y -> x", "plugin.json -> y/real.json"],
        "AgentPlugins plugin.json",
    );
    let other = format!("x/real.json = {OTHER}");
    check(&[&other, "plugin.json -> x/real.json"], "none");
    check(
        &[&other, "plugin.json -> x/real.json", CODEX],
        "Codex .codex-plugin/plugin.json",
    );
}

/// Section 4.1: if `plugin.json` does not resolve within the plugin root, the client MUST reject
/// the plugin.
#[test]
fn section_4_1_a_manifest_outside_the_plugin_rejects_it() {
    let outside = format!("../real.json = {AGENT_PLUGINS}");
    check(
        &[&outside, "plugin.json -> ../real.json"],
        "badPath plugin.json",
    );
    check(
        &[&outside, "plugin.json -> ../real.json", CODEX],
        "badPath plugin.json",
    );
    // By way of a directory that is itself a link.
    let outside = format!("../out/real.json = {AGENT_PLUGINS}");
    check(
        &[&outside, "in -> ../out", "plugin.json -> in/real.json"],
        "badPath plugin.json",
    );
    // A directory whose name begins like the root's is outside.
    let outside = format!("../root2/real.json = {AGENT_PLUGINS}");
    check(
        &[&outside, "plugin.json -> ../root2/real.json"],
        "badPath plugin.json",
    );
}

#[test]
fn links_at_the_root_that_lead_to_no_file() {
    check(&["plugin.json -> nowhere", CODEX], "missing plugin.json");
    check(
        &["plugin.json -> plugin.json", CODEX],
        "unreadable plugin.json",
    );
    check(&["x/", "plugin.json -> x", CODEX], "notAFile x");
    check(&["x |", "plugin.json -> x", CODEX], "notAFile x");
}

/// Section 4.1: the plugin root itself may be reached through a link.
#[test]
fn section_4_1_the_root_may_be_a_link() {
    let real = format!("../real/x.json = {AGENT_PLUGINS}");
    let tree = Tree::new(&[&real, "../real/plugin.json -> x.json", "../linked -> real"]);
    let root = tree.root().parent().unwrap().join("linked");
    let found = find_plugin(&Disk::new(), &root).found.unwrap().unwrap();
    assert_eq!(found.format, ManifestFormat::AgentPlugins);
    assert_eq!(found.file, root.join("plugin.json"));
}

#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "a sparse file is made by setting its length"
)]
fn a_large_file_is_refused_by_its_size() {
    let tree = Tree::new(&[".codex-plugin/plugin.json = {}", "x = y"]);
    for path in [".codex-plugin/plugin.json", "plugin.json"] {
        let file = std::fs::File::create(tree.root().join(path).as_path()).unwrap();
        file.set_len(50 * 1024 * 1024).unwrap();
        let problem = find_plugin(&Disk::new(), &tree.root()).found.unwrap_err();
        assert_eq!(problem.kind, ProblemKind::TooLarge);
        assert_eq!(problem.path, Some(tree.root().join(path)));
    }
}

/// Refuses kinds of operations on paths, as a system does that denies a right.
struct Denied(Vec<(OperationKind, AbsPath)>);

impl Probe for Denied {
    fn before(&self, operation: &Operation<'_>) -> io::Result<()> {
        let denied = |(kind, path): &(_, _)| operation.kind == *kind && operation.path == path;
        if self.0.iter().any(denied) {
            return Err(io::ErrorKind::PermissionDenied.into());
        }
        Ok(())
    }
}

#[test]
fn a_denied_right_is_said_and_not_remembered() {
    let root = root_file(OTHER);
    let tree = Tree::new(&[&root, CODEX, CLAUDE]);
    let (read, stat) = (OperationKind::Read, OperationKind::Stat);
    let (at_root, directory, file) = ("plugin.json", ".codex-plugin", ".codex-plugin/plugin.json");
    for (told, denied) in [
        (at_root, vec![(read, at_root)]),
        (at_root, vec![(stat, at_root)]),
        (directory, vec![(read, file), (stat, directory)]),
        (file, vec![(read, file), (stat, file)]),
        (file, vec![(read, file)]),
    ] {
        let at = |(kind, path)| (kind, tree.root().join(path));
        let paths = denied.iter().copied().map(at).collect();
        let disk = Disk::probed(Arc::new(Denied(paths)));
        let look = find_plugin(&disk, &tree.root());
        let problem = look.found.unwrap_err();
        assert_eq!(problem.kind, ProblemKind::Unreadable, "{denied:?}");
        assert_eq!(problem.path, Some(tree.root().join(told)));
        assert!(look.seen.is_none());
    }
    // The manifest behind it does not stand in for one that nobody can see.
    let tree = Tree::new(&[".claude-plugin/marketplace.json = {}"]);
    let place = tree.root().join(MARKETPLACE_FILES[0]);
    let disk = Disk::probed(Arc::new(Denied(vec![(stat, place)])));
    let search = find_marketplace(&disk, &tree.root());
    assert_eq!(search.found, None);
    assert_eq!(search.problems[0].kind, ProblemKind::Unreadable);
}
