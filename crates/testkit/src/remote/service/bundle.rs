//! Bundles made by hand, so that each of their faults can be made too.

use std::io::{self, Read as _, Write as _};

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use serde_json::{Value, json};

use crate::{TarEntry, TarKind, must, tgz};

const BLOCK: usize = 512;

/// Where a manifest stands unless a test says otherwise.
const MANIFEST: &str = ".codex-plugin/plugin.json";

/// A plugin as the service packs it: a gzip tar whose root is the plugin's, or something else.
///
/// Entries are written in their order and exactly as given. The manifest comes first.
#[derive(Debug, Clone, PartialEq)]
pub struct Bundle {
    manifest: Value,
    manifest_path: Option<String>,
    entries: Vec<TarEntry>,
    wrapped: Option<String>,
    zeros: Vec<(String, u64)>,
    cut: usize,
}

impl Bundle {
    /// A bundle with a manifest of this name and version, and nothing else.
    #[must_use]
    pub fn new(name: &str, version: &str) -> Self {
        Self {
            manifest: json!({
                "name": name,
                "version": version,
                "description": format!("{name} for tests"),
            }),
            manifest_path: Some(MANIFEST.to_owned()),
            entries: Vec::new(),
            wrapped: None,
            zeros: Vec::new(),
            cut: 0,
        }
    }

    /// Sets one member of the manifest, for example another name than the directory has.
    #[must_use]
    pub fn manifest(mut self, member: &str, value: impl Into<Value>) -> Self {
        super::item::put(&mut self.manifest, member, value.into());
        self
    }

    /// Puts the manifest somewhere else.
    #[must_use]
    pub fn manifest_at(mut self, path: &str) -> Self {
        self.manifest_path = Some(path.to_owned());
        self
    }

    /// Leaves the manifest out.
    #[must_use]
    pub fn without_manifest(mut self) -> Self {
        self.manifest_path = None;
        self
    }

    /// Adds a file. The path is not looked at: `../x`, `/x`, a name for the second time.
    #[must_use]
    pub fn file(self, path: &str, content: impl Into<Vec<u8>>) -> Self {
        self.entry_raw(TarEntry::file(path, content))
    }

    /// Adds a directory.
    #[must_use]
    pub fn dir(self, path: &str) -> Self {
        self.entry_raw(TarEntry::new(path, TarKind::Dir))
            .mode(0o755)
    }

    /// Adds a symbolic link.
    #[must_use]
    pub fn link(self, path: &str, target: &str) -> Self {
        self.entry_raw(TarEntry::new(path, TarKind::Link(target.to_owned())))
    }

    /// Adds another name of an entry.
    #[must_use]
    pub fn hard_link(self, path: &str, target: &str) -> Self {
        self.entry_raw(TarEntry::new(path, TarKind::HardLink(target.to_owned())))
    }

    /// Adds a FIFO.
    #[must_use]
    pub fn fifo(self, path: &str) -> Self {
        self.entry_raw(TarEntry::new(path, TarKind::Fifo))
    }

    /// Adds a character device.
    #[must_use]
    pub fn device(self, path: &str) -> Self {
        self.entry_raw(TarEntry::new(path, TarKind::Device))
    }

    /// Adds an entry of whatever kind.
    #[must_use]
    pub fn entry_raw(mut self, entry: TarEntry) -> Self {
        self.entries.push(entry);
        self
    }

    /// Gives the entry that was added last other permission bits; any bits, setuid too.
    #[must_use]
    pub fn mode(mut self, mode: u32) -> Self {
        if let Some(entry) = self.entries.last_mut() {
            entry.mode = mode;
        }
        self
    }

    /// Adds a file of so many zeros behind all other entries: it takes next to no room packed.
    #[must_use]
    pub fn zeros(mut self, path: &str, size: u64) -> Self {
        self.zeros.push((path.to_owned(), size));
        self
    }

    /// Puts everything below a directory.
    #[must_use]
    pub fn wrapped_in(mut self, dir: &str) -> Self {
        self.wrapped = Some(dir.to_owned());
        self
    }

    /// Leaves out so many bytes at the end of the packed archive.
    #[must_use]
    pub fn truncated_by(mut self, bytes: usize) -> Self {
        self.cut = bytes;
        self
    }

    /// The packed archive.
    ///
    /// # Panics
    /// Memory cannot be written to.
    #[must_use]
    #[track_caller]
    pub fn build(&self) -> Vec<u8> {
        let mut entries = Vec::new();
        if let Some(path) = &self.manifest_path {
            entries.push(TarEntry::file(path, self.manifest.to_string()));
        }
        entries.extend(self.entries.iter().cloned());
        let placed = |path: &str| match &self.wrapped {
            Some(dir) => format!("{dir}/{path}"),
            None => path.to_owned(),
        };
        for entry in &mut entries {
            entry.path = placed(&entry.path);
        }
        let mut packed = tgz(&entries);
        if !self.zeros.is_empty() {
            let zeros = self.zeros.iter().map(|(path, size)| (placed(path), *size));
            packed = must(with_zeros(&packed, zeros).map_err(anyhow::Error::from));
        }
        packed.truncate(packed.len().saturating_sub(self.cut));
        packed
    }
}

/// Packs an archive again, with files of zeros behind its entries that never lie in memory.
fn with_zeros(packed: &[u8], zeros: impl Iterator<Item = (String, u64)>) -> io::Result<Vec<u8>> {
    let mut tar = Vec::new();
    GzDecoder::new(packed).read_to_end(&mut tar)?;
    tar.truncate(tar.len().saturating_sub(2 * BLOCK));
    let mut out = GzEncoder::new(Vec::new(), Compression::fast());
    out.write_all(&tar)?;
    for (path, size) in zeros {
        out.write_all(&header_of(&path, size)?)?;
        let room = size.next_multiple_of(512);
        io::copy(&mut io::repeat(0).take(room), &mut out)?;
    }
    out.write_all(&[0; 2 * BLOCK])?;
    out.finish()
}

/// The header of a file of this size: that of an empty one, with size and sum replaced.
fn header_of(path: &str, size: u64) -> io::Result<Vec<u8>> {
    let mut header = Vec::new();
    GzDecoder::new(tgz(&[TarEntry::file(path, "")]).as_slice()).read_to_end(&mut header)?;
    header.truncate(BLOCK);
    let mut put = |at: usize, text: &str| {
        for (to, from) in header.iter_mut().skip(at).zip(text.bytes()) {
            *to = from;
        }
    };
    put(124, &format!("{size:011o}"));
    put(148, "        ");
    let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
    let sum = format!("{sum:06o}\0 ");
    for (to, from) in header.iter_mut().skip(148).zip(sum.bytes()) {
        *to = from;
    }
    Ok(header)
}

#[cfg(test)]
#[path = "bundle_tests.rs"]
mod tests;
