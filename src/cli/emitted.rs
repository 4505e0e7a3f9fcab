//! Reads an output folder back: the texts that a replay works from.

use crate::emit::parse::SourceText;
use std::fs;
use std::path::Path;

/// Largest file that is taken for one of ours, bytes.
const MAX_BYTES: u64 = 16 << 20;

/// Most files of a folder.
const MAX_FILES: usize = 20_000;

/// Texts of `kubernetes/` and `terraform/`, or of `clusters/`, below a folder, sorted by path. Other files are not read.
///
/// # Errors
/// In words: the folder is not there, holds neither, or a file of it cannot be read.
pub fn texts(dir: &Path) -> Result<Vec<SourceText>, String> {
    if !dir.is_dir() {
        return Err(format!("`{}` is no folder; name the output folder of `gpuplan optimize` with --from DIR", dir.display()));
    }
    let mut texts = Vec::new();
    for part in ["clusters", "kubernetes", "terraform"] {
        if dir.join(part).is_dir() {
            walk(dir, part, &mut texts)?;
        }
    }
    if texts.is_empty() {
        return Err(format!("`{}` holds neither kubernetes/ nor terraform/: it is no output folder of `gpuplan optimize`", dir.display()));
    }
    texts.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(texts)
}

fn walk(root: &Path, below: &str, texts: &mut Vec<SourceText>) -> Result<(), String> {
    let shown = |path: &str| root.join(path).display().to_string();
    let entries = fs::read_dir(root.join(below)).map_err(|fault| format!("`{}`: {fault}", shown(below)))?;
    for entry in entries {
        let entry = entry.map_err(|fault| format!("`{}`: {fault}", shown(below)))?;
        let Ok(name) = entry.file_name().into_string() else { continue };
        let path = format!("{below}/{name}");
        let kind = fs::metadata(root.join(&path)).map_err(|fault| format!("`{}`: {fault}", shown(&path)))?;
        if kind.is_dir() && !name.starts_with('.') {
            walk(root, &path, texts)?;
        } else if kind.is_file() && [".yaml", ".yml", ".json", ".pbtxt"].iter().any(|end| name.ends_with(end)) {
            if kind.len() > MAX_BYTES || texts.len() >= MAX_FILES {
                return Err(format!("`{}`: larger than anything that gpuplan writes", shown(&path)));
            }
            let text = fs::read_to_string(root.join(&path)).map_err(|fault| format!("`{}`: {fault}", shown(&path)))?;
            texts.push(SourceText { path, text });
        }
    }
    Ok(())
}
