//! Changes below a tree, and beside it.

use pretty_assertions::assert_eq;

use super::{BOTH, only};
use crate::fixture::{Dir, Watching, options};
use crate::{Exclusions, Mechanism, WatchOptions, WatchRoot};

/// Each change is told for the tree.
async fn check(changes: &[fn(&Dir)]) {
    for mechanism in BOTH {
        let dir = Dir::new();
        dir.dirs(&["tree/a/b", "beside"]);
        dir.write("tree/a/file", "1");
        let tree = dir.at("tree");
        let mut watching =
            Watching::start(options(mechanism), &[WatchRoot::tree(tree.clone())]).await;
        for (number, change) in changes.iter().enumerate() {
            change(&dir);
            let told = watching.next().await;
            assert_eq!(told, only(&tree), "{mechanism:?}, change {number}");
        }
        assert_eq!(watching.watcher.problems(), []);
    }
}

#[tokio::test]
async fn files_of_a_tree() {
    check(&[|dir| dir.write("tree/a/file", "other")]).await;
    check(&[|dir| dir.write("tree/a/b/new", "")]).await;
    check(&[|dir| dir.replace("tree/a/file", "other")]).await;
    check(&[|dir| dir.remove("tree/a/file")]).await;
    check(&[|dir| dir.rename("tree/a/file", "tree/a/b/file")]).await;
    check(&[|dir| dir.rename("tree/a/file", "beside/file")]).await;
    check(&[|dir| dir.link("tree/a/link", "file")]).await;
}

#[tokio::test]
async fn what_is_made_later_is_watched_too() {
    check(&[
        |dir| dir.dirs(&["tree/new/deep/deeper"]),
        |dir| dir.write("tree/new/deep/deeper/file", "1"),
        |dir| dir.replace("tree/new/deep/deeper/file", "2"),
    ])
    .await;
}

/// What lies deeper than the levels that were asked for wakes nobody.
#[tokio::test]
async fn levels_reach_as_far_as_they_say() {
    for mechanism in BOTH {
        let dir = Dir::new();
        dir.dirs(&["tree/a/b"]);
        let (tree, last) = (dir.at("tree"), dir.at("last"));
        let roots = [
            WatchRoot::levels(tree.clone(), 1),
            WatchRoot::file(last.clone()),
        ];
        let mut watching = Watching::start(options(mechanism), &roots).await;
        let near: [fn(&Dir); 3] = [
            |dir| dir.write("tree/a/file", "1"),
            |dir| dir.dirs(&["tree/c"]),
            |dir| dir.dirs(&["tree/c/new"]),
        ];
        for change in near {
            change(&dir);
            assert_eq!(watching.next().await, only(&tree), "{mechanism:?}");
        }
        dir.write("tree/a/b/file", "1");
        dir.write("last", "1");
        assert_eq!(watching.next().await, only(&last), "{mechanism:?}");
    }
}

#[tokio::test]
async fn a_directory_that_is_moved_in_is_watched() {
    check(&[
        |dir| {
            dir.dirs(&["beside/x/y"]);
            dir.rename("beside/x", "tree/a/x");
        },
        |dir| dir.write("tree/a/x/y/file", ""),
    ])
    .await;
}

#[tokio::test]
async fn a_directory_that_is_renamed_stays_watched() {
    check(&[
        |dir| dir.rename("tree/a", "tree/z"),
        |dir| dir.write("tree/z/b/file", ""),
        |dir| dir.rename("tree/z", "tree/a"),
        |dir| dir.write("tree/a/b/file", "again"),
    ])
    .await;
}

#[tokio::test]
async fn a_directory_that_is_renamed_and_back_stays_watched() {
    // By stamps there is nothing to tell, and nothing that could be lost.
    let dir = Dir::new();
    dir.dirs(&["tree/a/b"]);
    let tree = dir.at("tree");
    let roots = [WatchRoot::tree(tree.clone())];
    let mut watching = Watching::start(options(Mechanism::System), &roots).await;
    dir.rename("tree/a", "tree/z");
    dir.rename("tree/z", "tree/a");
    assert_eq!(watching.next().await, only(&tree));
    dir.write("tree/a/b/file", "");
    assert_eq!(watching.next().await, only(&tree));
}

#[tokio::test]
async fn a_directory_that_is_made_anew_is_watched() {
    check(&[
        |dir| {
            dir.remove_tree("tree/a");
            dir.dirs(&["tree/a/b"]);
        },
        |dir| dir.write("tree/a/b/file", ""),
    ])
    .await;
}

#[tokio::test]
async fn a_directory_that_is_moved_out_is_not_watched() {
    for mechanism in BOTH {
        let dir = Dir::new();
        dir.dirs(&["tree/a/b", "other"]);
        let (tree, other) = (dir.at("tree"), dir.at("other"));
        let roots = [&tree, &other].map(|path| WatchRoot::tree(path.clone()));
        let mut watching = Watching::start(options(mechanism), &roots).await;
        dir.rename("tree/a", "away");
        assert_eq!(watching.next().await, only(&tree));
        dir.write("away/b/file", "");
        dir.write("other/file", "");
        assert_eq!(watching.until(&other).await, only(&other), "{mechanism:?}");
    }
}

/// What happens is told for nobody; the change behind it is, for the other root.
async fn check_silent(happens: fn(&Dir), exclusions: Exclusions) {
    for mechanism in BOTH {
        let dir = Dir::new();
        dir.dirs(&["tree/a", "tree/.plugd/journal", "tree/.git", "other"]);
        dir.write("tree/a/file", "1");
        let (tree, other) = (dir.at("tree"), dir.at("other"));
        let options = WatchOptions {
            exclusions: exclusions.clone().place(dir.at("tree/.plugd")),
            ..options(mechanism)
        };
        let roots = [&tree, &other].map(|path| WatchRoot::tree(path.clone()));
        let mut watching = Watching::start(options, &roots).await;
        happens(&dir);
        dir.write("other/file", "");
        assert_eq!(watching.until(&other).await, only(&other), "{mechanism:?}");
        // The tree is still watched all the same.
        dir.write("tree/a/file", "changed");
        assert_eq!(watching.until(&tree).await, only(&tree), "{mechanism:?}");
    }
}

#[tokio::test]
async fn excluded_entries_are_not_told() {
    let none = Exclusions::none;
    check_silent(|dir| dir.write("tree/.plugd/status.json", ""), none()).await;
    check_silent(|dir| dir.write("tree/.plugd/journal/a.json", ""), none()).await;
    check_silent(|dir| dir.remove_tree("tree/.plugd"), none()).await;
    check_silent(|dir| dir.write("tree/a/.plugd-0123", ""), none()).await;
    check_silent(|dir| dir.dirs(&["tree/.plugd-0123/b"]), none()).await;
    check_silent(|dir| dir.write("tree/.git/index", ""), none().name(".git")).await;
}

#[tokio::test]
async fn reading_and_locking_are_not_told() {
    check_silent(|dir| dir.open("tree/a/file"), Exclusions::none()).await;
}

#[tokio::test]
async fn an_excluded_place_is_found_behind_a_link() {
    for mechanism in BOTH {
        let dir = Dir::new();
        dir.dirs(&["real/state", "other"]);
        dir.link("home", "real");
        let (home, other) = (dir.at("home"), dir.at("other"));
        let options = WatchOptions {
            exclusions: Exclusions::none().place(dir.at("home/state")),
            ..options(mechanism)
        };
        let roots = [&home, &other].map(|path| WatchRoot::tree(path.clone()));
        let mut watching = Watching::start(options, &roots).await;
        dir.write("home/state/file", "");
        dir.write("other/file", "");
        assert_eq!(watching.until(&other).await, only(&other), "{mechanism:?}");
    }
}
