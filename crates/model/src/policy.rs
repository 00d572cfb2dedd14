//! What a marketplace allows to be done with an entry.

/// Whether an entry may be installed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum InstallPolicy {
    /// Shown, and refused on install.
    NotAvailable,
    /// May be installed.
    #[default]
    Available,
    /// May be installed, and its marketplace recommends to have it; nothing is installed by itself.
    InstalledByDefault,
}

/// When a plugin's apps ask for their login.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AuthPolicy {
    /// Right after the installation.
    #[default]
    OnInstall,
    /// At the first use.
    OnUse,
}

/// The products a marketplace can restrict an entry to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Product {
    /// The one this daemon serves.
    Codex,
    /// A chat frontend.
    Chatgpt,
    /// A browser.
    Atlas,
}
