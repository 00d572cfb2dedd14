//! Unpacking: whatever an archive says, files and directories come out, all below one directory and
//! within the limits.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use plugd_disk::Disk;
use plugd_disk::tree::AtEase;
use plugd_fetch::{Chunks, GitData, Links, Rules, Strip, unpack};
use plugd_http::Bytes;
use tokio::sync::mpsc;

use super::place::{Place, Standing};

pub(crate) const WORDS: &[&str] = &[
    "../",
    "/",
    "./",
    "package/",
    "..",
    "\\",
    ".git/",
    ".GIT/",
    "con",
    "nul.txt",
    "a:b",
    "\0",
    "0",
    "1",
    "2",
    "5",
    "7",
    "L",
    "K",
    "x",
    "g",
    "S",
    "ustar\x0000",
    "ustar  \0",
    "path=../../evil\n",
    "18 path=/etc/evil\n",
    "linkpath=",
    "size=",
    "GNU.sparse.map=",
    "0000755\0",
    "0004755\0",
    "77777777777\0",
    "00000000000\0",
    "\u{fffd}",
    "\u{80}\0\0\0\0\0\0\0\0\0\0\x01",
    "\x1f",
    "SCHILY.xattr.",
];

/// How a tar begins that has the sums of its headers put right: most faults behind them are met by
/// nobody otherwise.
const RIGHT_SUMS: u8 = 1;
/// The input is compressed already.
const RAW: u8 = 2;

/// The first byte says how the rest is meant, the second which rules hold.
pub(crate) fn run(input: &[u8]) {
    let [how, which, content @ ..] = input else {
        return;
    };
    let archive = if how & RAW != 0 {
        content.to_vec()
    } else {
        let mut tar = content.to_vec();
        if how & RIGHT_SUMS != 0 {
            put_sums_right(&mut tar);
        }
        gzipped(&tar)
    };
    let rules = rules(*which);
    let place = Place::new();
    place.write("outside/canary", b"canary");
    place.write("evil", b"evil");
    let dest = place.path("work/dest");
    place.write("work/canary", b"canary");
    let before = place.tree("");
    let (sender, receiver) = mpsc::channel(8);
    for piece in archive.chunks(archive.len() / 2 + 1) {
        sender.try_send(Bytes::copy_from_slice(piece)).unwrap();
    }
    // An empty chunk says that everything has come.
    sender.try_send(Bytes::new()).unwrap();
    let unpacked = unpack(&Disk::new(), Chunks::new(receiver), &dest, &rules, &AtEase);
    let written = place.tree("work/dest");
    let mut after = place.tree("");
    after.retain(|path, _| !path.starts_with("work/dest"));
    assert_eq!(after, before, "something was written beside the directory");
    let mut bytes = 0;
    for (path, standing) in &written {
        let depth = path.components().count();
        assert!(
            depth <= usize::try_from(rules.depth).unwrap(),
            "{}",
            path.display()
        );
        let is_git = |part: std::path::Component<'_>| part.as_os_str().eq_ignore_ascii_case(".git");
        assert!(!path.components().any(is_git), "{}", path.display());
        match standing {
            Standing::Dir => {}
            Standing::File { bytes: own, mode } => {
                bytes += own;
                assert!(
                    matches!(mode, 0o644 | 0o755),
                    "{} has mode {mode:o}",
                    path.display()
                );
            }
            Standing::Other => panic!("{} is no file", path.display()),
        }
    }
    let entries = u64::try_from(written.len()).unwrap();
    assert!(
        entries <= rules.entries && bytes <= rules.bytes,
        "{entries} entries, {bytes} bytes"
    );
    if let Ok(unpacked) = unpacked {
        assert_eq!((unpacked.entries, unpacked.bytes), (entries, bytes));
        let total = u64::try_from(archive.len()).unwrap();
        assert!(total <= rules.archive_bytes, "an archive of {total} bytes");
    }
}

fn rules(which: u8) -> Rules {
    Rules {
        archive_bytes: 32 << 10,
        bytes: 16 << 10,
        entries: 24,
        depth: 6,
        strip: if which & 1 == 0 {
            Strip::Nothing
        } else {
            Strip::Root
        },
        links: if which & 2 == 0 {
            Links::LeaveOut
        } else {
            Links::Refuse
        },
        git: if which & 4 == 0 {
            GitData::Refuse
        } else {
            GitData::LeaveOut
        },
        package: (which & 8 != 0).then(|| "p".to_owned()),
        ..Rules::new()
    }
}

fn gzipped(tar: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(tar).unwrap();
    encoder.finish().unwrap()
}

/// Follows the sizes from header to header.
fn put_sums_right(tar: &mut [u8]) {
    let mut at = 0;
    while let Some(header) = tar.get_mut(at..at + 512) {
        if header.iter().all(|byte| *byte == 0) {
            return;
        }
        header[148..156].fill(b' ');
        let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
        header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        let digits = header[124..136]
            .iter()
            .take_while(|byte| (b'0'..=b'7').contains(*byte));
        let size = digits.fold(0_usize, |size, digit| {
            size.saturating_mul(8)
                .saturating_add(usize::from(digit - b'0'))
        });
        at = at
            .saturating_add(512)
            .saturating_add(size.div_ceil(512).saturating_mul(512));
    }
}
