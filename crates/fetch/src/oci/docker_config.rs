//! The login of a registry as the user keeps it: `config.json` of docker, which podman, oras and
//! crane write too.
//!
//! Only the file of the user is read, and only once a registry has asked for a login. A login that a
//! program of its own keeps (`credHelpers`, `credsStore`) is not fetched: such a program comes from
//! wherever the path leads and may ask the user something. It is told by name instead.

use std::collections::BTreeMap;

use plugd_disk::Disk;
use plugd_model::{Environment, error_chain};
use serde::Deserialize;

use crate::base64;

/// Largest file that is read.
const MAX_BYTES: u64 = 1 << 20;

/// The registry of docker, by the name that people write and the one that answers.
pub(crate) const HUB: [&str; 3] = ["docker.io", "index.docker.io", "registry-1.docker.io"];

/// What the file has for a registry. No `Debug`: it may be a secret.
pub(crate) enum Kept {
    /// Nothing.
    Nothing,
    /// User and password.
    Password(String, String),
    /// A token for the registry itself.
    Token(String),
    /// Something that is not used, and why.
    Unusable(String),
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct RawConfig {
    auths: BTreeMap<String, RawAuth>,
    cred_helpers: BTreeMap<String, String>,
    creds_store: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct RawAuth {
    auth: Option<String>,
    username: Option<String>,
    password: Option<String>,
    identitytoken: Option<String>,
    registrytoken: Option<String>,
}

/// What the user's file has for a host, with its port where one is named.
pub(crate) fn login(environment: &Environment, disk: &Disk, host: &str) -> Kept {
    let dir = match environment.var("DOCKER_CONFIG") {
        Some(dir) => Some(environment.cwd.join(dir)),
        None => environment.home.as_ref().map(|home| home.join(".docker")),
    };
    let Some(path) = dir.map(|dir| dir.join("config.json")) else {
        return Kept::Nothing;
    };
    let bytes = match disk.read(&path, MAX_BYTES) {
        Ok(bytes) => bytes,
        Err(error) if error.is_not_found() => return Kept::Nothing,
        Err(error) => return Kept::Unusable(error_chain(&error)),
    };
    let config: RawConfig = match serde_json::from_slice(&bytes) {
        Ok(config) => config,
        Err(error) => {
            // The text of the error may repeat what stands there.
            let (line, column) = (error.line(), error.column());
            let reason = format!("`{path}` cannot be read at line {line}, column {column}");
            return Kept::Unusable(reason);
        }
    };
    config.login(host)
}

impl RawConfig {
    fn login(mut self, host: &str) -> Kept {
        let names = |key: &str| is_of(key, host);
        let helper = self.cred_helpers.iter().find(|(key, _)| names(key));
        if let Some((_, program)) = helper {
            return left_to(program);
        }
        let key = self.auths.keys().find(|key| names(key)).cloned();
        let kept = match key.and_then(|key| self.auths.remove(&key)) {
            Some(auth) => auth.kept(),
            None => Kept::Nothing,
        };
        match (&kept, &self.creds_store) {
            // With a store the file lists the registries and the store has the passwords.
            (Kept::Nothing, Some(program)) => left_to(program),
            _ => kept,
        }
    }
}

impl RawAuth {
    fn kept(self) -> Kept {
        let filled = |text: Option<String>| text.filter(|text| !text.is_empty());
        if let Some(token) = filled(self.registrytoken) {
            return Kept::Token(token);
        }
        if filled(self.identitytoken).is_some() {
            let reason = "the docker config has an identity token for it, which is not used";
            return Kept::Unusable(reason.to_owned());
        }
        if let (Some(user), Some(password)) = (filled(self.username), filled(self.password)) {
            return Kept::Password(user, password);
        }
        let Some(auth) = filled(self.auth) else {
            return Kept::Nothing;
        };
        let decoded = base64::decode(auth.trim()).and_then(|bytes| String::from_utf8(bytes).ok());
        let pair = decoded.as_deref().and_then(|text| text.split_once(':'));
        match pair {
            Some((user, password)) => {
                // Some writers end the password with a zero.
                let password = password.trim_end_matches('\0');
                Kept::Password(user.to_owned(), password.to_owned())
            }
            None => {
                let reason = "the `auth` of the docker config for it is no user and password";
                Kept::Unusable(reason.to_owned())
            }
        }
    }
}

fn left_to(program: &str) -> Kept {
    let program: String = program
        .chars()
        .take(40)
        .flat_map(char::escape_debug)
        .collect();
    Kept::Unusable(format!(
        "the docker config leaves its login to `docker-credential-{program}`, and such programs are \
         not run; put an `auth` for it into a config.json and name its directory in DOCKER_CONFIG"
    ))
}

/// Whether a key of the file is for a host. Keys are hosts, or addresses of older days.
fn is_of(key: &str, host: &str) -> bool {
    let key = key.strip_prefix("https://").unwrap_or(key);
    let key = key.strip_prefix("http://").unwrap_or(key);
    let key = key.split('/').next().unwrap_or_default();
    let is_hub = |name: &str| HUB.iter().any(|hub| name.eq_ignore_ascii_case(hub));
    key.eq_ignore_ascii_case(host) || (is_hub(key) && is_hub(host))
}

#[cfg(test)]
mod tests {
    use plugd_disk::Disk;
    use plugd_model::AbsPath;
    use pretty_assertions::assert_eq;
    use tempfile::TempDir;

    use super::{Kept, login};
    use crate::fixture::environment;

    fn found(config: &str, host: &str) -> String {
        let dir = TempDir::new().unwrap();
        let home = AbsPath::new(dir.path()).unwrap();
        let docker = home.join(".docker");
        Disk::new().create_dir(&docker).unwrap();
        let path = docker.join("config.json");
        Disk::new()
            .replace(&path, config.as_bytes(), 0o600)
            .unwrap();
        let mut environment = environment(&[]);
        environment.home = Some(home);
        match login(&environment, &Disk::new(), host) {
            Kept::Nothing => "nothing".to_owned(),
            Kept::Password(user, password) => format!("{user} {password}"),
            Kept::Token(token) => format!("token {token}"),
            Kept::Unusable(reason) => reason.replace(&path.to_text(), "FILE"),
        }
    }

    // `ada:pass` and `ada`.
    const AUTHS: &str = r#"{"auths": {
        "r.example": {"auth": "YWRhOnBhc3M="},
        "https://index.docker.io/v1/": {"username": "hub", "password": "pw"},
        "r.example:5000": {"registrytoken": "t"},
        "i.example": {"identitytoken": "secret", "auth": "YWRhOg=="},
        "b.example": {"auth": "YWRh"},
        "e.example": {}},
        "credHelpers": {"h.example": "pass"}, "psFormat": "x"}"#;

    #[test]
    fn what_the_file_has() {
        for (host, expected) in [
            ("r.example", "ada pass"),
            ("R.EXAMPLE", "ada pass"),
            ("docker.io", "hub pw"),
            ("r.example:5000", "token t"),
            ("e.example", "nothing"),
            ("other.example", "nothing"),
            ("example", "nothing"),
        ] {
            assert_eq!(found(AUTHS, host), expected, "{host}");
        }
    }

    #[test]
    fn what_is_not_used_is_said_without_what_it_is() {
        for (host, named) in [
            ("h.example", "docker-credential-pass"),
            ("i.example", "identity token"),
            ("b.example", "no user and password"),
        ] {
            let text = found(AUTHS, host);
            assert!(text.contains(named) && !text.contains("secret"), "{text}");
        }
        let stored = r#"{"auths": {"r.example": {}}, "credsStore": "desktop"}"#;
        assert!(found(stored, "r.example").contains("docker-credential-desktop"));
        assert!(found(stored, "other.example").contains("docker-credential-desktop"));
        let broken = found("{\"auths\": {\"r.example\": \"secret\"}}", "r.example");
        assert!(
            broken.starts_with("`FILE` cannot be read at line 1"),
            "{broken}"
        );
        assert!(!broken.contains("secret"));
    }

    #[test]
    fn another_directory() {
        let dir = TempDir::new().unwrap();
        let path = AbsPath::new(dir.path().join("config.json")).unwrap();
        Disk::new().replace(&path, AUTHS.as_bytes(), 0o600).unwrap();
        let text = dir.path().to_str().unwrap();
        let kept = |environment| login(&environment, &Disk::new(), "r.example");
        let found = kept(environment(&[("DOCKER_CONFIG", text)]));
        assert!(matches!(found, Kept::Password(..)));
        assert!(matches!(kept(environment(&[])), Kept::Nothing));
        let gone = environment(&[("DOCKER_CONFIG", "/nowhere/at/all")]);
        assert!(matches!(kept(gone), Kept::Nothing));
    }
}
