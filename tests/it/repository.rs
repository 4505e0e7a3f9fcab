//! The repository as the tests see it: its root and its files.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The folder of `Cargo.toml`.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Paths relative to the root, sorted: what git tracks or would track; without git everything but build products.
pub fn files() -> Vec<PathBuf> {
    let listed = Command::new("git").args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"]).current_dir(root()).output();
    let mut files: Vec<PathBuf> = match listed {
        Ok(output) if output.status.success() => {
            String::from_utf8_lossy(&output.stdout).split('\0').filter(|p| !p.is_empty()).map(PathBuf::from).collect()
        }
        _ => files_below(Path::new("")),
    };
    // A file that is deleted and not yet committed is still listed.
    files.retain(|path| root().join(path).is_file());
    files.sort();
    files.dedup();
    assert!(!files.is_empty(), "no files found below {}", root().display());
    files
}

/// The tracked files below `folder` whose name ends in `extension`.
pub fn files_in(folder: &str, extension: &str) -> Vec<PathBuf> {
    files().into_iter().filter(|path| path.starts_with(folder) && path.extension().is_some_and(|e| e == extension)).collect()
}

/// The text of a file, `None` when it is not text.
pub fn text(path: &Path) -> Option<String> {
    let bytes = fs::read(root().join(path)).unwrap_or_else(|e| panic!("cannot read {}: {e}", path.display()));
    String::from_utf8(bytes).ok()
}

/// The program that is tested, ready for arguments, run in the root; no snapshot of prices of whoever runs the tests is seen.
pub fn gpuplan(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gpuplan"));
    command.args(arguments).current_dir(root()).env("NO_COLOR", "1").env("COLUMNS", "110");
    command.env("GPUPLAN_CACHE_DIR", std::env::temp_dir().join("gpuplan-tests-have-no-cache"));
    command
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(root().join(folder)).unwrap_or_else(|e| panic!("cannot list {}: {e}", folder.display()));
    let mut files = Vec::new();
    for entry in entries.flatten() {
        let path = folder.join(entry.file_name());
        let is_product = [".git", "target", "gpuplan-out"].iter().any(|name| path == Path::new(name));
        if is_product {
            continue;
        }
        if entry.path().is_dir() { files.extend(files_below(&path)) } else { files.push(path) }
    }
    files
}
