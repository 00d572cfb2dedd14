use std::sync::Arc;
use std::time::Duration;

use plugd_disk::Probe;
use plugd_model::PluginId;
use plugd_testkit::{RecordingProbe, Sandbox};
use pretty_assertions::assert_eq;

use super::{Bounds, follow_within};
use crate::call::Call;
use crate::fixture::{Refusing, journals};
use crate::follow::{Begun, Followed, begin_to_follow};
use crate::status::PluginOutcome;
use crate::waits::IN_ALL;
use crate::{Copies, Lookup, Roots, fixture};

const PLUGINS: [&str; 5] = ["a", "b", "c", "d", "e"];

struct Home {
    sandbox: Sandbox,
    lookup: Lookup,
    copies: Copies,
}

impl Home {
    /// One with plugins that are configured and not there yet.
    fn new(probe: impl FnOnce(&Sandbox) -> Arc<dyn Probe>) -> Self {
        let sandbox = Sandbox::from("== ch/config.toml\n# mine\n");
        let entry = |name| format!("{{\"name\":\"{name}\",\"source\":\"./{name}\"}}");
        let entries = PLUGINS.map(entry).join(",");
        let manifest = "m/.agents/plugins/marketplace.json";
        sandbox.write(
            manifest,
            format!("{{\"name\":\"m\",\"plugins\":[{entries}]}}"),
        );
        let rows = PLUGINS.map(|name| format!("[plugins.\"{name}@m\"]\nenabled = true\n"));
        let (source, rows) = (sandbox.path("m"), rows.concat());
        sandbox.write(
            "ch/config.toml",
            format!("[marketplaces.m]\nsource_type = \"local\"\nsource = \"{source}\"\n{rows}"),
        );
        let (lookup, copies) = fixture::probed(&sandbox, probe(&sandbox));
        let home = Self {
            sandbox,
            lookup,
            copies,
        };
        home.offers("1");
        home
    }

    fn offers(&self, version: &str) {
        for name in PLUGINS {
            let manifest = format!("{{\"name\":\"{name}\",\"version\":\"{version}\"}}");
            let path = format!("m/{name}/.codex-plugin/plugin.json");
            self.sandbox.write(&path, manifest);
        }
    }

    /// What each plugin came to, by its name.
    fn follow(&self, bounds: Bounds, calls: impl Fn(&str) -> Call) -> Vec<String> {
        let resolved = self.lookup.resolve(&Roots::default());
        let at = (&self.lookup, &self.copies, &resolved);
        let plugins = PLUGINS.into_iter().map(|name| {
            let id = PluginId::parse(&format!("{name}@m")).unwrap();
            (name, id, calls(name))
        });
        let mut told = follow_within(bounds, at, plugins);
        told.sort_by_key(|(name, _)| *name);
        let told = told.into_iter().map(|(name, followed)| match followed {
            Followed::Result(result) => {
                assert_eq!(result.id.plugin.as_str(), name);
                let versions = (result.from, result.to);
                let outcome = result.outcome;
                assert_eq!(outcome == PluginOutcome::Failed, result.problem.is_some());
                format!("{name} {outcome:?} {versions:?}")
            }
            other => format!("{name} {other:?}"),
        });
        told.collect()
    }

    fn installed(&self) -> Vec<String> {
        let (copies, problems) = self.copies.store().unwrap().list().unwrap();
        assert_eq!(problems, []);
        let copies = copies.iter();
        copies
            .map(|copy| format!("{} {}", copy.id.plugin, copy.version))
            .collect()
    }
}

const PATIENT: Bounds = Bounds {
    together: 3,
    at_most: Duration::MAX,
};

fn each(plugins: &[&str], came_to: &str) -> Vec<String> {
    let plugins = plugins.iter();
    plugins.map(|name| format!("{name} {came_to}")).collect()
}

#[test]
fn those_that_are_ready_take_their_places_together_and_the_last_ones_wait_for_nobody() {
    let probe = RecordingProbe::new();
    let seen = Arc::clone(&probe);
    let home = Home::new(|_| seen);
    let told = home.follow(PATIENT, |_| Call::detached());
    assert_eq!(told, each(&PLUGINS, "Installed (None, Some(\"1\"))"));
    assert_eq!(journals(&home.sandbox, &probe), 2);

    home.offers("2");
    probe.reset();
    let told = home.follow(PATIENT, |_| Call::detached());
    assert_eq!(told, each(&PLUGINS, "Updated (Some(\"1\"), Some(\"2\"))"));
    assert_eq!(home.installed(), each(&PLUGINS, "2"));
    assert_eq!(journals(&home.sandbox, &probe), 2);
    assert_eq!(fixture::leftovers(&home.sandbox), "");
}

#[test]
fn a_copy_that_has_waited_long_enough_takes_its_place_before_another_plugin_is_begun() {
    let probe = RecordingProbe::new();
    let seen = Arc::clone(&probe);
    let home = Home::new(|_| seen);
    let impatient = Bounds {
        at_most: Duration::ZERO,
        ..PATIENT
    };
    let told = home.follow(impatient, |name| {
        let before = PLUGINS.iter().take_while(|one| **one != name);
        let before: Vec<_> = before.map(|one| format!("{one} 1")).collect();
        assert_eq!(home.installed(), before);
        Call::detached()
    });
    assert_eq!(told, each(&PLUGINS, "Installed (None, Some(\"1\"))"));
    assert_eq!(journals(&home.sandbox, &probe), PLUGINS.len());
}

#[test]
fn a_stop_leaves_those_that_are_ready_as_they_were() {
    let home = Home::new(|_| RecordingProbe::new());
    let whole = Call::detached();
    let told = home.follow(PATIENT, |name| {
        if name == "e" {
            // Three are in their places, and one waits.
            assert!(whole.cancel.is_sealed() && !whole.cancel.cancel());
        }
        whole.part()
    });
    let mut expected = each(&PLUGINS[..3], "Installed (None, Some(\"1\"))");
    expected.extend(each(&PLUGINS[3..], "Nothing"));
    assert_eq!(told, expected);
    assert_eq!(home.installed(), each(&PLUGINS[..3], "1"));
    assert_eq!(fixture::leftovers(&home.sandbox), "");
}

/// With the others, and then by itself as well.
#[test]
fn one_that_cannot_take_its_place_is_told_of_and_the_others_come() {
    let home = Home::new(|sandbox| Refusing::new(sandbox, "ch/plugins/cache/m/b", 2));
    let told = home.follow(PATIENT, |_| Call::detached());
    let mut expected = each(&PLUGINS, "Installed (None, Some(\"1\"))");
    expected[1] = "b Failed (None, None)".to_owned();
    assert_eq!(told, expected);
    assert_eq!(home.installed(), each(&["a", "c", "d", "e"], "1"));
    assert_eq!(fixture::leftovers(&home.sandbox), "");
}

/// What a transaction has cost is lost once, however many were in it and have to share what is left.
#[test]
fn those_who_begin_again_have_not_lost_the_time_of_each_other() {
    let home = Home::new(|sandbox| {
        let slow = Duration::from_millis(1_500);
        Refusing::slowly(sandbox, "ch/plugins/cache/m/b", 1, slow)
    });
    let whole = Call::detached();
    whole.waits.take(IN_ALL - Duration::from_secs(4));
    let told = home.follow(PATIENT, |_| whole.part());
    assert_eq!(told, each(&PLUGINS, "Installed (None, Some(\"1\"))"));
}

#[test]
fn one_that_nobody_waits_for_goes_unless_it_was_put_in_its_place() {
    let home = Home::new(|_| RecordingProbe::new());
    let resolved = home.lookup.resolve(&Roots::default());
    let begin = |name: &str| {
        let id = PluginId::parse(&format!("{name}@m")).unwrap();
        let (lookup, copies) = (&home.lookup, &home.copies);
        match begin_to_follow(&Call::detached(), lookup, copies, &resolved, &id, None) {
            Begun::Ready(ready) => ready,
            Begun::Ended(followed) => panic!("{followed:?}"),
        }
    };
    drop(begin("a"));
    let (taken_along, waits) = (begin("b"), begin("c"));
    waits.settle(&home.lookup, &home.copies, &resolved);
    drop(taken_along);
    assert_eq!(home.installed(), each(&["b", "c"], "1"));
    assert_eq!(fixture::leftovers(&home.sandbox), "");
}

#[test]
fn beside_others_in_the_lock_more_are_enough_and_not_for_ever() {
    let (few, short) = (3, Duration::from_millis(10));
    let bounds = Bounds {
        together: few,
        at_most: short,
    };
    for (ready, waited, alone, beside_others) in [
        (few - 1, short / 2, false, false),
        (few, short / 2, true, false),
        (0, short, true, false),
        (few * 4 - 1, short * 4 - short / 2, true, false),
        (few * 4, short, true, true),
        (0, short * 4, true, true),
    ] {
        assert_eq!(bounds.are_reached(ready, waited, false), alone);
        assert_eq!(bounds.are_reached(ready, waited, true), beside_others);
    }
}
