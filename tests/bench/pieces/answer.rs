//! A whole answer, without the pipe.

use divan::Bencher;
use plugd_config::SessionFlags;
use plugd_disk::Disk;
use plugd_model::Layout;
use plugd_plugins::Sweeping;
use plugd_plugins::call::Call;
use plugd_server::Setup;
use plugd_testkit::{Sandbox, test_environment};

use crate::{PLUGINS, abs, market};

/// A listing from the params to its JSON, of plugins that nobody vouches for.
#[divan::bench]
fn plugin_list(bencher: Bencher<'_, '_>) {
    let sandbox = Sandbox::new();
    let root = market().root.display();
    let setting = format!("[marketplaces.real]\nsource_type = \"local\"\nsource = \"{root}\"\n");
    sandbox.write("ch/config.toml", setting);
    let environment = test_environment(&sandbox);
    let home = abs(environment.var("CODEX_HOME").unwrap());
    let layout = Layout::new(home, environment.system_dir.clone());
    let setup = Setup {
        environment,
        disk: Disk::new(),
        layout,
        flags: SessionFlags::none(),
        sweeping: Sweeping::AtOnce,
    };
    let methods = plugd_server::dispatcher(setup).unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    bencher.bench(|| {
        let call = methods.call("plugin/list", None, Call::detached());
        let answer = runtime.block_on(call).unwrap().into_json();
        assert!(answer.get().len() > PLUGINS * 1_000);
        answer
    });
}
