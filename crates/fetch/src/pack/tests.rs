#![expect(
    clippy::disallowed_methods,
    reason = "a user's directory is made here, with links, odd modes and what changes meanwhile"
)]

mod hostile;

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};

use plugd_disk::tree::{AtEase, Digest, Limits, TreePlan, digest};
use plugd_disk::{Disk, Kind};
use plugd_http::Bytes;
use plugd_model::AbsPath;
use pretty_assertions::assert_eq;
use tempfile::TempDir;

use super::{PackError, PackRules, Packed, pack};
use crate::{Chunks, Rules, Unpacked, unpack};

/// A directory that is packed, and the places beside it.
struct Home {
    _dir: TempDir,
    base: AbsPath,
}

impl Home {
    /// From lines: `a/b=text` a file, `a/b*=text` an executable, `a/` a directory, `a -> b` a link.
    fn new(lines: &[&str]) -> Self {
        let dir = TempDir::new().unwrap();
        let base = AbsPath::new(dir.path().canonicalize().unwrap()).unwrap();
        let home = Self { _dir: dir, base };
        fs::create_dir(home.root()).unwrap();
        for line in lines {
            home.add(line);
        }
        home
    }

    fn add(&self, line: &str) {
        let parent = |path: &AbsPath| fs::create_dir_all(path.parent().unwrap()).unwrap();
        if let Some((link, target)) = line.split_once(" -> ") {
            let link = self.root().join(link);
            parent(&link);
            symlink(target, link).unwrap();
        } else if let Some((name, content)) = line.split_once('=') {
            let mode = if name.ends_with('*') { 0o4700 } else { 0o606 };
            let path = self.root().join(name.trim_end_matches('*'));
            parent(&path);
            fs::write(&path, content).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        } else {
            fs::create_dir_all(self.root().join(line)).unwrap();
        }
    }

    fn root(&self) -> AbsPath {
        self.base.join("root")
    }

    fn archive(&self) -> AbsPath {
        self.base.join("archive.tar.gz")
    }

    fn pack(&self, rules: &PackRules) -> Result<Packed, PackError> {
        pack(&Disk::new(), &self.root(), &self.archive(), rules, &AtEase)
    }

    fn bytes(&self) -> Vec<u8> {
        fs::read(self.archive()).unwrap()
    }

    fn unpack(&self) -> Unpacked {
        let (sender, receiver) = tokio::sync::mpsc::channel(2);
        sender.try_send(Bytes::from(self.bytes())).unwrap();
        sender.try_send(Bytes::new()).unwrap();
        let dest = self.base.join("dest");
        let rules = Rules::bundle(None);
        unpack(&Disk::new(), Chunks::new(receiver), &dest, &rules, &AtEase).unwrap()
    }

    fn digest(&self, dir: &str) -> Digest {
        let root = self.base.join(dir);
        let plan = TreePlan::scan(&Disk::new(), &root, &Limits::INSTALL, &[], &AtEase).unwrap();
        digest(&Disk::new(), &plan, &AtEase).unwrap()
    }

    /// The files and directories of what was unpacked.
    fn tree(&self) -> Vec<String> {
        let mut lines = Vec::new();
        list(&self.base.join("dest"), "", &mut lines);
        lines
    }
}

fn list(dir: &AbsPath, front: &str, lines: &mut Vec<String>) {
    for entry in Disk::new().list(dir).unwrap() {
        let name = entry.name.to_str().unwrap();
        let path = dir.join(name);
        if entry.kind == Kind::Dir {
            lines.push(format!("{front}{name}/"));
            list(&path, &format!("{front}{name}/"), lines);
        } else {
            let mode = Disk::new().stamp(&path).unwrap().unwrap().mode;
            let content = fs::read_to_string(&path).unwrap();
            lines.push(format!("{front}{name} {mode:o} {content}"));
        }
    }
}

fn left_out(packed: &Packed) -> Vec<String> {
    packed
        .left_out
        .iter()
        .map(|one| format!("{}: {}", one.path, one.why))
        .collect()
}

/// The paths in an archive, in their order.
fn paths(bytes: &[u8]) -> Vec<String> {
    let mut tar = crate::tar::Tar::new(flate2::read::GzDecoder::new(bytes), 1000);
    let mut paths = Vec::new();
    while let Some(entry) = tar.next().unwrap() {
        paths.push(String::from_utf8(entry.path).unwrap());
    }
    paths
}

#[test]
fn what_is_packed_can_be_unpacked() {
    let long = format!("{}/{}=long", "d".repeat(120), "ü".repeat(100));
    let home = Home::new(&[
        ".codex-plugin/plugin.json={}",
        "bin/run*=#!",
        "empty/deep/",
        "empty.txt=",
        "grün/blatt=x",
        ".mcp.json={}",
        &long,
        "node_modules/a/index.js=1",
        &format!("big={}", "0123456789abcdef".repeat(9000)),
    ]);
    let packed = home.pack(&PackRules::SHARE).unwrap();
    assert_eq!(left_out(&packed), [] as [&str; 0]);
    assert_eq!(packed.bytes, u64::try_from(home.bytes().len()).unwrap());
    let unpacked = home.unpack();
    assert_eq!(unpacked.left_out, []);
    assert_eq!(home.digest("dest"), home.digest("root"));
    assert!(home.base.join("dest/empty/deep").as_path().is_dir());
    assert!(home.tree().contains(&"bin/run 755 #!".to_owned()));
    let mode = fs::metadata(home.archive()).unwrap().permissions().mode();
    assert_eq!(mode & 0o7777, 0o600);
}

#[test]
fn entries_are_sorted_by_name_in_each_directory() {
    let home = Home::new(&["b/z=1", "b/a/x=2", "b.txt=3", "a=4", "c/"]);
    home.pack(&PackRules::SHARE).unwrap();
    let expected = ["a", "b/", "b/a/", "b/a/x", "b/z", "b.txt", "c/"];
    assert_eq!(paths(&home.bytes()), expected);
}

#[test]
fn one_tree_has_one_archive() {
    let (one, other) = (Home::new(&["a=1", "b/c*=2"]), Home::new(&["b/c*=2", "a=1"]));
    let long_ago = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000);
    let file = fs::File::options()
        .write(true)
        .open(other.root().join("a"))
        .unwrap();
    file.set_modified(long_ago).unwrap();
    fs::set_permissions(other.root().join("a"), fs::Permissions::from_mode(0o640)).unwrap();
    fs::set_permissions(other.root().join("b"), fs::Permissions::from_mode(0o700)).unwrap();
    one.pack(&PackRules::SHARE).unwrap();
    other.pack(&PackRules::SHARE).unwrap();
    assert_eq!(one.bytes(), other.bytes());
    // Owners and times of the headers are zeros.
    let (bytes, mut plain) = (one.bytes(), Vec::new());
    let mut unpacking = flate2::read::GzDecoder::new(&bytes[..]);
    std::io::Read::read_to_end(&mut unpacking, &mut plain).unwrap();
    assert_eq!(&plain[108..124], b"0000000\x000000000\0");
    assert_eq!(&plain[136..148], b"00000000000\0");
    assert_eq!(&plain[265..329], [0; 64]);
}

#[test]
fn what_is_not_for_others_stays_out() {
    let home = Home::new(&[
        ".git/config=x",
        "sub/.git=gitdir: elsewhere",
        ".hg/store=x",
        ".svn/wc.db=x",
        ".DS_Store=x",
        "docs/Thumbs.db=x",
        "notes~=x",
        "docs/.a.swp=x",
        "#a#=x",
        ".idea/w.xml=x",
        ".vscode/settings.json=x",
        "a.orig=x",
        "a.rej=x",
        ".env=x",
        "conf/.env.production=x",
        "conf/.env.example=shown",
        "conf/TLS.PEM=x",
        "conf/tls.key=x",
        "id_rsa=x",
        "id_ed25519.pub=x",
        ".npmrc=x",
        ".netrc=x",
        ".pypirc=x",
        "conf/credentials-prod.json=x",
        "conf/a.p12=x",
        "conf/a.pfx=x",
        ".aws/credentials=x",
        ".ssh/config=x",
        ".gitignore=shown",
    ]);
    let packed = home.pack(&PackRules::SHARE).unwrap();
    assert_eq!(
        left_out(&packed),
        [
            "#a#: left behind by an editor or a merge",
            ".DS_Store: data of the system's file manager",
            ".aws: it looks like a secret",
            ".env: it looks like a secret",
            ".git: data of version control",
            ".hg: data of version control",
            ".idea: left behind by an editor or a merge",
            ".netrc: it looks like a secret",
            ".npmrc: it looks like a secret",
            ".pypirc: it looks like a secret",
            ".ssh: it looks like a secret",
            ".svn: data of version control",
            ".vscode: left behind by an editor or a merge",
            "a.orig: left behind by an editor or a merge",
            "a.rej: left behind by an editor or a merge",
            "conf/.env.production: it looks like a secret",
            "conf/TLS.PEM: it looks like a secret",
            "conf/a.p12: it looks like a secret",
            "conf/a.pfx: it looks like a secret",
            "conf/credentials-prod.json: it looks like a secret",
            "conf/tls.key: it looks like a secret",
            "docs/.a.swp: left behind by an editor or a merge",
            "docs/Thumbs.db: data of the system's file manager",
            "id_ed25519.pub: it looks like a secret",
            "id_rsa: it looks like a secret",
            "notes~: left behind by an editor or a merge",
            "sub/.git: data of version control",
        ]
    );
    let expected = [".gitignore", "conf/", "conf/.env.example", "docs/", "sub/"];
    assert_eq!(paths(&home.bytes()), expected);
}

#[test]
fn the_directory_around_a_file_counts_and_common_words_do_not() {
    let home = Home::new(&[
        ".docker/config.json=secret",
        ".docker/Dockerfile=shown",
        "containers -> .docker",
        "conf/config.json=shown",
        "conf/.docker -> .",
        "skills/credentials/SKILL.md=shown",
        "skills/credentials/auth.json=secret",
        "skills/credentials/key.pem.bak=secret",
    ]);
    let packed = home.pack(&PackRules::SHARE).unwrap();
    assert_eq!(
        left_out(&packed),
        [
            ".docker/config.json: it looks like a secret",
            "conf/.docker: a link to a directory above it",
            "containers/config.json: it looks like a secret",
            "skills/credentials/auth.json: it looks like a secret",
            "skills/credentials/key.pem.bak: it looks like a secret",
        ]
    );
    assert_eq!(
        paths(&home.bytes()),
        [
            ".docker/",
            ".docker/Dockerfile",
            "conf/",
            "conf/config.json",
            "containers/",
            "containers/Dockerfile",
            "skills/",
            "skills/credentials/",
            "skills/credentials/SKILL.md",
        ]
    );
}

#[test]
fn links_become_what_they_lead_to() {
    let home = Home::new(&[
        "bin/run*=#!",
        "run -> bin/run",
        "chain -> run",
        "tools -> bin",
        "out -> /etc/hostname",
        "up -> ../outside",
        "gone -> nowhere",
        "loop -> loop",
        "bin/self -> ..",
        "top -> .",
        ".env=secret",
        "settings -> .env",
        ".ssh/config=secret",
        "ssh-config -> .ssh/config",
        "ssh -> .ssh",
        ".git/HEAD=x",
        "head -> .git/HEAD",
        "copy.pem -> bin/run",
    ]);
    fs::write(home.base.join("outside"), "x").unwrap();
    let packed = home.pack(&PackRules::SHARE).unwrap();
    assert_eq!(
        left_out(&packed),
        [
            ".env: it looks like a secret",
            ".git: data of version control",
            ".ssh: it looks like a secret",
            "bin/self: a link to a directory above it",
            "copy.pem: it looks like a secret",
            "gone: a link that leads nowhere",
            "head: a link to `.git/HEAD`, which is left out",
            "loop: a link that leads nowhere",
            "out: a link that leads out of the directory",
            "settings: a link to `.env`, which is left out",
            "ssh: a link to `.ssh`, which is left out",
            "ssh-config: a link to `.ssh/config`, which is left out",
            "tools/self: a link to a directory above it",
            "top: a link to a directory above it",
            "up: a link that leads out of the directory",
        ]
    );
    home.unpack();
    assert_eq!(
        home.tree(),
        [
            "bin/",
            "bin/run 755 #!",
            "chain 755 #!",
            "run 755 #!",
            "tools/",
            "tools/run 755 #!",
        ]
    );
}

#[test]
fn the_root_may_be_a_link() {
    let home = Home::new(&["a=x", "b -> a"]);
    let link = home.base.join("link");
    symlink("root", &link).unwrap();
    let packed = pack(
        &Disk::new(),
        &link,
        &home.archive(),
        &PackRules::SHARE,
        &AtEase,
    );
    assert_eq!(packed.unwrap().left_out, []);
    assert_eq!(paths(&home.bytes()), ["a", "b"]);
}
