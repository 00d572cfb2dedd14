//! Values that look like secrets. What stands in a plugin is public (Agent Plugins 7.2.1 and 9.2),
//! so a token in it is lost.

use plugd_model::{Problem, ProblemKind};

use crate::mcp::{McpDefinition, McpTransport};

/// Parts of names whose values are secret.
const NAMES: [&str; 8] = [
    "token",
    "secret",
    "password",
    "passwd",
    "apikey",
    "accesskey",
    "privatekey",
    "credential",
];
/// Headers whose values are secret.
const HEADERS: [&str; 4] = ["authorization", "proxyauthorization", "cookie", "xapikey"];
/// The shortest value that is worth a word; shorter ones are switches and numbers.
const SHORTEST: usize = 8;

/// Adds a finding for each value that looks like a secret.
pub(super) fn check(server: &McpDefinition, findings: &mut Vec<Problem>) {
    let (member, values) = match &server.transport {
        McpTransport::Stdio { env, .. } => ("env", env),
        McpTransport::Http { headers, .. } => ("headers", headers),
    };
    for (name, value) in values {
        let folded: String = name
            .chars()
            .filter(char::is_ascii_alphanumeric)
            .map(|c| c.to_ascii_lowercase())
            .collect();
        let is_secret = NAMES.iter().any(|part| folded.contains(part))
            || (member == "headers" && HEADERS.contains(&folded.as_str()));
        // A value with a variable is filled in by the user's host.
        if is_secret && value.len() >= SHORTEST && !value.contains("${") {
            let origin = server.origin.below(&format!("{member}.{name}"));
            let text = "this looks like a secret, and everybody can read it; name a variable of \
                        the user's instead";
            findings.push(origin.problem(ProblemKind::BadValue, text).as_warning());
        }
    }
}
