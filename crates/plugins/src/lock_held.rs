//! What of a lock `[trust]` holds back, as far as that is known without its content: what comes from a
//! place of which nothing is approved, and what is here and off.

use std::collections::BTreeMap;

use plugd_model::{PluginId, Problem};
use plugd_store::InstalledBy;

use crate::Error;
use crate::archive_read::Archived;
use crate::binding;
use crate::install_job::Subject;
use crate::lock_plan::PluginStep;
use crate::lock_stage::{Stager, pin};
use crate::trust::Word;
use crate::trust_error::TrustRefusal;
use crate::trust_gate::Gate;

impl Stager<'_> {
    /// Why a copy that is what was locked may not be switched on.
    pub(crate) fn refusal_to_switch_on(
        &self,
        step: &PluginStep,
    ) -> Result<Option<Box<TrustRefusal>>, Error> {
        let marketplace = self.lock.marketplaces.get(&step.id.marketplace);
        let copy = step.standing.copy.as_ref();
        let (Some(marketplace), Some(copy), true) = (marketplace, copy, step.switches_on) else {
            return Ok(None);
        };
        let (store, lookup) = (self.copies.store_as_it_is(), self.lookup);
        let pin = pin(self.place, step, step.wanted.tree_digest);
        let subject = match step.standing.record.as_ref() {
            Some(record) => Subject {
                source: record.source.clone(),
                ..self.bound(step, binding::of_record(&record.bound), &copy.root)
            },
            None => self.subject(marketplace, step, None)?,
        };
        let job = self.job(subject, step, &pin);
        job.refusal_to_switch_on(self.call, lookup, store, copy, job.word())
    }

    /// Why plugins would not come, as far as that is known before anything of them is here.
    pub(crate) fn held(
        &self,
        steps: &[PluginStep],
        archived: &BTreeMap<PluginId, Archived>,
    ) -> Vec<Problem> {
        let config = self.lookup.config(self.place.file.parent().as_ref());
        let user = self.lookup.config(None);
        let configs = [&*user, &*config];
        let mut gate = Gate::new(self.lookup, self.copies.store_as_it_is(), configs);
        if self.by == InstalledBy::Import {
            gate = gate.on_word_of(Word::Archive);
        }
        let mut held = Vec::new();
        for step in steps {
            if !step.brings() {
                let refusal = self.refusal_to_switch_on(step);
                held.extend(refusal.ok().flatten().map(|refusal| refusal.problem()));
                continue;
            }
            let Some(marketplace) = self.lock.marketplaces.get(&step.id.marketplace) else {
                continue;
            };
            if gate.is_open() {
                break;
            }
            // One that is offered no more is refused by what fetches it.
            if let Ok(subject) = self.subject(marketplace, step, archived.get(&step.id)) {
                held.extend(gate.surely_held(subject.whence(), &step.standing));
            }
        }
        held
    }
}
