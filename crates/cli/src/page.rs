//! What a command has to say when it has done its work, before anything is printed.

use plugd_model::Problem;
use serde::Serialize;
use serde_json::value::RawValue;

use crate::style::{Paint, Style};
use crate::{escape, failure, problems};

/// Why a page may lack something when files of the configuration cannot be read.
pub(crate) const CONFIGURATION_BROKEN: &str =
    "the configuration is broken, so something may be missing";

/// For whom a command speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// For people.
    Text {
        /// How stdout looks.
        out: Style,
        /// How stderr looks.
        err: Style,
    },
    /// For programs.
    Json,
}

/// The output of a command that did not fail as a whole.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Page {
    /// What goes to stdout: whole lines.
    pub(crate) body: String,
    /// What goes to stderr before it: whole lines.
    pub(crate) warnings: String,
    /// Why the exit code is 1 although the command has done its work: something that was asked for
    /// could not be shown.
    pub(crate) incomplete: Option<String>,
}

/// Where a scan of JSON text is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum At {
    Outside,
    InString,
    BehindBackslash,
}

impl Page {
    /// A page of text without warnings.
    pub(crate) fn text(body: impl Into<String>) -> Self {
        Self {
            body: body.into(),
            ..Self::default()
        }
    }

    /// A page of JSON, indented by two blanks as the reference's commands do.
    pub(crate) fn json(value: &impl Serialize) -> Self {
        // The shapes are made of strings, numbers and maps with text keys; nothing else can fail.
        let mut body = serde_json::to_string_pretty(value).unwrap_or_default();
        body.push('\n');
        Self::text(body)
    }

    /// The same page with what is wrong with the configuration, which may hide something.
    pub(crate) fn beside(mut self, configuration: &[Problem], form: Form) -> Self {
        if configuration.is_empty() {
            return self;
        }
        match form {
            Form::Json => {
                let shapes = problems::shapes(configuration);
                self.body = with_member(&self.body, "configProblems", &shapes);
            }
            Form::Text { err, .. } => {
                let mut told: String = configuration
                    .iter()
                    .map(|problem| problems::warning(problem, err))
                    .collect();
                told.push_str(&self.warnings);
                self.warnings = told;
            }
        }
        self.because(CONFIGURATION_BROKEN)
    }

    /// The same page with one more warning and what to do about it, for people. A program finds what
    /// it says in the answer, or has not asked for it.
    pub(crate) fn warned(mut self, warning: &str, hint: Option<&str>, form: Form) -> Self {
        if let Form::Text { err, .. } = form {
            let label = err.paint(Paint::Warning, "warning:");
            let warning = escape::line(warning);
            self.warnings.push_str(&format!("{label} {warning}\n"));
            self.warnings
                .extend(hint.map(|hint| failure::hint_line(hint, err)));
        }
        self
    }

    /// The same page, incomplete for one more reason.
    pub(crate) fn because(mut self, reason: &str) -> Self {
        self.incomplete = Some(match self.incomplete.take() {
            Some(other) => format!("{other}; {reason}"),
            None => reason.to_owned(),
        });
        self
    }

    /// The same for an answer that is JSON already: members keep their order, and numbers and
    /// strings their spelling.
    pub(crate) fn answer(json: &RawValue) -> Self {
        Self::text(indented(json.get()))
    }
}

/// An object as [`Page::json`] prints it, with one more member at its end.
fn with_member(object: &str, name: &str, value: &impl Serialize) -> String {
    let Some(members) = object.strip_suffix("\n}\n") else {
        return object.to_owned();
    };
    // Shapes are made of strings, numbers and maps with text keys; nothing else can fail.
    let value = serde_json::to_string(value).unwrap_or_default();
    indented(&format!("{members},\"{name}\":{value}}}"))
}

/// Valid JSON, indented as serde_json does it.
fn indented(json: &str) -> String {
    let mut text = String::with_capacity(json.len() * 2);
    let mut depth = 0_usize;
    let mut at = At::Outside;
    let mut opened = false;
    let new_line = |text: &mut String, depth: usize| {
        text.push('\n');
        text.extend(std::iter::repeat_n("  ", depth));
    };
    for character in json.chars() {
        if at != At::Outside {
            at = match (at, character) {
                (At::InString, '"') => At::Outside,
                (At::InString, '\\') => At::BehindBackslash,
                _ => At::InString,
            };
            text.push(character);
            continue;
        }
        if character.is_ascii_whitespace() {
            continue;
        }
        let closes = matches!(character, '}' | ']');
        if opened && !closes {
            new_line(&mut text, depth);
        }
        match character {
            '{' | '[' => depth += 1,
            '}' | ']' => {
                depth = depth.saturating_sub(1);
                if !opened {
                    new_line(&mut text, depth);
                }
            }
            '"' => at = At::InString,
            _ => {}
        }
        text.push(character);
        match character {
            ',' => new_line(&mut text, depth),
            ':' => text.push(' '),
            _ => {}
        }
        opened = matches!(character, '{' | '[');
    }
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use plugd_model::{Place, Problem, ProblemKind};
    use pretty_assertions::assert_eq;
    use serde_json::value::RawValue;
    use serde_json::{Value, json};

    use super::{CONFIGURATION_BROKEN, Form, Page};
    use crate::fixture::{path, text};

    /// An answer looks as if it had been serialised that way, and says the same.
    #[track_caller]
    fn check(value: &Value) {
        let raw = RawValue::from_string(value.to_string()).unwrap();
        let page = Page::answer(&raw);
        assert_eq!(page, Page::json(value));
        assert_eq!(serde_json::from_str::<Value>(&page.body).unwrap(), *value);
    }

    #[test]
    fn an_answer_is_indented_like_everything_else() {
        check(&json!({}));
        check(&json!([]));
        check(&json!(7));
        check(&json!("a"));
        check(&json!([[], {}, [{}], {"a": []}]));
        check(&json!({"a": [1, -2.5, null, true], "b": {"c": "d"}, "e": ""}));
        check(&json!({"a\"{[,:]}\\": "\\", "b": "{\"x\": [1, 2]}", "c\n": "\u{1b} \\\\\""}));
    }

    #[test]
    fn an_answer_keeps_order_and_spelling() {
        let raw = RawValue::from_string(r#" {"b" :1.00,"a":"\u0041"} "#.to_owned()).unwrap();
        let expected = "{\n  \"b\": 1.00,\n  \"a\": \"\\u0041\"\n}\n";
        assert_eq!(Page::answer(&raw).body, expected);
    }

    #[test]
    fn a_broken_configuration_is_told_with_every_answer() {
        let problem = Problem::error(ProblemKind::Config, "no TOML")
            .in_file(&path("/ch/config.toml"))
            .at(Place { line: 2, column: 1 });
        let page = |form| Page::json(&json!({"a": 1})).beside(std::slice::from_ref(&problem), form);
        let told = page(Form::Json);
        let expected = r#"{
  "a": 1,
  "configProblems": [
    {
      "kind": "config",
      "severity": "error",
      "message": "no TOML",
      "path": "/ch/config.toml",
      "line": 2,
      "column": 1
    }
  ]
}
"#;
        assert_eq!((told.body.as_str(), told.warnings.as_str()), (expected, ""));
        assert_eq!(told.incomplete.as_deref(), Some(CONFIGURATION_BROKEN));
        let told = page(text());
        assert_eq!(told.warnings, "error: /ch/config.toml:2:1: no TOML\n");
        assert_eq!(told.incomplete.as_deref(), Some(CONFIGURATION_BROKEN));
        let sound = Page::json(&json!({})).beside(&[], Form::Json);
        assert_eq!(sound, Page::json(&json!({})));
    }

    #[test]
    fn a_warning_is_for_people() {
        let page = |form| Page::text("x\n").warned("odd\nthing", Some("mend it"), form);
        let told = "warning: odd\\nthing\nhint: mend it\n";
        assert_eq!(page(text()).warnings, told);
        assert_eq!(page(Form::Json).warnings, "");
    }

    #[test]
    fn json_is_indented_and_ends_its_line() {
        let page = Page::json(&json!({"a": [1]}));
        assert_eq!(page.body, "{\n  \"a\": [\n    1\n  ]\n}\n");
        assert_eq!(
            (page.warnings.as_str(), page.incomplete.as_deref()),
            ("", None)
        );
    }
}
