//! `config/value/write`.

use std::sync::Arc;

use plugd_model::AbsPath;
use plugd_plugins::call::Call;
use plugd_plugins::{ConfigEdit, ConfigWrite, ConfigWritten, LayerSource, write_config};
use plugd_protocol as wire;

use super::{config_read, shared};
use crate::context::Context;
use crate::reply::Reply;
use crate::wire_error::WireError;

pub(crate) async fn handle(
    context: Arc<Context>,
    call: Call,
    params: wire::ConfigValueWriteParams,
) -> Result<Reply, WireError> {
    let wire::ConfigValueWriteParams {
        key_path,
        value,
        merge_strategy,
        file_path,
        expected_version,
    } = params;
    let edit = wire::ConfigEdit {
        key_path,
        value,
        merge_strategy,
    };
    write(&context, &call, vec![edit], file_path, expected_version).await
}

/// What this method and `config/batchWrite` share.
pub(super) async fn write(
    context: &Context,
    call: &Call,
    edits: Vec<wire::ConfigEdit>,
    file: Option<String>,
    expected_version: Option<String>,
) -> Result<Reply, WireError> {
    let request = ConfigWrite {
        edits: edits.into_iter().map(edit).collect(),
        file: file.map(|file| named(context, &file)).transpose()?,
        expected_version,
    };
    let written = write_config(
        call,
        &context.blocking,
        &context.lookup,
        &context.copies,
        &context.events,
        request,
    )
    .await?;
    let ConfigWritten {
        file,
        version,
        overridden,
    } = written;
    Reply::of(&wire::ConfigWriteResponse {
        status: match overridden {
            None => wire::WriteStatus::Ok,
            Some(_) => wire::WriteStatus::OkOverridden,
        },
        version,
        file_path: shared::path(&file),
        overridden_metadata: overridden.map(|(layer, value)| wire::OverriddenMetadata {
            message: overridden_by(&layer.source),
            overriding_layer: config_read::metadata(&layer),
            effective_value: value,
        }),
    })
}

/// The file that a client names. A relative path counts from the server's own directory; nearly
/// always it is another file than the user's then, and that is how it is refused.
fn named(context: &Context, file: &str) -> Result<AbsPath, WireError> {
    if file.contains('\0') {
        return Err(WireError::invalid_params(
            "filePath",
            "no path holds a null byte",
        ));
    }
    Ok(context.environment.cwd.join(file))
}

/// The words are the reference's.
fn overridden_by(source: &LayerSource) -> String {
    match source {
        LayerSource::System => "Overridden by system config".to_owned(),
        LayerSource::User => "Overridden by user config".to_owned(),
        LayerSource::Profile { name } => format!("Overridden by profile {name}"),
        LayerSource::Project { folder } => format!("Overridden by project config: {folder}"),
        LayerSource::SessionFlags => "Overridden by session flags".to_owned(),
        LayerSource::Managed => "Overridden by managed config".to_owned(),
    }
}

fn edit(edit: wire::ConfigEdit) -> ConfigEdit {
    let wire::ConfigEdit {
        key_path,
        value,
        merge_strategy,
    } = edit;
    ConfigEdit {
        key_path,
        value,
        merge: match merge_strategy {
            wire::MergeStrategy::Upsert => true,
            wire::MergeStrategy::Replace => false,
        },
    }
}
