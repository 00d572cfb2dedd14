//! The format of texts and pictures of a release and of a skill.

use plugd_model::Interface;

use crate::json::{Notes, Object};
use crate::{ReleaseInterface, SkillInterface};

/// Most prompts to begin with.
const MAX_PROMPTS: usize = 3;

/// Longest prompt to begin with, in characters. A longer one is dropped: half of it may ask for
/// something else.
const MAX_PROMPT: usize = 128;

/// Reads the texts and pictures; `None` when nothing survives. The name stands beside them in the
/// format and belongs to them for everybody else.
pub(crate) fn read(
    object: Option<&Object<'_>>,
    display_name: Option<&str>,
    notes: &mut Notes,
) -> Option<ReleaseInterface> {
    let mut interface = ReleaseInterface::default();
    interface.texts.display_name = display_name.map(str::to_owned);
    if let Some(object) = object {
        fill(&mut interface, object, notes);
    }
    (interface != ReleaseInterface::default()).then_some(interface)
}

fn fill(interface: &mut ReleaseInterface, object: &Object<'_>, notes: &mut Notes) {
    let default_prompt = prompts(object, notes);
    // As they are: how white space is shown is for whoever shows it.
    let mut text = |key| notes.keep(object.text(key));
    interface.texts = Interface {
        display_name: interface.texts.display_name.take(),
        short_description: text("short_description"),
        long_description: text("long_description"),
        developer_name: text("developer_name"),
        category: text("category"),
        website_url: text("website_url"),
        privacy_policy_url: text("privacy_policy_url"),
        terms_of_service_url: text("terms_of_service_url"),
        brand_color: text("brand_color"),
        default_prompt,
        ..Interface::default()
    };
    interface.composer_icon_url = text("composer_icon_url");
    interface.logo_url = text("logo_url");
    interface.logo_url_dark = text("logo_url_dark");
    let mut texts = |key| notes.keep(object.texts(key)).unwrap_or_default();
    interface.texts.capabilities = texts("capabilities");
    interface.screenshot_urls = texts("screenshot_urls");
}

/// The prompts to begin with: the list, else the single one when nothing of the list can be shown.
/// White space inside of one is part of it.
fn prompts(object: &Object<'_>, notes: &mut Notes) -> Option<Vec<String>> {
    let several = notes.keep(object.texts("default_prompts"));
    let one = notes.keep(object.text("default_prompt"));
    let prompts = several.map(|several| usable(&several)).unwrap_or_default();
    let prompts = match prompts.is_empty() {
        true => usable(one.as_slice()),
        false => prompts,
    };
    (!prompts.is_empty()).then_some(prompts)
}

fn usable(prompts: &[String]) -> Vec<String> {
    let trimmed = prompts.iter().map(|prompt| prompt.trim());
    trimmed
        .filter(|prompt| !prompt.is_empty() && prompt.chars().count() <= MAX_PROMPT)
        .take(MAX_PROMPTS)
        .map(str::to_owned)
        .collect()
}

/// Reads the texts and pictures of a skill.
pub(crate) fn of_skill(object: &Object<'_>, notes: &mut Notes) -> SkillInterface {
    let mut text = |key| notes.keep(object.text(key));
    SkillInterface {
        display_name: text("display_name"),
        short_description: text("short_description"),
        brand_color: text("brand_color"),
        default_prompt: text("default_prompt"),
        icon_small_url: text("icon_small_url"),
        icon_large_url: text("icon_large_url"),
    }
}
