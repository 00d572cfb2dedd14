//! What a repository's `.gitattributes` say about the ends of lines.
//!
//! Only what the repository itself says counts, so that one commit is the same tree on every machine:
//! neither `core.autocrlf` nor `core.eol` nor the attributes of a user are asked. A text whose ends
//! nobody names keeps those that were committed.
//!
//! Patterns are those of git, which compares bytes: one without a slash means a name in any directory
//! below, one with a slash a path, `*` and `?` stay inside of a name, `**` does not. The deepest file
//! wins, and in it the last line.

use std::collections::HashMap;

/// What the files are called.
pub(crate) const NAME: &str = ".gitattributes";

/// Larger than any that a person writes.
pub(crate) const MAX_FILE: usize = 256 << 10;

/// Most rules of all files on the way to a directory, most macros, and the longest pattern.
const MAX_RULES: usize = 2_000;
const MAX_MACROS: usize = 100;
const MAX_PATTERN: usize = 1_024;

/// What happens to the ends of lines of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ends {
    /// They are what was committed.
    AsCommitted,
    /// They become those of Windows.
    Crlf,
    /// The same, unless the content does not look like a text.
    CrlfInText,
}

/// The rules on the way from the root to a directory.
#[derive(Debug)]
pub(crate) struct Attributes {
    levels: Vec<Level>,
    macros: HashMap<String, Vec<Said>>,
    rules: usize,
}

#[derive(Debug)]
struct Level {
    /// In the repository; empty for its root.
    dir: String,
    rules: Vec<Rule>,
}

#[derive(Debug)]
struct Rule {
    pattern: Pattern,
    said: Vec<Said>,
}

#[derive(Debug)]
struct Pattern {
    /// Relative to the directory of the file; one for a name in any directory.
    parts: Vec<Vec<u8>>,
    anywhere: bool,
}

/// The attributes that count here; `crlf` is the old name of `text`.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Name {
    Text,
    Crlf,
    Eol,
    /// One that may stand for others.
    Macro(String),
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Value {
    Set,
    Unset,
    Unspecified,
    Is(String),
}

type Said = (Name, Value);

/// What is said of one file. What is found first was said last, and stays.
#[derive(Default)]
struct Found<'a> {
    text: Option<&'a Value>,
    crlf: Option<&'a Value>,
    eol: Option<&'a Value>,
    macros: Vec<&'a str>,
}

impl Default for Attributes {
    fn default() -> Self {
        // This one is built in.
        let binary = ("binary".to_owned(), vec![(Name::Text, Value::Unset)]);
        Self {
            levels: Vec::new(),
            macros: HashMap::from([binary]),
            rules: 0,
        }
    }
}

impl Attributes {
    /// Goes into a directory with what its file says.
    pub(crate) fn enter(&mut self, dir: &str, file: &[u8]) {
        let text = String::from_utf8_lossy(file);
        let mut rules = Vec::new();
        for line in text.trim_start_matches('\u{feff}').lines() {
            let line = line.trim_matches([' ', '\t', '\r']);
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let (pattern, rest) = first_word(line);
            if let Some(name) = pattern.strip_prefix(b"[attr]") {
                // Only the file at the root may have them.
                if dir.is_empty() && self.macros.len() < MAX_MACROS {
                    let name = String::from_utf8_lossy(name).into_owned();
                    self.macros.insert(name, said(rest));
                }
            } else if let Some(pattern) = Pattern::of(&pattern) {
                let said = said(rest);
                rules.push(Rule { pattern, said });
            }
        }
        for rule in &mut rules {
            // What stands for nothing that counts here.
            rule.said.retain(|(name, _)| match name {
                Name::Macro(name) => self.macros.contains_key(name),
                Name::Text | Name::Crlf | Name::Eol => true,
            });
        }
        rules.retain(|rule| !rule.said.is_empty());
        rules.truncate(MAX_RULES.saturating_sub(self.rules));
        self.rules += rules.len();
        self.levels.push(Level {
            dir: dir.to_owned(),
            rules,
        });
    }

    /// Leaves the directory that was entered last.
    pub(crate) fn leave(&mut self) {
        if let Some(level) = self.levels.pop() {
            self.rules -= level.rules.len();
        }
    }

    /// What happens to a file.
    pub(crate) fn ends(&self, path: &str) -> Ends {
        if self.rules == 0 {
            return Ends::AsCommitted;
        }
        let found = self.find(path);
        if found.eol != Some(&Value::Is("crlf".to_owned())) {
            return Ends::AsCommitted;
        }
        // With another word nothing is said.
        let says = |value: &&Value| match value {
            Value::Is(word) => matches!(word.as_str(), "auto" | "input"),
            Value::Set | Value::Unset => true,
            Value::Unspecified => false,
        };
        match found.text.filter(says).or(found.crlf.filter(says)) {
            Some(Value::Unset) => Ends::AsCommitted,
            Some(Value::Is(word)) if word == "auto" => Ends::CrlfInText,
            _ => Ends::Crlf,
        }
    }

    fn find(&self, path: &str) -> Found<'_> {
        let mut found = Found::default();
        for level in self.levels.iter().rev() {
            let below = match level.dir.as_str() {
                "" => Some(path),
                dir => path
                    .strip_prefix(dir)
                    .and_then(|rest| rest.strip_prefix('/')),
            };
            let Some(below) = below else {
                continue;
            };
            for rule in level.rules.iter().rev() {
                if rule.pattern.matches(below) {
                    self.take(&mut found, &rule.said);
                }
            }
        }
        found
    }

    /// Takes what was not said later. A macro that was taken back stands for nothing.
    fn take<'a>(&'a self, found: &mut Found<'a>, said: &'a [Said]) {
        for (name, value) in said.iter().rev() {
            match name {
                Name::Text => _ = found.text.get_or_insert(value),
                Name::Crlf => _ = found.crlf.get_or_insert(value),
                Name::Eol => _ = found.eol.get_or_insert(value),
                Name::Macro(name) if found.macros.contains(&name.as_str()) => {}
                Name::Macro(name) => {
                    found.macros.push(name);
                    if *value == Value::Set
                        && let Some(stands_for) = self.macros.get(name)
                    {
                        self.take(found, stands_for);
                    }
                }
            }
        }
    }
}

/// Reads `text -crlf eol=crlf`.
fn said(words: &str) -> Vec<Said> {
    let mut said = Vec::new();
    for word in words.split_whitespace() {
        let (name, value) = match (word.strip_prefix('-'), word.strip_prefix('!')) {
            (Some(name), _) => (name, Value::Unset),
            (None, Some(name)) => (name, Value::Unspecified),
            (None, None) => match word.split_once('=') {
                Some((name, value)) => (name, Value::Is(value.to_owned())),
                None => (word, Value::Set),
            },
        };
        let name = match name {
            "text" => Name::Text,
            "crlf" => Name::Crlf,
            "eol" => Name::Eol,
            other => Name::Macro(other.to_owned()),
        };
        said.push((name, value));
    }
    said
}

impl Pattern {
    fn of(text: &[u8]) -> Option<Self> {
        // With `!` in front or a slash at its end it means no file.
        if text.is_empty() || text.len() > MAX_PATTERN || text.starts_with(b"!") {
            return None;
        }
        let path = text.strip_prefix(b"/").unwrap_or(text);
        if path.is_empty() || path.ends_with(b"/") {
            return None;
        }
        Some(Self {
            anywhere: !text.contains(&b'/'),
            parts: path.split(|c| *c == b'/').map(<[u8]>::to_vec).collect(),
        })
    }

    fn matches(&self, path: &str) -> bool {
        if self.anywhere {
            let name = path.rsplit('/').next().unwrap_or(path).as_bytes();
            return self.parts.iter().all(|part| is_like(name, part));
        }
        let path: Vec<&[u8]> = path.split('/').map(str::as_bytes).collect();
        let last = self.parts.len().saturating_sub(1);
        // At its end it means what is inside, which is at least one name.
        let (parts, inside) = match self.parts.get(last) {
            Some(part) if is_any(part) && last > 0 => (&self.parts[..last], true),
            _ => (&self.parts[..], false),
        };
        match inside {
            true => (1..path.len()).any(|end| fits(&path[..end], parts)),
            false => fits(&path, parts),
        }
    }
}

/// Whether a part of a pattern stands for any number of names.
fn is_any(part: &[u8]) -> bool {
    part == b"**"
}

/// Whether names fit patterns one by one, where some of these stand for any number of names.
fn fits(names: &[&[u8]], parts: &[Vec<u8>]) -> bool {
    let (mut name, mut part) = (0, 0);
    let mut again: Option<(usize, usize)> = None;
    while name < names.len() {
        match parts.get(part) {
            Some(any) if is_any(any) => {
                again = Some((name, part));
                part += 1;
            }
            Some(like) if is_like(names[name], like) => {
                name += 1;
                part += 1;
            }
            _ => match &mut again {
                Some((from, any)) => {
                    *from += 1;
                    (name, part) = (*from, *any + 1);
                }
                None => return false,
            },
        }
    }
    parts[part..].iter().all(|part| is_any(part))
}

/// Whether a name is like a pattern with `*`, `?`, `[a-z]` and `\`.
fn is_like(name: &[u8], pattern: &[u8]) -> bool {
    let (mut at, mut of) = (0, 0);
    let mut again: Option<(usize, usize)> = None;
    while at < name.len() {
        if pattern.get(of) == Some(&b'*') {
            again = Some((at, of));
            of += 1;
            continue;
        }
        match one(name[at], &pattern[of..]) {
            Some(length) => {
                at += 1;
                of += length;
            }
            None => match &mut again {
                Some((from, star)) => {
                    *from += 1;
                    (at, of) = (*from, *star + 1);
                }
                None => return false,
            },
        }
    }
    pattern[of..].iter().all(|c| *c == b'*')
}

/// How much of a pattern is for this byte; `None` when it is for another one.
fn one(c: u8, pattern: &[u8]) -> Option<usize> {
    match pattern.first()? {
        b'?' => Some(1),
        b'[' => set(c, pattern),
        b'\\' => (pattern.get(1) == Some(&c)).then_some(2),
        literal => (*literal == c).then_some(1),
    }
}

/// The same for `[a-z]`, `[!a-z]` and `[[:alpha:]]`. One without an end is for nothing.
fn set(c: u8, pattern: &[u8]) -> Option<usize> {
    let negated = matches!(pattern.get(1), Some(b'!' | b'^'));
    let first = if negated { 2 } else { 1 };
    let (mut at, mut found) = (first, false);
    loop {
        let mut low = *pattern.get(at)?;
        if low == b']' && at > first {
            break;
        }
        if let Some((name, length)) = class(&pattern[at..]) {
            found |= is_of_class(c, name)?;
            at += length;
            continue;
        }
        if low == b'\\' {
            at += 1;
            low = *pattern.get(at)?;
        }
        match (pattern.get(at + 1), pattern.get(at + 2)) {
            (Some(b'-'), Some(high)) if *high != b']' => {
                found |= (low..=*high).contains(&c);
                at += 3;
            }
            _ => {
                found |= low == c;
                at += 1;
            }
        }
    }
    (found != negated).then_some(at + 1)
}

/// The name in `[:alpha:]` and how long that is.
fn class(pattern: &[u8]) -> Option<(&[u8], usize)> {
    let rest = pattern.strip_prefix(b"[:")?;
    let end = rest.windows(2).position(|two| two == b":]")?;
    Some((&rest[..end], end + 4))
}

fn is_of_class(c: u8, name: &[u8]) -> Option<bool> {
    Some(match name {
        b"alnum" => c.is_ascii_alphanumeric(),
        b"alpha" => c.is_ascii_alphabetic(),
        b"blank" => matches!(c, b' ' | b'\t'),
        b"cntrl" => c.is_ascii_control(),
        b"digit" => c.is_ascii_digit(),
        b"graph" => c.is_ascii_graphic(),
        b"lower" => c.is_ascii_lowercase(),
        b"print" => c.is_ascii_graphic() || c == b' ',
        b"punct" => c.is_ascii_punctuation(),
        b"space" => c.is_ascii_whitespace() || c == 0x0b,
        b"upper" => c.is_ascii_uppercase(),
        b"xdigit" => c.is_ascii_hexdigit(),
        _ => return None,
    })
}

/// The pattern of a line, which may stand in quotes as in C, and the rest.
fn first_word(line: &str) -> (Vec<u8>, &str) {
    let quoted = line.strip_prefix('"').and_then(unquoted);
    quoted.unwrap_or_else(|| {
        let end = line.find([' ', '\t']).unwrap_or(line.len());
        (line.as_bytes()[..end].to_vec(), &line[end..])
    })
}

/// A text up to the quote that ends it, and what is behind that.
fn unquoted(text: &str) -> Option<(Vec<u8>, &str)> {
    let bytes = text.as_bytes();
    let (mut word, mut at) = (Vec::new(), 0);
    loop {
        match bytes.get(at)? {
            b'"' => return Some((word, text.get(at + 1..)?)),
            b'\\' => {
                let digits = text.get(at + 1..at + 4);
                let octal = digits.and_then(|digits| u8::from_str_radix(digits, 8).ok());
                match octal {
                    Some(byte) => {
                        word.push(byte);
                        at += 4;
                    }
                    None => {
                        word.push(escaped(*bytes.get(at + 1)?));
                        at += 2;
                    }
                }
            }
            byte => {
                word.push(*byte);
                at += 1;
            }
        }
    }
}

fn escaped(c: u8) -> u8 {
    match c {
        b'a' => 0x07,
        b'b' => 0x08,
        b'f' => 0x0c,
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'v' => 0x0b,
        other => other,
    }
}

#[cfg(test)]
#[path = "attributes_tests.rs"]
mod tests;
