//! Something that may not come as it is, with all that a program needs to get it approved.

use plugd_config::TrustHold;
use plugd_disk::tree::Digest;
use plugd_model::{PluginId, Problem, ProblemKind};
use plugd_store::Pin;

use crate::approvals::ApprovalsError;
use crate::error::Error;
use crate::error_terms::{Facts, Kind};
use crate::trust::{TrustReason, Verdict, Word};
use crate::version_change::VersionName;
use crate::version_growth::{Grown, Growth};

/// A plugin that may not come, or not yet.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("plugin `{id}` {}{}", self.why(), self.unseen())]
pub struct TrustRefusal {
    /// The plugin.
    pub id: PluginId,
    /// Where it comes from, for people.
    pub place: String,
    /// On whose word it does.
    pub word: Word,
    /// Why not.
    pub verdict: Verdict,
    /// What is installed.
    pub from: VersionName,
    /// What would have come. Its digest is what has to be approved.
    pub to: VersionName,
    /// What it is pinned to.
    pub pin: Option<Pin>,
    /// What would run that does not run now.
    pub growth: Box<Growth>,
}

/// What a program can act on in a refusal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrustFacts {
    /// Why, in one word; nothing where nobody asks for a yes.
    pub reason: Option<TrustReason>,
    /// The content that has to be approved.
    pub digest: Option<Digest>,
    /// What would run that does not run now.
    pub would_run: Vec<Grown>,
    /// The files that declare what runs and could not be read.
    pub unseen: Vec<String>,
    /// From which second of the epoch on its age is no reason any more.
    pub not_before: Option<u64>,
}

impl TrustRefusal {
    fn why(&self) -> String {
        let asks = match &self.verdict.file {
            Some(file) => format!("[trust] in {file} asks for"),
            None => "[trust] asks for".to_owned(),
        };
        let place = &self.place;
        let doubt = self.word.doubt();
        match self.verdict.reason {
            TrustReason::UntrustedMarketplace => {
                format!("is not approved, and {asks} that: it comes from {place}, {doubt}")
            }
            TrustReason::WouldRun => {
                let held: Vec<_> = self.verdict.held.iter().map(|one| word(*one)).collect();
                format!(
                    "is not approved, and {asks} that: it comes from {place}, {doubt}, \
                     with {}",
                    held.join(", ")
                )
            }
            TrustReason::CommitTooYoung => {
                format!("has to wait: {asks} older commits than the one it is offered at")
            }
            TrustReason::CommitAgeUnknown => {
                format!("has to wait: {asks} commits of an age, and nobody can say how old this is")
            }
        }
    }

    /// What nobody can say about it.
    fn unseen(&self) -> String {
        let unread = &self.growth.unread;
        match unread.is_empty() {
            true => String::new(),
            false => {
                let files: Vec<_> = unread
                    .iter()
                    .map(|one| one.escape_debug().to_string())
                    .collect();
                format!("; nobody can say what {} would run", files.join(", "))
            }
        }
    }

    /// As a problem of a listing or a background task.
    #[must_use]
    pub fn problem(&self) -> Problem {
        Problem::warning(problem_kind(self.verdict.reason), self.to_string())
    }

    pub(crate) fn kind(&self) -> Kind {
        match self.verdict.reason.wants_approval() {
            true => Kind::ApprovalNeeded,
            false => Kind::CommitTooYoung,
        }
    }

    pub(crate) fn facts(&self) -> Facts {
        Facts {
            plugin: Some(self.id.to_string()),
            marketplace: Some(self.id.marketplace.to_string()),
            hint: Some(self.hint()),
            retryable: !self.verdict.reason.wants_approval() && self.verdict.not_before.is_some(),
            trust: Some(Box::new(TrustFacts {
                reason: Some(self.verdict.reason),
                digest: self.to.digest,
                would_run: self.growth.grew.clone(),
                unseen: self.growth.unread.clone(),
                not_before: self.verdict.not_before,
            })),
            ..Facts::default()
        }
    }

    /// What a person can do about it.
    #[must_use]
    pub fn hint(&self) -> String {
        let id = &self.id;
        let digest = self.growth.digest;
        let age = match (
            self.verdict.reason.wants_approval(),
            self.verdict.not_before,
        ) {
            (true, None) => "",
            (true, Some(_)) => {
                "; its commit has to grow older too, or `--any-age` says not to wait"
            }
            (false, _) => " --any-age",
        };
        match self.verdict.reason.wants_approval() {
            true => format!(
                "plugd/inspect shows what would run; plugd/approve with this digest, or `plugd \
                 plugin approve {id} --digest {digest}`, lets exactly this come{age}"
            ),
            false => format!(
                "try again later, or let exactly this come however young it is: `plugd plugin \
                 approve {id} --digest {digest}{age}`"
            ),
        }
    }
}

impl Word {
    /// What stands against a place, for people.
    pub(crate) fn doubt(self) -> &'static str {
        match self {
            Self::Place => "which is not trusted",
            Self::Lock => "and nothing shows that this was ever offered there",
            Self::Archive => "as its archive says, which anybody can write",
        }
    }
}

/// The kind of the problem that a reason is.
pub(crate) fn problem_kind(reason: TrustReason) -> ProblemKind {
    match reason.wants_approval() {
        true => ProblemKind::ApprovalNeeded,
        false => ProblemKind::CommitTooYoung,
    }
}

pub(crate) fn word(hold: TrustHold) -> &'static str {
    match hold {
        TrustHold::Hooks => "hooks",
        TrustHold::Executables => "executables",
        TrustHold::McpServers => "MCP servers",
        TrustHold::Apps => "apps",
    }
}

impl From<TrustRefusal> for Error {
    fn from(refusal: TrustRefusal) -> Self {
        Self::Trust(Box::new(refusal))
    }
}

/// Why an approval could not be given.
#[derive(Debug, thiserror::Error)]
pub enum ApproveError {
    /// The file of the approvals.
    #[error(transparent)]
    File(#[from] ApprovalsError),
    /// Nothing was named, and what is offered asks for a yes.
    #[error(
        "a yes is to a content, and none was named; what `{id}` would bring now has the digest {digest}"
    )]
    NoDigest {
        /// The plugin.
        id: PluginId,
        /// What would come.
        digest: Digest,
        /// Why that needs one, and what of it would run.
        shown: Box<TrustFacts>,
    },
    /// What is offered cannot be looked at, so there is nothing to say yes to.
    #[error("there is nothing to say yes to: {}", why_unseen(problem.as_deref()))]
    NothingShown {
        /// The plugin.
        id: Option<PluginId>,
        /// Why not.
        problem: Option<Box<Problem>>,
    },
    /// A working tree of the user's own stands in for it.
    #[error("`{id}` is linked to a working tree, which nobody has to say yes to")]
    Linked {
        /// The plugin.
        id: PluginId,
    },
    /// There is no such approval.
    #[error("nothing of `{id}` is approved{}", of_digest(digest.as_ref()))]
    NotApproved {
        /// The plugin.
        id: PluginId,
        /// The content that was named.
        digest: Option<Digest>,
    },
}

fn of_digest(digest: Option<&Digest>) -> String {
    digest.map_or_else(String::new, |digest| format!(" with the digest {digest}"))
}

fn why_unseen(problem: Option<&Problem>) -> &str {
    problem.map_or("what is offered cannot be looked at", |problem| {
        &problem.message
    })
}

impl ApproveError {
    pub(crate) fn kind(&self) -> Kind {
        match self {
            Self::File(error) if error.is_locked() => Kind::Conflict,
            Self::File(_) => Kind::Internal,
            Self::NoDigest { .. } => Kind::InvalidInput,
            Self::NothingShown { problem, .. } => match problem.as_ref().map(|one| one.kind) {
                Some(ProblemKind::Policy) => Kind::NotAllowed,
                Some(ProblemKind::Unavailable) => Kind::Unavailable,
                _ => Kind::NotFound,
            },
            Self::Linked { .. } => Kind::InvalidInput,
            Self::NotApproved { .. } => Kind::NotFound,
        }
    }

    pub(crate) fn facts(&self) -> Facts {
        match self {
            Self::File(error) => Facts {
                path: Some(error.path().clone()),
                retryable: error.is_locked(),
                ..Facts::default()
            },
            Self::NoDigest { id, shown, .. } => Facts {
                plugin: Some(id.to_string()),
                marketplace: Some(id.marketplace.to_string()),
                field: Some("digest".to_owned()),
                hint: Some(
                    "plugd/inspect shows what would run; name the digest of what you have seen"
                        .to_owned(),
                ),
                trust: Some(shown.clone()),
                ..Facts::default()
            },
            Self::NothingShown { id, .. } => Facts {
                plugin: id.as_ref().map(PluginId::to_string),
                marketplace: id.as_ref().map(|id| id.marketplace.to_string()),
                hint: Some("name the `digest` of the content that is meant".to_owned()),
                ..Facts::default()
            },
            Self::Linked { id } => Facts {
                plugin: Some(id.to_string()),
                marketplace: Some(id.marketplace.to_string()),
                hint: Some("plugd/unlink lets the marketplace offer it again".to_owned()),
                ..Facts::default()
            },
            Self::NotApproved { id, .. } => Facts {
                plugin: Some(id.to_string()),
                marketplace: Some(id.marketplace.to_string()),
                field: Some("digest".to_owned()),
                hint: Some("plugd/approve without a plugin lists what is approved".to_owned()),
                ..Facts::default()
            },
        }
    }
}

impl From<ApproveError> for Error {
    fn from(error: ApproveError) -> Self {
        Self::Approve(Box::new(error))
    }
}
