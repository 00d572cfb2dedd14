//! The records of a pax header: `length key=value`, one after the other.

/// What is of use in them.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Extended {
    pub(super) path: Option<Vec<u8>>,
    pub(super) link: Option<Vec<u8>>,
    pub(super) size: Option<u64>,
    /// The file has holes, and its content is not what it looks like.
    pub(super) is_sparse: bool,
}

impl Extended {
    /// Reads all records; `None` when they are not in the exact form.
    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        let mut extended = Self::default();
        let mut rest = bytes;
        while !rest.is_empty() {
            let space = rest.iter().position(|&byte| byte == b' ')?;
            let length = usize::try_from(decimal(&rest[..space])?).ok()?;
            let (record, after) = rest.split_at_checked(length)?;
            // The length counts itself, so it reaches behind the space.
            let record = record.get(space + 1..)?.strip_suffix(b"\n")?;
            let equals = record.iter().position(|&byte| byte == b'=')?;
            extended.take(&record[..equals], &record[equals + 1..])?;
            rest = after;
        }
        Some(extended)
    }

    /// Whether nothing in it changes an entry.
    pub(super) fn is_comment(&self) -> bool {
        *self == Self::default()
    }

    fn take(&mut self, key: &[u8], value: &[u8]) -> Option<()> {
        // An empty value takes back what an earlier header said.
        let text = || (!value.is_empty()).then(|| value.to_vec());
        match key {
            b"path" => self.path = text(),
            b"linkpath" => self.link = text(),
            b"size" => self.size = Some(decimal(value)?),
            _ if key.starts_with(b"GNU.sparse.") => self.is_sparse = true,
            _ => {}
        }
        Some(())
    }
}

fn decimal(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(digits).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::Extended;

    #[track_caller]
    fn check(bytes: &str, expected: Option<Extended>) {
        assert_eq!(Extended::parse(bytes.as_bytes()), expected, "{bytes:?}");
    }

    #[test]
    fn records_in_a_row() {
        check("", Some(Extended::default()));
        check(
            "11 mtime=1\n12 path=a=b\n",
            Some(Extended {
                path: Some(b"a=b".to_vec()),
                ..Extended::default()
            }),
        );
        check(
            "11 path=a\n\n",
            Some(Extended {
                path: Some(b"a\n".to_vec()),
                ..Extended::default()
            }),
        );
        check(
            "14 linkpath=x\n9 size=7\n",
            Some(Extended {
                link: Some(b"x".to_vec()),
                size: Some(7),
                ..Extended::default()
            }),
        );
        check(
            "22 GNU.sparse.major=1\n",
            Some(Extended {
                is_sparse: true,
                ..Extended::default()
            }),
        );
        check("10 path=a\n8 path=\n", Some(Extended::default()));
    }

    #[test]
    fn other_forms_are_refused() {
        for bytes in [
            "path=a\n",
            "8 path=a\n",
            "12 path=a\n",
            "10 path=a ",
            "+10 path=a\n",
            "2 \n",
            "0 ",
            "7 path\n",
            "9 size=x\n",
            "11 size=-1\n",
            "8 size=\n",
            "99999999999999999999 path=a\n",
            "10 path=a\n\0",
        ] {
            check(bytes, None);
        }
    }
}
