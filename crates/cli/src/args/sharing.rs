//! The grammar of commands about plugins that accounts share with each other.

use std::path::PathBuf;

use clap::{ArgAction, Args, Subcommand, ValueEnum};

/// Commands about shares.
#[derive(Debug, Subcommand)]
pub(crate) enum ShareCommand {
    /// Share a plugin of this machine, or bring a share to a new version
    #[command(after_help = "\
Examples:
  plugd plugin share save ./path/to/plugin
  plugd plugin share save ./path/to/plugin --visibility private --with user:u1:editor")]
    Save(ShareSaveArgs),
    /// List what this account shares
    #[command(after_help = "Examples:\n  plugd plugin share list --json")]
    List,
    /// Say who sees a share from now on
    #[command(after_help = "\
Examples:
  plugd plugin share update plugins~1 --visibility unlisted
  plugd plugin share update plugins~1 --visibility private --with group:g1")]
    Update(ShareUpdateArgs),
    /// Make a working copy of a share
    #[command(after_help = "Examples:\n  plugd plugin share checkout plugins~1")]
    Checkout(ShareArgs),
    /// Withdraw a share; its directory on this machine stays
    #[command(after_help = "Examples:\n  plugd plugin share delete plugins~1")]
    Delete(ShareArgs),
}

/// Which share.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub(crate) struct ShareArgs {
    /// Its id in the remote catalog
    pub(crate) id: String,
}

/// What to share.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub(crate) struct ShareSaveArgs {
    /// The directory of the plugin
    pub(crate) path: PathBuf,
    /// The share to bring to a new version
    ///
    /// Who sees a share that is there already is changed with `plugd plugin share update`.
    #[arg(long, conflicts_with_all = ["visibility", "with"])]
    pub(crate) id: Option<String>,
    /// Who finds it
    #[arg(long)]
    pub(crate) visibility: Option<NewVisibility>,
    /// With a user or group, as `reader` or `editor`
    #[arg(long, value_name = "TYPE:ID[:ROLE]", action = ArgAction::Append, value_parser = target)]
    pub(crate) with: Vec<Target>,
}

/// Who sees a share.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub(crate) struct ShareUpdateArgs {
    /// Its id in the remote catalog
    pub(crate) id: String,
    /// Who finds it
    #[arg(long)]
    pub(crate) visibility: Visibility,
    /// With whom, instead of those before; without any, with nobody
    #[arg(long, value_name = "TYPE:ID[:ROLE]", action = ArgAction::Append, value_parser = target)]
    pub(crate) with: Vec<Target>,
}

/// Who finds a share.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Visibility {
    /// Everybody in the workspace
    Listed,
    /// Whoever has its address
    Unlisted,
    /// Those it is shared with
    Private,
}

/// Who finds a new share. Nobody offers one to the whole workspace before it is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum NewVisibility {
    /// Whoever has its address
    Unlisted,
    /// Those it is shared with
    Private,
}

impl From<NewVisibility> for Visibility {
    fn from(new: NewVisibility) -> Self {
        match new {
            NewVisibility::Unlisted => Self::Unlisted,
            NewVisibility::Private => Self::Private,
        }
    }
}

impl Visibility {
    /// The word of the protocol.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Listed => "LISTED",
            Self::Unlisted => "UNLISTED",
            Self::Private => "PRIVATE",
        }
    }
}

/// Somebody to share with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Target {
    /// `user` or `group`.
    pub(crate) kind: String,
    /// The service's id of it.
    pub(crate) id: String,
    /// `reader` or `editor`.
    pub(crate) role: String,
}

/// Reads `TYPE:ID[:ROLE]`.
fn target(text: &str) -> Result<Target, String> {
    let form = || "write TYPE:ID or TYPE:ID:ROLE".to_owned();
    let (kind, rest) = text.split_once(':').ok_or_else(form)?;
    let (id, role) = rest.rsplit_once(':').unwrap_or((rest, "reader"));
    if kind == "workspace" {
        return Err("a workspace is no target: `--visibility unlisted` is for it".to_owned());
    }
    if !["user", "group"].contains(&kind) {
        return Err(format!("`{kind}` is none of user, group"));
    }
    if !["reader", "editor"].contains(&role) {
        return Err(format!("`{role}` is none of reader, editor"));
    }
    if id.is_empty() {
        return Err(form());
    }
    Ok(Target {
        kind: kind.to_owned(),
        id: id.to_owned(),
        role: role.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::target;

    #[track_caller]
    fn check(text: &str, expected: Option<(&str, &str, &str)>) {
        let found = target(text).ok();
        let found = found
            .as_ref()
            .map(|one| (one.kind.as_str(), one.id.as_str(), one.role.as_str()));
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn whom_to_share_with() {
        check("user:u1", Some(("user", "u1", "reader")));
        check("group:g1:editor", Some(("group", "g1", "editor")));
        let workspace = target("workspace:w:reader").unwrap_err();
        assert!(workspace.contains("--visibility unlisted"), "{workspace}");
        for bad in [
            "u1",
            "user:",
            "robot:x",
            "user:u1:owner",
            "user::editor",
            "",
        ] {
            check(bad, None);
        }
    }
}
