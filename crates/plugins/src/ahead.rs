//! Reads the plugins of a marketplace that nobody has listed yet, before their rows are made.
//!
//! Such a listing waits for the system and parses, plugin after plugin, and none needs to know of
//! another: so two threads read.

use std::sync::OnceLock;

use plugd_disk::on_two_threads;
use plugd_manifest::{Glance, Loader};
use plugd_marketplace::Offer;
use plugd_model::Source;

use crate::details::details_at_a_glance;
use crate::links::Links;
use crate::listing::Details;

/// With fewer plugins a thread costs more than it gives.
const WORTH_A_THREAD: usize = 48;
/// So many are taken at a time.
const AT_A_TIME: usize = 8;

/// The insides of offered plugins, by their place among the offers.
#[derive(Debug, Default)]
pub(crate) struct Ahead(Vec<OnceLock<Details>>);

impl Ahead {
    /// Reads those that lie beside their marketplace, unless a working tree stands in for them; what the
    /// others are is for the caller to find.
    pub(crate) fn read(loader: &Loader, links: &Links, offers: &[Offer<'_>]) -> Self {
        let places: Vec<OnceLock<Details>> = offers.iter().map(|_| OnceLock::new()).collect();
        let worth_it = places.len() >= WORTH_A_THREAD;
        on_two_threads(&places, AT_A_TIME, worth_it, |portion| {
            let glance = loader.glance();
            for (at, place) in portion {
                let offer = offers.get(at);
                let offer = offer.filter(|offer| links.of_plugin(&offer.id()).is_none());
                if let Some(details) = offer.and_then(|offer| inside(&glance, offer)) {
                    // Nobody else has this place.
                    let _ = place.set(details);
                }
            }
        });
        Self(places)
    }

    /// What was read of the one at a place.
    pub(crate) fn take(&mut self, at: usize) -> Option<Details> {
        self.0.get_mut(at)?.take()
    }
}

fn inside(glance: &Glance<'_>, offer: &Offer<'_>) -> Option<Details> {
    match &offer.entry.source {
        Source::Local { path } => Some(details_at_a_glance(glance, path, offer)),
        Source::Git { .. }
        | Source::Npm { .. }
        | Source::Oci { .. }
        | Source::Archive { .. }
        | Source::Remote => None,
    }
}
