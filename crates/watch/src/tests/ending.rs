//! When something runs and when nothing does.

use pretty_assertions::assert_eq;

use plugd_disk::Disk;

use super::BOTH;
use crate::fixture::{Dir, Watching, disk_with_end, options, soon};
use crate::{Mechanism, WatchRoot, Watcher};

#[tokio::test]
async fn nothing_runs_before_there_are_roots() {
    let (watcher, hints) = Watcher::new(options(Mechanism::System), Disk::new());
    watcher.set(&[]).unwrap();
    soon(watcher.settled()).await;
    assert!(!watcher.shared().lock().running);
    drop(hints);
}

#[tokio::test]
async fn the_thread_ends_without_roots_and_starts_again() {
    for mechanism in BOTH {
        let dir = Dir::new();
        let root = WatchRoot::tree(dir.root.clone());
        let mut watching = Watching::start(options(mechanism), &[]).await;
        for round in 0..3 {
            watching.set(std::slice::from_ref(&root)).await;
            assert!(watching.watcher.shared().lock().running);
            dir.write("file", &round.to_string());
            watching.until(&dir.root).await;
            watching.set(&[]).await;
            assert!(!watching.watcher.shared().lock().running);
        }
    }
}

#[tokio::test]
async fn dropping_the_watcher_ends_the_thread_and_the_hints() {
    for mechanism in BOTH {
        let dir = Dir::new();
        let (disk, ended) = disk_with_end();
        let roots = [WatchRoot::tree(dir.root.clone())];
        let start = crate::native::start;
        let Watching { watcher, mut hints } =
            Watching::on(start, options(mechanism), disk, &roots).await;
        drop(watcher);
        assert_eq!(soon(hints.next()).await, None);
        soon(ended).await.unwrap();
    }
}

#[tokio::test]
async fn dropping_the_hints_ends_the_thread() {
    for mechanism in BOTH {
        let dir = Dir::new();
        let (disk, ended) = disk_with_end();
        let roots = [WatchRoot::tree(dir.root.clone())];
        let start = crate::native::start;
        let watching = Watching::on(start, options(mechanism), disk, &roots).await;
        let Watching { watcher, hints } = watching;
        drop(hints);
        // The watcher holds the disk too, but only the thread says that it does not run.
        while watcher.shared().lock().running {
            std::thread::yield_now();
        }
        watcher.set(&[WatchRoot::tree(dir.at("other"))]).unwrap();
        soon(watcher.settled()).await;
        assert!(!watcher.shared().lock().running);
        drop(watcher);
        soon(ended).await.unwrap();
    }
}

#[tokio::test]
async fn the_same_set_again_costs_nothing() {
    let dir = Dir::new();
    let roots = [WatchRoot::tree(dir.root.clone())];
    let watching = Watching::start(options(Mechanism::System), &roots).await;
    let before = watching.watcher.shared().lock().asked;
    watching.set(&roots).await;
    watching.set(&[roots[0].clone(), roots[0].clone()]).await;
    assert_eq!(watching.watcher.shared().lock().asked, before);
}
