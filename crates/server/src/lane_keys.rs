//! What a write is about, read from its params.
//!
//! This runs before the params are decoded, so it takes what it can find. Params that name nothing
//! will be refused a moment later, and until then they wait for nobody.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use plugd_protocol::Lane;

use crate::lanes::{Company, LaneKey, Places};
use crate::params;

type Members<'a> = BTreeMap<String, &'a RawValue>;

/// The lanes that a request has to stand in.
pub(crate) fn of(lane: Lane, params: Option<&RawValue>) -> Places {
    let Ok(object) = params::object(params) else {
        return Places::new();
    };
    let members = object.map(members).unwrap_or_default();
    match lane {
        Lane::Handshake | Lane::Read => Places::new(),
        Lane::Plugin => places(plugin(&members)),
        Lane::Marketplace => places(marketplace(&members)),
        Lane::Marketplaces if names_none(&members) => {
            Places::from([(LaneKey::Marketplaces, Company::Alone)])
        }
        Lane::Marketplaces => places(marketplace(&members)),
        Lane::Config => places(config(&members)),
    }
}

/// Alone in the lane of each thing, and for a marketplace beside others in the lane of all of them.
fn places(keys: impl IntoIterator<Item = LaneKey>) -> Places {
    let mut places = Places::new();
    for key in keys {
        if matches!(key, LaneKey::Marketplace(_)) {
            places.insert(LaneKey::Marketplaces, Company::Shared);
        }
        places.insert(key, Company::Alone);
    }
    places
}

fn plugin(members: &Members<'_>) -> Option<LaneKey> {
    let name: Option<String> =
        member(members, "pluginId").or_else(|| member(members, "pluginName"));
    if let Some(name) = name {
        return Some(plugin_lane(&name));
    }
    // A share is known by its id, one that is not made yet by the directory it is made of, and so is a
    // link that names no plugin. No name of a plugin is any of these, so they meet nobody else.
    let mut others = ["remotePluginId", "pluginPath", "path"].iter();
    let other = others.find_map(|name| member(members, name))?;
    Some(LaneKey::Plugin(other))
}

fn marketplace(members: &Members<'_>) -> Option<LaneKey> {
    let name = member(members, "marketplaceName").or_else(|| member(members, "source"))?;
    Some(LaneKey::Marketplace(name))
}

fn marketplace_lane(name: &str) -> LaneKey {
    LaneKey::Marketplace(name.to_owned())
}

/// Whether the request is about all marketplaces.
fn names_none(members: &Members<'_>) -> bool {
    let name = members.get("marketplaceName");
    name.is_none_or(|name| name.get() == "null")
}

fn config(members: &Members<'_>) -> Vec<LaneKey> {
    let edits: Vec<&RawValue> = members
        .get("edits")
        .and_then(|edits| serde_json::from_str(edits.get()).ok())
        .unwrap_or_default();
    let mut keys: Vec<_> = edits
        .into_iter()
        .flat_map(|edit| config_edit(&self::members(edit)))
        .collect();
    keys.extend(config_edit(members));
    let writes_keys = ["edits", "keyPath"]
        .iter()
        .any(|name| members.contains_key(*name));
    if !writes_keys {
        // Skills are not named by key paths; what they are kept in has one lane.
        keys.push(LaneKey::Config);
    }
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
        "marketplaces" => marketplace_lane,
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
    use crate::lanes::{Company, LaneKey};

    const SHARED: &str = "beside others: marketplaces";

    fn check(lane: Lane, params: &str, expected: &[&str]) {
        let params = RawValue::from_string(params.to_owned()).unwrap();
        let shown: Vec<_> = of(lane, Some(&params)).into_iter().map(show).collect();
        assert_eq!(shown, expected, "{params}");
    }

    fn show((key, company): (LaneKey, Company)) -> String {
        let name = match key {
            LaneKey::Plugin(name) => format!("plugin {name}"),
            LaneKey::Marketplace(name) => format!("marketplace {name}"),
            LaneKey::Marketplaces => "marketplaces".to_owned(),
            LaneKey::Config => "config".to_owned(),
        };
        match company {
            Company::Alone => name,
            Company::Shared => format!("beside others: {name}"),
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
        check(lane, r#"{"remotePluginId":"r~1"}"#, &["plugin r~1"]);
        check(
            lane,
            r#"{"remotePluginId":"r~1","pluginPath":"/a@b"}"#,
            &["plugin r~1"],
        );
        check(
            lane,
            r#"{"remotePluginId":null,"pluginPath":"/a@b"}"#,
            &["plugin /a@b"],
        );
        // All that is asked about a plugin of the remote catalog by its id.
        let id = "plugins~Plugin_0";
        let installs = format!(r#"{{"remoteMarketplaceName":"m","pluginName":"{id}"}}"#);
        check(lane, &installs, &["plugin plugins~Plugin_0"]);
        let removes = format!(r#"{{"pluginId":"{id}"}}"#);
        check(lane, &removes, &["plugin plugins~Plugin_0"]);
        check(lane, r#"{"pluginId":5}"#, &[]);
        check(lane, "[1]", &[]);
        check(Lane::Read, r#"{"pluginId":"a@m"}"#, &[]);
    }

    #[test]
    fn marketplaces() {
        let lane = Lane::Marketplace;
        check(
            lane,
            r#"{"marketplaceName":"m"}"#,
            &["marketplace m", SHARED],
        );
        check(lane, r#"{"source":"o/r"}"#, &["marketplace o/r", SHARED]);
        check(lane, "{}", &[]);
    }

    #[test]
    fn without_a_name_an_upgrade_is_about_all_marketplaces() {
        let lane = Lane::Marketplaces;
        let one = ["marketplace m", SHARED];
        check(lane, r#"{"marketplaceName":"m"}"#, &one);
        check(lane, r#"[{"marketplaceName":"m"}]"#, &one);
        for all in ["{}", "null", "[]", r#"{"marketplaceName":null}"#] {
            check(lane, all, &["marketplaces"]);
        }
        // These will be refused.
        check(lane, r#"{"marketplaceName":5}"#, &[]);
        check(lane, "[1]", &[]);
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
            &["marketplace m", SHARED],
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
        check(lane, r#"{"name":"p:s","enabled":false}"#, &["config"]);
        check(lane, r#"{"extraRoots":[]}"#, &["config"]);
    }
}
