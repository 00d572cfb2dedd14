//! Proves that an installation from the remote catalog that is refused, given up, killed or done twice
//! at once leaves the old state or the new one, here and at the account.

use plugd_testkit::Gate;
use plugd_testkit::service::{Endpoint, Fault, Item, ServiceRequest};
use pretty_assertions::assert_eq;
use serde_json::json;

use crate::accounts::{Account, remote};
use crate::fixtures::{start_listening, text, with};
use crate::remote_install::{dir, nothing_came};
use crate::remote_sync::end_of_sync;
use crate::remotes::{give_up, nothing_left, stamps};

#[test]
fn a_service_that_refuses_leaves_everything_as_it_was() {
    let account = Account::new();
    let id = account.offer(&["alpha"]).remove(0);
    let mut daemon = account.start();
    for status in [304, 400, 401, 403, 404, 409, 429, 500, 503] {
        account
            .service
            .fail(Endpoint::Install, Fault::status(status));
        let error = daemon.err("plugin/install", remote(&id));
        assert_eq!(error["code"], -32600, "{status} {error:#}");
        assert!(
            text(&error["message"]).contains("install remote plugin"),
            "{error:#}"
        );
        assert!(!account.sandbox.exists(&dir("alpha")), "{status}");
        nothing_left(&account.sandbox);
    }
    // A change is told once, whatever comes back.
    assert_eq!(account.service.count(Endpoint::Install), 9);
    for edit in [
        Fault::edit(|answer| answer["enabled"] = json!(false)),
        Fault::edit(|answer| answer["id"] = json!("plugins~Plugin_00")),
        Fault::NotJson,
    ] {
        account.service.fail(Endpoint::Install, edit);
        daemon.err("plugin/install", remote(&id));
        assert!(!account.sandbox.exists(&dir("alpha")));
    }
    account.service.behave_well();
    daemon.ok("plugin/install", remote(&id));
    // The synchronisation may not bring it meanwhile.
    let of_sync = |request: &ServiceRequest| request.param("scope").is_none();
    let unheard = Fault::status(500);
    account
        .service
        .fail_if(Endpoint::Installed, of_sync, unheard);
    // The old version and its sidecar stay when a new one is refused.
    account
        .service
        .offer_plugin(Item::new("alpha").version("2.0.0"));
    let before = stamps(&account.sandbox, &dir("alpha"));
    account.service.fail(Endpoint::Install, Fault::status(500));
    daemon.err("plugin/install", remote(&id));
    assert_eq!(stamps(&account.sandbox, &dir("alpha")), before);
    daemon.shut_down();
}

#[test]
fn a_swap_that_fails_takes_the_word_back() {
    for had in [false, true] {
        let account = Account::new();
        let id = account.offer(&["alpha"]).remove(0);
        let mut daemon = account.start();
        account.service.wait_answered(Endpoint::Installed, 1);
        if had {
            account.service.set_installed(&id, true);
        }
        let gate = Gate::new();
        account
            .service
            .fail(Endpoint::Install, Fault::Hold(gate.clone()));
        let request = daemon.request("plugin/install", remote(&id));
        gate.wait_reached();
        account
            .sandbox
            .write("ch/plugins/cache/openai-curated-remote", "in the way");
        gate.open();
        let answer = daemon.response(request);
        assert!(answer["error"].is_object(), "{answer:#}");
        let told = usize::from(!had);
        assert_eq!(account.service.count(Endpoint::Uninstall), told);
        assert_eq!(account.service.installed().len(), 1 - told);
        nothing_left(&account.sandbox);
        daemon.shut_down();
    }
}

#[test]
fn giving_up_at_any_stage() {
    for (endpoint, after) in [
        (Endpoint::Detail, None),
        (Endpoint::Installed, None),
        (Endpoint::Bundle, None),
        (Endpoint::Bundle, Some(100)),
    ] {
        let account = Account::new();
        let id = account.offer(&["alpha"]).remove(0);
        let mut daemon = account.start();
        let gate = Gate::new();
        let held = match after {
            None => Fault::Hold(gate.clone()),
            Some(bytes) => Fault::HoldAfter(bytes, gate.clone()),
        };
        // The look that follows a start has no scope.
        let of_request = move |request: &ServiceRequest| {
            endpoint != Endpoint::Installed || request.param("scope").is_some()
        };
        account.service.fail_if(endpoint, of_request, held);
        let request = daemon.request("plugin/install", remote(&id));
        gate.wait_reached();
        give_up(&mut daemon, request);
        nothing_came(&account);
        gate.open();
        account.service.behave_well();
        daemon.ok("plugin/install", remote(&id));
        daemon.shut_down();
    }
}

#[test]
fn a_cancel_behind_the_word_to_the_service_is_too_late() {
    let account = Account::new();
    let id = account.offer(&["alpha"]).remove(0);
    let mut daemon = account.start();
    let gate = Gate::new();
    account
        .service
        .fail(Endpoint::Install, Fault::HoldAnswer(gate.clone()));
    let request = daemon.request("plugin/install", remote(&id));
    gate.wait_reached();
    daemon.notify("$/cancelRequest", json!({"id": request}));
    gate.open();
    let answer = daemon.response(request);
    assert_eq!(answer["result"]["installedVersion"], "1.0.0", "{answer:#}");
    assert!(account.sandbox.exists(&format!("{}/1.0.0", dir("alpha"))));
    daemon.shut_down();
}

#[test]
fn a_cancel_while_the_service_is_silent_leaves_it_to_the_service() {
    for does in [false, true] {
        let account = Account::new();
        let id = account.offer(&["alpha"]).remove(0);
        let mut daemon = start_listening(&account.sandbox);
        end_of_sync(&mut daemon);
        let gate = Gate::new();
        let held = match does {
            true => Fault::HoldAnswer(gate.clone()),
            false => Fault::Hold(gate.clone()),
        };
        account.service.fail(Endpoint::Install, held);
        let request = daemon.request("plugin/install", remote(&id));
        gate.wait_reached();
        let error = give_up(&mut daemon, request);
        assert!(text(&error["message"]).contains("may have been done there"));
        assert!(error["data"]["hint"].is_string(), "{error:#}");
        // The account is asked behind the answer, and what it says is made so.
        end_of_sync(&mut daemon);
        let place = format!("{}/1.0.0", dir("alpha"));
        assert_eq!(account.sandbox.exists(&place), does);
        nothing_left(&account.sandbox);
        gate.open();
        account.service.behave_well();
        daemon.ok("plugin/install", remote(&id));
        daemon.shut_down();
    }
}

#[test]
fn killed_between_any_two_steps() {
    for (endpoint, does) in [
        (Endpoint::Bundle, false),
        (Endpoint::Install, false),
        (Endpoint::Install, true),
    ] {
        let account = Account::new();
        let id = account.offer(&["alpha"]).remove(0);
        let mut daemon = account.start();
        let gate = Gate::new();
        let held = if does {
            Fault::HoldAnswer(gate.clone())
        } else {
            Fault::Hold(gate.clone())
        };
        account.service.fail(endpoint, held);
        daemon.request("plugin/install", remote(&id));
        gate.wait_reached();
        daemon.kill();
        account.service.behave_well();
        if does {
            gate.open();
        }
        assert!(!account.sandbox.exists(&dir("alpha")));
        // What the account says is made so, and nothing is left of the dead.
        let mut daemon = account.start();
        daemon.ok("plugin/reconcile", json!({}));
        assert_eq!(
            account.sandbox.exists(&format!("{}/1.0.0", dir("alpha"))),
            does
        );
        nothing_left(&account.sandbox);
        daemon.ok("plugin/install", remote(&id));
        assert!(account.sandbox.exists(&format!("{}/1.0.0", dir("alpha"))));
        nothing_left(&account.sandbox);
        daemon.shut_down();
        gate.open();
    }
}

#[test]
fn killed_anywhere_on_the_way_from_one_version_to_the_next() {
    for stage in ["fetching", "checking", "copying", "telling", "activating"] {
        let account = Account::new();
        let id = account.offer(&["alpha"]).remove(0);
        let mut daemon = account.start();
        daemon.ok("plugin/install", remote(&id));
        account
            .service
            .offer_plugin(Item::new("alpha").version("2.0.0"));
        let params = with(remote(&id), json!({"workDoneToken": "t"}));
        let request = daemon.request("plugin/install", params);
        daemon.wait_message("the stage or the answer", |message| {
            message["params"]["value"]["stage"] == stage || message["id"] == request
        });
        daemon.kill();
        let mut daemon = account.start();
        daemon.ok("plugin/reconcile", json!({}));
        let place = dir("alpha");
        assert!(account.sandbox.exists(&format!("{place}/2.0.0")), "{stage}");
        assert!(
            !account.sandbox.exists(&format!("{place}/1.0.0")),
            "{stage}"
        );
        nothing_left(&account.sandbox);
        daemon.shut_down();
    }
}

#[test]
fn two_at_once() {
    let account = Account::new();
    let id = account.offer(&["alpha"]).remove(0);
    let (mut one, mut other) = (account.start(), account.start());
    let requests = (
        one.request("plugin/install", remote(&id)),
        other.request("plugin/install", remote(&id)),
        one.request("plugin/install", remote(&id)),
    );
    for answer in [
        one.response(requests.0),
        other.response(requests.1),
        one.response(requests.2),
    ] {
        assert_eq!(answer["result"]["installedVersion"], "1.0.0", "{answer:#}");
    }
    let gone = one.request("plugin/uninstall", json!({"pluginId": id}));
    let back = one.request("plugin/install", remote(&id));
    assert!(one.response(gone)["result"].is_object());
    assert!(one.response(back)["result"].is_object());
    assert!(account.sandbox.exists(&format!("{}/1.0.0", dir("alpha"))));
    assert_eq!(account.service.installed(), [(id, true)]);
    nothing_left(&account.sandbox);
    one.shut_down();
    other.shut_down();
}
