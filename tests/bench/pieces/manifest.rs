//! Catalogues and manifests: parsed, looked at, and vouched for.

use std::fs;

use divan::{Bencher, black_box};
use plugd_disk::Disk;
use plugd_manifest::{Loader, parse_marketplace, parse_plugin};
use plugd_model::{AbsPath, ManifestFormat};

use crate::{PLUGINS, abs, market, plugin};

/// The catalogue of a marketplace.
#[divan::bench]
fn parse_catalogue(bencher: Bencher<'_, '_>) {
    let file = abs(market().manifest());
    let bytes = fs::read(file.as_path()).unwrap();
    bencher.bench(|| parse_marketplace(black_box(&bytes), &file).unwrap());
}

#[divan::bench]
fn parse_one(bencher: Bencher<'_, '_>) {
    let file = plugin().join(".codex-plugin/plugin.json");
    let bytes = fs::read(file.as_path()).unwrap();
    let format = ManifestFormat::Codex;
    bencher.bench(|| parse_plugin(black_box(&bytes), format, "plugin", &file).unwrap());
}

/// All of them, by stamps: each was read before, and nobody vouches for it.
#[divan::bench]
fn look_at_all(bencher: Bencher<'_, '_>) {
    let (loader, roots) = (Loader::new(Disk::new()), roots());
    let look = || {
        for root in &roots {
            assert!(loader.plugin(root).unwrap().is_some());
        }
    };
    look();
    bencher.bench(look);
}

/// All of them under watch.
#[divan::bench]
fn ask_for_all(bencher: Bencher<'_, '_>) {
    let (loader, roots) = (Loader::new(Disk::new()), roots());
    for _ in 0..2 {
        let glance = loader.glance();
        for root in &roots {
            assert!(glance.plugin(root).unwrap().is_some());
        }
        while loader.watch_due(PLUGINS) {}
    }
    let ask = || {
        let glance = loader.glance();
        let known = roots.iter().filter_map(|root| glance.untouched(root));
        known.count()
    };
    assert_eq!(ask(), PLUGINS, "the system does not vouch for them");
    bencher.bench(ask);
}

fn roots() -> Vec<AbsPath> {
    let plugins = market().plugins.iter();
    plugins.map(|name| abs(market().plugin_dir(name))).collect()
}
