//! The `source` of a marketplace entry.
//!
//! Containment of a local source is judged by its text only. Whether the directory exists, and
//! where a link in it leads, is the business of whoever copies it.

use plugd_model::{AbsPath, ArchiveUrl, OciReference, Problem, ProblemKind, Source, sha256_digest};

use crate::git_url;
use crate::json::Shape;
use crate::reader::{Object, Reader, Value};

/// Reads a source.
///
/// `root` is the marketplace's root, or nothing when the manifest lies at no marketplace's place.
///
/// # Errors
/// The kind is not supported, or a member it needs is missing or breaks its rule.
pub(crate) fn read(
    reader: &mut Reader<'_>,
    value: Value<'_, '_>,
    root: Option<&AbsPath>,
) -> Result<Source, Problem> {
    if value.shape() == Shape::String {
        return local(reader, &value, root);
    }
    if value.shape() != Shape::Object {
        let problem = reader.wrong_type(&value, "a string or an object");
        return Err(Problem {
            kind: ProblemKind::BadSource,
            ..problem
        });
    }
    let object = reader.object(value)?;
    let kind_value = required(reader, &object, "source")?;
    let kind = as_source_problem(reader.string(&kind_value))?;
    match kind.as_str() {
        "local" => local(reader, &required(reader, &object, "path")?, root),
        "url" | "git" => {
            let url = git_url_member(reader, &object, "url", root)?;
            git(reader, &object, url, PathMember::Optional)
        }
        "git-subdir" => {
            let url = git_url_member(reader, &object, "url", root)?;
            git(reader, &object, url, PathMember::Required)
        }
        "github" => {
            let value = required(reader, &object, "repo")?;
            let repo = as_source_problem(reader.string(&value))?;
            let url = plugd_model::git_url::from_shorthand(repo.trim())
                .ok_or_else(|| bad(reader, &value, "expected `owner/repository`"))?;
            git(reader, &object, url, PathMember::Optional)
        }
        "npm" => npm(reader, &object),
        "oci" => oci(reader, &object),
        "archive" => archive(reader, &object),
        other => Err(reader.error(
            &kind_value,
            ProblemKind::UnsupportedSource,
            format_args!(
                "the source kind `{}` is not supported; known are local, url, git, git-subdir, \
                 github, npm, oci and archive",
                other.escape_debug()
            ),
        )),
    }
}

/// A relative path with plain components only, as sources use it: no `..`, no `.` in front, not
/// absolute. It comes back as it was written.
pub(crate) fn inner_path(text: &str) -> Option<&str> {
    let refused = text.starts_with('/')
        || text.contains('\0')
        || text.split('/').any(|part| part == "..")
        || text.split('/').next() == Some(".");
    let names_something = text.split('/').any(|part| !matches!(part, "" | "."));
    (!refused && names_something).then_some(text)
}

fn local(
    reader: &Reader<'_>,
    value: &Value<'_, '_>,
    root: Option<&AbsPath>,
) -> Result<Source, Problem> {
    let text = as_source_problem(reader.string(value))?;
    let Some(root) = root else {
        let message = "the manifest is not at a marketplace's place, so a local source has no root";
        return Err(bad(reader, value, message));
    };
    if text == "." || text == "./" {
        return Ok(Source::Local { path: root.clone() });
    }
    let Some(inner) = text.strip_prefix("./") else {
        return Err(bad(reader, value, "a local path must begin with `./`"));
    };
    match inner_path(inner) {
        Some(inner) => Ok(Source::Local {
            path: root.join(inner),
        }),
        None => {
            let message = "a local path must stay inside the marketplace and have no `..`";
            Err(bad(reader, value, message))
        }
    }
}

/// Whether a kind of source needs its `path`.
#[derive(Clone, Copy, PartialEq, Eq)]
enum PathMember {
    Required,
    Optional,
}

fn git(
    reader: &Reader<'_>,
    object: &Object<'_, '_>,
    url: String,
    path_member: PathMember,
) -> Result<Source, Problem> {
    let path = match (object.get_some("path"), path_member) {
        (Some(value), _) => Some(git_path(reader, &value)?),
        (None, PathMember::Optional) => None,
        (None, PathMember::Required) => return Err(missing(reader, object, "path")),
    };
    Ok(Source::Git {
        url,
        path,
        ref_name: trimmed(reader, object, "ref")?,
        sha: trimmed(reader, object, "sha")?,
    })
}

fn git_url_member(
    reader: &Reader<'_>,
    object: &Object<'_, '_>,
    name: &str,
    root: Option<&AbsPath>,
) -> Result<String, Problem> {
    let value = required(reader, object, name)?;
    let text = as_source_problem(reader.string(&value))?;
    git_url::normalise(&text, root).map_err(|why| bad(reader, &value, why))
}

fn git_path(reader: &Reader<'_>, value: &Value<'_, '_>) -> Result<String, Problem> {
    let text = as_source_problem(reader.string(value))?;
    let text = text.trim();
    let inner = text.strip_prefix("./").unwrap_or(text);
    inner_path(inner).map(str::to_owned).ok_or_else(|| {
        let message = "expected a directory inside the repository, without `..`";
        bad(reader, value, message)
    })
}

fn npm(reader: &Reader<'_>, object: &Object<'_, '_>) -> Result<Source, Problem> {
    let package_value = required(reader, object, "package")?;
    let package = as_source_problem(reader.string(&package_value))?;
    let package = package.trim();
    if !is_package_name(package) {
        let message = "expected an npm package, `name` or `@scope/name`";
        return Err(bad(reader, &package_value, message));
    }
    let version = match object.get_some("version") {
        None => None,
        Some(value) => {
            let text = as_source_problem(reader.string(&value))?;
            let text = text.trim();
            if matches!(text, "" | "." | "..") || text.contains(['/', '\\', ':']) {
                let message = "expected a version, range or tag of the npm registry";
                return Err(bad(reader, &value, message));
            }
            Some(text.to_owned())
        }
    };
    let registry = match object.get_some("registry") {
        None => None,
        Some(value) => {
            let text = as_source_problem(reader.string(&value))?;
            let text = text.trim();
            if !is_registry(text) {
                let message = "expected an https URL without user, query and fragment";
                return Err(bad(reader, &value, message));
            }
            Some(text.to_owned())
        }
    };
    Ok(Source::Npm {
        package: package.to_owned(),
        version,
        registry,
    })
}

/// An artifact of an OCI registry: `url` or `ref`, both of which people write for it, and a `digest`
/// where the reference itself has none.
fn oci(reader: &Reader<'_>, object: &Object<'_, '_>) -> Result<Source, Problem> {
    let value = match (object.get_some("url"), object.get_some("ref")) {
        (Some(url), None) => url,
        (None, Some(reference)) => reference,
        (None, None) => return Err(missing(reader, object, "url")),
        (Some(_), Some(second)) => {
            let message = "a source has either `url` or `ref`, and this one has both";
            return Err(bad(reader, &second, message));
        }
    };
    let text = as_source_problem(reader.string(&value))?;
    let reference = OciReference::parse(text.trim()).map_err(|why| bad(reader, &value, why))?;
    let Some((value, digest)) = digest_member(reader, object, "digest")? else {
        return Ok(Source::Oci { reference });
    };
    if reference.digest().is_some_and(|other| other != digest) {
        let message = "the reference names another digest";
        return Err(bad(reader, &value, message));
    }
    let pinned = reference.at(reference.tag(), Some(&digest));
    let reference = pinned.map_err(|why| bad(reader, &value, why))?;
    Ok(Source::Oci { reference })
}

/// An archive behind an address. What an address holds may change under it, so the digest is needed.
fn archive(reader: &Reader<'_>, object: &Object<'_, '_>) -> Result<Source, Problem> {
    let value = required(reader, object, "url")?;
    let text = as_source_problem(reader.string(&value))?;
    let url = ArchiveUrl::parse(text.trim()).map_err(|why| bad(reader, &value, why))?;
    let member = digest_member(reader, object, "sha256")?;
    let digest = match (url.digest(), member) {
        (None, None) => {
            let message = "an archive needs its `sha256`, or `#sha256=` behind its address";
            return Err(bad(reader, &object.value, message));
        }
        (Some(of_url), Some((value, digest))) if of_url != digest => {
            return Err(bad(reader, &value, "the address names another digest"));
        }
        (Some(of_url), _) => of_url.to_owned(),
        (None, Some((_, digest))) => digest,
    };
    Ok(Source::Archive {
        url: url.url().to_owned(),
        digest,
    })
}

/// A member with a SHA-256, where there is one.
fn digest_member<'d, 'o>(
    reader: &Reader<'_>,
    object: &'o Object<'d, '_>,
    name: &'o str,
) -> Result<Option<(Value<'d, 'o>, String)>, Problem> {
    let Some(value) = object.get_some(name) else {
        return Ok(None);
    };
    let text = as_source_problem(reader.string(&value))?;
    match sha256_digest(text.trim()) {
        Some(digest) => Ok(Some((value, digest))),
        None => {
            let message = "expected `sha256:` with 64 hexadecimal digits";
            Err(bad(reader, &value, message))
        }
    }
}

fn is_package_name(package: &str) -> bool {
    let legal = |part: &str| {
        !matches!(part, "" | "." | "..")
            && part
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
    };
    match package.strip_prefix('@') {
        Some(scoped) => scoped
            .split_once('/')
            .is_some_and(|(scope, name)| legal(scope) && legal(name)),
        None => legal(package) && !package.starts_with(['.', '_']),
    }
}

fn is_registry(url: &str) -> bool {
    let scheme = url.get(..8).unwrap_or_default();
    if !scheme.eq_ignore_ascii_case("https://") || url.contains(['?', '#']) {
        return false;
    }
    let authority = url[8..].split('/').next().unwrap_or_default();
    // The colons of an IPv6 address stand in brackets; the port stands behind them.
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, port),
        _ => (authority, ""),
    };
    let number = port.is_empty() || (!port.starts_with('+') && port.parse::<u16>().is_ok());
    let refused = |c: char| c.is_whitespace() || c.is_control() || matches!(c, '@' | '\\');
    !host.is_empty() && number && !authority.contains(refused) && !url.contains(char::is_control)
}

/// A member where blank means absent.
fn trimmed(
    reader: &Reader<'_>,
    object: &Object<'_, '_>,
    name: &str,
) -> Result<Option<String>, Problem> {
    let Some(value) = object.get_some(name) else {
        return Ok(None);
    };
    let text = as_source_problem(reader.string(&value))?;
    let text = text.trim();
    Ok((!text.is_empty()).then(|| text.to_owned()))
}

fn required<'d, 'o>(
    reader: &Reader<'_>,
    object: &'o Object<'d, '_>,
    name: &'o str,
) -> Result<Value<'d, 'o>, Problem> {
    object
        .get_some(name)
        .ok_or_else(|| missing(reader, object, name))
}

fn missing(reader: &Reader<'_>, object: &Object<'_, '_>, name: &str) -> Problem {
    bad(
        reader,
        &object.value,
        format_args!("the source has no `{name}`"),
    )
}

fn bad(reader: &Reader<'_>, value: &Value<'_, '_>, why: impl std::fmt::Display) -> Problem {
    reader.error(value, ProblemKind::BadSource, why)
}

/// A member of a source with a wrong type makes the source bad, as a missing one does.
fn as_source_problem<T>(read: Result<T, Problem>) -> Result<T, Problem> {
    read.map_err(|problem| Problem {
        kind: ProblemKind::BadSource,
        ..problem
    })
}

#[cfg(test)]
mod tests;
