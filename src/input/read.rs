//! The only reader of files. In: paths. Out: texts, with a fault for each file that cannot be had. Files that end in `.gz` are unpacked.

use crate::catalog::builtin::Embedded;
use std::collections::BTreeMap;
use std::fs;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};

/// Larger texts are refused: 64 MiB is a trace of over a million requests. [`stream`] knows no limit.
pub const MAX_BYTES: u64 = 64 << 20;

/// Where a scenario's files come from.
#[derive(Clone, Copy, Debug)]
pub enum Files<'a> {
    /// The folder of the scenario on disk.
    Disk(&'a Path),
    /// Compiled in.
    Embedded(&'a [Embedded]),
}

/// Why a file cannot be had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unreadable {
    /// It is not there, or may not be opened: the system's own words.
    Missing(String),
    /// It is no text in UTF-8.
    NotText(String),
    /// It is larger than [`MAX_BYTES`].
    TooLarge,
}

impl Files<'_> {
    /// Path as it is shown to the user.
    #[must_use]
    pub fn shown(&self, relative: &str) -> PathBuf {
        match self {
            Self::Disk(root) => root.join(relative),
            Self::Embedded(_) => PathBuf::from(format!("builtin:{relative}")),
        }
    }

    /// Text of a file of the scenario.
    ///
    /// # Errors
    /// The file is missing, not UTF-8, or larger than 64 MiB.
    pub fn read(&self, relative: &str) -> Result<String, Unreadable> {
        match self {
            Self::Disk(root) => text(&root.join(relative)),
            Self::Embedded(files) => {
                let file = files.iter().find(|file| file.path == relative);
                file.map(|file| file.text.to_owned()).ok_or_else(|| Unreadable::Missing("not among the embedded files".to_owned()))
            }
        }
    }

    /// Whether the file is there.
    #[must_use]
    pub fn has(&self, relative: &str) -> bool {
        match self {
            Self::Disk(root) => root.join(relative).is_file(),
            Self::Embedded(files) => files.iter().any(|file| file.path == relative),
        }
    }

    /// Names of the YAML files in `profiles/`, sorted.
    #[must_use]
    pub fn profiles(&self) -> Vec<String> {
        let mut names: Vec<String> = match self {
            Self::Disk(root) => fs::read_dir(root.join("profiles"))
                .into_iter()
                .flatten()
                .flatten()
                .filter_map(|entry| entry.file_name().into_string().ok())
                .map(|name| format!("profiles/{name}"))
                .collect(),
            Self::Embedded(files) => files.iter().map(|file| file.path.to_owned()).collect(),
        };
        names.retain(|name| name.starts_with("profiles/") && name.ends_with(".yaml"));
        names.sort();
        names
    }
}

/// Bytes of a file on disk as they come, unpacked where its name ends in `.gz`.
///
/// # Errors
/// The file is missing, a folder, or may not be opened.
pub fn stream(path: &Path) -> Result<Box<dyn Read + Send>, Unreadable> {
    let missing = |e: std::io::Error| Unreadable::Missing(e.to_string());
    let file = fs::File::open(path).map_err(missing)?;
    if file.metadata().map_err(missing)?.is_dir() {
        return Err(Unreadable::Missing("it is a folder".to_owned()));
    }
    let file = BufReader::with_capacity(1 << 16, file);
    Ok(if path.extension().is_some_and(|end| end == "gz") { Box::new(flate2::bufread::MultiGzDecoder::new(file)) } else { Box::new(file) })
}

/// Text of a file on disk, without a byte-order mark.
///
/// # Errors
/// The file is missing, not UTF-8, or larger than 64 MiB.
pub fn text(path: &Path) -> Result<String, Unreadable> {
    let missing = |e: std::io::Error| Unreadable::Missing(e.to_string());
    let file = fs::File::open(path).map_err(missing)?;
    if file.metadata().map_err(missing)?.is_dir() {
        return Err(Unreadable::Missing("it is a folder".to_owned()));
    }
    let mut bytes = Vec::new();
    if path.extension().is_some_and(|end| end == "gz") {
        let unpacked = flate2::read::MultiGzDecoder::new(file).take(MAX_BYTES + 1).read_to_end(&mut bytes);
        unpacked.map_err(|e| Unreadable::NotText(format!("the gzip is damaged after {} bytes of text: {e}", bytes.len())))?;
    } else {
        file.take(MAX_BYTES + 1).read_to_end(&mut bytes).map_err(missing)?;
    }
    if bytes.len() as u64 > MAX_BYTES {
        return Err(Unreadable::TooLarge);
    }
    let text = String::from_utf8(bytes).map_err(|e| Unreadable::NotText(format!("no UTF-8 at byte {}", e.utf8_error().valid_up_to())))?;
    Ok(text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text))
}

/// Texts of all files that were read, by shown path: what a diagnostic is rendered with.
pub type Sources = BTreeMap<PathBuf, String>;
