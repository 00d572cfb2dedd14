//! Whether a matcher can be used: a regular expression in the grammar that hosts compile it with.
//!
//! Only its form and its size are judged; nothing is matched here. The size counts because a host
//! compiles the expression, and `a{1,999999}` is a short text with a large machine behind it.

use regex_syntax::ast::{self, Ast, RepetitionKind, RepetitionRange};

/// How many atoms an expression may stand for, its repetitions written out. Hosts give up at a size
/// in bytes, which lies above this for all but the widest character classes.
const MAX_ATOMS: u64 = 100_000;
/// How deeply groups may nest.
const MAX_NESTING: u32 = 250;

/// Why a matcher cannot be used, for people; nothing when it can.
pub(super) fn mistake(matcher: &str) -> Option<String> {
    if matches_everything(matcher) {
        return None;
    }
    let mut parser = ast::parse::ParserBuilder::new()
        .nest_limit(MAX_NESTING)
        .build();
    match parser.parse(matcher) {
        Err(error) => Some(format!(
            "the matcher is no regular expression: {}",
            error.kind()
        )),
        Ok(ast) if atoms(&ast) > MAX_ATOMS => Some(format!(
            "the matcher is too large: with its repetitions it has more than {MAX_ATOMS} parts"
        )),
        Ok(_) => None,
    }
}

/// Whether a matcher restricts nothing. `*` is no regular expression and means the same as none.
pub(super) fn matches_everything(matcher: &str) -> bool {
    matches!(matcher, "" | "*")
}

/// The atoms of an expression. The depth of the tree is bounded by the parser.
fn atoms(ast: &Ast) -> u64 {
    let all = |asts: &[Ast]| asts.iter().map(atoms).fold(0, u64::saturating_add);
    match ast {
        Ast::Repetition(repetition) => {
            let times = match &repetition.op.kind {
                RepetitionKind::Range(
                    RepetitionRange::Exactly(times)
                    | RepetitionRange::AtLeast(times)
                    | RepetitionRange::Bounded(_, times),
                ) => u64::from(*times).max(1),
                _ => 1,
            };
            atoms(&repetition.ast).saturating_mul(times)
        }
        Ast::Group(group) => atoms(&group.ast),
        Ast::Alternation(alternation) => all(&alternation.asts),
        Ast::Concat(concat) => all(&concat.asts),
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::mistake;

    #[test]
    fn matchers_that_a_host_compiles() {
        for good in [
            "",
            "*",
            "Bash",
            "Edit|Write",
            "mcp__.*",
            r"\p{L}+",
            "(?i)x",
            r"\bfoo\b",
            "[[:alpha:]&&[a]]",
            "a{1,100}",
            "^(startup|resume)$",
        ] {
            assert_eq!(mistake(good), None, "{good}");
        }
    }

    #[test]
    fn matchers_that_no_host_compiles() {
        for bad in [
            "[",
            "(",
            "**",
            "(?=x)",
            r"(a)\1",
            "a{1,999999}",
            "((a{1000}){1000}){1000}",
            "x{2,1}",
            r"\",
        ] {
            assert!(mistake(bad).is_some(), "{bad}");
        }
        assert!(mistake(&"(".repeat(8000)).is_some());
        assert!(mistake(&format!("{}{}", "(".repeat(4000), ")".repeat(4000))).is_some());
    }
}
