use plugd_disk::Disk;
use plugd_model::AbsPath;
use pretty_assertions::assert_eq;
use tempfile::TempDir;

use super::Registries;
use crate::fixture::environment;

/// A home with this npmrc, and variables.
struct Home {
    dir: TempDir,
    vars: Vec<(String, String)>,
}

impl Home {
    fn new(npmrc: &str) -> Self {
        let dir = TempDir::new().unwrap();
        let home = Self {
            dir,
            vars: Vec::new(),
        };
        home.write(".npmrc", npmrc);
        home
    }

    fn var(mut self, name: &str, value: &str) -> Self {
        self.vars.push((name.to_owned(), value.to_owned()));
        self
    }

    fn path(&self) -> AbsPath {
        AbsPath::new(self.dir.path()).unwrap()
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.path().join(name);
        Disk::new()
            .write_new(&path, text.as_bytes(), 0o600)
            .unwrap();
    }

    fn load(&self) -> Registries {
        let vars: Vec<_> = self
            .vars
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        let mut environment = environment(&vars);
        environment.home = Some(self.path());
        Registries::load(&environment, &Disk::new()).unwrap()
    }

    fn problems(&self) -> Vec<String> {
        let registries = self.load();
        let problems = registries.problems().iter();
        problems
            .map(|problem| {
                let line = problem.place.map_or(0, |place| place.line);
                format!("{line}: {}", problem.message)
            })
            .collect()
    }
}

/// The registry of a package, or why there is none.
#[track_caller]
fn check_registry(home: &Home, package: &str, named: Option<&str>, expected: &str) {
    let registry = match home.load().registry(package, named) {
        Ok(registry) => registry.text,
        Err(error) => error.to_string(),
    };
    let registry = registry.replace(&home.path().to_text(), "~");
    assert_eq!(registry, expected);
}

const DEFAULT: &str = "https://registry.npmjs.org/";

#[test]
fn the_most_special_setting_counts() {
    let home = Home::new("registry=https://a/npm\n@s:registry=https://s/");
    check_registry(&home, "x", None, "https://a/npm/");
    check_registry(&home, "@s/x", None, "https://s/");
    check_registry(&home, "@t/x", None, "https://a/npm/");
    check_registry(&home, "@s/x", Some("https://b"), "https://b/");
    check_registry(&Home::new(""), "@s/x", None, DEFAULT);
    check_registry(&Home::new("registry="), "x", None, DEFAULT);
    check_registry(
        &Home::new("registry=https://a\nregistry=https://b"),
        "x",
        None,
        "https://b/",
    );
}

#[test]
fn variables_win_over_the_file() {
    let home = Home::new("registry=https://a/\n@s:registry=https://s/");
    let home = home.var("NPM_CONFIG_REGISTRY", "https://b/");
    check_registry(&home, "x", None, "https://b/");
    check_registry(&home, "@s/x", None, "https://s/");
    let home = Home::new("registry=https://${HOST}/").var("HOST", "c");
    check_registry(&home, "x", None, "https://c/");
}

#[test]
fn the_users_file_may_be_elsewhere() {
    let home = Home::new("registry=https://a/");
    home.write("other", "registry=https://o/");
    let home = home.var("NPM_CONFIG_USERCONFIG", "~/other");
    check_registry(&home, "x", None, "https://o/");
    let home = Home::new("registry=https://a/").var("npm_config_userconfig", "/nowhere/npmrc");
    check_registry(&home, "x", None, DEFAULT);
}

#[test]
fn an_npmrc_that_cannot_be_read_is_no_missing_one() {
    let home = Home::new("");
    Disk::new().create_dir(&home.path().join("dir")).unwrap();
    let mut environment = environment(&[("npm_config_userconfig", "~/dir")]);
    environment.home = Some(home.path());
    let error = Registries::load(&environment, &Disk::new()).err().unwrap();
    assert_eq!(error.to_string(), "cannot read the npmrc of the user");
}

#[test]
fn registries_that_are_not_accepted() {
    let home = Home::new("");
    let entry = |address: &str, reason: &str| {
        format!("the registry `{address}` of the catalogue's entry cannot be used: {reason}")
    };
    for (address, shown, reason) in [
        ("http://h/", "http://h/", "it must begin with `https://`"),
        (
            "https://h/?a=secret",
            "https://h/",
            "it must end with a plain path",
        ),
        (
            "https://h/a/../b",
            "https://h/a/../b",
            "it must end with a plain path",
        ),
        (
            "https://h/a/%2E%2e/b",
            "https://h/a/%2E%2e/b",
            "it must end with a plain path",
        ),
        (
            "https://me:secret@h/",
            "https://h/",
            "a catalogue names no user and password",
        ),
        (
            "https://secret/x@h.test/",
            "https://h.test/",
            "its user or password cannot be told from a host",
        ),
        (
            "ftp://h/",
            "ftp://h/",
            "it begins with neither `https://` nor `http://`",
        ),
    ] {
        check_registry(&home, "x", Some(address), &entry(shown, reason));
    }
    check_registry(
        &home,
        "x",
        Some("http://127.0.0.1:1/"),
        "http://127.0.0.1:1/",
    );
    check_registry(
        &Home::new("registry=${NONE}"),
        "x",
        None,
        "the registry `${NONE}` of `~/.npmrc` cannot be used: \
         the variable `NONE` is not set",
    );
}

/// What is sent to an address, and what is said about it when it is refused.
#[track_caller]
fn check_sent(npmrc: &str, url: &str, header: Option<&str>, said: &str) {
    let home = Home::new(npmrc).var("TOKEN", "tok");
    let registries = home.load();
    let (request, access) = registries.request(url, true).unwrap();
    let sent = format!("{access:?}");
    assert!(!sent.contains("tok") && !sent.contains("c2Vj"), "{sent}");
    // The text of a request shows no secret, so what is secret is asked of the credential.
    let place = super::place(request.url());
    let secret = registries.credential(&place).map(|one| match &one.secret {
        super::Secret::Token(token) => format!("Bearer {token}"),
        super::Secret::Basic(basic) => format!("Basic {basic}"),
        super::Secret::UserInfo(text) => format!("in the address {text}"),
        super::Secret::Unset(variable) => format!("unset {variable}"),
    });
    assert_eq!(secret.as_deref(), header, "{npmrc} {url}");
    assert_eq!(access.to_string(), said, "{npmrc} {url}");
    let text = format!("{request:?}");
    assert!(!text.contains("tok") && !text.contains("secret"), "{text}");
}

fn sent(key: &str) -> String {
    format!("the credential `{key}` of the npmrc was sent; is it right?")
}

fn none(key: &str) -> String {
    format!("no credential was sent; if it is private, put `{key}` into the npmrc")
}

#[test]
fn each_way_to_log_in() {
    let url = "https://h/x";
    let key = "//h/:_authToken";
    check_sent("//h/:_authToken=tok", url, Some("Bearer tok"), &sent(key));
    check_sent(
        "//h/:_authToken=${TOKEN}",
        url,
        Some("Bearer tok"),
        &sent(key),
    );
    check_sent(
        "//h/:username=me\n//h/:_password=c2VjcmV0",
        url,
        Some("Basic bWU6c2VjcmV0"),
        &sent("//h/:_password"),
    );
    check_sent(
        "//h/:_auth=bWU6c2VjcmV0",
        url,
        Some("Basic bWU6c2VjcmV0"),
        &sent("//h/:_auth"),
    );
    check_sent(
        "registry=https://me:secret@h/",
        url,
        Some("in the address me:secret"),
        &sent("registry"),
    );
    check_sent(
        "registry=https://me:secret@h/\n//h/:_authToken=tok",
        url,
        Some("Bearer tok"),
        &sent(key),
    );
    check_sent(
        "//h/:_auth=x\n//h/:username=me\n//h/:_password=c2VjcmV0\n//h/:_authToken=tok",
        url,
        Some("Bearer tok"),
        &sent(key),
    );
    check_sent(
        "//h/:_authToken=${NO_SUCH}",
        url,
        Some("unset NO_SUCH"),
        "`//h/:_authToken` of the npmrc was not sent, because the variable `NO_SUCH` is not set",
    );
    check_sent("//h/:username=me", url, None, &none(key));
    check_sent("//h/:_authToken=", url, None, &none(key));
    check_sent("_authToken=tok", url, None, &none(key));
}

#[test]
fn a_credential_stays_with_its_host_and_path() {
    let npmrc = "//h/team/:_authToken=tok\n//other:8443/:_authToken=tok2\n//H2:443/:_authToken=t3";
    let key = "//h/team/:_authToken";
    let tok = Some("Bearer tok");
    check_sent(npmrc, "https://h/team/x", tok, &sent(key));
    check_sent(npmrc, "https://h/team", tok, &sent(key));
    check_sent(npmrc, "https://h/team/-/x.tgz?a=b", tok, &sent(key));
    check_sent(npmrc, "https://h:443/team/x", tok, &sent(key));
    check_sent(npmrc, "https://h/teams/x", None, &none("//h/:_authToken"));
    check_sent(npmrc, "https://h/x", None, &none("//h/:_authToken"));
    check_sent(
        npmrc,
        "https://h:444/team/x",
        None,
        &none("//h:444/:_authToken"),
    );
    check_sent(
        npmrc,
        "https://a.h/team/x",
        None,
        &none("//a.h/:_authToken"),
    );
    check_sent(npmrc, "https://other/x", None, &none("//other/:_authToken"));
    check_sent(
        npmrc,
        "https://other:8443/x",
        Some("Bearer tok2"),
        &sent("//other:8443/:_authToken"),
    );
    check_sent(
        npmrc,
        "https://h2/x",
        Some("Bearer t3"),
        &sent("//H2:443/:_authToken"),
    );
}

#[test]
fn the_longest_path_counts() {
    let npmrc = "//h/:_authToken=tok\n//h/a/:_authToken=tok2\n//h/a/b/:_authToken=${NO_SUCH}";
    check_sent(
        npmrc,
        "https://h/x",
        Some("Bearer tok"),
        &sent("//h/:_authToken"),
    );
    check_sent(
        npmrc,
        "https://h/a/x",
        Some("Bearer tok2"),
        &sent("//h/a/:_authToken"),
    );
    check_sent(
        npmrc,
        "https://h/a/b/x",
        Some("unset NO_SUCH"),
        "`//h/a/b/:_authToken` of the npmrc was not sent, because the variable `NO_SUCH` is not set",
    );
}

#[test]
fn what_is_not_honoured_is_told() {
    let home = Home::new(
        "strict-ssl=false\n\nca=x\n_authToken=secret\n//h/:username=me\n//h/:_password=sec ret\n\
         cafile=certs/ca.pem\n//h h/:_authToken=secret",
    )
    .var("npm_config_strict_ssl", "false");
    assert_eq!(
        home.problems(),
        [
            "8: `//h h/:_authToken` of the npmrc is ignored: it is for no address that can be read",
            "0: `//h/:_password` of the npmrc is ignored: it is not base64",
            "7: `cafile` of the npmrc is ignored: it is no absolute path",
            "1: `strict-ssl` of the npmrc is ignored: certificates are always checked; name the one to \
         trust in `cafile`",
            "3: `ca` of the npmrc is ignored: name a file with the certificates in `cafile`",
            "4: `_authToken` of the npmrc is ignored: it says for no host; write it as \
         `//host/:_authToken`",
            "0: the variable for `strict-ssl` is ignored: certificates are always checked; name the one \
         to trust in `cafile`",
        ]
    );
    let empty: Vec<String> = Vec::new();
    assert_eq!(Home::new("strict-ssl=true\nsave=true").problems(), empty);
}

#[test]
fn the_file_with_certificates() {
    let home = Home::new("cafile=~/ca.pem");
    assert_eq!(home.load().ca_file(), Some(&home.path().join("ca.pem")));
    let home = Home::new("cafile=/certs/ca.pem");
    let path = AbsPath::new("/certs/ca.pem").unwrap();
    assert_eq!(home.load().ca_file(), Some(&path));
}
