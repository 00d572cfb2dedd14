//! Sources in OCI registries and behind addresses.

use super::check;

/// A SHA-256 in the one form.
const DIGEST: &str = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

#[test]
fn artifacts_of_oci_registries() {
    let digits = &DIGEST[7..];
    for (members, expected) in [
        (
            r#""url":"oci://H.example/a/b:1""#,
            "oci oci://h.example/a/b:1".to_owned(),
        ),
        (r#""ref":" oci://h/a ""#, "oci oci://h/a".to_owned()),
        (
            &format!(r#""url":"oci://h/a:1","digest":"{DIGEST}""#),
            format!("oci oci://h/a:1@{DIGEST}"),
        ),
        (
            &format!(
                r#""url":"oci://h/a@{DIGEST}","digest":"{}""#,
                digits.to_uppercase()
            ),
            format!("oci oci://h/a@{DIGEST}"),
        ),
        (
            r#""x":1"#,
            "error badSource plugins[0].source 2:22".to_owned(),
        ),
        (
            r#""url":"oci://h/a","ref":"oci://h/a""#,
            "error badSource plugins[0].source.ref 2:62".to_owned(),
        ),
        (
            r#""url":"https://h/a""#,
            "error badSource plugins[0].source.url 2:44".to_owned(),
        ),
        (
            r#""url":"oci://u:p@h/a""#,
            "error badSource plugins[0].source.url 2:44".to_owned(),
        ),
        (
            r#""url":5"#,
            "error badSource plugins[0].source.url 2:44".to_owned(),
        ),
        (
            r#""url":"oci://h/a","digest":"abc""#,
            "error badSource plugins[0].source.digest 2:65".to_owned(),
        ),
        (
            &format!(
                r#""url":"oci://h/a@{DIGEST}","digest":"{}""#,
                "0".repeat(64)
            ),
            "error badSource plugins[0].source.digest 2:137".to_owned(),
        ),
    ] {
        check(&format!(r#"{{"source":"oci",{members}}}"#), &expected);
    }
}

#[test]
fn archives_behind_addresses() {
    let digits = &DIGEST[7..];
    let whole = format!("archive https://h/a.tgz {DIGEST}");
    for (members, expected) in [
        (
            format!(r#""url":"https://h/a.tgz","sha256":"{digits}""#),
            whole.as_str(),
        ),
        (
            format!(r#""url":"https://h/a.tgz#sha256={digits}""#),
            &whole,
        ),
        (
            format!(r#""url":"https://h/a.tgz#sha256={digits}","sha256":"{DIGEST}""#),
            &whole,
        ),
        (
            r#""url":"https://h/a.tgz""#.to_owned(),
            "error badSource plugins[0].source 2:22",
        ),
        (
            format!(r#""url":"http://h/a.tgz","sha256":"{digits}""#),
            "error badSource plugins[0].source.url 2:48",
        ),
        (
            format!(r#""url":"https://h/a.tgz?t=1","sha256":"{digits}""#),
            "error badSource plugins[0].source.url 2:48",
        ),
        (
            r#""url":"https://h/a.tgz","sha256":"abc""#.to_owned(),
            "error badSource plugins[0].source.sha256 2:75",
        ),
    ] {
        check(&format!(r#"{{"source":"archive",{members}}}"#), expected);
    }
}
