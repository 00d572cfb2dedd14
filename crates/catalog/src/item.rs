//! A plugin as the service describes it.
//!
//! All texts are a stranger's. Names and ids are checked; everything else is as it came, and whoever
//! shows or uses it decides what it may do. Nothing of an item is ever run or fetched here.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use plugd_model::{
    AuthPolicy, Discoverability, InstallPolicy, Interface, PluginId, PluginName, RemoteMarketplace,
    RemotePluginId, RemoteScope,
};
use serde::Serialize;
use serde_json::value::to_raw_value;

use crate::json_text::Members;
use crate::{Secret, rfc3339};

mod interface;
pub(crate) mod raw;
mod release;

/// A plugin that the service offers.
#[derive(Clone, PartialEq)]
pub struct Item {
    /// What the service calls it; never changes.
    pub id: RemotePluginId,
    /// What it is called here; the manifest of its bundle must agree.
    pub name: PluginName,
    /// Whose catalog it is in.
    pub scope: RemoteScope,
    /// Who comes across it; always there for a workspace's.
    pub discoverability: Option<Discoverability>,
    /// Whether it may be installed.
    pub install_policy: InstallPolicy,
    /// Who decided that, where it is known.
    pub install_policy_source: Option<InstallPolicySource>,
    /// Whether a page is to be shown before the installation.
    pub must_show_interstitial: Option<bool>,
    /// When its apps ask for their login.
    pub auth_policy: AuthPolicy,
    /// Whether it may be used at all.
    pub availability: Availability,
    /// Why it is withheld.
    pub disabled_reason: Option<DisabledReason>,
    /// The plans that may have it, in the service's words.
    pub eligible_plan_types: Option<Vec<String>>,
    /// The app that it belongs to.
    pub canonical_app_id: Option<String>,
    /// How it is shared.
    pub sharing: Sharing,
    /// What is offered.
    pub release: Release,
    pub(crate) marketplace: RemoteMarketplace,
    pub(crate) json: Arc<str>,
}

/// Who decided on an install policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InstallPolicySource {
    /// A setting of the workspace.
    WorkspaceSetting,
    /// The app that the plugin belongs to.
    ImplicitCanonicalApp,
}

/// Whether a plugin may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Availability {
    /// It may.
    Available,
    /// An administrator forbids it.
    DisabledByAdmin,
}

/// Why a plugin is withheld.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DisabledReason {
    /// An administrator forbids it.
    DisabledByAdmin,
    /// The account's plan does not include it.
    PlanNotEligible,
    /// It needs an app that cannot be had.
    RequiredAppUnavailable,
    /// A word that is not known here.
    Unknown,
}

/// How a plugin is shared, as far as the service says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Sharing {
    /// The account that made it.
    pub creator_account_user_id: Option<String>,
    /// The person who made it.
    pub creator_name: Option<String>,
    /// A link to it.
    pub share_url: Option<String>,
    /// Whether this account may offer it to the whole workspace.
    pub can_publish_to_workspace: Option<bool>,
    /// Who may do what; `None` also where the list could not be read to its end, because half a list
    /// of who has access is a wrong one.
    pub principals: Option<Vec<Principal>>,
}

/// Somebody with whom a plugin is shared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    /// What kind of somebody.
    pub kind: PrincipalKind,
    /// The id.
    pub id: String,
    /// What the principal may do.
    pub role: PrincipalRole,
    /// The name for people.
    pub name: String,
}

/// What kind of somebody a principal is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PrincipalKind {
    /// One person.
    User,
    /// A group.
    Group,
    /// The whole workspace.
    Workspace,
}

/// What a principal may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PrincipalRole {
    /// Install it.
    Reader,
    /// Change it too.
    Editor,
    /// Give it away too.
    Owner,
}

/// What an item offers right now.
#[derive(Debug, Clone, PartialEq)]
pub struct Release {
    /// The version, trimmed; not yet checked to be a directory name.
    pub version: Option<String>,
    /// The name for people, trimmed.
    pub display_name: Option<String>,
    /// What it is, trimmed.
    pub description: Option<String>,
    /// Where its bundle is; only there when it was asked for. Whoever has the address has the bundle.
    pub bundle_url: Option<Secret>,
    /// What the bundle must hash to, where the service says so: `sha256:` and hexadecimal digits, not
    /// yet checked.
    pub digest: Option<String>,
    /// The apps that it uses.
    pub app_ids: Vec<String>,
    /// The JSON text that replaces the bundle's app file.
    pub app_manifest: Option<String>,
    /// Apps that a workspace can set up for it.
    pub app_templates: Vec<AppTemplate>,
    /// Search words.
    pub keywords: Vec<String>,
    /// Texts and pictures; `None` when nothing of it survived.
    pub interface: Option<ReleaseInterface>,
    /// The skills in the bundle, as the service read them.
    pub skills: Vec<ReleaseSkill>,
    /// The skill to show first.
    pub onboarding_skill_name: Option<String>,
    /// The keys of its MCP servers, sorted, each once.
    pub mcp_servers: Vec<String>,
    /// Prompts that it wants to run on a schedule; `None` where the service does not say.
    pub scheduled_tasks: Option<Vec<ScheduledTask>>,
}

/// Texts and pictures of a release. Its pictures are addresses, never files.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ReleaseInterface {
    /// The texts; all paths in it are empty.
    pub texts: Interface,
    /// The icon beside an input field.
    pub composer_icon_url: Option<String>,
    /// The logo.
    pub logo_url: Option<String>,
    /// The logo on a dark ground.
    pub logo_url_dark: Option<String>,
    /// Pictures.
    pub screenshot_urls: Vec<String>,
}

/// A skill of a release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReleaseSkill {
    /// Its name.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// Texts and pictures.
    pub interface: Option<SkillInterface>,
}

/// Texts and pictures of a skill.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SkillInterface {
    /// The name for people.
    pub display_name: Option<String>,
    /// One line.
    pub short_description: Option<String>,
    /// A colour.
    pub brand_color: Option<String>,
    /// A prompt to begin with.
    pub default_prompt: Option<String>,
    /// A small icon.
    pub icon_small_url: Option<String>,
    /// A large icon.
    pub icon_large_url: Option<String>,
}

/// An app that a workspace can set up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppTemplate {
    /// Its id.
    pub template_id: String,
    /// The name for people.
    pub name: String,
    /// What it is.
    pub description: Option<String>,
    /// The shelf it stands on.
    pub category: Option<String>,
    /// The connector it stands for.
    pub canonical_connector_id: Option<String>,
    /// The logo.
    pub logo_url: Option<String>,
    /// The logo on a dark ground.
    pub logo_url_dark: Option<String>,
    /// The apps that were made from it.
    pub materialized_app_ids: Vec<String>,
    /// Why there is none.
    pub reason: Option<TemplateReason>,
}

/// Why no app was made from a template.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TemplateReason {
    /// The workspace has not set it up.
    NotConfiguredForWorkspace,
    /// The account is in no workspace.
    NoActiveWorkspace,
}

/// A prompt that a plugin wants to run on a schedule.
#[derive(Debug, Clone, PartialEq)]
pub struct ScheduledTask {
    /// Its key within the plugin.
    pub key: String,
    /// The name for people.
    pub name: String,
    /// The prompt.
    pub prompt: String,
    /// When it runs.
    pub schedule: Schedule,
}

/// When a task runs. Times are the service's text.
#[derive(Debug, Clone, PartialEq)]
pub enum Schedule {
    /// Every so many hours, on these days or all.
    Hourly {
        /// How many hours apart.
        interval_hours: u32,
        /// On which days; `None` means all.
        days: Option<Vec<Weekday>>,
    },
    /// Every day.
    Daily {
        /// At this time.
        time: String,
    },
    /// From Monday to Friday.
    Weekdays {
        /// At this time.
        time: String,
    },
    /// Every week.
    Weekly {
        /// On these days.
        days: Vec<Weekday>,
        /// At this time.
        time: String,
    },
}

/// A day of the week.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Weekday {
    /// Monday.
    Monday,
    /// Tuesday.
    Tuesday,
    /// Wednesday.
    Wednesday,
    /// Thursday.
    Thursday,
    /// Friday.
    Friday,
    /// Saturday.
    Saturday,
    /// Sunday.
    Sunday,
}

/// A plugin that the account has installed.
#[derive(Debug, Clone, PartialEq)]
pub struct InstalledItem {
    /// The plugin. Its release is what the service offers, not what lies on this disk.
    pub item: Item,
    /// Whether the account has it switched on.
    pub enabled: bool,
    /// Its skills that the account has switched off.
    pub disabled_skill_names: BTreeSet<String>,
    /// When it was installed, in seconds since the Unix epoch.
    pub installed_at: Option<i64>,
}

impl InstalledItem {
    /// A plugin of which the service has said just now that the account has it, and not more.
    #[must_use]
    pub fn noted(item: &Item, now: Duration) -> Self {
        let mut item = item.clone();
        item.set("enabled", &true);
        item.set("installed_at", &rfc3339::format(now));
        item.set("disabled_skill_names", &[(); 0]);
        Self {
            item,
            enabled: true,
            disabled_skill_names: BTreeSet::new(),
            installed_at: i64::try_from(now.as_secs()).ok(),
        }
    }

    /// Says that it is switched on, also in what is kept of it.
    pub fn switch_on(&mut self) {
        self.enabled = true;
        self.item.set("enabled", &true);
    }
}

impl Item {
    /// The marketplace that its id names.
    #[must_use]
    pub fn marketplace(&self) -> RemoteMarketplace {
        self.marketplace
    }

    /// What config keys, cache directories and clients call it.
    #[must_use]
    pub fn plugin_id(&self) -> PluginId {
        PluginId {
            plugin: self.name.clone(),
            marketplace: self.marketplace.marketplace_name(),
        }
    }

    /// Sets a member of what is kept. The text of an item is an object, so that can be done always.
    fn set(&mut self, member: &str, value: &impl Serialize) {
        let members: Result<Members, _> = serde_json::from_str(&self.json);
        let text = members.and_then(|mut members| {
            members.set(member, to_raw_value(value)?);
            serde_json::to_string(&members)
        });
        if let Ok(text) = text {
            self.json = text.into();
        }
    }

    /// The JSON object as it came, unknown members included, so that a file made from it loses
    /// nothing. The address of the bundle is not in it: that may not be kept.
    #[must_use]
    pub fn json(&self) -> &str {
        &self.json
    }
}

impl fmt::Debug for Item {
    /// Names it and no more: an item has some fifty members.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Item")
            .field("id", &self.id)
            .field("name", &self.name)
            .field("marketplace", &self.marketplace)
            .field("version", &self.release.version)
            .finish_non_exhaustive()
    }
}

impl Availability {
    pub(crate) fn of_word(word: &str) -> Option<Self> {
        match word {
            "AVAILABLE" | "ENABLED" => Some(Self::Available),
            "DISABLED_BY_ADMIN" => Some(Self::DisabledByAdmin),
            _ => None,
        }
    }
}

impl InstallPolicySource {
    pub(crate) fn of_word(word: &str) -> Option<Self> {
        match word {
            "WORKSPACE_SETTING" => Some(Self::WorkspaceSetting),
            "IMPLICIT_CANONICAL_APP" => Some(Self::ImplicitCanonicalApp),
            _ => None,
        }
    }
}

impl DisabledReason {
    pub(crate) fn of_word(word: &str) -> Self {
        match word {
            "disabled_by_admin" => Self::DisabledByAdmin,
            "plan_not_eligible" => Self::PlanNotEligible,
            "required_app_unavailable" => Self::RequiredAppUnavailable,
            _ => Self::Unknown,
        }
    }
}

impl PrincipalKind {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::User, Self::Group, Self::Workspace];

    /// The service's word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Group => "group",
            Self::Workspace => "workspace",
        }
    }
}

impl PrincipalRole {
    /// Every role.
    pub const ALL: [Self; 3] = [Self::Reader, Self::Editor, Self::Owner];

    /// The service's word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Reader => "reader",
            Self::Editor => "editor",
            Self::Owner => "owner",
        }
    }
}

impl TemplateReason {
    pub(crate) fn of_word(word: &str) -> Option<Self> {
        match word {
            "NOT_CONFIGURED_FOR_WORKSPACE" => Some(Self::NotConfiguredForWorkspace),
            "NO_ACTIVE_WORKSPACE" => Some(Self::NoActiveWorkspace),
            _ => None,
        }
    }
}

impl Weekday {
    pub(crate) fn of_word(word: &str) -> Option<Self> {
        match word {
            "MO" => Some(Self::Monday),
            "TU" => Some(Self::Tuesday),
            "WE" => Some(Self::Wednesday),
            "TH" => Some(Self::Thursday),
            "FR" => Some(Self::Friday),
            "SA" => Some(Self::Saturday),
            "SU" => Some(Self::Sunday),
            _ => None,
        }
    }
}
