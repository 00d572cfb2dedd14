//! One test per numbered line of the resolver's rules, and the table of places, names and policies.

use plugd_config::SessionFlags;
use plugd_disk::Disk;
use plugd_manifest::Loader;
use plugd_model::{AbsPath, PluginId};
use plugd_testkit::Sandbox;
use pretty_assertions::assert_eq;

use crate::{
    Binding, Login, MarketplaceResolver, MarketplaceSet, NotSelected, Origin, ResolveInput, Scope,
    Selector, State,
};

#[path = "configured_tests.rs"]
mod configured_tests;

/// A sandbox with what a request names in it.
struct Case {
    sandbox: Sandbox,
    cwds: Vec<&'static str>,
    manifests: Vec<&'static str>,
    login: Login,
}

fn case(fixture: &str) -> Case {
    Case {
        sandbox: Sandbox::from(fixture),
        cwds: Vec::new(),
        manifests: Vec::new(),
        login: Login::None,
    }
}

impl Case {
    fn cwds(mut self, cwds: &[&'static str]) -> Self {
        self.cwds = cwds.to_vec();
        self
    }

    fn manifest(mut self, manifest: &'static str) -> Self {
        self.manifests.push(manifest);
        self
    }

    fn login(mut self, login: Login) -> Self {
        self.login = login;
        self
    }

    fn resolve(&self) -> MarketplaceSet {
        let layout = self.sandbox.layout();
        let loader = Loader::new(Disk::new());
        let paths = |names: &[&str]| -> Vec<AbsPath> {
            names.iter().map(|name| self.sandbox.path(name)).collect()
        };
        let (cwds, manifests) = (paths(&self.cwds), paths(&self.manifests));
        let flags = SessionFlags::none();
        let load = |cwd| plugd_config::load(loader.disk(), &layout, &flags, cwd);
        let configs: Vec<_> = match cwds.as_slice() {
            [] => vec![(None, load(None))],
            cwds => cwds
                .iter()
                .map(|cwd| (Some(cwd), load(Some(cwd))))
                .collect(),
        };
        let scopes: Vec<_> = configs
            .iter()
            .map(|(cwd, config)| Scope { config, cwd: *cwd })
            .collect();
        let home = self.sandbox.home();
        MarketplaceResolver::new(&loader).resolve(&ResolveInput {
            layout: &layout,
            home: Some(&home),
            scopes: &scopes,
            manifests: &manifests,
            login: self.login,
            beside_catalog: false,
            staged: None,
        })
    }

    /// The set as text: one line per marketplace, one per offered plugin, one per problem.
    #[track_caller]
    fn check(&self, expected: &str) {
        let set = self.resolve();
        let mut lines = Vec::new();
        for marketplace in set.marketplaces() {
            let origin = match &marketplace.origin {
                Origin::Home => "home".to_owned(),
                Origin::Configured { key, .. } => format!("configured {key}"),
                Origin::Request { index } => format!("request {index}"),
                Origin::Curated => "curated".to_owned(),
            };
            let state = match &marketplace.state {
                State::Loaded(content) => content.manifest.value.name.to_string(),
                State::Failed(problem) => format!("failed {}", problem.kind.word()),
            };
            lines.push(format!("{origin}: {state} at {}", marketplace.named_by));
            let shown = set
                .shown()
                .find(|(one, _, _)| std::ptr::eq(*one, marketplace));
            for offer in shown.into_iter().flat_map(|(_, _, offers)| offers) {
                lines.push(format!("  {}", offer.id()));
            }
            if let Some(conflict) = &marketplace.conflict {
                lines.push(format!("  {}", conflict.kind.word()));
            }
        }
        let text = lines
            .join("\n")
            .replace(&self.sandbox.root().to_text(), "$ROOT");
        assert_eq!(text, expected.trim());
    }
}

fn marketplace(dir: &str, name: &str, plugins: &[&str]) -> String {
    let entries: Vec<String> = plugins
        .iter()
        .map(|plugin| format!(r#"{{"name":"{plugin}","source":"./{plugin}"}}"#))
        .collect();
    format!(
        "== {dir}/.agents/plugins/marketplace.json\n{{\"name\":\"{name}\",\"plugins\":[{}]}}\n",
        entries.join(",")
    )
}

fn configured(rows: &[(&str, &str)]) -> String {
    let rows: String = rows
        .iter()
        .map(|(key, dir)| {
            format!("[marketplaces.{key}]\nsource_type = \"local\"\nsource = \"$ROOT/{dir}\"\n")
        })
        .collect();
    format!("== ch/config.toml\n{rows}")
}

#[test]
fn rule_1_an_alias_of_a_root_is_the_same_marketplace() {
    let fixture = configured(&[("demo", "alias")])
        + &marketplace("demo", "demo", &["a"])
        + "== alias -> demo\n";
    case(&fixture)
        .cwds(&["demo"])
        .check("configured demo: demo at $ROOT/alias/.agents/plugins/marketplace.json\n  a@demo");
}

#[test]
fn rule_2_home_goes_before_configured_before_request_before_curated() {
    let fixture = configured(&[("m", "z")])
        + &marketplace("home", "m", &["a"])
        + &marketplace("z", "m", &["a", "b"])
        + &marketplace("b", "m", &["a", "b", "c"]);
    case(&fixture).cwds(&["b"]).check(
        "home: m at $ROOT/home/.agents/plugins/marketplace.json
  a@m
request 0: m at $ROOT/b/.agents/plugins/marketplace.json
  c@m
  conflict
configured m: m at $ROOT/z/.agents/plugins/marketplace.json
  b@m
  conflict",
    );
}

#[test]
fn rule_2_request_roots_go_in_their_order_whatever_they_are_called() {
    let fixture = marketplace("z", "m", &["a"]) + &marketplace("b", "m", &["a", "c"]);
    case(&fixture).cwds(&["z", "b"]).check(
        "request 0: m at $ROOT/z/.agents/plugins/marketplace.json
  a@m
request 1: m at $ROOT/b/.agents/plugins/marketplace.json
  c@m
  conflict",
    );
}

#[test]
fn rule_2_configured_marketplaces_go_in_the_order_of_their_rows() {
    let fixture = configured(&[("one", "z"), ("two", "b")])
        + &marketplace("z", "m", &["a"])
        + &marketplace("b", "m", &["a"]);
    case(&fixture).check(
        "configured two: m at $ROOT/b/.agents/plugins/marketplace.json
  conflict
configured one: m at $ROOT/z/.agents/plugins/marketplace.json
  a@m",
    );
}

#[test]
fn rule_3_names_conflict_only_between_different_bindings() {
    let fixture = configured(&[("m", "z")]) + &marketplace("z", "m", &["a"]);
    case(&fixture)
        .cwds(&["z"])
        .check("configured m: m at $ROOT/z/.agents/plugins/marketplace.json\n  a@m");
}

#[test]
fn rule_4_home_first_and_then_by_path() {
    let fixture = configured(&[("two", "b"), ("three", "a")])
        + &marketplace("home", "one", &["x"])
        + &marketplace("b", "two", &["x"])
        + &marketplace("a", "three", &["x"]);
    case(&fixture).check(
        "home: one at $ROOT/home/.agents/plugins/marketplace.json
  x@one
configured three: three at $ROOT/a/.agents/plugins/marketplace.json
  x@three
configured two: two at $ROOT/b/.agents/plugins/marketplace.json
  x@two",
    );
}

#[test]
fn rule_5_what_cannot_be_used_stays_visible() {
    let fixture = configured(&[("gone", "gone"), ("broken", "broken"), ("good", "good")])
        + "[marketplaces.fetched]\nsource = \"https://example.invalid/r.git\"\n"
        + "== broken/.agents/plugins/marketplace.json\n{nonsense\n"
        + &marketplace("good", "good", &["a"]);
    case(&fixture).check(
        "configured broken: failed syntax at $ROOT/broken/.agents/plugins/marketplace.json
configured gone: failed missing at $ROOT/ch/config.toml
configured fetched: failed missing at $ROOT/ch/config.toml
configured good: good at $ROOT/good/.agents/plugins/marketplace.json
  a@good",
    );
}

#[test]
fn every_manifest_location_in_its_order() {
    let places = [
        ".agents/plugins/marketplace.json",
        ".agents/plugins/api_marketplace.json",
        ".claude-plugin/marketplace.json",
        ".cursor-plugin/marketplace.json",
    ];
    for first in 0..places.len() {
        let fixture: String = places[first..]
            .iter()
            .enumerate()
            .map(|(index, place)| {
                format!("== r/{place}\n{{\"name\":\"m{index}\",\"plugins\":[]}}\n")
            })
            .collect();
        case(&fixture)
            .cwds(&["r"])
            .check(&format!("request 0: m0 at $ROOT/r/{}", places[first]));
    }
}

#[test]
fn a_directory_inside_a_repository_sees_the_repository_root() {
    let repository = marketplace("r", "m", &["a"]) + "== r/.git/\n== r/x/y/\n";
    let line = "request 0: m at $ROOT/r/.agents/plugins/marketplace.json\n  a@m";
    case(&repository).cwds(&["r/x/y"]).check(line);
    let without_git = marketplace("r", "m", &["a"]) + "== r/x/y/\n";
    case(&without_git).cwds(&["r/x/y"]).check("");
    let nearer = repository + &marketplace("r/x", "n", &["b"]);
    case(&nearer)
        .cwds(&["r/x"])
        .check("request 0: n at $ROOT/r/x/.agents/plugins/marketplace.json\n  b@n");
}

#[test]
fn a_cwd_that_does_not_exist_is_no_error() {
    case("").cwds(&["nowhere"]).check("");
}

#[test]
fn reserved_names_only_at_their_managed_places() {
    let fixture = "== ch/config.toml\n[features]\nremote_plugin = false\n".to_owned()
        + &marketplace("r", "openai-curated", &["a"])
        + &marketplace("ch/.tmp/plugins", "openai-curated", &["b"]);
    case(&fixture).cwds(&["r"]).login(Login::ChatGpt).check(
        "curated: openai-curated at $ROOT/ch/.tmp/plugins/.agents/plugins/marketplace.json
  b@openai-curated
request 0: failed reservedName at $ROOT/r/.agents/plugins/marketplace.json",
    );
}

/// A curated snapshot with both of its manifests.
fn snapshot() -> String {
    marketplace("ch/.tmp/plugins", "openai-curated", &["b"])
        + "== ch/.tmp/plugins/.agents/plugins/api_marketplace.json\n"
        + "{\"name\":\"openai-api-curated\",\"plugins\":[{\"name\":\"b\",\"source\":\"./b\"}]}\n"
}

const SNAPSHOT: &str =
    "curated: openai-curated at $ROOT/ch/.tmp/plugins/.agents/plugins/marketplace.json
  b@openai-curated";
const API_SNAPSHOT: &str =
    "curated: openai-api-curated at $ROOT/ch/.tmp/plugins/.agents/plugins/api_marketplace.json
  b@openai-api-curated";

#[test]
fn rule_6_without_a_chatgpt_login_the_curated_marketplace_is_the_api_one() {
    let off = "== ch/config.toml\n[features]\nremote_plugin = false\n";
    for login in [Login::None, Login::ApiKey] {
        case(&snapshot()).login(login).check(API_SNAPSHOT);
        case(&(snapshot() + off)).login(login).check(API_SNAPSHOT);
    }
}

#[test]
fn rule_6_the_remote_catalog_takes_the_place_of_the_snapshot() {
    case(&snapshot()).login(Login::ChatGpt).check("");
    let off = snapshot() + "== ch/config.toml\n[features]\nremote_plugin = false\n";
    case(&off).login(Login::ChatGpt).check(SNAPSHOT);
    // Neither a row nor a directory inside of it brings it back; other marketplaces stay.
    let rows = configured(&[("openai-curated", "ch/.tmp/plugins"), ("m", "z")]);
    case(&(snapshot() + &rows + &marketplace("z", "m", &["a"])))
        .cwds(&["ch/.tmp/plugins"])
        .login(Login::ChatGpt)
        .check("configured m: m at $ROOT/z/.agents/plugins/marketplace.json\n  a@m");
}

#[test]
fn rule_6_a_manifest_that_is_named_outright_is_looked_at() {
    case(&snapshot())
        .manifest("ch/.tmp/plugins/.agents/plugins/marketplace.json")
        .login(Login::ChatGpt)
        .check(&SNAPSHOT.replace("curated: ", "request 0: "));
}

#[test]
fn rule_6_each_scope_has_its_own_switch() {
    let projects = "== ch/config.toml\n[projects.\"$ROOT/p\"]\ntrust_level = \"trusted\"\n\
        == p/.git/HEAD\nx\n== p/.codex/config.toml\n[features]\nremote_plugin = false\n== q/\n";
    case(&(snapshot() + projects))
        .cwds(&["q", "p"])
        .login(Login::ChatGpt)
        .check(SNAPSHOT);
}

#[test]
fn entries_for_other_products_are_not_offered() {
    let fixture = "== r/.agents/plugins/marketplace.json\n".to_owned()
        + r#"{"name":"m","plugins":[
 {"name":"a","source":"./a","policy":{"products":["chatgpt"]}},
 {"name":"b","source":"./b","policy":{"products":["codex"]}}]}"#;
    let case = case(&fixture)
        .cwds(&["r"])
        .manifest("r/.agents/plugins/marketplace.json");
    case.check("request 0: m at $ROOT/r/.agents/plugins/marketplace.json\n  b@m");
    let manifest = case.sandbox.path("r/.agents/plugins/marketplace.json");
    let set = case.resolve();
    let hidden = set.select(&Selector::Named {
        manifest: &manifest,
        plugin: "a",
    });
    assert!(matches!(hidden, Err(NotSelected::OtherProduct { .. })));
}

#[test]
fn requirements_hide_what_is_not_configured_or_not_allowed() {
    let fixture = configured(&[("good", "good"), ("bad", "bad")])
        + &marketplace("good", "good", &["a"])
        + &marketplace("bad", "bad", &["a"])
        + &marketplace("home", "mine", &["a"])
        + "== etc/requirements.toml\n[marketplaces]\nrestrict_to_allowed_sources = true\n"
        + "[marketplaces.allowed_sources.x]\nsource = \"local\"\npath = \"$ROOT/good\"\n";
    let case = case(&fixture);
    assert_eq!(case.sandbox.system_dir(), case.sandbox.path("etc"));
    case.check(
        "home: failed policy at $ROOT/home/.agents/plugins/marketplace.json
configured bad: failed policy at $ROOT/bad/.agents/plugins/marketplace.json
configured good: good at $ROOT/good/.agents/plugins/marketplace.json
  a@good",
    );
}

#[test]
fn a_link_to_what_is_configured_and_allowed_is_that_place() {
    let allowed = "== etc/requirements.toml\n[marketplaces]\nrestrict_to_allowed_sources = true\n\
                   [marketplaces.allowed_sources.x]\nsource = \"local\"\npath = \"$ROOT/real\"\n";
    let (link, real) = (
        "link/.agents/plugins/marketplace.json",
        "real/.agents/plugins/marketplace.json",
    );
    for (row, shown, asked) in [("link", link, real), ("real", real, link)] {
        let fixture = configured(&[("m", row)]) + &marketplace("real", "m", &["a"]);
        let case = case(&format!("{fixture}== link -> real\n{allowed}"));
        case.check(&format!("configured m: m at $ROOT/{shown}\n  a@m"));
        let case = case.manifest(asked);
        let manifest = case.sandbox.path(asked);
        let set = case.resolve();
        let found = set.select(&Selector::Named {
            manifest: &manifest,
            plugin: "a",
        });
        assert!(found.is_ok(), "{row}: {found:?}");
    }
}

#[test]
fn an_archive_is_known_by_its_origin_wherever_it_was_written_down() {
    let place = "ch/plugins/.plugd/marketplaces/far/oci%3A%2F%2Fr.example%2Ffar%3A1";
    let other_home = place.replacen("ch/", "other/", 1);
    let restrict = "== etc/requirements.toml\n[marketplaces]\nrestrict_to_allowed_sources = true\n\
                    [marketplaces.allowed_sources.x]\n";
    let by_host = "source = \"host_pattern\"\nhost_pattern = '^r\\.example$'\n";
    let by_place = format!("source = \"local\"\npath = \"$ROOT/{place}\"\n");
    let shown = format!("good at $ROOT/{place}/.agents/plugins/marketplace.json\n  a@far");
    let shown = shown.replacen("good", "far", 1);
    let hidden = format!("failed policy at $ROOT/{place}/.agents/plugins/marketplace.json");
    for (written, rule, expected) in [
        (place, String::new(), &shown),
        (&other_home, String::new(), &shown),
        (place, format!("{restrict}{by_host}"), &shown),
        (&other_home, format!("{restrict}{by_host}"), &shown),
        (place, format!("{restrict}{by_place}"), &hidden),
    ] {
        let fixture = configured(&[("far", written)]) + &marketplace(place, "far", &["a"]) + &rule;
        let case = case(&fixture);
        case.check(&format!("configured far: {expected}"));
        let set = case.resolve();
        let a = PluginId::parse("a@far").unwrap();
        let bound = set.select(&Selector::Trusted(&a)).ok();
        let bound = bound.map(|offer| offer.content.binding.describe());
        let is_shown = *expected == shown;
        assert_eq!(bound, is_shown.then(|| "oci://r.example/far:1".to_owned()));
    }
    // A manifest of it that is named outright is bound to the same.
    let path = format!("{place}/.agents/plugins/marketplace.json");
    let fixture = configured(&[("far", place)]) + &marketplace(place, "far", &["a"]);
    let set = case(&fixture).manifest(path.leak()).resolve();
    let bindings = set.marketplaces().filter_map(|one| one.content());
    let bindings: Vec<String> = bindings.map(|one| one.binding.describe()).collect();
    assert_eq!(bindings, ["oci://r.example/far:1"]);
}

#[test]
fn what_came_from_elsewhere_is_not_looked_for_above_its_place() {
    let around = "== ch/.git/HEAD\nref\n".to_owned() + &marketplace("ch", "far", &["a"]);
    let place = "ch/plugins/.plugd/marketplaces/far/oci%3A%2F%2Fr.example%2Ffar%3A1";
    let git = "== ch/config.toml\n[marketplaces.far]\nsource_type = \"git\"\n\
               source = \"https://example.com/far.git\"\n";
    for rows in [configured(&[("far", place)]), git.to_owned()] {
        let set = case(&(rows + &around)).resolve();
        let found: Vec<_> = set.marketplaces().filter_map(|one| one.content()).collect();
        assert!(found.is_empty(), "{:?}", found[0].path);
    }
}

#[test]
fn content_moves_by_itself_only_from_its_own_source_or_a_trusted_one() {
    let fixture = configured(&[("m", "z")])
        + &marketplace("z", "m", &["a"])
        + &marketplace("b", "m", &["a", "only-here"]);
    let case = case(&fixture).cwds(&["b"]);
    let set = case.resolve();
    let place = |offer: Result<crate::Offer<'_>, NotSelected>| {
        offer.ok().map(|offer| offer.content.path.clone())
    };
    let of = |dir: &str| {
        case.sandbox
            .path(format!("{dir}/.agents/plugins/marketplace.json"))
    };
    let a = PluginId::parse("a@m").unwrap();
    let only_here = PluginId::parse("only-here@m").unwrap();
    assert_eq!(place(set.select(&Selector::Trusted(&a))), Some(of("z")));
    assert_eq!(place(set.select(&Selector::Trusted(&only_here))), None);
    let bound = Binding::Manifest(of("b"));
    assert_eq!(
        place(set.select(&Selector::Bound(&a, &bound))),
        Some(of("b"))
    );
    let elsewhere = Binding::Manifest(of("nowhere"));
    assert_eq!(place(set.select(&Selector::Bound(&a, &elsewhere))), None);
}

#[test]
fn a_name_that_is_nearly_right_is_suggested() {
    let case = case(&marketplace("r", "m", &["release-notes", "ab", "abc"]))
        .manifest("r/.agents/plugins/marketplace.json");
    let manifest = case.sandbox.path("r/.agents/plugins/marketplace.json");
    let set = case.resolve();
    let select = |plugin| {
        set.select(&Selector::Named {
            manifest: &manifest,
            plugin,
        })
    };
    assert!(select("release-notes").is_ok());
    for (wanted, expected) in [
        ("relaese-notes", Some("release-notes")),
        ("abd", Some("abc")),
        ("zzz", None),
        // One or two letters are near to everything.
        ("a", None),
        ("ac", None),
    ] {
        let Err(NotSelected::NoEntry { similar, .. }) = select(wanted) else {
            panic!("{wanted} was found");
        };
        assert_eq!(similar.as_deref(), expected, "{wanted}");
    }
}
