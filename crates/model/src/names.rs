//! Names of marketplaces and plugins, and the id made of both.

use std::fmt;
use std::sync::Arc;

/// The curated marketplace as it is shown to a ChatGPT login.
pub const CURATED_MARKETPLACE: &str = "openai-curated";
/// The curated marketplace as it is shown without a login or with an API key.
pub const CURATED_API_MARKETPLACE: &str = "openai-api-curated";

/// Names that only a managed location may carry; a file elsewhere that uses one is refused.
pub const RESERVED_MARKETPLACES: [&str; 11] = [
    CURATED_MARKETPLACE,
    CURATED_API_MARKETPLACE,
    "openai-bundled",
    "openai-bundled-alpha",
    "openai-primary-runtime",
    "openai-curated-remote",
    "workspace-directory",
    "workspace-shared-with-me",
    "workspace-shared-with-me-private",
    "workspace-shared-with-me-unlisted",
    "created-by-me-remote",
];

/// The longest name that is accepted: file systems hold 255 bytes, and suffixes are added to it.
pub const MAX_NAME_BYTES: usize = 200;

/// Why a text is not a name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Nothing stands where a name belongs.
    #[error("the name is empty")]
    Empty,
    /// Longer than a directory name can safely be.
    #[error("the name has {length} bytes, at most {MAX_NAME_BYTES} are allowed")]
    TooLong {
        /// How long it is.
        length: usize,
    },
    /// A character outside the allowed set.
    #[error("`{}` has the character {character:?}; only ASCII letters, digits, {allowed} are allowed", text.escape_debug())]
    BadCharacter {
        /// The whole text.
        text: String,
        /// The first offending character.
        character: char,
        /// The allowed punctuation, for the message.
        allowed: &'static str,
    },
    /// A dot at an end or next to another dot.
    #[error("`{text}` has a dot at its start, at its end or beside another dot")]
    BadDot {
        /// The whole text.
        text: String,
    },
    /// An id without the part behind the `@`.
    #[error("`{}` is not of the form `plugin@marketplace`", text.escape_debug())]
    NotAnId {
        /// The whole text.
        text: String,
    },
}

/// A legal marketplace name: ASCII letters, digits, `_` and `-`. A copy shares the text, because a listing
/// makes thousands of ids.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MarketplaceName(Arc<str>);

/// A legal plugin name: as a marketplace name, with single dots inside. A copy shares the text.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PluginName(Arc<str>);

/// `plugin@marketplace`: what config keys, cache directories and requests call a plugin.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PluginId {
    /// The part in front of the last `@`.
    pub plugin: PluginName,
    /// The part behind it.
    pub marketplace: MarketplaceName,
}

impl MarketplaceName {
    /// Checks and takes a marketplace name.
    ///
    /// # Errors
    /// The text breaks the name rule; the error says where.
    pub fn new(text: &str) -> Result<Self, NameError> {
        check(text, "`_` and `-`", |c| matches!(c, '_' | '-'))?;
        Ok(Self(text.into()))
    }

    /// A name that stands in this crate and whose test says that it is legal.
    pub(crate) fn of_constant(name: &'static str) -> Self {
        Self(name.into())
    }

    /// Whether this name belongs to a managed location.
    #[must_use]
    pub fn is_reserved(&self) -> bool {
        RESERVED_MARKETPLACES.contains(&&*self.0)
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl PluginName {
    /// Checks and takes a plugin name.
    ///
    /// # Errors
    /// The text breaks the name rule; the error says where.
    pub fn new(text: &str) -> Result<Self, NameError> {
        check(text, "`_`, `-` and `.`", |c| matches!(c, '_' | '-' | '.'))?;
        if text.starts_with('.') || text.ends_with('.') || text.contains("..") {
            return Err(NameError::BadDot {
                text: text.to_owned(),
            });
        }
        Ok(Self(text.into()))
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl PluginId {
    /// Splits at the last `@` and checks both halves.
    ///
    /// # Errors
    /// There is no `@`, or one half is not a name.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        let Some((plugin, marketplace)) = text.rsplit_once('@') else {
            return Err(NameError::NotAnId {
                text: text.to_owned(),
            });
        };
        Ok(Self {
            plugin: PluginName::new(plugin)?,
            marketplace: MarketplaceName::new(marketplace)?,
        })
    }
}

impl fmt::Display for MarketplaceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for PluginName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for PluginId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.plugin, self.marketplace)
    }
}

fn check(
    text: &str,
    allowed: &'static str,
    punctuation: impl Fn(char) -> bool,
) -> Result<(), NameError> {
    if text.is_empty() {
        return Err(NameError::Empty);
    }
    if text.len() > MAX_NAME_BYTES {
        return Err(NameError::TooLong { length: text.len() });
    }
    let bad = text
        .chars()
        .find(|&c| !c.is_ascii_alphanumeric() && !punctuation(c));
    match bad {
        None => Ok(()),
        Some(character) => Err(NameError::BadCharacter {
            text: text.to_owned(),
            character,
            allowed,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::{MarketplaceName, NameError, PluginId, PluginName};

    #[test]
    fn plugin_names() {
        for good in ["a", "a.b", "A_b-c.9", "1"] {
            assert!(PluginName::new(good).is_ok(), "{good}");
        }
        for bad in [
            "", ".", "..", ".a", "a.", "a..b", "a/b", "a b", "ä", "a\0", "../x",
        ] {
            assert!(PluginName::new(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn marketplace_names_have_no_dot() {
        assert!(MarketplaceName::new("a-b_C9").is_ok());
        for bad in ["", "a.b", "a@b", "../x", "a\\b"] {
            assert!(MarketplaceName::new(bad).is_err(), "{bad:?}");
        }
        assert!(
            MarketplaceName::new("openai-curated")
                .unwrap()
                .is_reserved()
        );
    }

    #[test]
    fn three_hundred_characters_are_refused_with_their_number() {
        let error = PluginName::new(&"x".repeat(300)).unwrap_err();
        assert_eq!(error, NameError::TooLong { length: 300 });
    }

    #[test]
    fn an_id_splits_at_the_last_at_sign() {
        assert_eq!(PluginId::parse("a.b@m").unwrap().to_string(), "a.b@m");
        for bad in ["a", "a@", "@m", "a@b@c", "a@b.c", ""] {
            assert!(PluginId::parse(bad).is_err(), "{bad:?}");
        }
    }
}
