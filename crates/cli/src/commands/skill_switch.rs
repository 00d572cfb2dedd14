//! `plugd skills enable` and `plugd skills disable`. The JSON is the result of `skills/config/write`.
//!
//! The method takes any name and any path, because a client may know a skill that is not there yet.
//! Somebody who types one has one in mind that is: a rule that fits none would look like a success
//! and do nothing, so the skill is looked up first.

use plugd_disk::Disk;
use plugd_model::AbsPath;
use serde_json::{Value, json};

use crate::asked::{self, Question, is_set, items, member};
use crate::commands::loading::switch;
use crate::failure::Failure;
use crate::page::{Form, Page};
use crate::session::Session;
use crate::style::Style;
use crate::suggest;

pub(super) async fn run(
    session: &Session,
    skill: &str,
    enabled: bool,
    form: Form,
) -> Result<Page, Failure> {
    let cwd = session.cwd();
    let listed = Question {
        method: "skills/list",
        params: json!({"cwds": [cwd.to_text()]}),
    };
    let listed = asked::result(session, &listed).await?;
    let disk = session.lookup.disk();
    let chosen = match chosen(disk, cwd, skill, &listed) {
        Some(chosen) => chosen,
        // What is left of a skill that is gone can be taken back.
        None if enabled && is_ruled(session, skill).await? => by_its_word(cwd, skill),
        None => {
            return Err(Failure::NoSuchSkill {
                skill: skill.to_owned(),
                hint: hint(skill, &listed),
            });
        }
    };
    let mut params = chosen;
    params["enabled"] = json!(enabled);
    let question = Question {
        method: "skills/config/write",
        params,
    };
    asked::page(session, question, form, &switched).await
}

fn looks_like_a_path(skill: &str) -> bool {
    skill.contains(['/', '\\']) || skill.ends_with(".md")
}

/// The name or the path as it was typed.
fn by_its_word(cwd: &AbsPath, skill: &str) -> Value {
    match looks_like_a_path(skill) {
        true => json!({"path": cwd.join(skill).to_text()}),
        false => json!({"name": skill}),
    }
}

/// How the rule names a skill that is listed: by its name, or by the path that the listing has for
/// it, also when the typed one leads there through links or ends at its directory.
fn chosen(disk: &Disk, cwd: &AbsPath, skill: &str, listed: &Value) -> Option<Value> {
    let mut skills = items(listed, "data").flat_map(|entry| items(entry, "skills"));
    if !looks_like_a_path(skill) {
        let is_there = skills.any(|one| member(one, "name") == skill);
        return is_there.then(|| json!({"name": skill}));
    }
    let real = |path: &AbsPath| disk.resolve(path).unwrap_or_else(|_| path.clone());
    let wanted = real(&cwd.join(skill));
    let is_meant = |path: &AbsPath| {
        let path = real(path);
        path == wanted || path.parent().is_some_and(|dir| dir == wanted)
    };
    let paths = skills.map(|one| member(one, "path"));
    let path = paths
        .filter_map(|path| AbsPath::new(path).ok())
        .find(is_meant)?;
    Some(json!({"path": path.to_text()}))
}

/// Whether a rule of the configuration names the skill.
async fn is_ruled(session: &Session, skill: &str) -> Result<bool, Failure> {
    let question = Question {
        method: "config/read",
        params: json!({}),
    };
    let result = asked::result(session, &question).await?;
    let word = by_its_word(session.cwd(), skill);
    let mut rules = items(&result["config"]["skills"], "config");
    Ok(rules.any(|rule| {
        let names = |name: &str| word[name].is_string() && word[name] == rule[name];
        names("name") || names("path")
    }))
}

fn hint(skill: &str, listed: &Value) -> String {
    let all = "`plugd skills list` shows which there are, with `--json` their paths";
    if looks_like_a_path(skill) {
        return all.to_owned();
    }
    let skills = items(listed, "data").flat_map(|entry| items(entry, "skills"));
    let names = skills.map(|one| member(one, "name").to_owned());
    suggest::among(skill, names).unwrap_or_else(|| all.to_owned())
}

fn switched(result: &Value, _: Style) -> String {
    let (word, _) = switch(is_set(result, "effectiveEnabled"));
    format!("The skill is {word}.\n")
}

#[cfg(test)]
mod tests {
    use plugd_disk::Disk;
    use pretty_assertions::assert_eq;
    use serde_json::{Value, json};

    use super::{chosen, hint, switched};
    use crate::fixture::path;
    use crate::style::Style;

    fn listed() -> Value {
        json!({"data": [{"skills": [
            {"name": "hello:greet", "path": "/none/hello/skills/greet/SKILL.md"},
            {"name": "notes", "path": "/none/notes/SKILL.md"},
        ]}]})
    }

    #[track_caller]
    fn check(skill: &str, expected: Option<Value>) {
        let found = chosen(&Disk::new(), &path("/none/notes"), skill, &listed());
        assert_eq!(found, expected, "{skill}");
    }

    #[test]
    fn only_what_is_listed_can_be_meant() {
        check("hello:greet", Some(json!({"name": "hello:greet"})));
        check("hello:explian", None);
        let notes = json!({"path": "/none/notes/SKILL.md"});
        check("SKILL.md", Some(notes.clone()));
        check("./SKILL.md", Some(notes.clone()));
        check("/none/notes/", Some(notes));
        check("./nope/SKILL.md", None);
    }

    #[test]
    fn what_may_have_been_meant() {
        let found = hint("hello:gret", &listed());
        assert_eq!(found, "did you mean `hello:greet`?");
        let all = "`plugd skills list` shows which there are, with `--json` their paths";
        assert_eq!(hint("./nope/SKILL.md", &listed()), all);
        assert_eq!(hint("quite-different", &listed()), all);
    }

    #[test]
    fn the_answer_is_a_sentence() {
        let off = json!({"effectiveEnabled": false});
        assert_eq!(switched(&off, Style::PLAIN), "The skill is disabled.\n");
    }
}
