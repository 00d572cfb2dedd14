//! Where in a JSON file a member stands that a problem names.
//!
//! Values lose their places on the way to those who judge them as a whole, a name against that of
//! an entry, say. The name of the member is enough to find the place again.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

use plugd_manifest::json::{Elements, Members, Shape, Text};
use plugd_model::{AbsPath, ManifestFormat, Place, PluginPath, Problem, ProblemKind};

use crate::item::{Document, Item, Member, clip, take};
use crate::tree::PluginTree;

/// The members of a manifest that name files or directories.
const NAMING: [&str; 5] = ["skills", "commands", "hooks", "mcpServers", "apps"];

/// How many members of one text are looked for. Each costs a look through the text, and a file may be
/// made of nothing but mistakes.
const MAX_FOUND: u32 = 200;

/// Where an entry of a marketplace and its source stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EntryPlaces {
    /// The entry.
    pub entry: Place,
    /// The member `source`, when there is one.
    pub source: Option<Place>,
}

/// The places of a text's members.
#[derive(Debug)]
pub struct MemberPlaces<'a> {
    text: Text<'a>,
    /// What the values are made of that somebody asked into, by where they begin in memory.
    parts: RefCell<HashMap<usize, Parts<'a>>>,
    left: Cell<u32>,
}

/// The members of an object as problems call them, or the elements of an array.
type Parts<'a> = Rc<Vec<(String, &'a str)>>;

impl<'a> MemberPlaces<'a> {
    /// Nothing for a text that is no JSON.
    #[must_use]
    pub fn of(text: &'a str) -> Option<Self> {
        Some(Self {
            text: Text::check(text.as_bytes()).ok()?,
            parts: RefCell::default(),
            left: Cell::new(MAX_FOUND),
        })
    }

    /// The place of a member such as `name` or `plugins[2].version`; nothing when the text has none, or
    /// when too many were asked for.
    #[must_use]
    pub fn find(&self, field: &str) -> Option<Place> {
        self.left.set(self.left.get().checked_sub(1)?);
        let raw = self.follow(self.text.root(), field)?;
        Some(self.text.place(raw))
    }

    /// The places of the entries of a marketplace, in the order of the file.
    #[must_use]
    pub fn entries(&self) -> Vec<EntryPlaces> {
        let entries = self.follow(self.text.root(), "plugins");
        let entries = entries.and_then(|raw| Elements::split(raw, usize::MAX).ok());
        let places = entries.into_iter().flat_map(|all| all.raw).map(|entry| {
            let source = Members::split(entry, usize::MAX).ok();
            let source = source.and_then(|members| members.get("source"));
            EntryPlaces {
                entry: self.text.place(entry),
                source: source
                    .filter(|raw| Shape::of(raw) != Shape::Null)
                    .map(|raw| self.text.place(raw)),
            }
        });
        places.collect()
    }

    /// Follows the name of a member, whose parts may hold dots themselves.
    fn follow(&self, raw: &'a str, field: &str) -> Option<&'a str> {
        if field.is_empty() {
            return Some(raw);
        }
        let parts = self.parts_of(raw);
        if let Some(rest) = field.strip_prefix('[') {
            let (index, rest) = rest.split_once(']')?;
            let (_, element) = parts.get(index.parse::<usize>().ok()?)?;
            let is_array = Shape::of(raw) == Shape::Array;
            let rest = rest.strip_prefix('.').unwrap_or(rest);
            return self.follow(element, rest).filter(|_| is_array);
        }
        parts.iter().find_map(|(name, value)| {
            let rest = field.strip_prefix(name.as_str())?;
            match rest.strip_prefix('.') {
                Some(rest) => self.follow(value, rest),
                None if rest.is_empty() || rest.starts_with('[') => self.follow(value, rest),
                None => None,
            }
        })
    }

    /// Takes a value apart, each once.
    fn parts_of(&self, raw: &'a str) -> Parts<'a> {
        let begin = raw.as_ptr().addr();
        let known = self.parts.borrow().get(&begin).map(Rc::clone);
        known.unwrap_or_else(|| {
            let found: Vec<_> = match Shape::of(raw) {
                Shape::Object => Members::split(raw, usize::MAX)
                    .iter()
                    .flat_map(Members::iter)
                    .map(|(name, value)| (clip(name), value))
                    .collect(),
                Shape::Array => Elements::split(raw, usize::MAX)
                    .into_iter()
                    .flat_map(|elements| elements.raw)
                    .map(|value| (String::new(), value))
                    .collect(),
                Shape::String | Shape::Number | Shape::Boolean | Shape::Null => Vec::new(),
            };
            let found = Rc::new(found);
            self.parts.borrow_mut().insert(begin, Rc::clone(&found));
            found
        })
    }
}

/// The text in which a plugin declares itself.
pub(super) struct Declared {
    /// The file that it is the whole content of; nothing for an entry of a marketplace.
    file: Option<AbsPath>,
    text: String,
}

impl Declared {
    /// The manifest of a plugin, else what its entry says.
    pub(super) fn read(
        tree: &PluginTree<'_>,
        format: ManifestFormat,
        entry: Option<&str>,
    ) -> Option<Self> {
        match (tree.manifest_text(format), entry) {
            (Some((file, text)), _) => Some(Self {
                file: Some(file),
                text,
            }),
            (None, Some(entry)) => Some(Self {
                file: None,
                text: entry.to_owned(),
            }),
            (None, None) => None,
        }
    }

    /// Whether it stands in a file of its own.
    pub(super) fn is_file(&self) -> bool {
        self.file.is_some()
    }

    pub(super) fn document(&self) -> Option<Document<'_>> {
        let document = match &self.file {
            Some(file) => Document::parse_file(&self.text, file),
            None => Document::parse_inline(&self.text),
        };
        document.ok()
    }
}

/// Moves findings about files that the manifest names and that are not there to the place where it
/// names them: there the author has to look.
pub(super) fn point_to_manifest(
    tree: &PluginTree<'_>,
    document: &Document<'_>,
    findings: &mut [Problem],
) {
    let top = members(&document.root(""));
    let mut named = Vec::new();
    for item in NAMING.iter().filter_map(|member| take(&top, member)) {
        match item.array() {
            Ok(items) => named.extend(items),
            Err(_) => named.push(item),
        }
    }
    let own = take(&top, "extensions").and_then(|all| take(&members(&all), "com.openai"));
    let onboarding = own.and_then(|own| take(&members(&own), "onboardingSkill"));
    for finding in findings {
        let is_about_path = matches!(
            finding.kind,
            ProblemKind::Missing | ProblemKind::NotAFile | ProblemKind::BadPath
        );
        if !is_about_path || finding.place.is_some() {
            continue;
        }
        let is_named = |item: &&Item<'_>| {
            let path = item.string().ok();
            let path = path.and_then(|text| PluginPath::parse(&text));
            path.is_some_and(|path| finding.path == Some(path.below(tree.root())))
        };
        let item = match finding.field.as_deref() {
            Some("onboardingSkill") => onboarding.as_ref(),
            _ => named.iter().find(is_named),
        };
        if let Some(item) = item {
            let severity = finding.severity;
            *finding = item.problem(finding.kind, std::mem::take(&mut finding.message));
            finding.severity = severity;
        }
    }
}

/// The members of a value, none when it is no object.
fn members<'a>(item: &Item<'a>) -> Vec<Member<'a>> {
    item.object(&mut Vec::new()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use plugd_model::Place;
    use pretty_assertions::assert_eq;

    use super::{MAX_FOUND, MemberPlaces};

    #[track_caller]
    fn check(text: &str, field: &str, expected: Option<(u32, u32)>) {
        let expected = expected.map(|(line, column)| Place { line, column });
        let found = MemberPlaces::of(text).and_then(|places| places.find(field));
        assert_eq!(found, expected, "{field}");
    }

    #[test]
    fn members_are_found_by_name() {
        let text = "{\"name\": 1,\n \"a.b\": {\"c\": [0, {\"d\": 5}]},\n \"a\": {}}";
        check(text, "name", Some((1, 10)));
        check(text, "a.b.c", Some((2, 15)));
        check(text, "a.b.c[1]", Some((2, 19)));
        check(text, "a.b.c[1].d", Some((2, 25)));
        for nothing in [
            "nam", "names", "a.c", "a.b.c[2]", "a.b.c[x]", "name.x", "[0]",
        ] {
            check(text, nothing, None);
        }
        check("{", "name", None);
    }

    #[test]
    fn entries_and_their_sources() {
        let text = "{\"plugins\": [{\"source\": \"./a\"},\n 7, {\"name\": 1}]}";
        let places = |text| MemberPlaces::of(text).unwrap().entries();
        let found: Vec<_> = places(text)
            .into_iter()
            .map(|one| {
                (
                    one.entry.line,
                    one.entry.column,
                    one.source.map(|p| p.column),
                )
            })
            .collect();
        assert_eq!(found, [(1, 14, Some(25)), (2, 2, None), (2, 5, None)]);
        assert_eq!(places("[]"), []);
        assert_eq!(places("{\"plugins\": 1}"), []);
    }

    #[test]
    fn a_text_is_not_looked_through_without_end() {
        let places = MemberPlaces::of("{\"a\": 1}").unwrap();
        let found = (0..1000).filter(|_| places.find("a").is_some()).count();
        assert_eq!(found, MAX_FOUND as usize);
    }
}
