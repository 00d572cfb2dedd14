//! What the requirements say beside the list of sources.

use std::sync::Arc;

use plugd_disk::Disk;
use plugd_model::{PluginId, ProblemKind};
use plugd_testkit::Sandbox;
use pretty_assertions::assert_eq;
use serde_json::json;

use crate::requirements::ServerIdentity;
use crate::write::tests::{set, write_to};
use crate::{Features, SessionFlags, Snapshot, WriteError, load};

const FILE: &str = "etc/requirements.toml";

fn seen(sandbox: &Sandbox) -> Arc<Snapshot> {
    load(&Disk::new(), &sandbox.layout(), &SessionFlags::none(), None)
}

fn with(requirements: &str, config: &str) -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write(FILE, requirements);
    sandbox.write("ch/config.toml", sandbox.expand(config));
    sandbox
}

#[test]
fn features_are_required_to_be_on_or_off() {
    let check = |requirements: &str, config: &str, expected: [bool; 5], problems: usize| {
        let snapshot = seen(&with(requirements, config));
        let Features {
            plugins,
            remote_plugin,
            plugin_sharing,
            hooks,
            apps,
        } = *snapshot.features();
        let found = [plugins, remote_plugin, plugin_sharing, hooks, apps];
        assert_eq!(found, expected, "{requirements}");
        assert_eq!(snapshot.problems().len(), problems, "{requirements}");
    };
    let off = "[features]\nplugins = false\n";
    let no_plugins = [false, true, true, true, true];
    check(off, "", no_plugins, 0);
    check(off, "[features]\nplugins = true\n", no_plugins, 0);
    check("[features]\nplugins = true\n", off, [true; 5], 0);
    check(
        "[features]\nhooks = false\nx = true\n",
        off,
        [false, true, true, false, true],
        0,
    );
    // Whatever was meant, it restricts.
    check("[features]\nplugins = \"no\"\n", "", no_plugins, 1);
    check("features = 5\n", "", [false; 5], 1);
}

#[test]
fn the_contrary_of_what_is_required_is_not_written() {
    let sandbox = with("[features]\nplugins = false\n", "a = 1\n");
    for (path, value) in [
        ("features.plugins", json!(true)),
        ("features", json!({"hooks": true, "plugins": true})),
    ] {
        match write_to(&sandbox, &[set(path, value)]) {
            Err(WriteError::Invalid { field, reason }) => {
                assert_eq!(field, "features.plugins");
                assert!(reason.contains("requirements.toml` requires"), "{reason}");
            }
            other => panic!("{path}: {other:?}"),
        }
    }
    assert_eq!(sandbox.text("ch/config.toml"), "a = 1\n");
    for (path, value) in [
        ("features.plugins", json!(false)),
        ("features.hooks", json!(false)),
        ("features", json!({"hooks": true})),
    ] {
        write_to(&sandbox, &[set(path, value)]).unwrap();
    }
}

#[test]
fn plugins_of_marketplaces_that_are_not_allowed_are_off() {
    let config = "[marketplaces.good]\nsource_type = \"local\"\nsource = \"/srv/good\"\n\
                  [marketplaces.bad]\nsource_type = \"local\"\nsource = \"/srv/bad\"\n\
                  [plugins.\"p@good\"]\n[plugins.\"p@bad\"]\n[plugins.\"p@home\"]\n\
                  [plugins.\"p@openai-curated\"]\n[plugins.\"p@openai-curated-remote\"]\n\
                  [plugins.\"off@good\"]\nenabled = false\n";
    let on = |requirements: &str| {
        let snapshot = seen(&with(requirements, config));
        let rows = snapshot.plugins().iter();
        for row in rows.clone() {
            let reason = row.forbidden.as_ref();
            let is_policy = reason.is_none_or(|problem| problem.kind == ProblemKind::Policy);
            assert!(is_policy && (reason.is_none() || !row.enabled), "{row:?}");
        }
        let on = rows.filter(|row| row.enabled).map(|row| row.id.to_string());
        on.collect::<Vec<_>>()
    };
    let all = [
        "p@good",
        "p@bad",
        "p@home",
        "p@openai-curated",
        "p@openai-curated-remote",
    ];
    assert_eq!(on(""), all);
    let restricted = "[marketplaces]\nrestrict_to_allowed_sources = true\n";
    // The account decides about what it brings.
    let remote = "p@openai-curated-remote";
    assert_eq!(on(restricted), [remote]);
    assert_eq!(on("[marketplaces\n"), [remote]);
    let row = "[marketplaces.allowed_sources.a]\nsource = \"local\"\npath = \"/srv/good\"\n";
    assert_eq!(on(&format!("{restricted}{row}")), ["p@good", remote]);
    let row = "[marketplaces.allowed_sources.a]\nsource = \"git\"\nurl = \"openai/plugins\"\n";
    assert_eq!(
        on(&format!("{restricted}{row}")),
        ["p@openai-curated", remote]
    );
}

#[test]
fn only_servers_on_the_list() {
    let (id, other) = (
        PluginId::parse("p@m").unwrap(),
        PluginId::parse("q@m").unwrap(),
    );
    let command = |text: &str| ServerIdentity::Command(text.to_owned());
    let url = |text: &str| ServerIdentity::Url(text.to_owned());
    let check = |requirements: &str, expected: [bool; 4], problems: usize| {
        let snapshot = seen(&with(requirements, ""));
        let allows = |id: &PluginId, name: &str, identity: ServerIdentity| {
            snapshot
                .requirements()
                .allows_server(id, name, &[identity])
                .is_ok()
        };
        let found = [
            allows(&id, "a", command("npx")),
            allows(&id, "a", command("other")),
            allows(&id, "b", url("https://x.example/mcp")),
            allows(&other, "a", command("npx")),
        ];
        assert_eq!(found, expected, "{requirements}");
        assert_eq!(snapshot.problems().len(), problems, "{requirements}");
    };
    let row = |server: &str, identity: &str| {
        format!("[plugins.\"p@m\".mcp_servers.{server}.identity]\n{identity}\n")
    };
    check("", [true; 4], 0);
    check("[plugins.\"p@m\"]\n", [true; 4], 0);
    let own = "[mcp_servers.x.identity]\ncommand = \"x\"\n";
    check(own, [true; 4], 0);
    check("[mcp_servers]\n", [false; 4], 0);
    let a = row("a", "command = \"npx\"");
    check(&a, [true, false, false, false], 0);
    check(&format!("{own}{a}"), [true, false, false, false], 0);
    check(&format!("[mcp_servers]\n{a}"), [false; 4], 0);
    let b = row("b", "url = \"https://x.example/mcp\"");
    check(&b, [false, false, true, false], 0);
    // A mistake closes the list.
    for mistake in ["mcp_servers = 5\n", "plugins = 5\n", "[mcp_servers.x]\n"] {
        check(mistake, [false; 4], 1);
    }
    check(&row("a", "command = 5"), [false; 4], 1);
    check("[broken\n", [false; 4], 1);
}

#[test]
fn hooks_of_the_administrator_and_no_others() {
    let hooks = |requirements: &str| {
        let sandbox = with(requirements, "");
        let snapshot = seen(&sandbox);
        let requirements = snapshot.requirements();
        let place = requirements.hooks().map(|(events, place)| {
            let place = place.to_text().replace(&sandbox.root().to_text(), "");
            (events.to_string(), place)
        });
        (requirements.managed_hooks_only(), place)
    };
    assert_eq!(hooks(""), (false, None));
    assert_eq!(hooks("allow_managed_hooks_only = true\n"), (true, None));
    assert_eq!(hooks("allow_managed_hooks_only = \"no\"\n"), (true, None));
    assert_eq!(hooks("[broken\n"), (true, None));
    let events = "[[hooks.Stop]]\nmatcher = \"x\"\n";
    let told = "{\"Stop\":[{\"matcher\":\"x\"}]}".to_owned();
    assert_eq!(
        hooks(events),
        (
            false,
            Some((told.clone(), "/etc/requirements.toml".to_owned()))
        )
    );
    let managed = format!("[hooks]\nmanaged_dir = \"/srv/hooks\"\n{events}");
    assert_eq!(
        hooks(&managed),
        (false, Some((told, "/srv/hooks".to_owned())))
    );
}
