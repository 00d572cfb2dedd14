//! What the service knows, and what it answers when nothing goes wrong.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::answer::Answer;
use super::endpoint::PREFIX;
use super::fault::AGAIN;
use super::item::put;
use super::login::Login;
use super::{Endpoint, Item, Scheme, ServiceRequest, Upload};

/// How many items a page holds when the client asks for more.
const PAGE: usize = 200;

/// How many apps may be asked for at once.
const MOST_APPS: usize = 100;

/// The state of the service.
pub(super) struct World {
    /// Scheme, host and port of the listeners.
    pub(super) plain: String,
    pub(super) secure: Option<String>,
    pub(super) route: Vec<Scheme>,
    pub(super) token: String,
    pub(super) account: Option<String>,
    pub(super) login: Login,
    pub(super) etags: bool,
    pub(super) page: usize,
    pub(super) items: Vec<Item>,
    pub(super) withdrawn: BTreeSet<String>,
    pub(super) installed: Vec<(String, Installed)>,
    pub(super) shared: Vec<String>,
    pub(super) created: Vec<String>,
    pub(super) featured: Value,
    pub(super) suggested: Option<Vec<String>>,
    pub(super) apps: BTreeMap<String, Value>,
    pub(super) skills: BTreeMap<(String, String), Option<String>>,
    pub(super) needing_auth: BTreeMap<String, Vec<String>>,
    pub(super) bundles: BTreeMap<(String, String), Vec<u8>>,
    pub(super) uploads: Vec<Upload>,
}

/// What the account has done to a plugin.
pub(super) struct Installed {
    pub(super) enabled: bool,
    pub(super) members: BTreeMap<String, Value>,
}

impl World {
    pub(super) fn new(login: Login) -> Self {
        Self {
            plain: String::new(),
            secure: None,
            route: vec![Scheme::Http],
            token: login.access_token().to_owned(),
            account: login.account_id().map(str::to_owned),
            login,
            etags: false,
            page: PAGE,
            items: Vec::new(),
            withdrawn: BTreeSet::new(),
            installed: Vec::new(),
            shared: Vec::new(),
            created: Vec::new(),
            featured: json!([]),
            suggested: None,
            apps: BTreeMap::new(),
            skills: BTreeMap::new(),
            needing_auth: BTreeMap::new(),
            bundles: BTreeMap::new(),
            uploads: Vec::new(),
        }
    }

    /// Puts an item in the place of the one with its id, or behind all others.
    pub(super) fn offer(&mut self, item: Item) {
        self.withdrawn.remove(&item.id);
        match self.items.iter_mut().find(|one| one.id == item.id) {
            Some(place) => *place = item,
            None => self.items.push(item),
        }
    }

    /// What the account has done to a plugin; an installation when it had done nothing.
    pub(super) fn installed(&mut self, id: &str) -> &mut Installed {
        let at = self.installed.iter().position(|(one, _)| one == id);
        let at = at.unwrap_or_else(|| {
            let fresh = Installed {
                enabled: true,
                members: BTreeMap::from([
                    ("disabled_skill_names".to_owned(), json!([])),
                    ("installed_at".to_owned(), json!("2026-01-01T00:00:00Z")),
                ]),
            };
            self.installed.push((id.to_owned(), fresh));
            self.installed.len() - 1
        });
        &mut self.installed[at].1
    }

    pub(super) fn item(&self, id: &str) -> Option<&Item> {
        self.items.iter().find(|item| item.id == id)
    }

    /// An item that the service still stands for.
    pub(super) fn offered(&self, id: &str) -> Option<&Item> {
        self.item(id)
            .filter(|item| !self.withdrawn.contains(&item.id))
    }

    /// The good answer to a request.
    pub(super) fn answer(
        &mut self,
        endpoint: Endpoint,
        parts: &[String],
        request: &ServiceRequest,
    ) -> Answer {
        if let Some(refusal) = self.refusal(endpoint, request) {
            return refusal;
        }
        let id = parts.first().map_or("", String::as_str);
        let second = parts.get(1).map_or("", String::as_str);
        match endpoint {
            Endpoint::List => self.list(request),
            Endpoint::Installed => self.list_installed(request),
            Endpoint::Detail => self.detail(id, request),
            Endpoint::Skill => self.skill(id, second),
            Endpoint::Install => self.install(id, request),
            Endpoint::Uninstall => self.uninstall(id),
            Endpoint::Search => self.search(request),
            Endpoint::Suggested => self.suggest(request),
            Endpoint::Featured => match request.param("platform") {
                Some("codex") => Answer::json(self.featured.clone()),
                _ => Answer::refusal(422, "platform"),
            },
            Endpoint::Apps => self.name_apps(request),
            Endpoint::SharedWithMe => self.page_of(request, self.by_ids(&self.shared)),
            Endpoint::Created => self.page_of(request, self.by_ids(&self.created)),
            Endpoint::Shares => self.share_with(id, request),
            Endpoint::UploadUrl => self.place_for_upload(request),
            Endpoint::Upload => self.take_upload(id, request),
            Endpoint::Finalise => self.finalise(parts.first(), request),
            Endpoint::DeleteShare => self.delete_share(id),
            Endpoint::Bundle => self.bundle(id, second, request),
            Endpoint::Token => self.renew(request),
        }
    }

    /// Who asks without the right login or in the wrong words is refused.
    fn refusal(&self, endpoint: Endpoint, request: &ServiceRequest) -> Option<Answer> {
        let wanted = format!("Bearer {}", self.token);
        let account = request.header("chatgpt-account-id");
        let spent = self.token == self.login.access_token() && self.login.is_expired();
        let known = !spent
            && request.header("authorization") == Some(&wanted)
            && (self.account.is_none() || self.account.as_deref() == account);
        if endpoint.wants_login() && !known {
            return Some(Answer::refusal(401, "who is asking?"));
        }
        let allowed = endpoint.query();
        let mut names = request.query.iter().map(|(name, _)| name.as_str());
        let stranger = names.find(|name| !allowed.contains(name))?;
        Some(Answer::refusal(400, &format!("`{stranger}` in the query")))
    }

    fn list(&self, request: &ServiceRequest) -> Answer {
        let Some(scope @ ("GLOBAL" | "WORKSPACE" | "USER")) = request.param("scope") else {
            return Answer::refusal(422, "scope");
        };
        let collection = request.param("collection");
        if collection.is_some_and(|one| one != "vertical") {
            return Answer::refusal(422, "collection");
        }
        let fits = |item: &&Item| {
            !item.by_id_only
                && !self.withdrawn.contains(&item.id)
                && item.text("scope").unwrap_or("GLOBAL") == scope
                && (collection.is_none() || item.vertical)
        };
        let items = self.items.iter().filter(fits);
        self.page_of(request, items.map(|item| item.value.clone()).collect())
    }

    fn list_installed(&self, request: &ServiceRequest) -> Answer {
        let scope = request.param("scope");
        let urls = request.param("includeDownloadUrls") == Some("true");
        let mut rows = Vec::new();
        for (id, installed) in &self.installed {
            let Some(item) = self.item(id) else { continue };
            if scope.is_some_and(|scope| item.text("scope").unwrap_or("GLOBAL") != scope) {
                continue;
            }
            let mut row = self.described(item, urls);
            if row.is_object() {
                put(&mut row, "enabled", installed.enabled.into());
                for (name, value) in &installed.members {
                    put(&mut row, name, value.clone());
                }
            }
            rows.push(row);
        }
        self.page_of(request, rows)
    }

    fn detail(&self, id: &str, request: &ServiceRequest) -> Answer {
        let urls = request.param("includeDownloadUrls") == Some("true");
        match self.offered(id) {
            Some(item) => Answer::json(self.described(item, urls)),
            None => Answer::refusal(404, "no such plugin"),
        }
    }

    fn skill(&self, id: &str, name: &str) -> Answer {
        let text = self.skills.get(&(id.to_owned(), name.to_owned()));
        match text.filter(|_| self.offered(id).is_some()) {
            Some(text) => Answer::json(json!({
                "plugin_id": id, "name": name, "skill_md_contents": text,
            })),
            None => Answer::refusal(404, "no such skill"),
        }
    }

    fn install(&mut self, id: &str, request: &ServiceRequest) -> Answer {
        let Some(item) = self.offered(id) else {
            return Answer::refusal(404, "no such plugin");
        };
        if item.text("status") == Some("DISABLED_BY_ADMIN")
            || item.text("installation_policy") == Some("NOT_AVAILABLE")
        {
            return Answer::refusal(403, "not for you");
        }
        self.installed(id).enabled = true;
        let mut answer = json!({"id": id, "enabled": true});
        if request.param("includeAppsNeedingAuth") == Some("true")
            && let Some(apps) = self.needing_auth.get(id)
        {
            put(&mut answer, "app_ids_needing_auth", json!(apps));
        }
        Answer::json(answer)
    }

    fn uninstall(&mut self, id: &str) -> Answer {
        if self.offered(id).is_none() {
            return Answer::refusal(404, "no such plugin");
        }
        self.installed.retain(|(one, _)| one != id);
        Answer::json(json!({"id": id, "enabled": false}))
    }

    fn search(&self, request: &ServiceRequest) -> Answer {
        let term = request.param("q").unwrap_or_default().to_lowercase();
        let scope = request.param("scope");
        let fits = |item: &&Item| {
            let texts = ["name", "release/display_name", "release/description"];
            let mut texts = texts.iter().filter_map(|path| item.text(path));
            !item.by_id_only
                && !self.withdrawn.contains(&item.id)
                && scope.is_none_or(|scope| item.text("scope").unwrap_or("GLOBAL") == scope)
                && texts.any(|text| text.to_lowercase().contains(&term))
        };
        let items = self.items.iter().filter(fits);
        self.page_of(request, items.map(|item| item.value.clone()).collect())
    }

    fn suggest(&self, request: &ServiceRequest) -> Answer {
        if request.param("scope") != Some("GLOBAL") {
            return Answer::refusal(422, "scope");
        }
        let plugins = self.by_ids(self.suggested.as_deref().unwrap_or_default());
        Answer::json(json!({"enabled": self.suggested.is_some(), "plugins": plugins}))
    }

    fn name_apps(&self, request: &ServiceRequest) -> Answer {
        let asked = request.json();
        let Some(Value::Array(ids)) = asked.get("app_ids") else {
            return Answer::refusal(422, "app_ids");
        };
        if ids.len() > MOST_APPS {
            return Answer::refusal(422, "too many apps");
        }
        let known = ids.iter().filter_map(|id| self.apps.get(id.as_str()?));
        Answer::json(json!({"apps": known.collect::<Vec<_>>()}))
    }

    fn by_ids(&self, ids: &[String]) -> Vec<Value> {
        let items = ids.iter().filter_map(|id| self.offered(id));
        items.map(|item| item.value.clone()).collect()
    }

    /// An item, with the address of its bundle when that was asked for.
    fn described(&self, item: &Item, urls: bool) -> Value {
        let mut value = item.value.clone();
        let own = value.pointer("/release/bundle_download_url").is_some();
        match value.pointer_mut("/release") {
            Some(Value::Object(release)) if !urls => {
                release.remove("bundle_download_url");
            }
            Some(Value::Object(_)) if !own => {
                if let Some(version) = item.text("release/version") {
                    let url = self.bundle_url(&item.id, version);
                    put(&mut value, "release/bundle_download_url", url.into());
                }
            }
            _ => {}
        }
        value
    }

    /// One page of a list, by the limit of the client and that of the service.
    fn page_of(&self, request: &ServiceRequest, items: Vec<Value>) -> Answer {
        let limit = match request.param("limit").map(str::parse::<usize>) {
            None => self.page,
            Some(Ok(limit @ 1..)) => limit.min(self.page),
            Some(_) => return Answer::refusal(422, "limit"),
        };
        let start = match request.param("pageToken") {
            None | Some("" | AGAIN) => 0,
            Some(token) => match place(token) {
                Some(start) => start,
                None => return Answer::refusal(400, "bad page token"),
            },
        };
        let end = start.saturating_add(limit).min(items.len());
        let next = (end < items.len()).then(|| page_token(end));
        let rows = items.get(start..end).unwrap_or_default();
        Answer::json(json!({"plugins": rows, "pagination": {"next_page_token": next}}))
    }

    /// Where the bundle of a version is offered.
    pub(super) fn bundle_url(&self, id: &str, version: &str) -> String {
        self.hop_url(0, id, version)
    }

    /// The address of one hop on the way to a bundle.
    fn hop_url(&self, hop: usize, id: &str, version: &str) -> String {
        let base = match (self.route.get(hop), &self.secure) {
            (Some(Scheme::Https), Some(secure)) => secure,
            _ => &self.plain,
        };
        let query = if hop == 0 {
            String::new()
        } else {
            format!("?hop={hop}")
        };
        format!("{base}{PREFIX}/bundles/{id}/{version}.tar.gz{query}")
    }

    fn bundle(&self, id: &str, file: &str, request: &ServiceRequest) -> Answer {
        let hop: usize = request
            .param("hop")
            .and_then(|hop| hop.parse().ok())
            .unwrap_or(0);
        let version = file.strip_suffix(".tar.gz").unwrap_or(file);
        if hop + 1 < self.route.len() {
            return Answer::empty(302).header("Location", self.hop_url(hop + 1, id, version));
        }
        match self.bundles.get(&(id.to_owned(), version.to_owned())) {
            Some(bytes) => Answer::bytes("application/gzip", bytes.clone()),
            None => Answer::refusal(404, "no such bundle"),
        }
    }

    /// Gives new tokens for the newest old one.
    fn renew(&mut self, request: &ServiceRequest) -> Answer {
        let said = request.json();
        let said = said.get("refresh_token").and_then(Value::as_str);
        let form = super::endpoint::pairs(&String::from_utf8_lossy(&request.body));
        let form = form.iter().find(|(name, _)| name == "refresh_token");
        let token = said.or(form.map(|(_, value)| value.as_str()));
        if token != self.login.refresh_token() {
            let error = json!({"code": "refresh_token_reused", "message": "spent"});
            let body = Answer::json(json!({"error": error}));
            return Answer {
                status: 401,
                ..body
            };
        }
        self.login = self.login.renewed();
        self.login.access_token().clone_into(&mut self.token);
        Answer::json(self.login.tokens())
    }
}

/// A token that has to be encoded in a query and says nothing to a client.
fn page_token(place: usize) -> String {
    format!("pt+{:x}/=", place ^ 0x5a5a)
}

fn place(token: &str) -> Option<usize> {
    let digits = token.strip_prefix("pt+")?.strip_suffix("/=")?;
    Some(usize::from_str_radix(digits, 16).ok()? ^ 0x5a5a)
}
