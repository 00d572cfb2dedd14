//! What an archive may hold.

use crate::{Integrity, Tarball};

/// What an archive may hold and what it must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rules {
    /// Bytes of the archive as it comes over the line.
    pub archive_bytes: u64,
    /// Bytes of all files together.
    pub bytes: u64,
    /// Files and directories, those left out included.
    pub entries: u64,
    /// Components of the longest path.
    pub depth: u32,
    /// How many bytes may come out of one byte of the archive, once more than 8 MiB have come out:
    /// what is beyond that is a bomb and no content.
    pub ratio: u64,
    /// How the archive is packed.
    pub packing: Packing,
    /// What becomes of the first component of each path.
    pub strip: Strip,
    /// What becomes of symbolic and hard links.
    pub links: Links,
    /// What becomes of data of git.
    pub git: GitData,
    /// What the archive must hash to.
    pub integrity: Option<Integrity>,
    /// The name that the `package.json` at the root must have; without one no such file is needed.
    pub package: Option<String>,
}

/// How an archive is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Packing {
    /// As gzip.
    Gzip,
    /// As gzip or not at all, as its first byte says: what is pushed to a registry carries a media
    /// type that people write by hand.
    GzipOrNone,
}

/// What becomes of the first component of the paths in an archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Strip {
    /// It stays.
    Nothing,
    /// It goes, whatever its name; all entries must have the same one.
    Root,
}

/// What becomes of the links in an archive. None is ever made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Links {
    /// They are left out and reported.
    LeaveOut,
    /// They refuse the whole archive.
    Refuse,
}

/// What becomes of data of git in an archive. None is ever written: a program that works in the
/// directory would run what it says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GitData {
    /// It refuses the whole archive.
    Refuse,
    /// It is left out and reported, once for each directory of git.
    LeaveOut,
}

impl Rules {
    /// For an archive of any origin: 50 MiB, 250 MiB unpacked, 100,000 entries, 64 levels; paths are
    /// kept, and no digest or `package.json` is asked for.
    #[must_use]
    pub fn new() -> Self {
        Self {
            archive_bytes: 50 << 20,
            bytes: 250 << 20,
            entries: 100_000,
            depth: 64,
            ratio: 200,
            packing: Packing::Gzip,
            strip: Strip::Nothing,
            links: Links::LeaveOut,
            git: GitData::Refuse,
            integrity: None,
            package: None,
        }
    }

    /// For the archive of a package: its digest, one root, and a `package.json` with its name.
    #[must_use]
    pub fn npm(tarball: &Tarball) -> Self {
        Self {
            strip: Strip::Root,
            integrity: Some(tarball.integrity.clone()),
            package: Some(tarball.name.clone()),
            ..Self::new()
        }
    }

    /// For the bundle of a plugin in the remote catalog: 100 MiB, 512 MiB unpacked, 100,000 entries,
    /// 64 levels; paths are kept, a link refuses it, data of git is left out as it is from local
    /// plugins, and its digest counts where the service names one.
    #[must_use]
    pub fn bundle(expected: Option<Integrity>) -> Self {
        Self {
            archive_bytes: 100 << 20,
            bytes: 512 << 20,
            links: Links::Refuse,
            git: GitData::LeaveOut,
            integrity: expected,
            ..Self::new()
        }
    }

    /// For an archive of a team's own server or registry: as large as a bundle may be, packed or not,
    /// and with this digest where one is known. What it is named and how it is rooted is for its
    /// author to say, so links and data of git are left out and told, as they are from local plugins.
    #[must_use]
    pub fn archive(expected: Option<Integrity>) -> Self {
        Self {
            packing: Packing::GzipOrNone,
            links: Links::LeaveOut,
            ..Self::bundle(expected)
        }
    }

    /// For an archive that was exported with its plugins in it: 4 GiB, as much unpacked and 300,000
    /// entries, because it holds many plugins; a link or data of git refuses it, since no export has
    /// any.
    #[must_use]
    pub fn export() -> Self {
        Self {
            archive_bytes: 4 << 30,
            bytes: 4 << 30,
            entries: 300_000,
            depth: 72,
            links: Links::Refuse,
            git: GitData::Refuse,
            ..Self::new()
        }
    }
}

impl Default for Rules {
    fn default() -> Self {
        Self::new()
    }
}
