use std::io::Read as _;

use flate2::read::GzDecoder;
use pretty_assertions::assert_eq;

use super::Bundle;

/// Kind, mode, path, target and size of each entry, whose sums must be right.
fn listing(packed: &[u8]) -> Vec<String> {
    let mut tar = Vec::new();
    GzDecoder::new(packed).read_to_end(&mut tar).unwrap();
    let mut found = Vec::new();
    let mut rest = tar.as_slice();
    while rest.len() >= 512 && rest[0] != 0 {
        let (header, behind) = rest.split_at(512);
        let text = |from: usize, to: usize| {
            let field = header[from..to].split(|byte| *byte == 0).next().unwrap();
            String::from_utf8(field.to_vec()).unwrap()
        };
        let number =
            |from: usize, to: usize| usize::from_str_radix(text(from, to).trim(), 8).unwrap();
        let mut blank = header.to_vec();
        blank[148..156].fill(b' ');
        let sum: usize = blank.iter().map(|byte| usize::from(*byte)).sum();
        assert_eq!(number(148, 156), sum);
        let (kind, size) = (char::from(header[156]), number(124, 136));
        let (mode, path, target) = (number(100, 108), text(0, 100), text(157, 257));
        found.push(format!("{kind} {mode:o} {path} {target} {size}"));
        rest = &behind[size.next_multiple_of(512)..];
    }
    assert_eq!((rest.len(), rest.iter().max()), (1024, Some(&0)));
    found
}

#[track_caller]
fn check(bundle: &Bundle, expected: &[&str]) {
    assert_eq!(listing(&bundle.build()), expected);
}

fn bare() -> Bundle {
    Bundle::new("p", "1.0.0").without_manifest()
}

#[test]
fn entries_stand_as_they_were_added() {
    let manifest = "0 644 .codex-plugin/plugin.json  58";
    check(&Bundle::new("p", "1.0.0"), &[manifest]);
    let bundle = Bundle::new("p", "1.0.0")
        .dir("d")
        .file("d/run.sh", "x")
        .mode(0o4755);
    check(&bundle, &[manifest, "5 755 d  0", "0 4755 d/run.sh  1"]);
    check(
        &bare().file("../out", "x").file("/etc/x", ""),
        &["0 644 ../out  1", "0 644 /etc/x  0"],
    );
    let links = bare().link("l", "/etc").hard_link("h", "l");
    check(&links, &["2 644 l /etc 0", "1 644 h l 0"]);
    check(&bare().fifo("f").device("d"), &["6 644 f  0", "3 644 d  0"]);
    let twice = bare().file("a", "1").file("a", "22").file("A", "");
    check(&twice, &["0 644 a  1", "0 644 a  2", "0 644 A  0"]);
}

#[test]
fn manifests_can_be_wrong() {
    let wrapped = Bundle::new("p", "1.0.0")
        .manifest_at("plugin.json")
        .wrapped_in("top");
    check(&wrapped, &["0 644 top/plugin.json  58"]);
    let mut tar = Vec::new();
    let other = Bundle::new("p", "1.0.0").manifest("name", "other").build();
    GzDecoder::new(other.as_slice())
        .read_to_end(&mut tar)
        .unwrap();
    let text = String::from_utf8_lossy(&tar[512..1024]).into_owned();
    assert!(
        text.contains(r#""name":"other","version":"1.0.0""#),
        "{text}"
    );
}

#[test]
fn too_much_of_it() {
    let size = 20 * 1024 * 1024;
    let bomb = bare()
        .file("a", "")
        .wrapped_in("t")
        .zeros("z", size)
        .build();
    assert!(bomb.len() < 200_000, "{}", bomb.len());
    assert_eq!(
        listing(&bomb),
        ["0 644 t/a  0".to_owned(), format!("0 644 t/z  {size}")]
    );
}

#[test]
fn too_little_of_it() {
    let whole = Bundle::new("p", "1.0.0");
    let short = whole.clone().truncated_by(10).build();
    assert_eq!(whole.build()[..whole.build().len() - 10], short);
    let mut tar = Vec::new();
    assert!(
        GzDecoder::new(short.as_slice())
            .read_to_end(&mut tar)
            .is_err()
    );
}
