//! Between what the resolver calls a binding and what the store records of it.

use plugd_marketplace::Binding;
use plugd_store::BoundSource;

/// The recorded form of where something comes from.
pub(crate) fn for_record(binding: &Binding) -> BoundSource {
    match binding.clone() {
        Binding::Manifest(path) => BoundSource::Manifest(path),
        Binding::Git { url, ref_name } => BoundSource::Git { url, ref_name },
        Binding::Packed(origin) => BoundSource::Packed(origin),
        Binding::Curated => BoundSource::Curated,
        Binding::Remote { id } => BoundSource::Remote { id },
    }
}

/// Whether a record speaks of this binding.
pub(crate) fn is(bound: &BoundSource, binding: &Binding) -> bool {
    match (bound, binding) {
        (BoundSource::Manifest(bound), Binding::Manifest(path)) => bound == path,
        (
            BoundSource::Git { url, ref_name },
            Binding::Git {
                url: offered,
                ref_name: follows,
            },
        ) => (url, ref_name) == (offered, follows),
        (BoundSource::Packed(bound), Binding::Packed(origin)) => bound == origin,
        (BoundSource::Curated, Binding::Curated) => true,
        (BoundSource::Remote { id: bound }, Binding::Remote { id }) => bound == id,
        _ => false,
    }
}

/// The binding that a record speaks of.
pub(crate) fn of_record(bound: &BoundSource) -> Binding {
    match bound.clone() {
        BoundSource::Manifest(path) => Binding::Manifest(path),
        BoundSource::Git { url, ref_name } => Binding::Git { url, ref_name },
        BoundSource::Packed(origin) => Binding::Packed(origin),
        BoundSource::Curated => Binding::Curated,
        BoundSource::Remote { id } => Binding::Remote { id },
    }
}
