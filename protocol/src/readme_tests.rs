//! The reference page says what the types say: its examples decode and come out again as they are,
//! and it names every method, member, notification and kind of error.

use std::collections::BTreeSet;

use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use crate::generate::json_schema_files;
use crate::{
    ErrorKind, ErrorObject, METHODS, Method, NOTIFICATIONS, Notification, TypeSpec, methods,
    notifications,
};

const README: &str = include_str!("../README.md");

/// The section of a method: from its heading to the next one.
fn section(method: &str) -> &'static str {
    let heading = format!("### `{method}`\n");
    let start = README.find(&heading).expect(&heading) + heading.len();
    let rest = &README[start..];
    &rest[..rest.find("\n#").unwrap_or(rest.len())]
}

/// The messages that an example shows in one direction.
fn messages(text: &str, arrow: &str) -> Vec<Value> {
    text.lines()
        .filter_map(|line| line.strip_prefix(arrow))
        .map(|line| serde_json::from_str(line).expect(line))
        .collect()
}

#[test]
fn every_method_has_a_section_and_no_other() {
    let headings: BTreeSet<_> = README
        .lines()
        .filter_map(|line| line.strip_prefix("### `")?.strip_suffix('`'))
        .collect();
    let methods: BTreeSet<_> = METHODS.iter().map(|method| method.name).collect();
    assert_eq!(headings, methods);
}

#[test]
fn examples_are_what_goes_over_the_wire() {
    fn check<M: Method>(checked: &mut BTreeSet<&'static str>) {
        let section = section(M::NAME);
        let request = &messages(section, "--> ")[0];
        let response = &messages(section, "<-- ")[0];
        assert_eq!(request["method"], M::NAME);
        assert_eq!(response["id"], request["id"], "{}", M::NAME);
        let params = request.get("params").cloned().unwrap_or_else(|| json!({}));
        let decoded: M::Params = serde_json::from_value(params.clone()).expect(M::NAME);
        assert_eq!(serde_json::to_value(decoded).expect(M::NAME), params);
        let result = &response["result"];
        let decoded: M::Result = serde_json::from_value(result.clone()).expect(M::NAME);
        assert_eq!(&serde_json::to_value(decoded).expect(M::NAME), result);
        checked.insert(M::NAME);
    }
    let mut checked = BTreeSet::new();
    check::<methods::Initialize>(&mut checked);
    check::<methods::Shutdown>(&mut checked);
    check::<methods::PluginList>(&mut checked);
    check::<methods::PluginInstalled>(&mut checked);
    check::<methods::PluginSearch>(&mut checked);
    check::<methods::PluginRead>(&mut checked);
    check::<methods::PluginSkillRead>(&mut checked);
    check::<methods::PluginInstall>(&mut checked);
    check::<methods::PluginUninstall>(&mut checked);
    check::<methods::PluginReconcile>(&mut checked);
    check::<methods::PluginShareSave>(&mut checked);
    check::<methods::PluginShareUpdateTargets>(&mut checked);
    check::<methods::PluginShareList>(&mut checked);
    check::<methods::PluginShareCheckout>(&mut checked);
    check::<methods::PluginShareDelete>(&mut checked);
    check::<methods::MarketplaceAdd>(&mut checked);
    check::<methods::MarketplaceRemove>(&mut checked);
    check::<methods::MarketplaceUpgrade>(&mut checked);
    check::<methods::SkillsList>(&mut checked);
    check::<methods::SkillsConfigWrite>(&mut checked);
    check::<methods::SkillsExtraRootsSet>(&mut checked);
    check::<methods::HooksList>(&mut checked);
    check::<methods::ConfigRead>(&mut checked);
    check::<methods::ConfigValueWrite>(&mut checked);
    check::<methods::ConfigBatchWrite>(&mut checked);
    check::<methods::ConfigRequirementsRead>(&mut checked);
    check::<methods::PlugdInspect>(&mut checked);
    check::<methods::PlugdComponents>(&mut checked);
    check::<methods::PlugdRelease>(&mut checked);
    check::<methods::PlugdGc>(&mut checked);
    check::<methods::PlugdVerify>(&mut checked);
    check::<methods::PlugdVersions>(&mut checked);
    check::<methods::PlugdOutdated>(&mut checked);
    check::<methods::PlugdUpdate>(&mut checked);
    check::<methods::PlugdPin>(&mut checked);
    check::<methods::PlugdApprove>(&mut checked);
    check::<methods::PlugdRollback>(&mut checked);
    check::<methods::PlugdLink>(&mut checked);
    check::<methods::PlugdUnlink>(&mut checked);
    check::<methods::PlugdMentions>(&mut checked);
    check::<methods::PlugdLock>(&mut checked);
    check::<methods::PlugdSync>(&mut checked);
    check::<methods::PlugdExport>(&mut checked);
    check::<methods::PlugdImport>(&mut checked);
    check::<methods::PlugdInstructions>(&mut checked);
    check::<methods::PlugdStatus>(&mut checked);
    check::<methods::RpcDiscover>(&mut checked);
    assert_eq!(checked.len(), METHODS.len());
}

/// The members of a message, from its schema.
fn members(files: &[crate::generate::GeneratedFile], spec: TypeSpec) -> Vec<String> {
    let suffix = format!("/{}.json", (spec.name)());
    let file = files
        .iter()
        .find(|file| file.path.ends_with(&suffix))
        .expect(&suffix);
    let schema: Value = serde_json::from_str(&file.content).expect(&file.path);
    let properties = schema.get("properties").and_then(Value::as_object);
    properties
        .into_iter()
        .flatten()
        .map(|(name, _)| name.clone())
        .collect()
}

#[test]
fn every_member_is_described() {
    let files = json_schema_files();
    for method in METHODS {
        let section = section(method.name);
        for spec in [method.params, method.result] {
            for name in members(&files, spec) {
                let is_there = section.contains(&format!("`{name}`"));
                assert!(is_there, "{}: {name}", method.name);
            }
        }
    }
    for notification in NOTIFICATIONS {
        let start = format!("| `{}` |", notification.name);
        let row = README
            .lines()
            .find(|line| line.starts_with(&start))
            .expect(&start);
        for name in members(&files, notification.params) {
            assert!(
                row.contains(&format!("`{name}`")),
                "{}: {name}",
                notification.name
            );
        }
    }
}

#[test]
fn notifications_are_what_goes_over_the_wire() {
    fn check<N: Notification>(shown: &[Value]) {
        let message = shown
            .iter()
            .find(|message| message["method"] == N::NAME)
            .expect(N::NAME);
        let params = &message["params"];
        let decoded: N::Params = serde_json::from_value(params.clone()).expect(N::NAME);
        assert_eq!(&serde_json::to_value(decoded).expect(N::NAME), params);
    }
    let shown = messages(README, "<-- ");
    check::<notifications::ConfigWarning>(&shown);
    check::<notifications::Changed>(&shown);
    check::<notifications::Task>(&shown);
    check::<notifications::Progress>(&shown);
    check::<notifications::ProgressNotification>(&shown);
}

#[test]
fn every_kind_of_error_has_its_row() {
    let rows: Vec<_> = README
        .lines()
        .filter(|line| line.contains(" | -32"))
        .collect();
    assert_eq!(rows.len(), ErrorKind::ALL.len());
    for (row, kind) in rows.iter().zip(ErrorKind::ALL) {
        assert!(row.starts_with(&format!("| `{}` |", kind.word())), "{row}");
    }
    let shown = messages(README, "<-- ");
    let error = shown
        .iter()
        .find_map(|message| message.get("error"))
        .expect("an example");
    let decoded: ErrorObject = serde_json::from_value(error.clone()).expect("an error");
    assert_eq!(&serde_json::to_value(decoded).expect("an error"), error);
}

#[test]
fn errors_of_methods_are_known_kinds() {
    let words: BTreeSet<_> = ErrorKind::ALL.iter().map(|kind| kind.word()).collect();
    for method in METHODS
        .iter()
        .filter(|method| method.name != "config/batchWrite")
    {
        let section = section(method.name);
        let line = section
            .lines()
            .find(|line| line.starts_with("Errors"))
            .expect(method.name);
        let named: Vec<_> = line.split('`').skip(1).step_by(2).collect();
        assert!(!named.is_empty(), "{line}");
        for word in named {
            let is_config_word = word.starts_with("config") || matches!(word, "line" | "column");
            assert!(
                is_config_word || words.contains(word),
                "{}: {word}",
                method.name
            );
        }
    }
}
