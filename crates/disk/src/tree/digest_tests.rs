use std::fs;
use std::io::{self, Read};

use pretty_assertions::assert_eq;
use sha2::{Digest as _, Sha256};

use super::super::fixture::Tree;
use super::super::{AtEase, Limits, TreePlan};
use super::{Differences, Digest, FileDigests, digest, file_digests};
use crate::Disk;

fn digest_of(tree: &Tree) -> Digest {
    let disk = Disk::new();
    let plan = TreePlan::scan(&disk, &tree.root, &Limits::INSTALL, &[], &AtEase).unwrap();
    digest(&disk, &plan, &AtEase).unwrap()
}

fn sha(text: &str) -> String {
    plugd_model::hex(&Sha256::digest(text))
}

#[test]
fn the_definition_word_for_word() {
    let tree = Tree::new(&["a.b=1", "a/b*=2", "a/empty=", "dir/"]);
    let text = format!(
        "f {} a.b\nx {} a/b\nf {} a/empty\n",
        sha("1"),
        sha("2"),
        sha("")
    );
    assert_eq!(
        digest_of(&tree).to_string(),
        format!("sha256:{}", sha(&text))
    );
    assert_eq!(digest_of(&Tree::new(&[])).hex(), sha(""));
}

#[test]
fn what_counts_and_what_does_not() {
    let base = digest_of(&Tree::new(&["a=1"]));
    for same in [
        &["a=1", "d/"] as &[_],
        &["a=1", ".git/HEAD=x"],
        &["a=1", "b -> /etc"],
    ] {
        assert_eq!(digest_of(&Tree::new(same)), base, "{same:?}");
    }
    for other in [
        &["a=2"] as &[_],
        &["b=1"],
        &["a*=1"],
        &["a=1", "b=1"],
        &["a=1", "b -> a"],
    ] {
        assert_ne!(digest_of(&Tree::new(other)), base, "{other:?}");
    }
}

#[test]
fn a_link_counts_as_a_copy() {
    let link = Tree::new(&["d/x=1", "e -> d"]);
    assert_eq!(digest_of(&link), digest_of(&Tree::new(&["d/x=1", "e/x=1"])));
    let hard = Tree::new(&["a=1"]);
    fs::hard_link(hard.root.join("a"), hard.root.join("b")).unwrap();
    assert_eq!(digest_of(&hard), digest_of(&Tree::new(&["a=1", "b=1"])));
}

#[test]
fn large_content_is_hashed_in_pieces() {
    let content = "0123456789".repeat(30_000);
    let tree = Tree::new(&[&format!("a={content}")]);
    let mut files = FileDigests::default();
    files.add("a", false, content.as_bytes());
    assert_eq!(digest_of(&tree), files.digest());
}

/// Gives so much at a time, as a file never does.
struct Slowly<'a>(&'a [u8], usize);

impl Read for Slowly<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let (now, left) = self.0.split_at(self.0.len().min(self.1).min(buffer.len()));
        buffer[..now.len()].copy_from_slice(now);
        self.0 = left;
        Ok(now.len())
    }
}

#[test]
fn content_has_to_end_where_it_was_said_to() {
    let bytes = vec![7; (1 << 17) + 1];
    for size in [0, 1, 2_500, 65_535, 65_536, 65_537, 1 << 17] {
        for piece in [1_250, 1 << 16, usize::MAX] {
            let digest = |length: usize| {
                let mut content = Slowly(&bytes[..length], piece);
                let said = u64::try_from(size).unwrap();
                Digest::of_reader(&mut content, said, &AtEase).unwrap()
            };
            assert_eq!(digest(size), Some(Digest::of_bytes(&bytes[..size])));
            assert_eq!(digest(size + 1), None);
            assert_eq!(size.checked_sub(1).and_then(digest), None);
        }
    }
}

#[test]
fn text_form() {
    let digest = FileDigests::default().digest();
    assert_eq!(Digest::parse(&digest.to_string()), Ok(digest));
    assert_eq!(Digest::from_hex(&digest.hex()), Some(digest));
    let upper = digest.hex().to_uppercase();
    for bad in [
        "",
        "sha256:",
        &digest.hex(),
        &format!("sha256:{upper}"),
        "sha256:é",
    ] {
        assert!(Digest::parse(bad).is_err(), "{bad}");
    }
}

#[test]
fn differences_name_the_files() {
    let files = |files: &[&str]| {
        let (disk, tree) = (Disk::new(), Tree::new(files));
        let plan = TreePlan::scan(&disk, &tree.root, &Limits::INSTALL, &[], &AtEase).unwrap();
        let found = file_digests(&disk, &plan, &AtEase).unwrap();
        assert_eq!(found.digest(), digest(&disk, &plan, &AtEase).unwrap());
        found
    };
    let before = files(&["a=1", "b=1", "d/c=1", "d/gone=1", "run=1"]);
    let after = files(&["a=1", "b=2", "d/c=1", "d/new=1", "run*=1"]);
    let expected = Differences {
        changed: vec!["b".to_owned(), "run".to_owned()],
        missing: vec!["d/gone".to_owned()],
        added: vec!["d/new".to_owned()],
    };
    assert_eq!(before.differences(&after), expected);
    assert_eq!(before.differences(&before), Differences::default());
}
