use plugd_catalog::{InstalledItem, InstalledSet};
use plugd_testkit::Sandbox;
use pretty_assertions::assert_eq;

use super::{Asked, Word, Words};
use crate::fixture::{installed_item, installed_set};

fn set(items: &[(&str, bool)]) -> InstalledSet {
    let items = items.iter();
    let items = items.map(|(name, enabled)| installed_item(name, "1.0.0", *enabled));
    installed_set(&Sandbox::new(), &items.collect::<Vec<_>>())
}

fn item(name: &str) -> InstalledItem {
    set(&[(name, true)]).items.remove(0)
}

fn has(name: &str) -> Word {
    Word::Has(Box::new(item(name)))
}

fn gone(name: &str) -> Word {
    Word::Gone(item(name).item.id)
}

fn shown(set: &InstalledSet) -> Vec<(String, bool)> {
    let items = set.items.iter();
    items
        .map(|one| (one.item.name.to_string(), one.enabled))
        .collect()
}

#[test]
fn what_was_noted_after_the_question_counts() {
    let mut words = Words::default();
    let first = words.now();
    words.note(gone("a"));
    words.note(has("b"));
    words.note(has("c"));
    let later = words.now();
    let answer = || set(&[("a", true), ("b", false)]);
    let on = |names: &[&str]| -> Vec<(String, bool)> {
        names
            .iter()
            .map(|name| ((*name).to_owned(), true))
            .collect()
    };
    let mut old = answer();
    assert!(words.correct(first, &mut old));
    assert_eq!(shown(&old), on(&["b", "c"]));
    // Nothing is left to say.
    assert!(!words.correct(first, &mut old));
    let mut new = answer();
    assert!(!words.correct(later, &mut new));
    assert_eq!(new, answer());
    // The last word about a plugin is the one that counts.
    words.note(has("a"));
    words.note(gone("b"));
    let mut old = answer();
    assert!(words.correct(Asked::BEFORE_ALL, &mut old));
    assert_eq!(shown(&old), on(&["a", "c"]));
}

#[test]
fn words_of_one_account_mean_nothing_for_another_one() {
    let mut words = Words::default();
    words.note(gone("a"));
    let asked = words.now();
    let mut words = words.of_another_account();
    let mut answer = set(&[("a", true)]);
    assert!(!words.correct(Asked::BEFORE_ALL, &mut answer));
    words.note(gone("a"));
    assert!(words.correct(asked, &mut answer));
}
