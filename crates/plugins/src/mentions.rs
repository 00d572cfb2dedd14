//! `plugd/mentions`: which plugins somebody has mentioned, and what to tell a model about each.
//!
//! Whatever looks like a mention and leads to no text is told with the reason; in the reference it
//! disappears without a word.

use std::collections::{BTreeMap, BTreeSet};

use plugd_config::Snapshot;
use plugd_model::{AbsPath, PluginId, Problem};
use plugd_store::Installed;

use crate::call::Call;
use crate::components::{ComponentsRequest, gather};
use crate::hidden_by_config::{HOST_TABLES, hidden_by};
use crate::mention_text::{SCHEME, links, names};
use crate::offering::{GuidancePart, Offering, joined};
use crate::{Blocking, Copies, Error, ExtraSkillRoots, Lookup};

/// What somebody wrote or picked, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MentionInput {
    /// A text that may hold mentions.
    Text(String),
    /// A mention that a frontend made.
    Item {
        /// What it is called; any text.
        name: String,
        /// What it is about; absent for one that is only called something.
        path: Option<String>,
    },
}

/// The answer.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Mentions {
    /// The plugins that have something to say, each once, by id.
    pub mentions: Vec<Mentioned>,
    /// What leads to no text, each once, in the order of the input.
    pub unknown: Vec<UnknownMention>,
    /// What of the configuration cannot be used, so that a plugin may be missing.
    pub problems: Vec<Problem>,
}

/// A plugin that was mentioned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mentioned {
    /// The plugin.
    pub id: PluginId,
    /// Its name as it may stand in a line.
    pub display_name: String,
    /// What to tell the model.
    pub text: String,
    /// The lines of that one by one.
    pub parts: Vec<GuidancePart>,
}

/// Something that looks like a mention and leads to no text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownMention {
    /// As it was written.
    pub mention: String,
    /// Why.
    pub reason: WhyUnknown,
    /// The plugins that may be meant.
    pub candidates: Vec<PluginId>,
}

/// Why a mention leads to nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WhyUnknown {
    /// It is no id.
    #[error("a plugin is mentioned as `plugin://name@marketplace`, and this is no such id")]
    BadId,
    /// Nothing of that id or name is installed.
    #[error("no plugin of this id or name is installed")]
    NotInstalled,
    /// It is switched off.
    #[error("the plugin is installed and switched off")]
    Disabled,
    /// It cannot be loaded.
    #[error("the plugin is installed and cannot be loaded")]
    Broken,
    /// It brings nothing that a model could use.
    #[error("the plugin has nothing that a model could use")]
    Empty,
    /// Several have this name.
    #[error("several plugins have this name")]
    Ambiguous,
}

/// What is known about plugins that do not count.
#[derive(Debug, Default)]
struct Standings {
    /// Those that are installed and do not count, with the reason.
    inactive: BTreeMap<PluginId, WhyUnknown>,
}

/// Finds the mentioned plugins.
///
/// # Errors
/// The store cannot be read.
pub async fn mentions(
    call: &Call,
    blocking: &Blocking,
    lookup: &Lookup,
    copies: &Copies,
    extra: &ExtraSkillRoots,
    cwd: Option<AbsPath>,
    input: Vec<MentionInput>,
) -> Result<Mentions, Error> {
    let (call, lookup, copies) = (call.clone(), lookup.clone(), copies.clone());
    let extra = extra.get();
    blocking
        .read(move || {
            let request = ComponentsRequest { cwd, lease: false };
            let gathered = gather(&call, &lookup, copies.store()?, &extra, &request)?;
            let standings = Standings::of(&gathered.config, &gathered.copies, &gathered.offerings);
            let found = find(&gathered.offerings, &standings, &input);
            let problems = hidden_by(&gathered.config, HOST_TABLES).cloned().collect();
            Ok(Mentions { problems, ..found })
        })
        .await
}

impl Standings {
    fn of(config: &Snapshot, copies: &[Installed], active: &[Offering]) -> Self {
        let is_hidden = hidden_by(config, HOST_TABLES).next().is_some();
        let mut inactive = BTreeMap::new();
        for copy in copies {
            let is_active = active.iter().any(|offering| offering.id == copy.id);
            let setting = config.plugins().iter().find(|row| row.id == copy.id);
            let reason = match setting {
                _ if is_active => continue,
                Some(setting) if setting.enabled && config.features().plugins => WhyUnknown::Broken,
                Some(_) => WhyUnknown::Disabled,
                // Nobody can tell whether there is a row.
                None if is_hidden => WhyUnknown::Broken,
                // A copy without a row is not installed, as everywhere.
                None => continue,
            };
            inactive.insert(copy.id.clone(), reason);
        }
        Self { inactive }
    }
}

/// The pure part.
fn find(offerings: &[Offering], standings: &Standings, input: &[MentionInput]) -> Mentions {
    let mut finder = Finder {
        offerings,
        standings,
        found: BTreeSet::new(),
        unknown: Vec::new(),
    };
    for one in input {
        match one {
            MentionInput::Text(text) => finder.text(text),
            MentionInput::Item { name, path } => finder.item(name, path.as_deref()),
        }
    }
    let Finder { found, unknown, .. } = finder;
    let mentioned = offerings.iter().enumerate();
    let mentions = mentioned
        .filter(|(index, _)| found.contains(index))
        .map(|(_, offering)| {
            let parts = offering.note();
            Mentioned {
                id: offering.id.clone(),
                display_name: offering.shown_name(),
                text: joined(&parts),
                parts,
            }
        });
    Mentions {
        mentions: mentions.collect(),
        unknown,
        problems: Vec::new(),
    }
}

struct Finder<'a> {
    offerings: &'a [Offering],
    standings: &'a Standings,
    /// Indexes of those that were mentioned and have something to say.
    found: BTreeSet<usize>,
    unknown: Vec<UnknownMention>,
}

impl Finder<'_> {
    fn text(&mut self, text: &str) {
        for link in links(text) {
            let mention = format!("[@{}]({SCHEME}{})", link.label, link.target);
            self.id(&mention, link.target);
        }
        let ids: Vec<String> = self
            .offerings
            .iter()
            .map(|one| one.id.to_string())
            .collect();
        let shown = self.offerings.iter().map(|one| one.display_name.as_str());
        let known: Vec<&str> = ids.iter().map(String::as_str).chain(shown).collect();
        let found = names(text, &known);
        for name in found.iter().map(|&index| known[index]) {
            self.name(&format!("@{name}"), name);
        }
    }

    fn item(&mut self, name: &str, path: Option<&str>) {
        match path {
            // Mentions of other things, such as apps and files, are not for us.
            Some(path) => {
                if let Some(target) = path.strip_prefix(SCHEME) {
                    self.id(path, target);
                }
            }
            None => self.name(name, name.strip_prefix('@').unwrap_or(name)),
        }
    }

    fn id(&mut self, mention: &str, target: &str) {
        let Ok(id) = PluginId::parse(target) else {
            self.nothing(mention, WhyUnknown::BadId, Vec::new());
            return;
        };
        match self.offerings.iter().position(|one| one.id == id) {
            Some(index) => self.index(mention, index),
            None => {
                let reason = self.standings.inactive.get(&id);
                let reason = reason.copied().unwrap_or(WhyUnknown::NotInstalled);
                self.nothing(mention, reason, Vec::new());
            }
        }
    }

    /// A display name, an id without the scheme, or the plugin's own name.
    fn name(&mut self, mention: &str, name: &str) {
        let fits = |one: &&Offering| one.display_name == name || one.id.to_string() == name;
        let ids: Vec<PluginId> = self
            .offerings
            .iter()
            .filter(fits)
            .map(|one| one.id.clone())
            .collect();
        let ids = match ids.is_empty() {
            // A frontend may know no other name than that of the plugin.
            true => self.called(name),
            false => ids,
        };
        match ids.as_slice() {
            [] if PluginId::parse(name).is_ok() => self.id(mention, name),
            [] => self.nothing(mention, WhyUnknown::NotInstalled, Vec::new()),
            [id] => self.id(mention, &id.to_string()),
            _ => self.nothing(mention, WhyUnknown::Ambiguous, ids),
        }
    }

    /// The plugins of this plain name, whatever marketplace they come from.
    fn called(&self, name: &str) -> Vec<PluginId> {
        let offerings = self.offerings.iter();
        let called = offerings.filter(|one| one.id.plugin.as_str() == name);
        called.map(|one| one.id.clone()).collect()
    }

    fn index(&mut self, mention: &str, index: usize) {
        if self.offerings[index].is_empty() {
            self.nothing(mention, WhyUnknown::Empty, Vec::new());
        } else {
            self.found.insert(index);
        }
    }

    fn nothing(&mut self, mention: &str, reason: WhyUnknown, candidates: Vec<PluginId>) {
        if self.unknown.iter().any(|known| known.mention == mention) {
            return;
        }
        self.unknown.push(UnknownMention {
            mention: mention.to_owned(),
            reason,
            candidates,
        });
    }
}

#[cfg(test)]
mod tests {
    use plugd_model::PluginId;
    use pretty_assertions::assert_eq;

    use super::{MentionInput, Standings, WhyUnknown, find};
    use crate::offering::Offering;
    use crate::offering::tests::offering;

    fn useful(id: &str, display_name: &str) -> Offering {
        Offering {
            servers: vec!["s".to_owned()],
            ..offering(id, display_name)
        }
    }

    fn id(text: &str) -> PluginId {
        PluginId::parse(text).unwrap()
    }

    #[track_caller]
    fn check(input: &[MentionInput], mentioned: &[&str], unknown: &[(&str, WhyUnknown)]) {
        let offerings = [
            useful("a@m", "Twin"),
            useful("b@m", "Twin"),
            offering("empty@m", "Empty one"),
            useful("hello@demo", "Hello there"),
            useful("twice@m", "One"),
            useful("twice@n", "Other"),
        ];
        let mut standings = Standings::default();
        standings.inactive.insert(id("off@m"), WhyUnknown::Disabled);
        standings
            .inactive
            .insert(id("broken@m"), WhyUnknown::Broken);
        let found = find(&offerings, &standings, input);
        let ids: Vec<_> = found
            .mentions
            .iter()
            .map(|one| one.id.to_string())
            .collect();
        assert_eq!(ids, mentioned);
        let rows: Vec<_> = found
            .unknown
            .iter()
            .map(|one| (one.mention.as_str(), one.reason))
            .collect();
        assert_eq!(rows, unknown);
    }

    fn text(text: &str) -> MentionInput {
        MentionInput::Text(text.to_owned())
    }

    fn item(name: &str, path: Option<&str>) -> MentionInput {
        MentionInput::Item {
            name: name.to_owned(),
            path: path.map(str::to_owned),
        }
    }

    #[test]
    fn each_plugin_once_by_id() {
        let both = "[@x y](plugin://hello@demo) [@b](plugin://b@m) @Hello there";
        check(&[text(both)], &["b@m", "hello@demo"], &[]);
        let items = [
            item("whatever", Some("plugin://hello@demo")),
            item("again", Some("plugin://hello@demo")),
            item("@Hello there", None),
            item("Hello there", None),
            item("hello", None),
            item("an app", Some("app://drive")),
        ];
        check(&items, &["hello@demo"], &[]);
        check(
            &[text("@hello@demo and @b@m.")],
            &["b@m", "hello@demo"],
            &[],
        );
    }

    #[test]
    fn what_leads_nowhere_says_why() {
        let link = |id: &str| format!("[@x](plugin://{id})");
        let cases = [
            ("no id", WhyUnknown::BadId),
            ("Hello@demo", WhyUnknown::NotInstalled),
            ("off@m", WhyUnknown::Disabled),
            ("broken@m", WhyUnknown::Broken),
            ("empty@m", WhyUnknown::Empty),
        ];
        for (id, reason) in cases {
            let link = link(id);
            check(&[text(&link), text(&link)], &[], &[(&link, reason)]);
        }
        check(&[text("@Twin")], &[], &[("@Twin", WhyUnknown::Ambiguous)]);
        let twice = &[item("twice", None)];
        check(twice, &[], &[("twice", WhyUnknown::Ambiguous)]);
        let names = [item("nobody", None), item("@off@m", None)];
        let expected = [
            ("nobody", WhyUnknown::NotInstalled),
            ("@off@m", WhyUnknown::Disabled),
        ];
        check(&names, &[], &expected);
        check(&[text("write to me@example.org, @nobody")], &[], &[]);
    }
}
