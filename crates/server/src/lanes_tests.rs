use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use super::{Company, LaneKey, Lanes, Places, Ticket};

fn plugins(names: &str) -> Places {
    names
        .chars()
        .map(|name| (LaneKey::Plugin(name.to_string()), Company::Alone))
        .collect()
}

/// As a write about one marketplace stands.
fn marketplace(name: &str) -> Places {
    Places::from([
        (LaneKey::Marketplace(name.to_owned()), Company::Alone),
        (LaneKey::Marketplaces, Company::Shared),
    ])
}

/// As a write about all marketplaces stands.
fn all_marketplaces() -> Places {
    Places::from([(LaneKey::Marketplaces, Company::Alone)])
}

fn runs(ticket: &mut Ticket) -> bool {
    let mut context = Context::from_waker(Waker::noop());
    pin!(ticket.turn()).poll(&mut context) == Poll::Ready(())
}

#[test]
fn one_lane_is_first_in_first_out() {
    let lanes = Lanes::default();
    let mut first = lanes.enter(plugins("a"));
    let mut second = lanes.enter(plugins("a"));
    let mut third = lanes.enter(plugins("a"));
    assert!(runs(&mut first) && !runs(&mut second) && !runs(&mut third));
    drop(first);
    assert!(runs(&mut second) && !runs(&mut third));
    drop(second);
    assert!(runs(&mut third));
}

#[test]
fn lanes_are_independent() {
    let lanes = Lanes::default();
    let mut slow = lanes.enter(plugins("a"));
    let mut other = lanes.enter(plugins("b"));
    let mut config = lanes.enter(Places::from([(LaneKey::Config, Company::Alone)]));
    let mut nothing = lanes.enter(Places::new());
    for ticket in [&mut slow, &mut other, &mut config, &mut nothing] {
        assert!(runs(ticket));
    }
}

#[test]
fn several_lanes_are_waited_for_together() {
    let lanes = Lanes::default();
    let a = lanes.enter(plugins("a"));
    let b = lanes.enter(plugins("b"));
    let mut both = lanes.enter(plugins("ab"));
    let mut behind = lanes.enter(plugins("b"));
    drop(a);
    assert!(!runs(&mut both) && !runs(&mut behind));
    drop(b);
    assert!(runs(&mut both) && !runs(&mut behind));
    drop(both);
    assert!(runs(&mut behind));
}

#[test]
fn one_that_gives_up_in_the_middle_is_forgotten() {
    let lanes = Lanes::default();
    let first = lanes.enter(plugins("a"));
    let second = lanes.enter(plugins("ab"));
    let mut third = lanes.enter(plugins("ab"));
    drop(second);
    assert!(!runs(&mut third));
    drop(first);
    assert!(runs(&mut third));
}

#[test]
fn an_empty_lane_leaves_nothing_behind() {
    let lanes = Lanes::default();
    let first = lanes.enter(plugins("abc"));
    let second = lanes.enter(plugins("c"));
    let third = lanes.enter(marketplace("m"));
    let fourth = lanes.enter(all_marketplaces());
    drop((first, second, third, fourth));
    let table = lanes.table();
    assert!(table.queues.is_empty() && table.waiting.is_empty());
}

#[test]
fn different_marketplaces_run_beside_each_other() {
    let lanes = Lanes::default();
    let mut one = lanes.enter(marketplace("m"));
    let mut other = lanes.enter(marketplace("n"));
    let mut again = lanes.enter(marketplace("m"));
    assert!(runs(&mut one) && runs(&mut other) && !runs(&mut again));
    drop(one);
    assert!(runs(&mut again));
}

#[test]
fn what_is_about_all_marketplaces_waits_for_each_and_holds_up_what_comes_later() {
    let lanes = Lanes::default();
    let one = lanes.enter(marketplace("m"));
    let other = lanes.enter(marketplace("n"));
    let mut all = lanes.enter(all_marketplaces());
    let mut later = lanes.enter(marketplace("o"));
    let mut last = lanes.enter(all_marketplaces());
    drop(one);
    assert!(!runs(&mut all) && !runs(&mut later));
    drop(other);
    assert!(runs(&mut all) && !runs(&mut later) && !runs(&mut last));
    drop(all);
    assert!(runs(&mut later) && !runs(&mut last));
    drop(later);
    assert!(runs(&mut last));
}

#[test]
fn what_is_about_all_marketplaces_holds_up_no_plugin_and_no_other_key() {
    let lanes = Lanes::default();
    let mut all = lanes.enter(all_marketplaces());
    let mut plugin = lanes.enter(plugins("a"));
    let mut config = lanes.enter(Places::from([(LaneKey::Config, Company::Alone)]));
    assert!(runs(&mut all) && runs(&mut plugin) && runs(&mut config));
}

#[test]
fn those_behind_one_that_gives_up_move_up_together() {
    let lanes = Lanes::default();
    let mut running = lanes.enter(marketplace("m"));
    let all = lanes.enter(all_marketplaces());
    let mut two = lanes.enter(marketplace("n"));
    let mut three = lanes.enter(marketplace("o"));
    let mut same = lanes.enter(marketplace("m"));
    assert!(runs(&mut running) && !runs(&mut two) && !runs(&mut three));
    drop(all);
    assert!(runs(&mut two) && runs(&mut three) && !runs(&mut same));
    drop(running);
    assert!(runs(&mut same));
}
