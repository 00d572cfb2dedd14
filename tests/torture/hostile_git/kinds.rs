//! Every hostile thing that a repository or its server can be.

use std::time::Duration;

use plugd_testkit::{Behaviour, GitRequest, RawEntry, RawKind, Sandbox};

/// Something hostile.
pub(super) struct Kind {
    pub(super) name: String,
    pub(super) content: Content,
}

/// What a tree is made of: a fixture, and what no fixture can name.
pub(super) type Tree = (String, Vec<RawEntry>);

pub(super) enum Content {
    /// A commit with this tree.
    Tree(Box<dyn Fn(&Sandbox) -> Tree>),
    /// A good commit, and a server that answers one kind of request in this way.
    Answer(GitRequest, Box<dyn Fn(&Sandbox) -> Behaviour>),
}

/// A good repository: a marketplace with two plugins, and itself a plugin.
pub(super) fn sound(version: u32) -> String {
    SOUND.replace("$VERSION", &format!("{version}.0.0"))
}

const SOUND: &str = r#"
== .agents/plugins/marketplace.json
{"name": "bad", "plugins": [
  {"name": "evil", "source": "./evil"},
  {"name": "fine", "source": "./fine"}
]}
== .codex-plugin/plugin.json
{"name": "evil", "version": "$VERSION"}
== evil/.codex-plugin/plugin.json
{"name": "evil", "version": "$VERSION", "interface": {"displayName": "Evil"}}
== evil/skills/do/SKILL.md
---
name: do
description: Does
---
Do it.
== fine/.codex-plugin/plugin.json
{"name": "fine", "version": "$VERSION"}
"#;

/// Places where a link to the outside would be read, and what would fit there.
const PLACES: [(&str, &str); 8] = [
    (".agents/plugins/marketplace.json", "marketplace.json"),
    (".agents", ""),
    (".codex-plugin/plugin.json", "plugin.json"),
    ("evil/.codex-plugin/plugin.json", "plugin.json"),
    ("evil/skills/do/SKILL.md", "SKILL.md"),
    ("evil/skills", ""),
    ("evil", ""),
    ("evil/notes.md", "secret.txt"),
];

/// Every kind there is.
pub(super) fn every() -> Vec<Kind> {
    let mut kinds = Vec::new();
    links(&mut kinds);
    names(&mut kinds);
    twins(&mut kinds);
    submodules(&mut kinds);
    attributes(&mut kinds);
    catalogs(&mut kinds);
    amounts(&mut kinds);
    answers(&mut kinds);
    kinds
}

fn kind(name: impl Into<String>, tree: impl Fn(&Sandbox) -> Tree + 'static) -> Kind {
    Kind {
        name: name.into(),
        content: Content::Tree(Box::new(tree)),
    }
}

/// A good tree and more beside it.
fn with(more: &str) -> String {
    format!("{}{more}", sound(2))
}

/// A good tree without what lies at a path or below it.
fn without(place: &str) -> String {
    let mut kept = String::new();
    let mut keep = true;
    for line in sound(2).lines() {
        if let Some(path) = line.strip_prefix("== ") {
            keep = path != place && !path.starts_with(&format!("{place}/"));
        }
        if keep {
            kept.push_str(line);
            kept.push('\n');
        }
    }
    kept
}

fn links(kinds: &mut Vec<Kind>) {
    for (place, outside) in PLACES {
        let up = "../".repeat(place.matches('/').count());
        let targets = [
            ("the outside", format!("$ROOT/outside/{outside}")),
            // From a checkout, and from the staging directory of a plugin.
            (
                "far above",
                format!("{}$ROOT/outside/{outside}", "../".repeat(40)),
            ),
            (
                "the root of the process",
                format!("/proc/self/root$ROOT/outside/{outside}"),
            ),
            (
                "itself",
                place.rsplit('/').next().unwrap_or(place).to_owned(),
            ),
            ("the top", format!("{up}.")),
            ("another link", format!("{up}way/{outside}")),
            ("a device", "/dev/zero".to_owned()),
        ];
        for (what, target) in targets {
            kinds.push(kind(format!("{place} is a link to {what}"), move |_| {
                let target = target.trim_end_matches('/');
                let way = "== way -> $ROOT/outside\n";
                (
                    format!("{}== {place} -> {target}\n{way}", without(place)),
                    Vec::new(),
                )
            }));
        }
    }
}

/// Names that would leave the directory, become git's own data, or fool a terminal.
const NAMES: [&[u8]; 22] = [
    b"..",
    b".",
    b"",
    b".git",
    b".GIT",
    b".git ",
    b".git.",
    b"git~1",
    b".g\xe2\x80\x8cit",
    b".git::$INDEX_ALLOCATION",
    b"a/b",
    b"../x",
    b"/etc/x",
    b"..\\x",
    b"c:\\x",
    b"\xff\xfe",
    b"line\nforged: line",
    b"esc\x1b[31mred",
    b"bidi\xe2\x80\xaetxt.exe",
    b"aux",
    b"-rf",
    b".codex-marketplace-install.json",
];

fn names(kinds: &mut Vec<Kind>) {
    let long = vec![b'n'; 300];
    for name in NAMES.iter().map(|name| name.to_vec()).chain([long]) {
        let shown = String::from_utf8_lossy(&name).escape_debug().to_string();
        let shown = shown.chars().take(30).collect::<String>();
        for (what, make) in [("file", file as fn() -> RawKind), ("directory", git_dir)] {
            for deep in [false, true] {
                let name = name.clone();
                let place = if deep { "in evil" } else { "at the top" };
                kinds.push(kind(format!("a {what} `{shown}` {place}"), move |_| {
                    let entry = RawEntry {
                        name: name.clone(),
                        kind: make(),
                    };
                    if !deep {
                        return (sound(2), vec![entry]);
                    }
                    let manifest = r#"{"name": "evil", "version": "2.0.0"}"#;
                    let dir = dir(
                        "evil",
                        vec![
                            entry,
                            dir(
                                ".codex-plugin",
                                vec![RawEntry::file("plugin.json", manifest)],
                            ),
                        ],
                    );
                    (without("evil"), vec![dir])
                }));
            }
        }
    }
}

fn file() -> RawKind {
    RawKind::File(b"x".to_vec())
}

/// What would make git run something if it took the directory for its own.
fn git_dir() -> RawKind {
    RawKind::Dir(vec![
        RawEntry::file("HEAD", "ref: refs/heads/main\n"),
        RawEntry::file(
            "config",
            "[core]\n\trepositoryformatversion = 0\n\tfsmonitor = touch pwned\n\tsshCommand = touch pwned\n\thooksPath = hooks\n",
        ),
        dir("objects", vec![RawEntry::file("x", "x")]),
        dir("refs", vec![RawEntry::file("x", "x")]),
        dir(
            "hooks",
            ["post-checkout", "post-merge", "reference-transaction"]
                .map(|hook| {
                    RawEntry::new(
                        hook,
                        RawKind::Executable(b"#!/bin/sh\ntouch pwned\n".to_vec()),
                    )
                })
                .to_vec(),
        ),
    ])
}

fn dir(name: &str, entries: Vec<RawEntry>) -> RawEntry {
    RawEntry::new(name, RawKind::Dir(entries))
}

/// Two entries that some or all systems hold in one place.
fn twins(kinds: &mut Vec<Kind>) {
    let link = |name: &str| RawEntry::new(name, RawKind::Link(b"../outside".to_vec()));
    let holds = |name: &str| dir(name, vec![RawEntry::file("x", "x")]);
    let pairs: [(&str, Vec<RawEntry>); 5] = [
        ("a link and a directory", vec![link("a"), holds("a")]),
        (
            "a directory and a file",
            vec![holds("a"), RawEntry::file("a", "x")],
        ),
        (
            "two files",
            vec![RawEntry::file("a", "x"), RawEntry::file("a", "y")],
        ),
        (
            "a link and a directory in other letters",
            vec![link("A"), holds("a")],
        ),
        ("two manifests", vec![RawEntry::file(".agents", "x")]),
    ];
    for (name, raw) in pairs {
        kinds.push(kind(name, move |_| (sound(2), raw.clone())));
    }
}

fn submodules(kinds: &mut Vec<Kind>) {
    let commit = "0123456789012345678901234567890123456789";
    let urls = [
        "ext::sh -c touch% pwned",
        "file://$ROOT/outside",
        "$ROOT/outside",
        "../../outside",
        "-u./pwned",
        "--upload-pack=touch pwned",
        "ssh://-oProxyCommand=touch pwned/x",
        "http://127.0.0.1:1/x.git",
        "",
    ];
    let paths = [
        "sub",
        "../sub",
        ".git/modules/x",
        "evil",
        "a/../../sub",
        "/tmp/x",
    ];
    let names = [
        "sub",
        "../../x",
        "..",
        "sub\"]\n[core]\n\tsshCommand = \"touch pwned",
    ];
    let rows = urls
        .map(|url| (url, "sub", "sub"))
        .into_iter()
        .chain(paths.map(|path| ("file://$ROOT/outside", path, "sub")))
        .chain(names.map(|name| ("file://$ROOT/outside", "sub", name)));
    for (url, path, name) in rows {
        let modules = format!(
            "== .gitmodules\n[submodule \"{name}\"]\n\tpath = {path}\n\turl = {url}\n\tupdate = !touch pwned\n"
        );
        let shown = format!(
            "a submodule `{}` at `{path}` from `{url}`",
            name.escape_debug()
        );
        kinds.push(kind(shown, move |_| {
            let raw = RawEntry::new("sub", RawKind::Submodule(commit.to_owned()));
            (with(&modules), vec![raw])
        }));
    }
    kinds.push(kind("a submodule that nothing speaks of", move |_| {
        let raw = RawEntry::new("sub", RawKind::Submodule(commit.to_owned()));
        (sound(2), vec![raw])
    }));
}

/// Files by which git would be told to run something or to change what it writes.
fn attributes(kinds: &mut Vec<Kind>) {
    let texts = [
        (
            "a filter",
            "== .gitattributes\n* filter=x diff=x merge=x\n== .gitconfig\n[filter \"x\"]\n\tsmudge = touch pwned\n\trequired\n",
        ),
        (
            "a smudge filter of lfs",
            "== .gitattributes\n* filter=lfs -text\n== evil/big.bin\nversion https://git-lfs.github.com/spec/v1\noid sha256:0000000000000000000000000000000000000000000000000000000000000000\nsize 1099511627776\n== .lfsconfig\n[lfs]\n\turl = file://$ROOT/outside\n\tconcurrenttransfers = 99999\n",
        ),
        (
            "substitution and encodings",
            "== .gitattributes\n* ident export-subst eol=crlf working-tree-encoding=UTF-16\n*.md working-tree-encoding=nonsense\n",
        ),
        (
            "replaced objects",
            "== .mailmap\nx\n== .gitignore\n*\n!.git\n",
        ),
    ];
    for (name, more) in texts {
        kinds.push(kind(name, move |_| (with(more), Vec::new())));
    }
    kinds.push(kind("attributes of a megabyte in one line", |_| {
        let line = "a".repeat(1 << 20);
        (
            with(&format!("== .gitattributes\n{line} text\n")),
            Vec::new(),
        )
    }));
}

/// Catalogs that say what they should not.
fn catalogs(kinds: &mut Vec<Kind>) {
    let texts = [
        ("another's name", r#"{"name": "good", "plugins": [{"name": "evil", "source": "./evil"}]}"#.to_owned()),
        ("a reserved name", r#"{"name": "openai-curated", "plugins": []}"#.to_owned()),
        ("a name that climbs", r#"{"name": "../../x", "plugins": []}"#.to_owned()),
        ("sources that climb", r#"{"name": "bad", "plugins": [{"name": "evil", "source": "../../../outside"}, {"name": "fine", "source": "/etc"}]}"#.to_owned()),
        ("commands for addresses", r#"{"name": "bad", "plugins": [
            {"name": "evil", "source": {"source": "url", "url": "ext::sh -c touch% pwned"}},
            {"name": "fine", "source": {"source": "url", "url": "--upload-pack=touch pwned"}}]}"#.to_owned()),
        ("a ref and a path that climb", r#"{"name": "bad", "plugins": [
            {"name": "evil", "source": {"source": "git-subdir", "url": "https://127.0.0.1:1/x", "path": "../../x", "ref": "--upload-pack=touch pwned"}}]}"#.to_owned()),
        ("no catalog", "[1, 2".to_owned()),
        ("nothing", String::new()),
        ("a deep one", "[".repeat(100_000)),
        ("a large one", format!(r#"{{"name": "bad", "x": "{}", "plugins": []}}"#, "x".repeat(20 << 20))),
    ];
    for (name, text) in texts {
        kinds.push(kind(format!("a catalog with {name}"), move |_| {
            let place = ".agents/plugins/marketplace.json";
            let raw = dir(
                ".agents",
                vec![dir(
                    "plugins",
                    vec![RawEntry::file("marketplace.json", &text)],
                )],
            );
            (without(place), vec![raw])
        }));
    }
}

fn amounts(kinds: &mut Vec<Kind>) {
    for levels in [65, 400] {
        kinds.push(kind(format!("{levels} levels"), move |_| {
            let inner = RawEntry::file("x", "x");
            let deep = (0..levels).fold(inner, |inner, _| dir("d", vec![inner]));
            (sound(2), vec![deep])
        }));
    }
    kinds.push(kind("30,000 empty files", |_| {
        let many = (0..30_000).map(|number| RawEntry::file(&number.to_string(), ""));
        (sound(2), vec![dir("many", many.collect())])
    }));
    kinds.push(kind("a file of 200 MB that packs well", |_| {
        (with("== zeros.bin (size 209715200)\n"), Vec::new())
    }));
    kinds.push(kind("no file at all", |_| (String::new(), Vec::new())));
}

/// Answers of a server that is no good.
fn answers(kinds: &mut Vec<Kind>) {
    let mut answer = |name: String, request, behaviour: Box<dyn Fn(&Sandbox) -> Behaviour>| {
        kinds.push(Kind {
            name: format!("{name} for {request:?}"),
            content: Content::Answer(request, behaviour),
        });
    };
    for request in [GitRequest::InfoRefs, GitRequest::UploadPack] {
        for status in [201, 204, 304, 401, 403, 404, 418, 500, 503] {
            let behaviour = Box::new(move |_: &Sandbox| Behaviour::Status(status));
            answer(format!("status {status}"), request, behaviour);
        }
        for bytes in [0, 1, 4, 20, 40, 100, 400, 700] {
            let behaviour = Box::new(move |_: &Sandbox| Behaviour::Cut(bytes));
            answer(format!("the first {bytes} bytes"), request, behaviour);
        }
        for to in [
            "file://$ROOT/outside",
            "ext::sh -c touch% pwned",
            "http://127.0.0.1:1",
            "ssh://-oProxyCommand=touch pwned",
            "",
        ] {
            let behaviour =
                Box::new(move |sandbox: &Sandbox| Behaviour::Redirect(sandbox.expand(to)));
            answer(format!("a way to `{to}`"), request, behaviour);
        }
        answer("a page".to_owned(), request, Box::new(|_| Behaviour::Page));
        answer(
            "one byte after the other".to_owned(),
            request,
            Box::new(|_| Behaviour::Drip(Duration::from_millis(1))),
        );
    }
    answer(
        "a pack without end".to_owned(),
        GitRequest::UploadPack,
        Box::new(|_| Behaviour::Bomb),
    );
}
