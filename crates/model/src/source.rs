//! Where the content of a marketplace entry comes from.

use crate::{AbsPath, OciReference, git_url};

/// A resolved entry source. Its existence has not been checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// A directory inside the marketplace's tree.
    Local {
        /// The directory.
        path: AbsPath,
    },
    /// A git repository, or a directory of one.
    Git {
        /// The normalised URL.
        url: String,
        /// The directory inside the repository; `None` means its root.
        path: Option<String>,
        /// Branch or tag.
        ref_name: Option<String>,
        /// Commit.
        sha: Option<String>,
    },
    /// A package of an npm registry.
    Npm {
        /// `name` or `@scope/name`.
        package: String,
        /// Version or range; `None` means the latest.
        version: Option<String>,
        /// Registry URL; `None` means the user's.
        registry: Option<String>,
    },
    /// An artifact of an OCI registry.
    Oci {
        /// Host, repository, and the tag or digest in it.
        reference: OciReference,
    },
    /// An archive behind an address.
    Archive {
        /// The address, which holds neither a login nor a query.
        url: String,
        /// What the archive must hash to: `sha256:` and 64 small hexadecimal digits.
        digest: String,
    },
    /// A bundle of the hosted catalog, which hands out its address anew for every download.
    Remote,
}

impl Source {
    /// The source as it may be shown and recorded: a catalog may hold a login that is meant for the
    /// server and for nobody else.
    #[must_use]
    pub fn without_secrets(&self) -> Self {
        let mut shown = self.clone();
        match &mut shown {
            Self::Git { url, .. } => *url = git_url::without_secrets(url),
            Self::Npm {
                registry: Some(registry),
                ..
            } => *registry = git_url::without_secrets(registry),
            // The last two are never read with a secret in them.
            Self::Local { .. }
            | Self::Npm { .. }
            | Self::Remote
            | Self::Oci { .. }
            | Self::Archive { .. } => {}
        }
        shown
    }
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::Source;

    #[test]
    fn no_login_of_a_registry_is_shown() {
        let registry = |text: &str| Source::Npm {
            package: "p".to_owned(),
            version: None,
            registry: Some(text.to_owned()),
        };
        assert_eq!(
            registry("https://ada:pw@r.example.com/npm?token=pw").without_secrets(),
            registry("https://r.example.com/npm")
        );
    }
}
