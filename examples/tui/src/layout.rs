//! Which part of the screen lies where: three columns from 72 columns on, two from 48 on, below that
//! the pane that has the keys.

use ratatui::layout::{Constraint, Layout, Rect, Size};

use crate::state::Pane;

/// Smaller than this nothing can be read.
const SMALLEST: Size = Size {
    width: 24,
    height: 8,
};

/// The parts of the screen. A pane without a place is not drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Areas {
    /// One line.
    pub header: Rect,
    /// The marketplaces.
    pub marketplaces: Option<Rect>,
    /// The plugins.
    pub plugins: Option<Rect>,
    /// One plugin from the inside.
    pub detail: Option<Rect>,
    /// One line: what was done last, or the search.
    pub status: Rect,
    /// One line of keys.
    pub footer: Rect,
}

/// The parts of a screen of this size; none when it is too small.
#[must_use]
pub fn areas(size: Size, pane: Pane) -> Option<Areas> {
    if size.width < SMALLEST.width || size.height < SMALLEST.height {
        return None;
    }
    let rows = [
        Constraint::Length(1),
        Constraint::Min(0),
        Constraint::Length(1),
        Constraint::Length(1),
    ];
    let [header, body, status, footer] =
        Layout::vertical(rows).areas(Rect::from((ratatui::layout::Position::ORIGIN, size)));
    let none = Areas {
        header,
        marketplaces: None,
        plugins: None,
        detail: None,
        status,
        footer,
    };
    Some(if size.width >= 72 {
        let columns = [
            Constraint::Length((size.width / 4).min(26)),
            Constraint::Length((size.width / 3).min(40)),
            Constraint::Min(0),
        ];
        let [marketplaces, plugins, detail] = Layout::horizontal(columns).areas(body);
        Areas {
            marketplaces: Some(marketplaces),
            plugins: Some(plugins),
            detail: Some(detail),
            ..none
        }
    } else if size.width >= 48 {
        let [list, detail] =
            Layout::horizontal([Constraint::Percentage(45), Constraint::Min(0)]).areas(body);
        let (marketplaces, plugins) = match pane {
            Pane::Marketplaces => (Some(list), None),
            Pane::Plugins | Pane::Detail => (None, Some(list)),
        };
        Areas {
            marketplaces,
            plugins,
            detail: Some(detail),
            ..none
        }
    } else {
        let only = |one| (pane == one).then_some(body);
        Areas {
            marketplaces: only(Pane::Marketplaces),
            plugins: only(Pane::Plugins),
            detail: only(Pane::Detail),
            ..none
        }
    })
}
