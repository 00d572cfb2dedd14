//! Deciding what of a directory goes into an archive, before anything is written.
//!
//! A scan looks at names, kinds and sizes only. A link is judged by the real path that it leads to,
//! so a chain of links is judged by its end, and what is not for others is not either by another
//! name.

use std::path::{Path, PathBuf};

use plugd_disk::tree::{OverLimit, Pace, TreeError};
use plugd_disk::{Disk, DiskError, Entry, Kind};
use plugd_model::AbsPath;

use super::unwanted::{Form, judge};
use super::{LeftOut, PackError, PackRules, Takes, Why};
use crate::names::{Names, Place, Stands};
use crate::tar::New;
use crate::unpack::shown;
use crate::{GitData, Strip};

/// What goes into an archive, in its order.
#[derive(Debug)]
pub(super) struct Plan {
    /// The real root.
    pub(super) root: AbsPath,
    pub(super) entries: Vec<Planned>,
    pub(super) left_out: Vec<LeftOut>,
}

/// One entry of the archive.
#[derive(Debug)]
pub(super) struct Planned {
    /// Where it goes.
    pub(super) path: String,
    /// The real file it comes from, relative to the root.
    pub(super) source: PathBuf,
    pub(super) new: New,
}

/// Where something goes and how deep that is.
struct Spot {
    path: String,
    depth: u32,
}

struct Scan<'a> {
    disk: &'a Disk,
    rules: &'a PackRules,
    pace: &'a dyn Pace,
    /// The same judge as of archives that come in, so that what is packed can be unpacked.
    names: Names,
    /// The real directories from the root to the current one; a link to one of them is a loop.
    chain: Vec<PathBuf>,
    seen: u64,
    bytes: u64,
    plan: Plan,
}

impl Plan {
    pub(super) fn scan(
        disk: &Disk,
        root: &AbsPath,
        rules: &PackRules,
        pace: &dyn Pace,
    ) -> Result<Self, PackError> {
        let root = disk.resolve(root)?;
        if disk.link_stamp(&root)?.map(|stamp| stamp.kind) != Some(Kind::Dir) {
            return Err(TreeError::NotADirectory { path: root }.into());
        }
        let mut scan = Scan {
            disk,
            rules,
            pace,
            names: Names::new(Strip::Nothing, GitData::Refuse),
            chain: Vec::new(),
            seen: 0,
            bytes: 0,
            plan: Self {
                root,
                entries: Vec::new(),
                left_out: Vec::new(),
            },
        };
        scan.content("", PathBuf::new(), 0)?;
        Ok(scan.plan)
    }
}

impl Scan<'_> {
    /// What is in a directory. Recursion is bounded by the depth limit, and the list by what is left
    /// of the entries, so that a directory of millions costs no more than one that is just too large.
    fn content(&mut self, path: &str, source: PathBuf, depth: u32) -> Result<(), PackError> {
        let real = self.plan.root.join(&source);
        let left = self.rules.entries.saturating_sub(self.seen);
        let Some(entries) = self
            .disk
            .list_up_to(&real, left)
            .map_err(|error| vanished(error, &real))?
        else {
            return Err(over(OverLimit::Entries(self.rules.entries), real));
        };
        self.chain.push(source.clone());
        for Entry { name, kind } in entries {
            if !self.pace.step(0) {
                return Err(TreeError::GivenUp.into());
            }
            self.seen += 1;
            if self.seen > self.rules.entries {
                return Err(over(
                    OverLimit::Entries(self.rules.entries),
                    real.join(&name),
                ));
            }
            let front = if path.is_empty() { "" } else { "/" };
            let Some(text) = name
                .to_str()
                .filter(|name| !name.contains(char::is_control))
            else {
                let reason = "its name is not UTF-8 or holds control characters";
                let path = format!("{path}{front}{}", shown(name.as_encoded_bytes()));
                self.leave_out(path, Why::Name { reason });
                continue;
            };
            let spot = Spot {
                path: format!("{path}{front}{text}"),
                depth: depth + 1,
            };
            self.entry(spot, source.join(text), kind)?;
        }
        self.chain.pop();
        Ok(())
    }

    fn entry(&mut self, spot: Spot, source: PathBuf, kind: Kind) -> Result<(), PackError> {
        let form = match kind {
            Kind::Link => return self.link(spot, &source),
            Kind::Dir => Form::Dir,
            Kind::File | Kind::Special => Form::File,
        };
        if let Some(why) = self.judge(&spot, &source, form) {
            self.leave_out(spot.path, why);
            return Ok(());
        }
        self.take(spot, source, kind)
    }

    fn link(&mut self, spot: Spot, source: &Path) -> Result<(), PackError> {
        let place = self.plan.root.join(source);
        let real = match self.disk.resolve(&place) {
            Ok(real) => real,
            Err(error) if leads_nowhere(&error) => {
                if self.disk.link_stamp(&place)?.is_none() {
                    return Err(TreeError::Changed { path: place }.into());
                }
                self.leave_out(spot.path, Why::LinkNowhere);
                return Ok(());
            }
            Err(error) => return Err(error.into()),
        };
        let Ok(target) = real.as_path().strip_prefix(&self.plan.root) else {
            self.leave_out(spot.path, Why::LinkOut);
            return Ok(());
        };
        let target = target.to_path_buf();
        let Some(stamp) = self.disk.link_stamp(&real)? else {
            return Err(TreeError::Changed { path: place }.into());
        };
        let form = match stamp.kind {
            Kind::Dir => Form::Dir,
            Kind::File | Kind::Link | Kind::Special => Form::File,
        };
        let why = if let Some(why) = self.judge(&spot, source, form) {
            why
        } else if is_unwanted(&target, form) {
            let target = target.to_string_lossy().into_owned();
            Why::LinkTo { target }
        } else if self.chain.contains(&target) {
            Why::LinkLoop
        } else {
            return self.take(spot, target, stamp.kind);
        };
        self.leave_out(spot.path, why);
        Ok(())
    }

    /// Takes what is at a real place that no link leads away from.
    fn take(&mut self, spot: Spot, source: PathBuf, kind: Kind) -> Result<(), PackError> {
        let real = self.plan.root.join(&source);
        let stands = match kind {
            Kind::Dir => Stands::Dir,
            Kind::File => Stands::File,
            Kind::Special => return Err(PackError::Special { path: real }),
            Kind::Link => return Err(TreeError::Changed { path: real }.into()),
        };
        match self.names.place(spot.path.as_bytes(), stands) {
            Ok(Place::LeaveOut(reason)) => {
                self.leave_out(spot.path, Why::Name { reason });
                return Ok(());
            }
            Ok(_) => {}
            Err(fault) => {
                let entry = shown(spot.path.as_bytes());
                return Err(PackError::Entry { entry, fault });
            }
        }
        if spot.depth > self.rules.depth {
            return Err(over(OverLimit::Depth(self.rules.depth), real));
        }
        if kind == Kind::Dir {
            self.plan.entries.push(Planned {
                path: spot.path.clone(),
                source: source.clone(),
                new: New::Dir,
            });
            return self.content(&spot.path, source, spot.depth);
        }
        let stamp = self.disk.link_stamp(&real)?;
        let Some(stamp) = stamp.filter(|stamp| stamp.kind == Kind::File) else {
            return Err(TreeError::Changed { path: real }.into());
        };
        self.bytes = self.bytes.saturating_add(stamp.size);
        if self.bytes > self.rules.bytes {
            return Err(over(OverLimit::Bytes(self.rules.bytes), real));
        }
        self.plan.entries.push(Planned {
            path: spot.path,
            source,
            new: New::File {
                size: stamp.size,
                executable: stamp.is_executable(),
            },
        });
        Ok(())
    }

    fn judge(&self, spot: &Spot, source: &Path, form: Form) -> Option<Why> {
        match self.rules.takes {
            Takes::WhatIsForOthers => judge_both(spot, source, form),
            Takes::Everything => None,
        }
    }

    fn leave_out(&mut self, path: String, why: Why) {
        self.plan.left_out.push(LeftOut { path, why });
    }
}

/// Judges an entry by where it goes and by where it comes from: behind a link to a directory the two
/// have other directories around them.
fn judge_both(spot: &Spot, source: &Path, form: Form) -> Option<Why> {
    judge(Path::new(&spot.path), form).or_else(|| judge(source, form))
}

/// Whether a real place, or a directory above it, is not for others.
fn is_unwanted(target: &Path, form: Form) -> bool {
    target.ancestors().enumerate().any(|(above, path)| {
        let form = if above == 0 { form } else { Form::Dir };
        judge(path, form).is_some()
    })
}

fn over(limit: OverLimit, path: AbsPath) -> PackError {
    TreeError::OverLimit { limit, path }.into()
}

/// The error of a directory that was there when its parent was listed.
fn vanished(error: DiskError, path: &AbsPath) -> PackError {
    if error.is_not_found() {
        TreeError::Changed { path: path.clone() }.into()
    } else {
        error.into()
    }
}

/// A link whose end cannot be reached: missing, in a loop, or behind a directory that we may not
/// search.
fn leads_nowhere(error: &DiskError) -> bool {
    error.is_not_found() || error.is_link_loop() || error.is_denied()
}
