//! What only the user and the session decide: which skills and hooks are used.
//!
//! Other layers that count and speak of it are told that nobody listens. The two switches of
//! `[skills]` that concern all skills may stand in any layer, as in the reference.

use plugd_model::AbsPath;

use crate::hook_setting::{self, HookState};
use crate::reader::Reader;
use crate::skill_setting::{self, SkillRule, SkillSwitches};
use crate::tree::Node;

/// What was read.
#[derive(Debug, Clone)]
pub(crate) struct Personal {
    pub(crate) skill_rules: Vec<SkillRule>,
    pub(crate) skill_switches: SkillSwitches,
    pub(crate) hook_states: Vec<HookState>,
}

/// Reads the layers that count, of which `order` names the indexes, lowest first.
pub(crate) fn read(reader: &mut Reader<'_>, order: &[usize], merged: &Node) -> Personal {
    let stack = reader.stack;
    let is_personal = |index: &usize| stack.drafts[*index].layer.source.is_personal();
    let (personal, foreign): (Vec<usize>, Vec<usize>) =
        order.iter().partition(|at| is_personal(at));
    let mut skill_rules = Vec::new();
    for &index in &personal {
        let draft = &stack.drafts[index];
        let base = draft.layer.file.as_ref().and_then(AbsPath::parent);
        skill_rules.extend(skill_setting::read_rules(
            reader,
            &draft.layer.tree,
            base.as_ref(),
        ));
    }
    let skill_switches = skill_setting::read_switches(reader, merged, &personal);
    let hook_states = hook_setting::read(reader, &stack.merge(&personal));
    for index in foreign {
        let tree = &stack.drafts[index].layer.tree;
        skill_setting::note_unread(reader, tree);
        hook_setting::note_unread(reader, tree);
    }
    Personal {
        skill_rules,
        skill_switches,
        hook_states,
    }
}
