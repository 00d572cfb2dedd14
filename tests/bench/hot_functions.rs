//! Which functions of the program sessions call, for the build script that has them lie together.
//!
//! Valgrind's callgrind watches sessions as frontends have them, on homes of the bench. What it saw
//! is written by group, the first moments first: a process that only waits touches the first group,
//! and none touches more than the groups that it needs.

use std::collections::{BTreeSet, HashMap};
use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::client::Client;
use crate::market::{self, Market};
use crate::places::{Places, Program};
use crate::workloads;

/// Plugins that a session changes.
const CHANGED: usize = 5;

/// What a session does behind its greeting.
struct Session {
    /// The heading of its group.
    title: &'static str,
    /// What `plugd.toml` says.
    setting: &'static str,
    run: fn(&mut Client, &Market),
}

const NO_CURATED: &str = "curated_sync = false\n";
/// Nothing listens there.
const SILENT_CURATED: &str = "curated_url = \"http://127.0.0.1:9/curated.git\"\n";

const SESSIONS: [Session; 4] = [
    Session {
        title: "from the start to the answer of `initialize`",
        setting: NO_CURATED,
        run: |_, _| {},
    },
    Session {
        title: "listings, and what follows them in the background",
        setting: NO_CURATED,
        run: list,
    },
    Session {
        title: "readings, installations, a refresh and uninstallations",
        setting: NO_CURATED,
        run: change,
    },
    // Valgrind cannot follow a program that starts itself anew, so this is the daemon's side of it.
    Session {
        title: "the curated marketplace, as far as a worker is started and has failed",
        setting: SILENT_CURATED,
        run: list,
    },
];

fn list(client: &mut Client, _: &Market) {
    for _ in 0..2 {
        client.ok("plugin/list", &json!({}));
        client.rest();
    }
}

fn change(client: &mut Client, market: &Market) {
    list(client, market);
    let plugins = &market.plugins[..CHANGED];
    let named = |plugin: &String| workloads::named(market, plugin);
    let installed = |plugin: &String| workloads::installed(market, plugin);
    let each = |client: &mut Client, method: &str, params: &dyn Fn(&String) -> Value| {
        for plugin in plugins {
            client.ok(method, &params(plugin));
        }
    };
    each(client, "plugin/read", &named);
    // The second time nothing is new.
    each(client, "plugin/install", &named);
    each(client, "plugin/install", &named);
    client.rest();
    for plugin in plugins {
        market.bump(plugin, "2.0.0");
    }
    list(client, market);
    each(client, "plugin/read", &named);
    each(client, "plugin/uninstall", &installed);
    client.rest();
}

/// Watches each session of each program and writes the list. Programs must have their symbols, and
/// two builds of the same sources are two programs: the compiler does not inline in both alike.
pub(crate) fn write(list: &Path, places: &Places) {
    let version = Command::new("valgrind").arg("--version").output();
    assert!(
        version.is_ok(),
        "valgrind is not installed; it watches the sessions"
    );
    let mut text = String::from(
        "# Functions that lie together at the start of the program; `make hot-functions` writes this.\n",
    );
    let mut known = BTreeSet::new();
    for session in SESSIONS {
        let programs = places.programs().iter();
        let called = programs.flat_map(|program| called_in(&session, program, places));
        let new: BTreeSet<_> = called.filter(|name| !known.contains(name)).collect();
        text += &format!("# {}\n", session.title);
        for name in &new {
            text += &format!("{name}\n");
        }
        known.extend(new);
    }
    market::write(list, text);
}

/// The functions that a program calls in a session.
fn called_in(session: &Session, program: &Program, places: &Places) -> BTreeSet<String> {
    let market = places.own_real();
    let home = places.home(&[&market]);
    // As nearly every home is: one that has been used before.
    let mut before = Client::greeted(&program.path, &home);
    list(&mut before, &market);
    before.end();
    market::write(&home.join(".codex/plugd.toml"), session.setting);
    let calls = places.fresh().join("calls");
    let mut command = Command::new("valgrind");
    command
        .args(["--tool=callgrind", "--demangle=no"])
        .arg(format!("--callgrind-out-file={}", calls.display()))
        .arg(&program.path);
    let mut client = Client::greeted_below(command, &home);
    client.rest();
    (session.run)(&mut client, &market);
    client.end();
    let binary = program.path.to_str().unwrap();
    let called = functions_of(&fs::read_to_string(calls).unwrap(), binary);
    // A stripped program still has the names of what it takes from libraries.
    assert!(called.len() > 500, "`{binary}` has no symbols");
    called
}

/// The functions of a binary in what callgrind has written. A name is written out the first time,
/// as `fn=(7) name`, and then only its number stands there.
fn functions_of(calls: &str, binary: &str) -> BTreeSet<String> {
    let mut names = HashMap::new();
    let mut objects = HashMap::new();
    let mut inside = false;
    let mut found = BTreeSet::new();
    for line in calls.lines() {
        let Some((key, value)) = line.split_once("=(") else {
            continue;
        };
        let Some((number, name)) = value.split_once(')') else {
            continue;
        };
        let table = match key {
            "ob" | "cob" => &mut objects,
            "fn" | "cfn" => &mut names,
            _ => continue,
        };
        if !name.is_empty() {
            table.insert(number, name.trim_start());
        }
        match key {
            "ob" => inside = objects.get(number) == Some(&binary),
            "fn" if inside => found.extend(names.get(number).and_then(|name| pattern(name))),
            _ => {}
        }
    }
    found
}

/// A name as the linker is to look for it, with a star for what differs between two builds: what
/// tells one build of a crate from another, the crate that happened to make an instance of a generic
/// function, and the numbers of the optimiser. None for what is no name but a place.
fn pattern(name: &str) -> Option<String> {
    // Callgrind's own mark of a call below itself.
    let (name, _) = name.split_once('\'').unwrap_or((name, ""));
    let is_number = |end: &str| end.bytes().all(|byte| byte.is_ascii_digit());
    let name = match name.rsplit_once('.') {
        Some((name, number)) if is_number(number) => name,
        _ => name,
    };
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'$');
    if !name.bytes().all(is_word) || name.starts_with("0x") {
        return None;
    }
    if !name.starts_with("_R") {
        return Some(name.to_owned());
    }
    let name = without_instantiating_crate(name);
    let mut pattern = String::with_capacity(name.len() + 1);
    let mut rest = name.as_str();
    while let Some((before, behind)) = rest.split_once("Cs") {
        let (disambiguator, after) = letters_and_rest(behind);
        let is_one = !disambiguator.is_empty() && after.starts_with('_');
        pattern += before;
        pattern += "Cs";
        pattern += if is_one { "*" } else { disambiguator };
        rest = after;
    }
    Some(pattern + rest)
}

/// The name without the crate at its end, which is written out (`Cs…_5tokio`) or stands further in
/// front (`B3_`), and with a star for it.
fn without_instantiating_crate(name: &str) -> String {
    let written_out = name.rmatch_indices("Cs").find_map(|(at, _)| {
        let (_, krate) = letters_and_rest(&name[at + 2..]);
        let krate = krate.strip_prefix('_')?;
        let named = krate.trim_start_matches(|letter: char| letter.is_ascii_digit());
        let length = krate[..krate.len() - named.len()].parse::<usize>();
        (length == Ok(named.len())).then_some(at)
    });
    let further_in_front = || {
        let (head, _) = name.strip_suffix('_')?.rsplit_once('B')?;
        let (reference, _) = letters_and_rest(&name[head.len() + 1..]);
        (head.len() + reference.len() + 2 == name.len()).then_some(head.len())
    };
    match written_out.or_else(further_in_front) {
        Some(at) => format!("{}*", &name[..at]),
        None => name.to_owned(),
    }
}

fn letters_and_rest(text: &str) -> (&str, &str) {
    let letters = text.bytes().take_while(u8::is_ascii_alphanumeric);
    text.split_at(letters.count())
}
