use std::collections::BTreeMap;
use std::ffi::OsString;
use std::sync::Arc;
use std::time::Duration;

use plugd_model::{AbsPath, Clock, Environment, RandomNames};
use pretty_assertions::assert_eq;

use super::{Login, Logins, short, variable};
use crate::Address;
use crate::config::UserConfig;
use crate::progress::Meter;

struct Still;

impl Clock for Still {
    fn now(&self) -> Duration {
        Duration::ZERO
    }
}

impl RandomNames for Still {
    fn next(&self) -> String {
        "0".repeat(16)
    }
}

fn environment(vars: &[(&str, &str)]) -> Environment {
    let pairs = vars
        .iter()
        .map(|(k, v)| (OsString::from(k), OsString::from(v)));
    let mut vars: BTreeMap<_, _> = pairs.collect();
    vars.insert("PATH".into(), "/usr/bin:/bin".into());
    let root = AbsPath::new("/").unwrap();
    Environment {
        program: AbsPath::new("/proc/self/exe").unwrap(),
        args: Vec::new(),
        vars,
        cwd: root.clone(),
        cwd_is_gone: false,
        home: None,
        system_dir: root,
        clock: Arc::new(Still),
        names: Arc::new(Still),
    }
}

/// All logins in order, as `user:password`, and what was tried by then.
fn all(url: &str, config: &[(&str, &str)], vars: &[(&str, &str)]) -> (Vec<String>, Vec<String>) {
    let address = Address::parse(url).unwrap();
    let user = UserConfig::of(config);
    let environment = environment(vars);
    let mut logins = Logins::new(&address, &user);
    let mut found = Vec::new();
    while let Some(Login {
        user: name,
        password,
    }) = logins.next(&address, &user, &environment, &Meter::default())
    {
        found.push(format!("{name}:{password}"));
    }
    (found, logins.tried())
}

#[track_caller]
fn check(url: &str, vars: &[(&str, &str)], expected: &[&str]) {
    assert_eq!(all(url, &[], vars).0, expected, "{url}");
}

#[test]
fn tokens_belong_to_their_hosts() {
    let vars = [
        ("GH_TOKEN", "gh"),
        ("GITHUB_TOKEN", "github"),
        ("PLUGD_TOKEN_GITHUB_COM", "own"),
        ("PLUGD_TOKEN_GIT_EXAMPLE_ORG", "example"),
        ("PLUGD_TOKEN_BAD_ORG", "two\nlines"),
    ];
    check(
        "https://GitHub.com/o/r",
        &vars,
        &[
            "x-access-token:own",
            "x-access-token:gh",
            "x-access-token:github",
        ],
    );
    check("https://git.example.org:8443/r", &vars, &["oauth2:example"]);
    check("https://github.com.evil.org/r", &vars, &[]);
    check("https://github.com@evil.org/r", &vars, &["github.com:"]);
    check("https://bad.org/r", &vars, &[]);
}

#[test]
fn a_helper_is_asked_about_the_host_and_its_answer_is_taken() {
    let helper = "!f() { test \"$1\" = get && sed -n 's/^host=\\(.*\\)/username=u\\npassword=\\1-secret/p'; }; f";
    let (found, tried) = all(
        "https://h.org:99/r",
        &[
            ("credential.helper", "!exit 1;"),
            ("credential.helper", helper),
        ],
        &[],
    );
    assert_eq!(found, ["u:h.org:99-secret"]);
    assert_eq!(
        tried,
        [
            "no login",
            "credential helper `exit` (has none)",
            "credential helper `f()`"
        ]
        .map(str::to_owned)
    );
}

#[test]
fn the_netrc_comes_behind_the_address_and_before_the_helpers() {
    let helper = (
        "credential.helper",
        "!echo username=u; echo password=helper;:",
    );
    let header = (
        "http.https://h.org.extraheader",
        "Authorization: Bearer hidden",
    );
    let user = UserConfig::of(&[helper, header]);
    let user = user.with_netrc("machine h.org login me password netrc");
    let tried = |url: &str| {
        let address = Address::parse(url).unwrap();
        let mut logins = Logins::new(&address, &user);
        let mut next = || logins.next(&address, &user, &environment(&[]), &Meter::default());
        let found: Vec<String> = std::iter::from_fn(&mut next)
            .map(|login| login.password)
            .collect();
        (found.join(" "), logins.tried().join(", "))
    };
    assert_eq!(
        tried("https://h.org:99/r"),
        (
            "netrc helper".to_owned(),
            "no login, ~/.netrc, credential helper `echo`".to_owned()
        )
    );
    assert_eq!(
        tried("https://me:own@h.org/r"),
        (
            "own netrc helper".to_owned(),
            "`http.extraHeader`, the address, ~/.netrc, credential helper `echo`".to_owned()
        )
    );
    assert_eq!(tried("https://other.org/r").0, "helper");
}

#[test]
fn what_was_tried_holds_no_secret() {
    let (found, tried) = all(
        "https://me:hidden@h.org/r",
        &[],
        &[("PLUGD_TOKEN_H_ORG", "hidden")],
    );
    assert_eq!(found, ["me:hidden", "oauth2:hidden"]);
    assert_eq!(tried, ["no login", "the address", "$PLUGD_TOKEN_H_ORG"]);
    assert!(
        !format!(
            "{:?}",
            Login {
                user: "hidden".into(),
                password: "hidden".into()
            }
        )
        .contains("hidden")
    );
    assert_eq!(short("!echo password=hidden"), "echo");
}

#[test]
fn a_variable_is_named_after_its_host() {
    assert_eq!(variable("git.my-host.org"), "PLUGD_TOKEN_GIT_MY_HOST_ORG");
    assert_eq!(variable("[::1]"), "PLUGD_TOKEN___1");
}
