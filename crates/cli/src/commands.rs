//! The commands, one file each. A command asks its use case and makes a page of the answer; the page
//! is a pure function of both, so it is tested without a disk.

mod gc;
mod login_status;
mod marketplace_add;
mod marketplace_list;
mod marketplace_remove;
mod marketplace_upgrade;
mod plugin_add;
mod plugin_inspect;
mod plugin_list;
mod plugin_read;
mod plugin_remove;
mod schema_generate;
mod validate;

use plugd_disk::Disk;
use plugd_model::Environment;
use plugd_server::schema::GeneratedFile;

use crate::args::{
    Command, CommandLine, GcArgs, LoginCommand, MarketplaceCommand, PluginCommand, SchemaCommand,
    ServerCommand, TypesArgs,
};
use crate::blame;
use crate::failure::Failure;
use crate::page::{Form, Page};
use crate::progress::Watched;
use crate::session::Session;

/// Runs a command to its end.
///
/// # Errors
/// It failed as a whole.
pub(crate) fn execute(
    environment: &Environment,
    line: &CommandLine,
    form: Form,
    watched: Watched,
) -> Result<Page, Failure> {
    let open = || Session::open(environment, &line.global.flags(), watched);
    match &line.command {
        Command::Plugin(command) => plugin(&open()?, command, form),
        Command::Marketplace(command) => marketplace(&open()?, command, form),
        Command::Gc(args) => collect(&open()?, args, form),
        Command::Login(LoginCommand::Status) => login(&open()?, form),
        Command::Validate(args) => validate::run(environment, args, form),
        Command::AppServer(ServerCommand::GenerateTs(args)) => {
            let files = plugd_server::schema::typescript_files();
            types(environment, args, &files, form)
        }
        Command::AppServer(ServerCommand::GenerateJsonSchema(args)) => {
            let files = plugd_server::schema::json_schema_files();
            types(environment, args, &files, form)
        }
        Command::Schema(SchemaCommand::Generate(args)) => {
            let files = plugd_server::schema::all_files();
            schema_generate::write(environment, &Disk::new(), &args.out, &files, form)
        }
    }
}

/// The reference's two commands are silent for people.
fn types(
    environment: &Environment,
    args: &TypesArgs,
    files: &[GeneratedFile],
    form: Form,
) -> Result<Page, Failure> {
    let page = schema_generate::write(environment, &Disk::new(), &args.out, files, form)?;
    Ok(match form {
        Form::Json => page,
        Form::Text { .. } => Page::default(),
    })
}

fn collect(session: &Session, args: &GcArgs, form: Form) -> Result<Page, Failure> {
    let done = session.change(gc::run(session, args, form));
    with_configuration(session, done, form)
}

fn login(session: &Session, form: Form) -> Result<Page, Failure> {
    let done = session.run(login_status::run(session, form));
    with_configuration(session, done, form)
}

fn plugin(session: &Session, command: &PluginCommand, form: Form) -> Result<Page, Failure> {
    let done = match command {
        // Its rows tell of the configuration already.
        PluginCommand::List(args) => return session.run(plugin_list::run(session, args, form)),
        PluginCommand::Marketplace(command) => return marketplace(session, command, form),
        PluginCommand::Add(args) => session.change(plugin_add::run(session, args, form)),
        PluginCommand::Remove(args) => session.change(plugin_remove::run(session, args, form)),
        PluginCommand::Read(args) => session.run(plugin_read::run(session, args, form)),
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
        Err(failure) => Err(blame::weigh(failure, configuration)),
    }
}

fn marketplace(
    session: &Session,
    command: &MarketplaceCommand,
    form: Form,
) -> Result<Page, Failure> {
    let done = match command {
        MarketplaceCommand::Add(args) => session.change(marketplace_add::run(session, args, form)),
        MarketplaceCommand::List => session.run(marketplace_list::run(session, form)),
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
