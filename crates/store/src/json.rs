//! The JSON form of records, leases and journals.
//!
//! Domain values know nothing of it. Readers ignore unknown members and writers keep them; a value
//! that cannot be understood spoils the file it stands in, with a reason for people.

use std::collections::BTreeSet;

use plugd_disk::tree::Digest;
use plugd_model::{
    AbsPath, OciReference, PackedOrigin, PluginId, RemotePluginId, Source, VersionSegment,
};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value, json};

use crate::record::{Before, BoundSource, Identity, InstalledBy, Kept, Origin, Pin, Record};

/// The format of each JSON file written here.
pub(crate) const FORMAT: u64 = 1;

/// The member that lists the trees of a lease.
const LEASED: &str = "digests";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawRecord {
    bound: RawSource,
    source: RawSource,
    commit: Option<String>,
    plugin_version: String,
    source_digest: Option<String>,
    tree_digest: String,
    installed_at: u64,
    by: String,
    #[serde(default, deserialize_with = "present")]
    replaced: Option<Option<RawReplaced>>,
    #[serde(default)]
    kept: Vec<RawKept>,
    pin: Option<RawPin>,
    repaired_from: Option<String>,
    directory: RawIdentity,
    #[serde(default)]
    stamps: Value,
}

/// All members of all kinds of sources; which ones count follows from `kind`.
#[derive(Deserialize)]
struct RawSource {
    kind: String,
    id: Option<String>,
    path: Option<String>,
    url: Option<String>,
    #[serde(rename = "ref")]
    ref_name: Option<String>,
    sha: Option<String>,
    digest: Option<String>,
    package: Option<String>,
    version: Option<String>,
    registry: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawKept {
    version: String,
    tree_digest: String,
    replaced_at: u64,
    origin: Option<RawOrigin>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawOrigin {
    bound: RawSource,
    source: RawSource,
    commit: Option<String>,
    source_digest: Option<String>,
    installed_at: u64,
    by: String,
    #[serde(default, deserialize_with = "present")]
    replaced: Option<Option<RawReplaced>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawReplaced {
    version: String,
    tree_digest: String,
}

/// Tells `null` from a member that is not there: nothing was replaced, or nobody knows.
fn present<'de, D, T>(value: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    T::deserialize(value).map(Some)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawPin {
    version: String,
    commit: Option<String>,
    tree_digest: Option<String>,
    #[serde(default)]
    locks: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RawIdentity {
    device: u64,
    inode: u64,
    #[serde(default)]
    born_ns: i64,
}

impl From<RawIdentity> for Identity {
    fn from(raw: RawIdentity) -> Self {
        Self {
            device: raw.device,
            inode: raw.inode,
            born_ns: raw.born_ns,
        }
    }
}

type Understood = Result<Record, String>;

/// Splits a record file into its members and their meaning. The outer error means that it is no
/// JSON object at all.
pub(crate) fn parse_record(bytes: &[u8]) -> Result<(Map<String, Value>, Understood), String> {
    let members: Map<String, Value> =
        serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
    let record = match newer_format(&members) {
        Some(found) => Err(format!("it has format {found}, known is {FORMAT}")),
        None => serde_json::from_value::<RawRecord>(Value::Object(members.clone()))
            .map_err(|error| error.to_string())
            .and_then(record),
    };
    Ok((members, record))
}

/// The format of a file, when it is newer than what is written here.
pub(crate) fn newer_format(members: &Map<String, Value>) -> Option<u64> {
    members
        .get("version")
        .and_then(Value::as_u64)
        .filter(|&found| found > FORMAT)
}

/// Splits the file of a holder into its members and the trees that it uses. All of it must be
/// understood: a tree that is overlooked here could be removed under its user.
pub(crate) fn parse_lease(bytes: &[u8]) -> Result<(Map<String, Value>, BTreeSet<Digest>), String> {
    let members: Map<String, Value> =
        serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
    if let Some(found) = newer_format(&members) {
        return Err(format!("it has format {found}, known is {FORMAT}"));
    }
    let digests = members.get(LEASED).and_then(Value::as_array);
    let digests = digests.ok_or_else(|| format!("`{LEASED}` is no list"))?;
    let digests = digests.iter().map(|entry| match entry.as_str() {
        Some(text) => digest(text),
        None => Err(format!("{entry} is no digest")),
    });
    let digests = digests.collect::<Result<_, _>>()?;
    Ok((members, digests))
}

/// The text of a holder's file, over the members that stood in it before.
pub(crate) fn lease_text(old: &Map<String, Value>, digests: &BTreeSet<Digest>) -> String {
    let mut members = old.clone();
    members.insert("version".to_owned(), json!(FORMAT));
    let digests = digests.iter().map(|digest| json!(digest.to_string()));
    members.insert(LEASED.to_owned(), digests.collect());
    format!("{:#}\n", Value::Object(members))
}

/// The content that a record says is installed, whatever else is wrong with it.
pub(crate) fn installed_in(members: &Map<String, Value>) -> Option<Digest> {
    Digest::parse(members.get("treeDigest")?.as_str()?).ok()
}

/// The replaced trees that a record names, whatever else is wrong with it.
pub(crate) fn trees_in(members: &Map<String, Value>) -> impl Iterator<Item = Digest> {
    let kept = members.get("kept").and_then(Value::as_array);
    kept.into_iter()
        .flatten()
        .chain(members.get("pin"))
        .filter_map(|entry| Digest::parse(entry.get("treeDigest")?.as_str()?).ok())
}

fn record(raw: RawRecord) -> Understood {
    Ok(Record {
        bound: bound(raw.bound)?,
        source: source(raw.source)?,
        commit: raw.commit,
        version: version(&raw.plugin_version)?,
        source_digest: raw.source_digest.as_deref().map(digest).transpose()?,
        tree_digest: digest(&raw.tree_digest)?,
        installed_at: raw.installed_at,
        by: by(&raw.by)?,
        before: before(raw.replaced)?,
        kept: raw.kept.into_iter().map(kept).collect::<Result<_, _>>()?,
        pin: raw.pin.map(pin).transpose()?,
        repaired_from: raw.repaired_from.as_deref().map(digest).transpose()?,
        directory: raw.directory.into(),
        // Without them the copy is read, so they do not spoil the rest.
        stamps: raw.stamps.as_str().and_then(|text| digest(text).ok()),
    })
}

fn bound(raw: RawSource) -> Result<BoundSource, String> {
    match raw.kind.as_str() {
        "manifest" => Ok(BoundSource::Manifest(path(raw.path)?)),
        "git" => Ok(BoundSource::Git {
            url: needed(raw.url, "url")?,
            ref_name: raw.ref_name,
        }),
        "packed" => PackedOrigin::parse(&needed(raw.url, "url")?)
            .map(BoundSource::Packed)
            .map_err(str::to_owned),
        "curated" => Ok(BoundSource::Curated),
        "remote" => Ok(BoundSource::Remote {
            id: remote_id(&needed(raw.id, "id")?)?,
        }),
        other => Err(format!("`{other}` is not a kind of marketplace")),
    }
}

fn source(raw: RawSource) -> Result<Source, String> {
    match raw.kind.as_str() {
        "local" => Ok(Source::Local {
            path: path(raw.path)?,
        }),
        "git" => Ok(Source::Git {
            url: needed(raw.url, "url")?,
            path: raw.path,
            ref_name: raw.ref_name,
            sha: raw.sha,
        }),
        "npm" => Ok(Source::Npm {
            package: needed(raw.package, "package")?,
            version: raw.version,
            registry: raw.registry,
        }),
        "oci" => Ok(Source::Oci {
            reference: OciReference::parse(&needed(raw.url, "url")?).map_err(str::to_owned)?,
        }),
        "archive" => Ok(Source::Archive {
            url: needed(raw.url, "url")?,
            digest: needed(raw.digest, "digest")?,
        }),
        "remote" => Ok(Source::Remote),
        other => Err(format!("`{other}` is not a kind of source")),
    }
}

fn needed(member: Option<String>, name: &str) -> Result<String, String> {
    member.ok_or_else(|| format!("`{name}` is missing"))
}

fn path(member: Option<String>) -> Result<AbsPath, String> {
    AbsPath::new(needed(member, "path")?).map_err(|error| error.to_string())
}

fn remote_id(text: &str) -> Result<RemotePluginId, String> {
    RemotePluginId::parse(text).map_err(|error| error.to_string())
}

fn version(text: &str) -> Result<VersionSegment, String> {
    VersionSegment::new(text).map_err(|error| error.to_string())
}

fn digest(text: &str) -> Result<Digest, String> {
    Digest::parse(text).map_err(|error| error.to_string())
}

fn by(word: &str) -> Result<InstalledBy, String> {
    Ok(match word {
        "request" => InstalledBy::Request,
        "refresh" => InstalledBy::Refresh,
        "sync" => InstalledBy::Sync,
        "lock" => InstalledBy::Lock,
        "lockAlone" => InstalledBy::LockAlone,
        "import" => InstalledBy::Import,
        "adopted" => InstalledBy::Adopted,
        other => return Err(format!("`{other}` is not a reason to install")),
    })
}

fn kept(raw: RawKept) -> Result<Kept, String> {
    Ok(Kept {
        version: version(&raw.version)?,
        tree_digest: digest(&raw.tree_digest)?,
        replaced_at: raw.replaced_at,
        origin: raw.origin.map(origin).transpose()?,
    })
}

fn origin(raw: RawOrigin) -> Result<Origin, String> {
    Ok(Origin {
        bound: bound(raw.bound)?,
        source: source(raw.source)?,
        commit: raw.commit,
        source_digest: raw.source_digest.as_deref().map(digest).transpose()?,
        installed_at: raw.installed_at,
        by: by(&raw.by)?,
        before: before(raw.replaced)?,
    })
}

fn before(raw: Option<Option<RawReplaced>>) -> Result<Before, String> {
    Ok(match raw {
        None => Before::Unknown,
        Some(None) => Before::Nothing,
        Some(Some(raw)) => Before::Replaced {
            version: version(&raw.version)?,
            tree_digest: digest(&raw.tree_digest)?,
        },
    })
}

fn pin(raw: RawPin) -> Result<Pin, String> {
    Ok(Pin {
        version: version(&raw.version)?,
        commit: raw.commit,
        tree_digest: raw.tree_digest.as_deref().map(digest).transpose()?,
        locks: raw
            .locks
            .into_iter()
            .map(|lock| path(Some(lock)))
            .collect::<Result<_, _>>()?,
    })
}

/// The text of a record, over the members that stood in the file before.
pub(crate) fn record_text(id: &PluginId, old: &Map<String, Value>, record: &Record) -> String {
    let mut members = old.clone();
    let mut set = |name: &str, value: Value| {
        members.insert(name.to_owned(), value);
    };
    set("version", json!(FORMAT));
    set("plugin", json!(id.to_string()));
    set("bound", bound_json(&record.bound));
    set("source", source_json(&record.source));
    set("commit", json!(record.commit));
    set("pluginVersion", json!(record.version.as_str()));
    set(
        "sourceDigest",
        json!(record.source_digest.map(|digest| digest.to_string())),
    );
    set("treeDigest", json!(record.tree_digest.to_string()));
    set("installedAt", json!(record.installed_at));
    set("by", json!(by_word(record.by)));
    match before_json(&record.before) {
        Some(replaced) => drop(members.insert("replaced".to_owned(), replaced)),
        None => drop(members.remove("replaced")),
    }
    let mut set = |name: &str, value: Value| {
        members.insert(name.to_owned(), value);
    };
    let kept = record
        .kept
        .iter()
        .map(|kept| kept_json(kept, old.get("kept")));
    set("kept", Value::Array(kept.collect()));
    set("pin", record.pin.as_ref().map_or(Value::Null, pin_json));
    set(
        "repairedFrom",
        json!(record.repaired_from.map(|digest| digest.to_string())),
    );
    set("directory", identity_json(&record.directory));
    set(
        "stamps",
        json!(record.stamps.map(|digest| digest.to_string())),
    );
    format!("{:#}\n", Value::Object(members))
}

fn bound_json(bound: &BoundSource) -> Value {
    match bound {
        BoundSource::Manifest(path) => json!({"kind": "manifest", "path": path.to_text()}),
        BoundSource::Git { url, ref_name } => json!({"kind": "git", "url": url, "ref": ref_name}),
        BoundSource::Packed(origin) => json!({"kind": "packed", "url": origin.to_string()}),
        BoundSource::Curated => json!({"kind": "curated"}),
        BoundSource::Remote { id } => json!({"kind": "remote", "id": id.as_str()}),
    }
}

fn source_json(source: &Source) -> Value {
    match source {
        Source::Local { path } => json!({"kind": "local", "path": path.to_text()}),
        Source::Git {
            url,
            path,
            ref_name,
            sha,
        } => json!({"kind": "git", "url": url, "path": path, "ref": ref_name, "sha": sha}),
        Source::Npm {
            package,
            version,
            registry,
        } => json!({"kind": "npm", "package": package, "version": version, "registry": registry}),
        Source::Oci { reference } => json!({"kind": "oci", "url": reference.to_string()}),
        Source::Archive { url, digest } => {
            json!({"kind": "archive", "url": url, "digest": digest})
        }
        Source::Remote => json!({"kind": "remote"}),
    }
}

fn by_word(by: InstalledBy) -> &'static str {
    match by {
        InstalledBy::Request => "request",
        InstalledBy::Refresh => "refresh",
        InstalledBy::Sync => "sync",
        InstalledBy::Lock => "lock",
        InstalledBy::LockAlone => "lockAlone",
        InstalledBy::Import => "import",
        InstalledBy::Adopted => "adopted",
    }
}

/// An entry that was there before keeps its unknown members.
fn kept_json(kept: &Kept, old: Option<&Value>) -> Value {
    let digest = kept.tree_digest.to_string();
    let mut members = old
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_object)
        .find(|entry| entry.get("treeDigest").and_then(Value::as_str) == Some(&digest))
        .cloned()
        .unwrap_or_default();
    members.insert("version".to_owned(), json!(kept.version.as_str()));
    members.insert("treeDigest".to_owned(), json!(digest));
    members.insert("replacedAt".to_owned(), json!(kept.replaced_at));
    if let Some(origin) = &kept.origin {
        members.insert("origin".to_owned(), origin_json(origin));
    }
    Value::Object(members)
}

fn origin_json(origin: &Origin) -> Value {
    let mut value = json!({
        "bound": bound_json(&origin.bound),
        "source": source_json(&origin.source),
        "commit": origin.commit,
        "sourceDigest": origin.source_digest.map(|digest| digest.to_string()),
        "installedAt": origin.installed_at,
        "by": by_word(origin.by),
    });
    if let Some(replaced) = before_json(&origin.before) {
        value["replaced"] = replaced;
    }
    value
}

/// What was replaced; no member where nobody knows.
fn before_json(before: &Before) -> Option<Value> {
    match before {
        Before::Unknown => None,
        Before::Nothing => Some(Value::Null),
        Before::Replaced {
            version,
            tree_digest,
        } => Some(json!({
            "version": version.as_str(),
            "treeDigest": tree_digest.to_string(),
        })),
    }
}

fn pin_json(pin: &Pin) -> Value {
    json!({
        "version": pin.version.as_str(),
        "commit": pin.commit,
        "treeDigest": pin.tree_digest.map(|digest| digest.to_string()),
        "locks": pin.locks.iter().map(AbsPath::to_text).collect::<Vec<_>>(),
    })
}

pub(crate) fn identity_json(identity: &Identity) -> Value {
    json!({
        "device": identity.device,
        "inode": identity.inode,
        "bornNs": identity.born_ns,
    })
}

#[cfg(test)]
#[path = "json_tests.rs"]
mod tests;
