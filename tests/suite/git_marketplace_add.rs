//! Proves `marketplace/add` of repositories: every spelling of a source, what is written and what is
//! not, how far it is, and who may log in.

use plugd_testkit::{Behaviour, GitRepo, GitRequest, Sandbox};
use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use crate::fixtures::{
    check, cli, home_tree, install, launch, plugins_in, refused, shown, start, text, with,
};
use crate::remotes::{
    CHECKOUT, MANIFEST, NOTE, Overheard, Remote, add, bulk, checked_out, no_git, nothing_left,
    remote, sorted, tree, watched,
};

const P: &[(&str, &str)] = &[("p", "1.0.0")];

#[test]
fn the_whole_answer_and_what_is_written() {
    let Remote {
        sandbox,
        repo,
        server,
        url,
    } = remote(P);
    let mut daemon = start(&sandbox);
    let expected = |already: bool| {
        json!({
            "marketplaceName": "market", "installedRoot": format!("$ROOT/{CHECKOUT}"),
            "alreadyAdded": already, "commit": repo.head(), "problems": [],
        })
    };
    check(&add(&mut daemon, &url), &sandbox, &expected(false));
    let row = format!("[marketplaces.market]\nsource_type = \"git\"\nsource = \"{url}\"\n");
    assert_eq!(sandbox.text("ch/config.toml"), row);
    assert_eq!(checked_out(&sandbox, CHECKOUT), sorted(&tree("market", P)));
    let note: Value = serde_json::from_str(&sandbox.text(&format!("{CHECKOUT}/{NOTE}"))).unwrap();
    let expected_note = json!({
        "source_type": "git", "source": url, "ref_name": null, "sparse_paths": [],
        "revision": repo.head(),
        // Ours; the reference passes over it.
        "commit_time": 1_700_000_000,
    });
    assert_eq!(with(note, json!({"ref_name": null})), expected_note);
    no_git(&sandbox);
    nothing_left(&sandbox);
    let listing = daemon.ok("plugin/list", json!({}));
    assert_eq!(
        shown(&listing["marketplaces"][0]["path"], &sandbox),
        MANIFEST
    );
    assert_eq!(
        install(&mut daemon, MANIFEST, "p")["installedVersion"],
        "1.0.0"
    );
    // Once more: nothing is asked for, nothing is written.
    server.forget();
    let before = home_tree(&sandbox);
    check(&add(&mut daemon, &url), &sandbox, &expected(true));
    assert_eq!(server.requests(), []);
    assert_eq!(home_tree(&sandbox), before);
    daemon.shut_down();
}

/// Adds one source in a world of its own and tells which commit came.
#[track_caller]
fn commit_of(world: &Remote, source: &str, more: Value) -> Value {
    let mut daemon = start(&world.sandbox);
    let params = with(json!({"source": source}), more);
    let answer = daemon.ok("marketplace/add", params);
    assert_eq!(answer["marketplaceName"], "market", "{source}");
    let ids = daemon.ok("plugin/list", json!({}));
    assert_eq!(plugins_in(&ids).count(), 1, "{source}");
    daemon.ok("marketplace/remove", json!({"marketplaceName": "market"}));
    nothing_left(&world.sandbox);
    daemon.shut_down();
    answer["commit"].clone()
}

/// A world with a branch `dev`, a tag `v1` and an annotated tag `v2` on three other commits.
fn with_refs() -> (Remote, [String; 4]) {
    let world = remote(P);
    let repo = &world.repo;
    let main = repo.head();
    let dev = repo.commit_to("dev", &tree("market", &[("p", "2.0.0")]));
    let v1 = repo.commit_to("dev", &tree("market", &[("p", "1.1.0")]));
    repo.tag("v1", &v1);
    let v2 = repo.commit_to("dev", &tree("market", &[("p", "1.2.0")]));
    repo.annotated_tag("v2", &v2);
    repo.set_branch("dev", &dev);
    (world, [main, dev, v1, v2])
}

#[test]
fn source_texts() {
    let (world, [main, dev, v1, v2]) = with_refs();
    let url = &world.url;
    let file = world.repo.file_url();
    GitRepo::in_work_tree(&world.sandbox, "work").commit(&tree("market", P));
    let work = format!("file://{}", world.sandbox.path("work"));
    for (source, more, commit) in [
        (format!("{url}/"), json!({}), &main),
        (format!("{url}#dev"), json!({}), &dev),
        (format!("{url}#v1"), json!({}), &v1),
        (url.clone(), json!({"refName": "v2"}), &v2),
        (format!("{url}#dev"), json!({"refName": "v1"}), &v1),
        (
            url.clone(),
            json!({"refName": null, "sparsePaths": null}),
            &main,
        ),
        (url.clone(), json!({"refName": dev}), &dev),
        (file.clone(), json!({}), &main),
        (format!("{file}#v2"), json!({}), &v2),
        ("$ROOT/remote.git".to_owned(), json!({}), &main),
        (
            "$ROOT/remote.git".to_owned(),
            json!({"refName": "dev"}),
            &dev,
        ),
        ("../remote.git".to_owned(), json!({}), &main),
        (work, json!({}), &main),
    ] {
        assert_eq!(&commit_of(&world, &source, more), commit, "{source}");
    }
}

#[test]
fn names_of_hosts_follow_the_git_configuration() {
    let (world, [main, dev, ..]) = with_refs();
    let base = world.server.base();
    world.server.serve("github/owner/repo.git", &world.repo);
    world.server.serve("ssh/owner/repo.git", &world.repo);
    world.sandbox.add(&format!(
        "== home/.gitconfig\n[url \"{base}/github/\"]\n\tinsteadOf = https://github.com/\n\
         [url \"{base}/ssh/\"]\n\tinsteadOf = git@example.invalid:\n\
         \tinsteadOf = ssh://git@example.invalid/\n"
    ));
    for (source, commit) in [
        ("owner/repo", &main),
        ("owner/repo@dev", &dev),
        ("owner/repo#dev", &dev),
        ("https://github.com/owner/repo", &main),
        ("https://github.com/owner/repo.git", &main),
        ("git@example.invalid:owner/repo.git", &main),
        ("git@example.invalid:owner/repo.git@dev", &dev),
        ("git@example.invalid:owner/repo.git#dev", &dev),
        ("ssh://git@example.invalid/owner/repo.git", &main),
    ] {
        assert_eq!(&commit_of(&world, source, json!({})), commit, "{source}");
    }
    let mut daemon = start(&world.sandbox);
    add(&mut daemon, "owner/repo@dev");
    let expected = "[marketplaces.market]\nsource_type = \"git\"\n\
                    source = \"https://github.com/owner/repo.git\"\nref = \"dev\"\n";
    assert_eq!(world.sandbox.text("ch/config.toml").trim_start(), expected);
    daemon.shut_down();
}

#[test]
fn a_part_of_a_repository() {
    let Remote {
        sandbox,
        repo,
        url,
        server: _server,
    } = remote(&[]);
    repo.commit(
        &(tree("market", &[("p", "1.0.0"), ("q", "1.0.0")]) + "== docs/a.md\nx\n== root.md\nx\n"),
    );
    let mut daemon = start(&sandbox);
    let params = json!({"source": url, "sparsePaths": [".agents", "p"]});
    daemon.ok("marketplace/add", params.clone());
    let row = format!(
        "[marketplaces.market]\nsource_type = \"git\"\nsource = \"{url}\"\n\
         sparse_paths = [\".agents\", \"p\"]\n"
    );
    assert_eq!(sandbox.text("ch/config.toml"), row);
    assert!(sandbox.exists(&format!("{CHECKOUT}/p/notes.md")));
    assert!(!sandbox.exists(&format!("{CHECKOUT}/q")));
    assert!(!sandbox.exists(&format!("{CHECKOUT}/docs")));
    // Files at the root always come, as with git's own sparse checkouts.
    assert!(sandbox.exists(&format!("{CHECKOUT}/root.md")));
    assert_eq!(daemon.ok("marketplace/add", params)["alreadyAdded"], true);
    // The same repository with another extent is another source.
    let other = json!({"source": url, "sparsePaths": [".agents"]});
    let error = daemon.err("marketplace/add", other);
    assert_eq!(
        (&error["code"], &error["data"]["kind"]),
        (&json!(-32600), &json!("conflict"))
    );
    for paths in [json!(["../x"]), json!(["/etc"]), json!([""])] {
        let params = json!({"source": url, "sparsePaths": paths});
        let said = refused(&mut daemon, "marketplace/add", params);
        assert_eq!(said, "-32600 invalidInput", "{paths}");
    }
    assert_eq!(sandbox.text("ch/config.toml"), row);
    daemon.shut_down();
}

#[test]
fn a_name_belongs_to_its_source() {
    let Remote {
        sandbox,
        server,
        url,
        ..
    } = remote(P);
    let second = GitRepo::bare(&sandbox, "second.git");
    second.commit(&tree("market", &[("p", "9.0.0")]));
    let second = server.serve("second.git", &second);
    let mut daemon = start(&sandbox);
    add(&mut daemon, &url);
    let before = home_tree(&sandbox);
    let error = daemon.err("marketplace/add", json!({"source": second}));
    assert_eq!(
        (&error["code"], &error["data"]["kind"]),
        (&json!(-32600), &json!("conflict"))
    );
    assert!(
        text(&error["message"]).contains("different source"),
        "{error:#}"
    );
    nothing_left(&sandbox);
    assert!(home_tree(&sandbox).starts_with(&before[..before.find("== plugins").unwrap()]));
    assert_eq!(sandbox.text(&format!("{CHECKOUT}/p/notes.md")), "p 1.0.0\n");
    daemon.shut_down();
}

#[test]
fn how_far_it_is() {
    let world = remote(P);
    world.repo.commit(&(tree("market", P) + &bulk(60)));
    let mut daemon = start(&world.sandbox);
    let params = json!({"source": world.url});
    let answer = watched(&world.server, &mut daemon, "marketplace/add", params);
    assert_eq!(answer["result"]["commit"], world.repo.head(), "{answer:#}");
    daemon.shut_down();
}

#[test]
fn a_login_comes_from_the_variable_or_a_helper_and_is_never_shown() {
    let secret = "hunter2-hunter2";
    let helper = format!(
        "== bin/ask (mode 755)\n#!/bin/sh\ncat >/dev/null\n\
         [ \"$1\" = get ] && printf 'username=oauth2\\npassword={secret}\\n'\n\
         == home/.gitconfig\n[credential]\n\thelper = $ROOT/bin/ask\n"
    );
    for (fixture, variable) in [("", secret), (helper.as_str(), "")] {
        let world = remote(P);
        world.sandbox.add(fixture);
        world.server.require_login("oauth2", secret);
        let heard = Overheard::default();
        let mut daemon = heard
            .launch()
            .var("PLUGD_TOKEN_127_0_0_1", variable)
            .start(&world.sandbox);
        daemon.initialize();
        add(&mut daemon, &world.url);
        world.repo.commit(&tree("market", &[("p", "2.0.0")]));
        daemon.ok("marketplace/upgrade", json!({}));
        world.repo.delete_branch("main");
        daemon.ok("marketplace/upgrade", json!({}));
        heard.never_said(&daemon, secret);
        daemon.shut_down();
        heard.never_said(&daemon, secret);
    }
}

#[test]
fn a_login_in_the_address_is_refused_and_forgotten() {
    let world = remote(P);
    let secret = "hunter2-hunter2";
    world.server.require_login("ada", secret);
    let source = world
        .url
        .replace("http://", &format!("http://ada:{secret}@"));
    let heard = Overheard::default();
    let mut daemon = heard.launch().start(&world.sandbox);
    daemon.initialize();
    let error = daemon.err("marketplace/add", json!({"source": source}));
    assert_eq!(error["code"], -32600, "{error:#}");
    assert!(
        text(&error["data"]["hint"]).contains("PLUGD_TOKEN_"),
        "{error:#}"
    );
    assert!(!world.sandbox.exists("ch/config.toml"));
    heard.never_said(&daemon, secret);
    daemon.shut_down();
    heard.never_said(&daemon, secret);
    let output = cli(&world.sandbox, &["marketplace", "add", &source]);
    assert_ne!(output.code(), 0, "{output}");
    assert!(!output.to_string().contains(secret), "{output}");
}

#[test]
fn it_works_while_plugins_are_switched_off() {
    let world = remote(P);
    world
        .sandbox
        .add("== ch/config.toml\n[features]\nplugins = false\n");
    let mut daemon = start(&world.sandbox);
    assert_eq!(add(&mut daemon, &world.url)["alreadyAdded"], false);
    assert!(world.sandbox.exists(&format!("{CHECKOUT}/p/notes.md")));
    daemon.shut_down();
}

#[test]
fn without_a_git_program() {
    let world = remote(P);
    let mut daemon = launch().var("PATH", "$ROOT/bin").start(&world.sandbox);
    daemon.initialize();
    assert_eq!(add(&mut daemon, &world.url)["commit"], world.repo.head());
    daemon.shut_down();
    world.sandbox.add("== ch/plugd.toml\ngit = \"command\"\n");
    let mut daemon = launch().var("PATH", "$ROOT/bin").start(&world.sandbox);
    daemon.initialize();
    daemon.ok("marketplace/remove", json!({"marketplaceName": "market"}));
    let error = daemon.err("marketplace/add", json!({"source": world.url}));
    // It says what to do.
    assert!(error.to_string().contains("install git"), "{error:#}");
    daemon.shut_down();
}

#[test]
fn the_command_line() {
    let world = remote(P);
    world
        .repo
        .commit_to("dev", &tree("market", &[("p", "3.0.0")]));
    let url = &world.url;
    for first in [vec!["marketplace"], vec!["plugin", "marketplace"]] {
        let mut args = first.clone();
        args.extend([
            "add", url, "--ref", "dev", "--sparse", ".agents", "--sparse", "p", "--json",
        ]);
        let output = cli(&world.sandbox, &args);
        assert_eq!(output.code(), 0, "{output}");
        assert_eq!(output.json()["commit"], world.repo.tip("dev"), "{output}");
        let row = format!(
            "[marketplaces.market]\nsource_type = \"git\"\nsource = \"{url}\"\nref = \"dev\"\n\
             sparse_paths = [\".agents\", \"p\"]\n"
        );
        assert_eq!(world.sandbox.text("ch/config.toml").trim_start(), row);
        let mut args = first;
        args.extend(["remove", "market"]);
        let output = cli(&world.sandbox, &args);
        assert_eq!(output.code(), 0, "{output}");
    }
    let output = cli(&world.sandbox, &["marketplace", "add", url]);
    assert_eq!(output.code(), 0, "{output}");
    assert!(output.stdout.contains("market"), "{output}");
    // Progress is for people and goes where no program reads.
    assert!(!output.stdout.contains("fetch"), "{output}");
    world
        .server
        .behave(GitRequest::InfoRefs, Behaviour::Status(500));
    let nowhere = format!("{}/nowhere.git", world.server.base());
    let output = cli(&world.sandbox, &["marketplace", "add", &nowhere, "--json"]);
    assert_ne!(output.code(), 0, "{output}");
    assert_eq!(
        output.json()["error"]["data"]["kind"],
        "unavailable",
        "{output}"
    );
    let lonely = Sandbox::new();
    let output = cli(&lonely, &["marketplace", "add", url, "--ref", "-x"]);
    assert_ne!(output.code(), 0, "{output}");
}
