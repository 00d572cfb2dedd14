//! `.gitmodules`: where the repositories inside a repository come from.
//!
//! Read by code of our own and not by libgit2's configuration parser: that one follows includes, and
//! this file is a stranger's.

use std::collections::BTreeMap;

use crate::{Address, AddressError};

/// Most bytes that are read.
pub(crate) const MAX_FILE: usize = 1 << 20;

/// The URL of every path that the file names. Lines that cannot be read are skipped.
pub(crate) fn urls(text: &str) -> BTreeMap<String, String> {
    let mut sections: BTreeMap<String, (Option<String>, Option<String>)> = BTreeMap::new();
    let mut current: Option<String> = None;
    for line in text.lines().map(str::trim) {
        if let Some(header) = line.strip_prefix('[') {
            current = section(header);
        } else if let (Some(name), Some((key, value))) = (&current, line.split_once('=')) {
            let entry = sections.entry(name.clone()).or_default();
            let value = unquoted(value.trim());
            match key.trim().to_ascii_lowercase().as_str() {
                "path" => entry.0 = Some(value),
                "url" => entry.1 = Some(value),
                _ => {}
            }
        }
    }
    sections
        .into_values()
        .filter_map(|(path, url)| Some((crate::sparse::relative(&path?)?, url?)))
        .collect()
}

fn section(header: &str) -> Option<String> {
    let rest = header.strip_prefix("submodule")?.trim_start();
    let name = rest.strip_prefix('"')?.split_once("\"]")?.0;
    Some(name.to_owned())
}

fn unquoted(value: &str) -> String {
    let inner = value
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'))
        .unwrap_or(value);
    inner.replace("\\\"", "\"").replace("\\\\", "\\")
}

/// The address of a submodule. A relative one means a neighbour of its parent.
pub(crate) fn address(parent: &Address, url: &str) -> Result<Address, AddressError> {
    if !url.starts_with("./") && !url.starts_with("../") {
        return Address::parse(url);
    }
    let mut base = parent.secret_text().trim_end_matches('/').to_owned();
    let mut rest = url;
    loop {
        if let Some(behind) = rest.strip_prefix("./") {
            rest = behind;
        } else if let Some(behind) = rest.strip_prefix("../") {
            rest = behind;
            // Never into the host: `https://h` has nothing above it.
            let floor = base.find("://").map_or(0, |at| at + 3);
            match base.rfind(['/', ':']).filter(|at| *at > floor) {
                Some(at) if base[at..].starts_with('/') => base.truncate(at),
                Some(at) => base.truncate(at + 1),
                None => return Address::parse(""),
            }
        } else {
            break;
        }
    }
    let slash = if base.ends_with(':') { "" } else { "/" };
    Address::parse(&format!("{base}{slash}{rest}"))
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::{address, urls};
    use crate::Address;

    #[test]
    fn paths_and_urls_belong_together() {
        let text = "[submodule \"a\"]\n\tpath = libs/a\n\turl = https://h/a.git\n\
            ; note\n[submodule \"b\"]\n url = \"../b\"\n path = b\n[core]\n path = c\n url = d\n\
            [submodule \"e\"]\n path = ../e\n url = f\n[submodule \"g\"]\n path = g\n";
        let found: Vec<_> = urls(text).into_iter().collect();
        let pair = |path: &str, url: &str| (path.to_owned(), url.to_owned());
        assert_eq!(
            found,
            [pair("b", "../b"), pair("libs/a", "https://h/a.git")]
        );
    }

    #[track_caller]
    fn check(parent: &str, url: &str, expected: Option<&str>) {
        let parent = Address::parse(parent).unwrap();
        let found = address(&parent, url).ok().map(|found| found.shown());
        assert_eq!(found.as_deref(), expected, "{url}");
    }

    #[test]
    fn relative_urls_mean_neighbours() {
        check("https://h/o/r.git", "../s.git", Some("https://h/o/s.git"));
        check("https://h/o/r.git", "../../p/s", Some("https://h/p/s"));
        check("https://h/o/r.git", "./s", Some("https://h/o/r.git/s"));
        check("git@h:o/r", "../s", Some("git@h:o/s"));
        check("/srv/r", "../s", Some("/srv/s"));
        check("https://h/o", "../../../x", None);
        check("https://h/o/r", "ext::sh -c id", None);
        check("https://h/o/r", "-x", None);
    }
}
