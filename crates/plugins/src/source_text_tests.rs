use plugd_disk::Disk;
use plugd_testkit::Sandbox;
use pretty_assertions::assert_eq;

use super::{GitSource, Given, SourceText, parse};
use crate::Error;

/// A home, a start directory, a marketplace, a bare repository, and a directory whose name looks like
/// a ref.
fn sandbox() -> Sandbox {
    Sandbox::from(
        "== home/m/.agents/plugins/marketplace.json\n{}\n\
         == cwd/mk/.agents/plugins/marketplace.json\n{}\n\
         == cwd/a@b#c/x\n-\n\
         == cwd/bare.git/HEAD\nref: refs/heads/main\n\
         == cwd/bare.git/objects/x\n-\n\
         == cwd/bare.git/refs/x\n-\n",
    )
}

fn read(
    sandbox: &Sandbox,
    source: &str,
    ref_name: Option<&str>,
    sparse: &[&str],
) -> Result<SourceText, Error> {
    let sparse_paths: Vec<String> = sparse.iter().map(|path| (*path).to_owned()).collect();
    let given = Given {
        source,
        ref_name,
        sparse_paths: &sparse_paths,
        cwd: &sandbox.path("cwd"),
        home: Some(&sandbox.path("home")),
    };
    parse(&Disk::new(), &given)
}

#[track_caller]
fn check_local(sandbox: &Sandbox, source: &str, expected: &str) {
    let found = read(sandbox, source, None, &[]).unwrap();
    assert_eq!(found, SourceText::Local(sandbox.path(expected)), "{source}");
}

#[track_caller]
fn check_git(source: &str, url: &str, ref_name: Option<&str>) {
    let sandbox = sandbox();
    let found = read(&sandbox, source, None, &[]).unwrap();
    let expected = GitSource {
        url: url.replace("$CWD", &sandbox.path("cwd").to_text()),
        ref_name: ref_name.map(str::to_owned),
        sparse_paths: Vec::new(),
    };
    assert_eq!(found, SourceText::Git(expected), "{source}");
}

#[track_caller]
fn check_refused(source: &str, part: &str) {
    let error = read(&sandbox(), source, None, &[]).unwrap_err();
    let text = plugd_model::error_chain(&error);
    assert!(text.contains(part), "{source}: {text}");
}

#[test]
fn a_directory_is_local() {
    let sandbox = sandbox();
    check_local(&sandbox, "./mk", "cwd/mk");
    check_local(&sandbox, ".", "cwd");
    check_local(&sandbox, "../home/m", "home/m");
    check_local(&sandbox, "~/m", "home/m");
    check_local(&sandbox, &sandbox.path("cwd/mk").to_text(), "cwd/mk");
    // It is there as written, so it is meant as written.
    check_local(&sandbox, "./a@b#c", "cwd/a@b#c");
    // Whoever adds it says that it is not there.
    check_local(&sandbox, "./none", "cwd/none");
}

#[test]
fn a_repository_is_git() {
    let github = "https://github.com/owner/repo.git";
    check_git("owner/repo", github, None);
    check_git("owner/repo.git", github, None);
    check_git("owner/repo@v1", github, Some("v1"));
    check_git("owner/repo#feature/x", github, Some("feature/x"));
    check_git("https://github.com/owner/repo/", github, None);
    check_git(
        "https://example.com/r.git#v1",
        "https://example.com/r.git",
        Some("v1"),
    );
    check_git("https://example.com/r@v1", "https://example.com/r@v1", None);
    check_git(
        "http://127.0.0.1:8080/r.git",
        "http://127.0.0.1:8080/r.git",
        None,
    );
    check_git(
        "ssh://git@example.com/r.git",
        "ssh://git@example.com/r.git",
        None,
    );
    check_git("git@example.com:o/r.git", "git@example.com:o/r.git", None);
    check_git(
        "git@example.com:o/r.git@v2",
        "git@example.com:o/r.git",
        Some("v2"),
    );
    check_git("git@github.com:o/r", "git@github.com:o/r.git", None);
    check_git("file:///srv/r.git", "file:///srv/r.git", None);
    check_git("file:///srv/r.git#main", "file:///srv/r.git", Some("main"));
    check_git("./bare.git", "$CWD/bare.git", None);
    check_git("./bare.git#main", "$CWD/bare.git", Some("main"));
}

#[test]
fn ref_and_paths_of_the_request() {
    let sandbox = sandbox();
    let found = read(
        &sandbox,
        "owner/repo@v1",
        Some("v2"),
        &["./a/b/", "a/b", "c"],
    )
    .unwrap();
    let expected = GitSource {
        url: "https://github.com/owner/repo.git".to_owned(),
        ref_name: Some("v2".to_owned()),
        sparse_paths: vec!["a/b".to_owned(), "c".to_owned()],
    };
    assert_eq!(found, SourceText::Git(expected));
    for bad in ["..", "a/../b", "/a", "", "a\\b", "*.md", ".git/x"] {
        let error = read(&sandbox, "owner/repo", None, &[bad]).unwrap_err();
        assert!(
            error.to_string().starts_with("sparsePaths: "),
            "{bad}: {error}"
        );
    }
    for (ref_name, sparse) in [(Some("v1"), &[][..]), (None, &["a"][..])] {
        let error = read(&sandbox, "./mk", ref_name, sparse).unwrap_err();
        assert!(error.to_string().contains("only a git"), "{error}");
    }
}

#[test]
fn everything_else_is_refused_before_anything_is_started() {
    check_refused("foo", "invalid marketplace source format");
    check_refused("a/b/c", "invalid marketplace source format");
    check_refused("ftp://example.com/x", "invalid marketplace source format");
    check_refused("ext::sh -c x", "invalid marketplace source format");
    check_refused("", "invalid marketplace source format");
    check_refused("-u/x", "invalid marketplace source format");
    check_refused("http://example.com/r.git", "plain http");
    check_refused("https://-x/r.git", "malformed");
    check_refused(
        "owner/repo#--upload-pack=x",
        "cannot be the name of a branch",
    );
    check_refused("git@-oProxyCommand=x:r", "malformed");
    check_refused("./none#v1", "takes no `#ref`");
}

#[test]
fn a_secret_in_no_accepted_form_is_not_repeated() {
    let error = read(&sandbox(), "git:hunter2@example.com:r.git", None, &[]).unwrap_err();
    assert!(
        !format!("{error} {error:?}").contains("hunter2"),
        "{error:?}"
    );
}

#[test]
fn a_secret_is_not_taken_and_not_repeated() {
    for source in [
        "https://user:hunter2@example.com/r.git",
        "https://hunter2@example.com/r.git#v1",
        "HTTPS://hunter2@example.com/r.git",
        "https://example.com/r.git?token=hunter2",
        "ssh://git:hunter2@example.com/r.git",
        "https://user:hunter2/x@example.com/r.git",
        "https://user:hun#ter2hunter2@example.com/r.git",
        "https://hunter2/x@example.com/r.tar.gz",
        "https:/user:hunter2@example.com/r.git",
        "user:hunter2/x@example.com/r.git",
    ] {
        let error = read(&sandbox(), source, None, &[]).unwrap_err();
        assert!(matches!(error, Error::SecretInAddress { .. }), "{error}");
        assert!(
            !format!("{error} {error:?}").contains("hunter2"),
            "{error:?}"
        );
    }
}

#[track_caller]
fn check_packed(source: &str, expected: &str) {
    let found = read(&sandbox(), source, None, &[]).unwrap();
    let SourceText::Packed(origin) = found else {
        panic!("{source}: {found:?}");
    };
    assert_eq!(origin.to_string(), expected, "{source}");
}

#[test]
fn artifacts_and_archives() {
    let hex = "ab".repeat(32);
    check_packed("oci://r.example/team/m", "oci://r.example/team/m");
    check_packed(" OCI://R.example:5000/m:1 ", "oci://r.example:5000/m:1");
    let pinned = format!("oci://r.example/m:1@sha256:{hex}");
    check_packed(&pinned, &pinned);
    for end in ["tar.gz", "tgz", "tar", "TGZ"] {
        let url = format!("https://h.example/m.{end}");
        check_packed(&url, &url);
    }
    let summed = format!("https://h.example/m#sha256={hex}");
    check_packed(&summed, &summed);
    check_packed("http://127.0.0.1:1/m.tgz", "http://127.0.0.1:1/m.tgz");
    // Everything else is what it was.
    let plain = "https://h.example/m.zip";
    check_git(plain, plain, None);
    check_git(
        "https://h.example/m.tgz.git",
        "https://h.example/m.tgz.git",
        None,
    );
    check_git(
        "https://h.example/m#v1.tgz",
        "https://h.example/m",
        Some("v1.tgz"),
    );
    check_git("owner/m.tgz", "https://github.com/owner/m.tgz.git", None);
}

#[test]
fn what_no_artifact_or_archive_can_be() {
    check_refused(
        "oci://r.example",
        "source: the reference names no repository",
    );
    check_refused("oci://r.example/m@sha256:1", "64 hexadecimal digits");
    check_refused("http://h.example/m.tgz", "begins with `https://`");
    check_refused("https://h.example/m.tgz#v1", "behind `#` stands `sha256=`");
    for source in [
        "oci://me:hunter2@r.example/m",
        "https://me:hunter2@h.example/m.tgz",
        "https://h.example/m.tgz?token=hunter2",
    ] {
        let error = read(&sandbox(), source, None, &[]).unwrap_err();
        let told = format!("{error} {error:?}");
        assert!(!told.contains("hunter2"), "{told}");
    }
    for (ref_name, sparse) in [(Some("v1"), &[][..]), (None, &["a"][..])] {
        let error = read(&sandbox(), "oci://r.example/m:1", ref_name, sparse).unwrap_err();
        assert!(
            error.to_string().contains("tag or digest in the source"),
            "{error}"
        );
    }
}
