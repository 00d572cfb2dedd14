//! What a declaration of an MCP server says, member by member.

use std::time::Duration;

use plugd_model::ToolApproval;

use crate::item::Origin;
use crate::placeholders::Spelling;

/// A declared MCP server, before anything is put in or judged for a host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct McpDefinition {
    /// Its name; any text, also one that can never start.
    pub name: String,
    /// How it is reached, as written.
    pub transport: McpTransport,
    /// How a user signs in, as far as the plugin knows better than the host.
    pub oauth: Option<McpOauth>,
    /// The scopes to ask for at sign-in.
    pub scopes: Vec<String>,
    /// How long the start may take.
    pub startup_timeout: Option<Duration>,
    /// How long one call may take.
    pub tool_timeout: Option<Duration>,
    /// Whether the plugin wants it started; `enabled: false` and `disabled: true` both say no.
    pub enabled: bool,
    /// Whether a session without it makes no sense.
    pub required: bool,
    /// The only tools to offer; `None` means all.
    pub enabled_tools: Option<Vec<String>>,
    /// Tools that are not offered.
    pub disabled_tools: Vec<String>,
    /// Who is asked before a tool runs that has no word of its own.
    pub default_approval: Option<ToolApproval>,
    /// Who is asked before single tools run, in the order of the declaration.
    pub tool_approvals: Vec<(String, ToolApproval)>,
    /// The members that are not read here, each with its JSON text: a host may know more.
    pub extra: Vec<(String, String)>,
    /// Which placeholders count in it. [`Spelling::Portable`] also means that it is declared in the
    /// Agent Plugins format, whose rules are strict.
    pub spelling: Spelling,
    /// Where it is declared.
    pub origin: Origin,
    /// Its JSON object, as written.
    pub json: String,
}

/// How a server is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum McpTransport {
    /// A child process that speaks over its standard streams.
    Stdio {
        /// The program.
        command: String,
        /// Its arguments.
        args: Vec<String>,
        /// Variables that it gets, sorted by name.
        env: Vec<(String, String)>,
        /// Names of variables of the user that it gets with their values.
        env_vars: Vec<String>,
        /// Where it starts; `None` leaves that to the host.
        cwd: Option<String>,
    },
    /// A server in the network.
    Http {
        /// Its address.
        url: String,
        /// Which of the two protocols over HTTP to try first.
        protocol: HttpProtocol,
        /// Headers with fixed values, each name once, case not counted, sorted.
        headers: Vec<(String, String)>,
        /// Headers whose values are those of the user's variables: header, variable.
        env_headers: Vec<(String, String)>,
        /// The user's variable that holds a bearer token.
        bearer_token_env_var: Option<String>,
        /// A command line for a shell that prints more headers before each connection.
        headers_helper: Option<String>,
    },
}

/// The protocols over HTTP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HttpProtocol {
    /// Streamable HTTP.
    Streamable,
    /// The older one with two endpoints.
    Sse,
}

/// What a plugin says about signing in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct McpOauth {
    /// The client's id at the authorisation server.
    pub client_id: Option<String>,
    /// The port at which the client waits for the browser.
    pub callback_port: Option<u16>,
    /// The whole object, as written.
    pub json: String,
}
