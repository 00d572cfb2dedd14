//! Logins that the user keeps for git itself: headers in its configuration, and the netrc. They go to
//! the host that they are for, with either backend, and stand in no text.

use std::fs;

use plugd_git::{Backend, Failure, Want};
use plugd_testkit::{Behaviour, GitRepo, GitRequest, GitServer};
use pretty_assertions::assert_eq;

use crate::fixture::{World, failure};
use crate::table::has_git;

const SECRET: &str = "hidden-password";
/// Base64 of `me:hidden-password`.
const BASIC: &str = "Basic bWU6aGlkZGVuLXBhc3N3b3Jk";

/// A world, and a server with one repository that wants a login.
struct Private {
    world: World,
    server: GitServer,
    url: String,
}

impl Private {
    fn on(backend: Backend) -> Self {
        let world = World::new().on(backend);
        let repo = GitRepo::bare(&world.sandbox, "remotes/r.git");
        repo.commit("== a\none\n");
        let server = GitServer::start();
        server.require_login("me", SECRET);
        let url = server.serve("team/r.git", &repo);
        Self { world, server, url }
    }

    fn home(&self, name: &str, text: &str) {
        fs::write(self.world.sandbox.home().join(name), text).unwrap();
    }

    /// Fetches, and tells how often the header of this name came along, and how often not.
    fn told(&self, header: &str) -> (usize, usize) {
        self.server.forget();
        self.world.obtain(&self.url, &Want::Head).unwrap();
        let requests = self.server.requests();
        let with = requests.iter().filter(|one| one.header(header).is_some());
        let with = with.count();
        (with, requests.len() - with)
    }
}

fn backends() -> impl Iterator<Item = Backend> {
    [Backend::Libgit2, Backend::Command]
        .into_iter()
        .filter(|backend| *backend == Backend::Libgit2 || has_git())
}

#[test]
fn a_header_of_the_configuration_opens_a_private_repository() {
    for backend in backends() {
        for at in ["", " \"$\"", " \"$/team\""] {
            let private = Private::on(backend);
            let at = at.replace('$', &private.server.base());
            let config = format!("[http{at}]\n\textraHeader = Authorization: {BASIC}\n");
            private.home(".gitconfig", &config);
            // It goes along from the beginning.
            let (with, without) = private.told("authorization");
            assert!(with > 1 && without == 0, "{backend:?} {config}");
        }
        // One for another address does not.
        let private = Private::on(backend);
        let config = format!("[http \"https://h\"]\n\textraHeader = Authorization: {BASIC}\n");
        private.home(".gitconfig", &config);
        let found = failure(private.world.obtain(&private.url, &Want::Head));
        assert!(matches!(found, Failure::Unauthorised { .. }), "{found:?}");
    }
}

#[test]
fn a_header_goes_to_no_other_host() {
    for backend in backends() {
        let private = Private::on(backend);
        let other = GitServer::start();
        let repo = GitRepo::bare(&private.world.sandbox, "remotes/other.git");
        repo.commit("== a\ntwo\n");
        other.serve("team/r.git", &repo);
        // Whatever the configuration says of all hosts.
        let config = format!(
            "[http]\n\textraHeader = X-Token: {SECRET}\n\textraHeader = Authorization: {BASIC}\n"
        );
        private.home(".gitconfig", &config);
        let elsewhere = Behaviour::Redirect(other.base_by_name());
        private.server.behave(GitRequest::InfoRefs, elsewhere);
        let got = private.world.obtain(&private.url, &Want::Head);
        // Git would tell it to the other host, so it goes nowhere.
        assert_eq!(got.is_ok(), backend == Backend::Libgit2, "{got:?}");
        for request in other.requests() {
            for header in ["x-token", "authorization"] {
                assert_eq!(request.header(header), None, "{backend:?}");
            }
        }
        if let Err(error) = got {
            assert!(!format!("{error:?}").contains(SECRET), "{error:?}");
        }
    }
}

#[test]
fn the_netrc_opens_a_private_repository() {
    for backend in backends() {
        let private = Private::on(backend);
        private.home(
            ".netrc",
            &format!("machine 127.0.0.1\n  login me\n  password {SECRET}\n"),
        );
        let (with, without) = private.told("authorization");
        assert!(with > 1 && without > 0, "{backend:?} {with} {without}");
        // A wrong one is told by its name alone.
        private.home(".netrc", "machine 127.0.0.1 login me password hidden-other");
        private.world.sandbox.remove("ch");
        let found = failure(private.world.obtain(&private.url, &Want::Head));
        let Failure::Unauthorised { tried, .. } = &found else {
            panic!("{backend:?} {found:?}");
        };
        assert_eq!(tried.join(", "), "no login, ~/.netrc", "{backend:?}");
        assert!(!format!("{found:?}").contains("hidden"), "{found:?}");
    }
}

#[test]
fn what_cannot_be_used_is_named() {
    let private = Private::on(Backend::Libgit2);
    fs::create_dir(private.world.sandbox.home().join(".netrc")).unwrap();
    let config = "[http]\n\textraHeader = Authorization Bearer hidden-token\n";
    private.home(".gitconfig", config);
    let found = failure(private.world.obtain(&private.url, &Want::Head));
    let Failure::Unauthorised { tried, .. } = &found else {
        panic!("{found:?}");
    };
    let header = "no login (an `http.extraHeader` is no header that can be sent)";
    assert_eq!(tried[..], [header, "~/.netrc (cannot be read)"]);
}

#[test]
fn a_header_that_is_refused_makes_room_for_a_login() {
    let private = Private::on(Backend::Libgit2);
    let config = "[http]\n\textraHeader = Authorization: Bearer hidden-token\n\
                  \textraHeader = X-Team: blue\n";
    private.home(".gitconfig", config);
    private.home(".netrc", &format!("default login me password {SECRET}"));
    let (with, without) = private.told("x-team");
    assert!(with > 2 && without == 0);
    let requests = private.server.requests();
    let told: Vec<_> = requests
        .iter()
        .filter_map(|one| one.header("authorization"))
        .collect();
    assert_eq!(told[0], "Bearer hidden-token");
    assert_eq!(told[1..], vec![BASIC; told.len() - 1]);
    // Without the other one the header is what was tried.
    private.home(".netrc", "");
    private.world.sandbox.remove("ch");
    let found = failure(private.world.obtain(&private.url, &Want::Head));
    let text = found.to_string();
    assert!(text.contains("tried: `http.extraHeader`;"), "{text}");
    assert!(!text.contains("hidden"), "{text}");
}
