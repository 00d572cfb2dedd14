//! MCP servers of plugins, as a host starts or calls them.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::AbsolutePathBuf;

/// An MCP server of a plugin. Its plugin's directories are put in, and what the configuration lays
/// over it is counted. What depends on the user's variables is in `neededEnv`: no value is made up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PlugdMcpServer {
    /// Its name. No other server in effect has the same.
    pub name: String,
    /// The plugin that brings it.
    pub plugin_id: String,
    /// That plugin's name for people.
    pub plugin_display_name: String,
    /// That plugin's version.
    pub version: String,
    /// How it is reached.
    pub transport: PlugdMcpTransport,
    /// How a user signs in, as far as the plugin says.
    pub oauth: Option<PlugdMcpOauth>,
    /// The scopes to ask for at sign-in.
    pub scopes: Vec<String>,
    /// How long the start may take, in milliseconds; null leaves it to the host.
    pub startup_timeout_ms: Option<u64>,
    /// How long one call may take, in milliseconds; null leaves it to the host.
    pub tool_timeout_ms: Option<u64>,
    /// The only tools to offer; null means all.
    pub enabled_tools: Option<Vec<String>>,
    /// Tools that are not offered, also when they are among the enabled ones.
    pub disabled_tools: Vec<String>,
    /// Who is asked before a tool runs; null leaves it to the host.
    pub default_tools_approval_mode: Option<PlugdToolApproval>,
    /// The same for single tools.
    pub tools_approval_mode: BTreeMap<String, PlugdToolApproval>,
    /// The user's variables that a host looks up before it starts or calls the server.
    pub needed_env: Vec<PlugdNeededEnv>,
    /// Whether it is to be started at all.
    pub enabled: bool,
    /// Whether a session without it makes no sense, as the plugin says.
    pub required: bool,
    /// Members of its declaration that nobody here reads, as written.
    pub extra: Map<String, Value>,
}

/// How an MCP server is reached.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(
    tag = "type",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub enum PlugdMcpTransport {
    /// A process that speaks over its standard streams.
    Stdio {
        /// The program: an absolute path, or a name to be looked up in `PATH`.
        command: String,
        /// Its arguments.
        args: Vec<String>,
        /// Variables that it gets, those with the plugin's directories included.
        env: BTreeMap<String, String>,
        /// Names of the user's variables that it gets with their values.
        env_vars: Vec<String>,
        /// Where it starts; null leaves that to the host.
        cwd: Option<AbsolutePathBuf>,
    },
    /// A server in the network.
    Http {
        /// Its address.
        url: String,
        /// Which of the protocols over HTTP to try first.
        protocol: PlugdMcpHttpProtocol,
        /// Headers with fixed values.
        headers: BTreeMap<String, String>,
        /// Headers whose values are those of the user's variables: the variable by the header.
        env_headers: BTreeMap<String, String>,
        /// The user's variable that holds a bearer token.
        bearer_token_env_var: Option<String>,
        /// A command line for a shell that prints more headers before each connection; null for none.
        headers_helper: Option<String>,
    },
}

/// The protocols over HTTP.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum PlugdMcpHttpProtocol {
    /// Streamable HTTP.
    StreamableHttp,
    /// The older one with two endpoints.
    Sse,
}

/// How a user signs in at an MCP server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PlugdMcpOauth {
    /// The client's id at the authorisation server.
    pub client_id: Option<String>,
    /// The port at which the client waits for the browser.
    pub callback_port: Option<u16>,
    /// All that the plugin says, as written.
    pub declared: Map<String, Value>,
}

/// Who is asked before a tool runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum PlugdToolApproval {
    /// The host decides.
    Auto,
    /// The user, each time.
    Prompt,
    /// The user, for tools that change something.
    Writes,
    /// Nobody.
    Approve,
}

/// A variable of the user that an MCP server wants.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PlugdNeededEnv {
    /// Its name.
    pub name: String,
    /// What the plugin wants in its place when it is not set.
    pub default: Option<String>,
    /// What it is for.
    pub purpose: PlugdNeededEnvPurpose,
    /// The member that wants it, such as `env.TOKEN` or `args[1]`.
    pub member: String,
}

/// What a variable of the user is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum PlugdNeededEnvPurpose {
    /// Its value replaces `${NAME}`, or `${NAME:-default}`, in the member.
    Text,
    /// The process gets it under the same name.
    Passed,
    /// Its value is that of a header.
    Header,
    /// Its value is the bearer token.
    BearerToken,
}
