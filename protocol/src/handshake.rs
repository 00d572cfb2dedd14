//! The beginning and the end of a connection.
//!
//! Clients of the reference and language clients start the server with the same request, so nearly
//! everything in it is optional, and what belongs to another protocol is never a reason to refuse.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{AbsolutePathBuf, object};

/// Params of a message that carries nothing. Unknown members are ignored.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NoParams {}

/// Params of `initialize`. Members of the language server protocol that are not named here are
/// accepted and ignored.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct InitializeParams {
    /// Who speaks; its name begins the `userAgent`.
    #[serde(default, deserialize_with = "object::optional")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_info: Option<ClientInfo>,
    /// What the client can do and wants.
    #[serde(default, deserialize_with = "object::optional")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub capabilities: Option<InitializeCapabilities>,
    /// The same wishes, in the place where a language client lets its user put them. Anything but
    /// an object of this form counts as absent.
    #[serde(default, deserialize_with = "object::lenient")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub initialization_options: Option<InitializationOptions>,
}

impl InitializeParams {
    /// Whether the client asked for the notifications that the reference does not know.
    #[must_use]
    pub fn wants_plugd_notifications(&self) -> bool {
        self.capability_sets()
            .filter_map(|set| set.plugd.as_ref())
            .any(|plugd| plugd.notifications == Some(true))
    }

    /// The names of the notifications that the client never wants to see.
    pub fn opted_out_notifications(&self) -> impl Iterator<Item = &str> {
        self.capability_sets()
            .filter_map(|set| set.opt_out_notification_methods.as_ref())
            .flatten()
            .map(String::as_str)
    }

    fn capability_sets(&self) -> impl Iterator<Item = &InitializeCapabilities> {
        let options = self.initialization_options.as_ref();
        let below = options.and_then(|options| options.capabilities.as_ref());
        self.capabilities.iter().chain(below)
    }
}

/// Who speaks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ClientInfo {
    /// The program's name, without control characters.
    pub name: String,
    /// The program's name for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The program's version; language clients may leave it out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
}

/// What a client can do and wants. The members that say so are accepted because clients of the
/// reference send them, and change nothing here.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct InitializeCapabilities {
    /// Changes nothing: no method or member is kept back from anybody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub experimental_api: Option<bool>,
    /// Names of notifications that are not to be sent on this connection. Unknown names are fine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opt_out_notification_methods: Option<Vec<String>>,
    /// What a client wants from this server beyond the reference.
    #[serde(default, deserialize_with = "object::optional")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plugd: Option<PlugdClientCapabilities>,
    /// Changes nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_attestation: Option<bool>,
    /// Changes nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub required_human_approval: Option<bool>,
    /// Changes nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub explicit_gateway_oauth: Option<bool>,
    /// Changes nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mcp_server_openai_form_elicitation: Option<bool>,
    /// Changes nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extensions: Option<Map<String, Value>>,
}

/// What a client wants from this server beyond the reference.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PlugdClientCapabilities {
    /// Whether to send `plugd/changed` and `plugd/task`. Not unless it is true, so that a client
    /// of the reference never meets a notification it does not know.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notifications: Option<bool>,
}

/// What a language client passes on from its user's settings.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct InitializationOptions {
    /// As `capabilities` beside it.
    #[serde(default, deserialize_with = "object::optional")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub capabilities: Option<InitializeCapabilities>,
}

/// Result of `initialize`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct InitializeResponse {
    /// Begins with the client's name, a slash and the version of the reference that this server
    /// is compatible with. Its own version stands in `serverInfo`.
    pub user_agent: String,
    /// The home directory that everything is about.
    pub codex_home: AbsolutePathBuf,
    /// `unix` or `windows`.
    pub platform_family: String,
    /// `linux`, `macos` or `windows`.
    pub platform_os: String,
    /// Who answers. Not in the reference.
    pub server_info: ServerInfo,
    /// What this server can do. Not in the reference.
    pub capabilities: ServerCapabilities,
}

/// Who answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ServerInfo {
    /// Always `plugd`.
    pub name: String,
    /// The version of the program.
    pub version: String,
}

/// What this server can do, in the place where a language client looks for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ServerCapabilities {
    /// What there is beyond the language server protocol: everything.
    pub plugd: PlugdServerCapabilities,
}

/// What is built, and no more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PlugdServerCapabilities {
    /// The version of what is not the reference's. A higher one may break a client of a lower one.
    pub version: u32,
    /// The methods that this server answers.
    pub methods: Vec<String>,
    /// The notifications that this server may send.
    pub notifications: Vec<String>,
}

impl PlugdServerCapabilities {
    /// What the tables of this crate say.
    #[must_use]
    pub fn built() -> Self {
        let sent = crate::NOTIFICATIONS
            .iter()
            .filter(|notification| notification.direction == crate::Direction::FromServer);
        Self {
            version: crate::PROTOCOL_VERSION,
            methods: crate::METHODS
                .iter()
                .map(|method| method.name.to_owned())
                .collect(),
            notifications: sent
                .map(|notification| notification.name.to_owned())
                .collect(),
        }
    }
}

/// Result of `shutdown`: null.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ShutdownResponse;

/// Result of `rpc.discover`: an OpenRPC 1.3 document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct DiscoverResponse(pub Map<String, Value>);
