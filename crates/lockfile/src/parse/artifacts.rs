//! Artifacts of registries and archives as a lock names them: the digest stands apart, because it is
//! what the lock has found out and not what the marketplace says.

use plugd_model::{ArchiveUrl, OciReference, PackedOrigin, sha256_digest};

const APART: &str = "the digest stands in the block of the plugin";

/// A reference without a digest.
pub(super) fn reference(text: &str) -> Result<OciReference, &'static str> {
    let reference = OciReference::parse(text)?;
    match reference.digest() {
        None => Ok(reference),
        Some(_) => Err(APART),
    }
}

/// The address of an archive without a digest.
pub(super) fn url(text: &str) -> Result<String, &'static str> {
    let url = ArchiveUrl::parse(text)?;
    match url.digest() {
        None => Ok(url.url().to_owned()),
        Some(_) => Err(APART),
    }
}

/// A marketplace of a registry or behind an address. A digest in it is what its user wants.
pub(super) fn marketplace(word: &str) -> impl Fn(&str) -> Result<PackedOrigin, &'static str> {
    move |text| {
        let origin = PackedOrigin::parse(text)?;
        match origin.word() == word {
            true => Ok(origin),
            false => Err("this is `oci` with `oci://`, or `archive` with `https://`"),
        }
    }
}

/// What an artifact or archive was, in the one form.
pub(super) fn digest(text: &str) -> Result<String, &'static str> {
    let digest = sha256_digest(text).filter(|digest| digest == text);
    digest.ok_or("this is `sha256:` with 64 small hexadecimal digits")
}
