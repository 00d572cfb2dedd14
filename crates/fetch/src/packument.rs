//! What a registry says about a package: its versions and tags, and which of them is meant.
//!
//! The document is a stranger's and may be large, so only the versions that come into question are
//! looked into, and a broken one spoils nothing but itself.

use std::collections::BTreeMap;

use plugd_model::json_depth::too_deep;
use plugd_model::{Problem, ProblemKind};
use semver::Version;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::range::{Range, exact};
use crate::{FetchError, Integrity, VersionFault};

/// Deepest nesting that is accepted.
const MAX_DEPTH: usize = 128;

/// How many versions and tags an error names.
const MAX_NAMED: usize = 5;

/// Most problems about broken versions.
const MAX_PROBLEMS: usize = 10;

/// Longest text of a registry that is repeated.
const MAX_QUOTE: usize = 300;

/// The version that is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Picked {
    pub(crate) version: String,
    /// Where its archive is; nobody has looked at the address yet.
    pub(crate) tarball: String,
    pub(crate) integrity: Integrity,
    pub(crate) problems: Vec<Problem>,
}

/// What is asked for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked<'a> {
    pub(crate) package: &'a str,
    pub(crate) version: Option<&'a str>,
    /// The registry that answered.
    pub(crate) registry: &'a str,
}

#[derive(Deserialize)]
struct Raw<'a> {
    name: Option<String>,
    #[serde(borrow, rename = "dist-tags")]
    tags: Option<BTreeMap<String, &'a RawValue>>,
    #[serde(borrow)]
    versions: Option<BTreeMap<String, &'a RawValue>>,
}

#[derive(Deserialize)]
struct RawVersion<'a> {
    version: Option<String>,
    #[serde(borrow)]
    dist: Option<&'a RawValue>,
    #[serde(borrow)]
    deprecated: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct RawDist {
    tarball: Option<String>,
    integrity: Option<String>,
    shasum: Option<String>,
}

/// A version that can be read.
struct Readable {
    tarball: String,
    digest: Result<Integrity, VersionFault>,
    deprecated: Option<String>,
}

struct Packument<'a> {
    asked: Asked<'a>,
    tags: BTreeMap<String, String>,
    versions: BTreeMap<String, &'a RawValue>,
    problems: Vec<Problem>,
}

/// Picks the version that is asked for.
pub(crate) fn pick(json: &[u8], asked: Asked<'_>) -> Result<Picked, FetchError> {
    let bad = |reason: String| FetchError::BadAnswer {
        package: asked.package.to_owned(),
        registry: asked.registry.to_owned(),
        reason,
    };
    if too_deep(json, MAX_DEPTH).is_some() {
        return Err(bad("it is nested too deeply".to_owned()));
    }
    let raw: Raw<'_> =
        serde_json::from_slice(json).map_err(|error| bad(quoted(&error.to_string())))?;
    if raw
        .name
        .as_deref()
        .is_some_and(|name| name != asked.package)
    {
        let name = quoted(raw.name.as_deref().unwrap_or_default());
        return Err(bad(format!("it is about `{name}`")));
    }
    let mut packument = Packument {
        asked,
        tags: BTreeMap::new(),
        versions: raw.versions.unwrap_or_default(),
        problems: Vec::new(),
    };
    for (tag, value) in raw.tags.unwrap_or_default() {
        // A broken tag is one that is not there.
        if let Ok(version) = serde_json::from_str(value.get()) {
            packument.tags.insert(tag, version);
        }
    }
    packument.pick()
}

impl Packument<'_> {
    fn pick(self) -> Result<Picked, FetchError> {
        let wanted = self.asked.version.unwrap_or("latest").trim();
        if let Some(exact) = exact(wanted) {
            let named = self.named(wanted, &exact);
            return match named {
                Some(version) => self.picked(version),
                None => Err(self.nothing(wanted)),
            };
        }
        if let Some(range) = Range::parse(wanted) {
            return self.pick_of(&range, wanted);
        }
        match self.tags.get(wanted).cloned() {
            Some(version) if self.versions.contains_key(&version) => self.picked(version),
            Some(version) => {
                let version = quoted(&version);
                let reason =
                    format!("the tag `{wanted}` names the version `{version}`, which is not there");
                Err(self.bad_answer(reason))
            }
            None => Err(self.nothing(wanted)),
        }
    }

    /// The key of an exact version, which registries may spell in another way.
    fn named(&self, wanted: &str, exact: &Version) -> Option<String> {
        if self.versions.contains_key(wanted) {
            return Some(wanted.to_owned());
        }
        let same = |key: &&String| {
            Version::parse(key).is_ok_and(|version| version.cmp_precedence(exact).is_eq())
        };
        self.versions.keys().find(same).cloned()
    }

    /// As npm picks: the version with the tag `latest` where the range means it and it is not
    /// deprecated, else the highest one that is not deprecated, else the highest.
    fn pick_of(mut self, range: &Range, wanted: &str) -> Result<Picked, FetchError> {
        let mut fitting: Vec<_> = self
            .versions
            .keys()
            .filter_map(|key| Some((Version::parse(key).ok()?, key.clone())))
            .filter(|(version, _)| range.matches(version))
            .collect();
        fitting.sort();
        fitting.reverse();
        if let Some(latest) = self.tags.get("latest")
            && let Some(at) = fitting.iter().position(|(_, key)| key == latest)
        {
            let first = fitting.remove(at);
            fitting.insert(0, first);
        }
        let mut deprecated = None;
        let mut first_fault = None;
        for (_, version) in fitting {
            match read(&version, self.versions[&version]) {
                Ok(readable) if readable.deprecated.is_none() => {
                    return self.with(version, readable);
                }
                Ok(readable) => {
                    deprecated.get_or_insert((version, readable));
                }
                Err(fault) => {
                    self.note(&version, &fault);
                    first_fault.get_or_insert((version, fault));
                }
            }
        }
        match (deprecated, first_fault) {
            (Some((version, readable)), _) => self.with(version, readable),
            (None, Some((version, fault))) => Err(self.bad_version(version, fault)),
            (None, None) => Err(self.nothing(wanted)),
        }
    }

    /// The one version that is asked for, whatever is wrong with it.
    fn picked(self, version: String) -> Result<Picked, FetchError> {
        match read(&version, self.versions[&version]) {
            Ok(readable) => self.with(version, readable),
            Err(fault) => Err(self.bad_version(version, fault)),
        }
    }

    fn with(mut self, version: String, readable: Readable) -> Result<Picked, FetchError> {
        let integrity = match readable.digest {
            Ok(integrity) => integrity,
            Err(fault) => return Err(self.bad_version(version, fault)),
        };
        if let Some(reason) = readable.deprecated {
            let package = self.asked.package;
            let message = format!("`{package}` {version} is deprecated: {reason}");
            let problem = Problem::warning(ProblemKind::Deprecated, message);
            self.problems.push(problem);
        }
        Ok(Picked {
            version,
            tarball: readable.tarball,
            integrity,
            problems: self.problems,
        })
    }

    fn note(&mut self, version: &str, fault: &VersionFault) {
        if self.problems.len() < MAX_PROBLEMS {
            let package = self.asked.package;
            let message = format!("`{package}` {version} was passed over: {fault}");
            let problem = Problem::warning(ProblemKind::BadValue, message);
            self.problems.push(problem);
        }
    }

    fn bad_version(&self, version: String, fault: VersionFault) -> FetchError {
        FetchError::BadVersion {
            package: self.asked.package.to_owned(),
            version: quoted(&version),
            fault,
        }
    }

    fn bad_answer(&self, reason: String) -> FetchError {
        FetchError::BadAnswer {
            package: self.asked.package.to_owned(),
            registry: self.asked.registry.to_owned(),
            reason,
        }
    }

    fn nothing(&self, wanted: &str) -> FetchError {
        FetchError::NoSuchVersion {
            package: self.asked.package.to_owned(),
            wanted: quoted(wanted),
            known: self.known(),
        }
    }

    /// What there is, in a few words.
    fn known(&self) -> String {
        let mut versions: Vec<_> = self.versions.keys().collect();
        versions.sort_by_key(|key| Version::parse(key).ok());
        let newest: Vec<_> = versions
            .iter()
            .rev()
            .take(MAX_NAMED)
            .map(|key| quoted(key))
            .collect();
        let tags: Vec<_> = self
            .tags
            .iter()
            .take(MAX_NAMED)
            .map(|(tag, version)| format!("{} ({})", quoted(tag), quoted(version)))
            .collect();
        let mut text = match (versions.len(), newest.join(", ")) {
            (0, _) => "none".to_owned(),
            (count, newest) if count <= MAX_NAMED => newest,
            (count, newest) => format!("{count}, the newest {newest}"),
        };
        if !tags.is_empty() {
            text.push_str("; tags ");
            text.push_str(&tags.join(", "));
        }
        text
    }
}

fn read(key: &str, raw: &RawValue) -> Result<Readable, VersionFault> {
    let broken = |reason: &str| VersionFault::Broken(quoted(reason));
    let version: RawVersion<'_> =
        serde_json::from_str(raw.get()).map_err(|error| broken(&error.to_string()))?;
    if version
        .version
        .as_deref()
        .is_some_and(|version| version != key)
    {
        return Err(broken("it calls itself another version"));
    }
    let dist = version.dist.ok_or_else(|| broken("it has no `dist`"))?;
    let dist: RawDist =
        serde_json::from_str(dist.get()).map_err(|error| broken(&error.to_string()))?;
    let tarball = dist
        .tarball
        .ok_or_else(|| broken("its `dist` has no `tarball`"))?;
    let integrity = dist.integrity.filter(|text| !text.trim().is_empty());
    let shasum = dist.shasum.filter(|text| !text.trim().is_empty());
    let digest = match (integrity, shasum) {
        // A digest that cannot be read is no reason to be content with a weaker one.
        (Some(text), _) => Integrity::parse(&text)
            .ok_or_else(|| broken("its `integrity` holds no digest of a known kind")),
        (None, Some(text)) => {
            Integrity::from_sha1_hex(text.trim()).ok_or_else(|| broken("its `shasum` is no SHA-1"))
        }
        (None, None) => Err(VersionFault::NoDigest),
    };
    Ok(Readable {
        tarball,
        digest,
        deprecated: version.deprecated.and_then(deprecated),
    })
}

/// The reason; some registries say only that it is so.
fn deprecated(raw: &RawValue) -> Option<String> {
    match serde_json::from_str(raw.get()) {
        Ok(serde_json::Value::String(text)) if !text.is_empty() => Some(quoted(&text)),
        Ok(serde_json::Value::Bool(true)) => Some("no reason is given".to_owned()),
        _ => None,
    }
}

/// A text of the registry: cut, and without control characters.
fn quoted(text: &str) -> String {
    let mut quoted: String = text
        .chars()
        .take(MAX_QUOTE)
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    if text.chars().nth(MAX_QUOTE).is_some() {
        quoted.push('…');
    }
    quoted
}

#[cfg(test)]
#[path = "packument_tests.rs"]
mod tests;
