//! The kind in real folders, with friendly and hostile paths.

use std::fs;
use std::os::unix::fs::symlink;

use onex_expr::{Value, json};
use onex_kernel::Id;
use onex_kernel::port::{Call, CallError, Effect};
use tempfile::TempDir;

use super::{Filesystem, Options};

/// Longer than any attempt here takes.
const AMPLE_MS: u64 = 60_000;

/// A folder with `files/`, the allowed one, and `outside/secret`, which no test may reach.
struct Rig {
    folder: TempDir,
    effect: Filesystem,
}

impl Rig {
    fn new() -> Rig {
        Rig::with(|_| {})
    }

    fn with(adjust: impl FnOnce(&mut Options)) -> Rig {
        let folder = TempDir::new().expect("a temporary folder");
        fs::create_dir(folder.path().join("outside")).expect("writable");
        fs::write(folder.path().join("outside/secret"), "hunter2").expect("writable");
        let mut options = Options::with_folder(folder.path().join("files"));
        adjust(&mut options);
        let effect = Filesystem::new(options).expect("valid options");
        Rig { folder, effect }
    }

    async fn perform(&self, request: &str) -> Result<Value, CallError> {
        let request = json::parse(request.as_bytes(), &json::Limits::default());
        self.effect
            .perform(Call {
                request: request.expect("test data is JSON"),
                input: Value::Null,
                intent_id: Id([1; 16]),
                timeout_ms: AMPLE_MS,
            })
            .await
    }

    async fn write(&self, path: &str, content: &str) {
        let request = format!(
            r#"{{"operation": "write", "file_path_template": "{path}", "content": "{content}"}}"#
        );
        self.perform(&request).await.expect("writable");
    }

    async fn code(&self, request: &str) -> String {
        let error = self.perform(request).await.expect_err(request);
        assert!(!error.message.contains("hunter2"), "{}", error.message);
        assert!(!error.passing, "{request}");
        error.code.to_string()
    }

    fn text(&self, path: &str) -> String {
        fs::read_to_string(self.folder.path().join(path)).expect(path)
    }

    fn names(&self, path: &str) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(self.folder.path().join(path))
            .expect(path)
            .map(|entry| entry.expect(path).file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }
}

#[tokio::test]
async fn a_file_is_written_with_the_folders_on_the_way_and_read_back() {
    let rig = Rig::new();
    let answer = rig
        .perform(r#"{"operation": "write", "file_path_template": "a/b/c.txt", "content": "x2"}"#)
        .await
        .expect("writable");
    assert_eq!(answer.get("path"), Some(&Value::text("a/b/c.txt")));
    assert_eq!(answer.get("bytes"), Some(&Value::Int(2)));
    assert_eq!(rig.text("files/a/b/c.txt"), "x2");
    assert_eq!(rig.names("files/a/b"), ["c.txt"], "nothing is left beside it");
    let answer = rig
        .perform(r#"{"operation": "read", "file_path_template": "a/./b//c.txt"}"#)
        .await
        .expect("readable");
    assert_eq!(answer.get("body"), Some(&Value::text("x2")));
    assert_eq!(answer.get("encoding"), Some(&Value::text("utf-8")));
    let modified = answer.get("modified_at").and_then(Value::as_str);
    assert!(modified.is_some_and(|text| text.starts_with("20") && text.ends_with('Z')));
}

#[tokio::test]
async fn a_write_replaces_and_data_is_written_as_json() {
    let rig = Rig::new();
    rig.write("a", "a longer text").await;
    let request = r#"{"operation": "write", "file_path_template": "a", "content": {"b": [1, 2.0], "a": null}}"#;
    rig.perform(request).await.expect("writable");
    assert_eq!(rig.text("files/a"), r#"{"a":null,"b":[1,2.0]}"#);
}

#[tokio::test]
async fn what_a_crash_left_beside_the_file_is_taken_over_and_never_listed() {
    let rig = Rig::new();
    rig.write("a", "1").await;
    let beside = format!("files/.onex-{}", Id([1; 16]));
    fs::write(rig.folder.path().join(beside), "half a fi").expect("writable");
    let listed =
        rig.perform(r#"{"operation": "list", "file_path_template": "."}"#).await.expect("listable");
    let entries = listed.get("entries").and_then(Value::as_list).map(<[_]>::len);
    assert_eq!(entries, Some(1));
    rig.write("a", "2").await;
    assert_eq!(rig.names("files"), ["a"]);
    assert_eq!(rig.text("files/a"), "2");
}

#[tokio::test]
async fn delete_is_done_however_often_it_is_asked_for() {
    let rig = Rig::new();
    rig.write("d/a", "1").await;
    let delete = r#"{"operation": "delete", "file_path_template": "d/a"}"#;
    let first = rig.perform(delete).await.expect("deleted");
    let second = rig.perform(delete).await.expect("deleted already");
    assert_eq!(first, second);
    assert_eq!(rig.names("files/d"), Vec::<String>::new());
    let nowhere = r#"{"operation": "delete", "file_path_template": "no/such/folder/a"}"#;
    rig.perform(nowhere).await.expect("nothing to delete");
}

#[tokio::test]
async fn move_and_copy_replace_what_is_there() {
    let rig = Rig::new();
    rig.write("a", "1").await;
    rig.write("c/b", "2").await;
    let copy =
        r#"{"operation": "copy", "file_path_template": "a", "destination_path_template": "c/b"}"#;
    let answer = rig.perform(copy).await.expect("copied");
    assert_eq!(answer.get("path"), Some(&Value::text("c/b")));
    assert_eq!((rig.text("files/a"), rig.text("files/c/b")), ("1".into(), "1".into()));
    let mv =
        r#"{"operation": "move", "file_path_template": "a", "destination_path_template": "n/e/w"}"#;
    rig.perform(mv).await.expect("moved");
    assert_eq!(rig.names("files"), ["c", "n"]);
    assert_eq!(rig.text("files/n/e/w"), "1");
    assert_eq!(rig.code(mv).await, "not_found");
}

#[tokio::test]
async fn list_tells_names_kinds_and_sizes_in_order() {
    let rig = Rig::new();
    rig.write("b.txt", "12345").await;
    rig.write("a/x", "1").await;
    symlink("b.txt", rig.folder.path().join("files/c")).expect("linkable");
    let answer = rig
        .perform(r#"{"operation": "list", "file_path_template": "./"}"#)
        .await
        .expect("listable");
    let entries = answer.get("entries").and_then(Value::as_list).expect("entries");
    let told: Vec<_> = entries
        .iter()
        .map(|entry| {
            let text = |field| entry.get(field).and_then(Value::as_str).unwrap_or_default();
            (text("name"), text("kind"), entry.get("bytes").and_then(Value::as_int))
        })
        .collect();
    assert_eq!(
        told,
        [("a", "folder", Some(0)), ("b.txt", "file", Some(5)), ("c", "link", Some(0))]
    );
    assert_eq!(answer.get("bytes"), Some(&Value::Int(5)));
}

#[tokio::test]
async fn content_that_is_no_text_comes_as_base64() {
    let rig = Rig::new();
    rig.write("a", "").await;
    fs::write(rig.folder.path().join("files/a"), [0xff, 0xfe]).expect("writable");
    let answer =
        rig.perform(r#"{"operation": "read", "file_path_template": "a"}"#).await.expect("readable");
    assert_eq!(answer.get("body"), Some(&Value::text("//4=")));
    assert_eq!(answer.get("encoding"), Some(&Value::text("base64")));
    assert_eq!(answer.get("bytes"), Some(&Value::Int(2)));
}

#[tokio::test]
async fn no_path_leads_out() {
    let rig = Rig::new();
    rig.write("in", "1").await;
    let outside = rig.folder.path().join("outside");
    let files = rig.folder.path().join("files");
    symlink("../outside", files.join("folder")).expect("linkable");
    symlink(&outside, files.join("absolute")).expect("linkable");
    symlink("../outside/secret", files.join("file")).expect("linkable");
    let absolute = outside.join("secret");
    let cases = [
        ("../outside/secret", "not_allowed"),
        ("a/../../outside/secret", "not_allowed"),
        ("folder/secret", "not_allowed"),
        ("absolute/secret", "not_allowed"),
        ("file", "not_allowed"),
        ("/etc/passwd", "not_allowed"),
        (absolute.to_str().expect("UTF-8"), "not_allowed"),
        ("/proc/self/environ", "not_allowed"),
        ("in\\u0000.txt", "bad_request"),
        ("in\\ntwo", "bad_request"),
        (".onex-in", "bad_request"),
        ("", "bad_request"),
        (".", "bad_request"),
        ("in/", "bad_request"),
        ("in/below", "io"),
        ("missing", "not_found"),
    ];
    for (path, code) in cases {
        let read = format!(r#"{{"operation": "read", "file_path_template": "{path}"}}"#);
        assert_eq!(rig.code(&read).await, code, "{path}");
    }
    for path in ["folder/new", "absolute/secret", "../outside/new", "folder/a/b"] {
        for rest in [r#""operation": "write", "content": "x""#, r#""operation": "delete""#] {
            let request = format!(r#"{{"file_path_template": "{path}", {rest}}}"#);
            assert_eq!(rig.code(&request).await, "not_allowed", "{request}");
        }
        for verb in ["move", "copy"] {
            let request = format!(
                r#"{{"operation": "{verb}", "file_path_template": "in", "destination_path_template": "{path}"}}"#
            );
            assert_eq!(rig.code(&request).await, "not_allowed", "{request}");
        }
    }
    let list = r#"{"operation": "list", "file_path_template": "folder"}"#;
    assert_eq!(rig.code(list).await, "not_allowed");
    assert_eq!(rig.names("outside"), ["secret"]);
    assert_eq!(rig.text("outside/secret"), "hunter2");
    assert_eq!(rig.text("files/in"), "1");
}

#[tokio::test]
async fn writing_to_a_link_replaces_the_link_and_not_what_it_names() {
    let rig = Rig::new();
    rig.write("in", "1").await;
    let link = rig.folder.path().join("files/link");
    symlink("../outside/secret", &link).expect("linkable");
    rig.write("link", "mine").await;
    assert_eq!(rig.text("outside/secret"), "hunter2");
    assert_eq!(rig.text("files/link"), "mine");
}

#[tokio::test]
async fn an_absolute_path_is_good_inside_any_allowed_folder() {
    let second = TempDir::new().expect("a temporary folder");
    let rig = Rig::with(|options| options.allow.push(second.path().to_owned()));
    let path = second.path().join("a/b");
    rig.write(path.to_str().expect("UTF-8"), "1").await;
    assert_eq!(fs::read_to_string(path).expect("written"), "1");
    let sibling = format!("{}-not/x", second.path().display());
    let read = format!(r#"{{"operation": "read", "file_path_template": "{sibling}"}}"#);
    let error = rig.perform(&read).await.expect_err("not below the folder");
    assert_eq!(error.code, "not_allowed");
    let line = format!(r#", "{}-not"]"#, second.path().display());
    assert!(error.message.ends_with(&line), "{}", error.message);
}

#[tokio::test]
async fn what_is_too_large_is_neither_read_nor_written_nor_copied_nor_listed() {
    let rig = Rig::with(|options| {
        options.file_bytes_max = 4;
        options.entries_max = 2;
    });
    rig.write("four", "1234").await;
    rig.perform(r#"{"operation": "read", "file_path_template": "four"}"#)
        .await
        .expect("exactly the limit");
    fs::write(rig.folder.path().join("files/five"), "12345").expect("writable");
    for (request, code) in [
        (r#"{"operation": "read", "file_path_template": "five"}"#, "too_large"),
        (
            r#"{"operation": "copy", "file_path_template": "five", "destination_path_template": "c"}"#,
            "too_large",
        ),
        (r#"{"operation": "write", "file_path_template": "c", "content": "12345"}"#, "bad_request"),
    ] {
        assert_eq!(rig.code(request).await, code, "{request}");
    }
    assert_eq!(rig.names("files"), ["five", "four"]);
    rig.write("six", "1").await;
    let list = r#"{"operation": "list", "file_path_template": "."}"#;
    assert_eq!(rig.code(list).await, "too_large");
}

#[tokio::test]
async fn what_is_no_regular_file_is_not_read_and_a_folder_is_not_deleted() {
    let rig = Rig::new();
    rig.write("d/a", "1").await;
    let pipe = rig.folder.path().join("files/pipe");
    rustix::fs::mknodat(
        rustix::fs::CWD,
        &pipe,
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::from(0o600),
        0,
    )
    .expect("a pipe can be made");
    for request in [
        r#"{"operation": "read", "file_path_template": "pipe"}"#,
        r#"{"operation": "read", "file_path_template": "d"}"#,
        r#"{"operation": "delete", "file_path_template": "d"}"#,
        r#"{"operation": "write", "file_path_template": "d", "content": "x"}"#,
        r#"{"operation": "move", "file_path_template": "d", "destination_path_template": "e"}"#,
    ] {
        assert_eq!(rig.code(request).await, "io", "{request}");
    }
    assert_eq!(rig.names("files"), ["d", "pipe"]);
}

#[tokio::test]
async fn without_create_dirs_a_missing_folder_is_a_fault() {
    let rig = Rig::new();
    rig.write("a", "1").await;
    let request = r#"{"operation": "write", "file_path_template": "n/a", "content": "x", "create_dirs": false}"#;
    assert_eq!(rig.code(request).await, "not_found");
    assert_eq!(rig.names("files"), ["a"]);
}

#[tokio::test]
async fn a_faulty_request_is_refused() {
    let rig = Rig::new();
    let name = "n".repeat(256);
    let path = "p/".repeat(600);
    let cases = [
        r#"{"operation": "read"}"#.to_owned(),
        r#"{"operation": "append", "file_path_template": "a"}"#.to_owned(),
        r#"{"operation": "write", "file_path_template": "a"}"#.to_owned(),
        r#"{"operation": "write", "file_path_template": "a", "content": null}"#.to_owned(),
        r#"{"operation": "move", "file_path_template": "a"}"#.to_owned(),
        format!(r#"{{"operation": "read", "file_path_template": "{name}"}}"#),
        format!(r#"{{"operation": "read", "file_path_template": "{path}a"}}"#),
    ];
    for request in cases {
        assert_eq!(rig.code(&request).await, "bad_request", "{request}");
    }
    assert!(!rig.folder.path().join("files").exists());
}
