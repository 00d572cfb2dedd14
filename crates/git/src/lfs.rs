//! Git LFS: files that hold only the name of their content.
//!
//! Here they are recognised. Where their content cannot be had they are named, because a plugin whose
//! content is a pointer must not look whole.

/// Longest text that the specification of LFS allows for a pointer.
pub(crate) const MAX_POINTER: usize = 1024;

const FIRST_LINE: &str = "version https://git-lfs.github.com/spec/v1";

/// Digest and size that a pointer names; `None` for any other content.
pub(crate) fn pointer(content: &[u8]) -> Option<(String, u64)> {
    if content.len() > MAX_POINTER {
        return None;
    }
    let mut lines = std::str::from_utf8(content).ok()?.lines();
    if lines.next()? != FIRST_LINE {
        return None;
    }
    let (mut oid, mut size) = (None, None);
    for line in lines {
        match line.split_once(' ')? {
            ("oid", value) => oid = value.strip_prefix("sha256:").filter(|hex| is_digest(hex)),
            ("size", value) => size = value.parse().ok(),
            _ => {}
        }
    }
    Some((oid?.to_owned(), size?))
}

fn is_digest(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::pointer;

    #[track_caller]
    fn check(content: &str, expected: Option<u64>) {
        assert_eq!(pointer(content.as_bytes()).map(|(_, size)| size), expected);
    }

    #[test]
    fn only_a_whole_pointer_counts() {
        let oid = "a".repeat(64);
        let head = "version https://git-lfs.github.com/spec/v1\n";
        check(&format!("{head}oid sha256:{oid}\nsize 7\n"), Some(7));
        check(
            &format!("{head}ext-0-x sha256:{oid}\noid sha256:{oid}\nsize 7\n"),
            Some(7),
        );
        check(&format!("{head}oid sha256:abc\nsize 7\n"), None);
        check(&format!("{head}oid sha256:{oid}\n"), None);
        check(&format!("see {head}"), None);
        check("", None);
    }
}
