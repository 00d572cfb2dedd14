//! A typed client of plugd: starts `plugd app-server`, shakes hands, and speaks with it over its
//! pipes in newline-delimited JSON-RPC.
//!
//! The wire is jsonrpsee's asynchronous client over a transport of this crate; methods, params,
//! results and notifications are the types of [`protocol`], so a call that compiles has the right
//! form:
//!
//! ```no_run
//! # async fn session() -> Result<(), plugd_rust_client::Error> {
//! use plugd_rust_client::protocol::{PluginListParams, methods::PluginList};
//!
//! let (client, mut events) = plugd_rust_client::Launch::new("plugd").start().await?;
//! let listing = client.call::<PluginList>(PluginListParams::default()).await?;
//! for marketplace in &listing.marketplaces {
//!     for plugin in &marketplace.plugins {
//!         assert!(plugin.id.ends_with(&marketplace.name));
//!     }
//! }
//! let first = events.next().await;
//! client.shutdown().await;
//! # drop(first);
//! # Ok(())
//! # }
//! ```
//!
//! Invariants:
//! - Every call ends: with an answer, a refusal, or the end of the daemon.
//! - No notification is lost in silence: a reader that is too slow hears how many it missed.
//! - [`Client::shutdown`] leaves no process behind.
//!
//! The crate needs a tokio runtime with time and I/O, knows nothing of a screen, and reads neither
//! files nor the environment.

mod call;
mod client;
mod error;
mod events;
mod launch;
mod process;
mod router;
mod tap;
mod transport;

pub use call::{Call, Canceller};
pub use client::Client;
pub use error::{Error, Refusal};
pub use events::{Event, Events};
pub use launch::Launch;
pub use process::Ending;

/// The code of the README compiles.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

/// The types of every message.
pub use plugd_protocol as protocol;
