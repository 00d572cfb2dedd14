//! What the screen is about, what can happen to it, and what it asks for.

use std::path::{Path, PathBuf};

use plugd_rust_client::protocol::{
    AbsolutePathBuf, MarketplaceLoadErrorInfo, PlugdInspectResponse, PluginListResponse,
    PluginMarketplaceEntry, PluginReadResponse, PluginSearchResponse, PluginSummary,
    WorkDoneProgress,
};
use plugd_rust_client::{Error, Event};
use ratatui::crossterm::event::KeyEvent;
use ratatui::layout::Size;

/// Everything that a frame is made of.
#[derive(Debug, Clone)]
pub struct State {
    /// The size of the terminal.
    pub size: Size,
    /// The listing; none before the first answer.
    pub listing: Option<PluginListResponse>,
    /// Whether a listing is on its way.
    pub listing_asked: bool,
    /// Whether it is out of date before it has come.
    pub listing_stale: bool,
    /// The marketplaces of the configuration, whether they can be listed or not.
    pub configured: Vec<Configured>,
    /// Which part of the screen the arrow keys move in.
    pub pane: Pane,
    /// What the keys mean.
    pub mode: Mode,
    /// The chosen row of [`places`](State::places).
    pub marketplace: usize,
    /// The chosen row of [`rows`](State::rows).
    pub plugin: usize,
    /// The search.
    pub search: Search,
    /// The plugin that is shown from the inside.
    pub detail: Option<Detail>,
    /// The first line of it that is seen.
    pub scroll: usize,
    /// The work that runs.
    pub job: Option<Job>,
    /// How many answers about plugins were asked for; each has its number.
    pub asks: u64,
    /// What was done last.
    pub status: String,
    /// What happened to the daemon, as long as there is none.
    pub gone: Option<String>,
    /// Whether a new one is being started.
    pub restarting: bool,
}

/// A marketplace as the configuration names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Configured {
    /// Its name.
    pub name: String,
    /// Where it comes from.
    pub source: String,
}

/// A row of the marketplaces.
#[derive(Debug, Clone, Copy)]
pub enum Place<'a> {
    /// All of them.
    All,
    /// One of the listing.
    Listed(&'a PluginMarketplaceEntry),
    /// One that is configured and not listed, because it is broken or offers nothing.
    Unlisted(&'a Configured),
}

/// A part of the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pane {
    /// The marketplaces.
    Marketplaces,
    /// The plugins.
    Plugins,
    /// One of them from the inside.
    Detail,
}

/// What the keys mean.
#[derive(Debug, Clone, PartialEq)]
pub enum Mode {
    /// They move and order.
    Browse,
    /// They are a word to search for.
    Search,
    /// They are the source of a marketplace to add.
    Add(String),
    /// They answer a question.
    Confirm(Work),
    /// Any of them closes the help.
    Help,
    /// They close an error.
    Fault(Fault),
}

/// An error as it is shown.
#[derive(Debug, Clone, PartialEq)]
pub struct Fault {
    /// What went wrong.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
    /// What to do again, where that may help.
    pub again: Option<Work>,
}

/// The search.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Search {
    /// What was typed.
    pub term: String,
    /// What was found; none without a term.
    pub found: Option<Vec<Row>>,
    /// Whether there is more than that.
    pub more: bool,
    /// The term whose answer is on its way. One at a time, so that fast typing piles nothing up.
    pub asked: Option<String>,
}

/// A plugin in the list.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// What the listing says of it.
    pub plugin: PluginSummary,
    /// The marketplace that offers it.
    pub marketplace: String,
    /// The file of that marketplace; none for a remote one.
    pub path: Option<AbsolutePathBuf>,
}

/// How a plugin is named to the daemon.
#[derive(Debug, Clone, PartialEq)]
pub struct Target {
    /// `name@marketplace`.
    pub id: String,
    /// Its name, or its remote id.
    pub name: String,
    /// The marketplace that offers it.
    pub marketplace: String,
    /// The file of that marketplace; none for a remote one.
    pub path: Option<AbsolutePathBuf>,
}

/// A plugin from the inside.
#[derive(Debug, Clone)]
pub struct Detail {
    /// Which one.
    pub target: Target,
    /// What it is.
    pub read: Answer<PluginReadResponse>,
    /// The number of the answer that counts; an earlier one may be about what was before.
    pub read_ask: u64,
    /// What it would run. Asked for by a key only: it may fetch the plugin from far away.
    pub inspect: Answer<PlugdInspectResponse>,
    /// The number of the answer that counts.
    pub inspect_ask: u64,
}

/// An answer that may not be here yet.
#[derive(Debug, Clone)]
pub enum Answer<T> {
    /// Nobody asked.
    Unasked,
    /// It is on its way.
    Asked,
    /// It is here.
    Here(Box<T>),
    /// It is an error.
    Failed(String),
}

/// Work that changes something.
#[derive(Debug, Clone, PartialEq)]
pub enum Work {
    /// Installs a plugin.
    Install(Target),
    /// Uninstalls a plugin.
    Uninstall(Target),
    /// Brings a plugin to what its source has, and asks before it can do more.
    Update(Target, Option<Agreed>),
    /// Brings the version before back.
    RollBack(Target),
    /// Adds a marketplace.
    Add(String),
    /// Brings a marketplace up to date.
    Upgrade(String),
    /// Removes a marketplace.
    Remove(String),
}

/// What a plugin could do that it could not before, for a yes to exactly that.
#[derive(Debug, Clone, PartialEq)]
pub struct Agreed {
    /// The version that would come.
    pub version: String,
    /// The digest that the daemon wants to hear.
    pub digest: String,
    /// What is new, a line each.
    pub grew: Vec<String>,
}

/// Work that runs.
#[derive(Debug, Clone)]
pub struct Job {
    /// What it is.
    pub work: Work,
    /// The step that is being done.
    pub step: String,
    /// How much of the step is done, where that is known.
    pub done: Option<(u64, u64)>,
    /// Whether it was taken back.
    pub cancelling: bool,
}

/// What can happen.
#[derive(Debug, Clone)]
pub enum Msg {
    /// A key was pressed.
    Key(KeyEvent),
    /// The terminal has another size.
    Resize(Size),
    /// The daemon told something.
    Event(Event),
    /// The listing came.
    Listed(Result<Box<PluginListResponse>, Error>),
    /// The marketplaces of the configuration came; before the listing that they belong to.
    Configured(Vec<Configured>),
    /// What was found for a term.
    Found(String, Result<Box<PluginSearchResponse>, Error>),
    /// The inside of a plugin, by the number of the question.
    Read(u64, Result<Box<PluginReadResponse>, Error>),
    /// What a plugin would run, by the number of the question.
    Inspected(u64, Result<Box<PlugdInspectResponse>, Error>),
    /// How far the work is.
    Step(WorkDoneProgress),
    /// The work is done; a sentence about it.
    Finished(Work, Result<String, Error>),
    /// The work was not done, because somebody has to agree to it as it is here.
    Asks(Work, Work),
    /// There is a new daemon, or none.
    Restarted(Result<(), Error>),
}

/// What is asked for.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// A listing, and the marketplaces of the configuration.
    List,
    /// A search.
    Search(String),
    /// The inside of a plugin; the answer has this number.
    Read(Target, u64),
    /// What a plugin would run; the answer has this number.
    Inspect(Target, u64),
    /// Some work.
    Start(Work),
    /// To take the work back.
    Cancel,
    /// A new daemon.
    Restart,
    /// The end.
    Quit,
}

impl State {
    /// The state before anything is known.
    #[must_use]
    pub fn new(size: Size) -> Self {
        Self {
            size,
            listing: None,
            listing_asked: false,
            listing_stale: false,
            configured: Vec::new(),
            pane: Pane::Plugins,
            mode: Mode::Browse,
            marketplace: 0,
            plugin: 0,
            search: Search::default(),
            detail: None,
            scroll: 0,
            job: None,
            asks: 0,
            status: String::new(),
            gone: None,
            restarting: false,
        }
    }

    /// The plugins that are shown: what was found, else those of the chosen marketplace.
    #[must_use]
    pub fn rows(&self) -> Vec<Row> {
        if let Some(found) = &self.search.found {
            return found.clone();
        }
        let marketplaces = self
            .listing
            .iter()
            .flat_map(|listing| &listing.marketplaces);
        marketplaces
            .enumerate()
            .filter(|(place, _)| self.marketplace == 0 || self.marketplace == place + 1)
            .flat_map(|(_, marketplace)| {
                marketplace.plugins.iter().map(|plugin| Row {
                    plugin: plugin.clone(),
                    marketplace: marketplace.name.clone(),
                    path: marketplace.path.clone(),
                })
            })
            .collect()
    }

    /// The chosen plugin.
    #[must_use]
    pub fn chosen(&self) -> Option<Row> {
        self.rows().into_iter().nth(self.plugin)
    }

    /// The marketplaces that are shown: all of them as one row, those of the listing in its order,
    /// and the configured ones that are not in it.
    #[must_use]
    pub fn places(&self) -> Vec<Place<'_>> {
        let Some(listing) = &self.listing else {
            return vec![Place::All];
        };
        let listed = listing.marketplaces.iter();
        let unlisted = self.configured.iter().filter(|configured| {
            let mut names = listing.marketplaces.iter().map(|one| &one.name);
            !names.any(|name| *name == configured.name)
        });
        std::iter::once(Place::All)
            .chain(listed.map(Place::Listed))
            .chain(unlisted.map(Place::Unlisted))
            .collect()
    }

    /// The chosen row of the marketplaces.
    #[must_use]
    pub fn place(&self) -> Place<'_> {
        let places = self.places();
        places.get(self.marketplace).copied().unwrap_or(Place::All)
    }

    /// The name of the chosen marketplace; none when all are.
    #[must_use]
    pub fn chosen_marketplace(&self) -> Option<&str> {
        self.place().name()
    }

    /// Whether the daemon is there.
    #[must_use]
    pub fn connected(&self) -> bool {
        self.gone.is_none()
    }

    /// What is said about the state of things: without a daemon that, whatever was done last.
    #[must_use]
    pub fn said(&self) -> &str {
        match &self.gone {
            Some(_) if self.restarting => "starting the daemon",
            Some(gone) => gone,
            None => &self.status,
        }
    }
}

impl<'a> Place<'a> {
    /// The name of the marketplace; none for all of them.
    #[must_use]
    pub fn name(self) -> Option<&'a str> {
        match self {
            Self::All => None,
            Self::Listed(entry) => Some(&entry.name),
            Self::Unlisted(configured) => Some(&configured.name),
        }
    }
}

impl Configured {
    /// Whether something that could not be loaded is about this marketplace: it lies in its
    /// directory or checkout, or is its row of the configuration.
    #[must_use]
    pub fn concerns(&self, error: &MarketplaceLoadErrorInfo) -> bool {
        let path = Path::new(&error.marketplace_path.0);
        let checkout: PathBuf = [".tmp", "marketplaces", &self.name].iter().collect();
        let mut above = path.ancestors();
        let row = format!("marketplaces.{}.", self.name);
        path.starts_with(&self.source)
            || above.any(|directory| directory.ends_with(&checkout))
            || error
                .field
                .as_ref()
                .is_some_and(|field| field.starts_with(&row))
    }
}

impl Row {
    /// How the plugin is named to the daemon.
    #[must_use]
    pub fn target(&self) -> Target {
        let remote = self.plugin.remote_plugin_id.as_ref();
        Target {
            id: self.plugin.id.clone(),
            name: match (&self.path, remote) {
                (None, Some(remote)) => remote.clone(),
                _ => self.plugin.name.clone(),
            },
            marketplace: self.marketplace.clone(),
            path: self.path.clone(),
        }
    }
}

impl Work {
    /// What is being done, for the title of its box.
    #[must_use]
    pub fn title(&self) -> String {
        match self {
            Self::Install(target) => format!("Installing {}", target.id),
            Self::Uninstall(target) => format!("Uninstalling {}", target.id),
            Self::Update(target, _) => format!("Updating {}", target.id),
            Self::RollBack(target) => format!("Rolling back {}", target.id),
            Self::Add(source) => format!("Adding {source}"),
            Self::Upgrade(name) => format!("Upgrading {name}"),
            Self::Remove(name) => format!("Removing {name}"),
        }
    }
}
