//! The policies of a marketplace entry.
//!
//! Invariant: a policy that cannot be understood never makes an entry more available than its
//! author meant. An unknown `installation` counts as not available, unknown products count as
//! products that are not ours. What has the wrong type says nothing about products, so the entry
//! stays visible, cannot be installed, and its problem tells why.

use plugd_model::{AuthPolicy, InstallPolicy, Problem, ProblemKind, Product};

use crate::json::Shape;
use crate::reader::{Object, Path, Reader, Value};

/// How many products one entry may name.
const MAX_PRODUCTS: usize = 100;

/// What an entry allows.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Policy {
    /// Whether it may be installed.
    pub(crate) install: InstallPolicy,
    /// When its apps ask for their login.
    pub(crate) auth: AuthPolicy,
    /// The products it is for; `None` means all.
    pub(crate) products: Option<Vec<Product>>,
}

/// Reads `policy`, and the older members beside it where `policy` is silent.
pub(crate) fn read(reader: &mut Reader<'_>, entry: &Object<'_, '_>) -> Policy {
    let mut policy = Policy::default();
    let object = match entry.get("policy").map(|value| reader.object(value)) {
        None => None,
        Some(Ok(object)) => Some(object),
        Some(Err(problem)) => {
            // Nobody can tell what it was to forbid, so it forbids.
            reader.report(problem);
            policy.install = InstallPolicy::NotAvailable;
            return policy;
        }
    };
    let member = |name| object.as_ref().and_then(|object| object.get(name));
    if let Some(value) = member("installation").or_else(|| entry.get("installPolicy")) {
        policy.install = installation(reader, &value).unwrap_or_else(|problem| {
            reader.report(problem);
            InstallPolicy::NotAvailable
        });
    }
    if let Some(value) = member("authentication").or_else(|| entry.get("authPolicy")) {
        policy.auth = authentication(reader, &value).unwrap_or_else(|problem| {
            reader.report(problem);
            AuthPolicy::default()
        });
    }
    // `null` means no restriction here, as in the reference.
    let listed = member("products").filter(|value| value.shape() != Shape::Null);
    match listed.map(|value| products(reader, &value)) {
        None => {}
        Some(Ok(products)) => policy.products = Some(products),
        Some(Err(Unusable)) => policy.install = InstallPolicy::NotAvailable,
    }
    policy
}

fn installation(reader: &Reader<'_>, value: &Value<'_, '_>) -> Result<InstallPolicy, Problem> {
    match reader.string(value)?.as_str() {
        "NOT_AVAILABLE" => Ok(InstallPolicy::NotAvailable),
        "AVAILABLE" => Ok(InstallPolicy::Available),
        "INSTALLED_BY_DEFAULT" => Ok(InstallPolicy::InstalledByDefault),
        other => Err(reader.error(
            value,
            ProblemKind::BadValue,
            format_args!(
                "unknown installation policy `{}`, so it counts as NOT_AVAILABLE; known are \
                 NOT_AVAILABLE, AVAILABLE and INSTALLED_BY_DEFAULT",
                other.escape_debug()
            ),
        )),
    }
}

fn authentication(reader: &Reader<'_>, value: &Value<'_, '_>) -> Result<AuthPolicy, Problem> {
    match reader.string(value)?.as_str() {
        "ON_INSTALL" => Ok(AuthPolicy::OnInstall),
        "ON_USE" => Ok(AuthPolicy::OnUse),
        other => Err(reader.error(
            value,
            ProblemKind::BadValue,
            format_args!(
                "unknown authentication policy `{}`, so it counts as ON_INSTALL; known are \
                 ON_INSTALL and ON_USE",
                other.escape_debug()
            ),
        )),
    }
}

/// A list of products that names none, known or unknown. The problem has been reported.
struct Unusable;

fn products(reader: &mut Reader<'_>, value: &Value<'_, '_>) -> Result<Vec<Product>, Unusable> {
    let elements = match reader.elements(value, MAX_PRODUCTS) {
        Ok(elements) => elements,
        Err(problem) => {
            reader.report(problem);
            return Err(Unusable);
        }
    };
    let mut products = Vec::new();
    let mut names_some = elements.is_empty();
    for (index, raw) in elements.into_iter().enumerate() {
        let element = Value {
            raw,
            path: Path::Element(&value.path, index),
        };
        names_some |= element.shape() == Shape::String;
        match product(reader, &element) {
            Ok(product) if products.contains(&product) => {}
            Ok(product) => products.push(product),
            Err(problem) => reader.report(problem),
        }
    }
    if names_some {
        Ok(products)
    } else {
        Err(Unusable)
    }
}

fn product(reader: &Reader<'_>, value: &Value<'_, '_>) -> Result<Product, Problem> {
    match reader.string(value)?.as_str() {
        "CODEX" | "codex" => Ok(Product::Codex),
        "CHATGPT" | "chatgpt" => Ok(Product::Chatgpt),
        "ATLAS" | "atlas" => Ok(Product::Atlas),
        other => Err(reader.error(
            value,
            ProblemKind::BadValue,
            format_args!(
                "unknown product `{}`; known are CODEX, CHATGPT and ATLAS",
                other.escape_debug()
            ),
        )),
    }
}

#[cfg(test)]
mod tests;
