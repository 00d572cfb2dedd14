//! The server: one client over one pair of byte streams, and the methods behind it.
//!
//! A message takes this way: `transport` cuts bytes into messages, `envelope` reads JSON-RPC out of
//! them, `connection` decides what is let in, `lanes` say when it runs, `method_table` decodes its
//! params and calls the handler, `answers` and `transport` bring the answer back. Handlers convert
//! between wire and use case and decide nothing.
//!
//! Invariants:
//! - Every request is answered exactly once, also when its handler panics.
//! - Memory is bounded at every point where something waits, whatever a client sends or leaves
//!   unread.
//! - Only the transport touches the two streams. Nothing else may write to the output.
//!
//! Numeric error codes live in `error_map` and nowhere else.

mod answers;
mod app_server;
mod background;
mod connection;
mod context;
mod envelope;
pub mod error_map;
mod events_out;
mod handlers;
mod handshake;
mod lane_keys;
mod lanes;
mod limits;
mod method_table;
mod notify;
mod params;
mod pending;
mod progress;
mod reply;
pub mod schema;
mod serve;
mod transport;
mod validation;
mod wire_error;

#[cfg(test)]
mod tests;

pub use app_server::{ServeError, Setup, dispatcher, serve};
pub use background::Background;
pub use connection::{Backend, ExitReason, Io, Options, StartError, run};
pub use handlers::{gc_reply, upgrade_reply, verify_reply};
pub use handshake::{REFERENCE_VERSION, user_agent};
pub use limits::Limits;
pub use method_table::{Dispatcher, MethodTable, RegisteredTwice};
pub use reply::{Note, Reply};
pub use transport::framing::FramingChoice;
pub use validation::validation_reply;
pub use wire_error::WireError;
