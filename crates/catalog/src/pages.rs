//! Lists that come in pages, or lie in a file: bounded, without loops, and one bad item spoils itself.

use std::collections::BTreeSet;

use plugd_model::{Problem, ProblemKind, RemotePluginId, RemoteScope};
use serde_json::value::RawValue;

use crate::item::raw::{self, Admission, Seen};
use crate::json::{self, Notes, Object, Source};
use crate::{Directory, InstalledItem, InstalledSet, Item};

/// Most pages of one list.
pub(crate) const MAX_PAGES: usize = 100;

/// Most items of one list.
pub(crate) const MAX_ITEMS: usize = 20_000;

/// Most bytes of all pages together.
const MAX_BYTES: usize = 64 << 20;

/// Longest token that is sent back.
const MAX_TOKEN: usize = 8 * 1024;

const LIST: &str = "plugins";
const TOKEN: &str = "pagination.next_page_token";

/// What a list is made of.
pub(crate) trait Entry: Sized {
    fn read(
        raw: &RawValue,
        path: &str,
        source: Source<'_>,
        notes: &mut Notes,
    ) -> Result<Self, Problem>;

    fn item(&self) -> &Item;
}

/// A list as far as it was read.
#[derive(Debug)]
pub(crate) struct Listed<T> {
    pub(crate) items: Vec<T>,
    pub(crate) problems: Vec<Problem>,
    /// Whether the end was reached.
    pub(crate) ended: bool,
    /// How many entries are there and could not be taken.
    pub(crate) lost: usize,
}

/// Puts pages together.
#[derive(Debug)]
pub(crate) struct Pages<T> {
    /// What all of it should be of, where that was asked for.
    scope: Option<RemoteScope>,
    items: Vec<T>,
    notes: Notes,
    seen: Seen,
    /// The ids on the page that is read.
    on_page: BTreeSet<RemotePluginId>,
    tokens: BTreeSet<String>,
    pages: usize,
    bytes: usize,
    /// How many entries were there, whatever became of them.
    entries: usize,
    lost: usize,
    ended: bool,
}

/// Where a list goes on.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// With this token.
    Page(String),
    /// Nowhere: that was the last page, or no more are taken.
    End,
}

impl Entry for Item {
    fn read(
        raw: &RawValue,
        path: &str,
        source: Source<'_>,
        notes: &mut Notes,
    ) -> Result<Self, Problem> {
        raw::item(raw, path, source, notes)
    }

    fn item(&self) -> &Item {
        self
    }
}

impl Entry for InstalledItem {
    fn read(
        raw: &RawValue,
        path: &str,
        source: Source<'_>,
        notes: &mut Notes,
    ) -> Result<Self, Problem> {
        raw::installed(raw, path, source, notes)
    }

    fn item(&self) -> &Item {
        &self.item
    }
}

impl<T: Entry> Pages<T> {
    /// Of one scope, or of any.
    pub(crate) fn of(scope: Option<RemoteScope>) -> Self {
        Self {
            scope,
            items: Vec::new(),
            notes: Notes::default(),
            seen: Seen::default(),
            on_page: BTreeSet::new(),
            tokens: BTreeSet::new(),
            pages: 0,
            bytes: 0,
            entries: 0,
            lost: 0,
            ended: false,
        }
    }

    /// Takes a page.
    ///
    /// # Errors
    /// It is no page; the reason is for people. What was read before it is not a list then.
    pub(crate) fn take(&mut self, body: &[u8]) -> Result<Next, String> {
        self.pages += 1;
        self.on_page.clear();
        self.bytes = self.bytes.saturating_add(body.len());
        let source = Source(None);
        let page =
            Object::split(json::check(body)?, "", source).map_err(|problem| shown(&problem))?;
        let list = page.needed(LIST, page.elements(LIST));
        for (_, raw) in list.map_err(|problem| shown(&problem))? {
            if self.entries == MAX_ITEMS {
                let message = format!("the list has more than {MAX_ITEMS} plugins");
                return Ok(self.broken_off(ProblemKind::TooLarge, message, LIST));
            }
            self.entry(raw, source);
        }
        if let Some(field) = repeated(&page) {
            let message = format!("a page of the list has `{field}` more than once");
            return Ok(self.broken_off(ProblemKind::Duplicate, message, field));
        }
        let token = next_token(&page);
        Ok(self.after(token))
    }

    /// Takes the whole list of a file.
    ///
    /// # Errors
    /// It is no list.
    pub(crate) fn of_file(list: &RawValue, whole: &str) -> Result<Listed<T>, Problem> {
        let source = Source(Some(whole));
        let entries: Vec<&RawValue> = serde_json::from_str(list.get())
            .map_err(|_| source.fault(ProblemKind::WrongType, "is not a list", LIST, list))?;
        let mut pages = Self::of(None);
        pages.ended = entries.len() <= MAX_ITEMS;
        for raw in entries.into_iter().take(MAX_ITEMS) {
            pages.entry(raw, source);
        }
        Ok(pages.listed())
    }

    /// What was read.
    pub(crate) fn listed(self) -> Listed<T> {
        Listed {
            items: self.items,
            problems: self.notes.0,
            ended: self.ended,
            lost: self.lost,
        }
    }

    fn entry(&mut self, raw: &RawValue, source: Source<'_>) {
        let path = format!("{LIST}[{}]", self.entries);
        self.entries += 1;
        let entry = match T::read(raw, &path, source, &mut self.notes) {
            Ok(entry) => entry,
            Err(problem) => {
                self.lost += 1;
                self.notes.push(problem);
                return;
            }
        };
        let (id, scope) = (&entry.item().id, entry.item().scope);
        if let Some(asked) = self.scope.filter(|asked| *asked != scope) {
            let (found, asked) = (scope.word(), asked.word());
            let message =
                format!("the remote plugin `{id}`: was left out: it is of {found}, not of {asked}");
            self.lost += 1;
            let problem = Problem::error(ProblemKind::BadValue, message);
            self.notes.push(problem.at_field(format!("{path}.scope")));
            return;
        }
        match self.seen.admit(entry.item(), &path) {
            Admission::Yes => {
                self.on_page.insert(entry.item().id.clone());
                self.items.push(entry);
            }
            // On a later page it may be there because the list moved on the way.
            Admission::Again if !self.on_page.contains(&entry.item().id) => {}
            Admission::Again => {
                let message = format!("`{}` stands in the list again", entry.item().id);
                let problem = Problem::warning(ProblemKind::Duplicate, message);
                self.notes.push(problem.at_field(&path));
            }
            Admission::Clash(problem) => {
                self.lost += 1;
                self.notes.push(problem);
            }
        }
    }

    fn after(&mut self, token: Result<Option<String>, Problem>) -> Next {
        let token = match token {
            Ok(Some(token)) => token,
            Ok(None) => {
                self.ended = true;
                return Next::End;
            }
            Err(problem) => {
                let message = format!("the list has no end that can be told: {}", shown(&problem));
                return self.broken_off(problem.kind, message, TOKEN);
            }
        };
        let fault = if token.is_empty() {
            "the list goes on with an empty page token"
        } else if token.len() > MAX_TOKEN {
            "the list goes on with a page token that is too long"
        } else if self.tokens.contains(&token) {
            "the list goes on with a page token that was there before"
        } else {
            ""
        };
        if !fault.is_empty() {
            return self.broken_off(ProblemKind::BadValue, fault.to_owned(), TOKEN);
        }
        if self.pages >= MAX_PAGES {
            let message = format!("the list has more than {MAX_PAGES} pages");
            return self.broken_off(ProblemKind::TooLarge, message, TOKEN);
        }
        if self.bytes >= MAX_BYTES {
            let message = format!("the list has more than {MAX_BYTES} bytes");
            return self.broken_off(ProblemKind::TooLarge, message, LIST);
        }
        self.tokens.insert(token.clone());
        Next::Page(token)
    }

    fn broken_off(&mut self, kind: ProblemKind, message: String, field: &str) -> Next {
        self.ended = false;
        let message = format!("{message}; its end is missing here");
        // Told even if single items have used up the room.
        self.notes
            .0
            .insert(0, Problem::warning(kind, message).at_field(field));
        Next::End
    }
}

impl Directory {
    /// The list of a file, whose whole text tells the places of its problems.
    pub(crate) fn of_file(list: &RawValue, whole: &str) -> Result<Self, Problem> {
        Pages::of_file(list, whole).map(Self::from)
    }
}

impl InstalledSet {
    /// The list of a file, whose whole text tells the places of its problems.
    pub(crate) fn of_file(list: &RawValue, whole: &str) -> Result<Self, Problem> {
        Pages::of_file(list, whole).map(Self::from)
    }
}

impl From<Listed<Item>> for Directory {
    fn from(listed: Listed<Item>) -> Self {
        Self {
            items: listed.items,
            problems: listed.problems,
            complete: listed.ended,
        }
    }
}

impl From<Listed<InstalledItem>> for InstalledSet {
    /// An entry that could not be taken may be any plugin, so nothing is known to be gone.
    fn from(listed: Listed<InstalledItem>) -> Self {
        Self {
            items: listed.items,
            problems: listed.problems,
            complete: listed.ended && listed.lost == 0,
        }
    }
}

/// The token of the next page. The member must be there, so that a page without it is not taken for
/// the last one.
pub(crate) fn next_token(page: &Object<'_>) -> Result<Option<String>, Problem> {
    let pagination = page.needed("pagination", page.object("pagination"))?;
    if !pagination.has("next_page_token") {
        pagination.needed("next_page_token", Ok(None::<()>))?;
    }
    pagination.text("next_page_token")
}

/// The member of a page that says two things: whatever the first one said, it is not told here.
fn repeated(page: &Object<'_>) -> Option<&'static str> {
    let pagination = page.object("pagination").ok().flatten();
    if page.repeats(LIST) {
        Some(LIST)
    } else if page.repeats("pagination") {
        Some("pagination")
    } else if pagination.is_some_and(|pagination| pagination.repeats("next_page_token")) {
        Some(TOKEN)
    } else {
        None
    }
}

/// A problem in one line.
pub(crate) fn shown(problem: &Problem) -> String {
    match problem.field.as_deref() {
        None | Some("") => format!("it {}", problem.message),
        Some(_) => problem.message.clone(),
    }
}

#[cfg(test)]
#[path = "pages_tests.rs"]
mod tests;
