//! `config/read`.

use std::collections::BTreeMap;
use std::sync::Arc;

use plugd_plugins::call::Call;
use plugd_plugins::{Layer, LayerSource, Snapshot, read_config};
use plugd_protocol as wire;
use serde_json::{Map, Value};

use super::shared;
use crate::context::Context;
use crate::reply::Reply;
use crate::wire_error::WireError;

pub(crate) async fn handle(
    context: Arc<Context>,
    _call: Call,
    params: wire::ConfigReadParams,
) -> Result<Reply, WireError> {
    let wire::ConfigReadParams {
        include_layers,
        cwd,
    } = params;
    let cwd = cwd
        .as_deref()
        .map(|cwd| shared::absolute("cwd", cwd))
        .transpose()?;
    let config = read_config(&context.blocking, &context.lookup, cwd).await?;
    Reply::of(&wire::ConfigReadResponse {
        config: wire::Config(effective(&config)),
        origins: origins(&config),
        layers: include_layers.unwrap_or(false).then(|| layers(&config)),
    })
}

/// The members of a configured marketplace that the reference shows even when they are not set.
const MARKETPLACE_MEMBERS: [&str; 6] = [
    "last_revision",
    "last_updated",
    "ref",
    "source",
    "source_type",
    "sparse_paths",
];

/// The merged configuration; unknown keys pass through as they are.
fn effective(config: &Snapshot) -> Map<String, Value> {
    let mut members = match config.effective() {
        Value::Object(members) => members,
        _ => Map::new(),
    };
    // Clients iterate these two, so they are there also when nothing is configured.
    for table in ["plugins", "marketplaces"] {
        members
            .entry(table)
            .or_insert_with(|| Value::Object(Map::new()));
    }
    if let Some(Value::Object(rows)) = members.get_mut("marketplaces") {
        for row in rows.values_mut().filter_map(Value::as_object_mut) {
            for member in MARKETPLACE_MEMBERS {
                row.entry(member).or_insert(Value::Null);
            }
        }
    }
    members
}

fn origins(config: &Snapshot) -> BTreeMap<String, wire::ConfigLayerMetadata> {
    config
        .origins()
        .into_iter()
        .map(|(path, layer)| (path.plain(), metadata(layer)))
        .collect()
}

/// Highest first, as the reference lists them.
fn layers(config: &Snapshot) -> Vec<wire::ConfigLayer> {
    config
        .layers()
        .iter()
        .rev()
        .filter(|layer| is_shown(layer))
        .map(|layer| wire::ConfigLayer {
            name: name(layer),
            version: layer.version().to_owned(),
            config: layer.content(),
            disabled_reason: layer.disabled_reason.clone(),
        })
        .collect()
}

/// The system's and the user's layer are shown also when their files are absent, and a project's as
/// soon as its directory is there; flags and enforced files only when they say something.
fn is_shown(layer: &Layer) -> bool {
    let is_empty = layer.is_empty();
    match layer.source {
        LayerSource::System | LayerSource::User | LayerSource::Project { .. } => true,
        LayerSource::Profile { .. } => {
            !is_empty || layer.disabled_reason.is_some() || layer.error.is_some()
        }
        LayerSource::SessionFlags | LayerSource::Managed => !is_empty,
    }
}

pub(super) fn metadata(layer: &Layer) -> wire::ConfigLayerMetadata {
    wire::ConfigLayerMetadata {
        name: name(layer),
        version: layer.version().to_owned(),
    }
}

fn name(layer: &Layer) -> wire::ConfigLayerSource {
    let file = || {
        layer
            .file
            .as_ref()
            .map_or_else(|| wire::AbsolutePathBuf(String::new()), shared::path)
    };
    match &layer.source {
        LayerSource::System => wire::ConfigLayerSource::System { file: file() },
        LayerSource::User => wire::ConfigLayerSource::User {
            file: file(),
            profile: None,
        },
        LayerSource::Profile { name } => wire::ConfigLayerSource::User {
            file: file(),
            profile: Some(name.clone()),
        },
        LayerSource::Project { folder } => wire::ConfigLayerSource::Project {
            dot_codex_folder: shared::path(folder),
        },
        LayerSource::SessionFlags => wire::ConfigLayerSource::SessionFlags,
        LayerSource::Managed => {
            wire::ConfigLayerSource::LegacyManagedConfigTomlFromFile { file: file() }
        }
    }
}
