//! What the command line says about configuration, as it was typed.

use plugd_plugins::SessionFlags;

use crate::failure::Failure;

/// `-c`, `--enable` and `--disable`, each in its order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Flags {
    /// `key=value`.
    pub(crate) overrides: Vec<String>,
    /// Features to switch on.
    pub(crate) enable: Vec<String>,
    /// Features to switch off.
    pub(crate) disable: Vec<String>,
}

impl Flags {
    /// What they mean.
    ///
    /// # Errors
    /// One of them has no key or no value.
    pub(crate) fn parse(&self) -> Result<SessionFlags, Failure> {
        SessionFlags::parse(&self.overrides, &self.enable, &self.disable).map_err(Failure::Flags)
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
        };
        assert!(good.parse().is_ok());
        let bad = Flags {
            overrides: vec!["features.plugins".to_owned()],
            ..Flags::default()
        };
        let text = bad.parse().unwrap_err().text(crate::style::Style::Plain);
        assert!(text.contains("features.plugins"), "{text}");
    }
}
