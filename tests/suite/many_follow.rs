//! Proves that many plugins follow their sources together, more than take their places at a time, and that
//! one which cannot keeps none of the others, wherever among them it stands.

use plugd_testkit::{Daemon, Sandbox};
use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use crate::fixtures::{
    DEMO_MANIFEST, install, installed_in, list_and_settle, plugin, shown, small, start_listening,
    text,
};
use crate::git_marketplace_upgrade::{change, upgrade};
use crate::remotes::{MANIFEST, add, nothing_left, remote, tree};

/// More than two threads put into their places in one transaction each.
const MANY: usize = 40;
/// The first, one in the middle of a batch, and the last.
const BROKEN: [usize; 3] = [0, 21, MANY - 1];

fn names() -> Vec<String> {
    (0..MANY).map(|number| format!("p{number:02}")).collect()
}

fn at<'a>(names: &'a [String], version: &'a str) -> Vec<(&'a str, &'a str)> {
    names.iter().map(|name| (&**name, version)).collect()
}

fn is_broken(number: usize) -> bool {
    BROKEN.contains(&number)
}

/// The version that each of them has in the end, with its id.
fn expected(marketplace: &str) -> Vec<String> {
    let version = |number| if is_broken(number) { "1.0.0" } else { "2.0.0" };
    let names = names();
    let rows = names.iter().enumerate();
    rows.map(|(number, name)| format!("{name}@{marketplace} {}", version(number)))
        .collect()
}

/// What is on the disk and what is answered, and that no work is left of it.
#[track_caller]
fn check_installed(daemon: &mut Daemon, sandbox: &Sandbox, marketplace: &str) {
    let answer = daemon.ok("plugin/installed", json!({}));
    assert_eq!(installed_in(&answer), expected(marketplace));
    for row in expected(marketplace) {
        let (name, version) = row.split_once(' ').unwrap();
        let name = name.split('@').next().unwrap();
        let copies = sandbox.tree(&format!("ch/plugins/cache/{marketplace}/{name}"));
        assert_eq!(copies, plugin(version, name, version));
    }
    nothing_left(sandbox);
}

/// A manifest that is no JSON any more.
fn broken(text: &str) -> String {
    text.replace("\"version\":\"2.0.0\"", "\"version\":")
}

#[test]
fn a_refresh_takes_all_that_it_can() {
    let names = names();
    let sandbox = small(&at(&names, "1.0.0"));
    let mut daemon = start_listening(&sandbox);
    for name in &names {
        install(&mut daemon, DEMO_MANIFEST, name);
    }
    for (number, name) in names.iter().enumerate() {
        let new = plugin(&format!("demo/{name}"), name, "2.0.0");
        sandbox.add(&if is_broken(number) { broken(&new) } else { new });
    }
    list_and_settle(&mut daemon, json!({}));
    let status = daemon.ok("plugd/status", json!({}));
    let tasks = status["tasks"].as_array().unwrap();
    let refresh = tasks.iter().find(|task| task["kind"] == "refresh").unwrap();
    let told: Vec<String> = shown(&refresh["plugins"], &sandbox)
        .as_array()
        .unwrap()
        .iter()
        .map(|row| {
            let has_problem = row["problem"] != Value::Null;
            format!(
                "{} {} {has_problem}",
                text(&row["pluginId"]),
                text(&row["outcome"])
            )
        })
        .collect();
    let rows = names.iter().enumerate();
    let rows = rows.map(|(number, name)| match is_broken(number) {
        true => format!("{name}@demo failed true"),
        false => format!("{name}@demo updated false"),
    });
    assert_eq!(told, rows.collect::<Vec<_>>());
    check_installed(&mut daemon, &sandbox, "demo");
    daemon.shut_down();
}

#[test]
fn an_upgrade_takes_all_that_it_can() {
    let names = names();
    let world = remote(&at(&names, "1.0.0"));
    let mut daemon = start_listening(&world.sandbox);
    add(&mut daemon, &world.url);
    for name in &names {
        install(&mut daemon, MANIFEST, name);
    }
    let new = tree("market", &at(&names, "2.0.0"));
    let new: Vec<String> = new
        .split("== ")
        .map(|file| {
            let is_of = |number: &usize| file.starts_with(&format!("{}/", names[*number]));
            match BROKEN.iter().any(is_of) {
                true => broken(file),
                false => file.to_owned(),
            }
        })
        .collect();
    world.repo.commit(&new.join("== "));
    let answer = upgrade(&mut daemon);
    for (number, name) in names.iter().enumerate() {
        let row = change(&answer, "pluginId", &format!("{name}@market"));
        assert_eq!(row["changed"], !is_broken(number), "{row:#}");
        assert_eq!(row["reason"].is_string(), is_broken(number), "{row:#}");
    }
    check_installed(&mut daemon, &world.sandbox, "market");
    daemon.shut_down();
}
