//! The part of the service that takes archives and shares plugins.

use serde_json::{Value, json};

use super::answer::Answer;
use super::endpoint::PREFIX;
use super::world::World;
use super::{Item, ServiceRequest};

/// An archive that a client has put, or was about to put.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upload {
    /// What the service calls it.
    pub file_id: String,
    /// The name that the client gave.
    pub filename: String,
    /// The type that the client gave.
    pub mime_type: String,
    /// The size that the client gave.
    pub size_bytes: u64,
    /// The plugin that is to get a new version.
    pub plugin_id: Option<String>,
    /// What has to be said in the end.
    pub etag: String,
    /// The archive, when it has come.
    pub archive: Option<Vec<u8>>,
    /// The plugin that came of it, when the client has said so.
    pub became: Option<String>,
}

impl World {
    pub(super) fn share_with(&mut self, id: &str, request: &ServiceRequest) -> Answer {
        let asked = request.json();
        let Some(item) = self.items.iter_mut().find(|item| item.id == id) else {
            return Answer::refusal(404, "no such plugin");
        };
        let (Some(Value::String(found)), Some(Value::Array(targets))) =
            (asked.get("discoverability"), asked.get("targets"))
        else {
            return Answer::refusal(422, "discoverability, targets");
        };
        let principals = principals(targets);
        *item = item.clone().discoverability(found);
        *item = item.clone().set("share_principals", principals.clone());
        Answer::json(json!({"principals": principals, "discoverability": found}))
    }

    pub(super) fn place_for_upload(&mut self, request: &ServiceRequest) -> Answer {
        let asked = request.json();
        let text = |name: &str| asked.get(name).and_then(Value::as_str).map(str::to_owned);
        let (Some(filename), Some(mime_type), Some(size_bytes)) = (
            text("filename"),
            text("mime_type"),
            asked.get("size_bytes").and_then(Value::as_u64),
        ) else {
            return Answer::refusal(422, "filename, mime_type, size_bytes");
        };
        let plugin_id = text("plugin_id");
        if plugin_id
            .as_ref()
            .is_some_and(|id| self.offered(id).is_none())
        {
            return Answer::refusal(404, "no such plugin");
        }
        let number = self.uploads.len() + 1;
        let upload = Upload {
            file_id: format!("file-{number}"),
            filename,
            mime_type,
            size_bytes,
            plugin_id,
            etag: format!("etag-{number}"),
            archive: None,
            became: None,
        };
        let url = format!(
            "{}{PREFIX}/uploads/{}?sig=signature-{number}",
            self.plain, upload.file_id
        );
        let answer = json!({"file_id": upload.file_id, "upload_url": url, "etag": upload.etag});
        self.uploads.push(upload);
        Answer::json(answer)
    }

    pub(super) fn take_upload(&mut self, file: &str, request: &ServiceRequest) -> Answer {
        let signature = file.replace("file-", "signature-");
        let Some(upload) = self.uploads.iter_mut().find(|one| one.file_id == file) else {
            return Answer::refusal(404, "no such upload");
        };
        if request.param("sig") != Some(&signature) {
            return Answer::refusal(403, "signature");
        }
        if request.header("x-ms-blob-type") != Some("BlockBlob") {
            return Answer::refusal(400, "x-ms-blob-type");
        }
        upload.archive = Some(request.body.clone());
        Answer::empty(201)
    }

    /// Makes a plugin of an archive, or a new version of the one with this id.
    pub(super) fn finalise(&mut self, id: Option<&String>, request: &ServiceRequest) -> Answer {
        let asked = request.json();
        let said = |name: &str| asked.get(name).and_then(Value::as_str);
        let known = self.uploads.iter().position(|one| {
            Some(one.file_id.as_str()) == said("file_id") && Some(one.etag.as_str()) == said("etag")
        });
        let upload = known.and_then(|at| self.uploads.get(at)).cloned();
        let Some((upload, archive)) = upload.and_then(|one| Some((one.clone(), one.archive?)))
        else {
            return Answer::refusal(400, "no such archive");
        };
        let item = match id.map(|id| self.offered(id).cloned()) {
            Some(None) => return Answer::refusal(404, "no such plugin"),
            Some(Some(item)) => {
                let version = item.text("release/version").map(next_version);
                item.version(&version.unwrap_or_else(|| "1.0.0".to_owned()))
            }
            None => {
                let name = upload.filename.trim_end_matches(".tar.gz");
                let found = said("discoverability").unwrap_or("PRIVATE");
                let targets = asked.get("share_targets").and_then(Value::as_array);
                let item = Item::workspace(name, found).set(
                    "share_principals",
                    principals(targets.map_or(&[], Vec::as_slice)),
                );
                let url = format!("https://chatgpt.com/plugins/{}", item.id());
                item.share_url(&url).can_publish_to_workspace(true)
            }
        };
        let (id, url) = (item.id.clone(), item.text("share_url").map(str::to_owned));
        let version = item.text("release/version").unwrap_or_default().to_owned();
        let can = item.value.get("can_publish_to_workspace").cloned();
        self.bundles.insert((id.clone(), version), archive);
        if !self.created.contains(&id) {
            self.created.push(id.clone());
        }
        self.offer(item);
        if let Some(upload) = known.and_then(|at| self.uploads.get_mut(at)) {
            upload.became = Some(id.clone());
        }
        Answer::json(json!({
            "plugin_id": id, "share_url": url, "can_publish_to_workspace": can,
        }))
    }

    pub(super) fn delete_share(&mut self, id: &str) -> Answer {
        if self.offered(id).is_none() {
            return Answer::refusal(404, "no such plugin");
        }
        self.items.retain(|item| item.id != id);
        self.created.retain(|one| one != id);
        self.shared.retain(|one| one != id);
        self.installed.retain(|(one, _)| one != id);
        Answer::empty(204)
    }
}

/// Targets as they come back: with a name each.
fn principals(targets: &[Value]) -> Vec<Value> {
    let named = targets.iter().map(|target| {
        let id = target.get("principal_id").and_then(Value::as_str);
        let mut principal = target.clone();
        super::item::put(
            &mut principal,
            "name",
            json!(format!("name of {}", id.unwrap_or("?"))),
        );
        principal
    });
    named.collect()
}

/// `1.0.0` and then `1.0.1`.
fn next_version(version: &str) -> String {
    let (front, last) = version.rsplit_once('.').unwrap_or(("0", version));
    format!("{front}.{}", last.parse::<u64>().unwrap_or(0) + 1)
}
