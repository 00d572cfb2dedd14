//! Proves the synchronisation with the account by several processes at once, by one that is killed,
//! and by one that ends.

use plugd_testkit::Gate;
use plugd_testkit::service::{Endpoint, Fault, Item, Scheme};
use pretty_assertions::assert_eq;
use serde_json::json;

use crate::accounts::Account;
use crate::fixtures::start_listening;
use crate::remote_sync::{copies, end_of_sync, synced};
use crate::remotes::nothing_left;

#[test]
fn two_daemons_synchronise_one_home() {
    let account = Account::new();
    let ids = account.offer(&["alpha", "beta", "gamma"]);
    for id in &ids {
        account.service.set_installed(id, true);
    }
    let mut one = start_listening(&account.sandbox);
    let mut two = start_listening(&account.sandbox);
    assert_eq!(end_of_sync(&mut one)["state"], "done");
    assert_eq!(end_of_sync(&mut two)["state"], "done");
    for round in ["2.0.0", "3.0.0"] {
        for name in ["alpha", "beta", "gamma"] {
            account.service.offer_plugin(Item::new(name).version(round));
        }
        let ids = [
            one.request("plugin/reconcile", json!({})),
            two.request("plugin/reconcile", json!({})),
        ];
        for (daemon, id) in [&mut one, &mut two].into_iter().zip(ids) {
            let answer = daemon.response(id);
            assert_eq!(
                answer["result"]["failedRemotePluginIds"],
                json!([]),
                "{answer}"
            );
        }
        let expected =
            ["alpha", "beta", "gamma"].map(|name| format!("openai-curated-remote/{name}/{round}"));
        assert_eq!(copies(&account.sandbox), expected);
    }
    one.shut_down();
    two.shut_down();
    nothing_left(&account.sandbox);
}

#[test]
fn what_a_kill_left_is_made_good() {
    let account = Account::new();
    let ids = account.offer(&["alpha", "beta"]);
    for id in &ids {
        account.service.set_installed(id, true);
    }
    synced(&account).shut_down();
    account
        .service
        .offer_plugin(Item::new("alpha").version("2.0.0"));
    account.service.remove_installed(&ids[1]);
    let gate = Gate::new();
    let hold = Fault::HoldAfter(20, gate.clone());
    account.service.fail(Endpoint::Bundle, hold);
    let mut daemon = start_listening(&account.sandbox);
    gate.wait_reached();
    daemon.kill();
    gate.open();
    account.service.behave_well();
    assert_eq!(
        copies(&account.sandbox),
        [
            "openai-curated-remote/alpha/1.0.0",
            "openai-curated-remote/beta/1.0.0",
        ]
    );
    let mut daemon = synced(&account);
    assert_eq!(
        copies(&account.sandbox),
        ["openai-curated-remote/alpha/2.0.0"]
    );
    nothing_left(&account.sandbox);
    daemon.shut_down();
}

#[test]
fn the_end_of_a_connection_gives_a_download_up() {
    let account = Account::new();
    let ids = account.offer(&["alpha"]);
    account.service.set_installed(&ids[0], true);
    let gate = Gate::new();
    account
        .service
        .fail(Endpoint::Bundle, Fault::HoldAfter(20, gate.clone()));
    let mut daemon = start_listening(&account.sandbox);
    gate.wait_reached();
    daemon.shut_down();
    gate.open();
    assert_eq!(copies(&account.sandbox), Vec::<String>::new());
    nothing_left(&account.sandbox);
}

#[test]
fn addresses_of_bundles_are_written_nowhere() {
    let account = Account::new();
    let ids = account.offer(&["alpha"]);
    account.service.set_installed(&ids[0], true);
    account.service.set_bundle_route(&[Scheme::Http]);
    let mut daemon = synced(&account);
    daemon.shut_down();
    let tree = account.sandbox.tree("ch");
    assert!(
        !tree.contains("/bundles/"),
        "an address of a bundle is on the disk"
    );
}
