//! Whom our own transport trusts, over real TLS.

use std::fs;

use plugd_git::{Backend, Failure, Want};
use plugd_testkit::{Authority, GitRepo, GitRequest, GitServer, Sandbox};
use pretty_assertions::assert_eq;

use crate::fixture::{World, failure};

/// How a world is told of an authority.
enum Told {
    Nothing,
    Config(fn(&str, &str) -> String),
    Variable(&'static str),
}

/// A secure server and a world that was told of its authority.
fn world(told: &Told) -> (World, GitServer, String) {
    let authority = Authority::new();
    let sandbox = Sandbox::new();
    let file = authority.write_to(&sandbox).to_text();
    let server = GitServer::start_secure(&authority);
    let repo = GitRepo::bare(&sandbox, "remotes/r.git");
    repo.commit("== a\none\n");
    let url = server.serve("r.git", &repo);
    let mut vars = Vec::new();
    match told {
        Told::Nothing => {}
        Told::Config(text) => {
            let config = text(&server.base(), &file);
            fs::write(sandbox.home().join(".gitconfig"), config).unwrap();
        }
        Told::Variable(name) => vars.push((*name, file.as_str())),
    }
    let world = World::in_sandbox(sandbox, &vars).on(Backend::Libgit2);
    (world, server, url)
}

#[track_caller]
fn check_trusted(told: &Told) {
    let (world, _server, url) = world(told);
    let (dest, _) = world.obtain(&url, &Want::Head).unwrap();
    assert_eq!(fs::read_to_string(dest.join("a")).unwrap(), "one\n");
}

#[track_caller]
fn check_untrusted(told: &Told) {
    let (world, server, url) = world(told);
    let found = failure(world.obtain(&url, &Want::Head));
    let Failure::Unreachable { host, reason } = found else {
        panic!("{found:?}");
    };
    assert_eq!(host, "127.0.0.1");
    assert!(reason.contains("no trusted connection"), "{reason}");
    assert_eq!(server.count(GitRequest::InfoRefs), 0);
}

#[test]
fn an_authority_of_the_configuration_or_the_environment_is_trusted() {
    check_trusted(&Told::Variable("SSL_CERT_FILE"));
    check_trusted(&Told::Variable("GIT_SSL_CAINFO"));
    check_trusted(&Told::Config(|_, file| {
        format!("[http]\n\tsslCAInfo = {file}\n")
    }));
    check_trusted(&Told::Config(|base, file| {
        format!("[http \"{base}/\"]\n\tsslCAInfo = {file}\n[http]\n\tsslCAInfo = /nowhere\n")
    }));
}

#[test]
fn nobody_else_is_trusted() {
    check_untrusted(&Told::Nothing);
    check_untrusted(&Told::Config(|_, file| {
        format!("[http \"https://example.org/\"]\n\tsslCAInfo = {file}\n")
    }));
    // A missing certificate is not made good by a setting that looks away.
    check_untrusted(&Told::Config(|base, _| {
        format!("[http]\n\tsslVerify = false\n[http \"{base}/\"]\n\tsslVerify = false\n")
    }));
}

#[test]
fn git_looks_at_certificates_too_whatever_its_configuration_says() {
    if !crate::table::has_git() {
        return;
    }
    let (world, server, url) = world(&Told::Config(|base, _| {
        format!(
            "[http]\n\tsslVerify = false\n[http \"{base}/\"]\n\tsslVerify = false\n\
             [http \"{base}/r.git\"]\n\tsslVerify = false\n"
        )
    }));
    let found = failure(world.on(Backend::Command).obtain(&url, &Want::Head));
    assert!(matches!(found, Failure::Unreachable { .. }), "{found:?}");
    assert_eq!(server.count(GitRequest::InfoRefs), 0);
}

#[test]
fn a_part_is_had_where_only_the_built_in_git_trusts_the_server() {
    // Git itself looks at no variable of that name.
    let (world, server, _) = world(&Told::Variable("SSL_CERT_FILE"));
    let repo = GitRepo::bare(&world.sandbox, "remotes/parts.git");
    repo.commit("== p/a\none\n== b\ntwo\n");
    let url = server.serve("parts.git", &repo);
    let world = world.on(Backend::Auto);
    let (dest, _) = world
        .obtain_part(&url, &Want::Head, Some("p"), &[])
        .unwrap();
    assert_eq!(fs::read_to_string(dest.join("a")).unwrap(), "one\n");
}

#[test]
fn a_proxy_of_the_configuration_is_used() {
    let (world, server, url) = world(&Told::Variable("SSL_CERT_FILE"));
    // Nothing listens there, and bytes must not go past a proxy. Only addresses that are not this
    // machine's go through one.
    let config = "[http]\n\tproxy = http://127.0.0.1:1\n[http \"https://b.invalid\"]\n\tproxy = \n";
    fs::write(world.sandbox.home().join(".gitconfig"), config).unwrap();
    world.obtain(&url, &Want::Head).unwrap();
    drop(server);
    let check = |host: &str, through: bool| {
        let url = format!("https://{host}.invalid/r");
        let Failure::Unreachable { reason, .. } = failure(world.resolve(&url, &Want::Head)) else {
            panic!("{url}");
        };
        assert_eq!(reason.contains("127.0.0.1:1"), through, "{reason}");
    };
    check("a", true);
    check("b", false);
}
