//! The whole connection in process, over real pipes.

mod batches;
mod cancelling;
mod ending;
mod flood;
mod notifications;
mod requests;
mod session;
