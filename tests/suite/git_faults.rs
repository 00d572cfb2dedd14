//! Proves that no repository and no server can do harm through `marketplace/add`: each is refused
//! with a reason that a program can act on, and nothing is left of it.

use std::time::Duration;

use plugd_testkit::{
    Authority, Behaviour, Gate, GitRepo, GitRequest, GitServer, HttpRequest, RawEntry, RawKind,
    lfs_pointer,
};
use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use crate::fixtures::{launch, refused, start, text};
use crate::remotes::{CHECKOUT, Overheard, Remote, add, nothing_left, remote, tree};

const P: &[(&str, &str)] = &[("p", "1.0.0")];

/// Adding fails in this way, and afterwards nothing is there that was not there before.
#[track_caller]
fn check_refused(world: &Remote, params: &Value, kinds: &[&str]) -> Value {
    let mut daemon = launch()
        .patience(Duration::from_secs(60))
        .start(&world.sandbox);
    daemon.initialize();
    let answer = daemon.call("marketplace/add", params.clone());
    let error = answer["error"].clone();
    assert_eq!(error["code"], -32600, "{params}: {answer:#}");
    let kind = text(&error["data"]["kind"]);
    assert!(kinds.contains(&kind), "{params}: {error:#}");
    assert!(!world.sandbox.exists("ch/config.toml"), "{params}");
    assert!(!world.sandbox.exists(CHECKOUT), "{params}");
    nothing_left(&world.sandbox);
    daemon.shut_down();
    error
}

#[test]
fn what_no_honest_user_asks_for() {
    let world = remote(P);
    let marker = world.sandbox.path("marker");
    let url = &world.url;
    for source in [
        "-oProxyCommand=x".to_owned(),
        format!("--upload-pack=touch {marker}"),
        format!("ext::sh -c 'touch {marker}'"),
        format!("ssh://-oProxyCommand=touch%20{marker}/x"),
        format!("-oProxyCommand=touch {marker}@host:x"),
        "git://127.0.0.1/x.git".to_owned(),
        "http://example.invalid/x.git".to_owned(),
        "fd::17/x".to_owned(),
        format!("{url}#-x"),
        format!("{url}#a..b"),
        format!("{url}#a b"),
        format!("{url}\nx"),
    ] {
        check_refused(&world, &json!({"source": source}), &["invalidInput"]);
    }
    for name in [
        "-x",
        "--upload-pack=x",
        "a..b",
        "a\u{0}b",
        "refs/heads/../x",
        "@{-1}",
    ] {
        let params = json!({"source": url, "refName": name});
        check_refused(&world, &params, &["invalidInput"]);
    }
    assert!(!world.sandbox.exists("marker"));
    assert_eq!(world.server.requests(), []);
    let mut daemon = start(&world.sandbox);
    for params in [
        json!({"source": url, "refName": 5}),
        json!({"source": url, "sparsePaths": [5]}),
        json!({"source": url, "sparsePaths": "p"}),
    ] {
        assert_eq!(
            refused(&mut daemon, "marketplace/add", params),
            "-32602 invalidParams"
        );
    }
    daemon.shut_down();
}

#[test]
fn what_a_repository_does_not_have() {
    let world = remote(P);
    let url = &world.url;
    let missing = &["invalidInput", "notFound"];
    let error = check_refused(
        &world,
        &json!({"source": url, "refName": "gone"}),
        &["notFound"],
    );
    assert!(text(&error["message"]).contains("gone"), "{error:#}");
    let id = "0123456789012345678901234567890123456789";
    check_refused(
        &world,
        &json!({"source": url, "refName": id}),
        &["notFound"],
    );
    let nowhere = format!("{}/nowhere.git", world.server.base());
    check_refused(&world, &json!({"source": nowhere}), missing);
    check_refused(&world, &json!({"source": "$ROOT/cwd"}), missing);
    check_refused(&world, &json!({"source": "file:///nowhere"}), missing);
    for (fixture, kinds) in [
        ("== README.md\nx\n", missing.as_slice()),
        (
            "== .agents/plugins/marketplace.json\n{\n",
            &["invalidInput"],
        ),
        (
            "== .agents/plugins/marketplace.json\n{\"name\": \"../x\", \"plugins\": []}\n",
            &["invalidInput"],
        ),
        (
            "== .agents/plugins/marketplace.json\n{\"name\": \"openai-curated\", \"plugins\": []}\n",
            &["invalidInput", "notAllowed"],
        ),
    ] {
        world.repo.commit(fixture);
        check_refused(&world, &json!({"source": url}), kinds);
    }
    let _ = GitRepo::bare(&world.sandbox, "empty.git");
    check_refused(&world, &json!({"source": "$ROOT/empty.git"}), missing);
}

#[test]
fn repositories_that_attack() {
    let file = |name: &str| RawEntry::file(name, "x");
    let dir = |name: &str, below: Vec<RawEntry>| RawEntry::new(name, RawKind::Dir(below));
    let link = |name: &str, to: &str| RawEntry::new(name, RawKind::Link(to.as_bytes().to_vec()));
    let deep = (0..200).fold(file("x"), |below, _| dir("d", vec![below]));
    for (what, raw) in [
        ("..", vec![dir("..", vec![file("out")])]),
        (".", vec![dir(".", vec![file("out")])]),
        ("a slash", vec![file("../../../../marker")]),
        (".git", vec![dir(".git", vec![file("config")])]),
        (".GIT", vec![dir(".GIT", vec![file("config")])]),
        (".git as a file", vec![file(".git")]),
        ("git~1", vec![dir("git~1", vec![file("config")])]),
        (
            "zero-width",
            vec![dir(".g\u{200c}it", vec![file("config")])],
        ),
        (
            "link, then write",
            vec![link("a", "../../../.."), dir("a", vec![file("marker")])],
        ),
        ("twice", vec![file("a"), file("a")]),
        ("a long name", vec![file(&"n".repeat(300))]),
        ("a deep directory", vec![deep]),
    ] {
        let world = remote(P);
        world.repo.commit_raw("main", &tree("market", P), &raw);
        for source in [world.url.clone(), world.repo.file_url()] {
            let mut daemon = start(&world.sandbox);
            let said = refused(&mut daemon, "marketplace/add", json!({"source": source}));
            assert_eq!(said, "-32600 invalidInput", "{what}");
            daemon.shut_down();
        }
        assert!(!world.sandbox.exists("ch/config.toml"), "{what}");
        assert!(!world.sandbox.exists(CHECKOUT), "{what}");
        assert!(!world.sandbox.exists("marker"), "{what}");
        nothing_left(&world.sandbox);
    }
}

#[test]
fn what_is_left_out_is_told() {
    let world = remote(P);
    let pointer = lfs_pointer(&"0".repeat(64), 5_000_000);
    let fixture =
        tree("market", P) + &format!("== p/model.bin\n{pointer}== outside -> ../../../../etc\n");
    let raw = [RawEntry::file("Notes", "x"), RawEntry::file("notes", "y")];
    world.repo.commit_raw("main", &fixture, &raw);
    let mut daemon = start(&world.sandbox);
    let answer = add(&mut daemon, &world.url);
    let problems = answer["problems"].as_array().unwrap();
    for path in ["p/model.bin", "outside", "otes"] {
        let told = problems.iter().any(|one| one.to_string().contains(path));
        assert!(told, "{path}: {answer:#}");
    }
    assert!(!world.sandbox.exists(&format!("{CHECKOUT}/outside")));
    assert_eq!(
        world.sandbox.text(&format!("{CHECKOUT}/p/model.bin")),
        pointer
    );
    daemon.shut_down();
}

#[test]
fn servers_that_do_not_answer_well() {
    let network = &["unavailable"];
    for (request, behaviour, kinds) in [
        (
            GitRequest::InfoRefs,
            Behaviour::Status(500),
            network.as_slice(),
        ),
        (
            GitRequest::InfoRefs,
            Behaviour::Status(403),
            &["unavailable", "notAllowed"],
        ),
        (
            GitRequest::InfoRefs,
            Behaviour::Page,
            &["unavailable", "invalidInput"],
        ),
        (GitRequest::InfoRefs, Behaviour::Cut(20), network),
        (GitRequest::UploadPack, Behaviour::Status(500), network),
        (
            GitRequest::UploadPack,
            Behaviour::Page,
            &["unavailable", "invalidInput"],
        ),
        (GitRequest::UploadPack, Behaviour::Cut(0), network),
        (GitRequest::UploadPack, Behaviour::Cut(200), network),
    ] {
        let world = remote(P);
        world.server.behave(request, behaviour.clone());
        let error = check_refused(&world, &json!({"source": world.url}), kinds);
        let data = &error["data"];
        assert_eq!(data["host"], "127.0.0.1", "{behaviour:?}: {error:#}");
        // It is over when the server is well again.
        world.server.behave_well();
        let mut daemon = start(&world.sandbox);
        assert_eq!(add(&mut daemon, &world.url)["commit"], world.repo.head());
        daemon.shut_down();
    }
    let world = remote(P);
    // Nobody listens there.
    let url = GitServer::start().serve("gone.git", &world.repo);
    let error = check_refused(&world, &json!({"source": url}), network);
    assert_eq!(error["data"]["retryable"], true, "{error:#}");
    assert!(error["data"]["hint"].is_string(), "{error:#}");
}

#[test]
fn a_server_that_goes_silent_is_given_up_after_the_idle_time() {
    let gate = Gate::new();
    for (request, behaviour) in [
        (GitRequest::InfoRefs, Behaviour::Silent),
        (GitRequest::UploadPack, Behaviour::Silent),
        (
            GitRequest::UploadPack,
            Behaviour::HeldAfter(150, gate.clone()),
        ),
    ] {
        let world = remote(P);
        world
            .sandbox
            .add("== ch/plugd.toml\ngit_idle_seconds = 1\n");
        world.server.behave(request, behaviour);
        let error = check_refused(&world, &json!({"source": world.url}), &["unavailable"]);
        assert_eq!(error["data"]["retryable"], true, "{error:#}");
    }
    gate.open();
}

#[test]
fn a_pack_that_never_ends() {
    let world = remote(P);
    world.server.behave(GitRequest::UploadPack, Behaviour::Bomb);
    let params = json!({"source": world.url});
    check_refused(&world, &params, &["invalidInput", "unavailable"]);
    world.server.wait_hung_up();
}

#[test]
fn a_login_that_nobody_has() {
    let world = remote(P);
    world.server.require_login("oauth2", "hunter2-hunter2");
    let params = json!({"source": world.url});
    let error = check_refused(&world, &params, &["unavailable", "notAllowed"]);
    assert_eq!(error["data"]["host"], "127.0.0.1", "{error:#}");
    let hint = text(&error["data"]["hint"]);
    assert!(hint.contains("PLUGD_TOKEN_127_0_0_1"), "{error:#}");
    // It does not ask for ever.
    assert!(world.server.count(GitRequest::InfoRefs) < 5);
    let heard = Overheard::default();
    let wrong = "swordfish-swordfish";
    let mut daemon = heard
        .launch()
        .var("PLUGD_TOKEN_127_0_0_1", wrong)
        .start(&world.sandbox);
    daemon.initialize();
    let error = daemon.err("marketplace/add", params);
    assert!(
        error.to_string().contains("PLUGD_TOKEN_127_0_0_1"),
        "{error:#}"
    );
    heard.never_said(&daemon, wrong);
    daemon.shut_down();
}

#[test]
fn a_redirect_takes_no_login_along() {
    let world = remote(P);
    let other = GitServer::start();
    other.serve("team/market.git", &world.repo);
    other.require_login("oauth2", "hunter2-hunter2");
    let elsewhere = Behaviour::Redirect(other.base_by_name());
    world.server.behave(GitRequest::InfoRefs, elsewhere);
    let mut daemon = launch()
        .var("PLUGD_TOKEN_127_0_0_1", "hunter2-hunter2")
        .start(&world.sandbox);
    daemon.initialize();
    let error = daemon.err("marketplace/add", json!({"source": world.url}));
    assert_eq!(error["code"], -32600, "{error:#}");
    let logins = |one: &HttpRequest| one.header("authorization").is_some();
    assert_eq!(other.requests().iter().filter(|one| logins(one)).count(), 0);
    // In a circle it goes a few times and no more.
    let circle = Behaviour::Redirect(world.server.base());
    world.server.forget();
    world.server.behave(GitRequest::InfoRefs, circle);
    let error = daemon.err("marketplace/add", json!({"source": world.url}));
    assert_eq!(error["code"], -32600, "{error:#}");
    assert!(world.server.requests().len() < 30);
    daemon.shut_down();
}

/// A secure server with the repository, and the certificate that one must trust.
fn secure(world: &Remote) -> (GitServer, String, String) {
    let authority = Authority::new();
    let server = GitServer::start_secure(&authority);
    let url = server.serve("team/market.git", &world.repo);
    (server, url, authority.write_to(&world.sandbox).to_text())
}

#[test]
fn whom_to_trust() {
    let world = remote(P);
    let (server, url, pem) = secure(&world);
    let error = check_refused(&world, &json!({"source": url}), &["unavailable"]);
    assert_eq!(error["data"]["host"], "127.0.0.1", "{error:#}");
    let hint = text(&error["data"]["hint"]);
    assert!(hint.contains("SSL_CERT_FILE"), "{error:#}");
    assert_eq!(server.requests(), []);
    let mut daemon = launch().var("SSL_CERT_FILE", &pem).start(&world.sandbox);
    daemon.initialize();
    assert_eq!(add(&mut daemon, &url)["commit"], world.repo.head());
    daemon.ok("marketplace/remove", json!({"marketplaceName": "market"}));
    // Never on to a place that anybody can listen to.
    let plain = Behaviour::Redirect(world.server.base());
    server.behave(GitRequest::InfoRefs, plain);
    assert_eq!(
        refused(&mut daemon, "marketplace/add", json!({"source": url})),
        "-32600 unavailable"
    );
    assert_eq!(world.server.requests(), []);
    daemon.shut_down();
    server.behave_well();
    world.sandbox.add(&format!(
        "== home/.gitconfig\n[http]\n\tsslCAInfo = {pem}\n"
    ));
    let mut daemon = start(&world.sandbox);
    assert_eq!(add(&mut daemon, &url)["commit"], world.repo.head());
    daemon.shut_down();
}
