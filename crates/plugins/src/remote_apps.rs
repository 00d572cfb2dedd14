//! The apps of a plugin as clients show them.
//!
//! Names stand in the service and are an adornment: where they cannot be had, the id is the name.

use std::collections::BTreeMap;
use std::time::Duration;

use plugd_catalog::{AppInfo, Service};
use plugd_components::App;
use plugd_model::error_chain;
use tokio::time::Instant;

use crate::call::Call;

/// How long anybody waits for names.
const PATIENCE: Duration = Duration::from_secs(5);

/// Where people connect an app.
const PLACE: &str = "https://chatgpt.com/apps";

/// An app that a plugin uses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemoteApp {
    /// Its id.
    pub id: String,
    /// Its name for people, or the id.
    pub name: String,
    /// What it is.
    pub description: Option<String>,
    /// The shelf it stands on.
    pub category: Option<String>,
    /// Where to connect it.
    pub install_url: String,
}

/// The apps with these ids, in their order, with what the service knows of them.
pub(crate) async fn named(call: &Call, service: &Service, ids: &[String]) -> Vec<RemoteApp> {
    let known = known(call, service, ids, None).await;
    of_ids(ids, &known)
}

/// What the service knows of apps, as far as it says so soon.
pub(crate) async fn known(
    call: &Call,
    service: &Service,
    ids: &[String],
    deadline: Option<Instant>,
) -> BTreeMap<String, AppInfo> {
    if ids.is_empty() {
        return BTreeMap::new();
    }
    let soon = Instant::now() + PATIENCE;
    let deadline = deadline.map_or(soon, |deadline| deadline.min(soon));
    // Also when it is too late to cancel nobody waits for an adornment.
    let asked = service.apps(ids, Some(deadline), call.cancel.wished());
    asked.await.unwrap_or_else(|error| {
        tracing::debug!("names of apps: {}", error_chain(&error));
        BTreeMap::new()
    })
}

/// The apps with these ids, in their order.
pub(crate) fn of_ids(ids: &[String], known: &BTreeMap<String, AppInfo>) -> Vec<RemoteApp> {
    let apps = ids.iter();
    apps.map(|id| app(id, known.get(id))).collect()
}

/// The apps that the files of a plugin name. What they say about themselves counts.
pub(crate) fn of_files(apps: &[App], known: &BTreeMap<String, AppInfo>) -> Vec<RemoteApp> {
    let apps = apps.iter().map(|declared| RemoteApp {
        category: declared.category.clone(),
        ..app(&declared.id, known.get(&declared.id))
    });
    apps.collect()
}

fn app(id: &str, known: Option<&AppInfo>) -> RemoteApp {
    let name = known.map_or(id, |info| &info.name);
    RemoteApp {
        id: id.to_owned(),
        name: name.to_owned(),
        description: known.and_then(|info| info.description.clone()),
        // The service files its apps under categories of its own; only a bundle's own word counts.
        category: None,
        install_url: format!("{PLACE}/{}/{id}", slug(name)),
    }
}

/// A name as part of an address, as the reference writes it: lower case, and a `-` for each character
/// that is no letter or digit of ASCII, but for those at both ends.
fn slug(name: &str) -> String {
    let plain = |c: char| match c.is_ascii_alphanumeric() {
        true => c.to_ascii_lowercase(),
        false => '-',
    };
    let slug: String = name.chars().map(plain).collect();
    match slug.trim_matches('-') {
        "" => "app".to_owned(),
        slug => slug.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use plugd_catalog::AppInfo;
    use plugd_components::App;
    use pretty_assertions::assert_eq;

    use super::{app, of_files};

    #[track_caller]
    fn check(id: &str, name: Option<&str>, expected: &str) {
        let known = name.map(|name| AppInfo {
            name: name.to_owned(),
            description: None,
        });
        let app = app(id, known.as_ref());
        assert_eq!(format!("{} {}", app.name, app.install_url), expected);
    }

    #[test]
    fn where_to_connect_an_app() {
        let place = "https://chatgpt.com/apps";
        check(
            "a1",
            Some("My Mail"),
            &format!("My Mail {place}/my-mail/a1"),
        );
        check(
            "a1",
            Some(" (x)  Y! "),
            &format!(" (x)  Y!  {place}/x---y/a1"),
        );
        check(
            "connector_1",
            None,
            &format!("connector_1 {place}/connector-1/connector_1"),
        );
        check("a1", Some("日本"), &format!("日本 {place}/app/a1"));
        check(
            "a1",
            Some("Übér  App!!"),
            &format!("Übér  App!! {place}/b-r--app/a1"),
        );
    }

    #[test]
    fn what_a_plugin_files_its_app_under_counts() {
        let info = AppInfo {
            name: "Drive".to_owned(),
            description: Some("d".to_owned()),
        };
        let known = BTreeMap::from([("a1".to_owned(), info)]);
        let declared = |category: Option<&str>| App {
            id: "a1".to_owned(),
            label: "x".to_owned(),
            category: category.map(str::to_owned),
        };
        let apps = of_files(&[declared(Some("own")), declared(None)], &known);
        assert_eq!(apps[0].category.as_deref(), Some("own"));
        assert_eq!(apps[1].category, None);
        assert_eq!(apps[1].description.as_deref(), Some("d"));
    }
}
