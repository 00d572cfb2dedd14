//! Roots that are files, that are missing, that go and come again; and replacing the set.

use pretty_assertions::assert_eq;

use super::{BOTH, only};
use crate::fixture::{Dir, Watching, looking, options};
use crate::{Mechanism, WatchRoot};

/// Each change is told for the file, and nothing else is.
async fn check(changes: &[fn(&Dir)]) {
    for mechanism in BOTH {
        let dir = Dir::new();
        dir.dirs(&["home/sub"]);
        dir.write("home/config.toml", "1");
        let file = dir.at("home/config.toml");
        let roots = [WatchRoot::file(file.clone())];
        let mut watching = Watching::start(options(mechanism), &roots).await;
        for (number, change) in changes.iter().enumerate() {
            change(&dir);
            let told = watching.next().await;
            assert_eq!(told, only(&file), "{mechanism:?}, change {number}");
        }
    }
}

#[tokio::test]
async fn a_file() {
    check(&[
        |dir| dir.write("home/config.toml", "other"),
        |dir| dir.replace("home/config.toml", "replaced"),
        |dir| dir.remove("home/config.toml"),
        |dir| dir.write("home/config.toml", "again"),
        |dir| dir.rename("home/config.toml", "home/away"),
        |dir| dir.rename("home/away", "home/config.toml"),
        |dir| dir.write("home/config.toml", "and once more"),
    ])
    .await;
}

#[tokio::test]
async fn the_directory_of_a_file_goes_and_comes() {
    check(&[
        |dir| dir.remove_tree("home"),
        |dir| {
            dir.dirs(&["home"]);
            dir.write("home/config.toml", "");
        },
        |dir| dir.write("home/config.toml", "other"),
        |dir| dir.rename("home", "away"),
        |dir| dir.rename("away", "home"),
        |dir| dir.replace("home/config.toml", "third"),
    ])
    .await;
}

#[tokio::test]
async fn neighbours_of_a_file_are_not_told() {
    for mechanism in BOTH {
        let dir = Dir::new();
        dir.dirs(&["home"]);
        let (file, other) = (dir.at("home/config.toml"), dir.at("home/plugd.toml"));
        let roots = [&file, &other].map(|path| WatchRoot::file(path.clone()));
        let mut watching = Watching::start(options(mechanism), &roots).await;
        dir.write("home/history.jsonl", "");
        dir.dirs(&["home/cache/a"]);
        dir.write("home/cache/a/file", "");
        dir.write("home/plugd.toml", "");
        assert_eq!(watching.until(&other).await, only(&other), "{mechanism:?}");
    }
}

#[tokio::test]
async fn a_missing_root_is_told_when_it_is_made() {
    for mechanism in BOTH {
        for made in ["x/y/z/file", "x/file"] {
            let dir = Dir::new();
            let root = dir.at("x/y/z");
            let mut watching =
                Watching::start(options(mechanism), &[WatchRoot::tree(root.clone())]).await;
            dir.dirs(&["x/y/z"]);
            dir.write(made, "");
            assert_eq!(watching.until(&root).await, only(&root), "{mechanism:?}");
            dir.dirs(&["x/y/z/sub"]);
            watching.until(&root).await;
            dir.write("x/y/z/sub/file", "other");
            assert_eq!(watching.until(&root).await, only(&root), "{mechanism:?}");
        }
    }
}

#[tokio::test]
async fn a_file_where_a_directory_was_and_the_other_way_round() {
    for mechanism in BOTH {
        let dir = Dir::new();
        let root = dir.at("x/y");
        dir.write("x", "");
        let mut watching =
            Watching::start(options(mechanism), &[WatchRoot::tree(root.clone())]).await;
        dir.remove("x");
        dir.dirs(&["x/y/z"]);
        watching.until(&root).await;
        dir.write("x/y/z/file", "");
        watching.until(&root).await;
        dir.remove_tree("x/y");
        dir.write("x/y", "a file now");
        assert_eq!(watching.until(&root).await, only(&root), "{mechanism:?}");
    }
}

#[tokio::test]
async fn a_directory_far_above_is_renamed() {
    for mechanism in BOTH {
        let dir = Dir::new();
        dir.dirs(&["far/above/the/tree"]);
        let root = dir.at("far/above/the/tree");
        let mut watching =
            Watching::start(looking(mechanism), &[WatchRoot::tree(root.clone())]).await;
        dir.rename("far", "away");
        assert_eq!(watching.until(&root).await, only(&root), "{mechanism:?}");
        dir.rename("away", "far");
        assert_eq!(watching.until(&root).await, only(&root), "{mechanism:?}");
        dir.write("far/above/the/tree/file", "");
        assert_eq!(watching.until(&root).await, only(&root), "{mechanism:?}");
    }
}

#[tokio::test]
async fn another_directory_far_above_takes_the_place() {
    for mechanism in BOTH {
        let dir = Dir::new();
        dir.dirs(&["far/above/the/tree/sub", "next/above/the/tree/sub"]);
        let root = dir.at("far/above/the/tree");
        let mut watching =
            Watching::start(looking(mechanism), &[WatchRoot::tree(root.clone())]).await;
        let disk = plugd_disk::Disk::new();
        disk.exchange(&dir.at("far"), &dir.at("next")).unwrap();
        assert_eq!(watching.until(&root).await, only(&root), "{mechanism:?}");
        dir.write("far/above/the/tree/sub/file", "");
        assert_eq!(watching.until(&root).await, only(&root), "{mechanism:?}");
    }
}

#[tokio::test]
async fn a_root_is_exchanged_for_another_directory() {
    for mechanism in BOTH {
        let dir = Dir::new();
        dir.dirs(&["tree/a", "next/a"]);
        let root = dir.at("tree");
        let mut watching =
            Watching::start(options(mechanism), &[WatchRoot::tree(root.clone())]).await;
        let disk = plugd_disk::Disk::new();
        disk.exchange(&root, &dir.at("next")).unwrap();
        assert_eq!(watching.next().await, only(&root), "{mechanism:?}");
        dir.write("tree/a/file", "");
        assert_eq!(watching.next().await, only(&root), "{mechanism:?}");
    }
}

#[tokio::test]
async fn roots_may_overlap() {
    for mechanism in BOTH {
        let dir = Dir::new();
        dir.dirs(&["outer/inner"]);
        let (outer, inner) = (dir.at("outer"), dir.at("outer/inner"));
        let file = dir.at("outer/inner/file");
        let roots = [
            WatchRoot::tree(outer.clone()),
            WatchRoot::tree(inner.clone()),
            WatchRoot::file(file.clone()),
        ];
        let mut watching = Watching::start(options(mechanism), &roots).await;
        dir.write("outer/inner/file", "");
        watching.until(&outer).await;
        watching.set(&roots[1..]).await;
        dir.remove("outer/inner/file");
        let mut told = watching.until(&inner).await;
        if !told.contains(&file) {
            told.extend(watching.until(&file).await);
        }
        assert_eq!(told, [inner, file].into(), "{mechanism:?}");
    }
}

#[tokio::test]
async fn the_set_is_replaced() {
    for mechanism in BOTH {
        let dir = Dir::new();
        dir.dirs(&["a", "b", "c"]);
        let [a, b, c] = ["a", "b", "c"].map(|name| dir.at(name));
        let root = |path: &_| WatchRoot::tree(Clone::clone(path));
        let mut watching = Watching::start(options(mechanism), &[root(&a), root(&b)]).await;
        watching.set(&[root(&b), root(&c)]).await;
        dir.write("a/file", "");
        dir.write("b/file", "");
        assert_eq!(watching.until(&b).await, only(&b), "{mechanism:?}");
        dir.write("c/file", "");
        assert_eq!(watching.until(&c).await, only(&c), "{mechanism:?}");
        watching.set(&[]).await;
        dir.write("b/file", "while nobody watches");
        watching.set(&[root(&a)]).await;
        dir.write("a/file", "other");
        assert_eq!(watching.until(&a).await, only(&a), "{mechanism:?}");
    }
}

#[tokio::test]
async fn a_root_that_stays_is_watched_all_the_time() {
    let dir = Dir::new();
    dir.dirs(&["a", "b"]);
    let (a, b) = (dir.at("a"), dir.at("b"));
    let roots = [&a, &b].map(|path| WatchRoot::tree(path.clone()));
    let mut watching = Watching::start(options(Mechanism::System), &roots).await;
    for round in 0..20 {
        // The change comes while the set is being replaced.
        watching.watcher.set(&roots[..1 + round % 2]).unwrap();
        dir.write("a/file", &round.to_string());
        watching.until(&a).await;
    }
}
