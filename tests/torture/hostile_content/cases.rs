//! Every hostile thing in every place where it can stand.
#![expect(
    clippy::disallowed_methods,
    reason = "a loop makes on the disk what no honest program makes"
)]

use std::fs;
use std::path::Path;

use plugd_testkit::Sandbox;
use serde_json::json;

use super::texts;
use crate::snapshot::{link, set_mode};
use crate::tally::Scale;

/// Something hostile, ready to be put into the world.
pub(super) struct Case {
    pub(super) name: String,
    /// Makes it.
    pub(super) put: Box<dyn Fn(&Sandbox)>,
    /// Files that the copy has all the same.
    pub(super) arrives: Vec<String>,
    /// The plugins that must stay listed and can be installed.
    pub(super) neighbours: &'static [&'static str],
    /// Nothing is wrong with it, so nothing need be told.
    pub(super) is_quiet: bool,
    /// It is about permissions, which some users are above.
    pub(super) needs_permissions: bool,
}

/// Where the plugin alone is bad.
pub(super) const BOTH: &[&str] = &["fine@bad", "good@good"];
/// Where the whole catalog is.
pub(super) const OTHER: &[&str] = &["good@good"];

/// Places in a plugin that are read, each with what of the outside would fit there.
const FILES: [(&str, &str); 8] = [
    (".codex-plugin/plugin.json", "plugin.json"),
    ("skills/do/SKILL.md", "SKILL.md"),
    ("hooks/hooks.json", "hooks.json"),
    (".mcp.json", ".mcp.json"),
    (".app.json", ".app.json"),
    ("commands/x.md", "x.md"),
    ("logo.png", "logo.png"),
    ("notes.md", "secret.txt"),
];

/// Directories of a plugin that could be a link to the outside as a whole, and the plugin itself.
const DIRS: [&str; 6] = [
    "skills",
    "skills/do",
    "hooks",
    "commands",
    ".codex-plugin",
    "",
];

const CATALOG: &str = "bad/.agents/plugins/marketplace.json";

impl Case {
    pub(super) fn new(name: impl Into<String>, put: impl Fn(&Sandbox) + 'static) -> Self {
        Self {
            name: name.into(),
            put: Box::new(put),
            arrives: Vec::new(),
            neighbours: BOTH,
            is_quiet: false,
            needs_permissions: false,
        }
    }

    pub(super) fn quiet(self) -> Self {
        Self {
            is_quiet: true,
            ..self
        }
    }

    pub(super) fn arrives(self, files: &[&str]) -> Self {
        Self {
            arrives: files.iter().map(|file| (*file).to_owned()).collect(),
            ..self
        }
    }

    pub(super) fn spoils_the_catalog(self) -> Self {
        Self {
            neighbours: OTHER,
            ..self
        }
    }

    fn with_permissions(self) -> Self {
        Self {
            needs_permissions: true,
            ..self
        }
    }
}

/// Every case there is in this form of the loop.
pub(super) fn every(scale: Scale) -> Vec<Case> {
    let mut cases = Vec::new();
    links(&mut cases);
    nodes(&mut cases);
    permissions(&mut cases);
    amounts(scale, &mut cases);
    names(&mut cases);
    texts::every(scale, &mut cases);
    cases
}

/// The ways to write a link to something outside, seen from a place below the root.
fn targets(sandbox: &Sandbox, place: &str, outside: &str) -> Vec<String> {
    let depth = place.matches('/').count();
    let root = sandbox.root();
    let up = "../".repeat(depth);
    vec![
        format!("{root}/outside/{outside}"),
        format!("{up}outside/{outside}"),
        format!("{}{root}/outside/{outside}", "../".repeat(60)),
        format!("/proc/self/root{root}/outside/{outside}"),
        format!("{up}ways/dir/{outside}"),
        format!("{up}ways/{outside}"),
        format!("{up}bad/../outside/./{outside}"),
    ]
}

const TARGETS: usize = 7;

fn links(cases: &mut Vec<Case>) {
    let files = FILES.map(|(place, outside)| (format!("bad/evil/{place}"), outside));
    let dirs = DIRS.map(|place| {
        (
            format!("bad/evil/{place}").trim_end_matches('/').to_owned(),
            "",
        )
    });
    for (place, outside) in files.into_iter().chain(dirs) {
        for way in 0..TARGETS {
            let (at, name) = (
                place.clone(),
                format!("{place} is link {way} to the outside"),
            );
            cases.push(Case::new(name, move |sandbox| {
                ways(sandbox);
                let target = targets(sandbox, &at, outside).remove(way);
                put_link(sandbox, &at, target.trim_end_matches('/'));
            }));
        }
        let at = place.clone();
        cases.push(Case::new(format!("{place} is a circle"), move |sandbox| {
            let name = at.rsplit('/').next().unwrap().to_owned();
            put_link(sandbox, &at, &name);
        }));
    }
    for way in 0..TARGETS {
        let name = format!("the catalog is link {way} to the outside");
        let put = move |sandbox: &Sandbox| {
            ways(sandbox);
            put_link(
                sandbox,
                CATALOG,
                &targets(sandbox, CATALOG, "secret.txt")[way],
            );
        };
        cases.push(Case::new(name, put).spoils_the_catalog());
    }
    for (what, target) in [(".", "."), ("its parent", ".."), ("the root of all", "/")] {
        cases.push(Case::new(format!("a link to {what}"), move |sandbox| {
            put_link(sandbox, "bad/evil/skills/do/again", target);
        }));
    }
    // A hard link is a file like any other: whoever made it could read what it holds. It must
    // become a file of its own, so that nothing that happens to the copy reaches the first one.
    let hard = |sandbox: &Sandbox| {
        let first = sandbox.path("mine.txt");
        fs::write(&first, "mine").unwrap();
        fs::hard_link(&first, sandbox.path("bad/evil/hard.txt")).unwrap();
    };
    cases.push(
        Case::new("a hard link", hard)
            .quiet()
            .arrives(&["hard.txt"]),
    );
}

/// Links to the outside that other links lead to.
fn ways(sandbox: &Sandbox) {
    sandbox.add("== ways/dir -> ../outside\n");
    for entry in fs::read_dir(sandbox.path("outside")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        sandbox.add(&format!("== ways/{name} -> dir/{name}\n"));
    }
}

/// Puts a link in the place of whatever is there.
pub(super) fn put_link(sandbox: &Sandbox, place: &str, target: &str) {
    if sandbox.exists(place) {
        sandbox.remove(place);
    }
    let at = sandbox.path(place);
    fs::create_dir_all(at.parent().unwrap()).unwrap();
    link(Path::new(target), at.as_path()).unwrap();
}

/// What is neither file, directory nor link, in every place where something is read.
fn nodes(cases: &mut Vec<Case>) {
    let places = FILES.map(|(place, _)| format!("bad/evil/{place}"));
    for place in places
        .into_iter()
        .chain([CATALOG.to_owned(), "bad/evil".to_owned()])
    {
        for kind in [
            "fifo",
            "socket",
            "device",
            "/dev/null",
            "/dev/zero",
            "/proc/self/mem",
        ] {
            let at = place.clone();
            let case = Case::new(format!("{place} is {kind}"), move |sandbox| {
                if sandbox.exists(&at) {
                    sandbox.remove(&at);
                }
                put_node(sandbox, &at, kind);
            });
            let is_catalog = place == CATALOG;
            cases.push(if is_catalog {
                case.spoils_the_catalog()
            } else {
                case
            });
        }
    }
}

fn put_node(sandbox: &Sandbox, place: &str, kind: &str) {
    let at = sandbox.path(place);
    fs::create_dir_all(at.parent().unwrap()).unwrap();
    match kind {
        "fifo" => sandbox.add(&format!("== {place} (fifo)\n")),
        // The name stays when nobody listens any more.
        #[cfg(unix)]
        "socket" => drop(std::os::unix::net::UnixListener::bind(&at).unwrap()),
        "device" => device(at.as_path()),
        target => link(Path::new(target), at.as_path()).unwrap(),
    }
}

/// A device file, or a link to one where only the superuser may make them.
fn device(at: &Path) {
    let made = std::process::Command::new("mknod")
        .arg(at)
        .args(["c", "1", "5"])
        .status();
    if !made.is_ok_and(|status| status.success()) {
        link(Path::new("/dev/zero"), at).unwrap();
    }
}

fn permissions(cases: &mut Vec<Case>) {
    let files = FILES.map(|(place, _)| format!("bad/evil/{place}"));
    let dirs = DIRS.map(|place| format!("bad/evil/{place}"));
    for place in files.into_iter().chain(dirs) {
        let closed = move |sandbox: &Sandbox| {
            if !sandbox.exists(&place) {
                let file = Path::new(&place).extension().is_some();
                sandbox.add(&if file {
                    format!("== {place}\nx\n")
                } else {
                    format!("== {place}/\n")
                });
            }
            set_mode(sandbox.path(&place).as_path(), 0).unwrap();
        };
        let name = format!("closed {}", cases.len());
        cases.push(Case::new(name, closed).with_permissions());
    }
    let bits = |sandbox: &Sandbox| {
        for (number, mode) in [0o4755, 0o2755, 0o1755, 0o7777, 0o4644]
            .into_iter()
            .enumerate()
        {
            sandbox.add(&format!("== bad/evil/bits/{number} (mode {mode:o})\nx\n"));
            sandbox.add(&format!("== bad/evil/dirs/{number}/x\nx\n"));
            let dir = sandbox.path(format!("bad/evil/dirs/{number}"));
            set_mode(dir.as_path(), mode | 0o700).unwrap();
        }
    };
    cases.push(Case::new("setuid, setgid and sticky", bits).quiet());
}

fn amounts(scale: Scale, cases: &mut Vec<Case>) {
    let places = FILES.map(|(place, _)| format!("bad/evil/{place}"));
    for place in places.into_iter().chain([CATALOG.to_owned()]) {
        let at = place.clone();
        let case = Case::new(format!("{place} is a terabyte of holes"), move |sandbox| {
            sandbox.add(&format!("== {at} (size 1099511627776)\n"));
        });
        let is_catalog = place == CATALOG;
        cases.push(if is_catalog {
            case.spoils_the_catalog()
        } else {
            case
        });
    }
    let files = scale.pick(2_000, 100_001);
    let many = move |sandbox: &Sandbox| {
        for number in 0..files {
            let dir = sandbox.path(format!("bad/evil/many/{}", number / 1_000));
            if number % 1_000 == 0 {
                fs::create_dir_all(&dir).unwrap();
            }
            fs::write(dir.join(number.to_string()), "x").unwrap();
        }
    };
    let case = Case::new(format!("{files} tiny files"), many);
    cases.push(scale.pick(Case::quiet as fn(Case) -> Case, |case| case)(
        case,
    ));
    for levels in [65, 300, 1_000] {
        cases.push(Case::new(format!("{levels} levels"), move |sandbox| {
            let deep = sandbox.path(format!("bad/evil{}", "/d".repeat(levels)));
            fs::create_dir_all(&deep).unwrap();
            fs::write(deep.join("x"), "x").unwrap();
        }));
    }
    for levels in [65, 300] {
        cases.push(Case::new(
            format!("skills below {levels} levels"),
            move |sandbox| {
                let deep = format!("bad/evil/skills{}", "/d".repeat(levels));
                sandbox.add(&format!(
                    "== {deep}/SKILL.md\n---\nname: d\ndescription: D\n---\nx\n"
                ));
            },
        ));
    }
}

/// Names that some system or terminal cannot hold.
const NAMES: [&str; 22] = [
    "esc\u{1b}[31mred",
    "bell\u{7}",
    "line\nforged: line",
    "carriage\rreturn",
    "tab\tname",
    "back\\slash",
    "bidi\u{202e}txt.exe",
    "isolate\u{2066}x",
    "zero\u{200b}width",
    "c1\u{9b}31m",
    "tag\u{e0041}",
    "aux",
    "con.txt",
    "NUL",
    "com1",
    "dot.",
    "space ",
    "colon:stream",
    "quote\"<>|?*",
    "-rf",
    "~",
    "$(touch pwned)",
];

fn names(cases: &mut Vec<Case>) {
    let long = "n".repeat(255);
    let names = NAMES.iter().map(|name| (*name).to_owned()).chain([long]);
    for name in names {
        // What this system can hold it can hold twice; only control characters are no name anywhere.
        let harmless = !name.contains(char::is_control);
        let file = name.clone();
        let shown = name.escape_debug().to_string();
        let put_file = move |sandbox: &Sandbox| {
            fs::write(sandbox.path("bad/evil").join(&file), "x").unwrap();
        };
        let case = Case::new(format!("a file `{shown}`"), put_file);
        cases.push(if harmless { case.quiet() } else { case });
        let dir = name.clone();
        let put_skill = move |sandbox: &Sandbox| {
            let dir = sandbox.path("bad/evil/skills").join(&dir);
            fs::create_dir(&dir).unwrap();
            fs::write(dir.join("SKILL.md"), "---\nname: [\n---\n").unwrap();
        };
        cases.push(Case::new(format!("a broken skill in `{shown}`"), put_skill));
    }
    #[cfg(target_os = "linux")]
    for place in ["bad/evil", "bad/evil/skills", "bad/evil/commands", "bad"] {
        let put = move |sandbox: &Sandbox| {
            use std::os::unix::ffi::OsStrExt as _;
            let dir = sandbox.path(place);
            fs::create_dir_all(&dir).unwrap();
            let name = std::ffi::OsStr::from_bytes(b"\xff\xfe.md");
            fs::write(dir.as_path().join(name), "x").unwrap();
        };
        let case = Case::new(format!("a name in {place} that is no text"), put);
        cases.push(if place == "bad" { case.quiet() } else { case });
    }
    for (one, two) in [
        ("skills/a/SKILL.md", "skills/A/SKILL.md"),
        ("notes.md", "Notes.md"),
        ("skills/do/x", "Skills/do/y"),
    ] {
        let twins = move |sandbox: &Sandbox| {
            for file in [one, two] {
                let text = json!("x").to_string();
                sandbox.write(&format!("bad/evil/{file}"), text);
            }
        };
        // A system that holds both can also hold their copies.
        let both: &[&str] = if cfg!(target_os = "linux") {
            &[one, two]
        } else {
            &[]
        };
        cases.push(
            Case::new(format!("`{one}` and `{two}`"), twins)
                .quiet()
                .arrives(both),
        );
    }
}
