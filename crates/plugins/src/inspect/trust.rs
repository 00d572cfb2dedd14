//! Whether what is offered may come: the way of an installation up to the point where its copy would
//! take its place, given up there. It costs a copy, so it is only taken where somebody asks.

use plugd_marketplace::Offer;
use plugd_model::{Problem, ProblemKind, error_chain};

use super::{InspectDepth, Look};
use crate::Error;
use crate::content::Content;
use crate::install_job::Job;
use crate::install_trust::TrustSeen;
use crate::install_why::Why;
use crate::obtain::Obtained;

impl Look<'_> {
    /// Of an entry.
    pub(super) fn trust(
        &self,
        offer: &Offer<'_>,
        obtained: Obtained,
        problems: &mut Vec<Problem>,
    ) -> Result<Option<TrustSeen>, Error> {
        let Ok(content) = Content::read(self.lookup, offer, obtained.dir.clone()) else {
            // It cannot be installed at all, which the side says.
            return Ok(None);
        };
        let job = Job::of_offer(offer, Why::Update, self.standing);
        self.seen(job, &content, obtained, problems)
    }

    /// Of what an installation would bring.
    pub(super) fn seen(
        &self,
        job: Job<'_>,
        content: &Content,
        obtained: Obtained,
        problems: &mut Vec<Problem>,
    ) -> Result<Option<TrustSeen>, Error> {
        if self.depth == InspectDepth::AsAsked && job.is_free(self.lookup, self.copies.store()?) {
            return Ok(None);
        }
        match job.seen(self.call, self.lookup, self.copies, content, obtained) {
            Ok(seen) => Ok(Some(seen)),
            Err(error @ Error::Cancelled(_)) => Err(error),
            Err(error) => {
                let text = format!(
                    "whether it may come cannot be told: {}",
                    error_chain(&error)
                );
                problems.push(Problem::warning(ProblemKind::Unreadable, text));
                Ok(None)
            }
        }
    }
}
