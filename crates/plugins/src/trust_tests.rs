use std::collections::BTreeSet;
use std::time::Duration;

use plugd_config::{TrustHold, TrustRule, TrustTier, TrustedPlace};
use plugd_marketplace::Binding;
use plugd_model::{AbsPath, MarketplaceName, PackedOrigin, RemotePluginId, Source};
use pretty_assertions::assert_eq;

use super::{Approved, CommitAge, Question, Verdict, Word, always_asks, decide, is_trusted};

const NOW: u64 = 1_000_000;
const DAY: u64 = 24 * 60 * 60;

fn name(text: &str) -> MarketplaceName {
    MarketplaceName::new(text).unwrap()
}

fn path(text: &str) -> AbsPath {
    AbsPath::new(text).unwrap()
}

fn rule(tier: TrustTier, words: &str) -> TrustRule {
    let mut rule = TrustRule {
        tier,
        file: None,
        confirms: false,
        trusted: Vec::new(),
        min_commit_age: Duration::ZERO,
        holds: BTreeSet::new(),
    };
    for word in words.split_whitespace() {
        match word.split_once('=') {
            None if word == "confirms" => rule.confirms = true,
            None => {
                let hold = TrustHold::ALL.into_iter().find(|hold| hold.word() == word);
                rule.holds.insert(hold.expect("a hold"));
            }
            Some(("days", "never")) => rule.min_commit_age = Duration::MAX,
            Some(("days", days)) => {
                rule.min_commit_age = Duration::from_secs(days.parse::<u64>().unwrap() * DAY);
            }
            Some(("name", of)) => rule.trusted.push(TrustedPlace::Name(name(of))),
            Some(("url", of)) => rule.trusted.push(TrustedPlace::Repository(of.to_owned())),
            Some(("dir", of)) => rule.trusted.push(TrustedPlace::Directory(path(of))),
            Some(other) => panic!("{other:?}"),
        }
    }
    rule
}

/// What is asked about, in words: where from, which source, how old, what it runs, whether approved.
struct Asked {
    name: MarketplaceName,
    binding: Binding,
    is_chosen: bool,
    word: Word,
    source: Source,
    age: CommitAge,
    runs: BTreeSet<TrustHold>,
    approved: Approved,
}

fn asked(words: &str) -> Asked {
    let git = |sha: Option<&str>| Source::Git {
        url: "https://example.com/third.git".to_owned(),
        path: None,
        ref_name: None,
        sha: sha.map(str::to_owned),
    };
    let mut asked = Asked {
        name: name("demo"),
        binding: Binding::Manifest(path("/srv/demo/.agents/plugins/marketplace.json")),
        is_chosen: true,
        word: Word::Place,
        source: Source::Local {
            path: path("/srv/demo/hello"),
        },
        age: CommitAge::None,
        runs: BTreeSet::new(),
        approved: Approved::No,
    };
    for word in words.split_whitespace() {
        match word {
            "git" => {
                asked.binding = Binding::Git {
                    url: "https://example.com/market.git".to_owned(),
                    ref_name: None,
                };
            }
            "oci" => {
                let origin = PackedOrigin::parse("oci://r.example/team/m:1").unwrap();
                asked.binding = Binding::Packed(origin);
            }
            "curated" => asked.binding = Binding::Curated,
            "remote" => {
                let id = RemotePluginId::parse("plugins~Plugin_1").unwrap();
                (asked.binding, asked.source) = (Binding::Remote { id }, Source::Remote);
            }
            "elsewhere" => asked.is_chosen = false,
            "third" => asked.source = git(None),
            "third@sha" => asked.source = git(Some("abc")),
            "ageless" => asked.age = CommitAge::Unknown,
            "new" => asked.age = CommitAge::Since(NOW - DAY),
            "old" => asked.age = CommitAge::Since(NOW - 4 * DAY),
            "ahead" => asked.age = CommitAge::Since(NOW + DAY),
            "hearsay" => asked.word = Word::Archive,
            "locked" => asked.word = Word::Lock,
            "approved" => asked.approved = Approved::Yes,
            "approvedNow" => asked.approved = Approved::AtAnyAge,
            hold => {
                let hold = TrustHold::ALL.into_iter().find(|one| one.word() == hold);
                asked.runs.insert(hold.expect("a hold"));
            }
        }
    }
    asked
}

impl Asked {
    fn question(&self) -> Question<'_> {
        Question {
            name: &self.name,
            binding: &self.binding,
            is_chosen: self.is_chosen,
            word: self.word,
            source: &self.source,
            age: self.age,
            runs: &self.runs,
            approved: self.approved,
        }
    }
}

fn shown(verdict: Result<(), Verdict>) -> String {
    let Err(verdict) = verdict else {
        return "yes".to_owned();
    };
    let mut text = verdict.reason.word().to_owned();
    for hold in &verdict.held {
        text.push_str(&format!(" {}", hold.word()));
    }
    if let Some(at) = verdict.not_before {
        text.push_str(&format!(" in {}d", (at - NOW) / DAY));
    }
    text
}

#[track_caller]
fn check(rules: &[(TrustTier, &str)], words: &str, expected: &str) {
    let rules: Vec<_> = rules
        .iter()
        .map(|(tier, words)| rule(*tier, words))
        .collect();
    let asked = asked(words);
    let found = shown(decide(&rules, &asked.question(), NOW));
    assert_eq!(found, expected, "{words}");
}

const STRICT: &str = "confirms days=3 hooks executables mcpServers";
const OWN: TrustTier = TrustTier::Settings;

#[test]
fn open_mode_asks_for_nothing() {
    for words in ["", "git new third hooks", "elsewhere ageless hooks"] {
        check(&[], words, "yes");
    }
}

#[test]
fn an_archive_is_trusted_by_its_origin() {
    for place in [
        "name=demo",
        "url=oci://r.example/team/m",
        "url=oci://r.example/team/m:1",
    ] {
        check(&[(OWN, &format!("{STRICT} {place}"))], "oci hooks", "yes");
    }
    for place in [
        "url=oci://r.example/team/m:2",
        "url=oci://r.example/team",
        "url=https://r.example/team/m",
        "dir=/srv/demo",
        "dir=/",
    ] {
        let rules = [(OWN, &*format!("{STRICT} {place}"))];
        check(&rules, "oci", "untrustedMarketplace");
    }
    let named = [(OWN, &*format!("{STRICT} name=demo"))];
    check(&named, "oci elsewhere", "untrustedMarketplace");
}

#[test]
fn strict_mode_wants_a_yes_for_what_is_not_trusted() {
    let strict = [(OWN, STRICT)];
    check(&strict, "", "untrustedMarketplace");
    check(&strict, "hooks apps", "untrustedMarketplace hooks");
    check(&strict, "approved hooks", "yes");
    check(&strict, "curated hooks", "yes");
    check(&strict, "remote", "untrustedMarketplace");
    check(&strict, "git old", "untrustedMarketplace");
    // Both are told: the yes can be given now, and the age comes by itself.
    check(&strict, "git new", "untrustedMarketplace in 2d");
    check(&strict, "git new approved", "commitTooYoung in 2d");
    check(&strict, "git new approvedNow", "yes");
    check(&strict, "git old approved", "yes");
}

#[test]
fn a_name_trusts_the_marketplace_that_the_user_has_under_it() {
    let named = [(OWN, "confirms name=demo days=3 hooks")];
    check(&named, "hooks", "yes");
    check(&named, "elsewhere", "untrustedMarketplace");
    // What only an archive says of its place trusts none.
    check(&named, "hearsay hooks", "untrustedMarketplace hooks");
    check(&named, "hearsay curated", "untrustedMarketplace");
    check(&named, "locked hooks", "untrustedMarketplace hooks");
    check(&named, "locked approved hooks", "yes");
    check(&named, "hearsay approved hooks", "yes");
    check(&named, "remote hooks", "yes");
    check(&[(OWN, "confirms name=other")], "", "untrustedMarketplace");
    check(&[(OWN, "confirms dir=/srv/demo")], "elsewhere hooks", "yes");
    check(&[(OWN, "confirms dir=/srv/de")], "", "untrustedMarketplace");
    let url = "confirms url=https://example.com/market.git";
    check(&[(OWN, url)], "git elsewhere hooks", "yes");
    check(&[(OWN, url)], "elsewhere", "untrustedMarketplace");
}

#[test]
fn commits_of_third_parties_have_to_grow_old() {
    let aged = [(OWN, "days=3")];
    check(&aged, "", "yes");
    check(&aged, "git new", "commitTooYoung in 2d");
    check(&aged, "git old", "yes");
    // A commit from tomorrow is four days away, and one of no time is never there.
    check(&aged, "git ahead", "commitTooYoung in 4d");
    check(&aged, "git ageless", "commitAgeUnknown");
    check(&aged, "git ageless approved", "commitAgeUnknown");
    check(&aged, "git ageless approvedNow", "yes");
    check(&aged, "curated new", "yes");
    // What a trusted marketplace leaves to a repository moves by itself.
    let named = [(OWN, "confirms name=demo days=3")];
    check(&named, "git new", "yes");
    check(&named, "third new", "commitTooYoung in 2d");
    check(&named, "third@sha new", "yes");
    check(&aged, "curated third new", "commitTooYoung in 2d");
    let listed = [(
        OWN,
        "confirms name=demo url=https://example.com/third.git days=3",
    )];
    check(&listed, "third new", "yes");
    check(&[(OWN, "days=never")], "git old", "commitAgeUnknown");
}

#[test]
fn single_parts_are_held_without_strict_mode() {
    let held = [(OWN, "hooks executables")];
    check(&held, "", "yes");
    check(&held, "mcpServers apps", "yes");
    check(&held, "mcpServers executables", "wouldRun executables");
    check(&held, "executables approved", "yes");
    check(&held, "curated hooks", "yes");
}

/// No rule beside another lets through what that one stops.
#[test]
fn rules_only_add() {
    let words = [
        "",
        "confirms",
        "confirms name=demo",
        "days=3",
        "hooks",
        STRICT,
        "days=never apps",
    ];
    let cases = [
        "",
        "hooks",
        "elsewhere",
        "git new",
        "git old hooks",
        "third new",
        "curated",
        "remote apps",
        "git ageless",
        "approved hooks",
        "git new approved",
        "git new approvedNow",
    ];
    for first in words {
        for second in words {
            for tier in [TrustTier::Project, TrustTier::Required] {
                let (one, other) = (rule(OWN, first), rule(tier, second));
                for case in cases {
                    let asked = asked(case);
                    let alone = |rule: &TrustRule| {
                        decide(std::slice::from_ref(rule), &asked.question(), NOW).is_ok()
                    };
                    let both = [one.clone(), other.clone()];
                    let together = decide(&both, &asked.question(), NOW).is_ok();
                    let expected = alone(&one) && alone(&other);
                    assert_eq!(together, expected, "{first} + {second}: {case}");
                    let trusted = is_trusted(&both, &asked.question());
                    let sure = always_asks(&both, &asked.question());
                    assert!(!(trusted && sure), "{first} + {second}: {case}");
                }
            }
        }
    }
    // The organisation's age is not for a user to wave through.
    let both = [(OWN, "days=3"), (TrustTier::Required, "days=2")];
    check(&both, "git new approvedNow", "commitTooYoung in 1d");
    check(&both, "git new approved", "commitTooYoung in 2d");
    let lists = [
        (OWN, "confirms name=demo name=other"),
        (TrustTier::Required, "confirms name=other"),
    ];
    check(&lists, "", "untrustedMarketplace");
}
