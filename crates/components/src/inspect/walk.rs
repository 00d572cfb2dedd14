//! The tree of a plugin as it lies on disk: counted, without following a link, within limits.

use std::collections::BTreeSet;
use std::ffi::OsString;

use plugd_disk::tree::Digest;
use plugd_disk::{Disk, Kind, Stamp};
use plugd_model::{AbsPath, Problem, ProblemKind};

use super::environment::{self, Language};
use super::executable::{ExecutableKind, HEAD};
use super::{EnvironmentNames, Executable, LicenceFile, Oddity, OddityKind, note_cut};

/// What an inspection looks at. Beyond a limit it goes on with what is left and says what it cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InspectionLimits {
    /// Entries of the tree.
    pub entries: u64,
    /// Components of the longest path.
    pub depth: usize,
    /// Bytes that are read of licences and files that can run, all together.
    pub program_bytes: u64,
    /// Bytes that are read of texts for a model, all together.
    pub text_bytes: u64,
    /// Rows in each list of the answer.
    pub rows: usize,
}

impl InspectionLimits {
    /// What an installation accepts, and a second or two of reading.
    pub const DEFAULT: Self = Self {
        entries: 100_000,
        depth: 64,
        program_bytes: 128 * 1024 * 1024,
        text_bytes: 64 * 1024 * 1024,
        rows: 2_000,
    };
}

/// The largest program whose content is read, and the largest script that is searched for names.
const MAX_PROGRAM: u64 = 16 * 1024 * 1024;
const MAX_SCRIPT: u64 = 1024 * 1024;

/// What the walk found.
#[derive(Debug, Default)]
pub(super) struct Walked {
    pub(super) files: u64,
    pub(super) directories: u64,
    pub(super) bytes: u64,
    pub(super) executables: Vec<Executable>,
    /// Those of them of which nothing but the suffix says that they can run.
    by_suffix: BTreeSet<String>,
    pub(super) environment: EnvironmentNames,
    pub(super) oddities: Vec<Oddity>,
    /// Markdown and plain texts, for those of skills.
    pub(super) texts: Vec<String>,
    /// Files whose name says licence.
    pub(super) licences: Vec<LicenceFile>,
    pub(super) cut: Vec<Problem>,
}

pub(super) struct Walk<'a> {
    disk: &'a Disk,
    root: &'a AbsPath,
    limits: InspectionLimits,
    /// Files that commands of the plugin name.
    named: &'a BTreeSet<String>,
    entries: u64,
    programs_left: u64,
    walked: Walked,
}

impl<'a> Walk<'a> {
    pub(super) fn new(
        disk: &'a Disk,
        root: &'a AbsPath,
        limits: InspectionLimits,
        named: &'a BTreeSet<String>,
    ) -> Self {
        Self {
            disk,
            root,
            limits,
            named,
            entries: 0,
            programs_left: limits.program_bytes,
            walked: Walked::default(),
        }
    }

    /// Walks the whole tree, directories in the order of their names, each before its children.
    pub(super) fn run(mut self) -> Walked {
        let mut waiting = vec![(String::new(), 0)];
        while let Some((dir, depth)) = waiting.pop() {
            let mut children = self.directory(&dir, depth);
            children.reverse();
            waiting.extend(children.into_iter().map(|child| (child, depth + 1)));
        }
        self.walked.oddities.sort();
        let rows = self.limits.rows;
        let mut over = Vec::new();
        let mut cut = |what: &str, len: usize| {
            if len > rows {
                over.push(format!("only the first {rows} of {len} {what} are listed"));
            }
        };
        cut("executables", self.walked.executables.len());
        cut("oddities", self.walked.oddities.len());
        cut("licence files", self.walked.licences.len());
        self.shorten_executables(rows);
        self.walked.oddities.truncate(rows);
        self.walked.licences.truncate(rows);
        for text in over {
            let root = self.root.clone();
            self.cut(text, &root);
        }
        self.walked
    }

    /// Keeps so many programs. A library has thousands of scripts, and they must not hide what a
    /// plugin marks, names or brings in binary form.
    fn shorten_executables(&mut self, rows: usize) {
        let Walked {
            executables,
            by_suffix,
            ..
        } = &mut self.walked;
        let mut surplus = executables.len().saturating_sub(rows);
        let mut kept: Vec<Executable> = executables.drain(..).rev().collect();
        kept.retain(|one| {
            let goes = surplus > 0 && by_suffix.contains(&one.path);
            surplus -= usize::from(goes);
            !goes
        });
        kept.reverse();
        kept.truncate(rows);
        *executables = kept;
    }

    fn cut(&mut self, text: impl Into<String>, path: &AbsPath) {
        let problem = Problem::warning(ProblemKind::TooLarge, text).in_file(path);
        // The same limit is met once per file behind it; once is enough.
        let is_known = |known: &Problem| known.message == problem.message;
        if !self.walked.cut.iter().any(is_known) {
            note_cut(&mut self.walked.cut, problem);
        }
    }

    /// Looks at the entries of a directory and answers those that are directories.
    fn directory(&mut self, dir: &str, depth: usize) -> Vec<String> {
        let path = self.root.join(dir);
        if depth > self.limits.depth {
            let text = format!("nothing below {} levels is looked at", self.limits.depth);
            self.cut(text, &path);
            return Vec::new();
        }
        let left = self.limits.entries.saturating_sub(self.entries);
        let entries = match self.disk.literally().list_up_to(&path, left) {
            Ok(Some(entries)) => entries,
            Ok(None) => {
                let text = format!(
                    "the tree has more than {} entries; the rest is not looked at",
                    self.limits.entries
                );
                self.cut(text, &path);
                return Vec::new();
            }
            Err(error) => {
                note_cut(&mut self.walked.cut, error.problem());
                return Vec::new();
            }
        };
        self.entries += u64::try_from(entries.len()).unwrap_or(u64::MAX);
        self.same_name_twice(dir, entries.iter().map(|entry| &entry.name));
        let mut children = Vec::new();
        for entry in entries {
            let Some(name) = entry.name.to_str() else {
                let name = entry.name.to_string_lossy();
                self.odd(join(dir, &name), OddityKind::NameNotText);
                continue;
            };
            let relative = join(dir, name);
            if name.chars().any(char::is_control) {
                self.odd(relative.escape_debug().to_string(), OddityKind::NameNotText);
                continue;
            }
            match entry.kind {
                Kind::Dir if name == ".git" => self.odd(relative, OddityKind::GitData),
                Kind::Dir => {
                    self.walked.directories += 1;
                    children.push(relative);
                }
                Kind::File => self.file(name, relative),
                Kind::Link => self.link(relative),
                Kind::Special => self.odd(relative, OddityKind::Special),
            }
        }
        children
    }

    fn odd(&mut self, path: String, kind: OddityKind) {
        self.walked.oddities.push(Oddity { path, kind });
    }

    /// Reports names that are one on systems without case: there only one of the files arrives.
    fn same_name_twice<'n>(&mut self, dir: &str, names: impl Iterator<Item = &'n OsString>) {
        let mut folded: Vec<(String, String)> = names
            .filter_map(|name| name.to_str())
            .map(|name| (name.to_lowercase(), name.to_owned()))
            .collect();
        folded.sort();
        for pair in folded.windows(2) {
            if pair[0].0 == pair[1].0 {
                self.odd(join(dir, &pair[1].1), OddityKind::SameNameButCase);
            }
        }
    }

    fn link(&mut self, relative: String) {
        let kind = match self.disk.resolve(&self.root.join(&relative)) {
            Ok(target) if target.starts_with(self.root) => OddityKind::LinkInside,
            Ok(_) => OddityKind::LinkOutside,
            Err(_) => OddityKind::LinkToNothing,
        };
        self.odd(relative, kind);
    }

    fn file(&mut self, name: &str, relative: String) {
        let path = self.root.join(&relative);
        let seen = self.disk.link_stamp(&path).and_then(|stamp| {
            let head = self.disk.literally().read_from(&path, 0, HEAD)?;
            Ok(stamp.map(|stamp| (stamp, head)))
        });
        let (stamp, head) = match seen {
            Ok(Some(seen)) => seen,
            // Gone since the directory was listed.
            Ok(None) => return,
            Err(error) => {
                note_cut(&mut self.walked.cut, error.problem());
                return;
            }
        };
        self.walked.files += 1;
        self.walked.bytes = self.walked.bytes.saturating_add(stamp.size);
        if stamp.mode & 0o6000 != 0 {
            self.odd(relative.clone(), OddityKind::SetUser);
        }
        let lower = name.to_ascii_lowercase();
        if lower.ends_with(".md") || lower.ends_with(".txt") {
            self.walked.texts.push(relative.clone());
        }
        if ["license", "licence", "copying", "unlicense", "notice"]
            .iter()
            .any(|start| lower.starts_with(start))
        {
            let content = self.content(&relative, stamp.size);
            self.walked.licences.push(LicenceFile {
                path: relative.clone(),
                bytes: stamp.size,
                digest: content.map(|content| Digest::of_bytes(&content)),
            });
        }
        self.program(name, relative, &head, stamp);
    }

    fn program(&mut self, name: &str, relative: String, head: &[u8], stamp: Stamp) {
        let is_wanted = stamp.is_executable() || self.named.contains(&relative);
        let kind = ExecutableKind::of(head, name, is_wanted);
        let interpreter = match &kind {
            Some(ExecutableKind::Script { interpreter }) => Some(interpreter.as_str()),
            _ => None,
        };
        let language = Language::of(name, interpreter);
        if kind.is_none() && language.is_none() {
            return;
        }
        let content = self.content(&relative, stamp.size);
        if language.is_some() && stamp.size > MAX_SCRIPT {
            let path = self.root.join(&relative);
            let text = format!(
                "names of variables are not searched in scripts larger than {MAX_SCRIPT} bytes"
            );
            self.cut(text, &path);
        } else if let Some(language) = language
            && let Some(content) = &content
        {
            let text = String::from_utf8_lossy(content);
            for name in environment::names(&text, language) {
                self.walked.environment.add(name, &relative);
            }
        }
        let Some(kind) = kind else {
            return;
        };
        let is_binary = !matches!(kind, ExecutableKind::Script { .. });
        if !is_wanted && !is_binary && !head.starts_with(b"#!") {
            self.walked.by_suffix.insert(relative.clone());
        }
        self.walked.executables.push(Executable {
            path: relative,
            bytes: stamp.size,
            kind,
            is_marked: stamp.is_executable(),
            digest: content.map(|content| Digest::of_bytes(&content)),
        });
    }

    /// The content of a program or licence, as far as the limits go.
    fn content(&mut self, relative: &str, size: u64) -> Option<Vec<u8>> {
        let path = self.root.join(relative);
        if size > MAX_PROGRAM {
            let text = format!("programs larger than {MAX_PROGRAM} bytes are not looked into");
            self.cut(text, &path);
            return None;
        }
        if size > self.programs_left {
            let text = format!(
                "the programs have more than {} bytes together; the rest is not looked into",
                self.limits.program_bytes
            );
            self.cut(text, &path);
            return None;
        }
        self.programs_left -= size;
        match self.disk.literally().read(&path, size) {
            Ok(content) => Some(content),
            Err(error) => {
                note_cut(&mut self.walked.cut, error.problem());
                None
            }
        }
    }
}

fn join(dir: &str, name: &str) -> String {
    if dir.is_empty() {
        name.to_owned()
    } else {
        format!("{dir}/{name}")
    }
}
