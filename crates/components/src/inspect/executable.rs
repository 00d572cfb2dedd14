//! Which files of a plugin can run, and what kind of program they are.

/// What kind of program a file is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ExecutableKind {
    /// A script with its interpreter, as its first line or its suffix tells.
    Script {
        /// The interpreter's name, without directories and arguments.
        interpreter: String,
    },
    /// A program or library for Linux and its relatives.
    Elf,
    /// A program or library for macOS.
    MachO,
    /// A program or library for Windows.
    Pe,
    /// Marked as executable, or named by a command of the plugin; its content tells nothing.
    Unknown,
}

/// How many bytes of a file its kind is read from.
pub(super) const HEAD: u64 = 256;

/// Suffixes of scripts with what usually runs them. Such a file needs no mark and no first line: a
/// command names its interpreter, or the system knows it by the suffix.
const RUN_BY_SUFFIX: [(&str, &str); 23] = [
    ("bash", "bash"),
    ("bat", "cmd"),
    ("cjs", "node"),
    ("cmd", "cmd"),
    ("cts", "node"),
    ("fish", "fish"),
    ("js", "node"),
    ("jsx", "node"),
    ("ksh", "ksh"),
    ("lua", "lua"),
    ("mjs", "node"),
    ("mts", "node"),
    ("php", "php"),
    ("pl", "perl"),
    ("ps1", "powershell"),
    ("psm1", "powershell"),
    ("py", "python"),
    ("rb", "ruby"),
    ("sh", "sh"),
    ("ts", "node"),
    ("tsx", "node"),
    ("vbs", "wscript"),
    ("zsh", "zsh"),
];

impl ExecutableKind {
    /// A stable word for programs.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Script { .. } => "script",
            Self::Elf => "elf",
            Self::MachO => "machO",
            Self::Pe => "pe",
            Self::Unknown => "unknown",
        }
    }

    /// The kind of a file by its first bytes and its name; nothing for a file that looks like no
    /// program, unless somebody wants it run: by a mark, or by a command that names it.
    #[must_use]
    pub fn of(head: &[u8], name: &str, is_wanted: bool) -> Option<Self> {
        if let Some(line) = head.strip_prefix(b"#!") {
            let interpreter = interpreter(line);
            return Some(Self::Script { interpreter });
        }
        if head.starts_with(b"\x7fELF") {
            return Some(Self::Elf);
        }
        if is_mach_o(head) {
            return Some(Self::MachO);
        }
        // Two letters alone would make programs of many texts.
        if head.starts_with(b"MZ") && head.contains(&0) {
            return Some(Self::Pe);
        }
        let suffix = name
            .rsplit_once('.')
            .map(|(_, suffix)| suffix.to_ascii_lowercase());
        let known = suffix.and_then(|suffix| RUN_BY_SUFFIX.iter().find(|(s, _)| *s == suffix));
        if let Some((_, interpreter)) = known {
            let interpreter = (*interpreter).to_owned();
            return Some(Self::Script { interpreter });
        }
        is_wanted.then_some(Self::Unknown)
    }
}

fn is_mach_o(head: &[u8]) -> bool {
    let Some((magic, rest)) = head.split_at_checked(4) else {
        return false;
    };
    match magic {
        [0xfe, 0xed, 0xfa, 0xce | 0xcf] | [0xce | 0xcf, 0xfa, 0xed, 0xfe] => true,
        // Shared with compiled Java, where a version above 40 follows instead of a small count.
        [0xca, 0xfe, 0xba, 0xbe | 0xbf] => matches!(rest, [0, 0, 0, 1..=39, ..]),
        _ => false,
    }
}

/// The interpreter of a first line: the program, or what `env` would start.
fn interpreter(line: &[u8]) -> String {
    let end = line.iter().position(|byte| *byte == b'\n');
    let line = String::from_utf8_lossy(&line[..end.unwrap_or(line.len())]);
    let mut words = line.split_whitespace();
    let base = |word: &str| word.rsplit('/').next().unwrap_or(word).to_owned();
    let program = base(words.next().unwrap_or_default());
    if program != "env" {
        return program;
    }
    let is_name = |word: &&str| !word.starts_with('-') && !word.contains('=');
    words.find(is_name).map_or(program, base)
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::ExecutableKind;

    #[track_caller]
    fn check(head: &[u8], name: &str, is_marked: bool, expected: &str) {
        let shown = match ExecutableKind::of(head, name, is_marked) {
            Some(ExecutableKind::Script { interpreter }) => format!("script {interpreter}"),
            Some(kind) => kind.word().to_owned(),
            None => "-".to_owned(),
        };
        assert_eq!(shown, expected);
    }

    #[test]
    fn kinds_by_content() {
        check(b"#!/bin/sh\necho", "x", false, "script sh");
        check(
            b"#! /usr/bin/env -S A=b python3 -u\n",
            "x",
            true,
            "script python3",
        );
        check(b"#!/usr/bin/env", "x", true, "script env");
        check(b"#!", "x", true, "script ");
        check(b"\x7fELF\x02", "x.txt", false, "elf");
        check(b"\xcf\xfa\xed\xfe....", "x", false, "machO");
        check(b"\xca\xfe\xba\xbe\0\0\0\x02", "x", false, "machO");
        check(b"\xca\xfe\xba\xbe\0\0\0\x34", "X.class", false, "-");
        check(b"MZ\x90\0", "x.dll", false, "pe");
        check(b"MZ is a text", "x", false, "-");
    }

    #[test]
    fn kinds_by_name_and_mark() {
        check(b"@echo off", "Run.CMD", false, "script cmd");
        check(b"", "x.ps1", false, "script powershell");
        check(b"print()", "x.py", false, "script python");
        check(b"print()", "x.MJS", true, "script node");
        check(b"print()", "py", true, "unknown");
        check(b"print()", "x.json", false, "-");
        check(b"", "x", false, "-");
    }
}
