//! Whether a hook is trusted: by its declaration, and by what its plugin held when that was trusted.
//!
//! The configuration holds the digest of a declaration. A declaration names scripts, and with an
//! update they may do something else under the same declaration, so the content counts as well. What
//! it was is remembered beside the configuration when trust is met for the first time, under all that
//! the configuration says of the trust: another program that renews the trust writes other words, and
//! then the content is looked at anew.
//!
//! Another program may have trusted a content that is gone. Its half of the hash cannot be computed
//! here; but when the copy was installed or changed since, that is not what was trusted.

use std::collections::BTreeMap;

use plugd_config::HookState;
use plugd_disk::tree::Digest;

/// Whether a hook may run, as far as the user's trust is concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HookTrust {
    /// Nobody has said so.
    Untrusted,
    /// The user trusts it as it is.
    Trusted,
    /// The user trusted something else under this key.
    Modified,
}

/// What a plugin held when a hook of it was trusted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Witness {
    /// What the configuration said.
    pub(crate) trusted: String,
    /// What was there.
    pub(crate) content: Digest,
}

/// The witnesses by the keys of hooks.
pub(crate) type Witnesses = BTreeMap<String, Witness>;

/// What the configuration says about a declaration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Claim {
    /// Nothing.
    None,
    /// That another one is trusted.
    Other,
    /// That this one is trusted, in these words.
    Trusted(String),
}

impl Claim {
    /// Reads what the configuration says.
    pub(crate) fn of(state: Option<&HookState>, declaration: &Digest) -> Self {
        let Some(state) = state else {
            return Self::None;
        };
        let Some(hash) = &state.trusted_hash else {
            return Self::None;
        };
        if *hash != declaration.to_string() {
            return Self::Other;
        }
        Self::Trusted(match &state.trusted_content_hash {
            Some(content) => format!("{hash}/{content}"),
            None => hash.clone(),
        })
    }
}

/// Decides, and notes what was met for the first time. `content` is `None` when it cannot be read:
/// what is not known is not trusted.
pub(crate) fn judge(
    key: &str,
    claim: Claim,
    content: Option<Digest>,
    before: Before,
    witnesses: &mut Witnesses,
) -> HookTrust {
    let trusted = match claim {
        Claim::None => return HookTrust::Untrusted,
        Claim::Other => return HookTrust::Modified,
        Claim::Trusted(trusted) => trusted,
    };
    let Some(content) = content else {
        return HookTrust::Modified;
    };
    match witnesses.get(key) {
        Some(witness) if witness.trusted == trusted && witness.content == content => {
            HookTrust::Trusted
        }
        Some(witness) if witness.trusted == trusted => HookTrust::Modified,
        None if before == Before::Changed && has_content_half(&trusted) => HookTrust::Modified,
        _ => {
            witnesses.insert(key.to_owned(), Witness { trusted, content });
            HookTrust::Trusted
        }
    }
}

/// What is known of a copy between the trust and the first look at it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Before {
    /// Nothing speaks against it being what was trusted.
    Same,
    /// It was installed behind the trust, or is not what was installed.
    Changed,
}

/// Whether a content was trusted beside the declaration.
fn has_content_half(trusted: &str) -> bool {
    trusted.contains('/')
}

#[cfg(test)]
mod tests {
    use plugd_config::{SessionFlags, load};
    use plugd_disk::Disk;
    use plugd_disk::tree::Digest;
    use plugd_testkit::Sandbox;
    use pretty_assertions::assert_eq;

    use super::{Before, Claim, HookTrust, Witnesses, judge};

    const KEY: &str = "p@m:hooks/hooks.json:stop:0:0";

    fn digest(text: &str) -> Digest {
        Digest::of_bytes(text.as_bytes())
    }

    fn claim(members: &str) -> Claim {
        let members = members.replace("$D", &digest("declaration").to_string());
        let sandbox = Sandbox::from(&format!(
            "== ch/config.toml\n[hooks.state.\"{KEY}\"]\n{members}\n"
        ));
        let config = load(&Disk::new(), &sandbox.layout(), &SessionFlags::none(), None);
        let state = config.hook_states().iter().find(|state| state.key == KEY);
        Claim::of(state, &digest("declaration"))
    }

    #[test]
    fn what_the_configuration_says() {
        let declaration = digest("declaration").to_string();
        assert_eq!(Claim::of(None, &digest("declaration")), Claim::None);
        assert_eq!(claim("enabled = true"), Claim::None);
        assert_eq!(claim("trusted_content_hash = \"sha256:c\""), Claim::None);
        assert_eq!(claim("trusted_hash = \"sha256:x\""), Claim::Other);
        // Both halves in one value were put there by hand.
        assert_eq!(claim("trusted_hash = \"$D/sha256:c\""), Claim::Other);
        assert_eq!(
            claim("trusted_hash = \"$D\""),
            Claim::Trusted(declaration.clone())
        );
        assert_eq!(
            claim("trusted_hash = \"$D\"\ntrusted_content_hash = \"sha256:c\""),
            Claim::Trusted(format!("{declaration}/sha256:c"))
        );
    }

    #[test]
    fn content_is_remembered_under_the_words_of_the_trust() {
        let mut witnesses = Witnesses::new();
        let mut check = |claim: Claim, content: Option<&str>, expected: HookTrust| {
            let trust = judge(
                KEY,
                claim,
                content.map(digest),
                Before::Same,
                &mut witnesses,
            );
            assert_eq!(trust, expected);
        };
        let trusted = |words: &str| Claim::Trusted(words.to_owned());
        check(Claim::None, Some("1"), HookTrust::Untrusted);
        check(Claim::Other, Some("1"), HookTrust::Modified);
        // Nothing was noted so far, and nothing is when the content cannot be read.
        check(trusted("a"), None, HookTrust::Modified);
        check(trusted("a"), Some("1"), HookTrust::Trusted);
        check(trusted("a"), Some("2"), HookTrust::Modified);
        check(trusted("a"), None, HookTrust::Modified);
        // It is what it was again.
        check(trusted("a"), Some("1"), HookTrust::Trusted);
        // Somebody renewed the trust.
        check(trusted("b"), Some("2"), HookTrust::Trusted);
        check(trusted("b"), Some("1"), HookTrust::Modified);
    }

    #[test]
    fn a_content_that_somebody_trusted_before_it_changed_is_modified() {
        let judge = |words: &str, before: Before, known: &mut Witnesses| {
            let claim = Claim::Trusted(words.to_owned());
            judge(KEY, claim, Some(digest("1")), before, known)
        };
        let known = &mut Witnesses::new();
        assert_eq!(judge("a/b", Before::Changed, known), HookTrust::Modified);
        assert_eq!(known.len(), 0);
        // The declaration alone says nothing of the content.
        assert_eq!(judge("a", Before::Changed, known), HookTrust::Trusted);
        // What was met before is compared with that.
        assert_eq!(judge("a/b", Before::Changed, known), HookTrust::Trusted);
        let known = &mut Witnesses::new();
        assert_eq!(judge("a/b", Before::Same, known), HookTrust::Trusted);
    }
}
