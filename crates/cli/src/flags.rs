//! What the command line says about configuration, as it was typed.

use plugd_model::PluginName;
use plugd_plugins::SessionFlags;

use crate::failure::Failure;

/// `-c`, `--enable` and `--disable`, each in its order, and the profile.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Flags {
    /// `key=value`.
    pub(crate) overrides: Vec<String>,
    /// Features to switch on.
    pub(crate) enable: Vec<String>,
    /// Features to switch off.
    pub(crate) disable: Vec<String>,
    /// The user's configuration file to lay over the ordinary one.
    pub(crate) profile: Option<String>,
}

impl Flags {
    /// What they mean.
    ///
    /// # Errors
    /// One of them has no key or no value, or the profile's name could name another directory.
    pub(crate) fn parse(&self) -> Result<SessionFlags, Failure> {
        if let Some(profile) = &self.profile {
            // It becomes part of a file name, under the rule that other names have.
            PluginName::new(profile).map_err(|source| Failure::BadProfile {
                given: profile.clone(),
                source,
            })?;
        }
        let flags = SessionFlags::parse(&self.overrides, &self.enable, &self.disable)
            .map_err(Failure::Flags)?;
        Ok(flags.with_profile(self.profile.clone()))
    }
}

#[cfg(test)]
mod tests {
    use super::Flags;

    #[test]
    fn a_flag_without_a_value_is_refused() {
        let good = Flags {
            overrides: vec!["features.plugins=false".to_owned()],
            enable: vec!["hooks".to_owned()],
            disable: vec!["apps".to_owned()],
            profile: Some("work".to_owned()),
        };
        assert!(good.parse().is_ok());
        let outside = Flags {
            profile: Some("../other".to_owned()),
            ..Flags::default()
        };
        assert!(outside.parse().is_err());
        let bad = Flags {
            overrides: vec!["features.plugins".to_owned()],
            ..Flags::default()
        };
        let text = bad.parse().unwrap_err().text(crate::style::Style::PLAIN);
        assert!(text.contains("features.plugins"), "{text}");
    }
}
