//! The one HTTP client of the daemon: trusted roots, proxies, redirects, limits, retry and cancel.
//!
//! Invariants:
//! - Plain http is spoken only to this machine, and only when the request began there: `https`
//!   never becomes `http`, whatever a server says.
//! - A credential reaches the host, port and scheme it was given for and no other, and stands in no
//!   error and no `Debug` text. Errors name addresses without user, password and query.
//! - Every wait ends: by bytes that stop, by a deadline, or because the caller gave up. Memory is
//!   bounded by the limits of the request, whatever the server sends.
//! - A request that may have been acted upon is never sent twice; only reads are repeated.
//! - Nothing is loaded before the first request, and no variable is read from the process.
//!
//! Bodies come as the server sends them: no compression is asked for, so none can be a bomb.
//! What a status or body means is not known here, and no body is written to disk here.

mod activity;
mod base64;
mod blocking;
mod body;
mod client;
#[cfg(test)]
mod client_tests;
mod connect;
mod error;
#[cfg(test)]
mod fixture;
mod happy_eyeballs;
mod pool;
mod proxy;
mod redirect;
mod request;
mod response;
mod retry;
mod roots;
mod settings;
#[cfg(test)]
mod tls_tests;
mod tunnel;
mod url;

pub use base64::encode as base64;
pub use blocking::{Answer, Blocking, Exchange, Stop};
pub use body::{Body, BodyWriter};
pub use client::Client;
pub use error::{HttpError, Part, Refusal, TunnelFailure, Wait};
pub use hyper::body::Bytes;
pub use hyper::header;
pub use hyper::{HeaderMap, Method, StatusCode};
pub use proxy::Proxies;
pub use request::{Limits, Redirects, Request};
pub use response::Response;
pub use retry::Retry;
pub use settings::Settings;
pub use url::Url;
