//! A refresh of a git marketplace's plugin on a disk where one read fails: what it records is what it
//! knew, and what it could not know it has not done.

use std::sync::Arc;

use plugd_disk::{Disk, OperationKind};
use plugd_model::PluginId;
use plugd_testkit::{Fault, Sandbox, every_fault};
use pretty_assertions::assert_eq;

use super::{Followed, follow};
use crate::call::Call;
use crate::checkout::write_note;
use crate::install::{Step, Target, step};
use crate::install_why::Why;
use crate::source_text::GitSource;
use crate::status::PluginOutcome;
use crate::{Copies, Lookup, Roots, fixture};

const CHECKOUT: &str = "ch/.tmp/marketplaces/demo";
const HOME: &str = r#"
== ch/config.toml
[marketplaces.demo]
source_type = "git"
source = "https://example.com/demo.git"
[plugins."hello@demo"]
enabled = true
== ch/.tmp/marketplaces/demo/.agents/plugins/marketplace.json
{"name":"demo","plugins":[{"name":"hello","source":"./hello"}]}
== ch/.tmp/marketplaces/demo/hello/.codex-plugin/plugin.json
{"name":"hello","version":"1.0.0"}
"#;

fn hello() -> PluginId {
    PluginId::parse("hello@demo").unwrap()
}

/// What the upgrade of a marketplace leaves: other files, and a note that says from which commit.
fn comes_from(sandbox: &Sandbox, commit: &str, version: &str) {
    let manifest = format!("{CHECKOUT}/hello/.codex-plugin/plugin.json");
    sandbox.write(
        &manifest,
        format!(r#"{{"name":"hello","version":"{version}"}}"#),
    );
    let source = GitSource {
        url: "https://example.com/demo.git".to_owned(),
        ref_name: None,
        sparse_paths: Vec::new(),
    };
    write_note(&Disk::new(), &sandbox.path(CHECKOUT), &source, commit, None).unwrap();
}

fn installed_and_newer() -> Sandbox {
    let sandbox = Sandbox::from(HOME);
    comes_from(&sandbox, "aaaa", "1.0.0");
    let (lookup, copies) = fixture::parts(&sandbox);
    let target = Target::Named {
        manifest: sandbox.path(format!("{CHECKOUT}/.agents/plugins/marketplace.json")),
        plugin: "hello".to_owned(),
    };
    let call = Call::detached();
    let done = step(&call, &lookup, &copies, &target, Why::Request, None).unwrap();
    assert!(matches!(done, Step::Done(_)));
    comes_from(&sandbox, "bbbb", "2.0.0");
    sandbox
}

/// Whether the copy moved.
fn moved(lookup: &Lookup, copies: &Copies) -> bool {
    let resolved = lookup.resolve(&Roots::default());
    match follow(&Call::detached(), lookup, copies, &resolved, &hello(), None) {
        Followed::Nothing => false,
        Followed::Result(result) => result.outcome == PluginOutcome::Updated,
        Followed::Elsewhere(asked) => panic!("{asked:?}"),
    }
}

#[test]
fn a_read_that_fails_once_is_never_taken_for_nothing_there() {
    let mut stayed = 0;
    let faults = every_fault(
        |number| Fault::once(number).among(|kind| kind == OperationKind::Read),
        |number, probe| {
            let sandbox = installed_and_newer();
            let (lookup, copies) = fixture::probed(&sandbox, Arc::clone(probe) as Arc<_>);
            let moved = moved(&lookup, &copies);
            let (_, copies) = fixture::parts(&sandbox);
            let record = copies.store().unwrap().record(&hello()).unwrap().unwrap();
            let expected = match moved {
                true => ("2.0.0", Some("bbbb"), false),
                false => ("1.0.0", Some("aaaa"), false),
            };
            stayed += usize::from(!moved);
            assert_eq!(
                (
                    record.version.as_str(),
                    record.commit.as_deref(),
                    record.repaired_from.is_some()
                ),
                expected,
                "read {number}"
            );
        },
    );
    // Both were met, or nothing was shown.
    assert!(stayed > 0 && faults > 5, "{stayed} of {faults}");
}
