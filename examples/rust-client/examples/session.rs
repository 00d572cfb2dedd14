//! Everything that a frontend does with one plugin, step by step, through the typed client:
//! `session PROGRAM PLUGIN MARKETPLACE`.
//!
//! Prints a line for each step that went as it should, and stops at the first that did not. The
//! plugin is installed and removed again, so one that is installed already is left alone.
#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "an example is a program of its own: it has arguments and prints"
)]

use std::fmt::Debug;

use anyhow::{Context, bail, ensure};
use plugd_rust_client::protocol::methods::{
    PluginInstall, PluginList, PluginRead, PluginUninstall,
};
use plugd_rust_client::protocol::{
    ErrorKind, PluginInstallParams, PluginListParams, PluginReadParams, PluginUninstallParams,
    WorkDoneProgress,
};
use plugd_rust_client::{Client, Error, Event, Events, Launch};

/// The plugin that the session is about, as the listing names it.
struct Plugin {
    id: String,
    install: PluginInstallParams,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [program, plugin, marketplace] = &arguments[..] else {
        bail!("usage: session PROGRAM PLUGIN MARKETPLACE");
    };
    let launch = Launch::new(program).client("session", "1.0.0");
    let (client, mut events) = launch.start().await?;
    let agent = &client.hello().user_agent;
    check("initialize", agent.starts_with("session/"), agent)?;

    let plugin = find(&client, plugin, marketplace).await?;
    read(&client, &plugin).await?;
    cancel(&client, &plugin).await?;
    install(&client, &plugin).await?;
    changed(&mut events, &plugin.id).await?;
    refusal(&client, &plugin).await?;
    uninstall(&client, &plugin).await?;

    let ending = client.shutdown().await;
    check("close", ending.code == Some(0) && !ending.killed, &ending)
}

/// Tells of a step.
fn check(step: &str, fine: bool, why: &impl Debug) -> anyhow::Result<()> {
    ensure!(fine, "step {step} failed: {why:?}");
    println!("step {step} ok");
    Ok(())
}

/// Lists, and answers how the plugin is to be named in other calls.
async fn find(client: &Client, name: &str, marketplace: &str) -> anyhow::Result<Plugin> {
    let listing = client
        .call::<PluginList>(PluginListParams::default())
        .await?;
    let market = listing
        .marketplaces
        .iter()
        .find(|market| market.name == marketplace)
        .with_context(|| format!("there is no marketplace {marketplace}"))?;
    let row = market
        .plugins
        .iter()
        .find(|row| row.name == name)
        .with_context(|| format!("{marketplace} has no plugin {name}"))?;
    check("list", !row.installed, row)?;
    // A marketplace on the disk is named by its manifest, one of the service by its name.
    let remote = market.path.is_none().then(|| market.name.clone());
    Ok(Plugin {
        id: row.id.clone(),
        install: PluginInstallParams {
            marketplace_path: market.path.clone(),
            remote_marketplace_name: remote,
            plugin_name: row.name.clone(),
            ..PluginInstallParams::default()
        },
    })
}

async fn read(client: &Client, plugin: &Plugin) -> anyhow::Result<()> {
    let detail = client
        .call::<PluginRead>(PluginReadParams {
            marketplace_path: plugin.install.marketplace_path.clone(),
            remote_marketplace_name: plugin.install.remote_marketplace_name.clone(),
            plugin_name: plugin.install.plugin_name.clone(),
        })
        .await?
        .plugin;
    check("read", detail.summary.id == plugin.id, &detail)
}

/// Begins an installation and takes it back. Whoever is faster wins, and both answers are right.
async fn cancel(client: &Client, plugin: &Plugin) -> anyhow::Result<()> {
    let mut call = client.start::<PluginInstall>(plugin.install.clone())?;
    let begun = call.progress().await;
    check(
        "begin",
        matches!(begun, Some(WorkDoneProgress::Begin { .. })),
        &begun,
    )?;
    call.cancel();
    let answer = call.answer().await;
    let fine = match &answer {
        Ok(installed) => !installed.installed_version.is_empty(),
        Err(error) => error.kind() == Some(ErrorKind::Cancelled),
    };
    check("cancel", fine, &answer)
}

/// Installs, and hears how far it is.
async fn install(client: &Client, plugin: &Plugin) -> anyhow::Result<()> {
    let mut call = client.start::<PluginInstall>(plugin.install.clone())?;
    let mut steps = Vec::new();
    while let Some(step) = call.progress().await {
        steps.push(step);
    }
    let all = matches!(steps.first(), Some(WorkDoneProgress::Begin { .. }))
        && steps
            .iter()
            .any(|step| matches!(step, WorkDoneProgress::Report { .. }))
        && matches!(steps.last(), Some(WorkDoneProgress::End { .. }));
    check("progress", all, &steps)?;
    let installed = call.answer().await?;
    check(
        "install",
        !installed.installed_version.is_empty(),
        &installed,
    )
}

/// Waits for the notification that makes a frontend read anew what it shows.
async fn changed(events: &mut Events, id: &str) -> anyhow::Result<()> {
    loop {
        match events.next().await {
            Some(Event::Changed(change)) if change.plugins.iter().any(|one| one == id) => {
                return check("changed", true, &change);
            }
            Some(Event::Ended(ending)) => bail!("the daemon ended{ending}"),
            Some(_) => {}
            None => bail!("the events ended"),
        }
    }
}

/// A plugin that nobody offers: the error says what to decide by.
async fn refusal(client: &Client, plugin: &Plugin) -> anyhow::Result<()> {
    let nobody = PluginInstallParams {
        plugin_name: "nobody-offers-this".to_owned(),
        ..plugin.install.clone()
    };
    let answer = client.call::<PluginInstall>(nobody).await;
    let kind = answer.as_ref().err().and_then(Error::kind);
    check("refusal", kind == Some(ErrorKind::NotFound), &answer)
}

async fn uninstall(client: &Client, plugin: &Plugin) -> anyhow::Result<()> {
    let plugin_id = plugin.id.clone();
    let gone = client
        .call::<PluginUninstall>(PluginUninstallParams { plugin_id })
        .await?;
    check("uninstall", gone.changed, &gone)
}
