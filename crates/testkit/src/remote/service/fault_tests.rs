use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::time::Duration;

use flate2::read::GzDecoder;
use pretty_assertions::assert_eq;
use serde_json::json;

use super::super::raw_client::{INSTALLED, LIST, Said, call, connect, get, names, shop, try_ask};
use super::super::{Endpoint, Item, PluginService};
use super::{Fault, ServiceRequest};
use crate::Gate;

#[test]
fn answers_that_are_wrong() {
    let service = shop(&["a"]);
    let with = |fault: Fault| {
        service.fail(Endpoint::List, fault);
        get(&service, LIST)
    };
    let said = with(Fault::Status(418, "tea".to_owned()));
    assert_eq!((said.status, said.body), (418, b"tea".to_vec()));
    let said = with(Fault::RetryAfter(429, "7".to_owned()));
    assert_eq!((said.status, said.header("retry-after")), (429, Some("7")));
    assert_eq!(with(Fault::NotJson).body, b"<html>hello</html>");
    assert_eq!(with(Fault::Raw("[".to_owned())).body, b"[");
    let to = format!("/backend-api{LIST}");
    assert_eq!(
        with(Fault::RedirectLoop).header("location"),
        Some(to.as_str())
    );
    let said = with(Fault::Redirect("http://x/".to_owned()));
    assert_eq!(
        (said.status, said.header("location")),
        (302, Some("http://x/"))
    );
    let said = with(Fault::Chunked);
    assert_eq!(
        (said.header("content-length"), names(&said.json())),
        (None, vec!["a"])
    );
    let said = with(Fault::BadItem(json!(7))).json();
    assert_eq!(
        (
            said["plugins"][0].clone(),
            said["plugins"][1]["name"].clone()
        ),
        (json!(7), json!("a"))
    );
    for (fault, token) in [(Fault::RepeatedToken, "again"), (Fault::EmptyToken, "")] {
        assert_eq!(with(fault).json()["pagination"]["next_page_token"], token);
        let next = get(&service, &format!("{LIST}&pageToken={token}"));
        assert_eq!(names(&next.json()), ["a"]);
    }
    assert_eq!(with(Fault::NoPagination).json().get("pagination"), None);
    let said = with(Fault::edit(|page| page["plugins"] = json!({})));
    assert_eq!(said.json()["plugins"], json!({}));
    service.heal(Endpoint::List);
    assert_eq!(names(&get(&service, LIST).json()), ["a"]);
}

#[test]
fn faults_for_some_requests() {
    let service = shop(&["a"]);
    service.fail_times(Endpoint::List, 1, Fault::status(503));
    service.fail_times(Endpoint::List, 2, Fault::status(500));
    service.fail(Endpoint::List, Fault::status(502));
    let found: Vec<u16> = (0..5).map(|_| get(&service, LIST).status).collect();
    assert_eq!(found, [503, 500, 500, 502, 502]);
    service.behave_well();
    let fits = |one: &ServiceRequest| one.param("scope") == Some("USER");
    service.fail_if(Endpoint::List, fits, Fault::status(500));
    assert_eq!(get(&service, LIST).status, 200);
    assert_eq!(get(&service, "/ps/plugins/list?scope=USER").status, 500);
    assert_eq!(get(&service, INSTALLED).status, 200);
}

#[test]
fn connections_that_end_badly() {
    let service = shop(&["a"]);
    let with = |fault: Fault| {
        service.fail(Endpoint::List, fault);
        let path = format!("/backend-api{LIST}");
        let bearer = format!(
            "Authorization: Bearer {}\r\n",
            service.login().access_token()
        );
        service.set_account(None);
        try_ask(connect(&service.base()), "GET", &path, &bearer, b"")
    };
    let reset = with(Fault::Reset).unwrap_err();
    assert_eq!(reset.kind(), io::ErrorKind::ConnectionReset);
    assert_eq!(service.count(Endpoint::List), 1);
    for fault in [Fault::Cut(5), Fault::Claim(100_000)] {
        let short = with(fault).unwrap_err();
        assert_eq!(short.kind(), io::ErrorKind::UnexpectedEof);
    }
    let slow = with(Fault::Slow(Duration::from_micros(10))).unwrap();
    assert_eq!(names(&slow.json()), ["a"]);
}

#[test]
fn a_client_that_waits_is_let_go_in_the_end() {
    let service = shop(&["a"]);
    let gate = Gate::new();
    service.fail(Endpoint::List, Fault::Silent);
    service.fail(Endpoint::Installed, Fault::Hold(gate.clone()));
    service.fail(Endpoint::Featured, Fault::Slow(Duration::from_secs(60)));
    let open = |path: &str| {
        let mut stream = connect(&service.base());
        let request = format!("GET /backend-api{path} HTTP/1.1\r\nHost: x\r\n\r\n");
        stream.write_all(request.as_bytes()).unwrap();
        stream
    };
    let mut clients = [LIST, INSTALLED, "/plugins/featured?platform=codex"].map(open);
    gate.wait_reached();
    service.wait_for(|log| log.len() == 3);
    assert!(service.requests().iter().all(|one| one.answered.is_none()));
    drop(service);
    for client in &mut clients {
        let mut rest = Vec::new();
        // What comes before the end does not matter, only that it ends.
        let _ = client.read_to_end(&mut rest);
    }
}

#[test]
fn gates_stand_before_and_behind_the_deed() {
    let service = shop(&["a"]);
    let id = Item::new("a").id().to_owned();
    let path = format!("/ps/plugins/{id}/install");
    for (before, expected) in [(true, 0), (false, 1)] {
        let gate = Gate::new();
        let hold = if before {
            Fault::Hold
        } else {
            Fault::HoldAnswer
        };
        service.fail(Endpoint::Install, hold(gate.clone()));
        std::thread::scope(|scope| {
            let client = scope.spawn(|| call(&service, "POST", &path, "", b"").status);
            gate.wait_reached();
            assert_eq!(service.installed().len(), expected);
            gate.open();
            assert_eq!(client.join().unwrap(), 200);
        });
        service.remove_installed(&id);
    }
    service.wait_answered(Endpoint::Install, 2);
    service.wait_hung_up();
}

#[test]
fn a_connection_serves_more_than_one_request() {
    let service = shop(&["a"]);
    let mut stream = BufReader::new(connect(&service.base()));
    for _ in 0..2 {
        let request = b"GET /backend-api/nothing HTTP/1.1\r\nHost: x\r\n\r\n";
        stream.get_mut().write_all(request).unwrap();
        assert_eq!(Said::read(&mut stream).unwrap().status, 404);
    }
    service.fail(Endpoint::List, Fault::Reset);
    let request = format!("GET /backend-api{LIST} HTTP/1.1\r\nHost: x\r\n\r\n");
    stream.get_mut().write_all(request.as_bytes()).unwrap();
    let error = Said::read(&mut stream).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
    assert_eq!(service.requests().len(), 3);
}

#[test]
fn bodies_without_an_end() {
    let service = shop(&["a"]);
    service.fail(Endpoint::List, Fault::Endless);
    service.fail(Endpoint::Bundle, Fault::Endless);
    let start = |path: &str, most: usize| {
        let mut stream = BufReader::new(connect(&service.base()));
        let request = format!("GET /backend-api{path} HTTP/1.1\r\nHost: x\r\n\r\n");
        stream.get_mut().write_all(request.as_bytes()).unwrap();
        let mut body = Vec::new();
        let mut line = String::new();
        while body.len() < most {
            line.clear();
            stream.read_line(&mut line).unwrap();
            // What is no size is a part of the head, or the end of a chunk.
            let Ok(size) = usize::from_str_radix(line.trim(), 16) else {
                continue;
            };
            let start = body.len();
            body.resize(start + size, 0);
            stream.read_exact(&mut body[start..]).unwrap();
        }
        body
    };
    let text = start(LIST, 1_000_000);
    assert!(text.starts_with(b"{\"plugins\": \"aaa"));
    let archive = start("/bundles/x/1.0.0.tar.gz", 20_000);
    let mut plain = vec![0; 5_000_000];
    GzDecoder::new(archive.as_slice())
        .read_exact(&mut plain)
        .unwrap();
    assert!(plain[512..].iter().all(|byte| *byte == 0));
    service.wait_hung_up();
    assert!(service.bytes_sent() > 1_000_000);
}

#[test]
fn a_bundle_waits_in_the_middle() {
    let service = PluginService::start();
    let item = Item::new("a");
    let path = format!("/bundles/{}/1.0.0.tar.gz", item.id());
    service.offer_plugin(item);
    let gate = Gate::new();
    service.fail(Endpoint::Bundle, Fault::HoldAfter(100, gate.clone()));
    let mut stream = BufReader::new(connect(&service.base()));
    let request = format!("GET /backend-api{path} HTTP/1.1\r\nHost: x\r\n\r\n");
    stream.get_mut().write_all(request.as_bytes()).unwrap();
    gate.wait_reached();
    assert_eq!(service.requests()[0].answered, None);
    gate.open();
    assert_eq!(Said::read(&mut stream).unwrap().status, 200);
    service.wait_answered(Endpoint::Bundle, 1);
}
