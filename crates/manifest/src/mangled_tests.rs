//! Files that are cut off or changed in one byte: whatever comes out, it is an answer with places
//! inside the file, and never a panic.

use plugd_model::{AbsPath, ManifestFormat, Problem};

use crate::testing::marketplace_file;
use crate::{parse_marketplace, parse_plugin};

const MARKETPLACE: &str = r#"{"name":"m","interface":{"displayName":"é"},"plugins":[
 {"name":"a","source":"./a","policy":{"installation":"AVAILABLE","products":["CODEX"]}},
 {"name":"b","source":{"source":"git-subdir","url":"o/r","path":"./p","ref":"v1"},"category":"x"},
 {"name":"c","source":{"source":"npm","package":"@s/p","registry":"https://r.x:1/"},"author":{"name":"n"}}]}"#;

const PLUGIN: &str = r#"{"$schema":"https://agent-plugins.org/schemas/1.0.0/plugin.schema.json",
 "name":"a","version":"1.0","keywords":["k\u00e9"],"author":{"name":"n"},
 "extensions":{"com.openai":{"interface":{"logo":"./l","defaultPrompt":["p"]}}},
 "skills":["./s"],"hooks":[{"hooks":{}}],"mcpServers":{"s":{"command":"é"}}}"#;

/// Every shorter version of a text, and every version with one byte replaced.
fn mangled(text: &str) -> impl Iterator<Item = Vec<u8>> + '_ {
    let cut = (0..text.len()).map(|end| text.as_bytes()[..end].to_vec());
    let changed = (0..text.len()).flat_map(move |at| {
        b"\"\\{}[],:0n \n\0\xFF\xC3".iter().map(move |&byte| {
            let mut bytes = text.as_bytes().to_vec();
            bytes[at] = byte;
            bytes
        })
    });
    cut.chain(changed)
}

#[track_caller]
fn check_places(bytes: &[u8], problems: &[Problem]) {
    let lines = bytes.iter().filter(|&&byte| byte == b'\n').count() + 1;
    for problem in problems {
        let place = problem.place.expect("every problem of these has a place");
        let line = usize::try_from(place.line).unwrap();
        assert!((1..=lines).contains(&line), "{problem:?}");
        let text = bytes.split(|&byte| byte == b'\n').nth(line - 1).unwrap();
        let column = usize::try_from(place.column).unwrap();
        assert!((1..=text.len() + 1).contains(&column), "{problem:?}");
        assert!(!problem.message.is_empty());
        assert!(problem.path.is_some());
    }
}

#[test]
fn mangled_marketplaces() {
    let (whole, problems) = parse_marketplace(MARKETPLACE.as_bytes(), &marketplace_file()).unwrap();
    assert_eq!((whole.entries.len(), problems.len()), (3, 0));
    for bytes in mangled(MARKETPLACE) {
        match parse_marketplace(&bytes, &marketplace_file()) {
            Ok((manifest, problems)) => {
                assert!(manifest.entries.len() <= 3);
                check_places(&bytes, &problems);
                for entry in &manifest.entries {
                    let Some(fallback) = &entry.fallback else {
                        continue;
                    };
                    check_places(&bytes, fallback.problems());
                    assert!(serde_json::from_str::<serde_json::Value>(fallback.json()).is_ok());
                }
            }
            Err(problem) => check_places(&bytes, &[problem]),
        }
    }
}

#[test]
fn mangled_plugins() {
    let file = AbsPath::new("/p/plugin.json").unwrap();
    for format in [ManifestFormat::AgentPlugins, ManifestFormat::Codex] {
        let (whole, _) = parse_plugin(PLUGIN.as_bytes(), format, "d", &file).unwrap();
        assert_eq!(whole.name, "a");
        for bytes in mangled(PLUGIN) {
            match parse_plugin(&bytes, format, "d", &file) {
                Ok((_, problems)) => check_places(&bytes, &problems),
                Err(problem) => check_places(&bytes, &[problem]),
            }
        }
    }
}
