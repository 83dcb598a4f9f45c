//! The command line, as data: commands in order against one host, with exit code and output.
//! `cases/cli.jsonl` has one case a line. `{dir}` is an empty folder, `{contracts}` those of these
//! tests, `{changed}` other versions of some, `{misread}`
//! a project of which not all is read, `{url}` the host.

mod support;

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};

use onex_expr::Value;
use support::{Host, contracts, fits, parse};

#[test]
fn every_command_answers_as_the_cases_say() {
    let host = Host::start();
    let folder = tempfile::tempdir().expect("a folder can be made");
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/cli.jsonl");
    let text = fs::read_to_string(&file).expect("the cases are there");
    let mut failures = Vec::new();
    for line in text.lines().filter(|line| line.starts_with('{')) {
        let line = line
            .replace("{dir}", &folder.path().display().to_string())
            .replace("{contracts}", &contracts().display().to_string())
            .replace("{changed}", &changed().display().to_string())
            .replace("{misread}", &misread().display().to_string())
            .replace("{url}", &format!("http://{}", host.address));
        let case = parse(line.as_bytes());
        let output = command(&host, folder.path(), &case);
        failures.extend(judge(&case, &output));
    }
    assert!(failures.is_empty(), "\n{}", failures.join("\n"));
}

fn changed() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/changed")
}

fn misread() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/misread")
}

fn texts<'a>(case: &'a Value, field: &str) -> Vec<&'a str> {
    let list = case.get(field).and_then(Value::as_list);
    list.unwrap_or_default().iter().filter_map(Value::as_str).collect()
}

fn command(host: &Host, folder: &Path, case: &Value) -> Output {
    let mut command = host.command(&texts(case, "args"));
    command.current_dir(folder).stdout(Stdio::piped()).stderr(Stdio::piped());
    for pair in texts(case, "env") {
        if let Some((name, value)) = pair.split_once('=') {
            command.env(name, value);
        }
    }
    let Some(input) = case.get("stdin").and_then(Value::as_str) else {
        return support::run(&mut command);
    };
    let mut child = command.stdin(Stdio::piped()).spawn().expect("the binary can be started");
    let mut stdin = child.stdin.take().expect("stdin is piped");
    stdin.write_all(input.as_bytes()).expect("the command reads");
    drop(stdin);
    child.wait_with_output().expect("the command ends")
}

fn judge(case: &Value, output: &Output) -> Option<String> {
    let args = texts(case, "args").join(" ");
    let out = String::from_utf8_lossy(&output.stdout);
    let err = String::from_utf8_lossy(&output.stderr);
    let fail = |why: String| Some(format!("onex {args}: {why}\n    out: {out}\n    err: {err}"));
    let exit = case.get("exit").and_then(Value::as_int);
    if exit != output.status.code().map(i64::from) {
        return fail(format!("exit code is {:?}", output.status.code()));
    }
    for (text, found, name) in texts(case, "out")
        .into_iter()
        .map(|text| (text, &out, "stdout"))
        .chain(texts(case, "err").into_iter().map(|text| (text, &err, "stderr")))
    {
        if !found.contains(text) {
            return fail(format!("{name} has no {text}"));
        }
    }
    let shapes = case.get("lines").and_then(Value::as_list);
    if let Some(shapes) = shapes {
        let lines: Vec<Value> = out.lines().map(|line| parse(line.as_bytes())).collect();
        let fit = lines.len() == shapes.len() && lines.iter().zip(shapes).all(|(l, s)| fits(l, s));
        if !fit {
            return fail("lines have another shape".into());
        }
    }
    None
}
