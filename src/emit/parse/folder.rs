//! The texts of an output folder, by path.

use super::types::Origin;
use std::collections::BTreeMap;

/// A file of the folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceText {
    /// Path relative to the output folder, `/` between its parts.
    pub path: String,
    /// Text.
    pub text: String,
}

/// Texts by path.
#[derive(Debug)]
pub(super) struct Folder<'a> {
    texts: BTreeMap<&'a str, &'a str>,
}

impl<'a> Folder<'a> {
    /// The files of the list.
    pub(super) fn new(texts: &'a [SourceText]) -> Self {
        let plain = |path: &'a str| path.strip_prefix("./").unwrap_or(path);
        Self { texts: texts.iter().map(|file| (plain(&file.path), file.text.as_str())).collect() }
    }

    /// Text of a path.
    pub(super) fn get(&self, path: &str) -> Option<&'a str> {
        self.texts.get(path).copied()
    }

    /// Paths below a folder (`kubernetes/`), sorted.
    pub(super) fn below<'s>(&'s self, folder: &'s str) -> impl Iterator<Item = &'a str> + 's {
        self.texts.keys().copied().filter(move |path| path.starts_with(folder))
    }

    /// The kustomization of a folder, under the names that Kustomize looks for.
    pub(super) fn kustomization(&self, folder: &str) -> Option<String> {
        let names = ["kustomization.yaml", "kustomization.yml", "Kustomization"];
        names.iter().map(|name| format!("{folder}/{name}")).find(|path| self.texts.contains_key(path.as_str()))
    }
}

/// A path seen from a folder, without `.` and `..`; `None` where it leaves the output folder.
pub(super) fn joined(folder: &str, path: &str) -> Option<String> {
    if path.starts_with('/') {
        return None;
    }
    let mut parts: Vec<&str> = Vec::new();
    for part in folder.split('/').chain(path.split('/')) {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            name => parts.push(name),
        }
    }
    Some(parts.join("/"))
}

/// A whole file as a place.
pub(super) fn whole(path: &str) -> Origin {
    Origin { path: path.to_owned(), place: None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_stay_inside() {
        assert_eq!(joined("kubernetes", "./keda/../a.yaml").as_deref(), Some("kubernetes/a.yaml"));
        assert_eq!(joined("kubernetes", "../../a.yaml"), None);
        assert_eq!(joined("kubernetes", "/etc/passwd"), None);
    }
}
