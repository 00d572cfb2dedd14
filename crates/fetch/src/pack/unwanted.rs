//! What of a directory is not for others: known by its name alone.
//!
//! The lists err on the side of leaving out what may be a secret, because a secret that was shared
//! cannot be taken back, and what is left out is told.

use std::fmt;

use crate::names::is_git;

/// Why something is not in an archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Why {
    /// Data of a version control system.
    VersionControl,
    /// What the file manager of a system leaves behind.
    System,
    /// Settings, copies and rejects that an editor or a merge leaves behind.
    Editor,
    /// It looks like a secret.
    Secret,
    /// A link to something in the directory that is left out itself.
    LinkTo {
        /// What it leads to, relative to the directory.
        target: String,
    },
    /// A link out of the directory.
    LinkOut,
    /// A link to nothing.
    LinkNowhere,
    /// A link to a directory above it.
    LinkLoop,
    /// A name that not every system can hold.
    Name {
        /// What is odd about it.
        reason: &'static str,
    },
}

/// What a name may belong to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    File,
    Dir,
}

/// Why a file or directory of this name is not for others; case does not count.
pub(super) fn judge(name: &str, form: Form) -> Option<Why> {
    let name = name.to_ascii_lowercase();
    let name = name.as_str();
    let is_secret = is_environment(name)
        || match form {
            Form::File => is_secret_file(name),
            Form::Dir => matches!(name, ".aws" | ".ssh"),
        };
    let is_of_editor = match form {
        Form::File => is_editor_junk(name),
        Form::Dir => matches!(name, ".idea" | ".vscode"),
    };
    if is_git(name) || matches!(name, ".hg" | ".svn") {
        Some(Why::VersionControl)
    } else if is_secret {
        Some(Why::Secret)
    } else if form == Form::File && matches!(name, ".ds_store" | "thumbs.db") {
        Some(Why::System)
    } else if is_of_editor {
        Some(Why::Editor)
    } else {
        None
    }
}

/// Variables of a program, which are mostly its secrets; but not what shows how to write them. As a
/// directory it holds such files or an environment of Python, and neither is for others.
fn is_environment(name: &str) -> bool {
    let shows_how = [".example", ".sample", ".template"];
    name == ".env"
        || (name.starts_with(".env.") && !shows_how.iter().any(|end| name.ends_with(end)))
}

fn is_secret_file(name: &str) -> bool {
    let ends = [".pem", ".key", ".p12", ".pfx"];
    matches!(name, ".npmrc" | ".netrc" | ".pypirc")
        || ends.iter().any(|end| name.ends_with(end))
        || name.starts_with("id_rsa")
        || name.starts_with("id_ed25519")
        || (name.starts_with("credentials") && name.ends_with(".json"))
}

fn is_editor_junk(name: &str) -> bool {
    name.ends_with('~')
        || (name.starts_with('.') && name.len() > 5 && name.ends_with(".swp"))
        || (name.len() > 1 && name.starts_with('#') && name.ends_with('#'))
        || name.ends_with(".orig")
        || name.ends_with(".rej")
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::VersionControl => "data of version control",
            Self::System => "data of the system's file manager",
            Self::Editor => "left behind by an editor or a merge",
            Self::Secret => "it looks like a secret",
            Self::LinkTo { target } => {
                let target = target.escape_debug();
                return write!(f, "a link to `{target}`, which is left out");
            }
            Self::LinkOut => "a link that leads out of the directory",
            Self::LinkNowhere => "a link that leads nowhere",
            Self::LinkLoop => "a link to a directory above it",
            Self::Name { reason } => reason,
        })
    }
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::{Form, Why, judge};

    #[track_caller]
    fn check(names: &str, form: Form, expected: Option<Why>) {
        for name in names.split(' ') {
            assert_eq!(judge(name, form), expected, "{name}");
        }
    }

    #[test]
    fn version_control() {
        for form in [Form::File, Form::Dir] {
            check(
                ".git .GIT .hg .svn .Svn GIT~1",
                form,
                Some(Why::VersionControl),
            );
            check(
                ".gitignore .gitattributes .gitmodules .github hg",
                form,
                None,
            );
        }
    }

    #[test]
    fn secrets() {
        let files = ".env .ENV .env.local .env.production .env.example.local server.pem a.KEY \
                     .key id_rsa id_rsa.pub ID_RSA_work id_ed25519 id_ed25519.pub .npmrc .netrc \
                     .pypirc credentials.json credentials-prod.json Credentials.JSON a.p12 a.pfx";
        for name in files.split_whitespace() {
            check(name, Form::File, Some(Why::Secret));
        }
        check(".aws .ssh .SSH .env .env.d", Form::Dir, Some(Why::Secret));
        let fine = ".env.example .env.sample .env.template .env.local.example .envrc env key pem \
                    monkey keys.md id_dsa.md credentials.md my-credentials.json .npmignore .aws \
                    .ssh";
        for name in fine.split_whitespace() {
            check(name, Form::File, None);
        }
        check("a.key server.pem id_rsa aws ssh", Form::Dir, None);
    }

    #[test]
    fn junk() {
        check(
            ".DS_Store Thumbs.db thumbs.db",
            Form::File,
            Some(Why::System),
        );
        check(
            "a~ ~ .a.swp .A.SWP #a# ## a.orig a.rej",
            Form::File,
            Some(Why::Editor),
        );
        check(".idea .vscode", Form::Dir, Some(Why::Editor));
        check(
            "a.swp .swp # #a a# a~b orig rej node_modules",
            Form::File,
            None,
        );
        check("a~ a.orig node_modules src", Form::Dir, None);
    }
}
