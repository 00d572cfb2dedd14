//! Marketplaces of any size, shaped like the large one that people use: 180 plugins are 5,250 files
//! and 66 MB, a plugin has 3.4 skills, its manifest 2 KB, and an icon of 20 KB to 1 MB.
//!
//! The same size gives the same bytes every time.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::json;

use crate::limits::walk;

/// How much a plugin carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Weight {
    /// As in the marketplace that people use.
    Real,
    /// Manifest and one skill: for counts at which the real weight would be gigabytes.
    Light,
}

/// A marketplace on disk.
#[derive(Debug)]
pub(crate) struct Market {
    /// What it is called.
    pub(crate) name: String,
    /// Its directory.
    pub(crate) root: PathBuf,
    /// The names of its plugins.
    pub(crate) plugins: Vec<String>,
}

/// A number that looks random and is not.
fn mixed(seed: u64) -> u64 {
    let mut value = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x1234_5678_9abc_def0;
    value ^= value >> 29;
    value = value.wrapping_mul(0xbf58_476d_1ce4_e5b9);
    value ^ (value >> 32)
}

/// Bytes that no file system can store smaller.
fn noise(seed: u64, len: usize) -> Vec<u8> {
    (0..len.div_ceil(8) as u64)
        .flat_map(|at| mixed(seed ^ (at << 20)).to_le_bytes())
        .take(len)
        .collect()
}

fn words(seed: u64, len: usize) -> String {
    const WORDS: [&str; 8] = [
        "reads ", "the ", "files ", "of a ", "project ", "and ", "writes ", "notes ",
    ];
    let mut text = String::with_capacity(len + 8);
    let mut at = seed;
    while text.len() < len {
        at = mixed(at);
        text.push_str(WORDS[(at % 8) as usize]);
    }
    text
}

pub(crate) fn write(path: &Path, bytes: impl AsRef<[u8]>) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
}

impl Market {
    /// Writes a marketplace with this many plugins below `root`.
    pub(crate) fn generate(root: &Path, name: &str, plugins: usize, weight: Weight) -> Self {
        let names: Vec<_> = (0..plugins).map(|one| format!("plugin-{one:05}")).collect();
        let entries: Vec<_> = names
            .iter()
            .map(|plugin| {
                let source = format!("./plugins/{plugin}");
                json!({"name": plugin, "source": source, "category": "Tools"})
            })
            .collect();
        let market = Self {
            name: name.to_owned(),
            root: root.to_owned(),
            plugins: names,
        };
        let catalog = json!({"name": name, "plugins": entries});
        write(&market.manifest(), catalog.to_string());
        for (number, plugin) in market.plugins.iter().enumerate() {
            plugin_files(&market.plugin_dir(plugin), plugin, number as u64, weight);
        }
        market
    }

    /// The path that requests name.
    pub(crate) fn manifest(&self) -> PathBuf {
        self.root.join(".agents/plugins/marketplace.json")
    }

    /// Where a plugin lies.
    pub(crate) fn plugin_dir(&self, plugin: &str) -> PathBuf {
        self.root.join("plugins").join(plugin)
    }

    /// All its files as one text, for marketplaces that hold nothing but text.
    pub(crate) fn fixture(&self) -> String {
        let mut text = String::new();
        walk(&self.root, &mut |path| {
            let name = path.strip_prefix(&self.root).unwrap().display();
            let content = fs::read_to_string(path).unwrap();
            text += &format!("== {name}\n{content}\n");
        });
        text
    }

    /// Gives a plugin another version, and other content with it.
    pub(crate) fn bump(&self, plugin: &str, version: &str) {
        let dir = self.plugin_dir(plugin);
        write_manifest(&dir, plugin, version, 0);
        write(&dir.join("notes.md"), version);
    }
}

fn write_manifest(dir: &Path, name: &str, version: &str, seed: u64) {
    let manifest = json!({
        "name": name, "version": version, "description": words(seed, 200),
        "author": {"name": "Ada", "url": "https://example.com"}, "keywords": ["one", "two", "three"],
        "interface": {
            "displayName": name, "shortDescription": words(seed + 1, 100),
            "longDescription": words(seed + 2, 1_200), "developerName": "Ada", "category": "Tools",
            "composerIcon": "./assets/icon.png", "logo": "./assets/icon.png",
            "defaultPrompt": [words(seed + 3, 80)],
        },
    });
    write(&dir.join(".codex-plugin/plugin.json"), manifest.to_string());
}

fn plugin_files(dir: &Path, name: &str, number: u64, weight: Weight) {
    write_manifest(dir, name, "1.0.0", number);
    let skills = match weight {
        // 3.4 in the mean.
        Weight::Real => 1 + [1, 2, 2, 3, 4][(number % 5) as usize],
        Weight::Light => 1,
    };
    write_skills(dir, number * 100, skills);
    if weight == Weight::Light {
        return;
    }
    for file in 0..24 {
        let text = words(number + file, 500 + (mixed(number + file) % 6_000) as usize);
        let part = format!("skills/skill-0/references/part-{file}.md");
        write(&dir.join(part), text);
    }
    let icon = 20_000 + (mixed(number) % 500_000) as usize;
    write(&dir.join("assets/icon.png"), noise(number, icon));
}

fn write_skills(dir: &Path, seed: u64, count: u64) {
    for skill in 0..count {
        let text = format!(
            "---\nname: skill-{skill}\ndescription: {}\n---\n{}\n",
            words(seed + skill, 150),
            words(seed + skill + 1, 3_000)
        );
        write(&dir.join(format!("skills/skill-{skill}/SKILL.md")), text);
    }
}

/// One plugin with this many skills, as a marketplace of its own.
pub(crate) fn many_skills(root: &Path, name: &str, skills: u64) -> Market {
    let market = Market::generate(root, name, 1, Weight::Light);
    write_skills(&market.plugin_dir(&market.plugins[0]), 0, skills);
    market
}

/// Two plugins, one of four files and one of fifty million bytes in fifty files.
pub(crate) fn small_and_large(root: &Path, name: &str) -> Market {
    let market = Market::generate(root, name, 2, Weight::Light);
    let dir = |one: usize| market.plugin_dir(&market.plugins[one]);
    for file in 0..2 {
        write(&dir(0).join(format!("docs/{file}.md")), words(file, 2_000));
    }
    for file in 0..50 {
        let path = dir(1).join(format!("data/{file}.bin"));
        write(&path, noise(file, 1_000_000));
    }
    market
}
