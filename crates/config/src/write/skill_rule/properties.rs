//! Properties of switching skills on generated files: every form that rules can be written in, beside
//! other keys, comments, both line endings, byte order mark, with and without a last line ending.

use plugd_model::AbsPath;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

use crate::edit::Edited;
use crate::layer::{LayerSource, Stack};
use crate::reader::Reader;
use crate::write::{Target, edit_parsed, parse};
use crate::{Edit, SkillRule, SkillSelector, UndoRecord, edit, skill_setting};

const FILE: &str = "/ch/config.toml";

/// The members of a rule, also of those that are ignored.
fn rule() -> impl Strategy<Value = &'static [&'static str]> {
    select(vec![
        &["name = \"a\"", "enabled = false"] as &[_],
        &["enabled = true", "name = ' a '"],
        &["name = \"b\"", "enabled = false", "mine = [1, { x = 2 }]"],
        &["name = \"a\""],
        &["path = \"/s/SKILL.md\"", "enabled = false"],
        &["path = \"../s/SKILL.md\"", "enabled = true"],
        &["name = \"a\"", "path = \"/s/SKILL.md\"", "enabled = false"],
        &["name = 5", "enabled = false"],
        &[],
    ])
}

/// The rules of a file in one of their forms: headers, an array in a section, a dotted line, braces.
fn rules() -> impl Strategy<Value = (String, String)> {
    let comment = select(vec!["", " # c", "  # \"x\" [y] = {"]);
    let between = select(vec!["", "\n", "# own line\n", "\n\n# two\n"]);
    let with = select(vec![
        "",
        "bundled = { enabled = true }",
        "include_instructions = true",
    ]);
    let rows = proptest::collection::vec((rule(), comment, between), 0..4);
    (0..6, rows, with).prop_map(|(form, rows, with)| {
        let inline = |multiline: bool| {
            let rows = rows
                .iter()
                .map(|(members, ..)| format!("{{ {} }}", members.join(", ")));
            let rows: Vec<_> = rows.collect();
            match multiline && !rows.is_empty() {
                true => format!("[\n  {}, # last\n]", rows.join(", # row\n  ")),
                false => format!("[{}]", rows.join(", ")),
            }
        };
        let headers = || {
            let mut text = String::new();
            for (members, comment, between) in &rows {
                text.push_str(&format!("{between}[[skills.config]]{comment}\n"));
                for member in *members {
                    text.push_str(&format!("{member}{comment}\n"));
                }
            }
            text
        };
        let line = |text: &str| match text {
            "" => String::new(),
            text => format!("{text}\n"),
        };
        match form {
            0 => (String::new(), headers()),
            1 => (
                String::new(),
                format!("[skills] # s\n{}{}", line(with), headers()),
            ),
            2 => (
                String::new(),
                format!("[skills]\n{}  config = {} # c\n", line(with), inline(true)),
            ),
            3 => (
                format!("skills.config = {}\n", inline(false)),
                String::new(),
            ),
            4 => {
                let with = if with.is_empty() {
                    String::new()
                } else {
                    format!("{with}, ")
                };
                (
                    format!("skills = {{ {with}config = {} }}\n", inline(false)),
                    String::new(),
                )
            }
            _ => match with {
                "" => (String::new(), String::new()),
                with => (format!("skills.{with}\n"), String::new()),
            },
        }
    })
}

fn document() -> impl Strategy<Value = String> {
    let front = select(vec!["", "x = 1\n", "# head\n\nx = 1 # x\n"]);
    let section = select(vec!["", "[a]\ny = 2\n", "[[l]]\n[l.m]\n\n"]);
    let tail = select(vec![
        "",
        "\n[z]\nz = 1\n",
        "# of z\n[z]\nz = 1\n",
        "# end\n",
        "\n\n",
    ]);
    (front, section, rules(), tail, any::<[bool; 3]>()).prop_map(
        |(front, section, (lines, sections), tail, [crlf, bom, cut])| {
            let mut text = format!("{front}{lines}{section}{sections}{tail}");
            if cut {
                text.truncate(text.trim_end_matches('\n').len());
            }
            if crlf {
                text = text.replace('\n', "\r\n");
            }
            if bom {
                text.insert(0, '\u{feff}');
            }
            text
        },
    )
}

/// The rules as their reader understands them.
fn read(text: &str) -> Vec<(SkillSelector, bool)> {
    let mut stack = Stack::default();
    let file = AbsPath::new(FILE).unwrap();
    let base = file.parent();
    let index = stack.add_text(LayerSource::User, file, text.to_owned());
    let mut reader = Reader::new(&stack);
    let rules =
        skill_setting::read_rules(&mut reader, &stack.drafts[index].layer.tree, base.as_ref());
    let row = |rule: SkillRule| (rule.selector, rule.enabled);
    rules.into_iter().map(row).collect()
}

/// What a file says besides rules about this selector, and besides a rule without a switch.
fn others(text: &str, selector: &SkillSelector) -> (Vec<(SkillSelector, bool)>, Value) {
    let mut rules = read(text);
    rules.retain(|(other, _)| other != selector);
    let mut rest = edit::meaning(text).unwrap();
    if let Some(skills) = rest.get_mut("skills").and_then(Value::as_object_mut) {
        skills.remove("config");
    }
    if rest.get("skills") == Some(&json!({})) {
        rest.as_object_mut().unwrap().remove("skills");
    }
    (rules, rest)
}

fn switched(text: &str, edits: &[Edit]) -> (Vec<Edit>, Edited) {
    let file = AbsPath::new(FILE).unwrap();
    let before = parse(Target::Config, &file, text).unwrap();
    edit_parsed(Target::Config, &file, &before, edits).unwrap()
}

fn selector() -> impl Strategy<Value = SkillSelector> {
    select(vec![
        SkillSelector::Name("a".to_owned()),
        SkillSelector::Name("n".to_owned()),
        SkillSelector::Path(AbsPath::new("/s/SKILL.md").unwrap()),
        SkillSelector::Path(AbsPath::new("/n/SKILL.md").unwrap()),
    ])
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_switch_changes_its_rules_only_and_can_be_undone(
        text in document(),
        selector in selector(),
        enabled in any::<bool>(),
    ) {
        let switch = [Edit::set_skill_rule(&selector, enabled)];
        let (own, edited) = switched(&text, &switch);

        let last = read(&edited.after.text).into_iter().rev().find(|(other, _)| *other == selector);
        prop_assert_eq!(last.map(|(_, enabled)| enabled), (!enabled).then_some(false));
        prop_assert_eq!(others(&edited.after.text, &selector), others(&text, &selector));
        if enabled {
            prop_assert!(edited.splices.iter().all(|splice| splice.inserted.is_empty()));
        }
        let bare = edited.after.text.matches('\n').count() - edited.after.text.matches("\r\n").count();
        if text.contains("\r\n") {
            prop_assert_eq!(bare, 0, "a line ending of another kind");
        }
        prop_assert_eq!(text.starts_with('\u{feff}'), edited.after.text.starts_with('\u{feff}'));

        // Once more changes nothing.
        let (_, again) = switched(&edited.after.text, &switch);
        prop_assert_eq!(&again.after.text, &edited.after.text);
        prop_assert!(again.splices.is_empty());

        // Undo, also through JSON, and also when something was added at the end meanwhile.
        let record = UndoRecord::of(Target::Config, &own, &edited);
        let record = UndoRecord::from_json(&record.to_json()).unwrap();
        prop_assert_eq!(&record.undo(&edited.after.text).unwrap().0, &text);
        let longer = format!("{}\n[zz]\nz = 1\n", edited.after.text);
        let (undone, _) = record.undo(&longer).unwrap();
        prop_assert_eq!(read(&undone), read(&text));
    }

    /// A rule that was added goes again without a trace.
    #[test]
    fn off_and_on_again_leave_nothing(text in document()) {
        let meaning = edit::meaning(&text).unwrap();
        let switch = |text: &str, enabled: bool| {
            let skill = SkillSelector::Name("new".to_owned());
            let edits = [Edit::set_skill_rule(&skill, enabled)];
            switched(text, &edits).1.after.text.clone()
        };
        let back = switch(&switch(&text, false), true);
        // A table or array that was empty before counts as emptied.
        let empty = [json!({}), json!({"config": []})];
        let skills = meaning.get("skills");
        let is_empty = skills.is_some_and(|skills| {
            empty.contains(skills) || skills["config"] == json!([])
        });
        if !is_empty {
            prop_assert_eq!(back, text);
        }
    }
}
