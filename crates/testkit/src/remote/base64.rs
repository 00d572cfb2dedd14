//! Base64 with padding: certificates, digests of packages, logins. Nothing is decoded: what a client
//! sent is compared with what it should have sent.

const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// The text of the bytes.
pub(crate) fn encode(bytes: &[u8]) -> String {
    let mut text = String::new();
    for group in bytes.chunks(3) {
        let byte = |at: usize| u32::from(group.get(at).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for at in 0..4 {
            let digit = (bits >> (18 - 6 * at)) & 0x3f;
            let shown = at <= group.len();
            text.push(match DIGITS.get(digit as usize) {
                Some(digit) if shown => char::from(*digit),
                _ => '=',
            });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::encode;

    #[track_caller]
    fn check(bytes: &[u8], expected: &str) {
        assert_eq!(encode(bytes), expected);
    }

    #[test]
    fn groups_of_three() {
        check(b"", "");
        check(b"p", "cA==");
        check(b"pl", "cGw=");
        check(b"plu", "cGx1");
        check(&[0xff, 0xef, 0xbe, 0x00], "/+++AA==");
    }
}
