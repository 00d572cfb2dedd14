use pretty_assertions::assert_eq;

use super::{Fault, Frame, Framer, Framing, FramingChoice, MAX_HEADERS};

const LIMIT: usize = 64;

/// Cuts `input` whole, byte by byte, and in two at every boundary; all must give `expected`, where
/// a fault is written as its name in angle brackets.
fn check(choice: FramingChoice, input: &[u8], expected: &[&str]) {
    let mut splits: Vec<Vec<&[u8]>> = vec![vec![input], input.chunks(1).collect()];
    splits.extend((0..input.len()).map(|at| vec![&input[..at], &input[at..]]));
    for pieces in splits {
        let mut framer = Framer::with_limit(choice, LIMIT);
        let mut frames = Vec::new();
        for mut piece in pieces.iter().copied() {
            while let Some(frame) = framer.push(&mut piece) {
                frames.push(show(frame));
            }
        }
        frames.extend(framer.finish().map(show));
        assert_eq!(frames, expected, "cut as {pieces:?}");
    }
}

fn show(frame: Frame) -> String {
    match frame {
        Frame::Message(bytes) => String::from_utf8_lossy(&bytes).trim_end().to_owned(),
        Frame::Fault(fault) => format!("<{fault:?}>"),
    }
}

fn auto(input: &str, expected: &[&str]) {
    check(FramingChoice::Auto, input.as_bytes(), expected);
}

#[test]
fn lines() {
    auto("", &[]);
    auto("{\"a\":1}\n{}\n", &["{\"a\":1}", "{}"]);
    auto("{}\r\n{}\r\n", &["{}", "{}"]);
    auto("\n\r\n  \n{}\n\n\n[]\n", &["{}", "[]"]);
    auto("{}", &["{}"]);
    auto("{}\n{}", &["{}", "{}"]);
    auto("\u{feff}{}\n", &["{}"]);
    auto("\u{feff}\r\n{}\n", &["{}"]);
    auto("\u{feff}", &[]);
    auto("123\nnot json\n", &["123", "not json"]);
}

#[test]
fn a_mark_that_is_none_belongs_to_the_line() {
    check(
        FramingChoice::Auto,
        b"\xEF\xBB{}\n{}\n",
        &["\u{fffd}{}", "{}"],
    );
    check(FramingChoice::Auto, b"\xEF\n", &["\u{fffd}"]);
}

#[test]
fn a_line_that_is_too_long_is_skipped() {
    let long = "x".repeat(LIMIT + 1);
    auto(
        &format!("{{}}\n\"{long}\n{{}}\n"),
        &["{}", "<TooLarge>", "{}"],
    );
    auto(&format!("\"{long}"), &["<TooLarge>"]);
    let exact = format!("\"{}\"", "x".repeat(LIMIT - 2));
    auto(&format!("{exact}\n[]\n"), &[&exact, "[]"]);
}

#[test]
fn headers() {
    auto("Content-Length: 2\r\n\r\n{}", &["{}"]);
    auto(
        "Content-Length: 2\r\n\r\n{}Content-Length: 7\r\n\r\n{\"a\":\n}",
        &["{}", "{\"a\":\n}"],
    );
    auto(
        "content-length:2\n\n{}\r\n\r\nCONTENT-LENGTH : 2\n\n[]",
        &["{}", "[]"],
    );
    auto(
        "Content-Type: application/vscode-jsonrpc; charset=utf-8\r\nContent-Length: 2\r\n\r\n{}",
        &["{}"],
    );
    auto("Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}", &["{}"]);
    auto("\u{feff}\r\nContent-Length: 2\r\n\r\n{}", &["{}"]);
    auto(
        "Content-Length: 0\r\n\r\nContent-Length: 2\r\n\r\n{}",
        &["", "{}"],
    );
}

#[test]
fn faults_in_headers_and_the_way_back() {
    let good = "Content-Length: 2\r\n\r\n{}";
    auto(
        &format!("Content-Type: x\r\n\r\n{{}}{good}"),
        &["<BadHeaders>", "{}"],
    );
    auto(
        &format!("Content-Length: -1\r\n\r\n{{}}{good}"),
        &["<BadHeaders>", "{}"],
    );
    auto(
        &format!("Content-Length: \r\n\r\n{good}"),
        &["<BadHeaders>", "{}"],
    );
    auto(
        &format!("Content-Length: 1\r\nContent-Length: 2\r\n\r\n{{}}{good}"),
        &["<BadHeaders>", "{}"],
    );
    auto(
        &format!("Content-Length: 99999999999999999999999\r\n\r\n{good}"),
        &["<BadHeaders>", "{}"],
    );
    auto(
        &format!("no header\r\n\r\ncoconContent-Len{good}"),
        &["<BadHeaders>", "{}"],
    );
    auto(
        &format!("Content-Length: 65\r\n\r\n{}{good}", "x".repeat(65)),
        &["<TooLarge>", "{}"],
    );
    auto(
        "Content-Length: 18446744073709551615\r\n\r\nxx",
        &["<TooLarge>"],
    );
    auto("Content-Length: 9\r\n\r\n{}", &["<Cut>"]);
    auto("Content-Length: 9", &["<Cut>"]);
}

#[test]
fn a_header_block_has_a_limit() {
    let mut framer = Framer::new(FramingChoice::Auto);
    let mut frames = Vec::new();
    let endless = format!("X-Header: {}\r\n", "y".repeat(100)).repeat(MAX_HEADERS / 100);
    for text in [&endless, &endless, "Content-Length: 2\r\n\r\n{}"] {
        let mut piece = text.as_bytes();
        while let Some(frame) = framer.push(&mut piece) {
            frames.push(frame);
        }
    }
    let expected = vec![
        Frame::Fault(Fault::HeadersTooLarge),
        Frame::Message(b"{}".to_vec()),
    ];
    assert_eq!(frames, expected);
}

#[test]
fn a_choice_overrides_the_first_byte() {
    check(FramingChoice::Lines, b"true\nfalse\n", &["true", "false"]);
    check(
        FramingChoice::Headers,
        b"{}\r\n\r\nContent-Length: 2\r\n\r\n{}",
        &["<BadHeaders>", "{}"],
    );
}

#[test]
fn the_decision_is_known_with_the_first_byte() {
    for (input, expected) in [
        ("  \r\n", None),
        (" {", Some(Framing::Lines)),
        ("C", Some(Framing::Headers)),
    ] {
        let mut framer = Framer::new(FramingChoice::Auto);
        let mut piece = input.as_bytes();
        assert_eq!(framer.push(&mut piece), None);
        assert_eq!(framer.framing(), expected, "{input:?}");
        framer.finish();
        if expected.is_some() {
            assert_eq!(framer.framing(), expected, "{input:?} at the end");
        }
    }
}

#[test]
fn skipping_holds_nothing() {
    let mut framer = Framer::with_limit(FramingChoice::Lines, LIMIT);
    let chunk = vec![b'x'; 4096];
    for _ in 0..1000 {
        let mut piece = chunk.as_slice();
        while framer.push(&mut piece).is_some() {}
    }
    assert!(
        framer.buffer.capacity() <= 2 * LIMIT,
        "{}",
        framer.buffer.capacity()
    );
}
