//! What a server does instead of answering well.

use std::time::Duration;

use crate::Gate;

/// What a server does with a request.
#[derive(Debug, Clone, Default)]
pub enum Behaviour {
    /// Answers it.
    #[default]
    Answer,
    /// Takes it and says nothing for as long as the client waits.
    Silent,
    /// Answers, but sends the body byte by byte with this pause between them.
    Drip(Duration),
    /// Answers with this status and no content of use.
    Status(u16),
    /// Sends the client to the same path and query behind this address, which has no final `/`.
    Redirect(String),
    /// Answers and hangs up after so many bytes of the body.
    Cut(usize),
    /// Holds the whole answer back until the gate opens.
    Held(Gate),
    /// Sends so many bytes of the body, and the rest when the gate opens.
    HeldAfter(usize, Gate),
    /// Answers with other bytes of the same kind, which the server makes for ever: a pack or an
    /// archive whose one file never ends and takes next to no room on the wire.
    Bomb,
    /// Answers, with some page in the place of what was asked for.
    Page,
}

impl Behaviour {
    /// The gate that an answer waits for.
    pub(crate) fn gate(&self) -> Option<&Gate> {
        match self {
            Self::Held(gate) | Self::HeldAfter(_, gate) => Some(gate),
            _ => None,
        }
    }
}
