//! Tests of the format of releases.

use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use crate::fixture::{self, with};
use crate::item::raw::tests::{good, read};
use crate::{
    AppTemplate, ReleaseSkill, Schedule, ScheduledTask, SkillInterface, TemplateReason, Weekday,
};

#[test]
fn a_digest_is_taken_where_there_is_one() {
    let digest = |key: &str, value: &str| {
        let value = with(fixture::item("a"), &format!("release.{key}"), json!(value));
        good(&value).release.digest
    };
    assert_eq!(
        digest("bundle_digest", " sha256:0a ").as_deref(),
        Some("sha256:0a")
    );
    assert_eq!(digest("bundle_sha256", "0a").as_deref(), Some("sha256:0a"));
    assert_eq!(
        digest("bundle_sha256", "sha256:0a").as_deref(),
        Some("sha256:0a")
    );
    assert_eq!(digest("bundle_sha256", ""), None);
}

#[test]
fn prompts_to_begin_with() {
    let check = |value: Value, expected: &[&str]| {
        let item = good(&with(fixture::item("a"), "release.interface", value));
        let prompts = item.release.interface.unwrap().texts.default_prompt;
        let prompts = prompts.unwrap_or_default();
        assert_eq!(prompts, expected);
    };
    check(json!({ "default_prompt": " a  b " }), &["a  b"]);
    check(
        json!({ "default_prompt": "a", "default_prompts": ["b"] }),
        &["b"],
    );
    check(
        json!({ "default_prompt": "a", "default_prompts": [] }),
        &["a"],
    );
    check(
        json!({ "default_prompt": "a", "default_prompts": ["", "x".repeat(129)] }),
        &["a"],
    );
    check(
        json!({ "default_prompt": "x".repeat(129), "default_prompts": [" "] }),
        &[],
    );
    check(
        json!({ "default_prompts": ["ä".repeat(129), " ", "1", "2", "ä".repeat(128), "4"] }),
        &["1", "2", &"ä".repeat(128)],
    );
}

#[test]
fn an_interface_is_nothing_when_nothing_survives() {
    let blank = with(fixture::item("a"), "release.display_name", json!("  "));
    assert_eq!(good(&blank).release.interface, None);
    let full = json!({
        "short_description": " s ", "long_description": "l", "developer_name": "d",
        "category": "c", "capabilities": ["x"], "website_url": "w",
        "privacy_policy_url": "p", "terms_of_service_url": "t", "brand_color": "b",
        "composer_icon_url": "i", "logo_url": "g", "logo_url_dark": "k",
        "screenshot_urls": ["u"], "new": {}
    });
    let item = good(&with(blank, "release.interface", full));
    let interface = item.release.interface.unwrap();
    let texts = &interface.texts;
    let found = [
        &texts.short_description,
        &texts.long_description,
        &texts.developer_name,
        &texts.category,
        &texts.website_url,
        &texts.privacy_policy_url,
        &texts.terms_of_service_url,
        &texts.brand_color,
        &interface.composer_icon_url,
        &interface.logo_url,
        &interface.logo_url_dark,
    ];
    let found: String = found.map(|text| text.clone().unwrap()).concat();
    assert_eq!(found, " s ldcwptbigk");
    assert_eq!(texts.capabilities, ["x"]);
    assert_eq!(interface.screenshot_urls, ["u"]);
    assert_eq!(texts.display_name, None);
}

#[test]
fn parts_of_a_release() {
    let release = json!({
        "display_name": "N", "description": "D",
        "app_manifest": { "apps": { "b": 1, "a": 2 } },
        "app_ids": ["x"],
        "skills": [
            { "name": "s", "description": "d", "interface": { "icon_small_url": "i" } },
        ],
        "onboarding_skill_name": "s",
        "mcp_servers": [{ "key": "b" }, { "key": "a" }, { "key": "b" }],
        "unavailable_app_templates": [
            { "template_id": "t", "name": "T", "reason": "NO_ACTIVE_WORKSPACE" },
        ],
    });
    let release = good(&with(fixture::item("a"), "release", release)).release;
    assert_eq!(release.version, None);
    assert_eq!(
        release.app_manifest.as_deref(),
        Some(r#"{"apps":{"a":2,"b":1}}"#)
    );
    assert_eq!(release.mcp_servers, ["a", "b"]);
    assert_eq!(release.onboarding_skill_name.as_deref(), Some("s"));
    assert_eq!(
        release.skills,
        [ReleaseSkill {
            name: "s".to_owned(),
            description: "d".to_owned(),
            interface: Some(SkillInterface {
                icon_small_url: Some("i".to_owned()),
                ..SkillInterface::default()
            }),
        }]
    );
    assert_eq!(
        release.app_templates,
        [AppTemplate {
            template_id: "t".to_owned(),
            name: "T".to_owned(),
            description: None,
            category: None,
            canonical_connector_id: None,
            logo_url: None,
            logo_url_dark: None,
            materialized_app_ids: Vec::new(),
            reason: Some(TemplateReason::NoActiveWorkspace),
        }]
    );
}

#[test]
fn scheduled_tasks() {
    let task =
        |schedule: Value| json!({ "key": "k", "name": "n", "prompt": "p", "schedule": schedule });
    let tasks = |tasks: Value| read(&with(fixture::item("a"), "release.scheduled_tasks", tasks));
    let check = |schedule: Value, expected: Schedule| {
        let (item, notes) = tasks(json!([task(schedule)]));
        assert_eq!(notes, Vec::<String>::new());
        let expected = ScheduledTask {
            key: "k".to_owned(),
            name: "n".to_owned(),
            prompt: "p".to_owned(),
            schedule: expected,
        };
        assert_eq!(item.unwrap().release.scheduled_tasks, Some(vec![expected]));
    };
    let time = || "09:30".to_owned();
    check(
        json!({ "type": "hourly", "intervalHours": 2 }),
        Schedule::Hourly {
            interval_hours: 2,
            days: None,
        },
    );
    check(
        json!({ "type": "daily", "time": "09:30", "extra": 1 }),
        Schedule::Daily { time: time() },
    );
    check(
        json!({ "type": "weekdays", "time": "09:30" }),
        Schedule::Weekdays { time: time() },
    );
    check(
        json!({ "type": "weekly", "time": "09:30", "days": ["SU", "MO"] }),
        Schedule::Weekly {
            days: vec![Weekday::Sunday, Weekday::Monday],
            time: time(),
        },
    );
    let empty = tasks(json!([])).0.unwrap().release.scheduled_tasks;
    assert_eq!(empty, Some(Vec::new()));
    let (item, notes) = tasks(json!([
        task(json!({ "type": "yearly" })),
        task(json!({ "type": "weekly", "time": "1", "days": ["XX"] })),
        task(json!({ "type": "daily" })),
    ]));
    assert_eq!(item.unwrap().release.scheduled_tasks, Some(Vec::new()));
    let at = |index: usize, field: &str, reason: &str| {
        format!(
            "plugins[0].release.scheduled_tasks[{index}].schedule.{field}: \
             the remote plugin `plugins~a`: {reason}"
        )
    };
    assert_eq!(
        notes,
        [
            at(0, "type", "`type` is no known kind of schedule"),
            at(1, "days", "`days` has something other than `MO` to `SU`"),
            at(2, "time", "`time` is missing"),
        ]
    );
}
