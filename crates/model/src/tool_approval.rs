//! What a plugin or a user says of the question before a tool runs.

/// Who has to be asked before a tool runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ToolApproval {
    /// The host decides.
    Auto,
    /// The user, each time.
    Prompt,
    /// The user, for tools that change something.
    Writes,
    /// Nobody.
    Approve,
}

impl ToolApproval {
    /// All words, as configuration and declarations write them.
    pub const WORDS: [&'static str; 4] = ["auto", "prompt", "writes", "approve"];

    /// The word in configuration and declarations.
    #[must_use]
    pub fn word(self) -> &'static str {
        let [auto, prompt, writes, approve] = Self::WORDS;
        match self {
            Self::Auto => auto,
            Self::Prompt => prompt,
            Self::Writes => writes,
            Self::Approve => approve,
        }
    }

    /// What a word says; nothing for one of no meaning.
    #[must_use]
    pub fn of_word(word: &str) -> Option<Self> {
        let all = [Self::Auto, Self::Prompt, Self::Writes, Self::Approve];
        all.into_iter().find(|approval| approval.word() == word)
    }
}
