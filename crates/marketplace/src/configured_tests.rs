//! Rows of `[marketplaces]` that name a directory: which of them are used, and what the others are told.

use plugd_model::Layout;
use pretty_assertions::assert_eq;

use super::{case, configured, marketplace};
use crate::State;

/// The one marketplace of a configuration that cannot be used: what is said, at which field and line.
#[track_caller]
fn check_row(fixture: &str, field: &str, message: &str) {
    let case = case(fixture);
    let set = case.resolve();
    let [marketplace] = set.marketplaces().collect::<Vec<_>>()[..] else {
        panic!("{} marketplaces", set.marketplaces().count());
    };
    let State::Failed(problem) = &marketplace.state else {
        panic!("{} is used", marketplace.named_by);
    };
    let said = problem
        .message
        .replace(&case.sandbox.root().to_text(), "$ROOT");
    let at = (problem.path.clone(), problem.field.as_deref());
    assert_eq!(at, (Some(case.sandbox.path("ch/config.toml")), Some(field)));
    assert_eq!(said, message);
    assert_eq!(problem.place.map(|place| place.line), Some(3));
}

#[test]
fn a_configured_directory_is_taken_as_it_is_written() {
    let around = marketplace("r", "m", &["a"]) + "== r/.git/\n== r/inner/\n";
    check_row(
        &(configured(&[("m", "r/inner")]) + &around),
        "marketplaces.m.source",
        "the marketplace `m` is configured and there is no marketplace manifest below \
         `$ROOT/r/inner`; the repository around it has one, and setting the source to `$ROOT/r` \
         configures that",
    );
    // A request from there still sees the repository.
    case(&(configured(&[("m", "r/inner")]) + &around))
        .cwds(&["r/inner"])
        .check(
            "configured m: failed missing at $ROOT/ch/config.toml
request 0: m at $ROOT/r/.agents/plugins/marketplace.json
  a@m",
        );
}

#[test]
fn a_configured_manifest_is_no_directory() {
    for place in Layout::MARKETPLACE_MANIFESTS {
        let fixture = format!("== r/{place}\n{{\"name\":\"m\",\"plugins\":[]}}\n");
        check_row(
            &(configured(&[("m", &format!("r/{place}"))]) + &fixture),
            "marketplaces.m.source",
            "the marketplace `m` is configured with a manifest instead of a directory; \
             set its source to `$ROOT/r`",
        );
    }
}

#[test]
fn a_row_below_a_key_that_is_no_name_is_not_used() {
    for (key, bad) in [
        ("\"we ird\"", "`we ird` has the character ' '"),
        ("\"a.b\"", "`a.b` has the character '.'"),
    ] {
        check_row(
            &(configured(&[(key, "r")]) + &marketplace("r", "m", &["a"])),
            &format!("marketplaces.{key}"),
            &format!(
                "the key of a marketplace is its name, and {bad}; only ASCII letters, digits, \
                 `_` and `-` are allowed; rename the table"
            ),
        );
    }
    check_row(
        &(configured(&[("\"\"", "r")]) + &marketplace("r", "m", &["a"])),
        "marketplaces.\"\"",
        "the key of a marketplace is its name, and the name is empty; rename the table",
    );
}
