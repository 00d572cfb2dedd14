//! The cells of the table of [`crate::remote_faults`]: a world that a way is gone in while something
//! is wrong at its end, and what has to hold whatever the answer is.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use plugd_testkit::Daemon;
use plugd_testkit::service::{Bundle, Endpoint, Item};
use serde_json::{Value, json};

use crate::accounts::{Account, remote};
use crate::fixtures::{launch, marketplace, plugin, text};
use crate::plugin_share::MAPPING;
use crate::remote_faults_ways::{Column, Way, withdrawable};
use crate::remotes::nothing_left;
use crate::schemas;

/// A plugin of everybody's catalog that is installed throughout, and one that comes and goes.
const KEPT: &str = "ch/plugins/cache/openai-curated-remote/kept";
const TARGET: &str = "ch/plugins/cache/openai-curated-remote/target";
/// A plugin of this disk that is installed throughout.
const LOCAL: &str = "ch/plugins/cache/mine/local";

const SKILL: &str = "---\nname: hello\ndescription: says hello\n---\nSay hello.\n";

/// A service, a home that is logged in to it, and a daemon whose messages are all kept.
pub(crate) struct World {
    pub(crate) account: Account,
    pub(crate) daemon: Daemon,
    heard: Arc<Mutex<Vec<Value>>>,
    pub(crate) kept: String,
    pub(crate) target: String,
    pub(crate) shared: String,
    pub(crate) created: String,
    before: String,
    pub(crate) logins: u32,
    /// What nobody may be told.
    pub(crate) secrets: Vec<String>,
}

/// What became of one cell.
pub(crate) struct Cell {
    pub(crate) outcome: String,
    /// What must not be.
    pub(crate) broken: Vec<String>,
}

impl World {
    pub(crate) fn new() -> Self {
        let account = Account::new();
        let service = &account.service;
        let item = Item::new("target")
            .app_ids(&["app-1"])
            .skill("hello", "says hello");
        let (kept, target) = (Item::new("kept").id().to_owned(), item.id().to_owned());
        service.offer_plugin(Item::new("kept"));
        service.offer_plugin(item);
        for id in [&kept, &target] {
            service.set_skill(id, "hello", Some(SKILL));
        }
        service.set_app("app-1", "Mail");
        service.set_featured(&["kept@openai-curated-remote"]);
        let item = Item::workspace("shared", "PRIVATE");
        let shared = item.id().to_owned();
        let bundle = Bundle::new("shared", "1.0.0").file("skills/hello/SKILL.md", SKILL);
        service.offer_with(item, &bundle);
        service.set_shared_with_me(&[&shared]);
        account
            .sandbox
            .add(&marketplace("home", "mine", &[("local", "1.0.0")]));
        account.sandbox.add(&plugin("work/hello", "hello", "1.0.0"));
        account
            .sandbox
            .write("ch/plugd.toml", "refresh_login = true\n");
        let heard = Arc::new(Mutex::new(Vec::new()));
        let keep = Arc::clone(&heard);
        let daemon = launch()
            .var("PLUGD_LOG", "debug")
            .var(
                "CODEX_REFRESH_TOKEN_URL_OVERRIDE",
                &account.service.token_url(),
            )
            .patience(Duration::from_secs(50))
            .observed_by(move |seen| {
                schemas::validate(seen);
                let mut heard = keep.lock().unwrap_or_else(PoisonError::into_inner);
                heard.push(seen.message.clone());
            });
        let mut daemon = daemon.start(&account.sandbox);
        daemon.initialize();
        daemon.ok("plugin/install", remote(&kept));
        let manifest = "$ROOT/home/.agents/plugins/marketplace.json";
        let local = json!({"marketplacePath": manifest, "pluginName": "local"});
        daemon.ok("plugin/install", local);
        let mut world = Self {
            account,
            daemon,
            heard,
            kept,
            target,
            shared,
            created: String::new(),
            before: String::new(),
            logins: 0,
            secrets: vec!["/bundles/".to_owned(), "signature-".to_owned()],
        };
        withdrawable(&mut world);
        world.before = world.standing();
        world
    }

    fn standing(&self) -> String {
        let sandbox = &self.account.sandbox;
        format!("{}{}", sandbox.tree(KEPT), sandbox.tree(LOCAL))
    }

    pub(crate) fn has_target(&self) -> bool {
        self.account.sandbox.exists(TARGET)
    }

    pub(crate) fn account_has_target(&self) -> bool {
        let installed = self.account.service.installed();
        installed.iter().any(|(id, _)| *id == self.target)
    }

    fn well(&mut self, way: &Way) -> Value {
        (way.prepare)(self);
        let params = (way.params)(self);
        let answer = self.daemon.call(way.method, params);
        self.secrets.extend(self.account.service.login().secrets());
        answer
    }

    /// What the way leads to when all is well.
    pub(crate) fn normal(&mut self, way: &Way) -> Value {
        let answer = self.well(way);
        assert_eq!(
            outcome(&answer, &answer),
            "answered",
            "{}: {answer:#}",
            way.name
        );
        answer
    }

    /// Goes the way while something is wrong with its end, and once more when it is well again.
    pub(crate) fn meet(&mut self, way: &Way, column: &Column, normal: &Value) -> Cell {
        let mut broken = Vec::new();
        let mut must = |holds: bool, what: String| {
            if !holds {
                broken.push(format!("{} × {}: {what}", way.name, column.name));
            }
        };
        (way.prepare)(self);
        let params = (way.params)(self);
        self.account.service.forget();
        self.account
            .service
            .fail(way.endpoint, (column.fault)(way.endpoint));
        let start = Instant::now();
        let answer = self.daemon.call(way.method, params);
        let taken = start.elapsed();
        let found = outcome(&answer, normal);
        let limit = Duration::from_secs(way.limit + 2);
        must(taken < limit, format!("it took {taken:?}"));
        let asked = self.account.service.count(way.endpoint);
        must(asked > 0, "nobody was asked".to_owned());
        if !way.is_read() {
            must(asked == 1, format!("it was sent {asked} times"));
        }
        must(
            self.standing() == self.before,
            "an installed plugin has changed".to_owned(),
        );
        if found.starts_with("refused")
            && way.endpoint != Endpoint::Install
            && way.method == "plugin/install"
        {
            must(!self.has_target(), "what was refused is here".to_owned());
            let told = self.account.service.count(Endpoint::Install);
            must(told == 0, "the account was told".to_owned());
        }
        self.account.service.behave_well();
        let answer = self.well(way);
        let healed = outcome(&answer, normal);
        must(healed == "answered", format!("healed: {healed}: {answer}"));
        Cell {
            outcome: found,
            broken,
        }
    }

    /// Ends the daemon; tells what must not be.
    pub(crate) fn end(mut self) -> Vec<String> {
        let mut broken = Vec::new();
        self.daemon.shut_down();
        if self.account.sandbox.exists(MAPPING) {
            self.account.sandbox.remove(MAPPING);
        }
        nothing_left(&self.account.sandbox);
        let heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        let mut ids: Vec<u64> = heard.iter().filter_map(|one| one["id"].as_u64()).collect();
        let all = ids.len();
        ids.sort_unstable();
        ids.dedup();
        if ids.len() != all {
            broken.push("an id was answered twice".to_owned());
        }
        let told: String = heard.iter().map(Value::to_string).collect();
        for (place, text) in [("an answer", &told), ("stderr", &self.daemon.stderr())] {
            for secret in &self.secrets {
                if let Some(at) = text.find(secret.as_str()) {
                    let shown: String = text[..at].chars().rev().take(200).collect();
                    let shown: String = shown.chars().rev().collect();
                    broken.push(format!("{place} tells {secret} behind: {shown}"));
                }
            }
        }
        broken
    }
}

/// What an answer comes to, beside the one that comes when all is well.
fn outcome(answer: &Value, normal: &Value) -> String {
    if let Some(error) = answer.get("error") {
        return format!(
            "refused: {}/{}",
            text(&error["data"]["kind"]),
            error["code"]
        );
    }
    let (mut found, mut expected) = (answer["result"].clone(), normal["result"].clone());
    let is_marked = strip(&mut found);
    strip(&mut expected);
    let marked = if is_marked { ", marked" } else { "" };
    match found == expected {
        true => format!("answered{marked}"),
        false => format!("in part{marked}"),
    }
}

/// Takes out what says that something is wrong, and what is new each time; tells whether something
/// was said.
fn strip(value: &mut Value) -> bool {
    const MARKS: [&str; 4] = [
        "problems",
        "marketplaceLoadErrors",
        "failedRemotePluginIds",
        "failedMaterializationRemotePluginIds",
    ];
    const NEW: [&str; 3] = ["nextCursor", "shareUrl", "savedRemotePluginId"];
    match value {
        Value::Object(members) => {
            let is_said = |mark| members.get(mark).and_then(Value::as_array);
            let mut is_marked = MARKS
                .iter()
                .any(|mark| is_said(*mark).is_some_and(|one| !one.is_empty()));
            for name in MARKS.iter().chain(&NEW) {
                members.remove(*name);
            }
            for member in members.values_mut() {
                is_marked |= strip(member);
            }
            is_marked
        }
        Value::Array(elements) => elements
            .iter_mut()
            .fold(false, |so_far, one| strip(one) | so_far),
        _ => false,
    }
}
