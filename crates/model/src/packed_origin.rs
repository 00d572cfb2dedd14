//! Where a marketplace comes from that is fetched as one archive: an artifact of an OCI registry, or
//! an archive behind an address.
//!
//! A row of the reference's configuration has no word for such a place, and one with a word that it
//! does not know breaks the whole file for it. So the row names a directory of ours, and the
//! directory's path spells the origin. Whoever reads the row knows the origin without looking at a
//! disk, and no file beside it can say another one.

use std::fmt;
use std::path::Component;

use crate::{AbsPath, ArchiveUrl, OciReference, percent};

/// What a reference of a registry begins with.
const OCI: &str = "oci://";
/// The directories above the name of a marketplace, below the home.
const ABOVE: [&str; 3] = ["plugins", ".plugd", "marketplaces"];
/// Longest name of a directory that is made; a longer spelling goes on in the next one.
const LONGEST: usize = 200;
/// How long the whole spelling may be: a path has at most 4,096 bytes, and the home stands in front.
const LONGEST_PLACE: usize = 2_048;
/// What a directory begins with that goes on with the one above it.
const GOES_ON: char = '+';

/// Where a marketplace comes from that is fetched as one archive. It holds no login, so it may be
/// shown and recorded as it is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PackedOrigin {
    /// An artifact of an OCI registry.
    Oci(OciReference),
    /// An archive behind an address.
    Archive(ArchiveUrl),
}

impl PackedOrigin {
    /// Reads an origin: what begins with `oci://` is a reference, everything else an address.
    ///
    /// # Errors
    /// It cannot be meant; the text says why.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let front = text.get(..OCI.len());
        let origin = match front.is_some_and(|front| front.eq_ignore_ascii_case(OCI)) {
            true => OciReference::parse(text).map(Self::Oci),
            false => ArchiveUrl::parse(text).map(Self::Archive),
        }?;
        match origin.directories().iter().map(String::len).sum::<usize>() > LONGEST_PLACE {
            true => Err("the address is too long to be spelled by a directory"),
            false => Ok(origin),
        }
    }

    /// The origin that the path of a marketplace's directory spells, in whatever home that is.
    #[must_use]
    pub fn of_place(place: &AbsPath) -> Option<Self> {
        let names = place.as_path().components().filter_map(|one| match one {
            Component::Normal(name) => name.to_str(),
            _ => None,
        });
        let names: Vec<&str> = names.collect();
        let above = names.windows(ABOVE.len()).rposition(|some| some == ABOVE)?;
        // Behind them comes the marketplace's name, whatever it is.
        let spelled = names.get(above + ABOVE.len() + 1..)?;
        let mut text = String::new();
        for (index, part) in spelled.iter().enumerate() {
            text.push_str(match index {
                0 => part,
                _ => part.strip_prefix(GOES_ON)?,
            });
        }
        let origin = Self::parse(&percent::decoded(&text)?).ok()?;
        // One origin has one place.
        (origin.directories() == spelled).then_some(origin)
    }

    /// The directories that spell it, one below the other.
    #[must_use]
    pub fn directories(&self) -> Vec<String> {
        let escaped = escaped(&self.to_string());
        let mut parts = Vec::new();
        let mut rest = escaped.as_str();
        while !rest.is_empty() {
            // Everything in it is ASCII.
            let (part, behind) = rest.split_at(rest.len().min(LONGEST));
            parts.push(match parts.is_empty() {
                true => part.to_owned(),
                false => format!("{GOES_ON}{part}"),
            });
            rest = behind;
        }
        parts
    }

    /// The same place, with this digest of it. What is no digest changes nothing.
    #[must_use]
    pub fn at(&self, digest: &str) -> Self {
        let pinned = match self {
            Self::Oci(reference) => reference.at(reference.tag(), Some(digest)).map(Self::Oci),
            Self::Archive(url) => {
                let digits = digest.trim_start_matches("sha256:");
                ArchiveUrl::parse(&format!("{}#sha256={digits}", url.url())).map(Self::Archive)
            }
        };
        pinned.unwrap_or_else(|_| self.clone())
    }

    /// A word for its kind.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Oci(_) => "oci",
            Self::Archive(_) => "archive",
        }
    }

    /// Where it is, whatever of it is meant: a repository of a registry, or an address without the
    /// digest.
    #[must_use]
    pub fn address(&self) -> String {
        match self {
            Self::Oci(reference) => reference.address(),
            Self::Archive(url) => url.url().to_owned(),
        }
    }

    /// The tag, where one is named.
    #[must_use]
    pub fn tag(&self) -> Option<&str> {
        match self {
            Self::Oci(reference) => reference.tag(),
            Self::Archive(_) => None,
        }
    }

    /// The digest, where one is named: then it never means anything else.
    #[must_use]
    pub fn digest(&self) -> Option<&str> {
        match self {
            Self::Oci(reference) => reference.digest(),
            Self::Archive(url) => url.digest(),
        }
    }
}

impl fmt::Display for PackedOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Oci(reference) => reference.fmt(f),
            Self::Archive(url) => url.fmt(f),
        }
    }
}

/// A text as part of a path: everything but letters, digits and `.`, `_`, `-` is escaped.
fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for byte in text.bytes() {
        match byte {
            b'.' | b'_' | b'-' => escaped.push(char::from(byte)),
            _ if byte.is_ascii_alphanumeric() => escaped.push(char::from(byte)),
            _ => escaped.push_str(&format!("%{byte:02X}")),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::PackedOrigin;
    use crate::{AbsPath, Layout, MarketplaceName};

    const HEX: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    fn place(origin: &PackedOrigin) -> AbsPath {
        let home = AbsPath::new("/home/me/.codex").unwrap();
        let layout = Layout::new(home, AbsPath::new("/etc/codex").unwrap());
        layout.packed_marketplace(&MarketplaceName::new("team").unwrap(), origin)
    }

    #[track_caller]
    fn check(text: &str, spelled: &str) {
        let origin = PackedOrigin::parse(text).unwrap();
        assert_eq!(origin.to_string(), text);
        let place = place(&origin);
        let above = "/home/me/.codex/plugins/.plugd/marketplaces/team";
        assert_eq!(place.to_text(), format!("{above}/{spelled}"));
        assert_eq!(PackedOrigin::of_place(&place), Some(origin));
    }

    #[test]
    fn an_address_that_no_path_can_spell_is_refused() {
        let address = |slashes: usize| format!("https://h.example{}x.tgz", "/a".repeat(slashes));
        check_long(&address(400), true);
        check_long(&address(1_900), false);
    }

    #[track_caller]
    fn check_long(text: &str, is_good: bool) {
        assert_eq!(PackedOrigin::parse(text).is_ok(), is_good);
    }

    #[test]
    fn a_place_spells_its_origin() {
        check(
            "oci://r.example:5000/team/market:1",
            "oci%3A%2F%2Fr.example%3A5000%2Fteam%2Fmarket%3A1",
        );
        check(
            "https://h.example/a-b_c.tar.gz",
            "https%3A%2F%2Fh.example%2Fa-b_c.tar.gz",
        );
        check(
            &format!("oci://h/a@sha256:{HEX}"),
            &format!("oci%3A%2F%2Fh%2Fa%40sha256%3A{HEX}"),
        );
    }

    #[test]
    fn a_long_one_is_spelled_in_several_directories() {
        let text = format!("https://h/{}/{}.tar", "a".repeat(190), ".".repeat(300));
        let origin = PackedOrigin::parse(&text).unwrap();
        let parts = origin.directories();
        assert_eq!(parts.len(), 3);
        assert!(parts.iter().all(|part| part.len() <= 201), "{parts:?}");
        assert_eq!(PackedOrigin::of_place(&place(&origin)), Some(origin));
    }

    #[test]
    fn another_path_spells_nothing() {
        let above = "/h/plugins/.plugd/marketplaces";
        for other in [
            "/srv/marketplaces/team/oci%3A%2F%2Fh%2Fa".to_owned(),
            above.to_owned(),
            format!("{above}/team"),
            format!("{above}/team/oci%3A%2F%2Fh"),
            // Another spelling of the same would be another place.
            format!("{above}/team/oci%3a%2f%2fh%2fa"),
            format!("{above}/team/OCI%3A%2F%2Fh%2Fa"),
            format!("{above}/team/oci%3A%2F/+%2Fh%2Fa"),
            format!("{above}/team/oci%3A%2F%2Fh%2Fa/plugins"),
            format!("{above}/team/https%3A%2F%2Fu%3Ap%40h%2Fa.tar"),
            format!("{above}/team/%"),
            format!("{above}/team/%F0"),
        ] {
            let path = AbsPath::new(&other).unwrap();
            assert_eq!(PackedOrigin::of_place(&path), None, "{other}");
        }
    }

    #[test]
    fn the_parts_of_an_origin() {
        let parts = |text: &str| {
            let origin = PackedOrigin::parse(text).unwrap();
            let text = |part: Option<&str>| part.unwrap_or("none").to_owned();
            let (tag, digest) = (text(origin.tag()), text(origin.digest()));
            [origin.word().to_owned(), origin.address(), tag, digest]
        };
        let pinned = format!("oci://h/a:1@sha256:{HEX}");
        let digest = format!("sha256:{HEX}");
        assert_eq!(parts(&pinned), ["oci", "oci://h/a", "1", &digest]);
        assert_eq!(parts("OCI://h/a"), ["oci", "oci://h/a", "none", "none"]);
        let archive = format!("https://h/a.tgz#sha256={HEX}");
        let expected = ["archive", "https://h/a.tgz", "none", &digest];
        assert_eq!(parts(&archive), expected);
        for bare in ["oci://h/a:1", "https://h/a.tgz"] {
            let pinned = PackedOrigin::parse(bare).unwrap().at(&digest);
            assert_eq!(pinned.digest(), Some(digest.as_str()));
            assert_eq!(pinned.at("other"), pinned);
        }
        assert!(PackedOrigin::parse("oci://h").is_err());
        assert!(PackedOrigin::parse("/h/a.tgz").is_err());
    }
}
