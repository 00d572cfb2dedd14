use plugd_disk::Disk;
use plugd_testkit::Sandbox;
use pretty_assertions::assert_eq;

use super::{Checkout, Mark, nearest, of_root};

const MAIN: &str = "== main/.git/HEAD\nref\n== main/.git/worktrees/w/HEAD\nref\n";
const POINTER: &str = "gitdir: $ROOT/main/.git/worktrees/w\n";

/// A worktree `w` that is linked to `main`, as git makes it.
fn linked() -> Sandbox {
    let sandbox = Sandbox::from(MAIN);
    set(&sandbox, "w/.git", POINTER);
    set(&sandbox, "main/.git/worktrees/w/commondir", "../..\n");
    set(&sandbox, "main/.git/worktrees/w/gitdir", "$ROOT/w/.git\n");
    sandbox
}

fn set(sandbox: &Sandbox, file: &str, text: &str) {
    sandbox.write(file, sandbox.expand(text));
}

fn checkout(sandbox: &Sandbox, directory: &str) -> Option<Checkout> {
    let disk = Disk::new();
    let (root, mark) = nearest(&disk, &sandbox.path(directory))?;
    of_root(&disk, root, mark)
}

/// The main checkout that a directory is found to be linked to, relative to the sandbox.
fn main_of(sandbox: &Sandbox, directory: &str) -> Option<String> {
    let main = checkout(sandbox, directory)?.linked_to?;
    let below = main.as_path().strip_prefix(sandbox.root()).unwrap();
    Some(below.to_string_lossy().into_owned())
}

#[track_caller]
fn check(file: &str, text: &str, expected: Option<&str>) {
    let sandbox = linked();
    set(&sandbox, file, text);
    let found = main_of(&sandbox, "w/gone/deep");
    assert_eq!(found.as_deref(), expected, "{file}: {text}");
}

#[test]
fn a_linked_worktree_knows_its_main_checkout() {
    let sandbox = linked();
    let found = checkout(&sandbox, "w/a/b").unwrap();
    let (main, root) = (sandbox.path("main"), sandbox.path("w"));
    assert_eq!(found.main(), &main);
    assert_eq!(found.counterpart(&root), Some(main.clone()));
    let below = found.counterpart(&sandbox.path("w/a/b"));
    assert_eq!(below, Some(main.join("a/b")));
    assert_eq!(found.counterpart(&sandbox.path("x")), None);
    let own = checkout(&sandbox, "main/a").unwrap();
    assert_eq!((own.main(), own.counterpart(&main)), (&main, None));
}

#[test]
fn spellings_of_the_pointer() {
    for text in [
        "gitdir: ../main/.git/worktrees/w\n",
        "gitdir:$ROOT/main/.git/worktrees/w",
        "  gitdir:   $ROOT/main/.git/worktrees/w/ \r\n\n",
        "gitdir: $ROOT/gone/../main/.git/./worktrees//x/../w\n",
    ] {
        check("w/.git", text, Some("main"));
    }
    for text in [
        "",
        "\n",
        "junk",
        "gitdir:",
        "GITDIR: $ROOT/main/.git/worktrees/w\n",
        "gitdir: $ROOT/main/.git/worktrees/w\nmore\n",
        "gitdir: $ROOT/main/.git\n",
        "gitdir: $ROOT/main/.git/worktrees\n",
        "gitdir: $ROOT/main/.git/worktrees/gone\n",
        "gitdir: $ROOT/main/.git/worktrees/w/deep\n",
        "gitdir: /\n",
        "gitdir: a\0b/.git/worktrees/w\n",
    ] {
        check("w/.git", text, None);
    }
    let long = POINTER.to_owned() + &" ".repeat(1 << 16);
    check("w/.git", &long, None);
}

#[test]
fn the_repository_has_to_say_so_too() {
    let back = "main/.git/worktrees/w/gitdir";
    for text in ["../../../../w/.git", "  $ROOT/w/x/../.git/\n\n"] {
        check(back, text, Some("main"));
    }
    for text in ["", "$ROOT/w", "$ROOT/other/.git\n", "$ROOT/gone/.git\n"] {
        check(back, text, None);
    }
    let common = "main/.git/worktrees/w/commondir";
    for text in ["$ROOT/main/.git\n", " ../../gone/.. \n"] {
        check(common, text, Some("main"));
    }
    for text in ["", "..", "../../..", "$ROOT/w/.git", "$ROOT/gone"] {
        check(common, text, None);
    }
    for file in [back, common, "main/.git/worktrees/w"] {
        let sandbox = linked();
        sandbox.remove(file);
        assert_eq!(main_of(&sandbox, "w"), None, "{file}");
    }
}

#[test]
fn a_copy_of_a_worktree_is_none() {
    let sandbox = linked();
    set(&sandbox, "copy/.git", POINTER);
    assert_eq!(main_of(&sandbox, "copy"), None);
    assert_eq!(main_of(&sandbox, "w").as_deref(), Some("main"));
}

#[test]
fn a_directory_that_brings_its_own_repository_is_linked_to_that_only() {
    let sandbox = linked();
    set(&sandbox, "evil/.git", "gitdir: in/.git/worktrees/x\n");
    let own = "evil/in/.git/worktrees/x";
    set(&sandbox, &format!("{own}/gitdir"), "$ROOT/evil/.git\n");
    let common = format!("{own}/commondir");
    set(&sandbox, &common, "$ROOT/main/.git\n");
    assert_eq!(main_of(&sandbox, "evil"), None);
    set(&sandbox, &common, "../..\n");
    assert_eq!(main_of(&sandbox, "evil").as_deref(), Some("evil/in"));
}

#[test]
fn other_repositories_have_no_main_checkout() {
    for own in ["bare.git/worktrees/w", "main/.git/modules/w"] {
        let sandbox = linked();
        sandbox.remove("main/.git/worktrees/w");
        set(&sandbox, "w/.git", &format!("gitdir: $ROOT/{own}\n"));
        set(&sandbox, &format!("{own}/commondir"), "../..\n");
        set(&sandbox, &format!("{own}/gitdir"), "$ROOT/w/.git\n");
        assert_eq!(checkout(&sandbox, "w"), None, "{own}");
    }
}

#[cfg(unix)]
#[test]
fn links_on_the_way() {
    let sandbox = linked();
    sandbox.add(
        "== lm -> main\n== lw -> w\n== evil/.git -> ../w/.git\n== repo/.git -> ../main/.git\n",
    );
    assert_eq!(main_of(&sandbox, "lw/a").as_deref(), Some("main"));
    set(&sandbox, "w/.git", "gitdir: $ROOT/lm/.git/worktrees/w\n");
    assert_eq!(main_of(&sandbox, "w").as_deref(), Some("lm"));
    set(&sandbox, "w/.git", POINTER);
    // A file in the place of a directory is what git makes, and a link to one is not.
    assert_eq!(checkout(&sandbox, "evil"), None);
    let (root, linked_to) = (sandbox.path("repo"), None);
    let expected = Checkout { root, linked_to };
    assert_eq!(checkout(&sandbox, "repo"), Some(expected));
    sandbox.rename("main/.git/worktrees/w", "real");
    sandbox.add("== main/.git/worktrees/w -> ../../../real\n");
    assert_eq!(main_of(&sandbox, "w"), None);
}

#[test]
fn the_nearest_mark_decides() {
    let sandbox = linked();
    sandbox.add("== w/in/.git/HEAD\nref\n== w/none/.git/\n== w/file/.git\njunk\n");
    let found = |directory: &str| nearest(&Disk::new(), &sandbox.path(directory));
    let expected = |root: &str, mark| Some((sandbox.path(root), mark));
    assert_eq!(found("w/in/a"), expected("w/in", Mark::Repository));
    assert_eq!(found("w/none/a"), expected("w", Mark::Pointer));
    assert_eq!(found("w/file"), expected("w/file", Mark::Pointer));
    assert_eq!(checkout(&sandbox, "w/file"), None);
}
