//! A message on its way out.

/// The bytes of a message. What is long stands in a piece of its own, so that nothing has to be copied
/// to put a few bytes in front of it.
#[derive(Debug)]
pub(crate) struct Outgoing {
    pub(crate) head: Vec<u8>,
    pub(crate) body: Vec<u8>,
}

impl Outgoing {
    /// How many bytes there are.
    pub(crate) fn len(&self) -> usize {
        self.head.len() + self.body.len()
    }

    /// Puts it behind something else.
    pub(crate) fn append_to(self, bytes: &mut Vec<u8>) {
        bytes.extend(self.head);
        bytes.extend(self.body);
    }
}

impl From<Vec<u8>> for Outgoing {
    fn from(body: Vec<u8>) -> Self {
        Self {
            head: Vec::new(),
            body,
        }
    }
}
