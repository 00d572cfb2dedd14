//! Texts of the service without what opens a door for whoever reads them.
//!
//! A service may repeat what it was sent or what it was about to answer: the token of this account or
//! another one, or an address whose query is as good as a login. Too much is cut rather than too
//! little.

/// Stands for what is not shown.
const HIDDEN: &str = "…";

/// How the JSON object at the beginning of a token looks, written as tokens are.
const TOKEN_BEGIN: &str = "eyJ";

/// Shortest run that is taken for a token, in bytes.
const MIN_TOKEN: usize = 12;

/// The text without this token, without whatever looks like another one, and without the queries and
/// logins of addresses.
pub(super) fn discreet(text: &str, token: &str) -> String {
    let text = match token {
        "" => text.to_owned(),
        token => text.replace(token, HIDDEN),
    };
    without_tokens(&text)
        .split_inclusive(ends_word)
        .map(without_query)
        .collect()
}

/// What no address holds. Brackets and commas may be part of one.
fn ends_word(c: char) -> bool {
    c.is_whitespace() || matches!(c, '"' | '<' | '>' | '`')
}

fn without_tokens(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(TOKEN_BEGIN) {
        let (before, token) = rest.split_at(at);
        let end = token.find(|c| !is_of_token(c)).unwrap_or(token.len());
        let (token, after) = token.split_at(end);
        shown.push_str(before);
        shown.push_str(if end < MIN_TOKEN { token } else { HIDDEN });
        rest = after;
    }
    shown.push_str(rest);
    shown
}

fn is_of_token(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '=' | '+' | '/')
}

/// A word and the character that ends it, without the query where it is an address. One may be told
/// without its scheme, and escaped to stand in another one.
fn without_query(word: &str) -> String {
    let end = word.trim_end_matches(ends_word).len();
    let (word, after) = word.split_at(end);
    let plain = word.to_ascii_lowercase();
    let is_address = plain.contains("://") || plain.contains("%3a%2f%2f");
    let query = ["?", "%3f", "#", "%23"]
        .into_iter()
        .filter_map(|mark| plain.find(mark).map(|at| (at, at + mark.len())))
        .min();
    let mut shown = match query {
        Some((_, begin))
            if begin < word.len()
                && (is_address
                    || plain[begin..].contains('=')
                    || plain[begin..].contains("%3d")) =>
        {
            format!("{}{HIDDEN}", &word[..begin])
        }
        _ => word.to_owned(),
    };
    if let Some((scheme, rest)) = shown.split_once("://") {
        let authority = rest.split(['/', '?', '#', '\\']).next().unwrap_or(rest);
        if let Some(at) = authority.rfind('@') {
            shown = format!("{scheme}://{HIDDEN}{}", &rest[at..]);
        }
    }
    shown + after
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::discreet;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        assert_eq!(discreet(text, "tok3n"), expected);
    }

    #[track_caller]
    fn check_same(text: &str) {
        check(text, text);
    }

    #[test]
    fn tokens_are_hidden() {
        check("no tok3n, no Bearer tok3n", "no …, no Bearer …");
        check("bad eyJhbGciOi.eyJzdWIi.c2ln!", "bad …!");
        check("t=eyJhbGciOiJub25lIn0", "t=…");
        check(
            "xxeyJhbGciOiJub25lIn0 and eyJhbGciOiJub25lIn0.",
            "xx… and …",
        );
        check_same("the words eyJ and eyJect are no tokens");
        assert_eq!(discreet("plain", ""), "plain");
    }

    #[test]
    fn queries_of_addresses_are_hidden() {
        check("see https://a.b/c?sig=d&e=f now", "see https://a.b/c?… now");
        check("(\"HTTPS://A.B/c?sig=d\")", "(\"HTTPS://A.B/c?…\")");
        check("`https://a.b/c#d=e`", "`https://a.b/c#…`");
        check("https://a.b?x=(y),z;w", "https://a.b?…");
        check("https://a.b/?onlyakey", "https://a.b/?…");
        check("/c?sig=d", "/c?…");
        check("https:\\/\\/a.b\\/c?sig=d", "https:\\/\\/a.b\\/c?…");
        check(
            "https%3A%2F%2Fa.b%2Fc%3Fsig%3Dd",
            "https%3A%2F%2Fa.b%2Fc%3F…",
        );
        check("ä?ö=ü\u{a0}b", "ä?…\u{a0}b");
    }

    #[test]
    fn logins_of_addresses_are_hidden() {
        check("https://u:p@a.b/c@d", "https://…@a.b/c@d");
        check("https://u:p@q@a.b?x=y", "https://…@a.b?…");
        check_same("https://a.b/c@d");
    }

    #[test]
    fn the_rest_stays() {
        check_same("");
        check_same("which one? this one (a=b, #5)  and\tthat https://a.b/c?");
        check_same("what?! mail@a.b http https://a.b:80/c");
    }
}
