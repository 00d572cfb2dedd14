//! Frames as text: list, search, install, done, and narrow terminals.

use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::layout::Size;

use crate::state::{Msg, State};
use crate::update::update;
use crate::update_tests::{install_step, key, listed, ready, searched};
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
