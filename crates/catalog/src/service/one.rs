//! Calls about one plugin that change nothing.

use plugd_model::RemotePluginId;
use tokio::time::Instant;

use crate::item::raw;
use crate::json::{self, Notes, Source, quoted};
use crate::pages::shown;
use crate::service::list::with_urls;
use crate::service::{Answer, Ask, escaped, unless};
use crate::{Call, CatalogError, Item, Service, Urls};

impl Service {
    /// A plugin by its id, whether it is installed or not.
    ///
    /// # Errors
    /// The service cannot be asked, refuses, has no such plugin, or answers with another one.
    pub async fn item(
        &self,
        id: &RemotePluginId,
        urls: Urls,
        deadline: Option<Instant>,
        cancelled: impl Future<Output = ()>,
    ) -> Result<Item, CatalogError> {
        let ask = with_urls(Ask::get(Call::Item, format!("/ps/plugins/{id}")), urls);
        let answer = unless(cancelled, self.ask(ask, deadline)).await?;
        let json = json::check(&answer.body).map_err(|reason| answer.bad(reason))?;
        let mut notes = Notes::default();
        let item = raw::item(json, "", Source(None), &mut notes)
            .map_err(|problem| answer.bad(shown(&problem)))?;
        if item.id != *id {
            let reason = format!("it is about `{}` and not about `{id}`", item.id);
            return Err(answer.mismatch(reason));
        }
        for problem in notes.0 {
            tracing::debug!(field = problem.field, "{}", problem.message);
        }
        Ok(item)
    }

    /// The text of a plugin's skill; `None` where the service keeps none.
    ///
    /// # Errors
    /// The service cannot be asked, refuses, has no such skill, or answers with another one.
    pub async fn skill(
        &self,
        id: &RemotePluginId,
        name: &str,
        deadline: Option<Instant>,
        cancelled: impl Future<Output = ()>,
    ) -> Result<Option<String>, CatalogError> {
        // Dots alone are a step in a path for whoever stands between us and the service.
        if matches!(name, "" | "." | "..") {
            let reason = "no skill can have this name";
            let call = Call::Skill;
            return Err(CatalogError::Unsendable { call, reason });
        }
        let path = format!("/ps/plugins/{id}/skills/{}", escaped(name));
        let work = self.ask(Ask::get(Call::Skill, path), deadline);
        let answer = unless(cancelled, work).await?;
        let object = answer.object()?;
        let text = |key| {
            object
                .text(key)
                .map_err(|problem| answer.bad(shown(&problem)))
        };
        same(&answer, "plugin", text("plugin_id")?, id.as_str())?;
        same(&answer, "skill", text("name")?, name)?;
        if !object.has("skill_md_contents") {
            return Err(answer.bad("`skill_md_contents` is missing"));
        }
        text("skill_md_contents")
    }
}

/// Holds if the answer is about what was asked.
pub(super) fn same(
    answer: &Answer,
    what: &str,
    found: Option<String>,
    asked: &str,
) -> Result<(), CatalogError> {
    match found {
        Some(found) if found == asked => Ok(()),
        Some(found) => Err(answer.mismatch(format!(
            "it is about the {what} `{}` and not about `{}`",
            quoted(&found),
            quoted(asked)
        ))),
        None => Err(answer.bad(format!("it does not say which {what} it is about"))),
    }
}
