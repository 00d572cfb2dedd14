//! Whether a matcher can be used: a regular expression that hosts compile.
//!
//! Only its form and its size are judged; nothing is matched here. The size counts because a host
//! compiles the expression and gives up at a limit, and `a{1,999999}` is a short text with a large
//! machine behind it. What is plainly small is not compiled, and of what may be large a plugin has
//! only some: compiling takes time, and many large ones would take minutes.

use regex_automata::nfa::thompson::{Compiler, Config, WhichCaptures};
use regex_syntax::ParserBuilder;
use regex_syntax::hir::{Class, Hir, HirKind};

/// How many bytes the compiled form may have: the limit of the engine that hosts use.
const MAX_COMPILED: usize = 10 * 1024 * 1024;
/// How deeply groups may nest.
const MAX_NESTING: u32 = 250;
/// How many matchers of a plugin are compiled to find out.
const MAX_LARGE: usize = 20;
/// More than a state of the compiled form takes.
const STATE: u64 = 48;
/// More states than one range of characters takes in UTF-8.
const STATES_OF_RANGE: u64 = 32;

/// What judges the matchers of one plugin.
#[derive(Debug, Default)]
pub(super) struct Judge {
    large: usize,
}

impl Judge {
    /// Why a matcher cannot be used, for people; nothing when it can.
    pub(super) fn mistake(&mut self, matcher: &str) -> Option<String> {
        if matches_everything(matcher) {
            return None;
        }
        let parsed = ParserBuilder::new()
            .nest_limit(MAX_NESTING)
            .build()
            .parse(matcher);
        let reason = match parsed {
            Ok(hir) => return self.too_large(&hir),
            Err(regex_syntax::Error::Parse(error)) => error.kind().to_string(),
            Err(regex_syntax::Error::Translate(error)) => error.kind().to_string(),
            Err(_) => "it cannot be parsed".to_owned(),
        };
        Some(format!("the matcher is no regular expression: {reason}"))
    }

    fn too_large(&mut self, hir: &Hir) -> Option<String> {
        if bytes(hir) <= MAX_COMPILED as u64 {
            return None;
        }
        self.large += 1;
        if self.large > MAX_LARGE {
            return Some(format!(
                "more than {MAX_LARGE} matchers of this plugin are too large to be judged"
            ));
        }
        let text = || {
            format!(
                "the matcher is too large: it has more than {MAX_COMPILED} bytes when it is \
                 compiled, and hosts refuse that"
            )
        };
        (!compiles(hir)).then(text)
    }
}

/// Whether a matcher restricts nothing. `*` is no regular expression and means the same as none.
pub(super) fn matches_everything(matcher: &str) -> bool {
    matches!(matcher, "" | "*")
}

/// Whether it compiles in both directions, as the engine does it.
fn compiles(hir: &Hir) -> bool {
    let config = Config::new().nfa_size_limit(Some(MAX_COMPILED));
    let directions = [(false, WhichCaptures::All), (true, WhichCaptures::None)];
    directions.into_iter().all(|(reverse, captures)| {
        let config = config.clone().reverse(reverse).which_captures(captures);
        let compiled = Compiler::new().configure(config).build_from_hir(hir);
        compiled.is_ok()
    })
}

/// At least as many bytes as the compiled form has. The depth of the tree is bounded by the parser.
fn bytes(hir: &Hir) -> u64 {
    let all = |parts: &[Hir]| {
        let parts = parts.iter().map(bytes);
        parts.fold(STATE, u64::saturating_add)
    };
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => STATE,
        HirKind::Literal(literal) => STATE.saturating_mul(literal.0.len() as u64),
        HirKind::Class(Class::Bytes(class)) => STATE.saturating_mul(class.ranges().len() as u64),
        HirKind::Class(Class::Unicode(class)) => {
            let states = STATES_OF_RANGE.saturating_mul(class.ranges().len() as u64);
            STATE.saturating_mul(states)
        }
        HirKind::Capture(capture) => bytes(&capture.sub).saturating_add(2 * STATE),
        HirKind::Concat(parts) | HirKind::Alternation(parts) => all(parts),
        HirKind::Repetition(repetition) => {
            let most = repetition.max.unwrap_or(repetition.min.saturating_add(1));
            let once = bytes(&repetition.sub).saturating_add(2 * STATE);
            once.saturating_mul(u64::from(most.max(1)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Judge;

    fn mistake(matcher: &str) -> Option<String> {
        Judge::default().mistake(matcher)
    }

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
            "(?-u:é)",
            "[[:bogus:]]",
            r"\b{start}",
            r"[^\s\S]",
            ".{5000}",
            "(a{100}){100}",
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
            r"\p{Bogus}",
            r"\pQ",
            r"\p{sc=Nope}",
            r"(?-u)\W",
            r"(?-u:\xff)",
            "(?-u:.)",
            r"\p{L}{500}",
            r"(\w{100}){100}",
            r"(\p{L}{50}){50}",
            r"\w{3000}",
        ] {
            assert!(mistake(bad).is_some(), "{bad}");
        }
        let too_large = mistake("a{1,999999}").unwrap();
        assert!(too_large.contains("10485760 bytes"), "{too_large}");
        assert!(mistake(&"(".repeat(8000)).is_some());
        assert!(mistake(&format!("{}{}", "(".repeat(4000), ")".repeat(4000))).is_some());
    }

    #[test]
    fn large_matchers_of_a_plugin_are_counted() {
        let mut judge = Judge::default();
        for _ in 0..20 {
            assert_eq!(judge.mistake(".{5000}"), None);
        }
        assert!(judge.mistake(".{5000}").is_some());
        assert_eq!(judge.mistake("Bash"), None);
    }
}
