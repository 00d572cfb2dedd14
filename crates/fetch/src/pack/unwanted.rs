//! What of a directory is not for others: known by its name, and by that of the directory around it.
//!
//! The lists err on the side of leaving out what may be a secret, because a secret that was shared
//! cannot be taken back, and what is left out is told. Words that are common in names of skills, such
//! as `credentials`, make a secret of a file only.

use std::fmt;
use std::path::Path;

use plugd_disk::tree::is_git_name;

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

/// Endings of files that hold keys.
const KEYS: [&str; 12] = [
    ".pem",
    ".key",
    ".p8",
    ".p12",
    ".pfx",
    ".pkcs12",
    ".ppk",
    ".jks",
    ".keystore",
    ".keytab",
    ".kdb",
    ".kdbx",
];

/// Files in which programs keep what they log in with.
const LOGINS: [&str; 12] = [
    ".dockercfg",
    ".envrc",
    ".git-credentials",
    ".htpasswd",
    ".netrc",
    ".npmrc",
    ".pgpass",
    ".pypirc",
    ".vault-token",
    "_netrc",
    "auth.json",
    "credentials",
];

/// Beginnings of the names of key files.
const SSH_KEYS: [&str; 5] = ["id_rsa", "id_dsa", "id_ecdsa", "id_ed25519", "id_xmss"];

/// Endings of files that hold data rather than code or text for people.
const DATA: [&str; 6] = [".json", ".yaml", ".yml", ".toml", ".ini", ".csv"];

/// Endings of copies that somebody put aside.
const ASIDE: [&str; 7] = [".bak", ".backup", ".old", ".orig", ".save", ".copy", "~"];

/// Why what stands at this path is not for others; case does not count.
pub(super) fn judge(path: &Path, form: Form) -> Option<Why> {
    let name = lower(path);
    let above = path.parent().map(lower).unwrap_or_default();
    let (name, above) = (name.as_str(), above.as_str());
    let is_secret = is_environment(name)
        || match form {
            Form::File => is_secret_file(above, name),
            Form::Dir => matches!(name, ".aws" | ".gnupg" | ".ssh"),
        };
    let is_of_editor = match form {
        Form::File => is_editor_junk(name),
        Form::Dir => matches!(name, ".idea" | ".vscode"),
    };
    if is_git_name(name) || matches!(name, ".hg" | ".svn") {
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

/// The last name of a path, without case.
fn lower(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    name.to_ascii_lowercase()
}

/// Variables of a program, which are mostly its secrets; but not what shows how to write them. As a
/// directory it holds such files or an environment of Python, and neither is for others.
fn is_environment(name: &str) -> bool {
    name == ".env" || (name.starts_with(".env.") && !shows_how(name))
}

/// Whether a name says that its file is for others to fill in.
fn shows_how(name: &str) -> bool {
    let ends = [".example", ".sample", ".template"];
    ends.iter().any(|end| name.ends_with(end))
}

fn is_secret_file(above: &str, name: &str) -> bool {
    if let Some(original) = copied(name) {
        return is_environment(original) || is_secret_file(above, original);
    }
    let begins = |begin: &str| name.starts_with(begin);
    is_login(above, name)
        || KEYS.iter().any(|end| name.ends_with(end))
        || SSH_KEYS.into_iter().any(begins)
        || begins("terraform.tfstate")
        // What was typed into a shell or a database.
        || (begins(".") && name.ends_with("_history"))
        || (begins(".envrc.") && !shows_how(name))
        || is_secret_data(name)
}

fn is_login(above: &str, name: &str) -> bool {
    match (above, name) {
        // Elsewhere these names mean other things.
        (".kube", "config") | (".docker", "config.json") | ("gh", "hosts.yml") => true,
        _ => LOGINS.contains(&name),
    }
}

/// Data that is called a secret.
fn is_secret_data(name: &str) -> bool {
    let Some(end) = DATA.into_iter().find(|end| name.ends_with(end)) else {
        return false;
    };
    let stem = name[..name.len() - end.len()].replace('-', "_");
    let begins = ["credentials", "client_secret", "service_account"];
    matches!(stem.as_str(), "credentials" | "secrets")
        || (end == ".json" && begins.iter().any(|begin| stem.starts_with(begin)))
}

/// The name of what a file is a copy of, where it is one that was put aside, or one of several.
fn copied(name: &str) -> Option<&str> {
    let name = name.trim_end_matches(|c: char| c.is_ascii_digit());
    let name = name.strip_suffix(['.', '-', '_']).unwrap_or(name);
    let original = ASIDE.iter().find_map(|end| name.strip_suffix(end))?;
    (!original.is_empty()).then_some(original)
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
    use std::path::Path;

    use pretty_assertions::assert_eq;

    use super::{Form, Why, judge};

    #[track_caller]
    fn check(names: &str, form: Form, expected: Option<Why>) {
        for name in names.split(' ') {
            assert_eq!(judge(Path::new(name), form), expected, "{name}");
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

    #[track_caller]
    fn check_secret(names: &str) {
        for name in names.split_whitespace() {
            let upper = name.to_ascii_uppercase();
            for path in [name, &upper, &format!("sub/deep/{name}")] {
                check(path, Form::File, Some(Why::Secret));
            }
        }
    }

    #[test]
    fn secrets() {
        check_secret(".env .env.local .env.production .env.example.local .envrc .envrc.local");
        check_secret(
            "server.pem a.key .key id_rsa id_rsa.pub id_rsa_work id_ed25519 id_ed25519.pub \
             id_ed25519_sk id_ecdsa id_ecdsa_sk id_dsa id_dsa.pub a.p8 a.p12 a.pfx a.pkcs12 a.ppk \
             a.jks a.keystore a.keytab a.kdb a.kdbx",
        );
        check_secret(
            ".npmrc .netrc _netrc .pypirc .pgpass .dockercfg .git-credentials .htpasswd .vault-token \
             auth.json .codex/auth.json .kube/config .docker/config.json .config/gh/hosts.yml \
             .cargo/credentials .cargo/credentials.toml",
        );
        check_secret(
            "credentials credentials.json credentials-prod.json credentials.yml credentials.csv \
             secrets.json secrets.yaml secrets.yml secrets.toml client_secret.json \
             client_secret_12.apps.json client-secret.json service-account.json \
             service-account-x.json service_account.json",
        );
        check_secret(
            "terraform.tfstate terraform.tfstate.backup .bash_history .zsh_history .psql_history",
        );
        check(
            ".aws .ssh .SSH .gnupg .env .env.d",
            Form::Dir,
            Some(Why::Secret),
        );
    }

    #[test]
    fn copies_of_secrets_are_secrets() {
        check_secret(
            "key.pem.bak key.pem.old a.key.backup .env.bak .env~ .envrc.old .netrc.save key.pem.bak2 \
             key.pem.bak.1 key.pem.bak-1 .kube/config.old secrets.json.orig key.pem.old.bak~ \
             credentials.bak",
        );
        let fine = "notes.md.bak key.bak .bak .old config.old docker/config.json.old";
        for name in fine.split_whitespace() {
            assert_ne!(
                judge(Path::new(name), Form::File),
                Some(Why::Secret),
                "{name}"
            );
        }
    }

    #[test]
    fn no_secrets() {
        let fine = ".env.example .env.sample .env.template .env.local.example .envrc.example env key \
                    pem monkey keys.md id.md idea_dsa credentials.md credentials.py \
                    credentials-prod.toml my-credentials.json secrets.md secrets.py my-secrets.json \
                    client_secret.md service-account.md .npmignore .aws .ssh .gnupg config \
                    config.json hosts.yml kube/config .docker/Dockerfile .docker/compose.yml \
                    .cargo/config.toml inventory/hosts.yml authors.json auth.md history \
                    my_history terraform.tf";
        for name in fine.split_whitespace() {
            check(name, Form::File, None);
        }
        let fine = "a.key server.pem id_rsa aws ssh credentials skills/credentials secrets auth.json \
                    .docker .kube .config .cargo .codex";
        for name in fine.split_whitespace() {
            check(name, Form::Dir, None);
        }
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
