//! Roots and entries that are links.

use pretty_assertions::assert_eq;

use super::{BOTH, only};
use crate::fixture::{Dir, Watching, looking, options};
use crate::{Mechanism, WatchRoot};

async fn start(mechanism: Mechanism, root: WatchRoot) -> Watching {
    Watching::start(options(mechanism), &[root]).await
}

#[tokio::test]
async fn a_root_behind_a_link() {
    for mechanism in BOTH {
        let dir = Dir::new();
        dir.dirs(&["one/sub", "two/sub"]);
        dir.link("root", "one");
        let root = dir.at("root");
        let mut watching = start(mechanism, WatchRoot::tree(root.clone())).await;
        dir.write("one/sub/file", "");
        assert_eq!(watching.next().await, only(&root), "{mechanism:?}");
        dir.link("next", "two");
        dir.rename("next", "root");
        assert_eq!(watching.until(&root).await, only(&root), "{mechanism:?}");
        dir.write("two/sub/file", "");
        assert_eq!(watching.until(&root).await, only(&root), "{mechanism:?}");
    }
}

#[tokio::test]
async fn a_link_on_the_way_to_a_root() {
    for mechanism in BOTH {
        let dir = Dir::new();
        dir.dirs(&["one/far/base", "two/far/base"]);
        dir.link("way", "one");
        let root = dir.at("way/far/base");
        let mut watching =
            Watching::start(looking(mechanism), &[WatchRoot::tree(root.clone())]).await;
        dir.link("next", "two");
        dir.rename("next", "way");
        assert_eq!(watching.until(&root).await, only(&root), "{mechanism:?}");
        dir.write("two/far/base/file", "");
        assert_eq!(watching.until(&root).await, only(&root), "{mechanism:?}");
    }
}

#[tokio::test]
async fn a_file_behind_a_link() {
    for mechanism in BOTH {
        let dir = Dir::new();
        dir.dirs(&["home", "dotfiles"]);
        dir.link("home/config.toml", "../dotfiles/config.toml");
        let file = dir.at("home/config.toml");
        let mut watching = start(mechanism, WatchRoot::file(file.clone())).await;
        // The link leads to nothing at first.
        dir.write("dotfiles/config.toml", "1");
        assert_eq!(watching.next().await, only(&file), "{mechanism:?}");
        dir.replace("dotfiles/config.toml", "22");
        assert_eq!(watching.next().await, only(&file), "{mechanism:?}");
        dir.remove("home/config.toml");
        assert_eq!(watching.next().await, only(&file), "{mechanism:?}");
    }
}

#[tokio::test]
async fn links_in_a_tree_are_followed_on_demand() {
    for mechanism in BOTH {
        for follow in [true, false] {
            let dir = Dir::new();
            dir.dirs(&["skills", "elsewhere/skill", "other"]);
            dir.link("skills/mine", "../elsewhere/skill");
            dir.link("skills/loop", "../skills");
            let (skills, other) = (dir.at("skills"), dir.at("other"));
            let root = match follow {
                true => WatchRoot::tree_and_links(skills.clone()),
                false => WatchRoot::tree(skills.clone()),
            };
            let roots = [root, WatchRoot::tree(other.clone())];
            let mut watching = Watching::start(options(mechanism), &roots).await;
            dir.write("elsewhere/skill/SKILL.md", "");
            if follow {
                assert_eq!(watching.next().await, only(&skills), "{mechanism:?}");
            }
            dir.write("other/file", "");
            assert_eq!(watching.until(&other).await, only(&other), "{mechanism:?}");
        }
    }
}

#[tokio::test]
async fn a_link_that_is_made_later_is_followed() {
    for mechanism in BOTH {
        let dir = Dir::new();
        dir.dirs(&["skills", "elsewhere/skill/deep"]);
        let skills = dir.at("skills");
        let mut watching = start(mechanism, WatchRoot::tree_and_links(skills.clone())).await;
        dir.link("skills/mine", "../elsewhere/skill");
        assert_eq!(watching.until(&skills).await, only(&skills));
        dir.write("elsewhere/skill/deep/file", "");
        assert_eq!(watching.until(&skills).await, only(&skills));
    }
}
