//! Names of apps.

use std::collections::{BTreeMap, BTreeSet};

use plugd_http::Method;
use tokio::time::Instant;

use crate::json::{Notes, Object};
use crate::pages::shown;
use crate::service::{Ask, unless};
use crate::{AppInfo, Call, CatalogError, Service};

/// Most ids of one call.
const BATCH: usize = 100;

/// Most ids of one question. No plugin has so many apps; the rest is not asked for.
const MAX_APPS: usize = 1000;

impl Service {
    /// What the service knows of apps. One that it does not know is not in the answer.
    ///
    /// # Errors
    /// The service cannot be asked, refuses, or answers something else, for one batch of the ids.
    pub async fn apps(
        &self,
        ids: &[String],
        deadline: Option<Instant>,
        cancelled: impl Future<Output = ()>,
    ) -> Result<BTreeMap<String, AppInfo>, CatalogError> {
        unless(cancelled, self.batches(ids, deadline)).await
    }

    async fn batches(
        &self,
        ids: &[String],
        deadline: Option<Instant>,
    ) -> Result<BTreeMap<String, AppInfo>, CatalogError> {
        let mut asked = BTreeSet::new();
        let ids: Vec<&String> = ids
            .iter()
            .filter(|id| asked.insert(*id))
            .take(MAX_APPS)
            .collect();
        let mut found = BTreeMap::new();
        for batch in ids.chunks(BATCH) {
            let body = serde_json::json!({ "app_ids": batch, "include_tools": false });
            let ask = Ask::new(Call::Apps, Method::POST, "/ps/apps/batch")
                .json(&body)
                .limit(self.catalog.patience.apps);
            let answer = self.ask(ask, deadline).await?;
            let object = answer.object()?;
            let mut notes = Notes::default();
            let apps = object.readable("apps", &mut notes, app);
            let apps = object.needed("apps", Ok(apps));
            let apps = apps.map_err(|problem| answer.bad(shown(&problem)))?;
            found.extend(apps.into_iter().filter(|(id, _)| batch.contains(&id)));
        }
        Ok(found)
    }
}

fn app(object: &Object<'_>, notes: &mut Notes) -> Result<(String, AppInfo), plugd_model::Problem> {
    let id = object.needed("id", object.text("id"))?;
    let name = object.needed("name", object.text("name"))?;
    let info = AppInfo {
        name,
        description: notes.keep(object.trimmed("description")),
    };
    Ok((id, info))
}
