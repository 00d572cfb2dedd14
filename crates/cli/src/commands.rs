//! The commands, one file each. A command asks its use case and makes a page of the answer; the page
//! is a pure function of both, so it is tested without a disk.

mod approvals;
mod config;
mod doctor;
mod documents;
mod gc;
mod link;
mod loading;
mod lock;
mod login_status;
mod marketplace_add;
mod marketplace_list;
mod marketplace_remove;
mod marketplace_upgrade;
mod new;
mod plugin_add;
mod plugin_inspect;
mod plugin_list;
mod plugin_read;
mod plugin_remove;
mod plugin_search;
mod schema_generate;
mod share;
mod skill_switch;
mod validate;
mod verify;
mod versions;

use plugd_disk::Disk;
use plugd_model::{AbsPath, Environment};
use plugd_server::schema::GeneratedFile;
use serde_json::Value;

use crate::args::{
    Command, CommandLine, ConfigCommand, ExportArgs, GcArgs, HooksCommand, ImportArgs,
    LoginCommand, MarketplaceCommand, PluginCommand, SchemaCommand, ServerCommand, SkillsCommand,
    TypesArgs, VerifyArgs,
};
use crate::asked::{self, Question};
use crate::blame;
use crate::failure::Failure;
use crate::page::{Form, Page};
use crate::progress::Watched;
use crate::session::Session;
use crate::style::Style;
use crate::{home, suggest, wording};

/// Why a list is shorter than somebody expects.
const PLUGINS_OFF: &str = "plugins are disabled by the configuration, so nothing of them is shown";

/// Runs a command to its end.
///
/// # Errors
/// It failed as a whole.
pub(crate) fn execute(
    environment: &Environment,
    disk: &Disk,
    line: &CommandLine,
    form: Form,
    watched: Watched,
) -> Result<Page, Failure> {
    // What is meant by a path, or by none, would be meant from the root of the file system.
    if environment.cwd_is_gone {
        return Err(Failure::NoWorkingDirectory);
    }
    let page = run(environment, disk, line, form, watched)?;
    Ok(match profile_without_file(environment, disk, line) {
        Some(file) => {
            let warning =
                format!("the profile that was selected changes nothing: there is no `{file}`");
            page.warned(&warning, None, form)
        }
        None => page,
    })
}

/// The file of a profile that was named and is not there. Whoever named it has most often mistyped it.
fn profile_without_file(
    environment: &Environment,
    disk: &Disk,
    line: &CommandLine,
) -> Option<AbsPath> {
    let flags = line.global.flags();
    let name = flags.profile.as_deref()?;
    let file = home::layout(environment, disk).ok()?.profile_config(name);
    matches!(disk.stamp(&file), Ok(None)).then_some(file)
}

fn run(
    environment: &Environment,
    disk: &Disk,
    line: &CommandLine,
    form: Form,
    watched: Watched,
) -> Result<Page, Failure> {
    let open = || Session::open(environment, disk, &line.global.flags(), watched);
    match &line.command {
        Command::Plugin(command) => plugin(&open()?, command, form),
        Command::Marketplace(command) => marketplace(&open()?, command, form),
        Command::Gc(args) => collect(&open()?, args, form),
        Command::Link(args) => {
            let session = open()?;
            asked(&session, link::link(&session, args), form, &link::changes)
        }
        Command::Unlink(args) => {
            let session = open()?;
            asked(&session, link::unlink(&session, args), form, &link::changes)
        }
        Command::Verify(args) => compare(&open()?, args, form),
        Command::Lock(args) => {
            let session = open()?;
            let question = lock::lock(&session, args);
            asked(&session, question, form, &lock::locked)
        }
        Command::Sync(args) => {
            let session = open()?;
            let done = session.change(lock::sync(&session, args, form));
            with_configuration(&session, done, form)
        }
        Command::Export(args) => export(&open()?, args, form),
        Command::Import(args) => import(&open()?, args, form),
        Command::Login(LoginCommand::Status) => login(&open()?, form),
        Command::Skills(command) => skills(&open()?, command, form),
        Command::Hooks(HooksCommand::List(place)) => {
            let session = open()?;
            let question = loading::hooks(&session, place)?;
            listed(&session, question, form, &loading::hook_rows)
        }
        Command::Components(place) => {
            let session = open()?;
            let question = loading::components(&session, place)?;
            listed(&session, question, form, &loading::component_rows)
        }
        Command::Mentions(args) => {
            let session = open()?;
            let question = loading::mentions(&session, args)?;
            listed(&session, question, form, &loading::mentioned)
        }
        Command::Instructions(args) => {
            let session = open()?;
            let question = loading::instructions(&session, args)?;
            listed(&session, question, form, &loading::instruction_text)
        }
        Command::Config(command) => configuration(&open()?, command, form),
        Command::Status => asked(&open()?, config::status(), form, &config::status_text),
        Command::Doctor(args) => doctor::run(open(), args, form),
        Command::Completions(args) => Ok(documents::completions(args, form)),
        Command::Man(args) => documents::man(args, form),
        Command::New(command) => new::run(environment, disk, command, form),
        Command::Validate(args) => validate::run(environment, disk, args, form),
        Command::AppServer(ServerCommand::GenerateTs(args)) => {
            let files = plugd_server::schema::typescript_files().map_err(Failure::Embedded)?;
            types(environment, disk, args, &files, form)
        }
        Command::AppServer(ServerCommand::GenerateJsonSchema(args)) => {
            let files = plugd_server::schema::json_schema_files().map_err(Failure::Embedded)?;
            types(environment, disk, args, &files, form)
        }
        Command::Schema(SchemaCommand::Generate(args)) => {
            let files = plugd_server::schema::all_files().map_err(Failure::Embedded)?;
            schema_generate::write(environment, disk, &args.out, &files, form)
        }
    }
}

/// The reference's two commands are silent for people.
fn types(
    environment: &Environment,
    disk: &Disk,
    args: &TypesArgs,
    files: &[GeneratedFile],
    form: Form,
) -> Result<Page, Failure> {
    let page = schema_generate::write(environment, disk, &args.out, files, form)?;
    Ok(match form {
        Form::Json => page,
        Form::Text { .. } => Page::default(),
    })
}

/// The same for one that shows plugins or what they bring.
fn listed(
    session: &Session,
    question: Question,
    form: Form,
    text: &dyn Fn(&Value, Style) -> String,
) -> Result<Page, Failure> {
    let page = asked(session, question, form, text)?;
    unless_off(session, page, form)
}

/// The page, with the reason why it has nothing to show when plugins are switched off.
fn unless_off(session: &Session, page: Page, form: Form) -> Result<Page, Failure> {
    Ok(match session.run(session.plugins_are_off())? {
        true => page.warned(PLUGINS_OFF, Some(wording::SWITCH_ON), form),
        false => page,
    })
}

/// A command that is one method.
fn asked(
    session: &Session,
    question: Question,
    form: Form,
    text: &dyn Fn(&Value, Style) -> String,
) -> Result<Page, Failure> {
    let done = session.change(asked::page(session, question, form, text));
    with_configuration(session, done, form)
}

fn skills(session: &Session, command: &SkillsCommand, form: Form) -> Result<Page, Failure> {
    let switch = |skill: &str, enabled| {
        let done = session.change(skill_switch::run(session, skill, enabled, form));
        with_configuration(session, done, form)
    };
    match command {
        SkillsCommand::List(place) => {
            let question = loading::skills(session, place)?;
            listed(session, question, form, &loading::skill_rows)
        }
        SkillsCommand::Enable(args) => switch(&args.skill, true),
        SkillsCommand::Disable(args) => switch(&args.skill, false),
    }
}

fn configuration(session: &Session, command: &ConfigCommand, form: Form) -> Result<Page, Failure> {
    match command {
        ConfigCommand::Read(args) => {
            let key = args.key.as_deref();
            let text = |result: &Value, style| config::rows(result, key, style);
            asked(session, config::read(session, args)?, form, &text)
        }
        ConfigCommand::Write(args) => asked(session, config::write(args)?, form, &config::written),
        ConfigCommand::Requirements => {
            asked(session, config::requirements(), form, &config::required)
        }
    }
}

fn export(session: &Session, args: &ExportArgs, form: Form) -> Result<Page, Failure> {
    let question = lock::export(session, args);
    asked(session, question, form, &lock::exported)
}

fn import(session: &Session, args: &ImportArgs, form: Form) -> Result<Page, Failure> {
    let done = session.change(lock::import(session, args, form));
    with_configuration(session, done, form)
}

fn collect(session: &Session, args: &GcArgs, form: Form) -> Result<Page, Failure> {
    let done = session.change(gc::run(session, args, form));
    with_configuration(session, done, form)
}

fn compare(session: &Session, args: &VerifyArgs, form: Form) -> Result<Page, Failure> {
    let done = session.run(verify::run(session, args, form));
    with_configuration(session, done, form)
}

fn login(session: &Session, form: Form) -> Result<Page, Failure> {
    let done = session.run(login_status::run(session, form));
    with_configuration(session, done, form)
}

fn plugin(session: &Session, command: &PluginCommand, form: Form) -> Result<Page, Failure> {
    let done = match command {
        // Its rows tell of the configuration already.
        PluginCommand::List(args) => {
            let page = session.change(plugin_list::run(session, args, form))?;
            return unless_off(session, page, form);
        }
        PluginCommand::Marketplace(command) => return marketplace(session, command, form),
        PluginCommand::Add(args) => session.change(plugin_add::run(session, args, form)),
        PluginCommand::Remove(args) => session.change(plugin_remove::run(session, args, form)),
        PluginCommand::Read(args) => session.change(plugin_read::run(session, args, form)),
        PluginCommand::Search(args) => {
            let question = plugin_search::search(args);
            return listed(session, question, form, &plugin_search::hits);
        }
        PluginCommand::Skill(args) => {
            let question = plugin_search::skill(args)?;
            return asked(session, question, form, &plugin_search::skill_text);
        }
        PluginCommand::Version(command) => session.change(versions::run(session, command, form)),
        PluginCommand::Sync => {
            return listed(session, plugin_search::sync(), form, &plugin_search::synced);
        }
        PluginCommand::Share(command) => {
            let (question, text) = share::question(session, command);
            return asked(session, question, form, &text);
        }
        PluginCommand::Verify(args) => return compare(session, args, form),
        // It may fetch, which is to be tidied up when somebody ends it.
        PluginCommand::Inspect(args) => session.change(plugin_inspect::run(session, args, form)),
    };
    with_configuration(session, done, form)
}

/// What a command says, and what is wrong with the configuration: that may be why something is not
/// there, so no command keeps it to itself.
fn with_configuration(
    session: &Session,
    done: Result<Page, Failure>,
    form: Form,
) -> Result<Page, Failure> {
    if done.as_ref().is_err_and(Failure::is_cancelled) {
        return done;
    }
    let configuration = session.run(session.config_errors())?;
    match done {
        Ok(page) => Ok(page.beside(&configuration, form)),
        Err(failure) => {
            let failure = session.run(suggest::better(session, failure));
            Err(blame::weigh(failure, configuration))
        }
    }
}

fn marketplace(
    session: &Session,
    command: &MarketplaceCommand,
    form: Form,
) -> Result<Page, Failure> {
    let done = match command {
        MarketplaceCommand::Add(args) => session.change(marketplace_add::run(session, args, form)),
        MarketplaceCommand::List => {
            let page = session.run(marketplace_list::run(session, form));
            page.and_then(|page| unless_off(session, page, form))
        }
        MarketplaceCommand::Upgrade(args) => {
            session.change(marketplace_upgrade::run(session, args, form))
        }
        MarketplaceCommand::Remove(args) => {
            session.change(marketplace_remove::run(session, args, form))
        }
    };
    with_configuration(session, done, form)
}

#[cfg(test)]
#[path = "commands_tests.rs"]
mod tests;

#[cfg(test)]
#[path = "commands_refusal_tests.rs"]
mod refusal_tests;
