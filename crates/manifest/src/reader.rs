//! A file of this crate while it is read: values that know their members' path, and the problems
//! found so far.
//!
//! Invariants:
//! - A value is decoded only when somebody wants it, so a wrong type deep inside one entry is that
//!   entry's problem alone.
//! - An array is never taken for an object.
//! - The numbers of problems, members and elements that are kept are bounded, whatever a file
//!   holds. What is left out is counted and said.

use std::fmt;
use std::ops::Range;

use plugd_model::{AbsPath, Place, Problem, ProblemKind, Severity};

use crate::fallback::Catalogue;
use crate::json::{self, Elements, Members, Shape, Text, shortened};

/// How many problems one file may have before the rest is only counted.
const MAX_PROBLEMS: usize = 1_000;
/// How many members of one object are looked at.
const MAX_MEMBERS: usize = 10_000;
/// How long a message may be; names and paths in it come from a stranger.
const MAX_MESSAGE_CHARS: usize = 400;

/// One file being read: its text, and the problems found so far.
pub(crate) struct Reader<'d> {
    text: Text<'d>,
    file: &'d AbsPath,
    problems: Vec<Problem>,
    /// How many problems were found, kept or not.
    found: usize,
    /// Put in front of every message, so that a row says whose it is.
    subject: Option<String>,
}

/// Where a value stands: the members and elements that lead to it.
#[derive(Clone, Copy)]
pub(crate) enum Path<'p> {
    /// The whole file.
    Root,
    /// A member of an object.
    Member(&'p Self, &'p str),
    /// An element of an array, from 0.
    Element(&'p Self, usize),
}

/// A value: its text, and where it stands.
#[derive(Clone, Copy)]
pub(crate) struct Value<'d, 'p> {
    /// The text, without blanks around it.
    pub(crate) raw: &'d str,
    /// Where it stands.
    pub(crate) path: Path<'p>,
}

/// An object split into its members; of two with the same name only the last is here.
pub(crate) struct Object<'d, 'p> {
    /// The object itself.
    pub(crate) value: Value<'d, 'p>,
    members: Members<'d>,
}

impl<'d> Reader<'d> {
    /// Takes a file's bytes and checks all that can be said without knowing the format.
    ///
    /// # Errors
    /// The file is too large, too deep, no UTF-8 or no JSON; the problem says where.
    pub(crate) fn new(bytes: &'d [u8], limit: u64, file: &'d AbsPath) -> Result<Self, Problem> {
        if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > limit {
            let message = format!("larger than {limit} bytes");
            return Err(Problem::error(ProblemKind::TooLarge, message).in_file(file));
        }
        let text = Text::check(bytes).map_err(|problem| problem.in_file(file))?;
        Ok(Self::of(text, file))
    }

    /// Takes a value of a file that was checked before, and where it begins.
    pub(crate) fn of_part(raw: &'d str, file: &'d AbsPath, start: Place) -> Self {
        Self::of(Text::part(raw, start), file)
    }

    fn of(text: Text<'d>, file: &'d AbsPath) -> Self {
        Self {
            text,
            file,
            problems: Vec::new(),
            found: 0,
            subject: None,
        }
    }

    /// The whole file as one value.
    pub(crate) fn root(&self) -> Value<'d, 'static> {
        Value {
            raw: self.text.root(),
            path: Path::Root,
        }
    }

    /// Says whose problems follow.
    pub(crate) fn set_subject(&mut self, subject: Option<String>) {
        self.subject = subject;
    }

    /// The place of a value.
    pub(crate) fn place(&self, value: &Value<'_, '_>) -> Place {
        self.text.place(value.raw)
    }

    /// Where a value stands, in bytes.
    pub(crate) fn range(&self, value: &Value<'_, '_>) -> Range<usize> {
        self.text.range(value.raw)
    }

    /// A copy of the whole text, for what is read later.
    pub(crate) fn catalogue(&self) -> Catalogue {
        Catalogue {
            text: self.text.whole().to_owned(),
            file: self.file.clone(),
        }
    }

    /// A problem that makes its subject unusable, with its place. It is not yet reported.
    pub(crate) fn error(
        &self,
        value: &Value<'_, '_>,
        kind: ProblemKind,
        message: impl fmt::Display,
    ) -> Problem {
        self.problem(value, Severity::Error, kind, message)
    }

    /// Reports a problem that spoils only what it names.
    pub(crate) fn warn(
        &mut self,
        value: &Value<'_, '_>,
        kind: ProblemKind,
        message: impl fmt::Display,
    ) {
        let problem = self.problem(value, Severity::Warning, kind, message);
        self.report(problem);
    }

    /// Reports the problem of a member that can be done without.
    pub(crate) fn report_as_warning(&mut self, problem: Problem) {
        self.report(problem.as_warning());
    }

    /// A string member that can be done without: a wrong type is reported, `null` means none.
    pub(crate) fn optional_string(
        &mut self,
        object: &Object<'_, '_>,
        name: &str,
    ) -> Option<String> {
        let value = object.get_some(name)?;
        match self.string(&value) {
            Ok(text) => Some(text),
            Err(problem) => {
                self.report_as_warning(problem);
                None
            }
        }
    }

    /// Keeps a problem, or only counts it when there are too many.
    pub(crate) fn report(&mut self, problem: Problem) {
        self.found += 1;
        if self.found <= MAX_PROBLEMS {
            self.problems.push(problem);
        }
    }

    /// Runs a part of the reading that somebody else does too, and reports nothing of it.
    pub(crate) fn quietly<T>(&mut self, read: impl FnOnce(&mut Self) -> T) -> T {
        let (found, kept) = (self.found, self.problems.len());
        let value = read(self);
        self.problems.truncate(kept);
        self.found = found;
        value
    }

    /// Ends the reading: the problems, and a last one about those that were only counted.
    pub(crate) fn finish(mut self) -> Vec<Problem> {
        if let Some(more) = self
            .found
            .checked_sub(MAX_PROBLEMS)
            .filter(|&more| more > 0)
        {
            let message = format!("{more} more problems are not listed");
            self.problems
                .push(Problem::warning(ProblemKind::TooLarge, message).in_file(self.file));
        }
        self.problems
    }

    /// Splits an object. A name that occurs twice is reported, and the last one counts.
    ///
    /// # Errors
    /// The value is something else, or a member's name is no text.
    pub(crate) fn object<'t, 'p>(
        &mut self,
        value: Value<'t, 'p>,
    ) -> Result<Object<'t, 'p>, Problem> {
        if value.shape() != Shape::Object {
            return Err(self.wrong_type(&value, "an object"));
        }
        let members = Members::split(value.raw, MAX_MEMBERS)
            .map_err(|why| self.error(&value, ProblemKind::Syntax, why))?;
        let object = Object { value, members };
        for (key, raw) in object.members.repeated() {
            let path = Path::Member(&object.value.path, key);
            let message = "this member occurs more than once; the last one counts";
            self.warn(&Value { raw, path }, ProblemKind::Duplicate, message);
        }
        let left_out = object.members.left_out();
        if left_out > 0 {
            let message = format!("{left_out} members behind the first {MAX_MEMBERS} are not read");
            self.warn(&object.value, ProblemKind::TooLarge, message);
        }
        Ok(object)
    }

    /// Splits an array into at most `limit` elements; more are reported and left out.
    ///
    /// # Errors
    /// The value is something else.
    pub(crate) fn elements<'t>(
        &mut self,
        value: &Value<'t, '_>,
        limit: usize,
    ) -> Result<Vec<&'t str>, Problem> {
        if value.shape() != Shape::Array {
            return Err(self.wrong_type(value, "an array"));
        }
        let elements = Elements::split(value.raw, limit)
            .map_err(|why| self.error(value, ProblemKind::Syntax, why))?;
        if elements.left_out > 0 {
            let message = format!(
                "{} elements behind the first {limit} are not read",
                elements.left_out
            );
            self.warn(value, ProblemKind::TooLarge, message);
        }
        Ok(elements.raw)
    }

    /// Decodes a string.
    ///
    /// # Errors
    /// The value is something else, or its escapes are no Unicode.
    pub(crate) fn string(&self, value: &Value<'_, '_>) -> Result<String, Problem> {
        if value.shape() != Shape::String {
            return Err(self.wrong_type(value, "a string"));
        }
        json::string(value.raw).map_err(|why| self.error(value, ProblemKind::Syntax, why))
    }

    /// The problem of a value with another type than its member has.
    pub(crate) fn wrong_type(&self, value: &Value<'_, '_>, expected: &str) -> Problem {
        let found = value.shape().word();
        let message = format!("expected {expected}, found {found}");
        self.error(value, ProblemKind::WrongType, message)
    }

    fn problem(
        &self,
        value: &Value<'_, '_>,
        severity: Severity,
        kind: ProblemKind,
        message: impl fmt::Display,
    ) -> Problem {
        let message = match &self.subject {
            Some(subject) => format!("{subject}: {message}"),
            None => message.to_string(),
        };
        let message = shortened(&message, MAX_MESSAGE_CHARS).into_owned();
        let problem = match severity {
            Severity::Warning => Problem::warning(kind, message),
            Severity::Error => Problem::error(kind, message),
        };
        let problem = problem.in_file(self.file).at(self.place(value));
        match value.path {
            Path::Root => problem,
            path => problem.at_field(path.to_string()),
        }
    }
}

impl<'d, 'p> Object<'d, 'p> {
    /// An object that says nothing.
    pub(crate) fn without_members(value: Value<'d, 'p>) -> Self {
        let members = Members::default();
        Self { value, members }
    }

    /// A member, also when its value is `null`.
    pub(crate) fn get<'o>(&'o self, key: &'o str) -> Option<Value<'d, 'o>> {
        Some(Value {
            raw: self.members.get(key)?,
            path: Path::Member(&self.value.path, key),
        })
    }

    /// A member, where `null` means the same as none.
    pub(crate) fn get_some<'o>(&'o self, key: &'o str) -> Option<Value<'d, 'o>> {
        self.get(key).filter(|value| value.shape() != Shape::Null)
    }

    /// Every member in the order of the file.
    pub(crate) fn iter<'o>(&'o self) -> impl Iterator<Item = (&'o str, Value<'d, 'o>)> {
        self.members.iter().map(|(key, raw)| {
            let path = Path::Member(&self.value.path, key);
            (key, Value { raw, path })
        })
    }
}

impl Value<'_, '_> {
    /// What kind of JSON it is. The text is known to be valid, so the first byte decides.
    pub(crate) fn shape(&self) -> Shape {
        Shape::of(self.raw)
    }
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root => Ok(()),
            Self::Element(above, index) => write!(f, "{above}[{index}]"),
            Self::Member(above, key) => {
                if !matches!(above, Self::Root) {
                    write!(f, "{above}.")?;
                }
                let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '$');
                if !key.is_empty() && key.len() <= 64 && key.chars().all(plain) {
                    f.write_str(key)
                } else {
                    write!(f, "\"{}\"", shortened(key, 64).escape_debug())
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
