//! `plugd completions` and `plugd man`: both are made from the grammar itself, so they cannot lag
//! behind it.

use clap::{Arg, ArgAction, Command, CommandFactory};
use clap_complete::Shell;
use clap_mangen::Man;
use serde_json::json;

use crate::args::{CommandLine, CompletionsArgs, ManArgs, SERVER_NOTES};
use crate::failure::Failure;
use crate::fish;
use crate::page::{Form, Page};

/// The grammar with the switches of serving, which the parser leaves to a reader of their own.
fn grammar() -> Command {
    let switch = |name, help| Arg::new(name).long(name).help(help);
    let serving = [
        switch("stdio", "Speak over stdin and stdout, which is the default")
            .action(ArgAction::SetTrue),
        switch("listen", "The transport")
            .value_name("URL")
            .value_parser(["stdio://"]),
        switch(
            "framing",
            "How messages are told apart; `auto` goes by the first byte",
        )
        .value_name("FRAMING")
        .value_parser(["auto", "lines", "headers"]),
    ];
    CommandLine::command().mut_subcommand("app-server", |server| {
        server
            .subcommand_required(false)
            .args(serving)
            .after_help(SERVER_NOTES)
    })
}

/// The same, where the words behind `man` are those of the commands.
fn completed() -> Command {
    let grammar = grammar();
    let pages = grammar.get_subcommands().cloned();
    let pages: Vec<Command> = pages.map(without_switches).collect();
    grammar.mut_subcommand("man", |man| {
        let about = man.get_about().cloned();
        Command::new("man")
            .about(about.unwrap_or_default())
            .subcommands(pages)
    })
}

fn without_switches(command: Command) -> Command {
    command
        .mut_args(|arg| arg.hide(true))
        .mut_subcommands(without_switches)
}

pub(super) fn completions(args: &CompletionsArgs, form: Form) -> Page {
    let mut grammar = completed();
    let script = if args.shell == Shell::Fish {
        grammar.build();
        fish::script(&grammar)
    } else {
        let mut script = Vec::new();
        clap_complete::generate(args.shell, &mut grammar, "plugd", &mut script);
        String::from_utf8_lossy(&script).into_owned()
    };
    match form {
        Form::Json => Page::json(&json!({"shell": args.shell.to_string(), "script": script})),
        Form::Text { .. } => Page::text(script),
    }
}

/// # Errors
/// There is no such command.
pub(super) fn man(args: &ManArgs, form: Form) -> Result<Page, Failure> {
    let mut command = grammar();
    // Gives the commands below what may stand anywhere.
    command.build();
    let (mut name, mut words) = ("plugd".to_owned(), "plugd".to_owned());
    for word in &args.command {
        let below = command.find_subcommand(word).cloned();
        words.push_str(&format!(" {word}"));
        command = below.ok_or_else(|| Failure::NoCommand {
            words: words.clone(),
        })?;
        name = format!("{name}-{}", command.get_name());
    }
    let page = written(command, &name).map_err(Failure::Start)?;
    Ok(match form {
        Form::Json => Page::json(&json!({"name": name, "page": page})),
        Form::Text { .. } => Page::text(page),
    })
}

fn written(command: Command, name: &str) -> std::io::Result<String> {
    let mut page = Vec::new();
    let version = concat!("plugd ", env!("CARGO_PKG_VERSION"));
    let man = Man::new(command)
        .title(name)
        .source(version)
        .manual("plugd");
    man.render(&mut page)?;
    Ok(String::from_utf8_lossy(&page).into_owned())
}

#[cfg(test)]
mod tests {
    use clap::ValueEnum;
    use clap_complete::Shell;

    use super::{completions, man};
    use crate::args::{CompletionsArgs, ManArgs};
    use crate::fixture::text;
    use crate::page::Form;

    #[test]
    fn every_shell_knows_the_commands() {
        for &shell in Shell::value_variants() {
            let body = completions(&CompletionsArgs { shell }, text()).body;
            for word in ["marketplace", "doctor", "share", "dry-run"] {
                assert!(body.contains(word), "{shell}: {word}");
            }
        }
    }

    #[track_caller]
    fn page(words: &[&str]) -> Option<String> {
        let command = words.iter().map(|&word| word.to_owned()).collect();
        man(&ManArgs { command }, text()).ok().map(|page| page.body)
    }

    #[test]
    fn a_page_for_the_program_and_for_each_command() {
        let top = page(&[]).unwrap();
        assert!(
            top.contains(".TH plugd 1") && top.contains("CODEX_HOME"),
            "{top}"
        );
        let add = page(&["plugin", "add"]).unwrap();
        assert!(add.contains(".TH plugd\\-plugin\\-add") || add.contains("plugd-plugin-add"));
        assert!(add.contains("Examples"), "{add}");
        assert_eq!(page(&["plugin", "bogus"]), None);
        // The switches of serving stand among the options.
        let server = page(&["app-server"]).unwrap();
        let options = server.split(".SH OPTIONS").nth(1).unwrap();
        let options = options.split(".SH").next().unwrap();
        assert!(options.contains("framing"), "{server}");
    }

    #[test]
    fn json_holds_the_document() {
        let args = CompletionsArgs { shell: Shell::Bash };
        let page = completions(&args, Form::Json);
        assert!(page.body.starts_with("{\n  \"script\""), "{}", page.body);
    }
}
