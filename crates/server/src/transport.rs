//! Bytes in, messages out, and back: framing, the reading thread and the writing thread.
//!
//! Nothing here knows JSON. What goes in and out is bounded in bytes at every point, so neither a
//! client that sends without end nor one that never reads can make the process grow.

pub(crate) mod framing;
pub(crate) mod outgoing;
pub(crate) mod reader;
pub(crate) mod room;
pub(crate) mod writer;
