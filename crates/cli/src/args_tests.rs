use clap::{CommandFactory, Parser};
use pretty_assertions::assert_eq;

use super::{
    AddArgs, Command, CommandLine, ListArgs, MarketplaceCommand, PluginArgs, PluginCommand,
    RemoveArgs, SchemaCommand, ServerCommand, UpgradeArgs,
};
use crate::flags::Flags;

#[track_caller]
fn parse(args: &str) -> CommandLine {
    let words = std::iter::once("plugd").chain(args.split_whitespace());
    CommandLine::try_parse_from(words).unwrap_or_else(|error| panic!("{args}: {error}"))
}

#[track_caller]
fn refuses(args: &str) {
    let words = std::iter::once("plugd").chain(args.split_whitespace());
    let error = CommandLine::try_parse_from(words).expect_err(args);
    assert_eq!(error.exit_code(), 2, "{args}");
}

#[track_caller]
fn lists(args: &str, marketplace: Option<&str>, available: bool, json: bool) {
    let line = parse(args);
    let Command::Plugin(PluginCommand::List(found)) = line.command else {
        panic!("{args}: {line:?}");
    };
    let expected = ListArgs {
        marketplace: marketplace.map(str::to_owned),
        available,
        remote: false,
    };
    assert_eq!((found, line.global.json), (expected, json), "{args}");
}

#[test]
fn listing() {
    lists("plugin list", None, false, false);
    lists("plugin list -m demo", Some("demo"), false, false);
    lists(
        "plugin list --marketplace=demo --json",
        Some("demo"),
        false,
        true,
    );
    lists("plugin list --available", None, true, false);
    lists("--json plugin list --available", None, true, true);
    lists("plugin --json list", None, false, true);
    refuses("plugin list demo");
    refuses("plugin list -m");
}

#[track_caller]
fn names(args: &str, plugin: &str, marketplace: Option<&str>) {
    let line = parse(args);
    let found = match line.command {
        Command::Plugin(PluginCommand::Add(found)) => found.plugin,
        Command::Plugin(PluginCommand::Remove(found) | PluginCommand::Read(found)) => found,
        other => panic!("{args}: {other:?}"),
    };
    let expected = PluginArgs {
        plugin: plugin.to_owned(),
        marketplace: marketplace.map(str::to_owned),
    };
    assert_eq!(found, expected, "{args}");
}

#[test]
fn one_plugin() {
    names("plugin add hello@demo", "hello@demo", None);
    names("plugin add hello -m demo", "hello", Some("demo"));
    names("plugin remove hello@demo --json", "hello@demo", None);
    names(
        "plugin read --marketplace demo hello",
        "hello",
        Some("demo"),
    );
    refuses("plugin add");
    refuses("plugin add a b");
    refuses("plugin remove");
    refuses("plugin read");
    refuses("plugin upgrade");
}

#[track_caller]
fn adds(args: &str, source: &str, ref_name: Option<&str>, sparse: &[&str]) {
    let MarketplaceCommand::Add(found) = of_marketplaces(args) else {
        panic!("{args}");
    };
    let expected = AddArgs {
        source: source.to_owned(),
        ref_name: ref_name.map(str::to_owned),
        sparse: sparse.iter().map(|&path| path.to_owned()).collect(),
    };
    assert_eq!(found, expected, "{args}");
}

#[track_caller]
fn of_marketplaces(args: &str) -> MarketplaceCommand {
    match parse(args).command {
        Command::Marketplace(command) | Command::Plugin(PluginCommand::Marketplace(command)) => {
            command
        }
        other => panic!("{args}: {other:?}"),
    }
}

#[track_caller]
fn upgrades(args: &str, name: Option<&str>) {
    let MarketplaceCommand::Upgrade(found) = of_marketplaces(args) else {
        panic!("{args}");
    };
    let name = name.map(str::to_owned);
    assert_eq!(found, UpgradeArgs { name }, "{args}");
}

#[track_caller]
fn removes(args: &str, name: &str, plugins: bool) {
    let MarketplaceCommand::Remove(found) = of_marketplaces(args) else {
        panic!("{args}");
    };
    let name = name.to_owned();
    assert_eq!(found, RemoveArgs { name, plugins }, "{args}");
}

#[test]
fn marketplaces_have_two_spellings() {
    for prefix in ["plugin marketplace", "marketplace"] {
        adds(&format!("{prefix} add ./demo"), "./demo", None, &[]);
        adds(
            &format!("{prefix} add owner/repo --ref v1 --sparse a --sparse b"),
            "owner/repo",
            Some("v1"),
            &["a", "b"],
        );
        parse(&format!("{prefix} list"));
        let spelled = |rest: &str| format!("{prefix} {rest}");
        upgrades(&spelled("upgrade"), None);
        upgrades(&spelled("upgrade demo --json"), Some("demo"));
        removes(&spelled("remove demo"), "demo", false);
        removes(&spelled("remove --plugins demo"), "demo", true);
        refuses(&spelled("upgrade a b"));
        refuses(&spelled("upgrade --plugins"));
        refuses(&format!("{prefix} add"));
        refuses(&format!("{prefix} remove"));
        refuses(&format!("{prefix} bogus"));
        refuses(prefix);
    }
}

#[test]
fn flags_may_stand_anywhere() {
    let expected = Flags {
        overrides: vec!["a=1".to_owned(), "b=2".to_owned()],
        enable: vec!["x".to_owned()],
        disable: vec!["y".to_owned()],
        profile: Some("work".to_owned()),
    };
    for args in [
        "-c a=1 --config b=2 --enable x --disable y --profile work plugin list",
        "plugin list -c a=1 -c b=2 --enable x --disable=y --profile=work",
        "plugin -c a=1 -cb=2 --enable=x --disable y --profile work list",
    ] {
        assert_eq!(parse(args).global.flags(), expected, "{args}");
    }
}

#[test]
fn generated_files() {
    let line = parse("schema generate --out x");
    let Command::Schema(SchemaCommand::Generate(args)) = line.command else {
        panic!("{line:?}");
    };
    assert_eq!(args.out, std::path::Path::new("x"));
    for args in [
        "app-server generate-ts --out x",
        "app-server generate-ts -o x --experimental --prettier /usr/bin/prettier",
    ] {
        let line = parse(args);
        let Command::AppServer(ServerCommand::GenerateTs(args)) = line.command else {
            panic!("{line:?}");
        };
        assert_eq!(args.out, std::path::Path::new("x"));
    }
    let line = parse("app-server generate-json-schema --out x --experimental");
    assert!(matches!(
        line.command,
        Command::AppServer(ServerCommand::GenerateJsonSchema(_))
    ));
    refuses("schema generate");
    refuses("schema");
    refuses("app-server generate-ts");
}

#[test]
fn the_grammar_is_consistent() {
    CommandLine::command().debug_assert();
}

/// Every command, the hidden ones and clap's own aside.
fn each(command: &mut clap::Command, path: &str, check: &dyn Fn(&str, &str)) {
    check(path, &command.render_help().to_string());
    check(path, &command.render_long_help().to_string());
    for below in command.get_subcommands_mut() {
        let name = below.get_name().to_owned();
        if name != "help" {
            each(below, &format!("{path} {name}"), check);
        }
    }
}

#[test]
fn every_command_has_one_example() {
    let mut command = CommandLine::command();
    command.build();
    each(&mut command, "plugd", &|path, help| {
        assert_eq!(help.matches("Examples:").count(), 1, "{path}:\n{help}");
        assert!(
            help.lines().all(|line| line.chars().count() <= 100),
            "{path}:\n{help}"
        );
    });
}

#[test]
fn the_top_level_explains_exit_codes() {
    let help = CommandLine::command().render_long_help().to_string();
    for line in [
        "  0    done",
        "  1    the command failed",
        "  2    the command line cannot",
        "  130  ended by Ctrl-C",
    ] {
        assert!(help.contains(line), "{line}\n{help}");
    }
}

/// The words of a line as a shell takes them, without where the output goes.
fn words(line: &str) -> Vec<String> {
    let (mut words, mut word, mut quoted, mut escaped) = (Vec::new(), String::new(), false, false);
    for character in line.chars() {
        match character {
            _ if escaped => {
                word.push(character);
                escaped = false;
            }
            '\'' => quoted = !quoted,
            '\\' if !quoted => escaped = true,
            ' ' if !quoted => words.push(std::mem::take(&mut word)),
            _ => word.push(character),
        }
    }
    words.push(word);
    let redirected = words.iter().position(|word| word == ">");
    words.truncate(redirected.unwrap_or(words.len()));
    words
}

#[test]
fn every_example_is_a_command_line() {
    let mut command = CommandLine::command();
    command.build();
    each(&mut command, "plugd", &|path, help| {
        let examples = help.split("Examples:\n").nth(1).unwrap();
        let lines = examples.lines().take_while(|line| line.starts_with("  "));
        let lines: Vec<&str> = lines.map(str::trim).collect();
        assert!(!lines.is_empty(), "{path}:\n{help}");
        for line in lines {
            if line.starts_with("plugd app-server --") {
                // Serving has a reader of its own.
                continue;
            }
            if let Err(error) = CommandLine::try_parse_from(words(line)) {
                panic!("{path}: {line}: {error}");
            }
        }
    });
}

/// Which command asks a method; nothing for those that are about one connection or one process.
const METHODS: &[(&str, Option<&str>)] = &[
    ("initialize", None),
    ("shutdown", None),
    ("plugin/list", Some("plugin list")),
    ("plugin/installed", Some("plugin list")),
    ("plugin/search", Some("plugin search x")),
    ("plugin/read", Some("plugin read a@b")),
    ("plugin/skill/read", Some("plugin skill a@b c")),
    ("plugin/install", Some("plugin add a@b")),
    ("plugin/uninstall", Some("plugin remove a@b")),
    ("plugin/reconcile", Some("plugin sync")),
    ("plugin/share/save", Some("plugin share save .")),
    (
        "plugin/share/updateTargets",
        Some("plugin share update x --visibility listed"),
    ),
    ("plugin/share/list", Some("plugin share list")),
    ("plugin/share/checkout", Some("plugin share checkout x")),
    ("plugin/share/delete", Some("plugin share delete x")),
    ("marketplace/add", Some("marketplace add .")),
    ("marketplace/remove", Some("marketplace remove x")),
    ("marketplace/upgrade", Some("marketplace upgrade")),
    ("skills/list", Some("skills list")),
    ("skills/config/write", Some("skills disable x")),
    ("skills/extraRoots/set", None),
    ("hooks/list", Some("hooks list")),
    ("config/read", Some("config read")),
    ("config/value/write", Some("config write a=1")),
    ("config/batchWrite", Some("config write a=1 b=2")),
    ("configRequirements/read", Some("config requirements")),
    ("plugd/inspect", Some("plugin inspect a@b")),
    ("plugd/components", Some("components")),
    ("plugd/release", None),
    ("plugd/gc", Some("gc")),
    ("plugd/verify", Some("verify")),
    ("plugd/versions", Some("plugin versions")),
    ("plugd/outdated", Some("plugin outdated")),
    ("plugd/update", Some("plugin update --confirm")),
    ("plugd/pin", Some("plugin pin a@b")),
    ("plugd/approve", Some("plugin approve a@b")),
    ("plugd/rollback", Some("plugin rollback a@b --to 1")),
    ("plugd/lock", Some("lock")),
    ("plugd/sync", Some("sync --frozen")),
    ("plugd/export", Some("export a.tar.gz")),
    ("plugd/import", Some("import a.tar.gz")),
    ("plugd/link", Some("link .")),
    ("plugd/unlink", Some("unlink .")),
    ("plugd/mentions", Some("mentions x")),
    ("plugd/instructions", Some("instructions")),
    ("plugd/status", Some("status")),
    ("rpc.discover", Some("schema generate --out x")),
];

#[test]
fn every_method_has_a_command_or_is_the_daemons_alone() {
    let files = plugd_server::schema::all_files().unwrap();
    let document = files
        .iter()
        .find(|file| file.path.ends_with("openrpc.json"))
        .unwrap();
    let document: serde_json::Value = serde_json::from_str(&document.content).unwrap();
    let methods = document["methods"].as_array().unwrap();
    let methods: std::collections::BTreeSet<&str> = methods
        .iter()
        // Notifications have none.
        .filter(|method| method.get("result").is_some())
        .filter_map(|method| method["name"].as_str())
        .collect();
    let table = METHODS.iter().map(|(method, _)| *method).collect();
    assert_eq!(methods, table);
    for line in METHODS.iter().filter_map(|(_, line)| *line) {
        parse(line);
    }
}

#[test]
fn a_word_behind_an_unknown_switch_is_no_value_when_it_is_a_command() {
    let mut command = CommandLine::command();
    command.build();
    let names: Vec<&str> = command
        .get_subcommands()
        .map(clap::Command::get_name)
        .collect();
    for name in names {
        assert!(crate::invocation::COMMANDS.contains(&name), "{name}");
    }
}
