use plugd_disk::Disk;
use plugd_model::{AbsPath, PackedOrigin, ProblemKind};
use plugd_testkit::Sandbox;
use pretty_assertions::assert_eq;

use crate::{MarketplaceKind, SessionFlags, load};

fn git(source: &str, ref_name: Option<&str>) -> MarketplaceKind {
    MarketplaceKind::Git {
        source: source.to_owned(),
        ref_name: ref_name.map(str::to_owned),
        sparse_paths: Vec::new(),
    }
}

fn local(path: &str) -> MarketplaceKind {
    MarketplaceKind::Local {
        source: AbsPath::new(path).unwrap(),
    }
}

/// Checks which of the sources the file lets through, and how many problems it has itself.
#[track_caller]
fn check(text: &str, problems: usize, allowed: &[MarketplaceKind], refused: &[MarketplaceKind]) {
    let sandbox = Sandbox::new();
    sandbox.write("etc/requirements.toml", text);
    let snapshot = load(&Disk::new(), &sandbox.layout(), &SessionFlags::none(), None);
    assert_eq!(
        snapshot.problems().len(),
        problems,
        "{:?}",
        snapshot.problems()
    );
    assert_eq!(snapshot.warnings().len(), problems);
    let requirements = snapshot.requirements();
    assert_eq!(requirements.is_restricted(), !refused.is_empty());
    for kind in allowed {
        assert_eq!(requirements.allows("m", kind), Ok(()), "{kind:?}");
    }
    for kind in refused {
        let problem = requirements.allows("m", kind).unwrap_err();
        assert_eq!(problem.kind, ProblemKind::Policy);
        assert_eq!(problem.path, Some(sandbox.path("etc/requirements.toml")));
        assert!(
            problem.message.contains("not allowed"),
            "{}",
            problem.message
        );
    }
    assert_eq!(
        requirements.allows_unconfigured("home").is_err(),
        !refused.is_empty()
    );
}

const ON: &str = "[marketplaces]\nrestrict_to_allowed_sources = true\n";

#[test]
fn without_the_switch_everything_is_allowed() {
    let all = [git("a/b", None), local("/x")];
    check("", 0, &all, &[]);
    check("[rules]\nx = 1\n", 0, &all, &[]);
    // What nobody reads is told, because somebody meant something.
    check("[trust]\nmode = \"strict\"\n", 1, &all, &[]);
    check("restrict_to_allowed_sources = true\n", 1, &all, &[]);
    check(
        "[marketplaces]\nrestrict_to_allowed_sources = false\n",
        0,
        &all,
        &[],
    );
    check(
        "[marketplaces.allowed_sources.a]\nsource = \"zip\"\n",
        1,
        &all,
        &[],
    );
}

#[test]
fn only_what_is_on_the_list() {
    let list = |rows: &str| format!("{ON}[marketplaces.allowed_sources.k]\n{rows}");
    check(ON, 0, &[], &[git("a/b", None), local("/x")]);
    check(
        &list("source = \"git\"\nurl = \"a/b\"\n"),
        0,
        &[git("https://github.com/a/b/", None), git("a/b", Some("x"))],
        &[
            git("a/c", None),
            git("git@github.com:a/b", None),
            local("/a/b"),
        ],
    );
    check(
        &list("source = \"git\"\nurl = \"a/b\"\nref = \"v1\"\n"),
        0,
        &[git("a/b", Some("v1"))],
        &[git("a/b", None), git("a/b", Some("v2"))],
    );
    check(
        &list("source = \"host_pattern\"\nhost_pattern = '^(.*\\.)?corp\\.example$'\n"),
        0,
        &[
            git("https://git.CORP.example/x", None),
            git("git@corp.example:x", None),
        ],
        &[
            git("https://corp.example.evil.org/x", None),
            git("https://corp.example@evil.org/x", None),
            git("https://evil.org/corp.example", None),
            local("/corp.example"),
        ],
    );
    check(
        &list("source = \"local\"\npath = \"/srv/m/\"\n"),
        0,
        &[local("/srv/m")],
        &[local("/srv/m/x"), local("/srv"), git("/srv/m", None)],
    );
}

#[test]
fn a_mistake_in_the_list_closes_it() {
    let all = [git("a/b", None), local("/x")];
    let list = |rows: &str| {
        format!(
            "{ON}[marketplaces.allowed_sources.ok]\nsource=\"git\"\nurl=\"a/b\"\n[marketplaces.allowed_sources.k]\n{rows}"
        )
    };
    check("[marketplaces\n", 1, &[], &all);
    check("marketplaces = 1\n", 1, &[], &all);
    check(
        "[marketplaces]\nrestrict_to_allowed_sources = \"no\"\n",
        1,
        &[],
        &all,
    );
    check(&format!("{ON}allowed_sources = []\n"), 1, &[], &all);
    let misspelt = "[marketplaces]\nrestrict_to_allowed_source = true\n";
    check(misspelt, 1, &[], &all);
    for rows in [
        "",
        "source = 1\n",
        "source = \"zip\"\n",
        "source = \"git\"\n",
        "source = \"git\"\nurl = \"a/b\"\nref = 1\n",
        "source = \"host_pattern\"\nhost_pattern = \"(\"\n",
        "source = \"local\"\npath = \"x\"\n",
        "source = \"local\"\npath = \"/x\"\nPath = \"/x\"\n",
    ] {
        check(&list(rows), 1, &[], &all);
    }
}

#[test]
fn the_curated_marketplace_needs_permission_too() {
    let sandbox = Sandbox::new();
    let allows = || {
        let snapshot = load(&Disk::new(), &sandbox.layout(), &SessionFlags::none(), None);
        snapshot.requirements().allows_curated().is_ok()
    };
    assert!(allows());
    sandbox.write("etc/requirements.toml", ON);
    assert!(!allows());
    let rule = "[marketplaces.allowed_sources.c]\nsource = \"git\"\nurl = \"openai/plugins\"\n";
    sandbox.write("etc/requirements.toml", format!("{ON}{rule}"));
    assert!(allows());
}

#[test]
fn credentials_do_not_get_into_messages() {
    let sandbox = Sandbox::new();
    sandbox.write("etc/requirements.toml", ON);
    let snapshot = load(&Disk::new(), &sandbox.layout(), &SessionFlags::none(), None);
    let kind = git("https://me:secret@example.com/a", None);
    let problem = snapshot.requirements().allows("m", &kind).unwrap_err();
    assert!(
        problem.message.contains("`https://example.com/a`"),
        "{}",
        problem.message
    );
}

/// An archive in the place where it is unpacked, in a home of somebody.
fn packed(origin: &str) -> MarketplaceKind {
    let origin = PackedOrigin::parse(origin).unwrap();
    let above = AbsPath::new("/h/plugins/.plugd/marketplaces/m").unwrap();
    let parts = origin.directories();
    MarketplaceKind::of_directory(parts.iter().fold(above, |dir, part| dir.join(part)))
}

#[test]
fn an_archive_is_asked_about_by_its_origin() {
    let list = |rows: &str| format!("{ON}[marketplaces.allowed_sources.k]\n{rows}");
    let (stable, other) = (
        packed("oci://r.example/a/b:1"),
        packed("oci://r.example/a/b:2"),
    );
    let elsewhere = packed("https://evil.example/r.example.tgz");
    let MarketplaceKind::Packed { place, .. } = stable.clone() else {
        panic!("{stable:?}");
    };
    check(
        &list(&format!("source = \"local\"\npath = \"{place}\"\n")),
        0,
        &[],
        &[stable.clone(), elsewhere.clone()],
    );
    check(
        &list("source = \"host_pattern\"\nhost_pattern = '^r\\.example$'\n"),
        0,
        &[stable.clone(), other.clone()],
        std::slice::from_ref(&elsewhere),
    );
    check(
        &list("source = \"git\"\nurl = \"oci://R.example/a/b\"\nref = \"1\"\n"),
        0,
        &[stable],
        &[other, elsewhere.clone()],
    );
    check(
        &list("source = \"git\"\nurl = \"https://evil.example/r.example.tgz\"\n"),
        0,
        &[elsewhere],
        &[git("https://evil.example/other", None)],
    );
}

#[test]
fn links_to_an_allowed_directory_are_followed_each_time() {
    let sandbox = Sandbox::new();
    sandbox.add("== real/a/\n== other/a/\n== real/inner -> ../other\n== link -> real\n");
    let path = |name: &str| sandbox.path(name);
    for allowed in ["real", "link"] {
        let rule = format!(
            "[marketplaces.allowed_sources.a]\nsource = \"local\"\npath = \"{}\"\n",
            path(allowed)
        );
        sandbox.write("etc/requirements.toml", format!("{ON}{rule}"));
        let snapshot = load(&Disk::new(), &sandbox.layout(), &SessionFlags::none(), None);
        let requirements = snapshot.requirements();
        let is_allowed = |name: &str| {
            requirements
                .allows("m", &local(&path(name).to_string()))
                .is_ok()
        };
        let asked = ["real", "link", "other", "real/inner"].map(is_allowed);
        assert_eq!(asked, [true, true, false, false], "{allowed}");
        let holds = |name: &str| requirements.allows_tree(&path(name)).is_ok();
        let asked = ["real/a", "link/a", "other/a", "real/inner/a"].map(holds);
        assert_eq!(asked, [true, true, false, false], "{allowed}");
    }
}
