//! What the reference asks of several members of one table together.

use plugd_model::ProblemKind;

use crate::KeyPath;
use crate::key_path::{Child, Field};
use crate::reader::Reader;
use crate::tree::{Kind, Node};

/// Members of a server that is reached by its address.
const OF_ADDRESSES: [&str; 7] = [
    "auth",
    "bearer_token_env_var",
    "env_http_headers",
    "http_headers",
    "http_headers_helper",
    "oauth",
    "oauth_resource",
];
/// Members of a server that is started.
const OF_PROGRAMS: [&str; 4] = ["args", "cwd", "env", "env_vars"];

/// Providers that the reference has itself and of which nothing may be changed.
const FIXED_PROVIDERS: [&str; 3] = ["lmstudio", "ollama", "openai"];
/// Providers that the reference has itself and of which a part may be changed.
const CLOUD_PROVIDERS: [&str; 2] = ["amazon-bedrock", "amazon-bedrock-runtime"];

/// A server is started or reached by its address. Another layer may say how, but the reference
/// looks at the user's file alone.
pub(super) fn servers(reader: &mut Reader<'_>, tree: &Node) {
    for (name, server) in rows(tree, "mcp_servers") {
        let field = KeyPath::of(["mcp_servers", name]);
        if let Some((member, message)) = wrong_in_server(server) {
            match member {
                Some(member) => bad(reader, server, &Child(&field, member), message),
                None => bad(reader, server, &field, message),
            }
        }
    }
}

fn wrong_in_server(server: &Node) -> Option<(Option<&'static str>, &'static str)> {
    server.members()?;
    let first = |members: &[&'static str]| {
        let mut members = members.iter().copied();
        members.find(|member| server.get(member).is_some())
    };
    if server.get("bearer_token").is_some() {
        let message = "a token is not written down here: name the variable that holds it in \
                       `bearer_token_env_var`";
        return Some((Some("bearer_token"), message));
    }
    match (server.get("command"), server.get("url")) {
        (Some(_), Some(_)) => Some((None, "a server has either a `command` or a `url`")),
        (Some(_), None) => first(&OF_ADDRESSES)
            .map(|member| (Some(member), "only a server with a `url` can have this")),
        (None, Some(_)) => first(&OF_PROGRAMS)
            .map(|member| (Some(member), "only a server with a `command` can have this")),
        (None, None) => Some((
            None,
            "a server needs a `command` or a `url`: write it together with the rest, or delete the \
             whole server; what is said of a plugin's server stands below the plugin, in \
             `plugins.\"NAME@MARKETPLACE\".mcp_servers`",
        )),
    }
}

/// A provider has a name and one way to log in, and is none of those that are built in.
pub(super) fn providers(reader: &mut Reader<'_>, tree: &Node) {
    for (name, provider) in rows(tree, "model_providers") {
        let field = KeyPath::of(["model_providers", name]);
        let has = |member: &str| provider.get(member).is_some();
        let is =
            |member| matches!(provider.get(member), Some(node) if node.kind == Kind::Bool(true));
        let name = name.as_str();
        let message = if provider.members().is_none() {
            continue;
        } else if FIXED_PROVIDERS.contains(&name) {
            (has("name") || has("base_url"))
                .then_some("a provider that is built in cannot be changed: choose another key")
        } else if CLOUD_PROVIDERS.contains(&name) {
            has("name").then_some("a provider that is built in keeps its name")
        } else if !has("name") {
            Some("a provider needs a `name`: write it together with the rest")
        } else if has("aws") {
            Some("only the providers of that cloud have a table `aws`")
        } else if has("auth")
            && (has("env_key") || has("experimental_bearer_token") || is("requires_openai_auth"))
        {
            Some("a provider with `auth` has no other way to log in")
        } else {
            None
        };
        if let Some(message) = message {
            bad(reader, provider, &field, message);
        }
    }
}

fn rows<'n>(tree: &'n Node, table: &str) -> &'n [(String, Node)] {
    tree.get(table).and_then(Node::members).unwrap_or_default()
}

fn bad(reader: &mut Reader<'_>, node: &Node, field: &dyn Field, message: &str) {
    reader.error(ProblemKind::BadValue, node.mark, field, message);
}
