//! Characters that a person does not see and a model reads.
//!
//! A skill is a text in front of a model, and whoever approves it looks at a rendering of that text.
//! Characters without a picture, and characters that turn the direction of writing, let the two
//! differ. Emoji and the scripts that need invisible joiners use some of them honestly; where the
//! neighbours show that, they are left alone.

use plugd_model::Place;

/// What kind of invisible or misleading character it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HiddenClass {
    /// Turns the direction of writing, so that text is shown in another order than it is read.
    Bidirectional,
    /// Has no width: zero-width space, joiners, word joiner, byte order mark.
    ZeroWidth,
    /// A letter of the alphabet of tags, which is invisible and which models can read.
    Tag,
    /// Chooses among pictures of the character in front of it; a row of them can carry data.
    VariationSelector,
    /// An invisible operator, filler or other format character.
    Invisible,
    /// A control character other than tabulator and line break.
    Control,
    /// A line or paragraph separator, which many editors show as nothing.
    Separator,
    /// Has no agreed meaning at all.
    PrivateUse,
}

/// An invisible or misleading character in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HiddenCharacter {
    /// The character.
    pub character: char,
    /// What kind it is.
    pub class: HiddenClass,
    /// Where it stands in the text.
    pub place: Place,
}

impl HiddenClass {
    /// A stable word for programs.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Bidirectional => "bidirectional",
            Self::ZeroWidth => "zeroWidth",
            Self::Tag => "tag",
            Self::VariationSelector => "variationSelector",
            Self::Invisible => "invisible",
            Self::Control => "control",
            Self::Separator => "separator",
            Self::PrivateUse => "privateUse",
        }
    }

    /// The class of a character, whatever stands beside it; nothing for a visible one.
    #[must_use]
    pub fn of(character: char) -> Option<Self> {
        Some(match character {
            '\t' | '\n' | '\r' => return None,
            '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}' => Self::Control,
            '\u{61c}'
            | '\u{200e}'
            | '\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2066}'..='\u{2069}' => Self::Bidirectional,
            '\u{180e}' | '\u{200b}'..='\u{200d}' | '\u{2060}' | '\u{feff}' => Self::ZeroWidth,
            '\u{2028}' | '\u{2029}' => Self::Separator,
            '\u{e0000}'..='\u{e007f}' => Self::Tag,
            '\u{180b}'..='\u{180d}'
            | '\u{180f}'
            | '\u{fe00}'..='\u{fe0f}'
            | '\u{e0100}'..='\u{e01ef}' => Self::VariationSelector,
            '\u{ad}'
            | '\u{34f}'
            | '\u{115f}'
            | '\u{1160}'
            | '\u{17b4}'
            | '\u{17b5}'
            | '\u{2061}'..='\u{2065}'
            | '\u{206a}'..='\u{206f}'
            | '\u{3164}'
            | '\u{ffa0}'
            | '\u{fff0}'..='\u{fffb}'
            | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0080}'..='\u{e00ff}'
            | '\u{e01f0}'..='\u{e0fff}' => Self::Invisible,
            '\u{e000}'..='\u{f8ff}' | '\u{f0000}'..='\u{ffffd}' | '\u{100000}'..='\u{10fffd}' => {
                Self::PrivateUse
            }
            _ => return None,
        })
    }
}

/// The hidden characters of a text in order. The work is one pass, whatever the text.
pub fn hidden_characters(text: &str) -> impl Iterator<Item = HiddenCharacter> + '_ {
    let mut place = Place { line: 1, column: 0 };
    let mut before = None;
    // How many bytes of an honest sequence are still ahead.
    let mut honest_until = 0;
    text.char_indices().filter_map(move |(offset, character)| {
        place.column = place.column.saturating_add(1);
        let here = place;
        if character == '\n' {
            place = Place {
                line: place.line.saturating_add(1),
                column: 0,
            };
        }
        let previous = before.replace(character);
        let class = HiddenClass::of(character)?;
        let rest = &text[offset..];
        if offset >= honest_until {
            honest_until = offset + honest_length(class, previous, rest);
        }
        (offset >= honest_until).then_some(HiddenCharacter {
            character,
            class,
            place: here,
        })
    })
}

/// How many bytes at the start of `rest` are what an emoji or a script needs after `previous`.
fn honest_length(class: HiddenClass, previous: Option<char>, rest: &str) -> usize {
    let mut characters = rest.chars();
    let (Some(previous), Some(character)) = (previous, characters.next()) else {
        return 0;
    };
    let next = characters.next();
    let is_honest = match (class, character) {
        // One selector behind something that has several pictures; a row of them is no picture.
        (HiddenClass::VariationSelector, '\u{fe00}'..='\u{fe0f}') => {
            is_pictorial(previous) || matches!(previous, '0'..='9' | '#' | '*')
        }
        (HiddenClass::VariationSelector, _) => previous.is_alphabetic() && !previous.is_ascii(),
        // A joiner between parts of an emoji or letters of a script that joins.
        (HiddenClass::ZeroWidth, '\u{200c}' | '\u{200d}') => next.is_some_and(|next| {
            let joins = |c: char| is_pictorial(c) || joins_letters(c);
            (joins(previous) || HiddenClass::of(previous) == Some(HiddenClass::VariationSelector))
                && joins(next)
        }),
        (HiddenClass::Tag, _) if previous == '\u{1f3f4}' => return flag_length(rest),
        _ => false,
    };
    if is_honest { character.len_utf8() } else { 0 }
}

/// The tags behind a black flag that make the flag of a part of a country; there are three.
fn flag_length(rest: &str) -> usize {
    let tags: String = rest
        .chars()
        .take(6)
        .filter_map(|c| char::from_u32(u32::from(c).checked_sub(0xe_0000)?))
        .collect();
    match tags.as_str() {
        "gbeng\u{7f}" | "gbsct\u{7f}" | "gbwls\u{7f}" => 6 * '\u{e007f}'.len_utf8(),
        _ => 0,
    }
}

/// Whether a character is a symbol that is drawn.
fn is_pictorial(character: char) -> bool {
    matches!(
        character,
        '\u{a9}' | '\u{ae}' | '\u{203c}' | '\u{2049}' | '\u{2100}'..='\u{2bff}'
            | '\u{3030}' | '\u{303d}' | '\u{3297}' | '\u{3299}' | '\u{1f000}'..='\u{1faff}'
    )
}

/// Whether a letter belongs to a script that is written with joiners: those from Arabic to Khmer.
fn joins_letters(character: char) -> bool {
    matches!(character, '\u{620}'..='\u{1cff}') && HiddenClass::of(character).is_none()
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::hidden_characters;

    #[track_caller]
    fn check(text: &str, expected: &[&str]) {
        let found: Vec<_> = hidden_characters(text)
            .map(|found| {
                let code = u32::from(found.character);
                let place = found.place;
                format!(
                    "{code:04X} {} {}:{}",
                    found.class.word(),
                    place.line,
                    place.column
                )
            })
            .collect();
        assert_eq!(found, expected, "{text:?}");
    }

    #[test]
    fn characters_nobody_sees() {
        check(
            "a\u{202e}b\nç\u{2066}",
            &["202E bidirectional 1:2", "2066 bidirectional 2:2"],
        );
        check(
            "a\u{200b}\u{2060}",
            &["200B zeroWidth 1:2", "2060 zeroWidth 1:3"],
        );
        check("\u{feff}---", &["FEFF zeroWidth 1:1"]);
        check("x\u{e0041}\u{e0042}", &["E0041 tag 1:2", "E0042 tag 1:3"]);
        check(
            "a\u{ad}b\u{3164}",
            &["00AD invisible 1:2", "3164 invisible 1:4"],
        );
        check("\u{1b}[31m\0", &["001B control 1:1", "0000 control 1:6"]);
        check("a\u{2028}b", &["2028 separator 1:2"]);
        check("\u{e123}", &["E123 privateUse 1:1"]);
        check("a\u{fe01}", &["FE01 variationSelector 1:2"]);
        check("a\u{200d}b", &["200D zeroWidth 1:2"]);
    }

    #[test]
    fn honest_uses_are_left_alone() {
        check("tab\tand\r\nbreak", &[]);
        check("heart \u{2764}\u{fe0f}, key 1\u{fe0f}\u{20e3}", &[]);
        check("\u{1f468}\u{200d}\u{1f469}\u{200d}\u{1f467}", &[]);
        check("\u{2764}\u{fe0f}\u{200d}\u{1f525}", &[]);
        check("\u{645}\u{6cc}\u{200c}\u{62e}", &[]);
        check("\u{915}\u{94d}\u{200d}\u{937}", &[]);
        check(
            "\u{1f3f4}\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f}",
            &[],
        );
        check("日本語 \u{8fbb}\u{e0100}", &[]);
        check("שלום", &[]);
    }

    #[test]
    fn honest_looking_carriers_are_not() {
        // The first selector may choose a picture; those behind it carry data.
        check(
            "\u{2764}\u{fe0f}\u{fe01}\u{e0101}",
            &["FE01 variationSelector 1:3", "E0101 variationSelector 1:4"],
        );
        check(
            "\u{1f3f4}\u{e0068}\u{e0069}",
            &["E0068 tag 1:2", "E0069 tag 1:3"],
        );
        check("\u{1f468}\u{200d}x", &["200D zeroWidth 1:2"]);
    }
}
