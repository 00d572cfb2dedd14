//! A model of what a power cut may take: which names and contents below a directory are not durable.
//!
//! The file system that it stands for is one with a journal that writes late, as those of Linux are:
//! - A file whose content was not synced may be empty, hold zeros, or end anywhere.
//! - A name that was made, moved or removed may or may not be so, each for itself and in any order,
//!   until its directory was synced. Renaming and exchanging are one step each, so there are never both
//!   names and never none, and either directory's sync makes both sides durable.
//! - Syncing a file says nothing about its name, and syncing a directory nothing about what the names
//!   in it lead to.
//! - `syncfs` makes everything durable.
//!
//! The model is of nodes, not of paths, because identity matters: what a journal calls by its inode
//! must come back as the same inode. So nothing is built anew; the real tree is moved to what the cut
//! has left of it. A directory that was removed and comes back is the one exception.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// A file or directory, wherever its name is.
pub(crate) type Node = usize;

/// A name in a directory.
pub(crate) type Place = (Node, OsString);

/// The directory that is watched.
pub(crate) const ROOT: Node = 0;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Dir,
    File,
}

/// A change of names that happens as a whole.
#[derive(Debug)]
struct Change {
    moves: Vec<Move>,
    /// Syncing one of these makes it durable.
    synced_by: Vec<Node>,
    durable: bool,
}

#[derive(Debug)]
struct Move {
    node: Node,
    from: Option<Place>,
    to: Option<Place>,
    /// What stood at `to`, and went by this.
    over: Option<Node>,
}

/// Names and contents now, and what of them is durable.
#[derive(Debug)]
pub(crate) struct Unsynced {
    kinds: Vec<Kind>,
    /// Files whose content is not durable.
    dirty: BTreeSet<Node>,
    before: BTreeMap<Node, Place>,
    now: BTreeMap<Node, Place>,
    names: BTreeMap<Place, Node>,
    changes: Vec<Change>,
}

impl Unsynced {
    /// An empty directory.
    pub(crate) fn new() -> Self {
        Self {
            kinds: vec![Kind::Dir],
            dirty: BTreeSet::new(),
            before: BTreeMap::new(),
            now: BTreeMap::new(),
            names: BTreeMap::new(),
            changes: Vec::new(),
        }
    }

    /// What is there now is durable.
    pub(crate) fn begin(&mut self) {
        self.before = self.now.clone();
        self.changes.clear();
        self.dirty.clear();
    }

    pub(crate) fn find(&self, path: &Path) -> Option<Node> {
        path.iter().try_fold(ROOT, |dir, name| {
            self.names.get(&(dir, name.to_owned())).copied()
        })
    }

    /// Where a node is now; `None` when it is nowhere.
    pub(crate) fn path(&self, node: Node) -> Option<PathBuf> {
        path_in(&self.now, node)
    }

    /// The name of a node now.
    pub(crate) fn place(&self, node: Node) -> Option<&Place> {
        self.now.get(&node)
    }

    /// One more than the last node that ever was.
    pub(crate) fn nodes(&self) -> Node {
        self.kinds.len()
    }

    pub(crate) fn kind(&self, node: Node) -> Kind {
        self.kinds[node]
    }

    /// How many changes were made so far; a sync concerns those only that came before it.
    pub(crate) fn changes(&self) -> usize {
        self.changes.len()
    }

    /// Every path below the directory.
    pub(crate) fn paths(&self) -> BTreeSet<PathBuf> {
        self.now
            .keys()
            .filter_map(|node| self.path(*node))
            .collect()
    }

    /// A file or directory came to be.
    pub(crate) fn created(&mut self, dir: Node, name: OsString, kind: Kind) -> Node {
        let node = self.kinds.len();
        self.kinds.push(kind);
        if kind == Kind::File {
            self.dirty.insert(node);
        }
        let place = (dir, name);
        self.apply(vec![(node, Some(place.clone()))], vec![dir]);
        node
    }

    pub(crate) fn removed(&mut self, node: Node) {
        if let Some((dir, _)) = self.now.get(&node).cloned() {
            self.apply(vec![(node, None)], vec![dir]);
        }
    }

    pub(crate) fn renamed(&mut self, node: Node, dir: Node, name: OsString) {
        let from = self.now.get(&node).map(|(dir, _)| *dir);
        let dirs = from.into_iter().chain([dir]).collect();
        self.apply(vec![(node, Some((dir, name)))], dirs);
    }

    pub(crate) fn exchanged(&mut self, left: Node, right: Node) {
        let (Some(one), Some(other)) = (self.now.get(&left), self.now.get(&right)) else {
            return;
        };
        let (one, other) = (one.clone(), other.clone());
        let dirs = vec![one.0, other.0];
        self.apply(vec![(left, Some(other)), (right, Some(one))], dirs);
    }

    fn apply(&mut self, targets: Vec<(Node, Option<Place>)>, synced_by: Vec<Node>) {
        let moving: Vec<Node> = targets.iter().map(|(node, _)| *node).collect();
        let mut moves = Vec::new();
        for (node, to) in targets {
            let over = to.as_ref().and_then(|to| self.names.get(to)).copied();
            moves.push(Move {
                node,
                from: self.now.get(&node).cloned(),
                to,
                over: over.filter(|over| !moving.contains(over)),
            });
        }
        for one in &moves {
            if let Some(from) = &one.from {
                self.names.remove(from);
            }
        }
        for one in &moves {
            if let Some(over) = one.over {
                self.now.remove(&over);
            }
            match &one.to {
                Some(to) => {
                    self.now.insert(one.node, to.clone());
                    self.names.insert(to.clone(), one.node);
                }
                None => drop(self.now.remove(&one.node)),
            }
        }
        self.changes.push(Change {
            moves,
            synced_by,
            durable: false,
        });
    }

    pub(crate) fn synced_file(&mut self, node: Node) {
        self.dirty.remove(&node);
    }

    /// The first so many changes are durable as far as they are changes of this directory.
    pub(crate) fn synced_dir(&mut self, dir: Node, changes: usize) {
        for change in self.changes.iter_mut().take(changes) {
            change.durable |= change.synced_by.contains(&dir);
        }
    }

    /// Everything is durable that was there before so many changes.
    pub(crate) fn synced_all(&mut self, changes: usize) {
        for change in self.changes.iter_mut().take(changes) {
            change.durable = true;
        }
        self.dirty.clear();
    }

    /// The changes that may or may not have happened, in their order.
    pub(crate) fn open(&self) -> Vec<usize> {
        let all = self.changes.iter().enumerate();
        all.filter(|(_, change)| !change.durable)
            .map(|(index, _)| index)
            .collect()
    }

    /// The files whose content may be lost.
    pub(crate) fn dirty(&self) -> &BTreeSet<Node> {
        &self.dirty
    }

    /// Where every node is when of the open changes these have happened. One that could not have
    /// happened without another one that has not, has not either.
    pub(crate) fn after(&self, happened: &BTreeSet<usize>) -> BTreeMap<Node, Place> {
        let mut places = self.before.clone();
        for (index, change) in self.changes.iter().enumerate() {
            if change.durable {
                for one in &change.moves {
                    self.make_room(&mut places, index, one);
                }
            } else if !happened.contains(&index) || !is_possible(&places, change) {
                continue;
            }
            for one in &change.moves {
                match &one.to {
                    Some(to) => {
                        places.retain(|_, place| place != to);
                        places.insert(one.node, to.clone());
                    }
                    None if places.get(&one.node) == one.from.as_ref() => {
                        places.remove(&one.node);
                    }
                    None => {}
                }
            }
        }
        places
    }

    /// A name that is durably something else now was given up before, whatever was synced since.
    fn make_room(&self, places: &mut BTreeMap<Node, Place>, index: usize, one: &Move) {
        let Some(to) = &one.to else {
            return;
        };
        let found = places.iter().find(|(_, place)| *place == to);
        let Some(other) = found.map(|(node, _)| *node) else {
            return;
        };
        let mut earlier = self.changes[..index].iter().flat_map(|c| &c.moves);
        let gone =
            earlier.rfind(|earlier| earlier.node == other && earlier.from.as_ref() == Some(to));
        match gone.map(|gone| gone.to.clone()) {
            Some(Some(place)) => drop(places.insert(other, place)),
            Some(None) => drop(places.remove(&other)),
            None => {}
        }
    }
}

/// Whether a change fits what is there: its names are free, or held by what it replaced.
fn is_possible(places: &BTreeMap<Node, Place>, change: &Change) -> bool {
    let moving: Vec<Node> = change.moves.iter().map(|one| one.node).collect();
    change.moves.iter().all(|one| {
        let Some(to) = &one.to else {
            return true;
        };
        let mut others = places.iter().filter(|(_, place)| *place == to);
        others.all(|(node, _)| moving.contains(node) || Some(*node) == one.over)
    })
}

/// The path of a node when names are like this; `None` when it cannot be reached.
pub(crate) fn path_in(places: &BTreeMap<Node, Place>, node: Node) -> Option<PathBuf> {
    let mut names = Vec::new();
    let mut at = node;
    while at != ROOT {
        let (dir, name) = places.get(&at)?;
        names.push(name.clone());
        at = *dir;
        // A directory below itself cannot be reached either.
        if names.len() > 1000 {
            return None;
        }
    }
    Some(names.into_iter().rev().collect())
}
