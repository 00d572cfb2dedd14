//! A frame, of the state alone.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, List, ListItem, ListState, Paragraph};

use crate::detail;
use crate::layout::areas;
use crate::state::{Mode, Pane, Place, Row, State};
use crate::text::{columns, cut};
use crate::view_boxes;

/// Draws everything.
pub fn draw(frame: &mut Frame<'_>, state: &State) {
    let Some(areas) = areas(frame.area().as_size(), state.pane) else {
        frame.render_widget(Paragraph::new("the terminal is too small"), frame.area());
        return;
    };
    header(frame, state, areas.header);
    if let Some(area) = areas.marketplaces {
        marketplaces(frame, state, area);
    }
    if let Some(area) = areas.plugins {
        plugins(frame, state, area);
    }
    if let Some(area) = areas.detail {
        inside(frame, state, area);
    }
    status(frame, state, areas.status);
    footer(frame, state, areas.footer);
    view_boxes::draw(frame, state);
}

fn header(frame: &mut Frame<'_>, state: &State, area: Rect) {
    let said = match &state.listing {
        None => " plugd · reading …".to_owned(),
        Some(listing) => {
            let plugins = listing.marketplaces.iter().flat_map(|one| &one.plugins);
            let installed = plugins.clone().filter(|plugin| plugin.installed).count();
            let problems = match listing.marketplace_load_errors.len() {
                0 => String::new(),
                count => format!(" · {}", counted(count, "problem")),
            };
            format!(
                " plugd · {} · {}, {installed} installed{problems}",
                counted(listing.marketplaces.len(), "marketplace"),
                counted(plugins.count(), "plugin"),
            )
        }
    };
    let style = Style::new().add_modifier(Modifier::REVERSED);
    let said = cut(&said, usize::from(area.width));
    frame.render_widget(Paragraph::new(said).style(style), area);
}

fn counted(count: usize, one: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {one}{plural}")
}

/// The frame of a pane; a thick title shows where the keys go, so that colour is not needed for it.
fn pane(state: &State, pane: Pane, title: &str) -> Block<'static> {
    if state.pane == pane {
        let style = Style::new().fg(Color::Cyan).add_modifier(Modifier::BOLD);
        Block::bordered()
            .title(format!("[{title}]"))
            .border_style(style)
    } else {
        Block::bordered().title(format!(" {title} "))
    }
}

fn choice<'a>(items: Vec<ListItem<'a>>, block: Block<'a>) -> List<'a> {
    List::new(items)
        .block(block)
        .highlight_symbol("> ")
        .highlight_style(Style::new().add_modifier(Modifier::REVERSED))
}

fn marketplaces(frame: &mut Frame<'_>, state: &State, area: Rect) {
    let room = usize::from(area.width.saturating_sub(4));
    let items = state
        .places()
        .into_iter()
        .map(|place| match place {
            Place::All => ListItem::new("all of them"),
            Place::Listed(one) => {
                let shown = one.interface.as_ref();
                let shown = shown.and_then(|interface| interface.display_name.as_deref());
                ListItem::new(cut(shown.unwrap_or(&one.name), room))
            }
            Place::Unlisted(one) => ListItem::new(cut(&format!("! {}", one.name), room)),
        })
        .collect();
    let list = choice(items, pane(state, Pane::Marketplaces, "Marketplaces"));
    let mut chosen = ListState::default();
    if state.search.found.is_none() {
        chosen.select(Some(state.marketplace));
    }
    frame.render_stateful_widget(list, area, &mut chosen);
}

fn plugins(frame: &mut Frame<'_>, state: &State, area: Rect) {
    let room = usize::from(area.width.saturating_sub(4));
    let rows = state.rows();
    let title = match &state.search.found {
        Some(found) if state.search.more => format!("Found {}+", found.len()),
        Some(found) => format!("Found {}", found.len()),
        None => "Plugins".to_owned(),
    };
    let block = pane(state, Pane::Plugins, &title);
    if rows.is_empty() {
        let said = match (&state.search.found, &state.listing) {
            (Some(_), _) => "nothing found",
            (None, None) => "reading …",
            (None, Some(_)) if state.places().len() == 1 => "a adds a marketplace",
            (None, Some(_)) => "no plugins",
        };
        frame.render_widget(Paragraph::new(said).block(block), area);
        return;
    }
    let items = rows.iter().map(|row| item(row, room)).collect();
    let mut chosen = ListState::default().with_selected(Some(state.plugin));
    frame.render_stateful_widget(choice(items, block), area, &mut chosen);
}

/// A mark, the name, and the version at the right.
fn item(row: &Row, room: usize) -> ListItem<'static> {
    let plugin = &row.plugin;
    let (mark, style) = if plugin.update_available {
        ("↑ ", Style::new().fg(Color::Yellow))
    } else if plugin.installed {
        ("✓ ", Style::new().fg(Color::Green))
    } else {
        ("  ", Style::new())
    };
    let shown = plugin.interface.as_ref();
    let shown = shown.and_then(|interface| interface.display_name.as_deref());
    let version = plugin
        .installed_version
        .as_ref()
        .or(plugin.local_version.as_ref())
        .or(plugin.version.as_ref());
    let version = version.map_or(String::new(), |version| cut(version, 10));
    let wide = room >= 20;
    let version = if wide { version } else { String::new() };
    let left = room.saturating_sub(columns(mark) + columns(&version) + usize::from(wide));
    let name = cut(shown.unwrap_or(&plugin.name), left);
    let gap = room.saturating_sub(columns(mark) + columns(&name) + columns(&version));
    ListItem::new(Line::from(vec![
        Span::styled(mark, style),
        Span::raw(name),
        Span::raw(" ".repeat(if wide { gap } else { 0 })),
        Span::raw(version),
    ]))
}

fn inside(frame: &mut Frame<'_>, state: &State, area: Rect) {
    let lines = detail::lines(state, area.width.saturating_sub(2));
    let hidden = lines.len() > state.scroll + usize::from(area.height.saturating_sub(2));
    let mut block = pane(state, Pane::Detail, "Detail");
    if hidden {
        block = block.title_bottom(Line::from(" more below ").right_aligned());
    }
    let seen: Vec<Line<'_>> = lines.into_iter().skip(state.scroll).collect();
    frame.render_widget(Paragraph::new(seen).block(block), area);
}

fn status(frame: &mut Frame<'_>, state: &State, area: Rect) {
    let width = usize::from(area.width);
    let said = match &state.mode {
        Mode::Search => format!("/{}_", state.search.term),
        _ if state.search.found.is_some() && state.said().is_empty() => {
            format!("/{} · Esc ends the search", state.search.term)
        }
        _ => state.said().to_owned(),
    };
    frame.render_widget(Paragraph::new(cut(&said, width)), area);
}

fn footer(frame: &mut Frame<'_>, state: &State, area: Rect) {
    let keys = match (&state.mode, state.pane) {
        (Mode::Search, _) => "type to search · Enter done · Esc back",
        (Mode::Add(_), _) => "Enter adds it · Esc back",
        (Mode::Confirm(_), _) => "y yes · any other key no",
        (Mode::Help, _) => "any key closes this",
        (Mode::Fault(fault), _) if fault.again.is_some() => "r tries again · Esc closes this",
        (Mode::Fault(_), _) => "Esc closes this",
        (Mode::Browse, _) if !state.connected() => "r starts the daemon · ? help · q quit",
        (Mode::Browse, _) if state.job.is_some() => "Esc takes it back · ? help · q quit",
        (Mode::Browse, Pane::Marketplaces) => {
            "arrows move · a add · U upgrade · x remove · r read anew · ? help · q quit"
        }
        (Mode::Browse, Pane::Plugins | Pane::Detail) => {
            "arrows move · Enter read · / search · i install · u uninstall · ? help · q quit"
        }
    };
    let style = Style::new().add_modifier(Modifier::DIM);
    let keys = cut(keys, usize::from(area.width));
    frame.render_widget(Paragraph::new(keys).style(style), area);
}
