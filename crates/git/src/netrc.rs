//! The user's `.netrc`, where programs that speak HTTP have kept logins for longer than git exists.
//! Git reads it through the library that it speaks HTTP with, and so do we.
//!
//! A login counts for its machine and no other; `default` for every machine that is not named before.

use plugd_disk::Disk;
use plugd_model::Environment;

use crate::credentials::Login;

/// The names that the file may have.
const NAMES: &[&str] = match cfg!(windows) {
    true => &["_netrc", ".netrc"],
    false => &[".netrc"],
};

/// Larger than any that a person writes.
const MAX_FILE: u64 = 1 << 20;

/// What the file holds; nothing when there is none.
#[derive(Default)]
pub(crate) struct Netrc {
    entries: Vec<Entry>,
    /// It is there and cannot be read.
    pub(crate) is_unreadable: bool,
}

#[derive(Default)]
struct Entry {
    /// Absent for the one that counts everywhere.
    machine: Option<String>,
    login: Option<String>,
    password: Option<String>,
}

impl Netrc {
    /// Reads the file in the home directory.
    pub(crate) fn load(disk: &Disk, environment: &Environment) -> Self {
        let Some(home) = &environment.home else {
            return Self::default();
        };
        for path in NAMES.iter().map(|name| home.join(name)) {
            match disk.stamp(&path) {
                Ok(None) => continue,
                Ok(Some(_)) => {}
                Err(error) => {
                    tracing::warn!(%error, "cannot look at the netrc");
                    continue;
                }
            }
            return match disk.read(&path, MAX_FILE) {
                Ok(bytes) => Self::parse(&String::from_utf8_lossy(&bytes)),
                Err(error) => {
                    tracing::warn!(%error, "cannot read the netrc");
                    Self {
                        is_unreadable: true,
                        ..Self::default()
                    }
                }
            };
        }
        Self::default()
    }

    /// The login for a machine; with a user name, the one of that user.
    pub(crate) fn login(&self, host: &str, user: Option<&str>) -> Option<Login> {
        let is_meant = |entry: &&Entry| {
            let here = entry.machine.as_deref();
            here.is_none_or(|machine| machine.eq_ignore_ascii_case(host))
                && user.is_none_or(|user| entry.login.as_deref().is_none_or(|own| own == user))
        };
        let found = self.entries.iter().find(is_meant)?;
        let name = found.login.as_deref().or(user).unwrap_or_default();
        Some(Login {
            user: name.to_owned(),
            password: found.password.clone().filter(|text| !text.is_empty())?,
        })
    }

    pub(crate) fn parse(text: &str) -> Self {
        let mut entries: Vec<Entry> = Vec::new();
        let mut in_macro = false;
        let mut wanted: Option<Wanted> = None;
        for line in text.lines() {
            // A macro ends at the first empty line.
            in_macro &= !line.trim().is_empty();
            if in_macro {
                continue;
            }
            for word in words(line) {
                if let Some(wanted) = wanted.take() {
                    wanted.put(&mut entries, word);
                    continue;
                }
                match word.to_ascii_lowercase().as_str() {
                    "machine" => wanted = Some(Wanted::Machine),
                    "login" => wanted = Some(Wanted::Login),
                    "password" => wanted = Some(Wanted::Password),
                    "account" => wanted = Some(Wanted::Nothing),
                    "default" => entries.push(Entry::default()),
                    "macdef" => {
                        in_macro = true;
                        break;
                    }
                    _ => {}
                }
            }
        }
        Self {
            entries,
            is_unreadable: false,
        }
    }
}

/// What the next word is.
enum Wanted {
    Machine,
    Login,
    Password,
    Nothing,
}

impl Wanted {
    fn put(&self, entries: &mut Vec<Entry>, word: String) {
        let last = entries.last_mut();
        match (self, last) {
            (Self::Machine, _) => entries.push(Entry {
                machine: Some(word),
                ..Entry::default()
            }),
            (Self::Login, Some(entry)) => entry.login = Some(word),
            (Self::Password, Some(entry)) => entry.password = Some(word),
            (Self::Login | Self::Password, None) | (Self::Nothing, _) => {}
        }
    }
}

/// The words of a line: a `#` in front makes a comment of it, and quotes hold spaces together.
fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut rest = line.trim_start();
    if rest.starts_with('#') {
        return words;
    }
    while !rest.is_empty() {
        let (word, behind) = match rest.strip_prefix('"') {
            Some(quoted) => unquoted(quoted),
            None => {
                let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
                (rest[..end].to_owned(), &rest[end..])
            }
        };
        words.push(word);
        rest = behind.trim_start();
    }
    words
}

/// A text up to the quote that ends it, and what is behind that.
fn unquoted(text: &str) -> (String, &str) {
    let mut word = String::new();
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return (word, &text[at + 1..]),
            '\\' => match chars.next() {
                Some((_, 'n')) => word.push('\n'),
                Some((_, 't')) => word.push('\t'),
                Some((_, 'r')) => word.push('\r'),
                Some((_, c)) => word.push(c),
                None => {}
            },
            c => word.push(c),
        }
    }
    (word, "")
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::Netrc;

    const FILE: &str = "\
        # machine no.org login no password no\n\
        machine h.org login me password hidden\n\
        machine h.org\n  login you\n  account x\n  password \"with space \\\" and quote\"\n\
        macdef init\nmachine evil.org login a password b\n\n\
        machine token.org password only\n\
        machine bare.org login nobody\n\
        default login any password fallback\n";

    #[track_caller]
    fn check(file: &str, host: &str, user: Option<&str>, expected: Option<(&str, &str)>) {
        let found = Netrc::parse(file).login(host, user);
        let found = found.map(|login| (login.user, login.password));
        let expected = expected.map(|(user, password)| (user.to_owned(), password.to_owned()));
        assert_eq!(found, expected, "{host}");
    }

    #[test]
    fn a_login_counts_for_its_machine() {
        check(FILE, "H.org", None, Some(("me", "hidden")));
        let quoted = "with space \" and quote";
        check(FILE, "h.org", Some("you"), Some(("you", quoted)));
        check(FILE, "token.org", None, Some(("", "only")));
        check(FILE, "token.org", Some("me"), Some(("me", "only")));
        for other in ["no.org", "evil.org", "sub.h.org"] {
            check(FILE, other, None, Some(("any", "fallback")));
        }
    }

    #[test]
    fn what_is_no_login_is_none() {
        check(FILE, "bare.org", None, None);
        check(
            "machine h.org login me password hidden",
            "other.org",
            None,
            None,
        );
        for broken in ["", "machine", "login me password x", "machine h.org login"] {
            check(broken, "h.org", None, None);
        }
    }
}
