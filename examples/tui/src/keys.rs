//! What a key means in each mode.

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

use crate::layout::areas;
use crate::state::{Effect, Mode, Pane, Row, Search, State, Work};
use crate::update::{choose, inspect, list, read_anew, restart, search, start};

/// What a key press changes and asks for.
pub(crate) fn press(state: &mut State, key: KeyEvent) -> Vec<Effect> {
    if key.kind == KeyEventKind::Release {
        return Vec::new();
    }
    let control = key.modifiers.contains(KeyModifiers::CONTROL);
    let alt = key.modifiers.contains(KeyModifiers::ALT);
    // Both together are how some keyboards type a letter.
    if control != alt {
        return match key.code {
            KeyCode::Char('c') if control => vec![Effect::Quit],
            KeyCode::Char(letter @ ('u' | 'w')) if control => erase(state, letter),
            _ => Vec::new(),
        };
    }
    match state.mode.clone() {
        Mode::Browse => browse(state, key.code),
        Mode::Search => typed(state, key.code),
        Mode::Add(source) => source_typed(state, source, key.code),
        Mode::Confirm(work) => {
            state.mode = Mode::Browse;
            match key.code {
                KeyCode::Char('y') => start(state, work),
                _ => Vec::new(),
            }
        }
        Mode::Help => {
            state.mode = Mode::Browse;
            Vec::new()
        }
        Mode::Fault(fault) => match (key.code, fault.again) {
            (KeyCode::Char('r'), Some(work)) => {
                state.mode = Mode::Browse;
                start(state, work)
            }
            (KeyCode::Esc | KeyCode::Enter | KeyCode::Char('q'), _) => {
                state.mode = Mode::Browse;
                Vec::new()
            }
            _ => Vec::new(),
        },
    }
}

fn browse(state: &mut State, key: KeyCode) -> Vec<Effect> {
    match key {
        KeyCode::Char('q') => vec![Effect::Quit],
        KeyCode::Char('?') => {
            state.mode = Mode::Help;
            Vec::new()
        }
        KeyCode::Char('/') => {
            state.mode = Mode::Search;
            state.pane = Pane::Plugins;
            Vec::new()
        }
        KeyCode::Char('r') if !state.connected() => restart(state),
        KeyCode::Char('r') => {
            let mut effects = list(state);
            effects.extend(read_anew(state));
            effects
        }
        KeyCode::Down | KeyCode::Char('j') => step(state, 1),
        KeyCode::Up | KeyCode::Char('k') => step(state, -1),
        KeyCode::PageDown => step(state, 10),
        KeyCode::PageUp => step(state, -10),
        KeyCode::Home | KeyCode::Char('g') => step(state, isize::MIN),
        KeyCode::End | KeyCode::Char('G') => step(state, isize::MAX),
        KeyCode::Left | KeyCode::Char('h') => pane(state, false),
        KeyCode::Right | KeyCode::Char('l') | KeyCode::Tab => pane(state, true),
        KeyCode::Enter => enter(state),
        KeyCode::Esc => escape(state),
        KeyCode::Char(order) => ordered(state, order),
        _ => Vec::new(),
    }
}

/// The keys that change something.
fn ordered(state: &mut State, key: char) -> Vec<Effect> {
    let plugin = state.chosen();
    let marketplace = state.chosen_marketplace().map(str::to_owned);
    let in_marketplaces = state.pane == Pane::Marketplaces;
    match (key, plugin, marketplace) {
        ('i', Some(row), _) if !in_marketplaces => start(state, Work::Install(row.target())),
        ('u' | 'U' | 'b', Some(row), _) if !in_marketplaces => installed(state, key, &row),
        ('a', _, _) => {
            state.mode = Mode::Add(String::new());
            Vec::new()
        }
        ('U', _, Some(name)) if in_marketplaces => start(state, Work::Upgrade(name)),
        ('x', _, Some(name)) if in_marketplaces => {
            state.mode = Mode::Confirm(Work::Remove(name));
            Vec::new()
        }
        _ => Vec::new(),
    }
}

/// The keys that need a plugin that is installed.
fn installed(state: &mut State, key: char, row: &Row) -> Vec<Effect> {
    if !row.plugin.installed {
        state.status = format!("{} is not installed", row.plugin.id);
        return Vec::new();
    }
    let target = row.target();
    state.mode = match key {
        'U' => return start(state, Work::Update(target, None)),
        'b' => Mode::Confirm(Work::RollBack(target)),
        _ => Mode::Confirm(Work::Uninstall(target)),
    };
    Vec::new()
}

fn step(state: &mut State, by: isize) -> Vec<Effect> {
    match state.pane {
        Pane::Marketplaces => {
            let last = state.places().len() - 1;
            let chosen = state.marketplace.saturating_add_signed(by).min(last);
            if chosen == state.marketplace {
                return Vec::new();
            }
            state.marketplace = chosen;
            state.search = Search::default();
            state.plugin = 0;
            choose(state)
        }
        Pane::Plugins => {
            let last = state.rows().len().saturating_sub(1);
            let chosen = state.plugin.saturating_add_signed(by).min(last);
            if chosen == state.plugin {
                return Vec::new();
            }
            state.plugin = chosen;
            choose(state)
        }
        Pane::Detail => {
            let seen = areas(state.size, state.pane).and_then(|areas| areas.detail);
            let most = seen.map_or(0, |area| {
                let all = crate::detail::lines(state, area.width.saturating_sub(2)).len();
                all.saturating_sub(usize::from(area.height.saturating_sub(2)))
            });
            state.scroll = state.scroll.saturating_add_signed(by).min(most);
            Vec::new()
        }
    }
}

fn pane(state: &mut State, right: bool) -> Vec<Effect> {
    state.pane = match (state.pane, right) {
        (Pane::Marketplaces, true) | (Pane::Detail, false) => Pane::Plugins,
        (Pane::Plugins, true) | (Pane::Detail, true) => Pane::Detail,
        (Pane::Plugins | Pane::Marketplaces, false) => Pane::Marketplaces,
    };
    if state.pane != Pane::Detail {
        state.scroll = 0;
    }
    Vec::new()
}

fn enter(state: &mut State) -> Vec<Effect> {
    if state.pane == Pane::Marketplaces {
        return pane(state, true);
    }
    state.pane = Pane::Detail;
    inspect(state)
}

/// Ctrl-U takes back what was typed, Ctrl-W its last word.
fn erase(state: &mut State, key: char) -> Vec<Effect> {
    let erased = |typed: &mut String| {
        let kept = typed.trim_end();
        let kept = match key {
            'w' => kept.rfind(char::is_whitespace).map_or(0, |space| {
                space + kept[space..].chars().next().map_or(0, char::len_utf8)
            }),
            _ => 0,
        };
        typed.truncate(kept);
    };
    match &mut state.mode {
        Mode::Search => {
            erased(&mut state.search.term);
            search(state)
        }
        Mode::Add(source) => {
            erased(source);
            Vec::new()
        }
        _ => Vec::new(),
    }
}

/// Goes back by one step: work, search, pane.
fn escape(state: &mut State) -> Vec<Effect> {
    if let Some(job) = &mut state.job {
        if !job.cancelling {
            job.cancelling = true;
            return vec![Effect::Cancel];
        }
        return Vec::new();
    }
    if state.pane == Pane::Detail {
        return pane(state, false);
    }
    if state.search != Search::default() {
        state.search = Search::default();
        state.plugin = 0;
        return choose(state);
    }
    Vec::new()
}

fn typed(state: &mut State, key: KeyCode) -> Vec<Effect> {
    match key {
        KeyCode::Esc => {
            state.mode = Mode::Browse;
            state.search = Search::default();
            state.plugin = 0;
            choose(state)
        }
        KeyCode::Enter => {
            state.mode = Mode::Browse;
            choose(state)
        }
        KeyCode::Up => step(state, -1),
        KeyCode::Down => step(state, 1),
        KeyCode::Backspace => {
            state.search.term.pop();
            search(state)
        }
        KeyCode::Char(character) => {
            state.search.term.push(character);
            search(state)
        }
        _ => Vec::new(),
    }
}

fn source_typed(state: &mut State, mut source: String, key: KeyCode) -> Vec<Effect> {
    match key {
        KeyCode::Esc => {
            state.mode = Mode::Browse;
            return Vec::new();
        }
        KeyCode::Enter => {
            state.mode = Mode::Browse;
            if source.trim().is_empty() {
                return Vec::new();
            }
            return start(state, Work::Add(source.trim().to_owned()));
        }
        KeyCode::Backspace => {
            source.pop();
        }
        KeyCode::Char(character) => source.push(character),
        _ => {}
    }
    state.mode = Mode::Add(source);
    Vec::new()
}
