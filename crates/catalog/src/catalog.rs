//! The one way to the service and to what is kept of it.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use plugd_disk::Disk;
use plugd_http::{Client, Retry, Settings};
use plugd_model::{Environment, Layout};

use crate::{Access, Service};

/// The version of the reference that the service is told, because it answers by it.
const SPOKEN_VERSION: &str = "0.169.0";

/// What a client without a usable name is called.
const UNNAMED: &str = "plugd";

/// Longest name of a client that is passed on, in bytes.
const MAX_CLIENT_NAME: usize = 100;

/// The remote catalog. Making one reads and contacts nothing; clones share connections.
#[derive(Clone)]
pub struct Catalog {
    pub(crate) environment: Environment,
    pub(crate) layout: Layout,
    pub(crate) disk: Disk,
    pub(crate) client: Client,
    pub(crate) agent: Arc<Agent>,
    pub(crate) patience: Patience,
}

/// As whom the service is asked.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Agent {
    /// The name of the program behind us.
    pub(crate) originator: String,
    /// The header that tells versions.
    pub(crate) user_agent: String,
}

/// How long each call may take, whatever its caller would wait.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Patience {
    /// One call, repeated reads included.
    pub(crate) call: Duration,
    /// The featured plugins, which nobody waits for.
    pub(crate) featured: Duration,
    /// One batch of names of apps, which the service collects elsewhere.
    pub(crate) apps: Duration,
    /// All pages of a list.
    pub(crate) pages: Duration,
    /// How reads are repeated.
    pub(crate) retry: Retry,
}

impl Patience {
    /// The limits of the reference, and one over all pages, which it lacks.
    const USUAL: Self = Self {
        call: Duration::from_secs(30),
        featured: Duration::from_secs(10),
        apps: Duration::from_secs(60),
        pages: Duration::from_secs(120),
        retry: Retry::READS,
    };
}

impl Catalog {
    /// The catalog of a home directory, for a client without a name.
    #[must_use]
    pub fn new(environment: &Environment, layout: &Layout, disk: &Disk) -> Self {
        let agent = Agent::named(UNNAMED);
        let settings = Settings::from_environment(environment, agent.user_agent.clone());
        Self {
            environment: environment.clone(),
            layout: layout.clone(),
            disk: disk.clone(),
            client: Client::new(settings, disk.clone()),
            agent: Arc::new(agent),
            patience: Patience::USUAL,
        }
    }

    /// The same, asking for the program that calls us. What cannot stand in a header is left out of
    /// its name.
    #[must_use]
    pub fn for_client(&self, name: &str) -> Self {
        Self {
            agent: Arc::new(Agent::named(name)),
            ..self.clone()
        }
    }

    /// The service as an account meets it. Nothing is contacted before the first call.
    #[must_use]
    pub fn service(&self, access: &Access) -> Service {
        Service::new(self, access)
    }

    /// The HTTP client, for bundles: it holds the certificates and proxies of the environment.
    #[must_use]
    pub fn http(&self) -> &Client {
        &self.client
    }

    /// What requests say about the program that asks: its name, and its name with versions.
    #[must_use]
    pub fn agent(&self) -> (&str, &str) {
        (&self.agent.originator, &self.agent.user_agent)
    }

    /// The same with other limits.
    #[cfg(test)]
    pub(crate) fn with_patience(mut self, patience: Patience) -> Self {
        self.patience = patience;
        self
    }
}

impl Agent {
    fn named(name: &str) -> Self {
        let legal = |c: &char| c.is_ascii_graphic() || *c == ' ';
        let name: String = name.chars().filter(legal).take(MAX_CLIENT_NAME).collect();
        let name = match name.trim() {
            "" => UNNAMED,
            name => name,
        };
        Self {
            originator: name.to_owned(),
            user_agent: format!(
                "{name}/{SPOKEN_VERSION} (plugd {}; {} {})",
                env!("CARGO_PKG_VERSION"),
                std::env::consts::OS,
                std::env::consts::ARCH
            ),
        }
    }
}

impl fmt::Debug for Catalog {
    /// Without the environment, which holds secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Catalog")
            .field("layout", &self.layout)
            .field("agent", &self.agent)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::Agent;

    #[track_caller]
    fn check(name: &str, expected: &str) {
        let agent = Agent::named(name);
        assert_eq!(agent.originator, expected);
        let start = format!("{expected}/0.169.0 (plugd ");
        assert!(agent.user_agent.starts_with(&start), "{agent:?}");
    }

    #[test]
    fn the_name_of_a_client_cannot_break_a_header() {
        check("my editor", "my editor");
        check("  a\r\nx-evil: b ", "ax-evil: b");
        check("äö", "plugd");
        check("", "plugd");
        check(&"x".repeat(300), &"x".repeat(100));
    }
}
