//! The workspace as text: its files and what cargo tells of its packages.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// Folders that hold nothing written by hand.
const LEFT_OUT: [&str; 3] = ["target", "node_modules", "corpus"];

/// What the rules look at.
pub(crate) struct Repository {
    /// The folder of the workspace.
    pub(crate) root: PathBuf,
    /// Every text file, sorted by path.
    pub(crate) files: Vec<File>,
    /// `cargo metadata` with all dependencies.
    pub(crate) metadata: Value,
}

/// One text file.
pub(crate) struct File {
    /// The path below the root, with `/`.
    pub(crate) path: String,
    /// Its content.
    pub(crate) text: String,
}

/// The folder of the workspace that this crate belongs to.
pub(crate) fn root() -> Result<PathBuf, String> {
    let crate_folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    crate_folder.parent().map(Path::to_owned).ok_or("the crate lies in no folder".to_owned())
}

impl Repository {
    /// Reads the workspace that this crate belongs to.
    pub(crate) fn open() -> Result<Repository, Box<dyn Error>> {
        let root = root()?;
        let mut files = Vec::new();
        collect(&root, &root, &mut files)?;
        files.sort_by(|a, b| a.path.cmp(&b.path));
        let metadata = metadata(&root)?;
        Ok(Repository { root, files, metadata })
    }

    /// The text of one file, empty when it is missing.
    pub(crate) fn text(&self, path: &str) -> &str {
        self.files.iter().find(|file| file.path == path).map_or("", |file| &file.text)
    }

    /// Every package that is known, of the workspace or not.
    pub(crate) fn packages(&self) -> impl Iterator<Item = &Value> {
        self.metadata["packages"].as_array().into_iter().flatten()
    }

    /// The packages of the workspace.
    pub(crate) fn members(&self) -> impl Iterator<Item = &Value> {
        self.packages().filter(|package| package["source"].is_null())
    }
}

fn collect(root: &Path, folder: &Path, files: &mut Vec<File>) -> Result<(), Box<dyn Error>> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let hidden = name.starts_with('.') && name != ".ci";
        if hidden || LEFT_OUT.contains(&name.as_ref()) {
            continue;
        }
        if path.is_dir() {
            collect(root, &path, files)?;
        } else if let Ok(text) = fs::read_to_string(&path) {
            let path = path.strip_prefix(root)?.to_string_lossy().replace('\\', "/");
            files.push(File { path, text });
        }
    }
    Ok(())
}

/// What is built on this platform: other platforms' packages need not be there.
fn metadata(root: &Path) -> Result<Value, Box<dyn Error>> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let version = Command::new(&cargo).arg("-vV").output()?;
    let version = String::from_utf8_lossy(&version.stdout).into_owned();
    let platform = version
        .lines()
        .find_map(|line| line.strip_prefix("host: "))
        .ok_or("cargo does not tell its platform")?;
    let output = Command::new(cargo)
        .args(["metadata", "--format-version", "1", "--locked"])
        .args(["--filter-platform", platform])
        .current_dir(root)
        .output()?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into());
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}
