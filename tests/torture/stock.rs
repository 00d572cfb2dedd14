//! What there is to install: every version that a loop may ever meet, written once and never
//! changed, and a catalog that moves from one to the next in one step.
//!
//! A copy on disk is whole when it is byte for byte one of these versions, so whoever looks need not
//! know which one it must be.

use std::collections::BTreeMap;

use plugd_testkit::Sandbox;
use serde_json::json;

/// Versions of the plugins of one marketplace.
#[derive(Debug)]
pub(crate) struct Stock {
    dir: String,
    marketplace: String,
    plugins: Vec<String>,
    /// Which version the catalog offers, by plugin.
    offered: BTreeMap<String, u64>,
    /// Every tree ever written, with the plugin and the number of its version.
    trees: BTreeMap<String, (String, u64)>,
}

impl Stock {
    /// A marketplace in `dir` whose plugins are offered in the version `first`. Two marketplaces of
    /// one name need numbers of their own.
    pub(crate) fn open(
        sandbox: &Sandbox,
        dir: &str,
        marketplace: &str,
        plugins: &[&str],
        first: u64,
    ) -> Self {
        let mut stock = Self {
            dir: dir.to_owned(),
            marketplace: marketplace.to_owned(),
            plugins: plugins.iter().map(|&plugin| plugin.to_owned()).collect(),
            offered: BTreeMap::new(),
            trees: BTreeMap::new(),
        };
        for plugin in plugins {
            stock.write(sandbox, plugin, first);
        }
        stock.publish(sandbox);
        stock
    }

    /// The file that a request names.
    pub(crate) fn manifest(&self, sandbox: &Sandbox) -> String {
        let manifest = format!("{}/.agents/plugins/marketplace.json", self.dir);
        sandbox.path(manifest).to_text()
    }

    /// Offers the next version of a plugin, in one step; answers its number. Every second one has
    /// the version string of the one before, so that only its content tells them apart.
    pub(crate) fn advance(&mut self, sandbox: &Sandbox, plugin: &str) -> u64 {
        let next = self.offered(plugin) + 1;
        self.write(sandbox, plugin, next);
        self.publish(sandbox);
        next
    }

    /// The number of the version that is offered.
    pub(crate) fn offered(&self, plugin: &str) -> u64 {
        self.offered[plugin]
    }

    /// The plugin and number of a tree, if it is one that was written here.
    pub(crate) fn recognise(&self, tree: &str) -> Option<(&str, u64)> {
        let (plugin, number) = self.trees.get(tree)?;
        Some((plugin, *number))
    }

    /// The name of the marketplace.
    pub(crate) fn marketplace(&self) -> &str {
        &self.marketplace
    }

    fn write(&mut self, sandbox: &Sandbox, plugin: &str, number: u64) {
        let dir = format!("{}/{plugin}-{number}", self.dir);
        sandbox.add(&content(&dir, plugin, number));
        let tree = sandbox.tree(&dir);
        self.trees.insert(tree, (plugin.to_owned(), number));
        self.offered.insert(plugin.to_owned(), number);
    }

    fn publish(&self, sandbox: &Sandbox) {
        let entries: Vec<_> = self
            .plugins
            .iter()
            .map(|plugin| {
                let source = format!("./{plugin}-{}", self.offered[plugin]);
                json!({"name": plugin, "source": source})
            })
            .collect();
        let manifest = json!({"name": self.marketplace, "plugins": entries});
        let new = format!("{}/next.json", self.dir);
        let path = format!("{}/.agents/plugins/marketplace.json", self.dir);
        if !sandbox.exists(&path) {
            sandbox.write(&path, "{}");
        }
        sandbox.write(&new, manifest.to_string());
        sandbox.rename(&new, &path);
    }
}

/// What a version string says of the number.
pub(crate) fn version_of(number: u64) -> String {
    format!("1.{}.0", number / 2)
}

/// A plugin of some files in some directories, so that a half copied one shows.
fn content(dir: &str, plugin: &str, number: u64) -> String {
    let manifest = json!({"name": plugin, "version": version_of(number)});
    let bulk = format!("{plugin} {number} {}\n", "x".repeat(70)).repeat(120);
    format!(
        "== {dir}/.codex-plugin/plugin.json\n{manifest}\n\
         == {dir}/notes.md\n{plugin} {number}\n\
         == {dir}/skills/greet/SKILL.md\n---\nname: greet\ndescription: greets {number}\n---\nHello {number}.\n\
         == {dir}/lib/bulk.txt\n{bulk}\
         == {dir}/lib/deep/er/number-{number}.txt\n{number}\n\
         == {dir}/run.sh (mode 755)\n#!/bin/sh\necho {number}\n"
    )
}
