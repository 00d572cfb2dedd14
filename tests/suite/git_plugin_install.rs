//! Proves that plugins that live in repositories are installed: every kind of source, exactly the
//! commit that was asked for, fetched once, and without a trace of git in the copy.

use std::collections::BTreeMap;

use plugd_testkit::{
    Daemon, GitRepo, GitRequest, GitServer, RawEntry, RawKind, Sandbox, lfs_pointer,
};
use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use crate::fixtures::{DEMO_MANIFEST, config, install, installed_in, launch, plugin, start, text};
use crate::remotes::{Overheard, bulk, no_git, nothing_left, sorted, watched};

/// A local marketplace `demo` whose plugins lie in one repository behind a server.
pub(crate) struct Shop {
    pub(crate) sandbox: Sandbox,
    pub(crate) repo: GitRepo,
    pub(crate) server: GitServer,
    pub(crate) url: String,
}

/// The plugin `p` at the top of a repository.
pub(crate) fn top(version: &str) -> String {
    plugin("top", "p", version).replace("== top/", "== ")
}

impl Shop {
    pub(crate) fn open() -> Self {
        let sandbox = Sandbox::from(&config(&[("demo", "demo")]));
        let repo = GitRepo::bare(&sandbox, "remote.git");
        repo.commit(&top("1.0.0"));
        let server = GitServer::start();
        let url = server.serve("team/p.git", &repo);
        Self {
            sandbox,
            repo,
            server,
            url,
        }
    }

    /// Offers plugins with these sources.
    pub(crate) fn offer(&self, plugins: &[(&str, Value)]) {
        let entries: Vec<Value> = plugins
            .iter()
            .map(|(name, source)| json!({"name": name, "source": source}))
            .collect();
        let manifest = json!({"name": "demo", "plugins": entries});
        let path = "demo/.agents/plugins/marketplace.json";
        self.sandbox.write(path, manifest.to_string());
    }

    /// Offers `p` from the whole repository.
    pub(crate) fn offer_p(&self) {
        self.offer(&[("p", json!({"source": "url", "url": self.url}))]);
    }

    #[track_caller]
    pub(crate) fn start(&self) -> Daemon {
        start(&self.sandbox)
    }

    pub(crate) fn copy(&self, version: &str) -> String {
        self.sandbox
            .tree(&format!("ch/plugins/cache/demo/p/{version}"))
    }

    #[track_caller]
    fn record(&self) -> Value {
        let path = "ch/plugins/.plugd/installed/demo/p.json";
        serde_json::from_str(&self.sandbox.text(path)).unwrap()
    }
}

pub(crate) fn p() -> Value {
    json!({"marketplacePath": DEMO_MANIFEST, "pluginName": "p"})
}

/// Installing fails in this way and leaves nothing.
#[track_caller]
pub(crate) fn check_refused(shop: &Shop, source: &Value, kinds: &[&str]) -> Value {
    shop.offer(&[("p", source.clone())]);
    let mut daemon = shop.start();
    let before = shop.sandbox.text("ch/config.toml");
    let error = daemon.err("plugin/install", p());
    assert_eq!(error["code"], -32600, "{source}: {error:#}");
    let kind = text(&error["data"]["kind"]);
    assert!(kinds.contains(&kind), "{source}: {error:#}");
    assert!(!shop.sandbox.exists("ch/plugins/cache/demo"), "{source}");
    nothing_left(&shop.sandbox);
    assert_eq!(shop.sandbox.text("ch/config.toml"), before, "{source}");
    daemon.shut_down();
    error
}

/// Sources, each with the version and the commit that it stands for.
fn sources<'a>(
    shop: &Shop,
    first: &'a str,
    second: &'a str,
    dev: &'a str,
) -> Vec<(Value, &'static str, &'a str)> {
    let url = &shop.url;
    vec![
        (
            json!({"source": "url", "url": url, "sha": first}),
            "1.0.0",
            first,
        ),
        (
            json!({"source": "url", "url": url, "sha": &first[..10]}),
            "1.0.0",
            first,
        ),
        (
            json!({"source": "url", "url": url, "path": "tools/p"}),
            "2.0.0",
            second,
        ),
        (
            json!({"source": "url", "url": url, "ref": "dev"}),
            "3.0.0",
            dev,
        ),
        (
            json!({"source": "url", "url": url, "ref": "refs/tags/v3"}),
            "3.0.0",
            dev,
        ),
        (
            json!({"source": "url", "url": url, "ref": "main", "sha": first}),
            "1.0.0",
            first,
        ),
        (
            json!({"source": "git-subdir", "url": url, "path": "tools/p"}),
            "2.0.0",
            second,
        ),
        (
            json!({"source": "git-subdir", "url": url, "path": "./tools/p"}),
            "2.0.0",
            second,
        ),
        (
            json!({"source": "url", "url": shop.repo.file_url(), "ref": "v3"}),
            "3.0.0",
            dev,
        ),
        (
            json!({"source": "url", "url": "team/p", "ref": "v3"}),
            "3.0.0",
            dev,
        ),
        (
            json!({"source": "github", "repo": "team/p", "ref": "v3"}),
            "3.0.0",
            dev,
        ),
        (
            json!({"source": "github", "repo": "team/p", "sha": first}),
            "1.0.0",
            first,
        ),
        (
            json!({"source": "git", "url": url, "ref": "v3"}),
            "3.0.0",
            dev,
        ),
    ]
}

#[test]
fn every_kind_of_source() {
    let shop = Shop::open();
    let first = shop.repo.head();
    let base = shop.server.base();
    shop.server.serve("github/team/p.git", &shop.repo);
    shop.sandbox.add(&format!(
        "== home/.gitconfig\n[url \"{base}/github/\"]\n\tinsteadOf = https://github.com/\n"
    ));
    let inside = plugin("tools/p", "p", "2.0.0") + "== README.md\nx\n";
    let second = shop.repo.commit(&inside);
    let dev = shop.repo.commit_to("dev", &top("3.0.0"));
    shop.repo.tag("v3", &dev);
    for (source, version, commit) in sources(&shop, &first, &second, &dev) {
        shop.offer(&[("p", source.clone())]);
        let mut daemon = shop.start();
        let answer = install(&mut daemon, DEMO_MANIFEST, "p");
        assert_eq!(answer["installedVersion"], version, "{source}");
        assert_eq!(shop.copy(version), sorted(&top(version)), "{source}");
        assert!(shop.record().to_string().contains(commit), "{source}");
        let listing = daemon.ok("plugin/list", json!({}));
        assert_eq!(
            installed_in(&listing),
            [format!("p@demo {version}")],
            "{source}"
        );
        daemon.ok("plugin/uninstall", json!({"pluginId": "p@demo"}));
        // The refresh behind the listing writes files of its own until the end.
        daemon.shut_down();
        no_git(&shop.sandbox);
        nothing_left(&shop.sandbox);
    }
}

#[test]
fn what_is_executable_stays_so_and_links_become_copies() {
    let shop = Shop::open();
    shop.repo
        .commit(&(top("1.0.0") + "== run.sh (mode 755)\nx\n== again -> notes.md\n"));
    shop.offer_p();
    let mut daemon = shop.start();
    install(&mut daemon, DEMO_MANIFEST, "p");
    let dir = "ch/plugins/cache/demo/p/1.0.0";
    assert_eq!(shop.sandbox.mode(&format!("{dir}/run.sh")) & 0o111, 0o111);
    assert_eq!(shop.sandbox.mode(&format!("{dir}/notes.md")) & 0o111, 0);
    assert_eq!(shop.sandbox.text(&format!("{dir}/again")), "p 1.0.0\n");
    daemon.shut_down();
}

/// The same for the built-in git and, where this machine has it, the git program.
#[test]
fn one_fetch_for_all_plugins_of_a_commit() {
    for path in ["$ROOT/bin", "$ROOT/bin:/usr/bin:/bin"] {
        let shop = Shop::open();
        let names = ["a", "b", "c"];
        let fixture: String = names
            .iter()
            .map(|name| plugin(name, name, "1.0.0"))
            .collect();
        let commit = shop.repo.commit(&fixture);
        let url = &shop.url;
        let source =
            |path: &str| json!({"source": "git-subdir", "url": url, "path": path, "sha": commit});
        shop.offer(&names.map(|name| (name, source(name))));
        let start = || {
            let mut daemon = launch().var("PATH", path).start(&shop.sandbox);
            daemon.initialize();
            daemon
        };
        let mut daemon = start();
        install(&mut daemon, DEMO_MANIFEST, "a");
        let asked = shop.server.count(GitRequest::UploadPack);
        assert!(asked > 0);
        install(&mut daemon, DEMO_MANIFEST, "b");
        daemon.shut_down();
        let mut daemon = start();
        install(&mut daemon, DEMO_MANIFEST, "c");
        install(&mut daemon, DEMO_MANIFEST, "a");
        daemon.shut_down();
        assert_eq!(shop.server.count(GitRequest::UploadPack), asked, "{path}");
    }
}

#[test]
fn a_new_commit_brings_only_what_is_new() {
    let shop = Shop::open();
    let heavy = bulk(100);
    shop.repo.commit(&(top("1.0.0") + &heavy));
    shop.offer_p();
    let mut daemon = shop.start();
    install(&mut daemon, DEMO_MANIFEST, "p");
    let whole = shop.server.bytes_sent();
    shop.server.forget();
    shop.repo.commit(&(top("1.1.0") + &heavy));
    assert_eq!(
        install(&mut daemon, DEMO_MANIFEST, "p")["installedVersion"],
        "1.1.0"
    );
    let more = shop.server.bytes_sent();
    assert!(more * 10 < whole, "{more} of {whole}");
    daemon.shut_down();
}

#[test]
fn a_remote_that_has_gone_is_not_needed_for_a_commit_that_is_here() {
    let shop = Shop::open();
    let source = json!({"source": "url", "url": shop.url, "sha": shop.repo.head()});
    shop.offer(&[("p", source)]);
    let mut daemon = shop.start();
    install(&mut daemon, DEMO_MANIFEST, "p");
    shop.server.withdraw("team/p.git");
    daemon.ok("plugin/uninstall", json!({"pluginId": "p@demo"}));
    assert_eq!(
        install(&mut daemon, DEMO_MANIFEST, "p")["installedVersion"],
        "1.0.0"
    );
    daemon.shut_down();
}

#[test]
fn submodules_come_along_when_their_address_is_allowed() {
    let shop = Shop::open();
    let inner = GitRepo::bare(&shop.sandbox, "inner.git");
    let commit = inner.commit("== deep.md\ndeep\n");
    let inner = shop.server.serve("team/inner.git", &inner);
    let marker = shop.sandbox.path("marker");
    let module =
        |url: &str| format!("== .gitmodules\n[submodule \"i\"]\n\tpath = lib\n\turl = {url}\n");
    let entry = [RawEntry::new("lib", RawKind::Submodule(commit))];
    for url in [inner.as_str(), "../inner.git"] {
        shop.repo
            .commit_raw("main", &(top("1.0.0") + &module(url)), &entry);
        shop.offer_p();
        let mut daemon = shop.start();
        install(&mut daemon, DEMO_MANIFEST, "p");
        let deep = shop
            .sandbox
            .text("ch/plugins/cache/demo/p/1.0.0/lib/deep.md");
        assert_eq!(deep, "deep\n", "{url}");
        daemon.ok("plugin/uninstall", json!({"pluginId": "p@demo"}));
        daemon.shut_down();
        no_git(&shop.sandbox);
    }
    for url in [
        format!("ext::sh -c 'touch {marker}'"),
        format!("--upload-pack=touch {marker}"),
        "file:///etc".to_owned(),
    ] {
        shop.repo
            .commit_raw("main", &(top("1.0.0") + &module(&url)), &entry);
        shop.offer_p();
        let mut daemon = shop.start();
        let answer = install(&mut daemon, DEMO_MANIFEST, "p");
        assert!(
            answer["problems"].to_string().contains("`lib`"),
            "{answer:#}"
        );
        assert!(
            !shop
                .sandbox
                .exists("ch/plugins/cache/demo/p/1.0.0/lib/deep.md"),
            "{url}"
        );
        assert!(!shop.sandbox.exists("marker"), "{url}");
        daemon.shut_down();
    }
}

#[test]
fn files_that_are_elsewhere_are_named() {
    let shop = Shop::open();
    let pointer = lfs_pointer(&"0".repeat(64), 5_000_000);
    shop.repo
        .commit(&(top("1.0.0") + "== model.bin\n" + &pointer));
    shop.offer_p();
    let mut daemon = shop.start();
    let answer = install(&mut daemon, DEMO_MANIFEST, "p");
    assert!(
        answer["problems"].to_string().contains("model.bin"),
        "{answer:#}"
    );
    daemon.shut_down();
}

#[test]
fn what_is_not_there() {
    let shop = Shop::open();
    let url = &shop.url;
    let missing = "0123456789012345678901234567890123456789";
    for (source, kinds, named) in [
        (
            json!({"source": "url", "url": url, "ref": "gone"}),
            vec!["notFound"],
            "gone",
        ),
        (
            json!({"source": "url", "url": url, "sha": missing}),
            vec!["notFound"],
            missing,
        ),
        (
            json!({"source": "url", "url": url, "sha": "abcdef0123"}),
            vec!["notFound"],
            "abcdef0123",
        ),
        (
            json!({"source": "git-subdir", "url": url, "path": "nowhere"}),
            vec!["invalidInput", "notFound"],
            "nowhere",
        ),
        (
            json!({"source": "url", "url": format!("{url}x")}),
            vec!["invalidInput", "notFound"],
            "127.0.0.1",
        ),
    ] {
        let error = check_refused(&shop, &source, &kinds);
        assert!(error.to_string().contains(named), "{source}: {error:#}");
    }
    shop.repo
        .commit(&plugin("top", "other", "1.0.0").replace("== top/", "== "));
    let source = json!({"source": "url", "url": url});
    check_refused(&shop, &source, &["invalidInput"]);
    shop.repo.commit("== README.md\nno plugin\n");
    check_refused(&shop, &source, &["invalidInput", "notFound"]);
}

#[test]
fn an_abbreviation_that_several_commits_share() {
    let shop = Shop::open();
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    // Among so many commits, which are the same every time, two begin with the same four digits.
    let shared = (0..2000).find_map(|number| {
        let commit = shop
            .repo
            .commit(&(top("1.0.0") + &format!("== n\n{number}\n")));
        let short = commit[..4].to_owned();
        let count = seen.entry(short.clone()).or_default();
        *count += 1;
        (*count == 2).then_some(short)
    });
    let shared = shared.unwrap();
    let source = json!({"source": "url", "url": shop.url, "sha": shared});
    let error = check_refused(&shop, &source, &["invalidInput"]);
    assert!(text(&error["message"]).contains(&shared), "{error:#}");
}

#[test]
fn what_no_honest_catalog_names() {
    let shop = Shop::open();
    let marker = shop.sandbox.path("marker");
    let url = &shop.url;
    for source in [
        json!({"source": "url", "url": format!("ext::sh -c 'touch {marker}'")}),
        json!({"source": "url", "url": format!("--upload-pack=touch {marker}")}),
        json!({"source": "url", "url": format!("ssh://-oProxyCommand=touch%20{marker}/x")}),
        json!({"source": "url", "url": "http://example.invalid/x.git"}),
        json!({"source": "url", "url": url, "ref": format!("--upload-pack=touch {marker}")}),
        json!({"source": "url", "url": url, "sha": "--all"}),
        json!({"source": "git-subdir", "url": url, "path": "../x"}),
        json!({"source": "git-subdir", "url": url, "path": "/etc"}),
    ] {
        check_refused(&shop, &source, &["invalidInput", "notFound"]);
    }
    assert!(!shop.sandbox.exists("marker"));
    assert_eq!(shop.server.count(GitRequest::UploadPack), 0);
    let raw = [RawEntry::new(
        ".git",
        RawKind::Dir(vec![RawEntry::file("config", "x")]),
    )];
    shop.repo.commit_raw("main", &top("1.0.0"), &raw);
    check_refused(
        &shop,
        &json!({"source": "url", "url": url}),
        &["invalidInput"],
    );
}

#[test]
fn a_login_in_a_catalog_is_shown_nowhere() {
    let shop = Shop::open();
    let secret = "hunter2-hunter2";
    shop.server.require_login("ada", secret);
    let url = shop
        .url
        .replace("http://", &format!("http://ada:{secret}@"));
    shop.offer(&[("p", json!({"source": "url", "url": url}))]);
    let heard = Overheard::default();
    let mut daemon = heard.launch().start(&shop.sandbox);
    daemon.initialize();
    daemon.ok("plugin/list", json!({}));
    // With the login or without it: it is repeated in no case.
    daemon.call("plugin/install", p());
    daemon.call("plugin/read", p());
    daemon.ok("plugin/installed", json!({}));
    heard.never_said(&daemon, secret);
    daemon.shut_down();
    heard.never_said(&daemon, secret);
}

#[test]
fn how_far_it_is() {
    let shop = Shop::open();
    shop.repo.commit(&(top("1.0.0") + &bulk(60)));
    shop.offer_p();
    let mut daemon = shop.start();
    let answer = watched(&shop.server, &mut daemon, "plugin/install", p());
    assert_eq!(answer["result"]["installedVersion"], "1.0.0", "{answer:#}");
    daemon.shut_down();
}
