//! Golden files: what the program writes, kept as files that people read as a diff.

use std::path::Path;

/// Holds `actual` against `tests/golden/<name>`; with `BLESS=1` writes the file instead.
pub fn check(name: &str, actual: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name);
    if std::env::var_os("BLESS").is_some_and(|v| v == "1") {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).expect("the golden folder can be made");
        }
        std::fs::write(&path, actual).expect("the golden file can be written");
        return;
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        expected == actual,
        "{} differs from what the program writes now. If that is meant, run `make bless` and read the diff.\n--- now ---\n{actual}",
        path.display()
    );
}
