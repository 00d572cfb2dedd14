use std::sync::Arc;

use plugd_model::{Interface, Problem, ProblemKind, Source};
use plugd_plugins::{Listing, ReadSkill, Reading, RemoteApp, ShownInterface, Summary};
use pretty_assertions::assert_eq;

use super::{text, version, warnings};
use crate::fixture::{installed, offered, path};
use crate::style::Style;

fn skill(name: &str, description: &str) -> ReadSkill {
    ReadSkill {
        name: format!("hello:{name}"),
        description: description.to_owned(),
        short_description: None,
        interface: None,
        path: Some(path("/demo/plugins/hello/skills/x/SKILL.md")),
        enabled: true,
    }
}

fn bare(summary: Summary) -> Reading {
    Reading {
        marketplace: "demo".to_owned(),
        path: Some(path("/demo/marketplace.json")),
        summary,
        share_url: None,
        description: None,
        skills: Vec::new(),
        onboarding_skill: None,
        hooks: Vec::new(),
        apps: Vec::new(),
        app_templates: Vec::new(),
        mcp_servers: Vec::new(),
        scheduled_tasks: None,
        problems: Vec::new(),
    }
}

#[test]
fn a_plugin_with_nothing_in_it() {
    let expected = "\
hello@demo: not installed

Marketplace: demo (/demo/marketplace.json)
Source: /demo/plugins/hello
Version: 1.0.0
Install policy: AVAILABLE
Auth policy: ON_INSTALL
";
    assert_eq!(text(&bare(offered("hello@demo")), Style::PLAIN), expected);
}

#[test]
fn a_plugin_with_everything_and_text_that_would_move_the_cursor() {
    let mut summary = installed("hello@demo", "1.0.0");
    summary.keywords = vec!["one".to_owned(), "two\u{1b}[2J".to_owned()];
    summary.interface = Some(ShownInterface {
        interface: Arc::new(Interface {
            display_name: Some("Hello\u{202e}".to_owned()),
            short_description: Some("Says hello".to_owned()),
            ..Interface::default()
        }),
        filed: None,
        root: None,
        urls: plugd_plugins::PictureUrls::default(),
    });
    let mut short = skill("wave", "A long text about waving");
    short.short_description = Some("Waves".to_owned());
    short.enabled = false;
    let reading = Reading {
        description: Some("First line\n\nsecond \u{7}line\n".to_owned()),
        skills: vec![skill("greet", "Greets\npeople"), short],
        apps: vec![RemoteApp {
            id: "connector_1".to_owned(),
            name: "Mail".to_owned(),
            description: None,
            install_url: "https://chatgpt.com/apps/mail/connector_1".to_owned(),
            category: None,
        }],
        mcp_servers: vec!["search".to_owned()],
        ..bare(summary)
    };
    let expected = "\
hello@demo: installed, enabled
Hello\\u{202e}
Says hello

First line

second \\u{7}line

Marketplace: demo (/demo/marketplace.json)
Source: /demo/plugins/hello
Version: 1.0.0
Install policy: AVAILABLE
Auth policy: ON_INSTALL
Keywords: one, two\\u{1b}[2J

Skills
  hello:greet: Greets\\npeople
  hello:wave (switched off): Waves

MCP servers
  search

Apps
  Mail (connector_1)
";
    assert_eq!(text(&reading, Style::PLAIN), expected);
}

#[test]
fn problems_are_warnings() {
    let mut reading = bare(offered("hello@demo"));
    reading.problems =
        vec![Problem::warning(ProblemKind::WrongType, "no list").at_field("keywords")];
    assert_eq!(
        warnings(&reading, Style::PLAIN),
        "warning: keywords: no list\n"
    );
}

#[test]
fn versions() {
    #[track_caller]
    fn check(summary: &Summary, expected: &str) {
        assert_eq!(version(summary), expected);
    }
    let git = Source::Git {
        url: "https://example.invalid/x".to_owned(),
        path: None,
        ref_name: None,
        sha: None,
    };
    check(&offered("a@m"), "1.0.0");
    check(&installed("a@m", "1.0.0"), "1.0.0");
    check(
        &installed("a@m", "0.9.0"),
        "0.9.0 installed, 1.0.0 in the source",
    );
    let mut same_version = installed("a@m", "1.0.0");
    same_version.update_available = true;
    check(&same_version, "1.0.0; the source has other content");
    let mut undeclared = offered("a@m");
    undeclared.local_version = None;
    check(&undeclared, "");
    let mut fetched = installed("a@m", "abc");
    fetched.source = git;
    check(&fetched, "abc");
}

#[test]
fn the_manifest_is_the_one_that_a_listing_shows() {
    let group = |name: &str, manifest: &str, plugins| plugd_plugins::ListedMarketplace {
        name: name.to_owned(),
        path: Some(path(manifest)),
        display_name: None,
        plugins,
    };
    let listing = Listing {
        marketplaces: vec![
            group("m", "/first.json", vec![offered("a@m").into()]),
            group("m", "/second.json", vec![offered("b@m").into()]),
        ],
        load_errors: Vec::new(),
        featured: Vec::new(),
    };
    let find = |id| super::shown_under(&listing, &plugd_model::PluginId::parse(id).unwrap());
    assert_eq!(find("b@m"), Some(path("/second.json")));
    assert_eq!(find("a@m"), Some(path("/first.json")));
    assert_eq!(find("c@m"), None);
}
