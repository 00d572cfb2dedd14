//! The black-box suite: the real binary over its pipes, in a world of its own.
//!
//! It knows the promises and not the code behind them, so it passes against any right
//! implementation. It starts no network, touches no real home directory, and never sleeps: every
//! wait is for an event and has a deadline.
#![expect(
    clippy::unwrap_used,
    reason = "in a test there is nothing else to do about what cannot be"
)]

/// Marketplaces, expected answers and ways to start, which the other files share.
mod fixtures;

/// A home whose account has a service on loopback.
mod accounts;

/// Marketplaces behind a server of our own, what may be left on the disk, and giving up.
mod remotes;

/// Cancelling a request and hearing how far it is.
mod cancel_progress;
mod changed_by_others;
/// `initialize`, and what is refused before and after it.
mod handshake;
/// The end of a connection, overload, and clients that do not read.
mod lifecycle;
/// The log on stderr, and what never stands in it.
mod links;
/// `plugd/lock`: what a lock says.
mod lock;
/// `plugd/sync`: a home that matches a lock.
mod lock_sync;
mod log;
/// Where the secrets of a user are written: nowhere.
mod secrets;
/// What the processes that the daemon starts are told of the environment.
mod subprocess;
/// The bytes: framing, envelopes, ids, batches, forms of params, limits.
mod wire;

/// `plugd/export` and `plugd/import`.
mod archives;
/// Archives that are refused.
mod archives_refused;
/// `plugd/components` and `plugd/release`.
mod components;
/// `config/read`.
mod config_read;
/// `configRequirements/read`.
mod config_requirements;
/// `config/value/write` and `config/batchWrite`.
mod config_write;
/// `rpc.discover`.
mod discover;
/// `plugd/gc` and `plugd gc`.
mod gc;
/// What else `plugd/gc` collects, and its numbers.
mod gc_kinds;
/// `plugd/mentions` and `plugd/instructions`.
mod guidance;
/// `hooks/list`, and what trust is worth.
mod hidden_by_config;
mod hooks_list;
/// `plugd/inspect` and `plugd plugin inspect`.
mod inspect;
/// `plugd login status`, and what each kind of login is taken for.
mod login;
/// A login that has expired.
mod login_refresh;
/// `marketplace/add`.
mod marketplace_add;
/// `marketplace/remove`.
mod marketplace_remove;
/// `plugd/pin`, and what it holds against.
mod pin;
/// `plugin/install`.
mod plugin_install;
/// `plugin/install` of what stays off.
mod plugin_install_off;
/// `version`, `ref` and `sha` of `plugin/install`, and what a pin means to it.
mod plugin_install_version;
/// `plugin/installed`, with what no marketplace speaks of any more.
mod plugin_installed;
/// `plugin/list`.
mod plugin_list;
/// `plugin/read`.
mod plugin_read;
/// `plugin/reconcile`.
mod plugin_reconcile;
/// `plugin/search`.
mod plugin_search;
/// `plugin/share/save`, `updateTargets`, `list` and `delete`.
mod plugin_share;
/// `plugin/share/checkout`.
mod plugin_share_checkout;
/// `plugin/skill/read`.
mod plugin_skill_read;
/// `plugin/uninstall`.
mod plugin_uninstall;
/// `plugd/rollback`.
mod rollback;
/// `skills/list`, `skills/config/write`, `skills/extraRoots/set` and `skills/changed`.
mod skill_rules;
mod skills;
/// `plugd/status`.
mod status;
/// `plugd/outdated` and `plugd/update`.
mod update;
/// `confirm` of `plugd/update`.
mod update_confirm;
/// `plugd validate`.
mod validate;
mod verify;
/// `plugd/versions`.
mod versions;
/// `plugin/list` again and again, while everything changes.
#[cfg(unix)]
mod warm_list;

/// `plugd doctor`.
mod doctor;

/// Marketplaces that are an archive behind an address.
mod archive_marketplace;
/// The sync stopped, killed, or met by another one.
mod curated_interrupted;
/// Curated plugins by an archive and by a lock.
mod curated_locks;
/// The curated snapshot and what follows it.
mod curated_sync;
/// Servers and repositories that do harm to `marketplace/add`.
mod git_faults;
/// Work on git marketplaces that is given up, killed, or done twice at once.
mod git_interrupted;
/// `marketplace/add` of repositories.
mod git_marketplace_add;
/// `marketplace/remove` of repositories, and orphans.
mod git_marketplace_remove;
/// `marketplace/upgrade`.
mod git_marketplace_upgrade;
/// Plugins that live in repositories.
mod git_plugin_install;
/// Plugins from repositories, given up, killed, or installed twice at once.
mod git_plugin_interrupted;
/// `marketplace/upgrade` given up, killed, or done twice at once.
mod git_upgrade_interrupted;
/// Archives of npm packages.
mod npm_archives;
/// Plugins from an npm registry.
mod npm_plugin_install;
/// Marketplaces from an OCI registry.
mod oci_marketplace;
/// Work on them that is given up, killed, or done twice at once.
mod oci_marketplace_interrupted;
/// Plugins from an OCI registry, and archives behind addresses.
mod oci_plugin_install;
/// Plugins from a registry that others have written.
mod oci_real_registry;

/// Trust, locks and exports of marketplaces that are one archive.
mod packed_origins;

/// Bundles of the remote catalog that do harm.
mod remote_bundles;
/// Copies of the curated snapshot, by login.
mod remote_curated;
/// Every endpoint of the plugin service, and every way of failing.
mod remote_faults;
/// The cells of that table.
mod remote_faults_cells;
/// Its rows and columns.
mod remote_faults_ways;
/// `forceRemoteSync` of `plugin/list`.
mod remote_force_sync;
/// Plugins of the remote catalog, installed.
mod remote_install;
/// The same refused, given up, killed, or done twice at once.
mod remote_interrupted;
/// Listings while the directory, the login or a bundle of the remote catalog is missing.
mod remote_lacking;
/// Answers of the plugin service that are older than what was done meanwhile.
mod remote_late;
/// The remote catalog in listings and searches.
mod remote_list;
/// Plugins of the remote catalog from the inside.
mod remote_read;
/// The file that says which plugin of the remote catalog a copy is.
mod remote_sidecar;
/// Texts of skills of the remote catalog.
mod remote_skill_read;
/// The synchronisation with the account.
mod remote_sync;
/// The same stopped, killed, or done twice at once.
mod remote_sync_interrupted;
/// Plugins of the remote catalog, uninstalled by id and by name.
mod remote_uninstall;

/// Plugins whose pieces are broken.
mod bad_components;
/// Hostile and broken input: a precise answer, nothing changed, still alive.
mod bad_input;
/// The command line.
mod cli;
/// The commands that are one method each, and suggestions for misspelt names.
mod cli_commands;
/// `plugd completions` and `plugd man`.
mod cli_documents;
/// The command line and the mistakes of those who use it.
mod cli_mistakes;
/// The command line when something is broken or switched off.
mod cli_refusals;
/// `plugd plugin share`.
mod cli_share;
/// Many of them at once, some of which cannot.
mod many_follow;
/// Installed copies follow their sources, and no stranger's.
mod refresh;
/// Every method and the command line see the same marketplaces.
mod resolver;
/// What stands on the disk after an installation, a crash, and a second daemon.
mod store;
/// `[trust]` and `plugd/approve`, on every way on which something is installed.
mod trust;
/// The same from other machines, for what was there before, and for projects and organisations.
mod trust_elsewhere;
/// What a lock may bring of a place that is trusted.
mod trust_locks;
/// What is here and off asks before it is on.
mod trust_standing;
/// What nobody can read is not taken for harmless.
mod trust_unread;

/// Editors and libraries that know nothing of us, and the examples for them.
mod clients;
/// What things cost.
mod cost;
/// The examples run and do what they say.
mod examples;
/// The session in the README is a real one.
mod readme;
/// The generated schemas are the committed ones, and every message obeys them.
mod scaffolds;
mod schemas;
/// Rules of the house that no compiler checks.
mod tidy;
/// What the transcripts of the protocol's documentation find when they begin, and its changes.
mod transcript_world;
/// The transcripts of the protocol's documentation are what goes over the wire.
mod transcripts;
