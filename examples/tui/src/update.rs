//! What happens to the state, and what it asks for then. No clock, no I/O, no waiting.

use plugd_rust_client::protocol::{ChangedParams, ErrorKind, PluginListResponse, WorkDoneProgress};
use plugd_rust_client::{Error, Event};

use crate::keys;
use crate::state::{Answer, Detail, Effect, Fault, Job, Mode, Msg, Row, Search, State, Work};

/// Applies what happened. Without a daemon nothing is asked for but a new one.
pub fn update(state: &mut State, msg: Msg) -> Vec<Effect> {
    let mut effects = applied(state, msg);
    if !state.connected() {
        effects.retain(|effect| matches!(effect, Effect::Restart | Effect::Quit));
    }
    effects
}

fn applied(state: &mut State, msg: Msg) -> Vec<Effect> {
    match msg {
        Msg::Key(key) => keys::press(state, key),
        Msg::Resize(size) => {
            state.size = size;
            state.scroll = 0;
            Vec::new()
        }
        Msg::Event(event) => told(state, event),
        Msg::Listed(answer) => listed(state, answer),
        Msg::Configured(configured) => {
            let marketplace = state.chosen_marketplace().map(str::to_owned);
            state.configured = configured;
            keep_marketplace(state, marketplace.as_deref());
            Vec::new()
        }
        Msg::Found(term, answer) => {
            let answer = answer.map(|found| {
                let rows = found.data.into_iter().map(|one| Row {
                    plugin: one.plugin,
                    marketplace: one.marketplace_name,
                    path: one.marketplace_path,
                });
                (rows.collect(), found.next_cursor.is_some())
            });
            found(state, &term, answer)
        }
        Msg::Read(ask, answer) => {
            if let Some(detail) = &mut state.detail
                && detail.read_ask == ask
            {
                detail.read = arrived(answer);
            }
            Vec::new()
        }
        Msg::Inspected(ask, answer) => {
            if let Some(detail) = &mut state.detail
                && detail.inspect_ask == ask
                && matches!(detail.inspect, Answer::Asked)
            {
                detail.inspect = arrived(answer);
            }
            Vec::new()
        }
        Msg::Step(step) => {
            progressed(state, step);
            Vec::new()
        }
        Msg::Finished(work, outcome) => finished(state, work, outcome),
        Msg::Asks(work, agreed) => {
            if state.job.as_ref().map(|job| &job.work) == Some(&work) {
                state.job = None;
                state.mode = Mode::Confirm(agreed);
            }
            Vec::new()
        }
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
    vec![Effect::Restart]
}

/// Asks for what the typed term finds, one term at a time.
pub(crate) fn search(state: &mut State) -> Vec<Effect> {
    state.plugin = 0;
    if state.search.term.trim().is_empty() {
        state.search.found = None;
        state.search.more = false;
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
    let ask = ask(state);
    state.detail = target.clone().map(|target| Detail {
        target,
        read: Answer::Asked,
        read_ask: ask,
        inspect: Answer::Unasked,
        inspect_ask: 0,
    });
    target
        .map(|target| Effect::Read(target, ask))
        .into_iter()
        .collect()
}

/// Reads the shown plugin anew. What it would run is no longer true then and is gone; it is looked
/// at again only where the look was on its way.
pub(crate) fn read_anew(state: &mut State) -> Vec<Effect> {
    let (read, inspect) = (ask(state), ask(state));
    let Some(detail) = &mut state.detail else {
        return Vec::new();
    };
    detail.read_ask = read;
    let mut effects = vec![Effect::Read(detail.target.clone(), read)];
    if matches!(detail.inspect, Answer::Asked) {
        detail.inspect_ask = inspect;
        effects.push(Effect::Inspect(detail.target.clone(), inspect));
    } else {
        detail.inspect = Answer::Unasked;
    }
    effects
}

/// Looks at what the shown plugin would run, once at a time.
pub(crate) fn inspect(state: &mut State) -> Vec<Effect> {
    let ask = ask(state);
    match &mut state.detail {
        Some(detail) if !matches!(detail.inspect, Answer::Asked) => {
            detail.inspect = Answer::Asked;
            detail.inspect_ask = ask;
            vec![Effect::Inspect(detail.target.clone(), ask)]
        }
        _ => Vec::new(),
    }
}

fn ask(state: &mut State) -> u64 {
    state.asks += 1;
    state.asks
}

/// Starts work, unless some runs or nobody is there to do it.
pub(crate) fn start(state: &mut State, work: Work) -> Vec<Effect> {
    if !state.connected() {
        return Vec::new();
    }
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
        Event::Changed(change) => {
            let mut effects = list(state);
            // What is shown from the inside may be another plugin now.
            if state
                .detail
                .as_ref()
                .is_some_and(|detail| concerns(&change, detail))
            {
                effects.extend(read_anew(state));
            }
            effects
        }
        Event::Missed(_) => {
            let mut effects = list(state);
            effects.extend(read_anew(state));
            effects
        }
        Event::ConfigWarning(warning) => {
            state.status = warning.summary;
            Vec::new()
        }
        Event::Ended(ending) => {
            ended(state, &Error::Ended(Some(ending)));
            Vec::new()
        }
        _ => Vec::new(),
    }
}

/// Whether a plugin may be another after a change. Nothing named is everything.
fn concerns(change: &ChangedParams, detail: &Detail) -> bool {
    let ChangedParams {
        marketplaces,
        plugins,
        config_keys,
        ..
    } = change;
    plugins.contains(&detail.target.id)
        || marketplaces.contains(&detail.target.marketplace)
        || !config_keys.is_empty()
        || (plugins.is_empty() && marketplaces.is_empty())
}

/// There is no daemon: whatever ran is over, and boxes about it are closed.
fn ended(state: &mut State, why: &Error) {
    let unfinished = state.job.take().map_or(String::new(), |job| {
        format!(" ({} was not finished)", job.work.title())
    });
    state.mode = Mode::Browse;
    state.gone = Some(format!("{why}{unfinished}; r starts it again"));
}

fn listed(state: &mut State, answer: Result<Box<PluginListResponse>, Error>) -> Vec<Effect> {
    state.listing_asked = false;
    let mut effects = Vec::new();
    match answer {
        Ok(listing) => {
            let marketplace = state.chosen_marketplace().map(str::to_owned);
            let before = state.chosen();
            state.listing = Some(*listing);
            keep_marketplace(state, marketplace.as_deref());
            keep_plugin(state, before.as_ref().map(|row| row.plugin.id.as_str()));
            effects.extend(choose(state));
            let after = state.chosen();
            // The same plugin, and something about it is new: so may be its inside.
            if effects.is_empty() && before != after {
                effects.extend(read_anew(state));
            }
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

/// The same marketplace stays chosen, wherever it stands now.
fn keep_marketplace(state: &mut State, marketplace: Option<&str>) {
    let mut places = state.places().into_iter();
    let place = places.position(|place| place.name() == marketplace);
    state.marketplace = place.unwrap_or(0);
}

/// The same plugin stays chosen, wherever it stands now.
fn keep_plugin(state: &mut State, plugin: Option<&str>) {
    let place = state
        .rows()
        .iter()
        .position(|row| Some(row.plugin.id.as_str()) == plugin);
    if let Some(place) = place {
        state.plugin = place;
    }
}

fn found(state: &mut State, term: &str, answer: Result<(Vec<Row>, bool), Error>) -> Vec<Effect> {
    if state.search.asked.as_deref() != Some(term) {
        return Vec::new();
    }
    state.search.asked = None;
    if state.search.term.trim().is_empty() {
        return Vec::new();
    }
    match answer {
        Ok((rows, more)) => {
            let plugin = state.chosen().map(|row| row.plugin.id);
            let keep = state.search.found.is_some() && state.plugin > 0;
            state.search.found = Some(rows);
            state.search.more = more;
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
    if state.job.as_ref().map(|job| &job.work) != Some(&work) {
        // Its daemon is no more, and that was told.
        return Vec::new();
    }
    if let Err(error @ Error::Ended(_)) = &outcome {
        ended(state, error);
        return Vec::new();
    }
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
    effects.extend(read_anew(state));
    effects
}

fn restarted(state: &mut State, outcome: Result<(), Error>) -> Vec<Effect> {
    state.restarting = false;
    match outcome {
        Ok(()) => {
            state.gone = None;
            state.listing_asked = false;
            state.listing_stale = false;
            state.search = Search::default();
            state.status = "the daemon is back".to_owned();
            let mut effects = list(state);
            effects.extend(read_anew(state));
            effects
        }
        Err(error) => {
            state.gone = Some(format!("{error}; r tries again"));
            Vec::new()
        }
    }
}
