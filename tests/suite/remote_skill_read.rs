//! Proves `plugin/skill/read` of the remote catalog: the service's text, its refusals in the words of
//! the reference, and the installed copy where the service cannot be reached.

use plugd_testkit::Daemon;
use plugd_testkit::service::{Endpoint, Fault};
use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use crate::accounts::{Account, remote};
use crate::fixtures::{shown, text, with};

const METHOD: &str = "plugin/skill/read";

fn params(id: &str, skill: &str) -> Value {
    json!({
        "remoteMarketplaceName": "openai-curated-remote", "remotePluginId": id,
        "skillName": skill,
    })
}

#[track_caller]
fn refusal(daemon: &mut Daemon, params: Value) -> String {
    let error = daemon.err(METHOD, params);
    format!("{} {}", error["code"], text(&error["message"]))
}

#[test]
fn the_text_of_the_service() {
    let account = Account::new();
    let ids = account.offer(&["alpha"]);
    account.service.set_skill(&ids[0], "a b/c", Some("Text"));
    account.service.set_skill(&ids[0], "none", None);
    let mut daemon = account.start();
    let answer = daemon.ok(METHOD, params(&ids[0], "a b/c"));
    assert_eq!(answer, json!({"contents": "Text", "path": null}));
    let asked = account.service.requests_to(Endpoint::Skill);
    assert!(
        asked[0].path.ends_with("/skills/a%20b%2Fc"),
        "{}",
        asked[0].path
    );
    let answer = daemon.ok(METHOD, params(&ids[0], "none"));
    assert_eq!(answer, json!({"contents": null, "path": null}));
    for group in [
        "workspace-shared-with-me",
        "workspace-shared-with-me-private",
    ] {
        let elsewhere = json!({"remoteMarketplaceName": group});
        let answer = daemon.ok(METHOD, with(params(&ids[0], "a b/c"), elsewhere));
        assert_eq!(answer["contents"], "Text");
    }
    daemon.shut_down();
}

#[test]
fn refusals_in_the_order_and_words_of_the_reference() {
    let account = Account::new();
    let ids = account.offer(&["alpha"]);
    let id = &ids[0];
    let elsewhere = |params| with(params, json!({"remoteMarketplaceName": "x"}));
    let illegal = "-32600 invalid remote plugin id: only ASCII letters, digits, `_`, `-`, and `~` \
                   are allowed";
    let nameless = "-32600 invalid remote plugin skill name: cannot be empty";
    let mut daemon = account.start();
    assert_eq!(refusal(&mut daemon, elsewhere(params("a!", ""))), illegal);
    assert_eq!(refusal(&mut daemon, params("", "s")), illegal);
    assert_eq!(refusal(&mut daemon, elsewhere(params(id, ""))), nameless);
    assert_eq!(
        refusal(&mut daemon, elsewhere(params(id, "s"))),
        "-32600 read remote plugin skill details: remote marketplace `x` is not supported"
    );
    assert_eq!(account.service.count(Endpoint::Skill), 0);
    let missing = refusal(&mut daemon, params(id, "missing"));
    let start = "-32600 read remote plugin skill details: ";
    assert!(missing.starts_with(start), "{missing}");
    daemon.shut_down();

    let none = Account::without_login("");
    let mut daemon = none.start();
    assert_eq!(
        refusal(&mut daemon, elsewhere(params(id, "s"))),
        "-32600 read remote plugin skill details: chatgpt authentication required for remote \
         plugin catalog"
    );
    daemon.shut_down();
    let off = Account::with("[features]\nplugins = false\n");
    let mut daemon = off.start();
    assert_eq!(
        refusal(&mut daemon, params("a!", "s")),
        "-32600 remote plugin skill read is not enabled for marketplace openai-curated-remote"
    );
    daemon.shut_down();
}

#[test]
fn an_answer_about_something_else_is_refused() {
    let account = Account::new();
    let ids = account.offer(&["alpha"]);
    account.service.set_skill(&ids[0], "s", Some("Text"));
    let mut daemon = account.start();
    for member in ["plugin_id", "name"] {
        let other = Fault::edit(move |answer| answer[member] = json!("other"));
        account.service.fail(Endpoint::Skill, other);
        let error = daemon.err(METHOD, params(&ids[0], "s"));
        assert!(text(&error["message"]).contains("`other`"), "{error}");
    }
    daemon.shut_down();
}

#[test]
fn the_copy_stands_in_for_a_service_that_cannot_be_reached() {
    let account = Account::new();
    let ids = account.offer(&["alpha"]);
    let mut daemon = account.start();
    account.service.fail(Endpoint::Skill, Fault::status(503));
    let error = daemon.err(METHOD, params(&ids[0], "hello"));
    assert_eq!(error["data"]["kind"], "unavailable");
    daemon.ok("plugin/install", remote(&ids[0]));
    let here = json!({
        "contents": "---\nname: hello\ndescription: says hello\n---\nSay hello.\n",
        "path": "$ROOT/ch/plugins/cache/openai-curated-remote/alpha/1.0.0/skills/hello/SKILL.md",
    });
    for fault in [Fault::status(503), Fault::Reset] {
        account.service.fail(Endpoint::Skill, fault);
        let answer = daemon.ok(METHOD, params(&ids[0], "hello"));
        assert_eq!(shown(&answer, &account.sandbox), here);
    }
    // What the copy does not have is told as the service's failure; what the service denies, is.
    let error = daemon.err(METHOD, params(&ids[0], "other"));
    assert_eq!(error["data"]["kind"], "unavailable");
    account.service.fail(Endpoint::Skill, Fault::status(404));
    let error = daemon.err(METHOD, params(&ids[0], "hello"));
    assert_eq!(error["data"]["kind"], "notFound");
    daemon.shut_down();
}

#[test]
fn a_skill_is_found_by_the_name_that_listings_show() {
    let account = Account::new();
    let ids = account.offer(&["alpha"]);
    account.service.set_skill(&ids[0], "greet", Some("Text"));
    let mut daemon = account.start();
    // It is known by now what the plugin is called.
    daemon.ok("plugin/list", json!({}));
    let answer = daemon.ok(METHOD, params(&ids[0], "alpha:greet"));
    assert_eq!(answer["contents"], "Text");
    for other in ["beta:greet", "alpha:", "alpha:other"] {
        let error = daemon.err(METHOD, params(&ids[0], other));
        assert_eq!(error["data"]["kind"], "notFound", "{other}");
    }
    daemon.shut_down();
}
