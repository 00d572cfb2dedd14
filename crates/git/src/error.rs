//! How a task can end badly, as the daemon sees it: the worker's own reasons, and all that becomes of
//! a worker that never gives one.
//!
//! Every variant names the stage and the machine, because that is what a person can act on.

use std::io;
use std::time::Duration;

use plugd_model::AbsPath;

use crate::{Failure, Stage};

/// Why a task did not end well.
#[derive(Debug, thiserror::Error)]
pub enum GitError {
    /// The worker could not be started.
    #[error("cannot start the git worker `{program}`")]
    Start {
        /// The program.
        program: AbsPath,
        /// The system's reason.
        #[source]
        source: io::Error,
    },
    /// The worker could not be told what to do.
    #[error("cannot tell the git worker what to do")]
    Request {
        /// Why not.
        #[source]
        source: serde_json::Error,
    },
    /// Nothing moved.
    #[error("nothing came from `{host}` for {} seconds while {}", idle.as_secs(), stage.doing())]
    Silent {
        /// What was being done.
        stage: Stage,
        /// With which machine.
        host: String,
        /// How long nothing moved.
        idle: Duration,
    },
    /// A credential helper does not answer.
    #[error(
        "the credential helper `{helper}` has not answered for {} seconds; it was asked for a login \
         at `{host}`", idle.as_secs()
    )]
    SilentHelper {
        /// The helper.
        helper: String,
        /// The server that wants a login.
        host: String,
        /// How long it was silent.
        idle: Duration,
    },
    /// The caller gave up.
    #[error("the work with `{host}` was given up while {}", stage.doing())]
    Cancelled {
        /// What was being done.
        stage: Stage,
        /// With which machine.
        host: String,
    },
    /// The worker ended without a result.
    #[error("the git worker ended while {} (`{host}`): {how}", stage.doing())]
    Crashed {
        /// What was being done.
        stage: Stage,
        /// With which machine.
        host: String,
        /// The exit status or signal, and the worker's last words.
        how: String,
    },
    /// The worker said something that is no answer.
    #[error("the git worker does not answer as expected while {} (`{host}`)", stage.doing())]
    Garbled {
        /// What was being done.
        stage: Stage,
        /// With which machine.
        host: String,
    },
    /// The worker tells why it failed.
    #[error("git failed while {} (`{host}`)", stage.doing())]
    Failed {
        /// What was being done.
        stage: Stage,
        /// With which machine.
        host: String,
        /// Why.
        #[source]
        failure: Failure,
    },
}

impl GitError {
    /// The machine that it happened with, which need not be the one of the address: a repository may
    /// hold others, and the user's configuration may lead elsewhere.
    #[must_use]
    pub fn host(&self) -> Option<&str> {
        match self {
            Self::Start { .. } | Self::Request { .. } => None,
            Self::Failed { host, failure, .. } => Some(failure.host().unwrap_or(host)),
            Self::Silent { host, .. }
            | Self::SilentHelper { host, .. }
            | Self::Cancelled { host, .. }
            | Self::Crashed { host, .. }
            | Self::Garbled { host, .. } => Some(host),
        }
    }

    /// Whether there is no room left on this machine.
    #[must_use]
    pub fn is_disk_full(&self) -> bool {
        matches!(self, Self::Failed { failure, .. } if failure.is_disk_full())
    }

    /// Whether trying again later may help.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Silent { .. } => true,
            Self::Failed { failure, .. } => failure.is_retryable(),
            Self::Start { .. }
            | Self::Request { .. }
            // It waits for a person, and would do so again.
            | Self::SilentHelper { .. }
            | Self::Cancelled { .. }
            | Self::Crashed { .. }
            | Self::Garbled { .. } => false,
        }
    }
}
