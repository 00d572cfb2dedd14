//! Which directories of this machine are shared through an account, as far as the file of shares says.

use std::collections::BTreeMap;

use plugd_catalog::{SharePaths, read_share_paths};
use plugd_model::{AbsPath, Problem, RemotePluginId};

use crate::Lookup;
use crate::remote_row::ShareContext;

/// Directories and what the service calls what is in them.
#[derive(Debug, Clone, Default)]
pub(crate) struct SharedIds {
    pub(crate) ids: BTreeMap<AbsPath, RemotePluginId>,
    /// What of the file cannot be read.
    pub(crate) problems: Vec<Problem>,
}

/// Reads the file of shares. A directory counts under the path that the file has and under the real
/// one. A broken file costs what it says and nothing else.
pub(crate) fn shared_ids(lookup: &Lookup) -> SharedIds {
    let SharePaths { paths, problems } = read_share_paths(lookup.disk(), lookup.layout());
    let mut ids = BTreeMap::new();
    for (id, path) in paths {
        if let Ok(real) = lookup.disk().resolve(&path)
            && real != path
        {
            ids.insert(real, id.clone());
        }
        ids.insert(path, id);
    }
    SharedIds { ids, problems }
}

/// What is known of a share while nobody has asked the service.
pub(crate) fn only_id(id: RemotePluginId) -> ShareContext {
    ShareContext {
        id,
        version: None,
        discoverability: None,
        url: None,
        creator_account_user_id: None,
        creator_name: None,
        principals: None,
        can_publish_to_workspace: None,
    }
}
