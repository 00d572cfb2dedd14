//! A plugin as the directory of the service describes it.

use plugd_model::hex;
use serde_json::{Map, Value, json};

/// A plugin of the directory: global, available, asks for a login on install, version 1.0.0.
///
/// Values of closed sets are texts, so that a test can say what the service must not.
#[derive(Debug, Clone, PartialEq)]
pub struct Item {
    pub(super) id: String,
    pub(super) value: Value,
    pub(super) by_id_only: bool,
    pub(super) vertical: bool,
}

impl Item {
    /// A plugin with this name; its id is `plugins~Plugin_` and the name in hexadecimal digits.
    #[must_use]
    pub fn new(name: &str) -> Self {
        let id = format!("plugins~Plugin_{}", hex(name.as_bytes()));
        let value = json!({
            "id": id,
            "name": name,
            "scope": "GLOBAL",
            "installation_policy": "AVAILABLE",
            "authentication_policy": "ON_INSTALL",
            "release": {
                "version": "1.0.0",
                "display_name": name,
                "description": format!("{name} for tests"),
                "interface": {},
            },
        });
        Self {
            id,
            value,
            by_id_only: false,
            vertical: false,
        }
    }

    /// Anything at all in the place of a plugin. The service still knows it by this id.
    #[must_use]
    pub fn raw(id: &str, value: Value) -> Self {
        Self {
            id: id.to_owned(),
            value,
            by_id_only: false,
            vertical: false,
        }
    }

    /// A plugin of a workspace, `LISTED`, `UNLISTED` or `PRIVATE`.
    #[must_use]
    pub fn workspace(name: &str, discoverability: &str) -> Self {
        let item = Self::new(name).scope("WORKSPACE");
        item.discoverability(discoverability)
    }

    /// The id that the service knows it by.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// What it looks like on the wire, without the address of its bundle.
    #[must_use]
    pub fn value(&self) -> &Value {
        &self.value
    }

    /// Replaces one member, named as `release/interface/category`; makes objects on the way.
    #[must_use]
    pub fn set(mut self, path: &str, value: impl Into<Value>) -> Self {
        put(&mut self.value, path, value.into());
        self
    }

    /// Takes one member away, named as in [`Item::set`].
    #[must_use]
    pub fn without(mut self, path: &str) -> Self {
        let (parent, name) = path.rsplit_once('/').unwrap_or(("", path));
        let pointer = match parent {
            "" => String::new(),
            parent => format!("/{parent}"),
        };
        if let Some(Value::Object(members)) = self.value.pointer_mut(&pointer) {
            members.remove(name);
        }
        self
    }

    /// Another id, also the one that the service knows it by.
    #[must_use]
    pub fn rid(mut self, id: &str) -> Self {
        id.clone_into(&mut self.id);
        self.set("id", id)
    }

    /// The directory and the search do not show it; its id and the installed set do.
    #[must_use]
    pub fn by_id_only(mut self) -> Self {
        self.by_id_only = true;
        self
    }

    /// It belongs to the collection `vertical` too.
    #[must_use]
    pub fn vertical(mut self) -> Self {
        self.vertical = true;
        self
    }

    /// `GLOBAL`, `WORKSPACE` or `USER`.
    #[must_use]
    pub fn scope(self, scope: &str) -> Self {
        self.set("scope", scope)
    }

    /// `LISTED`, `UNLISTED` or `PRIVATE`.
    #[must_use]
    pub fn discoverability(self, discoverability: &str) -> Self {
        self.set("discoverability", discoverability)
    }

    /// `NOT_AVAILABLE`, `AVAILABLE` or `INSTALLED_BY_DEFAULT`.
    #[must_use]
    pub fn installation_policy(self, policy: &str) -> Self {
        self.set("installation_policy", policy)
    }

    /// `WORKSPACE_SETTING` or `IMPLICIT_CANONICAL_APP`.
    #[must_use]
    pub fn installation_policy_source(self, source: &str) -> Self {
        self.set("installation_policy_source", source)
    }

    /// Whether a host has to say something before the installation.
    #[must_use]
    pub fn must_show_installation_interstitial(self, must: bool) -> Self {
        self.set("must_show_installation_interstitial", must)
    }

    /// `ON_INSTALL` or `ON_USE`.
    #[must_use]
    pub fn authentication_policy(self, policy: &str) -> Self {
        self.set("authentication_policy", policy)
    }

    /// `AVAILABLE`, `ENABLED` or `DISABLED_BY_ADMIN`.
    #[must_use]
    pub fn status(self, status: &str) -> Self {
        self.set("status", status)
    }

    /// `disabled_by_admin`, `plan_not_eligible`, `required_app_unavailable` or another word.
    #[must_use]
    pub fn disabled_reason(self, reason: &str) -> Self {
        self.set("disabled_reason", reason)
    }

    /// The plans that may have it.
    #[must_use]
    pub fn eligible_plan_types(self, plans: &[&str]) -> Self {
        self.set("eligible_plan_types", plans.to_vec())
    }

    /// The app that it belongs to.
    #[must_use]
    pub fn canonical_app_id(self, id: &str) -> Self {
        self.set("canonical_app_id", id)
    }

    /// Who made it: the id of the account's user, and a name.
    #[must_use]
    pub fn creator(self, account_user_id: &str, name: &str) -> Self {
        let item = self.set("creator_account_user_id", account_user_id);
        item.set("creator_name", name)
    }

    /// Where a person can look at it.
    #[must_use]
    pub fn share_url(self, url: &str) -> Self {
        self.set("share_url", url)
    }

    /// Whether the account may publish it to the workspace.
    #[must_use]
    pub fn can_publish_to_workspace(self, can: bool) -> Self {
        self.set("can_publish_to_workspace", can)
    }

    /// One more of those it is shared with, in a role of `reader`, `editor` or `owner`.
    #[must_use]
    pub fn share_principal(self, kind: &str, id: &str, role: &str, name: &str) -> Self {
        let principal = json!({
            "principal_type": kind, "principal_id": id, "role": role, "name": name,
        });
        self.push("share_principals", principal)
    }

    /// The version of its release.
    #[must_use]
    pub fn version(self, version: &str) -> Self {
        self.set("release/version", version)
    }

    /// The name for people.
    #[must_use]
    pub fn display_name(self, name: &str) -> Self {
        self.set("release/display_name", name)
    }

    /// The description of its release.
    #[must_use]
    pub fn description(self, description: &str) -> Self {
        self.set("release/description", description)
    }

    /// Another address of the bundle than the service would give; `null` is one too. It is told
    /// only to those who ask for addresses.
    #[must_use]
    pub fn bundle_download_url(self, url: impl Into<Value>) -> Self {
        self.set("release/bundle_download_url", url)
    }

    /// The apps that it uses.
    #[must_use]
    pub fn app_ids(self, ids: &[&str]) -> Self {
        self.set("release/app_ids", ids.to_vec())
    }

    /// What replaces the app file of the bundle.
    #[must_use]
    pub fn app_manifest(self, manifest: Value) -> Self {
        self.set("release/app_manifest", manifest)
    }

    /// One more app template.
    #[must_use]
    pub fn app_template(self, template: Value) -> Self {
        self.push("release/app_templates", template)
    }

    /// Its keywords.
    #[must_use]
    pub fn keywords(self, keywords: &[&str]) -> Self {
        self.set("release/keywords", keywords.to_vec())
    }

    /// One member of its interface, for example `category`.
    #[must_use]
    pub fn interface(self, name: &str, value: impl Into<Value>) -> Self {
        self.set(&format!("release/interface/{name}"), value)
    }

    /// One more skill.
    #[must_use]
    pub fn skill(self, name: &str, description: &str) -> Self {
        self.skill_raw(json!({"name": name, "description": description}))
    }

    /// One more skill with all its members.
    #[must_use]
    pub fn skill_raw(self, skill: Value) -> Self {
        self.push("release/skills", skill)
    }

    /// The skill that a person meets first.
    #[must_use]
    pub fn onboarding_skill_name(self, name: &str) -> Self {
        self.set("release/onboarding_skill_name", name)
    }

    /// The keys of its MCP servers.
    #[must_use]
    pub fn mcp_servers(self, keys: &[&str]) -> Self {
        let servers: Vec<Value> = keys.iter().map(|key| json!({"key": key})).collect();
        self.set("release/mcp_servers", servers)
    }

    /// Its scheduled tasks, or `null`.
    #[must_use]
    pub fn scheduled_tasks(self, tasks: impl Into<Value>) -> Self {
        self.set("release/scheduled_tasks", tasks)
    }

    fn push(mut self, path: &str, value: Value) -> Self {
        let pointer = format!("/{path}");
        match self.value.pointer_mut(&pointer) {
            Some(Value::Array(values)) => values.push(value),
            _ => put(&mut self.value, path, Value::Array(vec![value])),
        }
        self
    }

    /// The text of a member, for example of `release/version`.
    pub(super) fn text(&self, path: &str) -> Option<&str> {
        self.value.pointer(&format!("/{path}"))?.as_str()
    }
}

/// Sets a member; what stands in the way and is no object gives way.
pub(super) fn put(at: &mut Value, path: &str, value: Value) {
    let (name, rest) = match path.split_once('/') {
        Some((name, rest)) => (name, Some(rest)),
        None => (path, None),
    };
    if !at.is_object() {
        *at = Value::Object(Map::new());
    }
    let Value::Object(members) = at else { return };
    let member = members.entry(name).or_insert(Value::Null);
    match rest {
        Some(rest) => put(member, rest, value),
        None => *member = value,
    }
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;
    use serde_json::json;

    use super::Item;

    #[test]
    fn members_can_be_anything() {
        let item = Item::new("ab").set("release/version", 7).without("scope");
        let item = item
            .set("extra/deep", json!([1]))
            .skill("s", "does")
            .without("release/interface");
        let expected = json!({
            "id": "plugins~Plugin_6162", "name": "ab", "installation_policy": "AVAILABLE",
            "authentication_policy": "ON_INSTALL", "extra": {"deep": [1]},
            "release": {
                "version": 7, "display_name": "ab", "description": "ab for tests",
                "skills": [{"name": "s", "description": "does"}],
            },
        });
        assert_eq!(item.value(), &expected);
        assert_eq!(item.rid("x").id(), "x");
        assert_eq!(Item::raw("x", json!(null)).value(), &json!(null));
    }
}
