//! Keys that nobody reads. In this file a typing error would be a door that stays open.

use plugd_model::ProblemKind;

use crate::KeyPath;
use crate::key_path::{Child, Field};
use crate::reader::{Reader, Spoiled};
use crate::tree::Node;

/// What this daemon and the reference read at the top.
const TOP: [&str; 44] = [
    "additional_developer_instructions",
    "allow_appshots",
    "allow_browser_and_computer_use",
    "allow_login_shell",
    "allow_managed_hooks_only",
    "allow_remote_control",
    "allowed_approval_policies",
    "allowed_approvals_reviewers",
    "allowed_login_methods",
    "allowed_permission_profiles",
    "allowed_sandbox_modes",
    "allowed_web_search_modes",
    "application",
    "apps",
    "auto_review",
    "browser_use",
    "chatgpt_base_url",
    "check_for_update_on_startup",
    "cli_auth_credentials_store",
    "computer_use",
    "default_permissions",
    "enforce_residency",
    "experimental_network",
    "feature_requirements",
    "features",
    "feedback",
    "guardian_policy_config",
    "hooks",
    "in_app_browser",
    "log_dir",
    "marketplaces",
    "mcp_servers",
    "model_catalog_json",
    "model_provider",
    "model_providers",
    "models",
    "otel",
    "permissions",
    "plugd",
    "plugins",
    "remote_sandbox_config",
    "rules",
    "sqlite_home",
    "windows",
];

/// Tells of keys at the top that mean nothing. Others of the reference may come with its next
/// version, so they spoil nothing.
pub(super) fn check(reader: &mut Reader<'_>, tree: &Node) {
    for (name, node) in tree.members().unwrap_or_default() {
        if !TOP.contains(&name.as_str()) {
            let text = "no such requirement is known, so nothing is required by it";
            let field = KeyPath::of([name]);
            reader.warning(ProblemKind::UnknownField, node.mark, &field, text);
        }
    }
}

/// Refuses members of a table other than these.
pub(super) fn only(
    reader: &mut Reader<'_>,
    members: &[(String, Node)],
    field: &dyn Field,
    known: &[&str],
) -> Result<(), Spoiled> {
    let is_known = |(name, _): &&(String, Node)| known.contains(&name.as_str());
    let Some((name, node)) = members.iter().find(|member| !is_known(member)) else {
        return Ok(());
    };
    let text = format!("this is none of `{}`", known.join("`, `"));
    reader.error(
        ProblemKind::UnknownField,
        node.mark,
        &Child(field, name),
        text,
    );
    Err(Spoiled)
}
