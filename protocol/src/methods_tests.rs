//! The tables: what they promise to dispatch and to the generators.

use std::collections::BTreeSet;

use pretty_assertions::assert_eq;

use super::{METHODS, find};
use crate::{
    Direction, Lane, Method, NOTIFICATIONS, Notification, Origin, PlugdServerCapabilities, methods,
    notifications,
};

#[test]
fn names_are_unique() {
    let names: BTreeSet<_> = METHODS
        .iter()
        .map(|method| method.name)
        .chain(NOTIFICATIONS.iter().map(|notification| notification.name))
        .collect();
    assert_eq!(names.len(), METHODS.len() + NOTIFICATIONS.len());
}

#[test]
fn own_names_are_told_from_the_reference() {
    for method in METHODS {
        let is_reference = [
            "plugin/",
            "marketplace/",
            "skills/",
            "hooks/",
            "config",
            "initialize",
        ]
        .iter()
        .any(|prefix| method.name.starts_with(prefix));
        let expected = if is_reference {
            Origin::Reference
        } else {
            Origin::Own
        };
        assert_eq!(method.origin, expected, "{}", method.name);
    }
}

#[test]
fn the_table_says_what_the_types_say() {
    fn check<M: Method>(expected: &str) {
        assert_eq!(M::NAME, expected);
        let spec = find(expected).expect("in the table");
        assert_eq!((spec.name, spec.lane), (M::NAME, M::LANE));
        let params = <M::Params as schemars::JsonSchema>::schema_name();
        let result = <M::Result as schemars::JsonSchema>::schema_name();
        assert_eq!(
            ((spec.params.name)(), (spec.result.name)()),
            (params, result)
        );
    }
    check::<methods::Initialize>("initialize");
    check::<methods::PluginList>("plugin/list");
    check::<methods::PluginInstall>("plugin/install");
    check::<methods::ConfigBatchWrite>("config/batchWrite");
    check::<methods::RpcDiscover>("rpc.discover");
}

#[test]
fn lanes() {
    fn check(name: &str, expected: Lane) {
        assert_eq!(
            find(name).map(|method| method.lane),
            Some(expected),
            "{name}"
        );
    }
    check("initialize", Lane::Handshake);
    check("shutdown", Lane::Handshake);
    check("plugin/list", Lane::Read);
    check("plugin/installed", Lane::Read);
    check("plugin/search", Lane::Read);
    check("plugin/read", Lane::Read);
    check("plugin/install", Lane::Plugin);
    check("plugin/uninstall", Lane::Plugin);
    check("marketplace/add", Lane::Marketplace);
    check("marketplace/remove", Lane::Marketplace);
    check("marketplace/upgrade", Lane::Marketplaces);
    check("plugin/skill/read", Lane::Read);
    check("skills/list", Lane::Read);
    check("skills/config/write", Lane::Config);
    check("skills/extraRoots/set", Lane::Config);
    check("hooks/list", Lane::Read);
    check("config/read", Lane::Read);
    check("config/value/write", Lane::Config);
    check("config/batchWrite", Lane::Config);
    check("configRequirements/read", Lane::Read);
    check("plugd/status", Lane::Read);
    check("plugd/components", Lane::Read);
    check("plugd/release", Lane::Plugin);
    check("plugd/gc", Lane::Marketplaces);
    check("plugd/verify", Lane::Read);
    check("plugd/versions", Lane::Read);
    check("plugd/outdated", Lane::Read);
    check("plugd/update", Lane::Plugin);
    check("plugd/pin", Lane::Plugin);
    check("plugd/rollback", Lane::Plugin);
    check("plugd/lock", Lane::Marketplaces);
    check("plugd/sync", Lane::Marketplaces);
    check("plugd/export", Lane::Read);
    check("plugd/import", Lane::Marketplaces);
    check("plugd/link", Lane::Plugin);
    check("plugd/unlink", Lane::Plugin);
    check("plugd/mentions", Lane::Read);
    check("plugd/instructions", Lane::Read);
    check("rpc.discover", Lane::Read);
}

#[test]
fn what_is_not_built_is_not_found() {
    assert!(find("plugd/nothing").is_none());
    assert!(find("Plugin/list").is_none());
    assert!(find("").is_none());
    assert!(notifications::find("skills/other").is_none());
}

#[test]
fn summaries_are_sentences() {
    let summaries = METHODS.iter().map(|method| method.summary).chain(
        NOTIFICATIONS
            .iter()
            .map(|notification| notification.summary),
    );
    for summary in summaries {
        assert!(summary.starts_with(char::is_uppercase), "{summary}");
        assert!(summary.ends_with('.'), "{summary}");
        assert!(!summary.contains("  "), "{summary}");
    }
}

#[test]
fn capabilities_name_what_is_built() {
    let built = PlugdServerCapabilities::built();
    assert_eq!(built.version, 1);
    assert_eq!(built.methods.len(), METHODS.len());
    assert!(built.methods.contains(&"plugin/list".to_owned()));
    assert_eq!(
        built.notifications,
        [
            "configWarning",
            "skills/changed",
            "plugd/changed",
            "plugd/task",
            "$/progress",
            "notifications/progress"
        ]
    );
}

#[test]
fn directions() {
    fn check<N: Notification>(expected: Direction) {
        assert_eq!(N::DIRECTION, expected);
        let spec = notifications::find(N::NAME).expect("in the table");
        assert_eq!((spec.name, spec.direction), (N::NAME, expected));
    }
    check::<notifications::Initialized>(Direction::FromClient);
    check::<notifications::Exit>(Direction::FromClient);
    check::<notifications::CancelById>(Direction::FromClient);
    check::<notifications::Cancelled>(Direction::FromClient);
    check::<notifications::ConfigWarning>(Direction::FromServer);
    check::<notifications::Changed>(Direction::FromServer);
    check::<notifications::Task>(Direction::FromServer);
}
