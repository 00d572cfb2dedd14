//! Effects as calls of the daemon. Each runs in a task of its own and answers with a message, so a
//! slow answer holds up nothing.

use plugd_rust_client::protocol::methods::{
    MarketplaceAdd, MarketplaceRemove, MarketplaceUpgrade, PlugdInspect, PluginInstall, PluginList,
    PluginRead, PluginSearch, PluginUninstall,
};
use plugd_rust_client::protocol::{
    MarketplaceAddParams, MarketplaceRemoveParams, MarketplaceUpgradeParams, Method,
    PlugdInspectParams, PluginInstallParams, PluginListParams, PluginReadParams,
    PluginSearchParams, PluginUninstallParams,
};
use plugd_rust_client::{Canceller, Client, Error, Events};
use tokio::sync::mpsc::UnboundedSender;

use crate::state::{Effect, Msg, Target, Work};

/// The connection, and where answers go.
#[derive(Debug)]
pub struct Worker {
    client: Client,
    answers: UnboundedSender<Msg>,
    running: Option<Canceller>,
}

impl Worker {
    /// Works for this client from now on, and passes on what its daemon tells.
    #[must_use]
    pub fn new(client: Client, events: Events, answers: UnboundedSender<Msg>) -> Self {
        pass_on(events, answers.clone());
        Self {
            client,
            answers,
            running: None,
        }
    }

    /// Goes on with a new daemon.
    pub fn replace(&mut self, client: Client, events: Events) {
        pass_on(events, self.answers.clone());
        self.client = client;
        self.running = None;
    }

    /// The connection as it is now.
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Starts what is asked for. Restarting and quitting are the caller's.
    pub fn start(&mut self, effect: Effect) {
        match effect {
            Effect::List => self.ask::<PluginList>(PluginListParams::default(), |answer| {
                Msg::Listed(answer.map(Box::new))
            }),
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
            Effect::Read(target) => {
                let (path, remote) = place(&target);
                let params = PluginReadParams {
                    marketplace_path: path,
                    remote_marketplace_name: remote,
                    plugin_name: target.name,
                };
                self.ask::<PluginRead>(params, |answer| Msg::Read(target.id, answer.map(Box::new)));
            }
            Effect::Inspect(target) => {
                let (path, remote) = place(&target);
                let params = PlugdInspectParams {
                    marketplace_path: path,
                    remote_marketplace_name: remote,
                    plugin_name: Some(target.name),
                    plugin_id: None,
                    path: None,
                };
                self.ask::<PlugdInspect>(params, |answer| {
                    Msg::Inspected(target.id, answer.map(Box::new))
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
        let answers = self.answers.clone();
        tokio::spawn(async move {
            let outcome = client.call::<M>(params).await;
            // Nobody listens when the program is about to end.
            let _ = answers.send(answer(outcome));
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
                    install_attempt_id: None,
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

    fn run<M: Method + 'static>(
        &mut self,
        work: Work,
        params: M::Params,
        sentence: impl FnOnce(M::Result) -> String + Send + 'static,
    ) {
        let answers = self.answers.clone();
        match self.client.start::<M>(params) {
            Ok(mut call) => {
                self.running = Some(call.canceller());
                tokio::spawn(async move {
                    while let Some(step) = call.progress().await {
                        let _ = answers.send(Msg::Step(step));
                    }
                    let outcome = call.answer().await.map(sentence);
                    let _ = answers.send(Msg::Finished(work, outcome));
                });
            }
            Err(error) => drop(answers.send(Msg::Finished(work, Err(error)))),
        }
    }
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

fn pass_on(mut events: Events, answers: UnboundedSender<Msg>) {
    tokio::spawn(async move {
        while let Some(event) = events.next().await {
            if answers.send(Msg::Event(event)).is_err() {
                return;
            }
        }
    });
}
