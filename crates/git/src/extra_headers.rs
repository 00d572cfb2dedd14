//! `http.extraHeader` and `http.<url>.extraHeader`: what the user's git configuration adds to each
//! request, often a login.
//!
//! Only the host of the address itself is told them, whatever a server says, and no text shows one.

use std::fmt;

use plugd_http::header::HeaderName;

/// Headers that belong to a connection or a body, and to nobody's configuration.
const NOT_THEIRS: &[&str] = &[
    "connection",
    "content-length",
    "host",
    "transfer-encoding",
    "upgrade",
];

/// The headers for one address.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct ExtraHeaders {
    headers: Vec<(HeaderName, String)>,
    has_bad: bool,
}

impl ExtraHeaders {
    /// Reads lines such as `Authorization: Bearer …`. One that is none is left out.
    pub(crate) fn read<'a>(lines: impl IntoIterator<Item = &'a str>) -> Self {
        let mut read = Self::default();
        for line in lines {
            match header(line) {
                Some(header) => read.headers.push(header),
                None => read.has_bad = true,
            }
        }
        read
    }

    /// Whether one of them is no header, or none that may be sent.
    pub(crate) fn has_bad(&self) -> bool {
        self.has_bad
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.headers.is_empty()
    }

    /// Whether one of them is a login as HTTP knows it.
    pub(crate) fn has_login(&self) -> bool {
        self.headers.iter().any(|(name, _)| name == "authorization")
    }

    /// The headers that go beside a login of another kind, which takes the place of theirs.
    pub(crate) fn beside_login(&self) -> impl Iterator<Item = &(HeaderName, String)> {
        self.headers
            .iter()
            .filter(|(name, _)| name != "authorization")
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = &(HeaderName, String)> {
        self.headers.iter()
    }

    /// The texts that must not appear anywhere: each value, and its words.
    pub(crate) fn secrets(&self) -> Vec<String> {
        let values = self.headers.iter().map(|(_, value)| value);
        let mut secrets: Vec<String> = values
            .flat_map(|value| value.split_whitespace().chain([value.as_str()]))
            .map(str::to_owned)
            .collect();
        secrets.retain(|secret| secret.len() >= 8);
        secrets
    }
}

impl fmt::Debug for ExtraHeaders {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.headers.iter().map(|(name, _)| name.as_str());
        f.debug_list().entries(names).finish()
    }
}

fn header(line: &str) -> Option<(HeaderName, String)> {
    let (name, value) = line.split_once(':')?;
    let name = HeaderName::from_bytes(name.trim().as_bytes()).ok()?;
    let value = value.trim();
    let may_go = !value.is_empty()
        && !value.chars().any(char::is_control)
        && !NOT_THEIRS.contains(&name.as_str());
    may_go.then(|| (name, value.to_owned()))
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::ExtraHeaders;

    fn of(lines: &[&str]) -> ExtraHeaders {
        ExtraHeaders::read(lines.iter().copied())
    }

    #[test]
    fn headers_are_read_and_what_is_none_is_left_out() {
        let headers = of(&[
            "Authorization: Bearer hidden-token",
            "X-Team:  blue ",
            "no header",
            "Host: elsewhere",
            "Bad Name: x",
            "X-Empty:",
            "X-Two: a\nb",
        ]);
        let all: Vec<String> = headers.all().map(|(n, v)| format!("{n}: {v}")).collect();
        assert_eq!(all, ["authorization: Bearer hidden-token", "x-team: blue"]);
        assert!(headers.has_login());
        let beside: Vec<&str> = headers.beside_login().map(|(n, _)| n.as_str()).collect();
        assert_eq!(beside, ["x-team"]);
        assert!(headers.has_bad());
        let fine = of(&["X-Team: blue"]);
        assert_eq!((fine.has_login(), fine.has_bad()), (false, false));
    }

    #[test]
    fn no_text_shows_one() {
        let headers = of(&["Authorization: Basic b2F1dGgyOmhpZGRlbi10b2tlbg=="]);
        assert_eq!(format!("{headers:?}"), "[\"authorization\"]");
        let secrets = headers.secrets();
        assert!(secrets.contains(&"b2F1dGgyOmhpZGRlbi10b2tlbg==".to_owned()));
        assert!(!secrets.contains(&"Basic".to_owned()));
    }
}
