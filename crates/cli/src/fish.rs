//! Completions for fish, made from the grammar.
//!
//! The generator of the library knows commands two levels deep, and ours are three. Here each word is
//! offered where the whole command before the cursor is the one it belongs to.

use clap::{Arg, Command, ValueHint};

/// The script. The grammar must be built, so that each command has what may stand anywhere.
pub(crate) fn script(grammar: &Command) -> String {
    let mut known = Known::default();
    known.walk(grammar, "");
    let mut script = known.function();
    script.push_str("complete -c plugd -f\n");
    for arg in grammar.get_arguments().filter(|arg| is_anywhere(arg)) {
        script.push_str(&option(arg, ""));
    }
    offer(grammar, "", &mut script);
    script
}

/// What the script needs to know to find the command before the cursor.
#[derive(Default)]
struct Known {
    commands: Vec<String>,
    /// Switches behind which a word is a value and no command.
    with_value: Vec<String>,
}

impl Known {
    fn walk(&mut self, command: &Command, path: &str) {
        for arg in command.get_arguments() {
            if takes_value(arg) {
                self.with_value.extend(switches(arg));
            }
        }
        for below in command.get_subcommands().filter(|one| !one.is_hide_set()) {
            let path = format!("{path} {}", below.get_name());
            self.walk(below, &path);
            self.commands.push(path.trim_start().to_owned());
        }
    }

    fn function(mut self) -> String {
        self.with_value.sort();
        self.with_value.dedup();
        let commands = self.commands.iter().map(|path| quoted(path));
        let commands = commands.collect::<Vec<_>>().join(" \\\n    ");
        let with_value = self.with_value.join(" ");
        format!(
            "set -g __plugd_commands \\\n    {commands}\n\n\
             function __plugd_at --description 'Whether the command before the cursor is this one'\n\
             \x20   set -l words (commandline -opc)\n\
             \x20   set -l at\n\
             \x20   set -l is_value no\n\
             \x20   for word in $words[2..-1]\n\
             \x20       if test $is_value = yes\n\
             \x20           set is_value no\n\
             \x20           continue\n\
             \x20       end\n\
             \x20       switch $word\n\
             \x20           case {with_value}\n\
             \x20               set is_value yes\n\
             \x20           case '-*'\n\
             \x20               continue\n\
             \x20           case '*'\n\
             \x20               set -l longer (string trim \"$at $word\")\n\
             \x20               if contains -- $longer $__plugd_commands\n\
             \x20                   set at $longer\n\
             \x20               end\n\
             \x20       end\n\
             \x20   end\n\
             \x20   test \"$at\" = \"$argv\"\n\
             end\n\n"
        )
    }
}

/// Everything that can stand behind one command, and behind those below it.
fn offer(command: &Command, path: &str, script: &mut String) {
    let path = path.trim_start();
    let condition = format!(" -n {}", quoted(format!("__plugd_at {path}").trim_end()));
    for arg in command.get_arguments() {
        if is_anywhere(arg) || arg.is_hide_set() {
            continue;
        }
        script.push_str(&match arg.is_positional() {
            true => positional(arg, &condition),
            false => option(arg, &condition),
        });
    }
    for below in command.get_subcommands().filter(|one| !one.is_hide_set()) {
        let about = below.get_about().map(ToString::to_string);
        let (name, about) = (quoted(below.get_name()), described(about.as_deref()));
        script.push_str(&format!(
            "complete -c plugd{condition} -f -a {name}{about}\n"
        ));
        offer(below, &format!("{path} {}", below.get_name()), script);
    }
}

/// Whether it may stand behind every command.
fn is_anywhere(arg: &Arg) -> bool {
    arg.is_global_set() || arg.get_id() == "help"
}

fn option(arg: &Arg, condition: &str) -> String {
    let mut line = format!("complete -c plugd{condition}");
    if let Some(short) = arg.get_short() {
        line.push_str(&format!(" -s {short}"));
    }
    if let Some(long) = arg.get_long() {
        line.push_str(&format!(" -l {long}"));
    }
    if takes_value(arg) {
        line.push_str(&values(arg).unwrap_or_else(|| match is_file(arg) {
            true => " -r -F".to_owned(),
            false => " -x".to_owned(),
        }));
    }
    let help = arg.get_help().map(ToString::to_string);
    format!("{line}{}\n", described(help.as_deref()))
}

fn positional(arg: &Arg, condition: &str) -> String {
    let offered = values(arg).or_else(|| is_file(arg).then(|| " -F".to_owned()));
    offered.map_or_else(String::new, |offered| {
        format!("complete -c plugd{condition}{offered}\n")
    })
}

/// The words that a value is one of.
fn values(arg: &Arg) -> Option<String> {
    let values = arg.get_possible_values();
    let words = values.iter().filter(|value| !value.is_hide_set());
    let words: Vec<&str> = words.map(|value| value.get_name()).collect();
    (!words.is_empty() && takes_value(arg)).then(|| format!(" -x -a {}", quoted(&words.join(" "))))
}

fn takes_value(arg: &Arg) -> bool {
    arg.get_action().takes_values()
}

fn is_file(arg: &Arg) -> bool {
    matches!(
        arg.get_value_hint(),
        ValueHint::AnyPath | ValueHint::FilePath | ValueHint::DirPath
    )
}

fn switches(arg: &Arg) -> impl Iterator<Item = String> {
    let short = arg.get_short().map(|short| format!("-{short}"));
    let long = arg.get_long().map(|long| format!("--{long}"));
    short.into_iter().chain(long)
}

fn described(text: Option<&str>) -> String {
    text.map_or_else(String::new, |text| format!(" -d {}", quoted(text)))
}

/// A word of the shell.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"))
}

#[cfg(test)]
mod tests {
    use clap::{Arg, ArgAction, Command};
    use pretty_assertions::assert_eq;

    use super::script;

    #[test]
    fn words_are_offered_behind_their_own_command() {
        let mut grammar = Command::new("plugd")
            .arg(
                Arg::new("json")
                    .long("json")
                    .global(true)
                    .action(ArgAction::SetTrue),
            )
            .disable_help_subcommand(true)
            .subcommand(Command::new("a").about("It's one").subcommand(
                Command::new("b").arg(Arg::new("v").short('v').value_parser(["x", "y"])),
            ));
        grammar.build();
        let script = script(&grammar);
        let lines: Vec<&str> = script
            .lines()
            .filter(|line| line.starts_with("complete") && !line.contains("help"))
            .collect();
        assert_eq!(
            lines,
            [
                "complete -c plugd -f",
                "complete -c plugd -l json",
                "complete -c plugd -n '__plugd_at' -f -a 'a' -d 'It\\'s one'",
                "complete -c plugd -n '__plugd_at a' -f -a 'b'",
                "complete -c plugd -n '__plugd_at a b' -s v -x -a 'x y'",
            ]
        );
        assert!(script.contains("case -v\n"), "{script}");
    }
}
