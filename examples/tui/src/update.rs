//! What happens to the state, and what it asks for then. No clock, no I/O, no waiting.

use plugd_rust_client::protocol::{ErrorKind, PluginListResponse, WorkDoneProgress};
use plugd_rust_client::{Error, Event};

use crate::keys;
use crate::state::{Answer, Detail, Effect, Fault, Job, Mode, Msg, Row, Search, State, Work};

/// Applies what happened.
pub fn update(state: &mut State, msg: Msg) -> Vec<Effect> {
    match msg {
        Msg::Key(key) => keys::press(state, key),
        Msg::Resize(size) => {
            state.size = size;
            state.scroll = 0;
            Vec::new()
        }
        Msg::Event(event) => told(state, event),
        Msg::Listed(answer) => listed(state, answer),
        Msg::Found(term, answer) => {
            let answer = answer.map(|found| {
                let rows = found.data.into_iter().map(|one| Row {
                    plugin: one.plugin,
                    marketplace: one.marketplace_name,
                    path: one.marketplace_path,
                });
                rows.collect()
            });
            found(state, &term, answer)
        }
        Msg::Read(id, answer) => {
            if let Some(detail) = shown(state, &id) {
                detail.read = arrived(answer);
            }
            Vec::new()
        }
        Msg::Inspected(id, answer) => {
            if let Some(detail) = shown(state, &id) {
                detail.inspect = arrived(answer);
            }
            Vec::new()
        }
        Msg::Step(step) => {
            progressed(state, step);
            Vec::new()
        }
        Msg::Finished(work, outcome) => finished(state, work, outcome),
        Msg::Restarted(outcome) => restarted(state, outcome),
    }
}

/// Asks for a listing, unless one is on its way; that one is followed by another then.
pub(crate) fn list(state: &mut State) -> Vec<Effect> {
    if state.listing_asked {
        state.listing_stale = true;
        return Vec::new();
    }
    state.listing_asked = true;
    vec![Effect::List]
}

/// Asks for a new daemon, once.
pub(crate) fn restart(state: &mut State) -> Vec<Effect> {
    if std::mem::replace(&mut state.restarting, true) {
        return Vec::new();
    }
    state.status = "starting the daemon".to_owned();
    vec![Effect::Restart]
}

/// Asks for what the typed term finds, one term at a time.
pub(crate) fn search(state: &mut State) -> Vec<Effect> {
    state.plugin = 0;
    if state.search.term.trim().is_empty() {
        state.search.found = None;
        return choose(state);
    }
    if state.search.asked.is_some() {
        return Vec::new();
    }
    let term = state.search.term.clone();
    state.search.asked = Some(term.clone());
    vec![Effect::Search(term)]
}

/// Shows the chosen plugin from the inside.
pub(crate) fn choose(state: &mut State) -> Vec<Effect> {
    let last = state.rows().len().saturating_sub(1);
    state.plugin = state.plugin.min(last);
    let target = state.chosen().map(|row| row.target());
    if state.detail.as_ref().map(|detail| &detail.target) == target.as_ref() {
        return Vec::new();
    }
    state.scroll = 0;
    state.detail = target.clone().map(|target| Detail {
        target,
        read: Answer::Asked,
        inspect: Answer::Unasked,
    });
    target.map(Effect::Read).into_iter().collect()
}

/// Starts work, unless some runs.
pub(crate) fn start(state: &mut State, work: Work) -> Vec<Effect> {
    if state.job.is_some() {
        state.status = "one thing at a time: Esc takes back what runs".to_owned();
        return Vec::new();
    }
    state.status.clear();
    state.job = Some(Job {
        work: work.clone(),
        step: String::new(),
        done: None,
        cancelling: false,
    });
    vec![Effect::Start(work)]
}

fn shown<'a>(state: &'a mut State, id: &str) -> Option<&'a mut Detail> {
    state
        .detail
        .as_mut()
        .filter(|detail| detail.target.id == id)
}

fn arrived<T>(answer: Result<Box<T>, Error>) -> Answer<T> {
    match answer {
        Ok(value) => Answer::Here(value),
        Err(error) => Answer::Failed(sentence(&error)),
    }
}

/// An error with what to do about it, in one line.
fn sentence(error: &Error) -> String {
    match error.hint() {
        Some(hint) => format!("{error}; {hint}"),
        None => error.to_string(),
    }
}

fn told(state: &mut State, event: Event) -> Vec<Effect> {
    match event {
        Event::Changed(_) | Event::Missed(_) => {
            let mut effects = list(state);
            // What is shown from the inside may be another plugin now.
            if let Some(detail) = &state.detail {
                effects.push(Effect::Read(detail.target.clone()));
            }
            effects
        }
        Event::ConfigWarning(warning) => {
            state.status = warning.summary;
            Vec::new()
        }
        Event::Ended(ending) => {
            state.connected = false;
            state.status = format!("the daemon ended{ending}; r starts it again");
            Vec::new()
        }
        _ => Vec::new(),
    }
}

fn listed(state: &mut State, answer: Result<Box<PluginListResponse>, Error>) -> Vec<Effect> {
    state.listing_asked = false;
    let mut effects = Vec::new();
    match answer {
        Ok(listing) => {
            let marketplace = state.chosen_marketplace().map(str::to_owned);
            let plugin = state.chosen().map(|row| row.plugin.id);
            state.listing = Some(*listing);
            keep_choice(state, marketplace.as_deref(), plugin.as_deref());
            effects.extend(choose(state));
            if !state.search.term.trim().is_empty() && state.search.asked.is_none() {
                let chosen = state.plugin;
                effects.extend(search(state));
                state.plugin = chosen;
            }
        }
        Err(error) => state.status = sentence(&error),
    }
    if std::mem::take(&mut state.listing_stale) {
        effects.extend(list(state));
    }
    effects
}

/// The same things stay chosen under a new listing, wherever they stand in it.
fn keep_choice(state: &mut State, marketplace: Option<&str>, plugin: Option<&str>) {
    let marketplaces = state.listing.iter().flat_map(|one| &one.marketplaces);
    state.marketplace = marketplaces
        .enumerate()
        .find(|(_, one)| Some(one.name.as_str()) == marketplace)
        .map_or(0, |(place, _)| place + 1);
    let place = state
        .rows()
        .iter()
        .position(|row| Some(row.plugin.id.as_str()) == plugin);
    if let Some(place) = place {
        state.plugin = place;
    }
}

fn found(state: &mut State, term: &str, answer: Result<Vec<Row>, Error>) -> Vec<Effect> {
    if state.search.asked.as_deref() != Some(term) {
        return Vec::new();
    }
    state.search.asked = None;
    if state.search.term.trim().is_empty() {
        return Vec::new();
    }
    match answer {
        Ok(rows) => {
            let plugin = state.chosen().map(|row| row.plugin.id);
            let keep = state.search.found.is_some() && state.plugin > 0;
            state.search.found = Some(rows);
            let place = state
                .rows()
                .iter()
                .position(|row| keep && Some(&row.plugin.id) == plugin.as_ref());
            state.plugin = place.unwrap_or(0);
        }
        Err(error) => state.status = sentence(&error),
    }
    let mut effects = choose(state);
    // What was typed meanwhile.
    if state.search.term != term {
        effects.extend(search(state));
    }
    effects
}

fn progressed(state: &mut State, step: WorkDoneProgress) {
    let Some(job) = &mut state.job else {
        return;
    };
    match step {
        WorkDoneProgress::Begin { title, .. } => job.step = title,
        WorkDoneProgress::Report {
            stage,
            message,
            done,
            total,
            ..
        } => {
            job.step = message.unwrap_or(stage);
            job.done = total.map(|total| (done, total));
        }
        WorkDoneProgress::End { message } => {
            job.step = message.unwrap_or_default();
            job.done = Some((1, 1));
        }
    }
}

fn finished(state: &mut State, work: Work, outcome: Result<String, Error>) -> Vec<Effect> {
    state.job = None;
    match outcome {
        Ok(sentence) => state.status = sentence,
        Err(error) if error.kind() == Some(ErrorKind::Cancelled) => {
            state.status = "taken back; nothing was changed".to_owned();
        }
        Err(error) => {
            state.mode = Mode::Fault(Fault {
                message: error.to_string(),
                hint: error.hint().map(str::to_owned),
                again: error.retryable().then_some(work),
            });
        }
    }
    let mut effects = list(state);
    if let Some(detail) = &mut state.detail {
        // What it would run may differ from before, and is asked for by a key.
        detail.inspect = Answer::Unasked;
        effects.push(Effect::Read(detail.target.clone()));
    }
    effects
}

fn restarted(state: &mut State, outcome: Result<(), Error>) -> Vec<Effect> {
    state.restarting = false;
    match outcome {
        Ok(()) => {
            state.connected = true;
            state.job = None;
            state.listing_asked = false;
            state.search = Search::default();
            state.status = "the daemon is back".to_owned();
            list(state)
        }
        Err(error) => {
            state.status = format!("{error}; r tries again");
            Vec::new()
        }
    }
}
