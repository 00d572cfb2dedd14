//! `agents/openai.yaml` beside a `SKILL.md`: how to show the skill, what it needs, who may use it.
//!
//! The file is optional and so is each member; a bad member is dropped with a problem and the
//! others stay. Members that restrict are read strictly: a restriction that cannot be understood
//! holds, because the author wanted less than the default.

use std::rc::Rc;

use plugd_model::{AbsPath, Place, Problem, ProblemKind};

use crate::budget::Budget;
use crate::front_matter::collapse;
use crate::item::clip;
use crate::spelling;
use crate::tree::PluginTree;
use crate::yaml::{self, Value, Yaml};

use super::ReadSkill;

/// Where the file lies below the skill's directory.
const FILE: &str = "agents/openai.yaml";
/// The largest file that is read.
const MAX_FILE: u64 = 256 * 1024;
/// The members of `interface`.
const INTERFACE: &[&str] = &[
    "display_name",
    "short_description",
    "icon_small",
    "icon_large",
    "brand_color",
    "default_prompt",
];
/// The members of a tool.
const TOOL: &[&str] = &[
    "type",
    "value",
    "description",
    "transport",
    "command",
    "url",
];
/// The longest name or kind, in characters.
const SHORT: usize = 64;
/// The longest text, in characters.
const LONG: usize = 1024;
/// The largest number of tools that one skill can need.
const MAX_TOOLS: usize = 100;
/// The product that this daemon serves, as skills spell it.
const OUR_PRODUCT: &str = "codex";
/// The other products that are known.
const OTHER_PRODUCTS: [&str; 2] = ["chatgpt", "atlas"];

/// How a frontend shows a skill. At least one member is set.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SkillInterface {
    /// Name to show.
    pub display_name: Option<String>,
    /// One line.
    pub short_description: Option<String>,
    /// A small icon below an `assets` directory; it may not exist.
    pub icon_small: Option<AbsPath>,
    /// A large icon, likewise.
    pub icon_large: Option<AbsPath>,
    /// A colour, `#` and six hexadecimal digits.
    pub brand_color: Option<String>,
    /// A prompt to start with.
    pub default_prompt: Option<String>,
}

/// Something that a skill needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToolDependency {
    /// What kind of thing, for example `mcp`.
    pub kind: String,
    /// Which one.
    pub value: String,
    /// What for.
    pub description: Option<String>,
    /// How it is reached.
    pub transport: Option<String>,
    /// What starts it.
    pub command: Option<String>,
    /// Where it is.
    pub url: Option<String>,
}

/// Reads the file beside a skill, if there is one, into the skill.
pub(super) fn apply(
    tree: &PluginTree<'_>,
    skill_dir: &AbsPath,
    read: &mut ReadSkill,
    budget: &mut Budget,
    problems: &mut Vec<Problem>,
) {
    let file = skill_dir.join(FILE);
    let text = match tree.read(&file, MAX_FILE) {
        Ok(Some(text)) => text,
        Ok(None) => return,
        Err(problem) => {
            problems.push(problem.as_warning());
            return;
        }
    };
    if let Err(problem) = budget.yaml(&text) {
        problems.push(problem.in_file(&file).as_warning());
        return;
    }
    let mut reader = Reader {
        tree,
        skill_dir,
        file: &file,
        problems,
    };
    match yaml::parse(&text, 1) {
        Ok(None) => {}
        Ok(Some(root)) => {
            let Some(top) = reader.mapping(&root, "") else {
                return;
            };
            reader.misspelt(top, "", &["interface", "dependencies", "policy"]);
            read.skill.interface = reader.interface(top);
            read.skill.dependencies = reader.dependencies(top);
            reader.policy(top, read);
        }
        Err(error) => reader.report(ProblemKind::Syntax, error.to_string(), "", error.place()),
    }
}

type Pairs = [(Rc<Yaml>, Rc<Yaml>)];

struct Reader<'a, 'p> {
    tree: &'a PluginTree<'a>,
    skill_dir: &'a AbsPath,
    file: &'a AbsPath,
    problems: &'p mut Vec<Problem>,
}

impl Reader<'_, '_> {
    fn report(&mut self, kind: ProblemKind, text: impl Into<String>, field: &str, place: Place) {
        let mut problem = Problem::warning(kind, text).in_file(self.file).at(place);
        if !field.is_empty() {
            problem = problem.at_field(field);
        }
        self.problems.push(problem);
    }

    fn wrong_type(&mut self, node: &Yaml, expected: &str, field: &str) {
        let text = format!("{expected} is expected here, not {}", node.kind_word());
        self.report(ProblemKind::WrongType, text, field, node.place);
    }

    /// A member; null counts as absent, and of several the last counts.
    fn member<'y>(&mut self, pairs: &'y Pairs, name: &str, field: &str) -> Option<&'y Yaml> {
        let mut found = pairs.iter().filter(|(key, _)| key.text() == Some(name));
        let mut last = found.next()?;
        for next in found {
            let text = format!("`{name}` stands here twice; the last one counts");
            self.report(ProblemKind::Duplicate, text, field, next.0.place);
            last = next;
        }
        Some(last.1.as_ref()).filter(|node| !node.is_null())
    }

    /// Reports members that nobody reads and that are almost a known one.
    fn misspelt(&mut self, pairs: &Pairs, field: &str, known: &[&str]) {
        for (key, _) in pairs {
            let name = key.text().unwrap_or_default();
            if let Some(meant) = spelling::meant(name, known) {
                let name = clip(name);
                let text = format!("nobody reads `{name}` here; did you mean `{meant}`");
                let field = match field {
                    "" => name,
                    _ => format!("{field}.{name}"),
                };
                self.report(ProblemKind::UnknownField, text, &field, key.place);
            }
        }
    }

    fn mapping<'y>(&mut self, node: &'y Yaml, field: &str) -> Option<&'y Pairs> {
        match &node.value {
            Value::Mapping(pairs) => Some(pairs),
            _ if node.is_null() => None,
            _ => {
                self.wrong_type(node, "a mapping", field);
                None
            }
        }
    }

    fn member_mapping<'y>(&mut self, pairs: &'y Pairs, name: &str) -> Option<&'y Pairs> {
        let node = self.member(pairs, name, name)?;
        self.mapping(node, name)
    }

    /// A text with white space collapsed; blank counts as absent, too long is a problem.
    fn text(&mut self, pairs: &Pairs, name: &str, field: &str, longest: usize) -> Option<String> {
        let node = self.member(pairs, name, field)?;
        let Some(text) = node.text() else {
            self.wrong_type(node, "a text", field);
            return None;
        };
        let text = collapse(text);
        if text.chars().count() > longest {
            let message = format!("the text is longer than {longest} characters");
            self.report(ProblemKind::TooLarge, message, field, node.place);
            return None;
        }
        (!text.is_empty()).then_some(text)
    }

    fn interface(&mut self, top: &Pairs) -> Option<SkillInterface> {
        let pairs = self.member_mapping(top, "interface")?;
        self.misspelt(pairs, "interface", INTERFACE);
        let interface = SkillInterface {
            display_name: self.text(pairs, "display_name", "interface.display_name", SHORT),
            short_description: self.text(
                pairs,
                "short_description",
                "interface.short_description",
                LONG,
            ),
            icon_small: self.icon(pairs, "icon_small", "interface.icon_small"),
            icon_large: self.icon(pairs, "icon_large", "interface.icon_large"),
            brand_color: self.color(pairs),
            default_prompt: self.text(pairs, "default_prompt", "interface.default_prompt", LONG),
        };
        (interface != SkillInterface::default()).then_some(interface)
    }

    fn color(&mut self, pairs: &Pairs) -> Option<String> {
        let field = "interface.brand_color";
        let color = self.text(pairs, "brand_color", field, LONG)?;
        let digits = color.strip_prefix('#').unwrap_or("");
        if digits.len() == 6 && digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Some(color);
        }
        let place = self.member(pairs, "brand_color", field)?.place;
        let text = "a colour is `#` and six hexadecimal digits";
        self.report(ProblemKind::BadValue, text, field, place);
        None
    }

    /// An icon lies below the skill's `assets`; a path with `..` only below the plugin's.
    fn icon(&mut self, pairs: &Pairs, name: &str, field: &str) -> Option<AbsPath> {
        let text = self.text(pairs, name, field, LONG)?;
        let climbs = text.split('/').any(|part| part == "..");
        let assets = if climbs {
            self.tree.root().join("assets")
        } else {
            self.skill_dir.join("assets")
        };
        let path = self.skill_dir.join(&text);
        let legal = !text.starts_with('/') && !text.contains('\0') && path.starts_with(&assets);
        if legal && self.tree.contains(&path) {
            return Some(path);
        }
        let place = self.member(pairs, name, field)?.place;
        let text = "an icon lies below the `assets` of the skill or, with `..`, of the plugin";
        self.report(ProblemKind::BadPath, text, field, place);
        None
    }

    fn dependencies(&mut self, top: &Pairs) -> Vec<ToolDependency> {
        let Some(pairs) = self.member_mapping(top, "dependencies") else {
            return Vec::new();
        };
        self.misspelt(pairs, "dependencies", &["tools"]);
        let field = "dependencies.tools";
        let Some(node) = self.member(pairs, "tools", field) else {
            return Vec::new();
        };
        let Value::Sequence(items) = &node.value else {
            self.wrong_type(node, "a list", field);
            return Vec::new();
        };
        if items.len() > MAX_TOOLS {
            let text = format!("there are more than {MAX_TOOLS} tools; the rest is left out");
            self.report(ProblemKind::TooLarge, text, field, node.place);
        }
        let items = items.iter().take(MAX_TOOLS).enumerate();
        items
            .filter_map(|(index, item)| self.tool(item, &format!("{field}[{index}]")))
            .collect()
    }

    fn tool(&mut self, node: &Yaml, field: &str) -> Option<ToolDependency> {
        let Value::Mapping(pairs) = &node.value else {
            self.wrong_type(node, "a mapping", field);
            return None;
        };
        self.misspelt(pairs, field, TOOL);
        let mut text =
            |name: &str, longest| self.text(pairs, name, &format!("{field}.{name}"), longest);
        let kind = text("type", SHORT);
        let value = text("value", LONG);
        let description = text("description", LONG);
        let transport = text("transport", SHORT);
        let command = text("command", LONG);
        let url = text("url", LONG);
        let (Some(kind), Some(value)) = (kind, value) else {
            let text = "a tool needs a `type` and a `value`";
            self.report(ProblemKind::MissingField, text, field, node.place);
            return None;
        };
        Some(ToolDependency {
            kind,
            value,
            description,
            transport,
            command,
            url,
        })
    }

    fn policy(&mut self, top: &Pairs, read: &mut ReadSkill) {
        let Some(pairs) = self.member_mapping(top, "policy") else {
            return;
        };
        self.misspelt(pairs, "policy", &["allow_implicit_invocation", "products"]);
        let field = "policy.allow_implicit_invocation";
        if let Some(node) = self.member(pairs, "allow_implicit_invocation", field) {
            read.skill.allow_implicit = match &node.value {
                Value::Scalar { text, plain: true } => match text.as_str() {
                    "true" | "True" | "TRUE" => true,
                    "false" | "False" | "FALSE" => false,
                    _ => self.not_implicit(node, field),
                },
                _ => self.not_implicit(node, field),
            };
        }
        let field = "policy.products";
        if let Some(node) = self.member(pairs, "products", field) {
            let products = self.products(node, field);
            read.skill.visible = products.is_empty() || products.iter().any(|one| is_ours(one));
            read.products = products;
        }
    }

    fn not_implicit(&mut self, node: &Yaml, field: &str) -> bool {
        let text = "`true` or `false` is expected here; taken as `false`";
        self.report(ProblemKind::WrongType, text, field, node.place);
        false
    }

    /// The products of a list, none of which restricts nothing. One mistake spoils the list: it may be
    /// the very product that was meant, and nothing is hidden for a word that nobody knows.
    fn products(&mut self, node: &Yaml, field: &str) -> Vec<String> {
        let Value::Sequence(items) = &node.value else {
            self.wrong_type(node, "a list", field);
            return Vec::new();
        };
        let products: Vec<_> = items.iter().map(|item| self.product(item, field)).collect();
        let products: Option<Vec<_>> = products.into_iter().collect();
        products.unwrap_or_default()
    }

    fn product(&mut self, item: &Yaml, field: &str) -> Option<String> {
        let Some(text) = item.text() else {
            self.wrong_type(item, "a text", field);
            return None;
        };
        let is_spelt = |product: &&str| text == *product || text == product.to_ascii_uppercase();
        let known = OTHER_PRODUCTS.iter().chain([&OUR_PRODUCT]).any(is_spelt);
        if !known {
            let message = format!(
                "the product `{}` is not known, so the list restricts nothing",
                clip(text)
            );
            self.report(ProblemKind::Product, message, field, item.place);
        }
        known.then(|| text.to_owned())
    }
}

fn is_ours(product: &str) -> bool {
    product.eq_ignore_ascii_case(OUR_PRODUCT)
}
