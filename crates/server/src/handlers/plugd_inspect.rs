//! `plugd/inspect`.

use std::sync::Arc;

use plugd_model::{Place, PluginId};
use plugd_plugins::call::Call;
use plugd_plugins::{
    Category, Changes, Difference, Executable, ExecutableKind, HiddenClass, HiddenText,
    HookDeclaration, HookHandler, InspectDepth, InspectTarget, Inspected, InspectedServer,
    InspectedSide, Inspection, McpTransport, ModelText, OddityKind, RemoteTarget, TextKind,
};
use plugd_protocol as wire;

use super::plugin_read::event_name;
use super::{plugd_approve, shared};
use crate::context::Context;
use crate::error_map;
use crate::reply::Reply;
use crate::wire_error::WireError;

pub(crate) async fn handle(
    context: Arc<Context>,
    call: Call,
    params: wire::PlugdInspectParams,
) -> Result<Reply, WireError> {
    let inspected = match target(params)? {
        Wanted::Remote(target) => {
            plugd_plugins::inspect_remote(&call, &context.parts, target, InspectDepth::AsAsked)
                .await?
        }
        Wanted::Local(target) => {
            let inspected = plugd_plugins::inspect(
                &call,
                &context.blocking,
                &context.lookup,
                &context.copies,
                &context.fetcher,
                (target, InspectDepth::AsAsked),
            );
            inspected.await?
        }
    };
    Reply::of(&response(inspected))
}

/// Whose plugin is looked at.
enum Wanted {
    /// One of this machine's marketplaces and directories.
    Local(InspectTarget),
    /// One of the remote catalog.
    Remote(RemoteTarget),
}

/// The one way in which the params name a plugin.
fn target(params: wire::PlugdInspectParams) -> Result<Wanted, WireError> {
    let wire::PlugdInspectParams {
        marketplace_path,
        remote_marketplace_name,
        plugin_name,
        plugin_id,
        path,
    } = params;
    match (marketplace_path, remote_marketplace_name, plugin_id, path) {
        (Some(manifest), None, None, None) => {
            let manifest = shared::abs_path("marketplacePath", &manifest)?;
            let plugin = needed(plugin_name)?;
            Ok(Wanted::Local(InspectTarget::Named { manifest, plugin }))
        }
        // Where the plugin stands is what the service says.
        (None, Some(_), None, None) => {
            let plugin = needed(plugin_name)?;
            Ok(Wanted::Remote(RemoteTarget::Id(plugin)))
        }
        (None, None, Some(id), None) => match PluginId::parse(&id) {
            Ok(id) => Ok(match RemoteTarget::of(&id) {
                Some(target) => Wanted::Remote(target),
                None => Wanted::Local(InspectTarget::Id(id)),
            }),
            Err(_) => Err(plugd_plugins::Error::BadPluginId { id }.into()),
        },
        (None, None, None, Some(path)) => {
            let path = shared::abs_path("path", &path)?;
            Ok(Wanted::Local(InspectTarget::Directory(path)))
        }
        _ => Err(error_map::invalid_params(
            "expected exactly one of `pluginId`, `path`, and `marketplacePath` or \
             `remoteMarketplaceName` with `pluginName`",
            None,
        )),
    }
}

fn needed(plugin_name: Option<String>) -> Result<String, WireError> {
    plugin_name.ok_or_else(|| {
        let field = Some("pluginName".to_owned());
        error_map::invalid_params("missing field `pluginName`", field)
    })
}

fn response(inspected: Inspected) -> wire::PlugdInspectResponse {
    let Inspected {
        id,
        linked,
        offered,
        installed,
        difference: between,
        trust,
        problems,
    } = inspected;
    let side = offered.as_ref().or(installed.as_ref());
    let called = side.map(|side| side.display_name.as_ref().unwrap_or(&side.name));
    let plain = || id.as_ref().map(|id| id.plugin.to_string());
    wire::PlugdInspectResponse {
        display_name: called.cloned().or_else(plain).unwrap_or_default(),
        plugin_id: id.map(|id| id.to_string()),
        linked: linked.as_ref().map(shared::linked),
        installed: installed.map(inspection),
        offered: offered.map(inspection),
        difference: between.as_ref().map(difference),
        trust: trust.map(plugd_approve::trust),
        problems: problems.into_iter().map(shared::problem).collect(),
    }
}

fn inspection(side: InspectedSide) -> wire::PlugdInspection {
    let InspectedSide {
        name: _,
        display_name: _,
        description: _,
        version,
        root,
        source: _,
        commit: _,
        digest,
        inspection,
        problems,
    } = side;
    let Inspection {
        mcp_servers,
        hooks,
        apps,
        executables,
        environment,
        texts,
        hidden,
        licence,
        licence_files,
        files,
        directories,
        bytes,
        oddities,
        cut,
        unread: _,
        problems: _,
    } = inspection;
    let environment = environment.iter().map(|(name, readers)| {
        let readers = readers.map(str::to_owned).collect();
        let name = name.to_owned();
        wire::PlugdEnvironmentName { name, readers }
    });
    wire::PlugdInspection {
        root: root.as_ref().map(shared::path),
        version,
        tree_digest: digest.map(|digest| digest.to_string()),
        mcp_servers: mcp_servers.into_iter().map(server).collect(),
        hooks: hooks.into_iter().map(hook).collect(),
        apps: apps.into_iter().map(app).collect(),
        executables: executables.into_iter().map(executable).collect(),
        environment: environment.collect(),
        texts: texts.into_iter().map(text).collect(),
        hidden_characters: hidden.into_iter().map(hidden_character).collect(),
        licence,
        licence_files: licence_files.into_iter().map(|file| file.path).collect(),
        oddities: oddities.into_iter().map(oddity).collect(),
        files,
        directories,
        bytes,
        cut: cut.into_iter().map(shared::problem).collect(),
        problems: problems.into_iter().map(shared::problem).collect(),
    }
}

fn app(app: plugd_plugins::App) -> wire::PlugdInspectedApp {
    let plugd_plugins::App {
        id,
        label,
        category: _,
    } = app;
    wire::PlugdInspectedApp { id, label }
}

fn oddity(oddity: plugd_plugins::Oddity) -> wire::PlugdOddity {
    let plugd_plugins::Oddity { path, kind } = oddity;
    wire::PlugdOddity {
        path,
        kind: oddity_kind(kind),
    }
}

/// The names of variables of the user stand in the list of all variables.
fn server(server: InspectedServer) -> wire::PlugdInspectedMcpServer {
    let InspectedServer {
        definition: server,
        obstacle,
    } = server;
    let transport = match server.transport {
        McpTransport::Stdio {
            command,
            args,
            env,
            env_vars: _,
            cwd,
        } => wire::PlugdInspectedTransport::Stdio {
            command,
            args,
            env: env.into_iter().map(|(name, _)| name).collect(),
            cwd,
        },
        McpTransport::Http {
            url,
            protocol: _,
            headers,
            env_headers,
            bearer_token_env_var: _,
            headers_helper,
        } => {
            let all = headers.into_iter().chain(env_headers);
            let mut headers: Vec<String> = all.map(|(name, _)| name).collect();
            headers.sort();
            wire::PlugdInspectedTransport::Http {
                url,
                headers,
                headers_helper,
            }
        }
    };
    wire::PlugdInspectedMcpServer {
        name: server.name,
        transport,
        enabled: server.enabled,
        obstacle,
    }
}

fn hook(hook: HookDeclaration) -> wire::PlugdInspectedHook {
    let obstacle = hook.obstacle().map(|obstacle| obstacle.to_string());
    let HookDeclaration {
        key,
        event,
        matcher,
        has_bad_matcher: _,
        file: _,
        handler,
    } = hook;
    let handler = match handler {
        HookHandler::Command {
            command,
            command_windows,
            timeout_sec: _,
            is_async: _,
            status_message: _,
            additional_context_limit: _,
        } => wire::PlugdInspectedHandler::Command {
            command,
            command_windows,
        },
        HookHandler::McpTool {
            server,
            tool,
            input: _,
            timeout_sec: _,
            status_message: _,
        } => wire::PlugdInspectedHandler::McpTool { server, tool },
        HookHandler::Prompt => wire::PlugdInspectedHandler::Prompt,
        HookHandler::Agent => wire::PlugdInspectedHandler::Agent,
    };
    wire::PlugdInspectedHook {
        key,
        event_name: event_name(event),
        matcher,
        handler,
        obstacle,
    }
}

fn executable(executable: Executable) -> wire::PlugdExecutable {
    let Executable {
        path,
        bytes,
        kind,
        is_marked,
        digest: _,
    } = executable;
    let (kind, interpreter) = match kind {
        ExecutableKind::Script { interpreter } => {
            (wire::PlugdExecutableKind::Script, Some(interpreter))
        }
        ExecutableKind::Elf => (wire::PlugdExecutableKind::Elf, None),
        ExecutableKind::MachO => (wire::PlugdExecutableKind::MachO, None),
        ExecutableKind::Pe => (wire::PlugdExecutableKind::Pe, None),
        ExecutableKind::Unknown => (wire::PlugdExecutableKind::Unknown, None),
    };
    wire::PlugdExecutable {
        path,
        bytes,
        kind,
        interpreter,
        marked: is_marked,
    }
}

fn text(text: ModelText) -> wire::PlugdModelText {
    let ModelText {
        path,
        kind,
        bytes,
        digest: _,
    } = text;
    let kind = match kind {
        TextKind::Manifest => wire::PlugdModelTextKind::Manifest,
        TextKind::Skill => wire::PlugdModelTextKind::Skill,
        TextKind::SkillMetadata => wire::PlugdModelTextKind::SkillMetadata,
        TextKind::SkillReference => wire::PlugdModelTextKind::SkillReference,
        TextKind::Command => wire::PlugdModelTextKind::Command,
    };
    wire::PlugdModelText { path, kind, bytes }
}

fn hidden_character(hidden: HiddenText) -> wire::PlugdHiddenCharacter {
    let HiddenText { path, field, found } = hidden;
    let Place { line, column } = found.place;
    wire::PlugdHiddenCharacter {
        path,
        field,
        line,
        column,
        code_point: format!("U+{:04X}", u32::from(found.character)),
        class: match found.class {
            HiddenClass::Bidirectional => wire::PlugdHiddenClass::Bidirectional,
            HiddenClass::ZeroWidth => wire::PlugdHiddenClass::ZeroWidth,
            HiddenClass::Tag => wire::PlugdHiddenClass::Tag,
            HiddenClass::VariationSelector => wire::PlugdHiddenClass::VariationSelector,
            HiddenClass::Invisible => wire::PlugdHiddenClass::Invisible,
            HiddenClass::Control => wire::PlugdHiddenClass::Control,
            HiddenClass::Separator => wire::PlugdHiddenClass::Separator,
            HiddenClass::PrivateUse => wire::PlugdHiddenClass::PrivateUse,
        },
    }
}

fn oddity_kind(kind: OddityKind) -> wire::PlugdOddityKind {
    match kind {
        OddityKind::LinkInside => wire::PlugdOddityKind::LinkInside,
        OddityKind::LinkOutside => wire::PlugdOddityKind::LinkOutside,
        OddityKind::LinkToNothing => wire::PlugdOddityKind::LinkToNothing,
        OddityKind::Special => wire::PlugdOddityKind::Special,
        OddityKind::SetUser => wire::PlugdOddityKind::SetUser,
        OddityKind::GitData => wire::PlugdOddityKind::GitData,
        OddityKind::NameNotText => wire::PlugdOddityKind::NameNotText,
        OddityKind::SameNameButCase => wire::PlugdOddityKind::SameNameButCase,
    }
}

pub(super) fn difference(difference: &Difference) -> wire::PlugdInspectionDifference {
    let Difference {
        changes,
        files,
        bytes,
    } = difference;
    let numbers = |(from, to)| wire::PlugdBeforeAfter { from, to };
    wire::PlugdInspectionDifference {
        changes: changes
            .iter()
            .flat_map(|(category, changes)| rows(category, changes))
            .collect(),
        files: numbers(*files),
        bytes: numbers(*bytes),
    }
}

/// The word of a category.
pub(super) fn category(category: Category) -> wire::PlugdInspectionCategory {
    match category {
        Category::McpServer => wire::PlugdInspectionCategory::McpServer,
        Category::Hook => wire::PlugdInspectionCategory::Hook,
        Category::App => wire::PlugdInspectionCategory::App,
        Category::Executable => wire::PlugdInspectionCategory::Executable,
        Category::Environment => wire::PlugdInspectionCategory::Environment,
        Category::Text => wire::PlugdInspectionCategory::Text,
        Category::Hidden => wire::PlugdInspectionCategory::HiddenCharacters,
        Category::Licence => wire::PlugdInspectionCategory::Licence,
        Category::Oddity => wire::PlugdInspectionCategory::Oddity,
        Category::OtherFile => wire::PlugdInspectionCategory::File,
    }
}

/// The changes of one category by name.
fn rows(category: Category, changes: &Changes) -> Vec<wire::PlugdInspectionChange> {
    let Changes {
        added,
        removed,
        changed,
    } = changes;
    let category = self::category(category);
    let row =
        |name: &String, from: Option<&String>, to: Option<&String>| wire::PlugdInspectionChange {
            category,
            name: name.clone(),
            from: from.cloned(),
            to: to.cloned(),
        };
    let added = added.iter().map(|(name, to)| row(name, None, Some(to)));
    let removed = removed
        .iter()
        .map(|(name, from)| row(name, Some(from), None));
    let changed = changed
        .iter()
        .map(|one| row(&one.name, Some(&one.from), Some(&one.to)));
    let mut rows: Vec<_> = added.chain(removed).chain(changed).collect();
    rows.sort_by(|a, b| a.name.cmp(&b.name));
    rows
}
