//! Where an installation puts the skills that it makes of a plugin's commands. The place belongs to the
//! installation: what a plugin ships there is not taken over, as in the reference.

use crate::{AbsPath, Problem, ProblemKind};

/// The place, relative to the root of a plugin.
pub const MIGRATED_SKILLS_DIR: &str = ".codex-plugin/migrated-command-skills";

/// Whether a path below a plugin's root, with `/`, is this place or lies there. Case does not count,
/// because on many systems it does not.
#[must_use]
pub fn is_migrated_skill(path: &str) -> bool {
    let (path, place) = (path.as_bytes(), MIGRATED_SKILLS_DIR.as_bytes());
    let Some((start, rest)) = path.split_at_checked(place.len()) else {
        return false;
    };
    start.eq_ignore_ascii_case(place) && matches!(rest.first(), None | Some(b'/'))
}

/// What to tell of something that a plugin ships there.
#[must_use]
pub fn shipped_as_migrated(path: &AbsPath) -> Problem {
    let text = "not copied: an installation makes what lies here, of the plugin's commands; \
                put skills of your own below `skills`";
    Problem::warning(ProblemKind::LeftOut, text).in_file(path)
}

#[cfg(test)]
mod tests {
    use super::is_migrated_skill;

    #[test]
    fn what_lies_there() {
        let place = ".codex-plugin/migrated-command-skills";
        for (path, is_there) in [
            (place.to_owned(), true),
            (format!("{place}/a/SKILL.md"), true),
            (place.to_ascii_uppercase(), true),
            (format!("{place}-2/a"), false),
            (format!("x/{place}"), false),
            (".codex-plugin/plugin.json".to_owned(), false),
            (".codex-plugin".to_owned(), false),
            ("ä".repeat(19), false),
        ] {
            assert_eq!(is_migrated_skill(&path), is_there, "{path}");
        }
    }
}
