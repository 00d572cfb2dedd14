//! Corrupts every file of a home that has everything, one at a time and in every way.
//!
//! Each try damages one file, asks the command line what is wrong, runs a daemon from its start to
//! its end, and looks what has become of everything else. A file that nobody can read any more and
//! that makes an answer differ must be named by some answer.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::dice::Dice;
use crate::reader::{Reader, complaints};
use crate::snapshot::{Node, Snapshot};
use crate::tally::{Scale, Tally};

mod damage;
mod session;
mod world;

use damage::Damage;
use session::Session;
use world::{TOPS, World};

/// How many of the ways the bounded form takes, and the long one.
const TRIES: [usize; 2] = [24, 300];

const CONFIG: &str = "ch/config.toml";

/// What a sound home looks like and answers.
struct Sound {
    before: Snapshot,
    after: Snapshot,
    session: Session,
    complaints: BTreeSet<String>,
}

/// A damaged file, and what came of it.
struct Try<'a> {
    world: &'a World,
    sound: &'a Sound,
    reader: Reader,
    path: &'a str,
    damage: Damage,
}

/// Every file in every way, or a sample of that.
pub(crate) fn run(scale: Scale) -> Tally {
    let mut tally = Tally::default();
    let reader = Reader::find();
    let mut dice = Dice::new(scale.seed(), "corrupt_files");
    let world = World::new();
    let sound = sound(&world, reader.unwrap_or(Reader::Plain));
    let mut cases: Vec<(String, Damage)> = Vec::new();
    for path in sound.before.files() {
        for damage in Damage::every(scale.pick(1, 5), &mut dice) {
            if damage != Damage::Unreadable || reader.is_some() {
                cases.push((path.to_owned(), damage));
            }
        }
    }
    let all = cases.len();
    dice.shuffle(&mut cases);
    cases.truncate(scale.sample(all, TRIES[0], TRIES[1]));
    for (path, damage) in &cases {
        let one = Try {
            world: &world,
            sound: &sound,
            reader: reader.unwrap_or(Reader::Plain),
            path,
            damage: *damage,
        };
        tally.attempt(format!("{path} {damage}"), || one.run());
        let now = Snapshot::take(&world.sandbox, &TOPS);
        if let Err(error) = sound.before.restore(&world.sandbox, &now) {
            tally.fail(format!("cannot restore after {path} {damage}: {error}"));
            break;
        }
    }
    tally.note(format!(
        "of {all} ways to damage {} files",
        sound.before.files().count()
    ));
    if reader.is_none() {
        tally.note("none without permissions, which cannot be made to count here".to_owned());
    }
    tally
}

/// Runs the session on the home as it is, and restores it.
fn sound(world: &World, reader: Reader) -> Sound {
    let before = Snapshot::take(&world.sandbox, &TOPS);
    let doctor = Session::doctor(&world.sandbox, reader);
    let session = Session::run(&world.sandbox, reader);
    let after = Snapshot::take(&world.sandbox, &TOPS);
    assert!(
        session.went("install") && session.went("uninstall"),
        "{session:#?}"
    );
    assert_eq!(session.stderr, "", "a sound home needs no words");
    before.restore(&world.sandbox, &after).unwrap();
    Sound {
        before,
        after,
        complaints: told(&session, &doctor.json()),
        session,
    }
}

/// Every complaint of a session and of the doctor.
fn told(session: &Session, doctor: &Value) -> BTreeSet<String> {
    let mut found = Vec::new();
    session
        .answers
        .values()
        .for_each(|value| complaints(value, &mut found));
    session
        .notifications
        .iter()
        .for_each(|value| complaints(value, &mut found));
    complaints(doctor, &mut found);
    found.into_iter().collect()
}

impl Try<'_> {
    fn run(&self) {
        let sandbox = &self.world.sandbox;
        self.damage.inflict(sandbox, self.path).unwrap();
        let damaged = Snapshot::take(sandbox, &TOPS);
        let doctor = Session::doctor(sandbox, self.reader);
        let untouched = damaged.changed(&Snapshot::take(sandbox, &TOPS));
        assert_eq!(
            untouched,
            Vec::<String>::new(),
            "the doctor changed something"
        );
        assert!(matches!(doctor.code(), 0 | 1), "{doctor}");
        let session = Session::run(sandbox, self.reader);
        let mut after = Snapshot::take(sandbox, &TOPS);
        if remains(&after) {
            // Where a record cannot be read, it is not known what is needed, and the next one decides.
            Session::recover(sandbox, self.reader);
            after = Snapshot::take(sandbox, &TOPS);
            assert!(!remains(&after), "remains of an operation stay for ever");
        }
        for said in [&doctor.stderr, &session.stderr] {
            assert!(!said.contains("panicked"), "{said}");
        }
        self.check_config(&session, &damaged, &after);
        self.check_rest(&damaged, &after);
        let told = told(&session, &doctor.json());
        self.check_named(&session, &after, &told);
    }

    /// No line of somebody else has gone from the configuration, and what cannot be edited is left
    /// as it is.
    fn check_config(&self, session: &Session, damaged: &Snapshot, after: &Snapshot) {
        let was = damaged.get(CONFIG);
        let is = after.get(CONFIG);
        let wrote = session.went("install") || session.went("uninstall");
        if !wrote {
            assert!(was == is, "{CONFIG} was changed by what failed");
            return;
        }
        match (was, is) {
            (Some(Node::File(was)), Some(Node::File(is))) => {
                let lost = lost_lines(was, is, session.went("uninstall"));
                assert_eq!(lost, None, "{CONFIG} lost a line");
            }
            (None | Some(Node::Link(_)), _) => {}
            (was, _) => panic!("{CONFIG} was written although it is {was:?}"),
        }
    }

    /// Nothing has changed besides what a sound session changes and what belongs to the damaged file.
    fn check_rest(&self, damaged: &Snapshot, after: &Snapshot) {
        let usual = self.sound.before.changed(&self.sound.after);
        let surprising: Vec<String> = damaged
            .changed(after)
            .into_iter()
            .filter(|path| path != self.path && !usual.contains(path))
            .filter(|path| !is_bookkeeping(path) && !self.belongs(path))
            .filter(|path| !same_record(damaged.get(path), after.get(path)))
            .collect();
        assert_eq!(surprising, Vec::<String>::new(), "changed besides");
    }

    /// Whether what lies at a path is repaired or replaced because of the damaged file.
    fn belongs(&self, path: &str) -> bool {
        // Made through a link that was dangling.
        if self.damage == Damage::Dangling && path == sibling(self.path, "nowhere") {
            return true;
        }
        // A flipped bit may say something else, such as another revision to follow.
        let market = "ch/.tmp/marketplaces/market/";
        if self.path.starts_with(market) && matches!(self.damage, Damage::Flipped(_)) {
            return path.starts_with("ch/plugins/") && path.contains("/market/");
        }
        let Some(plugin) = plugin_of(self.path) else {
            return false;
        };
        path.starts_with("ch/plugins/.plugd/trees/") || plugin_of(path).as_ref() == Some(&plugin)
    }

    /// A file that cannot be read and that makes a difference is named.
    fn check_named(&self, session: &Session, after: &Snapshot, told: &BTreeSet<String>) {
        let differs = session.differs(&self.sound.session);
        let healed = after.get(self.path) == self.sound.before.get(self.path);
        if !self.damage.hides(self.path) || differs.is_empty() || healed {
            return;
        }
        let path = self.world.sandbox.path(self.path).to_text();
        let new: Vec<&String> = told.difference(&self.sound.complaints).collect();
        let named = new
            .iter()
            .any(|one| one.contains(&path) || self.names_the_copy(one));
        assert!(
            named,
            "{differs:?} differ and nothing names the file: {new:#?}"
        );
    }

    /// Whether a complaint names the same file of the plugin in another place: what is broken in a
    /// source is installed as it is, and then broken there.
    fn names_the_copy(&self, complaint: &str) -> bool {
        let Some((marketplace, plugin)) = plugin_of(self.path) else {
            return false;
        };
        let within = self.path.split_once(&format!("/{plugin}/"));
        let copy = format!("/cache/{marketplace}/{plugin}/");
        // Of a copy the directory of its version may be named, and what is in it.
        let names = |file: &str| {
            let (version, rest) = file.split_once('/').unwrap_or_default();
            let in_version = || complaint.contains(version) && complaint.contains(rest);
            complaint.contains(file) || (self.path.contains(&copy) && in_version())
        };
        within.is_some_and(|(_, file)| complaint.contains(&copy) && names(file))
    }
}

/// Whether an operation has left something behind.
fn remains(snapshot: &Snapshot) -> bool {
    let state = "ch/plugins/.plugd";
    snapshot.all().any(|(path, ..)| {
        ["staging", "trash", "journal"]
            .iter()
            .any(|dir| path.starts_with(&format!("{state}/{dir}/")))
    })
}

/// A neighbour of a file.
fn sibling(path: &str, name: &str) -> String {
    let (dir, _) = path.rsplit_once('/').unwrap_or_default();
    format!("{dir}/{name}")
}

/// The first line that was there and is not any more, or stands elsewhere; the table of the
/// uninstalled plugin may be gone.
fn lost_lines(was: &[u8], is: &[u8], uninstalled: bool) -> Option<String> {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (was, is) = (text(was), text(is));
    let mut in_table = false;
    let mut rest = is.lines();
    let mut kept = was.lines().filter(|line| {
        if line.starts_with('[') || line.is_empty() {
            in_table = uninstalled && line.contains("gone@demo");
        }
        !in_table && !line.is_empty()
    });
    kept.find(|line| !rest.any(|other| other == *line))
        .map(str::to_owned)
}

/// Whether two files are records of one copy. An earlier try made its directory anew, which the
/// daemon notices as the work of somebody else: it looks at the copy and notes whose it is.
fn same_record(was: Option<&Node>, is: Option<&Node>) -> bool {
    let record = |node: Option<&Node>| {
        let Some(Node::File(bytes)) = node else {
            return None;
        };
        let mut record: Value = serde_json::from_slice(bytes).ok()?;
        for noticed in ["directory", "by", "installedAt"] {
            record.as_object_mut()?.remove(noticed)?;
        }
        // An adopted copy has none.
        record.as_object_mut()?.remove("stamps");
        Some(record)
    };
    record(was).is_some_and(|was| Some(was) == record(is))
}

/// What any session may write.
fn is_bookkeeping(path: &str) -> bool {
    let state = path.strip_prefix("ch/plugins/.plugd/");
    path.starts_with("ch/cache/remote_plugin_catalog/")
        || state.is_some_and(|path| {
            [
                "locks/",
                "catalog/",
                "leases/",
                "status.json",
                "sources.json",
                "version",
                "hooks.json",
            ]
            .iter()
            .any(|own| path.starts_with(own))
        })
}

/// Which plugin a path is about: its copy, its record, or its source.
fn plugin_of(path: &str) -> Option<(String, String)> {
    let parts: Vec<&str> = path.split('/').collect();
    let (marketplace, plugin) = match parts.as_slice() {
        ["ch", "plugins", "cache", marketplace, plugin, ..]
        | [
            "ch",
            "plugins",
            ".plugd",
            "installed",
            marketplace,
            plugin,
            ..,
        ] => (
            *marketplace,
            plugin.trim_end_matches(".json").trim_end_matches(".files"),
        ),
        ["ch", ".tmp", "marketplaces", marketplace, plugin, ..]
        | [
            "ch",
            "plugins",
            ".plugd",
            "marketplaces",
            marketplace,
            _,
            plugin,
            ..,
        ] => (*marketplace, *plugin),
        [marketplace @ ("demo" | "team"), plugin, ..] => (*marketplace, *plugin),
        _ => return None,
    };
    Some((marketplace.to_owned(), plugin.to_owned()))
}
