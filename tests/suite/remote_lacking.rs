//! Proves what listings show of the remote catalog when something of it is missing: the directory, the
//! login, or a bundle. What is here stays in sight, and why the rest is missing is told.

use plugd_testkit::service::{Bundle, Endpoint, Fault};
use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use crate::accounts::{Account, plugin, remote, rows};
use crate::fixtures::{start_listening, text};
use crate::remote_sync::end_of_sync;

const LISTINGS: [&str; 2] = ["plugin/list", "plugin/installed"];
const ALPHA: &str = "alpha@openai-curated-remote";
const ON: &str = "openai-curated-remote: alpha@openai-curated-remote 1.0.0 installed enabled";
const RESTING: &str = "openai-curated-remote: alpha@openai-curated-remote - installed";

/// The kinds of what could not be shown.
fn kinds(listing: &Value) -> Vec<String> {
    let rows = listing["marketplaceLoadErrors"].as_array().unwrap().iter();
    rows.map(|row| text(&row["kind"]).to_owned()).collect()
}

#[test]
fn what_is_installed_is_shown_without_the_catalog() {
    let account = Account::new();
    let ids = account.offer(&["alpha", "beta"]);
    account.service.set_installed(&ids[0], true);
    account.service.fail(Endpoint::List, Fault::status(503));
    let mut daemon = start_listening(&account.sandbox);
    end_of_sync(&mut daemon);
    let listing = daemon.ok("plugin/list", json!({}));
    assert_eq!(rows(&listing), [ON]);
    assert_eq!(kinds(&listing), ["remoteUnavailable"]);
    daemon.shut_down();
    // Nothing is known any more but the copy.
    account.sandbox.remove("ch/plugins/.plugd/catalog");
    account
        .service
        .fail(Endpoint::Installed, Fault::status(503));
    let mut daemon = account.start();
    for method in LISTINGS {
        let listing = daemon.ok(method, json!({}));
        assert_eq!(rows(&listing), [RESTING], "{method}");
        let row = plugin(&listing, ALPHA);
        assert_eq!(row["localVersion"], "1.0.0");
        assert_eq!(row["remotePluginId"], ids[0].as_str());
        assert_eq!(row["problems"][0]["kind"], "remoteUnavailable");
        let kinds = kinds(&listing);
        assert!(
            !kinds.is_empty() && kinds.iter().all(|kind| kind == "remoteUnavailable"),
            "{listing}"
        );
    }
    daemon.shut_down();
}

#[test]
fn a_login_that_cannot_be_read_is_told_and_hides_no_copy() {
    let account = Account::new();
    let ids = account.offer(&["alpha"]);
    let mut daemon = account.start();
    daemon.ok("plugin/install", remote(&ids[0]));
    account.sandbox.write("ch/auth.json", "{\"tokens\": ");
    for method in LISTINGS {
        let listing = daemon.ok(method, json!({}));
        assert_eq!(rows(&listing), [RESTING], "{method}");
        let told = text(&plugin(&listing, ALPHA)["problems"][0]["message"]);
        assert!(told.contains("login cannot be read"), "{told}");
        let path = text(&listing["marketplaceLoadErrors"][0]["marketplacePath"]);
        assert!(path.ends_with("auth.json"), "{listing}");
    }
    let error = daemon.err(
        "plugin/list",
        json!({"marketplaceKinds": ["created-by-me-remote"]}),
    );
    let hint = text(&error["data"]["hint"]);
    assert!(hint.contains("log in again"), "{error}");
    // Whoever logs out has none of them.
    account.sandbox.remove("ch/auth.json");
    for method in LISTINGS {
        let listing = daemon.ok(method, json!({}));
        assert_eq!(rows(&listing), Vec::<String>::new(), "{method}");
    }
    daemon.shut_down();
}

#[test]
fn what_could_not_be_brought_says_so_in_its_row() {
    let account = Account::new();
    let ids = account.offer(&["alpha"]);
    account.service.set_installed(&ids[0], true);
    let bad = b"no bundle".to_vec();
    account.service.publish(&ids[0], "1.0.0", bad);
    let mut daemon = account.start();
    daemon.ok("plugin/reconcile", json!({}));
    for method in LISTINGS {
        let listing = daemon.ok(method, json!({}));
        let row = plugin(&listing, ALPHA);
        let told = text(&row["problems"][0]["message"]);
        assert!(told.contains("install remote plugin bundle"), "{row}");
    }
    let good = Bundle::new("alpha", "1.0.0").build();
    account.service.publish(&ids[0], "1.0.0", good);
    daemon.ok("plugin/install", remote(&ids[0]));
    let listing = daemon.ok("plugin/installed", json!({}));
    assert_eq!(plugin(&listing, ALPHA)["problems"], json!([]));
    daemon.shut_down();
}
