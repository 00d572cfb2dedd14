//! What the Agent Skills format demands of the head of a skill beyond the other formats. In a plugin
//! that follows the Agent Plugins specification a skill that does not conform must be skipped (7.1).

use plugd_model::{Problem, ProblemKind};

use crate::front_matter::FrontMatter;

/// The longest description, in characters.
const MAX_DESCRIPTION: usize = 1024;
/// The longest text about where it works, in characters.
const MAX_COMPATIBILITY: usize = 500;

/// Refuses a head that does not conform.
pub(super) fn check(
    head: &FrontMatter,
    name: Option<&str>,
    directory: &str,
    description: &str,
) -> Result<(), Problem> {
    let at = |problem: Problem, field: &str| problem.at_field(field).at(head.place(field));
    check_name(name, directory).map_err(|problem| at(problem, "name"))?;
    if description.chars().count() > MAX_DESCRIPTION {
        let text = format!("the description is longer than {MAX_DESCRIPTION} characters");
        let problem = Problem::error(ProblemKind::TooLarge, text);
        return Err(at(problem, "description"));
    }
    head.unique()?;
    head.text("license")?;
    head.text("allowed-tools")?;
    head.texts("metadata")?;
    let wrong = match head.text("compatibility")? {
        Some(text) if text.chars().count() > MAX_COMPATIBILITY => {
            let text = format!("longer than {MAX_COMPATIBILITY} characters");
            Some(Problem::error(ProblemKind::TooLarge, text))
        }
        None if head.value("compatibility").is_some() => {
            let text = "the text is empty; leave the member out";
            Some(Problem::error(ProblemKind::BadValue, text))
        }
        _ => None,
    };
    wrong.map_or(Ok(()), |problem| Err(at(problem, "compatibility")))
}

fn check_name(name: Option<&str>, directory: &str) -> Result<(), Problem> {
    let bad_name = |text: &str| Err(Problem::error(ProblemKind::BadName, text));
    let Some(name) = name else {
        let text = "`name` is missing or blank";
        return Err(Problem::error(ProblemKind::MissingField, text));
    };
    let legal = |c: char| c == '-' || (c.is_alphanumeric() && !c.is_uppercase());
    if !name.chars().all(legal) {
        return bad_name("the name may only have lower-case letters, digits and `-`");
    }
    if name.starts_with('-') || name.ends_with('-') || name.contains("--") {
        return bad_name("the name has a `-` at its start, at its end or beside another");
    }
    if name != directory {
        return bad_name("the name differs from that of the skill's directory");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::fixture::Plugin;
    use crate::skills::tests::{check_agent, head};

    #[test]
    fn section_7_1_other_fields_have_to_conform_too() {
        let check = |more: &str, problem: Option<&str>| {
            let text = head(&format!("name: a\ndescription: d\n{more}"));
            let plugin = Plugin::agent().file("skills/a/SKILL.md", text);
            let expected: &[&str] = if problem.is_none() { &["a"] } else { &[] };
            let problem = problem.map(|problem| problem.replace("FILE", "skills/a/SKILL.md"));
            check_agent(&plugin, expected, problem.as_deref().as_slice());
        };
        let all =
            "license: MIT\ncompatibility: c\nallowed-tools: Read Bash\nmetadata:\n  author: x\n";
        check(all, None);
        check("license: [x]", Some("wrongType FILE license 4:10"));
        check(
            "compatibility: ''",
            Some("badValue FILE compatibility 4:16"),
        );
        let tools = "allowed-tools: [Read]";
        check(tools, Some("wrongType FILE allowed-tools 4:16"));
        check("metadata: x", Some("wrongType FILE metadata 4:11"));
        let tags = "metadata:\n  tags: [a]";
        check(tags, Some("wrongType FILE metadata.tags 5:9"));
        let twice = "license: a\nlicense: b";
        check(twice, Some("duplicate FILE license 5:1"));
        // What other formats read as text is no YAML.
        check("note: Use: it", Some("syntax FILE 4:10"));
    }
}
