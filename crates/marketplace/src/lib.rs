//! Which marketplaces exist and what they offer: one decider for everybody.
//!
//! [`MarketplaceResolver::resolve`] is the only code that answers the question. Listing, reading,
//! installing, uninstalling, refreshing and the command line all ask it; nothing else reads the
//! marketplaces table or looks for manifests. A second answer anywhere is how a program comes to
//! show one thing and install another.
//!
//! What this crate must not do: read plugin manifests, look at the store, or touch the network.

mod declared;
mod discovery;
mod entry;
mod resolver;
mod set;

pub use declared::{Declared, DeclaredState, Gate};
pub use entry::{Binding, Content, Marketplace, Origin, State};
pub use resolver::{Login, MarketplaceResolver, ResolveInput, Scope};
pub use set::{MarketplaceSet, NotSelected, Offer, Selector};
