use pretty_assertions::assert_eq;

use plugd_disk::Kind;
use plugd_model::{MarketplaceName, ProblemKind};

use crate::fixture::World;

const SIDECAR: &str = ".codex-remote-plugin-install.json";
const R1: &str = r#"{"schema_version":1,"remote_plugin_id":"r1"}"#;

fn filled() -> World {
    let world = World::new();
    world.sandbox.add(&format!(
        "== ch/plugins/cache/openai-curated-remote/with/1.0.0/x\n1\n\
         == ch/plugins/cache/openai-curated-remote/with/{SIDECAR}\n{R1}\n\
         == ch/plugins/cache/openai-curated-remote/without/1.0.0/x\n1\n\
         == ch/plugins/cache/openai-curated-remote/file\n1\n\
         == ch/plugins/cache/openai-curated-remote/no-version/{SIDECAR}\n{R1}\n\
         == ch/plugins/cache/openai-curated-remote/bad name/1.0.0/x\n1\n\
         == ch/plugins/cache/openai-curated-remote/plugin-install-aB3dE6/1.0.0/x\n1\n\
         == ch/plugins/cache/openai-curated-remote/link -> ../../../../dev\n\
         == dev/1.0.0/x\n1\n\
         == ch/plugins/cache/workspace-directory/a/1.0.0/x\n1\n\
         == ch/plugins/cache/workspace-shared-with-me/a/1.0.0/x\n1\n\
         == ch/plugins/cache/created-by-me-remote/a/1.0.0/x\n1\n\
         == ch/plugins/cache/workspace-shared-with-me-unlisted/a/1.0.0/x\n1\n\
         == ch/plugins/cache/other/a/1.0.0/x\n1\n\
         == ch/plugins/cache/other/a/{SIDECAR}\n{R1}\n"
    ));
    world
}

#[test]
fn copies_below_the_remote_names_with_and_without_a_sidecar() {
    let (copies, problems) = filled().store().remote_copies().unwrap();
    let rows: Vec<_> = copies
        .iter()
        .map(|copy| {
            let remote = copy.remote().map_or("-", |id| id.as_str());
            format!("{} {remote}", copy.id)
        })
        .collect();
    assert_eq!(
        rows,
        [
            "a@created-by-me-remote -",
            "a@workspace-directory -",
            "a@workspace-shared-with-me -",
            "a@workspace-shared-with-me-unlisted -",
            "link@openai-curated-remote -",
            "with@openai-curated-remote r1",
            "without@openai-curated-remote -",
        ]
    );
    let kinds: Vec<_> = problems.iter().map(|problem| problem.kind).collect();
    assert_eq!(kinds, [ProblemKind::BadName]);
}

#[test]
fn what_is_no_copy_is_told_and_never_touched() {
    let world = filled();
    let before = world.sandbox.tree("ch/plugins/cache");
    let name = MarketplaceName::new("openai-curated-remote").unwrap();
    let strays = world.store().strays(&name).unwrap();
    let rows: Vec<_> = strays
        .iter()
        .map(|stray| {
            let name = stray.path.file_name().unwrap().to_str().unwrap();
            (name.to_owned(), stray.kind)
        })
        .collect();
    let row = |name: &str, kind| (name.to_owned(), kind);
    assert_eq!(
        rows,
        [
            row("bad name", Kind::Dir),
            row("file", Kind::File),
            row("link", Kind::Link),
            row("no-version", Kind::Dir),
        ]
    );
    assert_eq!(world.sandbox.tree("ch/plugins/cache"), before);
    let empty = MarketplaceName::new("nowhere").unwrap();
    assert_eq!(world.store().strays(&empty).unwrap(), []);
}
