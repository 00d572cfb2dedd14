//! The values of a plugin's JSON file, each with its field and place, so that a bad member cannot
//! sink its neighbours.
//!
//! How a text is checked and split is the business of [`plugd_manifest::json`]; this module names
//! what a problem is about.

use std::cell::Cell;
use std::time::Duration;

use plugd_manifest::json::{self, Elements, Members, Shape, Text, shortened};
use plugd_model::{AbsPath, Place, Problem, ProblemKind};

use crate::spelling;

/// How many problems of one document get a line and column. Finding one costs a look at the text
/// around it, and a file may be made of nothing but mistakes.
const MAX_PLACES: u32 = 200;
/// How much of a member's name goes into a field path or message; names come from a stranger and
/// would be repeated for each value below them.
const MAX_NAME_SHOWN: usize = 100;

/// A JSON text whose syntax has been checked as a whole.
#[derive(Debug)]
pub(crate) struct Document<'a> {
    text: Text<'a>,
    /// The file it stands in, when it is the file's whole content.
    file: Option<&'a AbsPath>,
    places_left: Cell<u32>,
}

/// One value of a document.
#[derive(Debug, Clone)]
pub(crate) struct Item<'a> {
    document: &'a Document<'a>,
    raw: &'a str,
    field: String,
}

/// Where something is declared, for problems that are met only when it is used.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Origin {
    /// The file, when it stands in one of the plugin.
    pub file: Option<AbsPath>,
    /// The member, as a path such as `mcpServers.github`.
    pub field: Option<String>,
    /// The place in the file.
    pub place: Option<Place>,
    /// The places of its members, as far as somebody may have to speak of one.
    members: Vec<(String, Place)>,
}

impl Origin {
    /// A problem about what is declared here.
    #[must_use]
    pub fn problem(&self, kind: ProblemKind, message: impl Into<String>) -> Problem {
        let mut problem = Problem::error(kind, message);
        problem.path.clone_from(&self.file);
        problem.field.clone_from(&self.field);
        problem.place = self.place;
        problem
    }

    /// The place of a member below, such as `command` or `args[1]`: that of the direct member, where
    /// it is known.
    #[must_use]
    pub fn below(&self, member: &str) -> Self {
        let field = match &self.field {
            Some(field) => format!("{field}.{member}"),
            None => member.to_owned(),
        };
        let direct = member.split(['.', '[']).next().unwrap_or(member);
        let known = self.members.iter().find(|(name, _)| name == direct);
        Self {
            file: self.file.clone(),
            field: Some(field),
            place: known.map(|(_, place)| *place).or(self.place),
            members: Vec::new(),
        }
    }
}

/// A member of an object: its name and its value.
pub(crate) type Member<'a> = (String, Item<'a>);

impl<'a> Document<'a> {
    /// Parses the whole content of a file.
    pub(crate) fn parse_file(text: &'a str, file: &'a AbsPath) -> Result<Self, Problem> {
        Self::parse(text, Some(file)).map_err(|problem| problem.in_file(file))
    }

    /// Parses a text that was cut out of another file, so that its places mean nothing.
    pub(crate) fn parse_inline(text: &'a str) -> Result<Self, Problem> {
        Self::parse(text, None).map_err(|mut problem| {
            problem.place = None;
            problem
        })
    }

    fn parse(text: &'a str, file: Option<&'a AbsPath>) -> Result<Self, Problem> {
        Ok(Self {
            text: Text::check(text.as_bytes())?,
            file,
            places_left: Cell::new(MAX_PLACES),
        })
    }

    /// The outermost value; `field` is how problems call it, empty for a file's own value.
    pub(crate) fn root(&'a self, field: &str) -> Item<'a> {
        Item {
            document: self,
            raw: self.text.root(),
            field: field.to_owned(),
        }
    }
}

impl<'a> Item<'a> {
    /// The JSON text of this value.
    pub(crate) fn text(&self) -> &'a str {
        self.raw
    }

    /// Whether the value is `null`, which everywhere means the same as an absent member.
    pub(crate) fn is_null(&self) -> bool {
        Shape::of(self.raw) == Shape::Null
    }

    /// Whether the value is an object.
    pub(crate) fn is_object(&self) -> bool {
        Shape::of(self.raw) == Shape::Object
    }

    /// Whether something can stand in the value, of which another program may make what runs.
    pub(crate) fn holds_values(&self) -> bool {
        let empty = |text: &str| text[1..text.len() - 1].trim().is_empty();
        matches!(Shape::of(self.raw), Shape::Object | Shape::Array) && !empty(self.raw)
    }

    /// That nobody here reads this value.
    pub(crate) fn stray(&self) -> Problem {
        let text = "nobody here reads what stands here, and another program may";
        self.problem(ProblemKind::UnknownField, text)
    }

    /// A problem about this value, with its field and place.
    pub(crate) fn problem(&self, kind: ProblemKind, message: impl Into<String>) -> Problem {
        let mut problem = Problem::error(kind, message);
        if !self.field.is_empty() {
            problem = problem.at_field(self.field.clone());
        }
        let Some(file) = self.document.file else {
            return problem;
        };
        problem = problem.in_file(file);
        let places_left = self.document.places_left.get();
        if places_left == 0 {
            return problem;
        }
        self.document.places_left.set(places_left - 1);
        problem.at(self.document.text.place(self.raw))
    }

    /// Where this value and its members stand.
    pub(crate) fn origin(&self) -> Origin {
        let text = &self.document.text;
        let mut members = Vec::new();
        if self.document.file.is_some()
            && self.is_object()
            && let Ok(found) = self.object(&mut Vec::new())
        {
            let places = found.into_iter();
            members.extend(places.map(|(name, value)| (name, text.place(value.raw))));
        }
        Origin {
            file: self.document.file.cloned(),
            field: (!self.field.is_empty()).then(|| self.field.clone()),
            place: self.document.file.map(|_| text.place(self.raw)),
            members,
        }
    }

    /// A problem that spoils only this value.
    pub(crate) fn warning(&self, kind: ProblemKind, message: impl Into<String>) -> Problem {
        self.problem(kind, message).as_warning()
    }

    /// The members of an object in file order. Of members with one name the last counts, which
    /// becomes a warning.
    pub(crate) fn object(&self, problems: &mut Vec<Problem>) -> Result<Vec<Member<'a>>, Problem> {
        if !self.is_object() {
            return Err(self.wrong_type("an object"));
        }
        // A file is small enough that each of its members is read.
        let members = Members::split(self.raw, usize::MAX).map_err(|why| self.unreadable(&why))?;
        for (name, raw) in members.repeated() {
            let text = format!("`{}` stands here twice; the last one counts", clip(name));
            problems.push(self.child(raw, name).warning(ProblemKind::Duplicate, text));
        }
        let items = members
            .iter()
            .map(|(name, raw)| (name.to_owned(), self.child(raw, name)));
        Ok(items.collect())
    }

    /// The elements of an array.
    pub(crate) fn array(&self) -> Result<Vec<Self>, Problem> {
        if Shape::of(self.raw) != Shape::Array {
            return Err(self.wrong_type("an array"));
        }
        let elements =
            Elements::split(self.raw, usize::MAX).map_err(|why| self.unreadable(&why))?;
        let items = elements.raw.into_iter().enumerate();
        Ok(items
            .map(|(index, raw)| Self {
                document: self.document,
                raw,
                field: format!("{}[{index}]", self.field),
            })
            .collect())
    }

    /// A string.
    pub(crate) fn string(&self) -> Result<String, Problem> {
        if Shape::of(self.raw) != Shape::String {
            return Err(self.wrong_type("a string"));
        }
        json::string(self.raw).map_err(|why| self.unreadable(&why))
    }

    /// A boolean.
    pub(crate) fn boolean(&self) -> Result<bool, Problem> {
        match self.raw {
            "true" => Ok(true),
            "false" => Ok(false),
            _ => Err(self.wrong_type("a boolean")),
        }
    }

    /// A whole number that is not negative.
    pub(crate) fn whole_number(&self) -> Result<u64, Problem> {
        serde_json::from_str(self.raw).map_err(|_| match Shape::of(self.raw) {
            // Of a number its kind does not say what is wrong with it.
            Shape::Number => {
                let text = format!("a whole number is expected here, not {}", clip(self.raw));
                self.problem(ProblemKind::WrongType, text)
            }
            _ => self.wrong_type("a whole number"),
        })
    }

    /// A time in seconds, which may have a fraction.
    pub(crate) fn seconds(&self) -> Result<Duration, Problem> {
        if Shape::of(self.raw) != Shape::Number {
            return Err(self.wrong_type("a number"));
        }
        let seconds: Option<f64> = self.raw.parse().ok();
        seconds
            .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
            .ok_or_else(|| {
                let text = "a time that is not negative and can pass is expected here";
                self.problem(ProblemKind::BadValue, text)
            })
    }

    /// An array of strings.
    pub(crate) fn strings(&self) -> Result<Vec<String>, Problem> {
        self.array()?.iter().map(Self::string).collect()
    }

    /// An object whose values are strings.
    pub(crate) fn string_map(
        &self,
        problems: &mut Vec<Problem>,
    ) -> Result<Vec<(String, String)>, Problem> {
        let members = self.object(problems)?;
        members
            .into_iter()
            .map(|(name, value)| Ok((name, value.string()?)))
            .collect()
    }

    fn unreadable(&self, why: &str) -> Problem {
        let text = format!("the JSON cannot be read: {why}");
        self.problem(ProblemKind::Syntax, text)
    }

    /// The problem of a value with another type than its member has.
    pub(crate) fn wrong_type(&self, expected: &str) -> Problem {
        let found = Shape::of(self.raw).word();
        let text = format!("{expected} is expected here, not {found}");
        self.problem(ProblemKind::WrongType, text)
    }

    fn child(&self, raw: &'a str, name: &str) -> Self {
        let name = clip(name);
        let field = if self.field.is_empty() {
            name
        } else {
            format!("{}.{name}", self.field)
        };
        Self {
            document: self.document,
            raw,
            field,
        }
    }
}

/// Takes a member out of an object; `null` counts as absent.
pub(crate) fn take<'a>(members: &[Member<'a>], name: &str) -> Option<Item<'a>> {
    members
        .iter()
        .find(|(key, value)| key == name && !value.is_null())
        .map(|(_, value)| value.clone())
}

/// Reports members that nobody reads and that are almost one of `known`.
pub(crate) fn report_misspelt(members: &[Member<'_>], known: &[&str], problems: &mut Vec<Problem>) {
    for (name, value) in members {
        if let Some(meant) = spelling::meant(name, known) {
            let text = format!("nobody reads `{}` here; did you mean `{meant}`", clip(name));
            problems.push(value.warning(ProblemKind::UnknownField, text));
        }
    }
}

/// A name as messages show it: escaped, and cut when it is long.
pub(crate) fn clip(name: &str) -> String {
    shortened(name, MAX_NAME_SHOWN).escape_debug().to_string()
}

#[cfg(test)]
mod tests {
    use plugd_model::{AbsPath, Place, ProblemKind};
    use pretty_assertions::assert_eq;

    use super::Document;

    fn file() -> AbsPath {
        AbsPath::new("/p/x.json").unwrap()
    }

    #[test]
    fn a_member_knows_its_field_and_place() {
        let file = file();
        let text = "{\n  \"a\": {\"b\": [1, \"ü\", true]}}";
        let document = Document::parse_file(text, &file).unwrap();
        let root = document.root("");
        let mut problems = Vec::new();
        let (_, a) = root.object(&mut problems).unwrap().remove(0);
        let (_, b) = a.object(&mut problems).unwrap().remove(0);
        let problem = b.array().unwrap()[2].string().unwrap_err();
        assert_eq!(problem.field.as_deref(), Some("a.b[2]"));
        assert_eq!(
            problem.place,
            Some(Place {
                line: 2,
                column: 23
            })
        );
        assert_eq!(problem.message, "a string is expected here, not a boolean");
        assert_eq!(problems, vec![]);
    }

    #[test]
    fn a_number_that_is_not_whole_is_shown() {
        let file = file();
        let document = Document::parse_file("[1.5, -1, true, 7]", &file).unwrap();
        let found: Vec<_> = document
            .root("")
            .array()
            .unwrap()
            .iter()
            .map(|item| item.whole_number().map_err(|problem| problem.message))
            .collect();
        let not = |what: &str| Err(format!("a whole number is expected here, not {what}"));
        assert_eq!(found, [not("1.5"), not("-1"), not("a boolean"), Ok(7)]);
    }

    #[test]
    fn of_two_members_with_one_name_the_last_counts() {
        let file = file();
        let document = Document::parse_file(r#"{"a": 1, "b": 2, "a": 3}"#, &file).unwrap();
        let mut problems = Vec::new();
        let members = document.root("").object(&mut problems).unwrap();
        let texts: Vec<_> = members
            .iter()
            .map(|(name, item)| (name.as_str(), item.text()))
            .collect();
        assert_eq!(texts, vec![("a", "3"), ("b", "2")]);
        assert_eq!(problems[0].kind, ProblemKind::Duplicate);
    }

    #[test]
    fn a_file_of_mistakes_does_not_cost_a_walk_each() {
        let file = file();
        let name = "n".repeat(500);
        let text = format!("{{\"{name}\": [{}]}}", vec!["5"; 1000].join(","));
        let document = Document::parse_file(&text, &file).unwrap();
        let (_, list) = document.root("").object(&mut Vec::new()).unwrap().remove(0);
        let problems: Vec<_> = list
            .array()
            .unwrap()
            .iter()
            .map(|item| item.string().unwrap_err())
            .collect();
        assert_eq!(
            problems
                .iter()
                .filter(|problem| problem.place.is_some())
                .count(),
            200
        );
        assert!(
            problems
                .iter()
                .all(|p| p.field.as_ref().is_some_and(|f| f.len() < 150))
        );
    }

    #[track_caller]
    fn check_refused(text: &str, kind: ProblemKind, place: Option<(u32, u32)>) {
        let file = file();
        let problem = Document::parse_file(text, &file).unwrap_err();
        assert_eq!(problem.kind, kind);
        assert_eq!(problem.place.map(|p| (p.line, p.column)), place);
        assert_eq!(problem.path.as_ref(), Some(&file));
    }

    #[test]
    fn files_that_are_no_json() {
        check_refused("\u{feff}{}", ProblemKind::Syntax, Some((1, 1)));
        check_refused("{\n  \"a\" 1}", ProblemKind::Syntax, Some((2, 7)));
        check_refused("", ProblemKind::Syntax, Some((1, 1)));
        check_refused(&"[".repeat(200), ProblemKind::TooLarge, Some((1, 129)));
        // Brackets in strings are text.
        let text = format!("\"{}\"", "[".repeat(500));
        assert!(Document::parse_file(&text, &file()).is_ok());
    }
}
