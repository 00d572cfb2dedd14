//! Content as a team distributes it: artifacts of OCI registries, and archives behind addresses.
//!
//! Both are one stream that is unpacked while it comes. Where everything lies in one directory of the
//! archive, as the tools that make them pack a directory, that directory is the content.

use plugd_disk::{Disk, Kind};
use plugd_fetch::{BundleAddress, Bundles, Chunks, FetchError, Integrity, Rules, joined, unpack};
use plugd_model::{AbsPath, OciReference, PackedOrigin, Problem};

use crate::call::Call;
use crate::fetcher::{Content, Fetcher};
use crate::{Blocking, Error};

/// Directories of a plugin that may stand alone: content and no wrapping of it.
const PARTS: [&str; 5] = ["agents", "assets", "commands", "hooks", "skills"];

/// What came of an artifact or archive, in a directory.
#[derive(Debug)]
pub(crate) struct Unpacked {
    /// The directory with the content.
    pub(crate) dir: AbsPath,
    /// The digest of what was asked for: of the artifact, or of the archive itself.
    pub(crate) digest: String,
    /// The mark that the server of an archive gave it.
    pub(crate) etag: Option<String>,
    /// What is not as it should be and does no harm.
    pub(crate) problems: Vec<Problem>,
}

impl From<Unpacked> for Content {
    fn from(unpacked: Unpacked) -> Self {
        let Unpacked {
            dir,
            digest,
            etag: _,
            problems,
        } = unpacked;
        Self {
            dir,
            commit: Some(digest),
            // Nobody says when an archive was made.
            committed_at: None,
            problems,
        }
    }
}

impl Fetcher {
    /// Brings what an origin means right now. Where it is an archive that still has this mark, it does
    /// not come again.
    ///
    /// # Errors
    /// It cannot be had; [`FetchError::NotModified`] when it is what has the mark.
    pub(crate) async fn packed(
        &self,
        call: &Call,
        blocking: &Blocking,
        disk: &Disk,
        origin: &PackedOrigin,
        etag: Option<&str>,
        dest: AbsPath,
    ) -> Result<Unpacked, Error> {
        match origin {
            PackedOrigin::Oci(reference) => {
                self.artifact(call, blocking, disk, reference, dest).await
            }
            PackedOrigin::Archive(url) => {
                let known = (url.digest(), etag);
                self.archive(call, blocking, disk, url.url(), known, dest)
                    .await
            }
        }
    }

    /// The digest that a reference means right now; nothing is fetched.
    pub(crate) async fn tagged(
        &self,
        call: &Call,
        reference: &OciReference,
    ) -> Result<String, Error> {
        call.progress.report("resolving", 0, None);
        let digest = self.oci.digest(reference, call.cancel.cancelled()).await;
        digest.map_err(Error::from)
    }

    /// Brings an artifact. What it meant is the digest that its tag has in the registry.
    pub(crate) async fn artifact(
        &self,
        call: &Call,
        blocking: &Blocking,
        disk: &Disk,
        reference: &OciReference,
        dest: AbsPath,
    ) -> Result<Unpacked, Error> {
        call.progress.report("resolving", 0, None);
        let artifact = self.oci.resolve(reference, call.cancel.cancelled()).await?;
        let rules = Rules::archive(Some(artifact.integrity.clone()));
        let (sender, chunks) = Chunks::channel();
        let section = blocking.transfer(unpacking(call, disk, chunks, &dest, rules));
        let progress = call.progress.clone();
        let moved = move |bytes, total| progress.report("fetching", bytes, total);
        let cancelled = call.cancel.cancelled();
        let download = self.oci.download(&artifact, sender, moved, cancelled);
        let (unpacked, downloaded) = tokio::join!(section, download);
        let unpacked = joined(downloaded, unpacked?)?;
        settle(blocking, disk, dest, artifact.digest, None, unpacked).await
    }

    /// Brings an archive, with this digest where one is known, and unless it still has the mark that
    /// an earlier answer gave it. What it meant is the digest that it has.
    pub(crate) async fn archive(
        &self,
        call: &Call,
        blocking: &Blocking,
        disk: &Disk,
        url: &str,
        (expected, etag): (Option<&str>, Option<&str>),
        dest: AbsPath,
    ) -> Result<Unpacked, Error> {
        let bad = |field, reason: String| Error::BadValue { field, reason };
        // The address was read with its marketplace, and holds plain http for this machine only.
        let address = BundleAddress::parse(url, true);
        let address = address.map_err(|error| bad("url", error.to_string()))?;
        let integrity = match expected {
            Some(digest) => {
                let reason = || bad("sha256", "it is no SHA-256".to_owned());
                Some(Integrity::from_sha256(digest).ok_or_else(reason)?)
            }
            None => None,
        };
        let rules = Rules::archive(integrity);
        let (sender, chunks) = Chunks::channel();
        let section = blocking.transfer(unpacking(call, disk, chunks, &dest, rules));
        let progress = call.progress.clone();
        let moved = move |bytes, total| progress.report("fetching", bytes, total);
        let bundles = Bundles::over(self.oci.client().clone()).of("the archive");
        let cancelled = call.cancel.cancelled();
        let download = bundles.download_changed(&address, etag, sender, moved, cancelled);
        let (unpacked, downloaded) = tokio::join!(section, download);
        let mark = downloaded.as_ref().ok().and_then(|came| came.etag.clone());
        let unpacked = joined(downloaded, unpacked?)?;
        let digest = format!("sha256:{}", unpacked.sha256);
        settle(blocking, disk, dest, digest, mark, unpacked).await
    }
}

/// The section that unpacks what comes.
fn unpacking(
    call: &Call,
    disk: &Disk,
    chunks: Chunks,
    dest: &AbsPath,
    rules: Rules,
) -> impl FnOnce() -> Result<Result<plugd_fetch::Unpacked, FetchError>, Error> + Send + 'static {
    let (disk, pace, dest) = (disk.clone(), call.clone(), dest.clone());
    move || Ok(unpack(&disk, chunks, &dest, &rules, &pace))
}

async fn settle(
    blocking: &Blocking,
    disk: &Disk,
    dest: AbsPath,
    digest: String,
    etag: Option<String>,
    unpacked: plugd_fetch::Unpacked,
) -> Result<Unpacked, Error> {
    let disk = disk.clone();
    let dir = blocking.read(move || content_of(&disk, dest)).await?;
    Ok(Unpacked {
        dir,
        digest,
        etag,
        problems: unpacked.left_out,
    })
}

/// The directory that an archive means: the one that wraps everything, or the archive itself.
fn content_of(disk: &Disk, dest: AbsPath) -> Result<AbsPath, Error> {
    let entries = disk.list(&dest)?;
    let [only] = entries.as_slice() else {
        return Ok(dest);
    };
    let name = only.name.to_string_lossy();
    let is_part = name.starts_with('.') || PARTS.contains(&name.as_ref());
    match only.kind {
        Kind::Dir if !is_part => Ok(dest.join(&only.name)),
        _ => Ok(dest),
    }
}
