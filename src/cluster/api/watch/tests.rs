use super::*;

fn read(line: &str) -> Result<(Option<String>, String), String> {
    match read_event::<Value>(line.as_bytes()) {
        Ok((version, event)) => Ok((
            version,
            match event {
                None => "nothing".to_owned(),
                Some(WatchEvent::Changed(object)) => format!("changed {}", object["spec"]),
                Some(WatchEvent::Deleted(object)) => format!("deleted {}", object["spec"]),
                Some(other) => format!("{other:?}"),
            },
        )),
        Err(error) if is_gone(&error) => Err("gone".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

#[test]
fn events_are_read_with_their_version() {
    let line = |kind: &str| {
        format!(r#"{{"type":"{kind}","object":{{"metadata":{{"resourceVersion":"7"}},"spec":1}}}}"#)
    };
    let seven = |what: &str| Ok((Some("7".to_owned()), what.to_owned()));
    for (kind, expected) in [
        ("ADDED", seven("changed 1")),
        ("MODIFIED", seven("changed 1")),
        ("DELETED", seven("deleted 1")),
        ("BOOKMARK", seven("nothing")),
        ("OTHER", Err("the server's watch has an event of the unknown type \"OTHER\"".to_owned())),
    ] {
        assert_eq!(read(&line(kind)), expected, "{kind}");
    }
    assert_eq!(read(r#"{"type":"ADDED","object":{}}"#), Ok((None, "changed null".to_owned())));
}

#[test]
fn error_events_and_unreadable_lines_have_different_texts() {
    let gone = r#"{"type":"ERROR","object":{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"too old resource version: 1 (2)","reason":"Expired","code":410}}"#;
    assert_eq!(read(gone), Err("gone".to_owned()));
    for (line, expected) in [
        (
            r#"{"type":"ERROR","object":{"kind":"Status","status":"Failure","message":"no","code":403}}"#,
            "no",
        ),
        (
            r#"{"type":"ERROR","object":{}}"#,
            "the server's watch has an error event without a Status",
        ),
        (
            r#"{"type":"ADDED"}"#,
            "an event of the server's watch cannot be read: missing field `object` at line 1 column 16",
        ),
        (
            "<html>",
            "an event of the server's watch cannot be read: expected value at line 1 column 1",
        ),
    ] {
        assert_eq!(read(line), Err(expected.to_owned()), "{line}");
    }
}
