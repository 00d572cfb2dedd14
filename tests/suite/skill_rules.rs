//! Proves that a skill which is switched is what was asked for afterwards, whatever rules there were.

use plugd_testkit::{Daemon, Sandbox};
use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use crate::fixtures::{install, launch, start};

const MANIFEST: &str = "$ROOT/demo/.agents/plugins/marketplace.json";

const WORLD: &str = r#"
== home/.agents/skills/u1/SKILL.md
---
description: Named like its directory
---
== home/.agents/skills/v1/SKILL.md
---
name: u1
description: Named like another
---
== demo/.agents/plugins/marketplace.json
{"name": "demo", "plugins": [{"name": "p", "source": "./p"}]}
== demo/p/.codex-plugin/plugin.json
{"name": "p", "version": "1.0.0"}
== demo/p/skills/s/SKILL.md
---
name: s
description: Of the plugin
---
"#;

const MARKETPLACE: &str = "[marketplaces.demo]\nsource_type = \"local\"\nsource = \"$ROOT/demo\"\n";
const USERS: &str = "$ROOT/home/.agents/skills/u1/SKILL.md";
const OTHER: &str = "$ROOT/home/.agents/skills/v1/SKILL.md";
const INSTALLED: &str = "$ROOT/ch/plugins/cache/demo/p/1.0.0/skills/s/SKILL.md";
const OLD: &str = "$ROOT/ch/plugins/cache/demo/p/0.9.0/skills/s/SKILL.md";

/// Whether the skill in a file is on.
#[track_caller]
fn is_on(daemon: &mut Daemon, sandbox: &Sandbox, path: &str) -> bool {
    let listed = daemon.ok("skills/list", json!({}));
    let skills = listed["data"][0]["skills"].as_array().unwrap();
    let path = sandbox.expand(path);
    let row = skills.iter().find(|row| row["path"] == path).unwrap();
    row["enabled"].as_bool().unwrap()
}

fn rule(selector: &str, enabled: bool) -> String {
    let member = if selector.starts_with('$') {
        "path"
    } else {
        "name"
    };
    format!("\n[[skills.config]]\n{member} = \"{selector}\"\nenabled = {enabled}\n")
}

#[track_caller]
fn switch(daemon: &mut Daemon, selector: &str, enabled: bool) -> Value {
    let member = if selector.starts_with('$') {
        "path"
    } else {
        "name"
    };
    let params = json!({member: selector, "enabled": enabled});
    daemon.ok("skills/config/write", params)["effectiveEnabled"].take()
}

#[test]
fn a_switched_skill_is_what_was_asked_for_whatever_rules_there_were() {
    let sandbox = Sandbox::from(WORLD);
    sandbox.write("ch/config.toml", sandbox.expand(MARKETPLACE));
    let mut daemon = start(&sandbox);
    install(&mut daemon, MANIFEST, "p");
    let base = sandbox.text("ch/config.toml");
    for (path, selectors) in [
        (USERS, &["u1", USERS] as &[_]),
        (INSTALLED, &["p:s", INSTALLED, OLD]),
    ] {
        let by = &selectors[..2];
        for first in selectors {
            for second in selectors.iter().filter(|second| *second != first) {
                for bits in 0..16 {
                    let bit = |n: usize| bits >> n & 1 == 1;
                    let (choice, enabled) = (by[usize::from(bit(0))], bit(1));
                    let rules = rule(first, bit(2)) + &rule(second, bit(3));
                    sandbox.write("ch/config.toml", sandbox.expand(&format!("{base}{rules}")));
                    let answer = switch(&mut daemon, choice, enabled);
                    let listed = is_on(&mut daemon, &sandbox, path);
                    let about = format!("{rules}\nswitch {choice} {enabled}");
                    assert_eq!((answer, listed), (json!(enabled), enabled), "{about}");
                }
            }
        }
    }
    daemon.shut_down();
}

#[test]
fn a_rule_about_others_too_stays_and_is_answered() {
    let sandbox = Sandbox::from(WORLD);
    let mut daemon = start(&sandbox);
    sandbox.write("ch/config.toml", rule("u1", false).trim_start());
    assert_eq!(switch(&mut daemon, USERS, true), json!(true));
    assert!(is_on(&mut daemon, &sandbox, USERS));
    assert!(!is_on(&mut daemon, &sandbox, OTHER));
    let on = rule("u1", false) + &rule(USERS, true);
    assert_eq!(sandbox.text("ch/config.toml"), on.trim_start());
    // Off again is the same rule, and with the name on again nothing is left.
    assert_eq!(switch(&mut daemon, USERS, false), json!(false));
    assert_eq!(switch(&mut daemon, "u1", true), json!(true));
    assert!(is_on(&mut daemon, &sandbox, USERS));
    assert_eq!(sandbox.text("ch/config.toml"), "");
    daemon.shut_down();
}

#[test]
fn a_rule_may_name_a_path_below_the_home_directory() {
    let sandbox = Sandbox::from(WORLD);
    let mut daemon = start(&sandbox);
    let file = "~/.agents/skills/u1/SKILL.md";
    let rule = format!("[[skills.config]]\npath = \"{file}\"\nenabled = false\n");
    sandbox.write("ch/config.toml", rule);
    assert!(!is_on(&mut daemon, &sandbox, USERS));
    assert_eq!(switch(&mut daemon, USERS, true), json!(true));
    assert!(is_on(&mut daemon, &sandbox, USERS));
    assert_eq!(sandbox.text("ch/config.toml"), "");
    daemon.shut_down();
}

#[test]
fn what_a_flag_says_is_answered_and_not_what_was_asked_for() {
    let sandbox = Sandbox::from(WORLD);
    let flag = "skills.config=[{name=\"u1\",enabled=false}]";
    let mut daemon = launch().args(&["-c", flag]).start(&sandbox);
    daemon.initialize();
    for selector in ["u1", USERS] {
        assert_eq!(switch(&mut daemon, selector, true), json!(false));
    }
    assert!(!is_on(&mut daemon, &sandbox, USERS));
    daemon.shut_down();
}
