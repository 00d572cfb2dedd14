//! `plugd/mentions`.

use std::sync::Arc;

use plugd_plugins::call::Call;
use plugd_plugins::{
    GuidanceKind, GuidancePart, MentionInput, Mentioned, Mentions, UnknownMention, WhyUnknown,
};
use plugd_protocol as wire;

use super::shared;
use crate::context::Context;
use crate::error_map;
use crate::reply::Reply;
use crate::wire_error::WireError;

pub(crate) async fn handle(
    context: Arc<Context>,
    call: Call,
    params: wire::PlugdMentionsParams,
) -> Result<Reply, WireError> {
    let wire::PlugdMentionsParams { text, items, cwd } = params;
    let typed = text.map(MentionInput::Text);
    let items = items.unwrap_or_default().into_iter().enumerate();
    let items = items.map(|(index, item)| input(index, item));
    let items: Vec<Option<MentionInput>> = items.collect::<Result<_, _>>()?;
    let found = plugd_plugins::mentions(
        &call,
        &context.blocking,
        &context.lookup,
        &context.copies,
        &context.extra_skill_roots,
        shared::cwd(cwd)?,
        typed
            .into_iter()
            .chain(items.into_iter().flatten())
            .collect(),
    )
    .await?;
    Reply::of(&response(found))
}

/// What an item may mention; nothing for items of other types.
fn input(index: usize, item: wire::PlugdMentionItem) -> Result<Option<MentionInput>, WireError> {
    let wire::PlugdMentionItem {
        kind,
        text,
        name,
        path,
    } = item;
    Ok(match kind.as_str() {
        "text" => text.map(MentionInput::Text),
        "mention" => match (name, path) {
            (None, None) => {
                return Err(error_map::invalid_params(
                    "a mention needs a `name` or a `path`",
                    Some(format!("items[{index}]")),
                ));
            }
            (name, path) => Some(MentionInput::Item {
                name: name.unwrap_or_default(),
                path,
            }),
        },
        _ => None,
    })
}

fn response(found: Mentions) -> wire::PlugdMentionsResponse {
    let Mentions {
        mentions,
        unknown,
        problems,
    } = found;
    wire::PlugdMentionsResponse {
        mentions: mentions.into_iter().map(mention).collect(),
        unknown: unknown.into_iter().map(nothing).collect(),
        problems: problems.into_iter().map(shared::problem).collect(),
    }
}

fn mention(mentioned: Mentioned) -> wire::PlugdMention {
    let Mentioned {
        id,
        display_name,
        text,
        parts,
    } = mentioned;
    wire::PlugdMention {
        plugin_id: id.to_string(),
        display_name,
        text,
        parts: parts.into_iter().map(part).collect(),
    }
}

fn part(part: GuidancePart) -> wire::PlugdMentionPart {
    let GuidancePart { kind, text, names } = part;
    wire::PlugdMentionPart {
        kind: match kind {
            GuidanceKind::Plugin => wire::PlugdMentionPartKind::Plugin,
            GuidanceKind::Skills => wire::PlugdMentionPartKind::Skills,
            GuidanceKind::McpServers => wire::PlugdMentionPartKind::McpServers,
            GuidanceKind::Apps => wire::PlugdMentionPartKind::Apps,
            GuidanceKind::Request => wire::PlugdMentionPartKind::Request,
        },
        text,
        names,
    }
}

fn nothing(unknown: UnknownMention) -> wire::PlugdUnknownMention {
    let UnknownMention {
        mention,
        reason,
        candidates,
    } = unknown;
    wire::PlugdUnknownMention {
        mention,
        message: reason.to_string(),
        reason: match reason {
            WhyUnknown::BadId => wire::PlugdUnknownMentionReason::BadId,
            WhyUnknown::NotInstalled => wire::PlugdUnknownMentionReason::NotInstalled,
            WhyUnknown::Disabled => wire::PlugdUnknownMentionReason::Disabled,
            WhyUnknown::Broken => wire::PlugdUnknownMentionReason::Broken,
            WhyUnknown::Empty => wire::PlugdUnknownMentionReason::Empty,
            WhyUnknown::Ambiguous => wire::PlugdUnknownMentionReason::Ambiguous,
        },
        candidates: candidates.iter().map(ToString::to_string).collect(),
    }
}
