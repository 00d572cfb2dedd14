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
        for (member, message) in wrong_in_server(server) {
            match member {
                Some(member) => bad(reader, server, &Child(&field, member), message),
                None => bad(reader, server, &field, message),
            }
        }
    }
}

/// Every mistake, so that one can be mended while the others stand.
fn wrong_in_server(server: &Node) -> Vec<(Option<&'static str>, &'static str)> {
    if server.members().is_none() {
        return Vec::new();
    }
    let has = |member: &str| server.get(member).is_some();
    let of_the_other = match (has("command"), has("url")) {
        (true, true) => vec![(None, "a server has either a `command` or a `url`")],
        (true, false) => out_of_place(
            server,
            &OF_ADDRESSES,
            "only a server with a `url` can have this",
        ),
        (false, true) => out_of_place(
            server,
            &OF_PROGRAMS,
            "only a server with a `command` can have this",
        ),
        (false, false) => vec![(
            None,
            "a server needs a `command` or a `url`: write it together with the rest, or delete the \
             whole server; what is said of a plugin's server stands below the plugin, in \
             `plugins.\"NAME@MARKETPLACE\".mcp_servers`",
        )],
    };
    let token = out_of_place(
        server,
        &["bearer_token"],
        "a token is not written down here: name the variable that holds it in \
         `bearer_token_env_var`",
    );
    [token, of_the_other].concat()
}

/// The members that are there and may not be.
fn out_of_place(
    server: &Node,
    members: &[&'static str],
    message: &'static str,
) -> Vec<(Option<&'static str>, &'static str)> {
    let members = members.iter().copied();
    let there = members.filter(|member| server.get(member).is_some());
    there.map(|member| (Some(member), message)).collect()
}

/// A provider has a name and one way to log in, and is none of those that are built in.
pub(super) fn providers(reader: &mut Reader<'_>, tree: &Node) {
    for (name, provider) in rows(tree, "model_providers") {
        let field = KeyPath::of(["model_providers", name]);
        for message in wrong_in_provider(name, provider) {
            bad(reader, provider, &field, message);
        }
    }
}

fn wrong_in_provider(name: &str, provider: &Node) -> Vec<&'static str> {
    if provider.members().is_none() {
        return Vec::new();
    }
    let has = |member: &str| provider.get(member).is_some();
    let is = |member| matches!(provider.get(member), Some(node) if node.kind == Kind::Bool(true));
    let rules: &[(bool, &'static str)] = if FIXED_PROVIDERS.contains(&name) {
        &[(
            has("name") || has("base_url"),
            "a provider that is built in cannot be changed: choose another key",
        )]
    } else if CLOUD_PROVIDERS.contains(&name) {
        &[(has("name"), "a provider that is built in keeps its name")]
    } else {
        let logs_in =
            has("env_key") || has("experimental_bearer_token") || is("requires_openai_auth");
        &[
            (
                !has("name"),
                "a provider needs a `name`: write it together with the rest",
            ),
            (
                has("aws"),
                "only the providers of that cloud have a table `aws`",
            ),
            (
                has("auth") && logs_in,
                "a provider with `auth` has no other way to log in",
            ),
        ]
    };
    let broken = rules.iter().filter(|(is_broken, _)| *is_broken);
    broken.map(|(_, message)| *message).collect()
}

fn rows<'n>(tree: &'n Node, table: &str) -> &'n [(String, Node)] {
    tree.get(table).and_then(Node::members).unwrap_or_default()
}

fn bad(reader: &mut Reader<'_>, node: &Node, field: &dyn Field, message: &str) {
    reader.error(ProblemKind::BadValue, node.mark, field, message);
}
