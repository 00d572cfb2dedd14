//! What can happen to a file.
#![expect(
    clippy::disallowed_methods,
    reason = "a loop damages the disk past `disk::Disk`"
)]

use std::fmt;
use std::fs;
use std::io;
use std::path::Path;

use plugd_testkit::Sandbox;

use crate::dice::Dice;
use crate::snapshot::{link, set_mode};

/// Longer than anything that the daemon reads into memory of a home.
const GARBAGE: usize = 10 * 1024 * 1024;

/// One kind of damage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Damage {
    Deleted,
    Emptied,
    Cut,
    /// One bit of one byte, at a place that this number chooses.
    Flipped(u64),
    Directory,
    Unreadable,
    Dangling,
    Circle,
    Garbage,
}

impl Damage {
    /// Every kind, with so many flipped bytes.
    pub(crate) fn every(flips: usize, dice: &mut Dice) -> Vec<Self> {
        let mut every = vec![
            Self::Deleted,
            Self::Emptied,
            Self::Cut,
            Self::Directory,
            Self::Unreadable,
            Self::Dangling,
            Self::Circle,
            Self::Garbage,
        ];
        every.extend((0..flips).map(|_| Self::Flipped(dice.number())));
        every
    }

    /// Whether nobody can read what the file once said, whatever it was.
    pub(crate) fn hides(self, path: &str) -> bool {
        match self {
            // In the place of what is only copied this is another content.
            Self::Directory | Self::Garbage => !path.ends_with("/run.sh"),
            Self::Unreadable | Self::Circle | Self::Dangling => true,
            // Half an object is none.
            Self::Emptied | Self::Cut => path.ends_with(".json"),
            Self::Deleted | Self::Flipped(_) => false,
        }
    }

    /// Does it.
    pub(crate) fn inflict(self, sandbox: &Sandbox, path: &str) -> io::Result<()> {
        let at = sandbox.path(path);
        let at = at.as_path();
        match self {
            Self::Deleted => fs::remove_file(at),
            Self::Emptied => fs::write(at, ""),
            Self::Cut => {
                let mut bytes = fs::read(at)?;
                bytes.truncate(bytes.len() / 2);
                fs::write(at, bytes)
            }
            Self::Flipped(number) => flip(at, number),
            Self::Directory => {
                fs::remove_file(at)?;
                fs::create_dir(at)
            }
            Self::Unreadable => set_mode(at, 0),
            Self::Dangling => {
                fs::remove_file(at)?;
                link(Path::new("nowhere"), at)
            }
            Self::Circle => {
                fs::remove_file(at)?;
                link(at, at)
            }
            Self::Garbage => fs::write(at, garbage()),
        }
    }
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Deleted => "deleted",
            Self::Emptied => "emptied",
            Self::Cut => "cut in half",
            Self::Flipped(_) => "one byte flipped",
            Self::Directory => "replaced by a directory",
            Self::Unreadable => "unreadable",
            Self::Dangling => "replaced by a dangling link",
            Self::Circle => "replaced by a link to itself",
            Self::Garbage => "replaced by 10 MB of garbage",
        })
    }
}

fn flip(at: &Path, number: u64) -> io::Result<()> {
    let mut bytes = fs::read(at)?;
    let mut dice = Dice::new(number, "flip");
    let place = dice.index(bytes.len());
    if let Some(byte) = bytes.get_mut(place) {
        *byte ^= 1 << dice.below(8);
    }
    fs::write(at, bytes)
}

/// Every byte there is, in an order that is no text.
fn garbage() -> Vec<u8> {
    let mut dice = Dice::new(0, "garbage");
    let mut bytes = Vec::with_capacity(GARBAGE);
    while bytes.len() < GARBAGE {
        bytes.extend(dice.number().to_le_bytes());
    }
    bytes
}
