//! Effects as calls of the daemon. Each runs in a task of its own and answers with a message, so a
//! slow answer holds up nothing.

use plugd_rust_client::protocol::methods::{
    ConfigRead, MarketplaceAdd, MarketplaceRemove, MarketplaceUpgrade, PlugdInspect, PlugdRollback,
    PlugdUpdate, PluginInstall, PluginList, PluginRead, PluginSearch, PluginUninstall,
};
use plugd_rust_client::protocol::{
    Config, ConfigReadParams, MarketplaceAddParams, MarketplaceRemoveParams,
    MarketplaceUpgradeParams, Method, PlugdConfirm, PlugdInspectParams, PlugdRollbackParams,
    PlugdUpdateParams, PluginInstallParams, PluginListParams, PluginReadParams, PluginSearchParams,
    PluginUninstallParams,
};
use plugd_rust_client::{Canceller, Client, Error, Events};
use tokio::sync::mpsc::UnboundedSender;

use crate::changes;
use crate::state::{Agreed, Configured, Effect, Msg, Target, Work};

/// Something that happened, and for what a daemon said its number.
#[derive(Debug)]
pub struct Told {
    daemon: Option<u64>,
    msg: Msg,
}

impl Told {
    /// Something that no daemon said.
    #[must_use]
    pub fn here(msg: Msg) -> Self {
        Self { daemon: None, msg }
    }
}

/// Where the answers of one daemon go. Nothing, when nobody listens: the program is about to end.
#[derive(Debug, Clone)]
struct Line {
    daemon: u64,
    answers: UnboundedSender<Told>,
}

impl Line {
    fn send(&self, msg: Msg) -> bool {
        let daemon = Some(self.daemon);
        self.answers.send(Told { daemon, msg }).is_ok()
    }
}

/// The connection, and where answers go.
#[derive(Debug)]
pub struct Worker {
    client: Client,
    line: Line,
    running: Option<Canceller>,
}

impl Worker {
    /// Works for this client from now on, and passes on what its daemon tells.
    #[must_use]
    pub fn new(client: Client, events: Events, answers: UnboundedSender<Told>) -> Self {
        let line = Line { daemon: 0, answers };
        pass_on(events, line.clone());
        Self {
            client,
            line,
            running: None,
        }
    }

    /// Goes on with a new daemon. What the one before still has to say is no longer
    /// [heard](Self::hears).
    pub fn replace(&mut self, client: Client, events: Events) {
        self.line.daemon += 1;
        pass_on(events, self.line.clone());
        self.client = client;
        self.running = None;
    }

    /// What happened, unless a former daemon said it.
    #[must_use]
    pub fn hears(&self, told: Told) -> Option<Msg> {
        let current = told.daemon.is_none_or(|daemon| daemon == self.line.daemon);
        current.then_some(told.msg)
    }

    /// The connection as it is now.
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Starts what is asked for. Restarting and quitting are the caller's.
    pub fn start(&mut self, effect: Effect) {
        match effect {
            Effect::List => self.list(),
            Effect::Search(term) => {
                let params = PluginSearchParams {
                    search_term: term.clone(),
                    scope: None,
                    cwds: None,
                    cursor: None,
                    limit: None,
                };
                self.ask::<PluginSearch>(params, move |answer| {
                    Msg::Found(term, answer.map(Box::new))
                });
            }
            Effect::Read(target, ask) => {
                let (path, remote) = place(&target);
                let params = PluginReadParams {
                    marketplace_path: path,
                    remote_marketplace_name: remote,
                    plugin_name: target.name,
                };
                self.ask::<PluginRead>(params, move |answer| Msg::Read(ask, answer.map(Box::new)));
            }
            Effect::Inspect(target, ask) => {
                let (path, remote) = place(&target);
                let params = PlugdInspectParams {
                    marketplace_path: path,
                    remote_marketplace_name: remote,
                    plugin_name: Some(target.name),
                    plugin_id: None,
                    path: None,
                };
                self.ask::<PlugdInspect>(params, move |answer| {
                    Msg::Inspected(ask, answer.map(Box::new))
                });
            }
            Effect::Start(work) => self.work(work),
            Effect::Cancel => {
                if let Some(running) = &self.running {
                    running.cancel();
                }
            }
            Effect::Restart | Effect::Quit => {}
        }
    }

    fn ask<M: Method>(
        &self,
        params: M::Params,
        answer: impl FnOnce(Result<M::Result, Error>) -> Msg + Send + 'static,
    ) {
        let client = self.client.clone();
        let line = self.line.clone();
        tokio::spawn(async move {
            let outcome = client.call::<M>(params).await;
            line.send(answer(outcome));
        });
    }

    /// The listing, and before it what is configured: one that is broken stands there only.
    fn list(&self) {
        let client = self.client.clone();
        let line = self.line.clone();
        tokio::spawn(async move {
            let config = client.call::<ConfigRead>(ConfigReadParams::default()).await;
            // The listing has the word about what is wrong with the configuration.
            if let Ok(read) = config {
                line.send(Msg::Configured(marketplaces(&read.config)));
            }
            let listing = client.call::<PluginList>(PluginListParams::default()).await;
            line.send(Msg::Listed(listing.map(Box::new)));
        });
    }

    fn work(&mut self, work: Work) {
        match work.clone() {
            Work::Install(target) => {
                let (path, remote) = place(&target);
                let params = PluginInstallParams {
                    marketplace_path: path,
                    remote_marketplace_name: remote,
                    plugin_name: target.name,
                    ..PluginInstallParams::default()
                };
                self.run::<PluginInstall>(work, params, move |done| {
                    format!("installed {} {}", target.id, done.installed_version)
                });
            }
            Work::Uninstall(target) => {
                let plugin_id = target.id.clone();
                let params = PluginUninstallParams { plugin_id };
                self.run::<PluginUninstall>(work, params, move |_| {
                    format!("uninstalled {}", target.id)
                });
            }
            Work::Update(target, agreed) => self.update(work, target, agreed),
            Work::RollBack(target) => {
                let params = PlugdRollbackParams {
                    plugin_id: target.id,
                    to: None,
                    dry_run: None,
                };
                self.run::<PlugdRollback>(work, params, |done| changes::said(done.changes.first()));
            }
            Work::Add(source) => {
                let params = MarketplaceAddParams {
                    source,
                    ref_name: None,
                    sparse_paths: None,
                };
                self.run::<MarketplaceAdd>(work, params, |done| {
                    format!("added {}", done.marketplace_name)
                });
            }
            Work::Upgrade(name) => {
                let params = MarketplaceUpgradeParams {
                    marketplace_name: Some(name.clone()),
                };
                self.run::<MarketplaceUpgrade>(work, params, move |done| {
                    match done.errors.first() {
                        Some(error) => format!("{name}: {}", error.message),
                        None if done.upgraded_roots.is_empty() => format!("{name} was up to date"),
                        None => format!("upgraded {name}"),
                    }
                });
            }
            Work::Remove(name) => {
                let params = MarketplaceRemoveParams {
                    marketplace_name: name,
                    remove_plugins: None,
                };
                self.run::<MarketplaceRemove>(work, params, |done| {
                    format!("removed {}", done.marketplace_name)
                });
            }
        }
    }

    fn update(&mut self, work: Work, target: Target, agreed: Option<Agreed>) {
        let params = PlugdUpdateParams {
            plugin_id: Some(target.id.clone()),
            confirm: Some(PlugdConfirm::Capabilities),
            confirmed: agreed.map(|agreed| vec![agreed.digest]),
            dry_run: None,
        };
        let done = work.clone();
        self.run_to::<PlugdUpdate>(work, params, move |answer| {
            let row = answer.changes.first();
            match row.and_then(changes::asks) {
                Some(agreed) => Msg::Asks(done, Work::Update(target, Some(agreed))),
                None => Msg::Finished(done, Ok(changes::said(row))),
            }
        });
    }

    fn run<M: Method + 'static>(
        &mut self,
        work: Work,
        params: M::Params,
        sentence: impl FnOnce(M::Result) -> String + Send + 'static,
    ) {
        let done = work.clone();
        self.run_to::<M>(work, params, move |result| {
            Msg::Finished(done, Ok(sentence(result)))
        });
    }

    /// Runs work whose result says by itself what comes of it.
    fn run_to<M: Method + 'static>(
        &mut self,
        work: Work,
        params: M::Params,
        told: impl FnOnce(M::Result) -> Msg + Send + 'static,
    ) {
        let line = self.line.clone();
        match self.client.start::<M>(params) {
            Ok(mut call) => {
                self.running = Some(call.canceller());
                tokio::spawn(async move {
                    while let Some(step) = call.progress().await {
                        line.send(Msg::Step(step));
                    }
                    line.send(match call.answer().await {
                        Ok(result) => told(result),
                        Err(error) => Msg::Finished(work, Err(error)),
                    });
                });
            }
            Err(error) => drop(line.send(Msg::Finished(work, Err(error)))),
        }
    }
}

/// The rows of the table of marketplaces, in the order of their names.
fn marketplaces(config: &Config) -> Vec<Configured> {
    let table = config.0.get("marketplaces").and_then(|one| one.as_object());
    table
        .into_iter()
        .flatten()
        .map(|(name, row)| Configured {
            name: name.clone(),
            source: row["source"].as_str().unwrap_or_default().to_owned(),
        })
        .collect()
}

/// A plugin's marketplace in the two members of params.
fn place(
    target: &Target,
) -> (
    Option<plugd_rust_client::protocol::AbsolutePathBuf>,
    Option<String>,
) {
    match &target.path {
        Some(path) => (Some(path.clone()), None),
        None => (None, Some(target.marketplace.clone())),
    }
}

fn pass_on(mut events: Events, line: Line) {
    tokio::spawn(async move {
        while let Some(event) = events.next().await {
            if !line.send(Msg::Event(event)) {
                return;
            }
        }
    });
}
