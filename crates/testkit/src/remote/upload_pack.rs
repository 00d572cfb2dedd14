//! The server's side of a fetch: the list of refs, and one step of the negotiation.
//!
//! Protocol version 0 over HTTP, where each step stands for itself. A client may ask for a depth
//! and for any commit that a ref leads to, and is sent nothing that it said to have.

use std::collections::BTreeSet;

use anyhow::{Context as _, Result, bail};
use git2::{ObjectType, Oid, Repository};

use super::pack::{Reach, bomb, pack, reach};
use super::pkt_line::{MOST, Pkt, flush, line, read_all};

const CAPABILITIES: &str = "multi_ack_detailed side-band-64k ofs-delta shallow no-progress \
                            allow-tip-sha1-in-want allow-reachable-sha1-in-want agent=testkit";

/// What a client says in one step.
#[derive(Debug, Default)]
struct Step {
    wants: Vec<Oid>,
    side_band: bool,
    shallow: BTreeSet<Oid>,
    depth: Option<u32>,
    haves: Vec<Oid>,
    flushed: bool,
    done: bool,
}

/// The list of refs, as `info/refs` answers it.
pub(crate) fn advertise(repository: &Repository) -> Result<Vec<u8>> {
    let mut refs = Vec::new();
    let mut capabilities = CAPABILITIES.to_owned();
    if let Ok(head) = repository.find_reference("HEAD") {
        if let Ok(Some(target)) = head.symbolic_target() {
            capabilities.push_str(&format!(" symref=HEAD:{target}"));
        }
        if let Ok(resolved) = head.resolve()
            && let Some(id) = resolved.target()
        {
            refs.push((id, "HEAD".to_owned()));
        }
    }
    let mut names: Vec<(String, Oid)> = Vec::new();
    for found in repository.references()? {
        let found = found?;
        if let (Ok(name), Some(id)) = (found.name(), found.target()) {
            names.push((name.to_owned(), id));
        }
    }
    names.sort();
    for (name, id) in names {
        refs.push((id, name.clone()));
        if let Ok(tag) = repository.find_tag(id) {
            refs.push((tag.target_id(), format!("{name}^{{}}")));
        }
    }
    if refs.is_empty() {
        refs.push((Oid::ZERO_SHA1, "capabilities^{}".to_owned()));
    }
    let mut out = Vec::new();
    line(&mut out, "# service=git-upload-pack\n");
    flush(&mut out);
    for (index, (id, name)) in refs.iter().enumerate() {
        match index {
            0 => line(&mut out, format!("{id} {name}\0{capabilities}\n")),
            _ => line(&mut out, format!("{id} {name}\n")),
        }
    }
    flush(&mut out);
    Ok(out)
}

/// The answer to one step.
pub(crate) fn step(repository: &Repository, request: &[u8]) -> Result<Vec<u8>> {
    let step = Step::parse(request)?;
    let mut out = Vec::new();
    if let Some(unknown) = step.not_ours(repository)? {
        line(&mut out, format!("ERR upload-pack: not our ref {unknown}"));
        return Ok(out);
    }
    let wanted = reach(repository, &step.wants, &step.limits(), step.depth)?;
    let mut shallow = step.shallow.clone();
    if let Some(depth) = step.depth {
        for (id, distance) in &wanted.commits {
            if *distance == depth && !step.shallow.contains(id) {
                line(&mut out, format!("shallow {id}"));
            } else if *distance < depth && shallow.remove(id) {
                line(&mut out, format!("unshallow {id}"));
            }
        }
        flush(&mut out);
    }
    let odb = repository.odb()?;
    let known: Vec<Oid> = step
        .haves
        .iter()
        .copied()
        .filter(|id| odb.exists(*id))
        .collect();
    for id in &known {
        line(&mut out, format!("ACK {id} common\n"));
    }
    match (step.done, known.last()) {
        (true, Some(last)) => line(&mut out, format!("ACK {last}\n")),
        (true, None) => line(&mut out, "NAK\n"),
        (false, _) if step.flushed => line(&mut out, "NAK\n"),
        (false, _) => {}
    }
    if step.done {
        let there = reach(repository, &known, &step.shallow, None)?;
        let bytes = pack(repository, &missing(repository, &wanted, &there)?)?;
        append_pack(&mut out, &bytes, step.side_band);
    }
    Ok(out)
}

/// The beginning of an answer to a step whose pack is a bomb, and the bomb, in bands.
pub(crate) fn step_with_bomb(request: &[u8]) -> Result<Box<dyn std::io::Read + Send>> {
    let step = Step::parse(request)?;
    let mut out = Vec::new();
    if step.depth.is_some() {
        for id in &step.wants {
            line(&mut out, format!("shallow {id}"));
        }
        flush(&mut out);
    }
    if !step.done {
        if step.flushed {
            line(&mut out, "NAK\n");
        }
        return Ok(Box::new(std::io::Cursor::new(out)));
    }
    line(&mut out, "NAK\n");
    let head = std::io::Cursor::new(out);
    Ok(match step.side_band {
        true => Box::new(std::io::Read::chain(head, Banded::new(bomb()))),
        false => Box::new(std::io::Read::chain(head, bomb())),
    })
}

fn missing(repository: &Repository, wanted: &Reach, there: &Reach) -> Result<BTreeSet<Oid>> {
    let there = there.objects(repository)?;
    let mut missing = wanted.objects(repository)?;
    missing.retain(|id| !there.contains(id));
    Ok(missing)
}

fn append_pack(out: &mut Vec<u8>, bytes: &[u8], side_band: bool) {
    if !side_band {
        out.extend_from_slice(bytes);
        return;
    }
    for piece in bytes.chunks(MOST - 5) {
        band(out, piece);
    }
    flush(out);
}

fn band(out: &mut Vec<u8>, piece: &[u8]) {
    let mut content = vec![1];
    content.extend_from_slice(piece);
    line(out, content);
}

/// A stream in the band of packs.
struct Banded<R> {
    inner: R,
    ready: std::io::Cursor<Vec<u8>>,
    ended: bool,
}

impl<R> Banded<R> {
    fn new(inner: R) -> Self {
        Self {
            inner,
            ready: std::io::Cursor::default(),
            ended: false,
        }
    }
}

impl<R: std::io::Read> std::io::Read for Banded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.ready.read(buffer)?;
        if read > 0 || self.ended {
            return Ok(read);
        }
        let mut piece = vec![0; 8 * 1024];
        let got = self.inner.read(&mut piece)?;
        let mut framed = Vec::new();
        if got == 0 {
            self.ended = true;
            flush(&mut framed);
        } else {
            band(&mut framed, piece.get(..got).unwrap_or_default());
        }
        self.ready = std::io::Cursor::new(framed);
        self.ready.read(buffer)
    }
}

impl Step {
    fn parse(request: &[u8]) -> Result<Self> {
        let mut step = Self::default();
        let mut in_haves = false;
        for pkt in read_all(request)? {
            let text = match pkt {
                Pkt::Line(text) => text,
                Pkt::Flush if in_haves => {
                    step.flushed = true;
                    continue;
                }
                Pkt::Flush => {
                    in_haves = true;
                    continue;
                }
            };
            let (word, rest) = text.split_once(' ').unwrap_or((&text, ""));
            match word {
                "want" => {
                    let (id, capabilities) = rest.split_once(' ').unwrap_or((rest, ""));
                    step.wants.push(Oid::from_str(id)?);
                    step.side_band |= capabilities.split(' ').any(|one| one == "side-band-64k");
                }
                "shallow" => {
                    step.shallow.insert(Oid::from_str(rest)?);
                }
                "deepen" => step.depth = Some(rest.parse().context("a depth")?),
                "have" => step.haves.push(Oid::from_str(rest)?),
                "done" => step.done = true,
                _ => bail!("a client says `{text}`, which nobody offered"),
            }
        }
        Ok(step)
    }

    /// Whose parents count as absent: with a depth the depth alone decides, as it may deepen.
    fn limits(&self) -> BTreeSet<Oid> {
        match self.depth {
            Some(_) => BTreeSet::new(),
            None => self.shallow.clone(),
        }
    }

    /// The first want that no ref leads to.
    fn not_ours(&self, repository: &Repository) -> Result<Option<Oid>> {
        let mut tips = Vec::new();
        for found in repository.references()? {
            tips.extend(found?.target());
        }
        let all = reach(repository, &tips, &BTreeSet::new(), None)?;
        let odb = repository.odb()?;
        let ours = |id: &Oid| {
            all.commits.contains_key(id)
                || tips.contains(id)
                    && odb
                        .read_header(*id)
                        .is_ok_and(|(_, kind)| kind == ObjectType::Tag)
        };
        Ok(self.wants.iter().copied().find(|id| !ours(id)))
    }
}
