//! What a registry says about an artifact: a manifest with its one layer, or an index that leads to
//! one.
//!
//! A layer is a stranger's word until its bytes were hashed. What says of itself that it is several
//! archives, or another kind of content, is refused: which of them would be meant?

use plugd_model::sha256_digest;
use serde::Deserialize;

/// What may be answered for a tag or digest, best first.
pub(crate) const ACCEPT: &str = "application/vnd.oci.image.manifest.v1+json, \
     application/vnd.oci.image.index.v1+json, \
     application/vnd.docker.distribution.manifest.v2+json, \
     application/vnd.docker.distribution.manifest.list.v2+json";

/// What marks a manifest in an index that only describes its neighbour.
const REFERENCE_TYPE: &str = "vnd.docker.reference.type";

/// Something with a digest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Descriptor {
    /// `sha256:` and 64 small digits.
    pub(crate) digest: String,
    /// How many bytes it has, as the manifest says.
    pub(crate) size: u64,
}

/// What was answered.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Manifest {
    /// One archive.
    Archive(Descriptor),
    /// The one manifest of an index.
    Index(Descriptor),
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Raw {
    layers: Option<Vec<RawDescriptor>>,
    manifests: Option<Vec<RawDescriptor>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawDescriptor {
    media_type: Option<String>,
    digest: String,
    size: u64,
    annotations: Option<serde_json::Map<String, serde_json::Value>>,
}

impl Manifest {
    /// Reads an answer.
    ///
    /// # Errors
    /// It cannot be used; the text says why.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, String> {
        let raw: Raw = serde_json::from_slice(bytes).map_err(|error| {
            let (line, column) = (error.line(), error.column());
            format!("its manifest cannot be read at line {line}, column {column}")
        })?;
        match (raw.layers, raw.manifests) {
            (Some(layers), None) => Ok(Self::Archive(archive(&layers)?)),
            (None, Some(manifests)) => {
                let meant = manifests.iter().filter(|one| !one.describes_another());
                let meant: Vec<_> = meant.collect();
                match meant.as_slice() {
                    [one] => Ok(Self::Index(one.checked()?)),
                    several => Err(format!(
                        "its index has {} manifests, and one is expected; name one by its digest",
                        several.len()
                    )),
                }
            }
            _ => Err("what it has is neither a manifest with layers nor an index".to_owned()),
        }
    }
}

/// The one archive of a manifest.
fn archive(layers: &[RawDescriptor]) -> Result<Descriptor, String> {
    let [layer] = layers else {
        return Err(format!(
            "it has {} layers, and one archive is expected",
            layers.len()
        ));
    };
    let media_type = layer.media_type.as_deref().unwrap_or_default();
    if media_type.to_ascii_lowercase().contains("zstd") {
        let shown: String = media_type
            .chars()
            .take(80)
            .flat_map(char::escape_debug)
            .collect();
        return Err(format!(
            "its layer is `{shown}`; only tar and gzip are unpacked"
        ));
    }
    layer.checked()
}

impl RawDescriptor {
    fn describes_another(&self) -> bool {
        let annotations = self.annotations.as_ref();
        annotations.is_some_and(|annotations| annotations.contains_key(REFERENCE_TYPE))
    }

    fn checked(&self) -> Result<Descriptor, String> {
        let is_sha256 = self.digest.starts_with("sha256:");
        let digest = is_sha256.then(|| sha256_digest(&self.digest)).flatten();
        let digest = digest.ok_or_else(|| {
            let shown: String = self
                .digest
                .chars()
                .take(80)
                .flat_map(char::escape_debug)
                .collect();
            format!("it names the digest `{shown}`, which is no SHA-256")
        })?;
        Ok(Descriptor {
            digest,
            size: self.size,
        })
    }
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;
    use serde_json::{Value, json};

    use super::{Descriptor, Manifest};

    fn digest() -> String {
        format!("sha256:{}", "ab".repeat(32))
    }

    fn layer(media_type: &str) -> Value {
        json!({"mediaType": media_type, "digest": digest(), "size": 7, "annotations": {"t": "x"}})
    }

    #[track_caller]
    fn check(document: &Value, expected: Manifest) {
        assert_eq!(
            Manifest::parse(document.to_string().as_bytes()),
            Ok(expected)
        );
    }

    #[track_caller]
    fn refused(document: &Value, named: &str) {
        let why = Manifest::parse(document.to_string().as_bytes()).unwrap_err();
        assert!(why.contains(named), "{why}");
    }

    fn meant() -> Descriptor {
        Descriptor {
            digest: digest(),
            size: 7,
        }
    }

    #[test]
    fn one_layer() {
        for media_type in [
            "application/vnd.oci.image.layer.v1.tar+gzip",
            "application/vnd.oci.image.layer.v1.tar",
            "application/vnd.docker.image.rootfs.diff.tar.gzip",
            "application/vnd.example.bundle.v1+tar",
        ] {
            let document = json!({"schemaVersion": 2, "layers": [layer(media_type)], "config": {}});
            check(&document, Manifest::Archive(meant()));
        }
        refused(&json!({"layers": []}), "0 layers");
        refused(&json!({"layers": [layer("a"), layer("b")]}), "2 layers");
        refused(
            &json!({"layers": [layer("x.tar+zstd")]}),
            "only tar and gzip",
        );
    }

    #[test]
    fn an_index_with_one_manifest() {
        let mut about = layer("application/vnd.oci.image.manifest.v1+json");
        about["annotations"] = json!({"vnd.docker.reference.type": "attestation-manifest"});
        let one = layer("application/vnd.oci.image.manifest.v1+json");
        check(
            &json!({"manifests": [one, about]}),
            Manifest::Index(meant()),
        );
        refused(&json!({"manifests": [one, one]}), "2 manifests");
        refused(&json!({"manifests": []}), "0 manifests");
    }

    #[test]
    fn what_is_no_manifest() {
        refused(&json!({}), "neither");
        refused(&json!({"layers": [], "manifests": []}), "neither");
        refused(
            &json!({"layers": [{"digest": "sha256:00", "size": 1}]}),
            "no SHA-256",
        );
        let bare = "ab".repeat(32);
        refused(
            &json!({"layers": [{"digest": bare, "size": 1}]}),
            "no SHA-256",
        );
        refused(
            &json!({"layers": [{"digest": digest(), "size": -1}]}),
            "line 1",
        );
        assert!(Manifest::parse(b"<html>").is_err());
        assert!(Manifest::parse("[".repeat(100_000).as_bytes()).is_err());
    }
}
