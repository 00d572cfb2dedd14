use pretty_assertions::assert_eq;

use super::{Address, Kind, Refusal};

#[track_caller]
fn check_refused(text: &str, refusal: Refusal) {
    let error = Address::parse(text).expect_err(text);
    assert_eq!(error.refusal, refusal, "{text:?}");
}

#[test]
fn what_is_no_address_is_refused() {
    for text in [
        "",
        "-x",
        "--upload-pack=touch /tmp/x",
        "https://",
        "https://-x/a",
        "https://h/a\nb",
        "ssh://-oProxyCommand=x/a",
        "ssh://h",
        "-oProxyCommand=x:a",
        "me@-x:a",
        "h:-x",
        "h:",
        "ssh://h:99999/a",
        "ssh://me:secret@h/a",
        "https://h/a?b",
        "file://other/a",
        "file://%zz",
        "https://h/a b",
    ] {
        check_refused(text, Refusal::Malformed);
    }
    for text in [
        "ftp://h/a",
        "git://h/a",
        "a/b",
        "./a",
        "~/a",
        "javascript://h/a",
    ] {
        check_refused(text, Refusal::Scheme);
    }
    for text in ["ext::sh -c id", "fd::17", "ext::ssh://h/a"] {
        check_refused(text, Refusal::Helper);
    }
    for text in [
        "http://example.org/a",
        "http://10.0.0.1/a",
        "http://localhost.evil.org/a",
    ] {
        check_refused(text, Refusal::PlainHttp);
    }
}

#[test]
fn a_login_that_leads_to_another_host_is_refused_and_not_shown() {
    for text in [
        "https://bob:hidden/x@h.test/m.git",
        "https://bob:hid?den@h.test/m.git",
        "https://hidden/x@h.test/m.git",
        "https:/bob:hidden@h.test/m.git",
        "bob:hidden/x@h.test/m.git",
        "ssh://bob:hidden/x@h.test/m.git",
    ] {
        check_refused(text, Refusal::HiddenLogin);
        let shown = Address::parse(text).expect_err(text).to_string();
        assert!(!shown.contains("hid") && !shown.contains("bob"), "{shown}");
        assert!(shown.contains("h.test/m.git"), "{shown}");
    }
}

#[track_caller]
fn check(text: &str, shown: &str, host: &str) {
    let address = Address::parse(text).expect(text);
    assert_eq!(address.shown(), shown, "{text}");
    assert_eq!(address.host(), host, "{text}");
    assert!(!format!("{address:?}").contains("secret"), "{text}");
}

#[test]
fn accepted_addresses_show_no_secret() {
    check(
        "https://Example.org/a.git",
        "https://Example.org/a.git",
        "example.org",
    );
    check(
        "https://me:secret@example.org:8443/a",
        "https://example.org:8443/a",
        "example.org",
    );
    check(
        "https://secret@example.org/a",
        "https://example.org/a",
        "example.org",
    );
    check(
        "http://127.0.0.1:99/a",
        "http://127.0.0.1:99/a",
        "127.0.0.1",
    );
    check(
        "git@example.org:a/b.git",
        "git@example.org:a/b.git",
        "example.org",
    );
    check("file:///srv/a", "file:///srv/a", "this machine");
    check("/srv/a", "/srv/a", "this machine");
}

#[track_caller]
fn check_ssh(text: &str, destination: &str, port: Option<u16>, path: &str) {
    let address = Address::parse(text).expect(text);
    let Kind::Ssh(target) = address.kind else {
        panic!("{text} is not ssh");
    };
    assert_eq!(
        (
            target.destination.as_str(),
            target.port,
            target.path.as_str()
        ),
        (destination, port, path),
        "{text}"
    );
}

#[test]
fn ssh_is_told_destination_port_and_path() {
    check_ssh("ssh://me@h:22/srv/a", "me@h", Some(22), "/srv/a");
    check_ssh("ssh://h/~me/a", "h", None, "~me/a");
    check_ssh("git+ssh://h/a", "h", None, "/a");
    check_ssh("me@h:a/b", "me@h", None, "a/b");
    check_ssh("h:a", "h", None, "a");
    check_ssh("ssh://[::1]:22/a", "::1", Some(22), "/a");
}

#[test]
fn a_login_is_decoded_and_every_form_of_it_is_secret() {
    let address = Address::parse("https://me:s%65cret@h/a").unwrap();
    assert_eq!(
        address.login(),
        Some(("me".to_owned(), "secret".to_owned()))
    );
    let secrets = address.secrets();
    for secret in ["secret", "s%65cret", "me:s%65cret"] {
        assert!(secrets.iter().any(|one| one == secret), "{secret}");
    }
}

#[test]
fn one_mirror_serves_every_login() {
    let name = |text: &str| Address::parse(text).unwrap().mirror_name();
    assert_eq!(name("https://a:b@h/x"), name("https://h/x/"));
    assert_ne!(name("https://h/x"), name("https://h/y"));
    assert_ne!(name("ssh://a@h/~/x"), name("ssh://b@h/~/x"));
    assert_eq!(name("https://h/x").len(), 64);
}
