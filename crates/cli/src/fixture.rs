//! What the tests of this crate share: an environment and values made by hand.

use std::sync::Arc;
use std::time::Duration;

use plugd_model::{AbsPath, Clock, Environment, PluginId, RandomNames, Source};
use plugd_plugins::Summary;

use crate::page::Form;
use crate::style::Style;

struct Still;

impl Clock for Still {
    fn now(&self) -> Duration {
        Duration::ZERO
    }
}

impl RandomNames for Still {
    fn next(&self) -> String {
        "0000000000000000".to_owned()
    }
}

/// An absolute path.
pub(crate) fn path(text: &str) -> AbsPath {
    AbsPath::new(text).unwrap()
}

/// A process in `/work` with these arguments and variables.
pub(crate) fn environment(args: &[&str], vars: &[(&str, &str)]) -> Environment {
    Environment {
        program: AbsPath::new("/proc/self/exe").unwrap(),
        args: args.iter().map(Into::into).collect(),
        vars: vars
            .iter()
            .map(|(name, value)| (name.into(), value.into()))
            .collect(),
        cwd: path("/cwd"),
        cwd_is_gone: false,
        home: Some(path("/home/u")),
        system_dir: path("/nonexistent/etc"),
        clock: Arc::new(Still),
        names: Arc::new(Still),
    }
}

/// What a listing says about a plugin that is offered and not installed.
pub(crate) fn offered(id: &str) -> Summary {
    let id = PluginId::parse(id).unwrap();
    let source = Source::Local {
        path: path(&format!("/demo/plugins/{}", id.plugin)),
    };
    Summary {
        id,
        local_version: Some("1.0.0".to_owned()),
        installed: false,
        enabled: false,
        source,
        install_policy: plugd_model::InstallPolicy::Available,
        auth_policy: plugd_model::AuthPolicy::OnInstall,
        interface: None,
        keywords: Vec::new(),
        installed_version: None,
        update_available: false,
        share: None,
        remote: None,
        linked: None,
        problems: Vec::new(),
    }
}

/// The same plugin, installed and switched on.
pub(crate) fn installed(id: &str, version: &str) -> Summary {
    Summary {
        installed: true,
        enabled: true,
        installed_version: Some(plugd_model::VersionSegment::new(version).unwrap()),
        ..offered(id)
    }
}

/// Output for people without colours.
pub(crate) fn text() -> Form {
    Form::Text {
        out: Style::PLAIN,
        err: Style::PLAIN,
    }
}
