use plugd_model::{Place, Problem, ProblemKind, Source};
use plugd_plugins::{ConfiguredKind, ListedMarketplace, Listing, LoadError, Summary};
use pretty_assertions::assert_eq;

use super::{Seen, add_missing, orphans, page};
use crate::args::ListArgs;
use crate::fixture::{installed, offered, path, text};
use crate::known::KnownMarketplace;
use crate::page::Form;
use crate::style::Style;

const MANIFEST: &str = "/demo/.agents/plugins/marketplace.json";

fn marketplace(name: &str, manifest: &str, plugins: Vec<Summary>) -> ListedMarketplace {
    ListedMarketplace {
        name: name.to_owned(),
        path: Some(path(manifest)),
        display_name: None,
        plugins: plugins.into_iter().map(Into::into).collect(),
    }
}

fn known(name: &str, manifest: &str) -> KnownMarketplace {
    KnownMarketplace {
        name: name.to_owned(),
        root: path("/demo"),
        path: Some(path(manifest)),
        configured: Some(ConfiguredKind::Local {
            source: path("/demo"),
        }),
        problem: None,
    }
}

fn from_git(id: &str) -> Summary {
    Summary {
        local_version: None,
        source: Source::Git {
            url: "https://example.invalid/x".to_owned(),
            path: None,
            ref_name: Some("main".to_owned()),
            sha: None,
        },
        ..offered(id)
    }
}

fn demo() -> Seen {
    let plugins = vec![installed("hello@demo", "0.9.0"), from_git("bye-bye@demo")];
    let home = vec![offered("hello@homie")];
    Seen {
        listing: Listing {
            marketplaces: vec![
                marketplace("homie", "/home/u/.agents/plugins/marketplace.json", home),
                marketplace("demo", MANIFEST, plugins),
            ],
            load_errors: Vec::new(),
            featured: Vec::new(),
        },
        known: vec![known("demo", MANIFEST)],
        is_broken: false,
    }
}

fn only(name: &str) -> ListArgs {
    ListArgs {
        marketplace: Some(name.to_owned()),
        available: false,
        remote: false,
    }
}

fn row(kind: ProblemKind) -> LoadError {
    LoadError {
        marketplace_path: path("/bad/marketplace.json"),
        problem: Problem::error(kind, "not good")
            .in_file(&path("/bad/marketplace.json"))
            .at(Place { line: 4, column: 2 }),
    }
}

#[track_caller]
fn check(seen: &Seen, args: &ListArgs, expected: &str) {
    let page = page(seen, args, text());
    assert_eq!(page.body, expected);
    assert_eq!(page.warnings, "");
    assert_eq!(page.incomplete, None);
}

const DEMO: &str = "\
Marketplace `demo`
/demo/.agents/plugins/marketplace.json

PLUGIN        STATUS              VERSION  SOURCE
hello@demo    installed, enabled  0.9.0    /demo/plugins/hello
bye-bye@demo  not installed                https://example.invalid/x, ref `main`
";

#[test]
fn a_block_for_each_marketplace_as_in_the_reference() {
    let expected = format!(
        "\
Marketplace `homie`
/home/u/.agents/plugins/marketplace.json

PLUGIN       STATUS         VERSION  SOURCE
hello@homie  not installed           /demo/plugins/hello

{DEMO}"
    );
    check(&demo(), &ListArgs::default(), &expected);
}

#[test]
fn one_marketplace_only() {
    check(&demo(), &only("demo"), DEMO);
    check(
        &demo(),
        &only("nope"),
        "No plugins found in marketplace `nope`.\n",
    );
    check(
        &demo(),
        &only("\u{1b}["),
        "No plugins found in marketplace `\\u{1b}[`.\n",
    );
}

#[test]
fn nothing_at_all() {
    let seen = Seen {
        listing: Listing::default(),
        known: Vec::new(),
        is_broken: false,
    };
    check(
        &seen,
        &ListArgs::default(),
        "No marketplace plugins found.\n",
    );
    let json = page(&seen, &ListArgs::default(), Form::Json).body;
    assert_eq!(
        json,
        "{\n  \"installed\": [],\n  \"available\": [],\n  \"loadErrors\": []\n}\n"
    );
}

#[test]
fn statuses() {
    let mut disabled = installed("a@m", "1");
    disabled.enabled = false;
    // Configured and not in the store.
    let mut missing = offered("b@m");
    missing.enabled = true;
    let seen = Seen {
        listing: Listing {
            marketplaces: vec![marketplace("m", "/m.json", vec![disabled, missing])],
            load_errors: Vec::new(),
            featured: Vec::new(),
        },
        known: Vec::new(),
        is_broken: false,
    };
    check(
        &seen,
        &ListArgs::default(),
        "Marketplace `m`\n/m.json\n\n\
         PLUGIN  STATUS               VERSION  SOURCE\n\
         a@m     installed, disabled  1        /demo/plugins/a\n\
         b@m     not installed                 /demo/plugins/b\n",
    );
}

#[test]
fn colours_mark_what_the_words_say() {
    let plugins = vec![installed("a@m", "1")];
    let seen = Seen {
        listing: Listing {
            marketplaces: vec![marketplace("m", "/m.json", plugins)],
            load_errors: Vec::new(),
            featured: Vec::new(),
        },
        known: Vec::new(),
        is_broken: false,
    };
    let form = Form::Text {
        out: Style::COLOURED,
        err: Style::PLAIN,
    };
    let body = page(&seen, &ListArgs::default(), form).body;
    assert!(
        body.contains("\u{1b}[32minstalled, enabled\u{1b}[0m"),
        "{body}"
    );
    let mut bare = body;
    for code in ["\u{1b}[0m", "\u{1b}[1m", "\u{1b}[2m", "\u{1b}[32m"] {
        bare = bare.replace(code, "");
    }
    assert_eq!(bare, page(&seen, &ListArgs::default(), text()).body);
}

#[test]
fn orphans_are_listed_last_and_say_so() {
    let mut group = marketplace("gone", "/x", vec![installed("old@gone", "2")]);
    group.path = None;
    let offered_too = marketplace("demo", MANIFEST, vec![installed("hello@demo", "0.9.0")]);
    let all = Listing {
        marketplaces: vec![offered_too, group],
        load_errors: Vec::new(),
        featured: Vec::new(),
    };
    let mut seen = demo();
    seen.listing.marketplaces.extend(orphans(all));
    let body = page(&seen, &only("gone"), text()).body;
    assert_eq!(
        body,
        "Marketplace `gone`\n(gone; its plugins stay active until they are removed)\n\n\
         PLUGIN    STATUS              VERSION  SOURCE\n\
         old@gone  installed, enabled  2        /demo/plugins/old\n"
    );
    assert_eq!(seen.listing.marketplaces.len(), 3);

    // A marketplace that is there may offer one of its plugins no more.
    let mut dropped = marketplace("demo", "/x", vec![installed("old@demo", "2")]);
    dropped.path = None;
    seen.listing.marketplaces.push(dropped);
    let body = page(&seen, &only("demo"), text()).body;
    let last = body.rsplit_once("Marketplace ").unwrap().1;
    assert_eq!(
        last,
        "`demo`\n(not offered any more; these plugins stay active until they are removed)\n\n\
         PLUGIN    STATUS              VERSION  SOURCE\n\
         old@demo  installed, enabled  2        /demo/plugins/old\n"
    );
}

#[test]
fn load_errors_are_warnings_and_the_rest_is_listed() {
    let mut seen = demo();
    seen.listing.load_errors = vec![row(ProblemKind::Syntax)];
    let page = page(&seen, &only("demo"), text());
    assert_eq!(page.body, DEMO);
    assert_eq!(
        page.warnings,
        "error: /bad/marketplace.json:4:2: not good\n"
    );
    assert_eq!(page.incomplete, None);
}

#[test]
fn exit_codes_are_the_references_and_have_a_reason() {
    #[track_caller]
    fn check(seen: &Seen, args: &ListArgs, expected: Option<&str>) {
        for form in [text(), Form::Json] {
            assert_eq!(page(seen, args, form).incomplete.as_deref(), expected);
        }
    }
    let mut seen = demo();
    // A bad entry is told and fails nothing.
    seen.listing.load_errors = vec![row(ProblemKind::BadValue)];
    check(&seen, &ListArgs::default(), None);
    seen.is_broken = true;
    let configuration = "the configuration is broken, so something may be missing";
    check(&seen, &ListArgs::default(), Some(configuration));

    let mut broken = known("broken", "/x");
    broken.path = None;
    broken.problem = Some(Problem::error(ProblemKind::Missing, "no manifest"));
    seen.known.push(broken.clone());
    let marketplace = "the marketplace `broken` cannot be used";
    let both = format!("{marketplace}; {configuration}");
    check(&seen, &ListArgs::default(), Some(&both));
    seen.is_broken = false;
    check(&seen, &ListArgs::default(), Some(marketplace));
    check(&seen, &only("broken"), Some(marketplace));
    check(&seen, &only("demo"), None);

    // One that nobody configured, such as the home's, fails nothing.
    seen.known.pop();
    broken.configured = None;
    seen.known.push(broken);
    check(&seen, &ListArgs::default(), None);
}

#[test]
fn what_is_wrong_with_the_configuration_is_told_once() {
    let told = row(ProblemKind::Config);
    let mut rows = vec![told.clone()];
    let mut other = told.problem.clone();
    other.path = Some(path("/etc/config.toml"));
    assert!(add_missing(
        &mut rows,
        vec![told.problem.clone(), other.clone()]
    ));
    let added = LoadError {
        marketplace_path: path("/etc/config.toml"),
        problem: other,
    };
    assert_eq!(rows, [told, added]);
}

#[test]
fn json_is_the_references_with_more() {
    let args = ListArgs {
        marketplace: None,
        available: true,
        remote: false,
    };
    let mut seen = demo();
    let row = &mut seen.listing.marketplaces[1].plugins[0];
    *row = Summary {
        update_available: true,
        ..row.clone().into_summary()
    }
    .into();
    let expected = r#"{
  "installed": [
    {
      "pluginId": "hello@demo",
      "name": "hello",
      "marketplaceName": "demo",
      "version": "0.9.0",
      "installed": true,
      "enabled": true,
      "source": {
        "source": "local",
        "path": "/demo/plugins/hello"
      },
      "marketplaceSource": {
        "sourceType": "local",
        "source": "/demo"
      },
      "installPolicy": "AVAILABLE",
      "authPolicy": "ON_INSTALL",
      "sourceVersion": "1.0.0",
      "updateAvailable": true,
      "problems": []
    }
  ],
  "available": [
    {
      "pluginId": "hello@homie",
      "name": "hello",
      "marketplaceName": "homie",
      "version": "1.0.0",
      "installed": false,
      "enabled": false,
      "source": {
        "source": "local",
        "path": "/demo/plugins/hello"
      },
      "installPolicy": "AVAILABLE",
      "authPolicy": "ON_INSTALL",
      "sourceVersion": "1.0.0",
      "updateAvailable": false,
      "problems": []
    },
    {
      "pluginId": "bye-bye@demo",
      "name": "bye-bye",
      "marketplaceName": "demo",
      "version": null,
      "installed": false,
      "enabled": false,
      "source": {
        "source": "git",
        "url": "https://example.invalid/x",
        "ref": "main"
      },
      "marketplaceSource": {
        "sourceType": "local",
        "source": "/demo"
      },
      "installPolicy": "AVAILABLE",
      "authPolicy": "ON_INSTALL",
      "sourceVersion": null,
      "updateAvailable": false,
      "problems": []
    }
  ],
  "loadErrors": []
}
"#;
    assert_eq!(page(&seen, &args, Form::Json).body, expected);
    let table = page(&seen, &ListArgs::default(), text()).body;
    let last = |text: &str| {
        let rows = table.lines().filter(|line| line.contains(text));
        rows.filter_map(|line| line.split_whitespace().next_back())
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    assert_eq!(last("PLUGIN"), ["SOURCE", "UPDATE"], "{table}");
    assert_eq!(last("hello@demo"), ["1.0.0"], "{table}");
    // Without the switch only what is installed is listed.
    let installed_only = page(&seen, &ListArgs::default(), Form::Json).body;
    assert!(
        installed_only.contains("\"available\": [],"),
        "{installed_only}"
    );
    assert!(installed_only.contains("hello@demo"), "{installed_only}");
}
