//! Where in a JSON file a member stands that a problem names.
//!
//! Values lose their places on the way to those who judge them as a whole, a name against that of
//! an entry, say. The name of the member is enough to find the place again.

use std::cell::Cell;

use plugd_model::{AbsPath, ManifestFormat, Place, PluginPath, Problem, ProblemKind};

use crate::item::{Document, Item, take};
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
    document: Document<'a>,
    left: Cell<u32>,
}

impl<'a> MemberPlaces<'a> {
    /// Nothing for a text that is no JSON.
    #[must_use]
    pub fn of(text: &'a str) -> Option<Self> {
        let document = Document::parse_inline(text).ok()?;
        let left = Cell::new(MAX_FOUND);
        Some(Self { document, left })
    }

    /// The place of a member such as `name` or `plugins[2].version`; nothing when the text has none, or
    /// when too many were asked for.
    #[must_use]
    pub fn find(&self, field: &str) -> Option<Place> {
        self.left.set(self.left.get().checked_sub(1)?);
        let item = find(self.document.root(""), field)?;
        Some(self.document.place(&item))
    }

    /// The places of the entries of a marketplace, in the order of the file.
    #[must_use]
    pub fn entries(&self) -> Vec<EntryPlaces> {
        let top = self.document.root("").object(&mut Vec::new());
        let entries = take(&top.unwrap_or_default(), "plugins").and_then(|all| all.array().ok());
        let places = entries.unwrap_or_default().into_iter().map(|entry| {
            let members = entry.object(&mut Vec::new()).unwrap_or_default();
            EntryPlaces {
                entry: self.document.place(&entry),
                source: take(&members, "source").map(|source| self.document.place(&source)),
            }
        });
        places.collect()
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
    let mut named = Vec::new();
    for member in NAMING {
        let Some(item) = find(document.root(""), member) else {
            continue;
        };
        match item.array() {
            Ok(items) => named.extend(items),
            Err(_) => named.push(item),
        }
    }
    let onboarding = find(document.root(""), "extensions.com.openai.onboardingSkill");
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

/// Follows the name of a member, whose parts may hold dots themselves.
fn find<'a>(item: Item<'a>, field: &str) -> Option<Item<'a>> {
    if field.is_empty() {
        return Some(item);
    }
    if let Some(rest) = field.strip_prefix('[') {
        let (index, rest) = rest.split_once(']')?;
        let element = item.array().ok()?.into_iter().nth(index.parse().ok()?)?;
        return find(element, rest.strip_prefix('.').unwrap_or(rest));
    }
    let members = item.object(&mut Vec::new()).ok()?;
    members.into_iter().find_map(|(name, value)| {
        let rest = field.strip_prefix(name.as_str())?;
        match rest.strip_prefix('.') {
            Some(rest) => find(value, rest),
            None if rest.is_empty() || rest.starts_with('[') => find(value, rest),
            None => None,
        }
    })
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
