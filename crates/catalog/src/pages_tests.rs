//! Tests of lists in pages and files.

use plugd_model::RemoteScope;
use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use super::{MAX_ITEMS, MAX_PAGES, Next, Pages};
use crate::fixture::{item, page, with, without};
use crate::json::check as parse;
use crate::{Directory, InstalledItem, InstalledSet, Item};

/// Reads pages until the list ends; what is left over is an error of the test.
fn read(pages: &[Value]) -> Directory {
    let mut reader = Pages::<Item>::of(None);
    let mut left = pages.iter();
    loop {
        let body = left.next().unwrap().to_string();
        if reader.take(body.as_bytes()).unwrap() == Next::End {
            break;
        }
    }
    assert_eq!(left.count(), 0);
    reader.listed().into()
}

fn names(directory: &Directory) -> Vec<&str> {
    let items = directory.items.iter();
    items.map(|item| item.name.as_str()).collect()
}

/// The names, whether it is complete, and the problems.
#[track_caller]
fn check(pages: &[Value], expected_names: &[&str], complete: bool, problems: &[&str]) {
    let directory = read(pages);
    let found: Vec<_> = directory
        .problems
        .iter()
        .map(|problem| {
            let field = problem.field.as_deref().unwrap_or_default();
            format!("{field}: {}", problem.message)
        })
        .collect();
    assert_eq!(names(&directory), expected_names);
    assert_eq!(found, problems);
    assert_eq!(directory.complete, complete);
}

#[test]
fn pages_follow_each_other() {
    check(&[page(&[], Value::Null)], &[], true, &[]);
    check(
        &[
            page(&[item("b")], "1"),
            page(&[], "2"),
            page(&[item("a")], Value::Null),
        ],
        &["b", "a"],
        true,
        &[],
    );
}

#[test]
fn one_bad_item_spoils_itself_only() {
    check(
        &[
            page(&[item("a"), without(item("b"), "scope")], "1"),
            page(&[json!(null), item("c")], Value::Null),
        ],
        &["a", "c"],
        true,
        &[
            "plugins[1].scope: the remote plugin `plugins~b`: was left out: `scope` is missing",
            "plugins[2]: is no object",
        ],
    );
}

#[test]
fn a_list_that_moved_shows_nothing_twice() {
    let again = [
        page(&[item("a")], "1"),
        page(&[item("a"), item("b")], Value::Null),
    ];
    check(&again, &["a", "b"], true, &[]);
    check(
        &[page(&[item("a"), item("a")], Value::Null)],
        &["a"],
        true,
        &["plugins[1]: `plugins~a` stands in the list again"],
    );
    let other = with(item("a"), "id", json!("other"));
    check(
        &[page(&[item("a"), other], Value::Null)],
        &["a"],
        true,
        &["plugins[1]: the remote plugin `other`: was left out: \
           `plugins~a` is called `a@openai-curated-remote` too"],
    );
}

#[test]
fn a_list_without_an_end_is_incomplete() {
    let token = "pagination.next_page_token";
    let check_token = |next: Value, reason: &str| {
        let reason = format!("{token}: {reason}; its end is missing here");
        check(&[page(&[item("a")], next)], &["a"], false, &[&reason]);
    };
    check_token(json!(""), "the list goes on with an empty page token");
    let long = "x".repeat(9000);
    check_token(
        json!(long),
        "the list goes on with a page token that is too long",
    );
    check_token(
        json!(7),
        "the list has no end that can be told: `next_page_token` is not a text",
    );
    check(
        &[page(&[item("a")], "1"), page(&[item("b")], "1")],
        &["a", "b"],
        false,
        &[
            "pagination.next_page_token: the list goes on with a page token that was there \
           before; its end is missing here",
        ],
    );
    for (body, reason) in [
        (json!({ "plugins": [item("a")] }), "`pagination` is missing"),
        (
            json!({ "plugins": [item("a")], "pagination": {} }),
            "`next_page_token` is missing",
        ),
    ] {
        let reason = format!(
            "{token}: the list has no end that can be told: {reason}; its end is missing here"
        );
        check(&[body], &["a"], false, &[&reason]);
    }
}

#[test]
fn a_page_that_says_two_things_is_not_the_whole_list() {
    for (body, field) in [
        (
            r#"{"plugins": [1], "plugins": [], "pagination": {"next_page_token": null}}"#,
            "plugins",
        ),
        (
            r#"{"plugins": [], "pagination": {"next_page_token": "1"},
                "pagination": {"next_page_token": null}}"#,
            "pagination",
        ),
        (
            r#"{"plugins": [], "pagination": {"next_page_token": "1", "next_page_token": null}}"#,
            "pagination.next_page_token",
        ),
    ] {
        let mut reader = Pages::<InstalledItem>::of(None);
        assert_eq!(reader.take(body.as_bytes()), Ok(Next::End));
        let set = InstalledSet::from(reader.listed());
        assert!(!set.complete, "{body}");
        let expected =
            format!("a page of the list has `{field}` more than once; its end is missing here");
        assert_eq!(set.problems[0].message, expected);
    }
}

#[test]
fn a_list_of_one_scope_with_something_of_another() {
    let global = with(item("a"), "enabled", json!(true));
    let user = with(
        with(item("b"), "enabled", json!(true)),
        "scope",
        json!("USER"),
    );
    let read = |scope| {
        let mut reader = Pages::<InstalledItem>::of(scope);
        let body = page(&[global.clone(), user.clone()], Value::Null).to_string();
        assert_eq!(reader.take(body.as_bytes()), Ok(Next::End));
        InstalledSet::from(reader.listed())
    };
    let set = read(None);
    assert_eq!((set.complete, set.items.len()), (true, 2));
    // Who gives an answer to another question has not answered this one.
    let set = read(Some(RemoteScope::Global));
    assert_eq!((set.complete, set.items.len()), (false, 1));
    let problem = &set.problems[0];
    assert_eq!(problem.field.as_deref(), Some("plugins[1].scope"));
    assert_eq!(
        problem.message,
        "the remote plugin `plugins~b`: was left out: it is of USER, not of GLOBAL"
    );
}

#[test]
fn pages_and_items_are_bounded() {
    let pages: Vec<_> = (0..MAX_PAGES).map(|n| page(&[], n.to_string())).collect();
    check(
        &pages,
        &[],
        false,
        &[
            "pagination.next_page_token: the list has more than 100 pages; \
           its end is missing here",
        ],
    );
    let many = vec![json!(1); MAX_ITEMS + 1];
    let directory = read(&[page(&many, Value::Null)]);
    assert!(!directory.complete);
    assert_eq!(
        directory.problems[0].message,
        "the list has more than 20000 plugins; its end is missing here"
    );
    assert!(directory.problems.len() <= 101);
}

#[test]
fn what_is_no_page_is_an_error() {
    for (body, reason) in [
        (json!([]), "it is no object"),
        (json!({}), "`plugins` is missing"),
        (json!({ "plugins": null }), "`plugins` is missing"),
        (json!({ "plugins": {} }), "`plugins` is not a list"),
    ] {
        let error = Pages::<Item>::of(None).take(body.to_string().as_bytes());
        assert_eq!(error, Err(reason.to_owned()));
    }
}

#[test]
fn a_set_with_a_hole_removes_nothing() {
    let on = |name: &str| with(item(name), "enabled", json!(true));
    let read = |items: &[Value]| {
        let mut reader = Pages::<InstalledItem>::of(None);
        let body = page(items, Value::Null).to_string();
        assert_eq!(reader.take(body.as_bytes()), Ok(Next::End));
        InstalledSet::from(reader.listed())
    };
    assert!(read(&[on("a"), on("b")]).complete);
    let set = read(&[on("a"), item("b")]);
    assert_eq!(
        (set.complete, set.items.len(), set.problems.len()),
        (false, 1, 1)
    );
    // What is only shown leaves no hole.
    let odd = with(on("a"), "release.keywords", json!(1));
    let set = read(&[odd]);
    assert_eq!(
        (set.complete, set.items.len(), set.problems.len()),
        (true, 1, 1)
    );
    let clash = with(on("a"), "id", json!("other"));
    assert!(!read(&[on("a"), clash]).complete);
    // The same one again leaves none either; under another name it is another matter.
    assert!(read(&[on("a"), on("a")]).complete);
    let renamed = with(on("a"), "name", json!("b"));
    let set = read(&[on("a"), renamed]);
    assert_eq!((set.complete, set.items.len()), (false, 1));
    assert_eq!(
        set.problems[0].message,
        "the remote plugin `plugins~a`: was left out: it is called \
         `a@openai-curated-remote` and `b@openai-curated-remote`"
    );
    let moved = with(on("a"), "scope", json!("USER"));
    assert!(!read(&[on("a"), moved]).complete);
}

#[test]
fn problems_of_a_file_have_places() {
    let text = "{\"plugins\":\n [{\"id\": \"a\",\n \"name\": 1}]}";
    let whole = parse(text.as_bytes()).unwrap();
    let list = &whole.get()[11..text.len() - 1];
    let list: &serde_json::value::RawValue = serde_json::from_str(list.trim()).unwrap();
    let directory = Directory::of_file(list, text).unwrap();
    let place = directory.problems[0].place.unwrap();
    assert_eq!((place.line, place.column), (3, 10));
    assert!(directory.complete);
    let no_list = parse(b"{}").unwrap();
    assert!(Directory::of_file(no_list, "{}").is_err());
    assert!(InstalledSet::of_file(no_list, "{}").is_err());
}
