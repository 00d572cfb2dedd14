use std::collections::{BTreeMap, VecDeque};
use std::io::{Read as _, Write as _};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use git2::transport::Service;
use plugd_model::{AbsPath, Clock, Environment, RandomNames};
use pretty_assertions::assert_eq;

use super::{HttpRemote, LIST_TYPE, STEP_TYPE};
use crate::Address;
use crate::config::UserConfig;
use crate::failure::Failure;
use crate::http::{Answer, Call, Http};
use crate::progress::Meter;
use crate::transport::{Connection as _, Remotes};

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

/// Status, address (empty for the one that was asked), type and body.
type Scripted = (u16, &'static str, &'static str, &'static str);

/// Answers in order, and remembers what was asked.
#[derive(Clone, Default)]
struct Script {
    answers: Arc<Mutex<VecDeque<Scripted>>>,
    calls: Arc<Mutex<Vec<Call>>>,
}

impl Http for Script {
    fn send(&self, call: Call) -> Result<Answer, Failure> {
        let asked = call.url.split('?').next().unwrap().to_owned();
        self.calls.lock().unwrap().push(call);
        let (status, url, content, body) = self.answers.lock().unwrap().pop_front().unwrap();
        Ok(Answer {
            status,
            url: if url.is_empty() {
                asked
            } else {
                url.to_owned()
            },
            content_type: Some(content.to_owned()),
            body: Box::new(body.as_bytes()),
        })
    }
}

fn remote(url: &str, answers: &[Scripted], token: &str) -> (HttpRemote, Arc<Remotes>, Script) {
    let script = Script::default();
    script
        .answers
        .lock()
        .unwrap()
        .extend(answers.iter().copied());
    let root = AbsPath::new("/").unwrap();
    let environment = Environment {
        program: AbsPath::new("/proc/self/exe").unwrap(),
        args: Vec::new(),
        vars: BTreeMap::from([("PLUGD_TOKEN_H".into(), token.into())]),
        cwd: root.clone(),
        cwd_is_gone: false,
        home: None,
        system_dir: root,
        clock: Arc::new(Still),
        names: Arc::new(Still),
    };
    let remotes = Arc::new(Remotes::new(
        Box::new(script.clone()),
        Arc::new(UserConfig::of(&[])),
        environment,
        Arc::new(Meter::default()),
    ));
    let address = Address::parse(url).unwrap();
    (
        HttpRemote::new(Arc::clone(&remotes), address),
        remotes,
        script,
    )
}

/// Where each request went, and with which login.
fn asked(script: &Script) -> Vec<(String, Option<String>)> {
    let calls = script.calls.lock().unwrap();
    let login = |call: &Call| call.login.as_ref().map(|login| login.password.clone());
    calls
        .iter()
        .map(|call| (call.url.clone(), login(call)))
        .collect()
}

fn list(remote: &HttpRemote) -> std::io::Result<String> {
    let mut text = String::new();
    remote
        .begin(Service::UploadPackLs)?
        .read_to_string(&mut text)?;
    Ok(text)
}

fn step(remote: &HttpRemote) -> std::io::Result<String> {
    let mut stream = remote.begin(Service::UploadPack)?;
    stream.write_all(b"want")?;
    stream.write_all(b"ed")?;
    let mut text = String::new();
    stream.read_to_string(&mut text)?;
    Ok(text)
}

#[test]
fn a_login_is_used_once_it_is_asked_for_and_kept() {
    let answers = [
        (401, "", "", ""),
        (200, "", LIST_TYPE, "refs"),
        (200, "", STEP_TYPE, "pack"),
    ];
    let (remote, _, script) = remote("https://h/r.git", &answers, "token");
    assert_eq!(list(&remote).unwrap(), "refs");
    assert_eq!(step(&remote).unwrap(), "pack");
    let token = Some("token".to_owned());
    let url = "https://h/r.git/info/refs?service=git-upload-pack".to_owned();
    assert_eq!(
        asked(&script),
        [
            (url.clone(), None),
            (url, token.clone()),
            ("https://h/r.git/git-upload-pack".to_owned(), token),
        ]
    );
    let calls = script.calls.lock().unwrap();
    assert_eq!(calls[2].body.as_deref(), Some(b"wanted".as_slice()));
    assert!(calls[0].follow && !calls[2].follow);
}

#[test]
fn another_host_gets_no_login() {
    let answers = [
        (401, "", "", ""),
        (200, "https://other/x/info/refs", LIST_TYPE, "refs"),
        (200, "", STEP_TYPE, "pack"),
    ];
    let (first, _, script) = remote("https://h/r", &answers, "token");
    list(&first).unwrap();
    step(&first).unwrap();
    assert_eq!(
        asked(&script)[2],
        ("https://other/x/git-upload-pack".to_owned(), None)
    );
    let answers = [(401, "https://other/info/refs", "", "")];
    let (second, remotes, script) = remote("https://h/r", &answers, "token");
    list(&second).unwrap_err();
    assert_eq!(asked(&script).len(), 1);
    assert!(matches!(
        remotes.take_failure(),
        Some(Failure::Refused { .. })
    ));
}

#[track_caller]
fn check_failure(answer: Scripted, expected: &str) {
    let (remote, remotes, _) = remote("https://h/r", &[answer, answer], "hidden");
    list(&remote).unwrap_err();
    let text = remotes.take_failure().unwrap().to_string();
    assert!(
        text.contains(expected) && !text.contains("hidden"),
        "{text}"
    );
}

#[test]
fn every_other_answer_is_an_error_that_names_the_host() {
    check_failure(
        (200, "", "text/html", "<html>"),
        "`h` answered: no git repository but `text/html`",
    );
    check_failure((404, "", "", ""), "no git repository at `https://h/r`");
    check_failure((403, "", "", ""), "`h` answered: access is forbidden");
    check_failure((503, "", "", ""), "`h` answered with status 503");
    check_failure((301, "", "", ""), "`h` answered: status 301");
    check_failure(
        (401, "", "", ""),
        "`h` wants a login; tried: no login, $PLUGD_TOKEN_H; set $PLUGD_TOKEN_H",
    );
}

#[test]
fn a_login_that_the_server_repeats_is_not_told() {
    // Base64 of `oauth2:to/ken+1` and of `to/ken+1`.
    for repeated in [
        "x/oauth2:to/ken+1",
        "x/b2F1dGgyOnRvL2tlbisx",
        "x/dG8va2VuKzE=",
        "x/to%2Fken%2B1",
    ] {
        let answers = [(401, "", "", ""), (200, "", repeated, "")];
        let (remote, remotes, _) = remote("https://h/r", &answers, "to/ken+1");
        list(&remote).unwrap_err();
        let text = remotes.take_failure().unwrap().to_string();
        let shown = text.strip_prefix("`h` answered: no git repository but `x/");
        let shown = shown.unwrap().replace("***:***", "***");
        assert_eq!(shown, "***`", "{repeated}");
    }
}

#[test]
fn nothing_is_ever_pushed() {
    let (remote, ..) = remote("https://h/r", &[], "t");
    assert!(remote.begin(Service::ReceivePack).is_err());
}
