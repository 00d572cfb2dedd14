//! A terminal frontend of plugd: browse marketplaces, search as you type, read a plugin and what it
//! would run, install, update, roll back and uninstall it.
//!
//! The heart is pure: [`update`](update::update) takes the [`State`](state::State) and a
//! [`Msg`](state::Msg) and answers [`Effect`](state::Effect)s, and [`draw`](view::draw) makes a frame
//! of the state alone. Both are tested without a terminal and without a daemon. Around them,
//! [`worker`] turns effects into calls of the daemon, each in a task of its own, so that nothing ever
//! waits with the screen.

mod changes;
pub mod detail;
mod keys;
pub mod layout;
pub mod state;
pub mod text;
pub mod update;
pub mod view;
mod view_boxes;
pub mod worker;

#[cfg(test)]
mod update_tests;
#[cfg(test)]
mod view_tests;
