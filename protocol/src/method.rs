//! What a method and a notification are, for dispatch and for the generators alike.
//!
//! The two tables are made by the macros below and by nothing else, so a marker type, its entry
//! and its documentation cannot drift apart.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// A request that a client may send.
pub trait Method {
    /// The name on the wire.
    const NAME: &'static str;
    /// Which other requests it may overlap with.
    const LANE: Lane;
    /// What the request carries; absent params decode from `{}`.
    type Params: DeserializeOwned + Serialize + JsonSchema + Send + 'static;
    /// What the response carries.
    type Result: DeserializeOwned + Serialize + JsonSchema + Send + 'static;
}

/// A message without an answer.
pub trait Notification {
    /// The name on the wire.
    const NAME: &'static str;
    /// Who sends it.
    const DIRECTION: Direction;
    /// What it carries.
    type Params: DeserializeOwned + Serialize + JsonSchema + Send + 'static;
}

/// Which requests a request waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Lane {
    /// Belongs to the life of the connection and is answered by its state machine.
    Handshake,
    /// Works on a snapshot, at once, beside everything else.
    Read,
    /// A write that waits for earlier writes about the same plugin.
    Plugin,
    /// A write that waits for earlier writes about the same marketplace.
    Marketplace,
    /// The same when its params name a marketplace; without a name it is about all of them, and
    /// waits for earlier writes about any.
    Marketplaces,
    /// A configuration write: it waits with the plugin or marketplace that its key names, else
    /// with other configuration writes.
    Config,
}

/// Where a message comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Origin {
    /// Known to clients of the reference.
    Reference,
    /// Ours, or common to language and context protocols.
    Own,
}

/// Who sends a notification.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Direction {
    /// The client, to us.
    FromClient,
    /// We, to the client.
    FromServer,
}

/// A wire type as the tables name it.
#[derive(Debug, Clone, Copy)]
pub struct TypeSpec {
    /// Its name in every generated file.
    pub name: fn() -> Cow<'static, str>,
}

/// Registers a type and everything it names with the generator, and answers the reference to it.
pub(crate) type Describe = fn(&mut SchemaGenerator) -> Schema;

/// How the types of a method are described. They stand beside the tables and not in them: a program
/// that looks up a method describes nothing, and is a sixteenth smaller without.
#[derive(Debug, Clone, Copy)]
pub(crate) struct MethodSchemas {
    pub(crate) params: Describe,
    pub(crate) result: Describe,
}

impl TypeSpec {
    /// The description of a type.
    #[must_use]
    pub const fn of<T: JsonSchema>() -> Self {
        Self {
            name: T::schema_name,
        }
    }
}

/// One row of the method table.
#[derive(Debug, Clone, Copy)]
pub struct MethodSpec {
    /// The name on the wire.
    pub name: &'static str,
    /// Which other requests it may overlap with.
    pub lane: Lane,
    /// Whether clients of the reference know it.
    pub origin: Origin,
    /// What it does, in sentences.
    pub summary: &'static str,
    /// The type of its params.
    pub params: TypeSpec,
    /// The type of its result.
    pub result: TypeSpec,
}

/// One row of the notification table.
#[derive(Debug, Clone, Copy)]
pub struct NotificationSpec {
    /// The name on the wire.
    pub name: &'static str,
    /// Who sends it.
    pub direction: Direction,
    /// Whether clients of the reference know it.
    pub origin: Origin,
    /// When it is sent, in sentences.
    pub summary: &'static str,
    /// The type of its params.
    pub params: TypeSpec,
}

/// Declares the methods: a marker type each, its [`Method`], and the table of all.
macro_rules! methods {
    ($(
        $(#[doc = $doc:literal])+
        $marker:ident = $name:literal ($lane:ident, $origin:ident): $params:ty => $result:ty;
    )+) => {
        $(
            $(#[doc = $doc])+
            #[derive(Debug, Clone, Copy, PartialEq, Eq)]
            pub struct $marker;

            impl $crate::Method for $marker {
                const NAME: &'static str = $name;
                const LANE: $crate::Lane = $crate::Lane::$lane;
                type Params = $params;
                type Result = $result;
            }
        )+

        /// Every method, in the order of the documentation.
        pub const METHODS: &[$crate::MethodSpec] = &[$(
            $crate::MethodSpec {
                name: $name,
                lane: $crate::Lane::$lane,
                origin: $crate::Origin::$origin,
                summary: concat!($($doc,)+).trim_ascii(),
                params: $crate::TypeSpec::of::<$params>(),
                result: $crate::TypeSpec::of::<$result>(),
            },
        )+];

        /// The types of every method, in the same order.
        pub(crate) const METHOD_SCHEMAS: &[$crate::method::MethodSchemas] = &[$(
            $crate::method::MethodSchemas {
                params: schemars::SchemaGenerator::subschema_for::<$params>,
                result: schemars::SchemaGenerator::subschema_for::<$result>,
            },
        )+];
    };
}

/// Declares the notifications: a marker type each, its [`Notification`], and the table of all.
macro_rules! notifications {
    ($(
        $(#[doc = $doc:literal])+
        $marker:ident = $name:literal ($direction:ident, $origin:ident): $params:ty;
    )+) => {
        $(
            $(#[doc = $doc])+
            #[derive(Debug, Clone, Copy, PartialEq, Eq)]
            pub struct $marker;

            impl $crate::Notification for $marker {
                const NAME: &'static str = $name;
                const DIRECTION: $crate::Direction = $crate::Direction::$direction;
                type Params = $params;
            }
        )+

        /// Every notification, in the order of the documentation.
        pub const NOTIFICATIONS: &[$crate::NotificationSpec] = &[$(
            $crate::NotificationSpec {
                name: $name,
                direction: $crate::Direction::$direction,
                origin: $crate::Origin::$origin,
                summary: concat!($($doc,)+).trim_ascii(),
                params: $crate::TypeSpec::of::<$params>(),
            },
        )+];

        /// The types of every notification, in the same order.
        pub(crate) const NOTIFICATION_SCHEMAS: &[$crate::method::Describe] =
            &[$(schemars::SchemaGenerator::subschema_for::<$params>,)+];
    };
}

pub(crate) use {methods, notifications};
