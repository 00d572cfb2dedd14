use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use super::{Edit, Merge, apply};
use crate::KeyPath;

fn edit(path: &str, value: Value) -> Edit {
    Edit {
        key_path: KeyPath::parse(path).unwrap(),
        value: (!value.is_null()).then_some(value),
        strategy: Merge::Replace,
    }
}

#[track_caller]
fn check(before: &str, path: &str, value: Value, after: &str) {
    let edited = apply(before, &[edit(path, value)]).unwrap();
    assert_eq!(edited.after.text, after);
}

/// Checks an insertion, and that the deletion of `gone` brings back the old bytes.
#[track_caller]
fn check_both(before: &str, path: &str, value: Value, after: &str, gone: &str) {
    check(before, path, value, after);
    check(after, gone, Value::Null, before);
}

#[test]
fn a_value_is_exchanged_in_place() {
    check(
        "# head\r\n[plugins.\"p@m\"] # why\r\n  enabled  =  true  # on\r\nx = 1\r\n",
        "plugins.p@m.enabled",
        json!(false),
        "# head\r\n[plugins.\"p@m\"] # why\r\n  enabled  =  false  # on\r\nx = 1\r\n",
    );
    check(
        "\u{feff}a.b.c = '''\nx'''",
        "a.b.c",
        json!(1),
        "\u{feff}a.b.c = 1",
    );
    check(
        "a = { b = { c = 1, d = 2 } }",
        "a.b.c",
        json!([1]),
        "a = { b = { c = [1], d = 2 } }",
    );
    check(
        "[a]\nb = [1, 2]\n",
        "a.b",
        json!(["x"]),
        "[a]\nb = [\"x\"]\n",
    );
    check("b = [1, 2, 3]\n", "b.1", json!(9), "b = [1, 9, 3]\n");
}

#[test]
fn the_same_value_changes_no_byte() {
    for text in ["a = 0x10", "a = 1_6", "a=16 # x"] {
        check(text, "a", json!(16), text);
    }
    check("t = { x = 'y' }", "t", json!({"x": "y"}), "t = { x = 'y' }");
    check("a = 1979-05-27", "a", json!("1979-05-27"), "a = 1979-05-27");
}

#[test]
fn a_new_plugin_goes_behind_the_last_one() {
    let path = "plugins.q@m.enabled";
    let gone = "plugins.q@m";
    check_both(
        "",
        path,
        json!(true),
        "[plugins.\"q@m\"]\nenabled = true\n",
        gone,
    );
    check_both(
        "\u{feff}",
        path,
        json!(true),
        "\u{feff}[plugins.\"q@m\"]\nenabled = true\n",
        gone,
    );
    check_both(
        "model = \"x\"\n",
        path,
        json!(true),
        "model = \"x\"\n\n[plugins.\"q@m\"]\nenabled = true\n",
        gone,
    );
    check_both(
        "a = 1 # end",
        path,
        json!(true),
        "a = 1 # end\n\n[plugins.\"q@m\"]\nenabled = true",
        gone,
    );
    check_both(
        "a = 1\r\n# end\r\n",
        path,
        json!(true),
        "a = 1\r\n# end\r\n\r\n[plugins.\"q@m\"]\r\nenabled = true\r\n",
        gone,
    );
    check_both(
        "a = 1\n\n",
        path,
        json!(true),
        "a = 1\n\n\n[plugins.\"q@m\"]\nenabled = true\n",
        gone,
    );
    check_both(
        "[plugins.\"p@m\"]\nenabled = true\n# of p\n\n# of z\n[z]\n",
        path,
        json!(true),
        "[plugins.\"p@m\"]\nenabled = true\n# of p\n\n[plugins.\"q@m\"]\nenabled = true\n\n# of z\n[z]\n",
        gone,
    );
    check_both(
        "[plugins.\"p@m\"]\nenabled = true\n# of z\n[z]\n",
        path,
        json!(true),
        "[plugins.\"p@m\"]\nenabled = true\n\n[plugins.\"q@m\"]\nenabled = true\n# of z\n[z]\n",
        gone,
    );
    check_both(
        "[plugins.\"p@m\"]\nenabled = true\n# tail",
        path,
        json!(true),
        "[plugins.\"p@m\"]\nenabled = true\n# tail\n\n[plugins.\"q@m\"]\nenabled = true",
        gone,
    );
    check_both(
        "[plugins]\n\n[z]\nx = 1\n[plugins.\"p@m\".mcp_servers.s]\ny = 1\n[zz]\n",
        path,
        json!(true),
        "[plugins]\n\n[z]\nx = 1\n[plugins.\"p@m\".mcp_servers.s]\ny = 1\n\n[plugins.\"q@m\"]\nenabled = true\n[zz]\n",
        gone,
    );
}

#[test]
fn dotted_and_inline_forms_stay_what_they_are() {
    check_both(
        "plugins.\"p@m\".enabled = true\nx = 1\n",
        "plugins.q@m.enabled",
        json!(true),
        "plugins.\"p@m\".enabled = true\nplugins.\"q@m\".enabled = true\nx = 1\n",
        "plugins.q@m",
    );
    check_both(
        "[plugins]\n  \"p@m\".enabled = true",
        "plugins.p@m.k",
        json!({"z": 1}),
        "[plugins]\n  \"p@m\".enabled = true\n  \"p@m\".k = { z = 1 }",
        "plugins.p@m.k",
    );
    check_both(
        "plugins = {\"p@m\"={enabled=true}} # c\n",
        "plugins.q@m.enabled",
        json!(true),
        "plugins = {\"p@m\"={enabled=true}, \"q@m\".enabled = true} # c\n",
        "plugins.q@m",
    );
    check_both("p = {}", "p.a", json!(1), "p = { a = 1 }", "p.a");
    check_both(
        "p = { a.b = 1, c = 2 }",
        "p.a.x",
        json!(1),
        "p = { a.b = 1, a.x = 1, c = 2 }",
        "p.a.x",
    );
    check_both(
        "p = { a = 1, }",
        "p.b",
        json!(1),
        "p = { a = 1, b = 1, }",
        "p.b",
    );
    check_both(
        "p = { a = 1 # c\n }",
        "p.b",
        json!(1),
        "p = { a = 1, b = 1 # c\n }",
        "p.b",
    );
    check(
        "p = { a = 1, b = 2, c = 3 }",
        "p.a",
        Value::Null,
        "p = { b = 2, c = 3 }",
    );
    check(
        "p = { a = 1, b = 2, c = 3 }",
        "p.b",
        Value::Null,
        "p = { a = 1, c = 3 }",
    );
    check(
        "p = { a = 1, # a\n b = 2 }",
        "p.b",
        Value::Null,
        "p = { a = 1 # a\n  }",
    );
    check(
        "p = { a = 1, # a\n b = 2 }",
        "p.a",
        Value::Null,
        "p = {  # a\n b = 2 }",
    );
    check(
        "p = { a.x = 1, b = 2, a.y = 3 }",
        "p.a",
        Value::Null,
        "p = { b = 2 }",
    );
    check("p = { a.x = 1, a.y = 3 }", "p.a", Value::Null, "p = {}");
}

#[test]
fn keys_join_the_table_that_is_there() {
    check_both("x = 1\n", "y", json!(2), "x = 1\ny = 2\n", "y");
    check_both("x = 1", "y", json!(2), "x = 1\ny = 2", "y");
    check_both("# c", "y", json!(2), "# c\ny = 2", "y");
    check_both(
        "# c\n\n# t\n[t]\n",
        "y",
        json!(2),
        "# c\n\ny = 2\n# t\n[t]\n",
        "y",
    );
    check_both(
        "[t]\n\n[u]\n",
        "t.y",
        json!(2),
        "[t]\ny = 2\n\n[u]\n",
        "t.y",
    );
    check_both("[t] # c", "t.y", json!(2), "[t] # c\ny = 2", "t.y");
    check_both(
        "[t]\r\n\tx = [\r\n1]\r\n# c\r\n",
        "t.y",
        json!(2),
        "[t]\r\n\tx = [\r\n1]\r\n\ty = 2\r\n# c\r\n",
        "t.y",
    );
    check("[t.u]\n", "t.y", json!(2), "[t.u]\n\n[t]\ny = 2\n");
}

#[test]
fn removing_a_table_takes_all_its_parts() {
    check(
        "# 1\n[p.a] # 2\nx = 1\n# 3\ny = 2\n# 4\n\n[z]\n\n[p.a.s]\nx = 1\n\n[p.b]\n",
        "p.a",
        Value::Null,
        "# 1\n# 4\n\n[z]\n\n[p.b]\n",
    );
    check("p.a.x = 1\nz = 1\np.a.y = 1", "p.a", Value::Null, "z = 1");
    check("[p]\na = 1\n[p.a2]\n", "p", Value::Null, "");
    check("[p]\na = 1\n", "p.q", Value::Null, "[p]\na = 1\n");
    check("a = 1\n", "a.b", Value::Null, "a = 1\n");
    check("p.a = 1\nb = 1\n", "p.a", Value::Null, "b = 1\n");
    check("[p.a]\nx = 1\n", "p.a.x", Value::Null, "[p.a]\n");
}

#[test]
fn replacing_a_table_keeps_what_stays() {
    check(
        "[t] # c\na = 1 # a\nb = 2 # b\n",
        "t",
        json!({"b": 3, "c": 4}),
        "[t] # c\nb = 3 # b\nc = 4\n",
    );
    check("[t]\na = 1\n", "t", json!({}), "[t]\n");
    check("t.a = 1\n", "t", json!({}), "[t]\n");
    check("t = { a = 1 }\n", "t", json!({"b": 1}), "t = { b = 1 }\n");
    check("[t]\na = 1\n", "t", json!(5), "t = 5\n");
    check("t = 5\n", "t", json!({"a": 1}), "t = { a = 1 }\n");
    check(
        "",
        "t",
        json!({"a": {"b": 1}, "c": 1, "n": null}),
        "[t]\nc = 1\n\n[t.a]\nb = 1\n",
    );
}

#[test]
fn upsert_joins_tables() {
    let upsert = |text: &str, path: &str, value: Value| {
        let edit = Edit {
            strategy: Merge::Upsert,
            ..edit(path, value)
        };
        apply(text, &[edit]).unwrap().after.text.clone()
    };
    assert_eq!(
        upsert("[t]\na = 1\n", "t", json!({"a": 2, "b": {"c": 1}})),
        "[t]\na = 2\n\n[t.b]\nc = 1\n"
    );
    assert_eq!(
        upsert("t = { a = [1] }", "t", json!({"a": [2]})),
        "t = { a = [2] }"
    );
    assert_eq!(upsert("", "t", json!({})), "[t]\n");
    assert_eq!(upsert("t = 1", "t", json!({"a": 1})), "t = { a = 1 }");
}

#[test]
fn arrays_of_tables() {
    let text = "[[s.c]]\nname = \"a\" # a\n\n[[s.c]]\nname = \"b\" # b\n[s.c.x]\nk = 1\n\n[z]\n";
    check(
        text,
        "s.c.0",
        Value::Null,
        "\n[[s.c]]\nname = \"b\" # b\n[s.c.x]\nk = 1\n\n[z]\n",
    );
    check(
        text,
        "s.c.1",
        Value::Null,
        "[[s.c]]\nname = \"a\" # a\n\n[z]\n",
    );
    check(
        text,
        "s.c.0.name",
        json!("c"),
        &text.replace("\"a\"", "\"c\""),
    );
    check(
        text,
        "s.c.0.on",
        json!(true),
        &text.replace("# a\n", "# a\non = true\n"),
    );
    check(
        text,
        "s.c.0.t",
        json!({"k": 1}),
        &text.replace("# a\n", "# a\nt = { k = 1 }\n"),
    );
    check_both(
        text,
        "s.c.2",
        json!({"name": "d"}),
        &text.replace("k = 1\n", "k = 1\n\n[[s.c]]\nname = \"d\"\n"),
        "s.c.2",
    );
    check(
        text,
        "s.c",
        json!([{"name": "b", "x": {"k": 1}}, {"name": "d"}]),
        "\n[[s.c]]\nname = \"b\" # b\n[s.c.x]\nk = 1\n\n[[s.c]]\nname = \"d\"\n\n[z]\n",
    );
    check(text, "s", Value::Null, "\n[z]\n");
    check(
        "c = [\n  1,\n  2,\n]\n",
        "c.2",
        json!(3),
        "c = [\n  1,\n  2,\n  3,\n]\n",
    );
    check("c = [1]\n", "c.1", json!(2), "c = [1, 2]\n");
    check("c = []\n", "c.0", json!({"a": 1}), "c = [{ a = 1 }]\n");
    check("c = [1, 2, 3]\n", "c.1", Value::Null, "c = [1, 3]\n");
}

#[test]
fn what_cannot_be_edited_is_refused() {
    for (text, path) in [
        ("a = 1\n", "a.b"),
        ("a = [1]\n", "a.b"),
        ("a = [1]\n", "a.5"),
        ("[[a]]\n", "a.b"),
        ("[[a]]\n", "a.2"),
        ("a = { b = 1 }\n", "a.b.c"),
        ("a = \n", "a"),
    ] {
        assert!(
            apply(text, &[edit(path, json!(1))]).is_err(),
            "{text:?} {path}"
        );
    }
}

/// Whatever goes together leaves what is left when one goes after the other.
#[test]
fn several_keys_go_as_one_after_the_other() {
    let three = "[plugins.\"a@m\"]\nenabled = true\n\n# about b\n[plugins.\"b@m\"]\nenabled = true\n\
                 # in b\n[plugins.\"b@m\".mcp_servers.x]\nurl = 1\n\n[plugins.\"c@m\"]\nenabled = false";
    for (text, splices) in [
        (three, 2),
        (&format!("# head\n\n{three}\n\n[z]\n"), 2),
        (&format!("{}\r\n", three.replace('\n', "\r\n")), 2),
        (
            "plugins.\"a@m\".enabled = true\nx = 1\nplugins.\"c@m\".enabled = true\n",
            2,
        ),
        (
            "[plugins]\n\"a@m\" = { enabled = true }\n\"c@m\".enabled = true\ny = 1\n",
            1,
        ),
        // One by one, as they share commas.
        (
            "plugins = { \"a@m\" = { enabled = true }, \"c@m\".enabled = true }\n",
            2,
        ),
        ("[plugins.\"b@m\"]\nenabled = true\n", 0),
        ("", 0),
    ] {
        let gone: Vec<_> = ["a@m", "absent@m", "c@m"]
            .map(|id| edit(&format!("plugins.\"{id}\""), Value::Null))
            .into();
        let mut expected = text.to_owned();
        for one in &gone {
            expected = apply(&expected, std::slice::from_ref(one))
                .unwrap()
                .after
                .text
                .clone();
        }
        let edited = apply(text, &gone).unwrap();
        assert_eq!(edited.after.text, expected);
        assert_eq!(edited.after.meaning, super::meaning(&expected).unwrap());
        assert_eq!(edited.splices.len(), splices, "{text}");
        let mut back = expected;
        for splice in edited.splices.iter().rev() {
            let end = splice.at + splice.inserted.len();
            back.replace_range(splice.at..end, &splice.removed);
        }
        assert_eq!(back, text);
    }
}

#[test]
fn keys_that_depend_on_each_other_go_one_by_one() {
    let gone = |paths: &[&str], text: &str| {
        let edits: Vec<_> = paths.iter().map(|path| edit(path, Value::Null)).collect();
        apply(text, &edits).unwrap().after.text.clone()
    };
    // The second element is the third one by then.
    assert_eq!(
        gone(
            &["a.0", "a.1"],
            "[[a]]\nx = 1\n[[a]]\nx = 2\n[[a]]\nx = 3\n"
        ),
        "[[a]]\nx = 2\n"
    );
    assert_eq!(gone(&["a.b", "a"], "[a]\nb = 1\n[a.c]\n[d]\n"), "[d]\n");
    assert_eq!(gone(&["a", "a.b"], "[a]\nb = 1\n[a.c]\n[d]\n"), "[d]\n");
    // Two tables that are there through one key each.
    assert_eq!(gone(&["a.b", "c.d"], "a.b = 1\nc.d = 2\n"), "");
}

/// Whatever is set together leaves what is left when one is set after the other.
#[test]
fn several_keys_are_set_as_one_after_the_other() {
    for (text, splices) in [
        ("", 3),
        (
            "x = 1\n\n[plugins.\"b@m\"]\nenabled = false # why\n\n[z]\n",
            3,
        ),
        ("[plugins.\"a@m\"]\nenabled = true\n", 2),
        ("plugins = { \"a@m\" = { enabled = false } }\n", 3),
        ("[plugins]\r\n\"c@m\".enabled = false\r\n", 3),
        (
            "plugins.\"a@m\".enabled = true\nplugins.\"b@m\".enabled = true\nplugins.\"c@m\".enabled = true",
            0,
        ),
    ] {
        let set: Vec<_> = ["a@m", "b@m", "c@m"]
            .map(|id| edit(&format!("plugins.\"{id}\".enabled"), json!(true)))
            .into();
        let mut expected = text.to_owned();
        for one in &set {
            let edited = apply(&expected, std::slice::from_ref(one)).unwrap();
            expected.clone_from(&edited.after.text);
        }
        let edited = apply(text, &set).unwrap();
        assert_eq!(edited.after.text, expected);
        assert_eq!(edited.after.meaning, super::meaning(&expected).unwrap());
        assert_eq!(edited.splices.len(), splices, "{text}");
    }
}

#[test]
fn keys_of_which_one_is_above_the_other_are_set_one_by_one() {
    let set = |edits: &[(&str, Value)]| {
        let edits: Vec<_> = edits
            .iter()
            .map(|(path, value)| edit(path, value.clone()))
            .collect();
        apply("", &edits).map(|edited| edited.after.meaning.clone())
    };
    let twice = [("a.b", json!(1)), ("a.b", json!(2))];
    assert_eq!(set(&twice).unwrap(), json!({"a": {"b": 2}}));
    let above = [("a.b", json!(1)), ("a", json!({"c": 1}))];
    assert_eq!(set(&above).unwrap(), json!({"a": {"c": 1}}));
    let both = [("a.b", json!(1)), ("a.b", Value::Null), ("c", json!(1))];
    assert_eq!(set(&both).unwrap(), json!({"a": {}, "c": 1}));
}
