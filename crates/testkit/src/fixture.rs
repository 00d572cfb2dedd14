//! The fixture language: a tree of files as one string, in memory.
//!
//! A line that starts with `== ` opens an item, and the lines up to the next one are its content.
//!
//! | header | item |
//! |---|---|
//! | `== a/b.txt` | a file; directories above it come by themselves |
//! | `== a/b.sh (mode 755)` | a file with permission bits; also for directories |
//! | `== a/b.txt (no newline)` | a file whose last newline is not part of it |
//! | `== a/b.bin (hex)` | a file given as hexadecimal digits |
//! | `== a/big (size 50000000)` | a file of that many zero bytes, which takes no room on disk |
//! | `== a/` | a directory, which matters when it is empty |
//! | `== a/b -> ../target` | a symbolic link, dangling or not |
//! | `== a/b (fifo)` | a FIFO |
//!
//! Directives may be combined: `(mode 755, no newline)`. A line of content that starts with `== `
//! is written `\== `, one that starts with `\== ` gets another backslash. Blank lines in front of
//! the first header do not count, and neither do spaces between the last newline and the end of the
//! string, so that the closing quote may be indented.
//!
//! Invariant: what is displayed parses back to the same fixture, special files and names that are
//! no text excepted. Nothing here touches a disk.

use plugd_model::hex;
use std::collections::BTreeSet;
use std::fmt::{self, Write as _};

use anyhow::{Context as _, Result, bail, ensure};

/// A tree of files, not yet or no longer on a disk.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Fixture {
    /// The items in their order; a path occurs once.
    pub items: Vec<Item>,
}

/// One file, directory, link or FIFO.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// The path relative to the root, with `/`.
    pub path: String,
    /// What it is.
    pub kind: ItemKind,
    /// Permission bits; `None` means those of an ordinary file or directory.
    pub mode: Option<u32>,
}

/// What an item is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ItemKind {
    /// A file with its content.
    File(Vec<u8>),
    /// A file of so many zero bytes.
    Zeros(u64),
    /// A directory.
    Dir,
    /// A symbolic link with its target as written.
    Link(String),
    /// A FIFO.
    Fifo,
    /// A socket or device: it can be found on a disk and cannot be made.
    Special,
}

/// A header line, taken apart.
#[derive(Debug, Default)]
struct Header {
    path: String,
    target: Option<String>,
    dir: bool,
    fifo: bool,
    hex: bool,
    no_newline: bool,
    size: Option<u64>,
    mode: Option<u32>,
}

impl Fixture {
    /// Reads the language.
    ///
    /// # Errors
    /// A header that cannot be meant, a path that leaves the tree or occurs twice, content where
    /// none belongs. The error names the line.
    pub fn parse(text: &str) -> Result<Self> {
        let mut items = Vec::new();
        let mut open: Option<(usize, Header, String)> = None;
        for (index, line) in lines(text).enumerate() {
            if let Some(header) = line.strip_prefix("== ") {
                if let Some(done) = open.take() {
                    items.push(finish(done)?);
                }
                let parsed = Header::parse(header.trim_end())
                    .with_context(|| format!("fixture line {}", index + 1))?;
                open = Some((index + 1, parsed, String::new()));
            } else if let Some((_, _, content)) = &mut open {
                content.push_str(unescape(line));
            } else {
                ensure!(
                    line.trim().is_empty(),
                    "fixture line {}: content in front of the first `== path`",
                    index + 1
                );
            }
        }
        if let Some(done) = open {
            items.push(finish(done)?);
        }
        check_paths(&items)?;
        Ok(Self { items })
    }
}

/// The lines with their ends, without the indentation of the closing quote.
fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.split_inclusive('\n')
        .filter(|line| line.ends_with('\n') || !line.trim().is_empty())
}

fn unescape(line: &str) -> &str {
    match line.strip_prefix('\\') {
        Some(rest) if needs_escape(rest) => rest,
        _ => line,
    }
}

/// Whether a line of content would be taken for a header, or for an escaped one.
fn needs_escape(line: &str) -> bool {
    line.trim_start_matches('\\').starts_with("== ")
}

impl Header {
    fn parse(text: &str) -> Result<Self> {
        let mut header = Self::default();
        let (text, directives) = match text.strip_suffix(')').and_then(|t| t.rsplit_once(" (")) {
            Some((head, directives)) => (head, directives),
            None => (text, ""),
        };
        let (path, target) = match text.split_once(" -> ") {
            Some((path, target)) => (path, Some(target.to_owned())),
            None => (text, None),
        };
        let (path, dir) = match path.strip_suffix('/') {
            Some(path) => (path, true),
            None => (path, false),
        };
        let legal = |part: &str| !matches!(part, "" | "." | "..") && !part.contains('\0');
        ensure!(
            path.split('/').all(legal),
            "`{path}` is not a relative path below the root"
        );
        header.path = path.to_owned();
        header.target = target;
        header.dir = dir;
        for directive in directives.split(',').map(str::trim) {
            header.take(directive)?;
        }
        header.check()?;
        Ok(header)
    }

    fn take(&mut self, directive: &str) -> Result<()> {
        match directive.split_once(' ').unwrap_or((directive, "")) {
            ("", "") => {}
            ("fifo", "") => self.fifo = true,
            ("hex", "") => self.hex = true,
            ("no", "newline") => self.no_newline = true,
            ("mode", digits) => {
                let mode = u32::from_str_radix(digits, 8).ok().filter(|m| *m <= 0o7777);
                self.mode = Some(mode.with_context(|| format!("`{digits}` is not a mode"))?);
            }
            ("size", digits) => {
                let size = digits.parse();
                self.size = Some(size.with_context(|| format!("`{digits}` is not a size"))?);
            }
            _ => bail!("`({directive})` is not a directive"),
        }
        Ok(())
    }

    fn check(&self) -> Result<()> {
        let not_a_file = self.dir || self.fifo || self.target.is_some();
        let only_for_files = self.hex || self.no_newline || self.size.is_some();
        ensure!(
            !(not_a_file && only_for_files),
            "`{}` is no file: only `mode` means something here",
            self.path
        );
        let kinds = [self.dir, self.fifo, self.target.is_some()];
        ensure!(
            kinds.iter().filter(|is| **is).count() <= 1,
            "`{}` is two kinds of things at once",
            self.path
        );
        ensure!(
            !(self.target.is_some() && self.mode.is_some()),
            "`{}` is a link, which has no mode",
            self.path
        );
        ensure!(
            u8::from(self.hex) + u8::from(self.no_newline) + u8::from(self.size.is_some()) <= 1,
            "`{}` has directives that exclude each other",
            self.path
        );
        Ok(())
    }
}

fn finish((line, header, content): (usize, Header, String)) -> Result<Item> {
    let fail = || format!("fixture line {line}: `{}`", header.path);
    let empty = content.trim().is_empty();
    let kind = if let Some(target) = header.target {
        ItemKind::Link(target)
    } else if header.dir {
        ItemKind::Dir
    } else if header.fifo {
        ItemKind::Fifo
    } else if let Some(size) = header.size {
        ItemKind::Zeros(size)
    } else if header.hex {
        ItemKind::File(from_hex(&content).with_context(fail)?)
    } else if header.no_newline {
        ItemKind::File(content.strip_suffix('\n').unwrap_or(&content).into())
    } else {
        ItemKind::File(content.into_bytes())
    };
    if !matches!(kind, ItemKind::File(_)) {
        ensure!(
            empty,
            "fixture line {line}: `{}` has no content",
            header.path
        );
    }
    Ok(Item {
        path: header.path,
        kind,
        mode: header.mode,
    })
}

fn check_paths(items: &[Item]) -> Result<()> {
    let mut all = BTreeSet::new();
    let mut leaves = BTreeSet::new();
    for item in items {
        ensure!(
            all.insert(item.path.as_str()),
            "`{}` occurs twice",
            item.path
        );
        if item.kind != ItemKind::Dir {
            leaves.insert(item.path.as_str());
        }
    }
    for path in all {
        for (end, _) in path.match_indices('/') {
            let above = &path[..end];
            ensure!(
                !leaves.contains(above),
                "`{path}` lies below `{above}`, which is no directory"
            );
        }
    }
    Ok(())
}

fn from_hex(text: &str) -> Result<Vec<u8>> {
    let digits: Vec<u8> = text
        .chars()
        .filter(|c| !c.is_whitespace())
        .map(|c| {
            c.to_digit(16)
                .and_then(|digit| u8::try_from(digit).ok())
                .with_context(|| format!("`{c}` is not a hexadecimal digit"))
        })
        .collect::<Result<_>>()?;
    ensure!(
        digits.len().is_multiple_of(2),
        "an odd number of hexadecimal digits"
    );
    Ok(digits
        .chunks_exact(2)
        .map(|pair| pair[0] << 4 | pair[1])
        .collect())
}

impl fmt::Display for Fixture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.items.iter().try_for_each(|item| item.fmt(f))
    }
}

impl fmt::Display for Item {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut directives = Vec::new();
        if let Some(mode) = self.mode {
            directives.push(format!("mode {mode:03o}"));
        }
        let mut suffix = String::new();
        let mut content = String::new();
        match &self.kind {
            ItemKind::Dir => suffix.push('/'),
            ItemKind::Link(target) => write!(suffix, " -> {target}")?,
            ItemKind::Fifo => directives.push("fifo".to_owned()),
            ItemKind::Special => directives.push("socket or device".to_owned()),
            ItemKind::Zeros(size) => directives.push(format!("size {size}")),
            ItemKind::File(bytes) => match as_text(bytes) {
                Some(text) => {
                    if !text.is_empty() && !text.ends_with('\n') {
                        directives.push("no newline".to_owned());
                    }
                    content = escape(text);
                }
                None => {
                    directives.push("hex".to_owned());
                    content = to_hex(bytes);
                }
            },
        }
        write!(f, "== {}{suffix}", self.path)?;
        if !directives.is_empty() {
            write!(f, " ({})", directives.join(", "))?;
        }
        writeln!(f)?;
        f.write_str(&content)
    }
}

/// Content that a person can read as it stands.
fn as_text(bytes: &[u8]) -> Option<&str> {
    let readable = |c: char| !c.is_control() || matches!(c, '\n' | '\r' | '\t');
    std::str::from_utf8(bytes)
        .ok()
        .filter(|text| text.chars().all(readable))
}

fn escape(text: &str) -> String {
    let mut out = String::new();
    for line in text.split_inclusive('\n') {
        if needs_escape(line) {
            out.push('\\');
        }
        out.push_str(line);
    }
    if !out.is_empty() && !out.ends_with('\n') {
        out.push('\n');
    }
    out
}

fn to_hex(bytes: &[u8]) -> String {
    let mut out = String::new();
    for row in bytes.chunks(32) {
        out.push_str(&hex(row));
        out.push('\n');
    }
    out
}

#[cfg(test)]
#[path = "fixture_tests.rs"]
mod tests;
