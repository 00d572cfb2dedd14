//! Which registry a package comes from, and what is sent to whom: the user's npmrc and variables.
//!
//! Only the file of the user is read. One in a project is a stranger's, and could send the user's
//! tokens or the choice of a registry elsewhere.
//!
//! A credential belongs to the host and path that it is written for, and nobody gets it who is not
//! below that place. It leaves this module only inside a request.

use std::collections::BTreeMap;
use std::fmt;

use plugd_disk::Disk;
use plugd_http::{HttpError, Request, Url, header};
use plugd_model::git_url::{authority, hides_login, without_credentials, without_user_info};
use plugd_model::{AbsPath, Environment, Problem, ProblemKind};

use crate::npmrc::{self, Setting, Value};
use crate::{Access, FetchError, base64};

/// The registry of everybody who names no other.
const DEFAULT: &str = "https://registry.npmjs.org/";

/// Largest npmrc that is read.
const MAX_BYTES: u64 = 1 << 20;

/// The user's settings, as far as they matter here.
pub(crate) struct Registries {
    /// Of the file, then of the variables; the last one of a key counts.
    settings: Vec<Setting>,
    credentials: BTreeMap<String, Credential>,
    ca_file: Option<AbsPath>,
    path: Option<AbsPath>,
    problems: Vec<Problem>,
}

/// A registry that may be asked.
#[derive(Debug, Clone)]
pub(crate) struct Registry {
    /// Its address, without user and password and with a slash at the end.
    pub(crate) text: String,
    pub(crate) url: Url,
}

/// A way to log in, and the key that it stands under.
#[derive(Clone)]
struct Credential {
    key: String,
    secret: Secret,
}

#[derive(Clone)]
enum Secret {
    Token(String),
    /// User and password, encoded as a header wants them.
    Basic(String),
    /// User and password as they stand in an address.
    UserInfo(String),
    /// It names a variable that is not set.
    Unset(String),
}

/// The parts of a credential, before it is known which of them count.
#[derive(Default)]
struct Parts {
    token: Option<Value>,
    auth: Option<Value>,
    user: Option<Value>,
    password: Option<Value>,
}

impl Registries {
    /// Reads the user's npmrc, if there is one, and the variables.
    pub(crate) fn load(environment: &Environment, disk: &Disk) -> Result<Self, FetchError> {
        let path = user_config(environment);
        let mut settings = Vec::new();
        if let Some(path) = &path {
            match disk.read(path, MAX_BYTES) {
                Ok(bytes) => {
                    settings = npmrc::parse(&String::from_utf8_lossy(&bytes), environment);
                }
                Err(error) if error.is_not_found() => {}
                Err(source) => return Err(FetchError::Npmrc { source }),
            }
        }
        settings.extend(npmrc::of_variables(environment));
        let mut registries = Self {
            settings,
            credentials: BTreeMap::new(),
            ca_file: None,
            path,
            problems: Vec::new(),
        };
        registries.read_credentials();
        registries.read_ca_file(environment);
        registries.note_ignored();
        Ok(registries)
    }

    /// The registry for a package; `named` is what the entry of a catalogue says.
    pub(crate) fn registry(
        &self,
        package: &str,
        named: Option<&str>,
    ) -> Result<Registry, FetchError> {
        if let Some(named) = named {
            return Registry::new(named, Origin::Entry);
        }
        let scope = package.split_once('/').map(|(scope, _)| scope);
        let of_scope = scope.and_then(|scope| self.setting(&format!("{scope}:registry")));
        match of_scope.or_else(|| self.setting("registry")) {
            Some(setting) => match &setting.value.unset {
                None => Registry::new(&setting.value.text, self.origin(setting)),
                Some(variable) => Err(FetchError::BadRegistry {
                    registry: safe(&setting.value.text),
                    origin: self.origin(setting).to_string(),
                    reason: format!("the variable `{variable}` is not set"),
                }),
            },
            None => Registry::new(DEFAULT, Origin::Default),
        }
    }

    /// A read of an address with the credential for it, and what is to be told if it is refused.
    pub(crate) fn request(
        &self,
        url: &str,
        may_log_in: bool,
    ) -> Result<(Request, Access), HttpError> {
        let plain = Request::get(url)?;
        if !may_log_in {
            return Ok((plain, Access::Elsewhere));
        }
        let place = place(plain.url());
        let Some(Credential { key, secret }) = self.credential(&place) else {
            let key = format!("{}/:_authToken", host_part(&place));
            return Ok((plain, Access::None { key }));
        };
        let key = key.clone();
        let request = match secret {
            Secret::Unset(variable) => {
                let variable = variable.clone();
                return Ok((plain, Access::Unset { key, variable }));
            }
            Secret::Token(token) => plain.bearer(token)?,
            Secret::Basic(basic) => {
                plain.credential(header::AUTHORIZATION, &format!("Basic {basic}"))?
            }
            Secret::UserInfo(user_info) => {
                Request::get(&url.replacen("://", &format!("://{user_info}@"), 1))?
            }
        };
        Ok((request, Access::Sent { key }))
    }

    /// A file with certificates that are to be trusted as well.
    pub(crate) fn ca_file(&self) -> Option<&AbsPath> {
        self.ca_file.as_ref()
    }

    /// What of the settings was not honoured.
    pub(crate) fn problems(&self) -> &[Problem] {
        &self.problems
    }

    fn setting(&self, key: &str) -> Option<&Setting> {
        let mut backwards = self.settings.iter().rev();
        backwards.find(|one| one.key == key && !one.value.text.is_empty())
    }

    fn origin(&self, setting: &Setting) -> Origin<'_> {
        match (&self.path, setting.place) {
            (Some(path), Some(_)) => Origin::File(path),
            _ => Origin::Variable,
        }
    }

    /// The credential of the longest path that the place is at or below.
    fn credential(&self, place: &str) -> Option<&Credential> {
        let mut rest = place;
        loop {
            if let Some(credential) = self.credentials.get(rest) {
                return Some(credential);
            }
            let (above, _) = rest.rsplit_once('/')?;
            rest = above;
        }
    }

    fn read_credentials(&mut self) {
        let mut found: BTreeMap<String, (String, Parts)> = BTreeMap::new();
        let mut problems = Vec::new();
        for setting in &self.settings {
            let Some((front, field)) = setting.key.rsplit_once(':') else {
                continue;
            };
            if !front.starts_with("//") || !FIELDS.contains(&field) {
                continue;
            }
            let Some(place) = Url::parse(&format!("https:{front}"))
                .ok()
                .map(|url| place(&url))
            else {
                problems.push(self.problem(setting, "it is for no address that can be read"));
                continue;
            };
            let (_, parts) = found
                .entry(place)
                .or_insert_with(|| (front.to_owned(), Parts::default()));
            let value = Some(setting.value.clone());
            match field {
                "_authToken" => parts.token = value,
                "_auth" => parts.auth = value,
                "username" => parts.user = value,
                _ => parts.password = value,
            }
        }
        for (place, (front, parts)) in found {
            match parts.credential(&front) {
                Ok(Some(credential)) => {
                    self.credentials.insert(place, credential);
                }
                Ok(None) => {}
                Err(reason) => {
                    let message = format!("`{front}:_password` of the npmrc is ignored: {reason}");
                    problems.push(self.in_file(Problem::warning(ProblemKind::Config, message)));
                }
            }
        }
        self.problems.append(&mut problems);
        self.read_user_infos();
    }

    /// The user and password in the address of a registry count for what is below it.
    fn read_user_infos(&mut self) {
        let addresses = self
            .settings
            .iter()
            .filter(|one| one.key == "registry" || one.key.ends_with(":registry"));
        for setting in addresses {
            let user_info = authority(&setting.value.text).and_then(|text| text.rsplit_once('@'));
            let url = Url::parse(&without_user_info(&setting.value.text));
            let (Some((user_info, _)), Ok(url)) = (user_info, url) else {
                continue;
            };
            let credential = Credential {
                key: setting.key.clone(),
                secret: Secret::UserInfo(user_info.to_owned()),
            };
            self.credentials.entry(place(&url)).or_insert(credential);
        }
    }

    fn read_ca_file(&mut self, environment: &Environment) {
        let Some(setting) = self.setting("cafile") else {
            return;
        };
        let text = &setting.value.text;
        let below_home = text.strip_prefix("~/").zip(environment.home.as_ref());
        let path = match below_home {
            Some((rest, home)) => Some(home.join(rest)),
            None => AbsPath::new(text).ok(),
        };
        // A relative one would be looked for wherever the daemon was started.
        let problem = path
            .is_none()
            .then(|| self.problem(setting, "it is no absolute path"));
        self.problems.extend(problem);
        self.ca_file = path;
    }

    /// Tells of settings that the user relies on and that do nothing here.
    fn note_ignored(&mut self) {
        let mut problems = Vec::new();
        for setting in &self.settings {
            let is_off = setting.value.text == "false";
            let reason = match setting.key.as_str() {
                "strict-ssl" if is_off => {
                    "certificates are always checked; name the one to trust in `cafile`"
                }
                "ca" => "name a file with the certificates in `cafile`",
                "_authToken" | "_auth" | "_password" => {
                    "it says for no host; write it as `//host/:_authToken`"
                }
                _ => continue,
            };
            problems.push(self.problem(setting, reason));
        }
        self.problems.append(&mut problems);
    }

    fn problem(&self, setting: &Setting, reason: &str) -> Problem {
        let key = setting.key.escape_debug();
        let (place, message) = match setting.place {
            Some(place) => (
                Some(place),
                format!("`{key}` of the npmrc is ignored: {reason}"),
            ),
            None => (
                None,
                format!("the variable for `{key}` is ignored: {reason}"),
            ),
        };
        let mut problem = Problem::warning(ProblemKind::Config, message);
        problem.place = place;
        if place.is_some() {
            problem = self.in_file(problem);
        }
        problem
    }

    fn in_file(&self, problem: Problem) -> Problem {
        match &self.path {
            Some(path) => problem.in_file(path),
            None => problem,
        }
    }
}

/// The last part of the keys that hold a credential.
const FIELDS: [&str; 4] = ["_authToken", "_auth", "username", "_password"];

/// Who named a registry.
#[derive(Debug, Clone, Copy)]
enum Origin<'a> {
    Entry,
    File(&'a AbsPath),
    Variable,
    Default,
}

impl fmt::Display for Origin<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Entry => f.write_str("the catalogue's entry"),
            Self::File(path) => write!(f, "`{path}`"),
            Self::Variable => f.write_str("the variable `npm_config_registry`"),
            Self::Default => f.write_str("npm"),
        }
    }
}

impl Registry {
    fn new(text: &str, origin: Origin<'_>) -> Result<Self, FetchError> {
        let shown = without_credentials(text);
        let refuse = |reason: &str| FetchError::BadRegistry {
            registry: safe(text),
            origin: origin.to_string(),
            reason: reason.to_owned(),
        };
        if hides_login(text) {
            return Err(refuse("its user or password cannot be told from a host"));
        }
        let url = match Url::parse(text) {
            Ok(url) => url,
            Err(HttpError::BadUrl { reason, .. }) => return Err(refuse(reason)),
            Err(_) => return Err(refuse("it cannot be read")),
        };
        if !is_secure(&url) && !url.is_loopback() {
            return Err(refuse("it must begin with `https://`"));
        }
        if text.contains(['?', '#']) || climbs(&url) {
            return Err(refuse("it must end with a plain path"));
        }
        if matches!(origin, Origin::Entry) && shown != text {
            return Err(refuse("a catalogue names no user and password"));
        }
        let slash = if shown.ends_with('/') { "" } else { "/" };
        let text = format!("{shown}{slash}");
        let url = Url::parse(&text).map_err(|_| refuse("it cannot be read"))?;
        Ok(Self { text, url })
    }
}

impl Parts {
    /// What of it counts: a token, else user and password, else what was encoded by hand.
    fn credential(self, front: &str) -> Result<Option<Credential>, &'static str> {
        let under = |field: &str, secret| Credential {
            key: format!("{front}:{field}"),
            secret,
        };
        let known = |value: Value, field: &str, make: fn(String) -> Secret| match value.unset {
            Some(variable) => under(field, Secret::Unset(variable)),
            None => under(field, make(value.text)),
        };
        if let Some(token) = self.token.filter(|token| !token.text.is_empty()) {
            return Ok(Some(known(token, "_authToken", Secret::Token)));
        }
        if let Some((user, password)) = self.user.zip(self.password) {
            if user.unset.is_some() {
                return Ok(Some(known(user, "username", Secret::Basic)));
            }
            if password.unset.is_some() {
                return Ok(Some(known(password, "_password", Secret::Basic)));
            }
            let password = base64::decode(&password.text).ok_or("it is not base64")?;
            let pair = [user.text.as_bytes(), b":", &password].concat();
            let basic = Secret::Basic(base64::encode(&pair));
            return Ok(Some(under("_password", basic)));
        }
        let auth = self.auth.filter(|auth| !auth.text.is_empty());
        Ok(auth.map(|auth| known(auth, "_auth", Secret::Basic)))
    }
}

/// Whether an address speaks `https`.
pub(crate) fn is_secure(url: &Url) -> bool {
    url.to_string().starts_with("https:")
}

/// Whether a path has a segment that a server may take for a way up.
pub(crate) fn climbs(url: &Url) -> bool {
    let plain = url.to_string().to_ascii_lowercase().replace("%2e", ".");
    plain
        .split(['/', '\\'])
        .any(|segment| matches!(segment, "." | ".."))
        || plain.contains("%5c")
}

/// Host, port and path as a key of an npmrc spells them, without a slash at the end.
fn place(url: &Url) -> String {
    let text = url.to_string();
    let place = text.split_once(':').map_or("", |(_, rest)| rest);
    place.trim_end_matches('/').to_owned()
}

fn host_part(place: &str) -> &str {
    let end = place.get(2..).and_then(|rest| rest.find('/'));
    end.map_or(place, |end| &place[..end + 2])
}

/// Host and port of an address, for people.
pub(crate) fn host(url: &Url) -> String {
    host_part(&place(url)).trim_start_matches('/').to_owned()
}

/// An address that may not be one, without user, password and query.
pub(crate) fn safe(text: &str) -> String {
    let shown = without_credentials(text);
    let shown = shown.split(['?', '#']).next().unwrap_or_default();
    let shown = match shown.rfind('@') {
        Some(at) => &shown[at + 1..],
        None => shown,
    };
    shown
        .chars()
        .take(200)
        .flat_map(char::escape_debug)
        .collect()
}

/// The npmrc of the user.
fn user_config(environment: &Environment) -> Option<AbsPath> {
    let home = environment.home.as_ref();
    let named = environment
        .var("npm_config_userconfig")
        .or_else(|| environment.var("NPM_CONFIG_USERCONFIG"));
    let Some(named) = named else {
        return home.map(|home| home.join(".npmrc"));
    };
    let below_home = named.to_str().and_then(|text| text.strip_prefix("~/"));
    match below_home.zip(home) {
        Some((rest, home)) => Some(home.join(rest)),
        None => Some(environment.cwd.join(named)),
    }
}

#[cfg(test)]
#[path = "registries_tests.rs"]
mod tests;
