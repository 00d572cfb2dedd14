//! `plugd verify`. The JSON is the result of `plugd/verify`.

use plugd_model::PluginId;
use plugd_plugins::{Error, Verified, VerifiedCopy, VerifyReport};

use crate::args::VerifyArgs;
use crate::escape;
use crate::failure::Failure;
use crate::page::{Form, Page};
use crate::problems;
use crate::session::Session;

pub(super) async fn run(session: &Session, args: &VerifyArgs, form: Form) -> Result<Page, Failure> {
    let only = match &args.plugin {
        None => None,
        Some(id) => match PluginId::parse(id) {
            Ok(id) => Some(id),
            Err(_) => return Err(Error::BadPluginId { id: id.clone() }.into()),
        },
    };
    let verified =
        plugd_plugins::verify(&session.call, &session.blocking, &session.copies, only).await?;
    page(verified, form)
}

/// A copy that is not what was recorded makes the command fail, so that a script sees it.
fn page(verified: Verified, form: Form) -> Result<Page, Failure> {
    let matches = verified.matches();
    let page = match form {
        Form::Text { err, .. } => {
            let of_copies = verified.plugins.iter().flat_map(problems_of);
            let all = verified.problems.iter().chain(of_copies);
            Page {
                warnings: all.map(|one| problems::warning(one, err)).collect(),
                ..Page::text(text(&verified))
            }
        }
        Form::Json => Page::answer(&plugd_server::verify_reply(verified)?.into_json()),
    };
    Ok(match matches {
        true => page,
        false => page.because(
            "not every copy is what was installed; `plugd plugin add PLUGIN` installs one again",
        ),
    })
}

fn problems_of(copy: &VerifiedCopy) -> impl Iterator<Item = &plugd_model::Problem> {
    let left_out = copy.compared.iter().flat_map(|report| &report.left_out);
    let unread = copy.compared.as_ref().err();
    copy.problems.iter().chain(left_out).chain(unread)
}

fn text(verified: &Verified) -> String {
    if verified.plugins.is_empty() {
        return "Nothing is installed.\n".to_owned();
    }
    verified.plugins.iter().map(row).collect()
}

fn row(copy: &VerifiedCopy) -> String {
    let (id, version) = (&copy.id, &copy.version);
    let what = match &copy.compared {
        Err(_) => "cannot be read",
        Ok(report) if report.matches => "is what was installed",
        Ok(VerifyReport { recorded: None, .. }) => "has no record, so nothing can be compared",
        Ok(_) => "is not what was installed",
    };
    let mut text = format!("{id} {version} {what}\n");
    if let Ok(report) = &copy.compared {
        let lists = [
            ("changed", &report.changed),
            ("missing", &report.missing),
            ("added", &report.added),
        ];
        for (word, files) in lists {
            let files = files.iter();
            text.extend(files.map(|file| format!("  {word}: {}\n", escape::line(file))));
        }
    }
    text
}
