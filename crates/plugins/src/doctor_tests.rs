use plugd_config::MarketplaceKind;
use plugd_disk::tree::Digest;
use plugd_model::{AbsPath, PluginId, Problem, ProblemKind, Severity};
use plugd_store::VerifyReport;
use pretty_assertions::assert_eq;

use super::{
    Area, Check, Diagnosis, Remains, about_marketplace, git, integrity, registries, remains, space,
};

fn path() -> AbsPath {
    AbsPath::new("/ch").unwrap()
}

fn report(recorded: bool, matches: bool) -> VerifyReport {
    let digest = Digest::of_bytes(b"content");
    VerifyReport {
        recorded: recorded.then_some(digest),
        found: digest,
        matches,
        compared_with: None,
        changed: Vec::new(),
        missing: Vec::new(),
        added: Vec::new(),
        left_out: Vec::new(),
    }
}

/// The severity and the text of every finding.
fn said(check: &Check) -> Vec<(Severity, &str)> {
    let findings = check.findings.iter();
    findings
        .map(|one| (one.problem.severity, one.problem.message.as_str()))
        .collect()
}

#[track_caller]
fn compares(report: VerifyReport, expected: Option<(Severity, &str)>) {
    let id = PluginId::parse("hello@demo").unwrap();
    let mut check = Check::new(Area::Store);
    integrity(&mut check, &id, &path(), Ok(report));
    assert_eq!(said(&check), Vec::from_iter(expected));
    for finding in &check.findings {
        assert_eq!(finding.plugin.as_ref(), Some(&id));
        assert!(finding.advice.contains("plugd plugin add hello@demo"));
    }
}

#[test]
fn a_copy_is_what_was_installed_or_not() {
    compares(report(true, true), None);
    let unknown = "nothing is recorded about the copy of `hello@demo`, so nothing was compared";
    compares(report(false, false), Some((Severity::Warning, unknown)));
    let text = "the copy of `hello@demo` is not what was installed";
    compares(report(true, false), Some((Severity::Error, text)));
    let named = VerifyReport {
        changed: (1..=7).map(|number| format!("f{number}")).collect(),
        missing: vec!["gone".to_owned()],
        ..report(true, false)
    };
    let all = format!("{text}: changed f1, f2, f3, f4, f5 and 2 more; missing gone");
    compares(named, Some((Severity::Error, &all)));
}

#[track_caller]
fn lies(found: Remains, expected: &[&str]) {
    let mut check = Check::new(Area::Remains);
    remains(&mut check, found);
    let texts: Vec<&str> = said(&check).into_iter().map(|(_, text)| text).collect();
    assert_eq!(texts, expected);
}

#[test]
fn remains_of_the_dead_are_told_and_the_work_of_the_living_is_not() {
    lies(Remains::default(), &[]);
    let found = Remains {
        journals: 1,
        dead_leases: 2,
        ..Remains::default()
    };
    let undone = "1 interrupted operation(s) that the next command undoes";
    lies(found.clone(), &[undone, "2 lease(s) of dead processes"]);
    let held = Remains {
        is_held: true,
        ..found
    };
    lies(held, &[]);
    let bad = Problem::error(ProblemKind::Unreadable, "no journal");
    let damaged = Remains {
        bad_journals: vec![bad],
        ..Remains::default()
    };
    lies(damaged, &["no journal"]);
}

#[track_caller]
fn advises(source: &MarketplaceKind, kind: ProblemKind, expected: &str) {
    let advice = about_marketplace("demo", source, kind);
    assert_eq!(
        advice,
        format!("{expected}; `plugd marketplace remove demo` gives it up")
    );
}

#[test]
fn the_advice_for_a_marketplace_names_it_and_fits_its_source() {
    let local = MarketplaceKind::Local { source: path() };
    let git = MarketplaceKind::Git {
        source: "https://h.example/x.git".to_owned(),
        ref_name: None,
        sparse_paths: Vec::new(),
    };
    let missing = ProblemKind::Missing;
    advises(&local, missing, "put `/ch` back where it was");
    let again = "`plugd marketplace upgrade demo` fetches it again";
    advises(&git, missing, again);
    let syntax = ProblemKind::Syntax;
    advises(&local, syntax, "`plugd validate /ch` shows what to mend");
    let once = "`plugd marketplace upgrade demo` once its author has mended it";
    advises(&git, syntax, once);
}

#[track_caller]
fn room(free: Option<u64>, expected: Option<Severity>) {
    let check = space(&path(), free);
    let found = said(&check).first().map(|(severity, _)| *severity);
    assert_eq!(found, expected, "{free:?}");
}

#[test]
fn room_on_the_disk() {
    room(None, None);
    room(Some(1 << 40), None);
    room(Some(100 << 20), Some(Severity::Warning));
    room(Some(0), Some(Severity::Error));
}

#[test]
fn without_a_worker_nothing_can_be_fetched() {
    let check = git(None, Err("no room".to_owned()));
    let text = "the git worker does not start: no room";
    assert_eq!(said(&check), [(Severity::Error, text)]);
    let command = (path(), "2.50.0".to_owned());
    let check = git(Some(command), Ok(()));
    assert_eq!(said(&check), []);
    assert_eq!(check.facts[1].1, "2.50.0 (/ch)");
}

#[test]
fn registries_without_secrets() {
    let text = "# registry=no\nregistry = https://user:pw@r.example/\n@a:registry=https://a.example\n\
         //r.example/:_authToken=secret\nalways-auth=true\n";
    let pair = |name: &str, address: &str| (name.to_owned(), address.to_owned());
    assert_eq!(
        registries(text),
        [
            pair("registry", "https://r.example/"),
            pair("@a:registry", "https://a.example"),
        ]
    );
}

#[test]
fn every_finding_has_an_advice_and_none_is_told_twice() {
    let mut check = Check::new(Area::Configuration);
    let problem = Problem::error(ProblemKind::Config, "no TOML");
    check.told([&problem, &problem]);
    // A file that cannot be read cannot be written either.
    assert!(check.findings[0].advice.starts_with("mend the file"));
    check.told([&Problem::warning(ProblemKind::BadValue, "odd")]);
    assert!(check.findings.iter().all(|one| !one.advice.is_empty()));
    let diagnosis = Diagnosis {
        checks: vec![check],
    };
    let counts = [Severity::Error, Severity::Warning].map(|one| diagnosis.count(one));
    assert_eq!(counts, [1, 1]);
    let none = Diagnosis::without_home("there is none", "make one");
    assert_eq!(none.count(Severity::Error), 1);
}
