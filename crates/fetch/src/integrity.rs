//! What an archive must hash to: a digest in the form of subresource integrity, or SHA-1 in
//! hexadecimal digits as registries wrote before.

use plugd_model::hex;
use std::fmt;

use sha1::Sha1;
use sha2::{Digest as _, Sha256, Sha384, Sha512};

use crate::{FetchError, base64};

/// How many characters of a digest an error shows: enough to compare by eye.
const SHOWN: usize = 16;

/// What stands in front of a SHA-256 in hexadecimal digits.
const SHA256_PREFIX: &str = "sha256:";

/// A digest that was promised for an archive. Several of one algorithm mean that any will do.
#[derive(Clone, PartialEq, Eq)]
pub struct Integrity {
    algorithm: Algorithm,
    digests: Vec<Vec<u8>>,
    notation: Notation,
}

/// How a digest was written, and is shown to be compared by eye.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Notation {
    Base64,
    Hex,
}

/// How a digest was made, weakest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Algorithm {
    /// SHA-1, which old packages of npm registries have and nothing else.
    Sha1,
    /// SHA-256.
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
}

/// The digest of an archive in the making.
#[derive(Debug)]
pub(crate) enum Hasher {
    Sha1(Sha1),
    Sha256(Sha256),
    Sha384(Sha384),
    Sha512(Sha512),
}

impl Integrity {
    /// Reads a text such as `sha512-…` or several of them with spaces in between. The strongest
    /// algorithm counts, the others are not looked at. `None` when there is no digest of a known
    /// algorithm in it.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut best: Option<Self> = None;
        for item in text.split_ascii_whitespace() {
            let Some((algorithm, digest)) = parse_item(item) else {
                continue;
            };
            match &mut best {
                Some(best) if best.algorithm > algorithm => {}
                Some(best) if best.algorithm == algorithm => best.digests.push(digest),
                _ => {
                    best = Some(Self {
                        algorithm,
                        digests: vec![digest],
                        notation: Notation::Base64,
                    });
                }
            }
        }
        best
    }

    /// Reads a SHA-1 in forty hexadecimal digits.
    #[must_use]
    pub fn from_sha1_hex(text: &str) -> Option<Self> {
        Some(Self {
            algorithm: Algorithm::Sha1,
            digests: vec![from_hex(text, Algorithm::Sha1)?],
            notation: Notation::Base64,
        })
    }

    /// Reads `sha256:` and 64 hexadecimal digits, as services name the digest of a bundle.
    #[must_use]
    pub fn from_sha256(text: &str) -> Option<Self> {
        let digits = text.strip_prefix(SHA256_PREFIX)?;
        Some(Self {
            algorithm: Algorithm::Sha256,
            digests: vec![from_hex(digits, Algorithm::Sha256)?],
            notation: Notation::Hex,
        })
    }

    /// The algorithm.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    pub(crate) fn hasher(&self) -> Hasher {
        match self.algorithm {
            Algorithm::Sha1 => Hasher::Sha1(Sha1::new()),
            Algorithm::Sha256 => Hasher::Sha256(Sha256::new()),
            Algorithm::Sha384 => Hasher::Sha384(Sha384::new()),
            Algorithm::Sha512 => Hasher::Sha512(Sha512::new()),
        }
    }

    /// Compares with the digest of what came.
    pub(crate) fn check(&self, hasher: Hasher) -> Result<(), FetchError> {
        let found = hasher.finish();
        if self.digests.contains(&found) {
            return Ok(());
        }
        let shown = |digest: &[u8]| {
            let text = self.notation.write(digest);
            format!("{}…", text.get(..SHOWN).unwrap_or(&text))
        };
        let expected: Vec<_> = self.digests.iter().map(|digest| shown(digest)).collect();
        Err(FetchError::WrongDigest {
            algorithm: self.algorithm,
            expected: expected.join(" or "),
            found: shown(&found),
        })
    }
}

impl Notation {
    fn write(self, digest: &[u8]) -> String {
        match self {
            Self::Base64 => base64::encode(digest),
            Self::Hex => hex(digest),
        }
    }
}

fn from_hex(text: &str, algorithm: Algorithm) -> Option<Vec<u8>> {
    let text = text.as_bytes();
    if text.len() != 2 * algorithm.bytes() {
        return None;
    }
    let value = |digit: u8| char::from(digit).to_digit(16);
    text.chunks(2)
        .map(|pair| u8::try_from(value(pair[0])? * 16 + value(pair[1])?).ok())
        .collect()
}

fn parse_item(item: &str) -> Option<(Algorithm, Vec<u8>)> {
    let (name, rest) = item.split_once('-')?;
    let algorithm = Algorithm::ALL.into_iter().find(|one| one.name() == name)?;
    // Options may follow; none is known.
    let digest = rest.split('?').next().unwrap_or_default();
    let digest = base64::decode(digest)?;
    (digest.len() == algorithm.bytes()).then_some((algorithm, digest))
}

impl Algorithm {
    const ALL: [Self; 4] = [Self::Sha1, Self::Sha256, Self::Sha384, Self::Sha512];

    /// The name as subresource integrity spells it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Sha1 => "sha1",
            Self::Sha256 => "sha256",
            Self::Sha384 => "sha384",
            Self::Sha512 => "sha512",
        }
    }

    /// How many bytes a digest has.
    fn bytes(self) -> usize {
        match self {
            Self::Sha1 => 20,
            Self::Sha256 => 32,
            Self::Sha384 => 48,
            Self::Sha512 => 64,
        }
    }
}

impl Hasher {
    pub(crate) fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Sha1(hasher) => hasher.update(bytes),
            Self::Sha256(hasher) => hasher.update(bytes),
            Self::Sha384(hasher) => hasher.update(bytes),
            Self::Sha512(hasher) => hasher.update(bytes),
        }
    }

    pub(crate) fn finish(self) -> Vec<u8> {
        match self {
            Self::Sha1(hasher) => hasher.finalize().to_vec(),
            Self::Sha256(hasher) => hasher.finalize().to_vec(),
            Self::Sha384(hasher) => hasher.finalize().to_vec(),
            Self::Sha512(hasher) => hasher.finalize().to_vec(),
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Display for Integrity {
    /// In the form that [`Integrity::parse`] or [`Integrity::from_sha256`] reads.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mark = match self.notation {
            Notation::Base64 => '-',
            Notation::Hex => ':',
        };
        for (at, digest) in self.digests.iter().enumerate() {
            let space = if at == 0 { "" } else { " " };
            let digest = self.notation.write(digest);
            write!(f, "{space}{}{mark}{digest}", self.algorithm)?;
        }
        Ok(())
    }
}

impl fmt::Debug for Integrity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Integrity({self})")
    }
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::Integrity;

    // The digests of the three bytes `abc`, from the standard that defines each algorithm.
    const SHA1_HEX: &str = "a9993e364706816aba3e25717850c26c9cd0d89d";
    const SHA1: &str = "sha1-qZk+NkcGgWq6PiVxeFDCbJzQ2J0=";
    const SHA256: &str = "sha256-ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=";
    const SHA384: &str = "sha384-ywB1P0WjXou1oD1pmsZQBycsMqsO3tFjGotgWkP/W+2AhgcroefMI1i67KE0yCWn";
    const SHA512: &str = "sha512-3a81oZNherrMQXNJriBBMRLm+k6JqX6iCp7u5ktV05ohkpkqJ0/BqDa6PCOj/uu9RU1EI2Q86A4qmslPpUyknw==";

    #[track_caller]
    fn check(text: &str, expected: Option<&str>) {
        let parsed = Integrity::parse(text);
        assert_eq!(
            parsed.map(|one| one.to_string()).as_deref(),
            expected,
            "{text}"
        );
    }

    #[track_caller]
    fn check_content(integrity: &Integrity, content: &[u8], expected: Result<(), &str>) {
        let mut hasher = integrity.hasher();
        for piece in content.chunks(2) {
            hasher.update(piece);
        }
        let outcome = integrity.check(hasher).map_err(|error| error.to_string());
        assert_eq!(outcome, expected.map_err(str::to_owned));
    }

    #[test]
    fn the_strongest_algorithm_counts() {
        for one in [SHA1, SHA256, SHA384, SHA512] {
            check(one, Some(one));
        }
        check(&format!("{SHA256} {SHA512}  {SHA1}"), Some(SHA512));
        check(&format!("{SHA384}?opt md5-abcd {SHA1}"), Some(SHA384));
        check(&format!("{SHA1} {SHA1}"), Some(&format!("{SHA1} {SHA1}")));
    }

    #[test]
    fn what_is_no_digest_is_none() {
        check("", None);
        check("md5-kAFQmDzST7DWlj99KOF/cg==", None);
        check("sha512-kAFQmDzST7DWlj99KOF/cg==", None);
        check("sha512", None);
        check("SHA512-x", None);
        assert_eq!(Integrity::from_sha1_hex(""), None);
        assert_eq!(Integrity::from_sha1_hex(&"g".repeat(40)), None);
        assert_eq!(Integrity::from_sha1_hex(&"ä".repeat(20)), None);
    }

    #[test]
    fn each_algorithm_knows_its_content() {
        for text in [SHA1, SHA256, SHA384, SHA512] {
            check_content(&Integrity::parse(text).unwrap(), b"abc", Ok(()));
        }
        let old = Integrity::from_sha1_hex(SHA1_HEX).unwrap();
        assert_eq!(old.to_string(), SHA1);
        check_content(&old, b"abc", Ok(()));
        let other = Integrity::parse(&SHA1.replace("qZk", "AAA")).unwrap();
        check_content(
            &other,
            b"abc",
            Err(
                "the archive has the sha1 digest qZk+NkcGgWq6PiVx… and should have \
                 AAA+NkcGgWq6PiVx…",
            ),
        );
    }

    #[test]
    fn a_sha256_in_hexadecimal_digits() {
        let text = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        let digest = Integrity::from_sha256(text).unwrap();
        assert_eq!(digest.to_string(), text);
        assert_eq!(
            Integrity::from_sha256(&text.replace('b', "B")),
            Some(digest.clone())
        );
        check_content(&digest, b"abc", Ok(()));
        check_content(
            &digest,
            b"abd",
            Err(
                "the archive has the sha256 digest a52d159f262b2c6d… and should have \
                 ba7816bf8f01cfea…",
            ),
        );
        for odd in [
            "",
            "sha256:",
            &text[..70],
            &text[7..],
            &text.replace("sha256", "sha512"),
            &text.replace('f', "g"),
            &format!("{text}0"),
            SHA256,
        ] {
            assert_eq!(Integrity::from_sha256(odd), None, "{odd}");
        }
    }

    #[test]
    fn any_of_several_digests_will_do() {
        let text = format!("{} {SHA1}", SHA1.replace("qZk", "AAA"));
        check_content(&Integrity::parse(&text).unwrap(), b"abc", Ok(()));
    }
}
