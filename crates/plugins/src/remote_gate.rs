//! Whether a request about one plugin of the remote catalog may be made at all, and as whom.
//!
//! The order of the refusals is the reference's: the switch, the id, and only then the login.

use plugd_catalog::Access;
use plugd_config::Snapshot;
use plugd_model::{Problem, RemotePluginId};

use crate::remote_error::RemoteError;
use crate::{Error, Lookup};

/// What a request is about and how its refusals call it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked<'a> {
    /// What is not enabled while plugins are switched off.
    pub(crate) what: &'static str,
    /// What is tried, in front of every other refusal.
    pub(crate) action: &'static str,
    /// The marketplace as the client wrote it.
    pub(crate) marketplace: &'a str,
    /// The member that holds the id.
    pub(crate) field: &'static str,
    /// The id as the client wrote it.
    pub(crate) id: &'a str,
}

/// The account that asks.
#[derive(Debug, Clone)]
pub(crate) struct Asker {
    pub(crate) access: Access,
    /// Its login is not accepted any more, so nobody is asked.
    pub(crate) expired: bool,
    /// What is wrong with the login.
    pub(crate) problems: Vec<Problem>,
}

impl Asked<'_> {
    /// The switch and the id.
    ///
    /// # Errors
    /// Plugins are switched off, or this can be no id.
    pub(crate) fn admit(&self, config: &Snapshot) -> Result<RemotePluginId, Error> {
        if !config.features().plugins {
            return Err(RemoteError::NotEnabled {
                what: self.what,
                marketplace: Some(self.marketplace.to_owned()),
            }
            .into());
        }
        RemotePluginId::parse(self.id).map_err(|error| {
            let field = self.field;
            RemoteError::illegal_id(field, error).into()
        })
    }

    /// The login, also one that has expired: what is known is shown to it.
    ///
    /// # Errors
    /// Nobody is logged in whom the service knows.
    pub(crate) fn asker(&self, lookup: &Lookup, config: &Snapshot) -> Result<Asker, Error> {
        match lookup.remote().seen(config) {
            Some((access, expired, problems)) => Ok(Asker {
                access,
                expired,
                problems,
            }),
            None => {
                let access = lookup.remote().access(config, self.action)?;
                Ok(Asker {
                    access,
                    expired: false,
                    problems: Vec::new(),
                })
            }
        }
    }
}
