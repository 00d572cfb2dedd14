//! The source forms, row by row, as observed on the reference; differences are named.

mod artifacts;

use plugd_model::Source;
use pretty_assertions::assert_eq;

use crate::parse_marketplace;
use crate::testing::{entries, rows};

/// A source in one line, or the rows of problems that took its place.
fn read(source: &str) -> String {
    let (manifest, problems) = entries(&format!("{{\"name\":\"p\",\"source\":{source}}}"));
    match manifest.entries.first() {
        Some(entry) => {
            assert_eq!(problems, []);
            line(&entry.source)
        }
        None => rows(&problems).join("; "),
    }
}

fn line(source: &Source) -> String {
    let part = |label: &str, text: &Option<String>| match text {
        Some(text) => format!(" {label}={text}"),
        None => String::new(),
    };
    match source {
        Source::Local { path } => format!("local {path}"),
        Source::Git {
            url,
            path,
            ref_name,
            sha,
        } => format!(
            "git {url}{}{}{}",
            part("path", path),
            part("ref", ref_name),
            part("sha", sha)
        ),
        Source::Npm {
            package,
            version,
            registry,
        } => format!(
            "npm {package}{}{}",
            part("version", version),
            part("registry", registry)
        ),
        Source::Oci { reference } => format!("oci {reference}"),
        Source::Archive { url, digest } => format!("archive {url} {digest}"),
        Source::Remote => "remote".to_owned(),
    }
}

#[track_caller]
fn check(source: &str, expected: &str) {
    assert_eq!(read(source), expected, "{source}");
}

/// A local path gives the same in both spellings.
#[track_caller]
fn check_local(path: &str, expected: Option<&str>) {
    let text = serde_json::to_string(path).unwrap();
    match expected {
        Some(expected) => {
            check(&text, &format!("local {expected}"));
            let object = format!("{{\"source\":\"local\",\"path\":{text}}}");
            check(&object, &format!("local {expected}"));
        }
        None => {
            check(&text, "error badSource plugins[0].source 2:22");
            let object = format!("{{\"source\":\"local\",\"path\":{text}}}");
            check(&object, "error badSource plugins[0].source.path 2:47");
        }
    }
}

#[test]
fn local_paths() {
    check_local("./a", Some("/mp/a"));
    check_local("./a/", Some("/mp/a"));
    check_local("./a/./b", Some("/mp/a/b"));
    check_local("./a//b", Some("/mp/a/b"));
    check_local("./a b", Some("/mp/a b"));
    check_local("./a\\b", Some("/mp/a\\b"));
    check_local(".", Some("/mp"));
    check_local("./", Some("/mp"));
    check_local("", None);
    check_local("a", None);
    check_local(" ./a", None);
    check_local("..", None);
    check_local("./..", None);
    check_local("./a/../b", None);
    check_local("/a", None);
    check_local("./.", None);
    check_local("././a", None);
    check_local("./a\0b", None);
}

#[test]
fn a_local_source_needs_a_marketplace_root() {
    let file = plugd_model::AbsPath::new("/elsewhere/marketplace.json").unwrap();
    let json = r#"{"name":"m","plugins":[{"name":"a","source":"./a"},{"name":"b","source":{"source":"url","url":"./x"}},{"name":"c","source":{"source":"url","url":"o/r"}}]}"#;
    let (manifest, problems) = parse_marketplace(json.as_bytes(), &file).unwrap();
    assert_eq!(manifest.root.to_text(), "/elsewhere");
    let names: Vec<_> = manifest.entries.iter().map(|e| e.name.as_str()).collect();
    assert_eq!(names, ["c"]);
    assert_eq!(
        rows(&problems),
        [
            "error badSource plugins[0].source 1:45",
            "error badSource plugins[1].source.url 1:95"
        ]
    );
}

/// Checks a git URL; nothing means that it is refused.
#[track_caller]
fn check_url(url: &str, expected: Option<&str>) {
    let text = serde_json::to_string(url).unwrap();
    let expected = match expected {
        Some(url) => format!("git {url}"),
        None => "error badSource plugins[0].source.url 2:44".to_owned(),
    };
    check(&format!("{{\"source\":\"url\",\"url\":{text}}}"), &expected);
}

#[test]
fn git_urls_that_are_kept() {
    for url in [
        "https://gitlab.com/o/r",
        "https://x/y.git",
        "http://github.com/o/r",
        "https://GitHub.com/o/r",
        "https://www.github.com/o/r",
        "https://u:p@github.com/o/r",
        "file:///a",
        "/a/../b",
        "ssh://git@github.com/o/r",
        "git@github.com:o/r",
        "git@h:a/b",
    ] {
        check_url(url, Some(url));
    }
}

#[test]
fn git_urls_that_are_rewritten() {
    check_url(" https://x/y ", Some("https://x/y"));
    check_url("https://github.com/o/r", Some("https://github.com/o/r.git"));
    check_url(
        "https://github.com/o/r.git",
        Some("https://github.com/o/r.git"),
    );
    check_url("https://github.com/o", Some("https://github.com/o.git"));
    check_url("o/r", Some("https://github.com/o/r.git"));
    check_url("o/r.git", Some("https://github.com/o/r.git"));
    check_url("o/.r", Some("https://github.com/o/.r.git"));
    check_url("./x", Some("/mp/x"));
    check_url("./x//y/", Some("/mp/x/y"));
    check_url("./", Some("/mp"));
    check_url(".\\x", Some("/mp/x"));
}

#[test]
fn git_urls_that_are_refused() {
    for url in [
        "",
        " ",
        "HTTPS://github.com/o/r",
        "git://h/a",
        "a@b:c",
        "user@host:path",
        "git@h",
        "o/r/",
        "o/r#main",
        "o/r@v1",
        "o r/x",
        "o",
        "./x/../y",
        "./..",
        ".\\..\\x",
    ] {
        check_url(url, None);
    }
}

/// The reference keeps these: the first two end in `/.git`, the others cannot be fetched or would
/// be taken for a switch by an ssh program.
#[test]
fn git_urls_that_are_treated_better_than_in_the_reference() {
    check_url(
        "https://github.com/o/r/",
        Some("https://github.com/o/r.git"),
    );
    check_url(
        "https://github.com/o/r.git/",
        Some("https://github.com/o/r.git"),
    );
    check_url(
        "https://github.com/o/r?x=1",
        Some("https://github.com/o/r?x=1"),
    );
    for url in [
        "https://",
        "https:///x",
        "ssh://-oProxyCommand=x/a",
        "ssh://-l@h/a",
        "git@-oProxyCommand=x:a",
        "git@:a",
        "o/..",
        "../r",
        "https://x/\n",
        "https://x/a\nb",
    ] {
        let expected = (url == "https://x/\n").then_some("https://x/");
        check_url(url, expected);
    }
}

#[test]
fn git_paths() {
    for (path, expected) in [
        ("./a", Some("a")),
        ("a", Some("a")),
        (" ./a ", Some("a")),
        ("a//b/", Some("a//b/")),
        ("./a/./b", Some("a/./b")),
        ("a\\b", Some("a\\b")),
        ("", None),
        ("  ", None),
        ("./", None),
        (".", None),
        ("..", None),
        ("a/../b", None),
        ("/a", None),
        ("././a", None),
    ] {
        let text = serde_json::to_string(path).unwrap();
        for (kind, column) in [("url", 57), ("git-subdir", 64)] {
            let source = format!("{{\"source\":\"{kind}\",\"url\":\"o/r\",\"path\":{text}}}");
            let expected = match expected {
                Some(path) => format!("git https://github.com/o/r.git path={path}"),
                None => format!("error badSource plugins[0].source.path 2:{column}"),
            };
            check(&source, &expected);
        }
    }
}

#[test]
fn only_some_kinds_need_a_path() {
    let url = "git https://github.com/o/r.git";
    check(r#"{"source":"url","url":"o/r"}"#, url);
    check(r#"{"source":"url","url":"o/r","path":null}"#, url);
    check(r#"{"source":"git","url":"o/r"}"#, url);
    check(r#"{"source":"github","repo":"o/r"}"#, url);
    let missing = "error badSource plugins[0].source 2:22";
    check(r#"{"source":"git-subdir","url":"o/r"}"#, missing);
    check(
        r#"{"source":"git-subdir","url":"o/r","path":null}"#,
        missing,
    );
}

#[test]
fn ref_and_commit_are_trimmed_and_blank_means_none() {
    check(
        r#"{"source":"url","url":"o/r","ref":" ","sha":" x "}"#,
        "git https://github.com/o/r.git sha=x",
    );
    check(
        r#"{"source":"git-subdir","url":"o/r","path":"a","ref":" v1 ","sha":null}"#,
        "git https://github.com/o/r.git path=a ref=v1",
    );
    check(
        r#"{"source":"url","url":"o/r","ref":1}"#,
        "error badSource plugins[0].source.ref 2:56",
    );
}

#[test]
fn github_and_git_are_understood() {
    check(
        r#"{"source":"github","repo":"o/r","path":"./p","ref":"v1","sha":"abc"}"#,
        "git https://github.com/o/r.git path=p ref=v1 sha=abc",
    );
    check(
        r#"{"source":"git","url":"ssh://git@h/r","path":"p"}"#,
        "git ssh://git@h/r path=p",
    );
    for repo in ["o", "o/r/x", "https://github.com/o/r", "o/", "/r", ""] {
        check(
            &format!(r#"{{"source":"github","repo":"{repo}"}}"#),
            "error badSource plugins[0].source.repo 2:48",
        );
    }
}

#[test]
fn npm_packages() {
    for package in ["a", "A", "-a", "a..b", "@s/a", "@s/.a", "@.s/a", "@_s/_a"] {
        check(
            &format!(r#"{{"source":"npm","package":"{package}"}}"#),
            &format!("npm {package}"),
        );
    }
    check(r#"{"source":"npm","package":" a "}"#, "npm a");
    for package in [
        "", "_a", ".a", "a/b", "..", "@s/", "@/a", "@s", "@s/..", "@s/a/b", "a b", "ä",
    ] {
        check(
            &format!(r#"{{"source":"npm","package":"{package}"}}"#),
            "error badSource plugins[0].source.package 2:48",
        );
    }
}

#[test]
fn npm_versions() {
    for (version, expected) in [
        ("1.0.0", Some("1.0.0")),
        (" 1 ", Some("1")),
        ("^1.0 || 2", Some("^1.0 || 2")),
        ("-1", Some("-1")),
        ("", None),
        (" ", None),
        (".", None),
        ("..", None),
        ("npm:x", None),
        ("a/b", None),
        ("a\\\\b", None),
    ] {
        let source = format!(r#"{{"source":"npm","package":"a","version":"{version}"}}"#);
        match expected {
            Some(version) => check(&source, &format!("npm a version={version}")),
            None => check(&source, "error badSource plugins[0].source.version 2:62"),
        }
    }
}

#[test]
fn npm_registries() {
    for (registry, expected) in [
        ("https://r.x", Some("https://r.x")),
        (" https://r.x ", Some("https://r.x")),
        ("https://r.x/p/", Some("https://r.x/p/")),
        ("HTTPS://R.x/", Some("HTTPS://R.x/")),
        ("https://r.x:8080", Some("https://r.x:8080")),
        ("https://[::1]:80/", Some("https://[::1]:80/")),
        ("https://[::1]/", Some("https://[::1]/")),
        ("", None),
        ("http://r.x", None),
        ("https://", None),
        ("https:///p", None),
        ("https://u@r.x", None),
        ("https://u:p@r.x", None),
        ("https://r.x?q", None),
        ("https://r.x#f", None),
        ("https://r.x:80a", None),
        ("https://r.x:+80", None),
        ("https://:80", None),
        ("ä", None),
    ] {
        let source = format!(r#"{{"source":"npm","package":"a","registry":"{registry}"}}"#);
        match expected {
            Some(registry) => check(&source, &format!("npm a registry={registry}")),
            None => check(&source, "error badSource plugins[0].source.registry 2:63"),
        }
    }
}

#[test]
fn unknown_kinds_are_reported() {
    for kind in ["pip", "URL", "Local", "", "git_subdir"] {
        check(
            &format!(r#"{{"source":"{kind}","url":"o/r"}}"#),
            "error unsupportedSource plugins[0].source.source 2:32",
        );
    }
}

#[test]
fn incomplete_and_mistyped_sources_are_reported() {
    for source in ["5", "null", "true", "[]", "[\"local\",\"./a\"]"] {
        check(source, "error badSource plugins[0].source 2:22");
    }
    for source in [
        "{}",
        r#"{"path":"./a"}"#,
        r#"{"source":"local"}"#,
        r#"{"source":"url"}"#,
        r#"{"source":"github"}"#,
        r#"{"source":"npm"}"#,
        r#"{"source":null}"#,
    ] {
        check(source, "error badSource plugins[0].source 2:22");
    }
    check(
        r#"{"source":5}"#,
        "error badSource plugins[0].source.source 2:32",
    );
    check(
        r#"{"source":"url","url":5}"#,
        "error badSource plugins[0].source.url 2:44",
    );
}

#[test]
fn unknown_members_of_a_source_are_ignored() {
    check(r#"{"source":"local","path":"./a","x":1}"#, "local /mp/a");
}
