//! Choosing a commit from what a server advertises.
//!
//! A pure function: the list comes from the network, the choice does not.

use git2::Oid;

use crate::Want;
use crate::want::is_commit;

/// The mark behind a tag's name when the line names what the tag points at.
const PEELED: &str = "^{}";

/// The name of the default branch.
const HEAD: &str = "HEAD";

/// What else that name may be short for.
const SHORT_FOR: &[&str] = &[
    "refs/HEAD",
    "refs/heads/HEAD",
    "refs/remotes/HEAD",
    "refs/tags/HEAD",
];

/// One line of a server's list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) name: String,
    pub(crate) id: Oid,
}

/// Where a wanted commit is to be had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Choice {
    /// At the tip of a branch or tag. `object` is the commit, or a tag that leads to it.
    Tip { name: String, object: Oid },
    /// A full commit that no tip shows.
    Commit(Oid),
    /// The beginning of a commit; all commits must be known to tell which.
    Prefix(String),
    /// Nowhere.
    Nothing,
}

/// Chooses. A tag wins over a branch of the same name, as for git itself, and both win over a commit
/// that is spelled like them.
pub(crate) fn choose(heads: &[Head], want: &Want) -> Choice {
    match want {
        Want::Head => tip(heads, HEAD).unwrap_or(Choice::Nothing),
        Want::Ref(text) => {
            let names = match text.starts_with("refs/") {
                true => vec![text.clone()],
                false => vec![format!("refs/tags/{text}"), format!("refs/heads/{text}")],
            };
            let found = names.iter().find_map(|name| tip(heads, name));
            match found {
                Some(choice) => choice,
                None if is_commit(text) => commit(heads, &text.to_ascii_lowercase()),
                None => Choice::Nothing,
            }
        }
        Want::Commit(text) => commit(heads, text),
    }
}

fn tip(heads: &[Head], name: &str) -> Option<Choice> {
    let line = |name: &str| heads.iter().find(|head| head.name == name);
    let found = line(name)?;
    let peeled = line(&format!("{name}{PEELED}"));
    let object = peeled.unwrap_or(found).id;
    if name != HEAD {
        let name = name.to_owned();
        return Some(Choice::Tip { name, object });
    }
    // `HEAD` is short for other names too, and a branch or tag may really be called so: it is asked
    // for by the full name of a branch where it can be.
    let is_branch = |head: &&Head| head.id == object && head.name.starts_with("refs/heads/");
    let branch = heads.iter().find(is_branch).map(|head| head.name.clone());
    Some(match branch {
        Some(name) => Choice::Tip { name, object },
        None if heads
            .iter()
            .any(|head| SHORT_FOR.contains(&head.name.as_str())) =>
        {
            Choice::Commit(object)
        }
        None => Choice::Tip {
            name: HEAD.to_owned(),
            object,
        },
    })
}

fn commit(heads: &[Head], text: &str) -> Choice {
    if text.len() < 40 {
        return Choice::Prefix(text.to_owned());
    }
    let Ok(id) = Oid::from_str(text) else {
        return Choice::Nothing;
    };
    let is_full = |head: &&Head| head.id == id && head.name != HEAD;
    match heads.iter().find(is_full) {
        Some(head) => Choice::Tip {
            name: head.name.trim_end_matches(PEELED).to_owned(),
            object: id,
        },
        None if heads.iter().any(|head| head.id == id) => {
            tip(heads, HEAD).unwrap_or(Choice::Commit(id))
        }
        None => Choice::Commit(id),
    }
}

#[cfg(test)]
mod tests {
    use git2::Oid;
    use pretty_assertions::assert_eq;

    use super::{Choice, Head, choose};
    use crate::Want;

    fn id(digit: char) -> Oid {
        Oid::from_str(&digit.to_string().repeat(40)).unwrap()
    }

    #[track_caller]
    fn check(want: Want, expected: Choice) {
        let head = |name: &str, digit| Head {
            name: name.to_owned(),
            id: id(digit),
        };
        let heads = [
            head("HEAD", '1'),
            head("refs/heads/main", '1'),
            head("refs/heads/both", '2'),
            head("refs/tags/abcd", '3'),
            head("refs/tags/both", '4'),
            head("refs/tags/v1", '5'),
            head("refs/tags/v1^{}", '6'),
        ];
        assert_eq!(choose(&heads, &want), expected, "{want:?}");
    }

    fn tip(name: &str, digit: char) -> Choice {
        Choice::Tip {
            name: name.to_owned(),
            object: id(digit),
        }
    }

    #[test]
    fn names_are_looked_up_in_order() {
        let reference = |text: &str| Want::Ref(text.to_owned());
        check(Want::Head, tip("refs/heads/main", '1'));
        check(reference("main"), tip("refs/heads/main", '1'));
        check(reference("both"), tip("refs/tags/both", '4'));
        check(reference("refs/heads/both"), tip("refs/heads/both", '2'));
        check(reference("v1"), tip("refs/tags/v1", '6'));
        check(reference("abcd"), tip("refs/tags/abcd", '3'));
        check(reference("none"), Choice::Nothing);
        check(reference("BEEF"), Choice::Prefix("beef".to_owned()));
    }

    #[test]
    fn a_commit_is_taken_from_a_tip_where_one_shows_it() {
        let commit = |text: String| Want::Commit(text);
        check(commit("6".repeat(40)), tip("refs/tags/v1", '6'));
        check(commit("9".repeat(40)), Choice::Commit(id('9')));
        check(commit("1111".to_owned()), Choice::Prefix("1111".to_owned()));
    }

    #[test]
    fn a_branch_called_head_is_not_the_default_one() {
        let head = |name: &str, digit| Head {
            name: name.to_owned(),
            id: id(digit),
        };
        let stray = head("refs/heads/HEAD", '2');
        let heads = [head("HEAD", '1'), stray, head("refs/heads/main", '1')];
        assert_eq!(choose(&heads, &Want::Head), tip("refs/heads/main", '1'));
        assert_eq!(choose(&heads[..2], &Want::Head), Choice::Commit(id('1')));
        assert_eq!(choose(&heads[..1], &Want::Head), tip("HEAD", '1'));
    }

    #[test]
    fn an_empty_repository_has_nothing() {
        assert_eq!(choose(&[], &Want::Head), Choice::Nothing);
    }
}
