//! What a write is about, read from its params.
//!
//! This runs before the params are decoded, so it takes what it can find. Params that name nothing
//! will be refused a moment later, and until then they wait for nobody.

use std::collections::{BTreeMap, BTreeSet};

use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use plugd_protocol::Lane;

use crate::lanes::LaneKey;
use crate::params;

type Members<'a> = BTreeMap<String, &'a RawValue>;

/// The lanes that a request has to stand in.
pub(crate) fn of(lane: Lane, params: Option<&RawValue>) -> BTreeSet<LaneKey> {
    let object = params::object(params).ok().flatten();
    let members = object.map(members).unwrap_or_default();
    match lane {
        Lane::Handshake | Lane::Read => BTreeSet::new(),
        Lane::Plugin => plugin(&members).into_iter().collect(),
        Lane::Marketplace => marketplace(&members).into_iter().collect(),
        Lane::Config => config(&members),
    }
}

fn plugin(members: &Members<'_>) -> Option<LaneKey> {
    let name: String = member(members, "pluginId").or_else(|| member(members, "pluginName"))?;
    Some(plugin_lane(&name))
}

fn marketplace(members: &Members<'_>) -> Option<LaneKey> {
    let name = member(members, "marketplaceName").or_else(|| member(members, "source"))?;
    Some(LaneKey::Marketplace(name))
}

fn config(members: &Members<'_>) -> BTreeSet<LaneKey> {
    let edits: Vec<&RawValue> = members
        .get("edits")
        .and_then(|edits| serde_json::from_str(edits.get()).ok())
        .unwrap_or_default();
    let mut keys: BTreeSet<_> = edits
        .into_iter()
        .flat_map(|edit| config_edit(&self::members(edit)))
        .collect();
    keys.extend(config_edit(members));
    keys
}

fn config_edit(members: &Members<'_>) -> Vec<LaneKey> {
    let Some(path) = member::<String>(members, "keyPath") else {
        return Vec::new();
    };
    let value = members.get("value").copied();
    let (table, rest) = path.split_once('.').unwrap_or((&path, ""));
    let lane: fn(&str) -> LaneKey = match table.trim() {
        "plugins" => plugin_lane,
        "marketplaces" => |name| LaneKey::Marketplace(name.to_owned()),
        _ => return vec![LaneKey::Config],
    };
    if !rest.is_empty() {
        return vec![lane(first_segment(rest))];
    }
    // The whole table: everything that it will hold, and everybody who writes another key.
    let named = value.map(self::members).unwrap_or_default();
    let mut keys: Vec<_> = named.keys().map(|name| lane(name)).collect();
    keys.push(LaneKey::Config);
    keys
}

/// The first segment of a key path. A plugin's name may hold dots, so without quotes it goes up to
/// the `@`; the lane needs no more of it.
fn first_segment(path: &str) -> &str {
    let path = path.trim_start();
    for quote in ['"', '\''] {
        if let Some(quoted) = path.strip_prefix(quote) {
            return quoted.split(quote).next().unwrap_or(quoted);
        }
    }
    match path.split_once('@') {
        Some((name, _)) => name,
        None => path.split('.').next().unwrap_or(path).trim_end(),
    }
}

fn plugin_lane(id: &str) -> LaneKey {
    let name = id.rsplit_once('@').map_or(id, |(name, _)| name);
    LaneKey::Plugin(name.to_owned())
}

fn members(object: &RawValue) -> Members<'_> {
    serde_json::from_str(object.get()).unwrap_or_default()
}

fn member<T: DeserializeOwned>(members: &Members<'_>, name: &str) -> Option<T> {
    serde_json::from_str(members.get(name)?.get()).ok()
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;
    use serde_json::value::RawValue;

    use plugd_protocol::Lane;

    use super::of;
    use crate::lanes::LaneKey;

    fn check(lane: Lane, params: &str, expected: &[&str]) {
        let params = RawValue::from_string(params.to_owned()).unwrap();
        let shown: Vec<_> = of(lane, Some(&params)).into_iter().map(show).collect();
        assert_eq!(shown, expected, "{params}");
    }

    fn show(key: LaneKey) -> String {
        match key {
            LaneKey::Plugin(name) => format!("plugin {name}"),
            LaneKey::Marketplace(name) => format!("marketplace {name}"),
            LaneKey::Config => "config".to_owned(),
        }
    }

    #[test]
    fn plugins_meet_under_their_name() {
        let lane = Lane::Plugin;
        check(lane, r#"{"pluginId":"a.b@m"}"#, &["plugin a.b"]);
        check(lane, r#"{"pluginId":"a.b"}"#, &["plugin a.b"]);
        check(
            lane,
            r#"[{"pluginName":"a.b","marketplacePath":"/m"}]"#,
            &["plugin a.b"],
        );
        check(lane, r#"{"pluginId":5}"#, &[]);
        check(lane, "[1]", &[]);
        check(Lane::Read, r#"{"pluginId":"a@m"}"#, &[]);
    }

    #[test]
    fn marketplaces() {
        let lane = Lane::Marketplace;
        check(lane, r#"{"marketplaceName":"m"}"#, &["marketplace m"]);
        check(lane, r#"{"source":"o/r"}"#, &["marketplace o/r"]);
        check(lane, "{}", &[]);
    }

    #[test]
    fn configuration_keys_join_what_they_name() {
        let lane = Lane::Config;
        for path in [
            r#"plugins.\"a.b@m\".enabled"#,
            r#"plugins.a.b@m.enabled"#,
            r#"plugins.'a.b@m'"#,
            r#"plugins.a.b@m"#,
        ] {
            check(
                lane,
                &format!(r#"{{"keyPath":"{path}","value":true}}"#),
                &["plugin a.b"],
            );
        }
        check(lane, r#"{"keyPath":"model","value":"x"}"#, &["config"]);
        check(
            lane,
            r#"{"keyPath":"marketplaces.m.source"}"#,
            &["marketplace m"],
        );
        check(
            lane,
            r#"{"keyPath":"plugins","value":{"a@m":{},"b@m":{}}}"#,
            &["plugin a", "plugin b", "config"],
        );
        check(
            lane,
            r#"{"edits":[{"keyPath":"plugins.a@m"},{"keyPath":"model"},{"keyPath":"plugins.a@n"}]}"#,
            &["plugin a", "config"],
        );
        check(lane, r#"{"edits":5}"#, &[]);
    }
}
