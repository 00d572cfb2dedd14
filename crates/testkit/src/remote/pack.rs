//! Which objects go into a pack, the pack itself, and a pack that never ends.
//!
//! Trees are taken apart here and not by libgit2, which stops at names that a test wants to send.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Cursor, Read};

use anyhow::{Context as _, Result, ensure};
use git2::{ObjectType, Odb, Oid, Repository};

use super::deflate::endless_zeros;

/// What the bomb says of the size of its one object: a tebibyte, which is a gibibyte on the wire.
const BOMB: u64 = 1 << 40;

/// What one side of a fetch has or shall have.
#[derive(Debug, Default)]
pub(crate) struct Reach {
    /// The commits, each with its distance from the nearest starting point, which has 1.
    pub(crate) commits: BTreeMap<Oid, u32>,
    /// Tags that are objects of their own, trees and files that were asked for by name.
    others: BTreeSet<Oid>,
}

/// Follows parents from some objects on: not beyond `shallow` commits, whose parents are not there,
/// and not beyond a depth.
pub(crate) fn reach(
    repository: &Repository,
    from: &[Oid],
    shallow: &BTreeSet<Oid>,
    depth: Option<u32>,
) -> Result<Reach> {
    let odb = repository.odb()?;
    let mut reach = Reach::default();
    let mut level: Vec<Oid> = Vec::new();
    for id in from {
        if let Some(commit) = reach.peel(&odb, *id)? {
            level.push(commit);
        }
    }
    let mut distance = 1;
    while !level.is_empty() {
        let mut next = Vec::new();
        for id in std::mem::take(&mut level) {
            if reach.commits.contains_key(&id) {
                continue;
            }
            reach.commits.insert(id, distance);
            if depth.is_none_or(|depth| distance < depth) && !shallow.contains(&id) {
                next.extend(parents(&odb, id)?);
            }
        }
        level = next;
        distance += 1;
    }
    Ok(reach)
}

impl Reach {
    /// Follows tags to their commit, if that is what they lead to.
    fn peel(&mut self, odb: &Odb<'_>, mut id: Oid) -> Result<Option<Oid>> {
        loop {
            match odb.read_header(id)?.1 {
                ObjectType::Commit => return Ok(Some(id)),
                ObjectType::Tag => {
                    self.others.insert(id);
                    id = named_in(odb, id, "object ")?
                        .pop()
                        .context("a tag of nothing")?;
                }
                _ => {
                    self.others.insert(id);
                    return Ok(None);
                }
            }
        }
    }

    /// Every object: commits, tags, and all below their trees.
    pub(crate) fn objects(&self, repository: &Repository) -> Result<BTreeSet<Oid>> {
        let odb = repository.odb()?;
        let mut found = self.others.clone();
        for id in self.commits.keys() {
            found.insert(*id);
            for tree in named_in(&odb, *id, "tree ")? {
                collect(&odb, tree, &mut found)?;
            }
        }
        Ok(found)
    }
}

/// The parents of a commit.
fn parents(odb: &Odb<'_>, commit: Oid) -> Result<Vec<Oid>> {
    named_in(odb, commit, "parent ")
}

/// The ids in the header lines of an object that begin so.
fn named_in(odb: &Odb<'_>, id: Oid, prefix: &str) -> Result<Vec<Oid>> {
    let object = odb.read(id)?;
    let text = String::from_utf8_lossy(object.data());
    let header = text.lines().take_while(|line| !line.is_empty());
    header
        .filter_map(|line| line.strip_prefix(prefix))
        .map(|id| Ok(Oid::from_str(id)?))
        .collect()
}

/// Adds a tree and everything below it; a submodule is somebody else's.
fn collect(odb: &Odb<'_>, tree: Oid, found: &mut BTreeSet<Oid>) -> Result<()> {
    if !found.insert(tree) {
        return Ok(());
    }
    let object = odb.read(tree)?;
    let mut rest = object.data();
    while !rest.is_empty() {
        let end = rest.iter().position(|byte| *byte == 0);
        let end = end.context("a tree with half an entry")?;
        let (entry, behind) = rest.split_at(end);
        let (id, behind) = behind
            .get(1..)
            .unwrap_or_default()
            .split_at_checked(20)
            .context("a tree with half an id")?;
        rest = behind;
        let id = Oid::from_bytes(id)?;
        if entry.starts_with(b"40000 ") {
            collect(odb, id, found)?;
        } else if !entry.starts_with(b"160000 ") {
            found.insert(id);
        }
    }
    Ok(())
}

/// A pack with these objects and no other.
pub(crate) fn pack(repository: &Repository, objects: &BTreeSet<Oid>) -> Result<Vec<u8>> {
    let mut builder = repository.packbuilder()?;
    for id in objects {
        builder.insert_object(*id, None)?;
    }
    let mut bytes = git2::Buf::new();
    builder.write_buf(&mut bytes)?;
    ensure!(
        builder.object_count() == objects.len(),
        "the pack has other objects than it should"
    );
    Ok(bytes.to_vec())
}

/// A pack whose one file says to have a tebibyte of zeros and never ends.
pub(crate) fn bomb() -> impl Read + Send {
    let mut head = b"PACK\0\0\0\x02\0\0\0\x01".to_vec();
    // Kind 3, a file, and the size: four bits of it, then seven in each further byte.
    let mut byte = 0x30 | low_bits(BOMB, 4);
    let mut size = BOMB >> 4;
    while size > 0 {
        head.push(byte | 0x80);
        byte = low_bits(size, 7);
        size >>= 7;
    }
    head.push(byte);
    // What a stream of zlib begins with.
    head.extend_from_slice(&[0x78, 0x01]);
    Cursor::new(head).chain(endless_zeros())
}

fn low_bits(number: u64, bits: u32) -> u8 {
    u8::try_from(number & ((1 << bits) - 1)).unwrap_or_default()
}
