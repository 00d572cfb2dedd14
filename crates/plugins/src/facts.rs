//! What a program can act on in an error, beside the message: which plugin, which file, which line,
//! and what to do next.

use plugd_config::WriteError;
use plugd_disk::DiskError;
use plugd_disk::tree::TreeError;
use plugd_marketplace::NotSelected;
use plugd_model::{AbsPath, PluginId, Problem, ProblemKind};
use plugd_store::StoreError;

use crate::error::Error;
use crate::error_terms::{Facts, WriteRefusal};
use crate::facts_elsewhere::{of_git, of_registry, of_want, token_variable};

impl Error {
    /// The facts of this error.
    #[must_use]
    pub fn facts(&self) -> Facts {
        let mut facts = self.subject();
        facts.hint = self.hint().or(facts.hint);
        facts.retryable |=
            self.held_lock().is_some() || self.rewritten().is_some() || self.is_disk_full();
        facts
    }

    /// The lock that another process held for too long, when that was the reason.
    fn held_lock(&self) -> Option<&AbsPath> {
        match self {
            Self::Disk(error) => match &**error {
                DiskError::Locked { path } => Some(path),
                _ => None,
            },
            Self::Config(error) => match &**error {
                WriteError::Locked { path } => Some(path),
                _ => None,
            },
            Self::Store { source, .. } | Self::StoreState(source) => source.held_lock(),
            _ => None,
        }
    }

    /// The file that another program rewrote for too long, when that was the reason.
    fn rewritten(&self) -> Option<&AbsPath> {
        match self {
            Self::Config(error) => match &**error {
                WriteError::Contested { path } => Some(path),
                _ => None,
            },
            _ => None,
        }
    }

    /// Whether the requirements of the machine do not allow it.
    fn is_forbidden(&self) -> bool {
        match self {
            Self::Policy { problem } | Self::NotSelected(NotSelected::Marketplace { problem }) => {
                problem.kind == ProblemKind::Policy
            }
            _ => false,
        }
    }

    /// The path that this user has no right to, when that was the reason.
    fn denied(&self) -> Option<&AbsPath> {
        let error = match self {
            Self::Disk(error) => error,
            Self::Tree(error) => return denied_in_tree(error),
            Self::Config(error) => match &**error {
                WriteError::Disk { source } => source,
                _ => return None,
            },
            Self::Store { source, .. } | Self::StoreState(source) => match &**source {
                StoreError::Disk(error) => error,
                StoreError::Tree(error) => return denied_in_tree(error),
                _ => return None,
            },
            _ => return None,
        };
        error.is_denied().then(|| error.path())
    }

    /// What it is about.
    fn subject(&self) -> Facts {
        match self {
            Self::BadValue { field, .. } => of_field(field),
            Self::BadKeyPath { .. } => Facts {
                config_write: Some(WriteRefusal::Validation),
                ..of_field("keyPath")
            },
            Self::BadPluginId { id } => Facts {
                plugin: Some(id.clone()),
                ..of_field("pluginId")
            },
            Self::NotSelected(reason) => of_unselected(reason),
            Self::NotAvailable { id }
            | Self::BadVersion { id, .. }
            | Self::NoLongerConfigured { id }
            | Self::TakenBack { id }
            | Self::NotInstalled { id }
            | Self::NoSkill { id, .. }
            | Self::Pinned { id, .. } => of_plugin(id),
            Self::SourceMissing { id, path }
            | Self::SourceUnreadable { id, path, .. }
            | Self::SourceEscapes { id, path }
            | Self::NameMismatch { id, path, .. } => Facts {
                path: Some(path.clone()),
                ..of_plugin(id)
            },
            Self::BadManifest { id, problem } | Self::BadSkill { id, problem } => Facts {
                plugin: Some(id.to_string()),
                marketplace: Some(id.marketplace.to_string()),
                ..of_problem(problem)
            },
            Self::NoCuratedCommit { path } => of_path(path),
            Self::NoMarketplaceThere { path, problem }
            | Self::NoPluginThere { path, problem }
            | Self::NothingToValidate { path, problem } => Facts {
                path: problem.path.clone().or_else(|| Some(path.clone())),
                ..of_problem(problem)
            },
            Self::Remote(_)
            | Self::Share(_)
            | Self::Lock(_)
            | Self::Link(_)
            | Self::Scaffold(_)
            | Self::Source { .. }
            | Self::Git { .. }
            | Self::Registry(_)
            | Self::SecretInAddress { .. }
            | Self::BadWant { .. }
            | Self::NoMarketplaceInRepository { .. } => self.elsewhere(),
            Self::OtherSource { name, .. }
            | Self::NotConfigured { name, .. }
            | Self::ConfiguredElsewhere { name, .. }
            | Self::ConfiguredAbove { name, .. }
            | Self::NotAGitMarketplace { name }
            | Self::Renamed { name, .. } => Facts {
                marketplace: Some(name.clone()),
                ..Facts::default()
            },
            Self::Policy { problem } | Self::UnreadableConfig { problem } => of_problem(problem),
            Self::Version(_) | Self::Trust(_) | Self::Approve(_) => self.of_refusal(),
            Self::Config(error) => of_write(error),
            Self::Store { id, source, .. } => Facts {
                path: path_of_store(source),
                ..of_plugin(id)
            },
            Self::StoreState(source) => at_path(path_of_store(source)),
            Self::Disk(error) => of_path(error.path()),
            Self::Tree(error) => at_path(path_of_tree(error)),
            Self::OneSelector { .. }
            | Self::PluginsDisabled
            | Self::LoginRequired { .. }
            | Self::BadMarketplaceSource { .. }
            | Self::BadAddress { .. }
            | Self::Cancelled(_)
            | Self::Panicked { .. } => Facts::default(),
        }
    }

    /// What an error is about that knows it itself, or whose cause lies on another machine.
    fn elsewhere(&self) -> Facts {
        match self {
            Self::Remote(error) => error.facts(),
            Self::Share(error) => error.facts(),
            Self::Lock(error) => error.facts(),
            Self::Link(error) => error.facts(),
            Self::Scaffold(error) => error.facts(),
            Self::Source { id, source } => Facts {
                plugin: Some(id.to_string()),
                marketplace: Some(id.marketplace.to_string()),
                ..source.facts()
            },
            Self::Git { host, source, .. } => of_git(host, source),
            Self::Registry(error) => of_registry(error),
            Self::BadWant { source } => of_want(source),
            Self::SecretInAddress { .. } => Facts {
                field: Some("source".to_owned()),
                ..Facts::default()
            },
            Self::NoMarketplaceInRepository { problem, .. } => of_problem(problem),
            _ => Facts::default(),
        }
    }

    /// What to do next where somebody else keeps the work from being done.
    fn hint_of_others(&self) -> Option<String> {
        if self.is_disk_full() {
            return Some("the disk is full; free some space and try again".to_owned());
        }
        if let Some(path) = self.denied() {
            return Some(format!(
                "see who owns `{path}` and what its rights are; `plugd doctor` looks at the whole home"
            ));
        }
        if let Some(lock) = self.held_lock() {
            return Some(format!(
                "another process holds `{lock}`; wait for it to finish and try again"
            ));
        }
        if let Some(path) = self.rewritten() {
            return Some(format!(
                "another program writes `{path}` again and again; nothing was changed here, so wait \
                 until it rests and try again"
            ));
        }
        self.is_forbidden()
            .then(|| "whoever administers this machine decides what that file allows".to_owned())
    }

    /// What to do next, where there is something.
    fn hint(&self) -> Option<String> {
        if let Some(hint) = self.hint_of_others() {
            return Some(hint);
        }
        let text = match self {
            Self::PluginsDisabled => {
                "remove `plugins = false` from the [features] table of config.toml".to_owned()
            }
            Self::LoginRequired { .. } => {
                "log in with the login program; it writes auth.json into CODEX_HOME".to_owned()
            }
            Self::Store { source, .. } | Self::StoreState(source) => return hint_of_store(source),
            Self::NotSelected(NotSelected::NoEntry {
                similar: Some(similar),
                ..
            }) => format!("did you mean `{similar}`?"),
            Self::NotSelected(NotSelected::NoMarketplace { id }) => format!(
                "add the marketplace `{}` with marketplace/add, or pass its marketplacePath",
                id.marketplace
            ),
            Self::NotConfigured {
                other_case: Some(name),
                ..
            } => format!("names are case-sensitive; `{name}` is configured"),
            Self::NameMismatch { id, .. } => format!(
                "set `name` in the manifest to `{}`, or rename the entry",
                id.plugin
            ),
            Self::BadVersion { .. } => "use a version such as 1.2.0 in the manifest".to_owned(),
            Self::OtherSource { name, .. } => {
                format!("remove `{name}` with marketplace/remove first")
            }
            Self::SourceEscapes { .. } => "move the plugin's files into the marketplace".to_owned(),
            Self::Pinned { .. } => "remove the pin first, with plugd/pin".to_owned(),
            Self::SecretInAddress { url } => format!(
                "leave the login out here, and put it into a credential helper of git, or a token \
                 into the variable {}",
                token_variable(url)
            ),
            Self::ConfiguredElsewhere { file, .. } | Self::ConfiguredAbove { file, .. } => {
                match file {
                    Some(file) => format!("take it out of `{file}`"),
                    None => "take it out of the flags of the session".to_owned(),
                }
            }
            Self::Renamed { name, found } => format!(
                "remove `{name}` with marketplace/remove and add the source again, as `{found}`"
            ),
            Self::UnreadableConfig { .. } => "mend the file first".to_owned(),
            Self::Policy { problem } | Self::NotSelected(NotSelected::Marketplace { problem })
                if problem.kind == ProblemKind::Policy =>
            {
                "whoever administers this machine decides what that file allows".to_owned()
            }
            Self::Config(error) => match **error {
                WriteError::Broken { ref problem, .. } if problem.place.is_some() => {
                    "mend the file at the given line; nothing was written".to_owned()
                }
                WriteError::Stale { .. } => {
                    "read the configuration again and repeat the edit".to_owned()
                }
                WriteError::StateTooNew { .. } => NEWER.to_owned(),
                _ => return None,
            },
            _ => return None,
        };
        Some(text)
    }
}

/// What to do where a newer program has been.
const NEWER: &str = "use the newer plugd that wrote the state directory";

/// What to do where something stands that the store did not make.
pub(crate) const MOVE_IT_AWAY: &str = "move what stands there away; it is not plugd's";

fn hint_of_store(error: &StoreError) -> Option<String> {
    let text = match error {
        StoreError::FormatTooNew { .. } => NEWER,
        StoreError::BadFormat { .. } => "`plugd doctor` says what to do about it",
        StoreError::InTheWay { .. } => MOVE_IT_AWAY,
        _ => return None,
    };
    Some(text.to_owned())
}

fn denied_in_tree(error: &TreeError) -> Option<&AbsPath> {
    match error {
        TreeError::Disk(error) => error.is_denied().then(|| error.path()),
        _ => None,
    }
}

fn of_plugin(id: &PluginId) -> Facts {
    Facts {
        plugin: Some(id.to_string()),
        marketplace: Some(id.marketplace.to_string()),
        ..Facts::default()
    }
}

fn at_path(path: Option<AbsPath>) -> Facts {
    Facts {
        path,
        ..Facts::default()
    }
}

fn of_field(field: &str) -> Facts {
    Facts {
        field: Some(field.to_owned()),
        ..Facts::default()
    }
}

fn of_path(path: &AbsPath) -> Facts {
    Facts {
        path: Some(path.clone()),
        ..Facts::default()
    }
}

fn of_problem(problem: &Problem) -> Facts {
    Facts {
        path: problem.path.clone(),
        field: problem.field.clone(),
        place: problem.place,
        ..Facts::default()
    }
}

fn of_unselected(reason: &NotSelected) -> Facts {
    match reason {
        NotSelected::Marketplace { problem } => of_problem(problem),
        NotSelected::NoEntry {
            plugin,
            marketplace,
            because,
            similar: _,
        } => Facts {
            plugin: Some(format!("{plugin}@{marketplace}")),
            marketplace: Some(marketplace.clone()),
            ..because.as_deref().map(of_problem).unwrap_or_default()
        },
        NotSelected::OtherProduct {
            plugin,
            marketplace,
        } => Facts {
            plugin: Some(format!("{plugin}@{marketplace}")),
            marketplace: Some(marketplace.clone()),
            ..Facts::default()
        },
        NotSelected::NoMarketplace { id } => of_plugin(id),
    }
}

fn of_write(error: &WriteError) -> Facts {
    let mut facts = match error {
        WriteError::Broken { path, problem } => Facts {
            path: Some(path.clone()),
            place: problem.place,
            ..Facts::default()
        },
        WriteError::ReadOnly { path }
        | WriteError::Locked { path }
        | WriteError::NotWanted { path }
        | WriteError::Contested { path } => of_path(path),
        WriteError::Invalid { field, .. } | WriteError::NotExact { field } => Facts {
            field: Some(field.clone()),
            ..Facts::default()
        },
        WriteError::Disk { source } => of_path(source.path()),
        WriteError::Stale { .. } | WriteError::TwoFiles | WriteError::StateTooNew { .. } => {
            Facts::default()
        }
    };
    facts.config_write = match error {
        WriteError::Stale { .. } => Some(WriteRefusal::VersionConflict),
        WriteError::Invalid { .. }
        | WriteError::Broken { .. }
        | WriteError::TwoFiles
        | WriteError::NotExact { .. } => Some(WriteRefusal::Validation),
        WriteError::ReadOnly { .. } => Some(WriteRefusal::LayerReadonly),
        WriteError::StateTooNew { .. }
        | WriteError::Locked { .. }
        | WriteError::NotWanted { .. }
        | WriteError::Contested { .. }
        | WriteError::Disk { .. } => None,
    };
    facts
}

fn path_of_store(error: &StoreError) -> Option<AbsPath> {
    match error {
        StoreError::Disk(error) => Some(error.path().clone()),
        StoreError::Tree(error) => path_of_tree(error),
        StoreError::FormatTooNew { path, .. }
        | StoreError::BadFormat { path }
        | StoreError::BadJournal { path, .. } => Some(path.clone()),
        StoreError::Unfinished { journal, .. } => Some(journal.clone()),
        StoreError::OtherFileSystem { to, .. } => Some(to.clone()),
        StoreError::InTheWay { path, .. } => Some(path.clone()),
        StoreError::ConfigUndo { .. }
        | StoreError::BadExtraFile { .. }
        | StoreError::Superseded { .. }
        | StoreError::NotInstalled { .. }
        | StoreError::NotRecorded { .. }
        | StoreError::NotKept { .. } => None,
    }
}

fn path_of_tree(error: &TreeError) -> Option<AbsPath> {
    match error {
        TreeError::Disk(error) => Some(error.path().clone()),
        TreeError::NotADirectory { path }
        | TreeError::OverLimit { path, .. }
        | TreeError::Changed { path }
        | TreeError::Exists { path } => Some(path.clone()),
        TreeError::ContainsStore { root, .. } => Some(root.clone()),
        TreeError::GivenUp => None,
    }
}

#[cfg(test)]
mod tests {
    use plugd_config::WriteError;
    use plugd_model::AbsPath;
    use pretty_assertions::assert_eq;

    use crate::{Error, Kind};

    #[test]
    fn a_program_that_rewrites_the_configuration_is_named_and_can_be_waited_for() {
        let path = AbsPath::new("/home/config.toml").unwrap();
        let error = Error::from(WriteError::Contested { path: path.clone() });
        let facts = error.facts();
        let hint = "another program writes `/home/config.toml` again and again; nothing was changed \
                    here, so wait until it rests and try again";
        assert_eq!(error.kind(), Kind::Conflict);
        assert_eq!(facts.hint.as_deref(), Some(hint));
        assert_eq!((facts.path, facts.retryable), (Some(path), true));
    }
}
