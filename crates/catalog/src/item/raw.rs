//! The format of an item, as calls and cache files have it.
//!
//! A member that decides something and cannot be understood spoils the item; one that is only shown
//! spoils itself. Unknown members are kept in the item's text and mean nothing.

use std::collections::BTreeMap;
use std::sync::Arc;

use plugd_model::{
    AuthPolicy, Discoverability, InstallPolicy, PluginId, PluginName, Problem, ProblemKind,
    RemoteMarketplace, RemotePluginId, RemoteScope,
};
use serde_json::value::RawValue;

use crate::item::release;
use crate::json::{Notes, Object, Source, quoted};
use crate::rfc3339;
use crate::{
    Availability, DisabledReason, InstallPolicySource, InstalledItem, Item, Principal,
    PrincipalKind, PrincipalRole, Sharing,
};

/// The member that no file may hold.
const BUNDLE_URL: &str = "bundle_download_url";

/// Reads an item. What it can do without is noted; the error is why there is no item.
pub(crate) fn item(
    raw: &RawValue,
    path: &str,
    source: Source<'_>,
    notes: &mut Notes,
) -> Result<Item, Problem> {
    let object = Object::split(raw, path, source)?;
    item_of(&object, raw, notes)
}

/// Reads an item with what the account has done with it.
pub(crate) fn installed(
    raw: &RawValue,
    path: &str,
    source: Source<'_>,
    notes: &mut Notes,
) -> Result<InstalledItem, Problem> {
    let object = Object::split(raw, path, source)?;
    let item = item_of(&object, raw, notes)?;
    let fatal = |problem| about(&item.id, "was left out: ", problem);
    let enabled = object
        .needed("enabled", object.flag("enabled"))
        .map_err(fatal)?;
    // Half a list would switch skills on that the account has switched off.
    let disabled = object.texts("disabled_skill_names").map_err(fatal)?;
    let mut own = Notes::default();
    let installed_at = own.keep(instant(&object, "installed_at"));
    for problem in own.0 {
        notes.push(about(&item.id, "", problem));
    }
    Ok(InstalledItem {
        enabled,
        disabled_skill_names: disabled.unwrap_or_default().into_iter().collect(),
        installed_at,
        item,
    })
}

fn item_of(object: &Object<'_>, raw: &RawValue, notes: &mut Notes) -> Result<Item, Problem> {
    let text = object.needed("id", object.text("id"))?;
    let id = RemotePluginId::parse(&text)
        .map_err(|error| object.fault(ProblemKind::BadName, error.to_string(), "id"))?;
    let mut own = Notes::default();
    let item = with_id(object, raw, &id, &mut own)
        .map_err(|problem| about(&id, "was left out: ", problem))?;
    for problem in own.0 {
        notes.push(about(&id, "", problem));
    }
    Ok(item)
}

fn with_id(
    object: &Object<'_>,
    raw: &RawValue,
    id: &RemotePluginId,
    notes: &mut Notes,
) -> Result<Item, Problem> {
    let name = object.needed("name", object.text("name"))?;
    let name = PluginName::new(&name)
        .map_err(|error| object.fault(ProblemKind::BadName, error.to_string(), "name"))?;
    let scope = object.needed("scope", object.word("scope", scope))?;
    let discoverability = match scope {
        RemoteScope::Workspace => {
            let found = object.word("discoverability", discoverability);
            Some(object.needed("discoverability", found)?)
        }
        // Elsewhere it decides nothing.
        RemoteScope::Global | RemoteScope::User => {
            notes.keep(object.word("discoverability", discoverability))
        }
    };
    let marketplace = RemoteMarketplace::canonical(scope, discoverability);
    let marketplace = object.needed("discoverability", Ok(marketplace))?;
    let policy = object.word("installation_policy", install_policy);
    let install_policy = object.needed("installation_policy", policy)?;
    let policy = object.word("authentication_policy", auth_policy);
    let auth_policy = object.needed("authentication_policy", policy)?;
    let availability = object.word("status", Availability::of_word)?;
    let disabled_reason = object.text("disabled_reason")?;
    let source = notes.keep(object.text("installation_policy_source"));
    let release = object.needed("release", object.object("release"))?;
    let release_text = object.get("release");
    Ok(Item {
        id: id.clone(),
        name,
        scope,
        discoverability,
        install_policy,
        install_policy_source: source.as_deref().and_then(InstallPolicySource::of_word),
        must_show_interstitial: notes.keep(object.flag("must_show_installation_interstitial")),
        auth_policy,
        availability: availability.unwrap_or(Availability::Available),
        disabled_reason: disabled_reason.as_deref().map(DisabledReason::of_word),
        eligible_plan_types: notes.keep(object.texts("eligible_plan_types")),
        canonical_app_id: notes.keep(object.text("canonical_app_id")),
        sharing: sharing(object, notes),
        json: kept_text(object, raw, &release, release_text),
        release: release::read(&release, notes)?,
        marketplace,
    })
}

fn sharing(object: &Object<'_>, notes: &mut Notes) -> Sharing {
    Sharing {
        creator_account_user_id: notes.keep(object.text("creator_account_user_id")),
        creator_name: notes.keep(object.text("creator_name")),
        share_url: notes.keep(object.text("share_url")),
        can_publish_to_workspace: notes.keep(object.flag("can_publish_to_workspace")),
        principals: notes.keep(principals(object, "share_principals")),
    }
}

/// The principals of a member, all of them or none.
pub(crate) fn principals(
    object: &Object<'_>,
    key: &str,
) -> Result<Option<Vec<Principal>>, Problem> {
    let mut broken = Notes::default();
    let found = object.readable(key, &mut broken, |one, _| principal(one));
    match broken.0.into_iter().next() {
        Some(problem) => Err(problem),
        None => Ok(found),
    }
}

fn principal(object: &Object<'_>) -> Result<Principal, Problem> {
    let kind = object.word("principal_type", |word| {
        PrincipalKind::ALL
            .into_iter()
            .find(|kind| kind.word() == word)
    });
    let role = object.word("role", |word| {
        PrincipalRole::ALL
            .into_iter()
            .find(|role| role.word() == word)
    });
    Ok(Principal {
        kind: object.needed("principal_type", kind)?,
        id: object.needed("principal_id", object.text("principal_id"))?,
        role: object.needed("role", role)?,
        name: object.text("name")?.unwrap_or_default(),
    })
}

fn instant(object: &Object<'_>, key: &str) -> Result<Option<i64>, Problem> {
    let Some(text) = object.text(key)? else {
        return Ok(None);
    };
    rfc3339::parse(&text).map(Some).ok_or_else(|| {
        let message = format!("`{key}` has `{}`, which is no point in time", quoted(&text));
        object.fault(ProblemKind::BadValue, message, key)
    })
}

/// The item's text without the address of its bundle.
fn kept_text(
    item: &Object<'_>,
    raw: &RawValue,
    release: &Object<'_>,
    release_text: Option<&RawValue>,
) -> Arc<str> {
    if !release.has(BUNDLE_URL) {
        return raw.get().into();
    }
    let kept: BTreeMap<&str, &RawValue> = release
        .members()
        .filter(|(key, _)| *key != BUNDLE_URL)
        .collect();
    // A map of texts to JSON can be written, always.
    let Ok(release) = serde_json::value::to_raw_value(&kept) else {
        return "{}".into();
    };
    let mut members: BTreeMap<&str, &RawValue> = item.members().collect();
    if release_text.is_some() {
        members.insert("release", &release);
    }
    serde_json::to_string(&members).map_or_else(|_| "{}".into(), Into::into)
}

/// The same problem, with whose it is.
fn about(id: &RemotePluginId, outcome: &str, mut problem: Problem) -> Problem {
    problem.message = format!("the remote plugin `{id}`: {outcome}{}", problem.message);
    problem
}

fn scope(word: &str) -> Option<RemoteScope> {
    RemoteScope::ALL
        .into_iter()
        .find(|scope| scope.word() == word)
}

/// Who finds a plugin, by the service's word.
pub(crate) fn discoverability(word: &str) -> Option<Discoverability> {
    Discoverability::ALL
        .into_iter()
        .find(|known| known.word() == word)
}

fn install_policy(word: &str) -> Option<InstallPolicy> {
    match word {
        "NOT_AVAILABLE" => Some(InstallPolicy::NotAvailable),
        "AVAILABLE" => Some(InstallPolicy::Available),
        "INSTALLED_BY_DEFAULT" => Some(InstallPolicy::InstalledByDefault),
        _ => None,
    }
}

fn auth_policy(word: &str) -> Option<AuthPolicy> {
    match word {
        "ON_INSTALL" => Some(AuthPolicy::OnInstall),
        "ON_USE" => Some(AuthPolicy::OnUse),
        _ => None,
    }
}

/// Items of one list, each id and each name once.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    ids: BTreeMap<RemotePluginId, PluginId>,
    names: BTreeMap<PluginId, RemotePluginId>,
}

/// Whether an item belongs into a list.
pub(crate) enum Admission {
    Yes,
    /// It is there already, as happens when the list moves between two pages.
    Again,
    /// Another one has its name here, or it has another name here.
    Clash(Problem),
}

impl Seen {
    pub(crate) fn admit(&mut self, item: &Item, path: &str) -> Admission {
        let (id, name) = (&item.id, item.plugin_id());
        let reason = match (self.ids.get(id), self.names.get(&name)) {
            (Some(first), _) if *first == name => return Admission::Again,
            (Some(first), _) => format!("it is called `{first}` and `{name}`"),
            (None, Some(first)) => format!("`{first}` is called `{name}` too"),
            (None, None) => {
                self.ids.insert(id.clone(), name.clone());
                self.names.insert(name, id.clone());
                return Admission::Yes;
            }
        };
        let message = format!("the remote plugin `{id}`: was left out: {reason}");
        let problem = Problem::error(ProblemKind::Duplicate, message);
        Admission::Clash(problem.at_field(path))
    }
}

#[cfg(test)]
#[path = "raw_tests.rs"]
pub(super) mod tests;
