//! `plugin/list`: what can be installed, and what of it is.

use plugd_model::{CURATED_MARKETPLACE, RemoteMarketplace};

use crate::behind::Behind;
use crate::call::Call;
use crate::differing::Differing;
use crate::listing::ListedMarketplace;
use crate::login_refresh::refresh_login;
use crate::lookup::Resolved;
use crate::remote_listing::{Local, Question, RemotePart, ask};
use crate::remote_wish::Wish;
use crate::survey::Survey;
use crate::{
    Blocking, Copies, Error, Listing, Lookup, Refresher, Roots, remote_login, remote_resting,
};

/// What to list.
#[derive(Debug, Clone, Default)]
pub struct ListRequest {
    /// Where to look.
    pub roots: Roots,
    /// Which kinds of marketplaces; `None` means the default.
    pub kinds: Option<Vec<MarketplaceKind>>,
    /// Whether the remote catalog is asked past every cache.
    pub insists: bool,
    /// Whether the service was asked for something else right before, in vain. Then it is not waited
    /// for any longer than when nobody insists.
    pub hurries: bool,
}

/// The kinds that a client can ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum MarketplaceKind {
    /// On this disk.
    Local,
    /// A collection of the remote catalog that stands in for it where it is switched off.
    Vertical,
    /// What the workspace lists for all its members.
    WorkspaceDirectory,
    /// What members of the workspace share.
    SharedWithMe,
    /// What the user made.
    CreatedByMe,
}

/// Lists plugins, and asks for a refresh of what is configured.
///
/// # Errors
/// A kind was asked for that needs a login, or the store cannot be read.
pub async fn list(
    call: &Call,
    blocking: &Blocking,
    lookup: &Lookup,
    copies: &Copies,
    refresher: &Refresher,
    request: ListRequest,
) -> Result<Listing, Error> {
    let roots = request.roots.clone();
    let look = || {
        let (lookup, copies) = (lookup.clone(), copies.clone());
        let (follower, request) = (refresher.clone(), request.clone());
        blocking.list(move || look(&lookup, &copies, &follower.differing(), &request))
    };
    let mut seen = look().await?;
    if seen.question.as_ref().is_some_and(Question::may_refresh) {
        refresh_login(call, blocking, lookup).await;
        seen = look().await?;
    }
    let Seen {
        mut listing,
        question,
        local,
        refresh,
    } = seen;
    if let Some(question) = question {
        let answers = ask(lookup.remote(), call, &question).await;
        let lookup = lookup.clone();
        let settle = blocking.write(move || Ok(question.settle(&lookup, answers, local)));
        let RemotePart {
            marketplaces,
            load_errors,
            featured,
        } = settle.await?;
        listing.marketplaces.extend(marketplaces);
        listing.load_errors.extend(load_errors);
        listing.featured = match listing.marketplaces.iter().any(is_featured) {
            true => featured,
            false => Vec::new(),
        };
    }
    if let Some(behind) = refresh {
        refresher.listed(roots, behind);
    }
    Ok(listing)
}

/// The featured ids are of these marketplaces; without one of them they mean nothing.
fn is_featured(group: &ListedMarketplace) -> bool {
    group.name == CURATED_MARKETPLACE || group.name == RemoteMarketplace::CuratedRemote.name()
}

/// What one look at this disk finds.
struct Seen {
    listing: Listing,
    question: Option<Question>,
    local: Local,
    /// That what is configured should be compared with its sources, and for which plugins that is known to
    /// be worth it.
    refresh: Option<Behind>,
}

fn look(
    lookup: &Lookup,
    copies: &Copies,
    differing: &Differing,
    request: &ListRequest,
) -> Result<Seen, Error> {
    let mut seen = Seen {
        listing: Listing::default(),
        question: None,
        local: Local::default(),
        refresh: None,
    };
    let kinds = request.kinds.as_deref();
    let resolved = match kinds {
        None => lookup.resolve(&request.roots),
        // The catalog of everybody is part of the default answer only.
        Some(_) => lookup.resolve_beside_catalog(&request.roots),
    };
    let Some(first) = resolved.scopes.first() else {
        return Ok(seen);
    };
    let wish = Wish::of(kinds, resolved.set.declared(), request.insists);
    let mut wish = wish.map_err(|error| match error {
        Error::LoginRequired { action } => remote_login::without(&resolved.login, action),
        error => error,
    })?;
    let wants_local = kinds.is_none_or(|kinds| kinds.contains(&MarketplaceKind::Local));
    let survey = Survey::new(lookup, copies.store()?, &resolved, differing)?;
    if wants_local {
        let mut behind = Behind::default();
        seen.listing = survey.listing(|row| {
            behind.note(row);
            true
        });
        seen.refresh = Some(behind);
    }
    let may_be_there = wish.everybody || wish.vertical;
    wish.featured &= may_be_there || seen.listing.marketplaces.iter().any(is_featured);
    let question = Question::prepare(lookup.remote(), &first.config, &resolved.login, wish);
    seen.question = question.map(|question| question.hurried(request.hurries));
    seen.local = survey.into_local();
    if kinds.is_none() {
        show_without_login(&mut seen, lookup, &resolved);
    }
    Ok(seen)
}

/// Where it cannot be read who is logged in, that is told and what lies here of the catalog is shown.
fn show_without_login(seen: &mut Seen, lookup: &Lookup, resolved: &Resolved) {
    let declared = resolved.set.declared();
    let curated = RemoteMarketplace::CuratedRemote;
    let Some(problem) = remote_login::why_unread(&resolved.login)
        .filter(|_| remote_login::waits_for_login(declared, curated))
    else {
        return;
    };
    remote_login::tell_unread(&mut seen.listing, lookup, problem);
    let groups = &mut seen.listing.marketplaces;
    let (loader, why) = (lookup.loader(), remote_login::UNREAD);
    remote_resting::add(groups, loader, &seen.local, |one| one == curated, why);
}

#[cfg(test)]
mod tests {
    use plugd_disk::OperationKind;
    use plugd_testkit::{RecordingProbe, Sandbox};
    use pretty_assertions::assert_eq;

    use super::{ListRequest, MarketplaceKind, look};
    use crate::{Differing, behind, fixture};

    #[test]
    fn the_login_is_read_once_for_a_look() {
        let sandbox = Sandbox::new();
        sandbox.write("ch/auth.json", "{\"OPENAI_API_KEY\": \"key\"}");
        let probe = RecordingProbe::new();
        let (lookup, copies) = fixture::probed(&sandbox, probe.clone());
        look(
            &lookup,
            &copies,
            &Differing::default(),
            &ListRequest::default(),
        )
        .unwrap();
        let file = sandbox.layout().auth();
        let operations = probe.operations();
        let reads = operations
            .iter()
            .filter(|seen| seen.kind == OperationKind::Read && seen.path == file);
        assert_eq!(reads.count(), 1);
    }

    #[test]
    fn what_a_refresh_would_have_to_do_is_known() {
        let sandbox = Sandbox::new();
        let names = ["new", "same", "gone", "off", "other"];
        let market = sandbox.path("m");
        let rows = |name: &&str| {
            let enabled = *name != "off";
            match *name {
                "other" => String::new(),
                _ => format!("[plugins.\"{name}@m\"]\nenabled = {enabled}\n"),
            }
        };
        let rows: String = names.iter().map(rows).collect();
        let config = format!("[marketplaces.m]\nsource_type = \"local\"\nsource = \"{market}\"\n");
        sandbox.write("ch/config.toml", config + &rows);
        let entry = |name: &&str| format!(r#"{{"name":"{name}","source":"./{name}"}}"#);
        let entries: Vec<String> = names.iter().map(entry).collect();
        let catalog = format!(r#"{{"name":"m","plugins":[{}]}}"#, entries.join(","));
        sandbox.write("m/.agents/plugins/marketplace.json", catalog);
        for name in names {
            let manifest = format!("m/{name}/.codex-plugin/plugin.json");
            sandbox.write(&manifest, r#"{"version":"2.0.0"}"#);
        }
        for copy in ["new/1.0.0", "same/2.0.0"] {
            sandbox.write(&format!("ch/plugins/cache/m/{copy}/file"), "text");
        }
        let (lookup, copies) = fixture::parts(&sandbox);
        let refresh = |request| {
            let seen = look(&lookup, &copies, &Differing::default(), &request);
            seen.unwrap().refresh
        };
        let behind = behind::of(&[("new@m", "2.0.0"), ("gone@m", "2.0.0")]);
        assert_eq!(refresh(ListRequest::default()), Some(behind));
        let elsewhere = ListRequest {
            kinds: Some(vec![MarketplaceKind::Vertical]),
            ..ListRequest::default()
        };
        assert_eq!(refresh(elsewhere), None);
    }

    /// More plugins than one thread reads, of every kind, each with a version of its own, one of them linked.
    fn marketplace_of_many(sandbox: &Sandbox) -> usize {
        let many = 100;
        let market = sandbox.path("m");
        let config = format!("[marketplaces.m]\nsource_type = \"local\"\nsource = \"{market}\"\n");
        sandbox.write("ch/config.toml", config);
        sandbox.write("outside/plugin/.codex-plugin/plugin.json", "{}");
        let entry = |at: usize| match at % 10 {
            7 => format!(r#"{{"name":"p{at}","source":{{"source":"npm","package":"p{at}"}}}}"#),
            _ => format!(r#"{{"name":"p{at}","source":"./p{at}","description":"entry {at}"}}"#),
        };
        let tree = sandbox.path("work");
        sandbox.write("work/.codex-plugin/plugin.json", r#"{"version":"mine"}"#);
        let links = format!(r#"{{"links":{{"p98@m":{{"path":"{tree}"}}}}}}"#);
        sandbox.write("ch/plugins/.plugd/links.json", links);
        let entries: Vec<String> = (0..many).map(entry).collect();
        let catalog = format!("{{\"name\":\"m\",\"plugins\":[{}]}}", entries.join(","));
        sandbox.write("m/.agents/plugins/marketplace.json", catalog);
        for at in 0..many {
            let manifest = format!("m/p{at}/.codex-plugin/plugin.json");
            match at % 10 {
                // Nothing is there.
                3 | 7 => {}
                // The entry describes it.
                4 => sandbox.write(&format!("m/p{at}/README.md"), "text"),
                5 => sandbox.write(&manifest, "{"),
                #[cfg(unix)]
                6 => sandbox.add(&format!("== m/p{at} -> $ROOT/outside/plugin\n")),
                _ => sandbox.write(&manifest, format!("{{\"version\":\"{at}.0.0\"}}")),
            }
        }
        many
    }

    #[test]
    fn what_two_threads_read_is_listed_in_order_and_as_one_thread_lists_it() {
        let sandbox = Sandbox::new();
        let many = marketplace_of_many(&sandbox);
        let (lookup, copies) = fixture::parts(&sandbox);
        let list = || {
            look(
                &lookup,
                &copies,
                &Differing::default(),
                &ListRequest::default(),
            )
            .unwrap()
        };
        let (cold, warm) = (list().listing, list().listing);
        let rows = &cold.marketplaces[0].plugins;
        assert_eq!(rows.len(), many);
        for (at, row) in rows.iter().enumerate() {
            assert_eq!(row.id.to_string(), format!("p{at}@m"));
            let version = match at % 10 {
                _ if at == 98 => Some("mine".to_owned()),
                0..3 | 8.. => Some(format!("{at}.0.0")),
                _ => None,
            };
            assert_eq!(row.local_version, version, "{at}");
        }
        // Those of which something is wrong are looked at again, one after another.
        assert_eq!(cold.load_errors.len(), many / 10 * 3);
        assert_eq!(cold, warm);
    }
}
