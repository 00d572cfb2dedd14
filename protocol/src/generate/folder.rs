//! Which folder a generated type lies in.

/// The folders, as the reference's generator knows them, and one for what is ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Folder {
    /// The top.
    Top,
    /// Any JSON value, which the reference keeps apart.
    SerdeJson,
    /// Everything else that the reference knows.
    V2,
    /// Ours.
    Plugd,
}

/// Types of the reference that lie at the top.
const TOP: &[&str] = &[
    "AbsolutePathBuf",
    "ClientInfo",
    "ClientNotification",
    "ClientRequest",
    "InitializeCapabilities",
    "InitializeParams",
    "InitializeResponse",
    "JSONRPCErrorError",
    "RequestId",
    "ServerNotification",
];

/// Types of ours whose name does not say so.
const OWN: &[&str] = &[
    "AllowedMarketplaceSource",
    "CancelByIdParams",
    "CancelByRequestIdParams",
    "ConfigWriteErrorCode",
    "DiscoverResponse",
    "ErrorData",
    "ErrorKind",
    "InitializationOptions",
    "MarketplaceRequirements",
    "NoParams",
    "PluginBinding",
    "PluginRebinding",
    "Problem",
    "ProgressNotificationParams",
    "ProgressParams",
    "ProgressToken",
    "ServerCapabilities",
    "ServerInfo",
    "SetTraceParams",
    "Severity",
    "ShutdownResponse",
    "WorkDoneProgress",
];

impl Folder {
    /// The folder of a type.
    pub(super) fn of(name: &str) -> Self {
        if name == super::typescript::JSON_VALUE {
            Self::SerdeJson
        } else if TOP.contains(&name) {
            Self::Top
        } else if OWN.contains(&name) || name.starts_with("Plugd") {
            Self::Plugd
        } else {
            Self::V2
        }
    }

    /// Its name; none for the top.
    pub(super) fn name(self) -> Option<&'static str> {
        match self {
            Self::Top => None,
            Self::SerdeJson => Some("serde_json"),
            Self::V2 => Some("v2"),
            Self::Plugd => Some("plugd"),
        }
    }

    /// The path of a file in it.
    pub(super) fn path(self, file: &str) -> String {
        match self.name() {
            None => file.to_owned(),
            Some(folder) => format!("{folder}/{file}"),
        }
    }

    /// The path of a file in another folder, as a file in this one names it.
    pub(super) fn reach(self, other: Self, file: &str) -> String {
        if self == other {
            format!("./{file}")
        } else if self == Self::Top {
            format!("./{}", other.path(file))
        } else {
            format!("../{}", other.path(file))
        }
    }
}

/// Every name that the lists above speak of; a test looks for names that nothing uses any more.
#[cfg(test)]
pub(super) fn listed() -> impl Iterator<Item = &'static str> {
    TOP.iter().chain(OWN).copied()
}
