//! Equal values make equal bytes, and what does not change keeps its own.

use plugd_disk::tree::Digest;
use plugd_model::{AbsPath, MarketplaceName, OciReference, PackedOrigin, PluginId, VersionSegment};
use pretty_assertions::assert_eq;

use crate::{Location, LockedMarketplace, LockedPlugin, LockedSource, Lockfile, parse, render};

fn plugin(version: &str, source: LockedSource, resolved: Option<&str>) -> LockedPlugin {
    LockedPlugin {
        version: VersionSegment::new(version).unwrap(),
        source,
        resolved: resolved.map(str::to_owned),
        source_digest: Digest::of_bytes(version.as_bytes()),
        tree_digest: Digest::of_bytes(b"left"),
    }
}

fn packed(origin: &str) -> LockedMarketplace {
    LockedMarketplace::Packed(PackedOrigin::parse(origin).unwrap())
}

fn everything() -> Lockfile {
    let marketplaces = [
        (
            "team",
            LockedMarketplace::Git {
                url: "https://git.example.com/team.git".to_owned(),
                ref_name: Some("main".to_owned()),
                sparse_paths: vec!["plugins".to_owned()],
            },
        ),
        (
            "here",
            LockedMarketplace::Local(Location::InProject("tools/market".to_owned())),
        ),
        (
            "there",
            LockedMarketplace::Local(Location::Machine(AbsPath::new("/srv/market").unwrap())),
        ),
        ("openai-curated", LockedMarketplace::Curated),
        ("oci", packed("oci://r.example:5000/team/market:1")),
        ("archive", packed("https://files.example.com/market.tgz")),
    ];
    let git = LockedSource::Git {
        url: "https://git.example.com/other.git".to_owned(),
        path: Some("a/b".to_owned()),
        ref_name: None,
    };
    let npm = LockedSource::Npm {
        package: "@team/tool".to_owned(),
        version: Some("^1".to_owned()),
        registry: None,
    };
    let oci = LockedSource::Oci {
        reference: OciReference::parse("oci://r.example:5000/team/tool:1").unwrap(),
    };
    let archive = LockedSource::Archive {
        url: "https://files.example.com/tool.tar.gz".to_owned(),
    };
    let digest = format!("sha256:{}", "ab".repeat(32));
    let here = |path: &str| LockedSource::InMarketplace(path.to_owned());
    let plugins = [
        ("oci@team", plugin("1.0.0", oci, Some(&digest))),
        ("archive@team", plugin("1.0.0", archive, Some(&digest))),
        ("y@oci", plugin("1.0.0", here("a"), Some(&digest))),
        ("y@archive", plugin("1.0.0", here(""), Some(&digest))),
        (
            "lint@team",
            plugin(
                "2.0.0",
                LockedSource::InMarketplace("plugins/lint".to_owned()),
                Some("abc"),
            ),
        ),
        ("a@team", plugin("1.0.0", git, Some("def"))),
        ("z@here", plugin("local", npm, Some("1.4.2"))),
        (
            "whole@there",
            plugin("1.0.0", LockedSource::InMarketplace(String::new()), None),
        ),
    ];
    Lockfile {
        marketplaces: marketplaces
            .into_iter()
            .map(|(name, one)| (MarketplaceName::new(name).unwrap(), one))
            .collect(),
        plugins: plugins
            .into_iter()
            .map(|(id, one)| (PluginId::parse(id).unwrap(), one))
            .collect(),
    }
}

#[track_caller]
fn read(text: &str) -> Lockfile {
    match parse(text) {
        Ok(parsed) => parsed.lock,
        Err(errors) => panic!("{text}\n{errors:#?}"),
    }
}

#[test]
fn what_is_written_says_the_same() {
    let lock = everything();
    let text = render(&lock, None);
    assert_eq!(read(&text), lock);
    assert_eq!(render(&lock, Some(&text)), text);
    assert_eq!(
        read(&render(&Lockfile::default(), None)),
        Lockfile::default()
    );
}

#[test]
fn blocks_are_sorted_and_one_below_the_other() {
    let text = render(&everything(), None);
    let heads: Vec<&str> = text.lines().filter(|line| line.starts_with('[')).collect();
    assert_eq!(
        heads,
        [
            "[marketplaces.archive]",
            "[marketplaces.here]",
            "[marketplaces.oci]",
            "[marketplaces.openai-curated]",
            "[marketplaces.team]",
            "[marketplaces.there]",
            "[plugins.\"a@team\"]",
            "[plugins.\"archive@team\"]",
            "[plugins.\"lint@team\"]",
            "[plugins.\"oci@team\"]",
            "[plugins.\"whole@there\"]",
            "[plugins.\"y@archive\"]",
            "[plugins.\"y@oci\"]",
            "[plugins.\"z@here\"]",
        ]
    );
    let block = text.split("\n\n").find(|block| block.contains("a@team"));
    let digest = Digest::of_bytes(b"1.0.0");
    let left = Digest::of_bytes(b"left");
    let expected = format!(
        "[plugins.\"a@team\"]\nversion = \"1.0.0\"\n\
         source = {{ git = \"https://git.example.com/other.git\", path = \"a/b\" }}\n\
         commit = \"def\"\nsource_digest = \"{digest}\"\ntree_digest = \"{left}\""
    );
    assert_eq!(block, Some(expected.as_str()));
}

#[test]
fn a_change_touches_its_own_block() {
    let mut lock = everything();
    let before = render(&lock, None).replace(
        "[plugins.\"lint@team\"]",
        "# Do not touch without asking Ada.\n[plugins.\"lint@team\"]\nreviewed = true # by Ada",
    );
    assert_eq!(render(&lock, Some(&before)), before);
    let id = PluginId::parse("lint@team").unwrap();
    lock.plugins.get_mut(&id).unwrap().version = VersionSegment::new("2.1.0").unwrap();
    let after = render(&lock, Some(&before));
    assert_eq!(
        after,
        before.replace("version = \"2.0.0\"", "version = \"2.1.0\"")
    );
    lock.plugins.remove(&id);
    let gone = render(&lock, Some(&after));
    assert_eq!(read(&gone), lock);
    assert!(!gone.contains("Ada"));
}

#[test]
fn a_new_block_takes_its_place_between_the_others() {
    let mut lock = everything();
    let whole = render(&lock, None);
    let id = PluginId::parse("lint@team").unwrap();
    let lint = lock.plugins.remove(&id).unwrap();
    let without = render(&lock, None);
    lock.plugins.insert(id, lint);
    assert_eq!(render(&lock, Some(&without)), whole);
}

#[test]
fn another_order_or_spelling_is_no_change() {
    let lock = everything();
    let text = "version = 1\n[plugins.\"x@m\"]\ntree_digest = '$D'\nsource_digest = \"$D\"\n\
                version = '1.0.0'\nsource = {path='./x'}\n[marketplaces]\nm = { path = \"/m\" }\n"
        .replace("$D", &Digest::of_bytes(b"").to_string());
    let other = read(&text);
    let again = render(&other, Some(&text));
    assert_eq!(read(&again), other);
    assert!(again.contains("tree_digest = '"), "{again}");
    // What is no lock is written anew.
    assert_eq!(render(&lock, Some("<<<<<<< ours")), render(&lock, None));
}

#[test]
fn a_heading_of_a_section_keeps_its_place_and_comment() {
    let text = render(&everything(), None);
    let first = "\n[plugins.\"a@team\"]";
    let written = text.replacen(first, &format!("\n# What we use.\n[plugins]\n{first}"), 1);
    assert_ne!(written, text);
    assert_eq!(render(&everything(), Some(&written)), written);
    let mut less = everything();
    less.plugins
        .remove(&PluginId::parse("lint@team").unwrap())
        .unwrap();
    let rewritten = render(&less, Some(&written));
    assert!(
        rewritten.contains("\n# What we use.\n[plugins]\n\n[plugins.\"a@team\"]"),
        "{rewritten}"
    );
    assert_eq!(read(&rewritten), less);
}

#[test]
fn the_ends_of_lines_and_the_byte_order_mark_stay() {
    let text = render(&everything(), None);
    let windows = format!("\u{feff}{}", text.replace('\n', "\r\n"));
    assert_eq!(read(&windows), everything());
    assert_eq!(render(&everything(), Some(&windows)), windows);
    let mut less = everything();
    less.plugins
        .remove(&PluginId::parse("lint@team").unwrap())
        .unwrap();
    let expected = render(&less, Some(&text));
    let expected = format!("\u{feff}{}", expected.replace('\n', "\r\n"));
    assert_eq!(render(&less, Some(&windows)), expected);
}
