//! The events at which hooks run.

/// Declares the events with their two spellings, so that neither can be forgotten.
macro_rules! hook_events {
    ($($(#[doc = $doc:literal])+ $variant:ident = $snake:literal,)+) => {
        /// When a hook runs. The order is that of every answer.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum HookEvent {
            $($(#[doc = $doc])+ $variant,)+
        }

        impl HookEvent {
            /// Every event in order.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The name as hooks files write it.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => stringify!($variant),)+
                }
            }

            /// The name as keys and digests write it.
            #[must_use]
            pub fn snake_name(self) -> &'static str {
                match self {
                    $(Self::$variant => $snake,)+
                }
            }
        }
    };
}

hook_events! {
    /// Before a request goes to the model.
    PreModelRequest = "pre_model_request",
    /// After the model's answer.
    PostModelRequest = "post_model_request",
    /// Before a tool runs.
    PreToolUse = "pre_tool_use",
    /// When the user would be asked for a permission.
    PermissionRequest = "permission_request",
    /// After a tool ran.
    PostToolUse = "post_tool_use",
    /// Before the conversation is compacted.
    PreCompact = "pre_compact",
    /// After the conversation was compacted.
    PostCompact = "post_compact",
    /// When a session begins.
    SessionStart = "session_start",
    /// When a session ends.
    SessionEnd = "session_end",
    /// When the user sent a prompt.
    UserPromptSubmit = "user_prompt_submit",
    /// When a subordinate agent begins.
    SubagentStart = "subagent_start",
    /// When a subordinate agent ends.
    SubagentStop = "subagent_stop",
    /// When the agent is done.
    Stop = "stop",
    /// When the user interrupts.
    Interrupt = "interrupt",
}

impl HookEvent {
    /// The event with a name as hooks files write it; case counts.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|event| event.name() == name)
    }

    /// How long a handler may take that does not say. The user waits for the end of a session and
    /// for an interruption, so these are short.
    #[must_use]
    pub fn default_timeout_sec(self) -> u64 {
        match self {
            Self::SessionEnd | Self::Interrupt => 1,
            _ => 600,
        }
    }

    /// The longest time that a handler may take, whatever it says.
    #[must_use]
    pub fn longest_timeout_sec(self) -> Option<u64> {
        match self {
            Self::SessionEnd | Self::Interrupt => Some(3),
            _ => None,
        }
    }

    /// Whether a handler can run while nobody waits for it. At the end of a session there is nobody
    /// left who would collect it.
    #[must_use]
    pub fn can_be_async(self) -> bool {
        self != Self::SessionEnd
    }

    /// Whether what a handler prints can reach the model.
    #[must_use]
    pub fn emits_context(self) -> bool {
        matches!(
            self,
            Self::PreToolUse
                | Self::PostToolUse
                | Self::SessionStart
                | Self::UserPromptSubmit
                | Self::SubagentStart
        )
    }

    /// Whether the event has nothing that a matcher could be compared with.
    #[must_use]
    pub fn ignores_matcher(self) -> bool {
        matches!(
            self,
            Self::PreModelRequest
                | Self::PostModelRequest
                | Self::UserPromptSubmit
                | Self::Stop
                | Self::Interrupt
        )
    }
}

#[cfg(test)]
mod tests {
    use super::HookEvent;

    #[test]
    fn the_two_spellings_agree() {
        for event in HookEvent::ALL {
            let mut snake = String::new();
            for c in event.name().chars() {
                if c.is_ascii_uppercase() && !snake.is_empty() {
                    snake.push('_');
                }
                snake.push(c.to_ascii_lowercase());
            }
            assert_eq!(event.snake_name(), snake);
            assert_eq!(HookEvent::from_name(event.name()), Some(*event));
        }
        assert_eq!(HookEvent::from_name("stop"), None);
    }
}
