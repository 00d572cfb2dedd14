//! What ssh says when it gets no access, read: that is no fault of the network, and each reason has
//! something else that a person can do.
//!
//! ssh has no other way to tell, so its English words must do. Words that are not known mean what they
//! meant before: a machine that cannot be reached, or one that refused.

use plugd_model::Environment;

use crate::failure::Failure;

/// Another key than the one that ssh knows.
const CHANGED: &[&str] = &[
    "REMOTE HOST IDENTIFICATION HAS CHANGED",
    "POTENTIAL SECURITY BREACH",
];

/// A key that ssh has never seen, and nobody is there to accept it.
const UNKNOWN: &[&str] = &[
    "Host key verification failed",
    "host key is not cached",
    "host key is unknown",
];

/// An agent that is there and does not do it.
const AGENT: &[&str] = &["agent refused operation", "signing failed for"];

/// Too many keys for the patience of the server.
const TOO_MANY: &[&str] = &["Too many authentication failures"];

/// No key that the server takes.
const DENIED: &[&str] = &[
    "Permission denied (",
    "Permission denied, please try again",
    "No supported authentication methods available",
    "Unable to authenticate",
];

/// Files of the user that ssh refuses.
const CONFIGURATION: &[&str] = &[
    "Bad configuration option",
    "Bad owner or permissions",
    "bad configuration options",
];

/// No ssh at all.
const PROGRAM: &[&str] = &[
    "cannot run ssh",
    "cannot start ssh",
    "ssh: not found",
    "ssh: command not found",
];

/// The server is fine, and the repository is not there.
const MISSING: &[&str] = &[
    "Repository not found",
    "does not appear to be a git repository",
    "could not be found or you don't have permission",
];

/// What to do where there is no ssh.
const INSTALL: &str =
    "install ssh, or name its program with `GIT_SSH_COMMAND` or with `core.sshCommand` of git";

/// Who said it: of which machine and repository, and whether an agent could have been asked.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ssh<'a> {
    pub(crate) host: &'a str,
    pub(crate) url: &'a str,
    pub(crate) has_agent: bool,
}

/// Whether ssh is told of an agent.
pub(crate) fn has_agent(environment: &Environment) -> bool {
    let socket = environment.var("SSH_AUTH_SOCK");
    socket.is_some_and(|socket| !socket.is_empty())
}

/// What the words of ssh mean, where they are known.
pub(crate) fn failure(words: &str, ssh: Ssh<'_>) -> Option<Failure> {
    let says = |known: &[&str]| known.iter().any(|one| words.contains(one));
    if says(MISSING) {
        return Some(Failure::RepositoryMissing {
            url: ssh.url.to_owned(),
        });
    }
    let host = ssh.host;
    let hint = if says(PROGRAM) {
        INSTALL.to_owned()
    } else if says(CHANGED) {
        format!(
            "the key of `{host}` is not the one that ssh knows: find out why before you remove the old \
             one from `known_hosts`"
        )
    } else if says(UNKNOWN) {
        format!(
            "ssh does not know the key of `{host}`: connect to it once with ssh in a terminal, compare \
             the key, and accept it"
        )
    } else if says(AGENT) {
        "the ssh agent did not use the key: unlock or confirm it with `ssh-add` in a terminal"
            .to_owned()
    } else if says(TOO_MANY) {
        format!(
            "name the one key for `{host}` with `IdentityFile` and `IdentitiesOnly yes` in `~/.ssh/config`"
        )
    } else if says(DENIED) {
        denied(ssh)
    } else if says(CONFIGURATION) {
        "mend the file of ssh that it names".to_owned()
    } else {
        return None;
    };
    Some(Failure::SshRefused {
        host: host.to_owned(),
        reason: words.to_owned(),
        hint,
    })
}

fn denied(ssh: Ssh<'_>) -> String {
    let Ssh {
        host, has_agent, ..
    } = ssh;
    let agent = match has_agent {
        true => "load it with `ssh-add`",
        false => "start an ssh agent (`SSH_AUTH_SOCK` is not set) and load it with `ssh-add`",
    };
    format!(
        "`{host}` takes none of the keys that ssh offers: add yours to the account there; where it has \
         a passphrase, {agent}, because nobody is asked for it"
    )
}

#[cfg(test)]
mod tests {
    use super::{Ssh, failure};
    use crate::failure::Failure;

    fn of(words: &str, has_agent: bool) -> Option<Failure> {
        let ssh = Ssh {
            host: "h",
            url: "git@h:r",
            has_agent,
        };
        failure(words, ssh)
    }

    #[track_caller]
    fn hints(words: &str, hint: &str) {
        match of(words, true) {
            Some(Failure::SshRefused {
                host,
                reason,
                hint: found,
            }) => {
                assert_eq!((host.as_str(), reason.as_str()), ("h", words));
                assert!(found.contains(hint), "{found}");
            }
            other => panic!("{words}: {other:?}"),
        }
    }

    #[test]
    fn each_refusal_has_something_else_that_can_be_done() {
        hints("Host key verification failed.", "does not know the key");
        hints(
            "@ WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! @ Host key verification failed.",
            "find out why",
        );
        hints("me@h: Permission denied (publickey).", "load it with");
        hints(
            "sign_and_send_pubkey: signing failed for ED25519 \"/k\" from agent: agent refused \
             operation me@h: Permission denied (publickey).",
            "unlock or confirm",
        );
        hints(
            "Received disconnect from h: Too many authentication failures",
            "IdentitiesOnly",
        );
        hints(
            "Bad owner or permissions on /home/u/.ssh/config",
            "that it names",
        );
        hints("plugd: 1: ssh: not found", "install ssh");
        hints("bash: line 1: ssh: command not found", "install ssh");
    }

    #[test]
    fn an_agent_that_is_not_there_is_named() {
        let words = "me@h: Permission denied (publickey).";
        let Some(Failure::SshRefused { hint, .. }) = of(words, false) else {
            panic!("it is a refusal");
        };
        assert!(hint.contains("SSH_AUTH_SOCK"), "{hint}");
    }

    #[test]
    fn a_repository_that_is_not_there_is_no_refusal_of_ssh() {
        let words = "ERROR: Repository not found. fatal: Could not read from remote repository.";
        let found = of(words, true);
        assert!(
            matches!(found, Some(Failure::RepositoryMissing { ref url }) if url == "git@h:r"),
            "{found:?}"
        );
    }

    #[test]
    fn the_network_stays_the_network() {
        for words in [
            "ssh: Could not resolve hostname h: Name or service not known",
            "ssh: connect to host h port 22: Connection refused",
            "quiet",
            "",
        ] {
            assert_eq!(of(words, true), None, "{words}");
        }
    }
}
