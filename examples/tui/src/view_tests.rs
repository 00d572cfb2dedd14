//! Frames as text: list, search, install, done, and narrow terminals.

use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::layout::Size;

use crate::state::{Msg, State};
use crate::update::update;
use crate::update_tests::{ended, install_step, key, listed, ready, searched, unlisted};
use crate::view::draw;

fn frame(state: &State) -> String {
    let backend = TestBackend::new(state.size.width, state.size.height);
    let mut terminal = Terminal::new(backend).unwrap();
    terminal.draw(|frame| draw(frame, state)).unwrap();
    terminal.backend().to_string()
}

#[test]
fn list() {
    insta::assert_snapshot!(frame(&ready()));
}

#[test]
fn search() {
    let mut state = ready();
    for character in "/not".chars() {
        update(&mut state, key(character));
    }
    searched(&mut state, "n");
    searched(&mut state, "not");
    insta::assert_snapshot!(frame(&state));
}

#[test]
fn install() {
    let mut state = ready();
    update(&mut state, key('i'));
    update(&mut state, install_step());
    insta::assert_snapshot!(frame(&state));
}

#[test]
fn done() {
    let mut state = ready();
    update(&mut state, key('i'));
    let work = state.job.clone().unwrap().work;
    let said = "installed notes@sample 1.0.0".to_owned();
    update(&mut state, Msg::Finished(work, Ok(said)));
    update(&mut state, listed(true));
    insta::assert_snapshot!(frame(&state));
}

#[test]
fn narrow_terminals_show_less() {
    let mut state = ready();
    for (width, height) in [(60, 12), (40, 10), (20, 5)] {
        update(&mut state, Msg::Resize(Size { width, height }));
        insta::assert_snapshot!(format!("narrow_{width}"), frame(&state));
    }
}

#[test]
fn help_and_questions_lie_on_top() {
    let mut state = ready();
    update(&mut state, key('?'));
    insta::assert_snapshot!("help", frame(&state));
}

#[test]
fn without_a_daemon_there_is_a_way_out() {
    let mut state = ready();
    update(&mut state, ended());
    let seen = frame(&state);
    assert!(seen.contains("r starts it again"), "{seen}");
    assert!(seen.contains("r starts the daemon"), "{seen}");
}

#[test]
fn a_broken_marketplace_is_a_row_with_its_place() {
    let mut state = ready();
    unlisted(&mut state);
    for character in "hjj".chars() {
        update(&mut state, key(character));
    }
    insta::assert_snapshot!("broken", frame(&state));
}

#[test]
fn a_search_with_more_says_so() {
    let mut state = ready();
    for character in "/n".chars() {
        update(&mut state, key(character));
    }
    searched(&mut state, "n");
    state.search.more = true;
    assert!(frame(&state).contains("[Found 1+]"));
}
