use plugd_catalog::{PrincipalKind, Publication, ShareTarget, TargetRole};
use plugd_model::{AbsPath, Discoverability, RemotePluginId};
use pretty_assertions::assert_eq;

use super::{aim, file_name, publication};

fn target(kind: PrincipalKind) -> ShareTarget {
    ShareTarget {
        kind,
        id: "x".to_owned(),
        role: TargetRole::Editor,
    }
}

fn outcome(
    id: Option<&str>,
    found_by: Option<Discoverability>,
    targets: Option<Vec<ShareTarget>>,
) -> Result<Publication, String> {
    let aim = aim(id, found_by, targets).map_err(|error| error.to_string())?;
    publication(aim, Some("acc")).map_err(|error| error.to_string())
}

#[test]
fn members_that_nobody_gave_are_not_sent() {
    let plain = Publication::New {
        discoverability: None,
        targets: None,
    };
    assert_eq!(outcome(None, None, None), Ok(plain));
    let empty = Publication::New {
        discoverability: Some(Discoverability::Private),
        targets: Some(Vec::new()),
    };
    let found = outcome(None, Some(Discoverability::Private), Some(Vec::new()));
    assert_eq!(found, Ok(empty));
    let version = Publication::Version(RemotePluginId::parse("p").unwrap());
    assert_eq!(outcome(Some("p"), None, None), Ok(version));
}

#[test]
fn a_link_is_for_the_workspace() {
    let workspace = ShareTarget {
        kind: PrincipalKind::Workspace,
        id: "acc".to_owned(),
        role: TargetRole::Reader,
    };
    let expected = Publication::New {
        discoverability: Some(Discoverability::Unlisted),
        targets: Some(vec![workspace]),
    };
    let found = outcome(None, Some(Discoverability::Unlisted), None);
    assert_eq!(found, Ok(expected));
}

#[test]
fn what_cannot_be_meant() {
    let both = "discoverability and shareTargets are only supported when creating a plugin share; \
                use plugin/share/updateTargets to update share settings";
    let private = Some(Discoverability::Private);
    assert_eq!(outcome(Some("p"), private, None), Err(both.to_owned()));
    assert_eq!(
        outcome(Some("p"), None, Some(Vec::new())),
        Err(both.to_owned())
    );
    let id = "invalid remote plugin id";
    assert_eq!(outcome(Some("a.b"), private, None), Err(id.to_owned()));
    let listed =
        "discoverability LISTED is not supported for plugin/share/save; use UNLISTED or PRIVATE";
    let found = outcome(None, Some(Discoverability::Listed), None);
    assert_eq!(found, Err(listed.to_owned()));
    let workspace = "shareTargets cannot include workspace principals; \
                     use discoverability UNLISTED for workspace link access";
    let found = outcome(None, None, Some(vec![target(PrincipalKind::Workspace)]));
    assert_eq!(found, Err(workspace.to_owned()));
}

#[test]
fn an_archive_is_named_after_its_directory() {
    let name = |path: &str| file_name(&AbsPath::new(path).unwrap());
    assert_eq!(name("/a/my plugin"), "my plugin.tar.gz");
    assert_eq!(name("/"), "plugin.tar.gz");
    assert_eq!(name(&format!("/{}", "x".repeat(200))).len(), 107);
}
