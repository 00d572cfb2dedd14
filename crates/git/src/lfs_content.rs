//! Bringing the content that pointers of Git LFS name, by the user's own `git lfs`.
//!
//! Only content whose size and SHA-256 are those of the pointer takes its place. Everything else
//! leaves the pointer where it is, and the pointer is named in the report: a repository whose large
//! files cannot be had is still a repository.
//!
//! The server that is asked is the one of the repository. A repository's own `.lfsconfig` could name
//! any other machine, so it is not followed for addresses of HTTP.

use sha2::{Digest as _, Sha256};

use plugd_disk::tree::remove_tree;
use plugd_model::{AbsPath, hex};

use crate::address::Kind;
use crate::checkout::Budget;
use crate::command::{base_settings, login_settings, url};
use crate::command_run::{Call, Ended, Purpose, run};
use crate::command_words::is_login_refused;
use crate::credentials::attempts;
use crate::failure::Failure;
use crate::progress::Stage;
use crate::session::Session;
use crate::{Address, LfsPointer};

/// Where `git lfs` keeps what it has brought, inside the mirror.
const CACHE: &str = "lfs";

/// Replaces what can be replaced of `pointers`; what is left of them still lies in the checkout.
pub(crate) fn replace(
    session: &Session,
    address: &Address,
    mirror: &AbsPath,
    root: &AbsPath,
    pointers: &mut Vec<LfsPointer>,
    budget: &mut Budget,
) -> Result<(), Failure> {
    if pointers.is_empty() || !session.may_use_lfs() {
        return Ok(());
    }
    let Some(git) = &session.programs.git else {
        return Ok(());
    };
    let address = session.effective(address)?;
    session.meter.enter(Stage::Fetching);
    let mut lfs = Lfs {
        session,
        address: &address,
        git,
        mirror,
        attempt: 0,
    };
    let mut left = Vec::new();
    for pointer in std::mem::take(pointers) {
        if !lfs.put(root, &pointer, budget)? {
            left.push(pointer);
        }
    }
    *pointers = left;
    Ok(())
}

struct Lfs<'a> {
    session: &'a Session,
    address: &'a Address,
    git: &'a AbsPath,
    mirror: &'a AbsPath,
    /// The login that worked last.
    attempt: usize,
}

impl Lfs<'_> {
    /// Puts the content in the place of its pointer; answers whether it is there.
    fn put(
        &mut self,
        root: &AbsPath,
        pointer: &LfsPointer,
        budget: &mut Budget,
    ) -> Result<bool, Failure> {
        if !budget.has_room(pointer.size) {
            return Ok(false);
        }
        let disk = &self.session.disk;
        let path = root.join(&pointer.path);
        let fail = |error| Failure::disk(&error);
        let Some(stamp) = disk.link_stamp(&path).map_err(fail)? else {
            return Ok(false);
        };
        let Some(content) = self.content(pointer)? else {
            return Ok(false);
        };
        let mode = if stamp.is_executable() { 0o755 } else { 0o644 };
        budget.bytes(content.len(), &pointer.path)?;
        disk.remove_file(&path).map_err(fail)?;
        disk.write_unsynced(&path, &content, mode).map_err(fail)?;
        Ok(true)
    }

    fn content(&mut self, pointer: &LfsPointer) -> Result<Option<Vec<u8>>, Failure> {
        let environment = &self.session.remotes.environment;
        let attempts = attempts(self.address, &self.session.user, environment);
        let mut retried = false;
        while self.attempt < attempts.len() {
            let ended = self.smudge(pointer)?;
            if !ended.ok {
                if !is_login_missing(&ended.words) {
                    let remotes = &self.session.remotes;
                    remotes.hide_all(&attempts, self.address);
                    let words = remotes.quoted(&ended.words, self.address);
                    tracing::warn!(path = pointer.path, words, "git lfs brings no content");
                    return Ok(None);
                }
                self.attempt += 1;
                continue;
            }
            if is_named(&ended.output, pointer) {
                return Ok(Some(ended.output));
            }
            if retried {
                return Ok(None);
            }
            // It may have answered from what it kept, and that may be damaged.
            retried = true;
            remove_tree(&self.session.disk, &self.mirror.join(CACHE))
                .map_err(|error| Failure::tree(&error))?;
        }
        // Whoever has no login for one file has none for the next.
        Ok(None)
    }

    fn smudge(&self, pointer: &LfsPointer) -> Result<Ended, Failure> {
        let environment = &self.session.remotes.environment;
        let attempts = attempts(self.address, &self.session.user, environment);
        let attempt = attempts.get(self.attempt);
        let mut settings = base_settings(self.address);
        settings.extend(login_settings(self.address, attempt));
        settings.extend([
            "lfs.skipdownloaderrors=false".to_owned(),
            format!("remote.origin.url={}", url(self.address)),
        ]);
        if matches!(self.address.kind, Kind::Http) {
            settings.push(format!("lfs.url={}", server(&url(self.address))));
        }
        let text = format!(
            "version https://git-lfs.github.com/spec/v1\noid sha256:{}\nsize {}\n",
            pointer.oid, pointer.size
        );
        run(Call {
            session: self.session,
            git: self.git,
            dir: self.mirror,
            settings: &settings,
            args: &["lfs", "smudge", "--", &pointer.path],
            input: &text,
            login: attempt.and_then(|attempt| attempt.login.as_ref()),
            // What it says of HTTP is no trace of git's, so nothing would show that one has answered.
            helpers: false,
            address: self.address,
            most: pointer.size,
            purpose: Purpose::Content,
        })
    }
}

/// The place of the large files of a repository, as their specification derives it.
fn server(url: &str) -> String {
    let url = url.trim_end_matches('/');
    match url.ends_with(".git") {
        true => format!("{url}/info/lfs"),
        false => format!("{url}.git/info/lfs"),
    }
}

/// Whether the words of `git lfs` mean that another login may help.
fn is_login_missing(words: &str) -> bool {
    let known = [
        "Authentication required",
        "Authorization error",
        "Git credentials for",
    ];
    is_login_refused(words) || known.iter().any(|one| words.contains(one))
}

fn is_named(content: &[u8], pointer: &LfsPointer) -> bool {
    if u64::try_from(content.len()) != Ok(pointer.size) {
        return false;
    }
    hex(&Sha256::digest(content)).eq_ignore_ascii_case(&pointer.oid)
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::{is_named, server};
    use crate::LfsPointer;

    #[test]
    fn content_is_what_its_pointer_names() {
        let pointer = |size| LfsPointer {
            path: "a".to_owned(),
            oid: "2CF24DBA5FB0A30E26E83B2AC5B9E29E1B161E5C1FA7425E73043362938B9824".to_owned(),
            size,
        };
        assert!(is_named(b"hello", &pointer(5)));
        assert!(!is_named(b"hello", &pointer(6)));
        assert!(!is_named(b"hallo", &pointer(5)));
    }

    #[test]
    fn large_files_lie_beside_their_repository() {
        let check = |url: &str, expected: &str| assert_eq!(server(url), expected);
        check("https://h/o/r.git", "https://h/o/r.git/info/lfs");
        check("https://h/o/r/", "https://h/o/r.git/info/lfs");
    }
}
