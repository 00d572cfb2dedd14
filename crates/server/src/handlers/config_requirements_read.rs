//! `configRequirements/read`.

use std::collections::BTreeMap;
use std::sync::Arc;

use plugd_plugins::call::Call;
use plugd_plugins::read_config;
use plugd_protocol as wire;
use serde_json::Value;

use crate::context::Context;
use crate::reply::Reply;
use crate::wire_error::WireError;

pub(crate) async fn handle(
    context: Arc<Context>,
    _call: Call,
    _params: wire::NoParams,
) -> Result<Reply, WireError> {
    let config = read_config(&context.blocking, &context.lookup, None).await?;
    let requirements = config.requirements();
    let says_something = requirements.is_restricted()
        || requirements
            .content()
            .as_object()
            .is_some_and(|members| !members.is_empty());
    Reply::of(&wire::ConfigRequirementsReadResponse {
        requirements: says_something
            .then(|| convert(requirements.content(), requirements.is_restricted())),
        supports_independent_speed_modes: None,
    })
}

fn convert(content: &Value, restricted: bool) -> wire::ConfigRequirements {
    let features = content["features"].as_object().map(|switches| {
        switches
            .iter()
            .filter_map(|(name, value)| Some((name.clone(), value.as_bool()?)))
            .collect::<BTreeMap<_, _>>()
    });
    // A list that cannot be understood restricts, and then nothing is on it.
    let marketplaces = restricted.then(|| wire::MarketplaceRequirements {
        restrict_to_allowed_sources: true,
        allowed_sources: content["marketplaces"]["allowed_sources"]
            .as_object()
            .map(|rows| {
                rows.iter()
                    .filter_map(|(key, row)| Some((key.clone(), allowed(row)?)))
                    .collect()
            })
            .unwrap_or_default(),
    });
    wire::ConfigRequirements::new(features, marketplaces)
}

fn allowed(row: &Value) -> Option<wire::AllowedMarketplaceSource> {
    let text = |key: &str| row[key].as_str().map(str::to_owned);
    match row["source"].as_str()? {
        "git" => Some(wire::AllowedMarketplaceSource::Git {
            url: text("url")?,
            ref_name: text("ref"),
        }),
        "host_pattern" => Some(wire::AllowedMarketplaceSource::HostPattern {
            host_pattern: text("host_pattern")?,
        }),
        "local" => Some(wire::AllowedMarketplaceSource::Local {
            path: wire::AbsolutePathBuf(text("path")?),
        }),
        _ => None,
    }
}
