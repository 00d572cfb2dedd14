//! How the errors of what lies below are sorted: whose fault they are, and what a caller can do.

use plugd_config::WriteError;
use plugd_disk::DiskError;
use plugd_disk::tree::TreeError;
use plugd_marketplace::NotSelected;
use plugd_model::ProblemKind;
use plugd_store::StoreError;

use crate::error_terms::Kind;

/// Sorts the errors of the store: what the source of a plugin is to blame for is the request's
/// fault, what another process holds is a conflict, the rest is ours.
pub(crate) fn kind_of_store(error: &StoreError) -> Kind {
    match error {
        StoreError::Disk(DiskError::NotWanted { .. }) => Kind::Cancelled,
        StoreError::Disk(DiskError::Locked { .. })
        | StoreError::Unfinished { .. }
        | StoreError::Superseded { .. }
        | StoreError::InTheWay { .. }
        | StoreError::FormatTooNew { .. } => Kind::Conflict,
        StoreError::Tree(error) => match error {
            TreeError::OverLimit { .. }
            | TreeError::ContainsStore { .. }
            | TreeError::NotADirectory { .. }
            | TreeError::Changed { .. } => Kind::InvalidInput,
            TreeError::GivenUp => Kind::Cancelled,
            TreeError::Disk(_) | TreeError::Exists { .. } => Kind::Internal,
        },
        StoreError::BadExtraFile { .. } => Kind::InvalidInput,
        StoreError::NotInstalled { .. }
        | StoreError::NotRecorded { .. }
        | StoreError::NotKept { .. } => Kind::NotFound,
        StoreError::Disk(_)
        | StoreError::BadFormat { .. }
        | StoreError::BadJournal { .. }
        | StoreError::ConfigUndo { .. }
        | StoreError::OtherFileSystem { .. } => Kind::Internal,
    }
}

/// Sorts the reasons of a lookup.
pub(crate) fn kind_of_unselected(reason: &NotSelected) -> Kind {
    match reason {
        NotSelected::NoEntry { .. }
        | NotSelected::OtherProduct { .. }
        | NotSelected::NoMarketplace { .. } => Kind::NotFound,
        NotSelected::Marketplace { problem } => match problem.kind {
            ProblemKind::Missing => Kind::NotFound,
            ProblemKind::Policy | ProblemKind::ReservedName => Kind::NotAllowed,
            ProblemKind::Conflict => Kind::Conflict,
            _ => Kind::InvalidInput,
        },
    }
}

/// Sorts the errors of a configuration write.
pub(crate) fn kind_of_write(error: &WriteError) -> Kind {
    match error {
        WriteError::Stale { .. }
        | WriteError::StateTooNew { .. }
        | WriteError::Locked { .. }
        | WriteError::Contested { .. } => Kind::Conflict,
        WriteError::Invalid { .. }
        | WriteError::Broken { .. }
        | WriteError::TwoFiles
        | WriteError::NotExact { .. } => Kind::InvalidInput,
        WriteError::NotWanted { .. } => Kind::Cancelled,
        WriteError::ReadOnly { .. } => Kind::NotAllowed,
        WriteError::Disk { .. } => Kind::Internal,
    }
}
