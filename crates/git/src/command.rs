//! The git command as the other side of a fetch.
//!
//! It runs in the worker's session and ends with it. What it may do is written down here: no hook,
//! no monitor, no background work, no protocol beyond the accepted ones, no question to a person.
//! The user's own configuration counts otherwise, so that proxies, certificates and helpers are
//! those of every other git on this machine.
//!
//! Invariants:
//! - No secret stands in an argument. A login that we know goes through a variable to a helper of
//!   one line; git asks it only when the server wants one.
//! - The address is the one that this worker decided on. Git is told a replacement of exactly that
//!   text by itself, which is longer than any other, so nothing replaces it a second time.
//! - Certificates are checked, whatever the configuration says.

use plugd_model::AbsPath;

use git2::Oid;

use crate::address::Kind;
use crate::advertised::Head;
use crate::command_run::{Call, Ended, Purpose, run};
use crate::command_words::{Context, is_login_refused, trouble};
use crate::credentials::{Attempt, NETRC, attempts, first_tried, hint};
use crate::failure::{Failure, Trouble};
use crate::peer::Peer;
use crate::progress::Stage;
use crate::session::Session;
use crate::ssh_words::has_agent;
use crate::wire::With;
use crate::{Address, Depth};

/// What the remote is called in the settings that are given to git.
const REMOTE: &str = "plugd";

/// Settings that hold for every call.
const SETTINGS: &[&str] = &[
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    // A mirror is a cache: what a power cut takes is fetched again.
    "core.fsync=none",
    "credential.interactive=never",
    "fetch.prune=false",
    "fetch.pruneTags=false",
    "fetch.recurseSubmodules=no",
    "fetch.unpackLimit=1",
    "fetch.writeCommitGraph=false",
    "gc.auto=0",
    "http.followRedirects=initial",
    "http.sslVerify=true",
    "maintenance.auto=false",
    "protocol.allow=never",
    "protocol.ext.allow=never",
    "safe.bareRepository=explicit",
    "submodule.recurse=false",
    "transfer.bundleURI=false",
];

/// Switches of every fetch.
const FETCH: &[&str] = &[
    "fetch",
    "--progress",
    "--no-tags",
    "--no-write-fetch-head",
    "--no-recurse-submodules",
    "--no-auto-maintenance",
];

/// A helper that answers with what two variables hold, and stores nothing.
const HELPER: &str = "!f() { test \"$1\" = get && printf 'username=%s\\npassword=%s\\n' \
     \"$PLUGD_GIT_USER\" \"$PLUGD_GIT_PASSWORD\"; }; f";

/// Most bytes of a list of refs.
const MAX_OUTPUT: u64 = 64 << 20;

/// How a repository that lacks objects on purpose is spoken for. It is told with each call and not
/// written down, so that no other call fetches what it misses.
const PARTIAL: &[&str] = &[
    "remote.plugd.promisor=true",
    "remote.plugd.partialclonefilter=blob:none",
];

/// A remote repository, asked by the git command.
pub(crate) struct Command<'a> {
    session: &'a Session,
    /// The address after the user's replacements.
    address: &'a Address,
    git: &'a AbsPath,
    /// Where objects go; without it nothing can be downloaded.
    dir: Option<&'a AbsPath>,
    attempts: Vec<Attempt>,
    /// The attempt that worked last.
    current: usize,
    heads: Vec<Head>,
}

/// One call of git, before it is known with which login.
#[derive(Debug, Clone, Copy)]
struct Wanted<'a> {
    settings: &'a [&'a str],
    args: &'a [&'a str],
    input: &'a str,
    purpose: Purpose,
}

impl<'a> Command<'a> {
    /// Asks the remote what it has.
    pub(crate) fn connect(
        session: &'a Session,
        address: &'a Address,
        git: &'a AbsPath,
        dir: Option<&'a AbsPath>,
    ) -> Result<Self, Trouble> {
        session.meter.enter(Stage::Resolving);
        session.meter.wait_for(With::Host(address.host()));
        if let Kind::Local(path) = &address.kind
            && session.disk.stamp(path)?.is_none()
        {
            let url = address.shown();
            return Err(Failure::RepositoryMissing { url }.into());
        }
        let mut command = Self {
            session,
            address,
            git,
            dir,
            attempts: attempts(address, &session.user, &session.remotes.environment),
            current: 0,
            heads: Vec::new(),
        };
        let listed = command.call(Wanted {
            settings: &[],
            args: &["ls-remote", "--end-of-options", REMOTE],
            input: "",
            purpose: Purpose::List,
        })?;
        command.heads = heads(&listed);
        Ok(command)
    }

    /// Brings a commit and its directories, without the files. A server that cannot leave them out
    /// sends them too.
    pub(crate) fn download_directories(&mut self, spec: &str) -> Result<(), Trouble> {
        self.session.meter.enter(Stage::Fetching);
        let mut args = FETCH.to_vec();
        args.extend([
            "--depth=1",
            "--filter=blob:none",
            "--end-of-options",
            REMOTE,
            spec,
        ]);
        self.call(Wanted {
            settings: PARTIAL,
            args: &args,
            input: "",
            purpose: Purpose::Receive,
        })?;
        Ok(())
    }

    /// Brings single objects, in one go.
    pub(crate) fn download_objects(&mut self, objects: &[Oid]) -> Result<(), Trouble> {
        self.session.meter.enter(Stage::Fetching);
        let mut args = FETCH.to_vec();
        args.extend(["--filter=blob:none", "--stdin", "--end-of-options", REMOTE]);
        let mut settings = PARTIAL.to_vec();
        // What is asked for is what is missing: nothing needs to be told about what is there.
        settings.push("fetch.negotiationAlgorithm=noop");
        let input: String = objects.iter().map(|id| format!("{id}\n")).collect();
        self.call(Wanted {
            settings: &settings,
            args: &args,
            input: &input,
            purpose: Purpose::Receive,
        })?;
        Ok(())
    }

    /// Runs git, with one login after the other while the server wants one.
    fn call(&mut self, wanted: Wanted<'_>) -> Result<String, Trouble> {
        loop {
            let attempt = self.attempts.get(self.current);
            let ended = self.once(wanted, attempt)?;
            if ended.ok && wanted.purpose == Purpose::List && self.is_no_git(&ended) {
                let host = self.address.host();
                let reason = "no git repository but something else".to_owned();
                return Err(Failure::Refused { host, reason }.into());
            }
            if ended.ok {
                return Ok(String::from_utf8_lossy(&ended.output).into_owned());
            }
            let host = self.address.host();
            if ended.too_much {
                let limit = self.session.max_pack_bytes;
                return Err(Failure::TooMuch { host, limit }.into());
            }
            if !is_login_refused(&ended.words) {
                let remotes = &self.session.remotes;
                remotes.hide_all(&self.attempts, self.address);
                let context = Context {
                    address: self.address,
                    secrets: &remotes.secrets(self.address),
                    receiving: wanted.purpose == Purpose::Receive,
                    has_agent: has_agent(&remotes.environment),
                };
                return Err(trouble(&ended.words, context));
            }
            self.current += 1;
            if self.current >= self.attempts.len() {
                return Err(self.unauthorised().into());
            }
        }
    }

    fn once(&self, wanted: Wanted<'_>, attempt: Option<&Attempt>) -> Result<Ended, Failure> {
        let mut settings = base_settings(self.address);
        settings.extend(wanted.settings.iter().map(|one| (*one).to_owned()));
        settings.extend(login_settings(self.address, attempt));
        let extra = self.session.user.extra_headers(&self.address.shown());
        if !extra.is_empty() {
            // Git would tell them to whom a redirect leads.
            settings.push("http.followRedirects=false".to_owned());
        }
        run(Call {
            session: self.session,
            git: self.git,
            // An unknown place is none, wherever the process stands.
            dir: self.dir.unwrap_or(&self.session.mirrors.join("none")),
            settings: &settings,
            args: wanted.args,
            input: wanted.input,
            login: attempt.and_then(|attempt| attempt.login.as_ref()),
            helpers: attempt.is_some_and(|attempt| attempt.helpers),
            address: self.address,
            most: MAX_OUTPUT,
            purpose: wanted.purpose,
        })
    }

    /// Whether what was listed came from a server of files. Git would go on and ask it for each
    /// object; a server that answers everything with some page looks like an empty repository then.
    fn is_no_git(&self, ended: &Ended) -> bool {
        matches!(self.address.kind, Kind::Http) && !ended.smart
    }

    fn unauthorised(&self) -> Failure {
        let user = &self.session.user;
        let mut tried = vec![first_tried(self.address, user).to_owned()];
        tried.extend(user.netrc(self.address).map(|_| NETRC.to_owned()));
        tried.extend(self.attempts.iter().flat_map(|one| one.names.clone()));
        Failure::Unauthorised {
            host: self.address.host(),
            tried,
            hint: hint(self.address),
        }
    }
}

impl Peer for Command<'_> {
    fn heads(&self) -> &[Head] {
        &self.heads
    }

    fn kept(&self, depth: Depth) -> Depth {
        depth
    }

    fn download(&mut self, specs: &[&str], depth: Depth) -> Result<(), Trouble> {
        self.session.meter.enter(Stage::Fetching);
        let shallow = match self.dir {
            Some(dir) => self.session.disk.stamp(&dir.join("shallow"))?,
            None => None,
        };
        let mut args = FETCH.to_vec();
        match depth {
            Depth::Tip => args.push("--depth=1"),
            Depth::Whole if shallow.is_some_and(|stamp| stamp.size > 0) => {
                args.push("--unshallow");
            }
            Depth::Whole => {}
        }
        args.extend(["--end-of-options", REMOTE]);
        args.extend(specs);
        self.call(Wanted {
            settings: &[],
            args: &args,
            input: "",
            purpose: Purpose::Receive,
        })?;
        Ok(())
    }
}

/// Settings of every call for an address.
pub(crate) fn base_settings(address: &Address) -> Vec<String> {
    let mut settings: Vec<String> = SETTINGS.iter().map(|one| (*one).to_owned()).collect();
    for scheme in schemes(address) {
        settings.push(format!("protocol.{scheme}.allow=always"));
    }
    let url = url(address);
    settings.push(format!("remote.{REMOTE}.url={url}"));
    // The name of a setting ends at the first `=`.
    if !url.contains('=') {
        settings.push(format!("url.{url}.insteadOf={url}"));
        if matches!(address.kind, Kind::Http) {
            settings.push(format!("http.{url}.sslVerify=true"));
        }
    }
    settings
}

/// Settings that make git log in as an attempt says.
pub(crate) fn login_settings(address: &Address, attempt: Option<&Attempt>) -> Vec<String> {
    let mut settings = Vec::new();
    if attempt.is_some_and(|attempt| !attempt.helpers) {
        settings.push("credential.helper=".to_owned());
    }
    if attempt.is_some_and(|attempt| attempt.login.is_some())
        && let Some(origin) = origin(address)
    {
        // For this host only: a redirect may lead to one that asks for a login of its own.
        settings.push(format!("credential.{origin}.helper={HELPER}"));
    }
    settings
}

/// Scheme, host and port of an address of HTTP.
fn origin(address: &Address) -> Option<String> {
    let url = url(address);
    let (scheme, rest) = url.split_once("://")?;
    let authority = rest.split('/').next()?;
    matches!(address.kind, Kind::Http).then(|| format!("{scheme}://{authority}"))
}

/// What git is told of an address, without credentials.
pub(crate) fn url(address: &Address) -> String {
    match &address.kind {
        Kind::Local(path) => format!("file://{}", path.to_text().replace('%', "%25")),
        Kind::Http => address.shown(),
        Kind::Ssh(_) => address.secret_text().to_owned(),
    }
}

/// The protocols that git may speak; plain http is one of them for an address of this machine only.
pub(crate) fn schemes(address: &Address) -> Vec<&'static str> {
    let mut schemes = vec!["https", "ssh", "file"];
    if address.shown().to_ascii_lowercase().starts_with("http:") {
        schemes.push("http");
    }
    schemes
}

/// Reads the list of refs. A line that is none is skipped.
fn heads(listed: &str) -> Vec<Head> {
    listed
        .lines()
        .filter_map(|line| line.split_once('\t'))
        .filter_map(|(id, name)| {
            Some(Head {
                id: Oid::from_str(id).ok()?,
                name: name.to_owned(),
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::heads;

    #[test]
    fn a_list_of_refs_is_read_and_noise_is_not() {
        let id = "a".repeat(40);
        let text = format!("{id}\tHEAD\nFrom x\n{id}\trefs/tags/v1^{{}}\nshort\trefs/heads/x\n");
        let names: Vec<_> = heads(&text).into_iter().map(|head| head.name).collect();
        assert_eq!(names, ["HEAD", "refs/tags/v1^{}"]);
    }
}
