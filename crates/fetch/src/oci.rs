//! Artifacts of OCI registries: what a tag means, and the one archive behind it.
//!
//! A registry is asked by the distribution API, over `https`, and over plain http on this machine
//! only. What a tag means is the digest of its manifest; everything behind it is named by a digest
//! and checked against it, so that neither the registry nor whoever stores its blobs can bring
//! something else. Nothing is kept between two calls but connections.
//!
//! Invariants:
//! - Nobody is told who asks before the registry wants to know. A login goes to the registry, or to
//!   the place that hands out its tokens; a blob that lies elsewhere is fetched without.
//! - A token is asked for one repository and for reading.
//! - A manifest, an index behind it and a token are read up to a limit; a blob has no more bytes
//!   than its manifest says.

mod challenge;
mod docker_config;
mod manifest;
mod session;

use std::fmt;
use std::time::Duration;

use plugd_disk::Disk;
use plugd_http::{Bytes, Client, Limits, Method, Redirects, Settings};
use plugd_model::{Environment, OciReference, sha256_digest};
use tokio::sync::mpsc;

use crate::download::{pour, too_large, unless};
use crate::{FetchError, Integrity, Over, Rules};
use manifest::{Descriptor, Manifest};
use session::{Asked, DIGEST_HEADER, Login, Session};

/// The way to OCI registries. Clones share connections; making one reads and contacts nothing.
#[derive(Clone)]
pub struct Oci {
    environment: Environment,
    disk: Disk,
    client: Client,
    idle: Duration,
}

/// What a reference means right now: exactly one archive. Its `Debug` text shows no login.
#[derive(Clone)]
pub struct Artifact {
    /// The reference that was asked for.
    pub reference: OciReference,
    /// The digest of what it names: `sha256:` and 64 digits.
    pub digest: String,
    /// What the archive must hash to.
    pub integrity: Integrity,
    layer: Descriptor,
    login: Login,
}

impl Oci {
    /// The way to registries, with the logins of the user's docker config.
    #[must_use]
    pub fn new(environment: &Environment, disk: &Disk, user_agent: &str) -> Self {
        let settings = Settings::from_environment(environment, user_agent);
        Self {
            environment: environment.clone(),
            disk: disk.clone(),
            client: Client::new(settings, disk.clone()),
            idle: Limits::CALL.idle,
        }
    }

    /// The same with another time that a server may be silent.
    #[must_use]
    pub fn with_idle(mut self, idle: Duration) -> Self {
        self.idle = idle;
        self
    }

    /// The client, for archives that lie behind plain addresses.
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// The digest that a reference means right now. One with a digest means that one, and nobody is
    /// asked; else it costs one request without a body, and a token where one is wanted.
    ///
    /// # Errors
    /// The registry cannot be asked, or has no such thing.
    pub async fn digest(
        &self,
        reference: &OciReference,
        cancel: impl Future<Output = ()>,
    ) -> Result<String, FetchError> {
        unless(cancel, self.look(reference)).await
    }

    /// What a reference means right now: its digest, and the archive behind it.
    ///
    /// # Errors
    /// The registry cannot be asked, or has no such thing, or it is no one archive.
    pub async fn resolve(
        &self,
        reference: &OciReference,
        cancel: impl Future<Output = ()>,
    ) -> Result<Artifact, FetchError> {
        unless(cancel, self.ask(reference)).await
    }

    /// Brings the archive of an artifact, chunk by chunk, to a section that unpacks it; see
    /// [`crate::Chunks`] and [`Rules::archive`], which must be given the artifact's digest. `moved`
    /// is told after each chunk how many bytes have come so far, and how many there will be.
    ///
    /// # Errors
    /// The registry cannot be asked or breaks off, or nobody takes the chunks any more.
    pub async fn download(
        &self,
        artifact: &Artifact,
        chunks: mpsc::Sender<Bytes>,
        moved: impl FnMut(u64, Option<u64>),
        cancel: impl Future<Output = ()>,
    ) -> Result<(), FetchError> {
        unless(cancel, self.bring(artifact, chunks, moved)).await
    }

    async fn look(&self, reference: &OciReference) -> Result<String, FetchError> {
        if let Some(digest) = reference.digest() {
            return Ok(digest.to_owned());
        }
        let mut session = Session::new(self, reference, Login::Nothing);
        let path = format!("manifests/{}", reference.wanted());
        let asked = Asked {
            method: Method::HEAD,
            ..Asked::manifest(&path)
        };
        let answered = session.ask(&asked).await?;
        match answered.header(DIGEST_HEADER).map(sha256_digest) {
            Some(Some(digest)) => Ok(digest),
            // Some registries do not say; then the manifest does.
            _ => session
                .manifest(reference.wanted())
                .await
                .map(|(digest, _)| digest),
        }
    }

    async fn ask(&self, reference: &OciReference) -> Result<Artifact, FetchError> {
        let mut session = Session::new(self, reference, Login::Nothing);
        let (digest, mut found) = session.manifest(reference.wanted()).await?;
        if let Manifest::Index(inner) = found {
            (_, found) = session.manifest(&inner.digest).await?;
        }
        let Manifest::Archive(layer) = found else {
            return Err(session.unusable("its index leads to another index".to_owned()));
        };
        let most = Rules::archive(None).archive_bytes;
        if layer.size > most {
            let over = Over::ArchiveBytes(most);
            return Err(FetchError::OverLimit { over, at: None });
        }
        let Some(integrity) = Integrity::from_sha256(&layer.digest) else {
            return Err(session.unusable("its layer has no SHA-256".to_owned()));
        };
        Ok(Artifact {
            reference: reference.clone(),
            digest,
            integrity,
            layer,
            login: session.login,
        })
    }

    async fn bring(
        &self,
        artifact: &Artifact,
        chunks: mpsc::Sender<Bytes>,
        mut moved: impl FnMut(u64, Option<u64>),
    ) -> Result<(), FetchError> {
        let Descriptor { digest, size } = &artifact.layer;
        let mut session = Session::new(self, &artifact.reference, artifact.login.clone());
        let path = format!("blobs/{digest}");
        let asked = Asked {
            method: Method::GET,
            path: &path,
            redirects: Redirects::AnyHttps,
            limit: *size,
        };
        let response = session.ask(&asked).await?;
        let failed = |source| too_large(source, *size, |source| session.failed(source));
        let taken = |_: &Bytes, so_far, expected: Option<u64>| {
            moved(so_far, expected.or(Some(*size)));
        };
        pour(response, chunks, taken, failed).await.map(drop)
    }
}

impl fmt::Debug for Oci {
    /// Without the environment, which holds secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Oci")
            .field("idle", &self.idle)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Artifact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Artifact")
            .field("reference", &self.reference)
            .field("digest", &self.digest)
            .field("layer", &self.layer)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
