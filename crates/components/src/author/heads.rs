//! Findings in the front matter of a skill: members that nothing here depends on, and that other hosts
//! read.

use plugd_model::{AbsPath, Problem, ProblemKind};

use crate::front_matter::{self, Fence, FrontMatter};
use crate::tree::PluginTree;
use crate::yaml::{Value, Yaml};

/// The largest skill that is looked at; loading tells of a larger one.
const MAX_SKILL: u64 = 8 * 1024 * 1024;

/// A member, what is expected there, and whether a value is that.
type Expected = (&'static str, &'static str, fn(&Yaml) -> bool);

/// Adds members whose type no host understands. What is wrong with the rest is told by loading.
pub(super) fn check(tree: &PluginTree<'_>, skill: &AbsPath, findings: &mut Vec<Problem>) {
    let Ok(Some(text)) = tree.read(skill, MAX_SKILL) else {
        return;
    };
    let Some(parts) = front_matter::split(&text, Fence::Blanks) else {
        return;
    };
    let Ok((head, ())) = FrontMatter::read_with_rescue(parts.yaml, |_| Ok(())) else {
        return;
    };
    let expected: [Expected; 5] = [
        ("license", "a text", is_text),
        ("compatibility", "a text", is_text),
        (
            "allowed-tools",
            "a text or a list of texts",
            is_text_or_list,
        ),
        ("disable-model-invocation", "`true` or `false`", is_boolean),
        ("user-invocable", "`true` or `false`", is_boolean),
    ];
    for (name, what, fits) in expected {
        if let Some(value) = head.value(name)
            && !fits(value)
        {
            let text = format!("{what} is expected here, not {}", value.kind_word());
            let problem = Problem::warning(ProblemKind::WrongType, text).in_file(skill);
            findings.push(problem.at_field(name).at(value.place));
        }
    }
}

fn is_text(value: &Yaml) -> bool {
    value.text().is_some()
}

fn is_text_or_list(value: &Yaml) -> bool {
    match &value.value {
        Value::Sequence(items) => items.iter().all(|item| is_text(item)),
        _ => is_text(value),
    }
}

fn is_boolean(value: &Yaml) -> bool {
    let text = value.text().unwrap_or_default().to_ascii_lowercase();
    matches!(text.as_str(), "true" | "false")
}
