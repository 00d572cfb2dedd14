//! Which methods there are, and how one is called.
//!
//! The table is a jsonrpsee `RpcModule`: it owns the names, the callbacks and the context. Its own
//! way of reading requests and writing responses is not used. It refuses envelopes that we accept,
//! and it would serialise a result into a second text. A call therefore carries a slot in its
//! extensions: params go in, the outcome comes out, and neither is parsed or copied on the way.

use std::collections::HashMap;
use std::fmt;
use std::future::{Future, ready};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

use jsonrpsee::types::{Id, Params};
use jsonrpsee::{ConnectionId, Extensions, MethodCallback, Methods, RpcModule};
use serde_json::value::RawValue;

use plugd_plugins::call::Call;
use plugd_protocol::{Lane, Method};

use crate::error_map;
use crate::params;
use crate::reply::Reply;
use crate::wire_error::WireError;

/// The methods while they are collected. `C` is what every handler gets.
#[derive(Debug)]
pub struct MethodTable<C> {
    module: RpcModule<C>,
    lanes: HashMap<&'static str, Lane>,
}

/// The finished table. Clones share it.
#[derive(Clone)]
pub struct Dispatcher {
    methods: Methods,
    lanes: Arc<HashMap<&'static str, Lane>>,
}

/// A method was registered twice.
#[derive(Debug, thiserror::Error)]
#[error("the method `{name}` is registered twice")]
pub struct RegisteredTwice {
    /// The method.
    pub name: &'static str,
}

/// A call that is being answered.
type Handling = Pin<Box<dyn Future<Output = Result<Reply, WireError>> + Send>>;

/// What answers the calls of one method, of whatever types.
type Handler<C> = Arc<dyn Fn(Arc<C>, Call, Option<Box<RawValue>>) -> Handling + Send + Sync>;

/// Where a call meets its callback.
#[derive(Clone)]
struct Slot(Arc<Mutex<Stage>>);

enum Stage {
    Asked(Call, Option<Box<RawValue>>),
    Running,
    Answered(Result<Reply, WireError>),
}

impl<C: Send + Sync + 'static> MethodTable<C> {
    /// A table without methods.
    pub fn new(context: Arc<C>) -> Self {
        Self {
            module: RpcModule::from_arc(context),
            lanes: HashMap::new(),
        }
    }

    /// Adds a method. Params are decoded here, and here alone, before the handler sees them.
    ///
    /// # Errors
    /// The method is there already.
    pub fn register<M, F, Fut>(&mut self, handler: F) -> Result<(), RegisteredTwice>
    where
        M: Method,
        F: Fn(Arc<C>, Call, M::Params) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<Reply, WireError>> + Send + 'static,
    {
        let erased = move |context: Arc<C>, call: Call, raw: Option<Box<RawValue>>| -> Handling {
            match params::decode::<M::Params>(raw.as_deref()) {
                Ok(params) => {
                    drop(raw);
                    Box::pin(handler(context, call, params))
                }
                Err(error) => Box::pin(ready(Err(error))),
            }
        };
        self.add(M::NAME, M::LANE, Arc::new(erased))
    }

    /// Adds a method whose types are behind pointers: what jsonrpsee makes of a callback it makes anew
    /// for each type of one, and that was half a megabyte of the program.
    fn add(
        &mut self,
        name: &'static str,
        lane: Lane,
        handler: Handler<C>,
    ) -> Result<(), RegisteredTwice> {
        let callback = move |_: Params<'static>, context: Arc<C>, extensions: Extensions| {
            let slot = extensions.get::<Slot>().cloned();
            let handling = slot.and_then(|slot| {
                let (call, raw) = slot.start()?;
                Some((handler(context, call, raw), slot))
            });
            async move {
                if let Some((handling, slot)) = handling {
                    slot.finish(handling.await);
                }
            }
        };
        self.module
            .register_async_method(name, callback)
            .map_err(|_| RegisteredTwice { name })?;
        self.lanes.insert(name, lane);
        Ok(())
    }

    /// Closes the table.
    #[must_use]
    pub fn finish(self) -> Dispatcher {
        Dispatcher {
            methods: self.module.into(),
            lanes: Arc::new(self.lanes),
        }
    }
}

impl Dispatcher {
    /// Calls a method here and now, without a connection and its lanes. The command line does
    /// this for `--json`.
    ///
    /// # Errors
    /// What a client would get as an error.
    pub async fn call(
        &self,
        method: &str,
        params: Option<Box<RawValue>>,
        call: Call,
    ) -> Result<Reply, WireError> {
        let Some((_, MethodCallback::Async(callback))) = self.methods.method_with_name(method)
        else {
            return Err(error_map::method_not_found(method));
        };
        let slot = Slot(Arc::new(Mutex::new(Stage::Asked(call, params))));
        let mut extensions = Extensions::new();
        extensions.insert(slot.clone());
        // The response that jsonrpsee makes is an empty one: the outcome lies in the slot.
        callback(
            Id::Null,
            Params::new(None),
            ConnectionId::default(),
            usize::MAX,
            extensions,
        )
        .await;
        slot.outcome()
    }

    /// The lane of a method, with its name as the table holds it; none for an unknown method.
    pub(crate) fn lane(&self, method: &str) -> Option<(&'static str, Lane)> {
        self.lanes
            .get_key_value(method)
            .map(|(&name, &lane)| (name, lane))
    }
}

impl fmt::Debug for Dispatcher {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Dispatcher")
            .field("lanes", &self.lanes)
            .finish_non_exhaustive()
    }
}

impl Slot {
    fn start(&self) -> Option<(Call, Option<Box<RawValue>>)> {
        match self.exchange(Stage::Running) {
            Stage::Asked(call, params) => Some((call, params)),
            Stage::Running | Stage::Answered(_) => None,
        }
    }

    fn finish(&self, outcome: Result<Reply, WireError>) {
        self.exchange(Stage::Answered(outcome));
    }

    fn outcome(&self) -> Result<Reply, WireError> {
        match self.exchange(Stage::Running) {
            Stage::Answered(outcome) => outcome,
            Stage::Asked(..) | Stage::Running => {
                Err(error_map::internal("the callback left no outcome"))
            }
        }
    }

    /// The lock is held for one exchange, so poison cannot mean a half-made state.
    fn exchange(&self, stage: Stage) -> Stage {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut held, stage)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use pretty_assertions::assert_eq;
    use serde_json::value::RawValue;

    use plugd_plugins::call::Call;
    use plugd_protocol::methods::{ConfigRead, PluginUninstall};
    use plugd_protocol::{Lane, PluginUninstallParams};

    use super::{Dispatcher, MethodTable};
    use crate::reply::Reply;
    use crate::wire_error::WireError;

    async fn echo(
        prefix: Arc<String>,
        call: Call,
        params: PluginUninstallParams,
    ) -> Result<Reply, WireError> {
        Reply::of(&format!("{prefix} {} {}", call.id, params.plugin_id))
    }

    fn dispatcher() -> Dispatcher {
        let mut table = MethodTable::new(Arc::new("hello".to_owned()));
        table.register::<PluginUninstall, _, _>(echo).unwrap();
        assert!(table.register::<PluginUninstall, _, _>(echo).is_err());
        table.finish()
    }

    async fn call(method: &str, params: &str) -> Result<String, i32> {
        let params = RawValue::from_string(params.to_owned()).unwrap();
        let call = Call {
            id: "7".to_owned(),
            ..Call::detached()
        };
        let reply = dispatcher().call(method, Some(params), call).await;
        reply
            .map(|reply| reply.into_json().get().to_owned())
            .map_err(|error| error.code)
    }

    #[tokio::test]
    async fn a_call_decodes_params_and_gives_back_what_was_serialised() {
        assert_eq!(
            call("plugin/uninstall", r#"{"pluginId":"a@b"}"#).await,
            Ok(r#""hello 7 a@b""#.to_owned())
        );
        assert_eq!(call("plugin/uninstall", "{}").await, Err(-32602));
        assert_eq!(call("config/read", "{}").await, Err(-32601));
    }

    #[test]
    fn lanes_come_from_the_protocol() {
        let dispatcher = dispatcher();
        assert_eq!(
            dispatcher.lane("plugin/uninstall"),
            Some(("plugin/uninstall", Lane::Plugin))
        );
        assert_eq!(
            dispatcher.lane(<ConfigRead as plugd_protocol::Method>::NAME),
            None
        );
    }
}
