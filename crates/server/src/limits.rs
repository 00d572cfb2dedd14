//! The bounds of a connection, in one place.

use std::time::Duration;

/// How much a connection takes and how long it waits.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// How many requests may wait for their answer; more are refused as overload.
    pub in_flight: usize,
    /// How many bytes of params may wait for their answer together.
    pub in_flight_bytes: usize,
    /// How many reads run at once; more wait.
    pub running_reads: usize,
    /// How long a cancelled write has for its clean-up before it is answered.
    pub cancel_grace: Duration,
    /// How long a request may show no sign of life after the end of the input, and how long a
    /// reader of the output may take nothing.
    pub idle: Duration,
    /// How long changes are collected before a client is told.
    pub debounce: Duration,
}

impl Limits {
    /// The bounds that clients were promised.
    pub const STANDARD: Self = Self {
        in_flight: 1024,
        in_flight_bytes: 256 * 1024 * 1024,
        running_reads: 64,
        // A cancel is answered within a second; the rest of it is for the way.
        cancel_grace: Duration::from_millis(800),
        idle: Duration::from_secs(30),
        debounce: Duration::from_millis(50),
    };
}
