use std::time::Duration;

use plugd_disk::Disk;
use plugd_disk::tree::Digest;
use plugd_marketplace::Binding;
use plugd_model::PluginId;
use plugd_testkit::Sandbox;
use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use super::{Approval, ApprovalEdit, Approvals, ApprovalsError, source_text, write};
use crate::trust::Approved;

const FILE: &str = "ch/plugins/.plugd/approvals.json";

fn id() -> PluginId {
    PluginId::parse("hello@demo").unwrap()
}

fn git(url: &str) -> Binding {
    Binding::Git {
        url: url.to_owned(),
        ref_name: None,
    }
}

fn approval(digest: Digest, binding: &Binding, any_age: bool) -> Approval {
    Approval {
        digest,
        source: source_text(binding),
        any_age,
        approved_at: 7,
        by: Some("a client".to_owned()),
    }
}

fn edit(sandbox: &Sandbox, edit: ApprovalEdit) -> Result<(), ApprovalsError> {
    let (disk, layout) = (Disk::new(), sandbox.layout());
    write(&disk, &layout, Duration::ZERO, |_| (vec![edit], ()))
}

fn read(sandbox: &Sandbox) -> Approvals {
    Approvals::read(&Disk::new(), &sandbox.layout())
}

#[test]
fn a_yes_is_for_one_content_of_one_plugin_from_one_source() {
    let sandbox = Sandbox::from(&format!(
        "== {FILE}\n{{\"version\": 1, \"later\": 1, \"approvals\": {{\"old@demo\": \
         [{{\"digest\": \"{}\", \"source\": \"curated\", \"more\": 2}}]}}}}\n",
        Digest::of_bytes(b"old")
    ));
    let (first, second) = (Digest::of_bytes(b"1"), Digest::of_bytes(b"2"));
    let (here, there) = (git("https://a/x.git"), git("https://b/x.git"));
    edit(
        &sandbox,
        ApprovalEdit::Give(id(), approval(first, &here, false)),
    )
    .unwrap();
    edit(
        &sandbox,
        ApprovalEdit::Give(id(), approval(second, &here, true)),
    )
    .unwrap();
    let approvals = read(&sandbox);
    assert_eq!(approvals.problems, []);
    let of = |digest, binding| approvals.approved(&id(), binding, &digest);
    assert_eq!(of(first, &here), Approved::Yes);
    assert_eq!(of(second, &here), Approved::AtAnyAge);
    assert_eq!(of(first, &there), Approved::No);
    let other = PluginId::parse("other@demo").unwrap();
    assert_eq!(approvals.approved(&other, &here, &first), Approved::No);
    assert_eq!(approvals.all().count(), 3);
    // Unknown members stay, and one content has one row.
    edit(
        &sandbox,
        ApprovalEdit::Give(id(), approval(first, &here, true)),
    )
    .unwrap();
    let root: Value = serde_json::from_str(&sandbox.text(FILE)).unwrap();
    assert_eq!(root["later"], 1);
    assert_eq!(root["approvals"]["old@demo"][0]["more"], 2);
    let rows = root["approvals"]["hello@demo"].as_array().unwrap();
    assert_eq!(rows.len(), 2);
    assert_eq!(
        rows[1],
        json!({"digest": first.to_string(), "source": "git:https://a/x.git", "anyAge": true,
               "approvedAt": 7, "by": "a client"})
    );
    for digest in [first, second] {
        let source = source_text(&here);
        edit(&sandbox, ApprovalEdit::Revoke(id(), digest, source)).unwrap();
    }
    assert_eq!(read(&sandbox).all().count(), 1);
    let root: Value = serde_json::from_str(&sandbox.text(FILE)).unwrap();
    assert_eq!(root["approvals"].get("hello@demo"), None);
}

#[test]
fn what_cannot_be_understood_approves_nothing() {
    #[track_caller]
    fn check(text: &str, refused: bool) {
        let sandbox = Sandbox::from(&format!("== {FILE}\n{text}\n"));
        let approvals = read(&sandbox);
        assert_eq!(
            (approvals.all().count(), approvals.problems.len()),
            (0, 1),
            "{text}"
        );
        let given = approval(Digest::of_bytes(b"1"), &Binding::Curated, false);
        let written = edit(&sandbox, ApprovalEdit::Give(id(), given));
        assert_eq!(written.is_err(), refused, "{text}");
        if refused {
            assert_eq!(sandbox.text(FILE), format!("{text}\n"));
        }
    }
    check("[", true);
    check("{\"version\": 2, \"approvals\": {}}", true);
    check("{\"approvals\": {\"nonsense\": []}}", false);
    check("{\"approvals\": {\"hello@demo\": {}}}", false);
    check(
        "{\"approvals\": {\"hello@demo\": [{\"digest\": \"x\", \"source\": \"curated\"}]}}",
        false,
    );
}

#[test]
fn sources_are_told_apart() {
    let tagged = Binding::Git {
        url: "https://user:secret@a/x.git".to_owned(),
        ref_name: Some("v1".to_owned()),
    };
    assert_eq!(source_text(&tagged), "git:https://a/x.git#v1");
    assert_eq!(source_text(&Binding::Curated), "curated");
    let path = plugd_model::AbsPath::new("/m/marketplace.json").unwrap();
    assert_eq!(
        source_text(&Binding::Manifest(path)),
        "manifest:/m/marketplace.json"
    );
}
