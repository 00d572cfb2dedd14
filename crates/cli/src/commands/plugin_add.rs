//! `plugd plugin add`.

use plugd_plugins::{
    Installation, RemoteApp, RemoteInstallation, RemoteTarget, Target, Wish, install_remote,
};
use serde::Serialize;

use crate::args::AddPluginArgs;
use crate::blame;
use crate::escape;
use crate::failure::Failure;
use crate::page::{Form, Page};
use crate::problems::{self, ProblemShape};
use crate::selector;
use crate::session::Session;
use crate::shapes::{self, TargetShape};
use crate::style::{Paint, Style};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Shape {
    #[serde(flatten)]
    target: TargetShape,
    version: String,
    installed_path: String,
    auth_policy: &'static str,
    changed: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    rebound: Option<Rebound>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    apps_needing_auth: Vec<AppShape>,
    problems: Vec<ProblemShape>,
}

/// An app that is not connected yet.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
struct AppShape {
    id: String,
    name: String,
    install_url: String,
}

/// A plugin that came from somewhere else before.
#[derive(Debug, PartialEq, Eq, Serialize)]
struct Rebound {
    from: String,
    to: String,
}

pub(super) async fn run(
    session: &Session,
    args: &AddPluginArgs,
    form: Form,
) -> Result<Page, Failure> {
    let AddPluginArgs { plugin: args, wish } = args;
    let wish = match (&wish.version, &wish.ref_name, &wish.sha) {
        (Some(version), _, _) => Wish::Version(version.clone()),
        (_, Some(name), _) => Wish::Ref(name.clone()),
        (_, _, Some(sha)) => Wish::Sha(sha.clone()),
        _ => Wish::Offered,
    };
    if let Some(id) = selector::remote_id(args) {
        wish.refuse_of_account()?;
        let target = RemoteTarget::Id(id.to_string());
        return add_remote(session, target, form).await;
    }
    let id = selector::plugin_id(args)?;
    if let Some(target) = RemoteTarget::of(&id) {
        wish.refuse_of_account()?;
        return add_remote(session, target, form).await;
    }
    let installation = plugd_plugins::install(
        &session.call,
        &session.blocking,
        &session.lookup,
        &session.copies,
        &session.fetcher,
        &session.events,
        (Target::Shown(id.clone()), wish),
    )
    .await;
    match installation {
        Ok(installation) => Ok(page(installation, Vec::new(), form)),
        Err(error) => Err(blame::explain(session, &id, error.into()).await),
    }
}

async fn add_remote(session: &Session, target: RemoteTarget, form: Form) -> Result<Page, Failure> {
    let done = install_remote(&session.call, &session.parts, target, None).await?;
    let RemoteInstallation {
        installation,
        apps_needing_auth,
    } = done;
    Ok(page(installation, apps_needing_auth, form))
}

fn page(mut installation: Installation, apps: Vec<RemoteApp>, form: Form) -> Page {
    let rebound = installation.rebound.take().map(|rebound| Rebound {
        from: rebound.from.describe(),
        to: rebound.to.describe(),
    });
    shown(installation, rebound, apps, form)
}

fn shown(
    installation: Installation,
    rebound: Option<Rebound>,
    apps: Vec<RemoteApp>,
    form: Form,
) -> Page {
    let Installation {
        id,
        version,
        root,
        auth_policy,
        changed,
        rebound: _,
        problems: left_out,
    } = installation;
    match form {
        Form::Json => Page::json(&Shape {
            target: shapes::target(&id),
            version: version.to_string(),
            installed_path: root.to_text(),
            auth_policy: shapes::auth_policy(auth_policy),
            changed,
            rebound,
            apps_needing_auth: apps.into_iter().map(app).collect(),
            problems: problems::shapes(&left_out),
        }),
        Form::Text { err, .. } => {
            let mut page = Page::text(format!(
                "Added plugin `{}` from marketplace `{}`.\nInstalled plugin root: {}\n",
                id.plugin,
                id.marketplace,
                escape::line(&root.to_text())
            ));
            for problem in &left_out {
                page.warnings.push_str(&problems::warning(problem, err));
            }
            if let Some(rebound) = rebound {
                page.warnings.push_str(&moved(&rebound, err));
            }
            for app in apps {
                page.body.push_str(&format!(
                    "Connect `{}`: {}\n",
                    escape::line(&app.name),
                    escape::line(&app.install_url)
                ));
            }
            page
        }
    }
}

fn app(app: RemoteApp) -> AppShape {
    let RemoteApp {
        id,
        name,
        description: _,
        category: _,
        install_url,
    } = app;
    AppShape {
        id,
        name,
        install_url,
    }
}

fn moved(rebound: &Rebound, style: Style) -> String {
    format!(
        "{} the plugin now comes from {}; before it came from {}\n",
        style.paint(Paint::Warning, "warning:"),
        escape::line(&rebound.to),
        escape::line(&rebound.from),
    )
}

#[cfg(test)]
mod tests {
    use plugd_model::{AuthPolicy, PluginId, Problem, ProblemKind, VersionSegment};
    use plugd_plugins::Installation;
    use pretty_assertions::assert_eq;

    use super::{Rebound, shown};
    use crate::fixture::{path, text};
    use crate::page::Form;

    fn installation(problems: Vec<Problem>) -> Installation {
        Installation {
            id: PluginId::parse("hello@demo").unwrap(),
            version: VersionSegment::new("1.0.0").unwrap(),
            root: path("/ch/plugins/cache/demo/hello/1.0.0"),
            auth_policy: AuthPolicy::OnInstall,
            changed: true,
            rebound: None,
            problems,
        }
    }

    #[test]
    fn two_lines_as_the_reference() {
        let page = shown(installation(Vec::new()), None, Vec::new(), text());
        assert_eq!(
            page.body,
            "Added plugin `hello` from marketplace `demo`.\n\
             Installed plugin root: /ch/plugins/cache/demo/hello/1.0.0\n"
        );
        assert_eq!(page.warnings, "");
    }

    #[test]
    fn what_was_left_out_and_where_it_came_from_before_are_warnings() {
        let link = Problem::warning(ProblemKind::LeftOut, "the link leads out of the plugin")
            .in_file(&path("/demo/plugins/hello/secret"));
        let rebound = Rebound {
            from: "/old/marketplace.json".to_owned(),
            to: "/demo/marketplace.json".to_owned(),
        };
        let page = shown(installation(vec![link]), Some(rebound), Vec::new(), text());
        assert_eq!(
            page.warnings,
            "warning: /demo/plugins/hello/secret: the link leads out of the plugin\n\
             warning: the plugin now comes from /demo/marketplace.json; \
             before it came from /old/marketplace.json\n"
        );
    }

    #[test]
    fn json_is_the_references_with_more() {
        let rebound = Rebound {
            from: "/old".to_owned(),
            to: "/new".to_owned(),
        };
        let page = shown(
            installation(Vec::new()),
            Some(rebound),
            Vec::new(),
            Form::Json,
        );
        let expected = r#"{
  "pluginId": "hello@demo",
  "name": "hello",
  "marketplaceName": "demo",
  "version": "1.0.0",
  "installedPath": "/ch/plugins/cache/demo/hello/1.0.0",
  "authPolicy": "ON_INSTALL",
  "changed": true,
  "rebound": {
    "from": "/old",
    "to": "/new"
  },
  "problems": []
}
"#;
        assert_eq!(page.body, expected);
    }
}
