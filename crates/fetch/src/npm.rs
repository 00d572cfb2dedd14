//! Packages of npm registries: what a request means, and the archive of it.
//!
//! A registry is asked for the short form of what it knows about a package; the archive is wherever
//! the registry says, but only under the rules for any address: `https`, and plain http on this
//! machine only if the registry is there too. Nothing is kept between two calls but connections: the
//! npmrc is read anew each time, so a login that was repaired counts at once.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use plugd_disk::Disk;
use plugd_http::{
    Bytes, Client, HttpError, Limits, Redirects, Request, Response, Retry, Settings, Url, header,
};
use plugd_model::{AbsPath, Environment, Problem};
use tokio::sync::mpsc;

use crate::download::{pour, too_large, unless};
use crate::packument::{self, Asked};
use crate::registries::{Registries, Registry, climbs, host, is_secure, safe};
use crate::{Access, FetchError, Integrity, Rules, VersionFault};

/// The short form of a package's document, and the long one where there is no other.
const ACCEPT: &str =
    "application/vnd.npm.install-v1+json; q=1.0, application/json; q=0.8, */*; q=0.1";

/// Largest document about a package; the largest ones of the public registry have some 30 MiB.
const MAX_DOCUMENT: u64 = 64 << 20;

/// Longest name of a package, as the registry has it.
const MAX_NAME: usize = 214;

/// The way to npm registries. Clones share connections; making one reads and contacts nothing.
#[derive(Clone)]
pub struct Npm {
    environment: Environment,
    disk: Disk,
    user_agent: String,
    idle: Duration,
    client: Arc<Mutex<Option<Trusting>>>,
}

/// A client, and the file with certificates that it trusts beside the system's.
struct Trusting {
    ca_file: Option<AbsPath>,
    client: Client,
}

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Package {
    /// `name` or `@scope/name`.
    pub name: String,
    /// An exact version, a range or a tag; `None` means the tag `latest`.
    pub version: Option<String>,
    /// The registry; `None` means the user's.
    pub registry: Option<String>,
}

/// An archive that a registry offers: exactly one version of a package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tarball {
    /// The name of the package.
    pub name: String,
    /// Its exact version.
    pub version: String,
    /// Where the archive is, without user and password.
    pub url: String,
    /// What it must hash to.
    pub integrity: Integrity,
    /// The registry that answered, without user and password.
    pub registry: String,
    /// What is worth knowing: a deprecated version, versions that were passed over, settings of the
    /// npmrc that were not honoured.
    pub problems: Vec<Problem>,
}

/// Something that is fetched, and what is to be said when it cannot be.
struct Wanted<'a> {
    subject: String,
    registry: &'a str,
    host: String,
    access: Access,
}

impl Npm {
    /// The way to the registries that the environment and the user's npmrc name.
    #[must_use]
    pub fn new(environment: &Environment, disk: &Disk, user_agent: &str) -> Self {
        Self {
            environment: environment.clone(),
            disk: disk.clone(),
            user_agent: user_agent.to_owned(),
            idle: Limits::CALL.idle,
            client: Arc::default(),
        }
    }

    /// The same with another time that a server may be silent.
    #[must_use]
    pub fn with_idle(mut self, idle: Duration) -> Self {
        self.idle = idle;
        self
    }

    /// What a request means right now: the exact version, where its archive is and its digest.
    ///
    /// # Errors
    /// The registry cannot be asked, or has no such thing.
    pub async fn resolve(
        &self,
        package: &Package,
        cancel: impl Future<Output = ()>,
    ) -> Result<Tarball, FetchError> {
        unless(cancel, self.ask(package)).await
    }

    /// Brings an archive, chunk by chunk, to a section that unpacks it; see [`crate::Chunks`].
    /// `moved` is told after each chunk how many bytes have come so far, and how many there will be
    /// where the server says so.
    ///
    /// # Errors
    /// The server cannot be asked or breaks off, or nobody takes the chunks any more.
    pub async fn download(
        &self,
        tarball: &Tarball,
        chunks: mpsc::Sender<Bytes>,
        moved: impl FnMut(u64, Option<u64>),
        cancel: impl Future<Output = ()>,
    ) -> Result<(), FetchError> {
        unless(cancel, self.bring(tarball, chunks, moved)).await
    }

    async fn ask(&self, package: &Package) -> Result<Tarball, FetchError> {
        if !is_name(&package.name) {
            let name = package.name.chars().take(MAX_NAME).collect();
            return Err(FetchError::BadName { name });
        }
        let registries = Registries::load(&self.environment, &self.disk)?;
        let registry = registries.registry(&package.name, package.registry.as_deref())?;
        let url = format!("{}{}", registry.text, package.name.replace('/', "%2f"));
        let subject = format!("the package `{}`", package.name);
        let (request, wanted) = wanted(&registries, &registry, &url, subject, true)?;
        let request = request
            .header(header::ACCEPT, ACCEPT)
            .map_err(|source| wanted.failed(source))?
            .limits(self.limits(MAX_DOCUMENT));
        let client = self.client(&registries);
        let response = wanted.read(&client, request).await?;
        if let Some(coding) = response.header("content-encoding").filter(is_coded) {
            let coding = coding.chars().take(40).flat_map(char::escape_debug);
            return Err(FetchError::BadAnswer {
                package: package.name.clone(),
                registry: registry.text,
                reason: format!("it is encoded as {}", coding.collect::<String>()),
            });
        }
        let document = response
            .read_all(MAX_DOCUMENT, std::future::pending())
            .await
            .map_err(|source| wanted.failed(source))?;
        let asked = Asked {
            package: &package.name,
            version: package.version.as_deref(),
            registry: &registry.text,
        };
        let picked = packument::pick(&document, asked)?;
        let url = check_place(&picked.tarball, &registry).map_err(|fault| {
            let package = package.name.clone();
            let version = picked.version.clone();
            FetchError::BadVersion {
                package,
                version,
                fault,
            }
        })?;
        let mut problems = registries.problems().to_vec();
        if registries.ca_file().is_some() {
            problems.extend_from_slice(client.problems());
        }
        problems.extend(picked.problems);
        Ok(Tarball {
            name: package.name.clone(),
            version: picked.version,
            url,
            integrity: picked.integrity,
            registry: registry.text,
            problems,
        })
    }

    async fn bring(
        &self,
        tarball: &Tarball,
        chunks: mpsc::Sender<Bytes>,
        mut moved: impl FnMut(u64, Option<u64>),
    ) -> Result<(), FetchError> {
        let registries = Registries::load(&self.environment, &self.disk)?;
        let registry = registries.registry(&tarball.name, Some(&tarball.registry))?;
        let url = check_place(&tarball.url, &registry).map_err(|fault| FetchError::BadVersion {
            package: tarball.name.clone(),
            version: tarball.version.clone(),
            fault,
        })?;
        let subject = format!("the archive of `{}` {}", tarball.name, tarball.version);
        // Elsewhere than at the registry the archive must be free to fetch: the registry does not
        // choose where else the user's credentials are sent.
        let is_at_registry = Url::parse(&url).is_ok_and(|url| url.is_same_origin(&registry.url));
        let (request, wanted) = wanted(&registries, &registry, &url, subject, is_at_registry)?;
        let limit = Rules::new().archive_bytes;
        let request = request
            .redirects(Redirects::AnyHttps)
            .limits(self.limits(limit));
        let client = self.client(&registries);
        let failed = |source| too_large(source, limit, |source| wanted.failed(source));
        let response = wanted.read(&client, request).await?;
        let taken = |_: &Bytes, so_far, expected| moved(so_far, expected);
        pour(response, chunks, taken, failed).await.map(drop)
    }

    fn limits(&self, body_bytes: u64) -> Limits {
        Limits {
            body_bytes,
            idle: self.idle,
            ..Limits::CALL
        }
    }

    /// The client, which is made anew only when other certificates are to be trusted.
    fn client(&self, registries: &Registries) -> Client {
        let ca_file = registries.ca_file();
        // A client is always whole, whatever another thread did with the lock.
        let mut kept = self.client.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(kept) = kept
            .as_ref()
            .filter(|kept| kept.ca_file.as_ref() == ca_file)
        {
            return kept.client.clone();
        }
        let mut settings = Settings::from_environment(&self.environment, self.user_agent.clone());
        settings.extra_roots.extend(ca_file.cloned());
        let client = Client::new(settings, self.disk.clone());
        *kept = Some(Trusting {
            ca_file: ca_file.cloned(),
            client: client.clone(),
        });
        client
    }
}

impl Wanted<'_> {
    /// The answer, if it is a success.
    async fn read(&self, client: &Client, request: Request) -> Result<Response, FetchError> {
        let response = client
            .read(request, &Retry::READS, std::future::pending())
            .await
            .map_err(|source| self.failed(source))?;
        let subject = self.subject.clone();
        // Behind a redirect another host answers, which was told nothing.
        let answered = host(response.url());
        let access = self.access.clone();
        match response.status().as_u16() {
            200 => Ok(response),
            status @ (401 | 403) => Err(FetchError::Refused {
                subject,
                host: answered,
                status,
                access,
            }),
            404 => Err(FetchError::NotFound {
                subject,
                registry: self.registry.to_owned(),
                access,
            }),
            status => Err(FetchError::Status {
                subject,
                host: answered,
                status,
            }),
        }
    }

    fn failed(&self, source: HttpError) -> FetchError {
        FetchError::Http {
            subject: self.subject.clone(),
            host: self.host.clone(),
            source,
        }
    }
}

impl fmt::Debug for Npm {
    /// Without the environment, which holds secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Npm")
            .field("user_agent", &self.user_agent)
            .field("idle", &self.idle)
            .finish_non_exhaustive()
    }
}

/// A read of an address, with the credential for it.
fn wanted<'a>(
    registries: &Registries,
    registry: &'a Registry,
    url: &str,
    subject: String,
    may_log_in: bool,
) -> Result<(Request, Wanted<'a>), FetchError> {
    match registries.request(url, may_log_in) {
        Ok((request, access)) => {
            let wanted = Wanted {
                subject,
                registry: &registry.text,
                host: host(request.url()),
                access,
            };
            Ok((request, wanted))
        }
        Err(source) => Err(FetchError::Http {
            subject,
            host: host(&registry.url),
            source,
        }),
    }
}

/// The address of an archive without user and password, if it may be fetched.
fn check_place(text: &str, registry: &Registry) -> Result<String, VersionFault> {
    let refuse = |reason: &str| VersionFault::BadUrl {
        url: safe(text),
        reason: reason.to_owned(),
    };
    let plain = plugd_model::git_url::without_user_info(text);
    let url = match Url::parse(&plain) {
        Ok(url) => url,
        Err(HttpError::BadUrl { reason, .. }) => return Err(refuse(reason)),
        Err(_) => return Err(refuse("it cannot be read")),
    };
    let both_here = url.is_loopback() && registry.url.is_loopback() && !is_secure(&registry.url);
    if !is_secure(&url) && !both_here {
        return Err(refuse("it must begin with `https://`"));
    }
    if climbs(&url) {
        return Err(refuse("its path climbs"));
    }
    Ok(plain)
}

/// Whether a text can be the name of a package: it becomes a part of an address.
fn is_name(name: &str) -> bool {
    let legal = |part: &str| {
        !matches!(part, "" | "." | "..")
            && part
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
    };
    name.len() <= MAX_NAME
        && match name.strip_prefix('@') {
            Some(scoped) => scoped
                .split_once('/')
                .is_some_and(|(scope, name)| legal(scope) && legal(name)),
            None => legal(name) && !name.starts_with(['.', '_']),
        }
}

fn is_coded(coding: &&str) -> bool {
    !matches!(*coding, "" | "identity")
}

#[cfg(test)]
mod tests;
