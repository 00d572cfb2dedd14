//! Content as a team distributes it: artifacts of OCI registries, and archives behind addresses.
//!
//! Both are one stream that is unpacked while it comes. Where everything lies in one directory of the
//! archive, as the tools that make them pack a directory, that directory is the content.

use plugd_disk::{Disk, Kind};
use plugd_fetch::{BundleAddress, Bundles, Chunks, Integrity, Rules, Unpacked, joined, unpack};
use plugd_model::{AbsPath, OciReference};

use crate::call::Call;
use crate::fetcher::{Content, Fetcher};
use crate::{Blocking, Error};

/// Directories of a plugin that may stand alone: content and no wrapping of it.
const PARTS: [&str; 5] = ["agents", "assets", "commands", "hooks", "skills"];

impl Fetcher {
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
    ) -> Result<Content, Error> {
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
        settle(blocking, disk, dest, artifact.digest, unpacked).await
    }

    /// Brings an archive, with this digest where one is known. What it meant is the digest that it
    /// has.
    pub(crate) async fn archive(
        &self,
        call: &Call,
        blocking: &Blocking,
        disk: &Disk,
        url: &str,
        expected: Option<&str>,
        dest: AbsPath,
    ) -> Result<Content, Error> {
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
        let bundles = Bundles::over(self.oci.client().clone());
        let download = bundles.download(&address, sender, moved, call.cancel.cancelled());
        let (unpacked, downloaded) = tokio::join!(section, download);
        let unpacked = joined(downloaded, unpacked?)?;
        let digest = format!("sha256:{}", unpacked.sha256);
        settle(blocking, disk, dest, digest, unpacked).await
    }
}

/// The section that unpacks what comes.
fn unpacking(
    call: &Call,
    disk: &Disk,
    chunks: Chunks,
    dest: &AbsPath,
    rules: Rules,
) -> impl FnOnce() -> Result<Result<Unpacked, plugd_fetch::FetchError>, Error> + Send + 'static {
    let (disk, pace, dest) = (disk.clone(), call.clone(), dest.clone());
    move || Ok(unpack(&disk, chunks, &dest, &rules, &pace))
}

async fn settle(
    blocking: &Blocking,
    disk: &Disk,
    dest: AbsPath,
    digest: String,
    unpacked: Unpacked,
) -> Result<Content, Error> {
    let disk = disk.clone();
    let dir = blocking.read(move || content_of(&disk, dest)).await?;
    Ok(Content {
        dir,
        commit: Some(digest),
        // Nobody says when an archive was made.
        committed_at: None,
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
