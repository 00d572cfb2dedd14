//! What the command line says about configuration: `-c key=value`, `--enable`, `--disable`.
//!
//! They form the session layer. Keys below `plugd` belong to the settings file's stack instead and
//! are split off here, once.

use serde_json::Value;

use crate::tree::{Mark, Node};
use crate::{KeyPath, KeyPathError};

/// The session layer, parsed once per process.
#[derive(Debug, Clone)]
pub struct SessionFlags {
    pub(crate) config: Node,
    pub(crate) settings: Node,
    pub(crate) profile: Option<String>,
}

/// Why a flag cannot be understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FlagError {
    /// `-c` without an equals sign.
    #[error("the override `{text}` is not of the form `key=value`")]
    NoValue {
        /// The flag's value.
        text: String,
    },
    /// The part in front of the equals sign is no key path.
    #[error("the override `{text}` has no usable key")]
    Key {
        /// The flag's value.
        text: String,
        /// What is wrong with the key.
        #[source]
        source: KeyPathError,
    },
    /// `--enable` or `--disable` without a name.
    #[error("a feature has no name")]
    NoFeature,
    /// `-c plugd=…` with something other than a table.
    #[error("`plugd` is a table of settings")]
    Settings,
}

impl SessionFlags {
    /// No flags at all.
    #[must_use]
    pub fn none() -> Self {
        Self {
            config: Node::empty(0),
            settings: Node::empty(0),
            profile: None,
        }
    }

    /// Reads the flags; of two that set one key the later wins, and switches come after overrides.
    ///
    /// A value is TOML where it can be read as such, else it is a string. Quotes in keys are
    /// understood, so both `plugins."p@m".enabled` and `plugins.p@m.enabled` name the same key.
    ///
    /// # Errors
    /// A flag has no key or no value.
    pub fn parse(
        overrides: &[String],
        enable: &[String],
        disable: &[String],
    ) -> Result<Self, FlagError> {
        let mut all = Node::empty(0);
        for text in overrides {
            let equals =
                equals_sign(text).ok_or_else(|| FlagError::NoValue { text: text.clone() })?;
            let key = KeyPath::parse(&text[..equals]).map_err(|source| FlagError::Key {
                text: text.clone(),
                source,
            })?;
            all.put(key.segments(), value(&text[equals + 1..]));
        }
        for (names, on) in [(enable, "true"), (disable, "false")] {
            for name in names {
                if name.is_empty() {
                    return Err(FlagError::NoFeature);
                }
                all.put(&["features".to_owned(), name.clone()], value(on));
            }
        }
        let settings = all.remove("plugd").unwrap_or_else(|| Node::empty(0));
        if settings.members().is_none() {
            return Err(FlagError::Settings);
        }
        Ok(Self {
            config: all,
            settings,
            profile: None,
        })
    }

    /// Selects a profile; nothing else does.
    #[must_use]
    pub fn with_profile(mut self, profile: Option<String>) -> Self {
        self.profile = profile;
        self
    }

    /// What the session layer holds, for display.
    #[must_use]
    pub fn content(&self) -> Value {
        self.config.to_json()
    }
}

/// The first equals sign that is not inside quotes.
fn equals_sign(text: &str) -> Option<usize> {
    let mut quote = None;
    let mut escaped = false;
    for (offset, character) in text.char_indices() {
        match (quote, character) {
            _ if escaped => escaped = false,
            (Some('"'), '\\') => escaped = true,
            (Some(open), _) if open == character => quote = None,
            (None, '"' | '\'') => quote = Some(character),
            (None, '=') => return Some(offset),
            _ => {}
        }
    }
    None
}

fn value(text: &str) -> Node {
    let text = text.trim();
    let value = text
        .parse::<toml_edit::Value>()
        .unwrap_or_else(|_| toml_edit::Value::from(text));
    let node = Node::of_value(&value, Mark::nowhere());
    // The places are those of the flag's own text, which nobody could look up.
    node.without_places()
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;
    use serde_json::{Value, json};

    use super::{FlagError, SessionFlags};

    fn owned(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|text| (*text).to_owned()).collect()
    }

    #[track_caller]
    fn check(overrides: &[&str], expected: Value) {
        let flags = SessionFlags::parse(&owned(overrides), &[], &[]).unwrap();
        assert_eq!(flags.content(), expected);
    }

    #[test]
    fn keys_and_values() {
        let off = json!({"plugins": {"p@m": {"enabled": false}}});
        check(&["plugins.\"p@m\".enabled=false"], off.clone());
        check(&["plugins.p@m.enabled=false"], off.clone());
        check(&["plugins={\"p@m\"={enabled=false}}"], off.clone());
        check(
            &["plugins.p@m.enabled=true", "plugins.p@m.enabled = false"],
            off,
        );
        check(&["model=gpt-5"], json!({"model": "gpt-5"}));
        check(&["model=\"gpt-5\""], json!({"model": "gpt-5"}));
        check(
            &["a.b=[1, 'x']", "a.c=1.5"],
            json!({"a": {"b": [1, "x"], "c": 1.5}}),
        );
        check(&["a=\"open"], json!({"a": "\"open"}));
        check(&["a="], json!({"a": ""}));
        check(&["a=b=c"], json!({"a": "b=c"}));
        check(&["\"a=b\"=1"], json!({"a=b": 1}));
        check(&["a=1", "a.b=2"], json!({"a": {"b": 2}}));
    }

    #[test]
    fn switches_are_features_and_settings_are_split_off() {
        let flags = SessionFlags::parse(
            &owned(&["plugd.git=command", "features.a=1"]),
            &owned(&["a"]),
            &owned(&["b"]),
        )
        .unwrap();
        assert_eq!(
            flags.content(),
            json!({"features": {"a": true, "b": false}})
        );
        assert_eq!(flags.settings.to_json(), json!({"git": "command"}));
    }

    #[test]
    fn what_is_no_flag() {
        let error = |text: &str| SessionFlags::parse(&owned(&[text]), &[], &[]).unwrap_err();
        assert!(matches!(error("a"), FlagError::NoValue { .. }));
        assert!(matches!(error("=1"), FlagError::Key { .. }));
        assert!(matches!(error("a..b=1"), FlagError::Key { .. }));
        assert_eq!(error("plugd=5"), FlagError::Settings);
        let error = SessionFlags::parse(&[], &owned(&[""]), &[]).unwrap_err();
        assert_eq!(error, FlagError::NoFeature);
    }
}
