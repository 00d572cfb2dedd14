//! The world of a transcript: the sandbox, and the plugin service and the repositories that lines
//! with `@` put into it. The orders are listed in `protocol/transcripts/README.md`.

use std::collections::BTreeMap;

use plugd_testkit::service::{Endpoint, Fault, Item, PluginService};
use plugd_testkit::{GitRepo, Sandbox};

/// What stands in every sandbox.
const FIXTURE: &str = include_str!("../../protocol/transcripts/world.fixture");

/// What the daemon of a transcript sees.
pub(crate) struct World {
    pub(crate) sandbox: Sandbox,
    service: Option<PluginService>,
    repositories: BTreeMap<String, GitRepo>,
}

impl World {
    pub(crate) fn new() -> Self {
        Self {
            sandbox: Sandbox::from(FIXTURE),
            service: None,
            repositories: BTreeMap::new(),
        }
    }

    /// Carries out an order, given without its `@`.
    pub(crate) fn obey(&mut self, order: &str) {
        if let Some(rest) = order.strip_prefix("write ") {
            let (path, content) = rest.split_once(' ').unwrap();
            return self.sandbox.write(path, format!("{content}\n"));
        }
        let words: Vec<&str> = order.split(' ').collect();
        match words.as_slice() {
            ["login"] => self.log_in(),
            ["commit", dir] => self.commit(dir),
            ["offer", name] => self.service().offer_plugin(offered(name)),
            ["offer", name, version] => {
                let item = offered(name).version(version);
                self.service().offer_plugin(item);
            }
            ["share", name] => self.share(name),
            ["has", name] => self.service().set_installed(Item::new(name).id(), true),
            ["fail", endpoint, status] => {
                let fault = Fault::status(status.parse().unwrap());
                self.service().fail(named(endpoint), fault);
            }
            ["heal"] => self.service().behave_well(),
            other => panic!("unknown order {other:?}"),
        }
    }

    /// A message as the daemon gets it: with addresses in the place of what stands for them.
    pub(crate) fn expand(&self, message: &str) -> String {
        let line = self.sandbox.expand(message);
        match &self.service {
            Some(service) => line.replace("$BASE", &service.base()),
            None => line,
        }
    }

    /// A text of an answer with what stands for the addresses of this world.
    pub(crate) fn masked(&self, text: &str) -> String {
        let text = text.replace(&self.sandbox.root().to_text(), "$ROOT");
        let Some(service) = &self.service else {
            return text;
        };
        let base = service.base();
        let host = base.split('/').nth(2).unwrap();
        text.replace(&base, "$BASE").replace(host, "$HOST")
    }

    /// What `@login` started, which stands before all that is put into it.
    fn service(&self) -> &PluginService {
        self.service.as_ref().unwrap()
    }

    /// A service on loopback, and a login to it in front of the configuration.
    fn log_in(&mut self) {
        let service = PluginService::start();
        let config = self.sandbox.expand(&self.sandbox.text("ch/config.toml"));
        let config = format!("chatgpt_base_url = \"{}\"\n{config}", service.base());
        self.sandbox.write("ch/config.toml", config);
        service.login().write_to(&self.sandbox);
        self.service = Some(service);
    }

    /// A plugin of the workspace that the account shares with somebody.
    fn share(&self, name: &str) {
        let item = Item::workspace(name, "PRIVATE");
        let item = item.share_principal("user", "user-1", "reader", "Ada");
        let id = item.id().to_owned();
        self.service().offer_plugin(item);
        self.service().set_created(&[&id]);
    }

    /// What a directory of the sandbox holds, as the next commit of the repository beside it.
    fn commit(&mut self, dir: &str) {
        let tree = self.sandbox.tree(dir);
        let sandbox = &self.sandbox;
        let made = || GitRepo::bare(sandbox, &format!("{dir}.git"));
        let repository = self.repositories.entry(dir.to_owned());
        repository.or_insert_with(made).commit(&tree);
    }
}

/// A plugin of everybody's catalog, and enough of it to be worth reading.
fn offered(name: &str) -> Item {
    let item = Item::new(name).display_name(&format!("The {name}"));
    item.skill("hello", "says hello")
}

/// A request to the service by the name that the testkit gives it.
fn named(endpoint: &str) -> Endpoint {
    let found = Endpoint::ALL
        .into_iter()
        .find(|one| format!("{one:?}") == endpoint);
    found.unwrap_or_else(|| panic!("the service knows no {endpoint}"))
}
