use plugd_testkit::Sandbox;
use pretty_assertions::assert_eq;

use crate::snapshot::tests::{problems, read};
use crate::{TrustHold, TrustRule, TrustTier, TrustedPlace};

/// One line per rule: who asks, `confirms`, who is trusted, the age in seconds, what is held.
fn shown(rule: &TrustRule) -> String {
    let tier = match rule.tier {
        TrustTier::Settings => "settings",
        TrustTier::Project => "project",
        TrustTier::Required => "required",
    };
    let trusted: Vec<String> = rule
        .trusted
        .iter()
        .map(|place| match place {
            TrustedPlace::Name(name) => name.to_string(),
            TrustedPlace::Repository(url) => format!("git {url}"),
            TrustedPlace::Directory(path) => format!("dir {path}"),
        })
        .collect();
    let age = match rule.min_commit_age {
        super::NEVER => "never".to_owned(),
        age => age.as_secs().to_string(),
    };
    let holds: Vec<_> = rule.holds.iter().map(|hold| hold.word()).collect();
    let confirms = if rule.confirms { "confirms" } else { "-" };
    format!(
        "{tier} {confirms} [{}] {age} [{}]",
        trusted.join(", "),
        holds.join(" ")
    )
}

/// What a table in the user's file means, and what is wrong with it.
#[track_caller]
fn check(table: &str, rule: Option<&str>, wrong: &[&str]) {
    let sandbox = Sandbox::new();
    sandbox.write("ch/plugd.toml", format!("[trust]\n{table}\n"));
    let snapshot = read(&sandbox, &[], None);
    let rules: Vec<_> = snapshot.settings().trust.iter().map(shown).collect();
    assert_eq!(rules, rule.into_iter().collect::<Vec<_>>(), "{table}");
    assert_eq!(problems(&sandbox, &snapshot), wrong, "{table}");
}

const STRICT: &str = "settings confirms [] 259200 [hooks executables mcpServers]";

#[test]
fn one_setting_is_strict_and_single_keys_are_parts_of_it() {
    check("", None, &[]);
    check("mode = \"open\"", None, &[]);
    check("mode = \"strict\"", Some(STRICT), &[]);
    check(
        "mode = \"strict\"\nmin_commit_age = \"0s\"\nhold = []\nmarketplaces = [\"demo\"]",
        Some("settings confirms [demo] 0 []"),
        &[],
    );
    check(
        "min_commit_age = \"90m\"",
        Some("settings - [] 5400 []"),
        &[],
    );
    check(
        "min_commit_age = \"2d\"",
        Some("settings - [] 172800 []"),
        &[],
    );
    check(
        "hold = [\"mcpServers\", \"hooks\"]",
        Some("settings - [] 0 [hooks mcpServers]"),
        &[],
    );
    check(
        "marketplaces = [\"demo\", \"acme/market\", \"https://GIT.example/a/b.git\", \"/srv/m/\"]",
        Some(
            "settings confirms [demo, git https://github.com/acme/market.git, \
             git https://git.example/a/b.git, dir /srv/m] 0 []",
        ),
        &[],
    );
}

#[test]
fn what_cannot_be_understood_is_as_tight_as_it_can_be() {
    let all = "hooks executables mcpServers apps";
    let bad =
        |place: &str, field: &str| format!("badValue /ch/plugd.toml:2:{place} plugd.trust.{field}");
    let wrong = |place: &str, field: &str| {
        format!("wrongType /ch/plugd.toml:2:{place} plugd.trust.{field}")
    };
    check("mode = \"strct\"", Some(STRICT), &[&bad("8", "mode")]);
    check("mode = true", Some(STRICT), &[&wrong("8", "mode")]);
    for age in ["72", "h", "-1h", "1.5h", "1w", "99999999999999999999s", ""] {
        let table = format!("min_commit_age = \"{age}\"");
        let problem = bad("18", "min_commit_age");
        check(&table, Some("settings - [] never []"), &[&problem]);
    }
    check(
        "min_commit_age = 72",
        Some("settings - [] never []"),
        &[&wrong("18", "min_commit_age")],
    );
    check(
        "hold = [\"hook\"]",
        Some(&format!("settings - [] 0 [{all}]")),
        &[&bad("9", "hold.0")],
    );
    check(
        "hold = \"hooks\"",
        Some(&format!("settings - [] 0 [{all}]")),
        &[&wrong("8", "hold")],
    );
    check(
        "marketplaces = \"demo\"",
        Some("settings confirms [] 0 []"),
        &[&wrong("16", "marketplaces")],
    );
    check(
        "marketplaces = [\"demo\", 1, \"./here\", \"a b\"]",
        Some("settings confirms [demo] 0 []"),
        &[
            &wrong("25", "marketplaces.1"),
            &bad("28", "marketplaces.2"),
            &bad("38", "marketplaces.3"),
        ],
    );
    check(
        "mod = \"strict\"",
        None,
        &["unknownField /ch/plugd.toml:2:7 plugd.trust.mod"],
    );
}

#[test]
fn a_file_that_cannot_be_read_is_strict() {
    for (file, tier) in [
        ("etc/plugd.toml", "settings"),
        ("ch/plugd.toml", "settings"),
        ("etc/requirements.toml", "required"),
    ] {
        let sandbox = Sandbox::new();
        sandbox.write(file, "[trust\n");
        let snapshot = read(&sandbox, &[], None);
        let rules: Vec<_> = snapshot.settings().trust.iter().map(shown).collect();
        assert_eq!(rules, [STRICT.replace("settings", tier)], "{file}");
    }
    let sandbox = Sandbox::new();
    sandbox.write("ch/plugd.toml", "trust = 1\n");
    let snapshot = read(&sandbox, &[], None);
    let rules: Vec<_> = snapshot.settings().trust.iter().map(shown).collect();
    assert_eq!(rules, [STRICT]);
}

/// The rules when each layer says something, seen from the project.
#[track_caller]
fn layers(files: &str, flags: &[&str], expected: &[&str]) {
    let sandbox = Sandbox::from(&format!(
        "== ch/config.toml\n[projects.\"$ROOT/p\"]\ntrust_level = \"trusted\"\n\
         == p/.git/HEAD\nx\n== u/.git/HEAD\nx\n{files}"
    ));
    let of = |cwd| {
        let snapshot = read(&sandbox, flags, cwd);
        let rules: Vec<_> = snapshot.settings().trust.iter().map(shown).collect();
        (rules, problems(&sandbox, &snapshot))
    };
    assert_eq!(
        of(Some("p")),
        (
            expected.iter().map(|line| (*line).to_owned()).collect(),
            vec![]
        )
    );
    // What a project says counts for whoever looks from there, and only when it is trusted.
    let outside: Vec<_> = expected
        .iter()
        .filter(|line| !line.starts_with("project"))
        .map(|line| (*line).to_owned())
        .collect();
    for cwd in [None, Some("u")] {
        assert_eq!(of(cwd), (outside.clone(), vec![]), "{cwd:?}");
    }
}

#[test]
fn settings_are_laid_over_each_other_and_the_rest_only_adds() {
    // The user's file is above the machine's, and the session above both.
    layers(
        "== etc/plugd.toml\n[trust]\nmode = \"strict\"\nmarketplaces = [\"a\"]\n\
         == ch/plugd.toml\n[trust]\nmarketplaces = [\"b\"]\nmin_commit_age = \"1h\"\n",
        &["plugd.trust.hold=[]"],
        &["settings confirms [b] 3600 []"],
    );
    layers(
        "== ch/plugd.toml\n[trust]\nmode = \"strict\"\n",
        &["plugd.trust.mode=open"],
        &[],
    );
    // A project and an organisation say what they say beside that, however little it is.
    let user = "== ch/plugd.toml\n[trust]\nmode = \"strict\"\nmarketplaces = [\"b\"]\n";
    let own = "settings confirms [b] 259200 [hooks executables mcpServers]";
    layers(
        &format!(
            "{user}== p/.codex/plugd.toml\nkeep_versions = 9\n[trust]\nmode = \"open\"\nhold = []\n\
             min_commit_age = \"0s\"\n== u/.codex/plugd.toml\n[trust]\nmode = \"strict\"\n"
        ),
        &[],
        &[own],
    );
    layers(
        &format!(
            "{user}== p/.codex/plugd.toml\n[trust]\nmarketplaces = [\"a\", \"b\"]\n\
             == etc/requirements.toml\n[plugd.trust]\nhold = [\"apps\"]\n"
        ),
        &[],
        &[
            own,
            "project confirms [a, b] 0 []",
            "required - [] 0 [apps]",
        ],
    );
    // Nothing that a user writes takes back what the organisation asks for.
    layers(
        "== etc/requirements.toml\n[plugd.trust]\nmode = \"strict\"\n\
         == ch/plugd.toml\n[trust]\nmode = \"open\"\n",
        &["plugd.trust.mode=open"],
        &["required confirms [] 259200 [hooks executables mcpServers]"],
    );
}

#[test]
fn a_hold_has_one_word() {
    let words: std::collections::BTreeSet<_> =
        TrustHold::ALL.iter().map(|hold| hold.word()).collect();
    assert_eq!(words.len(), TrustHold::ALL.len());
}

/// A table that stands where none is read has been written all the same.
#[test]
fn a_table_in_another_place_is_strict() {
    let check = |file: &str, text: &str, wrong: &[&str]| {
        let sandbox = Sandbox::new();
        sandbox.write(file, text);
        let snapshot = read(&sandbox, &[], None);
        let rules: Vec<_> = snapshot.settings().trust.iter().map(shown).collect();
        let told = problems(&sandbox, &snapshot);
        assert_eq!(rules.is_empty(), wrong.is_empty(), "{text}");
        assert!(rules.iter().all(|rule| rule == STRICT), "{text}: {rules:?}");
        for one in wrong {
            assert!(
                told.iter().any(|told| told.contains(one)),
                "{text}: {told:?}"
            );
        }
    };
    for table in [
        "[plugd.trust]\nmode = \"strict\"\n",
        "[plugd.trust]\nmode = \"open\"\n",
        "plugd = { trust = 1 }\n",
    ] {
        check("ch/plugd.toml", table, &["plugd.plugd.trust"]);
        check("ch/config.toml", table, &["plugd.trust"]);
    }
    check("ch/plugd.toml", "[plugd]\nkeep_versions = 1\n", &[]);
    check("ch/config.toml", "[plugd]\nkeep_versions = 1\n", &[]);
}
