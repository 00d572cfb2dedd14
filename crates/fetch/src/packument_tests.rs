use plugd_model::ProblemKind;
use pretty_assertions::assert_eq;

use super::{Asked, pick};

const SHA1_HEX: &str = "a9993e364706816aba3e25717850c26c9cd0d89d";
const SHA256: &str = "sha256-ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=";

/// A version with its digest and an archive that is named after it.
fn version(version: &str) -> String {
    with(version, "")
}

fn with(version: &str, more: &str) -> String {
    format!(
        r#""{version}": {{"name": "p", "version": "{version}"{more},
            "dist": {{"tarball": "https://h/{version}.tgz", "shasum": "{SHA1_HEX}"}}}}"#
    )
}

fn document(tags: &str, versions: &[String]) -> String {
    let versions = versions.join(",");
    format!(r#"{{"name": "p", "dist-tags": {{{tags}}}, "versions": {{{versions}}}}}"#)
}

fn asked(version: Option<&str>) -> Asked<'_> {
    Asked {
        package: "p",
        version,
        registry: "https://h/",
    }
}

/// The version that is picked, with what is told about it; or the error.
#[track_caller]
fn check(json: &str, wanted: Option<&str>, expected: &str) {
    let found = match pick(json.as_bytes(), asked(wanted)) {
        Ok(picked) => {
            assert_eq!(picked.tarball, format!("https://h/{}.tgz", picked.version));
            let told = picked.problems.iter().map(|one| one.message.as_str());
            let told: Vec<_> = std::iter::once(picked.version.as_str())
                .chain(told)
                .collect();
            told.join("; ")
        }
        Err(error) => error.to_string(),
    };
    assert_eq!(found, expected, "{wanted:?}");
}

fn usual() -> String {
    let versions = ["1.0.0", "1.5.0", "1.10.0", "2.0.0", "2.1.0-rc.1", "3.0.0-0"];
    document(
        r#""latest": "1.5.0", "next": "3.0.0-0", "gone": "9.0.0", "odd": 7"#,
        &versions.map(version),
    )
}

#[test]
fn a_request_without_a_version_means_the_latest() {
    check(&usual(), None, "1.5.0");
    check(&usual(), Some("latest"), "1.5.0");
    check(&usual(), Some(" next "), "3.0.0-0");
}

#[test]
fn exact_versions() {
    check(&usual(), Some("1.0.0"), "1.0.0");
    check(&usual(), Some("v1.10.0"), "1.10.0");
    check(&usual(), Some("=2.1.0-rc.1"), "2.1.0-rc.1");
    check(&usual(), Some("1.0.0+other"), "1.0.0");
}

#[test]
fn a_range_means_the_latest_or_the_highest() {
    check(&usual(), Some("^1"), "1.5.0");
    check(&usual(), Some("*"), "1.5.0");
    check(&usual(), Some(">1.5"), "2.0.0");
    check(&usual(), Some(">=1.6 <2"), "1.10.0");
    check(&usual(), Some("~2.1.0-rc"), "2.1.0-rc.1");
    check(&usual(), Some("7 || 1.0"), "1.0.0");
}

#[test]
fn what_there_is_is_named() {
    let known = "6, the newest 3.0.0-0, 2.1.0-rc.1, 2.0.0, 1.10.0, 1.5.0; \
                 tags gone (9.0.0), latest (1.5.0), next (3.0.0-0)";
    for wanted in ["^9", "1.0.1", "beta", "odd"] {
        let expected = format!("`p` has no version `{wanted}`; there are {known}");
        check(&usual(), Some(wanted), &expected);
    }
    check(
        &usual(),
        Some("gone"),
        "what the registry https://h/ says about `p` is not usable: \
         the tag `gone` names the version `9.0.0`, which is not there",
    );
    for json in [
        "{}",
        r#"{"versions": {}}"#,
        r#"{"versions": null, "dist-tags": null}"#,
    ] {
        check(json, None, "`p` has no version `latest`; there are none");
    }
    let few = document(r#""latest": "1.0.0""#, &[version("1.0.0")]);
    check(
        &few,
        Some("2"),
        "`p` has no version `2`; there are 1.0.0; tags latest (1.0.0)",
    );
}

#[test]
fn deprecated_versions_come_last_and_are_told() {
    let old = |text| with(text, r#", "deprecated": "use q""#);
    let json = document(
        r#""latest": "1.5.0""#,
        &[version("1.0.0"), old("1.5.0"), old("1.6.0")],
    );
    check(&json, Some("^1"), "1.0.0");
    check(&json, Some("^1.1"), "1.5.0; `p` 1.5.0 is deprecated: use q");
    check(&json, None, "1.5.0; `p` 1.5.0 is deprecated: use q");
    let picked = pick(json.as_bytes(), asked(None)).unwrap();
    assert_eq!(picked.problems[0].kind, ProblemKind::Deprecated);
    for (value, told) in [
        ("true", "1.0.0; `p` 1.0.0 is deprecated: no reason is given"),
        ("false", "1.0.0"),
        ("\"\"", "1.0.0"),
        ("null", "1.0.0"),
    ] {
        let more = format!(r#", "deprecated": {value}"#);
        let json = document(r#""latest": "1.0.0""#, &[with("1.0.0", &more)]);
        check(&json, None, told);
    }
}

#[test]
fn a_broken_version_spoils_only_itself() {
    for (broken, reason) in [
        (
            "7",
            "invalid type: integer `7`, expected struct RawVersion at line 1 column 1",
        ),
        ("{}", "it has no `dist`"),
        (r#"{"dist": {}}"#, "its `dist` has no `tarball`"),
        (
            r#"{"version": "2.0.0", "dist": {"tarball": "x"}}"#,
            "it calls itself another version",
        ),
    ] {
        let json = document(
            r#""latest": "1.0.0""#,
            &[
                version("1.0.0"),
                version("1.1.0"),
                format!(r#""1.2.0": {broken}"#),
            ],
        );
        let fault = format!("the registry's record of it is broken: {reason}");
        check(&json, None, "1.0.0");
        check(&json, Some("1.1.0"), "1.1.0");
        check(
            &json,
            Some("^1.1"),
            &format!("1.1.0; `p` 1.2.0 was passed over: {fault}"),
        );
        let refused = format!("`p` 1.2.0 cannot be fetched: {fault}");
        check(&json, Some("1.2.0"), &refused);
        check(&json, Some("~1.2"), &refused);
    }
}

/// The digest that is picked from the members of a `dist`, or the error.
#[track_caller]
fn check_digest(members: &str, expected: &str) {
    let json = format!(
        r#"{{"dist-tags": {{"latest": "1.0.0"}},
            "versions": {{"1.0.0": {{"dist": {{"tarball": "x"{members}}}}}}}}}"#
    );
    let found = match pick(json.as_bytes(), asked(None)) {
        Ok(picked) => picked.integrity.to_string(),
        Err(error) => error.to_string(),
    };
    assert_eq!(found, expected, "{members}");
}

#[test]
fn an_archive_has_a_digest() {
    let shasum = format!(r#", "shasum": "{SHA1_HEX}""#);
    check_digest(&shasum, "sha1-qZk+NkcGgWq6PiVxeFDCbJzQ2J0=");
    check_digest(&format!(r#"{shasum}, "integrity": "{SHA256}""#), SHA256);
    check_digest(
        &format!(r#"{shasum}, "integrity": """#),
        "sha1-qZk+NkcGgWq6PiVxeFDCbJzQ2J0=",
    );
    let refused = |fault: &str| format!("`p` 1.0.0 cannot be fetched: {fault}");
    let none = refused("the registry names no digest to check it against");
    check_digest("", &none);
    check_digest(r#", "integrity": null, "shasum": " ""#, &none);
    let broken =
        |reason: &str| refused(&format!("the registry's record of it is broken: {reason}"));
    check_digest(
        &format!(r#"{shasum}, "integrity": "sha512-abc""#),
        &broken("its `integrity` holds no digest of a known kind"),
    );
    check_digest(r#", "shasum": "abc""#, &broken("its `shasum` is no SHA-1"));
}

#[test]
fn documents_that_cannot_be_used() {
    let bad = |reason: &str| {
        format!("what the registry https://h/ says about `p` is not usable: {reason}")
    };
    check(
        "",
        None,
        &bad("EOF while parsing a value at line 1 column 0"),
    );
    check("<html>", None, &bad("expected value at line 1 column 1"));
    check(r#"{"name": "q"}"#, None, &bad("it is about `q`"));
    check(
        r#"{"versions": []}"#,
        None,
        &bad("invalid type: sequence, expected a map at line 1 column 13"),
    );
    let deep = format!("{}{}", "[".repeat(200), "]".repeat(200));
    check(&deep, None, &bad("it is nested too deeply"));
    let endless = format!(r#"{{"name": "{}\u001b"}}"#, "q".repeat(500));
    check(
        &endless,
        None,
        &bad(&format!("it is about `{}…`", "q".repeat(300))),
    );
}
