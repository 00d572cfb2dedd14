//! Texts that are hostile: to parsers, to terminals, to memory.

use std::fmt::Write as _;

use plugd_testkit::Sandbox;
use serde_json::{Value, json};

use super::cases::Case;
use crate::tally::Scale;

const CATALOG: &str = "bad/.agents/plugins/marketplace.json";
const MANIFEST: &str = "bad/evil/.codex-plugin/plugin.json";

/// What a terminal obeys and what a person misreads.
const INJECTIONS: [&str; 8] = [
    "\u{1b}[2J\u{1b}[31mred",
    "\u{1b}]0;title\u{7}",
    "line\r\nforged: line",
    "\u{9b}31m",
    "txt\u{202e}exe\u{2066}",
    "zero\u{200b}\u{feff}width",
    "tag\u{e0041}\u{e007f}",
    "\u{2028}separator\u{0}",
];

/// Every case there is in this form of the loop.
pub(super) fn every(scale: Scale, cases: &mut Vec<Case>) {
    injections(cases);
    front_matter(cases);
    json_files(scale, cases);
    catalogs(scale, cases);
}

/// Text for terminals and logs, wherever an author may write some.
fn injections(cases: &mut Vec<Case>) {
    for text in INJECTIONS {
        let shown = text.escape_debug();
        let entry = json!({"name": "evil", "source": "./evil", "category": text});
        let named = json!({"name": text, "source": format!("./{text}"), "description": text});
        let kind = json!({"name": "kind", "source": {"source": text, "url": text}});
        let fine = json!({"name": "fine", "source": "./fine"});
        let catalog = json!({
            "name": "bad", "interface": {"displayName": text}, "plugins": [entry, named, kind, fine],
        });
        cases.push(Case::new(
            format!("a catalog that says `{shown}`"),
            move |sandbox| {
                sandbox.write(CATALOG, catalog.to_string());
            },
        ));
        let plugin = json!({
            "name": "evil", "version": "1.0.0", "description": text, "keywords": [text],
            "author": {"name": text}, "license": text,
            "interface": {"displayName": text, "shortDescription": text, "developerName": text,
                "category": text, "defaultPrompt": text, "brandColor": text, "logo": text},
            text: text, "hooks": text, "skills": text,
        });
        let name = format!("a manifest that says `{shown}`");
        cases.push(
            Case::new(name, move |sandbox| {
                sandbox.write(MANIFEST, plugin.to_string());
            })
            .quiet(),
        );
        for member in ["name", "version"] {
            let mut plugin = json!({"name": "evil", "version": "1.0.0"});
            plugin[member] = json!(text);
            let name = format!("a {member} `{shown}`");
            cases.push(Case::new(name, move |sandbox| {
                sandbox.write(MANIFEST, plugin.to_string());
            }));
        }
        let name = format!("components that say `{shown}`");
        cases.push(Case::new(name, move |sandbox| components(sandbox, text)).quiet());
    }
}

/// A skill, servers, hooks and apps whose every text is this one.
fn components(sandbox: &Sandbox, text: &str) {
    // A string of JSON is one of YAML.
    let quoted = json!(text).to_string();
    let skill = format!(
        "---\nname: {quoted}\ndescription: {quoted}\nmetadata:\n  short-description: {quoted}\n---\n{text}\n"
    );
    sandbox.write("bad/evil/skills/do/SKILL.md", skill);
    let servers = json!({"mcpServers": {
        text: {"command": text, "args": [text], "env": {text: text}},
        "far": {"url": format!("https://example.invalid/{text}"), "http_headers": {text: text}},
    }});
    sandbox.write("bad/evil/.mcp.json", servers.to_string());
    let hook = json!({"type": "command", "command": text, "statusMessage": text});
    let hooks = json!({"hooks": {"Stop": [{"matcher": text, "hooks": [hook]}], text: []}});
    sandbox.write("bad/evil/hooks/hooks.json", hooks.to_string());
    sandbox.write(
        "bad/evil/.app.json",
        json!({"apps": {text: {"id": text}}}).to_string(),
    );
    sandbox.write(
        "bad/evil/commands/x.md",
        format!("---\ndescription: {quoted}\n---\n{text}\n"),
    );
}

/// Front matter that is small and means a lot.
fn bombs() -> Vec<(&'static str, String)> {
    let mut laughs = "a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol]\n".to_owned();
    for level in 1..12 {
        let before = level - 1;
        let row = vec![format!("*a{before}"); 8].join(", ");
        // Writing to a string cannot fail.
        let _ = writeln!(laughs, "a{level}: &a{level} [{row}]");
    }
    vec![
        (
            "a billion laughs",
            format!("{laughs}name: x\ndescription: *a11\n"),
        ),
        (
            "a name that is one",
            format!("{laughs}name: *a11\ndescription: x\n"),
        ),
        (
            "an alias of itself",
            "name: &a [*a]\ndescription: x\n".to_owned(),
        ),
        (
            "merged maps",
            "x: &x {<<: *x, name: a}\nname: *x\ndescription: {<<: *x}\n".to_owned(),
        ),
        (
            "10,000 brackets",
            format!("name: {}\ndescription: x\n", "[".repeat(10_000)),
        ),
        (
            "10,000 braces",
            format!("name: {}\ndescription: x\n", "{a: ".repeat(10_000)),
        ),
        (
            "10,000 levels",
            (0..10_000).fold(String::new(), |text, level| {
                if level < 500 {
                    format!("{text}{}a:\n", " ".repeat(level))
                } else {
                    text
                }
            }),
        ),
        (
            "100,000 keys",
            (0..100_000).fold(String::new(), |mut text, key| {
                let _ = writeln!(text, "k{key}: v");
                text
            }),
        ),
        (
            "a tag",
            "name: !!python/object/apply:os.system [id]\ndescription: x\n".to_owned(),
        ),
        (
            "twice the same key",
            "name: a\nname: b\ndescription: x\ndescription: y\n".to_owned(),
        ),
        (
            "a megabyte of one word",
            format!("name: {}\ndescription: x\n", "n".repeat(1 << 20)),
        ),
        (
            "no end",
            format!("name: x\ndescription: {}\n", "\\".repeat(4096)),
        ),
    ]
}

/// Front matter for every reader of some.
fn front_matter(cases: &mut Vec<Case>) {
    for (what, text) in bombs() {
        let skill = format!("---\n{text}---\nDo it.\n");
        let name = format!("front matter: {what}");
        cases.push(
            Case::new(name, move |sandbox| {
                sandbox.write("bad/evil/skills/do/SKILL.md", &skill);
                sandbox.write("bad/evil/commands/x.md", &skill);
            })
            .quiet(),
        );
    }
    for (what, bytes) in [
        ("no UTF-8", &b"\xff\xfe"[..]),
        ("NUL", b"\0\0\0\0"),
        ("UTF-16", b"n\0a\0m\0e\0"),
    ] {
        let skill = [b"---\nname: ", bytes, b"\ndescription: x\n---\n"].concat();
        cases.push(Case::new(format!("front matter: {what}"), move |sandbox| {
            sandbox.write("bad/evil/skills/do/SKILL.md", &skill);
        }));
    }
}

/// Objects that no honest program writes.
fn objects(wide: usize) -> Vec<(&'static str, Vec<u8>)> {
    let utf16: Vec<u8> = "{\"name\": \"evil\"}"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    vec![
        (
            "depth of 10,000",
            format!("{{\"x\": {}", "[".repeat(10_000)).into_bytes(),
        ),
        (
            "depth of 10,000, closed",
            format!("{{\"x\": {}{}}}", "[".repeat(10_000), "]".repeat(10_000)).into_bytes(),
        ),
        (
            "objects 10,000 deep",
            format!("{}1{}", "{\"x\": ".repeat(10_000), "}".repeat(10_000)).into_bytes(),
        ),
        (
            "much white space",
            [b"{", vec![b' '; wide].as_slice(), b"}"].concat(),
        ),
        (
            "one long text",
            [b"{\"name\": \"", vec![b'n'; wide].as_slice(), b"\"}"].concat(),
        ),
        (
            "one long number",
            [b"{\"name\": ", vec![b'9'; wide].as_slice(), b"}"].concat(),
        ),
        ("UTF-16", [&[0xff, 0xfe][..], &utf16].concat()),
        ("NUL bytes", b"{\"name\": \"evil\0\", \0}".to_vec()),
        (
            "a lone surrogate",
            br#"{"name": "\ud800", "plugins": [], "\udfff": "\udc00\ud800"}"#.to_vec(),
        ),
        (
            "no UTF-8",
            b"{\"name\": \"\xff\xfe\xc0\x80\xed\xa0\x80\"}".to_vec(),
        ),
        (
            "a number for all numbers",
            b"{\"name\": 1e999999999, \"x\": -0.0e-0}".to_vec(),
        ),
        (
            "not JSON but JavaScript",
            b"{name: 'evil', /* */ version: NaN,}".to_vec(),
        ),
        (
            "two values",
            b"{\"name\": \"evil\"} {\"name\": \"evil\"}".to_vec(),
        ),
    ]
}

fn json_files(scale: Scale, cases: &mut Vec<Case>) {
    for place in [
        CATALOG,
        MANIFEST,
        "bad/evil/hooks/hooks.json",
        "bad/evil/.mcp.json",
        "bad/evil/.app.json",
    ] {
        // What lies in a plugin is hashed again and again, whatever it is.
        let wide = if place == CATALOG {
            scale.pick(4 << 20, 64 << 20)
        } else {
            2 << 20
        };
        for (what, bytes) in objects(wide) {
            let case = Case::new(format!("{place}: {what}"), move |sandbox| {
                sandbox.write(place, &bytes);
            });
            cases.push(match place {
                CATALOG => case.spoils_the_catalog(),
                // What only one of the readers looks at is read past.
                _ => case,
            });
        }
    }
    let twice = br#"{"name": "other", "name": "evil", "version": "2", "version": "1.0.0"}"#;
    cases.push(
        Case::new("keys that are there twice", move |sandbox| {
            sandbox.write(MANIFEST, twice);
        })
        .quiet(),
    );
}

/// Catalogs that are JSON and too much.
fn catalogs(scale: Scale, cases: &mut Vec<Case>) {
    let many = scale.pick(5_000, 100_000);
    let entry =
        |number: usize| json!({"name": format!("p{number}"), "source": format!("./p{number}")});
    let entries: Vec<Value> = (0..many).map(entry).collect();
    let catalog = json!({"name": "bad", "plugins": entries}).to_string();
    let name = format!("{many} entries");
    cases.push(
        Case::new(name, move |sandbox| sandbox.write(CATALOG, &catalog)).spoils_the_catalog(),
    );
    let same = vec![json!({"name": "evil", "source": "./evil"}); scale.pick(500, 5_000)];
    let mut plugins = same.clone();
    plugins.push(json!({"name": "fine", "source": "./fine"}));
    let catalog = json!({"name": "bad", "plugins": plugins}).to_string();
    cases.push(Case::new("one entry many times", move |sandbox| {
        sandbox.write(CATALOG, &catalog);
    }));
    let sources = [
        json!("../outside"),
        json!("/etc"),
        json!("./evil/../../outside"),
        json!("./evil/.."),
        json!("."),
        json!(""),
        json!("file:///etc"),
        json!("./\u{0}"),
        json!(["./evil"]),
        json!({"source": "local", "path": "../outside"}),
        json!({"source": "url", "url": "file:///etc"}),
        json!({"source": "url", "url": "ext::sh -c id"}),
        json!({"source": "url", "url": "--upload-pack=id"}),
        json!({"source": "git-subdir", "url": "ssh://-oProxyCommand=id/x", "path": "../.."}),
        json!({"source": "npm", "package": "../../x"}),
        json!({"source": "npm", "package": "file:/etc"}),
        json!({"source": "github", "repo": "../../x"}),
        json!(null),
        json!(5),
    ];
    for source in sources {
        let catalog = json!({"name": "bad", "plugins": [
            {"name": "evil", "source": source}, {"name": "fine", "source": "./fine"},
        ]});
        cases.push(Case::new(format!("the source {source}"), move |sandbox| {
            sandbox.write(CATALOG, catalog.to_string());
        }));
    }
}
