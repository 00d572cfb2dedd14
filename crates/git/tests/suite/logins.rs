//! Logins: which one a server is told, and that no text holds one.

use std::fs;
use std::time::Duration;

use plugd_git::{Address, Backend, Failure, GitError, Want, Watch};
use pretty_assertions::assert_eq;

use crate::fixture::{World, failure};
use crate::http::{LIST_TYPE, slowness};
use crate::server::{Server, answer, backend, git_answers};
use crate::table::has_git;

#[test]
fn a_login_from_the_environment_opens_a_private_repository() {
    let world = World::with_vars(&[("PLUGD_TOKEN_127_0_0_1", "hidden-token")]);
    let remote = world.remote("r.git");
    remote.commit("main", &[("a", "1")]);
    let Some(backend) = backend() else { return };
    let root = remote.path.parent().unwrap().to_path_buf();
    // Base64 of `oauth2:hidden-token`.
    let expected = "Basic b2F1dGgyOmhpZGRlbi10b2tlbg==";
    let server = Server::start(move |asked, stream| {
        if asked.header("authorization") == Some(expected) {
            git_answers(&backend, &root, "", asked, stream);
        } else {
            let headers = ["WWW-Authenticate: Basic realm=x"];
            answer(stream, "401 Unauthorized", &headers, b"");
        }
    });
    world.obtain(&server.url("r.git"), &Want::Head).unwrap();
    assert_eq!(server.asked().len(), 4);
}

#[test]
fn a_login_that_the_server_repeats_stands_in_no_error() {
    let variable = ("PLUGD_TOKEN_127_0_0_1", "hidden-token");
    let helper =
        "[credential]\n\thelper = \"!echo username=oauth2; echo password=hidden-token;:\"\n";
    for (backend, variables, config) in [
        (Backend::Libgit2, vec![variable], ""),
        (Backend::Command, vec![variable], ""),
        // Git asks the helper by itself then.
        (Backend::Command, vec![], helper),
    ] {
        let world = World::with_vars(&variables).on(backend);
        fs::write(world.sandbox.home().join(".gitconfig"), config).unwrap();
        let server = Server::start(|asked, stream| match asked.header("authorization") {
            Some(header) => {
                let line = format!("ERR denied for oauth2:hidden-token, {header}");
                let body = format!(
                    "001e# service=git-upload-pack\n0000{:04x}{line}0000",
                    line.len() + 4
                );
                answer(stream, "200 OK", &[LIST_TYPE], body.as_bytes());
            }
            None => {
                let headers = ["WWW-Authenticate: Basic realm=x"];
                answer(stream, "401 Unauthorized", &headers, b"");
            }
        });
        let url = server.url("r");
        let found = failure(world.resolve(&url, &Want::Head));
        if matches!(found, Failure::NoCommand) {
            continue;
        }
        let text = found.to_string();
        assert!(text.contains("denied for ***"), "{text}");
        for secret in ["hidden", "b2F1dGgy", "aGlkZGVu"] {
            assert!(!text.contains(secret), "{text}");
        }
    }
}

#[test]
fn a_credential_helper_that_does_not_answer_is_named() {
    for backend in [Backend::Libgit2, Backend::Command] {
        if backend == Backend::Command && !has_git() {
            continue;
        }
        let world = World::new().on(backend);
        let config = "[credential]\n\thelper = \"!sleep 60;:\"\n";
        fs::write(world.sandbox.home().join(".gitconfig"), config).unwrap();
        let wants_login = ["WWW-Authenticate: Basic realm=x"];
        let server = Server::start(move |_, stream| {
            answer(stream, "401 Unauthorized", &wants_login, b"");
        });
        let git = world
            .git
            .clone()
            .with_idle(Duration::from_secs(1) * slowness());
        let address = Address::parse(&server.url("r")).unwrap();
        let error = world
            .wait(git.resolve(&address, &Want::Head, Watch::nobody()))
            .unwrap_err();
        let GitError::SilentHelper { helper, host, .. } = error else {
            panic!("{backend:?}: {error:?}");
        };
        assert_eq!((helper.as_str(), host.as_str()), ("sleep", "127.0.0.1"));
    }
}
