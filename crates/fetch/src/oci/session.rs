//! One registry and repository in the course of a call: what is asked, and what is sent to log in.

use plugd_http::{HttpError, Limits, Method, Redirects, Request, Response, Retry, Url, header};
use plugd_model::{OciReference, hex, sha256_digest};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

use super::Oci;
use super::challenge::Challenge;
use super::docker_config::{self, HUB, Kept};
use super::manifest::{ACCEPT, Manifest};
use crate::registries::{host, is_secure};
use crate::{Access, FetchError};

/// Largest manifest, as most registries have it.
const MAX_MANIFEST: u64 = 4 << 20;

/// Largest answer with a token.
const MAX_TOKEN: u64 = 256 * 1024;

/// Where a registry says what it answered for.
pub(crate) const DIGEST_HEADER: &str = "docker-content-digest";

/// What is sent to a registry.
#[derive(Clone)]
pub(crate) enum Login {
    Nothing,
    Basic(String, String),
    Bearer(String),
}

/// One registry and repository, with the login that is known so far.
pub(crate) struct Session<'a> {
    oci: &'a Oci,
    reference: &'a OciReference,
    pub(crate) login: Login,
    access: Access,
}

/// Something that is asked for.
pub(crate) struct Asked<'a> {
    pub(crate) method: Method,
    pub(crate) path: &'a str,
    pub(crate) redirects: Redirects,
    pub(crate) limit: u64,
}

#[derive(Deserialize)]
struct RawToken {
    token: Option<String>,
    access_token: Option<String>,
}

impl<'a> Session<'a> {
    pub(crate) fn new(oci: &'a Oci, reference: &'a OciReference, login: Login) -> Self {
        let host = reference.host().to_owned();
        let access = match login {
            Login::Nothing => Access::NoLogin { host },
            Login::Basic(..) | Login::Bearer(_) => Access::Login { host },
        };
        Self {
            oci,
            reference,
            login,
            access,
        }
    }

    /// A manifest or index, with its digest. What was asked for by its digest has it.
    pub(crate) async fn manifest(
        &mut self,
        wanted: &str,
    ) -> Result<(String, Manifest), FetchError> {
        let path = format!("manifests/{wanted}");
        let response = self.ask(&Asked::manifest(&path)).await?;
        let said = response.header(DIGEST_HEADER).and_then(sha256_digest);
        let bytes = response
            .read_all(MAX_MANIFEST, std::future::pending())
            .await
            .map_err(|source| self.failed(source))?;
        let digest = format!("sha256:{}", hex(&Sha256::digest(&bytes)));
        let promised = match wanted.starts_with("sha256:") {
            true => Some(wanted.to_owned()),
            false => said,
        };
        if let Some(promised) = promised.filter(|promised| *promised != digest) {
            let reason = format!("its manifest has the digest {digest} and should have {promised}");
            return Err(self.unusable(reason));
        }
        match Manifest::parse(&bytes) {
            Ok(manifest) => Ok((digest, manifest)),
            Err(reason) => Err(self.unusable(reason)),
        }
    }

    /// The answer, if it is a success. A registry that wants a login is asked once more.
    pub(crate) async fn ask(&mut self, asked: &Asked<'_>) -> Result<Response, FetchError> {
        let mut response = self.send(asked).await?;
        let is_first = matches!(self.login, Login::Nothing);
        if response.status().as_u16() == 401 && is_first && self.is_here(&response) {
            self.log_in(&response).await?;
            if !matches!(self.login, Login::Nothing) {
                response = self.send(asked).await?;
            }
        }
        let subject = self.subject();
        // Behind a redirect another host answers, which was told nothing.
        let answered = host(response.url());
        let access = match self.is_here(&response) {
            true => self.access.clone(),
            false => Access::Elsewhere,
        };
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
                registry: self.reference.host().to_owned(),
                access,
            }),
            status => Err(FetchError::Status {
                subject,
                host: answered,
                status,
            }),
        }
    }

    async fn send(&self, asked: &Asked<'_>) -> Result<Response, FetchError> {
        let failed = |source| self.failed(source);
        let url = format!("{}{}", self.base(), asked.path);
        let request = Request::new(asked.method.clone(), &url).map_err(failed)?;
        let request = request.header(header::ACCEPT, ACCEPT).map_err(failed)?;
        let request = match &self.login {
            Login::Nothing => Ok(request),
            Login::Basic(user, password) => request.basic(user, password),
            Login::Bearer(token) => request.bearer(token),
        };
        let request = request.map_err(failed)?;
        let request = request.redirects(asked.redirects).limits(Limits {
            body_bytes: asked.limit,
            idle: self.oci.idle,
            ..Limits::CALL
        });
        self.read(request).await
    }

    async fn read(&self, request: Request) -> Result<Response, FetchError> {
        let read = self
            .oci
            .client
            .read(request, &Retry::READS, std::future::pending());
        read.await.map_err(|source| self.failed(source))
    }

    /// Finds out what to send, from what the registry wants and what the user has. Where that is
    /// nothing, the refusal stands.
    async fn log_in(&mut self, refusal: &Response) -> Result<(), FetchError> {
        let Some(challenge) = Challenge::of(refusal.headers()) else {
            return Ok(());
        };
        let (environment, disk) = (&self.oci.environment, &self.oci.disk);
        let host = self.reference.host().to_owned();
        let mut password = None;
        match docker_config::login(environment, disk, &host) {
            Kept::Nothing => {}
            Kept::Token(token) => {
                self.access = Access::Login { host };
                self.login = Login::Bearer(token);
                return Ok(());
            }
            Kept::Password(user, secret) => {
                self.access = Access::Login { host };
                password = Some((user, secret));
            }
            Kept::Unusable(reason) => self.access = Access::NotUsed { reason },
        }
        self.login = match (challenge, password) {
            (Challenge::Basic, Some((user, password))) => Login::Basic(user, password),
            (Challenge::Basic, None) => Login::Nothing,
            // Without a login too: what everybody may read has tokens for everybody.
            (
                Challenge::Bearer {
                    realm,
                    service,
                    scope,
                },
                password,
            ) => {
                let place = self.token_place(&realm, service.as_deref(), scope.as_deref())?;
                Login::Bearer(self.token(&place, password).await?)
            }
        };
        Ok(())
    }

    /// The address that hands out a token. Over a line that others read no login is sent.
    fn token_place(
        &self,
        realm: &str,
        service: Option<&str>,
        scope: Option<&str>,
    ) -> Result<String, FetchError> {
        let url = Url::parse(realm).map_err(|source| self.failed(source))?;
        let both_here = url.is_loopback() && self.reference.is_loopback();
        if !is_secure(&url) && !both_here {
            let reason = format!(
                "it wants logins to be sent to `{}` by plain http",
                host(&url)
            );
            return Err(self.unusable(reason));
        }
        let own = format!("repository:{}:pull", self.repository());
        // The registry knows how it calls the repository; reading one is all that is asked for.
        let scope = scope
            .filter(|scope| reads_one_repository(scope))
            .unwrap_or(&own);
        let mut place = realm.split('#').next().unwrap_or_default().to_owned();
        let mut mark = if place.contains('?') { '&' } else { '?' };
        let members = [("service", service), ("scope", Some(scope))];
        for (name, value) in members {
            if let Some(value) = value {
                place.push_str(&format!("{mark}{name}={}", escaped(value)));
                mark = '&';
            }
        }
        Ok(place)
    }

    async fn token(
        &self,
        place: &str,
        password: Option<(String, String)>,
    ) -> Result<String, FetchError> {
        let failed = |source| self.failed(source);
        let mut request = Request::get(place).map_err(failed)?;
        if let Some((user, password)) = password {
            request = request.basic(&user, &password).map_err(failed)?;
        }
        let request = request.limits(Limits {
            body_bytes: MAX_TOKEN,
            idle: self.oci.idle,
            ..Limits::CALL
        });
        let response = self.read(request).await?;
        let (status, answered) = (response.status().as_u16(), host(response.url()));
        match status {
            200 => {}
            401 | 403 => {
                return Err(FetchError::Refused {
                    subject: format!("a token for {}", self.subject()),
                    host: answered,
                    status,
                    access: self.access.clone(),
                });
            }
            status => {
                return Err(FetchError::Status {
                    subject: format!("a token for {}", self.subject()),
                    host: answered,
                    status,
                });
            }
        }
        let bytes = response
            .read_all(MAX_TOKEN, std::future::pending())
            .await
            .map_err(failed)?;
        let raw: Option<RawToken> = serde_json::from_slice(&bytes).ok();
        let token = raw.and_then(|raw| raw.token.or(raw.access_token));
        token
            .filter(|token| !token.is_empty())
            .ok_or_else(|| self.unusable(format!("`{answered}` answered without a token")))
    }

    /// Whether the registry itself answered.
    fn is_here(&self, response: &Response) -> bool {
        Url::parse(&self.base()).is_ok_and(|base| base.is_same_origin(response.url()))
    }

    /// Where the repository is, with a slash at the end.
    fn base(&self) -> String {
        let host = match self.reference.host() {
            // The name that everybody writes is not the one that answers.
            name if HUB.contains(&name) => HUB[2],
            name => name,
        };
        let scheme = if self.reference.is_loopback() {
            "http"
        } else {
            "https"
        };
        format!("{scheme}://{host}/v2/{}/", self.repository())
    }

    fn repository(&self) -> String {
        let repository = self.reference.repository();
        match HUB.contains(&self.reference.host()) && !repository.contains('/') {
            true => format!("library/{repository}"),
            false => repository.to_owned(),
        }
    }

    fn subject(&self) -> String {
        format!("`{}`", self.reference)
    }

    pub(crate) fn failed(&self, source: HttpError) -> FetchError {
        FetchError::Http {
            subject: self.subject(),
            host: self.reference.host().to_owned(),
            source,
        }
    }

    pub(crate) fn unusable(&self, reason: String) -> FetchError {
        FetchError::BadAnswer {
            package: self.reference.to_string(),
            registry: self.reference.host().to_owned(),
            reason,
        }
    }
}

impl<'a> Asked<'a> {
    pub(crate) fn manifest(path: &'a str) -> Self {
        Self {
            method: Method::GET,
            path,
            redirects: Redirects::SameHost,
            limit: MAX_MANIFEST,
        }
    }
}

/// Whether a scope is that of reading one repository, and of nothing else beside it.
fn reads_one_repository(scope: &str) -> bool {
    let name = scope.strip_prefix("repository:");
    let name = name.and_then(|rest| rest.strip_suffix(":pull"));
    name.is_some_and(|name| !name.is_empty() && !name.contains([' ', ',', ':']))
}

/// A value as it stands in a query.
fn escaped(value: &str) -> String {
    let mut text = String::with_capacity(value.len());
    for byte in value.bytes() {
        match byte.is_ascii_alphanumeric() || b"-._~:/,".contains(&byte) {
            true => text.push(char::from(byte)),
            false => text.push_str(&format!("%{byte:02X}")),
        }
    }
    text
}
