//! Who the client is and what it wants to be told.

use std::collections::HashSet;

use serde_json::value::RawValue;

use plugd_protocol::{ClientInfo, ErrorKind, InitializeParams};

use crate::params;
use crate::wire_error::WireError;

/// The version of the reference that this server speaks like. Clients read it in the `userAgent`
/// and refuse older ones.
pub const REFERENCE_VERSION: &str = "0.169.0";

/// What a client without a name is called.
const UNNAMED: &str = "plugd-client";

/// What the connection remembers of `initialize`.
#[derive(Debug)]
pub(crate) struct Client {
    opted_out: HashSet<String>,
    wants_own: bool,
}

impl Client {
    /// Reads the wishes of a client.
    ///
    /// # Errors
    /// The params do not decode, or the name could not stand in a header line.
    pub(crate) fn of_params(params: Option<&RawValue>) -> Result<Self, WireError> {
        let params: InitializeParams = params::decode(params)?;
        if let Some(info) = &params.client_info
            && info.name.chars().any(char::is_control)
        {
            let message = "clientInfo.name has a control character";
            return Err(WireError::new(ErrorKind::InvalidInput, message));
        }
        Ok(Self {
            opted_out: params
                .opted_out_notifications()
                .map(str::to_owned)
                .collect(),
            wants_own: params.wants_plugd_notifications(),
        })
    }

    /// Whether it asked for notifications that the reference does not know.
    pub(crate) fn wants_own(&self) -> bool {
        self.wants_own
    }

    /// Whether it accepts a notification.
    pub(crate) fn accepts(&self, method: &str) -> bool {
        !self.opted_out.contains(method) && (self.wants_own || !method.starts_with("plugd/"))
    }
}

/// The `userAgent`: the client's name, the version of the reference, the system, the terminal, and
/// the client once more with its own version.
#[must_use]
pub fn user_agent(client: Option<&ClientInfo>, terminal: Option<&str>) -> String {
    let (os, arch) = (std::env::consts::OS, std::env::consts::ARCH);
    let name = client.map_or(UNNAMED, |client| &client.name);
    let version = client.and_then(|client| client.version.as_deref());
    let terminal = terminal.unwrap_or("unknown");
    let version = version.unwrap_or("unknown");
    format!("{name}/{REFERENCE_VERSION} ({os}; {arch}) {terminal} ({name}; {version})")
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;
    use serde_json::value::RawValue;

    use plugd_protocol::ClientInfo;

    use super::{Client, user_agent};

    fn client(json: &str) -> Result<Client, i32> {
        let params = RawValue::from_string(json.to_owned()).unwrap();
        Client::of_params(Some(&params)).map_err(|error| error.code)
    }

    fn accepts(json: &str, expected: [bool; 3]) {
        let client = client(json).unwrap();
        let accepted = ["configWarning", "plugd/changed", "$/progress"].map(|m| client.accepts(m));
        assert_eq!(accepted, expected, "{json}");
    }

    #[test]
    fn own_notifications_only_on_request() {
        accepts("{}", [true, false, true]);
        accepts(r#"{"capabilities":null}"#, [true, false, true]);
        accepts(
            r#"{"capabilities":{"plugd":{"notifications":false}}}"#,
            [true, false, true],
        );
        accepts(
            r#"{"capabilities":{"plugd":{"notifications":true}}}"#,
            [true, true, true],
        );
        accepts(
            r#"{"initializationOptions":{"capabilities":{"plugd":{"notifications":true}}}}"#,
            [true, true, true],
        );
    }

    #[test]
    fn what_was_opted_out_of_is_not_sent() {
        accepts(
            r#"{"capabilities":{"plugd":{"notifications":true},
                "optOutNotificationMethods":["configWarning","plugd/changed","other"]}}"#,
            [false, false, true],
        );
    }

    #[test]
    fn a_name_must_fit_a_header_line() {
        assert_eq!(
            client(r#"{"clientInfo":{"name":"a\nb"}}"#).err(),
            Some(-32600)
        );
        assert_eq!(client(r#"{"clientInfo":{"name":5}}"#).err(), Some(-32602));
        assert!(client(r#"{"clientInfo":{"name":"a","version":"1"}}"#).is_ok());
    }

    #[test]
    fn the_user_agent_begins_with_name_and_version() {
        let info = ClientInfo {
            name: "editor".to_owned(),
            title: None,
            version: Some("3.1".to_owned()),
        };
        let agent = user_agent(Some(&info), Some("xterm"));
        assert!(agent.starts_with("editor/0.169.0 ("), "{agent}");
        assert!(agent.ends_with(") xterm (editor; 3.1)"), "{agent}");
        assert!(user_agent(None, None).starts_with("plugd-client/0.169.0 ("));
    }
}
