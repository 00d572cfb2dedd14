//! The entry of a working copy in the marketplace of the user's home directory.
//!
//! The file belongs to the user, who writes in it by hand: every byte that is not the entry's own
//! stays as it is, unknown members included. Only texts are worked on here; who reads and writes the
//! file decides when.

use std::ops::Range;

use plugd_manifest::json::{Elements, Members, Shape, Text, string};
use plugd_model::{AuthPolicy, InstallPolicy, MarketplaceName, PluginName, Problem, ProblemKind};

/// The name of a marketplace that has none yet. The reference gives the same.
const NAME: &str = "codex-curated";
/// What a new marketplace is called for people, as in the reference.
const DISPLAY_NAME: &str = "Personal";
/// More members than an object of such a file has, and more entries than are ever listed.
const LIMIT: usize = 100_000;

/// A working copy as the marketplace names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct HomeEntry {
    pub(crate) name: PluginName,
    /// The directory below the home directory, as `./a/b`.
    pub(crate) path: String,
    pub(crate) install_policy: InstallPolicy,
    pub(crate) auth_policy: AuthPolicy,
    pub(crate) category: Option<String>,
}

/// A marketplace with the entry in it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct HomeMarketplace {
    pub(crate) name: MarketplaceName,
    /// The new content of the file.
    pub(crate) text: String,
}

/// A value to be written. Members keep their order, which a map would not.
enum Json<'a> {
    Text(&'a str),
    Object(Vec<(&'static str, Self)>),
    Array(Vec<Self>),
}

/// Adds the entry to a marketplace, or brings the one that is there to the same policies. `None`
/// makes a new marketplace.
///
/// # Errors
/// The file cannot be understood, has no usable name, or names another directory for this plugin;
/// the problem says where.
pub(crate) fn with_entry(
    present: Option<&[u8]>,
    entry: &HomeEntry,
) -> Result<HomeMarketplace, Problem> {
    let Some(bytes) = present else {
        return Ok(HomeMarketplace {
            name: MarketplaceName::new(NAME).map_err(|error| bad(error.to_string()))?,
            text: fresh(entry),
        });
    };
    let text = Text::check(bytes)?;
    let whole = std::str::from_utf8(bytes).map_err(|error| bad(error.to_string()))?;
    let place = |raw: &str, problem: Problem| problem.at(text.place(raw));
    let root = text.root();
    if Shape::of(root) != Shape::Object {
        let words = format!("expected an object, found {}", Shape::of(root).word());
        return Err(place(root, bad(words)));
    }
    let members = Members::split(root, LIMIT).map_err(bad)?;
    let mut edits = Edits::of(whole);
    let mut new = Vec::new();
    let name = match members.get("name") {
        Some(raw) => named(raw).map_err(|problem| place(raw, problem))?,
        None => {
            new.push(("name", Json::Text(NAME)));
            MarketplaceName::new(NAME).map_err(|error| bad(error.to_string()))?
        }
    };
    match members.get("plugins") {
        None => new.push(("plugins", Json::Array(vec![entry.json()]))),
        Some(plugins) if Shape::of(plugins) != Shape::Array => {
            let words = bad("marketplace plugins must be an array").at_field("plugins");
            return Err(place(plugins, words));
        }
        Some(plugins) => {
            let elements = Elements::split(plugins, LIMIT).map_err(bad)?;
            let same = same_name(&elements, &entry.name);
            match same.as_slice() {
                [] => edits.push_element(plugins, elements.raw.last().copied(), &entry.json()),
                several => {
                    for &(index, element) in several {
                        let field = format!("plugins[{index}].source");
                        adjust(&mut edits, element, entry)
                            .map_err(|problem| place(element, problem.at_field(field)))?;
                    }
                }
            }
        }
    }
    edits.push_members(root, &members, &new);
    Ok(HomeMarketplace {
        name,
        text: edits.apply(),
    })
}

impl HomeEntry {
    fn json(&self) -> Json<'_> {
        let source = vec![
            ("source", Json::Text("local")),
            ("path", Json::Text(&self.path)),
        ];
        let mut members = vec![
            ("name", Json::Text(self.name.as_str())),
            ("source", Json::Object(source)),
            ("policy", self.policy()),
        ];
        members.extend(
            self.category
                .as_deref()
                .map(|it| ("category", Json::Text(it))),
        );
        Json::Object(members)
    }

    fn policy(&self) -> Json<'static> {
        Json::Object(vec![
            (
                "installation",
                Json::Text(installation(self.install_policy)),
            ),
            (
                "authentication",
                Json::Text(authentication(self.auth_policy)),
            ),
        ])
    }
}

fn installation(policy: InstallPolicy) -> &'static str {
    match policy {
        InstallPolicy::NotAvailable => "NOT_AVAILABLE",
        InstallPolicy::Available => "AVAILABLE",
        InstallPolicy::InstalledByDefault => "INSTALLED_BY_DEFAULT",
    }
}

fn authentication(policy: AuthPolicy) -> &'static str {
    match policy {
        AuthPolicy::OnInstall => "ON_INSTALL",
        AuthPolicy::OnUse => "ON_USE",
    }
}

fn fresh(entry: &HomeEntry) -> String {
    let interface = Json::Object(vec![("displayName", Json::Text(DISPLAY_NAME))]);
    let marketplace = Json::Object(vec![
        ("name", Json::Text(NAME)),
        ("interface", interface),
        ("plugins", Json::Array(vec![entry.json()])),
    ]);
    let mut text = marketplace.on_lines("", "\n");
    text.push('\n');
    text
}

fn named(raw: &str) -> Result<MarketplaceName, Problem> {
    let name = string(raw).map_err(|reason| bad(reason).at_field("name"))?;
    let name =
        MarketplaceName::new(&name).map_err(|error| bad(error.to_string()).at_field("name"))?;
    if name.is_reserved() {
        let words = format!("marketplace name `{name}` is reserved; rename it");
        return Err(Problem::error(ProblemKind::ReservedName, words).at_field("name"));
    }
    Ok(name)
}

/// The entries that have this name, with their place in the array.
fn same_name<'d>(elements: &Elements<'d>, name: &PluginName) -> Vec<(usize, &'d str)> {
    let is_same = |element: &str| {
        let members = Members::split(element, LIMIT).ok()?;
        Some(string(members.get("name")?).ok()? == name.as_str())
    };
    let elements = elements.raw.iter().copied().enumerate();
    elements
        .filter(|(_, element)| {
            Shape::of(element) == Shape::Object && is_same(element) == Some(true)
        })
        .collect()
}

/// Brings an entry that names the same directory to the policies of the service.
fn adjust(edits: &mut Edits<'_>, element: &str, entry: &HomeEntry) -> Result<(), Problem> {
    let members = Members::split(element, LIMIT).map_err(bad)?;
    let source = members.get("source").and_then(local_path);
    if source.as_deref() != Some(plain(&entry.path)) {
        let words = format!(
            "marketplace already contains plugin `{}` with a different source path",
            entry.name
        );
        return Err(Problem::error(ProblemKind::Conflict, words));
    }
    let wanted = [
        ("installation", installation(entry.install_policy)),
        ("authentication", authentication(entry.auth_policy)),
    ];
    let mut new = Vec::new();
    match members.get("policy") {
        Some(policy) if Shape::of(policy) == Shape::Object => {
            let policies = Members::split(policy, LIMIT).map_err(bad)?;
            let mut missing = Vec::new();
            for (key, value) in wanted {
                match policies.get(key) {
                    Some(raw) => edits.replace(raw, &Json::Text(value).on_one_line()),
                    None => missing.push((key, Json::Text(value))),
                }
            }
            edits.push_members(policy, &policies, &missing);
        }
        Some(other) => edits.replace(other, &entry.policy().on_one_line()),
        None => new.push(("policy", entry.policy())),
    }
    if let Some(category) = &entry.category {
        match members.get("category") {
            Some(raw) => edits.replace(raw, &Json::Text(category).on_one_line()),
            None => new.push(("category", Json::Text(category))),
        }
    }
    edits.push_members(element, &members, &new);
    Ok(())
}

/// The directory of a local source, in either of its two forms.
fn local_path(raw: &str) -> Option<String> {
    let path = match Shape::of(raw) {
        Shape::String => string(raw).ok()?,
        Shape::Object => {
            let members = Members::split(raw, LIMIT).ok()?;
            if string(members.get("source")?).ok()? != "local" {
                return None;
            }
            string(members.get("path")?).ok()?
        }
        _ => return None,
    };
    Some(plain(&path).to_owned())
}

/// A relative path without what does not change its meaning.
fn plain(path: &str) -> &str {
    path.trim_start_matches("./").trim_end_matches('/')
}

fn bad(message: impl Into<String>) -> Problem {
    Problem::error(ProblemKind::BadValue, message)
}

impl Json<'_> {
    fn on_one_line(&self) -> String {
        match self {
            // The only way to write a text, and it cannot fail.
            Self::Text(text) => serde_json::Value::from(*text).to_string(),
            Self::Object(members) => {
                let members = members
                    .iter()
                    .map(|(key, value)| format!("\"{key}\": {}", value.on_one_line()));
                format!("{{{}}}", members.collect::<Vec<_>>().join(", "))
            }
            Self::Array(elements) => {
                let elements: Vec<_> = elements.iter().map(Self::on_one_line).collect();
                format!("[{}]", elements.join(", "))
            }
        }
    }

    /// Each member on a line of its own; the first line is already behind the indentation.
    fn on_lines(&self, indent: &str, newline: &str) -> String {
        let inner = format!("{indent}{}", unit(indent));
        let between = format!(",{newline}{inner}");
        let (open, pieces, close) = match self {
            Self::Text(_) => return self.on_one_line(),
            Self::Object(members) => {
                let pieces = members
                    .iter()
                    .map(|(key, value)| format!("\"{key}\": {}", value.on_lines(&inner, newline)));
                ('{', pieces.collect::<Vec<_>>(), '}')
            }
            Self::Array(elements) => {
                let pieces = elements.iter().map(|it| it.on_lines(&inner, newline));
                ('[', pieces.collect(), ']')
            }
        };
        let pieces = pieces.join(&between);
        format!("{open}{newline}{inner}{pieces}{newline}{indent}{close}")
    }
}

/// Changes of single places in a text.
struct Edits<'t> {
    text: &'t str,
    changes: Vec<(Range<usize>, String)>,
}

impl<'t> Edits<'t> {
    fn of(text: &'t str) -> Self {
        Self {
            text,
            changes: Vec::new(),
        }
    }

    /// Where a piece of the text is.
    fn range(&self, piece: &str) -> Range<usize> {
        let start = piece
            .as_ptr()
            .addr()
            .saturating_sub(self.text.as_ptr().addr());
        start..start + piece.len()
    }

    fn replace(&mut self, piece: &str, with: &str) {
        if piece != with {
            self.changes.push((self.range(piece), with.to_owned()));
        }
    }

    /// Puts an element behind the last one of an array.
    fn push_element(&mut self, array: &str, last: Option<&str>, element: &Json<'_>) {
        let layout = self.layout(array, last);
        let piece = layout.laid_out(element);
        self.push(array, last, &layout, &[piece]);
    }

    /// Puts members behind the last one of an object.
    fn push_members(&mut self, object: &str, members: &Members<'_>, new: &[(&str, Json<'_>)]) {
        if new.is_empty() {
            return;
        }
        // Of a name that occurs twice the last place holds the value.
        let last = members
            .iter()
            .chain(members.repeated())
            .map(|(_, value)| value)
            .max_by_key(|value| value.as_ptr().addr());
        let layout = self.layout(object, last);
        let pieces: Vec<_> = new
            .iter()
            .map(|(key, value)| format!("\"{key}\": {}", layout.laid_out(value)))
            .collect();
        self.push(object, last, &layout, &pieces);
    }

    fn push(&mut self, container: &str, last: Option<&str>, layout: &Layout, pieces: &[String]) {
        let place = self.range(container);
        let change = match (layout, last) {
            (Layout::OneLine, Some(last)) => {
                let end = self.range(last).end;
                (end..end, format!(", {}", pieces.join(", ")))
            }
            (Layout::OneLine, None) => (place.start + 1..place.end - 1, pieces.join(", ")),
            (Layout::Lines { indent, newline }, Some(last)) => {
                let end = self.range(last).end;
                let lines = pieces
                    .iter()
                    .map(|piece| format!(",{newline}{indent}{piece}"));
                (end..end, lines.collect())
            }
            (Layout::Lines { indent, newline }, None) => {
                let outer = &indent[..indent.len() - unit(indent).len()];
                let inner = pieces.join(&format!(",{newline}{indent}"));
                let text = format!("{newline}{indent}{inner}{newline}{outer}");
                (place.start + 1..place.end - 1, text)
            }
        };
        self.changes.push(change);
    }

    /// How the inside of an object or array is laid out, so that what comes in looks alike.
    fn layout(&self, container: &str, last: Option<&str>) -> Layout {
        let newline = if self.text.contains("\r\n") {
            "\r\n"
        } else {
            "\n"
        };
        let lines = |indent: String| Layout::Lines { indent, newline };
        match last {
            Some(last) if container.contains('\n') => {
                lines(self.indent_at(self.range(last).start).to_owned())
            }
            None if self.text.contains('\n') => {
                let outer = self.indent_at(self.range(container).start);
                lines(format!("{outer}{}", unit(outer)))
            }
            _ => Layout::OneLine,
        }
    }

    /// The blanks before the line that this place is on.
    fn indent_at(&self, offset: usize) -> &'t str {
        let start = self.text[..offset].rfind('\n').map_or(0, |at| at + 1);
        let line = &self.text[start..offset];
        &line[..line.len() - line.trim_start_matches([' ', '\t']).len()]
    }

    fn apply(mut self) -> String {
        // Of two insertions at one place the first made comes first.
        self.changes.sort_by_key(|(range, _)| range.start);
        let mut text = String::with_capacity(self.text.len() + 512);
        let mut at = 0;
        for (range, with) in self.changes {
            text.push_str(&self.text[at..range.start]);
            text.push_str(&with);
            at = range.end;
        }
        text.push_str(&self.text[at..]);
        text
    }
}

/// How the inside of an object or array is laid out.
enum Layout {
    /// All on one line.
    OneLine,
    /// Each member on a line of its own, behind these blanks.
    Lines {
        indent: String,
        newline: &'static str,
    },
}

impl Layout {
    /// A value as it looks inside.
    fn laid_out(&self, value: &Json<'_>) -> String {
        match self {
            Self::OneLine => value.on_one_line(),
            Self::Lines { indent, newline } => value.on_lines(indent, newline),
        }
    }
}

/// One step of indentation.
fn unit(indent: &str) -> &'static str {
    if indent.contains('\t') { "\t" } else { "  " }
}

#[cfg(test)]
#[path = "share_home_tests.rs"]
mod tests;
