//! Text in which `%` and two digits stand for a byte, as in addresses.

/// What such a text means; `None` when two digits are missing or the bytes are no text.
#[must_use]
pub fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, behind)) = rest.split_first() {
        if byte != b'%' {
            bytes.push(byte);
            rest = behind;
            continue;
        }
        let digits = std::str::from_utf8(behind.get(..2)?).ok()?;
        bytes.push(u8::from_str_radix(digits, 16).ok()?);
        rest = &behind[2..];
    }
    String::from_utf8(bytes).ok()
}

/// The text as a part of an address: letters, digits and `-._~` stay as they are.
#[must_use]
pub fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'-' | b'.' | b'_' | b'~' => out.push(char::from(byte)),
            byte if byte.is_ascii_alphanumeric() => out.push(char::from(byte)),
            byte => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{decoded, encoded};

    #[test]
    fn what_is_written_is_read_again() {
        let text = "a b/\u{e4}%~";
        assert_eq!(encoded(text), "a%20b%2F%C3%A4%25~");
        assert_eq!(decoded(&encoded(text)).as_deref(), Some(text));
    }

    #[test]
    fn bytes_are_put_together_and_then_are_text() {
        let check = |text: &str, expected: Option<&str>| {
            assert_eq!(decoded(text).as_deref(), expected, "{text}");
        };
        check("", Some(""));
        check("a%2Fb%c3%a4", Some("a/b\u{e4}"));
        check("%25", Some("%"));
        check("%2", None);
        check("%zz", None);
        check("%c3", None);
    }
}
