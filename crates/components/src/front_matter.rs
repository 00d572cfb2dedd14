//! The YAML block at the head of a Markdown file, and the rescue of blocks that are almost YAML.
//!
//! Authors write `description: Use when: the user asks` and mean a text. When the block is no YAML,
//! one-line values that are plainly meant as text are quoted and the block is tried once more; then
//! also those that are lists or mappings by themselves. The same holds when a member that is read is
//! no text: `description: [x: y]`. If all fails, the first error is the one that is reported.

use std::collections::HashSet;
use std::rc::Rc;

use plugd_model::{Place, Problem, ProblemKind};

use crate::item::clip;
use crate::spelling;
use crate::yaml::{self, Value, Yaml};

/// The largest block that is parsed. The text behind it is not counted.
pub(crate) const MAX_FRONT_MATTER: usize = 256 * 1024;

/// Which lines end the block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fence {
    /// `---` with blanks around it, as skills are read.
    Blanks,
    /// Exactly `---`, as commands are read.
    Exact,
}

/// A Markdown file cut in two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Parts<'a> {
    /// The block between the fences; its first line is the file's second.
    pub(crate) yaml: &'a str,
    /// What follows the closing fence.
    pub(crate) body: &'a str,
}

/// The members of a block.
#[derive(Debug)]
pub(crate) struct FrontMatter {
    pairs: Vec<(Rc<Yaml>, Rc<Yaml>)>,
}

/// Cuts a file at its fences; `None` when it does not begin with a block that ends.
pub(crate) fn split(text: &str, fence: Fence) -> Option<Parts<'_>> {
    let is_fence = |line: &str| match fence {
        Fence::Blanks => line.trim() == "---",
        Fence::Exact => {
            line.strip_suffix('\n')
                .map_or(line, |l| l.strip_suffix('\r').unwrap_or(l))
                == "---"
        }
    };
    let mut lines = text.split_inclusive('\n');
    let first = lines.next().filter(|line| is_fence(line))?;
    let start = first.len();
    let mut end = start;
    for line in lines {
        if is_fence(line) {
            let yaml = &text[start..end];
            return (!yaml.is_empty()).then(|| Parts {
                yaml,
                body: &text[end + line.len()..],
            });
        }
        end += line.len();
    }
    None
}

/// Why [`split`] finds no block, when that cannot be seen in an editor.
pub(crate) fn hidden_reason(text: &str) -> Option<&'static str> {
    let reason = "begins with a byte order mark; save the file as UTF-8 without one";
    text.starts_with('\u{feff}').then_some(reason)
}

impl FrontMatter {
    /// Parses a block as YAML.
    pub(crate) fn parse(block: &str) -> Result<Self, Problem> {
        if block.len() > MAX_FRONT_MATTER {
            let text = format!("the front matter is larger than {MAX_FRONT_MATTER} bytes");
            return Err(Problem::error(ProblemKind::TooLarge, text).at(FIRST_LINE));
        }
        let tree = yaml::parse(block, FIRST_LINE.line).map_err(|error| {
            let kind = match error {
                yaml::YamlError::TooLarge { .. } => ProblemKind::TooLarge,
                _ => ProblemKind::Syntax,
            };
            Problem::error(kind, error.to_string()).at(error.place())
        })?;
        match tree.as_deref() {
            None => Ok(Self { pairs: Vec::new() }),
            Some(node) if node.is_null() => Ok(Self { pairs: Vec::new() }),
            Some(Yaml {
                value: Value::Mapping(pairs),
                ..
            }) => Ok(Self {
                pairs: pairs.clone(),
            }),
            Some(node) => {
                let text = format!("the front matter is {} and not a mapping", node.kind_word());
                Err(Problem::error(ProblemKind::WrongType, text).at(node.place))
            }
        }
    }

    /// Parses a block and reads it.
    pub(crate) fn read<T>(
        block: &str,
        read: impl FnOnce(&Self) -> Result<T, Problem>,
    ) -> Result<(Self, T), Problem> {
        let parsed = Self::parse(block)?;
        let value = read(&parsed)?;
        Ok((parsed, value))
    }

    /// Parses a block and reads it, and once more with its text values quoted when it is no YAML or
    /// when what is read has a wrong type.
    pub(crate) fn read_with_rescue<T>(
        block: &str,
        read: impl Fn(&Self) -> Result<T, Problem>,
    ) -> Result<(Self, T), Problem> {
        let attempt = |block: &str| Self::read(block, &read);
        let problem = match attempt(block) {
            Err(problem) if is_about_form(&problem) => problem,
            other => return other,
        };
        let rescued = [Flow::Kept, Flow::Text].into_iter().find_map(|flow| {
            let quoted = rescue(block, flow)?;
            attempt(&quoted).ok()
        });
        rescued.ok_or(problem)
    }

    /// A member's text, trimmed; nothing when it is absent, null or blank.
    pub(crate) fn text(&self, name: &str) -> Result<Option<String>, Problem> {
        match only(&self.pairs, name, name)? {
            Some(node) => text_of(node, name),
            None => Ok(None),
        }
    }

    /// The text of a member of a mapping that is a member.
    pub(crate) fn inner_text(&self, outer: &str, name: &str) -> Result<Option<String>, Problem> {
        let Some(node) = only(&self.pairs, outer, outer)? else {
            return Ok(None);
        };
        match &node.value {
            Value::Mapping(pairs) => {
                let field = format!("{outer}.{name}");
                match only(pairs, name, &field)? {
                    Some(node) => text_of(node, &field),
                    None => Ok(None),
                }
            }
            _ => Err(wrong_type(node, "a mapping", outer)),
        }
    }

    /// Refuses a name that stands there twice.
    pub(crate) fn unique(&self) -> Result<(), Problem> {
        let mut known = HashSet::new();
        for (key, _) in &self.pairs {
            if let Some(name) = key.text().filter(|name| !known.insert(*name)) {
                let text = format!("`{}` stands here twice", clip(name));
                let problem = Problem::error(ProblemKind::Duplicate, text);
                return Err(problem.at_field(clip(name)).at(key.place));
            }
        }
        Ok(())
    }

    /// Refuses a member that is no mapping of texts.
    pub(crate) fn texts(&self, name: &str) -> Result<(), Problem> {
        let Some(node) = self.value(name) else {
            return Ok(());
        };
        let Value::Mapping(pairs) = &node.value else {
            return Err(wrong_type(node, "a mapping", name));
        };
        let wrong = pairs.iter().find(|(_, value)| value.text().is_none());
        wrong.map_or(Ok(()), |(key, value)| {
            let field = format!("{name}.{}", clip(key.text().unwrap_or_default()));
            Err(wrong_type(value, "a text", &field))
        })
    }

    /// The members that nobody reads and that are almost one of `known`.
    pub(crate) fn misspelt(&self, known: &[&str]) -> impl Iterator<Item = Problem> {
        self.pairs.iter().filter_map(|(key, _)| {
            let name = key.text()?;
            let meant = spelling::meant(name, known)?;
            let name = clip(name);
            let text = format!("nobody reads `{name}` here; did you mean `{meant}`");
            let problem = Problem::warning(ProblemKind::UnknownField, text);
            Some(problem.at_field(name).at(key.place))
        })
    }

    /// A member as it stands; the first of several, and nothing for null.
    pub(crate) fn value(&self, name: &str) -> Option<&Yaml> {
        let found = self.pairs.iter().find(|(key, _)| key.text() == Some(name));
        let value = found.map(|(_, value)| value.as_ref());
        value.filter(|value| !value.is_null())
    }

    /// Where a member stands; the block's beginning when it is absent.
    pub(crate) fn place(&self, name: &str) -> Place {
        self.pairs
            .iter()
            .find(|(key, _)| key.text() == Some(name))
            .map_or(FIRST_LINE, |(_, value)| value.place)
    }
}

/// White space collapsed to single blanks.
pub(crate) fn collapse(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The first line behind the opening fence.
const FIRST_LINE: Place = Place { line: 2, column: 1 };

/// The one member with a name; a second one is a mistake that nobody can resolve for the author.
fn only<'a>(
    pairs: &'a [(Rc<Yaml>, Rc<Yaml>)],
    name: &str,
    field: &str,
) -> Result<Option<&'a Yaml>, Problem> {
    let mut found = pairs.iter().filter(|(key, _)| key.text() == Some(name));
    let first = found.next();
    if let Some((key, _)) = found.next() {
        let text = format!("`{field}` stands here twice");
        let problem = Problem::error(ProblemKind::Duplicate, text);
        return Err(problem.at_field(field).at(key.place));
    }
    Ok(first
        .map(|(_, value)| value.as_ref())
        .filter(|value| !value.is_null()))
}

fn text_of(node: &Yaml, field: &str) -> Result<Option<String>, Problem> {
    let Some(text) = node.text() else {
        return Err(wrong_type(node, "a text", field));
    };
    let text = text.trim();
    Ok((!text.is_empty()).then(|| text.to_owned()))
}

fn wrong_type(node: &Yaml, expected: &str, field: &str) -> Problem {
    let text = format!("`{field}` is {} and not {expected}", node.kind_word());
    Problem::error(ProblemKind::WrongType, text)
        .at_field(field)
        .at(node.place)
}

/// Whether quotes could help.
fn is_about_form(problem: &Problem) -> bool {
    matches!(problem.kind, ProblemKind::Syntax | ProblemKind::WrongType)
}

/// What becomes of a list or mapping in one line that is YAML by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Flow {
    Kept,
    Text,
}

/// Quotes the plain one-line values of a block; `None` when there is nothing to quote.
fn rescue(block: &str, flow: Flow) -> Option<String> {
    let mut out = String::with_capacity(block.len() + 64);
    let mut changed = false;
    // Inside a block scalar (`key: |`) lines are text already, up to the key's own indentation.
    let mut block_scalar: Option<usize> = None;
    for line in block.split_inclusive('\n') {
        let content = line.trim_end_matches(['\n', '\r']);
        let indent = content.len() - content.trim_start_matches(' ').len();
        if block_scalar.is_some_and(|key| content.trim().is_empty() || indent > key) {
            out.push_str(line);
            continue;
        }
        block_scalar = None;
        match key_and_value(content) {
            Some((_, value)) if value.starts_with(['|', '>']) => {
                block_scalar = Some(indent);
                out.push_str(line);
            }
            Some((key, value)) if needs_quotes(value, flow) => {
                changed = true;
                out.push_str(key);
                out.push('\'');
                out.push_str(&value.replace('\'', "''"));
                out.push('\'');
                out.push_str(&line[content.len()..]);
            }
            _ => out.push_str(line),
        }
    }
    changed.then_some(out)
}

/// Splits `key: value # comment` behind the blanks that follow the colon; the comment is dropped.
fn key_and_value(line: &str) -> Option<(&str, &str)> {
    let trimmed = line.trim_start_matches(' ');
    if trimmed.is_empty() || trimmed.starts_with(['#', '?', '\t']) {
        return None;
    }
    let colon = line.find(": ").or_else(|| line.find(":\t"))?;
    let value_start = line.len() - line[colon + 1..].trim_start().len();
    let (key, value) = line.split_at(value_start);
    let value = match value.find(" #") {
        Some(comment) => &value[..comment],
        None => value,
    };
    let value = value.trim_end();
    (!value.is_empty() && !value.starts_with('#')).then_some((key, value))
}

/// Whether a value is plainly meant as text and is no YAML as it stands. One that begins with a quote
/// or with the sign of a block is left alone: there the author meant YAML and made a mistake. All
/// else that holds a colon with a blank behind it is text, as in the reference.
fn needs_quotes(value: &str, flow: Flow) -> bool {
    let has_colon = value.contains(": ") || value.contains(":\t");
    match value.chars().next() {
        Some('@' | '`') => true,
        Some('"' | '\'' | '|' | '>' | '#') | None => false,
        Some('[' | '{') if yaml::parse(value, 1).is_err() => true,
        Some('[' | '{') => flow == Flow::Text && has_colon,
        Some(_) => has_colon,
    }
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::{Fence, FrontMatter, split};

    #[track_caller]
    fn check_split(text: &str, fence: Fence, expected: Option<(&str, &str)>) {
        let parts = split(text, fence).map(|parts| (parts.yaml, parts.body));
        assert_eq!(parts, expected);
    }

    #[test]
    fn fences_of_skills() {
        let check = |text, expected| check_split(text, Fence::Blanks, expected);
        check("---\na: b\n---\nbody\n", Some(("a: b\n", "body\n")));
        check("--- \na: b\n  --- ", Some(("a: b\n", "")));
        check("---\r\na: b\r\n---\r\nx", Some(("a: b\r\n", "x")));
        check("---\n\n---\n", Some(("\n", "")));
        check("---\n---\n", None);
        check("---\na: b", None);
        check("\n---\na: b\n---\n", None);
        check("\u{feff}---\na: b\n---\n", None);
        check("----\na: b\n---\n", None);
        check("", None);
    }

    #[test]
    fn fences_of_commands() {
        let check = |text, expected| check_split(text, Fence::Exact, expected);
        check("---\na: b\n  ---\n---\nx", Some(("a: b\n  ---\n", "x")));
        check("---\r\na: b\r\n---", Some(("a: b\r\n", "")));
        check("--- \na: b\n---\n", None);
    }

    /// The description of a block, or its problem.
    #[track_caller]
    fn check(block: &str, expected: &str) {
        let text = FrontMatter::read_with_rescue(block, |block| block.text("description"));
        let shown = match text.map(|(_, text)| text) {
            Ok(Some(text)) => text,
            Ok(None) => "nothing".to_owned(),
            Err(problem) => {
                let place = problem.place.unwrap();
                format!("{} {}:{}", problem.kind.word(), place.line, place.column)
            }
        };
        assert_eq!(shown, expected, "{block}");
    }

    #[test]
    fn scalars() {
        check("description: 1.50", "1.50");
        check("description: 0x10", "0x10");
        check("description: True", "True");
        check("description: \"null\"", "null");
        for blank in [
            "description:",
            "description: ~",
            "description: null",
            "description: \"  \"",
            "a: b",
        ] {
            check(blank, "nothing");
        }
        check("description: [a, b]", "wrongType 2:14");
        check("description: a\ndescription: b", "duplicate 3:1");
        check("license: a\nlicense: b\ndescription: d", "d");
        check("- a", "wrongType 2:1");
        check("hello", "wrongType 2:1");
    }

    #[test]
    fn almost_yaml_is_taken_as_text() {
        check("description: Use when: foo: bar", "Use when: foo: bar");
        check("description: a: b # comment", "a: b");
        check("description: [x", "[x");
        check("description: {a # c", "{a");
        check("description: [a] b", "[a] b");
        check("description: @at", "@at");
        check("description: `tick`", "`tick`");
        check("name: [x\ndescription: fine", "fine");
        check("description: it's: 'x'", "it's: 'x'");
        check("\"description\": a: b", "a: b");
        check("description : a: b", "a: b");
        check("description: a: b\ntags: [x, y]\nlist:\n- p: q", "a: b");
        check(
            "other: |\n  x: y: z\n\n  p: q: r\ndescription: a: b",
            "a: b",
        );
        check("description: a: b\ntags:\n- x: y: z\n- [q", "syntax 2:15");
        check("description: a: b\ntags:\n- x: y: z", "a: b");
        check("name: &x foo\ndescription: a: b\r\n", "a: b");
    }

    #[test]
    fn one_line_with_a_colon_is_text_whatever_it_begins_with() {
        for value in [
            "**Note**: use when x",
            "*x: y",
            "- a: b",
            "%a: b",
            "? a: b",
            ", a: b",
            "] a: b",
            "} a: b",
            "! a: b",
            "!x a: b",
            "& a: b",
            "&x a: b",
            "{a}: b",
            "[a]: b",
            "[TODO]: do x",
            "{{x}}: y",
            "* item: x",
            ": a",
            ": a: b",
            "% a: b",
            "-a: b",
            "?a: b",
            // YAML by itself, and no text.
            "[a: b]",
            "{a: b}",
        ] {
            check(&format!("description: {value}"), value);
            check(&format!("name: x # c\ndescription: {value} # c"), value);
        }
        check("description: a: b\nmetadata: {x: y}", "a: b");
        check("description: [a]", "wrongType 2:14");
        check("description: {a}", "wrongType 2:14");
    }

    #[test]
    fn real_mistakes_stay_mistakes() {
        check("description: \"abc", "syntax 2:14");
        check("description: \"a\" b", "syntax 2:18");
        check("description: %a", "syntax 2:14");
        check("description: *a", "syntax 2:14");
        check("description: * a", "syntax 2:14");
        check("description: - a", "syntax 2:14");
        check("description: \"a\": b", "syntax 2:17");
        check("description: | x: y", "syntax 2:14");
        check("description: > x: y", "syntax 2:14");
        check("description: foo:", "syntax 2:17");
        check("description: a: b\n  more", "syntax 2:15");
        check("description: a\n\tb: c", "syntax 2:14");
        check("description: a: b\n- x", "syntax 2:15");
    }

    #[test]
    fn the_block_is_bounded() {
        let block = format!("description: {}", "x".repeat(300 * 1024));
        check(&block, "tooLarge 2:1");
        check(
            &format!("description: {}", "x".repeat(70_000)),
            &"x".repeat(70_000),
        );
    }
}
