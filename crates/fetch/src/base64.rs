//! Base64 with padding, as digests and passwords in an npmrc are written.

const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// The text of the bytes.
pub(crate) fn encode(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let byte = |at: usize| u32::from(group.get(at).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for at in 0..4 {
            if at > group.len() {
                text.push('=');
            } else {
                let digit = (bits >> (18 - 6 * at)) & 0x3f;
                text.push(char::from(DIGITS[digit as usize]));
            }
        }
    }
    text
}

/// The bytes of a text; `None` when it is not in the one form that [`encode`] writes, except that
/// the padding may be missing.
pub(crate) fn decode(text: &str) -> Option<Vec<u8>> {
    let digits = text.trim_end_matches('=').as_bytes();
    let padding = text.len() - digits.len();
    if digits.len() % 4 == 1 || (padding > 0 && (padding > 2 || !text.len().is_multiple_of(4))) {
        return None;
    }
    let mut bytes = Vec::with_capacity(digits.len() / 4 * 3 + 2);
    for group in digits.chunks(4) {
        let mut bits = 0_u32;
        for at in 0..4 {
            let value = match group.get(at) {
                Some(digit) => DIGITS.iter().position(|known| known == digit)?,
                None => 0,
            };
            bits = bits << 6 | u32::try_from(value).ok()?;
        }
        let whole = bits.to_be_bytes();
        let (kept, rest) = whole[1..].split_at(group.len() - 1);
        // Bits behind the end would give one digest several spellings.
        if rest.iter().any(|&byte| byte != 0) {
            return None;
        }
        bytes.extend_from_slice(kept);
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::{decode, encode};

    #[track_caller]
    fn check(bytes: &[u8], text: &str) {
        assert_eq!(encode(bytes), text);
        assert_eq!(decode(text).as_deref(), Some(bytes));
        assert_eq!(decode(text.trim_end_matches('=')).as_deref(), Some(bytes));
    }

    #[test]
    fn three_bytes_are_four_digits() {
        check(b"", "");
        check(b"f", "Zg==");
        check(b"fo", "Zm8=");
        check(b"foo", "Zm9v");
        check(b"foob", "Zm9vYg==");
        check(&[0xff, 0xfb, 0xf0], "//vw");
    }

    #[test]
    fn other_texts_are_refused() {
        for text in [
            "Z", "Zg=", "Zg===", "Zm8==", "Zh==", "Zm9=", "Zm9v=", "Zg==Zg==", "Zm 8", "Z_==",
        ] {
            assert_eq!(decode(text), None, "{text:?}");
        }
    }
}
