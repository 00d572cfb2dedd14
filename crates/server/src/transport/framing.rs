//! Cuts a stream of bytes into messages: one per line, or behind headers as language servers do.
//!
//! The first byte that is not blank decides for the whole connection: a letter begins a header,
//! anything else a line. The cutter is fed pieces of any size and does no I/O, so every split of
//! an input gives the same messages.
//!
//! Invariants:
//! - It never holds more than one message of at most the limit, however long the input is. What is
//!   too large is skipped while it arrives.
//! - After a fault it finds the next message: behind the line break, behind the announced length,
//!   or at the next `Content-Length:`.

use std::mem;

/// The largest message in bytes.
pub(crate) const MAX_MESSAGE: usize = 64 * 1024 * 1024;
/// The largest block of headers in bytes.
pub(crate) const MAX_HEADERS: usize = 8 * 1024;

const BOM: &[u8] = b"\xEF\xBB\xBF";
const LENGTH: &[u8] = b"content-length";
const RESUME_AT: &[u8] = b"content-length:";

/// What the client is expected to speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FramingChoice {
    /// Its first byte decides.
    Auto,
    /// One message per line.
    Lines,
    /// Messages behind a `Content-Length` header.
    Headers,
}

/// What the client speaks, and so what it is answered in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Framing {
    Lines,
    Headers,
}

/// What comes out of the cutter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Frame {
    Message(Vec<u8>),
    Fault(Fault),
}

/// Why a piece of input is no message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The message is larger than the limit.
    TooLarge,
    /// The block of headers is larger than the limit.
    HeadersTooLarge,
    /// The headers do not say how long the message is.
    BadHeaders,
    /// The input ended inside a message.
    Cut,
}

/// The cutter.
#[derive(Debug)]
pub(crate) struct Framer {
    state: State,
    buffer: Vec<u8>,
    max_message: usize,
}

#[derive(Debug)]
enum State {
    /// Nothing but blanks so far, and this many bytes of a byte order mark.
    Start {
        bom: usize,
    },
    Line,
    SkipLine,
    Headers,
    Body {
        missing: usize,
    },
    SkipBody {
        missing: u64,
    },
    /// Looks for the next header in a stream whose place is lost.
    Resume,
}

impl Framer {
    pub(crate) fn new(choice: FramingChoice) -> Self {
        Self::with_limit(choice, MAX_MESSAGE)
    }

    fn with_limit(choice: FramingChoice, max_message: usize) -> Self {
        let state = match choice {
            FramingChoice::Auto => State::Start { bom: 0 },
            FramingChoice::Lines => State::Line,
            FramingChoice::Headers => State::Headers,
        };
        Self {
            state,
            buffer: Vec::new(),
            max_message,
        }
    }

    /// What the client speaks, as soon as that is decided.
    pub(crate) fn framing(&self) -> Option<Framing> {
        match self.state {
            State::Start { .. } => None,
            State::Line | State::SkipLine => Some(Framing::Lines),
            State::Headers | State::Body { .. } | State::SkipBody { .. } | State::Resume => {
                Some(Framing::Headers)
            }
        }
    }

    /// Takes bytes from the front of `input` up to the end of the next message. The answer is none
    /// when the input is used up.
    pub(crate) fn push(&mut self, input: &mut &[u8]) -> Option<Frame> {
        while !input.is_empty() {
            let frame = match self.state {
                State::Start { bom } => {
                    self.start(input, bom);
                    None
                }
                State::Line => self.line(input),
                State::SkipLine => {
                    self.skip_line(input);
                    None
                }
                State::Headers => self.headers(input),
                State::Body { missing } => self.body(input, missing),
                State::SkipBody { missing } => {
                    self.skip_body(input, missing);
                    None
                }
                State::Resume => {
                    self.resume(input);
                    None
                }
            };
            if frame.is_some() {
                return frame;
            }
        }
        None
    }

    /// The input has ended: a last line needs no line break, anything else is cut off.
    pub(crate) fn finish(&mut self) -> Option<Frame> {
        let rest = mem::take(&mut self.buffer);
        // Nothing comes any more, and what was decided stays so.
        let end = match self.framing() {
            Some(Framing::Headers) => State::Resume,
            Some(Framing::Lines) | None => State::SkipLine,
        };
        match mem::replace(&mut self.state, end) {
            State::Line => message(rest),
            State::Headers if is_blank(&rest) => None,
            State::Headers | State::Body { .. } => Some(Frame::Fault(Fault::Cut)),
            State::Start { .. } | State::SkipLine | State::SkipBody { .. } | State::Resume => None,
        }
    }

    fn start(&mut self, input: &mut &[u8], bom: usize) {
        let byte = input[0];
        if bom < BOM.len() && byte == BOM[bom] {
            self.state = State::Start { bom: bom + 1 };
            advance(input, 1);
        } else if (1..BOM.len()).contains(&bom) {
            // It began like a mark and is none; the bytes belong to the first line.
            self.buffer.extend_from_slice(&BOM[..bom]);
            self.state = State::Line;
        } else if byte.is_ascii_whitespace() {
            // Behind a blank a mark is no longer one.
            self.state = State::Start { bom: BOM.len() };
            advance(input, 1);
        } else if byte.is_ascii_alphabetic() {
            self.state = State::Headers;
        } else {
            self.state = State::Line;
        }
    }

    fn line(&mut self, input: &mut &[u8]) -> Option<Frame> {
        let end = input.iter().position(|&byte| byte == b'\n');
        let piece = &input[..end.unwrap_or(input.len())];
        if self.buffer.len() + piece.len() > self.max_message {
            self.buffer = Vec::new();
            self.state = State::SkipLine;
            return Some(Frame::Fault(Fault::TooLarge));
        }
        self.buffer.extend_from_slice(piece);
        let taken = piece.len() + usize::from(end.is_some());
        advance(input, taken);
        end?;
        message(mem::take(&mut self.buffer))
    }

    fn skip_line(&mut self, input: &mut &[u8]) {
        if skip_behind(input, b'\n') {
            self.state = State::Line;
        }
    }

    fn headers(&mut self, input: &mut &[u8]) -> Option<Frame> {
        let end = input.iter().position(|&byte| byte == b'\n');
        let taken = end.map_or(input.len(), |end| end + 1);
        if self.buffer.len() + taken > MAX_HEADERS {
            return self.lost(Fault::HeadersTooLarge);
        }
        self.buffer.extend_from_slice(&input[..taken]);
        advance(input, taken);
        end?;
        if is_blank(&self.buffer) {
            // Blank lines between messages mean nothing.
            self.buffer.clear();
            return None;
        }
        if !is_blank(last_line(&self.buffer)) {
            return None;
        }
        let block = mem::take(&mut self.buffer);
        match content_length(&block) {
            None => self.lost(Fault::BadHeaders),
            Some(length) => match usize::try_from(length) {
                Ok(0) => Some(Frame::Message(Vec::new())),
                Ok(missing) if missing <= self.max_message => {
                    self.state = State::Body { missing };
                    None
                }
                _ => {
                    self.state = State::SkipBody { missing: length };
                    Some(Frame::Fault(Fault::TooLarge))
                }
            },
        }
    }

    fn body(&mut self, input: &mut &[u8], missing: usize) -> Option<Frame> {
        let taken = missing.min(input.len());
        self.buffer.extend_from_slice(&input[..taken]);
        advance(input, taken);
        if taken < missing {
            self.state = State::Body {
                missing: missing - taken,
            };
            return None;
        }
        self.state = State::Headers;
        Some(Frame::Message(mem::take(&mut self.buffer)))
    }

    fn skip_body(&mut self, input: &mut &[u8], missing: u64) {
        let here = u64::try_from(input.len()).unwrap_or(u64::MAX);
        if missing < here {
            // It fits: it is smaller than the length of a slice.
            advance(input, usize::try_from(missing).unwrap_or(input.len()));
            self.state = State::Headers;
        } else {
            *input = &[];
            self.state = if missing == here {
                State::Headers
            } else {
                State::SkipBody {
                    missing: missing - here,
                }
            };
        }
    }

    fn lost(&mut self, fault: Fault) -> Option<Frame> {
        self.buffer = Vec::new();
        self.state = State::Resume;
        Some(Frame::Fault(fault))
    }

    fn resume(&mut self, input: &mut &[u8]) {
        let byte = input[0].to_ascii_lowercase();
        advance(input, 1);
        self.buffer.push(byte);
        while !RESUME_AT.starts_with(&self.buffer) {
            self.buffer.remove(0);
        }
        if self.buffer == RESUME_AT {
            self.state = State::Headers;
        }
    }
}

/// One line as a message. Blank lines mean nothing, and neither does the return in front of the
/// line break, which JSON takes for a blank.
fn message(line: Vec<u8>) -> Option<Frame> {
    (!is_blank(&line)).then_some(Frame::Message(line))
}

fn advance(input: &mut &[u8], count: usize) {
    *input = &input[count..];
}

/// Moves behind the next such byte; without one the whole input goes.
fn skip_behind(input: &mut &[u8], byte: u8) -> bool {
    let found = input.iter().position(|&other| other == byte);
    advance(input, found.map_or(input.len(), |at| at + 1));
    found.is_some()
}

fn is_blank(bytes: &[u8]) -> bool {
    bytes.iter().all(u8::is_ascii_whitespace)
}

fn last_line(block: &[u8]) -> &[u8] {
    let body = block.strip_suffix(b"\n").unwrap_or(block);
    let start = body
        .iter()
        .rposition(|&byte| byte == b'\n')
        .map_or(0, |at| at + 1);
    &body[start..]
}

/// The announced length. Other headers mean nothing to us; two lengths that differ are as good as
/// none, since either could be the wrong one.
fn content_length(block: &[u8]) -> Option<u64> {
    let mut found = None;
    for line in block.split(|&byte| byte == b'\n') {
        let Some(colon) = line.iter().position(|&byte| byte == b':') else {
            continue;
        };
        if !line[..colon].trim_ascii().eq_ignore_ascii_case(LENGTH) {
            continue;
        }
        let digits = line[colon + 1..].trim_ascii();
        if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
            return None;
        }
        let length: u64 = std::str::from_utf8(digits).ok()?.parse().ok()?;
        if found.is_some_and(|earlier| earlier != length) {
            return None;
        }
        found = Some(length);
    }
    found
}

#[cfg(test)]
#[path = "framing_tests.rs"]
mod tests;
