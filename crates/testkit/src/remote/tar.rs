//! Archives as npm packs them, and such as it would not.
//!
//! Entries are written in their order and exactly as given: names that leave the directory, links,
//! devices, two of a kind. A name that is too long for its field gets an extended header.

use std::io::Write as _;

use anyhow::Result;
use flate2::Compression;
use flate2::write::GzEncoder;

use crate::fixture::{Fixture, ItemKind};
use crate::must;

const BLOCK: usize = 512;

/// One entry of an archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TarEntry {
    /// Its whole path, as it stands in the archive.
    pub path: String,
    /// Permission bits.
    pub mode: u32,
    /// What it is.
    pub kind: TarKind,
}

/// What an entry is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TarKind {
    /// A file with its content.
    File(Vec<u8>),
    /// A directory.
    Dir,
    /// A symbolic link with its target.
    Link(String),
    /// Another name of the entry with this path.
    HardLink(String),
    /// A character device.
    Device,
    /// A FIFO.
    Fifo,
}

impl TarEntry {
    /// A file with ordinary permissions.
    #[must_use]
    pub fn file(path: &str, content: impl Into<Vec<u8>>) -> Self {
        Self::new(path, TarKind::File(content.into()))
    }

    /// An entry with ordinary permissions.
    #[must_use]
    pub fn new(path: &str, kind: TarKind) -> Self {
        Self {
            path: path.to_owned(),
            mode: 0o644,
            kind,
        }
    }
}

/// Packs entries as `.tar.gz`.
#[must_use]
pub fn tgz(entries: &[TarEntry]) -> Vec<u8> {
    must(gzip(&tar(entries)))
}

/// The entries of a fixture, below `package/`.
pub(crate) fn entries(fixture: &str) -> Result<Vec<TarEntry>> {
    let mut entries = Vec::new();
    for item in Fixture::parse(fixture)?.items {
        let kind = match item.kind {
            ItemKind::File(content) => TarKind::File(content),
            ItemKind::Zeros(size) => TarKind::File(vec![0; usize::try_from(size)?]),
            ItemKind::Dir => TarKind::Dir,
            ItemKind::Link(target) => TarKind::Link(target),
            ItemKind::Fifo => TarKind::Fifo,
            ItemKind::Special => TarKind::Device,
        };
        entries.push(TarEntry {
            path: format!("package/{}", item.path),
            mode: item.mode.unwrap_or(0o644),
            kind,
        });
    }
    Ok(entries)
}

/// The header of a file whose content never comes to its end.
pub(crate) fn endless_file() -> Vec<u8> {
    header("package/zeros", 0o644, b'0', "", 7 << 30)
}

fn gzip(bytes: &[u8]) -> Result<Vec<u8>> {
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    packed.write_all(bytes)?;
    Ok(packed.finish()?)
}

fn tar(entries: &[TarEntry]) -> Vec<u8> {
    let mut out = Vec::new();
    for entry in entries {
        let (flag, target, content): (u8, &str, &[u8]) = match &entry.kind {
            TarKind::File(content) => (b'0', "", content),
            TarKind::HardLink(target) => (b'1', target, &[]),
            TarKind::Link(target) => (b'2', target, &[]),
            TarKind::Device => (b'3', "", &[]),
            TarKind::Dir => (b'5', "", &[]),
            TarKind::Fifo => (b'6', "", &[]),
        };
        if entry.path.len() > 100 {
            let record = record("path", &entry.path);
            let size = u64::try_from(record.len()).unwrap_or(u64::MAX);
            out.extend_from_slice(&header("PaxHeader", 0o644, b'x', "", size));
            append(&mut out, record.as_bytes());
        }
        let size = u64::try_from(content.len()).unwrap_or(u64::MAX);
        out.extend_from_slice(&header(&entry.path, entry.mode, flag, target, size));
        append(&mut out, content);
    }
    out.resize(out.len() + 2 * BLOCK, 0);
    out
}

fn append(out: &mut Vec<u8>, content: &[u8]) {
    out.extend_from_slice(content);
    out.resize(out.len().next_multiple_of(BLOCK), 0);
}

/// A line of an extended header, which counts its own length.
fn record(key: &str, value: &str) -> String {
    let rest = key.len() + value.len() + 3;
    let mut length = rest;
    while rest + length.to_string().len() != length {
        length += 1;
    }
    format!("{length} {key}={value}\n")
}

fn header(path: &str, mode: u32, flag: u8, target: &str, size: u64) -> Vec<u8> {
    let mut block = vec![0; BLOCK];
    let mut put = |at: usize, bytes: &[u8], most: usize| {
        for (to, from) in block.iter_mut().skip(at).zip(bytes.iter().take(most)) {
            *to = *from;
        }
    };
    put(0, path.as_bytes(), 100);
    put(100, format!("{mode:07o}").as_bytes(), 7);
    put(108, b"0000000", 7);
    put(116, b"0000000", 7);
    put(124, format!("{size:011o}").as_bytes(), 11);
    put(136, b"03451725200", 11);
    put(148, b"        ", 8);
    put(156, &[flag], 1);
    put(157, target.as_bytes(), 100);
    put(257, b"ustar\x0000", 8);
    let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
    for (to, from) in block
        .iter_mut()
        .skip(148)
        .zip(format!("{sum:06o}\0").bytes())
    {
        *to = from;
    }
    block
}
