//! Golden files: plain files under `tests/golden`, rewritten with `BLESS=1` and then read as a diff.

#![expect(clippy::unwrap_used, reason = "test")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// `BLESS=1`: rewrite instead of compare.
fn blessing() -> bool {
    std::env::var_os("BLESS").is_some_and(|value| value == "1")
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden")
}

/// Holds `contents` against the golden file at `path`, relative to `tests/golden`.
pub fn check(path: &str, contents: &str) {
    let file = root().join(path);
    if blessing() {
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(&file, contents).unwrap();
        return;
    }
    let Ok(expected) = fs::read_to_string(&file) else { panic!("no golden file {path}: run the tests with BLESS=1 and read it") };
    for (number, (is, want)) in contents.lines().zip(expected.lines()).enumerate() {
        assert_eq!(is, want, "{path}, line {}: differs from the golden file (BLESS=1 rewrites it)", number + 1);
    }
    assert_eq!(contents, expected, "{path}: differs from the golden file in length (BLESS=1 rewrites it)");
}

/// Holds files (path, contents) against a golden folder, and the folder against the files: nothing more may lie in it.
pub fn check_folder(folder: &str, files: &[(String, String)]) {
    if blessing() && root().join(folder).exists() {
        fs::remove_dir_all(root().join(folder)).unwrap();
    }
    for (path, contents) in files {
        check(&format!("{folder}/{path}"), contents);
    }
    let expected: BTreeSet<String> = files.iter().map(|(path, _)| path.clone()).collect();
    let mut there = BTreeSet::new();
    walk(&root().join(folder), "", &mut there);
    assert_eq!(there, expected, "files of tests/golden/{folder}");
}

fn walk(dir: &Path, prefix: &str, found: &mut BTreeSet<String>) {
    for entry in fs::read_dir(dir).unwrap() {
        let entry = entry.unwrap();
        let path = format!("{prefix}{}", entry.file_name().to_str().unwrap());
        if entry.file_type().unwrap().is_dir() {
            walk(&entry.path(), &format!("{path}/"), found);
        } else {
            found.insert(path);
        }
    }
}
